/* spectral.c: Fourier transforms over the slabs of a cell: plans once per size, reused over all solves.

   A plane after the other is transformed along x and y into the buffer. Then, for one frequency ky after the other (on
   several ranks for some at a time, so that they meet only a few times), the columns along z are gathered from all planes and
   ranks, transformed, handed to the caller row by row, transformed back and returned, all while they are in the processor's
   cache; last the planes go back. So the buffer passes through memory three times instead of seven, and no stride is a power
   of two (docs/solvers.md, "Cell problems").

   The buffer is [z][ky][component][kx], columns are [z][ky of this step][component][kx], kx = 0 .. n[0]/2.
   Source: Frigo and Johnson, The design and implementation of FFTW3, Proc. IEEE 93 (2005) 216. */
#include "cache.h"

#include <fftw3.h>
#include <string.h>

enum {
  MEASURE_FROM = 1 << 20, /* values from which on measured plans, which take 0.3 s, gain more than that in one solve */
  MEETINGS     = 4,       /* steps of an application on several ranks, which meet twice in each */
  COLUMNS      = 1 << 15, /* complex values that a step on several ranks has at least, if there are that many */
};

struct FgSpectral_ {
  MPI_Comm        comm;
  PetscMPIInt     rank, size;
  PetscInt        n[3], ncomp, nk;
  PetscInt        count, steps, group; /* planes of this rank; steps of the columns, frequencies ky in each */
  PetscInt       *first;               /* [size + 1] first ky of each rank */
  int            *planes, *begin;      /* [size] values of the columns that stand in each rank's planes, and where they begin */
  int            *place;               /* [size] where in `send` a rank's part begins */
  int            *got, *sent;          /* [size] values in this step, of columns and of `send` */
  size_t          row;                 /* complex values of one (z, ky): ncomp nk */
  double complex *buffer;              /* [count][n[1]][row] */
  double complex *column, *send;       /* [n[2]][row] the columns of one ky; what other ranks get (size > 1) */
  fftw_plan       forward, backward, along, back;
  double          seconds;
};

