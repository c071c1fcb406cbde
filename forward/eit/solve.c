/* solve.c: how the system is solved: Cholesky's factorization (CHOLMOD on one rank, MUMPS on several) or conjugate gradients with
   algebraic multigrid. Two dimensions fill in little and are always factored; three are, up to DIRECT_LIMIT unknowns, where a factor
   takes some 10 kB an unknown. All currents are solved for at once (wide_cycle.c); what depends on the pattern alone is done once. */
#include "eit.h"
#include "wide.h"
#include <string.h>

enum { DIRECT_LIMIT = 120000 };

static PetscErrorCode Choose(const FgEitSpace *space, const FgEitOptions *options, FgEitSystem *system)
{
  PetscMPIInt size;
  PetscBool   automatic, cholmod, mumps, cg;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(space->comm, &size));
  PetscCall(PetscStrcmp(options->solver, "auto", &automatic));
  PetscCall(PetscStrcmp(options->solver, "cholmod", &cholmod));
  PetscCall(PetscStrcmp(options->solver, "mumps", &mumps));
  PetscCall(PetscStrcmp(options->solver, "cg", &cg));
  if (!options->solver[0]) automatic = PETSC_TRUE;
  PetscCheck(automatic || cholmod || mumps || cg, PETSC_COMM_SELF, PETSC_ERR_USER,
             "no solver is called '%s'; expected auto, cholmod, mumps or cg", options->solver);
  PetscCheck(!cholmod || size == 1, PETSC_COMM_SELF, PETSC_ERR_USER,
             "solver cholmod works on one rank, not on %d; take mumps or auto", size);
  if (automatic) cg = space->mesh->dim == 3 && space->ndof > DIRECT_LIMIT ? PETSC_TRUE : PETSC_FALSE;
  system->direct = cg ? PETSC_FALSE : PETSC_TRUE;
  PetscCall(PetscStrncpy(system->package, mumps || size > 1 ? MATSOLVERMUMPS : MATSOLVERCHOLMOD, sizeof system->package));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitSolverCreate(const FgEitSpace *space, const FgEitOptions *options, FgEitSystem *system)
{
  KSP ksp;
  PC  pc;

  PetscFunctionBegin;
  PetscCall(Choose(space, options, system));
  if (system->direct) PetscFunctionReturn(PETSC_SUCCESS);
  system->tolerance = options->tolerance > 0.0 ? options->tolerance : 1e-10;
  PetscCall(KSPCreate(space->comm, &ksp));
  system->ksp = ksp;
  PetscCall(KSPSetType(ksp, KSPCG));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCGAMG));
  PetscCall(PCGAMGSetReuseInterpolation(pc, PETSC_TRUE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitSolverDestroy(FgEitSystem *system)
{
  PetscFunctionBegin;
  PetscCall(MatDestroy(&system->factor));
  PetscCall(FgEitWideDestroy(&system->wide));
  PetscCall(KSPDestroy((KSP *)&system->ksp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitFactor(FgEitSystem *system)
{
  MatFactorInfo  info;
  MatFactorError error;

  PetscFunctionBegin;
  if (!system->direct) {
    PetscCall(KSPSetOperators(system->ksp, system->matrix, system->matrix));
    PetscCall(KSPSetUp(system->ksp));
    PetscCall(FgEitWideSetup(system->ksp, &system->wide));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(MatFactorInfoInitialize(&info));
  if (!system->symbolic) {
    PetscCall(MatGetFactor(system->matrix, system->package, MAT_FACTOR_CHOLESKY, &system->factor));
#if defined(PETSC_HAVE_MUMPS)
    PetscBool mumps;

    PetscCall(PetscStrcmp(system->package, MATSOLVERMUMPS, &mumps));
    if (mumps) PetscCall(MatMumpsSetIcntl(system->factor, 14, 60)); /* room [%] for what the analysis could not foresee */
#endif
    PetscCall(MatCholeskyFactorSymbolic(system->factor, system->matrix, NULL, &info));
    system->symbolic = PETSC_TRUE;
  }
  PetscCall(MatCholeskyFactorNumeric(system->factor, system->matrix, &info));
  PetscCall(MatFactorGetError(system->factor, &error)); /* MUMPS sets it in silence */
  PetscCheck(error == MAT_FACTOR_NOERROR, PETSC_COMM_SELF,
             error == MAT_FACTOR_OUTMEMORY ? PETSC_ERR_MEM : PETSC_ERR_NOT_CONVERGED,
             "potentials: %s could not factor the system (%s); take solver cg, or narrow the range of conductivity",
             system->package, error == MAT_FACTOR_OUTMEMORY ? "out of memory" : "not positive definite");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitSolve(const FgEitSpace *space, FgEitSystem *system, PetscInt n, const double *current, Mat B, Mat X)
{
  const PetscInt free = system->nelectrodes - 1;
  double        *b;
  PetscInt       lead;

  PetscFunctionBegin;
  if (!n) PetscFunctionReturn(PETSC_SUCCESS);
  if (system->nlocal > space->nowned) { /* the rank of the electrodes' rows; the others stay zero */
    PetscCall(MatDenseGetLDA(B, &lead));
    PetscCall(MatDenseGetArray(B, &b));
    for (PetscInt k = 0; k < n; k++) {
      for (PetscInt l = 0; l < free; l++) b[(size_t)k * lead + space->nowned + l] = current[k * system->nelectrodes + l];
    }
    PetscCall(MatDenseRestoreArray(B, &b));
  }
  PetscCall(MatAssemblyBegin(B, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(B, MAT_FINAL_ASSEMBLY));
  if (system->direct) PetscCall(MatMatSolve(system->factor, B, X));
  else PetscCall(FgEitWideSolve(system->wide, system->tolerance, n, B, X, &system->iterations));
  PetscFunctionReturn(PETSC_SUCCESS);
}
