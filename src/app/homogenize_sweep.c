/* homogenize_sweep.c: `finegrain homogenize --sweep`: the cell problems at all combinations of values of some options.

   Points are grouped by geometry: those of a group differ in the contrast alone, share the cell and the plans of its transforms, and
   each starts from the correctors of the one before it. Sub-sampled cells are solved at two resolutions and extrapolated. Groups are dealt out to the ranks, each rank solving on its own; so the
   numbers do not depend on how many ranks there are, as long as there are no more ranks than groups. */
#include "homogenize_sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Position along every axis of point `i` of group `g`, and its place in the table, last axis fastest. */
static PetscInt Place(const FgSweep *sweep, PetscInt g, PetscInt i, PetscInt position[FG_SWEEP_AXES])
{
  PetscInt place = 0;

  for (PetscInt k = sweep->table.naxes - 1; k >= 0; k--) {
    const PetscInt n = sweep->table.axes[k].n;

    position[k] = k == sweep->contrast ? i : g % n;
    if (k != sweep->contrast) g /= n;
  }
  for (PetscInt k = 0; k < sweep->table.naxes; k++) place = place * sweep->table.axes[k].n + position[k];
  return place;
}

void FgSweepPosition(const FgSweep *sweep, PetscInt place, PetscInt position[FG_SWEEP_AXES])
{
  for (PetscInt k = sweep->table.naxes - 1; k >= 0; k--) {
    position[k] = place % sweep->table.axes[k].n;
    place /= sweep->table.axes[k].n;
  }
}

