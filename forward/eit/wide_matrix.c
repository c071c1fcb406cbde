/* wide_matrix.c: products of compressed rows with FG_EIT_WIDE vectors side by side, and sums over these; see wide.h. */
#include "wide.h"

#include "finegrain/lanes.h"

#include <string.h>

enum { W = FG_EIT_WIDE };

static PetscErrorCode Rows(Mat A, PetscInt part, FgEitWideMatrix *wide)
{
  PetscBool          done;
  PetscInt           n;
  const PetscScalar *value;

  PetscFunctionBegin;
  PetscCall(MatGetRowIJ(A, 0, PETSC_FALSE, PETSC_FALSE, &n, &wide->start[part], &wide->column[part], &done));
  PetscCheck(done, PETSC_COMM_SELF, PETSC_ERR_SUP, "potentials: a matrix of the multigrid is not in compressed rows");
  PetscCall(MatSeqAIJGetArrayRead(A, &value));
  wide->value[part] = value;
  PetscCall(MatSeqAIJRestoreArrayRead(A, &value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitWideOpen(Mat A, FgEitWideMatrix *wide)
{
  PetscBool       parallel;
  PetscLayout     columns;
  Mat             own, other;
  const PetscInt *global;

  PetscFunctionBegin;
  memset(wide, 0, sizeof *wide);
  PetscCall(MatGetLocalSize(A, &wide->nrows, &wide->ncolumns));
  PetscCall(PetscObjectTypeCompare((PetscObject)A, MATMPIAIJ, &parallel));
  if (!parallel) {
    PetscCall(Rows(A, 0, wide));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(MatMPIAIJGetSeqAIJ(A, &own, &other, &global));
  PetscCall(Rows(own, 0, wide));
  PetscCall(Rows(other, 1, wide));
  PetscCall(MatGetLocalSize(other, NULL, &wide->nghost));
  PetscCall(MatGetLayouts(A, NULL, &columns));
  PetscCall(PetscSFCreate(PetscObjectComm((PetscObject)A), &wide->ghosts));
  PetscCall(PetscSFSetGraphLayout(wide->ghosts, columns, wide->nghost, NULL, PETSC_COPY_VALUES, global));
  PetscCallMPI(MPI_Type_contiguous(W, MPI_DOUBLE, &wide->row));
  PetscCallMPI(MPI_Type_commit(&wide->row));
  PetscCall(PetscMalloc1((size_t)wide->nghost * W, &wide->ghost));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitWideClose(FgEitWideMatrix *wide)
{
  PetscFunctionBegin;
  if (wide->ghosts) PetscCallMPI(MPI_Type_free(&wide->row));
  PetscCall(PetscSFDestroy(&wide->ghosts));
  PetscCall(PetscFree(wide->ghost));
  memset(wide, 0, sizeof *wide);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitWideFetch(FgEitWideMatrix *A, const double *x)
{
  PetscFunctionBegin;
  if (!A->ghosts) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscSFBcastBegin(A->ghosts, A->row, x, A->ghost, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(A->ghosts, A->row, x, A->ghost, MPI_REPLACE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sum[W] = a row times x. */
static inline void Row(const FgEitWideMatrix *A, PetscInt row, const double *restrict x, double *restrict sum)
{
  for (int c = 0; c < W; c++) sum[c] = 0.0;
  for (PetscInt k = A->start[0][row]; k < A->start[0][row + 1]; k++) {
    const double a           = A->value[0][k];
    const double *restrict y = &x[(size_t)A->column[0][k] * W];

#pragma omp simd
    for (int c = 0; c < W; c++) sum[c] += a * y[c];
  }
  if (!A->ghosts) return;
  for (PetscInt k = A->start[1][row]; k < A->start[1][row + 1]; k++) {
    const double a           = A->value[1][k];
    const double *restrict y = &A->ghost[(size_t)A->column[1][k] * W];

#pragma omp simd
    for (int c = 0; c < W; c++) sum[c] += a * y[c];
  }
}

FG_SIMD_CLONES
void FgEitWideProduct(const FgEitWideMatrix *A, const double *restrict x, double *restrict y)
{
  for (PetscInt i = 0; i < A->nrows; i++) {
    double sum[W];

    Row(A, i, x, sum);
    for (int c = 0; c < W; c++) y[(size_t)i * W + c] = sum[c];
  }
}

FG_SIMD_CLONES
void FgEitWideSubtract(const FgEitWideMatrix *A, const double *restrict x, double *restrict r)
{
  for (PetscInt i = 0; i < A->nrows; i++) {
    double sum[W];

    Row(A, i, x, sum);
    for (int c = 0; c < W; c++) r[(size_t)i * W + c] -= sum[c];
  }
}

FG_SIMD_CLONES
void FgEitWideProlong(const FgEitWideMatrix *P, const double *restrict y, double *restrict e, double *restrict x)
{
  for (PetscInt i = 0; i < P->nrows; i++) {
    double sum[W];

    Row(P, i, y, sum);
    for (int c = 0; c < W; c++) {
      e[(size_t)i * W + c] = sum[c];
      x[(size_t)i * W + c] += sum[c];
    }
  }
}

FG_SIMD_CLONES
void FgEitWideSmooth(const FgEitWideMatrix *A, const double *restrict inverse, double keep, double take, const double *restrict d,
                     double *restrict r, double *restrict e, double *restrict x)
{
  for (PetscInt i = 0; i < A->nrows; i++) {
    const double scale = take * inverse[i];
    double       sum[W];

    Row(A, i, d, sum);
    for (int c = 0; c < W; c++) {
      const size_t k = (size_t)i * W + c;

      r[k] -= sum[c];
      e[k] = keep * d[k] + scale * r[k];
      x[k] += e[k];
    }
  }
}

/* y += P^T r for the columns of a part. */
FG_SIMD_CLONES
static void Spread(const FgEitWideMatrix *P, int part, const double *restrict r, double *restrict y)
{
  for (PetscInt i = 0; i < P->nrows; i++) {
    const double *restrict from = &r[(size_t)i * W];

    for (PetscInt k = P->start[part][i]; k < P->start[part][i + 1]; k++) {
      const double a      = P->value[part][k];
      double *restrict to = &y[(size_t)P->column[part][k] * W];

#pragma omp simd
      for (int c = 0; c < W; c++) to[c] += a * from[c];
    }
  }
}

PetscErrorCode FgEitWideRestrict(FgEitWideMatrix *P, const double *r, double *y)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(y, (size_t)P->ncolumns * W));
  Spread(P, 0, r, y);
  if (!P->ghosts) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscArrayzero(P->ghost, (size_t)P->nghost * W));
  Spread(P, 1, r, P->ghost);
  PetscCall(PetscSFReduceBegin(P->ghosts, P->row, P->ghost, y, MPI_SUM));
  PetscCall(PetscSFReduceEnd(P->ghosts, P->row, P->ghost, y, MPI_SUM));
  PetscFunctionReturn(PETSC_SUCCESS);
}

FG_SIMD_CLONES
static void LocalDots(PetscInt n, const double *restrict x, const double *restrict y, double *restrict sums)
{
  double sum[W] = {0};

  for (PetscInt i = 0; i < n; i++) {
    for (int c = 0; c < W; c++) sum[c] += x[(size_t)i * W + c] * y[(size_t)i * W + c];
  }
  for (int c = 0; c < W; c++) sums[c] = sum[c];
}

PetscErrorCode FgEitWideDots(MPI_Comm comm, PetscInt n, const double *x, const double *y, double *sums)
{
  PetscFunctionBegin;
  LocalDots(n, x, y, sums);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, W, MPI_DOUBLE, MPI_SUM, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

FG_SIMD_CLONES
void FgEitWideAdd(PetscInt n, const double *restrict factor, const double *restrict x, double *restrict y)
{
  for (PetscInt i = 0; i < n; i++) {
    for (int c = 0; c < W; c++) y[(size_t)i * W + c] += factor[c] * x[(size_t)i * W + c];
  }
}
