/* compare_tables.c: how far the closure that interpolates one table is from the points of another, solved between them, for the command-line
   cases and bench/closure_table.sh.

   usage: compare_tables TABLE.h5 SOLVED.h5 MOST
   Prints a line for each contrast of SOLVED: the contrast and the largest relative deviation of the transverse value over its
   fractions (of the voxels) up to MOST. Exit code 1 where a table cannot be read or interpolated. */
#include "finegrain/closure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Largest deviation at the j-th contrast. */
static PetscErrorCode Deviation(const FgHomogenizationTable *table, const FgHomogenizationTable *solved, PetscInt j, double most,
                                double *worst)
{
  const PetscInt   n      = solved->axes[1].n;
  const double     k      = solved->axes[1].value[j];
  const FgPhases   phases = {1.0, k, k, 1.0, PETSC_FALSE};
  const FgClosure *closure;

  PetscFunctionBegin;
  *worst = 0.0;
  PetscCall(FgClosureFromTable(table, &phases, &closure));
  for (PetscInt i = 0; i < solved->axes[0].n; i++) {
    const double f = solved->fraction_voxels[i * n + j], *K = &solved->tensor[9 * (i * n + j)];
    double       c[2], dc[2];

    if (f > most || f > closure->fiber_fraction_max) continue;
    FgClosureEvaluate(closure, &phases, 1.0 - f, c, dc);
    *worst = fmax(*worst, fabs(2.0 * c[1] / (K[0] + K[4]) - 1.0));
  }
  PetscCall(FgClosureDestroy(&closure));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Compare(char **argv)
{
  FgHomogenizationTable table, solved;
  double                deviation;

  PetscFunctionBegin;
  PetscCall(FgHomogenizationTableRead(PETSC_COMM_SELF, argv[1], &table));
  PetscCall(FgHomogenizationTableRead(PETSC_COMM_SELF, argv[2], &solved));
  PetscCheck(FgHomogenizationTableAxis(&solved, "fraction") == 0 && FgHomogenizationTableAxis(&solved, "contrast") == 1 &&
                 solved.fiber_axis == 2,
             PETSC_COMM_SELF, PETSC_ERR_USER, "%s: expected fractions first, then contrasts, of fibers along z", argv[2]);
  for (PetscInt j = 0; j < solved.axes[1].n; j++) {
    PetscCall(Deviation(&table, &solved, j, strtod(argv[3], NULL), &deviation));
    printf("%g %.2e\n", solved.axes[1].value[j], deviation);
  }
  PetscCall(FgHomogenizationTableDestroy(&table));
  PetscCall(FgHomogenizationTableDestroy(&solved));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  if (argc != 4) {
    fprintf(stderr, "usage: compare_tables TABLE.h5 SOLVED.h5 MOST\n");
    return 1;
  }
  if (PetscInitializeNoArguments() || Compare(argv)) return 1;
  return PetscFinalize() ? 1 : 0;
}
