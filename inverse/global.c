/* global.c: the Gauss-Newton system of data that belong to no site; see global.h for the equation. */
#include "global.h"

#include <math.h>

static PetscErrorCode Mult(Mat A, Vec v, Vec y)
{
  FgGlobal  g;
  FgProblem problem;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &g));
  problem = g->problem;
  PetscCall(VecPointwiseMult(g->in, v, g->free));
  if (g->bent) {
    PetscCall(FgProblemHessian(problem, PETSC_TRUE, g->in, problem->x));
    PetscCall(VecPointwiseMult(problem->work, g->in, g->prior->unit));
    PetscCall(VecZeroEntries(y));
    PetscCall(FgRegularizerCurvature(problem->regularizer, problem->field->m, problem->work, problem->alpha, y));
    PetscCall(VecPointwiseMult(y, y, g->prior->unit));
    PetscCall(VecAXPY(y, 1.0, problem->x));
  } else {
    PetscCall(FgProblemHessian(problem, PETSC_FALSE, g->in, problem->x));
    PetscCall(VecCopy(problem->x, y));
  }
  PetscCall(VecPointwiseMult(y, y, g->free));
  PetscCall(VecAXPY(y, 1.0, v));
  PetscCall(VecAXPY(y, -1.0, g->in)); /* + (I - F) v */
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HasGained(KSP ksp, PetscInt n, PetscReal norm, KSPConvergedReason *reason, void *context)
{
  FgGlobal    g = (FgGlobal)context;
  Vec         x;
  PetscScalar now;
  double     *then = &g->gained[n % FG_GLOBAL_MEMORY];

  PetscFunctionBegin;
  *reason = KSP_CONVERGED_ITERATING;
  PetscCall(KSPGetSolution(ksp, &x));
  PetscCall(VecDot(g->right, x, &now));
  if (!(norm > 0.0)) *reason = KSP_CONVERGED_ATOL;
  else if (n >= FG_GLOBAL_MEMORY && now - *then <= PetscMax(g->relative * now, g->absolute)) *reason = KSP_CONVERGED_RTOL;
  *then = now;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemSamples(FgProblem problem, double *samples)
{
  const FgData *data = &problem->data;
  double        sum  = 0.0;

  PetscFunctionBegin;
  for (size_t k = 0; k < (size_t)data->nlocal * data->ndata; k++) sum += isnan(data->values[k]) ? 0.0 : 1.0;
  PetscCallMPI(MPI_Allreduce(&sum, samples, 1, MPI_DOUBLE, MPI_SUM, problem->field->domain->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGlobalCreate(FgProblem problem, FgGlobal *global)
{
  const MPI_Comm comm = problem->field->domain->comm;
  const PetscInt n    = problem->field->domain->nlocal * problem->field->ncomponents;
  FgGlobal       g;
  PC             pc;

  PetscFunctionBegin;
  PetscCall(PetscNew(&g));
  *global    = g;
  g->problem = problem;
  PetscCall(FgProblemSamples(problem, &g->samples));
  PetscCall(FgPriorCreate(problem, &g->prior));
  PetscCall(VecCreateMPI(comm, n, PETSC_DETERMINE, &g->free));
  PetscCall(VecDuplicate(g->free, &g->in));
  PetscCall(VecSet(g->free, 1.0));
  PetscCall(MatCreateShell(comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, g, &g->A));
  PetscCall(MatShellSetOperation(g->A, MATOP_MULT, (void (*)(void))Mult));
  PetscCall(KSPCreate(comm, &g->ksp));
  PetscCall(KSPSetOptionsPrefix(g->ksp, "global_"));
  PetscCall(KSPSetType(g->ksp, KSPCG));
  PetscCall(KSPSetNormType(g->ksp, KSP_NORM_NATURAL));
  PetscCall(KSPGetPC(g->ksp, &pc));
  if (problem->regularizer && problem->alpha > 0.0) PetscCall(FgLowRankCreate(problem, &g->low_rank));
  if (g->low_rank) g->prior->share = 1e-3;
  if (problem->regularizer) PetscCall(FgPriorSetPC(g->prior, pc));
  else PetscCall(PCSetType(pc, PCNONE));
  PetscCall(KSPSetTolerances(g->ksp, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT, 500));
  PetscCall(KSPSetConvergenceTest(g->ksp, HasGained, g, NULL));
  PetscCall(KSPSetFromOptions(g->ksp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGlobalDestroy(FgGlobal *global)
{
  PetscFunctionBegin;
  if (!*global) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(KSPDestroy(&(*global)->ksp));
  PetscCall(MatDestroy(&(*global)->A));
  PetscCall(VecDestroy(&(*global)->free));
  PetscCall(VecDestroy(&(*global)->in));
  PetscCall(FgLowRankDestroy(&(*global)->low_rank));
  PetscCall(FgPriorDestroy(&(*global)->prior));
  PetscCall(PetscFree(*global));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGlobalHold(FgGlobal g, Vec gradient)
{
  const FgField      field = g->problem->field;
  const PetscInt     nc    = field->ncomponents;
  const PetscScalar *m, *slope = NULL;
  PetscScalar       *free;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(field->m, &m));
  if (gradient) PetscCall(VecGetArrayRead(gradient, &slope));
  PetscCall(VecGetArrayWrite(g->free, &free));
  for (PetscInt k = 0; k < field->domain->nlocal * nc; k++) {
    const FgComponent *c     = &field->components[k % nc];
    const PetscBool    below = m[k] <= c->lower && (!slope || slope[k] >= 0.0) ? PETSC_TRUE : PETSC_FALSE;
    const PetscBool    above = m[k] >= c->upper && (!slope || slope[k] <= 0.0) ? PETSC_TRUE : PETSC_FALSE;

    free[k] = below || above || c->lower == c->upper ? 0.0 : 1.0;
  }
  PetscCall(VecRestoreArrayWrite(g->free, &free));
  if (gradient) PetscCall(VecRestoreArrayRead(gradient, &slope));
  PetscCall(VecRestoreArrayRead(field->m, &m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGlobalLinearize(FgGlobal g)
{
  PetscFunctionBegin;
  if (g->low_rank) PetscCall(FgLowRankLinearize(g->low_rank, g->problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGlobalFactor(FgGlobal g)
{
  PC pc;

  PetscFunctionBegin;
  /* Conjugate gradients take the curvature from the operator; the lagged Hessian bounds it from above. */
  if (g->problem->regularizer) PetscCall(FgPriorAssemble(g->prior, g->low_rank ? g->bent : PETSC_FALSE, g->free));
  PetscCall(KSPSetOperators(g->ksp, g->A, g->problem->regularizer ? g->prior->P : g->A));
  if (!g->low_rank) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(KSPSetUp(g->ksp));
  PetscCall(KSPGetPC(g->ksp, &pc));
  PetscCall(FgLowRankFactor(g->low_rank, pc, g->free));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGlobalSolve(FgGlobal g, double relative, double absolute, Vec b, Vec x)
{
  PetscInt iterations;

  PetscFunctionBegin;
  if (g->low_rank) {
    PC pc;

    PetscCall(KSPGetPC(g->ksp, &pc));
    PetscCall(FgLowRankSolve(g->low_rank, pc, b, x));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  g->right    = b;
  g->relative = relative;
  g->absolute = absolute;
  PetscCall(KSPSolve(g->ksp, b, x));
  PetscCall(KSPGetIterationNumber(g->ksp, &iterations));
  g->iterations += iterations;
  PetscFunctionReturn(PETSC_SUCCESS);
}
