/* pairs.c: derivatives kept by pairs of currents, for many products with J^T W J at one m.

     T_kl,i = - sum over the elements of site i of int grad u_k . dC/dm_i grad u_l,   k driven, l >= k

   is all of J that voltages need, dV = drive T sense^T (reciprocity.c), and T is symmetric among the driven currents. A product by
   reciprocity sweeps over the elements twice; with these numbers it reads them twice, which is several times less work. They have 32
   bits: J with a relative error of 6e-8 in each entry is still one matrix, and J^T W J symmetric.

   Made before the first product at an m, where there is room, once there have been many at the m before: all products at one m are of the same
   matrix. */
#include "eit.h"
#include "finegrain/lanes.h"

/* Products that are worth the pairs' making, the work of some two or three; room for them on a rank [bytes], or for an element. */
enum { MANY_PRODUCTS = 4, ROOM = 256000000, ROOM_OF_ELEMENT = 1000 };

size_t FgEitPairsCount(const FgEitCurrents *c)
{
  return (size_t)c->driven * c->n - (size_t)c->driven * (c->driven - 1) / 2;
}

void FgEitPairsForget(FgEitState *s)
{
  s->pairs_kept = PETSC_FALSE;
  if (s->products >= MANY_PRODUCTS) s->many_products = PETSC_TRUE;
  s->products = 0;
}

PetscErrorCode FgEitPairsDestroy(FgEitState *s)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(s->pairs));
  PetscCall(PetscFree(s->pair));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* pairs[] -= rows[per][n]^T changed[per][n]. */
FG_SIMD_CLONES
static void Add(PetscInt driven, PetscInt n, PetscInt per, const double *restrict rows, const double *restrict changed,
                double *restrict sum, float *restrict pairs)
{
  for (PetscInt k = 0; k < driven; k++) {
    for (PetscInt l = k; l < n; l++) sum[l] = 0.0;
    for (PetscInt row = 0; row < per; row++) {
      const double g           = rows[(size_t)row * n + k];
      const double *restrict c = &changed[(size_t)row * n];

#pragma omp simd
      for (PetscInt l = k; l < n; l++) sum[l] += g * c[l];
    }
#pragma omp simd
    for (PetscInt l = k; l < n; l++) pairs[l - k] -= (float)sum[l];
    pairs += n - k;
  }
}

