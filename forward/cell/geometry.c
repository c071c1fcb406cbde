/* geometry.c: the list of generators, and those of layers, cylinders and channels, which need two dimensions or one.

   Positions are in units of the edges, 0 < y < 1. With u and v the two axes after `axis`:

     laminate           layers across `axis`: phase 1 where y count - floor(y count) < f
     square-cylinders   (y_u - 1/2)^2 + (y_v - 1/2)^2 < f/pi
     hex-cylinders      cell 1 x sqrt(3) with cylinders about its corners and its center, 2 pi r^2 = sqrt(3) f
     checkerboard       four squares, f = 1/2
     plane-channels     |y_u - 1/2| < f/2; flows along `axis` and v
     round-channels     as square-cylinders

   Cylinders touch at f = pi/4 (square) and pi/(2 sqrt(3)) (hexagonal). */
#include "shapes.h"

#include <math.h>
#include <string.h>

const FgGeometrySettings FgGeometryDefaults = {
    .fraction = -1, .resolution = 64, .length = 1e-5, .subsample = 1, .axis = 2, .count = 0, .seed = 1, .angle = -1};

static const double square_limit = 0.78539816339744831, hexagonal_limit = 0.90689968211710893;

void FgShapeVoxels(PetscInt resolution, const double edge[3], PetscInt n[3])
{
  const double longest = PetscMax(edge[0], PetscMax(edge[1], edge[2]));

  for (PetscInt i = 0; i < 3; i++) n[i] = PetscMax(1, (PetscInt)lround((double)resolution * edge[i] / longest));
}

void FgShapeFill(FgCell cell, FgShape shape, const void *context)
{
  uint16_t *phase = cell->phase;
  double    y[3];

  for (PetscInt k = 0; k < cell->count; k++) {
    y[2] = ((double)(cell->start + k) + 0.5) / (double)cell->n[2];
    for (PetscInt j = 0; j < cell->n[1]; j++) {
      y[1] = ((double)j + 0.5) / (double)cell->n[1];
      for (PetscInt i = 0; i < cell->n[0]; i++) {
        y[0]     = ((double)i + 0.5) / (double)cell->n[0];
        *phase++ = shape(context, y);
      }
    }
  }
}

PetscInt FgShapeFiberPhases(FgCell cell, PetscInt orientations)
{
  return cell->table.nphases == orientations + 1 ? orientations : 1;
}

/* --- Layers, cylinders, channels -------------------------------------------------------------------------------------- */

/* `along` voxels along one axis and one along the others: a one-dimensional cell. */
static void LineOf(const FgGeometrySettings *settings, PetscInt axis, PetscInt n[3], double edge[3])
{
  for (PetscInt i = 0; i < 3; i++) {
    n[i]    = i == axis ? settings->resolution : 1;
    edge[i] = i == axis ? settings->length : settings->length / (double)settings->resolution;
  }
}

