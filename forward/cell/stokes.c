/* stokes.c: Stokes flow through the open voxels of a cell, by forces on the walls and Fourier transforms.

     -lap v + grad p = f e_j in the fluid,  div v = 0,  v = 0 on walls;   k_ij = <v_i>   [m^2]   (mu = G = 1)

   Velocities stand on faces, pressures at voxel centers (Harlow and Welch 1965). A face is open where both of its voxels are.
   Walls are staircases of voxel faces: the normal velocity vanishes on them; a wall along a face lies half a voxel from it, which
   doubles that neighbor's weight 1/h^2: in a plane channel of H the flow has the exact mean but for a relative 2 h^2/H^2.

   Solver. All faces of the periodic cell, in walls or not, obey the periodic Stokes operator with forces lambda
   on closed faces beside open ones (which hold v = 0 there) and on open faces along walls (which bring the extra wall friction
   c v = lambda). With S the inverse of the periodic operator, which Fourier transforms apply exactly, and u the mean velocity:
     S lambda + lambda/c - u = S f  on these faces (1/c = 0 on closed ones),  sum lambda = sum f,
   symmetric positive semidefinite on forces without mean, solved by conjugate gradients; u is the mean of what is left. Each
   iterate is divergence-free to round-off. Forces stand on walls alone, where S behaves like an operator of order -1:
   iterations grow with the square root of the resolution. <v_j> is twice the energy that conjugate gradients minimise, so
   that its error is of second order in the residual.
   Source: docs/physics/advection.md; the idea of wall forces and Fourier transforms: Wiegmann, Computation of the permeability
   of porous materials from their microstructure by FFF-Stokes, Fraunhofer ITWM report 129 (2007). */
#include "flow.h"

#include "finegrain/lanes.h"

#include <math.h>

enum { COMPONENTS = 3, FREE = 0, CLOSED = 255 }; /* codes; between: open, with extra friction */

typedef struct {
  FgCell          cell;
  FgCellSettings  settings;
  FgSpectral      spectral;
  FgConjugateWork work;
  uint8_t        *code; /* [nlocal][3] FREE: no force; CLOSED: v = 0; else friction[axis][code] */
  uint8_t        *open; /* [nlocal] bit a: face across axis a is open */
  double          friction[3][256];
  double          count[3];  /* faces with forces, over all ranks */
  double          length;    /* of which coordinates are multiples [m] */
  double         *shift[3];  /* [n][2] real and imaginary part of (1 - exp(-i theta)) length/h */
  double         *square[3]; /* [n] its absolute square */
} Flow;

/* --- Faces ------------------------------------------------------------------------------------------------------------ */

/* How voxels are numbered around one of this rank: in flags, (k + 1) n1 n0 + j n0 + i for k = -1 .. count. */
static size_t Voxel(FgCell cell, PetscInt k, const PetscInt at[2], int axis, int step, int other_axis, int other_step)
{
  PetscInt p[3] = {at[0], at[1], k};

  p[axis] += step;
  p[other_axis] += other_step;
  for (int a = 0; a < 2; a++) {
    if (p[a] < 0) p[a] += cell->n[a];
    if (p[a] >= cell->n[a]) p[a] -= cell->n[a];
  }
  return (size_t)((p[2] + 1) * cell->n[1] * cell->n[0] + p[1] * cell->n[0] + p[0]);
}

static uint8_t Code(FgCell cell, const uint8_t *flags, PetscInt k, const PetscInt at[2], int axis)
{
  const PetscBool here    = flags[Voxel(cell, k, at, axis, 0, axis, 0)] && flags[Voxel(cell, k, at, axis, -1, axis, 0)];
  PetscBool       surface = flags[Voxel(cell, k, at, axis, 0, axis, 0)] || flags[Voxel(cell, k, at, axis, -1, axis, 0)];
  int             code    = FREE;

  for (int b = 0, weight = 1; b < 3; b++) {
    if (b == axis) continue;
    for (int step = -1; step <= 1; step += 2) {
      const int walls = !flags[Voxel(cell, k, at, axis, 0, b, step)] + !flags[Voxel(cell, k, at, axis, -1, b, step)];

      if (walls == 0) surface = PETSC_TRUE;
      if (walls == 2) code += weight;
    }
    weight *= 3; /* 0 to 2 walls along each of the two axes */
  }
  if (!here) return surface ? CLOSED : FREE;
  return (uint8_t)code;
}

