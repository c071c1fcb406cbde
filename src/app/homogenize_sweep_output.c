/* homogenize_sweep_output.c: what a sweep found: on the terminal, as JSON, and as the table that a closure interpolates. */
#include "homogenize_sweep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The first quantity of the first physics that is a 3 x 3 matrix, else its first one. */
static const FgSweepQuantity *Main(const FgSweep *sweep)
{
  for (PetscInt k = 0; k < sweep->nquantities; k++) {
    if (sweep->quantities[k].physics == 0 && sweep->quantities[k].like.rows == 3 && sweep->quantities[k].like.columns == 3)
      return &sweep->quantities[k];
  }
  return sweep->nquantities ? &sweep->quantities[0] : NULL;
}

/* One line a point: axes, fraction of all but the matrix, and the diagonal of the main quantity. */
static void PrintPoints(const FgSweep *sweep, const FgSweepQuantity *quantity, FgLog *log)
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
    FgSweepPosition(sweep, place, position);
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
static void PrintGrid(const FgSweep *sweep, const FgSweepQuantity *quantity, FgLog *log)
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

void FgSweepPrint(const FgSweep *sweep, double seconds, FgLog *log)
{
  enum { MOST_LINES = 40, MOST_COLUMNS = 16 };
  const FgSweepQuantity *quantity   = Main(sweep);
  double                 iterations = 0.0, residual = 0.0;

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

static json_t *PointJson(const FgSweep *sweep, PetscInt place)
{
  json_t       *point = json_object(), *fractions = json_array(), *exact = json_array();
  const double *work = &sweep->work[3 * place];
  PetscInt      position[FG_SWEEP_AXES];

  FgSweepPosition(sweep, place, position);
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
    const FgSweepQuantity *quantity = &sweep->quantities[k];
    const char            *physics  = FgHomogenizePhysics(sweep->settings, quantity->physics)->name;
    json_t                *object   = json_object_get(point, physics);

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

PetscErrorCode FgSweepWriteJson(const FgSweep *sweep, double seconds)
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
    const FgSweepQuantity *quantity = &sweep->quantities[k];

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
static PetscErrorCode MatrixCoefficient(const FgSweep *sweep, const char *unit, double *coefficient)
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

PetscErrorCode FgSweepWriteTable(FgSweep *sweep)
{
  const HomogenizeSettings *s        = sweep->settings;
  const FgGeometry         *geometry = FgGeometryFind(s->geometry);
  const FgSweepQuantity    *quantity = Main(sweep);
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
