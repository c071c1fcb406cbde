/* conjugate.c: preconditioned conjugate gradients whose vector work is fused with the operator and the preconditioner.

   One iteration reads and writes ten arrays where a library's (PETSc's KSPCG: dot products, updates and norms one after the
   other) takes sixteen: p = z + beta p happens inside of the operator's pass, r . z comes out of the preconditioner's pass
   over the frequencies (Parseval), and both updates share one pass with the residual's norm. A p and z share one array.
   That is what keeps a solve within twice its own Fourier transforms and at 40 bytes a voxel (bench/homogenize).
   Source: Hestenes and Stiefel, J. Res. NBS 49 (1952) 409; Saad, Iterative methods (2003), algorithm 9.1. */
#include "solver.h"

#include <math.h>

enum { HISTORY = 8 }; /* residuals that an error tells */

PetscErrorCode FgConjugateWorkReserve(FgConjugateWork *work, size_t n)
{
  PetscFunctionBegin;
  if (work->n == n) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgConjugateWorkDestroy(work));
  PetscCall(PetscMalloc1(n, &work->r));
  PetscCall(PetscMalloc1(n, &work->p));
  PetscCall(PetscMalloc1(n, &work->w));
  work->n = n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgConjugateWorkDestroy(FgConjugateWork *work)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(work->r));
  PetscCall(PetscFree(work->p));
  PetscCall(PetscFree(work->w));
  work->n = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x += alpha p, r -= alpha w; returns r . r. */
static double Update(size_t n, double alpha, const double *restrict p, const double *restrict w, double *restrict x,
                     double *restrict r)
{
  double sum = 0;

#pragma omp simd reduction(+ : sum)
  for (size_t i = 0; i < n; i++) {
    const double value = r[i] - alpha * w[i];

    x[i] += alpha * p[i];
    r[i] = value;
    sum += value * value;
  }
  return sum;
}

static double Dot(size_t n, const double *r)
{
  double sum = 0;

#pragma omp simd reduction(+ : sum)
  for (size_t i = 0; i < n; i++) sum += r[i] * r[i];
  return sum;
}

PetscErrorCode FgConjugateGradients(const FgConjugateOperator *A, double norm_b, double tolerance, PetscInt max_iterations,
                                    FgConjugateWork *work, double *x, FgCellSolve *solve, char *history, PetscBool *converged)
{
  const double start = FgWallSeconds();
  double       rr, rz = 0, old = 0, told[HISTORY];
  PetscInt     ntold = 0, iteration = 0, every = 1;

  PetscFunctionBegin;
  rr = Dot(work->n, work->r);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &rr, 1, MPI_DOUBLE, MPI_SUM, A->comm));
  for (; sqrt(rr) > tolerance * norm_b && iteration < max_iterations; iteration++) {
    double pw, alpha;

    if (iteration % every == 0) {
      if (ntold == HISTORY) { /* keep every second one from here on */
        for (PetscInt i = 0; i < HISTORY / 2; i++) told[i] = told[2 * i];
        ntold = HISTORY / 2;
        every *= 2;
      }
      if (iteration % every == 0) told[ntold++] = sqrt(rr) / norm_b;
    }
    PetscCall(A->precondition(A->context, work->r, work->w, &rz));
    PetscCall(A->direction(A->context, iteration ? rz / old : 0.0, work->w, work->p, work->w, &pw));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &pw, 1, MPI_DOUBLE, MPI_SUM, A->comm));
    if (!(pw > 0) || !(rz > 0) || !isfinite(pw)) break;
    alpha = rz / pw;
    rr    = Update(work->n, alpha, work->p, work->w, x, work->r);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &rr, 1, MPI_DOUBLE, MPI_SUM, A->comm));
    old = rz;
  }
  *converged = sqrt(rr) <= tolerance * norm_b ? PETSC_TRUE : PETSC_FALSE;
  solve->iterations += iteration;
  solve->residual = norm_b > 0 ? sqrt(rr) / norm_b : 0.0;
  solve->seconds += FgWallSeconds() - start;
  if (history) {
    size_t used = 0;

    history[0] = '\0';
    for (PetscInt i = 0; i < ntold && used < 230; i++)
      used += (size_t)snprintf(history + used, 256 - used, "%s%" PetscInt_FMT ": %.1e", i ? ", " : "", i * every, told[i]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgNotConverged(FgCell cell, const char *name, const FgCellSolve *solve, const char *history)
{
  PetscFunctionBegin;
  SETERRQ(PETSC_COMM_SELF, PETSC_ERR_NOT_CONVERGED,
          "%s: the cell problem %s did not converge: relative residual %.2e after %" PetscInt_FMT
          " iterations (%s); raise --max-iterations or --tolerance, or try --solver algebraic",
          cell->source, name, solve->residual, solve->iterations, history);
}