static PetscErrorCode MarkFaces(Flow *flow, const PetscBool *open)
{
  const FgCell cell = flow->cell;
  uint8_t     *flags;

  PetscFunctionBegin;
  PetscCall(FgOpenVoxels(cell, open, &flags));
  PetscCall(PetscMalloc1(COMPONENTS * cell->nlocal, &flow->code));
  PetscCall(PetscCalloc1(cell->nlocal, &flow->open));
  for (PetscInt k = 0, voxel = 0; k < cell->count; k++) {
    for (PetscInt j = 0; j < cell->n[1]; j++) {
      for (PetscInt i = 0; i < cell->n[0]; i++, voxel++) {
        const PetscInt at[2] = {i, j};

        for (int a = 0; a < 3; a++) {
          const uint8_t code = Code(cell, flags, k, at, a);

          flow->code[COMPONENTS * voxel + a] = code;
          if (flags[Voxel(cell, k, at, a, 0, a, 0)] && flags[Voxel(cell, k, at, a, -1, a, 0)])
            flow->open[voxel] |= (uint8_t)(1 << a);
          if (code != FREE) flow->count[a] += 1.0;
        }
      }
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, flow->count, 3, MPI_DOUBLE, MPI_SUM, cell->comm));
  for (int a = 0; a < 3; a++) {
    const int    b = a == 0 ? 1 : 0, c = a == 2 ? 1 : 2; /* in the order of Code */
    const double wb = PetscSqr(flow->length / cell->spacing[b]), wc = PetscSqr(flow->length / cell->spacing[c]);

    for (int code = 1; code < 9; code++) flow->friction[a][code] = wb * (code % 3) + wc * (double)(code / 3);
  }
  PetscCall(PetscFree(flags));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- The periodic operator -------------------------------------------------------------------------------------------- */

/* v = S f: v = (f - g (g* . f)/|g|^2)/|g|^2 for the gradient's symbol g; the mean is dropped. */
FG_SIMD_CLONES
static void SolveFrequencies(PetscInt nk, const double *restrict gx, const double *restrict square, const double gy[2],
                             const double gz[2], double others, double scale, double *restrict x, double *restrict y,
                             double *restrict z)
{
#pragma omp simd
  for (PetscInt k = 0; k < nk; k++) {
    const double laplacian = square[k] + others, inverse = laplacian > 0 ? 1.0 / laplacian : 0.0;
    const double a = gx[2 * k], b = gx[2 * k + 1];
    const double xr = x[2 * k], xi = x[2 * k + 1], yr = y[2 * k], yi = y[2 * k + 1], zr = z[2 * k], zi = z[2 * k + 1];
    /* q = conj(g) . f/|g|^2 */
    const double qr     = inverse * (a * xr + b * xi + gy[0] * yr + gy[1] * yi + gz[0] * zr + gz[1] * zi);
    const double qi     = inverse * (a * xi - b * xr + gy[0] * yi - gy[1] * yr + gz[0] * zi - gz[1] * zr);
    const double factor = scale * inverse;

    x[2 * k]     = factor * (xr - (a * qr - b * qi));
    x[2 * k + 1] = factor * (xi - (a * qi + b * qr));
    y[2 * k]     = factor * (yr - (gy[0] * qr - gy[1] * qi));
    y[2 * k + 1] = factor * (yi - (gy[0] * qi + gy[1] * qr));
    z[2 * k]     = factor * (zr - (gz[0] * qr - gz[1] * qi));
    z[2 * k + 1] = factor * (zi - (gz[0] * qi + gz[1] * qr));
  }
}

static double SolveRow(const void *context, PetscInt ky, PetscInt kz, PetscInt nk, double scale, double complex **value)
{
  const Flow *flow = context;

  SolveFrequencies(nk, flow->shift[0], flow->square[0], flow->shift[1] + 2 * ky, flow->shift[2] + 2 * kz,
                   flow->square[1][ky] + flow->square[2][kz], scale, (double *)value[0], (double *)value[1], (double *)value[2]);
  return 0;
}

/* w = -lap v, and the row's part of v . w. */
static double LaplacianRow(const void *context, PetscInt ky, PetscInt kz, PetscInt nk, double scale, double complex **value)
{
  const Flow    *flow   = context;
  const PetscInt last   = flow->cell->n[0] % 2 == 0 ? nk - 1 : nk;
  const double   others = flow->square[1][ky] + flow->square[2][kz];
  double         sum    = 0;

  for (int c = 0; c < COMPONENTS; c++) {
    for (PetscInt k = 0; k < nk; k++) {
      const double factor = scale * (flow->square[0][k] + others), weight = k == 0 || k == last ? 1.0 : 2.0;

      sum += weight * factor * (PetscSqr(creal(value[c][k])) + PetscSqr(cimag(value[c][k])));
      value[c][k] *= factor;
    }
  }
  return sum;
}

/* --- Conjugate gradients on the forces -------------------------------------------------------------------------------- */

/* On faces with forces w <- w + p/c less its mean over them (which is returned), 0 elsewhere. */
static PetscErrorCode Restrict(const Flow *flow, double sign, const double *p, double *w, double mean[3])
{
  double sum[3] = {0, 0, 0};

  PetscFunctionBegin;
  for (PetscInt i = 0; i < flow->cell->nlocal; i++) {
    for (int a = 0; a < COMPONENTS; a++) {
      const size_t  at   = (size_t)(COMPONENTS * i + a);
      const uint8_t code = flow->code[at];

      if (code == FREE) w[at] = 0;
      else {
        if (code != CLOSED) w[at] += sign * p[at] / flow->friction[a][code];
        sum[a] += w[at];
      }
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 3, MPI_DOUBLE, MPI_SUM, flow->cell->comm));
  for (int a = 0; a < COMPONENTS; a++) mean[a] = flow->count[a] > 0 ? sum[a] / flow->count[a] : 0.0;
  for (PetscInt i = 0; i < flow->cell->nlocal; i++) {
    for (int a = 0; a < COMPONENTS; a++) {
      if (flow->code[COMPONENTS * i + a] != FREE) w[COMPONENTS * i + a] -= mean[a];
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Direction(void *context, double beta, const double *z, double *p, double *w, double *pw)
{
  Flow        *flow = context;
  const size_t n    = COMPONENTS * (size_t)flow->cell->nlocal;
  double       mean[3], sum = 0;

  PetscFunctionBegin;
  for (size_t i = 0; i < n; i++) p[i] = z[i] + beta * p[i];
  PetscCall(FgSpectralApply(flow->spectral, SolveRow, flow, p, w, NULL));
  PetscCall(Restrict(flow, 1.0, p, w, mean));
  for (size_t i = 0; i < n; i++) sum += p[i] * w[i];
  *pw = sum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Precondition(void *context, const double *r, double *z, double *rz)
{
  const Flow  *flow = context;
  const size_t n    = COMPONENTS * (size_t)flow->cell->nlocal;
  double       sum  = 0;

  PetscFunctionBegin;
  for (size_t i = 0; i < n; i++) {
    z[i] = r[i];
    sum += r[i] * r[i];
  }
  *rz = sum;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, rz, 1, MPI_DOUBLE, MPI_SUM, flow->cell->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* w = S(f - lambda) for f = 1 on the open faces across `axis`, lambda = 0 where NULL; work->p is overwritten. */
static PetscErrorCode Response(Flow *flow, int axis, const double *lambda, double *w)
{
  double *p = flow->work.p;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < flow->cell->nlocal; i++) {
    for (int a = 0; a < COMPONENTS; a++)
      p[COMPONENTS * i + a] = (a == axis && flow->open[i] >> a & 1 ? 1.0 : 0.0) - (lambda ? lambda[COMPONENTS * i + a] : 0.0);
  }
  PetscCall(FgSpectralApply(flow->spectral, SolveRow, flow, p, w, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Norm(const Flow *flow, const double *w, double *norm)
{
  const size_t n   = COMPONENTS * (size_t)flow->cell->nlocal;
  double       sum = 0;

  PetscFunctionBegin;
  for (size_t i = 0; i < n; i++) sum += w[i] * w[i];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, flow->cell->comm));
  *norm = sqrt(sum);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What residuals are relative to: the root mean square velocity that the driving force makes where no wall holds it, on as many
   faces as have forces. (On those faces alone it can vanish.) */
static PetscErrorCode Scale(Flow *flow, int axis, double *scale)
{
  const double voxels = (double)flow->cell->n[0] * (double)flow->cell->n[1] * (double)flow->cell->n[2];

  PetscFunctionBegin;
  PetscCall(Response(flow, axis, NULL, flow->work.r));
  PetscCall(Norm(flow, flow->work.r, scale));
  *scale *= sqrt((flow->count[0] + flow->count[1] + flow->count[2]) / (COMPONENTS * voxels));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The forces that hold the flow driven along `axis`: lambda [nlocal][3]. */
static PetscErrorCode Forces(Flow *flow, int axis, const char *name, double *lambda, FgCellReport *report)
{
  const FgCell              cell  = flow->cell;
  const size_t              n     = COMPONENTS * (size_t)cell->nlocal;
  const double              start = FgWallSeconds(), before = FgSpectralSeconds(flow->spectral);
  const FgConjugateOperator A = {
      .comm = cell->comm, .n = n, .context = flow, .direction = Direction, .precondition = Precondition};
  double      total = 0, mean[3], norm = 0, scale = 0;
  char        history[256] = "";
  FgCellSolve solve        = {0};
  PetscBool   converged    = PETSC_FALSE;

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(solve.name, name, sizeof(solve.name)));
  PetscCall(PetscStrncpy(solve.solver, "conjugate gradients on wall forces by FFT", sizeof(solve.solver)));
  for (PetscInt i = 0; i < cell->nlocal; i++) total += flow->open[i] >> axis & 1 ? 1.0 : 0.0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPI_DOUBLE, MPI_SUM, cell->comm));
  for (PetscInt i = 0; i < cell->nlocal; i++) {
    for (int a = 0; a < COMPONENTS; a++)
      lambda[COMPONENTS * i + a] = a == axis && flow->code[COMPONENTS * i + a] != FREE ? total / flow->count[a] : 0.0;
  }
  PetscCall(Scale(flow, axis, &scale));
  for (PetscInt pass = 0; pass < 3; pass++) { /* the recursed residual can drift from the true one, which decides */
    PetscCall(Response(flow, axis, lambda, flow->work.r));
    PetscCall(Restrict(flow, -1.0, lambda, flow->work.r, mean));
    PetscCall(Norm(flow, flow->work.r, &norm));
    solve.residual = scale > 0 ? norm / scale : 0;
    converged      = solve.residual <= (pass ? 2.0 : 1.0) * flow->settings.tolerance ? PETSC_TRUE : PETSC_FALSE;
    if (converged || pass == 2 || solve.iterations >= flow->settings.max_iterations) break;
    PetscCall(PetscArrayzero(flow->work.p, n));
    PetscCall(FgConjugateGradients(&A, scale, flow->settings.tolerance, flow->settings.max_iterations - solve.iterations,
                                   &flow->work, lambda, &solve, history, &converged));
  }
  solve.seconds     = FgWallSeconds() - start;
  solve.fft_seconds = FgSpectralSeconds(flow->spectral) - before;
  PetscCheck(converged, PETSC_COMM_SELF, PETSC_ERR_NOT_CONVERGED,
             "%s: the cell problem %s did not converge: relative residual %.2e after %" PetscInt_FMT
             " iterations (%s); raise --max-iterations or --tolerance",
             cell->source, name, solve.residual, solve.iterations, history);
  PetscCall(FgReportSolve(report, &solve));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The velocity that the forces make, 0 on closed faces [length^2]. */
static PetscErrorCode Velocity(Flow *flow, int axis, const double *lambda, double *velocity)
{
  double mean[3] = {0, 0, 0};

  PetscFunctionBegin;
  PetscCall(Response(flow, axis, lambda, velocity));
  PetscCall(PetscArraycpy(flow->work.r, velocity, COMPONENTS * flow->cell->nlocal));
  PetscCall(Restrict(flow, -1.0, lambda, flow->work.r, mean));
  for (PetscInt i = 0; i < flow->cell->nlocal; i++) {
    for (int a = 0; a < COMPONENTS; a++) {
      double *v = &velocity[COMPONENTS * i + a];

      *v = flow->open[i] >> a & 1 ? *v - mean[a] : 0.0;
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* <v_i>, and the dissipation <|grad v|^2> with the walls' part. */
static PetscErrorCode Means(Flow *flow, const double *velocity, double mean[3], double *energy)
{
  const FgCell cell   = flow->cell;
  const double voxels = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  double       sum[4] = {0, 0, 0, 0}, bulk;

  PetscFunctionBegin;
  PetscCall(FgSpectralApply(flow->spectral, LaplacianRow, flow, velocity, flow->work.w, &bulk));
  for (PetscInt i = 0; i < cell->nlocal; i++) {
    for (int a = 0; a < COMPONENTS; a++) {
      const uint8_t code = flow->code[COMPONENTS * i + a];
      const double  v    = velocity[COMPONENTS * i + a];

      sum[a] += v;
      if (code != FREE && code != CLOSED) sum[3] += flow->friction[a][code] * v * v;
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 4, MPI_DOUBLE, MPI_SUM, cell->comm));
  for (int a = 0; a < 3; a++) mean[a] = sum[a] / voxels;
  *energy = (bulk + sum[3]) / voxels;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FlowCreate(FgCell cell, const FgCellSettings *settings, const PetscBool *open, Flow *flow)
{
  PetscFunctionBegin;
  flow->cell     = cell;
  flow->settings = *settings;
  flow->length   = PetscMin(cell->spacing[0], PetscMin(cell->spacing[1], cell->spacing[2]));
  PetscCall(MarkFaces(flow, open));
  for (int a = 0; a < 3; a++) {
    const double scale = flow->length / cell->spacing[a];

    PetscCall(PetscMalloc1(2 * cell->n[a], &flow->shift[a]));
    PetscCall(PetscMalloc1(cell->n[a], &flow->square[a]));
    for (PetscInt k = 0; k < cell->n[a]; k++) {
      const double theta = 2.0 * PETSC_PI * (double)k / (double)cell->n[a];

      flow->shift[a][2 * k]     = scale * 2.0 * PetscSqr(sin(0.5 * theta));
      flow->shift[a][2 * k + 1] = scale * sin(theta);
      flow->square[a][k]        = PetscSqr(scale * 2.0 * sin(0.5 * theta));
    }
  }
  PetscCall(FgSpectralGet(cell, settings, COMPONENTS, &flow->spectral));
  PetscCall(FgConjugateWorkReserve(&flow->work, COMPONENTS * (size_t)cell->nlocal));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FlowDestroy(Flow *flow)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(flow->code));
  PetscCall(PetscFree(flow->open));
  for (int a = 0; a < 3; a++) {
    PetscCall(PetscFree(flow->shift[a]));
    PetscCall(PetscFree(flow->square[a]));
  }
  PetscCall(FgSpectralRelease(&flow->settings, &flow->spectral));
  PetscCall(FgConjugateWorkDestroy(&flow->work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The flow driven along one axis, its means in column `axis` of stokes->k. */
static PetscErrorCode Drive(Flow *flow, int axis, const PetscBool *open, double *lambda, FgStokes *stokes, FgCellReport *report)
{
  const FgCell cell    = flow->cell;
  const size_t n       = COMPONENTS * (size_t)cell->nlocal;
  const double length2 = PetscSqr(flow->length);
  double       mean[3] = {0, 0, 0}, change, *velocity;
  char         name[FG_CELL_NAME];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(name, sizeof(name), "flow %c", "xyz"[axis]));
  PetscCall(Forces(flow, axis, name, lambda, report));
  PetscCall(PetscMalloc1(n, &stokes->velocity[axis]));
  velocity = stokes->velocity[axis];
  PetscCall(Velocity(flow, axis, lambda, velocity));
  PetscCall(PetscSNPrintf(name, sizeof(name), "projection %c", "xyz"[axis]));
  PetscCall(FgFaceProject(cell, &flow->settings, open, name, velocity, &change, report));
  PetscCall(Means(flow, velocity, mean, &stokes->energy[axis]));
  for (int i = 0; i < 3; i++) stokes->k[3 * i + axis] = length2 * mean[i];
  stokes->energy[axis] *= length2;
  for (size_t i = 0; i < n; i++) velocity[i] *= length2;
  if (!stokes->keep) PetscCall(PetscFree(stokes->velocity[axis]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgStokesSolve(FgCell cell, const FgCellSettings *settings, const PetscBool *open, FgStokes *stokes,
                             FgCellReport *report)
{
  const double   voxels = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  double        *lambda;
  PetscBool      walls = PETSC_FALSE;
  PetscErrorCode code  = PETSC_SUCCESS;
  Flow           flow  = {0};

  PetscFunctionBegin;
  for (PetscInt p = 0; p < cell->table.nphases; p++) walls = walls || (cell->fraction[p] > 0 && !open[p]);
  PetscCheck(walls, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: every voxel is fluid: nothing holds the flow, and the permeability is infinite; expected a phase with fluid 0",
             cell->source);
  PetscCall(FgComponentsFind(cell, open, &stokes->pores));
  PetscCall(FlowCreate(cell, settings, open, &flow));
  PetscCall(PetscMalloc1(COMPONENTS * cell->nlocal, &lambda));
  PetscCall(PetscArrayzero(stokes->k, 9));
  for (int j = 0; j < 3 && !code; j++) {
    stokes->energy[j] = 0;
    if (stokes->pores.percolates[j]) code = Drive(&flow, j, open, lambda, stokes, report);
    else PetscCall(FgReportNote(report, "no pore crosses the cell along %c: nothing flows that way, exactly 0", "xyz"[j]));
  }
  FgProjectTensor(stokes->pores.projector, stokes->k);
  report->bytes = PetscMax(report->bytes, FgStokesBytes(cell, stokes->keep) * voxels);
  PetscCall(PetscFree(lambda));
  PetscCall(FlowDestroy(&flow));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgStokesDestroy(FgStokes *stokes)
{
  PetscFunctionBegin;
  for (int a = 0; a < 3; a++) PetscCall(PetscFree(stokes->velocity[a]));
  PetscCall(FgComponentsDestroy(&stokes->pores));
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FgStokesBytes(FgCell cell, PetscBool keep)
{
  const double buffer = 8.0 * (1.0 + 2.0 / (double)cell->n[0]);

  /* forces, three vectors of the iteration, velocity; their transform; phases, codes, components; the projection */
  return 5.0 * 24.0 + 3.0 * buffer + 2.0 + 4.0 + 1.0 + 4.0 + (8.0 * 5.0 + buffer) + (keep ? 2.0 * 24.0 : 0.0);
}

PetscErrorCode FgFluidPhases(FgCell cell, PetscBool **open)
{
  double  *fluid;
  PetscInt bad   = -1;
  double   value = 0;

  PetscFunctionBegin;
  PetscCall(FgCellProperty(cell, "fluid", &fluid, NULL));
  PetscCall(PetscMalloc1(cell->table.nphases, open));
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    if (fluid[p] != 0 && fluid[p] != 1) {
      bad   = p;
      value = fluid[p];
    }
    (*open)[p] = fluid[p] == 1 ? PETSC_TRUE : PETSC_FALSE;
  }
  PetscCall(PetscFree(fluid));
  if (bad >= 0) PetscCall(PetscFree(*open));
  PetscCheck(bad < 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: phase '%s': 'fluid' is %g, expected 1 (the fluid flows here) or 0 (a wall)", cell->table.source,
             cell->table.phases[bad].name, value);
  PetscFunctionReturn(PETSC_SUCCESS);
}
