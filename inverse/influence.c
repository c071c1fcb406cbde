/* influence.c: the posterior Hessian as a PETSc shell matrix; see influence.h. */
#include "influence.h"

#include "finegrain/batch.h"

#include <gsl/gsl_rng.h>

PetscErrorCode FgInfluenceApply(FgInfluence influence, PetscBool data_only, Vec v, Vec y)
{
  const FgProblem    problem = influence->problem;
  const FgField      field   = problem->field;
  const PetscInt     nc = field->ncomponents, size = nc * (nc + 1) / 2;
  const PetscScalar *in, *available;
  PetscScalar       *out, *scaled;

  PetscFunctionBegin;
  PetscCall(VecZeroEntries(problem->x));
  PetscCall(VecGetArrayRead(v, &in));
  PetscCall(VecGetArrayRead(influence->free, &available));
  if (problem->regularizer && !data_only) {
    PetscCall(VecGetArray(problem->work, &scaled));
    for (PetscInt i = 0; i < field->domain->nlocal; i++) {
      for (PetscInt c = 0; c < nc; c++) scaled[i * nc + c] = in[i * nc + c] * available[i * nc + c] * problem->scale[c];
    }
    PetscCall(VecRestoreArray(problem->work, &scaled));
    PetscCall((influence->bent ? FgRegularizerCurvature : FgRegularizerHessian)(problem->regularizer, field->m, problem->work,
                                                                                problem->alpha, problem->x));
  }
  PetscCall(VecGetArray(problem->x, &scaled));
  PetscCall(VecGetArray(y, &out));
  for (PetscInt i = 0; i < field->domain->nlocal; i++) {
    const float *block = &influence->blocks[i * (size_t)size];

    for (PetscInt a = 0; a < nc; a++) {
      double sum = scaled[i * nc + a] * problem->scale[a];

      for (PetscInt b = 0; b < nc; b++) {
        sum += block[a >= b ? a * (a + 1) / 2 + b : b * (b + 1) / 2 + a] * in[i * nc + b] * available[i * nc + b];
      }
      out[i * nc + a] = sum * available[i * nc + a];
    }
  }
  PetscCall(VecRestoreArray(y, &out));
  PetscCall(VecRestoreArray(problem->x, &scaled));
  PetscCall(VecRestoreArrayRead(influence->free, &available));
  PetscCall(VecRestoreArrayRead(v, &in));
  problem->hessians++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Mult(Mat A, Vec v, Vec y)
{
  FgInfluence influence;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &influence));
  PetscCall(FgInfluenceApply(influence, PETSC_FALSE, v, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GetDiagonal(Mat A, Vec diagonal)
{
  FgInfluence influence;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &influence));
  PetscCall(VecCopy(influence->diagonal, diagonal));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The free variables, B's blocks and the diagonal of A at the present field. */
static PetscErrorCode Prepare(FgInfluence influence)
{
  const FgProblem problem = influence->problem;
  const FgField   field   = problem->field;
  const PetscInt  nc = field->ncomponents, n = field->domain->nlocal;
  PetscScalar    *m, *available, *diagonal;
  Vec             local;

  PetscFunctionBegin;
  PetscCall(VecGhostGetLocalForm(field->m, &local));
  PetscCall(VecGetArray(local, &m));
  PetscCall(VecGetArray(influence->free, &available));
  PetscCall(VecGetArray(influence->diagonal, &diagonal));
  for (PetscInt first = 0; first < n; first += FG_LANES) {
    const int    count = (int)PetscMin(FG_LANES, n - first);
    FgBatchPoint point;

    FgModelSites(problem->model, &problem->data, first, count, &m[first * nc], PETSC_TRUE, &point, NULL);
    for (int l = 0; l < count; l++) {
      const PetscInt    i      = first + l;
      const double     *frame  = field->frames ? &field->frames[9 * i] : NULL;
      double            misfit = 0.0, gradient[FG_MAX_COMPONENTS] = {0.0}, block[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS] = {0.0};
      FgRegularizerSite at;

      if (problem->regularizer) {
        FgRegularizerGather(problem->regularizer, i, m, problem->alpha, &at);
        FgRegularizerSiteEvaluate(problem->regularizer, &at, &m[i * nc], frame, &misfit, gradient, block);
      }
      for (PetscInt a = 0; a < nc; a++) {
        const FgComponent *component = &field->components[a];
        const double       value     = m[i * nc + a];
        const PetscBool    held      = FgComponentHeld(component, value);
        const double curvature = (point.hessian[FG_BLOCK(a, a)][l] + block[a * nc + a]) * problem->scale[a] * problem->scale[a];

        influence->slope[i * (size_t)nc + a] = (float)(point.gradient[a][l] * problem->scale[a]);
        for (PetscInt b = 0; b <= a; b++) {
          influence->blocks[i * (size_t)FG_BLOCK(nc, 0) + FG_BLOCK(a, b)] = (float)(point.hessian[FG_BLOCK(a, b)][l] *
                                                                                    problem->scale[a] * problem->scale[b]);
        }
        available[i * nc + a] = held ? 0.0 : 1.0;
        diagonal[i * nc + a]  = held || !(curvature > 0.0) ? 1.0 : curvature;
      }
    }
  }
  PetscCall(VecRestoreArray(influence->diagonal, &diagonal));
  PetscCall(VecRestoreArray(influence->free, &available));
  PetscCall(VecRestoreArray(local, &m));
  PetscCall(VecGhostRestoreLocalForm(field->m, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgInfluenceCreate(FgProblem problem, FgInfluence *influence)
{
  const FgDomain d  = problem->field->domain;
  const PetscInt nc = problem->field->ncomponents, n = nc * d->nlocal;
  FgInfluence    f;
  PC             pc;

  PetscFunctionBegin;
  PetscCall(PetscNew(&f));
  f->problem = problem;
  PetscCall(VecCreateMPI(d->comm, n, PETSC_DETERMINE, &f->free));
  PetscCall(VecDuplicate(f->free, &f->diagonal));
  PetscCall(PetscMalloc1(d->nlocal * (size_t)(nc * (nc + 1) / 2), &f->blocks));
  PetscCall(PetscMalloc1(d->nlocal * (size_t)nc, &f->slope));
  if (problem->regularizer) PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
  PetscCall(Prepare(f));
  PetscCall(MatCreateShell(d->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, f, &f->A));
  PetscCall(MatShellSetOperation(f->A, MATOP_MULT, (void (*)(void))Mult));
  PetscCall(MatShellSetOperation(f->A, MATOP_GET_DIAGONAL, (void (*)(void))GetDiagonal));
  PetscCall(KSPCreate(d->comm, &f->ksp));
  PetscCall(KSPSetOperators(f->ksp, f->A, f->A));
  PetscCall(KSPSetType(f->ksp, KSPCG));
  PetscCall(KSPGetPC(f->ksp, &pc));
  PetscCall(PCSetType(pc, PCJACOBI));
  PetscCall(KSPSetTolerances(f->ksp, 1e-2, 0.0, 1e6, 200));
  PetscCall(KSPSetOptionsPrefix(f->ksp, "freedom_"));
  PetscCall(KSPSetFromOptions(f->ksp));
  *influence = f;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgInfluenceDestroy(FgInfluence *influence)
{
  PetscFunctionBegin;
  if (!*influence) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(KSPDestroy(&(*influence)->ksp));
  PetscCall(MatDestroy(&(*influence)->A));
  PetscCall(VecDestroy(&(*influence)->free));
  PetscCall(VecDestroy(&(*influence)->diagonal));
  PetscCall(PetscFree((*influence)->blocks));
  PetscCall(PetscFree((*influence)->slope));
  PetscCall(PetscFree(*influence));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgInfluenceSigns(FgInfluence influence, unsigned long seed, Vec z)
{
  const FgDomain d  = influence->problem->field->domain;
  const PetscInt nc = influence->problem->field->ncomponents;
  PetscScalar   *sign;
  gsl_rng       *random;

  PetscFunctionBegin;
  random = gsl_rng_alloc(gsl_rng_taus2);
  PetscCheck(random, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory for a random number generator");
  PetscCall(VecGetArray(z, &sign));
  for (PetscInt i = 0; i < d->nlocal; i++) {
    gsl_rng_set(random, seed + 0x9e3779b9UL * (unsigned long)(d->first + i + 1));
    for (PetscInt c = 0; c < nc; c++) sign[i * nc + c] = gsl_rng_get(random) & 0x10000 ? 1.0 : -1.0;
  }
  PetscCall(VecRestoreArray(z, &sign));
  PetscCall(VecPointwiseMult(z, z, influence->free));
  gsl_rng_free(random);
  PetscFunctionReturn(PETSC_SUCCESS);
}
