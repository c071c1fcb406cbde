/* homogenize_sweep.c: `finegrain homogenize --sweep`: the cell problems at all combinations of values of some options.

   Points are grouped by geometry: those of a group differ in the contrast alone, share the cell and the plans of its transforms, and
   each starts from the correctors of the one before it. Sub-sampled cells are solved at two resolutions and extrapolated. Groups are dealt out to the ranks, each rank solving on its own; so the
   numbers do not depend on how many ranks there are, as long as there are no more ranks than groups. */
#include "homogenize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- The words of --sweep -------------------------------------------------------------------------------------------------- */

/* An option of the generator that is a number; NULL where `name` is none. */
static const FgOption *Sweepable(const char *name)
{
  for (const FgOption *option = FgHomogenizeCellOptions; option->name; option++) {
    if ((option->type == FG_OPTION_REAL || option->type == FG_OPTION_INTEGER) && !strcmp(option->name, name)) return option;
  }
  return NULL;
}

/* Sets a swept option in a copy of the settings, within the option's own limits. */
static PetscBool SetValue(const char *name, double value, HomogenizeSettings *s, char message[FG_MESSAGE_LENGTH])
{
  char text[32], origin[96];

  snprintf(text, sizeof(text), "%.17g", value);
  snprintf(origin, sizeof(origin), "--sweep: %s", name);
  return FgOptionsSet(&FgCommandHomogenize, name, text, origin, s, message);
}

/* "4", or "1:3:5" [start:stop:count]; moves past it and a comma. */
static PetscBool ReadRange(const FgOption *option, const char **text, const char *word, PetscInt *n, double *value,
                           char message[FG_MESSAGE_LENGTH])
{
  char           *end;
  double          start, stop, count = 1.0;
  const PetscBool linear = !strcmp(option->name, "fraction") || !strcmp(option->name, "angle") ? PETSC_TRUE : PETSC_FALSE;
  PetscBool       geometric;

  start = stop = strtod(*text, &end);
  if (end == *text) goto malformed;
  if (*end == ':') {
    const char *from = end + 1;

    stop = strtod(from, &end);
    if (end == from || *end != ':') goto malformed;
    from  = end + 1;
    count = strtod(from, &end);
    if (end == from || count < 2.0 || count != floor(count)) goto malformed;
  }
  if ((*end != '\0' && *end != ' ' && *end != ',') || !isfinite(start) || !isfinite(stop)) goto malformed;
  if (*end == ',' && (end[1] == '\0' || end[1] == ' ')) goto malformed;
  if ((double)*n + count > (double)FG_SWEEP_AXIS_SIZE) {
    snprintf(message, FG_MESSAGE_LENGTH, "--sweep: %s has more than %d values", option->name, FG_SWEEP_AXIS_SIZE);
    return PETSC_FALSE;
  }
  geometric = !linear && start > 0.0 && stop > 0.0 && (stop > 20.0 * start || start > 20.0 * stop) ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt i = 0; i < (PetscInt)count; i++) {
    const double t = count > 1.0 ? (double)i / (count - 1.0) : 0.0;
    double       v = geometric ? start * pow(stop / start, t) : start + (stop - start) * t;

    if (i > 0 && i == (PetscInt)count - 1) v = stop;
    if (geometric && fabs(log10(v) - round(log10(v))) < 1e-12) v = pow(10.0, round(log10(v))); /* 1, not 0.99999999999999989 */
    value[(*n)++] = option->type == FG_OPTION_INTEGER && count > 1.0 ? round(v) : v;
  }
  *text = *end == ',' ? end + 1 : end;
  return PETSC_TRUE;

malformed:
  snprintf(message, FG_MESSAGE_LENGTH, "--sweep: expected numbers and ranges START:STOP:COUNT separated by commas, found '%.*s'",
           (int)PetscMin(strcspn(word, " "), 200), word);
  return PETSC_FALSE;
}

