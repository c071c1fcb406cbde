/* batch.c: misfit, gradient and Gauss-Newton block of FG_LANES sites at once, and their log-linear start.

   The signal of a sample depends on S0 and the six elements of C only, S = S0 e, e = exp(-B . C). So the sums over samples are moments
   of constant products of the design with weights that are computed once a sample,

     g_a = sum_k w e (S - d) X_ka,   M_ab = sum_k w e^2 X_ka X_kb,   X_k = (1, B_k),

   35 sums whatever the model, and the chain rule takes them to the model's own components: dS/dm = -S0 e B . dC/dm. A sum over samples
   of a row of lanes is a small matrix product, whose accumulators stay in registers.

   Start: ln d = ln S0 - B . C by least squares with weights d^2, the same moments with e = d.
   Source: Basser, Mattiello and LeBihan, J. Magn. Reson. B 103 (1994) 247. */
#include "finegrain/batch.h"

#include "finegrain/robust.h"
#include "magnitude.h"

#include <string.h>

enum { ROWS = 7, PRODUCTS = ROWS * (ROWS + 1) / 2, FIRST_PAIRS = (ROWS + 1) / 2, PAIRS = FIRST_PAIRS + PRODUCTS / 2, CHUNK = 32 };

typedef FgLanes First[2 * FIRST_PAIRS], Second[PRODUCTS];

struct FgBatch_ {
  _Alignas(64) FgLanes sigma, limit; /* of the magnitude's mean; of Huber's function, in data units */
  FgLanes   e[CHUNK], first[CHUNK], second[CHUNK], mean[CHUNK], slope[CHUNK];
  FgModel   model;
  PetscInt  ndata;
  PetscBool huber;
  double (*b)[6];          /* [ndata] B of every sample [s/mm^2]; NULL where data are tensor elements */
  double (*pairs)[2];      /* [PAIRS][ndata]: two columns of X, then of its products, side by side */
  FgLanes *value, *weight; /* [ndata] 1/sigma^2, 0 for samples that are left out */
};

