/* homogenize_options.c: the option tables of `finegrain homogenize`, and the names that its help lists. */
#include "homogenize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *PhysicsName(PetscInt i)
{
  return FgPhysicsList[i] ? FgPhysicsList[i]->name : NULL;
}

static const char *GeometryName(PetscInt i)
{
  return FgGeometries[i].name;
}

#define MEMBER(member) .offset = offsetof(HomogenizeSettings, member)

/* clang-format off */
const FgOption FgHomogenizeCellOptions[] = {
  {.section = "Cell", .name = "cell", .type = FG_OPTION_PATH, MEMBER(image), .value = "CELL", .word = "none", .positional = PETSC_TRUE,
   .summary = "image of labels: NIfTI (.nii, .nii.gz), HDF5 (FILE.h5:/DATASET) or raw bytes; or give --geometry"},
  {.name = "phases", .type = FG_OPTION_PATH, MEMBER(phases), .word = "none",
   .summary = "YAML file that says what each label is (docs/formats.md); with --geometry: its phases in order"},
  {.name = "size", .type = FG_OPTION_REALS, MEMBER(size), .unit = "voxels", .value = "X,Y,Z", .word = "file", .lower = 1, .upper = 1e6,
   .least = 3, .most = 3, .summary = "grid of a raw image"},
  {.name = "voxel-size", .type = FG_OPTION_REALS, MEMBER(voxel_size), .unit = "m", .value = "H[,HY,HZ]", .word = "file",
   .lower = FG_POSITIVE, .upper = 1e6, .least = 1, .most = 3, .summary = "of a raw image, and of others instead of what the file says"},

  {.section = "Generator", .name = "geometry", .type = FG_OPTION_CHOICE, MEMBER(geometry), .word = "none", .choice = GeometryName,
   .summary = "cell from a generator instead of an image"},
  {.name = "fraction", .type = FG_OPTION_REAL, MEMBER(fraction), .unit = "1", .word = "own", .lower = 0, .upper = 1,
   .summary = "volume fraction of phase 1; own: what suits the geometry"},
  {.name = "resolution", .type = FG_OPTION_INTEGER, MEMBER(resolution), .fallback = "64", .lower = 2, .upper = 100000,
   .summary = "voxels along the longest edge"},
  {.name = "subsample", .type = FG_OPTION_INTEGER, MEMBER(subsample), .word = "auto", .lower = 1, .upper = 64,
   .summary = "1, or an even number of samples of the shape along each axis of a voxel, for conduction and its kin, a cell on every rank: the "
              "error then falls smoothly, and results are extrapolated from two resolutions; auto: 8 in two-dimensional cells where that "
              "can be, else 1"},
  {.name = "length", .type = FG_OPTION_REAL, MEMBER(length), .unit = "m", .fallback = "1e-5", .lower = FG_POSITIVE, .upper = 1e6,
   .summary = "longest edge of the cell"},
  {.name = "axis", .type = FG_OPTION_CHOICE, MEMBER(axis), .word = "own", .choices = "x|y|z",
   .summary = "of cylinders and channels, or normal of layers; own: z"},
  {.name = "count", .type = FG_OPTION_INTEGER, MEMBER(count), .word = "own", .lower = 1, .upper = 1000000,
   .summary = "of random spheres, fibers or layers; own: what suits the geometry"},
  {.name = "seed", .type = FG_OPTION_INTEGER, MEMBER(seed), .fallback = "1", .lower = 0, .upper = 2147483647,
   .summary = "of random geometries"},
  {.name = "angle", .type = FG_OPTION_REAL, MEMBER(angle), .unit = "degree", .word = "own", .lower = 0, .upper = 90,
   .summary = "between crossed fibers, or standard deviation of dispersed ones"},
  {.name = "contrast", .type = FG_OPTION_REAL, MEMBER(contrast), .unit = "1", .word = "auto", .lower = 0, .upper = 1e12,
   .summary = "conductivity and diffusivity of all phases relative to the matrix, which has 1; 0: impermeable; auto: 10 where no --phases "
              "are given"},
  {0}};

