/* rician.h: the mean of a magnitude signal with Rician noise. Private to forward/. */
#ifndef FINEGRAIN_FORWARD_RICIAN_H
#define FINEGRAIN_FORWARD_RICIAN_H

#include "finegrain/base.h"

/* Builds the table behind FgRicianMean; call once before it (later calls return at once). */
PETSC_INTERN void FgRicianSetup(void);

/* mean[n] = E|S + noise| for signals S[n] >= 0 and noise standard deviation sigma > 0 of each channel, all in one unit, and
   slope[n] = d mean/d S. mean may be S itself. */
PETSC_INTERN void FgRicianMean(PetscInt n, const double *S, double sigma, double *mean, double *slope);

#endif
