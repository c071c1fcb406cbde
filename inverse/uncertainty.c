/* uncertainty.c: how sure the solution is: the covariance of each site's variables.

   Without a regularizer it is the inverse of the Fisher information B = J^T W J of the site. With one, the blocks on the diagonal of the
   inverse of the posterior Hessian A = B + alpha H_R are wanted. Neighbors j of a site i do not touch each other, so that what i and its
   neighbors alone make of A is inverted exactly:
       C_i = (A_ii - sum_j A_ij A_jj^-1 A_ji)^-1,
   the covariance were everything beyond the neighbors known: never above the exact one, and by measurement little below it.

   H_R is that of weights frozen at an expected difference, not at the estimated one. Where the estimate is flat, psi = |difference| gives a
   curvature that only its smoothing epsilon limits, and the intervals would shrink with it. A difference is not known to epsilon, though:
   with T -> T + share * variance(T), found in a few rounds with the variances that follow from the weights, the curvature is that of
   psi over the range where the difference may be. share = 1 is the rule of variational Bayes for a posterior; the variance of the estimate
   itself under repeated noise is about a seventh of that where prior and data weigh alike, and that is what is taken. Quadratic psi is
   not changed by any of this. docs/uncertainty.md has measurements.

   Source: G. Wahba, J. R. Stat. Soc. B 45 (1983), on the posterior's intervals and repeated noise; S. D. Babacan, R. Molina, A. K.
   Katsaggelos, IEEE Trans. Image Process. 18 (2009), on expected differences; P. Siden et al., J. Comput. Graph. Stat. 27 (2018), on
   exact inversion near a site. */
#include "uncertainty.h"

#include "finegrain/batch.h"

#include <math.h>

/* Lower triangle of a symmetric block to floats and back. */
static void Pack(PetscInt nc, const double *block, float *packed)
{
  for (PetscInt a = 0, k = 0; a < nc; a++) {
    for (PetscInt b = 0; b <= a; b++, k++) packed[k] = (float)block[a * nc + b];
  }
}

static void Unpack(PetscInt nc, const float *packed, double *block)
{
  for (PetscInt a = 0, k = 0; a < nc; a++) {
    for (PetscInt b = 0; b <= a; b++, k++) block[a * nc + b] = block[b * nc + a] = packed[k];
  }
}

/* Inverse of the leading n x n symmetric positive definite matrix: Cholesky factor L, L^-1 in place, C = L^-T L^-1. */
static PetscBool Invert(PetscInt n, double *A, double *C)
{
  for (PetscInt j = 0; j < n; j++) {
    double pivot = A[j * n + j];

    for (PetscInt k = 0; k < j; k++) pivot -= A[j * n + k] * A[j * n + k];
    if (!(pivot > 0.0)) return PETSC_FALSE;
    pivot = 1.0 / sqrt(pivot);
    for (PetscInt i = j + 1; i < n; i++) {
      double sum = A[i * n + j];

      for (PetscInt k = 0; k < j; k++) sum -= A[i * n + k] * A[j * n + k];
      A[i * n + j] = sum * pivot;
    }
    A[j * n + j] = pivot; /* 1/L_jj */
  }
  for (PetscInt j = 0; j < n; j++) {
    for (PetscInt i = j + 1; i < n; i++) {
      double sum = 0.0;

      for (PetscInt k = j; k < i; k++) sum -= A[i * n + k] * A[k * n + j];
      A[i * n + j] = sum * A[i * n + i];
    }
  }
  for (PetscInt a = 0; a < n; a++) {
    for (PetscInt b = 0; b <= a; b++) {
      double sum = 0.0;

      for (PetscInt k = a; k < n; k++) sum += A[k * n + a] * A[k * n + b];
      C[a * n + b] = C[b * n + a] = sum;
    }
  }
  return PETSC_TRUE;
}

