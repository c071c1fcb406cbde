/* noise.c: the noise level from the residuals of the pointwise fit, degrees of freedom counted. */
#include "finegrain/noise.h"

#include "finegrain/robust.h"
#include "finegrain/statistics.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

PetscErrorCode FgNoiseFromResiduals(MPI_Comm comm, PetscInt n, const float chi2[], const short samples[], PetscInt parameters,
                                    double *sigma)
{
  float   *variance;
  double   median, correction = 1.0;
  PetscInt known = -1;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &variance));
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt degrees = samples[i] - parameters;

    variance[i] = NAN;
    if (degrees < 1) continue;
    if (degrees != known) { /* nearly always that of the site before */
      known      = degrees;
      correction = gsl_cdf_chisq_Pinv(0.5, degrees);
    }
    variance[i] = (float)(chi2[i] / correction);
  }
  PetscCall(FgQuantile(comm, n, variance, 1, 0.5, &median));
  PetscCall(PetscFree(variance));
  *sigma = sqrt(median);
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FgNoiseBoundedSquares(PetscInt n, const double residuals[], double threshold, double expected)
{
  double sum = 0.0;

  for (PetscInt k = 0; k < n; k++) {
    const double psi = FgHuberBound(residuals[k], threshold);

    if (!isnan(residuals[k])) sum += psi * psi;
  }
  return sum / expected;
}

double FgNoiseScale(PetscInt n, const double residuals[], double degrees, double threshold, double expected)
{
  enum { MAX_ROUNDS = 100 };
  double scale = 0.0;

  /* From above, the root of the mean square, the fixed point is approached without crossing it. */
  for (PetscInt k = 0; k < n; k++) scale += isnan(residuals[k]) ? 0.0 : residuals[k] * residuals[k];
  scale = sqrt(scale / (degrees * PetscMin(1.0, expected)));
  for (int round = 0; round < MAX_ROUNDS && scale > 0.0; round++) {
    const double ratio = sqrt(FgNoiseBoundedSquares(n, residuals, threshold * scale, expected) / degrees) / scale;

    scale *= ratio;
    if (fabs(ratio - 1.0) < 1e-4) break;
  }
  return scale;
}

PetscBool FgNoiseIsOutside(double chi2, double degrees)
{
  /* A quick bound first: the exact tail is only evaluated near it. */
  if (!(degrees > 0.0) || chi2 < degrees) return PETSC_FALSE;
  return gsl_cdf_chisq_Q(chi2, degrees) < 1e-3 ? PETSC_TRUE : PETSC_FALSE;
}
