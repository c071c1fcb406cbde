/* homogenize_json.c: what `finegrain homogenize` found, as JSON for programs. The schema is documented in docs/formats.md; its version
   counts up when the meaning of a key changes. */
#include "homogenize.h"
#include "record.h"

#include "finegrain/result.h"

#include <stdio.h>
#include <string.h>

enum { SCHEMA_VERSION = 1 };

static json_t *Numbers(PetscInt n, const double *value)
{
  json_t *list = json_array();

  for (PetscInt i = 0; i < n; i++) json_array_append_new(list, FgJsonNumber(value[i]));
  return list;
}

json_t *FgHomogenizeMatrix(PetscInt rows, PetscInt columns, const double *value)
{
  json_t *list;

  if (rows == 1 && columns == 1) return FgJsonNumber(value[0]);
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
                                  size == 1 ? FgJsonNumber(properties[i].value[0]) : Numbers(size, properties[i].value), "unit",
                                  properties[i].info->unit));
  }
  return object;
}

static json_t *CellJson(const HomogenizeSettings *s, FgCell cell, const FgHomogenized *found)
{
  json_t *phases = json_array(), *voxels = json_array();

  for (int a = 0; a < 3; a++) json_array_append_new(voxels, json_integer(cell->n[a]));
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const FgPhase *phase  = &cell->table.phases[p];
    json_t        *object = json_pack("{s:s, s:i, s:o, s:o, s:o}", "name", phase->name, "label", phase->label, "fraction",
                                      FgJsonNumber(cell->fraction[p]), "exact_fraction", FgJsonNumber(cell->exact[p]), "properties",
                                      PropertiesJson(phase->nproperties, phase->properties));

    if (found->coarse_fraction && FgHomogenizeSubsample(s) > 1)
      json_object_set_new(object, "extrapolated_fraction", FgJsonNumber(2.0 * cell->fraction[p] - found->coarse_fraction[p]));
    json_array_append_new(phases, object);
  }
  return json_pack("{s:s, s:o, s:o, s:o, s:o}", "source", cell->source, "voxels", voxels, "edges_m", Numbers(3, cell->edge),
                   "phases", phases, "properties", PropertiesJson(cell->table.nproperties, cell->table.properties));
}

static json_t *EffectiveJson(const HomogenizeSettings *s, const FgCellReport *report, const FgEffective *item,
                             const FgCellReport *coarse)
{
  double             extrapolated[FG_PROPERTY_VALUES];
  const FgEffective *half  = coarse ? FgReportFind(coarse, item->name) : NULL;
  const FgEffective *voigt = FgHomogenizeCompanion(report, item, "voigt"), *reuss = FgHomogenizeCompanion(report, item, "reuss");
  json_t *object = json_pack("{s:s, s:s, s:s, s:o, s:b}", "name", item->name, "summary", item->summary, "unit", item->unit,
                             "value", FgHomogenizeMatrix(item->rows, item->columns, item->value), "detail", item->detail);

  if (voigt && reuss) {
    json_object_set_new(object, "bounds",
                        json_pack("{s:o, s:o}", "lower", FgHomogenizeMatrix(reuss->rows, reuss->columns, reuss->value), "upper",
                                  FgHomogenizeMatrix(voigt->rows, voigt->columns, voigt->value)));
  }
  if (half && half->rows == item->rows && half->columns == item->columns && !FgHomogenizeAccompanies(report, item)) {
    json_object_set_new(object, "at_half_resolution", FgHomogenizeMatrix(half->rows, half->columns, half->value));
    json_object_set_new(object, "discretization_estimate", FgJsonNumber(FgHomogenizeDiscretization(item, coarse)));
  }
  if (!FgHomogenizeAccompanies(report, item) && FgHomogenizeExtrapolate(s, item, coarse, extrapolated))
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
                                            "iterations", (int)solve->iterations, "residual", FgJsonNumber(solve->residual),
                                            "seconds", solve->seconds, "fft_seconds", solve->fft_seconds));
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
  return json_pack("{s:o, s:o}", "cell", CellJson(s, cell, found), "physics", physics);
}
