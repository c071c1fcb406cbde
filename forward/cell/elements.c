/* elements.c: the periodic operator of trilinear elements (bricks.h) over the slabs of a cell, and its load cases.

     A u = B^T C B u / volume,   A u_J = -B^T C e_J / volume   for the macroscopic gradient or strain e_J
     E_IJ = < (e_I + e(u_I)) : C : (e_J + e(u_J)) > = F_IJ - (u_I, r_J) / voxels,   F_IJ = < e_I : C : (e_J + e(u_J)) >
   with r_J what is left of the residual of case J: the energy form costs one dot product, and its error is of second order
   in the residuals. F follows from the mean strain of every phase, as do averages of stress and active stress. The
   displacements of other cases are kept as float: they only meet residuals.

   Unknowns stand at voxel corners; the rank that owns a plane of nodes gathers the elements on both of its sides, so that
   one exchange of planes a product is enough.
   Source: docs/physics/elasticity.md; Schneider, Merkert and Kabel, Int. J. Numer. Meth. Engng 109 (2017) 1461. */
#include "elastic.h"

#include <math.h>

static size_t Plane(FgElements op)
{
  return (size_t)(op->cell->n[0] * op->cell->n[1] * op->ncomp);
}

static PetscErrorCode ExchangeLabels(FgElements op)
{
  const FgCell  cell  = op->cell;
  const size_t  plane = (size_t)(cell->n[0] * cell->n[1]);
  FgHalo        halo  = {0};
  const double *below, *above;
  double       *labels;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(plane, &op->phase_below));
  PetscCall(PetscCalloc1(2 * plane, &labels));
  for (size_t i = 0; cell->count > 0 && i < plane; i++) {
    labels[i]         = cell->phase[i];
    labels[plane + i] = cell->phase[plane * (size_t)(cell->count - 1) + i];
  }
  PetscCall(FgHaloPlanes(cell, &halo, labels, labels + plane, 1, &below, &above));
  for (size_t i = 0; cell->count > 0 && i < plane; i++) op->phase_below[i] = (uint16_t)below[i];
  PetscCall(PetscFree(labels));
  PetscCall(FgHaloDestroy(&halo));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateBricks(FgElements op)
{
  const PetscInt nphases = op->cell->table.nphases, size = op->ncomp == 1 ? 6 : 36;
  PetscBool      isotropic = op->ncomp == 3 ? PETSC_TRUE : PETSC_FALSE;

  PetscFunctionBegin;
  op->all.ncomp = op->ncomp;
  for (int a = 0; a < 3; a++) op->all.slope[a] = 0.25 / op->cell->spacing[a];
  for (PetscInt p = 0; p < nphases; p++) {
    if (op->cell->fraction[p] == 0) continue;
    for (PetscInt i = 0; i < size; i++) op->largest = PetscMax(op->largest, fabs(op->tensors[p * size + i]));
    if (isotropic) isotropic = FgStiffnessIsIsotropic(op->tensors + p * size);
  }
  op->bricks = op->all;
  if (isotropic) {
    PetscCall(PetscCalloc2(nphases, &op->all.lame, nphases, &op->all.shear));
    PetscCall(PetscCalloc2(nphases, &op->bricks.lame, nphases, &op->bricks.shear));
    for (PetscInt p = 0; p < nphases; p++) {
      op->all.lame[p]  = op->tensors[p * size + 1];
      op->all.shear[p] = op->tensors[p * size + 21];
    }
  } else {
    const size_t values = FgBricksSize(op->ncomp);

    PetscCall(PetscCalloc1((size_t)nphases * values, &op->all.matrix));
    PetscCall(PetscCalloc1((size_t)nphases * values, &op->bricks.matrix));
    for (PetscInt p = 0; p < nphases; p++)
      FgBricksMatrix(op->ncomp, op->all.slope, op->tensors + p * size, op->all.matrix + (size_t)p * values);
  }
  PetscCall(FgElementsSelect(op, -1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElementsCreate(FgCell cell, const FgCellSettings *settings, int ncomp, const double *tensors, FgElements *out)
{
  const PetscInt size = ncomp == 1 ? 6 : 36;
  FgElements     op;

  PetscFunctionBegin;
  PetscCall(PetscNew(&op));
  op->cell     = cell;
  op->settings = *settings;
  op->ncomp    = ncomp;
  op->nmacro   = ncomp == 1 ? 3 : 6;
  PetscCall(PetscMalloc1(cell->table.nphases * size, &op->tensors));
  PetscCall(PetscArraycpy(op->tensors, tensors, cell->table.nphases * size));
  PetscCall(CreateBricks(op));
  PetscCall(ExchangeLabels(op));
  PetscCall(PetscCalloc1(12 * (size_t)ncomp * FgBricksStride(cell->n[0]), &op->row));
  *out = op;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElementsDestroy(FgElements *out)
{
  FgElements op = *out;

  PetscFunctionBegin;
  if (!op) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgConjugateWorkDestroy(&op->work));
  PetscCall(FgElementsSymbolDestroy(&op->symbol));
  PetscCall(FgSpectralRelease(&op->settings, &op->spectral));
  PetscCall(FgHaloDestroy(&op->halo));
  PetscCall(PetscFree2(op->all.lame, op->all.shear));
  PetscCall(PetscFree2(op->bricks.lame, op->bricks.shear));
  PetscCall(PetscFree(op->all.matrix));
  PetscCall(PetscFree(op->bricks.matrix));
  PetscCall(PetscFree(op->phase_below));
  PetscCall(PetscFree(op->tensors));
  PetscCall(PetscFree(op->row));
  PetscCall(PetscFree(*out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FgElementsBytes(FgElements op)
{
  const double matrices = op->all.matrix ? 2.0 * (double)FgBricksSize(op->ncomp) : 4.0;

  return 3.0 * sizeof(double) * (double)op->work.n + (op->spectral ? FgSpectralBytes(op->spectral) : 0.0) +
         2.0 * sizeof(double) * (double)op->halo.size + sizeof(uint16_t) * (double)(op->cell->n[0] * op->cell->n[1]) +
         sizeof(double) * matrices * (double)op->cell->table.nphases;
}

PetscErrorCode FgElementsSelect(FgElements op, PetscInt only)
{
  const size_t values = FgBricksSize(op->ncomp);

  PetscFunctionBegin;
  for (PetscInt p = 0; p < op->cell->table.nphases; p++) {
    const double on = only < 0 || only == p ? 1.0 : 0.0;

    if (op->all.matrix) {
      for (size_t i = 0; i < values; i++) op->bricks.matrix[(size_t)p * values + i] = on * op->all.matrix[(size_t)p * values + i];
    } else {
      op->bricks.lame[p]  = on * op->all.lame[p];
      op->bricks.shear[p] = on * op->all.shear[p];
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- One layer of elements between two planes of nodes -------------------------------------------------------------------- */

/* Rows of work: sum and difference of nodes or forces, [ncomp][stride] each. */
static double *Row(FgElements op, int which)
{
  return op->row + (size_t)(which * op->ncomp) * FgBricksStride(op->cell->n[0]);
}

static void Zero(FgElements op, double *const pair[2])
{
  for (int i = 0; i < 2; i++) PetscArrayzero(pair[i], (size_t)op->ncomp * FgBricksStride(op->cell->n[0]));
}

/* Forces of a layer whose elements have the phases `phase`, between the planes `lower` and `upper` of u: added to `lower_force`
   (returning its dot product with `lower`), set in `upper_force`; either may be NULL. */
static double Layer(FgElements op, const uint16_t *phase, const double *lower, const double *upper, const double *bias,
                    double *lower_force, double *upper_force)
{
  const PetscInt n0 = op->cell->n[0], n1 = op->cell->n[1];
  const size_t   row        = (size_t)(n0 * op->ncomp);
  double        *node[2][2] = {{Row(op, 0), Row(op, 1)}, {Row(op, 2), Row(op, 3)}};
  double *force[2][2] = {{Row(op, 6), Row(op, 7)}, {Row(op, 8), Row(op, 9)}}, *const bottom[2] = {Row(op, 10), Row(op, 11)};
  double dot = 0;

  FgBricksSplit(op->ncomp, n0, lower, upper, node[0][0], node[0][1]);
  Zero(op, bottom);
  for (PetscInt j = 0; j < n1; j++) {
    const size_t   next = j + 1 < n1 ? (size_t)(j + 1) * row : 0;
    double *const *at = j == 0 ? bottom : force[j & 1], *const *up = force[(j + 1) & 1];
    double *const *here = node[j & 1], *const *there = node[(j + 1) & 1];

    FgBricksSplit(op->ncomp, n0, lower + next, upper + next, there[0], there[1]);
    Zero(op, up);
    FgBricksForces(&op->bricks, n0, phase + j * n0, bias, (const double *const[4]){here[0], here[1], there[0], there[1]},
                   (double *const[4]){at[0], at[1], up[0], up[1]});
    if (j > 0)
      dot += FgBricksMerge(op->ncomp, n0, at[0], at[1], lower + (size_t)j * row,
                           lower_force ? lower_force + (size_t)j * row : NULL,
                           upper_force ? upper_force + (size_t)j * row : NULL);
    if (j + 1 == n1) { /* the top row of elements ends at the bottom row of nodes */
      for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < (size_t)op->ncomp * FgBricksStride(n0); k++) bottom[i][k] += up[i][k];
      }
      dot += FgBricksMerge(op->ncomp, n0, bottom[0], bottom[1], lower, lower_force, upper_force);
    }
  }
  return dot;
}

/* Bias of the first modes: the macroscopic gradient, or half of the engineering shear on both sides, over slope. */
static void Bias(FgElements op, const double *macro, double bias[9])
{
  static const int voigt[3][3] = {{0, 5, 4}, {5, 1, 3}, {4, 3, 2}};

  for (int c = 0; c < op->ncomp; c++) {
    for (int d = 0; d < 3; d++) {
      double gradient = 0;

      if (macro && op->ncomp == 1) gradient = macro[d];
      else if (macro) gradient = (c == d ? 1.0 : 0.5) * macro[voigt[c][d]];
      bias[3 * c + d] = gradient / op->all.slope[d];
    }
  }
}

/* p += z or p = z + beta p over one plane. */
static void Combine(size_t n, double beta, const double *z, double *p)
{
  if (beta == 0) {
    for (size_t i = 0; i < n; i++) p[i] = z[i];
    return;
  }
#pragma omp simd
  for (size_t i = 0; i < n; i++) p[i] = z[i] + beta * p[i];
}

/* w = A p + B^T C macro after p = z + beta p where z is not NULL; z and w may be the same array: a plane of w is written after
   the plane of z. Returns p . w of this rank in *pw. */
static PetscErrorCode Product(FgElements op, double beta, const double *z, double *p, const double *macro, double *w, double *pw)
{
  const FgCell   cell  = op->cell;
  const PetscInt last  = cell->count - 1;
  const size_t   plane = Plane(op), labels = (size_t)(cell->n[0] * cell->n[1]);
  const double  *below, *above;
  double         bias[9], dot = 0;

  PetscFunctionBegin;
  Bias(op, macro, bias);
  if (z && cell->count > 0) {
    Combine(plane, beta, z, p);
    if (last > 0) Combine(plane, beta, z + plane * (size_t)last, p + plane * (size_t)last);
  }
  PetscCall(FgHaloUpdate(cell, &op->halo, p, op->ncomp, &below, &above));
  if (cell->count > 0) Layer(op, op->phase_below, below, p, bias, NULL, w);
  for (PetscInt k = 0; k <= last; k++) {
    const size_t at = plane * (size_t)k;

    if (z && k + 1 < last) Combine(plane, beta, z + at + plane, p + at + plane);
    dot += Layer(op, cell->phase + labels * (size_t)k, p + at, k < last ? p + at + plane : above, bias, w + at,
                 k < last ? w + at + plane : NULL);
  }
  if (pw) *pw = dot;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElementsApply(FgElements op, const double *u, const double *macro, double *r)
{
  double *zero = NULL;

  PetscFunctionBegin;
  if (!u) PetscCall(PetscCalloc1(op->cell->nlocal * op->ncomp, &zero));
  PetscCall(Product(op, 0, NULL, u ? (double *)u : zero, macro, r, NULL));
  PetscCall(PetscFree(zero));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElementsMeans(FgElements op, const double *u, const double *macro, double *mean)
{
  const FgCell   cell = op->cell;
  const PetscInt n0 = cell->n[0], n1 = cell->n[1], last = cell->count - 1, nphases = cell->table.nphases;
  const size_t   plane = Plane(op), row = (size_t)(n0 * op->ncomp);
  const double   voxels = (double)n0 * (double)n1 * (double)cell->n[2];
  const double  *below, *above;
  double         bias[9], *gradient, *node[2][2] = {{Row(op, 0), Row(op, 1)}, {Row(op, 2), Row(op, 3)}};

  PetscFunctionBegin;
  Bias(op, macro, bias);
  PetscCall(PetscCalloc1(nphases * 3 * op->ncomp, &gradient));
  PetscCall(FgHaloUpdate(cell, &op->halo, u, op->ncomp, &below, &above));
  for (PetscInt k = 0; k <= last; k++) {
    const double *lower = u + plane * (size_t)k, *upper = k < last ? lower + plane : above;

    FgBricksSplit(op->ncomp, n0, lower, upper, node[0][0], node[0][1]);
    for (PetscInt j = 0; j < n1; j++) {
      const size_t   next = j + 1 < n1 ? (size_t)(j + 1) * row : 0;
      double *const *here = node[j & 1], *const *there = node[(j + 1) & 1];

      FgBricksSplit(op->ncomp, n0, lower + next, upper + next, there[0], there[1]);
      FgBricksGradients(&op->all, n0, cell->phase + (k * n1 + j) * n0, bias,
                        (const double *const[4]){here[0], here[1], there[0], there[1]}, gradient);
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, gradient, (PetscMPIInt)(nphases * 3 * op->ncomp), MPI_DOUBLE, MPI_SUM, cell->comm));
  for (PetscInt p = 0; p < nphases; p++) {
    const double *g = gradient + p * 3 * op->ncomp;
    double       *m = mean + p * op->nmacro;

    for (int i = 0; i < 3; i++) m[i] = g[op->ncomp == 1 ? i : 4 * i] / voxels;
    if (op->ncomp == 3) {
      m[3] = (g[5] + g[7]) / voxels;
      m[4] = (g[2] + g[6]) / voxels;
      m[5] = (g[1] + g[3]) / voxels;
    }
  }
  PetscCall(PetscFree(gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Solves ---------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode Direction(void *context, double beta, const double *z, double *p, double *w, double *pw)
{
  PetscFunctionBegin;
  PetscCall(Product(context, beta, z, p, NULL, w, pw));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Precondition(void *context, const double *r, double *z, double *rz)
{
  FgElements op = context;

  PetscFunctionBegin;
  PetscCall(FgSpectralApply(op->spectral, FgElementsSymbolRow, &op->symbol, r, z, rz));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Norm(FgElements op, const double *x, double *norm)
{
  double sum = 0;

  PetscFunctionBegin;
#pragma omp simd reduction(+ : sum)
  for (PetscInt i = 0; i < op->cell->nlocal * op->ncomp; i++) sum += x[i] * x[i];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, op->cell->comm));
  *norm = sqrt(sum);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* r = -(A u + B^T C macro) and its norm. */
static PetscErrorCode Residual(FgElements op, double *u, const double *macro, double *r, double *norm)
{
  PetscFunctionBegin;
  PetscCall(Product(op, 0, NULL, u, macro, r, NULL));
  for (PetscInt i = 0; i < op->cell->nlocal * op->ncomp; i++) r[i] = -r[i];
  PetscCall(Norm(op, r, norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElementsSolve(FgElements op, const char *name, const double *macro, double *u, FgCellReport *report)
{
  const FgCell              cell = op->cell;
  const size_t              n    = (size_t)(cell->nlocal * op->ncomp);
  const FgConjugateOperator A    = {
         .comm = cell->comm, .n = n, .context = op, .name = name, .direction = Direction, .precondition = Precondition};
  const double start        = FgWallSeconds();
  FgCellSolve  solve        = {0};
  PetscBool    converged    = PETSC_FALSE;
  char         history[256] = "";
  double       before, norm_b, norm_r, slope = 0, largest = 0;

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(solve.name, name, sizeof(solve.name)));
  PetscCall(PetscStrncpy(solve.solver, "FFT-preconditioned conjugate gradients", sizeof(solve.solver)));
  if (!op->spectral) PetscCall(FgSpectralGet(cell, &op->settings, op->ncomp, &op->spectral));
  if (!op->symbol.weight) PetscCall(FgElementsSymbolCreate(cell, &op->all, op->tensors, &op->symbol));
  PetscCall(FgConjugateWorkReserve(&op->work, n));
  before = FgSpectralSeconds(op->spectral);
  PetscCall(PetscArrayzero(op->work.p, n));
  PetscCall(Residual(op, op->work.p, macro, op->work.r, &norm_b));
  /* A load that moves nothing, but for rounding, has no residual to reduce relative to itself. */
  for (int i = 0; i < 3; i++) slope = PetscMax(slope, op->all.slope[i]);
  for (int i = 0; i < op->nmacro; i++) largest = PetscMax(largest, fabs(macro[i]));
  norm_b = PetscMax(norm_b, 1e-14 / op->settings.tolerance * op->largest * largest * 8.0 * slope *
                                sqrt((double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2]));
  /* The recursed residual can drift from the true one: the true one decides, and a solve may go on from there. */
  for (PetscInt pass = 0; pass < 3; pass++) {
    PetscCall(Residual(op, u, macro, op->work.r, &norm_r));
    solve.residual = norm_b > 0 ? norm_r / norm_b : 0;
    converged      = solve.residual <= (pass ? 2.0 : 1.0) * op->settings.tolerance ? PETSC_TRUE : PETSC_FALSE;
    if (converged || pass == 2 || solve.iterations >= op->settings.max_iterations) break;
    PetscCall(PetscArrayzero(op->work.p, n));
    PetscCall(FgConjugateGradients(&A, norm_b, op->settings.tolerance, op->settings.max_iterations - solve.iterations, &op->work,
                                   u, &solve, history, &converged));
  }
  solve.seconds     = FgWallSeconds() - start;
  solve.fft_seconds = FgSpectralSeconds(op->spectral) - before;
  if (!converged) PetscCall(FgNotConverged(cell, name, &solve, history));
  PetscCall(FgReportSolve(report, &solve));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The mean over the eight corners, rows of nodes summed as for the elements. */
PetscErrorCode FgElementsField(FgElements op, const char *name, const double *u, FgCellReport *report)
{
  const FgCell   cell = op->cell;
  const PetscInt n0 = cell->n[0], n1 = cell->n[1], last = cell->count - 1;
  const size_t   plane = Plane(op);
  const double  *below, *above;
  double        *center;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(cell->nlocal * op->ncomp, &center));
  PetscCall(FgHaloUpdate(cell, &op->halo, u, op->ncomp, &below, &above));
  for (PetscInt k = 0; k <= last; k++) {
    const double *lower = u + plane * (size_t)k, *upper = k < last ? lower + plane : above;

    for (PetscInt j = 0; j < n1; j++) {
      const PetscInt rows[2] = {j, j + 1 < n1 ? j + 1 : 0};

      for (PetscInt i = 0; i < n0; i++) {
        const PetscInt columns[2] = {i, i + 1 < n0 ? i + 1 : 0};

        for (int c = 0; c < op->ncomp; c++) {
          double sum = 0;

          for (int corner = 0; corner < 4; corner++) {
            const PetscInt node = (rows[corner / 2] * n0 + columns[corner % 2]) * op->ncomp + c;

            sum += lower[node] + upper[node];
          }
          center[plane * (size_t)k + (size_t)((j * n0 + i) * op->ncomp + c)] = 0.125 * sum;
        }
      }
    }
  }
  PetscCall(FgReportField(report, cell, name, "m", op->ncomp, center));
  PetscCall(PetscFree(center));
  PetscFunctionReturn(PETSC_SUCCESS);
}