static int Ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* One word NAME=VALUES. */
static PetscBool ReadAxis(const HomogenizeSettings *s, const char *word, FgHomogenizationTable *table,
                          char message[FG_MESSAGE_LENGTH])
{
  static HomogenizeSettings tried;
  static double             value[FG_SWEEP_AXIS_SIZE];
  FgSweepAxis              *axis = &table->axes[table->naxes];
  const char               *text = strchr(word, '=') + 1;
  const FgOption           *option;
  char                      name[FG_SWEEP_TEXT];
  PetscInt                  n = 0;

  snprintf(name, sizeof(name), "%.*s", (int)PetscMin((size_t)(text - word) - 1, sizeof(name) - 1), word);
  option = Sweepable(name);
  if (!option || table->naxes == FG_SWEEP_AXES || FgHomogenizationTableAxis(table, name) >= 0 ||
      (!strcmp(name, "contrast") && s->phases[0])) {
    if (!option)
      snprintf(message, FG_MESSAGE_LENGTH,
               "--sweep: %s cannot be swept; expected fraction, resolution, length, count, seed, angle or contrast", name);
    else if (table->naxes == FG_SWEEP_AXES) snprintf(message, FG_MESSAGE_LENGTH, "--sweep: more than %d options", FG_SWEEP_AXES);
    else if (FgHomogenizationTableAxis(table, name) >= 0)
      snprintf(message, FG_MESSAGE_LENGTH, "--sweep: %s stands there twice", name);
    else snprintf(message, FG_MESSAGE_LENGTH, "--sweep: contrast and --phases both say what the phases are, give one of them");
    return PETSC_FALSE;
  }
  while (*text && *text != ' ') {
    if (!ReadRange(option, &text, word, &n, value, message)) return PETSC_FALSE;
  }
  qsort(value, (size_t)n, sizeof(*value), Ascending);
  tried = *s;
  for (PetscInt i = 0; i < n; i++) {
    if (!SetValue(name, value[i], &tried, message)) return PETSC_FALSE;
    if (i == 0 || value[i] > value[i - 1]) continue;
    snprintf(message, FG_MESSAGE_LENGTH, "--sweep: %s has the value %g twice", name, value[i]);
    return PETSC_FALSE;
  }
  strcpy(axis->name, name);
  snprintf(axis->unit, sizeof(axis->unit), "%s", option->unit ? option->unit : "1");
  axis->n     = n;
  axis->value = malloc((size_t)n * sizeof(*value));
  if (!axis->value) {
    snprintf(message, FG_MESSAGE_LENGTH, "--sweep: out of memory");
    return PETSC_FALSE;
  }
  memcpy(axis->value, value, (size_t)n * sizeof(*value));
  table->naxes++;
  return PETSC_TRUE;
}

