/* statistics.c: exact quantiles over ranks by bisection on the bit pattern, and tiny dense solves.

   For non-negative IEEE floats the order of values is that of their bit patterns as integers, so 32 rounds of counting find
   a quantile exactly, whatever the distribution over ranks, without moving the values. */
#include "finegrain/statistics.h"

#include <math.h>
#include <string.h>

PetscErrorCode FgQuantile(MPI_Comm comm, PetscInt n, const float values[], PetscInt stride, double q, double *quantile)
{
  uint32_t   low = 0, high = 0x7f7fffffu; /* largest finite float */
  PetscInt64 total = 0, wanted;
  float      result;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) total += isfinite(values[i * (size_t)stride]) ? 1 : 0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPIU_INT64, MPI_SUM, comm));
  *quantile = NAN;
  if (!total) PetscFunctionReturn(PETSC_SUCCESS);
  wanted = (PetscInt64)ceil(q * (double)total);
  wanted = PetscMax(1, PetscMin(wanted, total));
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    PetscInt64     count  = 0;
    float          bound;

    memcpy(&bound, &middle, sizeof(bound));
    for (PetscInt i = 0; i < n; i++) count += values[i * (size_t)stride] <= bound ? 1 : 0;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &count, 1, MPIU_INT64, MPI_SUM, comm));
    if (count >= wanted) high = middle;
    else low = middle + 1;
  }
  memcpy(&result, &low, sizeof(result));
  *quantile = result;
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
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt k = 0; k < i; k++) b[i] -= A[i * lda + k] * b[k];
    b[i] /= A[i * lda + i];
  }
  for (PetscInt i = n - 1; i >= 0; i--) {
    for (PetscInt k = i + 1; k < n; k++) b[i] -= A[k * lda + i] * b[k];
    b[i] /= A[i * lda + i];
  }
  return PETSC_TRUE;
}