static PetscErrorCode Make(FgModel model)
{
  FgEitState        *s     = model->context;
  const FgEitSpace  *space = &s->space;
  const PetscInt     n = s->currents.n, nc = model->ncomponents, per = space->nquadrature * space->mesh->dim;
  const size_t       npairs = FgEitPairsCount(&s->currents), total = (size_t)space->nsites * nc * npairs;
  double            *changed = &s->rows[(size_t)per * n], *sum = &changed[(size_t)per * n];
  const PetscScalar *m;

  PetscFunctionBegin;
  PetscCall(FgEitStateComplete(s, &model->counts));
  if (!s->pairs) PetscCall(PetscMalloc1(total, &s->pairs));
  if (!s->pair) PetscCall(PetscMalloc1(npairs, &s->pair));
  PetscCall(PetscArrayzero(s->pairs, total));
  PetscCall(VecGetArrayRead(model->state, &m));
  for (PetscInt e = 0; e < space->nelements; e++) {
    const size_t site = (size_t)FgEitSite(space, e);
    double       C[6], dC[FG_MAX_COMPONENTS][6];

    FgEitSiteTensor(model, &m[site * nc], model->field->frames ? &model->field->frames[9 * site] : NULL, C, dC);
    FgEitGradients(s, e, 1);
    for (PetscInt a = 0; a < nc; a++) {
      FgEitChange(space->mesh->dim, n, per, dC[a], s->rows, changed);
      Add(s->currents.driven, n, per, s->rows, changed, sum, &s->pairs[(site * nc + a) * npairs]);
    }
  }
  PetscCall(VecRestoreArrayRead(model->state, &m));
  s->pairs_kept = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool FgEitPairsFit(FgModel model)
{
  const FgEitState *s     = model->context;
  const double      bytes = sizeof(float) * (double)FgEitPairsCount(&s->currents) * s->space.mesh->nsites * model->ncomponents;
  PetscMPIInt       size;

  MPI_Comm_size(s->space.comm, &size);
  return bytes <= PetscMax((double)ROOM * size, (double)ROOM_OF_ELEMENT * s->space.mesh->nelements) ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode FgEitPairsPrepare(FgModel model, PetscBool now)
{
  FgEitState *s = model->context;

  PetscFunctionBegin;
  if (!now && s->products++) PetscFunctionReturn(PETSC_SUCCESS);
  if (s->pairs_kept || !(now || s->many_products)) PetscFunctionReturn(PETSC_SUCCESS);
  if (FgEitPairsFit(model)) PetscCall(Make(model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sum[n] += four rows times their values. */
FG_SIMD_CLONES
static void AddRows(size_t n, const double value[4], const float *restrict rows, double *restrict sum)
{
  const float *restrict a = rows, *restrict b = rows + n, *restrict c = rows + 2 * n, *restrict d = rows + 3 * n;

#pragma omp simd
  for (size_t k = 0; k < n; k++) {
    sum[k] += value[0] * (double)a[k] + value[1] * (double)b[k] + value[2] * (double)c[k] + value[3] * (double)d[k];
  }
}

FG_SIMD_CLONES
static void AddRow(size_t n, double value, const float *restrict row, double *restrict sum)
{
#pragma omp simd
  for (size_t k = 0; k < n; k++) sum[k] += value * (double)row[k];
}

FG_SIMD_CLONES
static void DotRows(size_t n, const float *restrict rows, const double *restrict weight, double out[4])
{
  const float *restrict a = rows, *restrict b = rows + n, *restrict c = rows + 2 * n, *restrict d = rows + 3 * n;
  double sa = 0.0, sb = 0.0, sc = 0.0, sd = 0.0;

#pragma omp simd reduction(+ : sa, sb, sc, sd)
  for (size_t k = 0; k < n; k++) {
    sa += (double)a[k] * weight[k];
    sb += (double)b[k] * weight[k];
    sc += (double)c[k] * weight[k];
    sd += (double)d[k] * weight[k];
  }
  out[0] = sa;
  out[1] = sb;
  out[2] = sc;
  out[3] = sd;
}

FG_SIMD_CLONES
static double DotRow(size_t n, const float *restrict row, const double *restrict weight)
{
  double sum = 0.0;

#pragma omp simd reduction(+ : sum)
  for (size_t k = 0; k < n; k++) sum += (double)row[k] * weight[k];
  return sum;
}

PetscErrorCode FgEitPairsProducts(FgEitState *s, PetscInt rows, const double *v, double *products)
{
  const PetscInt n = s->currents.n, driven = s->currents.driven;
  const size_t   npairs = FgEitPairsCount(&s->currents);
  const double  *sum    = s->pair;
  PetscInt       row    = 0;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(s->pair, npairs));
  for (; row + 4 <= rows; row += 4) AddRows(npairs, &v[row], &s->pairs[(size_t)row * npairs], s->pair);
  for (; row < rows; row++) AddRow(npairs, v[row], &s->pairs[(size_t)row * npairs], s->pair);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->pair, (int)npairs, MPI_DOUBLE, MPI_SUM, s->space.comm));
  for (PetscInt k = 0; k < driven; k++) {
    for (PetscInt l = k; l < n; l++, sum++) {
      products[k * n + l] = *sum;
      if (l < driven) products[l * n + k] = *sum;
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgEitPairsSlopes(FgEitState *s, PetscInt rows, const double *weight, double *y)
{
  const PetscInt n = s->currents.n, driven = s->currents.driven;
  const size_t   npairs = FgEitPairsCount(&s->currents);
  double        *w      = s->pair;
  PetscInt       row    = 0;

  for (PetscInt k = 0; k < driven; k++) {
    for (PetscInt l = k; l < n; l++) *w++ = weight[k * n + l] + (l > k && l < driven ? weight[l * n + k] : 0.0);
  }
  for (; row + 4 <= rows; row += 4) DotRows(npairs, &s->pairs[(size_t)row * npairs], s->pair, &y[row]);
  for (; row < rows; row++) y[row] = DotRow(npairs, &s->pairs[(size_t)row * npairs], s->pair);
}
