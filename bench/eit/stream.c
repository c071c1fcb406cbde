/* stream.c: bytes and seconds of the conjugate gradients of electrode voltages, against one pass through the matrix.

   A matrix in compressed rows holds 12 bytes an entry (a double and a column's number of 32 bits) and 4 a row. An iteration multiplies the
   matrix itself once and four times a level in the V-cycle, by each interpolation and its transpose once (forward/eit/wide_cycle.c). */
#include "stream.h"

#include "forward/eit/eit.h"
#include "forward/eit/wide.h"

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

static PetscErrorCode Hierarchy(KSP ksp, Traffic *t)
{
  PetscInt levels;
  PC       pc;

  PetscFunctionBegin;
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCMGGetLevels(pc, &levels));
  for (PetscInt level = 0; level < levels; level++) {
    Mat    A, P;
    KSP    smoother;
    double matrix = 0.0, interpolation = 0.0;

    PetscCall(PCMGGetSmoother(pc, level, &smoother));
    PetscCall(KSPGetOperators(smoother, &A, NULL));
    PetscCall(Bytes(A, &matrix));
    t->hierarchy += matrix;
    if (!level) continue;
    PetscCall(PCMGGetInterpolation(pc, level, &P));
    PetscCall(Bytes(P, &interpolation));
    t->hierarchy += interpolation;
    t->read += 4.0 * matrix + 2.0 * interpolation;
  }
  t->read += t->matrix;
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
    double start, end;
    double sum[8] = {0};

    start = FgCpuSeconds();
    for (size_t i = 0; i < n; i += 8) {
      for (int j = 0; j < 8; j++) sum[j] += values[i + j];
    }
    for (int j = 0; j < 8; j++) keep += sum[j];
    end      = FgCpuSeconds();
    *seconds = PetscMin(*seconds, end - start);
  }
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Iterate(FgEitState *s, Traffic *t)
{
  Mat X;
  Vec b, x;

  PetscFunctionBegin;
  t->multiply = t->iteration = PETSC_INFINITY;
  PetscCall(MatDuplicate(s->X[0], MAT_DO_NOT_COPY_VALUES, &X));
  for (int k = 0; k < 3; k++) {
    double   start, end;
    PetscInt n;

    PetscCall(MatZeroEntries(X));
    start = FgCpuSeconds();
    PetscCall(FgEitWideSolve(s->system.wide, s->system.tolerance, FG_EIT_WIDE, s->B[0], X, &n));
    end          = FgCpuSeconds();
    t->iteration = PetscMin(t->iteration, (end - start) / n);
    PetscCall(MatDenseGetColumnVecRead(s->B[0], 0, &b));
    PetscCall(MatDenseGetColumnVec(X, 0, &x));
    start = FgCpuSeconds();
    for (int j = 0; j < 3; j++) PetscCall(MatMult(s->system.matrix, b, x));
    end = FgCpuSeconds();
    PetscCall(MatDenseRestoreColumnVec(X, 0, &x));
    PetscCall(MatDenseRestoreColumnVecRead(s->B[0], 0, &b));
    t->multiply = PetscMin(t->multiply, (end - start) / 3.0);
  }
  PetscCall(MatDestroy(&X));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode MeasureTraffic(FgModel model, Traffic *t)
{
  FgEitState *s = model->context;

  PetscFunctionBegin;
  *t = (Traffic){0};
  if (s->system.direct || s->currents.driven < FG_EIT_WIDE) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Bytes(s->system.matrix, &t->matrix));
  PetscCall(Hierarchy(s->system.ksp, t));
  PetscCall(Read(t->matrix, &t->pass));
  PetscCall(Iterate(s, t));
  PetscFunctionReturn(PETSC_SUCCESS);
}
