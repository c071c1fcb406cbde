/* scalar_solve.c: solves of the finite-volume operator: preconditioner, start values, fallback, correctors.

   The preconditioner is the same operator with the constant K_a = <K_a> along each axis (and the mean reaction), which Fourier
   transforms invert: its symbol is the sum over axes of K_a (2 sin(pi k/n)/h)^2. The condition number is then at most the contrast of
   the phases, whatever the grid. Where that does not converge, algebraic.c solves the assembled equations.
   Source: docs/physics/conduction.md; Moulinec and Suquet, CMAME 157 (1998) 69; Wiegmann and Zemitis, EJ-HEAT (2006). */
#include "cache.h"
#include "scalar.h"

#include "finegrain/lanes.h"

#include <math.h>
#include <string.h>

FG_SIMD_CLONES
static double SymbolRow(PetscInt nk, const double *restrict symbol, double others, double scale, double *restrict value)
{
  double sum = 0;

#pragma omp simd reduction(+ : sum)
  for (PetscInt k = 0; k < nk; k++) {
    const double factor = scale / (symbol[k] + others), re = value[2 * k], im = value[2 * k + 1];

    sum += factor * (re * re + im * im);
    value[2 * k]     = factor * re;
    value[2 * k + 1] = factor * im;
  }
  return sum;
}

static double PreconditionRow(const void *context, PetscInt ky, PetscInt kz, PetscInt nk, double scale, double complex **value)
{
  const struct FgScalar_ *op     = context;
  const double            others = op->symbol[1][ky] + op->symbol[2][kz];
  double                 *first  = (double *)value[0], ends, sum;
  const PetscInt          even   = op->cell->n[0] % 2 == 0 && nk > 1;

  if (others == 0) { /* the mean: no part of any right side, nor of the solution */
    first[0] = first[1] = 0;
    sum = ends = 0;
    if (nk > 1) sum = SymbolRow(nk - 1, op->symbol[0] + 1, 0, scale, first + 2);
  } else {
    sum  = SymbolRow(nk, op->symbol[0], others, scale, first);
    ends = (PetscSqr(first[0]) + PetscSqr(first[1])) * others / scale;
  }
  if (even) ends += (PetscSqr(first[2 * nk - 2]) + PetscSqr(first[2 * nk - 1])) * (op->symbol[0][nk - 1] + others) / scale;
  return 2.0 * sum - ends;
}

