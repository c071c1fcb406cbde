/* conjugate.c: the solver's own conjugate gradients against PETSc's, for bench/homogenize.sh library.

   usage: bench_conjugate RESOLUTION CONTRAST TIMES
     The cell problem of direction x of random spheres (fraction 0.3), relative residual 1e-6, by FgScalarSolve and by KSPCG with the
     same operator and preconditioner as shells and the same norm. Prints the least seconds of TIMES runs of each as JSON. */
#include "finegrain/geometry.h"
#include "forward/cell/solver.h"

#include <petscksp.h>
#include <stdlib.h>

static PetscErrorCode Multiply(Mat A, Vec x, Vec y)
{
  const PetscScalar *x_values;
  PetscScalar       *y_values;
  FgScalar           op;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &op));
  PetscCall(VecGetArrayRead(x, &x_values));
  PetscCall(VecGetArray(y, &y_values));
  PetscCall(FgScalarApply(op, x_values, y_values));
  PetscCall(VecRestoreArray(y, &y_values));
  PetscCall(VecRestoreArrayRead(x, &x_values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Precondition(PC pc, Vec r, Vec z)
{
  const PetscScalar *r_values;
  PetscScalar       *z_values;
  FgScalar           op;

  PetscFunctionBegin;
  PetscCall(PCShellGetContext(pc, &op));
  PetscCall(VecGetArrayRead(r, &r_values));
  PetscCall(VecGetArray(z, &z_values));
  PetscCall(FgScalarPrecondition(op, r_values, z_values));
  PetscCall(VecRestoreArray(z, &z_values));
  PetscCall(VecRestoreArrayRead(r, &r_values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Library(FgCell cell, FgScalar op, double tolerance, PetscInt times, double *seconds, PetscInt *iterations)
{
  Mat          A;
  Vec          b, x;
  KSP          ksp;
  PC           pc;
  PetscScalar *values;

  PetscFunctionBegin;
  PetscCall(MatCreateShell(cell->comm, cell->nlocal, cell->nlocal, PETSC_DETERMINE, PETSC_DETERMINE, op, &A));
  PetscCall(MatShellSetOperation(A, MATOP_MULT, (void (*)(void))Multiply));
  PetscCall(MatCreateVecs(A, &x, &b));
  PetscCall(VecGetArray(b, &values));
  PetscCall(FgScalarSource(op, 0, values));
  PetscCall(VecRestoreArray(b, &values));
  PetscCall(KSPCreate(cell->comm, &ksp));
  PetscCall(KSPSetOperators(ksp, A, A));
  PetscCall(KSPSetType(ksp, KSPCG));
  PetscCall(KSPSetNormType(ksp, KSP_NORM_UNPRECONDITIONED));
  PetscCall(KSPSetTolerances(ksp, tolerance, PETSC_DEFAULT, PETSC_DEFAULT, 2000));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, op));
  PetscCall(PCShellSetApply(pc, Precondition));
  for (PetscInt i = 0; i < times; i++) {
    const double start = FgWallSeconds();

    PetscCall(KSPSolve(ksp, b, x));
    *seconds = PetscMin(*seconds, FgWallSeconds() - start);
  }
  PetscCall(KSPGetIterationNumber(ksp, iterations));
  PetscCall(KSPDestroy(&ksp));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&b));
  PetscCall(MatDestroy(&A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  FgGeometrySettings geometry = FgGeometryDefaults;
  FgCellSettings     settings = FgCellDefaults;
  FgCellReport       report   = {0};
  FgCell             cell;
  FgScalar           op;
  double             conductivity[2] = {1.0, 0.0}, own = PETSC_MAX_REAL, library = PETSC_MAX_REAL, transforms = 0, *x;
  PetscInt           times, own_iterations = 0, library_iterations = 0;

  if (argc != 4) {
    fprintf(stderr, "usage: bench_conjugate RESOLUTION CONTRAST TIMES\n");
    return 2;
  }
  PetscCall(PetscInitialize(NULL, NULL, NULL, NULL));
  geometry.fraction   = 0.3;
  geometry.seed       = 1;
  geometry.resolution = atoi(argv[1]);
  conductivity[1]     = atof(argv[2]);
  times               = atoi(argv[3]);
  settings.tolerance  = 1e-6;
  settings.solver     = FG_CELL_SOLVER_SPECTRAL;
  PetscCall(FgGeometryCreate(PETSC_COMM_WORLD, FgGeometryFind("random-spheres"), &geometry, NULL, &cell));
  PetscCall(FgScalarCreate(cell, &settings, conductivity, 1, &op));
  PetscCall(PetscMalloc1(cell->nlocal, &x));
  PetscCall(FgScalarSource(op, 0, x));
  PetscCall(FgScalarPrecondition(op, x, x)); /* makes the plans */
  for (PetscInt i = 0; i < times; i++) {
    const FgCellSolve *solve;

    PetscCall(FgScalarSolve(op, "K x", NULL, 0, x, &report));
    solve = &report.solves[report.nsolves - 1];
    if (solve->seconds < own) transforms = solve->fft_seconds;
    own            = PetscMin(own, solve->seconds);
    own_iterations = solve->iterations;
  }
  PetscCall(Library(cell, op, settings.tolerance, times, &library, &library_iterations));
  PetscCall(PetscPrintf(
      PETSC_COMM_WORLD,
      "{\"own\": %.4g, \"own_iterations\": %d, \"library\": %.4g, \"library_iterations\": %d, \"transforms\": %.4g}\n", own,
      (int)own_iterations, library, (int)library_iterations, transforms));
  PetscCall(PetscFree(x));
  PetscCall(FgReportDestroy(&report));
  PetscCall(FgScalarDestroy(&op));
  PetscCall(FgCellDestroy(&cell));
  PetscCall(PetscFinalize());
  return 0;
}
