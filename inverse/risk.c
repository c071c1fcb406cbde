/* risk.c: estimated risk of each part of the parameters; see risk.h for the equations. */
#include "risk.h"

#include "influence.h"

#include "finegrain/statistics.h"

#include <math.h>

/* What the data of one site say of its free variables, whitened: step[nc] = x - x0 and deviation[nc] = sqrt(diag B^-1); a deviation
   of 0 where they say next to nothing, or the variable is on a bound. */
static void AskSite(FgInfluence influence, PetscInt site, const PetscScalar *available, double step[], double deviation[])
{
  const FgField  field = influence->problem->field;
  const PetscInt nc = field->ncomponents, size = nc * (nc + 1) / 2;
  const float   *block = &influence->blocks[site * (size_t)size], *slope = &influence->slope[site * (size_t)nc];
  PetscInt       index[FG_MAX_COMPONENTS];
  PetscInt       n = 0;
  double         A[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS], b[FG_MAX_COMPONENTS];

  for (PetscInt c = 0; c < nc; c++) {
    step[c] = deviation[c] = 0.0;
    if (available[c] > 0.0) index[n++] = c;
  }
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt row = index[i];

    b[i] = slope[row];
    for (PetscInt j = 0; j <= i; j++) A[i * n + j] = block[row * (row + 1) / 2 + index[j]];
  }
  if (!FgCholeskySolve(n, n, A, b)) return;
  for (PetscInt i = 0; i < n; i++) step[index[i]] = b[i];
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt c = index[i];
    double         found;

    for (PetscInt j = 0; j < n; j++) b[j] = i == j ? 1.0 : 0.0;
    FgCholeskySubstitute(n, n, A, b);
    found        = sqrt(PetscMax(b[i], 0.0));
    deviation[c] = found < FgComponentUnknown(&field->components[c]) / influence->problem->scale[c] ? found : 0.0;
  }
}

/* By part, the squared distance to what the data alone say and the number of variables; right = w^1/2 z, z = w^-1/2 z. Variables of no
   part, and those of which nothing is known, count in the degrees of freedom only, for which any weights serve. */
static PetscErrorCode Ask(FgInfluence influence, const PetscInt part[], Vec z, Vec right, double distance[], double count[],
                          unsigned char *counts)
{
  const FgField      field = influence->problem->field;
  const PetscInt     nc    = field->ncomponents;
  const PetscScalar *available;
  PetscScalar       *sign, *b;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(influence->free, &available));
  PetscCall(VecGetArray(z, &sign));
  PetscCall(VecGetArray(right, &b));
  for (PetscInt i = 0; i < field->domain->nlocal; i++) {
    double step[FG_MAX_COMPONENTS], deviation[FG_MAX_COMPONENTS];

    AskSite(influence, i, &available[i * nc], step, deviation);
    for (PetscInt c = 0; c < nc; c++) {
      const PetscInt  k     = i * nc + c;
      const PetscBool known = deviation[c] > 0.0 && part[c] >= 0 ? PETSC_TRUE : PETSC_FALSE;
      const double    unit  = known ? deviation[c] : 1.0;

      counts[k] = known;
      b[k]      = sign[k] / unit;
      sign[k] *= unit;
      if (!known) continue;
      distance[part[c]] += PetscSqr(step[c] / unit);
      count[part[c]] += 1.0;
    }
  }
  PetscCall(VecRestoreArray(right, &b));
  PetscCall(VecRestoreArray(z, &sign));
  PetscCall(VecRestoreArrayRead(influence->free, &available));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemRisk(FgProblem problem, const PetscInt part[], PetscInt nparts, double variance, unsigned long seed,
                             double risk[], PetscReal *freedom)
{
  const double       rough = 0.05; /* its square is the error of the trace, a quadratic form */
  const PetscInt     nc = problem->field->ncomponents, n = problem->field->domain->nlocal * nc;
  const PetscScalar *b, *u;
  FgInfluence        influence;
  Vec                z, right, solution;
  unsigned char     *counts;
  double             sums[3][FG_MAX_PARTS] = {{0.0}}; /* squared distance, number of variables, trace */

  PetscFunctionBegin;
  PetscCall(FgInfluenceCreate(problem, &influence));
  influence->bent = PETSC_TRUE;
  PetscCall(VecDuplicate(influence->free, &z));
  PetscCall(VecDuplicate(z, &right));
  PetscCall(VecDuplicate(z, &solution));
  PetscCall(PetscMalloc1(n, &counts));
  PetscCall(FgInfluenceSigns(influence, seed, z));
  PetscCall(Ask(influence, part, z, right, sums[0], sums[1], counts));
  PetscCall(KSPSetTolerances(influence->ksp, rough, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT));
  PetscCall(KSPSetFromOptions(influence->ksp));
  PetscCall(KSPSolve(influence->ksp, right, solution));
  PetscCall(VecGetArrayRead(right, &b));
  PetscCall(VecGetArrayRead(solution, &u));
  for (PetscInt k = 0; k < n; k++) {
    if (counts[k]) sums[2][part[k % nc]] += b[k] * u[k];
  }
  PetscCall(VecRestoreArrayRead(solution, &u));
  PetscCall(VecRestoreArrayRead(right, &b));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 3 * FG_MAX_PARTS, MPI_DOUBLE, MPI_SUM, problem->field->domain->comm));
  for (PetscInt p = 0; p < nparts; p++) {
    risk[p] = sums[1][p] > 0.0 ? (sums[0][p] / variance + 2.0 * sums[2][p]) / sums[1][p] - 1.0 : 0.0;
  }
  PetscCall(FgInfluenceApply(influence, PETSC_TRUE, z, right));
  PetscCall(VecDot(right, solution, freedom));
  PetscCall(PetscFree(counts));
  PetscCall(VecDestroy(&z));
  PetscCall(VecDestroy(&right));
  PetscCall(VecDestroy(&solution));
  PetscCall(FgInfluenceDestroy(&influence));
  PetscFunctionReturn(PETSC_SUCCESS);
}
