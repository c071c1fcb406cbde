/* noise.c: the noise level from repeated b0 volumes.

   The unbiased variance of k samples is sigma^2 chi2_{k-1}/(k-1), so its median over voxels is sigma^2 q with
   q = median(chi2_{k-1})/(k-1); the median forgives vessels, pulsation and edges that move. Signal-independent noise is
   assumed, which holds where the b0 signal is well above it. */
#include "finegrain/measurement.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

/* Unbiased variance of a voxel's b0 samples, NaN where one is left out. */
static float B0Variance(const FgGradients *gradients, const float *samples)
{
  double mean = 0.0, squares = 0.0;

  for (PetscInt v = 0; v < gradients->n; v++) {
    if (gradients->b[v] <= gradients->b0_threshold) mean += samples[v] / (double)gradients->nb0;
  }
  for (PetscInt v = 0; v < gradients->n; v++) {
    if (gradients->b[v] <= gradients->b0_threshold) squares += (samples[v] - mean) * (samples[v] - mean);
  }
  return (float)(squares / (double)(gradients->nb0 - 1));
}

static int CompareFloats(const void *a, const void *b)
{
  const float x = *(const float *)a, y = *(const float *)b;

  return (x > y) - (x < y);
}

/* NaN where no value is finite; reorders the values. */
static double Median(size_t n, float *values)
{
  size_t finite = 0;

  for (size_t i = 0; i < n; i++) {
    if (isfinite(values[i])) values[finite++] = values[i];
  }
  if (!finite) return NAN;
  qsort(values, finite, sizeof *values, CompareFloats);
  return 0.5 * ((double)values[(finite - 1) / 2] + (double)values[finite / 2]);
}

PetscErrorCode FgMeasurementSigmaFromB0(const FgMeasurement *m, double *sigma)
{
  const double   degrees = (double)m->gradients.nb0 - 1.0;
  float         *local, *all;
  double         median = 0.0;
  PetscMPIInt    rank, size;
  int           *counts, *starts;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCheck(
      m->gradients.nb0 >= 2, PETSC_COMM_SELF, PETSC_ERR_USER,
      "%s: found %lld b0 volume%s, expected at least 2 to estimate the noise from; give --sigma VALUE or take the residuals",
      m->info.path, (long long)m->gradients.nb0, m->gradients.nb0 == 1 ? "" : "s");
  PetscCallMPI(MPI_Comm_rank(m->comm, &rank));
  PetscCallMPI(MPI_Comm_size(m->comm, &size));
  ierr = PetscCalloc4(m->nlocal, &local, rank ? 0 : m->nmask, &all, size, &counts, size, &starts);
  PetscCall(FgAgree(m->comm, ierr));
  for (PetscInt i = 0; i < m->nlocal; i++) local[i] = B0Variance(&m->gradients, m->data + (size_t)i * (size_t)m->ndata);
  counts[rank] = (int)m->nlocal;
  starts[rank] = (int)m->first;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, size, MPI_INT, MPI_SUM, m->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, starts, size, MPI_INT, MPI_SUM, m->comm));
  PetscCallMPI(MPI_Gatherv(local, (int)m->nlocal, MPI_FLOAT, all, counts, starts, MPI_FLOAT, 0, m->comm));
  if (!rank) median = Median((size_t)m->nmask, all);
  PetscCallMPI(MPI_Bcast(&median, 1, MPI_DOUBLE, 0, m->comm));
  PetscCall(PetscFree4(local, all, counts, starts));
  *sigma = sqrt(median / (gsl_cdf_chisq_Pinv(0.5, degrees) / degrees));
  PetscCheck(*sigma > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found b0 volumes that do not differ, expected noise in them; give --sigma VALUE or take the residuals",
             m->info.path);
  PetscFunctionReturn(PETSC_SUCCESS);
}
