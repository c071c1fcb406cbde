/* deviation_global.c: standard deviations of a regularised fit to data that belong to no site, by drawing from the posterior that is
   linear in the data and in the regularizer's differences.

   With A = B + P, B = V V^T and P = alpha H_R = G^T G, G a row sqrt(w_p) (e_i - e_j) for each pair of sites, and z of random signs,

     x = A^-1 (G^T z_1 + V z_2)   has the covariance   A^-1 (G^T G + V V^T) A^-1 = A^-1,

   so that mean squares of n draws are the variances with a relative error of sqrt(2/n); each draw costs one solve with the factor that
   is there (low_rank.h). H_R has its weights frozen at expected differences, as for voxels (uncertainty.c says why); bounds are left out
   of account.
   Source: G. Papandreou, A. Yuille, Gaussian sampling by local perturbations, NIPS 23 (2010). */
#include "global.h"
#include "signs.h"
#include "uncertainty.h"

#include <math.h>
#include <petscblaslapack.h>

/* b += G^T z over the owned sites: every rank draws the same sign for a pair. */
static PetscErrorCode AddDifferences(FgProblem problem, uint64_t seed, PetscScalar *b)
{
  const FgRegularizer r  = problem->regularizer;
  const FgDomain      d  = problem->field->domain;
  const PetscInt      nc = problem->field->ncomponents;

  PetscFunctionBegin;
  for (PetscInt t = 0; t < r->nterms; t++) {
    const PetscInt c = r->terms[t].component, column = FgRegularizerColumn(&r->terms[t]);

    for (PetscInt p = 0; p < d->group_start[d->ngroups]; p++) {
      const PetscInt i = d->pair_i[p], j = d->pair_j[p];
      const double   root = sqrt(problem->alpha * r->lagged[(size_t)d->pair_group[p] * nc + column] * d->pair_coupling[p]);
      const double   z    = FgSign(seed, (uint64_t)FgDomainGlobal(d, i) * (uint64_t)d->nglobal + (uint64_t)FgDomainGlobal(d, j),
                                   (uint64_t)t) *
                       root;

      if (i < d->nlocal) b[(size_t)i * nc + c] += problem->scale[c] * z;
      if (j < d->nlocal) b[(size_t)j * nc + c] -= problem->scale[c] * z;
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* b = G^T z_1 + V z_2, with the whole V: what is kept of it has columns whose signs and order are chance. */
static PetscErrorCode Draw(FgGlobal g, uint64_t seed, Vec b)
{
  const FgLowRank    r    = g->low_rank;
  const PetscBLASInt rank = (PetscBLASInt)r->rank, n = (PetscBLASInt)r->n, one = 1;
  const PetscScalar  plus = 1.0;
  double            *t    = r->small[1]; /* root z */
  PetscScalar       *value;

  PetscFunctionBegin;
  PetscCall(VecSet(b, 0.0));
  PetscCall(VecGetArray(b, &value));
  PetscCall(AddDifferences(g->problem, seed, value));
  PetscCall(PetscArrayzero(t, r->rank));
  for (PetscInt k = 0; k < r->rank; k++) {
    const double z = FgSign(seed, (uint64_t)k, UINT64_MAX);

    for (PetscInt j = k; j < r->rank; j++) t[j] += z * r->root[(size_t)k * r->rank + j];
  }
  if (n) PetscCallBLAS("BLASgemv", BLASgemv_("T", &rank, &n, &plus, r->rows, &rank, t, &one, &plus, value, &one));
  PetscCall(VecRestoreArray(b, &value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* precision = diagonal of B [1/component unit^2], what the data say of each variable were all others known. */
static PetscErrorCode OwnPrecision(FgGlobal g, Vec precision)
{
  const FgLowRank r  = g->low_rank;
  const PetscInt  nc = g->problem->field->ncomponents;
  PetscScalar    *value;

  PetscFunctionBegin;
  PetscCall(VecGetArray(precision, &value));
  for (PetscInt i = 0; i < r->n; i++) {
    const double scale = g->problem->scale[i % nc];
    double       sum   = 0.0;

    for (PetscInt k = 0; k < r->kept; k++) sum += r->V[(size_t)k * r->n + i] * r->V[(size_t)k * r->n + i];
    value[i] = sum / (scale * scale);
  }
  PetscCall(VecRestoreArray(precision, &value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Sample(FgGlobal g, unsigned long seed, PetscInt ndraws, Vec b, Vec x, float *deviation)
{
  const FgField      field = g->problem->field;
  const PetscInt     nc    = field->ncomponents;
  const PetscScalar *value;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < g->low_rank->n; i++) deviation[i] = 0.0f;
  for (PetscInt draw = 0; draw < ndraws; draw++) {
    PetscCall(Draw(g, (uint64_t)seed + 0x9e3779b97f4a7c15u * (uint64_t)(draw + 1), b));
    PetscCall(FgGlobalSolve(g, 0.0, 0.0, b, x));
    PetscCall(VecGetArrayRead(x, &value));
    for (PetscInt i = 0; i < g->low_rank->n; i++) deviation[i] += (float)(value[i] * value[i] / ndraws);
    PetscCall(VecRestoreArrayRead(x, &value));
  }
  for (PetscInt i = 0; i < g->low_rank->n; i++) {
    const FgComponent *c = &field->components[i % nc];

    deviation[i] = (float)PetscMin(sqrt(deviation[i]) * g->problem->scale[i % nc], c->upper - c->lower);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemDeviations(FgProblem problem, unsigned long seed, PetscInt ndraws, float *deviation, PetscBool *found)
{
  FgGlobal g;
  Vec      b, x;

  PetscFunctionBegin;
  PetscCall(FgGlobalCreate(problem, &g));
  *found = g->low_rank && !problem->field->ntangent ? PETSC_TRUE : PETSC_FALSE;
  if (*found) {
    PetscCall(VecDuplicate(g->free, &b));
    PetscCall(VecDuplicate(b, &x));
    PetscCall(FgGlobalLinearize(g));
    PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
    PetscCall(FgGlobalFactor(g));
    PetscCall(OwnPrecision(g, problem->g));
    PetscCall(FgExpectDifferences(problem, problem->g));
    PetscCall(FgGlobalFactor(g));
    PetscCall(Sample(g, seed, ndraws, b, x, deviation));
    PetscCall(VecDestroy(&b));
    PetscCall(VecDestroy(&x));
  }
  PetscCall(FgGlobalDestroy(&g));
  PetscFunctionReturn(PETSC_SUCCESS);
}
