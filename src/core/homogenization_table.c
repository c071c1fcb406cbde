/* homogenization_table.c: tables of effective tensors in memory. As files: data/homogenization_table.c; the closure on them:
   forward/closures/table.c. */
#include "finegrain/homogenization_table.h"

#include <math.h>
#include <string.h>

PetscErrorCode FgHomogenizationTableAllocate(FgHomogenizationTable *table)
{
  PetscInt npoints = 1;

  PetscFunctionBegin;
  PetscCheck(table->naxes >= 1 && table->naxes <= FG_SWEEP_AXES, PETSC_COMM_SELF, PETSC_ERR_USER,
             "sweep: found %" PetscInt_FMT " axes, expected 1 to %d", table->naxes, FG_SWEEP_AXES);
  for (PetscInt a = 0; a < table->naxes; a++) {
    const FgSweepAxis *axis = &table->axes[a];

    PetscCheck(axis->n >= 1 && axis->n <= FG_SWEEP_AXIS_SIZE && npoints <= FG_SWEEP_POINTS / axis->n, PETSC_COMM_SELF,
               PETSC_ERR_USER, "sweep of %s: found %" PetscInt_FMT " values, expected 1 to %d, and at most %d points in all",
               axis->name, axis->n, FG_SWEEP_AXIS_SIZE, FG_SWEEP_POINTS);
    npoints *= axis->n;
  }
  table->npoints = npoints;
  for (PetscInt a = 0; a < table->naxes; a++) {
    PetscCall(PetscMalloc1(table->axes[a].n, &table->axes[a].value));
    for (PetscInt i = 0; i < table->axes[a].n; i++) table->axes[a].value[i] = NAN;
  }
  PetscCall(PetscMalloc1(9 * (size_t)npoints, &table->tensor));
  PetscCall(PetscMalloc1(npoints, &table->fraction_exact));
  PetscCall(PetscMalloc1(npoints, &table->fraction_voxels));
  for (PetscInt i = 0; i < 9 * npoints; i++) table->tensor[i] = NAN;
  for (PetscInt i = 0; i < npoints; i++) table->fraction_exact[i] = table->fraction_voxels[i] = NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizationTableDestroy(FgHomogenizationTable *table)
{
  PetscFunctionBegin;
  for (PetscInt a = 0; a < FG_SWEEP_AXES; a++) PetscCall(PetscFree(table->axes[a].value));
  PetscCall(PetscFree(table->tensor));
  PetscCall(PetscFree(table->fraction_exact));
  PetscCall(PetscFree(table->fraction_voxels));
  memset(table, 0, sizeof(*table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt FgHomogenizationTableAxis(const FgHomogenizationTable *table, const char *name)
{
  for (PetscInt a = 0; a < table->naxes; a++) {
    if (!strcmp(table->axes[a].name, name)) return a;
  }
  return -1;
}

PetscErrorCode FgHomogenizationTableCheck(const FgHomogenizationTable *table, PetscErrorCode code, const char *name)
{
  PetscFunctionBegin;
  for (PetscInt a = 0; a < table->naxes; a++) {
    const FgSweepAxis *axis = &table->axes[a];

    PetscCheck(axis->name[0] && FgHomogenizationTableAxis(table, axis->name) == a, PETSC_COMM_SELF, code,
               "%s: found an axis called '%s', expected names of which none is empty or twice there", name, axis->name);
    for (PetscInt i = 0; i < axis->n; i++) {
      PetscCheck(isfinite(axis->value[i]) && (i == 0 || axis->value[i] > axis->value[i - 1]), PETSC_COMM_SELF, code,
                 "%s: value %" PetscInt_FMT " of axis %s is %g, expected finite numbers that increase", name, i, axis->name,
                 axis->value[i]);
    }
  }
  for (PetscInt i = 0; i < table->npoints; i++) {
    const double *K = &table->tensor[9 * i], exact = table->fraction_exact[i], voxels = table->fraction_voxels[i];
    double        size = 0.0, skew = 0.0;

    PetscCheck(exact >= 0.0 && exact <= 1.0 && voxels >= 0.0 && voxels <= 1.0, PETSC_COMM_SELF, code,
               "%s: point %" PetscInt_FMT " has the fractions %g exactly and %g in voxels, expected 0 to 1", name, i, exact,
               voxels);
    for (int k = 0; k < 9; k++) {
      PetscCheck(isfinite(K[k]), PETSC_COMM_SELF, code, "%s: point %" PetscInt_FMT " has a tensor that is not finite", name, i);
      size = fmax(size, fabs(K[k]));
      skew = fmax(skew, fabs(K[k] - K[3 * (k % 3) + k / 3]));
    }
    PetscCheck(skew <= 1e-6 * size && K[0] >= 0.0 && K[4] >= 0.0 && K[8] >= 0.0, PETSC_COMM_SELF, code,
               "%s: point %" PetscInt_FMT " has a tensor that is not symmetric or has a negative diagonal", name, i);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
