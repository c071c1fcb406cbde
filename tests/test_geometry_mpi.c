/* test_geometry_mpi.c: cells from generators: exact fractions, those of the voxels near to them, the same on any number of
   ranks, no overlap, and refusals. */
#include "agreed.h"

#include "finegrain/geometry.h"

#include <math.h>

static FgCell Make(MPI_Comm comm, const char *name, const FgGeometrySettings *settings, const FgPhaseTable *table)
{
  const FgGeometry *geometry = FgGeometryFind(name);
  FgCell            cell     = NULL;

  AgreedTrue(geometry != NULL);
  AgreedSuccess(FgGeometryCreate(comm, geometry, settings, table, &cell));
  return cell;
}

/* Every generator at several fractions, resolutions and axes: the whole cell made on this rank alone holds the same labels
   as this rank's slab. */
static void RanksAgree(void **state)
{
  for (const FgGeometry *geometry = FgGeometries; geometry->name; geometry++) {
    for (PetscInt k = 0; k < 6; k++) {
      FgGeometrySettings settings = FgGeometryDefaults;
      FgCell             cell, whole;
      int                same;

      settings.axis       = k % 3;
      settings.resolution = k < 3 ? 24 : 10;
      settings.seed       = k;
      if (k == 4 && strcmp(geometry->name, "checkerboard")) settings.fraction = 0.1;
      cell  = Make(PETSC_COMM_WORLD, geometry->name, &settings, NULL);
      whole = Make(PETSC_COMM_SELF, geometry->name, &settings, NULL);
      same  = SameBytes(cell->phase, whole->phase + cell->start * cell->n[0] * cell->n[1],
                        sizeof(uint16_t) * (size_t)cell->nlocal);
      for (PetscInt p = 0; p < cell->table.nphases; p++) same = same && cell->fraction[p] == whole->fraction[p];
      same = same && cell->n[settings.axis] >= 1 && cell->table.nphases == 2 && cell->fraction[1] > 0 && cell->fraction[0] > 0;
      AgreedTrue(same);
      AgreedSuccess(FgCellDestroy(&cell));
      AgreedSuccess(FgCellDestroy(&whole));
    }
  }
}

/* The voxels' fraction tends to the exact one; voxels are near to cubes. */
static void FractionsConverge(void **state)
{
  for (const FgGeometry *geometry = FgGeometries; geometry->name; geometry++) {
    FgGeometrySettings settings = FgGeometryDefaults, resolved;
    FgCell             cell;
    PetscInt           n[3];
    double             edge[3];
    int                good;

    AgreedSuccess(FgGeometryResolve(geometry, &settings, &resolved, n, edge));
    settings.resolution = n[0] > 1 && n[1] > 1 && n[2] > 1 ? 96 : 400;
    cell                = Make(PETSC_COMM_WORLD, geometry->name, &settings, NULL);
    good                = fabs(cell->exact[0] + cell->exact[1] - 1) < 1e-14 && fabs(cell->exact[1] - resolved.fraction) < 1e-14 &&
           fabs(cell->fraction[1] / cell->exact[1] - 1) < 6e-3;
    for (PetscInt a = 0; a < 3; a++) good = good && fabs(cell->spacing[a] / cell->spacing[0] - 1) < 0.01;
    good = good && fabs(PetscMax(cell->edge[0], PetscMax(cell->edge[1], cell->edge[2])) - settings.length) < 1e-15;
    if (!good) print_error("%s: %g, exact %g\n", geometry->name, cell->fraction[1], cell->exact[1]);
    AgreedTrue(good);
    AgreedSuccess(FgCellDestroy(&cell));
  }
}

static void LayersAndSquaresAreExact(void **state)
{
  FgGeometrySettings settings = FgGeometryDefaults;
  FgCell             cell;

  for (PetscInt k = 0; k <= 20; k++) {
    settings.fraction   = (double)k / 20;
    settings.resolution = 40;
    settings.axis       = k % 3;
    settings.count      = 1 + k % 2;
    cell                = Make(PETSC_COMM_WORLD, "laminate", &settings, NULL);
    AgreedTrue(fabs(cell->fraction[1] - settings.fraction) < 1e-14 && cell->n[settings.axis] == 40 &&
               cell->n[0] * cell->n[1] * cell->n[2] == 40);
    AgreedSuccess(FgCellDestroy(&cell));
  }
  settings       = FgGeometryDefaults;
  settings.count = 4;
  cell           = Make(PETSC_COMM_SELF, "laminate", &settings, NULL);
  for (PetscInt i = 0; i < 64; i++) AgreedTrue(cell->phase[i] == (i % 16 < 8));
  AgreedSuccess(FgCellDestroy(&cell));
  cell = Make(PETSC_COMM_SELF, "checkerboard", &FgGeometryDefaults, NULL);
  AgreedTrue(cell->fraction[1] == 0.5 && cell->phase[0] == 0 && cell->phase[32] == 1 && cell->phase[63 * 64 + 63] == 0);
  AgreedSuccess(FgCellDestroy(&cell));
}

