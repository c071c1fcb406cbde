/* statistics.h: order statistics of values spread over ranks. */
#ifndef FINEGRAIN_STATISTICS_H
#define FINEGRAIN_STATISTICS_H

#include "base.h"

/* The smallest value v of the union over ranks such that at least fraction `q` of the finite values are <= v; NaN where
   there are none. Exact, and independent of the distribution. Values must not be negative. Collective. */
PETSC_EXTERN PetscErrorCode FgQuantile(MPI_Comm comm, PetscInt n, const float values[], PetscInt stride, double q,
                                       double *quantile);

/* Cholesky solution of the leading n x n system of a symmetric positive definite matrix with row stride lda, in place:
   A becomes its factor, b the solution. FALSE where A is not positive definite. n <= 8. */
PETSC_EXTERN PetscBool FgCholeskySolve(PetscInt n, PetscInt lda, double *A, double *b);

/* The same for another b, with the factor that FgCholeskySolve has left in A. */
PETSC_EXTERN void FgCholeskySubstitute(PetscInt n, PetscInt lda, const double *A, double *b);

#endif
