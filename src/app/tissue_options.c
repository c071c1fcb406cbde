/* tissue_options.c: the option table of tissues, and the tissue that the options name. */
#include "eit_options.h"

#include <stdio.h>
#include <string.h>

static const char *ClosureName(PetscInt i)
{
  PetscInt n = 0;

  while (FgClosures[n]) n++;
  return i < n ? FgClosures[i]->name : i == n ? "table:FILE" : i == n + 1 ? FG_EIT_ISOTROPIC_CLOSURE : NULL;
}

static const char *OrientationName(PetscInt i)
{
  return FgOrientations[i];
}

static const char *PresetName(PetscInt i)
{
  return FgPresets[i].name;
}

#define MEMBER(member) .offset = offsetof(FgTissueCommandSettings, tissue.member)

/* clang-format off */
const FgOption FgTissueOptions[] = {
  {.section = "Tissue", .name = "tissue", .type = FG_OPTION_CHOICE, MEMBER(tissue), .fallback = "brain", .choice = PresetName,
   .summary = "preset of closure, orientation model and constants (docs/presets.md)"},
  {.name = "closure", .type = FG_OPTION_CHOICE, MEMBER(closure), .word = "preset", .choice = ClosureName,
   .summary = "homogenized tensor of aligned fibers (docs/closures.md); table:FILE interpolates cell problems that `homogenize --sweep` solved; isotropic: of impedance data, conductivity itself"},
  {.name = "orientation", .type = FG_OPTION_CHOICE, MEMBER(orientation), .word = "preset", .choice = OrientationName,
   .summary = "how fiber directions spread within a voxel"},
  {.name = "normalization", .type = FG_OPTION_CHOICE, MEMBER(normalization), .word = "preset", .choices = "effective|apparent",
   .summary = "effective: flux per total area; apparent: divided by the mean storage, what the visible water shows"},
  {.name = "matrix-diffusivity", .type = FG_OPTION_REAL, MEMBER(matrix_diffusivity), .unit = "mm^2/s", .word = "preset",
   .lower = FG_POSITIVE, .upper = 0.1, .summary = "of the matrix (fluid) phase"},
  {.name = "fiber-diffusivity", .type = FG_OPTION_REALS, MEMBER(fiber_diffusivity), .unit = "mm^2/s", .value = "AXIAL[,RADIAL]",
   .word = "preset", .lower = 0, .upper = 0.1, .least = 1, .most = 2,
   .summary = "of the fiber phase, along and across its axis; one number: both"},
  {.name = "fiber-storage", .type = FG_OPTION_REAL, MEMBER(fiber_storage), .unit = "1", .word = "preset", .lower = 0,
   .upper = 10,
   .summary = "visible water content of the fiber phase relative to the matrix"},
  {.name = "porosity-bounds", .type = FG_OPTION_REALS, MEMBER(porosity_bounds), .unit = "1", .value = "LOW,HIGH",
   .word = "auto",
   .lower = 0, .upper = 1, .least = 2, .most = 2,
   .summary = "box of the porosity; auto: all that the closure allows"},
  {0}};
/* clang-format on */

PetscBool FgTissueCheck(const FgTissueSettings *s, char message[FG_MESSAGE_LENGTH])
{
  if (!s->porosity_bounds.n || s->porosity_bounds.value[0] < s->porosity_bounds.value[1]) return PETSC_TRUE;
  snprintf(message, FG_MESSAGE_LENGTH, "--porosity-bounds: expected LOW < HIGH, found %g,%g", s->porosity_bounds.value[0],
           s->porosity_bounds.value[1]);
  return PETSC_FALSE;
}

/* A formula by its name, or an instance for these phases from "table:FILE". */
static PetscErrorCode ChooseClosure(const char *name, const FgPhases *phases, const FgClosure **closure)
{
  static const char     prefix[] = "table:";
  FgHomogenizationTable table;
  PetscErrorCode        code;

  PetscFunctionBegin;
  if (!strncmp(name, prefix, sizeof prefix - 1)) {
    PetscCall(FgHomogenizationTableRead(PETSC_COMM_WORLD, name + sizeof prefix - 1, &table));
    code = FgClosureFromTable(&table, phases, closure);
    PetscCall(FgHomogenizationTableDestroy(&table));
    PetscCall(code);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCheck(strcmp(name, FG_EIT_ISOTROPIC_CLOSURE), PETSC_COMM_SELF, PETSC_ERR_USER,
             "--closure %s: found with diffusion data, expected electrode voltages; choose a closure of docs/closures.md", name);
  *closure = FgClosureFind(name);
  PetscCheck(*closure, PETSC_COMM_SELF, PETSC_ERR_USER, "--closure %s: there is no such closure", name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgTissueChoose(const FgTissueSettings *s, FgTissue *tissue)
{
  const FgPreset *preset = FgPresets;

  PetscFunctionBegin;
  while (preset->name && strcmp(preset->name, s->tissue)) preset++;
  PetscCheck(preset->name, PETSC_COMM_SELF, PETSC_ERR_USER, "--tissue %s: there is no such preset", s->tissue);
  memset(tissue, 0, sizeof(*tissue));
  for (int k = 0; FgOrientations[k]; k++) {
    if (!strcmp(FgOrientations[k], s->orientation[0] ? s->orientation : preset->orientation))
      tissue->orientation = (FgOrientation)k;
  }
  tissue->phases = preset->phases;
  if (!isnan(s->matrix_diffusivity)) tissue->phases.matrix = s->matrix_diffusivity;
  if (s->fiber_diffusivity.n) {
    tissue->phases.fiber_axial  = s->fiber_diffusivity.value[0];
    tissue->phases.fiber_radial = s->fiber_diffusivity.value[s->fiber_diffusivity.n - 1];
  }
  if (!isnan(s->fiber_storage)) tissue->phases.fiber_storage = s->fiber_storage;
  if (s->normalization[0]) tissue->phases.apparent = strcmp(s->normalization, "apparent") ? PETSC_FALSE : PETSC_TRUE;
  PetscCall(ChooseClosure(s->closure[0] ? s->closure : preset->closure, &tissue->phases, &tissue->closure));
  tissue->porosity_lower = s->porosity_bounds.n ? s->porosity_bounds.value[0] : 0.0;
  tissue->porosity_upper = s->porosity_bounds.n ? s->porosity_bounds.value[1] : 1.0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgTissueClose(FgTissue *tissue)
{
  PetscFunctionBegin;
  PetscCall(FgClosureDestroy(&tissue->closure));
  PetscFunctionReturn(PETSC_SUCCESS);
}

json_t *FgTissueJson(const FgTissue *tissue)
{
  const FgPhases  *phases  = &tissue->phases;
  const FgClosure *closure = tissue->closure;
  json_t          *json    = json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f}", "Closure", closure->name, "Orientation",
                                       FgOrientations[tissue->orientation], "Normalization", phases->apparent ? "apparent" : "effective",
                                       "MatrixDiffusivity_mm2_s", phases->matrix, "FiberDiffusivityAxial_mm2_s", phases->fiber_axial,
                                       "FiberDiffusivityRadial_mm2_s", phases->fiber_radial, "FiberStorage", phases->fiber_storage);

  if (json && closure->file) {
    json_object_set_new(json, "ClosureTable",
                        json_pack("{s:s, s:s, s:s, s:f}", "File", closure->file, "SHA256", closure->hash, "Description",
                                  closure->summary, "LargestFiberFraction", closure->fiber_fraction_max));
  }
  return json;
}