const FgOption FgHomogenizeSolveOptions[] = {
  {.section = "Physics", .name = "physics", .type = FG_OPTION_LIST, MEMBER(physics), .fallback = "conduction", .choice = PhysicsName,
   .summary = "what to homogenize"},
  {.name = "velocity", .type = FG_OPTION_PATH, MEMBER(velocity), .word = "none",
   .summary = "NIfTI of three volumes on the grid of the cell, for dispersion: velocity along x, y and z on the lower face of every voxel "
              "[m/s]; none: from the geometry by Stokes flow"},
  {.name = "tolerance", .type = FG_OPTION_REAL, MEMBER(tolerance), .unit = "1", .fallback = "1e-8", .lower = 1e-14, .upper = 0.1,
   .summary = "relative residual at which a solve ends; the error of a tensor's energy form is about its square"},
  {.name = "max-iterations", .type = FG_OPTION_INTEGER, MEMBER(max_iterations), .fallback = "2000", .lower = 1, .upper = 1000000,
   .summary = "of one solve; not to converge is an error with the residual history, exit code 4"},
  {.name = "solver", .type = FG_OPTION_CHOICE, MEMBER(solver), .choices = "auto|spectral|algebraic",
   .summary = "spectral: preconditioned by Fourier transforms; algebraic: by multigrid; auto: spectral, and multigrid where that fails"},
  {.name = "no-estimate", .type = FG_OPTION_FLAG, MEMBER(no_estimate),
   .summary = "do not solve again at half the resolution to estimate the discretization error, nor extrapolate sweeps"},
  {.name = "sweep", .type = FG_OPTION_PAIRS, MEMBER(sweep), .value = "NAME=VALUES ...", .word = "none",
   .summary = "solve for all combinations of values of up to four options of the generator; VALUES: numbers and ranges "
              "START:STOP:COUNT separated by commas; ranges of more than a factor 20 are geometric, of fraction and angle always linear"},
  {0}};

const FgOption FgHomogenizeOutputOptions[] = {
  {.section = "Output", .name = "output", .letter = 'o', .type = FG_OPTION_PATH, MEMBER(output), .word = "none",
   .summary = "results by the ending: .json all that was found; .h5 table of a sweep, which --closure table:FILE reads"},
  {.name = "json", .type = FG_OPTION_PATH, MEMBER(json), .word = "none", .summary = "write all that was found to this file too"},
  {.name = "fields", .type = FG_OPTION_PATH, MEMBER(fields), .value = "PATH", .word = "none",
   .summary = "write correctors and other fields: NAME.xdmf for ParaView, else a folder for NIfTI volumes"},
  {.name = "picture", .type = FG_OPTION_PATH, MEMBER(picture), .word = "none", .summary = "slices of the cell as PNG"},
  {.name = "force", .type = FG_OPTION_FLAG, MEMBER(force), .summary = "overwrite outputs"},
  {.name = "dry-run", .type = FG_OPTION_FLAG, MEMBER(dry_run), .summary = "print the plan, the voxel count and the memory needed, and stop"},
  {.name = "memory-limit", .type = FG_OPTION_REAL, MEMBER(memory_limit), .unit = "GiB", .word = "auto", .lower = FG_POSITIVE,
   .upper = INFINITY,
   .summary = "refuse to start where more is needed; auto: the memory of this machine"},
  {0}};
/* clang-format on */

static PetscBool PhysicsRow(PetscInt i, const char **name, const char **unit, const char **summary)
{
  if (!FgPhysicsList[i]) return PETSC_FALSE;
  *name    = FgPhysicsList[i]->name;
  *summary = FgPhysicsList[i]->summary;
  return PETSC_TRUE;
}

static PetscBool GeometryRow(PetscInt i, const char **name, const char **unit, const char **summary)
{
  *name    = FgGeometries[i].name;
  *summary = FgGeometries[i].summary;
  return *name ? PETSC_TRUE : PETSC_FALSE;
}

