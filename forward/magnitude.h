/* magnitude.h: the mean of a magnitude signal with Rician or noncentral-chi noise. Private to forward/. */
#ifndef FINEGRAIN_FORWARD_MAGNITUDE_H
#define FINEGRAIN_FORWARD_MAGNITUDE_H

#include "finegrain/base.h"

/* Highest number of coils that a table is made for. */
#define FG_MAX_COILS 128.0

enum { FG_MAGNITUDE_TERMS = 7 };

/* The table behind FgMagnitudeMean for one number of coils. One block of memory, to be released with PetscFree. */
typedef struct FgMagnitude_ FgMagnitude;
struct FgMagnitude_ {
  double limit;                      /* the table covers S/sigma = 0 .. limit [1] */
  double series[FG_MAGNITUDE_TERMS]; /* from there on: g(x) = x sum_k series[k] / x^(2k) */
  double table[][8]; /* coefficients in t = 0..1 across each interval, ascending; rows of eight keep an interval in
                                        one cache line */
};

/* coils: of a sum of squares, 1 .. FG_MAX_COILS, need not be whole (an effective number); 1 is Rician noise. */
PETSC_INTERN PetscErrorCode FgMagnitudeCreate(double coils, FgMagnitude **magnitude);

/* mean[n] = E of the magnitude for signals S[n] >= 0 and noise standard deviation sigma > 0 of each channel, all in one unit, and
   slope[n] = d mean/d S. mean may be S itself. */
PETSC_INTERN void FgMagnitudeMean(const FgMagnitude *magnitude, PetscInt n, const double *S, double sigma, double *mean,
                                  double *slope);

#endif
