/* freedom.c: effective degrees of freedom of a regularised fit by Hutchinson's trace estimator.

   With B = J^T W J and A = B + alpha H_R over the variables that no bound holds, the influence matrix has the trace
       p_eff = tr(A^-1 B) = E[ z^T A^-1 B z ],  z random signs.
   One probe suffices: its relative error is about sqrt(2/p_eff), a fraction of a percent for ten thousand voxels. The probe depends on
   the seed and the global site number only, so it is the same on any number of ranks.
   Source: M. F. Hutchinson, Commun. Stat. Simul. Comput. 19 (1990). */
#include "finegrain/problem.h"

#include <gsl/gsl_rng.h>
#include <petscksp.h>

typedef struct {
  FgProblem problem;
  float    *blocks;   /* [nlocal][nc (nc + 1)/2] lower triangles of B's blocks, whitened: B is applied many times at one m */
  Vec       free;     /* 1 where a variable may move, 0 on a bound */
  Vec       diagonal; /* of A; 1 on a bound */
} Influence;

/* y = B v or A v over the free variables. */
static PetscErrorCode ApplyFree(Influence *influence, PetscBool data_only, Vec v, Vec y)
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
    PetscCall(FgRegularizerHessian(problem->regularizer, field->m, problem->work, problem->alpha, problem->x));
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
  Influence *influence;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &influence));
  PetscCall(ApplyFree(influence, PETSC_FALSE, v, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GetDiagonal(Mat A, Vec diagonal)
{
  Influence *influence;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &influence));
  PetscCall(VecCopy(influence->diagonal, diagonal));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Random signs, the free variables, B's blocks and the diagonal of A at the present field. */
static PetscErrorCode Prepare(Influence *influence, unsigned long seed, Vec z)
{
  const FgProblem problem = influence->problem;
  const FgField   field   = problem->field;
  const FgDomain  d       = field->domain;
  const PetscInt  nc      = field->ncomponents;
  PetscScalar    *m, *sign, *available, *diagonal;
  Vec             local;
  gsl_rng        *random;

  PetscFunctionBegin;
  random = gsl_rng_alloc(gsl_rng_taus2);
  PetscCheck(random, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory for a random number generator");
  PetscCall(VecGhostGetLocalForm(field->m, &local));
  PetscCall(VecGetArray(local, &m));
  PetscCall(VecGetArray(z, &sign));
  PetscCall(VecGetArray(influence->free, &available));
  PetscCall(VecGetArray(influence->diagonal, &diagonal));
  for (PetscInt i = 0; i < d->nlocal; i++) {
    double misfit, gradient[8], block[64];

    gsl_rng_set(random, seed + 0x9e3779b9UL * (unsigned long)(d->first + i + 1));
    FgModelSite(problem->model, &problem->data, i, &m[i * nc], field->frames ? &field->frames[9 * i] : NULL, &misfit, gradient,
                block);
    for (PetscInt a = 0, k = 0; a < nc; a++) {
      for (PetscInt b = 0; b <= a; b++, k++) {
        influence->blocks[i * (size_t)(nc * (nc + 1) / 2) + k] = (float)(block[a * nc + b] * problem->scale[a] *
                                                                         problem->scale[b]);
      }
    }
    if (problem->regularizer) {
      FgRegularizerSite at;

      FgRegularizerGather(problem->regularizer, i, m, problem->alpha, &at);
      FgRegularizerSiteEvaluate(problem->regularizer, &at, &m[i * nc], field->frames ? &field->frames[9 * i] : NULL, &misfit,
                                gradient, block);
    }
    for (PetscInt c = 0; c < nc; c++) {
      const FgComponent *component = &field->components[c];
      const double       value     = m[i * nc + c];
      const PetscBool    held      = value <= component->lower || value >= component->upper ? PETSC_TRUE : PETSC_FALSE;
      const double       curvature = block[c * nc + c] * problem->scale[c] * problem->scale[c];

      sign[i * nc + c]      = held ? 0.0 : gsl_rng_get(random) & 0x10000 ? 1.0 : -1.0;
      available[i * nc + c] = held ? 0.0 : 1.0;
      diagonal[i * nc + c]  = held || !(curvature > 0.0) ? 1.0 : curvature;
    }
  }
  PetscCall(VecRestoreArray(influence->diagonal, &diagonal));
  PetscCall(VecRestoreArray(influence->free, &available));
  PetscCall(VecRestoreArray(z, &sign));
  PetscCall(VecRestoreArray(local, &m));
  PetscCall(VecGhostRestoreLocalForm(field->m, &local));
  gsl_rng_free(random);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemFreedom(FgProblem problem, unsigned long seed, PetscReal *freedom)
{
  const MPI_Comm comm      = problem->field->domain->comm;
  const PetscInt nlocal    = problem->field->ncomponents * problem->field->domain->nlocal;
  Influence      influence = {problem, NULL, NULL, NULL};
  const PetscInt nc        = problem->field->ncomponents;
  Vec            z, b, x;
  Mat            A;
  KSP            ksp;
  PC             pc;

  PetscFunctionBegin;
  PetscCall(VecCreateMPI(comm, nlocal, PETSC_DETERMINE, &z));
  PetscCall(VecDuplicate(z, &b));
  PetscCall(VecDuplicate(z, &x));
  PetscCall(VecDuplicate(z, &influence.free));
  PetscCall(VecDuplicate(z, &influence.diagonal));
  PetscCall(PetscMalloc1(problem->field->domain->nlocal * (size_t)(nc * (nc + 1) / 2), &influence.blocks));
  if (problem->regularizer) PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
  PetscCall(Prepare(&influence, seed, z));
  PetscCall(ApplyFree(&influence, PETSC_TRUE, z, b));

  PetscCall(MatCreateShell(comm, nlocal, nlocal, PETSC_DETERMINE, PETSC_DETERMINE, &influence, &A));
  PetscCall(MatShellSetOperation(A, MATOP_MULT, (void (*)(void))Mult));
  PetscCall(MatShellSetOperation(A, MATOP_GET_DIAGONAL, (void (*)(void))GetDiagonal));
  PetscCall(KSPCreate(comm, &ksp));
  PetscCall(KSPSetOperators(ksp, A, A));
  PetscCall(KSPSetType(ksp, KSPCG));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCJACOBI));
  PetscCall(KSPSetTolerances(ksp, 1e-2, 0.0, 1e6, 200));
  PetscCall(KSPSetOptionsPrefix(ksp, "freedom_"));
  PetscCall(KSPSetFromOptions(ksp));
  PetscCall(KSPSolve(ksp, b, x));
  PetscCall(VecDot(z, x, freedom));

  PetscCall(KSPDestroy(&ksp));
  PetscCall(MatDestroy(&A));
  PetscCall(VecDestroy(&z));
  PetscCall(VecDestroy(&b));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&influence.free));
  PetscCall(VecDestroy(&influence.diagonal));
  PetscCall(PetscFree(influence.blocks));
  PetscFunctionReturn(PETSC_SUCCESS);
}