/* Arrays are symmetric: mirrored cylinders and spheres, two equal cylinders of the hexagonal cell, all for each axis. */
static void ArraysAreSymmetric(void **state)
{
  static const char *const names[] = {"square-cylinders", "hex-cylinders", "cubic-spheres", "round-channels"};

  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    for (PetscInt resolution = 31; resolution < 33; resolution++) {
      FgGeometrySettings settings = FgGeometryDefaults;
      FgCell             cell;
      int                good = 1;

      settings.resolution = resolution;
      settings.fraction   = 0.4;
      cell                = Make(PETSC_COMM_SELF, names[k], &settings, NULL);
      for (PetscInt z = 0, i = 0; z < cell->n[2]; z++) {
        for (PetscInt y = 0; y < cell->n[1]; y++) {
          for (PetscInt x = 0; x < cell->n[0]; x++, i++) {
            const PetscInt mirrored = cell->n[0] * cell->n[1] * cell->n[2] - 1 - i;

            good = good && cell->phase[i] == cell->phase[mirrored];
            if (cell->n[0] == cell->n[1]) good = good && cell->phase[i] == cell->phase[(z * cell->n[1] + x) * cell->n[0] + y];
            else if (resolution % 2 == 0)
              good = good && cell->phase[i] == cell->phase[(z * cell->n[1] + (y + resolution / 2) % resolution) * cell->n[0] +
                                                           (x + cell->n[0] / 2) % cell->n[0]];
          }
        }
      }
      AgreedTrue(good);
      AgreedSuccess(FgCellDestroy(&cell));
    }
  }
}

/* Whatever the seed, spheres of the same fraction fill the same volume: if some overlapped, less. */
static void RandomShapesDoNotOverlap(void **state)
{
  static const struct {
    const char *name;
    double      fraction, angle;
    PetscInt    count;
  } cases[] = {{"random-spheres", 0.30153, -1, 30}, {"random-spheres", 0.45, -1, 30},    {"random-spheres", 0.45, -1, 500},
               {"random-spheres", 0.45, -1, 2},     {"random-spheres", 0.4, -1, 3},      {"dispersed-fibers", 0.15, 10, 24},
               {"dispersed-fibers", 0.25, 0, 40},   {"dispersed-fibers", 0.12, 60, 100}, {"dispersed-fibers", 0.3, 20, 24},
               {"dispersed-fibers", 0.15, 20, 100}};

  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    double first = 0;

    for (PetscInt seed = 0; seed < 3; seed++) {
      FgGeometrySettings settings = FgGeometryDefaults;
      FgCell             cell;

      settings.fraction   = cases[k].fraction;
      settings.count      = cases[k].count;
      settings.angle      = cases[k].angle;
      settings.seed       = seed;
      settings.resolution = 80;
      cell                = Make(PETSC_COMM_WORLD, cases[k].name, &settings, NULL);
      if (fabs(cell->fraction[1] / cell->exact[1] - 1) > 4e-3)
        print_error("%s %g: %g\n", cases[k].name, cases[k].fraction, cell->fraction[1]);
      AgreedTrue(fabs(cell->fraction[1] / cell->exact[1] - 1) < 4e-3);
      if (seed == 0) first = cell->fraction[1];
      if (seed == 1) AgreedTrue(cell->fraction[1] != first); /* another seed, another arrangement */
      AgreedSuccess(FgCellDestroy(&cell));
    }
  }
}

static void CrossedFibersCross(void **state)
{
  static const double angles[] = {10, 30, 45, 60, 77, 80, 90};
  static const char  *names[]  = {"matrix", "fiber", "second", "third"};
  FgGeometrySettings  settings = FgGeometryDefaults;
  FgPhaseTable        table    = {.source = "test"};
  FgCell              one, two;

  for (int p = 0; p < 3; p++) AgreedSuccess(FgPhaseTableAdd(&table, names[p], 10 * p));
  for (size_t k = 0; k < sizeof angles / sizeof *angles; k++) {
    int good = 1;

    settings.angle      = angles[k];
    settings.resolution = 64;
    settings.axis       = (PetscInt)k % 3;
    one                 = Make(PETSC_COMM_WORLD, "crossed-fibers", &settings, NULL);
    two                 = Make(PETSC_COMM_WORLD, "crossed-fibers", &settings, &table);
    for (PetscInt i = 0; i < one->nlocal; i++) good = good && (one->phase[i] > 0) == (two->phase[i] > 0);
    good = good && fabs(two->exact[1] + two->exact[2] - 0.3) < 1e-12 && two->fraction[1] > 0 && two->fraction[2] > 0;
    good = good && fabs(two->fraction[1] - two->exact[1]) < 0.02 && fabs(two->fraction[2] - two->exact[2]) < 0.02;
    if (!good) print_error("%g: %g %g, %g %g\n", angles[k], two->exact[1], two->exact[2], two->fraction[1], two->fraction[2]);
    AgreedTrue(good);
    AgreedSuccess(FgCellDestroy(&one));
    AgreedSuccess(FgCellDestroy(&two));
  }
  AgreedSuccess(FgPhaseTableAdd(&table, names[3], 30));
  settings.count = 3; /* three fibers and their matrix: a phase each */
  settings.angle = 20;
  settings.axis  = 0;
  two            = Make(PETSC_COMM_WORLD, "dispersed-fibers", &settings, &table);
  for (int p = 1; p < 4; p++) AgreedTrue(fabs(two->fraction[p] - 0.05) < 2e-3 && fabs(two->exact[p] - 0.05) < 1e-15);
  AgreedSuccess(FgCellDestroy(&two));
  AgreedSuccess(FgPhaseTableDestroy(&table));
}