/* The i-th property that belongs to a phase, or to the whole cell. */
static PetscBool Property(PetscInt i, PetscBool of_cell, const char **name, const char **unit, const char **summary)
{
  const FgPropertyInfo *info = FgProperties;

  for (; info->name; info++) {
    if (info->of_cell == of_cell && i-- == 0) break;
  }
  *name    = info->name;
  *unit    = info->unit;
  *summary = info->summary;
  return *name ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool PropertyRow(PetscInt i, const char **name, const char **unit, const char **summary)
{
  return Property(i, PETSC_FALSE, name, unit, summary);
}

static PetscBool CellPropertyRow(PetscInt i, const char **name, const char **unit, const char **summary)
{
  return Property(i, PETSC_TRUE, name, unit, summary);
}

const FgCommandList FgHomogenizeLists[] = {{"Names of physics", PhysicsRow},
                                           {"Names of geometries", GeometryRow},
                                           {"Properties of a phase, in a phases file", PropertyRow},
                                           {"Properties of the whole cell, in a phases file", CellPropertyRow},
                                           {NULL, NULL}};

const FgPhysics *FgHomogenizePhysics(const HomogenizeSettings *s, PetscInt i)
{
  const char *word = s->physics;
  char        name[FG_CELL_NAME];

  for (; i > 0; i--) {
    word += strcspn(word, ",");
    if (*word == '\0') return NULL;
    word++;
  }
  snprintf(name, sizeof(name), "%.*s", (int)PetscMin(strcspn(word, ","), sizeof(name) - 1), word);
  return FgPhysicsFind(name);
}

static PetscBool SubsampleAll(const HomogenizeSettings *s)
{
  const FgPhysics *physics;

  for (PetscInt k = 0; (physics = FgHomogenizePhysics(s, k)); k++) {
    if (!physics->subsampled) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscInt FgHomogenizeSubsample(const HomogenizeSettings *s)
{
  const FgGeometry  *geometry = s->geometry[0] ? FgGeometryFind(s->geometry) : NULL;
  FgGeometrySettings settings = FgGeometryDefaults, resolved;
  PetscErrorCode     code;
  PetscInt           n[3];
  double             edge[3];

  if (s->subsample > 0) return s->subsample;
  if (!geometry || s->phases[0]) return 1; /* phases may have tensors off the axes */
  if (!SubsampleAll(s)) return 1;
  if (s->axis[0]) settings.axis = s->axis[0] - 'x';
  PetscPushErrorHandler(PetscReturnErrorHandler, NULL); /* what is wrong will be said where the cell is made */
  code = FgGeometryResolve(geometry, &settings, &resolved, n, edge);
  PetscPopErrorHandler();
  return !code && (n[0] > 1) + (n[1] > 1) + (n[2] > 1) == 2 ? 8 : 1;
}

PetscBool FgHomogenizeExtrapolates(const HomogenizeSettings *s)
{
  return !s->no_estimate && s->resolution % 2 == 0 && s->resolution >= 32 && FgHomogenizeSubsample(s) > 1 ? PETSC_TRUE
                                                                                                          : PETSC_FALSE;
}

FgGeometrySettings FgHomogenizeGeometry(const HomogenizeSettings *s)
{
  FgGeometrySettings geometry = FgGeometryDefaults;

  geometry.resolution = s->resolution;
  geometry.subsample  = FgHomogenizeSubsample(s);
  geometry.length     = s->length;
  geometry.seed       = s->seed;
  if (!isnan(s->fraction)) geometry.fraction = s->fraction;
  if (s->axis[0]) geometry.axis = s->axis[0] - 'x';
  if (s->count > 0) geometry.count = s->count;
  if (!isnan(s->angle)) geometry.angle = s->angle;
  return geometry;
}

FgCellSettings FgHomogenizeSolver(const HomogenizeSettings *s)
{
  FgCellSettings settings = FgCellDefaults;

  settings.tolerance      = s->tolerance;
  settings.max_iterations = s->max_iterations;
  settings.solver         = !strcmp(s->solver, "spectral")    ? FG_CELL_SOLVER_SPECTRAL
                            : !strcmp(s->solver, "algebraic") ? FG_CELL_SOLVER_ALGEBRAIC
                                                              : FG_CELL_SOLVER_AUTO;
  settings.keep_fields    = s->fields[0] || s->picture[0] ? PETSC_TRUE : PETSC_FALSE;
  return settings;
}

PetscBool FgHomogenizeEndsWith(const char *text, const char *ending)
{
  const size_t length = strlen(text), of_ending = strlen(ending);

  return length > of_ending && !strcmp(text + length - of_ending, ending) ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool CheckCell(const HomogenizeSettings *s, char message[FG_MESSAGE_LENGTH])
{
  if (!s->image[0] == !s->geometry[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "CELL, --geometry: give one of them, found %s", s->image[0] ? "both" : "neither");
  } else if (s->image[0] && !s->phases[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--phases: is missing, a YAML file that says what each label of the image is");
  } else if (s->image[0] && !isnan(s->contrast)) {
    snprintf(message, FG_MESSAGE_LENGTH, "--contrast: is for --geometry; the phases of an image are in --phases FILE");
  } else if (s->phases[0] && !isnan(s->contrast)) {
    snprintf(message, FG_MESSAGE_LENGTH, "--contrast, --phases: both say what the phases are, give one of them");
  } else if (s->geometry[0] && (s->size.n || s->voxel_size.n)) {
    snprintf(message, FG_MESSAGE_LENGTH, "--%s: is for images; a generator takes --resolution and --length",
             s->size.n ? "size" : "voxel-size");
  } else if (s->subsample > 1 && (s->subsample % 2 || s->image[0])) {
    snprintf(message, FG_MESSAGE_LENGTH, "--subsample: expected 1 or an even number, and --geometry, found %d%s",
             (int)s->subsample, s->image[0] ? " with an image" : "");
  } else if (s->voxel_size.n == 2) {
    snprintf(message, FG_MESSAGE_LENGTH, "--voxel-size: expected 1 or 3 numbers [m], found 2");
  } else {
    for (int k = 0; k < s->size.n; k++) {
      if (s->size.value[k] == floor(s->size.value[k])) continue;
      snprintf(message, FG_MESSAGE_LENGTH, "--size: expected whole numbers [voxels], found %g", s->size.value[k]);
      return PETSC_FALSE;
    }
    return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static PetscBool CheckPhysics(const HomogenizeSettings *s, char message[FG_MESSAGE_LENGTH])
{
  const FgPhysics *physics;

  for (PetscInt i = 0; (physics = FgHomogenizePhysics(s, i)); i++) {
    if (s->subsample <= 1 || physics->subsampled) continue;
    snprintf(message, FG_MESSAGE_LENGTH, "--subsample: %s does not take sub-sampled voxels, leave it out", physics->name);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

static PetscBool CheckOutput(const HomogenizeSettings *s, char message[FG_MESSAGE_LENGTH])
{
  if (s->output[0] && !FgHomogenizeEndsWith(s->output, ".json") && !FgHomogenizeEndsWith(s->output, ".h5")) {
    snprintf(message, FG_MESSAGE_LENGTH, "--output: expected a name that ends in .json or .h5, found '%.200s'", s->output);
  } else if (FgHomogenizeEndsWith(s->output, ".h5") && !s->sweep[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--output: .h5 holds the table of a sweep; give --sweep, or a name that ends in .json");
  } else if (FgHomogenizeEndsWith(s->output, ".h5") && strchr(s->physics, ',')) {
    snprintf(message, FG_MESSAGE_LENGTH, "--output: a table (.h5) is of one physics, found --physics %.200s", s->physics);
  } else if (s->picture[0] && !FgHomogenizeEndsWith(s->picture, ".png")) {
    snprintf(message, FG_MESSAGE_LENGTH, "--picture: expected a name that ends in .png, found '%.200s'", s->picture);
  } else if (s->sweep[0] && (s->fields[0] || s->picture[0] || s->velocity[0])) {
    snprintf(message, FG_MESSAGE_LENGTH, "--%s: is of one cell, --sweep makes many",
             s->fields[0]    ? "fields"
             : s->picture[0] ? "picture"
                             : "velocity");
  } else {
    return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

PetscBool FgHomogenizeCheck(const void *context, char message[FG_MESSAGE_LENGTH])
{
  const HomogenizeSettings *s     = context;
  FgHomogenizationTable     table = {0};

  if (!CheckCell(s, message) || !CheckPhysics(s, message) || !CheckOutput(s, message) || !FgSweepRead(s, &table, message))
    return PETSC_FALSE;
  for (PetscInt k = 0; k < table.naxes; k++) free(table.axes[k].value);
  return PETSC_TRUE;
}