/* Which frequencies each rank works on, and what it gets and sends for that. */
static PetscErrorCode Share(FgSpectral s)
{
  PetscInt most  = 0;
  int      count = (int)s->count, at = 0, block;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(s->comm, &s->rank));
  PetscCallMPI(MPI_Comm_size(s->comm, &s->size));
  PetscCall(PetscMalloc6(s->size + 1, &s->first, s->size, &s->planes, s->size, &s->begin, s->size, &s->place, s->size, &s->got,
                         s->size, &s->sent));
  PetscCallMPI(MPI_Allgather(&count, 1, MPI_INT, s->planes, 1, MPI_INT, s->comm));
  for (PetscMPIInt r = 0; r <= s->size; r++) {
    s->first[r] = (PetscInt)((PetscInt64)s->n[1] * r / s->size);
    if (r > 0) most = PetscMax(most, s->first[r] - s->first[r - 1]);
  }
  if (s->size > 1) s->group = PetscMax((most + MEETINGS - 1) / MEETINGS, (PetscInt)(COLUMNS / ((size_t)s->n[2] * s->row)));
  s->group = PetscMin(PetscMax(s->group, 1), most);
  s->steps = (most + s->group - 1) / s->group;
  block    = (int)((size_t)s->group * s->row);
  for (PetscMPIInt r = 0; r < s->size; r++) {
    s->begin[r] = at * block;
    at += s->planes[r];
    s->planes[r] *= block;
    s->place[r] = (int)r * count * block;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Create(FgCell cell, PetscInt ncomp, PetscBool measure, FgSpectral *out)
{
  const PetscInt *n        = cell->n;
  const int       plane[2] = {(int)n[1], (int)n[0]}, length[1] = {(int)n[2]}, nk = (int)(n[0] / 2 + 1), c = (int)ncomp;
  const int       rows[2] = {(int)n[1], nk * c}, row = nk * c;
  int             pitch;
  const size_t    values = (size_t)(n[0] * n[1]) * (size_t)ncomp;
  const unsigned  flags  = measure || (double)values * (double)n[2] >= MEASURE_FROM ? FFTW_MEASURE : FFTW_ESTIMATE;
  const unsigned  planar = flags | (values % 2 ? FFTW_UNALIGNED : 0); /* every second plane begins off a vector's bounds */
  double         *space;
  FgSpectral      s;

  PetscFunctionBegin;
  PetscCall(PetscNew(&s));
  s->comm  = cell->comm;
  s->ncomp = ncomp;
  s->nk    = nk;
  s->count = cell->count;
  s->row   = (size_t)row;
  PetscCall(PetscArraycpy(s->n, n, 3));
  PetscCall(Share(s));
  PetscCall(PetscMalloc1((size_t)(PetscMax(s->count, 1) * n[1]) * s->row, &s->buffer)); /* planning needs a plane */
  pitch = (int)s->group * row;
  PetscCall(PetscCalloc1((size_t)n[2] * (size_t)pitch, &s->column));
  if (s->size > 1) PetscCall(PetscCalloc1((size_t)(s->count * s->size) * (size_t)pitch, &s->send));
  PetscCall(PetscMalloc1(values, &space)); /* planning overwrites it */
  s->forward  = fftw_plan_many_dft_r2c(2, plane, c, space, NULL, c, 1, s->buffer, rows, 1, nk, planar);
  s->backward = fftw_plan_many_dft_c2r(2, plane, c, s->buffer, rows, 1, nk, space, NULL, c, 1, planar);
  PetscCall(PetscFree(space));
  s->along = fftw_plan_many_dft(1, length, row, s->column, NULL, pitch, 1, s->column, NULL, pitch, 1, FFTW_FORWARD, flags);
  s->back  = fftw_plan_many_dft(1, length, row, s->column, NULL, pitch, 1, s->column, NULL, pitch, 1, FFTW_BACKWARD, flags);
  PetscCheck(s->forward && s->backward && s->along && s->back, PETSC_COMM_SELF, PETSC_ERR_LIB, "FFTW made no plan for %s",
             cell->source);
  *out = s;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(FgSpectral *spectral)
{
  PetscFunctionBegin;
  if (!*spectral) PetscFunctionReturn(PETSC_SUCCESS);
  fftw_destroy_plan((*spectral)->forward);
  fftw_destroy_plan((*spectral)->backward);
  fftw_destroy_plan((*spectral)->along);
  fftw_destroy_plan((*spectral)->back);
  PetscCall(PetscFree6((*spectral)->first, (*spectral)->planes, (*spectral)->begin, (*spectral)->place, (*spectral)->got,
                       (*spectral)->sent));
  PetscCall(PetscFree((*spectral)->send));
  PetscCall(PetscFree((*spectral)->column));
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
  return sizeof(double complex) * (double)s->row *
         ((double)s->count * (double)s->n[1] +
          (double)s->group * ((double)s->n[2] + (s->send ? (double)s->count * (double)s->size : 0.0)));
}

double FgSpectralSeconds(FgSpectral s)
{
  return s->seconds;
}

static double complex *Block(FgSpectral s, PetscInt plane, PetscInt ky)
{
  return s->buffer + (size_t)(plane * s->n[1] + ky) * s->row;
}

/* How many frequencies a rank works on in a step; *first is the first of them. */
static PetscInt Own(FgSpectral s, PetscMPIInt rank, PetscInt step, PetscInt *first)
{
  *first = s->first[rank] + step * s->group;
  return PetscMax(0, PetscMin(s->group, s->first[rank + 1] - *first));
}

/* Between the planes and what other ranks get (on one rank: the columns themselves). */
static void Copy(FgSpectral s, PetscInt step, PetscBool gather)
{
  for (PetscMPIInt r = 0; r < s->size; r++) {
    PetscInt        ky;
    const size_t    bytes = (size_t)Own(s, r, step, &ky) * s->row * sizeof(double complex);
    double complex *there = s->size > 1 ? s->send + s->place[r] : s->column;

    for (PetscInt k = 0; bytes > 0 && k < s->count; k++) {
      double complex *columns = there + (size_t)(k * s->group) * s->row;

      if (gather) memcpy(columns, Block(s, k, ky), bytes);
      else memcpy(Block(s, k, ky), columns, bytes);
    }
  }
}

/* Columns of each rank's frequencies of this step: gathered from all planes, or returned to them. */
static PetscErrorCode Exchange(FgSpectral s, PetscInt step, PetscBool gather)
{
  PetscInt ky;

  PetscFunctionBegin;
  for (PetscMPIInt r = 0; r < s->size; r++) {
    s->got[r]  = Own(s, s->rank, step, &ky) > 0 ? s->planes[r] : 0;
    s->sent[r] = Own(s, r, step, &ky) > 0 ? s->planes[s->rank] : 0;
  }
  if (gather) Copy(s, step, gather);
  if (s->size > 1 && gather)
    PetscCallMPI(MPI_Alltoallv(s->send, s->sent, s->place, MPI_C_DOUBLE_COMPLEX, s->column, s->got, s->begin,
                               MPI_C_DOUBLE_COMPLEX, s->comm));
  else if (s->size > 1)
    PetscCallMPI(MPI_Alltoallv(s->column, s->got, s->begin, MPI_C_DOUBLE_COMPLEX, s->send, s->sent, s->place,
                               MPI_C_DOUBLE_COMPLEX, s->comm));
  if (!gather) Copy(s, step, gather);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The rows of one frequency ky, whose columns begin at `column`. */
static double Rows(FgSpectral s, FgSpectralRow row, const void *context, PetscInt ky, double scale, double complex *column)
{
  double sum = 0;

  for (PetscInt kz = 0; kz < s->n[2]; kz++) {
    double complex *value[6];

    for (PetscInt c = 0; c < s->ncomp; c++) value[c] = column + (size_t)(kz * s->group) * s->row + (size_t)(c * s->nk);
    sum += row(context, ky, kz, s->nk, scale, value);
  }
  return sum;
}

PetscErrorCode FgSpectralApply(FgSpectral s, FgSpectralRow row, const void *context, const double *r, double *z, double *dot)
{
  const double scale = 1.0 / ((double)s->n[0] * (double)s->n[1] * (double)s->n[2]), start = FgWallSeconds();
  const size_t plane = (size_t)(s->n[0] * s->n[1] * s->ncomp);
  double       sum = 0, rows = 0;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < s->count; k++) fftw_execute_dft_r2c(s->forward, (double *)r + plane * (size_t)k, Block(s, k, 0));
  for (PetscInt step = 0; step < s->steps; step++) {
    PetscInt       first;
    const PetscInt own = Own(s, s->rank, step, &first);

    PetscCall(Exchange(s, step, PETSC_TRUE));
    for (PetscInt i = 0; i < own; i++) {
      double complex *column = s->column + (size_t)i * s->row;
      double          clock;

      if (s->n[2] > 1) fftw_execute_dft(s->along, column, column);
      clock = FgWallSeconds();
      sum += Rows(s, row, context, first + i, scale, column);
      rows += FgWallSeconds() - clock;
      if (s->n[2] > 1) fftw_execute_dft(s->back, column, column);
    }
    PetscCall(Exchange(s, step, PETSC_FALSE));
  }
  for (PetscInt k = 0; k < s->count; k++) fftw_execute_dft_c2r(s->backward, Block(s, k, 0), z + plane * (size_t)k);
  s->seconds += FgWallSeconds() - start - rows;
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
