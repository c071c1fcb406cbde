/* freedom_global.c: effective degrees of freedom of a regularised fit to data that belong to no site.

   With A = B + alpha H_R over the variables that no bound holds, B = J^T W J,
       p_eff = tr(A^-1 B) = tr(S),  S = W^1/2 J A^-1 J^T W^1/2,   S symmetric with eigenvalues from 0 to 1,
   is the mean of z^T S z over random signs z of the data, whose variance is at most 2 p_eff. A probe in the variables would have the same mean
   and a far larger variance, for A^-1 B is not symmetric. z^T S z = b^T A^-1 b with b = J^T W^1/2 z needs one linear solve, which
   ends where it grows no more. Where the low rank of B is at hand (low_rank.h) the trace is found itself. H_R is the regularizer's
   curvature (freedom.c says why).
   Source: M. F. Hutchinson, Commun. Stat. Simul. Comput. 19 (1990). */
#include "global.h"

#include <gsl/gsl_rng.h>
#include <math.h>

/* W^1/2 z: the same on any number of ranks. */
static PetscErrorCode FillSigns(FgProblem problem, unsigned long seed, Vec w)
{
  const FgData *data = &problem->data;
  PetscScalar  *value;
  PetscInt      first, n;
  gsl_rng      *random;

  PetscFunctionBegin;
  random = gsl_rng_alloc(gsl_rng_taus2);
  PetscCheck(random, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory for a random number generator");
  PetscCall(VecGetOwnershipRange(w, &first, &n));
  PetscCall(VecGetArrayWrite(w, &value));
  for (PetscInt k = 0; k < n - first; k++) {
    gsl_rng_set(random, seed + 0x9e3779b9UL * (unsigned long)(first + k + 1));
    value[k] = isnan(data->values[k]) ? 0.0 : (gsl_rng_get(random) & 0x10000 ? 1.0 : -1.0) / data->sigma[k];
  }
  PetscCall(VecRestoreArrayWrite(w, &value));
  gsl_rng_free(random);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Probe(FgGlobal global, unsigned long seed, PetscInt nprobes, PetscReal *freedom)
{
  const FgProblem problem = global->problem;
  Vec             w, b, x;
  PetscScalar     product;

  PetscFunctionBegin;
  PetscCall(FgModelCreateDataVec(problem->model, &w));
  PetscCall(VecDuplicate(global->free, &b));
  PetscCall(VecDuplicate(b, &x));
  for (PetscInt probe = 0; probe < nprobes; probe++) {
    PetscCall(FillSigns(problem, seed + 7919UL * (unsigned long)probe, w));
    PetscCall(FgModelAdjoint(problem->model, w, problem->g));
    PetscCall(VecCopy(problem->g, b));
    PetscCall(FgProblemScale(problem, b));
    PetscCall(VecPointwiseMult(b, b, global->free));
    PetscCall(FgGlobalSolve(global, 2e-3, 0.0, b, x));
    PetscCall(VecDot(b, x, &product));
    *freedom += product / nprobes;
  }
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&b));
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGlobalFreedom(FgProblem problem, unsigned long seed, PetscInt nprobes, PetscReal *freedom)
{
  FgGlobal global;

  PetscFunctionBegin;
  *freedom = 0.0;
  PetscCall(FgGlobalCreate(problem, &global));
  global->bent = problem->regularizer ? PETSC_TRUE : PETSC_FALSE;
  if (global->low_rank && !FgProblemQuadratic(problem) && !FgRegularizerBentMatrix(problem->regularizer)) {
    PetscCall(FgLowRankDestroy(&global->low_rank));
  }
  PetscCall(FgGlobalHold(global, NULL));
  PetscCall(FgGlobalLinearize(global));
  PetscCall(FgGlobalFactor(global));
  if (global->low_rank) PetscCall(FgLowRankFreedom(global->low_rank, freedom));
  else PetscCall(Probe(global, seed, nprobes, freedom));
  PetscCall(FgGlobalDestroy(&global));
  PetscFunctionReturn(PETSC_SUCCESS);
}
