/* noise_pairs.c: the noise level from pairs of b0 volumes, for data in which a b0 volume may be spoiled.

   In a pair |a - b| has the median sqrt(2) 0.6745 sigma over the voxels. Every pair that a spoiled volume is in is too large, so
   the lower quartile over the pairs is taken: one volume of three may be spoiled, or two of five. Volumes are paired with the three
   that follow, around the end, which is all of them up to seven. Where all are sound the quartile lies below their middle by no more
   than chance, which is little in a whole brain. */
#include "finegrain/measurement.h"

#include "finegrain/statistics.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

enum { NEIGHBORS = 3 };

static int CompareDoubles(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

PetscErrorCode FgMeasurementSigmaFromB0Pairs(const FgMeasurement *m, double *sigma)
{
  const PetscInt n    = m->gradients.nb0;
  const double   unit = sqrt(2.0) * gsl_cdf_ugaussian_Pinv(0.75);
  float         *difference;
  double        *level;
  PetscInt      *volume, npairs = 0;

  PetscFunctionBegin;
  PetscCheck(
      n >= 2, PETSC_COMM_SELF, PETSC_ERR_USER,
      "%s: found %lld b0 volume%s, expected at least 2 to estimate the noise from; give --sigma VALUE or take the residuals",
      m->info.path, (long long)n, n == 1 ? "" : "s");
  PetscCall(PetscMalloc3(m->nlocal, &difference, n * NEIGHBORS, &level, n, &volume));
  for (PetscInt v = 0, k = 0; v < m->gradients.n; v++) {
    if (m->gradients.b[v] <= m->gradients.b0_threshold) volume[k++] = v;
  }
  for (PetscInt k = 0; k < n; k++) {
    for (PetscInt step = 1; step <= NEIGHBORS; step++) {
      if (2 * step > n || (2 * step == n && k >= step)) break; /* around the end these are pairs again */
      for (PetscInt i = 0; i < m->nlocal; i++) {
        const float *samples = &m->data[(size_t)i * (size_t)m->ndata];

        difference[i] = fabsf(samples[volume[k]] - samples[volume[(k + step) % n]]);
      }
      PetscCall(FgQuantile(m->comm, m->nlocal, difference, 1, 0.5, &level[npairs]));
      if (level[npairs] > 0.0) npairs++;
    }
  }
  qsort(level, (size_t)npairs, sizeof *level, CompareDoubles);
  *sigma = npairs ? level[(npairs - 1) / 4] / unit : 0.0;
  PetscCall(PetscFree3(difference, level, volume));
  PetscCheck(*sigma > 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found b0 volumes that do not differ, expected noise in them; give --sigma VALUE or take the residuals",
             m->info.path);
  PetscFunctionReturn(PETSC_SUCCESS);
}
