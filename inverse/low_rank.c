/* low_rank.c: the Gauss-Newton system by the low rank of the data; see low_rank.h for the equation. */
#include "low_rank.h"

#include <petscblaslapack.h>

enum { BLOCK = 64 };
static const double MOST_BYTES = 2147483648.0; /* of three matrices [unknowns][rank] */

static PetscErrorCode Gemm(const char *ta, const char *tb, PetscInt m, PetscInt n, PetscInt k, const double *a, PetscInt lda,
                           const double *b, PetscInt ldb, double *c, PetscInt ldc)
{
  const PetscBLASInt rows = (PetscBLASInt)m, columns = (PetscBLASInt)n, inner = (PetscBLASInt)k;
  const PetscBLASInt la = (PetscBLASInt)PetscMax(lda, 1), lb = (PetscBLASInt)PetscMax(ldb, 1),
                     lc = (PetscBLASInt)PetscMax(ldc, 1);
  const PetscScalar one = 1.0, zero = 0.0;

  PetscFunctionBegin;
  PetscCallBLAS("BLASgemm", BLASgemm_(ta, tb, &rows, &columns, &inner, &one, a, &la, b, &lb, &zero, c, &lc));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgLowRankCreate(FgProblem problem, FgLowRank *low_rank)
{
  const FgField field = problem->field;
  PetscInt      rank;
  FgLowRank     r;

  PetscFunctionBegin;
  *low_rank = NULL;
  PetscCall(FgModelLowRank(problem->model, &problem->data, &rank, NULL, NULL));
  if (!rank || 24.0 * rank * field->domain->nglobal * field->ncomponents > MOST_BYTES) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscNew(&r));
  *low_rank = r;
  r->n      = field->domain->nlocal * field->ncomponents;
  r->rank   = rank;
  PetscCall(PetscMalloc1((size_t)r->n * rank, &r->rows));
  PetscCall(PetscMalloc1((size_t)rank * rank, &r->root));
  for (int i = 0; i < 2; i++) PetscCall(PetscMalloc1((size_t)rank * rank, &r->small[i]));
  PetscCall(PetscMalloc1((size_t)rank * rank, &r->factor));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Forget(FgLowRank r)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(r->V));
  PetscCall(MatDestroy(&r->K));
  r->kept = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgLowRankDestroy(FgLowRank *low_rank)
{
  FgLowRank r = *low_rank;

  PetscFunctionBegin;
  if (!r) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Forget(r));
  PetscCall(PetscFree(r->rows));
  PetscCall(PetscFree(r->root));
  for (int i = 0; i < 2; i++) PetscCall(PetscFree(r->small[i]));
  PetscCall(PetscFree(r->factor));
  PetscCall(PetscFree(*low_rank));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgLowRankLinearize(FgLowRank r, FgProblem problem)
{
  const PetscInt nc = problem->field->ncomponents;

  PetscFunctionBegin;
  PetscCall(Forget(r));
  PetscCall(FgModelLowRank(problem->model, &problem->data, &r->rank, r->rows, r->root));
  for (PetscInt i = 0; i < r->n; i++) {
    const double scale = problem->scale[i % nc];

    for (PetscInt k = 0; k < r->rank; k++) r->rows[(size_t)i * r->rank + k] *= scale;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K = P^-1 F columns, columns[column*along + i*across]. */
static PetscErrorCode Solve(FgLowRank r, PC pc, Vec free, PetscInt count, const double *columns, size_t along, size_t across,
                            Mat *K)
{
  const MPI_Comm     comm = PetscObjectComm((PetscObject)free);
  const PetscScalar *moves;
  PetscScalar       *to;
  PetscInt           lead;
  Mat                right;

  PetscFunctionBegin;
  PetscCall(MatCreateDense(comm, r->n, PETSC_DECIDE, PETSC_DETERMINE, count, NULL, &right));
  PetscCall(MatDuplicate(right, MAT_DO_NOT_COPY_VALUES, K));
  PetscCall(VecGetArrayRead(free, &moves));
  PetscCall(MatDenseGetLDA(right, &lead));
  PetscCall(MatDenseGetArrayWrite(right, &to));
  for (PetscInt k = 0; k < count; k++) {
    for (PetscInt i = 0; i < r->n; i++) to[(size_t)k * lead + i] = moves[i] * columns[k * along + i * across];
  }
  PetscCall(MatDenseRestoreArrayWrite(right, &to));
  PetscCall(VecRestoreArrayRead(free, &moves));
  PetscCall(MatAssemblyBegin(right, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(right, MAT_FINAL_ASSEMBLY));
  PetscCall(PCMatApply(pc, right, *K));
  PetscCall(MatDestroy(&right));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* C[m][m] = A[m][n] B[n][m], known to be symmetric: its lower blocks are summed up and copied. */
static PetscErrorCode SymmetricGemm(const char *ta, PetscInt m, PetscInt n, const double *a, PetscInt lda, const double *b,
                                    PetscInt ldb, double *c)
{
  const PetscBool across = *ta == 'T' ? PETSC_TRUE : PETSC_FALSE;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < m; k += BLOCK) {
    PetscCall(Gemm(ta, "N", m - k, PetscMin(BLOCK, m - k), n, across ? &a[(size_t)k * lda] : &a[k], lda, &b[(size_t)k * ldb], ldb,
                   &c[(size_t)k * m + k], m));
  }
  for (PetscInt k = 0; k < m; k++) {
    for (PetscInt i = k + 1; i < m; i++) c[(size_t)i * m + k] = c[(size_t)k * m + i];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The eigenvectors vector[found][m] of S[m][m], which is lost, of values above FG_LOW_RANK_SHARE, and one at least. */
static PetscErrorCode LargestEigen(PetscInt m, double *S, double *value, double *vector, PetscInt *found)
{
  const PetscBLASInt size = (PetscBLASInt)m, length = (PetscBLASInt)(40 * m), unused = 0;
  const PetscReal    exact = 0.0, most = PETSC_MAX_REAL;
  PetscReal          least = 0.0;
  PetscBLASInt       info, count, *integers;
  double            *work;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < m; k++) least = PetscMax(least, S[(size_t)k * (m + 1)]); /* the largest value is no smaller */
  least = PetscMin(FG_LOW_RANK_SHARE, least > 0.0 ? 0.5 * least : -1.0);
  PetscCall(PetscMalloc2(length, &work, 6 * (size_t)m, &integers));
  PetscCallBLAS("LAPACKsyevx", LAPACKsyevx_("V", "V", "L", &size, S, &size, &least, &most, &unused, &unused, &exact, &count,
                                            value, vector, &size, work, &length, integers, &integers[5 * m], &info));
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "dsyevx: error %d", (int)info);
  PetscCall(PetscFree2(work, integers));
  *found = count;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* S of the whole V, its eigenvectors, and what is kept of V and K by them: S becomes diagonal. */
static PetscErrorCode Reduce(FgLowRank r, PC pc, Vec free)
{
  const MPI_Comm     comm = PetscObjectComm((PetscObject)free);
  const PetscInt     m    = r->rank;
  double            *value, *S = r->small[0], *product = r->small[1];
  const PetscScalar *solved;
  PetscScalar       *kept;
  PetscInt           lead;
  Mat                K;

  PetscFunctionBegin;
  PetscCall(Solve(r, pc, free, m, r->rows, 1, (size_t)m, &K));
  PetscCall(MatDenseGetLDA(K, &lead));
  PetscCall(MatDenseGetArrayRead(K, &solved));
  PetscCall(SymmetricGemm("N", m, r->n, r->rows, m, solved, lead, S));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, S, (int)(m * m), MPI_DOUBLE, MPI_SUM, comm));
  PetscCall(Gemm("N", "N", m, m, m, S, m, r->root, m, product, m));
  PetscCall(SymmetricGemm("T", m, m, r->root, m, product, m, S));
  PetscCall(PetscMalloc1(m, &value));
  PetscCall(LargestEigen(m, S, value, r->factor, &r->kept));
  PetscCall(Gemm("N", "N", m, r->kept, m, r->root, m, r->factor, m, product, m));
  PetscCall(PetscMalloc1((size_t)r->kept * r->n, &r->V));
  PetscCall(Gemm("T", "N", r->n, r->kept, m, r->rows, m, product, m, r->V, r->n));
  PetscCall(MatCreateDense(comm, r->n, PETSC_DECIDE, PETSC_DETERMINE, r->kept, NULL, &r->K));
  PetscCall(MatDenseGetArrayWrite(r->K, &kept));
  PetscCall(Gemm("N", "N", r->n, r->kept, m, solved, lead, product, m, kept, r->n));
  PetscCall(MatDenseRestoreArrayWrite(r->K, &kept));
  PetscCall(PetscArrayzero(r->factor, (size_t)r->kept * r->kept));
  for (PetscInt k = 0; k < r->kept; k++) r->factor[(size_t)k * (r->kept + 1)] = PetscSqrtReal(1.0 + PetscMax(value[k], 0.0));
  PetscCall(PetscFree(value));
  PetscCall(MatDenseRestoreArrayRead(K, &solved));
  PetscCall(MatDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgLowRankFactor(FgLowRank r, PC pc, Vec free)
{
  const MPI_Comm     comm = PetscObjectComm((PetscObject)free);
  PetscBLASInt       size, info;
  const PetscScalar *solved;
  PetscInt           lead;

  PetscFunctionBegin;
  if (!r->kept) PetscFunctionReturn(Reduce(r, pc, free));
  PetscCall(MatDestroy(&r->K));
  PetscCall(Solve(r, pc, free, r->kept, r->V, (size_t)r->n, 1, &r->K));
  PetscCall(MatDenseGetLDA(r->K, &lead));
  PetscCall(MatDenseGetArrayRead(r->K, &solved));
  PetscCall(SymmetricGemm("T", r->kept, r->n, r->V, r->n, solved, lead, r->factor));
  PetscCall(MatDenseRestoreArrayRead(r->K, &solved));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, r->factor, (int)(r->kept * r->kept), MPI_DOUBLE, MPI_SUM, comm));
  for (PetscInt k = 0; k < r->kept; k++) r->factor[(size_t)k * (r->kept + 1)] += 1.0;
  size = (PetscBLASInt)r->kept;
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("L", &size, r->factor, &size, &info));
  PetscCheck(!info, comm, PETSC_ERR_LIB, "the Gauss-Newton matrix is not positive definite: dpotrf %d", (int)info);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgLowRankSolve(FgLowRank r, PC pc, Vec b, Vec x)
{
  const MPI_Comm     comm = PetscObjectComm((PetscObject)b);
  const PetscBLASInt size = (PetscBLASInt)r->kept, n = (PetscBLASInt)r->n, one = 1;
  const PetscScalar  minus = -1.0, plus = 1.0;
  double            *t = r->small[0];
  PetscBLASInt       info, lead;
  const PetscScalar *solved;
  PetscScalar       *out;
  PetscInt           stride;

  PetscFunctionBegin;
  PetscCall(PCApply(pc, b, x));
  PetscCall(VecGetArray(x, &out));
  PetscCall(Gemm("T", "N", r->kept, 1, r->n, r->V, r->n, out, r->n, t, r->kept));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, t, (int)r->kept, MPI_DOUBLE, MPI_SUM, comm));
  PetscCallBLAS("LAPACKpotrs", LAPACKpotrs_("L", &size, &one, r->factor, &size, t, &size, &info));
  PetscCheck(!info, comm, PETSC_ERR_LIB, "dpotrs: error %d", (int)info);
  PetscCall(MatDenseGetLDA(r->K, &stride));
  lead = (PetscBLASInt)PetscMax(stride, 1);
  PetscCall(MatDenseGetArrayRead(r->K, &solved));
  if (n) PetscCallBLAS("BLASgemv", BLASgemv_("N", &n, &size, &minus, solved, &lead, t, &one, &plus, out, &one));
  PetscCall(MatDenseRestoreArrayRead(r->K, &solved));
  PetscCall(VecRestoreArray(x, &out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgLowRankFreedom(FgLowRank r, PetscReal *freedom)
{
  const PetscBLASInt size    = (PetscBLASInt)r->kept;
  double            *inverse = r->small[0];
  PetscBLASInt       info;

  PetscFunctionBegin;
  PetscCall(PetscArraycpy(inverse, r->factor, (size_t)r->kept * r->kept));
  PetscCallBLAS("LAPACKpotri", LAPACKpotri_("L", &size, inverse, &size, &info));
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "dpotri: error %d", (int)info);
  *freedom = r->kept;
  for (PetscInt k = 0; k < r->kept; k++) *freedom -= inverse[(size_t)k * (r->kept + 1)];
  PetscFunctionReturn(PETSC_SUCCESS);
}
