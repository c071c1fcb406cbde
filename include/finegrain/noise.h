/* noise.h: the noise level from residuals, and when a residual is too large for noise. */
#ifndef FINEGRAIN_NOISE_H
#define FINEGRAIN_NOISE_H

#include "base.h"

/* Standard deviation of the residuals' unit: the square root of the median over sites of chi2/(samples - parameters) over the
   median of a chi-squared variable per degree of freedom; robust against sites that the model does not describe. Sites with
   no degree of freedom left or a non-finite chi2 do not count; NaN where none counts. Collective. */
PETSC_EXTERN PetscErrorCode FgNoiseFromResiduals(MPI_Comm comm, PetscInt n, const float chi2[], const short samples[],
                                                 PetscInt parameters, double *sigma);

/* Of whitened residuals (NaN: left out), with `expected` = E psi^2 at Huber's threshold (robust.h): sum psi^2/expected, comparable with
   a sum of squares under Gaussian noise but bounded; and Huber's proposal 2, the scale s at which that sum, of residuals/s, is the
   number of degrees of freedom: their standard deviation but for outliers. 0 < degrees < n. Source: P. J. Huber, Ann. Math. Stat. 35
   (1964) 73. */
PETSC_EXTERN double FgNoiseBoundedSquares(PetscInt n, const double residuals[], double threshold, double expected);
PETSC_EXTERN double FgNoiseScale(PetscInt n, const double residuals[], double degrees, double threshold, double expected);

/* Whether chi2 exceeds the 99.9 % quantile of a chi-squared variable of that many degrees of freedom (> 0, need not be whole). */
PETSC_EXTERN PetscBool FgNoiseIsOutside(double chi2, double degrees);

#endif
