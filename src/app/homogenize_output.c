/* homogenize_output.c: what `finegrain homogenize` found: a table for people, JSON for programs, fields and a picture. The schema
   of the JSON is documented in docs/formats.md; its version counts up when the meaning of a key changes. */
#include "homogenize.h"

#include "stop.h"

#include "finegrain/result.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SCHEMA_VERSION = 1, MATRIX_LINE = 512 };

/* --- Text ---------------------------------------------------------------------------------------------------------------- */

/* How the numbers of a matrix are written: all with the same power of ten and the same decimals, or each with its own. */
typedef struct {
  int       exponent, decimals;
  PetscBool each;
} NumberForm;

/* Six digits or more for every number that counts: those of the diagonal of a square matrix, else all that are not round-off. */
static NumberForm FormOf(PetscInt rows, PetscInt columns, const double *value)
{
  enum { DIGITS = 7 };
  double     largest = 0.0, smallest;
  NumberForm form    = {0, 1, PETSC_FALSE};
  int        magnitude, least;

  for (PetscInt i = 0; i < rows * columns; i++) largest = PetscMax(largest, isfinite(value[i]) ? fabs(value[i]) : 0.0);
  if (largest == 0.0) return form;
  smallest = largest;
  for (PetscInt i = 0; i < rows * columns; i++) {
    if (fabs(value[i]) > 1e-9 * largest && (rows != columns || i % (columns + 1) == 0))
      smallest = PetscMin(smallest, fabs(value[i]));
  }
  magnitude = (int)floor(log10(largest));
  least     = (int)floor(log10(smallest));
  if (magnitude > least + 4) {
    form.each = PETSC_TRUE;
    return form;
  }
  if (magnitude < -3 || magnitude > 5) form.exponent = 3 * (int)floor((double)magnitude / 3.0);
  form.decimals = DIGITS - 1 - (least - form.exponent);
  return form;
}

/* Exact zeros as "0": a tensor has them where symmetry or percolation says so. */
static void FormatNumber(NumberForm form, double value, char text[32])
{
  const double scaled = value / pow(10.0, form.exponent);

  if (value == 0.0) snprintf(text, 32, "0");
  else if (form.each) snprintf(text, 32, "%.5e", value);
  else snprintf(text, 32, "%.*f", form.decimals, fabs(scaled) < 0.5 * pow(10.0, -form.decimals) ? 0.0 : scaled);
}

/* "[S/m]", "[1e-9 m^2/s]" */
static void FormatUnit(NumberForm form, const char *unit, char text[96])
{
  if (form.exponent) snprintf(text, 96, "[1e%d%s%s]", form.exponent, strcmp(unit, "1") ? " " : "", strcmp(unit, "1") ? unit : "");
  else snprintf(text, 96, "[%s]", unit);
}

static void AppendRow(char line[MATRIX_LINE], NumberForm form, PetscInt columns, const double *row)
{
  for (PetscInt j = 0; j < columns; j++) {
    char         number[32];
    const size_t used = strlen(line);

    FormatNumber(form, row[j], number);
    snprintf(line + used, MATRIX_LINE - used, "%13s", number);
  }
}

/* NAME_ending, of the same shape; NULL where there is none. */
static const FgEffective *Companion(const FgCellReport *report, const FgEffective *item, const char *ending)
{
  char               name[2 * FG_CELL_NAME];
  const FgEffective *found;

  snprintf(name, sizeof(name), "%s_%s", item->name, ending);
  found = FgReportFind(report, name);
  return found && found->rows == item->rows && found->columns == item->columns ? found : NULL;
}

