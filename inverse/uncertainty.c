/* uncertainty.c: how sure the solution is: the covariance of each site's variables.

   Without a regularizer it is the inverse of the Fisher information B = J^T W J of the site. With one, the blocks on the diagonal of the
   inverse of the posterior Hessian A = B + alpha H_R are wanted. Neighbors j of a site i do not touch each other, so that what i and its
   neighbors alone make of A is inverted exactly:
       C_i = (A_ii - sum_j A_ij A_jj^-1 A_ji)^-1,
   the covariance were everything beyond the neighbors known: never above the exact one for these A_ii, and by measurement
   little below it.

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

#include "lane_step.h"

#include <math.h>

/* Packed blocks of consecutive sites to lanes and back; idle lanes repeat the first site. */
static void Load(PetscInt size, int count, const float *packed, FgLanes block[])
{
  for (int l = 0; l < FG_LANES; l++) {
    for (PetscInt k = 0; k < size; k++) block[k][l] = packed[(l < count ? l : 0) * size + k];
  }
}

static void Store(PetscInt size, int count, const FgLanes block[], float *packed)
{
  for (int l = 0; l < count; l++) {
    for (PetscInt k = 0; k < size; k++) packed[l * size + k] = (float)block[k][l];
  }
}

/* Which variables of consecutive sites rest on a bound: 1, else 0. */
static void FindHeld(FgField field, int count, const PetscScalar *m, FgLanes held[])
{
  const PetscInt nc = field->ncomponents;

  for (PetscInt c = 0; c < nc; c++) {
    const FgComponent *component = &field->components[c];

    for (int l = 0; l < FG_LANES; l++) {
      const double value = m[(l < count ? l : 0) * nc + c];

      held[c][l] = FgComponentHeld(component, value) ? 1.0 : 0.0;
    }
  }
}

/* What a held variable's precision would be were it free: A_cc - A_cf C_ff A_fc, f the free ones, whose covariance is C. */
static double OwnPrecision(PetscInt nc, const FgLanes A[], const FgLanes C[], PetscInt c, int l)
{
  double precision = A[FG_BLOCK(c, c)][l];

  for (PetscInt a = 0; a < nc; a++) {
    for (PetscInt b = 0; b < nc; b++) {
      if (a == c || b == c) continue; /* rows of other held ones are 0 */
      precision -= A[a > c ? FG_BLOCK(a, c) : FG_BLOCK(c, a)][l] * C[a > b ? FG_BLOCK(a, b) : FG_BLOCK(b, a)][l] *
                   A[b > c ? FG_BLOCK(b, c) : FG_BLOCK(c, b)][l];
    }
  }
  return precision;
}

/* The covariance of sites from their precision: of the free variables together, and of each held one as if it were free. */
static void Conclude(PetscInt nc, const FgLanes A[], const FgLanes held[], FgLanes C[])
{
  FgLanes own[FG_MAX_COMPONENTS];

  FgLaneInverse(nc, A, held, C);
  for (PetscInt c = 0; c < nc; c++) {
    for (int l = 0; l < FG_LANES; l++) {
      own[c][l] = held[c][l] > 0.0 ? 1.0 / OwnPrecision(nc, A, C, c, l) : C[FG_BLOCK(c, c)][l];
    }
  }
  for (PetscInt c = 0; c < nc; c++) {
    FG_EACH_LANE C[FG_BLOCK(c, c)][l] = own[c][l] > 0.0 ? own[c][l] : INFINITY;
  }
}

