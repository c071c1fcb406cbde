/* dispersion.c: physics `dispersion`: Taylor-Aris dispersion of a tracer that a flow carries through a cell.

     micro  rho du/dt + v . grad u - div(K grad u) = 0,  div v = 0,  K = rho D; nothing passes where K = 0
     macro  <rho> du/dt + <v> . grad u = div(D* grad u), for v = O(1/eps) in the frame that drifts with V = <v>/<rho>
     cell   -div(K (e_j + grad chi_j)) + v . grad chi_j = -(v_j - rho V_j)
     D*_ij = sym < (e_i + grad chi_i) . K (e_j + grad chi_j) >                           (energy form)
           = sym ( < e_i . K (e_j + grad chi_j) > - < (v_i - rho V_i) chi_j > )          (flux form)

   rho (property `storage`) is the concentration of a phase relative to that of the flowing fluid, whose own is 1. Advection is
   centered over faces with a velocity that is divergence-free to round-off: then it is exactly skew, it adds no
   dispersion of its own, as upwinding would, and both forms agree to the tolerance of the solver.

   The system is nonsymmetric and, for a large Peclet number, far from its symmetric part. BiCGStab(4), which copes
   with eigenvalues far from the real axis, with the constant-coefficient operator of <K> and <v> as right preconditioner,
   inverted by Fourier transforms: iterations grow like the Peclet number.
   Source: docs/physics/advection.md; Taylor, Proc. R. Soc. A 219 (1953) 186; Aris, Proc. R. Soc. A 235 (1956) 67; Brenner, Phil.
   Trans. R. Soc. A 297 (1980) 81. */
#include "dispersion.h"
#include "effective.h"

#include <math.h>

enum { ELL = 4, SHORT = 10, PASSES = 12 };

/* --- Operator and preconditioner -------------------------------------------------------------------------------------- */