/* Whether an item only accompanies another one, beside which its numbers are printed. */
static PetscBool Accompanies(const FgCellReport *report, const FgEffective *item)
{
  static const char *const endings[] = {"_flux", "_voigt", "_reuss", "_self_check", "_hashin_shtrikman"};

  for (size_t k = 0; k < sizeof(endings) / sizeof(endings[0]); k++) {
    const size_t length = strlen(item->name), ending = strlen(endings[k]);
    char         name[FG_CELL_NAME];

    if (length <= ending || strcmp(item->name + length - ending, endings[k])) continue;
    snprintf(name, sizeof(name), "%.*s", (int)(length - ending), item->name);
    if (FgReportFind(report, name)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* ||fine - coarse|| / ||fine||, NAN where there is no estimate. */
static double Discretization(const FgEffective *fine, const FgCellReport *coarse_report)
{
  const FgEffective *coarse     = coarse_report ? FgReportFind(coarse_report, fine->name) : NULL;
  double             difference = 0.0, norm = 0.0;

  if (!coarse || coarse->rows != fine->rows || coarse->columns != fine->columns) return NAN;
  for (PetscInt i = 0; i < fine->rows * fine->columns; i++) {
    difference += (fine->value[i] - coarse->value[i]) * (fine->value[i] - coarse->value[i]);
    norm += fine->value[i] * fine->value[i];
  }
  if (difference == 0.0) return 0.0;
  return norm > 0.0 ? sqrt(difference / norm) : NAN;
}

static void PrintMatrix(const FgCellReport *report, const FgEffective *item, PetscBool alone, FgLog *log)
{
  const PetscInt     columns = item->columns;
  const NumberForm   form    = FormOf(item->rows, columns, item->value);
  const FgEffective *flux    = alone || columns > 3 ? NULL : Companion(report, item, "flux");
  const FgEffective *voigt   = alone ? NULL : Companion(report, item, "voigt"),
                    *reuss   = alone ? NULL : Companion(report, item, "reuss");
  char unit[96];

  FormatUnit(form, item->unit, unit);
  FgLogResult(log, "  %s %s: %s%s%s", item->name, unit, item->summary, flux ? " | flux form" : "",
              voigt && reuss ? " | bounds of the diagonal" : "");
  for (PetscInt i = 0; i < item->rows; i++) {
    char line[MATRIX_LINE] = "";

    AppendRow(line, form, columns, &item->value[i * columns]);
    if (flux) {
      strcat(line, "  |");
      AppendRow(line, form, columns, &flux->value[i * columns]);
    }
    if (voigt && reuss && item->rows == columns) {
      char   low[32], high[32];
      size_t used = strlen(line);

      FormatNumber(form, reuss->value[i * columns + i], low);
      FormatNumber(form, voigt->value[i * columns + i], high);
      snprintf(line + used, sizeof(line) - used, "  | %s to %s", low, high);
    }
    FgLogResult(log, "  %s", line);
  }
}

/* Numbers of one row or column in one line. */
static void PrintList(const FgEffective *item, const FgCellReport *coarse, FgLog *log)
{
  const PetscInt   n                 = item->rows * item->columns;
  const NumberForm form              = FormOf(item->rows, item->columns, item->value);
  const double     discretization    = Discretization(item, coarse);
  char             line[MATRIX_LINE] = "", unit[96], remark[64] = "";

  FormatUnit(form, item->unit, unit);
  for (PetscInt i = 0; i < n; i++) {
    char         number[32];
    const size_t used = strlen(line);

    FormatNumber(form, item->value[i], number);
    snprintf(line + used, sizeof(line) - used, "%s%s", i ? ", " : "", number);
  }
  if (n == 1) {
    snprintf(line, sizeof(line), "%.7g", item->value[0]);
    snprintf(unit, sizeof(unit), "[%s]", item->unit);
  }
  if (discretization > 1e-6) snprintf(remark, sizeof(remark), " (discretization: about %.2g %%)", 100.0 * discretization);
  FgLogResult(log, "  %s = %s %s: %s%s", item->name, line, unit, item->summary, remark);
}

/* What stands below a matrix: do both forms agree, what would an isotropic mixture have, how far away is half the resolution. */
static void PrintRemarks(const FgCellReport *report, const FgEffective *item, const FgCellReport *coarse, FgLog *log)
{
  const double       discretization = Discretization(item, coarse);
  char               name[2 * FG_CELL_NAME], percent[32] = "0.0001 % or less";
  const FgEffective *found;

  if (discretization > 1e-6) snprintf(percent, sizeof(percent), "%.2g %%", 100.0 * discretization);

  snprintf(name, sizeof(name), "%s_self_check", item->name);
  if ((found = FgReportFind(report, name)))
    FgLogResult(log, "    energy and flux form differ by %.1e of the tensor", found->value[0]);
  snprintf(name, sizeof(name), "%s_hashin_shtrikman", item->name);
  if ((found = FgReportFind(report, name)) && found->rows * found->columns == 2)
    FgLogResult(log, "    isotropic mixtures lie between %.7g and %.7g [%s] (Hashin and Shtrikman)", found->value[0],
                found->value[1], found->unit);
  if (isfinite(discretization))
    FgLogResult(log, "    discretization: about %s, the difference from half the resolution", percent);
}

/* Sub-sampled faces make the error fall in proportion to the voxels: two resolutions give the limit. */
static PetscBool Extrapolate(const HomogenizeSettings *s, const FgEffective *fine, const FgCellReport *coarse_report,
                             double value[FG_PROPERTY_VALUES])
{
  const FgEffective *coarse = FgHomogenizeSubsample(s) > 1 && coarse_report ? FgReportFind(coarse_report, fine->name) : NULL;

  if (!coarse || coarse->rows != fine->rows || coarse->columns != fine->columns) return PETSC_FALSE;
  for (PetscInt i = 0; i < fine->rows * fine->columns; i++) value[i] = 2.0 * fine->value[i] - coarse->value[i];
  return PETSC_TRUE;
}

static void PrintExtrapolated(const HomogenizeSettings *s, const FgEffective *item, const FgCellReport *coarse, FgLog *log)
{
  double     value[FG_PROPERTY_VALUES];
  NumberForm form;
  char       line[MATRIX_LINE] = "", unit[96];

  if (item->rows != item->columns || !Extrapolate(s, item, coarse, value)) return;
  form = FormOf(item->rows, item->columns, value);
  FormatUnit(form, item->unit, unit);
  for (PetscInt i = 0; i < item->rows; i++) {
    char         number[32];
    const size_t used = strlen(line);

    FormatNumber(form, value[i * (item->columns + 1)], number);
    snprintf(line + used, sizeof(line) - used, "%s%s", i ? ", " : "", number);
  }
  FgLogResult(log, "    extrapolated from both resolutions, diagonal: %s %s", line, unit);
}

static void PrintReport(const HomogenizeSettings *s, const FgHomogenized *found, PetscInt k, FgCell cell, FgLog *log)
{
  const FgCellReport *report = &found->reports[k], *coarse = found->coarse ? &found->coarse[k] : NULL;
  const double        voxels     = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  PetscInt            iterations = 0;
  double              residual   = 0.0;

  for (PetscInt i = 0; i < report->nsolves; i++) {
    iterations += report->solves[i].iterations;
    residual = PetscMax(residual, report->solves[i].residual);
  }
  FgLogResult(log, "%s: %d solves, %d iterations, residual at most %.1e, %.3g s, %.0f bytes a voxel", found->physics[k]->name,
              (int)report->nsolves, (int)iterations, residual, found->seconds[k], report->bytes / voxels);
  for (PetscInt i = 0; i < report->neffective; i++) {
    const FgEffective *item      = &report->effective[i];
    const PetscBool    companion = Accompanies(report, item);

    if ((item->detail || companion) && !log->verbose) continue;
    if (item->rows == 1 || item->columns == 1) {
      PrintList(item, companion ? NULL : coarse, log);
      continue;
    }
    PrintMatrix(report, item, companion, log);
    if (companion) continue;
    PrintRemarks(report, item, coarse, log);
    PrintExtrapolated(s, item, coarse, log);
  }
  for (PetscInt i = 0; i < report->nnotes; i++) FgLogResult(log, "  note: %s", report->notes[i]);
  for (PetscInt i = 0; i < report->nsolves; i++) {
    const FgCellSolve *solve = &report->solves[i];

    FgLogDetail(log, "  solve %s: %s, %d iterations, residual %.2e, %.3g s, of them %.3g s in transforms", solve->name,
                solve->solver, (int)solve->iterations, solve->residual, solve->seconds, solve->fft_seconds);
  }
}

/* "conductivity 1 S/m", "conductivity 2,0.5,0.5 S/m" */
static void FormatProperty(const FgProperty *property, char *text, size_t size)
{
  const double *v    = property->value;
  size_t        used = (size_t)snprintf(text, size, "%s ", property->info->name);
  PetscInt      n    = 1;

  if (property->info->kind == FG_PROPERTY_STIFFNESS) n = 0;
  else if (property->info->kind == FG_PROPERTY_VECTOR) n = 3;
  else if (property->info->kind == FG_PROPERTY_TENSOR)
    n = v[3] != 0 || v[4] != 0 || v[5] != 0 ? 6 : v[0] != v[1] || v[1] != v[2] ? 3 : 1;
  if (n == 0) used += (size_t)snprintf(text + used, size - used, "6 x 6");
  for (PetscInt i = 0; i < n && used < size; i++) used += (size_t)snprintf(text + used, size - used, "%s%g", i ? "," : "", v[i]);
  if (used < size) snprintf(text + used, size - used, " [%s]", property->info->unit);
}

void FgHomogenizePrintCell(FgCell cell, FgLog *log)
{
  enum { MOST = 24, FEW = 4 }; /* phases, and properties of each, that are listed without -v */

  FgLogResult(log, "cell     %s", cell->source);
  FgLogResult(log, "         %d x %d x %d voxels of %.4g x %.4g x %.4g [m]", (int)cell->n[0], (int)cell->n[1], (int)cell->n[2],
              cell->spacing[0], cell->spacing[1], cell->spacing[2]);
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const FgPhase *phase = &cell->table.phases[p];
    char           line[1024], exact[64] = "";
    size_t         used;

    if (p == MOST && !log->verbose) {
      FgLogResult(log, "         and %d more phases", (int)(cell->table.nphases - p));
      return;
    }
    if (!isnan(cell->exact[p])) snprintf(exact, sizeof(exact), " (exact %.7g)", cell->exact[p]);
    used = (size_t)snprintf(line, sizeof(line), "%s, label %d: fraction %.7g%s [1]", phase->name, phase->label, cell->fraction[p],
                            exact);
    if (phase->nproperties > FEW && !log->verbose)
      used += (size_t)snprintf(line + used, sizeof(line) - used, ", %d properties", (int)phase->nproperties);
    for (PetscInt k = 0; (phase->nproperties <= FEW || log->verbose) && k < phase->nproperties && used + 128 < sizeof(line);
         k++) {
      char property[256];

      FormatProperty(&phase->properties[k], property, sizeof(property));
      used += (size_t)snprintf(line + used, sizeof(line) - used, ", %s", property);
    }
    FgLogResult(log, "phase    %s", line);
  }
}

void FgHomogenizePrint(const HomogenizeSettings *s, FgCell cell, const FgHomogenized *found, FgLog *log)
{
  for (PetscInt k = 0; k < found->n; k++) PrintReport(s, found, k, cell, log);
}

/* --- JSON ---------------------------------------------------------------------------------------------------------------- */

/* JSON has no NaN. */
static json_t *Number(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *Numbers(PetscInt n, const double *value)
{
  json_t *list = json_array();

  for (PetscInt i = 0; i < n; i++) json_array_append_new(list, Number(value[i]));
  return list;
}

json_t *FgHomogenizeMatrix(PetscInt rows, PetscInt columns, const double *value)
{
  json_t *list;

  if (rows == 1 && columns == 1) return Number(value[0]);
  if (columns == 1) return Numbers(rows, value);
  list = json_array();
  for (PetscInt i = 0; i < rows; i++) json_array_append_new(list, Numbers(columns, value + i * columns));
  return list;
}

static json_t *PropertiesJson(PetscInt n, const FgProperty *properties)
{
  static const PetscInt sizes[] = {1, 3, 6, 36};
  json_t               *object  = json_object();

  for (PetscInt i = 0; i < n; i++) {
    const PetscInt size = sizes[properties[i].info->kind];

    json_object_set_new(object, properties[i].info->name,
                        json_pack("{s:o, s:s}", "value",
                                  size == 1 ? Number(properties[i].value[0]) : Numbers(size, properties[i].value), "unit",
                                  properties[i].info->unit));
  }
  return object;
}

static json_t *CellJson(FgCell cell)
{
  json_t *phases = json_array(), *voxels = json_array();

  for (int a = 0; a < 3; a++) json_array_append_new(voxels, json_integer(cell->n[a]));
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const FgPhase *phase = &cell->table.phases[p];

    json_array_append_new(phases, json_pack("{s:s, s:i, s:o, s:o, s:o}", "name", phase->name, "label", phase->label, "fraction",
                                            Number(cell->fraction[p]), "exact_fraction", Number(cell->exact[p]), "properties",
                                            PropertiesJson(phase->nproperties, phase->properties)));
  }
  return json_pack("{s:s, s:o, s:o, s:o, s:o}", "source", cell->source, "voxels", voxels, "edges_m", Numbers(3, cell->edge),
                   "phases", phases, "properties", PropertiesJson(cell->table.nproperties, cell->table.properties));
}

static json_t *EffectiveJson(const HomogenizeSettings *s, const FgCellReport *report, const FgEffective *item,
                             const FgCellReport *coarse)
{
  double             extrapolated[FG_PROPERTY_VALUES];
  const FgEffective *half  = coarse ? FgReportFind(coarse, item->name) : NULL;
  const FgEffective *voigt = Companion(report, item, "voigt"), *reuss = Companion(report, item, "reuss");
  json_t *object = json_pack("{s:s, s:s, s:s, s:o, s:b}", "name", item->name, "summary", item->summary, "unit", item->unit,
                             "value", FgHomogenizeMatrix(item->rows, item->columns, item->value), "detail", item->detail);

  if (voigt && reuss) {
    json_object_set_new(object, "bounds",
                        json_pack("{s:o, s:o}", "lower", FgHomogenizeMatrix(reuss->rows, reuss->columns, reuss->value), "upper",
                                  FgHomogenizeMatrix(voigt->rows, voigt->columns, voigt->value)));
  }
  if (half && half->rows == item->rows && half->columns == item->columns && !Accompanies(report, item)) {
    json_object_set_new(object, "at_half_resolution", FgHomogenizeMatrix(half->rows, half->columns, half->value));
    json_object_set_new(object, "discretization_estimate", Number(Discretization(item, coarse)));
  }
  if (!Accompanies(report, item) && Extrapolate(s, item, coarse, extrapolated))
    json_object_set_new(object, "extrapolated", FgHomogenizeMatrix(item->rows, item->columns, extrapolated));
  return object;
}

static json_t *ReportJson(const HomogenizeSettings *s, const FgHomogenized *found, PetscInt k, double voxels)
{
  const FgCellReport *report    = &found->reports[k];
  json_t             *effective = json_array(), *solves = json_array(), *notes = json_array();

  for (PetscInt i = 0; i < report->neffective; i++)
    json_array_append_new(effective, EffectiveJson(s, report, &report->effective[i], found->coarse ? &found->coarse[k] : NULL));
  for (PetscInt i = 0; i < report->nsolves; i++) {
    const FgCellSolve *solve = &report->solves[i];

    json_array_append_new(solves, json_pack("{s:s, s:s, s:i, s:o, s:f, s:f}", "name", solve->name, "solver", solve->solver,
                                            "iterations", (int)solve->iterations, "residual", Number(solve->residual), "seconds",
                                            solve->seconds, "fft_seconds", solve->fft_seconds));
  }
  for (PetscInt i = 0; i < report->nnotes; i++) json_array_append_new(notes, json_string(report->notes[i]));
  return json_pack("{s:s, s:o, s:o, s:o, s:f, s:f, s:f}", "name", found->physics[k]->name, "effective", effective, "solves",
                   solves, "notes", notes, "seconds", found->seconds[k], "bytes", report->bytes, "bytes_per_voxel",
                   report->bytes / voxels);
}

/* The command line that gives these settings: every option that is not at its default. */
static void CommandLine(const HomogenizeSettings *s, char *line, size_t size)
{
  static HomogenizeSettings defaults;
  const FgOption           *option;
  size_t                    used = (size_t)snprintf(line, size, "finegrain homogenize");

  FgOptionsDefaults(&FgCommandHomogenize, &defaults);
  for (PetscInt i = 0; (option = FgOptionAt(&FgCommandHomogenize, i)) && used < size; i++) {
    FgText given, usual;

    FgOptionText(option, s, given, sizeof(given));
    FgOptionText(option, &defaults, usual, sizeof(usual));
    if (!strcmp(given, usual)) continue;
    if (option->positional) used += (size_t)snprintf(line + used, size - used, " %s", given);
    else if (option->type == FG_OPTION_FLAG) used += (size_t)snprintf(line + used, size - used, " --%s", option->name);
    else used += (size_t)snprintf(line + used, size - used, " --%s %s", option->name, given);
  }
}

static PetscErrorCode SourceJson(const char *path, json_t *sources)
{
  char        file[PETSC_MAX_PATH_LEN], hash[65];
  const char *colon = strstr(path, ".h5:");

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(file, sizeof(file), "%.*s", (int)(colon ? colon + 3 - path : (ptrdiff_t)strlen(path)), path));
  PetscCall(FgFileHash(file, hash));
  json_array_append_new(sources, json_pack("{s:s, s:s}", "file", path, "sha256", hash));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizeProvenance(const HomogenizeSettings *s, json_t **root)
{
  static char line[8 * PETSC_MAX_PATH_LEN];
  json_t     *sources = json_array();
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  if (s->image[0]) PetscCall(SourceJson(s->image, sources));
  if (s->phases[0]) PetscCall(SourceJson(s->phases, sources));
  if (s->velocity[0]) PetscCall(SourceJson(s->velocity, sources));
  CommandLine(s, line, sizeof(line));
  *root = json_pack("{s:i, s:s, s:s, s:o, s:i, s:f, s:s}", "schema_version", SCHEMA_VERSION, "finegrain_version", FG_VERSION,
                    "command", line, "sources", sources, "ranks", (int)size, "tolerance", s->tolerance, "solver", s->solver);
  PetscFunctionReturn(PETSC_SUCCESS);
}

json_t *FgHomogenizeJson(const HomogenizeSettings *s, FgCell cell, const FgHomogenized *found)
{
  const double voxels  = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  json_t      *physics = json_array();

  for (PetscInt k = 0; k < found->n; k++) json_array_append_new(physics, ReportJson(s, found, k, voxels));
  return json_pack("{s:o, s:o}", "cell", CellJson(cell), "physics", physics);
}

/* --- Files --------------------------------------------------------------------------------------------------------------- */

static PetscBool EndsWith(const char *path, const char *ending)
{
  const size_t length = strlen(path), of_ending = strlen(ending);

  return length > of_ending && !strcmp(path + length - of_ending, ending) ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool FgHomogenizeIsTable(const char *path)
{
  return EndsWith(path, ".h5");
}

/* The folder of a file. */
static void FolderOf(const char *path, FgText folder)
{
  const char *slash = strrchr(path, '/');

  if (!slash) snprintf(folder, sizeof(FgText), ".");
  else snprintf(folder, sizeof(FgText), "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* Rank 0. Before the work, not after it. */
static PetscErrorCode RefuseFile(const HomogenizeSettings *s, const char *path)
{
  FgText folder;

  PetscFunctionBegin;
  if (!path[0]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(s->force || access(path, F_OK), PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s exists already; choose another name or give --force", path);
  FolderOf(path, folder);
  PetscCheck(!access(folder, W_OK | X_OK), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: nothing can be written to %s: %s", path,
             strcmp(folder, ".") ? folder : "this folder", strerror(errno));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Refuse(const HomogenizeSettings *s)
{
  char path[PETSC_MAX_PATH_LEN + 32];

  PetscFunctionBegin;
  PetscCall(RefuseFile(s, s->output));
  PetscCall(RefuseFile(s, s->json));
  PetscCall(RefuseFile(s, s->picture));
  if (EndsWith(s->fields, ".xdmf")) {
    PetscCall(RefuseFile(s, s->fields));
    PetscCall(PetscSNPrintf(path, sizeof(path), "%.*s.h5", (int)strlen(s->fields) - 5, s->fields));
    PetscCall(RefuseFile(s, path));
  } else if (s->fields[0]) { /* a folder, which may be there already */
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/labels.nii.gz", s->fields));
    PetscCheck(s->force || access(path, F_OK), PETSC_COMM_SELF, PETSC_ERR_USER,
               "%s exists already; choose another folder or give --force", path);
    PetscCall(FgFolderMake(s->fields));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgHomogenizeWatch(const char *path)
{
  static FgText folder;

  FolderOf(path, folder);
  FgStopSetFolder(folder);
}

PetscErrorCode FgHomogenizeRefuse(const HomogenizeSettings *s)
{
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) code = Refuse(s);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizeWriteJson(const HomogenizeSettings *s, const json_t *root)
{
  const char *const paths[2] = {EndsWith(s->output, ".json") ? s->output : "", s->json};
  PetscErrorCode    code     = PETSC_SUCCESS;
  PetscMPIInt       rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  for (int k = 0; k < 2 && !rank && !code; k++) {
    if (!paths[k][0]) continue;
    FgHomogenizeWatch(paths[k]);
    code = FgWriteJson(paths[k], root);
  }
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteVolumes(const HomogenizeSettings *s, FgCell cell, const FgHomogenized *found)
{
  char path[2 * PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  FgStopSetFolder(s->fields);
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/labels.nii.gz", s->fields));
  PetscCall(FgCellWriteLabels(path, cell));
  for (PetscInt k = 0; k < found->n; k++) {
    for (PetscInt i = 0; i < found->reports[k].nfields; i++) {
      const FgCellField *field = &found->reports[k].fields[i];

      PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s_%s.nii.gz", s->fields, found->physics[k]->name, field->name));
      PetscCall(FgCellWriteField(path, cell, field));
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizeWriteFields(const HomogenizeSettings *s, FgCell cell, const FgHomogenized *found)
{
  PetscFunctionBegin;
  if (EndsWith(s->fields, ".xdmf")) {
    FgHomogenizeWatch(s->fields);
    PetscCall(FgCellWriteXdmf(s->fields, cell, found->n, found->reports));
  } else if (s->fields[0]) PetscCall(WriteVolumes(s, cell, found));
  if (s->picture[0]) {
    const FgCellField *field = NULL;

    for (PetscInt k = 0; k < found->n && !field; k++) field = found->reports[k].nfields ? found->reports[k].fields : NULL;
    FgHomogenizeWatch(s->picture);
    PetscCall(FgCellWritePicture(s->picture, cell, field));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