/* B of every site into blocks[nlocal][size]; of its variables by themselves, 1/(B^-1)_cc into `precision`. */
static PetscErrorCode EvaluateData(FgProblem problem, float *blocks, Vec precision)
{
  const FgField      field = problem->field;
  const PetscInt     nc = field->ncomponents, size = FG_BLOCK(nc, 0), n = field->domain->nlocal;
  const PetscScalar *m;
  PetscScalar       *alone;
  FgBatchPoint       point;
  FgLanes            held[FG_MAX_COMPONENTS], C[FG_MAX_BLOCK];

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(field->m, &m));
  PetscCall(VecGetArray(precision, &alone));
  for (PetscInt first = 0; first < n; first += FG_LANES) {
    const int count = (int)PetscMin(FG_LANES, n - first);

    FgModelSites(problem->model, &problem->data, first, count, &m[first * nc], PETSC_TRUE, &point, NULL);
    Store(size, count, point.hessian, &blocks[first * (size_t)size]);
    if (!problem->regularizer) continue;
    FindHeld(field, count, &m[first * nc], held);
    FgLaneInverse(nc, point.hessian, held, C);
    for (PetscInt c = 0; c < nc; c++) {
      for (int l = 0; l < count; l++) {
        const double variance = C[FG_BLOCK(c, c)][l];

        /* Held: known for certain. Not told by the data: left to its neighbors. */
        alone[(first + l) * nc + c] = held[c][l] > 0.0 ? 1e30 : variance > 0.0 ? 1.0 / variance : 0.0;
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

/* Starts without bonds; a round about halves the distance to the limit on a logarithmic scale. */
PetscErrorCode FgExpectDifferences(FgProblem problem, Vec precision)
{
  enum { ROUNDS = 3 };
  const FgRegularizer r     = problem->regularizer;
  PetscReal           share = 0.15;

  PetscFunctionBegin;
  if (r->ops->weight(0.0, 1.0) == r->ops->weight(1.0, 1.0)) PetscFunctionReturn(PETSC_SUCCESS); /* quadratic */
  PetscCall(PetscOptionsGetReal(NULL, "uncertainty_", "-share", &share, NULL));                 /* for measurements */
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
  const PetscInt nc = problem->field->ncomponents, size = FG_BLOCK(nc, 0);
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

/* S -= X P X^T in every lane, S and P packed, X as FgRegularizerBondsEvaluate gives it. */
FG_SIMD_CLONES
static void SubtractProduct(FgField field, const FgLanes diagonal[], const FgLanes turn[], const FgLanes P[], FgLanes S[])
{
  const PetscInt nc = field->ncomponents, t = field->tangent, nt = field->ntangent;

  for (PetscInt a = 0; a < nc; a++) {
    const PetscInt turns = nt && a >= t && a < t + nt;
    FgLanes        row[FG_MAX_COMPONENTS]; /* a of X P */

    for (PetscInt b = 0; b < nc; b++) {
      if (turns) {
        FG_EACH_LANE row[b][l] = 0.0;
        for (PetscInt k = 0; k < nt; k++) {
          const double *restrict p = P[t + k >= b ? FG_BLOCK(t + k, b) : FG_BLOCK(b, t + k)];

          FG_EACH_LANE row[b][l] += turn[3 * (a - t) + k][l] * p[l];
        }
      } else {
        const double *restrict p = P[a >= b ? FG_BLOCK(a, b) : FG_BLOCK(b, a)];

        FG_EACH_LANE row[b][l] = diagonal[a][l] * p[l];
      }
    }
    for (PetscInt b = 0; b <= a; b++) {
      double *restrict out = S[FG_BLOCK(a, b)];

      if (nt && b >= t && b < t + nt) {
        for (PetscInt k = 0; k < nt; k++) {
          FG_EACH_LANE out[l] -= row[t + k][l] * turn[3 * (b - t) + k][l];
        }
      } else {
        FG_EACH_LANE out[l] -= row[b][l] * diagonal[b][l];
      }
    }
  }
}

/* From B to A_ii in blocks[nlocal][size], and its inverse in inverses[nlocal][size]. */
static PetscErrorCode AddRegularizer(FgProblem problem, float *blocks, float *inverses)
{
  const FgField      field = problem->field;
  const PetscInt     nc = field->ncomponents, size = FG_BLOCK(nc, 0), n = field->domain->nlocal;
  FgRegularizerLanes neighbors;
  FgBatchPoint       point = {.misfit = {0.0}};
  FgLanes            held[FG_MAX_COMPONENTS], C[FG_MAX_BLOCK];
  PetscScalar       *m;
  Vec                local;

  PetscFunctionBegin;
  PetscCall(VecGhostGetLocalForm(field->m, &local));
  PetscCall(VecGetArray(local, &m));
  for (PetscInt first = 0; first < n; first += FG_LANES) {
    const int count = (int)PetscMin(FG_LANES, n - first);

    for (int l = 0; l < FG_LANES; l++) {
      const PetscInt i = first + (l < count ? l : 0);

      for (PetscInt c = 0; c < nc; c++) point.m[c][l] = m[i * nc + c];
      for (PetscInt k = 0; k < 9 && field->frames; k++) point.frame[k][l] = field->frames[9 * (size_t)i + k];
      FgRegularizerGatherLane(problem->regularizer, i, m, problem->alpha, l, &neighbors);
    }
    Load(size, count, &blocks[first * (size_t)size], point.hessian);
    FgRegularizerLanesEvaluate(problem->regularizer, &neighbors, &point, PETSC_TRUE);
    Store(size, count, point.hessian, &blocks[first * (size_t)size]);
    FindHeld(field, count, &m[first * nc], held);
    FgLaneInverse(nc, point.hessian, held, C);
    Store(size, count, C, &inverses[first * (size_t)size]);
  }
  PetscCall(VecRestoreArray(local, &m));
  PetscCall(VecGhostRestoreLocalForm(field->m, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* From A_ii of consecutive sites in A to the inverse of the head's C_i; inverses[nlocal + nghost][size]. */
static void EliminateNeighbors(FgProblem problem, const float *inverses, PetscInt first, int count, FgLanes A[])
{
  const FgField      field = problem->field;
  const FgDomain     d     = field->domain;
  const PetscInt     size  = FG_BLOCK(field->ncomponents, 0);
  FgRegularizerBonds bonds;
  FgLanes            frame[9], P[FG_MAX_BLOCK], diagonal[FG_MAX_COMPONENTS] = {{0.0}}, turn[9];

  for (int l = 0; l < FG_LANES; l++) {
    for (PetscInt k = 0; k < 9 && field->frames; k++) frame[k][l] = field->frames[9 * (size_t)(first + (l < count ? l : 0)) + k];
  }
  for (PetscInt neighbor = 0;; neighbor++) {
    PetscBool any = PETSC_FALSE;

    for (int l = 0; l < FG_LANES; l++) {
      const PetscInt      i = first + (l < count ? l : 0), k = d->site_start[i] + neighbor;
      const FgDomainLink *link = k < d->site_start[i + 1] ? &d->site_link[k] : NULL;
      const float        *from = &inverses[(link ? link->site : i) * (size_t)size];

      if (link) any = PETSC_TRUE;
      FgRegularizerGatherBond(problem->regularizer, link, problem->alpha, l, &bonds);
      for (PetscInt e = 0; e < size; e++) P[e][l] = from[e];
    }
    if (!any) return;
    FgRegularizerBondsEvaluate(problem->regularizer, &bonds, frame, diagonal, turn);
    SubtractProduct(field, diagonal, turn, P, A);
  }
}

PetscErrorCode FgUncertaintyFreeze(FgProblem problem, float *blocks)
{
  PetscFunctionBegin;
  PetscCall(FgFieldRecenter(problem->field));
  PetscCall(EvaluateData(problem, blocks, problem->g));
  if (!problem->regularizer) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
  PetscCall(FgExpectDifferences(problem, problem->g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemCovariance(FgProblem problem, float *covariance)
{
  const FgField      field = problem->field;
  const PetscInt     nc = field->ncomponents, size = FG_BLOCK(nc, 0), n = field->domain->nlocal;
  const PetscScalar *m;
  float             *inverses = NULL;
  FgLanes            A[FG_MAX_BLOCK], C[FG_MAX_BLOCK], held[FG_MAX_COMPONENTS];

  PetscFunctionBegin;
  PetscCall(FgUncertaintyFreeze(problem, covariance));
  if (problem->regularizer) {
    PetscCall(PetscMalloc1((n + field->domain->nghost) * (size_t)size, &inverses));
    PetscCall(AddRegularizer(problem, covariance, inverses));
    PetscCall(SendBlocks(problem, inverses));
  }
  PetscCall(VecGetArrayRead(field->m, &m));
  for (PetscInt first = 0; first < n; first += FG_LANES) {
    const int count = (int)PetscMin(FG_LANES, n - first);

    Load(size, count, &covariance[first * (size_t)size], A);
    if (inverses) EliminateNeighbors(problem, inverses, first, count, A);
    FindHeld(field, count, &m[first * nc], held);
    Conclude(nc, A, held, C);
    Store(size, count, C, &covariance[first * (size_t)size]);
  }
  PetscCall(VecRestoreArrayRead(field->m, &m));
  PetscCall(PetscFree(inverses));
  if (problem->regularizer)
    PetscCall(FgRegularizerFreeze(problem->regularizer, field->m, NULL)); /* as everybody else expects it */
  PetscFunctionReturn(PETSC_SUCCESS);
}
