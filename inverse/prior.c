/* prior.c: the regularizer as a preconditioner; see prior.h for the equation.

   Source: T. Bui-Thanh, O. Ghattas, J. Martin, G. Stadler, SIAM J. Sci. Comput. 35 (2013), on Hessians of inverse problems that the
   prior preconditions. */
#include "prior.h"

/* Variables up to which every rank factors the whole matrix by itself, which asks for one exchange a solve; and up to which there is a factor at
   all: that of a mesh of tetrahedra takes some hundred entries a row by then. */
enum { LARGEST_COPIED = 20000, LARGEST_DIRECT = 200000 };

PetscErrorCode FgPriorCreate(FgProblem problem, FgPrior *prior)
{
  const FgDomain d = problem->field->domain;
  FgPrior        p;

  PetscFunctionBegin;
  PetscCall(PetscNew(&p));
  p->problem = problem;
  p->share   = 1.0;
  PetscCall(VecCreateMPI(d->comm, problem->field->ncomponents * d->nlocal, PETSC_DETERMINE, &p->unit));
  PetscCall(VecDuplicate(p->unit, &p->rest));
  *prior = p;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPriorDestroy(FgPrior *prior)
{
  PetscFunctionBegin;
  if (!*prior) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MatDestroy(&(*prior)->P));
  PetscCall(VecDestroy(&(*prior)->unit));
  PetscCall(VecDestroy(&(*prior)->rest));
  PetscCall(PetscFree(*prior));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPriorAssemble(FgPrior prior, PetscBool bent, Vec free)
{
  const FgProblem problem = prior->problem;
  PetscInt        n;
  PetscScalar     delta;

  PetscFunctionBegin;
  PetscCheck(problem->regularizer, PETSC_COMM_SELF, PETSC_ERR_ARG_NULL, "a prior needs a regularizer");
  PetscCall(FgRegularizerMatrix(problem->regularizer, problem->field->m, bent, problem->alpha, &prior->P));
  PetscCall(VecSet(prior->unit, 1.0));
  PetscCall(FgProblemScale(problem, prior->unit)); /* F S */
  if (free) PetscCall(VecPointwiseMult(prior->unit, prior->unit, free));
  PetscCall(MatDiagonalScale(prior->P, prior->unit, prior->unit));
  PetscCall(MatGetDiagonal(prior->P, prior->rest));
  PetscCall(VecGetSize(prior->rest, &n));
  PetscCall(VecSum(prior->rest, &delta));
  /* The smoothest of the other modes of n sites on a line bears some 10/n^2 of the mean diagonal, in a plane 10/n. */
  delta = delta > 0.0 ? prior->share * delta / ((double)n * n) : 1.0;
  if (free) { /* delta F + (I - F) */
    PetscCall(VecCopy(free, prior->rest));
    PetscCall(VecScale(prior->rest, delta - 1.0));
    PetscCall(VecShift(prior->rest, 1.0));
  } else {
    PetscCall(VecSet(prior->rest, delta));
  }
  PetscCall(MatDiagonalSet(prior->P, prior->rest, ADD_VALUES));
  prior->factorizations++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPriorSetPC(FgPrior prior, PC pc)
{
  const FgField field = prior->problem->field;
  const double  n     = (double)field->domain->nglobal * field->ncomponents;
  PetscMPIInt   size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(field->domain->comm, &size));
  if (n > LARGEST_DIRECT) {
    PetscCall(PCSetType(pc, PCGAMG));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (size > 1 && n <= LARGEST_COPIED) {
    KSP ksp;

    PetscCall(PCSetType(pc, PCREDUNDANT));
    PetscCall(PCRedundantGetKSP(pc, &ksp));
    PetscCall(KSPGetPC(ksp, &pc));
    size = 1;
  }
  PetscCall(PCSetType(pc, PCCHOLESKY));
  PetscCall(PCFactorSetMatSolverType(pc, size > 1 ? MATSOLVERMUMPS : MATSOLVERCHOLMOD));
  PetscFunctionReturn(PETSC_SUCCESS);
}
