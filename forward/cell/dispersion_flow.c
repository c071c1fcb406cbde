/* dispersion_flow.c: the velocity that carries a tracer, and the drift V = <v>/<rho> of what it reaches.

   The velocity is given, and then projected onto divergence-free ones, or it is the Stokes flow with the wanted mean. Tracer in
   closed pockets never meets the flow, and is left out of <rho>; unconnected pores that drift at different speeds
   have no common frame, and are refused. Source: docs/physics/advection.md. */
#include "dispersion.h"

#include <math.h>

static const double largest_correction = 0.01; /* of a given velocity by the projection, ||correction||/||v|| */

/* Velocity along `axis` at the center of each voxel: the mean of its two faces. */
static void CenterVelocity(const FgDispersion *d, int axis, double *center)
{
  const FgCell   cell = d->cell;
  const PetscInt n0 = cell->n[0], n1 = cell->n[1];
  const size_t   plane = (size_t)(n0 * n1);

  for (PetscInt k = 0; k < cell->count; k++) {
    const double *here  = d->velocity + FG_VELOCITY * plane * (size_t)k;
    const double *above = k + 1 < cell->count ? here + FG_VELOCITY * plane : d->velocity_above;

    for (PetscInt j = 0; j < n1; j++) {
      for (PetscInt i = 0; i < n0; i++) {
        const PetscInt at    = j * n0 + i;
        const PetscInt upper = axis == 0 ? j * n0 + (i + 1 < n0 ? i + 1 : 0) : axis == 1 ? (j + 1 < n1 ? j + 1 : 0) * n0 + i : at;
        const double  *other = axis == 2 ? above : here;

        center[plane * (size_t)k + at] = 0.5 * (here[FG_VELOCITY * at + axis] + other[FG_VELOCITY * upper + axis]);
      }
    }
  }
}

/* Pressure gradients over the viscosity that drive the mean velocity `wanted`: k^-1 wanted. */
static PetscErrorCode Gradients(FgCell cell, const FgStokes *stokes, const double wanted[3], double gradient[3])
{
  double k[9], largest = 0, outside = 0, speed = 0, determinant;

  PetscFunctionBegin;
  for (int i = 0; i < 3; i++) largest = PetscMax(largest, stokes->k[4 * i]);
  for (int i = 0; i < 3; i++) { /* k, and any positive number across the directions that the pores do not cross */
    double part = wanted[i];

    for (int j = 0; j < 3; j++) {
      const double P = stokes->pores.projector[3 * i + j];

      k[3 * i + j] = 0.5 * (stokes->k[3 * i + j] + stokes->k[3 * j + i]) + largest * ((i == j ? 1.0 : 0.0) - P);
      part -= P * wanted[j];
    }
    outside = PetscMax(outside, PetscAbsReal(part));
    speed   = PetscMax(speed, PetscAbsReal(wanted[i]));
  }
  PetscCheck(outside <= 1e-9 * speed, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: 'mean-velocity' (%g, %g, %g) m/s points where no pore crosses the cell", cell->table.source, wanted[0],
             wanted[1], wanted[2]);
  for (int i = 0; i < 9; i++) k[i] /= largest;
  determinant = k[0] * (k[4] * k[8] - k[5] * k[7]) - k[1] * (k[3] * k[8] - k[5] * k[6]) + k[2] * (k[3] * k[7] - k[4] * k[6]);
  for (int i = 0; i < 3; i++) { /* Cramer's rule with column i replaced */
    double m[9];

    PetscCall(PetscArraycpy(m, k, 9));
    for (int j = 0; j < 3; j++) m[3 * j + i] = wanted[j] / largest;
    gradient[i] = (m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6])) /
                  determinant;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Flow with the mean velocity of the cell: a sum of the Stokes flows along its axes. */
