/* freedom.c: effective degrees of freedom of a regularised fit by Hutchinson's trace estimator.

   With B = J^T W J and A = B + alpha H_R over the variables that no bound holds, the influence matrix has the trace
       p_eff = tr(A^-1 B) = E[ z^T A^-1 B z ],  z random signs.
   H_R is the regularizer's curvature: lagged weights, held while the data vary, would miss part of the response and count up to a quarter
   too few degrees of freedom for total variation (docs/weights.md). One probe suffices: its relative error is about sqrt(2/p_eff), a fraction of a percent for ten thousand voxels. The probe depends on
   the seed and the global site number only, so it is the same on any number of ranks.
   Source: M. F. Hutchinson, Commun. Stat. Simul. Comput. 19 (1990). */
#include "global.h"
#include "influence.h"

PetscErrorCode FgProblemFreedom(FgProblem problem, unsigned long seed, PetscReal *freedom)
{
  FgInfluence influence;
  Vec         z, b, x;

  PetscFunctionBegin;
  if (problem->model->ops->global) PetscFunctionReturn(FgGlobalFreedom(problem, seed, 4, freedom));
  PetscCall(FgInfluenceCreate(problem, &influence));
  influence->bent = PETSC_TRUE;
  PetscCall(VecDuplicate(influence->free, &z));
  PetscCall(VecDuplicate(z, &b));
  PetscCall(VecDuplicate(z, &x));
  PetscCall(FgInfluenceSigns(influence, seed, z));
  PetscCall(FgInfluenceApply(influence, PETSC_TRUE, z, b));
  PetscCall(KSPSolve(influence->ksp, b, x));
  PetscCall(VecDot(z, x, freedom));
  PetscCall(VecDestroy(&z));
  PetscCall(VecDestroy(&b));
  PetscCall(VecDestroy(&x));
  PetscCall(FgInfluenceDestroy(&influence));
  PetscFunctionReturn(PETSC_SUCCESS);
}