PetscBool FgHomogenizeReadSweep(const HomogenizeSettings *s, FgHomogenizationTable *table, char message[FG_MESSAGE_LENGTH])
{
  double points = 1.0;

  table->naxes = 0;
  if (s->sweep[0] && s->image[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--sweep: is for --geometry, an image is one cell");
    return PETSC_FALSE;
  }
  for (const char *word = s->sweep + strspn(s->sweep, " "); *word; word += strcspn(word, " "), word += strspn(word, " ")) {
    if (!ReadAxis(s, word, table, message)) return PETSC_FALSE;
    points *= (double)table->axes[table->naxes - 1].n;
  }
  if (points > (double)FG_SWEEP_POINTS) {
    snprintf(message, FG_MESSAGE_LENGTH, "--sweep: %.0f points, expected at most %d", points, FG_SWEEP_POINTS);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* --- The points ------------------------------------------------------------------------------------------------------------ */

/* One quantity of every point. */
typedef struct {
  FgEffective like; /* name, unit, shape, summary */
  PetscInt    physics;
  double     *value; /* [npoints][rows columns], NAN where a point has none */
} SweepQuantity;

typedef struct {
  const HomogenizeSettings *settings;
  FgHomogenizationTable     table;
  PetscInt                  contrast;                  /* its axis, -1: not swept */
  PetscInt                  ngroups, in_group, nparts; /* points that share a geometry; contiguous parts of a group */
  PetscInt                  nphases, nquantities, n[3];
  SweepQuantity            *quantities;
  double                   *fraction, *exact; /* [npoints][nphases] [1] */
  double                   *work;             /* [npoints][3] iterations, largest residual, seconds */
  FgPhaseTable              phases;
} Sweep;

/* Position along every axis of point `i` of group `g`, and its place in the table, last axis fastest. */
static PetscInt Place(const Sweep *sweep, PetscInt g, PetscInt i, PetscInt position[FG_SWEEP_AXES])
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

/* Position along every axis of a place in the table. */
static void PositionOf(const Sweep *sweep, PetscInt place, PetscInt position[FG_SWEEP_AXES])
{
  for (PetscInt k = sweep->table.naxes - 1; k >= 0; k--) {
    position[k] = place % sweep->table.axes[k].n;
    place /= sweep->table.axes[k].n;
  }
}

/* Settings at a point. */
static PetscErrorCode SettingsAt(const Sweep *sweep, const PetscInt position[FG_SWEEP_AXES], HomogenizeSettings *s)
{
  char message[FG_MESSAGE_LENGTH];

  PetscFunctionBegin;
  *s = *sweep->settings;
  for (PetscInt k = 0; k < sweep->table.naxes; k++) {
    const FgSweepAxis *axis = &sweep->table.axes[k];

    PetscCheck(SetValue(axis->name, axis->value[position[k]], s, message), PETSC_COMM_SELF, PETSC_ERR_USER, "%s", message);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddQuantity(Sweep *sweep, PetscInt physics, const FgEffective *like)
{
  const size_t   n = (size_t)(like->rows * like->columns * sweep->table.npoints);
  SweepQuantity *quantity;

  PetscFunctionBegin;
  PetscCall(PetscRealloc(sizeof(*sweep->quantities) * (size_t)(sweep->nquantities + 1), &sweep->quantities));
  quantity          = &sweep->quantities[sweep->nquantities++];
  quantity->like    = *like;
  quantity->physics = physics;
  PetscCall(PetscMalloc1(n, &quantity->value));
  for (size_t k = 0; k < n; k++) quantity->value[k] = NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static SweepQuantity *FindQuantity(const Sweep *sweep, PetscInt physics, const FgEffective *like)
{
  for (PetscInt k = 0; k < sweep->nquantities; k++) {
    const FgEffective *known = &sweep->quantities[k].like;

    if (sweep->quantities[k].physics == physics && known->rows == like->rows && known->columns == like->columns &&
        !strcmp(known->name, like->name))
      return &sweep->quantities[k];
  }
  return NULL;
}

static PetscErrorCode Record(Sweep *sweep, PetscInt place, PetscInt physics, const FgCellReport *report, double seconds)
{
  double *work = &sweep->work[3 * place];

  PetscFunctionBegin;
  for (PetscInt i = 0; i < report->neffective; i++) {
    const FgEffective *found = &report->effective[i];
    const PetscInt     n     = found->rows * found->columns;
    SweepQuantity     *quantity;

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

static PetscErrorCode OpenLevels(const Sweep *sweep, const HomogenizeSettings *s, Levels *levels)
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

/* Every quantity of `fine`: twice itself less the same of `coarse`. */
static void Extrapolate(FgCellReport *fine, const FgCellReport *coarse)
{
  for (PetscInt i = 0; i < fine->neffective; i++) {
    FgEffective       *quantity = &fine->effective[i];
    const FgEffective *half     = FgReportFind(coarse, quantity->name);

    for (PetscInt k = 0; half && k < quantity->rows * quantity->columns; k++)
      quantity->value[k] = 2.0 * quantity->value[k] - half->value[k];
  }
}

static PetscErrorCode SolvePoint(Sweep *sweep, const HomogenizeSettings *s, PetscInt place, Levels *levels)
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
static PetscErrorCode SolveGroup(Sweep *sweep, PetscInt g, PetscInt begin, PetscInt end, Levels *levels, FgLog *log)
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
static PetscErrorCode SolveShare(Sweep *sweep, FgLog *log)
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
static PetscErrorCode Gather(Sweep *sweep)
{
  const size_t npoints = (size_t)sweep->table.npoints;
  PetscInt     n       = sweep->nquantities;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Bcast(&n, 1, MPIU_INT, 0, PETSC_COMM_WORLD));
  PetscCallMPI(MPI_Bcast(sweep->n, 3, MPIU_INT, 0, PETSC_COMM_WORLD));
  for (PetscInt k = 0; k < n; k++) {
    FgEffective    like    = {0};
    PetscInt       physics = 0;
    SweepQuantity *quantity;

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

/* --- What was found -------------------------------------------------------------------------------------------------------- */

/* The first quantity of the first physics that is a 3 x 3 matrix, else its first one. */
static const SweepQuantity *Main(const Sweep *sweep)
{
  for (PetscInt k = 0; k < sweep->nquantities; k++) {
    if (sweep->quantities[k].physics == 0 && sweep->quantities[k].like.rows == 3 && sweep->quantities[k].like.columns == 3)
      return &sweep->quantities[k];
  }
  return sweep->nquantities ? &sweep->quantities[0] : NULL;
}

/* One line a point: axes, fraction of all but the matrix, and the diagonal of the main quantity. */
static void PrintPoints(const Sweep *sweep, const SweepQuantity *quantity, FgLog *log)
{
  const FgEffective *like      = &quantity->like;
  const PetscInt     n         = like->rows == like->columns ? like->rows : PetscMin(like->rows * like->columns, 6);
  char               line[512] = "";

  for (PetscInt k = 0; k < sweep->table.naxes; k++)
    snprintf(line + strlen(line), sizeof(line) - strlen(line), "%13s", sweep->table.axes[k].name);
  snprintf(line + strlen(line), sizeof(line) - strlen(line), "%16s", "voxel fraction");
  for (PetscInt i = 0; i < n; i++) {
    char name[64];

    snprintf(name, sizeof(name), "%.40s_%d%d", like->name, (int)i + 1, like->rows == like->columns ? (int)i + 1 : 1);
    snprintf(line + strlen(line), sizeof(line) - strlen(line), " %15s", name);
  }
  FgLogResult(log, "%s  [%s], %s", line, like->unit, like->summary);
  for (PetscInt place = 0; place < sweep->table.npoints; place++) {
    PetscInt position[FG_SWEEP_AXES];

    line[0] = '\0';
    PositionOf(sweep, place, position);
    for (PetscInt k = 0; k < sweep->table.naxes; k++)
      snprintf(line + strlen(line), sizeof(line) - strlen(line), "%13.6g", sweep->table.axes[k].value[position[k]]);
    snprintf(line + strlen(line), sizeof(line) - strlen(line), "%16.6f", 1.0 - sweep->fraction[place * sweep->nphases]);
    for (PetscInt i = 0; i < n; i++) {
      const PetscInt entry = like->rows == like->columns ? i * (like->columns + 1) : i;

      snprintf(line + strlen(line), sizeof(line) - strlen(line), " %15.7g",
               quantity->value[place * like->rows * like->columns + entry]);
    }
    FgLogResult(log, "%s", line);
  }
}

/* Two axes: one line a value of the first, one column a value of the second, of the quantity's first entry. */
static void PrintGrid(const Sweep *sweep, const SweepQuantity *quantity, FgLog *log)
{
  const FgSweepAxis *rows = &sweep->table.axes[0], *columns = &sweep->table.axes[1];
  const PetscInt     size      = quantity->like.rows * quantity->like.columns;
  char               line[512] = "";

  FgLogResult(log, "%s_11 [%s] (%s) over %s (down) and %s (across); all points with -v", quantity->like.name, quantity->like.unit,
              quantity->like.summary, rows->name, columns->name);
  snprintf(line, sizeof(line), "%10s", "");
  for (PetscInt j = 0; j < columns->n; j++)
    snprintf(line + strlen(line), sizeof(line) - strlen(line), "%10.4g", columns->value[j]);
  FgLogResult(log, "%s", line);
  for (PetscInt i = 0; i < rows->n; i++) {
    snprintf(line, sizeof(line), "%10.4g", rows->value[i]);
    for (PetscInt j = 0; j < columns->n; j++)
      snprintf(line + strlen(line), sizeof(line) - strlen(line), "%10.5g", quantity->value[(i * columns->n + j) * size]);
    FgLogResult(log, "%s", line);
  }
}

static void Print(const Sweep *sweep, double seconds, FgLog *log)
{
  enum { MOST_LINES = 40, MOST_COLUMNS = 16 };
  const SweepQuantity *quantity   = Main(sweep);
  double               iterations = 0.0, residual = 0.0;

  for (PetscInt place = 0; place < sweep->table.npoints; place++) {
    iterations += sweep->work[3 * place];
    residual = PetscMax(residual, sweep->work[3 * place + 1]);
  }
  if (!quantity) return;
  if (sweep->table.npoints <= MOST_LINES || log->verbose || sweep->table.naxes != 2 || sweep->table.axes[1].n > MOST_COLUMNS)
    PrintPoints(sweep, quantity, log);
  else PrintGrid(sweep, quantity, log);
  FgLogResult(log, "%s, %s: %d points%s, %.0f iterations, residual at most %.1e, %.3g s", sweep->settings->geometry,
              sweep->settings->physics, (int)sweep->table.npoints,
              FgHomogenizeExtrapolates(sweep->settings) ? ", each extrapolated from two resolutions" : "", iterations, residual,
              seconds);
}

static json_t *PointJson(const Sweep *sweep, PetscInt place)
{
  json_t       *point = json_object(), *fractions = json_array(), *exact = json_array();
  const double *work = &sweep->work[3 * place];
  PetscInt      position[FG_SWEEP_AXES];

  PositionOf(sweep, place, position);
  for (PetscInt k = 0; k < sweep->table.naxes; k++)
    json_object_set_new(point, sweep->table.axes[k].name, json_real(sweep->table.axes[k].value[position[k]]));
  for (PetscInt p = 0; p < sweep->nphases; p++) {
    json_array_append_new(fractions, FgHomogenizeMatrix(1, 1, &sweep->fraction[place * sweep->nphases + p]));
    json_array_append_new(exact, FgHomogenizeMatrix(1, 1, &sweep->exact[place * sweep->nphases + p]));
  }
  json_object_set_new(point, "phase_fractions", fractions);
  json_object_set_new(point, "phase_fractions_exact", exact);
  json_object_set_new(point, "iterations", json_integer((json_int_t)work[0]));
  json_object_set_new(point, "residual", json_real(work[1]));
  json_object_set_new(point, "seconds", json_real(work[2]));
  for (PetscInt k = 0; k < sweep->nquantities; k++) {
    const SweepQuantity *quantity = &sweep->quantities[k];
    const char          *physics  = FgHomogenizePhysics(sweep->settings, quantity->physics)->name;
    json_t              *object   = json_object_get(point, physics);

    if (!object) {
      object = json_object();
      json_object_set_new(point, physics, object);
    }
    json_object_set_new(object, quantity->like.name,
                        FgHomogenizeMatrix(quantity->like.rows, quantity->like.columns,
                                           &quantity->value[place * quantity->like.rows * quantity->like.columns]));
  }
  return point;
}

static PetscErrorCode WriteJson(const Sweep *sweep, double seconds)
{
  json_t *root, *axes = json_array(), *points = json_array(), *quantities = json_array();

  PetscFunctionBegin;
  PetscCall(FgHomogenizeProvenance(sweep->settings, &root));
  for (PetscInt k = 0; k < sweep->table.naxes; k++) {
    const FgSweepAxis *axis   = &sweep->table.axes[k];
    json_t            *values = json_array();

    for (PetscInt i = 0; i < axis->n; i++) json_array_append_new(values, json_real(axis->value[i]));
    json_array_append_new(axes, json_pack("{s:s, s:s, s:o}", "name", axis->name, "unit", axis->unit, "values", values));
  }
  for (PetscInt k = 0; k < sweep->nquantities; k++) {
    const SweepQuantity *quantity = &sweep->quantities[k];

    json_array_append_new(
        quantities, json_pack("{s:s, s:s, s:s, s:s}", "physics", FgHomogenizePhysics(sweep->settings, quantity->physics)->name,
                              "name", quantity->like.name, "unit", quantity->like.unit, "summary", quantity->like.summary));
  }
  for (PetscInt place = 0; place < sweep->table.npoints; place++) json_array_append_new(points, PointJson(sweep, place));
  json_object_set_new(root, "axes", axes);
  json_object_set_new(root, "quantities", quantities);
  json_object_set_new(root, "points", points);
  json_object_set_new(root, "seconds", json_real(seconds));
  PetscCall(FgHomogenizeWriteJson(sweep->settings, root));
  json_decref(root);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The scalar coefficient of the matrix that a tensor of this unit is measured in. */
static PetscErrorCode MatrixCoefficient(const Sweep *sweep, const char *unit, double *coefficient)
{
  const FgPhase *matrix = &sweep->phases.phases[0];

  PetscFunctionBegin;
  *coefficient = NAN;
  for (PetscInt k = 0; k < matrix->nproperties && isnan(*coefficient); k++) {
    const FgProperty *property = &matrix->properties[k];
    const double     *v        = property->value;

    if (property->info->kind != FG_PROPERTY_TENSOR || strcmp(property->info->unit, unit)) continue;
    if (v[0] > 0.0 && v[0] == v[1] && v[1] == v[2] && v[3] == 0.0 && v[4] == 0.0 && v[5] == 0.0) *coefficient = v[0];
  }
  PetscCheck(!isnan(*coefficient), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: a table (.h5) is in units of the matrix, expected an isotropic coefficient above 0 of phase '%s' [%s]",
             sweep->phases.source, matrix->name, unit);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0. */
static PetscErrorCode WriteTable(Sweep *sweep)
{
  const HomogenizeSettings *s        = sweep->settings;
  const FgGeometry         *geometry = FgGeometryFind(s->geometry);
  const SweepQuantity      *quantity = Main(sweep);
  FgHomogenizationTable    *table    = &sweep->table;
  double                    matrix;

  PetscFunctionBegin;
  PetscCheck(quantity && quantity->like.rows == 3 && quantity->like.columns == 3, PETSC_COMM_SELF, PETSC_ERR_USER,
             "--output: a table (.h5) holds 3 x 3 tensors, %s has none; write .json", s->physics);
  PetscCall(MatrixCoefficient(sweep, quantity->like.unit, &matrix));
  for (PetscInt k = 0; k < 9 * table->npoints; k++) table->tensor[k] = quantity->value[k] / matrix;
  for (PetscInt place = 0; place < table->npoints; place++) {
    table->fraction_voxels[place] = 1.0 - sweep->fraction[place * sweep->nphases];
    table->fraction_exact[place]  = 1.0 - sweep->exact[place * sweep->nphases];
  }
  PetscCall(PetscStrncpy(table->geometry, s->geometry, sizeof(table->geometry)));
  PetscCall(PetscStrncpy(table->physics, s->physics, sizeof(table->physics)));
  PetscCall(PetscArraycpy(table->resolution, sweep->n, 3));
  table->fiber_axis = FgHomogenizeGeometry(s).axis;
  table->columnar   = geometry->columnar;
  table->packing    = geometry->fraction_max;
  table->tolerance  = s->tolerance;
  FgHomogenizeWatch(s->output);
  PetscCall(FgHomogenizationTableWrite(s->output, table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- All of it --------------------------------------------------------------------------------------------------------------- */

/* Every geometry is looked at before the first is solved: what cannot be made or does not fit is refused at once. */
static PetscErrorCode Plan(Sweep *sweep, FgLog *log)
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

static PetscErrorCode Open(const HomogenizeSettings *s, Sweep *sweep)
{
  char    message[FG_MESSAGE_LENGTH];
  double *values[FG_SWEEP_AXES];

  PetscFunctionBegin;
  PetscCall(PetscMemzero(sweep, sizeof(*sweep)));
  sweep->settings = s;
  PetscCheck(FgHomogenizeReadSweep(s, &sweep->table, message), PETSC_COMM_SELF, PETSC_ERR_USER, "%s", message);
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

static PetscErrorCode Close(Sweep *sweep)
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
  Sweep          sweep;
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
    Print(&sweep, seconds, log);
    if (!rank && FgHomogenizeIsTable(s->output)) code = WriteTable(&sweep);
    PetscCall(FgAgree(PETSC_COMM_WORLD, code));
    PetscCall(WriteJson(&sweep, seconds));
  }
  PetscCall(Close(&sweep));
  PetscFunctionReturn(PETSC_SUCCESS);
}