static PetscErrorCode FlowOfMean(FgCell cell, const FgCellSettings *settings, const double *tensors, double *velocity,
                                 FgCellReport *report)
{
  FgStokes       stokes = {.keep = PETSC_TRUE};
  double         wanted[3], gradient[3] = {0, 0, 0};
  PetscInt       closed = -1;
  PetscBool     *open;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(velocity, FG_VELOCITY * cell->nlocal));
  PetscCall(FgCellValue(cell, "mean-velocity", wanted));
  if (wanted[0] == 0 && wanted[1] == 0 && wanted[2] == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgFluidPhases(cell, &open));
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    if (cell->fraction[p] > 0 && open[p] && tensors[6 * p] == 0) closed = p;
  }
  if (closed >= 0) PetscCall(PetscFree(open));
  PetscCheck(closed < 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: phase '%s' is fluid, but no tracer gets into it: 'diffusivity' or 'storage' is 0", cell->table.source,
             cell->table.phases[closed].name);
  code = FgStokesSolve(cell, settings, open, &stokes, report);
  if (!code) code = Gradients(cell, &stokes, wanted, gradient);
  for (int j = 0; j < 3 && !code; j++) {
    for (PetscInt i = 0; stokes.velocity[j] && i < FG_VELOCITY * cell->nlocal; i++)
      velocity[i] += gradient[j] * stokes.velocity[j][i];
  }
  PetscCall(FgStokesDestroy(&stokes));
  PetscCall(PetscFree(open));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GivenVelocity(FgCell cell, const FgCellSettings *settings, const double *tensors, double *velocity,
                                    FgCellReport *report)
{
  PetscBool     *open;
  PetscErrorCode code;
  double         change;
  int            bad = 0;

  PetscFunctionBegin;
  PetscCall(PetscArraycpy(velocity, settings->velocity, FG_VELOCITY * cell->nlocal));
  for (PetscInt i = 0; i < FG_VELOCITY * cell->nlocal; i++) bad = bad || !isfinite(velocity[i]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bad, 1, MPI_INT, MPI_MAX, cell->comm));
  PetscCheck(!bad, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: the velocity is not finite in some voxels", cell->source);
  PetscCall(PetscMalloc1(cell->table.nphases, &open));
  for (PetscInt p = 0; p < cell->table.nphases; p++) open[p] = tensors[6 * p] > 0 ? PETSC_TRUE : PETSC_FALSE;
  code = FgFaceProject(cell, settings, open, "projection", velocity, &change, report);
  PetscCall(PetscFree(open));
  PetscCall(code);
  PetscCheck(change <= largest_correction, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: the velocity is not divergence-free, or flows through impermeable voxels: mending that changes it by %.3g %% "
             "(root mean square), expected at most %g %%; velocities stand on the lower faces of the voxels",
             cell->source, 100.0 * change, 100.0 * largest_correction);
  if (change > 1e-9)
    PetscCall(FgReportNote(report, "the given velocity was projected onto divergence-free ones, which changed it by %.2g %%",
                           100.0 * change));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Which components drift with the flow. In closed pockets the tracer stays; so it does in pores without flow that meet their
   copies only across an axis with one voxel: they are pockets in a plane, and channels along that axis. */
static PetscErrorCode FindMoving(FgDispersion *d, const FgComponents *components, const double *sums, double speed)
{
  const FgCell cell = d->cell;
  int          flat = 0;

  PetscFunctionBegin;
  for (int a = 0; a < 3; a++) flat += cell->n[a] == 1;
  PetscCall(PetscMalloc1(components->ncomponents, &d->moves));
  for (PetscInt c = 0; c < components->ncomponents; c++) {
    double mean = 0;

    for (int a = 0; a < 3; a++) mean = PetscMax(mean, PetscAbsReal(sums[4 * c + a]));
    d->moves[c] = components->rank[c] > flat || (components->rank[c] > 0 && (speed == 0 || mean > 1e-6 * speed)) ? PETSC_TRUE
                                                                                                                 : PETSC_FALSE;
  }
  for (PetscInt i = 0; i < cell->nlocal; i++) {
    const int32_t c = components->component[i];

    for (int a = 0; c >= 0 && !d->moves[c] && components->rank[c] > 0 && a < 3; a++) {
      if (cell->n[a] == 1) d->idle[a] += d->tensors[6 * cell->phase[i] + a];
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, d->idle, 3, MPI_DOUBLE, MPI_SUM, cell->comm));
  for (int a = 0; a < 3; a++) d->idle[a] /= (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDispersionDrift(FgDispersion *d, FgCellReport *report)
{
  const FgCell        cell       = d->cell;
  const double        voxels     = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  const FgComponents *components = NULL;
  PetscInt            n          = 1;
  double             *sums, *center, total[4] = {0}, speed = 0, pockets = 0, other = 0; /* v_x, v_y, v_z, rho */
  int                 axis = -1;

  PetscFunctionBegin;
  if (FgScalarHasImpermeable(d->op)) {
    PetscCall(FgScalarComponents(d->op, &components));
    n = components->ncomponents;
  }
  PetscCall(PetscCalloc1(4 * n, &sums));
  PetscCall(PetscMalloc1(cell->nlocal, &center));
  for (int a = 0; a < 4; a++) {
    if (a < 3) CenterVelocity(d, a, center);
    for (PetscInt i = 0; i < cell->nlocal; i++) {
      const int32_t c = components ? components->component[i] : 0;

      if (c >= 0) sums[4 * c + a] += (a < 3 ? center[i] : d->storage[cell->phase[i]]) / voxels;
    }
  }
  for (PetscInt i = 0; i < FG_VELOCITY * cell->nlocal; i++) speed += PetscSqr(d->velocity[i]) / voxels;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, (PetscMPIInt)(4 * n), MPI_DOUBLE, MPI_SUM, cell->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &speed, 1, MPI_DOUBLE, MPI_SUM, cell->comm));
  speed = sqrt(speed);
  if (components) PetscCall(FindMoving(d, components, sums, speed));
  for (PetscInt c = 0; c < n; c++) {
    if (d->moves && !d->moves[c]) pockets += sums[4 * c + 3];
    else
      for (int a = 0; a < 4; a++) total[a] += sums[4 * c + a];
  }
  d->mean_storage = total[3];
  for (int a = 0; a < 3; a++) {
    d->mean_velocity[a] = total[a];
    d->drift[a]         = total[3] > 0 ? total[a] / total[3] : 0;
  }
  for (PetscInt c = 0; components && c < n; c++) {
    for (int a = 0; a < 3 && d->moves[c]; a++) {
      const double own = sums[4 * c + a] / sums[4 * c + 3];

      if (PetscAbsReal(own - d->drift[a]) > 1e-6 * speed / d->mean_storage) {
        axis  = a;
        other = own;
      }
    }
  }
  if (pockets > 0)
    PetscCall(
        FgReportNote(report, "closed pockets with a mean storage of %.4g take no part: nothing leaves or enters them", pockets));
  PetscCall(PetscFree(sums));
  PetscCall(PetscFree(center));
  PetscCheck(
      axis < 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
      "%s: unconnected pores drift at different speeds (%g m/s along %c, and %g m/s on average): the tracer spreads without "
      "end, and no dispersion tensor describes it",
      cell->source, other, "xyz"[axis], d -> drift[axis]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Phases in which fluid flows hold tracer at its own concentration. */
static PetscErrorCode CheckStorage(FgDispersion *d)
{
  const FgCell cell = d->cell;
  double      *speed, *center, largest = 0;
  PetscInt     bad = -1;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(cell->table.nphases, &speed));
  PetscCall(PetscMalloc1(cell->nlocal, &center));
  for (int a = 0; a < 3; a++) {
    CenterVelocity(d, a, center);
    for (PetscInt i = 0; i < cell->nlocal; i++) speed[cell->phase[i]] = PetscMax(speed[cell->phase[i]], PetscAbsReal(center[i]));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, speed, (PetscMPIInt)cell->table.nphases, MPI_DOUBLE, MPI_MAX, cell->comm));
  for (PetscInt p = 0; p < cell->table.nphases; p++) largest = PetscMax(largest, speed[p]);
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    if (speed[p] > 1e-3 * largest && d->storage[p] != 1) bad = p;
  }
  PetscCall(PetscFree(speed));
  PetscCall(PetscFree(center));
  PetscCheck(bad < 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: phase '%s' flows, and its 'storage' is %g; expected 1 there, and that of the other phases relative to it",
             cell->table.source, cell->table.phases[bad].name, d->storage[bad]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDispersionExcess(const FgDispersion *d, int axis, double *excess)
{
  const FgCell        cell       = d->cell;
  const FgComponents *components = NULL;

  PetscFunctionBegin;
  if (FgScalarHasImpermeable(d->op)) PetscCall(FgScalarComponents(d->op, &components));
  CenterVelocity(d, axis, excess);
  for (PetscInt i = 0; i < cell->nlocal; i++) {
    const int32_t c = components ? components->component[i] : 0;

    if (c >= 0 && (!d->moves || d->moves[c])) excess[i] -= d->storage[cell->phase[i]] * d->drift[axis];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDispersionVelocity(FgDispersion *d, FgCellReport *report)
{
  const double *below;
  int           given = d->settings.velocity != NULL; /* a rank without planes has none to give */

  PetscFunctionBegin;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &given, 1, MPI_INT, MPI_MAX, d->cell->comm));
  PetscCall(PetscMalloc1(FG_VELOCITY * d->cell->nlocal, &d->velocity));
  if (given) PetscCall(GivenVelocity(d->cell, &d->settings, d->tensors, d->velocity, report));
  else PetscCall(FlowOfMean(d->cell, &d->settings, d->tensors, d->velocity, report));
  PetscCall(FgHaloUpdate(d->cell, &d->velocity_halo, d->velocity, FG_VELOCITY, &below, &d->velocity_above));
  PetscCall(CheckStorage(d));
  PetscFunctionReturn(PETSC_SUCCESS);
}
