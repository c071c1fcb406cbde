/* scalar.c: the periodic operator -div(K grad u) by finite volumes, its faces and its products.

   Unknowns stand at voxel centers. The face between voxels i and j across axis a conducts with the harmonic mean
   2/(1/K_a(i) + 1/K_a(j)), which is exact for layers along the grid; a voxel with K = 0 closes its faces. Conductances come
   from a table over pairs of phases, so that the operator reads two bytes a voxel besides its vectors.
   Sub-sampled cells store one conductance a face (faces.c). Source: docs/physics/conduction.md. */
#include "scalar.h"

#include "finegrain/lanes.h"

#include <math.h>

enum { MAX_PAIRED_PHASES = 1024 }; /* two tables an axis, 8 MiB each */

/* Labels of the planes next to the slab, which the faces between ranks need. */
static PetscErrorCode ExchangeLabels(FgScalar op)
{
  const size_t  plane = FgScalarPlane(op);
  FgHalo        halo  = {0};
  const double *below, *above;
  double       *labels;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(plane, &op->phase_below, plane, &op->phase_above));
  PetscCall(PetscMalloc1(2 * plane, &labels));
  if (op->cell->count > 0) {
    const uint16_t *phase = op->cell->phase, *last = phase + plane * (size_t)(op->cell->count - 1);

    for (size_t i = 0; i < plane; i++) {
      labels[i]         = phase[i];
      labels[plane + i] = last[i];
    }
  }
  PetscCall(FgHaloPlanes(op->cell, &halo, labels, labels + plane, 1, &below, &above));
  for (size_t i = 0; op->cell->count > 0 && i < plane; i++) {
    op->phase_below[i] = (uint16_t)below[i];
    op->phase_above[i] = (uint16_t)above[i];
  }
  PetscCall(PetscFree(labels));
  PetscCall(FgHaloDestroy(&halo));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarCreate(FgCell cell, const FgCellSettings *settings, const double *diagonal, PetscInt stride, FgScalar *out)
{
  const PetscInt n = cell->table.nphases;
  double         mean[3], largest = 0;
  FgScalar       op;

  PetscFunctionBegin;
  PetscCheck(n <= MAX_PAIRED_PHASES, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: %" PetscInt_FMT " phases, the solver keeps a table of all pairs and takes %d at most", cell->table.source, n,
             MAX_PAIRED_PHASES);
  PetscCall(PetscNew(&op));
  op->cell     = cell;
  op->settings = *settings;
  PetscCall(PetscMalloc1(n * 3, &op->conductivity));
  PetscCall(PetscMalloc1(n, &op->permeable));
  for (PetscInt p = 0; p < n; p++) {
    op->permeable[p] = PETSC_FALSE;
    for (PetscInt a = 0; a < 3; a++) {
      op->conductivity[p * 3 + a] = diagonal[p * stride + (stride == 1 ? 0 : a)];
      if (op->conductivity[p * 3 + a] > 0) op->permeable[p] = PETSC_TRUE;
    }
    if (!op->permeable[p] && cell->fraction[p] > 0) op->impermeable = PETSC_TRUE;
  }
  for (PetscInt a = 0; a < 3; a++) {
    PetscCall(PetscMalloc1(n * n, &op->face[a]));
    PetscCall(PetscMalloc1(n * n, &op->table[a]));
    for (PetscInt p = 0; p < n; p++) {
      for (PetscInt q = 0; q < n; q++) {
        const double below = op->conductivity[p * 3 + a], above = op->conductivity[q * 3 + a];

        op->face[a][p * n + q]  = below > 0 && above > 0 ? 2.0 / (1.0 / below + 1.0 / above) : 0.0;
        op->table[a][p * n + q] = op->face[a][p * n + q] / PetscSqr(cell->spacing[a]);
      }
    }
    mean[a] = FgCellMean(cell, op->conductivity + a, 3);
    largest = PetscMax(largest, mean[a]);
  }
  if (cell->fine) PetscCall(FgScalarStoreFaces(op));
  PetscCall(ExchangeLabels(op));
  for (PetscInt a = 0; a < 3; a++) {
    const double reference = mean[a] > 0 ? mean[a] : largest > 0 ? largest : 1.0;

    PetscCall(PetscMalloc1(cell->n[a], &op->symbol[a]));
    for (PetscInt k = 0; k < cell->n[a]; k++)
      op->symbol[a][k] = reference * 4.0 * PetscSqr(sin(PETSC_PI * (double)k / (double)cell->n[a]) / cell->spacing[a]);
  }
  for (PetscInt i = 0; i < 2; i++) PetscCall(PetscMalloc1(FgScalarPlane(op), &op->flux[i]));
  PetscCall(PetscMalloc1(cell->n[0] + 1, &op->row));
  *out = op;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarReaction(FgScalar op, const double *rate)
{
  const PetscInt n    = op->cell->table.nphases;
  const double   mean = FgCellMean(op->cell, rate, 1);

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &op->reaction));
  PetscCall(PetscArraycpy(op->reaction, rate, n));
  for (PetscInt k = 0; k < op->cell->n[2]; k++) op->symbol[2][k] += mean;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarDestroy(FgScalar *scalar)
{
  FgScalar op = *scalar;

  PetscFunctionBegin;
  if (!op) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree(op->conductivity));
  PetscCall(PetscFree(op->permeable));
  PetscCall(PetscFree(op->reaction));
  PetscCall(PetscFree2(op->phase_below, op->phase_above));
  for (PetscInt a = 0; a < 3; a++) {
    PetscCall(PetscFree(op->face[a]));
    PetscCall(PetscFree(op->table[a]));
    PetscCall(PetscFree(op->symbol[a]));
    PetscCall(PetscFree(op->stored[a]));
  }
  for (PetscInt i = 0; i < 2; i++) PetscCall(PetscFree(op->flux[i]));
  PetscCall(PetscFree(op->row));
  PetscCall(FgHaloDestroy(&op->halo));
  PetscCall(FgConjugateWorkDestroy(&op->work));
  PetscCall(FgComponentsDestroy(&op->components));
  PetscCall(KSPDestroy(&op->ksp));
  PetscCall(MatDestroy(&op->matrix));
  PetscCall(FgSpectralRelease(&op->settings, &op->spectral));
  PetscCall(PetscFree(*scalar));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool FgTensorsAreDiagonal(FgCell cell, const double *tensors)
{
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const double *t = tensors + 6 * p;

    if (cell->fraction[p] > 0 && (t[3] != 0 || t[4] != 0 || t[5] != 0)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

double FgScalarFace(FgScalar op, PetscInt axis, PetscInt p, PetscInt q)
{
  return op->face[axis][p * op->cell->table.nphases + q];
}

PetscBool FgScalarHasImpermeable(FgScalar op)
{
  return op->impermeable;
}

double FgScalarBytes(FgScalar op)
{
  double bytes = 2.0 * (double)op->cell->nlocal + 3.0 * 8.0 * (double)op->work.n;

  if (op->cell->fine) { /* labels of the samples, conductances of the faces */
    double samples = 1.0;

    for (PetscInt a = 0; a < 3; a++) samples *= op->cell->n[a] > 1 ? (double)op->cell->subsample : 1.0;
    bytes += (2.0 * samples + 24.0) * (double)op->cell->nlocal;
  }

  if (op->spectral) bytes += FgSpectralBytes(op->spectral);
  if (op->components.component) bytes += 4.0 * (double)op->cell->nlocal;
  return bytes;
}

/* One row of -div(K grad x): x0 is the row, x_next its upper neighbor in y, x_up in z; fy and fz bring the flux through the
   lower faces and take that through the upper ones. fx has n + 1 values. Returns x0 . y. Tables are [nphases][nphases] and
   include 1/h^2. */
FG_SIMD_CLONES
static double Row(PetscInt n, PetscInt nphases, const double *restrict tx, const double *restrict ty, const double *restrict tz,
                  const uint16_t *restrict l0, const uint16_t *restrict l_next, const uint16_t *restrict l_up,
                  const double *restrict x0, const double *restrict x_next, const double *restrict x_up, double *restrict fx,
                  double *restrict fy, double *restrict fz, double *restrict y)
{
  double sum = 0;

  for (PetscInt i = 0; i < n - 1; i++) fx[i + 1] = tx[l0[i] * nphases + l0[i + 1]] * (x0[i + 1] - x0[i]);
  fx[0] = fx[n] = tx[l0[n - 1] * nphases + l0[0]] * (x0[0] - x0[n - 1]);
#pragma omp simd reduction(+ : sum)
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt first = l0[i] * nphases;
    const double   gy = ty[first + l_next[i]] * (x_next[i] - x0[i]), gz = tz[first + l_up[i]] * (x_up[i] - x0[i]);
    const double   value = fx[i] - fx[i + 1] + fy[i] - gy + fz[i] - gz;

    fy[i] = gy;
    fz[i] = gz;
    y[i]  = value;
    sum += x0[i] * value;
  }
  return sum;
}

/* The same with stored conductances of the upper faces, cx, cy, cz. */
FG_SIMD_CLONES
static double StoredRow(PetscInt n, const double *restrict cx, const double *restrict cy, const double *restrict cz,
                        const double *restrict x0, const double *restrict x_next, const double *restrict x_up,
                        double *restrict fx, double *restrict fy, double *restrict fz, double *restrict y)
{
  double sum = 0;

  for (PetscInt i = 0; i < n - 1; i++) fx[i + 1] = cx[i] * (x0[i + 1] - x0[i]);
  fx[0] = fx[n] = cx[n - 1] * (x0[0] - x0[n - 1]);
#pragma omp simd reduction(+ : sum)
  for (PetscInt i = 0; i < n; i++) {
    const double gy = cy[i] * (x_next[i] - x0[i]), gz = cz[i] * (x_up[i] - x0[i]);
    const double value = fx[i] - fx[i + 1] + fy[i] - gy + fz[i] - gz;

    fy[i] = gy;
    fz[i] = gz;
    y[i]  = value;
    sum += x0[i] * value;
  }
  return sum;
}

/* out = z + beta out of one plane. */
static void Combine(size_t n, double beta, const double *z, double *p)
{
#pragma omp simd
  for (size_t i = 0; i < n; i++) p[i] = z[i] + beta * p[i];
}

/* Flux through the lower faces of a row between `lower` and `upper`. */
static void RowFlux(PetscInt n, PetscInt nphases, const double *table, const uint16_t *l_lower, const uint16_t *l_upper,
                    const double *lower, const double *upper, double *flux)
{
  for (PetscInt i = 0; i < n; i++) flux[i] = table[l_lower[i] * nphases + l_upper[i]] * (upper[i] - lower[i]);
}

/* y = A x of a sub-sampled cell, which is whole on this rank. */
static double ApplyStored(FgScalar op, const double *x, double *y)
{
  const PetscInt n0 = op->cell->n[0], n1 = op->cell->n[1], n2 = op->cell->n[2];
  const size_t   plane = FgScalarPlane(op), last_plane = plane * (size_t)(n2 - 1), last_row = (size_t)((n1 - 1) * n0);
  double        *fz = op->flux[0], *fy = op->flux[1], sum = 0;

  for (size_t i = 0; i < plane; i++) fz[i] = op->stored[2][last_plane + i] * (x[i] - x[last_plane + i]);
  for (PetscInt k = 0; k < n2; k++) {
    const size_t  offset = plane * (size_t)k;
    const double *here = x + offset, *up = k + 1 < n2 ? here + plane : x;

    for (PetscInt i = 0; i < n0; i++)
      fy[i] = op->stored[1][offset + last_row + (size_t)i] * (here[i] - here[last_row + (size_t)i]);
    for (PetscInt j = 0; j < n1; j++) {
      const size_t row = (size_t)(j * n0), next = j + 1 < n1 ? row + (size_t)n0 : 0, at = offset + row;

      sum += StoredRow(n0, op->stored[0] + at, op->stored[1] + at, op->stored[2] + at, here + row, here + next, up + row, op->row,
                       fy, fz + row, y + at);
    }
  }
  return sum;
}

/* y = A x for x = z + beta x where z is given (then y may be z), or x as it stands. One pass: a plane of x is combined just
   before its first use. Returns x . y of this rank. */
static PetscErrorCode ApplyPaired(FgScalar op, double beta, const double *z, double *x, double *y, double *dot)
{
  const FgCell   cell = op->cell;
  const PetscInt n0 = cell->n[0], n1 = cell->n[1], count = cell->count, nphases = cell->table.nphases;
  const size_t   plane = FgScalarPlane(op);
  double        *fz = op->flux[0], *fy = op->flux[1], *const *table = op->table, sum = 0;
  const double  *below, *above;

  PetscFunctionBegin;
  if (z && count > 0) {
    Combine(plane, beta, z, x);
    if (count > 1) Combine(plane, beta, z + plane * (size_t)(count - 1), x + plane * (size_t)(count - 1));
  }
  PetscCall(FgHaloUpdate(cell, &op->halo, x, 1, &below, &above));
  for (PetscInt j = 0; count > 0 && j < n1; j++) {
    const size_t row = (size_t)(j * n0);

    RowFlux(n0, nphases, table[2], op->phase_below + row, cell->phase + row, below + row, x + row, fz + row);
  }
  for (PetscInt k = 0; k < count; k++) {
    const size_t    offset = plane * (size_t)k;
    const double   *here = x + offset, *up = k + 1 < count ? here + plane : above;
    const uint16_t *l_here = cell->phase + offset, *l_up = k + 1 < count ? l_here + plane : op->phase_above;
    const size_t    last = (size_t)((n1 - 1) * n0);

    if (z && k + 2 < count) Combine(plane, beta, z + offset + plane, x + offset + plane);
    RowFlux(n0, nphases, table[1], l_here + last, l_here, here + last, here, fy);
    for (PetscInt j = 0; j < n1; j++) {
      const size_t row = (size_t)(j * n0), next = j + 1 < n1 ? row + (size_t)n0 : 0;

      sum += Row(n0, nphases, table[0], table[1], table[2], l_here + row, l_here + next, l_up + row, here + row, here + next,
                 up + row, op->row, fy, fz + row, y + offset + row);
    }
  }
  *dot = sum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarCombineApply(FgScalar op, double beta, const double *z, double *x, double *y, double *dot)
{
  const FgCell cell = op->cell;
  double       sum  = 0;

  PetscFunctionBegin;
  if (op->stored[0]) {
    if (z) Combine((size_t)cell->nlocal, beta, z, x);
    sum = ApplyStored(op, x, y);
  } else PetscCall(ApplyPaired(op, beta, z, x, y, &sum));
  for (PetscInt i = 0; op->reaction && i < cell->nlocal; i++) {
    const double value = op->reaction[cell->phase[i]] * x[i];

    y[i] += value;
    sum += value * x[i];
  }
  if (dot) *dot = sum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarApply(FgScalar op, const double *x, double *y)
{
  PetscFunctionBegin;
  PetscCall(FgScalarCombineApply(op, 0, NULL, (double *)x, y, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Conductance over h^2 of the lower and of the upper face of voxel `at` in plane k along an axis. */
void FgScalarFaces(FgScalar op, PetscInt axis, PetscInt k, size_t at, double *lower, double *upper)
{
  const FgCell    cell = op->cell;
  const PetscInt  n0 = cell->n[0], n1 = cell->n[1], i = (PetscInt)at % n0, j = (PetscInt)at / n0, nphases = cell->table.nphases;
  const size_t    plane = FgScalarPlane(op), offset = plane * (size_t)k;
  const size_t    below = axis == 0   ? (size_t)(j * n0 + (i ? i - 1 : n0 - 1))
                          : axis == 1 ? (size_t)((j ? j - 1 : n1 - 1) * n0 + i)
                                      : at;
  const size_t    above = axis == 0 ? (size_t)(j * n0 + (i + 1 < n0 ? i + 1 : 0)) : (size_t)((j + 1 < n1 ? j + 1 : 0) * n0 + i);
  const uint16_t *here  = cell->phase + offset;
  const PetscInt  p     = here[at];

  if (op->stored[axis]) {
    const size_t lower_offset = axis < 2 ? offset : plane * (size_t)(k ? k - 1 : cell->n[2] - 1);

    *lower = op->stored[axis][lower_offset + below];
    *upper = op->stored[axis][offset + at];
  } else {
    const PetscInt q = axis < 2 ? here[below] : k ? (here - plane)[at] : op->phase_below[at];
    const PetscInt r = axis < 2 ? here[above] : k + 1 < cell->count ? (here + plane)[at] : op->phase_above[at];

    *lower = op->table[axis][q * nphases + p];
    *upper = op->table[axis][p * nphases + r];
  }
}

PetscErrorCode FgScalarSource(FgScalar op, PetscInt axis, double *y)
{
  const double h     = op->cell->spacing[axis];
  const size_t plane = FgScalarPlane(op);

  PetscFunctionBegin;
  for (PetscInt k = 0; k < op->cell->count; k++) {
    for (size_t at = 0; at < plane; at++) {
      double lower, upper;

      FgScalarFaces(op, axis, k, at, &lower, &upper);
      y[plane * (size_t)k + at] = h * (upper - lower);
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
