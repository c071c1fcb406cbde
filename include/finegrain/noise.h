/* noise.h: the noise level from residuals, and when a residual is too large for noise. */
#ifndef FINEGRAIN_NOISE_H
#define FINEGRAIN_NOISE_H

#include "base.h"

/* Standard deviation of the residuals' unit: the square root of the median over sites of chi2/(samples - parameters) over the
   median of a chi-squared variable per degree of freedom; robust against sites that the model does not describe. Sites with
   no degree of freedom left or a non-finite chi2 do not count; NaN where none counts. Collective. */
PETSC_EXTERN PetscErrorCode FgNoiseFromResiduals(MPI_Comm comm, PetscInt n, const float chi2[], const short samples[],
                                                 PetscInt parameters, double *sigma);

/* Whether chi2 exceeds the 99.9 % quantile of a chi-squared variable of that many degrees of freedom (> 0, need not be whole). */
PETSC_EXTERN PetscBool FgNoiseIsOutside(double chi2, double degrees);

#endif
