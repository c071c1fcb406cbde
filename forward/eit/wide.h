/* wide.h: sparse matrices times FG_EIT_WIDE vectors side by side, and multigrid-preconditioned conjugate gradients on them.

   A product with one vector takes 12 bytes of the matrix for two operations: the memory decides. Eight right-hand sides at once read it
   once. Vectors lie by rows: x[row][FG_EIT_WIDE], a cache line each. */
#ifndef FINEGRAIN_FORWARD_EIT_WIDE_H
#define FINEGRAIN_FORWARD_EIT_WIDE_H

#include "finegrain/base.h"

#include <petscksp.h>
#include <petscsf.h>

enum { FG_EIT_WIDE = 8 };

/* Compressed rows of a matrix of this rank: its own columns, and those of other ranks [nghost]. The numbers are the matrix's own. */
typedef struct {
  PetscInt        nrows, ncolumns, nghost;
  const PetscInt *start[2], *column[2];
  const double   *value[2];
  PetscSF         ghosts; /* NULL on one rank */
  MPI_Datatype    row;
  double         *ghost; /* [nghost][FG_EIT_WIDE] */
} FgEitWideMatrix;

/* Of an AIJ matrix, which must stay as it is until the matrix is closed. */
PetscErrorCode FgEitWideOpen(Mat A, FgEitWideMatrix *wide);
PetscErrorCode FgEitWideClose(FgEitWideMatrix *wide);
/* Fetches x of the columns that other ranks own; before a product. Collective. */
PetscErrorCode FgEitWideFetch(FgEitWideMatrix *A, const double *x);
/* y = A x; r -= A x. */
void FgEitWideProduct(const FgEitWideMatrix *A, const double *x, double *y);
void FgEitWideSubtract(const FgEitWideMatrix *A, const double *x, double *r);
/* e = P y, x += e. */
void FgEitWideProlong(const FgEitWideMatrix *P, const double *y, double *e, double *x);
/* y = P^T r. Collective. */
PetscErrorCode FgEitWideRestrict(FgEitWideMatrix *P, const double *r, double *y);
/* r -= A d, e = keep d + take r/diagonal, x += e. */
void FgEitWideSmooth(const FgEitWideMatrix *A, const double *inverse, double keep, double take, const double *d, double *r,
                     double *e, double *x);

/* sums[FG_EIT_WIDE] over all rows and ranks of x y; collective. y += factor x, by columns. */
PetscErrorCode FgEitWideDots(MPI_Comm comm, PetscInt n, const double *x, const double *y, double *sums);
void           FgEitWideAdd(PetscInt n, const double *factor, const double *x, double *y);

/* wide_bounds.c: the largest eigenvalue of A over its diagonal, whose inverse is given; first row of this rank; work r, p, q. Collective. */
PetscErrorCode FgEitWideLargest(MPI_Comm comm, FgEitWideMatrix *A, const double *inverse, PetscInt first, double *r, double *p,
                                double *q, double *largest);

/* wide_cycle.c: conjugate gradients with the V-cycles of an algebraic multigrid that PETSc has set up. */
typedef struct FgEitWide_ *FgEitWide;
/* Of a KSP whose preconditioner is of type gamg; again after each KSPSetUp. Collective. */
PetscErrorCode FgEitWideSetup(KSP ksp, FgEitWide *wide);
PetscErrorCode FgEitWideDestroy(FgEitWide *wide);
/* A x = b for n columns of dense matrices, from the x given, to the relative `tolerance` in the norm of the preconditioner. The most
   iterations that any took; PETSC_ERR_NOT_CONVERGED after 500. Collective. */
PetscErrorCode FgEitWideSolve(FgEitWide wide, PetscReal tolerance, PetscInt n, Mat B, Mat X, PetscInt *iterations);

#endif