static PetscErrorCode Direction(void *context, double beta, const double *z, double *p, double *w, double *pw)
{
  PetscFunctionBegin;
  PetscCall(FgScalarCombineApply(context, beta, z, p, w, pw));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Precondition(void *context, const double *r, double *z, double *rz)
{
  FgScalar op = context;

  PetscFunctionBegin;
  PetscCall(FgSpectralApply(op->spectral, PreconditionRow, op, r, z, rz));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarPrecondition(FgScalar op, const double *r, double *z)
{
  double rz;

  PetscFunctionBegin;
  if (!op->spectral) PetscCall(FgSpectralGet(op->cell, &op->settings, 1, &op->spectral));
  PetscCall(Precondition(op, r, z, &rz));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* r = b - A x; returns the norms of r and b over all ranks. w is overwritten. */
static PetscErrorCode Residual(FgScalar op, const double *b, PetscInt axis, double *x, double *r, double *w, double norms[2])
{
  PetscFunctionBegin;
  if (b) PetscCall(PetscArraycpy(r, b, op->cell->nlocal));
  else PetscCall(FgScalarSource(op, axis, r));
  PetscCall(FgScalarCombineApply(op, 0, NULL, x, w, NULL));
  norms[0] = norms[1] = 0;
  for (PetscInt i = 0; i < op->cell->nlocal; i++) {
    norms[1] += PetscSqr(r[i]);
    r[i] -= w[i];
    norms[0] += PetscSqr(r[i]);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, norms, 2, MPI_DOUBLE, MPI_SUM, op->cell->comm));
  norms[0] = sqrt(norms[0]);
  norms[1] = sqrt(norms[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Spectral(FgScalar op, const double *b, PetscInt axis, double *x, FgCellSolve *solve, char *history,
                               PetscBool *converged)
{
  const FgConjugateOperator A = {
      .comm = op->cell->comm, .n = (size_t)op->cell->nlocal, .context = op, .direction = Direction, .precondition = Precondition};
  double norms[2], before;

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(solve->solver, "FFT-preconditioned conjugate gradients", sizeof(solve->solver)));
  PetscCall(FgConjugateWorkReserve(&op->work, (size_t)op->cell->nlocal));
  before = FgSpectralSeconds(op->spectral);
  /* The recursed residual can drift from the true one: the true one decides, and a solve may go on from there once. */
  for (PetscInt pass = 0; pass < 3; pass++) {
    PetscCall(Residual(op, b, axis, x, op->work.r, op->work.w, norms));
    if (norms[1] == 0) PetscCall(PetscArrayzero(x, op->cell->nlocal)); /* uniform along the axis: a warm start would stay */
    solve->residual = norms[1] > 0 ? norms[0] / norms[1] : 0;
    *converged      = solve->residual <= (pass ? 2.0 : 1.0) * op->settings.tolerance ? PETSC_TRUE : PETSC_FALSE;
    if (*converged || pass == 2 || solve->iterations >= op->settings.max_iterations) break;
    PetscCall(PetscArrayzero(op->work.p, op->work.n));
    PetscCall(FgConjugateGradients(&A, norms[1], op->settings.tolerance, op->settings.max_iterations - solve->iterations,
                                   &op->work, x, solve, history, converged));
  }
  solve->fft_seconds = FgSpectralSeconds(op->spectral) - before;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The last solution of the solve of this name, where warm starts are wanted. */
static PetscErrorCode Start(FgScalar op, const char *name, double *x)
{
  struct FgCellCache_ *cache = op->settings.cache;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(x, op->cell->nlocal));
  if (!cache || !op->settings.warm_start) PetscFunctionReturn(PETSC_SUCCESS);
  for (int i = 0; i < FG_CACHE_STARTS; i++) {
    if (cache->start[i].n == (size_t)op->cell->nlocal && !strcmp(cache->start[i].name, name))
      PetscCall(PetscArraycpy(x, cache->start[i].value, op->cell->nlocal));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Keep(FgScalar op, const char *name, const double *x)
{
  struct FgCellCache_ *cache = op->settings.cache;
  int                  slot  = -1;

  PetscFunctionBegin;
  if (!cache || !op->settings.warm_start) PetscFunctionReturn(PETSC_SUCCESS);
  for (int i = FG_CACHE_STARTS - 1; i >= 0; i--) {
    if (!cache->start[i].value && slot < 0) slot = i;
    if (!strcmp(cache->start[i].name, name)) {
      slot = i;
      break;
    }
  }
  if (slot < 0) PetscFunctionReturn(PETSC_SUCCESS);
  if (cache->start[slot].n != (size_t)op->cell->nlocal) {
    PetscCall(PetscFree(cache->start[slot].value));
    PetscCall(PetscMalloc1(op->cell->nlocal, &cache->start[slot].value));
    cache->start[slot].n = (size_t)op->cell->nlocal;
    PetscCall(PetscStrncpy(cache->start[slot].name, name, sizeof(cache->start[slot].name)));
  }
  PetscCall(PetscArraycpy(cache->start[slot].value, x, op->cell->nlocal));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarSolve(FgScalar op, const char *name, const double *b, PetscInt axis, double *x, FgCellReport *report)
{
  const double start        = FgWallSeconds(); /* the first solve makes the plans, or the multigrid */
  FgCellSolve  solve        = {0};
  char         history[256] = "";
  PetscBool    converged    = PETSC_FALSE;

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(solve.name, name, sizeof(solve.name)));
  PetscCall(Start(op, name, x));
  if (op->settings.solver != FG_CELL_SOLVER_ALGEBRAIC && !op->spectral)
    PetscCall(FgSpectralGet(op->cell, &op->settings, 1, &op->spectral));
  if (op->settings.solver != FG_CELL_SOLVER_ALGEBRAIC) PetscCall(Spectral(op, b, axis, x, &solve, history, &converged));
  if (!converged && op->settings.solver != FG_CELL_SOLVER_SPECTRAL) {
    PetscCall(FgScalarAlgebraic(op, b, axis, x, &solve, history, &converged));
    if (converged && op->settings.solver == FG_CELL_SOLVER_AUTO)
      PetscCall(FgReportNote(report, "%s: the FFT-preconditioned solver did not converge; algebraic multigrid did", name));
  }
  if (!converged) PetscCall(FgNotConverged(op->cell, name, &solve, history));
  solve.seconds = FgWallSeconds() - start;
  PetscCall(Keep(op, name, x));
  PetscCall(FgReportSolve(report, &solve));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Of the fine voxels where the cell is sub-sampled. */
PetscErrorCode FgScalarComponents(FgScalar op, const FgComponents **components)
{
  PetscFunctionBegin;
  if (!op->has_components) {
    const FgCell cell = op->cell;
    FgCell       seen = cell, fine;

    PetscCall(PetscNew(&fine));
    if (cell->fine) {
      *fine        = *cell;
      fine->phase  = cell->fine;
      fine->nlocal = 1;
      for (PetscInt a = 0; a < 3; a++) {
        fine->n[a] *= cell->n[a] > 1 ? cell->subsample : 1;
        fine->nlocal *= fine->n[a];
      }
      fine->count = fine->n[2];
      seen        = fine;
    }
    PetscCall(FgComponentsFind(seen, op->permeable, &op->components));
    PetscCall(PetscFree(fine));
    op->has_components = PETSC_TRUE;
  }
  *components = &op->components;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarPin(FgScalar op, double *x)
{
  const FgComponents *components = NULL;
  const double        voxels     = (double)op->cell->n[0] * (double)op->cell->n[1] * (double)op->cell->n[2];
  double             *mean;

  PetscFunctionBegin;
  if (op->cell->fine) PetscFunctionReturn(PETSC_SUCCESS); /* a voxel may belong to several components */
  PetscCall(FgScalarComponents(op, &components));
  PetscCall(PetscCalloc1(components->ncomponents, &mean));
  for (PetscInt i = 0; i < op->cell->nlocal; i++) {
    if (components->component[i] >= 0) mean[components->component[i]] += x[i];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, mean, (PetscMPIInt)components->ncomponents, MPI_DOUBLE, MPI_SUM, op->cell->comm));
  for (PetscInt i = 0; i < op->cell->nlocal; i++) {
    const int32_t c = components->component[i];

    x[i] = c >= 0 ? x[i] - mean[c] / (voxels * components->fraction[c]) : 0.0;
  }
  PetscCall(PetscFree(mean));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarCorrectors(FgScalar op, const char *name, double *const chi[3], FgCellReport *report)
{
  static const char axes[] = "xyz";

  PetscFunctionBegin;
  for (PetscInt a = 0; a < 3; a++) {
    char full[FG_CELL_NAME];

    if (op->cell->n[a] == 1) {
      PetscCall(PetscArrayzero(chi[a], op->cell->nlocal));
      continue;
    }
    PetscCall(PetscSNPrintf(full, sizeof(full), "%s %c", name, axes[a]));
    PetscCall(FgScalarSolve(op, full, NULL, a, chi[a], report));
    if (op->impermeable) PetscCall(FgScalarPin(op, chi[a]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
