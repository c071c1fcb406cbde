/* algebraic.c: the finite-volume operator assembled, for PETSc's conjugate gradients with hypre's BoomerAMG.

   An independent solver of the same equations: the cross-check of the FFT-preconditioned one, and what is left where the
   contrast of the phases is too high for it. Takes about 450 bytes a voxel and much longer (bench/homogenize). Rows of
   voxels that do not permeate become the identity; constants are a null space, which PETSc removes. */
#include "scalar.h"

#include <string.h>

/* Global number of a voxel: slabs are contiguous, so it is the position in the whole cell. */
static PetscErrorCode Assemble(FgScalar op, Mat *matrix)
{
  const FgCell   cell = op->cell;
  const PetscInt n0 = cell->n[0], n1 = cell->n[1], n2 = cell->n[2], plane = n0 * n1;

  PetscFunctionBegin;
  PetscCheck((double)plane * (double)n2 < (double)PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: too many voxels for an assembled matrix with this PETSc; use --solver spectral", cell->source);
  PetscCall(MatCreateAIJ(cell->comm, cell->nlocal, cell->nlocal, plane * n2, plane * n2, 7, NULL, 2, NULL, matrix));
  PetscCall(MatSetOption(*matrix, MAT_SPD, PETSC_TRUE));
  for (PetscInt k = 0; k < cell->count; k++) {
    for (PetscInt at = 0; at < plane; at++) {
      const PetscInt i = at % n0, j = at / n0, z = cell->start + k, row = z * plane + at;
      PetscInt       columns[7] = {row,
                                   z * plane + j * n0 + (i + n0 - 1) % n0,
                                   z * plane + j * n0 + (i + 1) % n0,
                                   z * plane + ((j + n1 - 1) % n1) * n0 + i,
                                   z * plane + ((j + 1) % n1) * n0 + i,
                                   ((z + n2 - 1) % n2) * plane + at,
                                   ((z + 1) % n2) * plane + at};
      PetscScalar    values[7]  = {0};

      for (PetscInt a = 0; a < 3; a++) {
        if (cell->n[a] > 1) FgScalarFaces(op, a, k, (size_t)at, &values[2 * a + 1], &values[2 * a + 2]);
      }
      for (int f = 1; f < 7; f++) {
        values[0] += values[f];
        values[f] = -values[f];
        if (values[f] == 0) columns[f] = -1;
      }
      if (op->reaction) values[0] += op->reaction[cell->phase[(size_t)k * (size_t)plane + (size_t)at]];
      if (values[0] == 0) values[0] = 1.0;
      PetscCall(MatSetValues(*matrix, 1, &row, 7, columns, values, ADD_VALUES));
    }
  }
  PetscCall(MatAssemblyBegin(*matrix, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(*matrix, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Constants on what permeates are no part of any solution: without this the multigrid's coarsest level lets them grow. */
static PetscErrorCode RemoveConstants(FgScalar op)
{
  MatNullSpace constants;
  Vec          ones;
  PetscScalar *values;

  PetscFunctionBegin;
  if (op->reaction) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MatCreateVecs(op->matrix, &ones, NULL));
  PetscCall(VecGetArray(ones, &values));
  for (PetscInt i = 0; i < op->cell->nlocal; i++) values[i] = op->permeable[op->cell->phase[i]] ? 1.0 : 0.0;
  PetscCall(VecRestoreArray(ones, &values));
  PetscCall(VecNormalize(ones, NULL));
  PetscCall(MatNullSpaceCreate(op->cell->comm, PETSC_FALSE, 1, &ones, &constants));
  PetscCall(MatSetNullSpace(op->matrix, constants));
  PetscCall(MatNullSpaceDestroy(&constants));
  PetscCall(VecDestroy(&ones));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* HMIS coarsening with extended interpolation and one aggressive level is what hypre's authors advise in three dimensions;
   hypre's own defaults take several times as long here. */
static PetscErrorCode Prepare(FgScalar op)
{
  PetscInt dimensions = 0;
  PC       pc;

  PetscFunctionBegin;
  for (PetscInt a = 0; a < 3; a++) dimensions += op->cell->n[a] > 1;
  PetscCall(Assemble(op, &op->matrix));
  PetscCall(RemoveConstants(op));
  PetscCall(KSPCreate(op->cell->comm, &op->ksp));
  PetscCall(KSPSetOptionsPrefix(op->ksp, "cell_"));
  PetscCall(KSPSetOperators(op->ksp, op->matrix, op->matrix));
  PetscCall(KSPSetType(op->ksp, KSPCG));
  PetscCall(KSPSetNormType(op->ksp, KSP_NORM_UNPRECONDITIONED));
  PetscCall(KSPSetInitialGuessNonzero(op->ksp, PETSC_TRUE));
  PetscCall(KSPSetResidualHistory(op->ksp, NULL, PETSC_DECIDE, PETSC_TRUE));
  PetscCall(KSPGetPC(op->ksp, &pc));
  PetscCall(PCSetType(pc, PCHYPRE));
  PetscCall(PCHYPRESetType(pc, "boomeramg"));
  if (dimensions == 3) {
    static const char *const advised[][2] = {{"-cell_pc_hypre_boomeramg_strong_threshold", "0.5"},
                                             {"-cell_pc_hypre_boomeramg_coarsen_type", "HMIS"},
                                             {"-cell_pc_hypre_boomeramg_interp_type", "ext+i"},
                                             {"-cell_pc_hypre_boomeramg_agg_nl", "1"}};

    for (size_t i = 0; i < sizeof(advised) / sizeof(*advised); i++) {
      PetscBool set;

      PetscCall(PetscOptionsHasName(NULL, NULL, advised[i][0], &set));
      if (!set) PetscCall(PetscOptionsSetValue(NULL, advised[i][0], advised[i][1]));
    }
  }
  PetscCall(KSPSetFromOptions(op->ksp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarAlgebraic(FgScalar op, const double *b, PetscInt axis, double *x, FgCellSolve *solve, char *history,
                                 PetscBool *converged)
{
  const PetscReal   *residuals;
  Vec                right, solution;
  PetscScalar       *values;
  PetscReal          norm;
  PetscInt           iterations, nresiduals;
  KSPConvergedReason reason;

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(solve->solver, "conjugate gradients with BoomerAMG", sizeof(solve->solver)));
  if (!op->ksp) PetscCall(Prepare(op));
  PetscCall(MatCreateVecs(op->matrix, NULL, &right));
  PetscCall(VecCreateMPIWithArray(op->cell->comm, 1, op->cell->nlocal, PETSC_DETERMINE, x, &solution));
  PetscCall(VecGetArray(right, &values));
  if (b) PetscCall(PetscArraycpy(values, b, op->cell->nlocal));
  else PetscCall(FgScalarSource(op, axis, values));
  PetscCall(VecRestoreArray(right, &values));
  PetscCall(VecNorm(right, NORM_2, &norm));
  PetscCall(KSPSetTolerances(op->ksp, 1e-300, op->settings.tolerance * norm, PETSC_DEFAULT, op->settings.max_iterations));
  PetscCall(KSPSolve(op->ksp, right, solution));
  PetscCall(KSPGetConvergedReason(op->ksp, &reason));
  PetscCall(KSPGetIterationNumber(op->ksp, &iterations));
  PetscCall(KSPGetResidualHistory(op->ksp, &residuals, &nresiduals));
  solve->iterations += iterations;
  if (norm > 0 && nresiduals > 0) solve->residual = residuals[nresiduals - 1] / norm;
  *converged = norm == 0 || (reason > 0 && solve->residual <= 2.0 * op->settings.tolerance) ? PETSC_TRUE : PETSC_FALSE;
  history[0] = '\0';
  for (PetscInt i = 0, step = PetscMax(1, nresiduals / 8); i < nresiduals && norm > 0; i += step) {
    const size_t used = strlen(history);

    if (used < 230) snprintf(history + used, 256 - used, "%s%" PetscInt_FMT ": %.1e", i ? ", " : "", i, residuals[i] / norm);
  }
  PetscCall(VecDestroy(&right));
  PetscCall(VecDestroy(&solution));
  PetscFunctionReturn(PETSC_SUCCESS);
}
