/* wide_cycle.c: conjugate gradients on FG_EIT_WIDE right-hand sides side by side, preconditioned by V-cycles.

   The hierarchy, its interpolations and the solver of the coarsest level are PETSc's (PCGAMG, smoothed aggregation). A level smooths twice
   before and twice after the coarser ones by Chebyshev's polynomial of the matrix over its diagonal D, for eigenvalues from a tenth of the
   largest: with theta, delta the middle and half width of that range, sigma = theta/delta, rho_0 = 1/sigma,

     d_0 = D^-1 r/theta,   rho_k+1 = 1/(2 sigma - rho_k),   d_k+1 = rho_k+1 rho_k d_k + 2 rho_k+1/delta D^-1 r,   x += d, r -= A d

   so that before and after are adjoint to one another and the cycle is symmetric. Each column has conjugate gradients of its own; they
   go on together until all have converged. Where an eigenvalue was larger than had been found the cycle may be indefinite; the range is widened
   then and the iteration goes on from where it is.
   Source: Y. Saad, Iterative Methods for Sparse Linear Systems (2003), algorithms 12.1 and 9.1, and chapter 13. */
#include "wide.h"

#include "finegrain/lanes.h"

#include <math.h>

enum { W = FG_EIT_WIDE, LIMIT = 500, WIDENINGS = 4 };

typedef struct {
  FgEitWideMatrix A, P;         /* P from the next coarser level */
  double         *inverse;      /* [nrows] of the diagonal */
  double          theta, delta; /* of the range that is smoothed */
  double         *b, *x;        /* [nrows][W]; the finest level has its caller's */
  double         *r, *d, *e;
} Level;

struct FgEitWide_ {
  MPI_Comm comm;
  PetscInt nlevels; /* the finest is the last */
  Level   *level;
  KSP      coarsest; /* borrowed */
  Vec      right, solution;
  double  *r, *x, *z, *p; /* of the finest */
};

/* y = x + factor y, by columns. */
FG_SIMD_CLONES
static void Turn(PetscInt n, const double *restrict factor, const double *restrict x, double *restrict y)
{
  for (PetscInt i = 0; i < n; i++) {
    for (int c = 0; c < W; c++) y[(size_t)i * W + c] = x[(size_t)i * W + c] + factor[c] * y[(size_t)i * W + c];
  }
}

/* d = scale r/diagonal; x += d, or x = d where it is the first. */
FG_SIMD_CLONES
static void First(PetscInt n, const double *restrict inverse, double scale, PetscBool first, const double *restrict r,
                  double *restrict d, double *restrict x)
{
  for (PetscInt i = 0; i < n; i++) {
    const double s = scale * inverse[i];

    for (int c = 0; c < W; c++) {
      const size_t k = (size_t)i * W + c;

      d[k] = s * r[k];
      x[k] = d[k] + (first ? 0.0 : x[k]);
    }
  }
}

