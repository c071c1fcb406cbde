/* statistics.c: exact quantiles over ranks by bisection on the bit pattern, and tiny dense solves.

   For non-negative IEEE floats the order of values is that of their bit patterns as integers, so 31 rounds of counting find
   a quantile exactly, whatever the distribution over ranks; each round drops the values that it has ruled out. */
#include "finegrain/statistics.h"

#include <math.h>
#include <string.h>

PetscErrorCode FgQuantile(MPI_Comm comm, PetscInt n, const float values[], PetscInt stride, double q, double *quantile)
{
  uint32_t   low = 0, high = 0;
  PetscInt64 total, wanted, below = 0; /* below: values under the candidates, all ranks */
  PetscInt   nleft = 0;
  float *left, result, range[2] = {0.0f, 0.0f}; /* candidates of this rank: those with patterns low .. high; -least, largest */

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &left));
  range[0] = -INFINITY;
  for (PetscInt i = 0; i < n; i++) {
    const float value = values[i * (size_t)stride];

    if (!isfinite(value)) continue;
    left[nleft++] = value;
    range[0]      = -value > range[0] ? -value : range[0];
    range[1]      = value > range[1] ? value : range[1];
  }
  total = nleft;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPIU_INT64, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, range, 2, MPI_FLOAT, MPI_MAX, comm));
  range[0] = -range[0];
  if (total) {
    memcpy(&low, &range[0], sizeof(low));
    memcpy(&high, &range[1], sizeof(high));
  }
  low &= 0x7fffffffu; /* of minus zero */
  wanted = (PetscInt64)ceil(q * (double)total);
  wanted = PetscMax(1, PetscMin(wanted, total));
  while (total && low < high) {
    const uint32_t middle = low + (high - low) / 2;
    PetscInt64     count  = 0;
    PetscInt       kept   = 0;
    float          bound;

    memcpy(&bound, &middle, sizeof(bound));
    for (PetscInt i = 0; i < nleft; i++) count += left[i] <= bound ? 1 : 0;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &count, 1, MPIU_INT64, MPI_SUM, comm));
    if (below + count >= wanted) {
      high = middle;
      for (PetscInt i = 0; i < nleft; i++) {
        left[kept] = left[i];
        kept += left[i] <= bound ? 1 : 0;
      }
    } else {
      low = middle + 1;
      below += count;
      for (PetscInt i = 0; i < nleft; i++) {
        left[kept] = left[i];
        kept += left[i] > bound ? 1 : 0;
      }
    }
    nleft = kept;
  }
  PetscCall(PetscFree(left));
  memcpy(&result, &low, sizeof(result));
  *quantile = total ? result : NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool FgCholeskySolve(PetscInt n, PetscInt lda, double *A, double *b)
{
  for (PetscInt j = 0; j < n; j++) {
    for (PetscInt i = j; i < n; i++) {
      double sum = A[i * lda + j];

      for (PetscInt k = 0; k < j; k++) sum -= A[i * lda + k] * A[j * lda + k];
      if (i > j) {
        A[i * lda + j] = sum / A[j * lda + j];
      } else {
        if (!(sum > 0.0)) return PETSC_FALSE;
        A[j * lda + j] = sqrt(sum);
      }
    }
  }
  FgCholeskySubstitute(n, lda, A, b);
  return PETSC_TRUE;
}

void FgCholeskySubstitute(PetscInt n, PetscInt lda, const double *A, double *b)
{
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt k = 0; k < i; k++) b[i] -= A[i * lda + k] * b[k];
    b[i] /= A[i * lda + i];
  }
  for (PetscInt i = n - 1; i >= 0; i--) {
    for (PetscInt k = i + 1; k < n; k++) b[i] -= A[k * lda + i] * b[k];
    b[i] /= A[i * lda + i];
  }
}
