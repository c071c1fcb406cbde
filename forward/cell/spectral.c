/* spectral.c: Fourier transforms over the slabs of a cell: plans once per size, reused over all solves.

   On one rank FFTW transforms from the caller's array into the buffer and back, with no copy. On several, FFTW-MPI works in
   the buffer, on rows padded to 2 (n[0]/2 + 1) values, and leaves the frequencies transposed (ky over the ranks), which
   saves one of two exchanges. The frequencies are [component][ky or kz][..][k] in either case.
   Source: Frigo and Johnson, The design and implementation of FFTW3, Proc. IEEE 93 (2005) 216. */
#include "cache.h"

#include <fftw3-mpi.h>
#include <string.h>

struct FgSpectral_ {
  MPI_Comm        comm;
  PetscInt        n[3], ncomp, nk;
  PetscInt        start, count;   /* planes of this rank in space */
  PetscInt        fstart, fcount; /* rows' slower index of this rank in frequency: kz on one rank, ky on several */
  PetscBool       parallel;
  size_t          stride; /* complex values of one component in the buffer */
  double complex *buffer; /* [ncomp][stride] */
  fftw_plan       forward, backward;
  double          seconds;
};

static PetscErrorCode PlanSerial(FgSpectral s, unsigned flags)
{
  const int n[3] = {(int)s->n[2], (int)s->n[1], (int)s->n[0]}, ncomp = (int)s->ncomp;
  double   *space;

  PetscFunctionBegin;
  s->fcount = s->n[2];
  s->stride = (size_t)(s->n[2] * s->n[1] * s->nk);
  PetscCall(PetscMalloc1(s->stride * (size_t)s->ncomp, &s->buffer));
  PetscCall(PetscMalloc1(s->count * s->n[1] * s->n[0] * s->ncomp, &space)); /* planning overwrites it */
  s->forward  = fftw_plan_many_dft_r2c(3, n, ncomp, space, NULL, ncomp, 1, s->buffer, NULL, 1, (int)s->stride, flags);
  s->backward = fftw_plan_many_dft_c2r(3, n, ncomp, s->buffer, NULL, 1, (int)s->stride, space, NULL, ncomp, 1, flags);
  PetscCall(PetscFree(space));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PlanParallel(FgSpectral s, unsigned flags)
{
  static PetscBool started = PETSC_FALSE;
  ptrdiff_t        count, start, fcount, fstart;

  PetscFunctionBegin;
  if (!started) fftw_mpi_init();
  started   = PETSC_TRUE;
  s->stride = (size_t)fftw_mpi_local_size_3d_transposed(s->n[2], s->n[1], s->nk, s->comm, &count, &start, &fcount, &fstart);
  PetscCheck(count == s->count && (count == 0 || start == s->start), PETSC_COMM_SELF, PETSC_ERR_PLIB,
             "slabs of FFTW differ from those of the cell");
  s->fstart = (PetscInt)fstart;
  s->fcount = (PetscInt)fcount;
  PetscCall(PetscMalloc1(s->stride * (size_t)s->ncomp, &s->buffer));
  s->forward  = fftw_mpi_plan_dft_r2c_3d(s->n[2], s->n[1], s->n[0], (double *)s->buffer, s->buffer, s->comm,
                                         flags | FFTW_MPI_TRANSPOSED_OUT);
  s->backward = fftw_mpi_plan_dft_c2r_3d(s->n[2], s->n[1], s->n[0], s->buffer, (double *)s->buffer, s->comm,
                                         flags | FFTW_MPI_TRANSPOSED_IN);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Create(FgCell cell, PetscInt ncomp, PetscBool measure, FgSpectral *out)
{
  const unsigned flags = measure ? FFTW_MEASURE : FFTW_ESTIMATE;
  PetscMPIInt    size;
  FgSpectral     s;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(cell->comm, &size));
  PetscCall(PetscNew(&s));
  s->comm     = cell->comm;
  s->ncomp    = ncomp;
  s->nk       = cell->n[0] / 2 + 1;
  s->start    = cell->start;
  s->count    = cell->count;
  s->parallel = size > 1 ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PetscArraycpy(s->n, cell->n, 3));
  if (s->parallel) PetscCall(PlanParallel(s, flags));
  else PetscCall(PlanSerial(s, flags));
  PetscCheck(s->forward && s->backward, PETSC_COMM_SELF, PETSC_ERR_LIB, "FFTW made no plan for %s", cell->source);
  *out = s;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(FgSpectral *spectral)
{
  PetscFunctionBegin;
  if (!*spectral) PetscFunctionReturn(PETSC_SUCCESS);
  fftw_destroy_plan((*spectral)->forward);
  fftw_destroy_plan((*spectral)->backward);
  PetscCall(PetscFree((*spectral)->buffer));
  PetscCall(PetscFree(*spectral));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSpectralGet(FgCell cell, const FgCellSettings *settings, PetscInt ncomp, FgSpectral *spectral)
{
  FgSpectral *kept = settings->cache ? &settings->cache->spectral[ncomp > 1] : NULL;

  PetscFunctionBegin;
  if (kept && *kept) {
    PetscBool same;

    PetscCall(PetscArraycmp((*kept)->n, cell->n, 3, &same));
    if (same && (*kept)->ncomp == ncomp && (*kept)->comm == cell->comm) {
      *spectral = *kept;
      PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(Destroy(kept));
  }
  PetscCall(Create(cell, ncomp, settings->measure_plans, spectral));
  if (kept) *kept = *spectral;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSpectralRelease(const FgCellSettings *settings, FgSpectral *spectral)
{
  PetscFunctionBegin;
  if (settings && settings->cache) *spectral = NULL;
  else PetscCall(Destroy(spectral));
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FgSpectralBytes(FgSpectral s)
{
  return sizeof(double complex) * (double)s->stride * (double)s->ncomp;
}

double FgSpectralSeconds(FgSpectral s)
{
  return s->seconds;
}

static void TransformForward(FgSpectral s, const double *r)
{
  const size_t row = (size_t)s->n[0], padded = 2 * (size_t)s->nk, nrows = (size_t)(s->count * s->n[1]), ncomp = (size_t)s->ncomp;

  if (!s->parallel) {
    fftw_execute_dft_r2c(s->forward, (double *)r, s->buffer);
    return;
  }
  for (size_t c = 0; c < ncomp; c++) {
    double *space = (double *)(s->buffer + c * s->stride);

    for (size_t j = 0; j < nrows; j++) {
      if (ncomp == 1) memcpy(space + j * padded, r + j * row, row * sizeof(*r));
      else
        for (size_t i = 0; i < row; i++) space[j * padded + i] = r[(j * row + i) * ncomp + c];
    }
    fftw_mpi_execute_dft_r2c(s->forward, space, s->buffer + c * s->stride);
  }
}

static void TransformBackward(FgSpectral s, double *z)
{
  const size_t row = (size_t)s->n[0], padded = 2 * (size_t)s->nk, nrows = (size_t)(s->count * s->n[1]), ncomp = (size_t)s->ncomp;

  if (!s->parallel) {
    fftw_execute_dft_c2r(s->backward, s->buffer, z);
    return;
  }
  for (size_t c = 0; c < ncomp; c++) {
    double *space = (double *)(s->buffer + c * s->stride);

    fftw_mpi_execute_dft_c2r(s->backward, s->buffer + c * s->stride, space);
    for (size_t j = 0; j < nrows; j++) {
      if (ncomp == 1) memcpy(z + j * row, space + j * padded, row * sizeof(*z));
      else
        for (size_t i = 0; i < row; i++) z[(j * row + i) * ncomp + c] = space[j * padded + i];
    }
  }
}

PetscErrorCode FgSpectralApply(FgSpectral s, FgSpectralRow row, const void *context, const double *r, double *z, double *dot)
{
  const double   scale = 1.0 / ((double)s->n[0] * (double)s->n[1] * (double)s->n[2]);
  const PetscInt inner = s->parallel ? s->n[2] : s->n[1];
  double         sum = 0, clock = FgWallSeconds();

  PetscFunctionBegin;
  TransformForward(s, r);
  s->seconds += FgWallSeconds() - clock;
  for (PetscInt j = 0; j < s->fcount; j++) {
    for (PetscInt i = 0; i < inner; i++) {
      const size_t    offset = (size_t)((j * inner + i) * s->nk);
      double complex *value[6];

      for (PetscInt c = 0; c < s->ncomp; c++) value[c] = s->buffer + (size_t)c * s->stride + offset;
      if (s->parallel) sum += row(context, s->fstart + j, i, s->nk, scale, value);
      else sum += row(context, i, j, s->nk, scale, value);
    }
  }
  clock = FgWallSeconds();
  TransformBackward(s, z);
  s->seconds += FgWallSeconds() - clock;
  if (dot) {
    *dot = sum;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, dot, 1, MPI_DOUBLE, MPI_SUM, s->comm));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellCacheCreate(struct FgCellCache_ **cache)
{
  PetscFunctionBegin;
  PetscCall(PetscNew(cache));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellCacheForget(struct FgCellCache_ *cache)
{
  PetscFunctionBegin;
  for (int i = 0; i < FG_CACHE_STARTS; i++) cache->start[i].n = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellCacheDestroy(struct FgCellCache_ **cache)
{
  PetscFunctionBegin;
  if (!*cache) PetscFunctionReturn(PETSC_SUCCESS);
  for (int i = 0; i < 2; i++) PetscCall(Destroy(&(*cache)->spectral[i]));
  for (int i = 0; i < FG_CACHE_STARTS; i++) PetscCall(PetscFree((*cache)->start[i].value));
  PetscCall(FgElasticKeptDestroy(&(*cache)->elastic));
  PetscCall(PetscFree(*cache));
  PetscFunctionReturn(PETSC_SUCCESS);
}