static PetscErrorCode OpenLevel(MPI_Comm comm, PC pc, PetscInt which, PetscBool finest, Level *l)
{
  KSP                smoother;
  Mat                A, P;
  Vec                diagonal;
  const PetscScalar *values;
  PetscInt           first;
  size_t             n;
  double             largest;

  PetscFunctionBegin;
  PetscCall(PCMGGetSmoother(pc, which, &smoother));
  PetscCall(KSPGetOperators(smoother, &A, NULL));
  PetscCall(FgEitWideOpen(A, &l->A));
  n = (size_t)l->A.nrows;
  if (!finest) PetscCall(PetscMalloc2(n * W, &l->b, n * W, &l->x));
  PetscCall(PetscMalloc4(n, &l->inverse, n * W, &l->r, n * W, &l->d, n * W, &l->e));
  if (!which) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PCMGGetInterpolation(pc, which, &P));
  PetscCall(FgEitWideOpen(P, &l->P));
  PetscCall(MatGetOwnershipRange(A, &first, NULL));
  PetscCall(MatCreateVecs(A, NULL, &diagonal));
  PetscCall(MatGetDiagonal(A, diagonal));
  PetscCall(VecGetArrayRead(diagonal, &values));
  for (PetscInt i = 0; i < l->A.nrows; i++) l->inverse[i] = 1.0 / values[i];
  PetscCall(VecRestoreArrayRead(diagonal, &values));
  PetscCall(VecDestroy(&diagonal));
  PetscCall(FgEitWideLargest(comm, &l->A, l->inverse, first, l->r, l->d, l->e, &largest));
  l->theta = 0.5 * (1.1 + 0.1) * largest;
  l->delta = 0.5 * (1.1 - 0.1) * largest;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitWideSetup(KSP ksp, FgEitWide *wide)
{
  FgEitWide w;
  Level    *finest;
  Mat       A;
  PC        pc;

  PetscFunctionBegin;
  PetscCall(FgEitWideDestroy(wide));
  PetscCall(PetscNew(wide));
  w       = *wide;
  w->comm = PetscObjectComm((PetscObject)ksp);
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCMGGetLevels(pc, &w->nlevels));
  PetscCall(PetscCalloc1(w->nlevels, &w->level));
  for (PetscInt k = 0; k < w->nlevels; k++) PetscCall(OpenLevel(w->comm, pc, k, k == w->nlevels - 1, &w->level[k]));
  PetscCall(PCMGGetCoarseSolve(pc, &w->coarsest));
  PetscCall(KSPGetOperators(w->coarsest, &A, NULL));
  PetscCall(MatCreateVecs(A, &w->solution, &w->right));
  finest = &w->level[w->nlevels - 1];
  PetscCall(PetscMalloc4((size_t)finest->A.nrows * W, &w->r, (size_t)finest->A.nrows * W, &w->x, (size_t)finest->A.nrows * W,
                         &w->z, (size_t)finest->A.nrows * W, &w->p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitWideDestroy(FgEitWide *wide)
{
  FgEitWide w = *wide;

  PetscFunctionBegin;
  if (!w) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt k = 0; w->level && k < w->nlevels; k++) {
    Level *l = &w->level[k];

    PetscCall(FgEitWideClose(&l->A));
    PetscCall(FgEitWideClose(&l->P));
    PetscCall(PetscFree2(l->b, l->x));
    PetscCall(PetscFree4(l->inverse, l->r, l->d, l->e));
  }
  PetscCall(PetscFree(w->level));
  PetscCall(PetscFree4(w->r, w->x, w->z, w->p));
  PetscCall(VecDestroy(&w->right));
  PetscCall(VecDestroy(&w->solution));
  PetscCall(PetscFree(*wide));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Column by column: the coarsest level has some tens of rows. */
static PetscErrorCode Coarsest(FgEitWide w, const double *b, double *x)
{
  const PetscInt n = w->level[0].A.nrows;

  PetscFunctionBegin;
  for (int c = 0; c < W; c++) {
    PetscScalar       *right;
    const PetscScalar *solution;

    PetscCall(VecGetArrayWrite(w->right, &right));
    for (PetscInt i = 0; i < n; i++) right[i] = b[i * W + c];
    PetscCall(VecRestoreArrayWrite(w->right, &right));
    PetscCall(KSPSolve(w->coarsest, w->right, w->solution));
    PetscCall(VecGetArrayRead(w->solution, &solution));
    for (PetscInt i = 0; i < n; i++) x[i * W + c] = solution[i];
    PetscCall(VecRestoreArrayRead(w->solution, &solution));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Two steps of the polynomial from the residual l->r; leaves the last change in l->e, whose image r has not been told. */
static PetscErrorCode SmoothTwice(Level *l, PetscBool first, double *x)
{
  const double before = l->delta / l->theta, rho = 1.0 / (2.0 * l->theta / l->delta - before);

  PetscFunctionBegin;
  First(l->A.nrows, l->inverse, 1.0 / l->theta, first, l->r, l->d, x);
  PetscCall(FgEitWideFetch(&l->A, l->d));
  FgEitWideSmooth(&l->A, l->inverse, rho * before, 2.0 * rho / l->delta, l->d, l->r, l->e, x);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x = M b of a level. */
static PetscErrorCode Cycle(FgEitWide w, PetscInt which, const double *b, double *x)
{
  Level *l = &w->level[which];

  PetscFunctionBegin;
  if (!which) {
    PetscCall(Coarsest(w, b, x));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscArraycpy(l->r, b, (size_t)l->A.nrows * W));
  PetscCall(SmoothTwice(l, PETSC_TRUE, x));
  PetscCall(FgEitWideFetch(&l->A, l->e));
  FgEitWideSubtract(&l->A, l->e, l->r);
  PetscCall(FgEitWideRestrict(&l->P, l->r, w->level[which - 1].b));
  PetscCall(Cycle(w, which - 1, w->level[which - 1].b, w->level[which - 1].x));
  PetscCall(FgEitWideFetch(&l->P, w->level[which - 1].x));
  FgEitWideProlong(&l->P, w->level[which - 1].x, l->e, x);
  PetscCall(FgEitWideFetch(&l->A, l->e));
  FgEitWideSubtract(&l->A, l->e, l->r);
  PetscCall(SmoothTwice(l, PETSC_FALSE, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* w->x from where it is; w->r holds b and becomes the residual. */
static PetscErrorCode Iterate(FgEitWide w, PetscReal tolerance, PetscInt *iterations, PetscBool *definite)
{
  Level         *l = &w->level[w->nlevels - 1];
  const PetscInt n = l->A.nrows;
  double        *q = l->d; /* the image of p, before the cycle needs the room */
  double         goal[W], rz[W], next[W], factor[W];
  PetscBool      done = PETSC_FALSE, fresh = PETSC_TRUE;

  PetscFunctionBegin;
  PetscCall(Cycle(w, w->nlevels - 1, w->r, w->z));
  PetscCall(FgEitWideDots(w->comm, n, w->r, w->z, goal));
  PetscCall(FgEitWideDots(w->comm, n, w->x, w->x, next));
  for (int c = 0; c < W; c++) fresh = fresh && next[c] == 0.0 ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(FgEitWideFetch(&l->A, w->x));
  if (!fresh) FgEitWideSubtract(&l->A, w->x, w->r);
  PetscCall(PetscArrayzero(w->p, (size_t)n * W));
  *definite = PETSC_TRUE;
  for (int c = 0; c < W; c++) {
    factor[c] = rz[c] = 0.0;
    if (goal[c] < 0.0) *definite = PETSC_FALSE;
  }
  for (*iterations = 0; *definite && *iterations <= LIMIT; ++*iterations) {
    if (*iterations || !fresh) PetscCall(Cycle(w, w->nlevels - 1, w->r, w->z));
    PetscCall(FgEitWideDots(w->comm, n, w->r, w->z, next));
    done = PETSC_TRUE;
    for (int c = 0; c < W; c++) {
      done = done && fabs(next[c]) <= tolerance * tolerance * goal[c] ? PETSC_TRUE : PETSC_FALSE;
      if (next[c] < -tolerance * tolerance * goal[c]) *definite = PETSC_FALSE;
      factor[c] = rz[c] > 0.0 ? next[c] / rz[c] : 0.0;
      rz[c]     = next[c];
    }
    if (done || !*definite) break;
    Turn(n, factor, w->z, w->p);
    PetscCall(FgEitWideFetch(&l->A, w->p));
    FgEitWideProduct(&l->A, w->p, q);
    PetscCall(FgEitWideDots(w->comm, n, w->p, q, next));
    for (int c = 0; c < W; c++) factor[c] = next[c] > 0.0 ? rz[c] / next[c] : 0.0;
    FgEitWideAdd(n, factor, w->p, w->x);
    for (int c = 0; c < W; c++) factor[c] = -factor[c];
    FgEitWideAdd(n, factor, q, w->r);
  }
  PetscCheck(done || !*definite, w->comm, PETSC_ERR_NOT_CONVERGED,
             "potentials: no solution after %d iterations; narrow the range of conductivity or take a direct solver", LIMIT);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Columns [first, first + n) of dense matrices to and from rows of W; what is left is 0. */
static void Pack(PetscInt rows, PetscInt n, PetscInt lead, const double *columns, double *x)
{
  for (PetscInt i = 0; i < rows; i++) {
    for (PetscInt c = 0; c < W; c++) x[(size_t)i * W + c] = c < n ? columns[(size_t)c * lead + i] : 0.0;
  }
}

static void Unpack(PetscInt rows, PetscInt n, PetscInt lead, const double *x, double *columns)
{
  for (PetscInt i = 0; i < rows; i++) {
    for (PetscInt c = 0; c < n; c++) columns[(size_t)c * lead + i] = x[(size_t)i * W + c];
  }
}

PetscErrorCode FgEitWideSolve(FgEitWide w, PetscReal tolerance, PetscInt n, Mat B, Mat X, PetscInt *iterations)
{
  const PetscInt rows = w->level[w->nlevels - 1].A.nrows;
  const double  *b;
  double        *x;
  PetscInt       lead[2];

  PetscFunctionBegin;
  *iterations = 0;
  PetscCall(MatDenseGetLDA(B, &lead[0]));
  PetscCall(MatDenseGetLDA(X, &lead[1]));
  PetscCall(MatDenseGetArrayRead(B, &b));
  PetscCall(MatDenseGetArray(X, &x));
  for (PetscInt first = 0; first < n; first += W) {
    const PetscInt count = PetscMin(W, n - first);
    PetscInt       taken;
    PetscBool      definite = PETSC_FALSE;

    Pack(rows, count, lead[1], &x[(size_t)first * lead[1]], w->x);
    for (int trial = 0; trial <= WIDENINGS && !definite; trial++) {
      Pack(rows, count, lead[0], &b[(size_t)first * lead[0]], w->r);
      PetscCall(Iterate(w, tolerance, &taken, &definite));
      for (PetscInt k = 1; k < w->nlevels && !definite; k++) w->level[k].theta *= 1.5, w->level[k].delta *= 1.5;
    }
    PetscCheck(definite, w->comm, PETSC_ERR_NOT_CONVERGED,
               "potentials: the multigrid is not positive definite; narrow the range of conductivity or take a direct solver");
    Unpack(rows, count, lead[1], w->x, &x[(size_t)first * lead[1]]);
    *iterations = PetscMax(*iterations, taken);
  }
  PetscCall(MatDenseRestoreArray(X, &x));
  PetscCall(MatDenseRestoreArrayRead(B, &b));
  PetscFunctionReturn(PETSC_SUCCESS);
}
