/* freedom.c: effective degrees of freedom of a regularised fit by Hutchinson's trace estimator.

   With B = J^T W J and A = B + alpha H_R over the variables that no bound holds, the influence matrix has the trace
       p_eff = tr(A^-1 B) = E[ z^T A^-1 B z ],  z random signs.
   One probe suffices: its relative error is about sqrt(2/p_eff), a fraction of a percent for ten thousand voxels. The probe depends on
   the seed and the global site number only, so it is the same on any number of ranks.
   Source: M. F. Hutchinson, Commun. Stat. Simul. Comput. 19 (1990). */
#include "influence.h"

#include <gsl/gsl_rng.h>

/* Random signs over the free variables, 0 elsewhere. */
static PetscErrorCode DrawSigns(FgInfluence influence, unsigned long seed, Vec z)
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

PetscErrorCode FgProblemFreedom(FgProblem problem, unsigned long seed, PetscReal *freedom)
{
  FgInfluence influence;
  Vec         z, b, x;

  PetscFunctionBegin;
  PetscCall(FgInfluenceCreate(problem, &influence));
  PetscCall(VecDuplicate(influence->free, &z));
  PetscCall(VecDuplicate(z, &b));
  PetscCall(VecDuplicate(z, &x));
  PetscCall(DrawSigns(influence, seed, z));
  PetscCall(FgInfluenceApply(influence, PETSC_TRUE, z, b));
  PetscCall(KSPSolve(influence->ksp, b, x));
  PetscCall(VecDot(z, x, freedom));
  PetscCall(VecDestroy(&z));
  PetscCall(VecDestroy(&b));
  PetscCall(VecDestroy(&x));
  PetscCall(FgInfluenceDestroy(&influence));
  PetscFunctionReturn(PETSC_SUCCESS);
}