/* Covariance of the variables that are not held; rows of the others, and of those that nothing tells about, are 0. */
static void InvertFree(PetscInt nc, const double *A, const PetscBool *held, double *C)
{
  PetscInt index[FG_MAX_COMPONENTS], n = 0;
  double   scale[FG_MAX_COMPONENTS], part[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS], inverse[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS];

  for (PetscInt k = 0; k < nc * nc; k++) C[k] = 0.0;
  for (PetscInt c = 0; c < nc; c++) {
    if (held[c] || !(A[c * nc + c] > 0.0)) continue;
    scale[n]   = 1.0 / sqrt(A[c * nc + c]);
    index[n++] = c;
  }
  /* Scaled to unit diagonal, so that units do not decide what is singular; the ridge bounds what nearly is. */
  for (PetscInt a = 0; a < n; a++) {
    for (PetscInt b = 0; b <= a; b++) part[a * n + b] = A[index[a] * nc + index[b]] * scale[a] * scale[b];
    part[a * n + a] += 1e-10;
  }
  if (!Invert(n, part, inverse)) return;
  for (PetscInt a = 0; a < n; a++) {
    for (PetscInt b = 0; b < n; b++) C[index[a] * nc + index[b]] = inverse[a * n + b] * scale[a] * scale[b];
  }
}

/* The covariance of a site from its precision: of the free variables together, and of each held one as if it were free. */
static void Conclude(PetscInt nc, const double *A, const PetscBool *held, double *C)
{
  InvertFree(nc, A, held, C);
  for (PetscInt c = 0; c < nc; c++) {
    double precision = A[c * nc + c];

    if (held[c]) {
      for (PetscInt a = 0; a < nc; a++) {
        for (PetscInt b = 0; b < nc; b++) {
          if (!held[a] && !held[b]) precision -= A[c * nc + a] * C[a * nc + b] * A[c * nc + b];
        }
      }
      C[c * nc + c] = 1.0 / precision;
    }
    if (!(C[c * nc + c] > 0.0)) C[c * nc + c] = INFINITY;
  }
}

static void FindHeld(FgField field, const PetscScalar *m, PetscBool *held)
{
  for (PetscInt c = 0; c < field->ncomponents; c++) {
    const FgComponent *component = &field->components[c];

    held[c] = m[c] <= component->lower || m[c] >= component->upper ? PETSC_TRUE : PETSC_FALSE;
  }
}