static void Refuses(void **state)
{
  static const struct {
    const char        *name;
    FgGeometrySettings settings;
    const char        *message;
  } cases[] = {
      {"square-cylinders", {0.8, 64, 1e-5, 2, 0, 0, -1, 1}, "found a fraction of 0.8, expected 0 to 0.785398"},
      {"square-cylinders", {NAN, 64, 1e-5, 2, 0, 0, -1, 1}, "fraction"},
      {"square-cylinders", {0.5, 1, 1e-5, 2, 0, 0, -1, 1}, "found a resolution of 1 voxels"},
      {"square-cylinders", {0.5, 64, 0, 2, 0, 0, -1, 1}, "found a length of 0 m"},
      {"square-cylinders", {0.5, 64, INFINITY, 2, 0, 0, -1, 1}, "found a length of inf m"},
      {"square-cylinders", {0.5, 64, 1, 3, 0, 0, -1, 1}, "found axis 3"},
      {"random-spheres", {0.5, 64, 1, 2, 0, 0, -1, 1}, "expected 0 to 0.45"},
      {"random-spheres", {0.3, 64, 1, 2, -1, 0, -1, 1}, "found a count of -1"},
      {"random-spheres", {0.3, 64, 1, 2, 0, -1, -1, 1}, "found a seed of -1"},
      {"checkerboard", {0.3, 64, 1, 2, 0, 0, -1, 1}, "found a fraction of 0.3, expected 0.5"},
      {"checkerboard", {0.5, 63, 1, 2, 0, 0, -1, 1}, "expected an even number"},
      {"crossed-fibers", {0.3, 64, 1, 2, 0, 0, 5, 1}, "found an angle of 5 degrees"},
      {"crossed-fibers", {0.78, 64, 1, 2, 0, 0, 40, 1}, "at an angle of 40 degrees"},
      {"crossed-fibers", {0.3, 64, 1, 2, 0, 0, 91, 1}, "found an angle of 91 degrees"},
      {"dispersed-fibers", {0.35, 64, 1, 2, 1, 0, 0, 1}, "thicker than long"},
      {"dispersed-fibers", {0.35, 64, 1, 2, 50, 0, 90, 1}, "found no places without overlap for 50 fibers"},
      {"dispersed-fibers", {0.35, 64, 1, 2, 20000, 0, 90, 1}, "found a count of 20000"},
  };
  const FgGeometrySettings large = {0.3, 2000, 1, 2, 0, 0, -1, 1};
  FgPhaseTable             table = {.source = "phases.yaml"};
  FgCell                   cell;

  AgreedFailure(FgGeometryCreate(PETSC_COMM_WORLD, FgGeometryFind("cubic-spheres"), &large, NULL, &cell), PETSC_ERR_MEM,
                "makes 8e+09 voxels");
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    AgreedFailure(FgGeometryCreate(PETSC_COMM_WORLD, FgGeometryFind(cases[k].name), &cases[k].settings, NULL, &cell),
                  PETSC_ERR_USER, cases[k].message);
  AgreedTrue(FgGeometryFind("cylinders") == NULL);
  AgreedSuccess(FgPhaseTableAdd(&table, "matrix", 0));
  AgreedFailure(FgGeometryCreate(PETSC_COMM_WORLD, FgGeometryFind("laminate"), &FgGeometryDefaults, &table, &cell),
                PETSC_ERR_FILE_UNEXPECTED, "phases.yaml: found one phase, expected those of laminate: matrix layer");
  AgreedSuccess(FgPhaseTableDestroy(&table));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(RanksAgree),
      cmocka_unit_test(FractionsConverge),
      cmocka_unit_test(LayersAndSquaresAreExact),
      cmocka_unit_test(ArraysAreSymmetric),
      cmocka_unit_test(RandomShapesDoNotOverlap),
      cmocka_unit_test(CrossedFibersCross),
      cmocka_unit_test(Refuses),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