static PetscErrorCode LaminateSize(const FgGeometrySettings *settings, PetscInt n[3], double edge[3])
{
  PetscFunctionBegin;
  LineOf(settings, settings->axis, n, edge);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static uint16_t InLayer(const void *context, const double y[3])
{
  const FgGeometrySettings *settings = context;
  const double              t        = y[settings->axis] * (double)settings->count;

  return t - floor(t) < settings->fraction;
}

static PetscErrorCode PlaneChannelsSize(const FgGeometrySettings *settings, PetscInt n[3], double edge[3])
{
  PetscFunctionBegin;
  LineOf(settings, (settings->axis + 1) % 3, n, edge);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static uint16_t InPlaneChannel(const void *context, const double y[3])
{
  const FgGeometrySettings *settings = context;

  return fabs(y[(settings->axis + 1) % 3] - 0.5) < 0.5 * settings->fraction;
}

static PetscErrorCode SquareSize(const FgGeometrySettings *settings, PetscInt n[3], double edge[3])
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < 3; i++) {
    n[i]    = i == settings->axis ? 1 : settings->resolution;
    edge[i] = i == settings->axis ? settings->length / (double)settings->resolution : settings->length;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static uint16_t InSquareCylinder(const void *context, const double y[3])
{
  const FgGeometrySettings *settings = context;
  const double              u = y[(settings->axis + 1) % 3] - 0.5, v = y[(settings->axis + 2) % 3] - 0.5;

  return u * u + v * v < settings->fraction / M_PI;
}

/* An even number of voxels along both edges makes the two cylinders alike. */
static PetscErrorCode HexagonalSize(const FgGeometrySettings *settings, PetscInt n[3], double edge[3])
{
  const PetscInt a = settings->axis, u = (a + 1) % 3, v = (a + 2) % 3;

  PetscFunctionBegin;
  n[a]    = 1;
  n[v]    = settings->resolution;
  n[u]    = PetscMax(2, 2 * (PetscInt)lround(0.5 * (double)settings->resolution / sqrt(3.0)));
  edge[v] = settings->length;
  edge[u] = settings->length / sqrt(3.0);
  edge[a] = settings->length / (double)settings->resolution;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static uint16_t InHexagonalCylinder(const void *context, const double y[3])
{
  const FgGeometrySettings *settings = context;
  const double              u = fabs(y[(settings->axis + 1) % 3] - 0.5), v = fabs(y[(settings->axis + 2) % 3] - 0.5);
  const double              square = sqrt(3.0) * settings->fraction / (2.0 * M_PI); /* r^2, short edge 1 */

  return u * u + 3.0 * v * v < square || (0.5 - u) * (0.5 - u) + 3.0 * (0.5 - v) * (0.5 - v) < square;
}

static PetscErrorCode CheckerboardSize(const FgGeometrySettings *settings, PetscInt n[3], double edge[3])
{
  PetscFunctionBegin;
  PetscCheck(settings->fraction == 0.5, PETSC_COMM_SELF, PETSC_ERR_USER,
             "checkerboard: found a fraction of %.6g, expected 0.5, which is all it can have", settings->fraction);
  PetscCheck(settings->resolution % 2 == 0, PETSC_COMM_SELF, PETSC_ERR_USER,
             "checkerboard: found a resolution of %" PetscInt_FMT " voxels, expected an even number", settings->resolution);
  PetscCall(SquareSize(settings, n, edge));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static uint16_t InCheckerboard(const void *context, const double y[3])
{
  const FgGeometrySettings *settings = context;

  return (y[(settings->axis + 1) % 3] < 0.5) != (y[(settings->axis + 2) % 3] < 0.5);
}

static void FillBy(FgShape shape, const FgGeometrySettings *settings, FgCell cell)
{
  FgShapeFill(cell, shape, settings);
  cell->exact[0] = 1.0 - settings->fraction;
  cell->exact[1] = settings->fraction;
}

#define DEFINE_FILL(name, shape) \
  static PetscErrorCode name(const FgGeometrySettings *settings, FgCell cell) \
  { \
    PetscFunctionBegin; \
    FillBy(shape, settings, cell); \
    PetscFunctionReturn(PETSC_SUCCESS); \
  }

DEFINE_FILL(LaminateFill, InLayer)
DEFINE_FILL(SquareFill, InSquareCylinder)
DEFINE_FILL(HexagonalFill, InHexagonalCylinder)
DEFINE_FILL(CheckerboardFill, InCheckerboard)
DEFINE_FILL(PlaneChannelsFill, InPlaneChannel)

/* --- The list ----------------------------------------------------------------------------------------------------------- */

/* clang-format off */
const FgGeometry FgGeometries[] = {
  {.name = "laminate", .summary = "layers across the axis", .fraction_max = 1, .phases = "matrix layer",
   .fraction = 0.5, .count = 1, .size = LaminateSize, .fill = LaminateFill},
  {.name = "square-cylinders", .summary = "square array of parallel cylinders", .fraction_max = square_limit,
   .phases = "matrix cylinder", .columnar = PETSC_TRUE, .fraction = 0.5, .size = SquareSize, .fill = SquareFill},
  {.name = "hex-cylinders", .summary = "hexagonal array of parallel cylinders", .fraction_max = hexagonal_limit,
   .phases = "matrix cylinder", .columnar = PETSC_TRUE, .fraction = 0.5, .size = HexagonalSize, .fill = HexagonalFill},
  {.name = "cubic-spheres", .summary = "simple cubic array of spheres", .fraction_max = M_PI / 6, .phases = "matrix sphere",
   .fraction = 0.3, .size = FgCubicSpheresSize, .fill = FgCubicSpheresFill},
  {.name = "random-spheres", .summary = "equal spheres at random places, without overlap", .fraction_max = 0.45,
   .phases = "matrix sphere", .fraction = 0.3, .count = 30, .random = PETSC_TRUE, .size = FgCubicSpheresSize,
   .fill = FgRandomSpheresFill},
  {.name = "checkerboard", .summary = "two-dimensional checkerboard", .fraction_max = 0.5, .phases = "white black",
   .columnar = PETSC_TRUE, .fraction = 0.5, .size = CheckerboardSize, .fill = CheckerboardFill},
  {.name = "plane-channels", .summary = "plane channels along the axis, walls between them", .fraction_max = 1,
   .phases = "wall channel", .columnar = PETSC_TRUE, .fraction = 0.5, .size = PlaneChannelsSize, .fill = PlaneChannelsFill},
  {.name = "round-channels", .summary = "square array of round channels along the axis", .fraction_max = square_limit,
   .phases = "wall channel", .columnar = PETSC_TRUE, .fraction = 0.5, .size = SquareSize, .fill = SquareFill},
  {.name = "crossed-fibers", .summary = "two layers of parallel fibers at an angle to each other", .fraction_max = square_limit,
   .phases = "matrix fiber", .fraction = 0.3, .angle = 90, .size = FgCrossedFibersSize, .fill = FgCrossedFibersFill},
  {.name = "dispersed-fibers", .summary = "straight short fibers at random places and tilts about the axis, without overlap",
   .fraction_max = 0.35, .phases = "matrix fiber", .fraction = 0.15, .count = 24, .angle = 10, .random = PETSC_TRUE,
   .size = FgCubicSpheresSize, .fill = FgDispersedFibersFill},
  {NULL}};
/* clang-format on */

const FgGeometry *FgGeometryFind(const char *name)
{
  for (const FgGeometry *geometry = FgGeometries; geometry->name; geometry++) {
    if (!strcmp(name, geometry->name)) return geometry;
  }
  return NULL;
}

PetscErrorCode FgGeometryResolve(const FgGeometry *geometry, const FgGeometrySettings *settings, FgGeometrySettings *resolved,
                                 PetscInt n[3], double edge[3])
{
  const char *const name = geometry->name;
  PetscInt          voxels[3];
  double            edges[3];

  PetscFunctionBegin;
  *resolved = *settings;
  if (settings->fraction < 0) resolved->fraction = geometry->fraction;
  if (settings->count == 0) resolved->count = geometry->count;
  if (settings->angle < 0) resolved->angle = geometry->angle;
  PetscCheck(resolved->fraction >= 0 && resolved->fraction <= geometry->fraction_max, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found a fraction of %.6g, expected 0 to %.6g, where it can be packed no tighter", name, resolved->fraction,
             geometry->fraction_max);
  PetscCheck(resolved->resolution >= 2 && resolved->resolution <= 100000, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found a resolution of %" PetscInt_FMT " voxels, expected 2 to 100000", name, resolved->resolution);
  PetscCheck(isfinite(resolved->length) && resolved->length > 0, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found a length of %.6g m, expected a positive number", name, resolved->length);
  PetscCheck(resolved->axis >= 0 && resolved->axis <= 2, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found axis %" PetscInt_FMT ", expected 0 (x), 1 (y) or 2 (z)", name, resolved->axis);
  PetscCheck(resolved->count >= 0 && resolved->count <= 1000000, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found a count of %" PetscInt_FMT ", expected 1 to 1000000", name, resolved->count);
  PetscCheck(resolved->seed >= 0, PETSC_COMM_SELF, PETSC_ERR_USER, "%s: found a seed of %" PetscInt_FMT ", expected 0 or more",
             name, resolved->seed);
  PetscCheck(isfinite(resolved->angle) && resolved->angle <= 90, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found an angle of %.6g degrees, expected 0 to 90", name, resolved->angle);
  PetscCall(geometry->size(resolved, voxels, edges));
  PetscCheck((double)voxels[0] * (double)voxels[1] * (double)voxels[2] <= (double)PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "%s: a resolution of %" PetscInt_FMT " makes %.3g voxels, expected at most %" PetscInt_FMT "; lower it", name,
             resolved->resolution, (double)voxels[0] * (double)voxels[1] * (double)voxels[2], (PetscInt)PETSC_MAX_INT);
  for (PetscInt i = 0; i < 3; i++) {
    if (n) n[i] = voxels[i];
    if (edge) edge[i] = edges[i];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The generator with its settings, in the words of the command line. */
static void Describe(const FgGeometry *geometry, const FgGeometrySettings *settings, char *text, size_t size)
{
  char count[32] = "", seed[32] = "", angle[48] = "";

  if (geometry->count) snprintf(count, sizeof count, " --count %d", (int)settings->count);
  if (geometry->random) snprintf(seed, sizeof seed, " --seed %d", (int)settings->seed);
  if (geometry->angle > 0) snprintf(angle, sizeof angle, " --angle %g", settings->angle);
  snprintf(text, size, "%s --fraction %.6g --resolution %d%s%s%s", geometry->name, settings->fraction, (int)settings->resolution,
           count, seed, angle);
}

/* Phases by the generator's names, labels 0, 1, .... */
static PetscErrorCode OwnTable(const FgGeometry *geometry, const char *source, FgPhaseTable *table)
{
  char  names[256];
  char *rest  = NULL;
  int   label = 0;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(table, sizeof *table));
  PetscCall(PetscStrncpy(table->source, source, sizeof table->source));
  PetscCall(PetscStrncpy(names, geometry->phases, sizeof names));
  for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
    PetscCall(FgPhaseTableAdd(table, name, label++));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Fill(const FgGeometry *geometry, const FgGeometrySettings *settings, FgCell cell)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < cell->table.nphases; i++) cell->exact[i] = 0.0;
  PetscCall(geometry->fill(settings, cell));
  PetscCall(FgCellComplete(cell));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The shape on finer voxels, which the cell then keeps beside its own. */
static PetscErrorCode FillFine(const FgGeometry *geometry, const FgGeometrySettings *settings, FgCell cell)
{
  FgCell   fine;
  PetscInt n[3];

  PetscFunctionBegin;
  for (PetscInt a = 0; a < 3; a++) n[a] = cell->n[a] * (cell->n[a] > 1 ? settings->subsample : 1);
  PetscCall(FgCellCreate(cell->comm, n, cell->edge, &cell->table, cell->source, &fine));
  PetscCall(Fill(geometry, settings, fine));
  PetscCall(FgCellSubsample(cell, settings->subsample, &fine));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGeometryCreate(MPI_Comm comm, const FgGeometry *geometry, const FgGeometrySettings *settings,
                                const FgPhaseTable *table, FgCell *out)
{
  FgGeometrySettings resolved;
  FgPhaseTable       own = {0};
  FgCell             cell;
  PetscInt           n[3];
  double             edge[3];
  char               source[256];
  PetscErrorCode     ierr;

  PetscFunctionBegin;
  *out = NULL;
  PetscCall(FgGeometryResolve(geometry, settings, &resolved, n, edge));
  Describe(geometry, &resolved, source, sizeof source);
  if (!table) PetscCall(OwnTable(geometry, source, &own));
  else
    PetscCheck(table->nphases >= 2, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found one phase, expected those of %s: %s",
               table->source, geometry->name, geometry->phases);
  ierr = FgCellCreate(comm, n, edge, table ? table : &own, source, &cell);
  PetscCall(FgPhaseTableDestroy(&own));
  PetscCall(ierr);
  ierr = resolved.subsample > 1 ? FillFine(geometry, &resolved, cell) : Fill(geometry, &resolved, cell);
  if (ierr) PetscCall(FgCellDestroy(&cell));
  PetscCall(ierr);
  *out = cell;
  PetscFunctionReturn(PETSC_SUCCESS);
}