/* B of every site into blocks[nlocal][size]; of its variables by themselves, 1/(B^-1)_cc into `precision`. */
static PetscErrorCode EvaluateData(FgProblem problem, float *blocks, Vec precision)
{
  const FgField      field = problem->field;
  const PetscInt     nc = field->ncomponents, size = nc * (nc + 1) / 2, n = field->domain->nlocal;
  const PetscScalar *m;
  PetscScalar       *alone;
  FgBatchPoint       point;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(field->m, &m));
  PetscCall(VecGetArray(precision, &alone));
  for (PetscInt first = 0; first < n; first += FG_LANES) {
    const int count = (int)PetscMin(FG_LANES, n - first);

    FgModelSites(problem->model, &problem->data, first, count, &m[first * nc], PETSC_TRUE, &point, NULL);
    for (int l = 0; l < count; l++) {
      const PetscInt i = first + l;
      double         B[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS], C[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS];
      PetscBool      held[FG_MAX_COMPONENTS];

      for (PetscInt k = 0; k < size; k++) blocks[i * (size_t)size + k] = (float)point.hessian[k][l];
      Unpack(nc, &blocks[i * (size_t)size], B);
      FindHeld(field, &m[i * nc], held);
      InvertFree(nc, B, held, C);
      for (PetscInt c = 0; c < nc; c++) {
        /* Held: known for certain. Not told by the data: left to its neighbors. */
        alone[i * nc + c] = held[c] ? 1e30 : C[c * nc + c] > 0.0 ? 1.0 / C[c * nc + c] : 0.0;
      }
    }
  }
  PetscCall(VecRestoreArray(precision, &alone));
  PetscCall(VecRestoreArrayRead(field->m, &m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Adds the stiffness of every pair's bond to the precisions of its ends. */
static PetscErrorCode AddBonds(FgProblem problem, Vec precision)
{
  const FgRegularizer r  = problem->regularizer;
  const FgDomain      d  = problem->field->domain;
  const PetscInt      nc = problem->field->ncomponents;
  PetscScalar        *sum;

  PetscFunctionBegin;
  PetscCall(VecGetArray(precision, &sum));
  for (PetscInt t = 0; t < r->nterms; t++) {
    PetscInt       components[2];
    const PetscInt n = FgRegularizerTermComponents(&r->terms[t], components);

    for (PetscInt p = 0; p < d->group_start[d->ngroups]; p++) {
      const double bond = problem->alpha * r->lagged[(size_t)d->pair_group[p] * nc + FgRegularizerColumn(&r->terms[t])] *
                          d->pair_coupling[p];

      for (PetscInt k = 0; k < n; k++) {
        if (d->pair_i[p] < d->nlocal) sum[d->pair_i[p] * nc + components[k]] += bond;
        if (d->pair_j[p] < d->nlocal) sum[d->pair_j[p] * nc + components[k]] += bond;
      }
    }
  }
  PetscCall(VecRestoreArray(precision, &sum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Freezes the weights at expected differences, for which each variable counts by itself, with the precision that the data alone give it
   in `precision`. Starts without bonds; a round about halves the distance to the limit on a logarithmic scale. */
static PetscErrorCode ExpectDifferences(FgProblem problem, Vec precision)
{
  enum { ROUNDS = 3 };
  const double        share = 0.15;
  const FgRegularizer r     = problem->regularizer;

  PetscFunctionBegin;
  if (r->ops->weight(0.0, 1.0) == r->ops->weight(1.0, 1.0)) PetscFunctionReturn(PETSC_SUCCESS); /* quadratic */
  for (int round = 0; round < ROUNDS; round++) {
    PetscCall(VecCopy(precision, problem->x));
    if (round) PetscCall(AddBonds(problem, problem->x));
    PetscCall(FgRegularizerSpread(r, problem->field->m, problem->x, round ? problem->alpha : 0.0, share));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sends blocks[nlocal][size] to the ranks that hold their sites as ghosts, through a Vec laid out as the field. */
static PetscErrorCode SendBlocks(FgProblem problem, float *blocks)
{
  const FgDomain d  = problem->field->domain;
  const PetscInt nc = problem->field->ncomponents, size = nc * (nc + 1) / 2;
  PetscScalar   *values;
  Vec            local;

  PetscFunctionBegin;
  for (PetscInt first = 0; first < size; first += nc) {
    const PetscInt n = PetscMin(nc, size - first);

    PetscCall(VecGetArray(problem->x, &values));
    for (PetscInt i = 0; i < d->nlocal; i++) {
      for (PetscInt k = 0; k < n; k++) values[i * nc + k] = blocks[i * (size_t)size + first + k];
    }
    PetscCall(VecRestoreArray(problem->x, &values));
    PetscCall(VecGhostUpdateBegin(problem->x, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(VecGhostUpdateEnd(problem->x, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(VecGhostGetLocalForm(problem->x, &local));
    PetscCall(VecGetArray(local, &values));
    for (PetscInt i = d->nlocal; i < d->nlocal + d->nghost; i++) {
      for (PetscInt k = 0; k < n; k++) blocks[i * (size_t)size + first + k] = (float)values[i * nc + k];
    }
    PetscCall(VecRestoreArray(local, &values));
    PetscCall(VecGhostRestoreLocalForm(problem->x, &local));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* S -= X P X^T */
static void SubtractProduct(PetscInt nc, const double *X, const double *P, double *S)
{
  for (PetscInt a = 0; a < nc; a++) {
    double row[FG_MAX_COMPONENTS] = {0.0};

    for (PetscInt k = 0; k < nc; k++) {
      if (X[a * nc + k] == 0.0) continue; /* most are */
      for (PetscInt b = 0; b < nc; b++) row[b] += X[a * nc + k] * P[k * nc + b];
    }
    for (PetscInt b = 0; b <= a; b++) {
      double sum = 0.0;

      for (PetscInt k = 0; k < nc; k++) sum += row[k] * X[b * nc + k];
      S[a * nc + b] -= sum;
      if (a != b) S[b * nc + a] -= sum;
    }
  }
}

/* From B in blocks[nlocal][size] to the inverse of the head's C_i in its place. */
static PetscErrorCode EliminateNeighbors(FgProblem problem, float *blocks)
{
  const FgField  field = problem->field;
  const FgDomain d     = field->domain;
  const PetscInt nc = field->ncomponents, size = nc * (nc + 1) / 2;
  PetscScalar   *m;
  Vec            local;
  float         *inverses; /* A_jj^-1 of owned sites and ghosts */
  double         A[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS], C[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS];
  PetscBool      held[FG_MAX_COMPONENTS];

  PetscFunctionBegin;
  PetscCall(PetscMalloc1((d->nlocal + d->nghost) * (size_t)size, &inverses));
  PetscCall(VecGhostGetLocalForm(field->m, &local));
  PetscCall(VecGetArray(local, &m));
  for (PetscInt i = 0; i < d->nlocal; i++) {
    FgRegularizerSite at;
    double            energy = 0.0, gradient[FG_MAX_COMPONENTS] = {0.0};

    Unpack(nc, &blocks[i * (size_t)size], A);
    FgRegularizerGather(problem->regularizer, i, m, problem->alpha, &at);
    FgRegularizerSiteEvaluate(problem->regularizer, &at, &m[i * nc], field->frames ? &field->frames[9 * i] : NULL, &energy,
                              gradient, A);
    Pack(nc, A, &blocks[i * (size_t)size]);
    FindHeld(field, &m[i * nc], held);
    InvertFree(nc, A, held, C);
    Pack(nc, C, &inverses[i * (size_t)size]);
  }
  PetscCall(SendBlocks(problem, inverses));
  for (PetscInt i = 0; i < d->nlocal; i++) {
    Unpack(nc, &blocks[i * (size_t)size], A);
    for (PetscInt k = d->site_start[i]; k < d->site_start[i + 1]; k++) {
      const FgDomainLink *link                                     = &d->site_link[k];
      double              X[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS] = {0.0};

      FgRegularizerCross(problem->regularizer, i, link, m, problem->alpha, X);
      Unpack(nc, &inverses[link->site * (size_t)size], C);
      SubtractProduct(nc, X, C, A);
    }
    Pack(nc, A, &blocks[i * (size_t)size]);
  }
  PetscCall(VecRestoreArray(local, &m));
  PetscCall(VecGhostRestoreLocalForm(field->m, &local));
  PetscCall(PetscFree(inverses));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgUncertaintyFreeze(FgProblem problem, float *blocks)
{
  PetscFunctionBegin;
  PetscCall(FgFieldRecenter(problem->field));
  PetscCall(EvaluateData(problem, blocks, problem->g));
  if (!problem->regularizer) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
  PetscCall(ExpectDifferences(problem, problem->g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemCovariance(FgProblem problem, float *covariance)
{
  const FgField      field = problem->field;
  const PetscInt     nc = field->ncomponents, size = nc * (nc + 1) / 2;
  const PetscScalar *m;

  PetscFunctionBegin;
  PetscCall(FgUncertaintyFreeze(problem, covariance));
  if (problem->regularizer) PetscCall(EliminateNeighbors(problem, covariance));
  PetscCall(VecGetArrayRead(field->m, &m));
  for (PetscInt i = 0; i < field->domain->nlocal; i++) {
    double    A[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS], C[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS];
    PetscBool held[FG_MAX_COMPONENTS];

    Unpack(nc, &covariance[i * (size_t)size], A);
    FindHeld(field, &m[i * nc], held);
    Conclude(nc, A, held, C);
    Pack(nc, C, &covariance[i * (size_t)size]);
  }
  PetscCall(VecRestoreArrayRead(field->m, &m));
  if (problem->regularizer)
    PetscCall(FgRegularizerFreeze(problem->regularizer, field->m, NULL)); /* as everybody else expects it */
  PetscFunctionReturn(PETSC_SUCCESS);
}