/* Settings at a point. */
static PetscErrorCode SettingsAt(const FgSweep *sweep, const PetscInt position[FG_SWEEP_AXES], HomogenizeSettings *s)
{
  char message[FG_MESSAGE_LENGTH];

  PetscFunctionBegin;
  *s = *sweep->settings;
  for (PetscInt k = 0; k < sweep->table.naxes; k++) {
    const FgSweepAxis *axis = &sweep->table.axes[k];

    PetscCheck(FgSweepSet(axis->name, axis->value[position[k]], s, message), PETSC_COMM_SELF, PETSC_ERR_USER, "%s", message);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddQuantity(FgSweep *sweep, PetscInt physics, const FgEffective *like)
{
  const size_t     n = (size_t)(like->rows * like->columns * sweep->table.npoints);
  FgSweepQuantity *quantity;

  PetscFunctionBegin;
  PetscCall(PetscRealloc(sizeof(*sweep->quantities) * (size_t)(sweep->nquantities + 1), &sweep->quantities));
  quantity          = &sweep->quantities[sweep->nquantities++];
  quantity->like    = *like;
  quantity->physics = physics;
  PetscCall(PetscMalloc1(n, &quantity->value));
  for (size_t k = 0; k < n; k++) quantity->value[k] = NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static FgSweepQuantity *FindQuantity(const FgSweep *sweep, PetscInt physics, const FgEffective *like)
{
  for (PetscInt k = 0; k < sweep->nquantities; k++) {
    const FgEffective *known = &sweep->quantities[k].like;

    if (sweep->quantities[k].physics == physics && known->rows == like->rows && known->columns == like->columns &&
        !strcmp(known->name, like->name))
      return &sweep->quantities[k];
  }
  return NULL;
}

static PetscErrorCode Record(FgSweep *sweep, PetscInt place, PetscInt physics, const FgCellReport *report, double seconds)
{
  double *work = &sweep->work[3 * place];

  PetscFunctionBegin;
  for (PetscInt i = 0; i < report->neffective; i++) {
    const FgEffective *found = &report->effective[i];
    const PetscInt     n     = found->rows * found->columns;
    FgSweepQuantity   *quantity;

    if (!FindQuantity(sweep, physics, found)) PetscCall(AddQuantity(sweep, physics, found));
    quantity = FindQuantity(sweep, physics, found);
    PetscCall(PetscArraycpy(&quantity->value[place * n], found->value, n));
  }
  for (PetscInt i = 0; i < report->nsolves; i++) {
    work[0] += (double)report->solves[i].iterations;
    work[1] = PetscMax(work[1], report->solves[i].residual);
  }
  work[2] += seconds;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The phases get the contrast of the settings; the voxels stay. */
static PetscErrorCode ApplyContrast(const HomogenizeSettings *s, const char *source, FgCell cell)
{
  FgPhaseTable table;

  PetscFunctionBegin;
  PetscCall(FgHomogenizePhases(s, &table));
  PetscCall(FgPhaseTableDestroy(&cell->table));
  cell->table = table;
  snprintf(cell->source, sizeof(cell->source), "%.4000s --contrast %g", source, s->contrast);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A group's cell, and where voxels are sub-sampled also that of half the resolution: the error falls in proportion to the voxels, so
   that twice the one less the other is the limit (docs/physics/conduction.md). */
typedef struct {
  PetscInt             n; /* 1 or 2 */
  FgCell               cell[2];
  struct FgCellCache_ *cache[2];
  char                 source[2][PETSC_MAX_PATH_LEN];
} Levels;

static PetscErrorCode OpenLevels(const FgSweep *sweep, const HomogenizeSettings *s, Levels *levels)
{
  static HomogenizeSettings at;

  PetscFunctionBegin;
  at        = *s;
  levels->n = FgHomogenizeExtrapolates(s) ? 2 : 1;
  for (PetscInt l = 0; l < levels->n; l++) {
    PetscCall(FgCellCacheForget(levels->cache[l]));
    PetscCall(FgHomogenizeCell(&at, PETSC_COMM_SELF, &sweep->phases, &levels->cell[l]));
    PetscCall(PetscStrncpy(levels->source[l], levels->cell[l]->source, sizeof(levels->source[l])));
    at.resolution /= 2;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Extrapolate(FgCellReport *fine, const FgCellReport *coarse)
{
  for (PetscInt i = 0; i < fine->neffective; i++) {
    FgEffective       *quantity = &fine->effective[i];
    const FgEffective *half     = FgReportFind(coarse, quantity->name);

    if (half) FgHomogenizeExtrapolateQuantity(quantity, half, quantity->value);
  }
}

static PetscErrorCode SolvePoint(FgSweep *sweep, const HomogenizeSettings *s, PetscInt place, Levels *levels)
{
  const FgPhysics *physics;

  PetscFunctionBegin;
  for (PetscInt l = 0; sweep->contrast >= 0 && l < levels->n; l++)
    PetscCall(ApplyContrast(s, levels->source[l], levels->cell[l]));
  for (PetscInt k = 0; (physics = FgHomogenizePhysics(s, k)); k++) {
    const double start = FgWallSeconds();
    FgCellReport report[2];

    for (PetscInt l = 0; l < levels->n; l++) {
      FgCellSettings settings = FgHomogenizeSolver(s);

      settings.cache      = levels->cache[l];
      settings.warm_start = PETSC_TRUE;
      report[l]           = (FgCellReport){.physics = physics->name};
      PetscCall(physics->solve(levels->cell[l], &settings, &report[l]));
    }
    if (levels->n == 2) Extrapolate(&report[0], &report[1]);
    PetscCall(Record(sweep, place, k, &report[0], FgWallSeconds() - start));
    for (PetscInt l = 0; l < levels->n; l++) PetscCall(FgReportDestroy(&report[l]));
  }
  for (PetscInt p = 0; p < sweep->nphases; p++) {
    const FgCell fine = levels->cell[0], coarse = levels->cell[1];

    sweep->fraction[place * sweep->nphases + p] = levels->n == 2 ? 2.0 * fine->fraction[p] - coarse->fraction[p]
                                                                 : fine->fraction[p];
    sweep->exact[place * sweep->nphases + p]    = fine->exact[p];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Points `begin` to `end` - 1 of a group, on this rank alone. */
static PetscErrorCode SolveGroup(FgSweep *sweep, PetscInt g, PetscInt begin, PetscInt end, Levels *levels, FgLog *log)
{
  static HomogenizeSettings s;

  PetscFunctionBegin;
  for (PetscInt i = begin; i < end; i++) {
    PetscInt       position[FG_SWEEP_AXES];
    const PetscInt place = Place(sweep, g, i, position);

    PetscCall(SettingsAt(sweep, position, &s));
    if (i == begin) {
      PetscCall(OpenLevels(sweep, &s, levels));
      if (g == 0) PetscCall(PetscArraycpy(sweep->n, levels->cell[0]->n, 3));
    }
    PetscCall(SolvePoint(sweep, &s, place, levels));
    FgProgressUpdate(log, log->done + 1.0);
  }
  for (PetscInt l = 0; l < levels->n; l++) PetscCall(FgCellDestroy(&levels->cell[l]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Parts are dealt out in turn; the first rank has the first point. Not agreed upon between ranks: where one fails the others need not
   finish (FgFailureReport). */
static PetscErrorCode SolveShare(FgSweep *sweep, FgLog *log)
{
  Levels      levels = {.n = 0};
  PetscMPIInt rank, size;
  PetscInt    nunits;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  sweep->nparts = PetscMin(sweep->in_group, (size + sweep->ngroups - 1) / sweep->ngroups);
  nunits        = sweep->ngroups * sweep->nparts;
  FgProgressBegin(log, "sweep", (double)sweep->table.npoints / (double)PetscMin(size, nunits), "points");
  for (PetscInt l = 0; l < 2; l++) PetscCall(FgCellCacheCreate(&levels.cache[l]));
  for (PetscInt unit = rank; unit < nunits; unit += size) {
    const PetscInt part = unit % sweep->nparts;

    PetscCall(SolveGroup(sweep, unit / sweep->nparts, sweep->in_group * part / sweep->nparts,
                         sweep->in_group * (part + 1) / sweep->nparts, &levels, log));
  }
  for (PetscInt l = 0; l < 2; l++) PetscCall(FgCellCacheDestroy(&levels.cache[l]));
  FgProgressEnd(log);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sums over the ranks into rank 0 what only one of them knows, the others holding NAN. */
static PetscErrorCode Collect(size_t n, double *value)
{
  double *both;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(2 * n, &both));
  for (size_t i = 0; i < n; i++) {
    both[i]     = isnan(value[i]) ? 0.0 : value[i];
    both[n + i] = isnan(value[i]) ? 0.0 : 1.0;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, both, (PetscMPIInt)(2 * n), MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  for (size_t i = 0; i < n; i++) value[i] = both[n + i] > 0.0 ? both[i] : NAN;
  PetscCall(PetscFree(both));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* All points to all ranks; the quantities are those that the first rank has met. */
static PetscErrorCode Gather(FgSweep *sweep)
{
  const size_t npoints = (size_t)sweep->table.npoints;
  PetscInt     n       = sweep->nquantities;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Bcast(&n, 1, MPIU_INT, 0, PETSC_COMM_WORLD));
  PetscCallMPI(MPI_Bcast(sweep->n, 3, MPIU_INT, 0, PETSC_COMM_WORLD));
  for (PetscInt k = 0; k < n; k++) {
    FgEffective      like    = {0};
    PetscInt         physics = 0;
    FgSweepQuantity *quantity;

    if (k < sweep->nquantities) {
      like    = sweep->quantities[k].like;
      physics = sweep->quantities[k].physics;
    }
    PetscCallMPI(MPI_Bcast(&like, sizeof(like), MPI_BYTE, 0, PETSC_COMM_WORLD));
    PetscCallMPI(MPI_Bcast(&physics, 1, MPIU_INT, 0, PETSC_COMM_WORLD));
    if (!FindQuantity(sweep, physics, &like)) PetscCall(AddQuantity(sweep, physics, &like));
    quantity = FindQuantity(sweep, physics, &like);
    PetscCall(Collect(npoints * (size_t)(like.rows * like.columns), quantity->value));
  }
  PetscCall(Collect(npoints * (size_t)sweep->nphases, sweep->fraction));
  PetscCall(Collect(npoints * (size_t)sweep->nphases, sweep->exact));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sweep->work, (PetscMPIInt)(3 * npoints), MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Every geometry is looked at before the first is solved: what cannot be made or does not fit is refused at once. */
static PetscErrorCode Plan(FgSweep *sweep, FgLog *log)
{
  static HomogenizeSettings s;
  PetscMPIInt               size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  for (PetscInt g = 0; g < sweep->ngroups; g++) {
    PetscInt position[FG_SWEEP_AXES];

    (void)Place(sweep, g, 0, position);
    PetscCall(SettingsAt(sweep, position, &s));
    PetscCall(FgHomogenizeFits(&s, PETSC_COMM_SELF, &sweep->phases, size, g ? NULL : log));
  }
  FgHomogenizeSayPlan(sweep->settings, log, "sweep    %d points, %d geometries", (int)sweep->table.npoints, (int)sweep->ngroups);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Open(const HomogenizeSettings *s, FgSweep *sweep)
{
  char    message[FG_MESSAGE_LENGTH];
  double *values[FG_SWEEP_AXES];

  PetscFunctionBegin;
  PetscCall(PetscMemzero(sweep, sizeof(*sweep)));
  sweep->settings = s;
  PetscCheck(FgSweepRead(s, &sweep->table, message), PETSC_COMM_SELF, PETSC_ERR_USER, "%s", message);
  for (PetscInt k = 0; k < sweep->table.naxes; k++) values[k] = sweep->table.axes[k].value;
  PetscCall(FgHomogenizationTableAllocate(&sweep->table));
  for (PetscInt k = 0; k < sweep->table.naxes; k++) {
    PetscCall(PetscArraycpy(sweep->table.axes[k].value, values[k], sweep->table.axes[k].n));
    free(values[k]);
  }
  sweep->contrast = FgHomogenizationTableAxis(&sweep->table, "contrast");
  sweep->in_group = sweep->contrast < 0 ? 1 : sweep->table.axes[sweep->contrast].n;
  sweep->ngroups  = sweep->table.npoints / sweep->in_group;
  PetscCall(FgHomogenizePhases(s, &sweep->phases));
  sweep->nphases = sweep->phases.nphases;
  PetscCall(PetscMalloc1(sweep->table.npoints * sweep->nphases, &sweep->fraction));
  PetscCall(PetscMalloc1(sweep->table.npoints * sweep->nphases, &sweep->exact));
  PetscCall(PetscCalloc1(3 * sweep->table.npoints, &sweep->work));
  for (PetscInt k = 0; k < sweep->table.npoints * sweep->nphases; k++) sweep->fraction[k] = sweep->exact[k] = NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Close(FgSweep *sweep)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < sweep->nquantities; k++) PetscCall(PetscFree(sweep->quantities[k].value));
  PetscCall(PetscFree(sweep->quantities));
  PetscCall(PetscFree(sweep->fraction));
  PetscCall(PetscFree(sweep->exact));
  PetscCall(PetscFree(sweep->work));
  PetscCall(FgPhaseTableDestroy(&sweep->phases));
  PetscCall(FgHomogenizationTableDestroy(&sweep->table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizeSweep(const HomogenizeSettings *s, FgLog *log)
{
  const double   start = FgWallSeconds();
  FgSweep        sweep;
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;
  double         seconds;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(Open(s, &sweep));
  PetscCall(Plan(&sweep, log));
  if (!s->dry_run) {
    PetscCall(FgHomogenizeRefuse(s));
    PetscCall(SolveShare(&sweep, log));
    PetscCall(Gather(&sweep));
    seconds = FgWallSeconds() - start;
    FgSweepPrint(&sweep, seconds, log);
    if (!rank && FgHomogenizeEndsWith(s->output, ".h5")) code = FgSweepWriteTable(&sweep);
    PetscCall(FgAgree(PETSC_COMM_WORLD, code));
    PetscCall(FgSweepWriteJson(&sweep, seconds));
  }
  PetscCall(Close(&sweep));
  PetscFunctionReturn(PETSC_SUCCESS);
}
