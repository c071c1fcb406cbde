/* homogenize_print.c: what `finegrain homogenize` found, as a table for people. */
#include "homogenize.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MATRIX_LINE = 512 };

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

static void PrintMatrix(const FgCellReport *report, const FgEffective *item, PetscBool alone, FgLog *log)
{
  const PetscInt     columns = item->columns;
  const NumberForm   form    = FormOf(item->rows, columns, item->value);
  const FgEffective *flux    = alone || columns > 3 ? NULL : FgHomogenizeCompanion(report, item, "flux");
  const FgEffective *voigt   = alone ? NULL : FgHomogenizeCompanion(report, item, "voigt"),
                    *reuss   = alone ? NULL : FgHomogenizeCompanion(report, item, "reuss");
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
  const double     discretization    = FgHomogenizeDiscretization(item, coarse);
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
  const double       discretization = FgHomogenizeDiscretization(item, coarse);
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

/* Fractions are extrapolated alike: the tensor belongs to them. */
static void PrintExtrapolated(const HomogenizeSettings *s, const FgHomogenized *found, const FgEffective *item,
                              const FgCellReport *coarse, FgCell cell, FgLog *log)
{
  double     value[FG_PROPERTY_VALUES];
  NumberForm form;
  char       line[MATRIX_LINE] = "", unit[96];

  if (item->rows != item->columns || cell->table.nphases < 2 || !FgHomogenizeExtrapolate(s, item, coarse, value)) return;
  form = FormOf(item->rows, item->columns, value);
  FormatUnit(form, item->unit, unit);
  for (PetscInt i = 0; i < item->rows; i++) {
    char         number[32];
    const size_t used = strlen(line);

    FormatNumber(form, value[i * (item->columns + 1)], number);
    snprintf(line + used, sizeof(line) - used, "%s%s", i ? ", " : "", number);
  }
  FgLogResult(log, "    extrapolated from both resolutions, diagonal: %s %s, at a fraction %.6g of %s", line, unit,
              2.0 * cell->fraction[1] - found->coarse_fraction[1], cell->table.phases[1].name);
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
    const PetscBool    companion = FgHomogenizeAccompanies(report, item);

    if ((item->detail || companion) && !log->verbose) continue;
    if (item->rows == 1 || item->columns == 1) {
      PrintList(item, companion ? NULL : coarse, log);
      continue;
    }
    PrintMatrix(report, item, companion, log);
    if (companion) continue;
    PrintRemarks(report, item, coarse, log);
    PrintExtrapolated(s, found, item, coarse, cell, log);
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
