/* stream.c: bytes and seconds of the conjugate gradients of electrode voltages, against one pass through the matrix.

   A matrix in compressed rows holds 12 bytes an entry (a double and a column's number of 32 bits) and 4 a row. What an iteration reads of
   matrices follows from the floating-point operations that PETSc counts in products with them, two an entry. */
#include "stream.h"

#include "forward/eit/eit.h"

#include <petscksp.h>
#include <petsctime.h>

static PetscErrorCode Bytes(Mat A, double *bytes)
{
  MatInfo  info;
  PetscInt rows;

  PetscFunctionBegin;
  PetscCall(MatGetInfo(A, MAT_GLOBAL_SUM, &info));
  PetscCall(MatGetSize(A, &rows, NULL));
  *bytes += 12.0 * info.nz_used + 4.0 * rows;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Hierarchy(KSP ksp, double *bytes)
{
  PetscInt levels;
  PC       pc;

  PetscFunctionBegin;
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCMGGetLevels(pc, &levels));
  for (PetscInt level = 0; level < levels; level++) {
    Mat A, P;
    KSP smoother;

    PetscCall(PCMGGetSmoother(pc, level, &smoother));
    PetscCall(KSPGetOperators(smoother, &A, NULL));
    PetscCall(Bytes(A, bytes));
    if (!level) continue;
    PetscCall(PCMGGetInterpolation(pc, level, &P));
    PetscCall(Bytes(P, bytes));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The least seconds of reading so many bytes, in eight independent sums. */
static PetscErrorCode Read(double bytes, double *seconds)
{
  const size_t    n = (size_t)(bytes / sizeof(double)) / 8 * 8;
  double         *values;
  volatile double keep = 0.0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &values));
  for (size_t i = 0; i < n; i++) values[i] = 1.0;
  *seconds = PETSC_INFINITY;
  for (int k = 0; k < 5; k++) {
    PetscLogDouble start, end;
    double         sum[8] = {0};

    PetscCall(PetscTime(&start));
    for (size_t i = 0; i < n; i += 8) {
      for (int j = 0; j < 8; j++) sum[j] += values[i + j];
    }
    for (int j = 0; j < 8; j++) keep += sum[j];
    PetscCall(PetscTime(&end));
    *seconds = PetscMin(*seconds, end - start);
  }
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Operations so far in products with matrices. */
static PetscErrorCode Operations(double *operations)
{
  static const char *const names[] = {"MatMult", "MatMultAdd", "MatMultTranspose", "MatMultTrAdd", "MatSOR"};

  PetscFunctionBegin;
  *operations = 0.0;
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
    PetscEventPerfInfo info;
    PetscLogEvent      event;

    PetscCall(PetscLogEventGetId(names[k], &event));
    PetscCall(PetscLogEventGetPerfInfo(PETSC_DETERMINE, event, &info));
    *operations += info.flops;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Iterate(KSP ksp, Mat A, Vec b, Vec x, Traffic *t)
{
  PetscFunctionBegin;
  t->multiply = t->iteration = PETSC_INFINITY;
  for (int k = 0; k < 3; k++) {
    PetscLogDouble start, middle, end;
    double         before, after;
    PetscInt       n;

    PetscCall(VecZeroEntries(x));
    PetscCall(Operations(&before));
    PetscCall(PetscTime(&start));
    PetscCall(KSPSolve(ksp, b, x));
    PetscCall(PetscTime(&middle));
    PetscCall(Operations(&after));
    PetscCall(KSPGetIterationNumber(ksp, &n));
    t->iteration = PetscMin(t->iteration, (middle - start) / n);
    t->read      = 6.0 * (after - before) / n;
    PetscCall(PetscTime(&middle));
    for (int j = 0; j < 3; j++) PetscCall(MatMult(A, b, x));
    PetscCall(PetscTime(&end));
    t->multiply = PetscMin(t->multiply, (end - middle) / 3.0);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode MeasureTraffic(FgModel model, Traffic *t)
{
  FgEitState *s = model->context;
  Vec         b, x;

  PetscFunctionBegin;
  *t = (Traffic){0};
  if (s->system.direct) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Bytes(s->system.matrix, &t->matrix));
  PetscCall(Hierarchy(s->system.ksp, &t->hierarchy));
  PetscCall(Read(t->matrix, &t->pass));
  PetscCall(PetscLogDefaultBegin());
  PetscCall(MatCreateVecs(s->system.matrix, &x, NULL));
  PetscCall(MatDenseGetColumnVecRead(s->B[0], 0, &b));
  PetscCall(Iterate(s->system.ksp, s->system.matrix, b, x, t));
  PetscCall(MatDenseRestoreColumnVecRead(s->B[0], 0, &b));
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(PETSC_SUCCESS);
}
