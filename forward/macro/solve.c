/* solve.c: linear solves of the macroscopic equations: Krylov's methods with algebraic multigrid (hypre's BoomerAMG, or
   PETSc's GAMG where PETSc has no hypre), failing with the history of residuals rather than with a number. */
#include "macro.h"

#include <string.h>

#if defined(PETSC_HAVE_HYPRE)
/* What hypre's authors advise in three dimensions; its own defaults take several times the time and memory there. Settings go
   through PETSc's options, under a prefix of their own; what the options already say has precedence. */
static PetscErrorCode Advise(KSP ksp)
{
  static const char *const advised[][2] = {{"-macro_pc_hypre_boomeramg_strong_threshold", "0.5"},
                                           {"-macro_pc_hypre_boomeramg_coarsen_type", "HMIS"},
                                           {"-macro_pc_hypre_boomeramg_interp_type", "ext+i"},
                                           {"-macro_pc_hypre_boomeramg_agg_nl", "1"}};

  PetscFunctionBegin;
  for (size_t k = 0; k < sizeof advised / sizeof *advised; k++) {
    PetscBool set;

    PetscCall(PetscOptionsHasName(NULL, NULL, advised[k][0], &set));
    if (!set) PetscCall(PetscOptionsSetValue(NULL, advised[k][0], advised[k][1]));
  }
  PetscCall(KSPSetOptionsPrefix(ksp, "macro_"));
  PetscCall(KSPSetFromOptions(ksp));
  PetscFunctionReturn(PETSC_SUCCESS);
}
#endif

PetscErrorCode LinearSolveCreate(FgBox box, PetscBool symmetric, double tolerance, const char *name, LinearSolve *solve)
{
  PC pc;

  PetscFunctionBegin;
  memset(solve, 0, sizeof *solve);
  solve->tolerance = tolerance;
  PetscCall(PetscStrncpy(solve->name, name, sizeof solve->name));
  PetscCall(KSPCreate(box->comm, &solve->ksp));
  PetscCall(KSPSetType(solve->ksp, symmetric ? KSPCG : KSPGMRES));
  if (!symmetric) {
    PetscCall(KSPGMRESSetRestart(solve->ksp, 60));
    PetscCall(KSPSetPCSide(solve->ksp, PC_RIGHT));
  }
  PetscCall(KSPSetNormType(solve->ksp, KSP_NORM_UNPRECONDITIONED));
  PetscCall(KSPSetInitialGuessNonzero(solve->ksp, PETSC_TRUE));
  PetscCall(KSPGetPC(solve->ksp, &pc));
  if (box->dim == 1) {
    solve->parts = PETSC_TRUE;
    PetscCall(PCSetType(pc, PCBJACOBI));
  } else {
#if defined(PETSC_HAVE_HYPRE)
    PetscCall(PCSetType(pc, PCHYPRE));
    PetscCall(PCHYPRESetType(pc, "boomeramg"));
    if (box->dim == 3) PetscCall(Advise(solve->ksp));
#else
    PetscCall(PCSetType(pc, PCGAMG));
#endif
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LinearSolveDestroy(LinearSolve *solve)
{
  PetscFunctionBegin;
  PetscCall(KSPDestroy(&solve->ksp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sets the factorization of the parts, which exist from the first set-up on. */
static PetscErrorCode FactorParts(LinearSolve *solve)
{
  PC       pc, part;
  KSP     *parts;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(KSPSetUp(solve->ksp));
  PetscCall(KSPGetPC(solve->ksp, &pc));
  PetscCall(PCBJacobiGetSubKSP(pc, &n, NULL, &parts));
  for (PetscInt k = 0; k < n; k++) {
    PetscCall(KSPSetType(parts[k], KSPPREONLY));
    PetscCall(KSPGetPC(parts[k], &part));
    PetscCall(PCSetType(part, PCLU));
  }
  solve->parts = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LinearSolveRun(LinearSolve *solve, Mat matrix, Vec b, double small, Vec x)
{
  KSPConvergedReason reason;
  PetscInt           n, nhistory;
  const PetscReal   *history;
  PetscReal          size;

  PetscFunctionBegin;
  PetscCall(KSPSetOperators(solve->ksp, matrix, matrix));
  /* A start far from the solution is no divergence: the limit of growth is out of reach. */
  PetscCall(KSPSetTolerances(solve->ksp, solve->tolerance, small > 0.0 ? small : 1e-300, 1e100, 500));
  if (solve->parts) PetscCall(FactorParts(solve));
  PetscCall(
      KSPSetResidualHistory(solve->ksp, solve->history, (PetscInt)(sizeof solve->history / sizeof *solve->history), PETSC_TRUE));
  PetscCall(KSPSolve(solve->ksp, b, x));
  PetscCall(KSPGetConvergedReason(solve->ksp, &reason));
  if (reason < 0) {
    char   text[1024] = "";
    size_t used       = 0;

    PetscCall(VecNorm(b, NORM_2, &size));
    PetscCall(KSPGetIterationNumber(solve->ksp, &n));
    PetscCall(KSPGetResidualHistory(solve->ksp, &history, &nhistory));
    for (PetscInt k = 0; k < nhistory && used + 16 < sizeof text; k++) {
      used += (size_t)snprintf(text + used, sizeof text - used, " %.1e", (double)(size > 0.0 ? history[k] / size : history[k]));
    }
    SETERRQ(PetscObjectComm((PetscObject)solve->ksp), PETSC_ERR_NOT_CONVERGED,
            "%s: no solution after %d iterations (%s); relative residuals:%s", solve->name, (int)n, KSPConvergedReasons[reason],
            text);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode MatrixPin(Mat matrix)
{
  PetscInt    first, last;
  PetscScalar diagonal;

  PetscFunctionBegin;
  PetscCall(MatGetOwnershipRange(matrix, &first, &last));
  if (first == 0 && last > 0) {
    PetscCall(MatGetValue(matrix, 0, 0, &diagonal));
    PetscCall(MatSetValue(matrix, 0, 0, 2.0 * diagonal, INSERT_VALUES));
  }
  PetscCall(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BalanceCheck(FgBox box, PetscInt nsources, const Vec sources[], Vec b, const char *name, const char *unit)
{
  double      total = 0.0, absolute = 0.0;
  PetscScalar sum;
  PetscReal   size;
  PetscInt    n;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < nsources; k++) {
    PetscCall(VecSum(sources[k], &sum));
    PetscCall(VecNorm(sources[k], NORM_1, &size));
    total += sum * box->volume;
    absolute += size * box->volume;
  }
  PetscCheck(PetscAbsReal(total) <= 1e-8 * absolute, box->comm, PETSC_ERR_USER,
             "%s: no face gives a value, so sources and what enters through faces must cancel; their sum is %g %s, their "
             "absolute sum %g",
             name, total, unit, absolute);
  if (!b) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecSum(b, &sum));
  PetscCall(VecGetSize(b, &n));
  PetscCall(VecShift(b, -sum / (PetscScalar)n));
  PetscFunctionReturn(PETSC_SUCCESS);
}