PetscErrorCode FgBatchCreate(FgModel model, FgBatch *batch)
{
  const FgGradients *gradients = model->gradients;
  const PetscInt     n         = model->ndata;
  void              *memory;
  FgBatch            b;

  PetscFunctionBegin;
  PetscCheck(model->ops->lanes_tensor, PETSC_COMM_SELF, PETSC_ERR_SUP, "model %s has no sites", model->ops->name);
  PetscCheck(!posix_memalign(&memory, 64, sizeof(*b)), PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory for a batch of sites");
  b = memory;
  memset(b, 0, sizeof(*b));
  b->model = model;
  b->ndata = n;
  PetscCheck(!posix_memalign(&memory, 64, 2 * (size_t)n * sizeof(FgLanes)), PETSC_COMM_SELF, PETSC_ERR_MEM,
             "out of memory for the samples of a batch of sites");
  b->value  = memory;
  b->weight = b->value + n;
  memset(b->value, 0, 2 * (size_t)n * sizeof(FgLanes));
  FG_EACH_LANE b->sigma[l] = b->limit[l] = 1.0;
  if (model->ops->exponential) {
    PetscCall(PetscCalloc2(n, &b->b, (size_t)PAIRS * n, &b->pairs));
    for (PetscInt k = 0; k < n; k++) {
      const double bvalue = gradients->b[k], *g = &gradients->g[3 * k];
      double       X[ROWS];

      X[0] = 1.0;
      for (int i = 0; i < 3; i++) X[1 + i] = bvalue * g[i] * g[i];
      X[4] = 2.0 * bvalue * g[0] * g[1];
      X[5] = 2.0 * bvalue * g[0] * g[2];
      X[6] = 2.0 * bvalue * g[1] * g[2];
      for (int i = 0; i < 6; i++) b->b[k][i] = X[1 + i];
      for (int i = 0; i < ROWS; i++) b->pairs[(size_t)(i / 2) * n + k][i % 2] = X[i];
      for (int i = 0, p = 0; i < ROWS; i++) {
        for (int j = 0; j <= i; j++, p++) b->pairs[(size_t)(FIRST_PAIRS + p / 2) * n + k][p % 2] = X[i] * X[j];
      }
    }
  }
  *batch = b;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgBatchDestroy(FgBatch *batch)
{
  PetscFunctionBegin;
  if (!*batch) PetscFunctionReturn(PETSC_SUCCESS);
  if ((*batch)->b) PetscCall(PetscFree2((*batch)->b, (*batch)->pairs));
  free((*batch)->value);
  free(*batch);
  *batch = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt FgBatchLoad(FgBatch batch, const FgData *data, int lane, PetscInt site)
{
  const PetscInt n    = batch->ndata;
  PetscInt       used = 0;

  if (site < 0) {
    for (PetscInt k = 0; k < n; k++) batch->weight[k][lane] = 0.0;
    return 0;
  }
  const float *restrict values = &data->values[(size_t)site * n];
  const double sigma = data->sigma[site], weight = 1.0 / (sigma * sigma);

  batch->sigma[lane] = batch->model->rician ? batch->model->sigma[site] : sigma;
  batch->limit[lane] = data->huber > 0.0 ? data->huber * sigma : INFINITY;
  batch->huber       = data->huber > 0.0 ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt k = 0; k < n; k++) {
    const float value = values[k];
    const int   use   = value == value;

    batch->value[k][lane]  = use ? (double)value : 0.0;
    batch->weight[k][lane] = use ? weight : 0.0;
    used += use;
  }
  return used;
}

void FgBatchLoadSites(FgBatch batch, const FgData *data, PetscInt first, int count, const PetscScalar *m, FgBatchPoint *point,
                      PetscInt used[])
{
  const FgField  field = batch->model->field;
  const PetscInt nc    = batch->model->ncomponents;

  for (int l = 0; l < FG_LANES; l++) {
    const PetscInt at = l < count ? l : 0; /* empty lanes repeat the first site without its data */

    const PetscInt samples = FgBatchLoad(batch, data, l, l < count ? first + l : -1);

    if (used && l < count) used[l] = samples;
    for (PetscInt c = 0; c < nc; c++) point->m[c][l] = m[at * nc + c];
    for (PetscInt k = 0; k < 9 && field->frames; k++) point->frame[k][l] = field->frames[9 * (size_t)(first + at) + k];
  }
}

/* Adds sum_k pair[k][0] T[k] and sum_k pair[k][1] T[k] to two rows of lanes. */
static inline void AddPair(PetscInt count, double (*restrict pair)[2], FgLanes *restrict T, FgLanes *restrict sums)
{
  FgLanes a, b;

  FG_EACH_LANE a[l] = sums[0][l];
  FG_EACH_LANE b[l] = sums[1][l];
  for (PetscInt k = 0; k < count; k++) {
    const double x = pair[k][0], y = pair[k][1];

    FG_EACH_LANE
    {
      a[l] += x * T[k][l];
      b[l] += y * T[k][l];
    }
  }
  FG_EACH_LANE sums[0][l] = a[l];
  FG_EACH_LANE sums[1][l] = b[l];
}

/* batch->first and second of samples start .. start + count to the moments. */
static inline void AddMoments(FgBatch batch, PetscInt start, PetscInt count, First g, Second M)
{
  const size_t n = (size_t)batch->ndata;

  for (int p = 0; p < FIRST_PAIRS; p++) AddPair(count, &batch->pairs[p * n + start], batch->first, &g[2 * p]);
  for (int p = 0; p < PRODUCTS / 2; p++) {
    AddPair(count, &batch->pairs[(FIRST_PAIRS + p) * n + start], batch->second, &M[2 * p]);
  }
}

/* Misfit of all samples, and where wanted their moments, at C and S0. */
FG_SIMD_CLONES
static void Signal(FgBatch batch, const FgLanes S0, const FgLanes C[6], PetscBool derivatives, FgLanes misfit, First g, Second M)
{
  const PetscInt  n = batch->ndata, nchunks = (n + CHUNK - 1) / CHUNK;
  const PetscBool rician = batch->model->rician;
  FgLanes         sum;

  FG_EACH_LANE sum[l] = 0.0;
  if (derivatives) {
    memset(g, 0, sizeof(First));
    memset(M, 0, sizeof(Second));
  }
  for (PetscInt chunk = 0; chunk < nchunks; chunk++) {
    const PetscInt start = n * chunk / nchunks, count = n * (chunk + 1) / nchunks - start;
    double *restrict e = batch->e[0];

    for (PetscInt k = 0; k < count; k++) {
      const double *restrict b = batch->b[start + k];

      FG_EACH_LANE batch->e[k][l] = -(b[0] * C[0][l] + b[1] * C[1][l] + b[2] * C[2][l] + b[3] * C[3][l] + b[4] * C[4][l] +
                                      b[5] * C[5][l]);
    }
#pragma omp simd
    for (PetscInt i = 0; i < count * FG_LANES; i++) e[i] = exp(e[i]);
    if (rician) { /* in units of sigma, so that one call serves all lanes */
      for (PetscInt k = 0; k < count; k++) {
        FG_EACH_LANE batch->mean[k][l] = S0[l] * batch->e[k][l] / batch->sigma[l];
      }
      FgMagnitudeMean(batch->model->mean, count * FG_LANES, batch->mean[0], 1.0, batch->mean[0], batch->slope[0]);
    }
    for (PetscInt k = 0; k < count; k++) {
      const double *restrict value = batch->value[start + k], *restrict weight = batch->weight[start + k];

      if (rician) {
        FG_EACH_LANE batch->mean[k][l] *= batch->sigma[l];
        FG_EACH_LANE batch->e[k][l] *= batch->slope[k][l];
      } else {
        FG_EACH_LANE batch->mean[k][l] = S0[l] * batch->e[k][l];
      }
      if (batch->huber) {
        FG_EACH_LANE
        {
          const double residual = batch->mean[k][l] - value[l], bounded = FgHuberBound(residual, batch->limit[l]);
          const double slope = batch->e[k][l];

          sum[l] += weight[l] * FgHuberSquare(residual, bounded);
          batch->first[k][l]  = weight[l] * slope * bounded;
          batch->second[k][l] = weight[l] * slope * slope * FgHuberWeight(residual, batch->limit[l]);
        }
      } else {
        FG_EACH_LANE
        {
          const double residual = batch->mean[k][l] - value[l], slope = batch->e[k][l];

          sum[l] += weight[l] * residual * residual;
          batch->first[k][l]  = weight[l] * slope * residual;
          batch->second[k][l] = weight[l] * slope * slope;
        }
      }
    }
    if (derivatives) AddMoments(batch, start, count, g, M);
  }
  FG_EACH_LANE misfit[l] = 0.5 * sum[l];
}

/* Moments of tensor elements as data: (xx, yy, zz, sqrt2 xy, sqrt2 xz, sqrt2 yz), whose derivative to C is diagonal. */
FG_SIMD_CLONES
static void Elements(FgBatch batch, const FgLanes C[6], FgLanes misfit, First g, Second M)
{
  FgLanes sum;

  FG_EACH_LANE sum[l] = 0.0;
  memset(g, 0, sizeof(First));
  memset(M, 0, sizeof(Second));
  for (int k = 0; k < 6; k++) {
    const double factor = k < 3 ? 1.0 : M_SQRT2;

    FG_EACH_LANE
    {
      const double weight = batch->weight[k][l], residual = factor * C[k][l] - batch->value[k][l];

      sum[l] += weight * residual * residual;
      g[1 + k][l]                  = weight * factor * residual;
      M[FG_BLOCK(1 + k, 1 + k)][l] = weight * factor * factor;
    }
  }
  FG_EACH_LANE misfit[l] = 0.5 * sum[l];
}

/* From moments to components: gradient and block, derivative of the data factor * dC of the first `n` components, then, where there
   is one, S0. */
FG_SIMD_CLONES
static void Chain(PetscInt n, PetscBool exponential, const FgLanes factor, const FgLanes dC[][6], const First g, const Second M,
                  FgLanes *restrict gradient, FgLanes *restrict hessian)
{
  FgLanes row[6];

  for (PetscInt a = 0; a < n; a++) {
    const FgLanes *restrict d = dC[a];

    FG_EACH_LANE
    {
      double x[6], sum = 0.0;

      for (int i = 0; i < 6; i++) {
        x[i] = d[i][l] * factor[l];
        sum += x[i] * g[1 + i][l];
      }
      gradient[a][l] = sum;
      for (int i = 0; i < 6; i++) {
        double product = 0.0;

        for (int j = 0; j < 6; j++) product += x[j] * M[i >= j ? FG_BLOCK(1 + i, 1 + j) : FG_BLOCK(1 + j, 1 + i)][l];
        row[i][l] = product * factor[l];
      }
    }
    for (PetscInt b = 0; b <= a; b++) {
      const FgLanes *restrict e = dC[b];
      double *restrict h        = hessian[FG_BLOCK(a, b)];

      FG_EACH_LANE
      {
        double sum = 0.0;

        for (int i = 0; i < 6; i++) sum += e[i][l] * row[i][l];
        h[l] = sum;
      }
    }
    if (exponential) {
      double *restrict h = hessian[FG_BLOCK(n, a)];

      FG_EACH_LANE
      {
        double sum = 0.0;

        for (int i = 0; i < 6; i++) sum += d[i][l] * M[FG_BLOCK(1 + i, 0)][l];
        h[l] = sum * factor[l];
      }
    }
  }
  if (!exponential) return;
  FG_EACH_LANE gradient[n][l]             = g[0][l];
  FG_EACH_LANE hessian[FG_BLOCK(n, n)][l] = M[0][l];
}

void FgBatchEvaluate(FgBatch batch, FgBatchPoint *point, PetscBool derivatives)
{
  const FgModel        model       = batch->model;
  const PetscBool      exponential = model->ops->exponential;
  const PetscInt       n           = model->ncomponents - (exponential ? 1 : 0);
  _Alignas(64) FgLanes C[6], dC[FG_MAX_COMPONENTS][6], factor;
  _Alignas(64) First   g;
  _Alignas(64) Second  M;

  model->ops->lanes_tensor(model, point->m, point->frame, C, dC, derivatives);
  if (exponential) Signal(batch, point->m[n], C, derivatives, point->misfit, g, M);
  else Elements(batch, C, point->misfit, g, M);
  if (!derivatives) return;
  FG_EACH_LANE factor[l] = exponential ? -point->m[n][l] : 1.0;
  Chain(n, exponential, factor, dC, g, M, point->gradient, point->hessian);
}

/* Cholesky solution of the 7 x 7 moments for (ln S0, -C) in place; usable is cleared where they are singular. */
FG_SIMD_CLONES
static void SolveMoments(Second A, FgLanes *x, FgLanes usable)
{
  for (int i = 0; i < ROWS; i++) {
    for (int j = 0; j <= i; j++) {
      double *restrict a = A[FG_BLOCK(i, j)];
      FgLanes sum;

      FG_EACH_LANE sum[l] = a[l];
      for (int k = 0; k < j; k++) {
        FG_EACH_LANE sum[l] -= A[FG_BLOCK(i, k)][l] * A[FG_BLOCK(j, k)][l];
      }
      if (i == j) {
        FG_EACH_LANE
        {
          const int good = sum[l] > 1e-10 * a[l];

          usable[l] = good ? usable[l] : 0.0;
          a[l]      = sqrt(good ? sum[l] : 1.0);
        }
      } else {
        FG_EACH_LANE a[l] = sum[l] / A[FG_BLOCK(j, j)][l];
      }
    }
  }
  for (int i = 0; i < ROWS; i++) {
    for (int k = 0; k < i; k++) {
      FG_EACH_LANE x[i][l] -= A[FG_BLOCK(i, k)][l] * x[k][l];
    }
    FG_EACH_LANE x[i][l] /= A[FG_BLOCK(i, i)][l];
  }
  for (int i = ROWS - 1; i >= 0; i--) {
    for (int k = i + 1; k < ROWS; k++) {
      FG_EACH_LANE x[i][l] -= A[FG_BLOCK(k, i)][l] * x[k][l];
    }
    FG_EACH_LANE x[i][l] /= A[FG_BLOCK(i, i)][l];
  }
}

FG_SIMD_CLONES
static void LogLinear(FgBatch batch, FgLanes C[6], FgLanes S0, FgLanes usable)
{
  const PetscInt      n = batch->ndata, nchunks = (n + CHUNK - 1) / CHUNK;
  _Alignas(64) First  g;
  _Alignas(64) Second M;

  memset(g, 0, sizeof g);
  memset(M, 0, sizeof M);
  for (PetscInt chunk = 0; chunk < nchunks; chunk++) {
    const PetscInt start = n * chunk / nchunks, count = n * (chunk + 1) / nchunks - start;
    double *restrict e = batch->e[0];

    for (PetscInt k = 0; k < count; k++) {
      const double *restrict value = batch->value[start + k], *restrict weight = batch->weight[start + k];

      FG_EACH_LANE
      {
        const int use = weight[l] > 0.0 && value[l] > 0.0 && value[l] < INFINITY;

        batch->second[k][l] = use ? value[l] * value[l] : 0.0;
        batch->e[k][l]      = use ? value[l] : 1.0;
      }
    }
#pragma omp simd
    for (PetscInt i = 0; i < count * FG_LANES; i++) e[i] = log(e[i]);
    for (PetscInt k = 0; k < count; k++) {
      FG_EACH_LANE batch->first[k][l] = batch->second[k][l] * batch->e[k][l];
    }
    AddMoments(batch, start, count, g, M);
  }
  SolveMoments(M, g, usable);
  FG_EACH_LANE S0[l] = exp(g[0][l]);
  for (int i = 0; i < 6; i++) {
    FG_EACH_LANE C[i][l] = -g[1 + i][l];
  }
}

void FgBatchStart(FgBatch batch, FgBatchPoint *point, FgLanes usable)
{
  const FgModel  model = batch->model;
  const PetscInt nc    = model->ncomponents;
  FgLanes        C[6], S0;

  for (PetscInt c = 0; c < nc; c++) {
    FG_EACH_LANE point->m[c][l] = 0.0;
  }
  FG_EACH_LANE usable[l] = 1.0;
  if (model->ops->exponential) {
    LogLinear(batch, C, S0, usable);
  } else {
    for (int i = 0; i < 6; i++) {
      FG_EACH_LANE C[i][l]   = (i < 3 ? 1.0 : M_SQRT1_2) * batch->value[i][l];
      FG_EACH_LANE usable[l] = batch->weight[i][l] > 0.0 ? usable[l] : 0.0;
    }
    FG_EACH_LANE S0[l] = 1.0;
  }
  for (int l = 0; l < FG_LANES; l++) {
    double sum = S0[l];

    for (int i = 0; i < 6; i++) sum += C[i][l];
    if (!isfinite(sum)) usable[l] = 0.0;
    if (usable[l] > 0.0) continue;
    for (int i = 0; i < 6; i++) C[i][l] = i < 3 ? 1e-3 : 0.0; /* anything finite */
    S0[l] = 1.0;
  }
  model->ops->lanes_start(model, C, point->m, point->frame);
  if (model->ops->exponential) {
    FG_EACH_LANE point->m[nc - 1][l] = S0[l];
  }
}
