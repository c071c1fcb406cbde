/* wide_bounds.c: the largest eigenvalue of a matrix over its diagonal, which a smoother must know, from below: a few conjugate gradients from
   eight random right-hand sides are Lanczos's process, whose tridiagonal matrices

     T_kk = 1/alpha_k + beta_k/alpha_k-1,   T_k,k+1 = sqrt(beta_k+1)/alpha_k

   have the outer eigenvalues first, also those that belong to few rows, as at a contact of low impedance.
   Source: Y. Saad, Iterative Methods for Sparse Linear Systems (2003), section 6.7.3. */
#include "wide.h"

#include "finegrain/lanes.h"

#include <math.h>
#include <petscblaslapack.h>

enum { W = FG_EIT_WIDE, STEPS = 12 };

/* p = r/diagonal + factor p. */
FG_SIMD_CLONES
static void TurnScaled(PetscInt n, const double *restrict inverse, const double *restrict factor, const double *restrict r,
                       double *restrict p)
{
  for (PetscInt i = 0; i < n; i++) {
    for (int c = 0; c < W; c++) p[(size_t)i * W + c] = inverse[i] * r[(size_t)i * W + c] + factor[c] * p[(size_t)i * W + c];
  }
}

FG_SIMD_CLONES
static void LocalNorms(PetscInt n, const double *restrict inverse, const double *restrict r, double *restrict sums)
{
  double sum[W] = {0};

  for (PetscInt i = 0; i < n; i++) {
    for (int c = 0; c < W; c++) sum[c] += inverse[i] * r[(size_t)i * W + c] * r[(size_t)i * W + c];
  }
  for (int c = 0; c < W; c++) sums[c] = sum[c];
}

static void FillRandom(PetscInt first, PetscInt n, double *r)
{
  for (PetscInt i = 0; i < n; i++) {
    uint64_t state = (uint64_t)(first + i) + 1;

    for (int c = 0; c < W; c++) {
      state                = state * 6364136223846793005u + 1442695040888963407u;
      r[(size_t)i * W + c] = (double)(state >> 40) / 8388608.0 - 1.0;
    }
  }
}

PetscErrorCode FgEitWideLargest(MPI_Comm comm, FgEitWideMatrix *A, const double *inverse, PetscInt first, double *r, double *p,
                                double *q, double *largest)
{
  const PetscInt n                  = A->nrows;
  double         diagonal[W][STEPS] = {0}, beside[W][STEPS] = {0}, rz[W], start[W], next[W], pq[W], factor[W];
  PetscInt       steps[W] = {0};

  PetscFunctionBegin;
  FillRandom(first, n, r);
  PetscCall(PetscArrayzero(p, (size_t)n * W));
  for (int c = 0; c < W; c++) factor[c] = rz[c] = 0.0;
  for (int k = 0; k < STEPS; k++) {
    LocalNorms(n, inverse, r, next);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, next, W, MPI_DOUBLE, MPI_SUM, comm));
    for (int c = 0; c < W; c++) {
      if (!k) start[c] = next[c];
      factor[c] = k && rz[c] > 0.0 ? next[c] / rz[c] : 0.0;
      if (steps[c] == k && k) { /* 1/alpha of the last step stands in its diagonal */
        diagonal[c][k]   = factor[c] * beside[c][k - 1];
        beside[c][k - 1] = sqrt(factor[c]) * beside[c][k - 1];
      }
      rz[c] = next[c];
    }
    TurnScaled(n, inverse, factor, r, p);
    PetscCall(FgEitWideFetch(A, p));
    FgEitWideProduct(A, p, q);
    PetscCall(FgEitWideDots(comm, n, p, q, pq));
    for (int c = 0; c < W; c++) {
      factor[c] = 0.0;
      if (steps[c] < k || !(rz[c] > 1e-16 * start[c] && pq[c] > 0.0)) continue; /* solved: this column is at its end */
      diagonal[c][k] += pq[c] / rz[c];
      beside[c][k] = pq[c] / rz[c];
      factor[c]    = -rz[c] / pq[c];
      steps[c]     = k + 1;
    }
    FgEitWideAdd(n, factor, q, r);
  }
  *largest = 0.0;
  for (int c = 0; c < W; c++) {
    PetscBLASInt size = (PetscBLASInt)steps[c], one = 1, info;

    if (!size) continue;
    PetscCallBLAS("LAPACKsteqr", LAPACKsteqr_("N", &size, diagonal[c], beside[c], NULL, &one, NULL, &info));
    PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "potentials: no eigenvalues of a tridiagonal matrix (%d)", (int)info);
    *largest = PetscMax(*largest, diagonal[c][size - 1]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