/* y += v . grad x, skew: (v_upper x_upper - v_lower x_lower)/(2 h) along each axis. */
static PetscErrorCode AddAdvection(FgDispersion *d, const double *x, double *y)
{
  const FgCell   cell = d->cell;
  const PetscInt n0 = cell->n[0], n1 = cell->n[1];
  const size_t   plane   = (size_t)(n0 * n1);
  const double   half[3] = {0.5 / cell->spacing[0], 0.5 / cell->spacing[1], 0.5 / cell->spacing[2]};
  const double  *below, *above;

  PetscFunctionBegin;
  PetscCall(FgHaloUpdate(cell, &d->halo, x, 1, &below, &above));
  for (PetscInt k = 0; k < cell->count; k++) {
    const double *x0 = x + plane * (size_t)k, *x_below = k ? x0 - plane : below,
                 *x_above = k + 1 < cell->count ? x0 + plane : above;
    const double *v0      = d->velocity + FG_VELOCITY * plane * (size_t)k;
    const double *v_above = k + 1 < cell->count ? v0 + FG_VELOCITY * plane : d->velocity_above;

    for (PetscInt j = 0; j < n1; j++) {
      const PetscInt row = j * n0, next = (j + 1 < n1 ? j + 1 : 0) * n0, last = (j ? j - 1 : n1 - 1) * n0;
      double        *out = y + plane * (size_t)k + row;

      for (PetscInt i = 0; i < n0; i++) {
        const PetscInt right = i + 1 < n0 ? i + 1 : 0, left = i ? i - 1 : n0 - 1;
        const double  *v = v0 + FG_VELOCITY * (row + i);

        out[i] += half[0] * (v0[FG_VELOCITY * (row + right)] * x0[row + right] - v[0] * x0[row + left]) +
                  half[1] * (v0[FG_VELOCITY * (next + i) + 1] * x0[next + i] - v[1] * x0[last + i]) +
                  half[2] * (v_above[FG_VELOCITY * (row + i) + 2] * x_above[row + i] - v[2] * x_below[row + i]);
      }
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double InvertRow(const void *context, PetscInt ky, PetscInt kz, PetscInt nk, double scale, double complex **value)
{
  const FgDispersion *d       = context;
  const double        diffuse = d->symbol[1][ky] + d->symbol[2][kz], carry = d->advance[1][ky] + d->advance[2][kz];

  for (PetscInt k = 0; k < nk; k++) {
    const double re = d->symbol[0][k] + diffuse, im = d->advance[0][k] + carry, square = re * re + im * im;

    value[0][k] *= square > 0 ? scale / square * (re - im * I) : 0.0;
  }
  return 0;
}

/* z = M^-1 r. */
static PetscErrorCode Precondition(FgDispersion *d, Vec r, Vec z)
{
  const double *r_values;
  double       *z_values;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(r, &r_values));
  PetscCall(VecGetArray(z, &z_values));
  PetscCall(FgSpectralApply(d->spectral, InvertRow, d, r_values, z_values, NULL));
  PetscCall(VecRestoreArray(z, &z_values));
  PetscCall(VecRestoreArrayRead(r, &r_values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = A x. */
static PetscErrorCode Apply(FgDispersion *d, Vec x, Vec y)
{
  const double *x_values;
  double       *y_values;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(x, &x_values));
  PetscCall(VecGetArray(y, &y_values));
  PetscCall(FgScalarApply(d->op, x_values, y_values));
  PetscCall(AddAdvection(d, x_values, y_values));
  PetscCall(VecRestoreArray(y, &y_values));
  PetscCall(VecRestoreArrayRead(x, &x_values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = A M^-1 x: KSPBCGSL of PETSc 3.18 returns M x where it is told of a right preconditioner. */
static PetscErrorCode Multiply(Mat matrix, Vec x, Vec y)
{
  FgDispersion *d;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(matrix, &d));
  PetscCall(Precondition(d, x, d->work));
  PetscCall(Apply(d, d->work, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MakePreconditioner(FgDispersion *d)
{
  const FgCell cell = d->cell;
  double       mean[3], largest = 0;

  PetscFunctionBegin;
  for (int a = 0; a < 3; a++) {
    mean[a] = FgCellMean(cell, d->tensors + a, 6);
    largest = PetscMax(largest, mean[a]);
  }
  for (int a = 0; a < 3; a++) {
    PetscCall(PetscMalloc1(cell->n[a], &d->symbol[a]));
    PetscCall(PetscMalloc1(cell->n[a], &d->advance[a]));
    for (PetscInt k = 0; k < cell->n[a]; k++) {
      const double theta = 2.0 * PETSC_PI * (double)k / (double)cell->n[a];

      d->symbol[a][k]  = (mean[a] > 0 ? mean[a] : largest) * PetscSqr(2.0 * sin(0.5 * theta) / cell->spacing[a]);
      d->advance[a][k] = d->mean_velocity[a] * sin(theta) / cell->spacing[a];
    }
  }
  PetscCall(FgSpectralGet(cell, &d->settings, 1, &d->spectral));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MakeSolver(FgDispersion *d)
{
  const FgCell cell = d->cell;
  Mat          matrix;
  PC           pc;

  PetscFunctionBegin;
  PetscCall(VecCreateMPI(cell->comm, cell->nlocal, PETSC_DETERMINE, &d->x));
  PetscCall(VecDuplicate(d->x, &d->b));
  PetscCall(VecDuplicate(d->x, &d->r));
  PetscCall(VecDuplicate(d->x, &d->step));
  PetscCall(VecDuplicate(d->x, &d->work));
  PetscCall(MatCreateShell(cell->comm, cell->nlocal, cell->nlocal, PETSC_DETERMINE, PETSC_DETERMINE, d, &matrix));
  PetscCall(MatShellSetOperation(matrix, MATOP_MULT, (void (*)(void))Multiply));
  PetscCall(KSPCreate(cell->comm, &d->ksp));
  PetscCall(KSPSetOperators(d->ksp, matrix, matrix));
  PetscCall(MatDestroy(&matrix));
  PetscCall(KSPGetPC(d->ksp, &pc));
  PetscCall(PCSetType(pc, PCNONE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Cell problems ---------------------------------------------------------------------------------------------------- */

static PetscErrorCode NotConverged(const FgDispersion *d, int axis, const FgCellSolve *solve, const PetscReal *residuals,
                                   PetscInt n, double norm)
{
  char   history[256] = "";
  size_t used         = 0;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n && used < 200; i += PetscMax(1, n / 8))
    used += (size_t)snprintf(history + used, sizeof(history) - used, "%s%" PetscInt_FMT ": %.1e", i ? ", " : "", i,
                             residuals[i] / norm);
  SETERRQ(PETSC_COMM_SELF, PETSC_ERR_NOT_CONVERGED,
          "%s: the cell problem dispersion %c did not converge: relative residual %.2e after %" PetscInt_FMT
          " iterations (%s); raise --max-iterations, or lower the velocity or the tolerance",
          d->cell->source, "xyz"[axis], solve -> residual, solve -> iterations, history);
}

/* r = b - A x. */
static PetscErrorCode Residual(FgDispersion *d, PetscReal *norm)
{
  PetscFunctionBegin;
  PetscCall(Apply(d, d->x, d->r));
  PetscCall(VecAYPX(d->r, -1.0, d->b));
  PetscCall(VecNorm(d->r, NORM_2, norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x with A x = b: some steps of GMRES, which end at once where M is A, as in parallel flow (BiCGStab(l) breaks down there), then
   BiCGStab(l), again on what is left as long as its recursed residual drifts from the true one, which decides. */
static PetscErrorCode SolveSystem(FgDispersion *d, int axis, FgCellSolve *solve)
{
  const PetscInt limit   = d->settings.max_iterations;
  PetscInt       told    = 0;
  PetscBool      careful = PETSC_TRUE;
  PetscReal      norm, left;

  PetscFunctionBegin;
  if (!d->residuals) PetscCall(PetscMalloc1(limit + 2 + PASSES, &d->residuals));
  PetscCall(VecNorm(d->b, NORM_2, &norm));
  PetscCall(VecCopy(d->b, d->r));
  left = norm;
  for (PetscInt pass = 0; pass < PASSES && solve->iterations < limit && left > d->settings.tolerance * norm; pass++) {
    PetscInt  iterations, more;
    PetscReal before = left;

    PetscCall(KSPSetType(d->ksp, careful ? KSPGMRES : KSPBCGSL));
    if (careful) PetscCall(KSPGMRESSetRestart(d->ksp, SHORT));
    else PetscCall(KSPBCGSLSetEll(d->ksp, ELL));
    PetscCall(KSPSetTolerances(d->ksp, (pass ? 0.1 : 1.0) * d->settings.tolerance * norm / left, 1e-300, 1e10,
                               PetscMin(limit - solve->iterations, careful ? SHORT : limit)));
    PetscCall(KSPSetResidualHistory(d->ksp, d->residuals + told, limit + 2 + PASSES - told, PETSC_TRUE));
    PetscCall(KSPSolve(d->ksp, d->r, d->step));
    PetscCall(KSPGetIterationNumber(d->ksp, &iterations));
    PetscCall(KSPGetResidualHistory(d->ksp, NULL, &more));
    solve->iterations += iterations;
    told += more;
    PetscCall(Precondition(d, d->step, d->work));
    PetscCall(VecAXPY(d->x, 1.0, d->work));
    PetscCall(Residual(d, &left));
    careful = PETSC_FALSE;
    if (!(left < before)) { /* further away: back */
      careful = PETSC_TRUE;
      PetscCall(Precondition(d, d->step, d->work));
      PetscCall(VecAXPY(d->x, -1.0, d->work));
      PetscCall(Residual(d, &left));
    }
  }
  solve->residual = left / norm;
  if (left > d->settings.tolerance * norm) PetscCall(NotConverged(d, axis, solve, d->residuals, told, norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* chi_axis, mean 0 in each component. */
static PetscErrorCode Corrector(FgDispersion *d, int axis, double *chi, FgCellReport *report)
{
  const FgCell cell  = d->cell;
  const double start = FgWallSeconds(), before = FgSpectralSeconds(d->spectral);
  FgCellSolve  solve = {0};
  PetscReal    norm;
  double      *b;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(solve.name, sizeof(solve.name), "dispersion %c", "xyz"[axis]));
  PetscCall(PetscSNPrintf(solve.solver, sizeof(solve.solver), "FFT-preconditioned GMRES and BiCGStab(%d)", ELL));
  PetscCall(FgDispersionExcess(d, axis, chi));
  if (FgScalarHasImpermeable(d->op)) PetscCall(FgScalarPin(d->op, chi)); /* solvable to round-off */
  PetscCall(VecGetArray(d->b, &b));
  PetscCall(FgScalarSource(d->op, axis, b));
  for (PetscInt i = 0; i < cell->nlocal; i++) b[i] -= chi[i];
  PetscCall(VecRestoreArray(d->b, &b));
  PetscCall(VecNorm(d->b, NORM_2, &norm));
  PetscCall(VecSet(d->x, 0.0));
  if (norm > 0) {
    PetscCall(SolveSystem(d, axis, &solve));
    solve.seconds     = FgWallSeconds() - start;
    solve.fft_seconds = FgSpectralSeconds(d->spectral) - before;
    PetscCall(FgReportSolve(report, &solve));
  }
  PetscCall(VecGetArray(d->x, &b));
  PetscCall(PetscArraycpy(chi, b, cell->nlocal));
  PetscCall(VecRestoreArray(d->x, &b));
  PetscCall(FgScalarPin(d->op, chi));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Energy form, and flux form < e_i . K (e_j + grad chi_j) > - < (v_i - rho V_i) chi_j >. */
static PetscErrorCode Forms(FgDispersion *d, double *const chi[3], double energy[9], double flux[9])
{
  const FgCell cell       = d->cell;
  const double voxels     = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  double       carried[9] = {0}, *excess;

  PetscFunctionBegin;
  PetscCall(FgScalarForm(d->op, chi, chi, energy));
  PetscCall(FgScalarFlux(d->op, chi, flux));
  PetscCall(PetscMalloc1(cell->nlocal, &excess));
  for (int i = 0; i < 3; i++) {
    PetscCall(FgDispersionExcess(d, i, excess));
    for (int j = 0; j < 3; j++) {
      for (PetscInt k = 0; k < cell->nlocal; k++) carried[3 * i + j] += excess[k] * chi[j][k];
    }
  }
  PetscCall(PetscFree(excess));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, carried, 9, MPI_DOUBLE, MPI_SUM, cell->comm));
  for (int i = 0; i < 9; i++) flux[i] -= carried[i] / voxels;
  for (int a = 0; a < 3; a++) {
    energy[4 * a] -= d->idle[a];
    flux[4 * a] -= d->idle[a];
  }
  if (FgScalarHasImpermeable(d->op)) {
    const FgComponents *components = NULL;

    PetscCall(FgScalarComponents(d->op, &components));
    FgProjectTensor(components->projector, energy);
    FgProjectTensor(components->projector, flux);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- The report ------------------------------------------------------------------------------------------------------- */

/* Peclet number of the mean pore velocity (of the root mean square one where that is 0) and the longest edge. */
static PetscErrorCode Peclet(const FgDispersion *d, FgCellReport *report)
{
  const FgCell cell   = d->cell;
  const double voxels = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  double       square = 0, fraction = 0, conductivity = 0, edge = 0, drift = 0, speed, peclet;
  PetscBool    mean;
  FgEffective *item;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < FG_VELOCITY * cell->nlocal; i++) square += PetscSqr(d->velocity[i]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &square, 1, MPI_DOUBLE, MPI_SUM, cell->comm));
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    if (d->tensors[6 * p] == 0) continue;
    fraction += cell->fraction[p];
    conductivity += cell->fraction[p] * (d->tensors[6 * p] + d->tensors[6 * p + 1] + d->tensors[6 * p + 2]) / 3.0;
  }
  for (int a = 0; a < 3; a++) {
    edge = PetscMax(edge, cell->edge[a]);
    drift += PetscSqr(d->mean_velocity[a]);
  }
  square = sqrt(square / (voxels * fraction));
  drift  = sqrt(drift) / fraction;
  mean   = drift > 1e-3 * square ? PETSC_TRUE : PETSC_FALSE;
  speed  = mean ? drift : square;
  peclet = speed * edge * fraction / conductivity;
  PetscCall(FgReportEffective(report, "peclet", "1", 1, 1, &peclet, "cell Peclet number", &item));
  PetscCall(FgReportNote(report, "Peclet number %.4g = %s velocity %.4g m/s x longest edge %.4g m / mean diffusivity %.4g m^2/s",
                         peclet, mean ? "mean pore" : "root mean square", speed, edge, conductivity / fraction));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Report(const FgDispersion *d, const double energy[9], const double flux[9], FgCellReport *report)
{
  double       D[9], apparent[9], difference = 0, largest = 0;
  FgEffective *item;

  PetscFunctionBegin;
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      D[3 * i + j]        = 0.5 * (energy[3 * i + j] + energy[3 * j + i]);
      apparent[3 * i + j] = d->mean_storage > 0 ? D[3 * i + j] / d->mean_storage : 0;
      largest             = PetscMax(largest, PetscAbsReal(D[3 * i + j]));
      difference          = PetscMax(difference, PetscAbsReal(D[3 * i + j] - 0.5 * (flux[3 * i + j] + flux[3 * j + i])));
    }
  }
  difference = largest > 0 ? difference / largest : 0;
  PetscCall(FgReportEffective(report, "D", "m^2/s", 3, 3, D, "dispersion in the drifting frame, flux per total area, energy form",
                              NULL));
  PetscCall(FgReportEffective(report, "D_apparent", "m^2/s", 3, 3, apparent, "D over the mean storage", NULL));
  PetscCall(
      FgReportEffective(report, "v", "m/s", 3, 1, d->mean_velocity, "mean velocity over the whole cell (Darcy velocity)", NULL));
  PetscCall(FgReportEffective(report, "V", "m/s", 3, 1, d->drift, "drift of the tracer: v over the mean storage", NULL));
  PetscCall(
      FgReportEffective(report, "storage", "1", 1, 1, &d->mean_storage, "mean storage <rho> of what the flow reaches", NULL));
  PetscCall(FgReportEffective(report, "D_flux", "m^2/s", 3, 3, flux, "dispersion, flux form; its antisymmetric part too", &item));
  item->detail = PETSC_TRUE;
  PetscCall(FgReportEffective(report, "D_self_check", "1", 1, 1, &difference,
                              "largest difference of the two forms' symmetric parts, relative", &item));
  item->detail = PETSC_TRUE;
  PetscCall(Peclet(d, report));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K = rho D [nphases][6] and rho, both 0 where no tracer is. */
static PetscErrorCode Tensors(FgCell cell, double **tensors, double **storage)
{
  PetscFunctionBegin;
  PetscCall(FgCellProperty(cell, "diffusivity", tensors, NULL));
  PetscCall(FgCellProperty(cell, "storage", storage, NULL));
  FgTensorsScale(cell, *storage, *tensors);
  PetscCheck(FgTensorsAreDiagonal(cell, *tensors), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: dispersion takes diffusivities along the axes of the cell, not tensors with off-diagonal values [m^2/s]",
             cell->table.source);
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const double *t = *tensors + 6 * p;

    PetscCheck((t[0] > 0) == (t[1] > 0) && (t[1] > 0) == (t[2] > 0), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: phase '%s': 'diffusivity' is 0 along some axes only; expected positive along all, or 0 (impermeable) [m^2/s]",
               cell->table.source, cell->table.phases[p].name);
    if (t[0] == 0) (*storage)[p] = 0;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DispersionDestroy(FgDispersion *d)
{
  PetscFunctionBegin;
  for (int a = 0; a < 3; a++) {
    PetscCall(PetscFree(d->symbol[a]));
    PetscCall(PetscFree(d->advance[a]));
    PetscCall(PetscFree(d->chi[a]));
  }
  PetscCall(VecDestroy(&d->x));
  PetscCall(VecDestroy(&d->b));
  PetscCall(VecDestroy(&d->r));
  PetscCall(VecDestroy(&d->step));
  PetscCall(VecDestroy(&d->work));
  PetscCall(KSPDestroy(&d->ksp));
  PetscCall(FgHaloDestroy(&d->halo));
  PetscCall(FgHaloDestroy(&d->velocity_halo));
  PetscCall(FgSpectralRelease(&d->settings, &d->spectral));
  PetscCall(FgScalarDestroy(&d->op));
  PetscCall(PetscFree(d->velocity));
  PetscCall(PetscFree(d->storage));
  PetscCall(PetscFree(d->tensors));
  PetscCall(PetscFree(d->moves));
  PetscCall(PetscFree(d->residuals));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  const double buffer = 8.0 * (1.0 + 2.0 / (double)cell->n[0]);
  /* velocity, correctors, five vectors of the system, those of GMRES or BiCGStab(l); labels of phases and components */
  const double solve = 24.0 + 24.0 + 8.0 * (5.0 + SHORT + 4.0) + buffer + 6.0;

  return PetscMax(solve, 24.0 + FgStokesBytes(cell, PETSC_TRUE));
}

static PetscErrorCode Run(FgDispersion *d, FgCellReport *report)
{
  const FgCell cell = d->cell;
  double       energy[9], flux[9];

  PetscFunctionBegin;
  PetscCall(Tensors(cell, &d->tensors, &d->storage));
  PetscCall(FgDispersionVelocity(d, report));
  PetscCall(FgScalarCreate(cell, &d->settings, d->tensors, 6, &d->op));
  PetscCall(FgDispersionDrift(d, report));
  PetscCall(MakePreconditioner(d));
  PetscCall(MakeSolver(d));
  for (int j = 0; j < 3; j++) {
    PetscCall(PetscMalloc1(cell->nlocal, &d->chi[j]));
    PetscCall(Corrector(d, j, d->chi[j], report));
  }
  PetscCall(Forms(d, d->chi, energy, flux));
  PetscCall(Report(d, energy, flux, report));
  for (int j = 0; d->settings.keep_fields && j < 3; j++) {
    char name[FG_CELL_NAME];

    PetscCall(PetscSNPrintf(name, sizeof(name), "D_corrector_%c", "xyz"[j]));
    PetscCall(FgReportField(report, cell, name, "m", 1, d->chi[j]));
  }
  if (d->settings.keep_fields) PetscCall(FgReportField(report, cell, "velocity", "m/s", FG_VELOCITY, d->velocity));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  const double   voxels = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  FgDispersion   d      = {.cell = cell, .settings = *settings};
  PetscErrorCode code;

  PetscFunctionBegin;
  code = Run(&d, report);
  PetscCall(DispersionDestroy(&d));
  PetscCall(code);
  report->bytes = PetscMax(report->bytes, BytesPerVoxel(cell, settings) * voxels);
  PetscFunctionReturn(PETSC_SUCCESS);
}

const FgPhysics FgPhysicsDispersion = {"dispersion", "drift and Taylor-Aris dispersion of a tracer carried by a flow", Solve,
                                       BytesPerVoxel, PETSC_FALSE};
