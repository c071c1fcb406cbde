/* site_step.h: one bound-constrained damped Newton step of a single site, shared by the pointwise solver and the sweeps. */
#ifndef FINEGRAIN_INVERSE_SITE_STEP_H
#define FINEGRAIN_INVERSE_SITE_STEP_H

#include "finegrain/field.h"

enum { FG_MAX_COMPONENTS = 8 };

/* Solves (H + damping diag H) step = -g over the components that are not held by their bounds (those on a bound whose gradient
   points outwards; those that the step would carry outside are moved onto the bound and the rest solved again) and gives the new point
   trial = P(m + relaxation * step). hessian is row-major nc x nc. FALSE where the system is not positive definite. */
PetscBool FgSiteStep(const FgComponent components[], PetscInt nc, const double *m, const double *gradient, const double *hessian,
                     double damping, double relaxation, double *trial);

#endif
