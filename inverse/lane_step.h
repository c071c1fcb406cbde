/* lane_step.h: bound-constrained damped Newton steps of FG_LANES sites, shared by the pointwise solver and the sweeps. */
#ifndef FINEGRAIN_INVERSE_LANE_STEP_H
#define FINEGRAIN_INVERSE_LANE_STEP_H

#include "finegrain/batch.h"

/* In every lane solves (H + damping diag H) step = -g over the components that are not held by their bounds (those on a bound whose
   gradient points outwards; those that the step would carry outside are moved onto the bound and the rest solved again) and gives
   trial->m = P(m + relaxation * step), trial->frame and tangent coordinates re-centered. solved[l] is 0 where the system is not
   positive definite: trial is then the point itself. Where a variable has no curvature, it stays.
   Of the step taken, unless NULL: slope = -g . step, curvature = step . H step, and the step itself. */
PETSC_INTERN void FgLaneStep(FgField field, const FgBatchPoint *at, const FgLanes damping, double relaxation, FgBatchPoint *trial,
                             FgLanes solved, FgLanes slope, FgLanes curvature, FgLanes step[]);

/* Standard deviations of all components from the block's inverse, in every lane; infinite where it is singular. */
PETSC_INTERN void FgLaneDeviations(PetscInt nc, const FgLanes hessian[], FgLanes deviation[]);

/* Inverse, packed, of every lane's block over the variables that are not held (0); rows of the others, and of those without curvature, are
   0, and everything where the block is not positive definite. */
PETSC_INTERN void FgLaneInverse(PetscInt nc, const FgLanes block[], const FgLanes held[], FgLanes inverse[]);

#endif
