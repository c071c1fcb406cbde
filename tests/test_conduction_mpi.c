/* test_conduction_mpi.c: the scalar cell problem against closed forms, published arrays, bounds, duality, invariances, and
   the assembled multigrid solver. Numbers: docs/physics/conduction.md. */
#include "cells.h"

static void Run(FgCell cell, const char *physics, double tolerance, FgCellReport *report)
{
  FgCellSettings settings = FgCellDefaults;

  settings.tolerance = tolerance;
  memset(report, 0, sizeof(*report));
  AgreedSuccess(FgPhysicsFind(physics)->solve(cell, &settings, report));
}

/* K of a generator's shape with phases of conductivity 1 and k. */
static void Shape(const char *geometry, double fraction, PetscInt resolution, PetscInt subsample, double k, double K[9])
{
  const double values[2] = {1.0, k};
  FgPhaseTable table;
  FgCell       cell;
  FgCellReport report;

  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "conductivity", values));
  AgreedSuccess(CellSampled(geometry, fraction, resolution, subsample, &table, &cell));
  Run(cell, "conduction", 1e-7, &report);
  memcpy(K, FgReportFind(&report, "K")->value, 9 * sizeof(double));
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
}

static int layer_axis;
static int Quarter(PetscInt x, PetscInt y, PetscInt z, const PetscInt n[3])
{
  const PetscInt at[3] = {x, y, z};

  return 4 * at[layer_axis] < n[layer_axis];
}

static void laminates(void **state)
{
  /* conductivities of the quarter and of the rest, harmonic and arithmetic mean */
  static const double rows[][4] = {{1, 1000, 3.9880359, 750.25}, {0.3, 2, 0.8275862, 1.575}};
  const PetscInt      n[3]      = {8, 8, 8};

  (void)state;
  for (layer_axis = 0; layer_axis < 3; layer_axis++) {
    for (int r = 0; r < 2; r++) {
      const double harmonic = 1.0 / (0.25 / rows[r][0] + 0.75 / rows[r][1]), values[2] = {rows[r][1], rows[r][0]};
      FgPhaseTable table;
      FgCell       cell;
      FgCellReport report;

      AgreedSuccess(CellPhases(2, &table));
      AgreedSuccess(CellSet(&table, "conductivity", values));
      AgreedSuccess(CellFrom(n, &table, Quarter, &cell));
      Run(cell, "conduction", 1e-10, &report);
      Close(harmonic, rows[r][2], 1e-6 * harmonic, "published harmonic mean");
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
          const double expected = i != j ? 0 : i == layer_axis ? harmonic : rows[r][3];

          Close(Entry(&report, "K", i, j), expected, 1e-12 * rows[r][3], "laminate, energy form");
          Close(Entry(&report, "K_flux", i, j), expected, 1e-9 * rows[r][3], "laminate, flux form");
        }
      }
      AgreedSuccess(FgReportDestroy(&report));
      AgreedSuccess(FgCellDestroy(&cell));
    }
  }
}

static void arrays_of_cylinders(void **state)
{
  static const double fractions[3] = {0.3, 0.5, 0.7};
  static const struct {
    const char *geometry;
    double      k, expected[3];
  } rows[] = {
      {"square-cylinders", 0, {0.5375800, 0.3246545, 0.1345404}},  {"square-cylinders", 0.1, {0.6053137, 0.4139986, 0.2462019}},
      {"square-cylinders", 10, {1.6520360, 2.4154674, 4.0617074}}, {"square-cylinders", 50, {1.8125290, 2.9145940, 6.3359209}},
      {"hex-cylinders", 0, {0.5384420, 0.3328090, 0.1720835}},     {"hex-cylinders", 0.1, {0.6058278, 0.4190295, 0.2688869}},
      {"hex-cylinders", 10, {1.6506341, 2.3864667, 3.7190357}},    {"hex-cylinders", 50, {1.8099751, 2.8529369, 5.2146920}}};

  (void)state;
  for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
    /* A hexagonal cell holds two cylinders along its longer edge sqrt(3). */
    const PetscInt resolution = rows[r].geometry[0] == 's' ? 128 : 222;

    for (int f = 0; f < 3; f++) {
      /* Walls that leave gaps of 0.12 between them are the hardest. */
      const double band = rows[r].k == 0 ? (f == 2 ? 0.027 : 0.015) : f == 2 ? 0.012 : 0.0055;
      double       K[9];

      Shape(rows[r].geometry, fractions[f], resolution, 8, rows[r].k, K);
      Close(K[0], rows[r].expected[f], band * rows[r].expected[f], rows[r].geometry);
      Close(K[4], rows[r].expected[f], band * rows[r].expected[f], rows[r].geometry);
      Close(K[8], fractions[f] * rows[r].k + 1 - fractions[f], 2e-4 * PetscMax(1.0, rows[r].k), "along the cylinders");
    }
  }
}

/* One sample a voxel: the error is larger and jumps with the resolution, for the voxels' fraction does. */
static void staircases(void **state)
{
  static const double k[4] = {0, 0.1, 10, 50}, expected[4] = {0.3246545, 0.4139986, 2.4154674, 2.9145940},
                      band[4] = {0.025, 0.01, 0.01, 0.01};

  (void)state;
  for (int r = 0; r < 4; r++) {
    double K[9];

    Shape("square-cylinders", 0.5, 128, 1, k[r], K);
    Close(K[0], expected[r], band[r] * expected[r], "square cylinders, one sample a voxel");
  }
}

/* With sub-sampled faces the error halves with the voxels, so that two resolutions give a better third value. */
static void extrapolation(void **state)
{
  static const double k[3] = {0.1, 10, 50}, expected[3] = {0.4139986, 2.4154674, 2.9145940};

  (void)state;
  for (int r = 0; r < 3; r++) {
    double coarse[9], fine[9];

    Shape("square-cylinders", 0.5, 64, 8, k[r], coarse);
    Shape("square-cylinders", 0.5, 128, 8, k[r], fine);
    AgreedTrue(fabs(fine[0] - expected[r]) < 0.7 * fabs(coarse[0] - expected[r]));
    Close(2 * fine[0] - coarse[0], expected[r], 2e-3 * expected[r], "extrapolated");
  }
}

static void cubic_arrays_of_spheres(void **state)
{
  static const struct {
    double k, f, expected, band;
  } rows[] = {{10, 0.2, 1.531724, 0.01},
              {10, 0.4, 2.364431, 0.01},
              {0.1, 0.3, 0.656290, 0.01},
              {0, 0.2, 0.726703, 0.025},
              {0, 0.4, 0.490110, 0.025}};

  (void)state;
  for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
    double K[9];

    Shape("cubic-spheres", rows[r].f, 64, 1, rows[r].k, K);
    for (int a = 0; a < 3; a++) Close(K[4 * a], rows[r].expected, rows[r].band * rows[r].expected, "cubic spheres");
  }
}

/* The corner singularity's rate: the error falls by 2^(-2 lambda), lambda = (4/pi) atan(sqrt(k1/k2)) (0.585 at 10). */
static void checkerboard_rate(void **state)
{
  const double exact = sqrt(10.0), factor = pow(2.0, -2.0 * (4.0 / PETSC_PI) * atan(sqrt(0.1)));
  double       error[3];

  (void)state;
  for (int level = 0; level < 3; level++) {
    double K[9];

    Shape("checkerboard", 0.5, 64 << level, 1, 10, K);
    error[level] = K[0] / exact - 1.0;
  }
  Close(error[0], -0.043, 0.002, "checkerboard at 64");
  Close(error[1] / error[0], factor, 0.02, "checkerboard's rate");
  Close(error[2] / error[1], factor, 0.02, "checkerboard's rate");
}

static void keller_duality(void **state)
{
  double straight[9], swapped[9];

  (void)state;
  Shape("square-cylinders", 0.5, 128, 8, 10, straight); /* 1 in the matrix, 10 in cylinders */
  Shape("square-cylinders", 0.5, 128, 8, 0.1, swapped); /* times 10: 10 in the matrix, 1 in cylinders */
  Close(straight[0] * 10.0 * swapped[4], 10.0, 0.01 * 10.0, "duality");
}

static int shift_x, permuted, tiles = 1;
static int Scattered(PetscInt x, PetscInt y, PetscInt z, const PetscInt n[3])
{
  const PetscInt m[3] = {n[0] / tiles, n[1] / tiles, n[2] / tiles};

  x = ((x + shift_x) % n[0]) % m[0];
  y %= m[1];
  z %= m[2];
  return permuted ? ScatteredPhase(z, x, y, 3) : ScatteredPhase(x, y, z, 3);
}

static void Random(const PetscInt n[3], double scale, FgCellReport *report)
{
  const double values[3] = {scale, 7 * scale, 0.3 * scale};
  FgPhaseTable table;
  FgCell       cell;

  AgreedSuccess(CellPhases(3, &table));
  AgreedSuccess(CellSet(&table, "conductivity", values));
  AgreedSuccess(CellFrom(n, &table, Scattered, &cell));
  Run(cell, "conduction", 1e-11, report);
  AgreedSuccess(FgCellDestroy(&cell));
}

static void invariances(void **state)
{
  const PetscInt n[3] = {8, 8, 8}, doubled[3] = {16, 16, 16};
  FgCellReport   base, other;

  (void)state;
  Random(n, 1.0, &base);
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      double euler = 0;

      Close(Entry(&base, "K", i, j), Entry(&base, "K", j, i), 1e-12, "symmetric");
      for (int p = 0; p < 3; p++) {
        static const double k[3] = {1, 7, 0.3};
        char                name[16];

        snprintf(name, sizeof(name), "dK_d_p%d", p);
        euler += k[p] * Entry(&base, name, i, j);
      }
      Close(euler, Entry(&base, "K", i, j), 1e-11, "Euler's identity");
    }
    AgreedTrue(Entry(&base, "K", i, i) > Entry(&base, "K_reuss", i, i) &&
               Entry(&base, "K", i, i) < Entry(&base, "K_voigt", i, i));
  }
  Random(n, 1e-9, &other);
  for (int i = 0; i < 9; i++) Close(1e9 * Entry(&other, "K", i / 3, i % 3), Entry(&base, "K", i / 3, i % 3), 1e-11, "scaled");
  AgreedSuccess(FgReportDestroy(&other));
  shift_x = 3;
  Random(n, 1.0, &other);
  shift_x = 0;
  for (int i = 0; i < 9; i++) Close(Entry(&other, "K", i / 3, i % 3), Entry(&base, "K", i / 3, i % 3), 1e-11, "shifted");
  AgreedSuccess(FgReportDestroy(&other));
  permuted = 1; /* voxel (x, y, z) takes what stood at (z, x, y): axis a of the new cell is axis (a + 1) mod 3 of the old */
  Random(n, 1.0, &other);
  permuted = 0;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      Close(Entry(&other, "K", i, j), Entry(&base, "K", (i + 1) % 3, (j + 1) % 3), 1e-11, "axes permuted");
  AgreedSuccess(FgReportDestroy(&other));
  tiles = 2;
  Random(doubled, 1.0, &other);
  tiles = 1;
  for (int i = 0; i < 9; i++) Close(Entry(&other, "K", i / 3, i % 3), Entry(&base, "K", i / 3, i % 3), 1e-10, "replicated");
  AgreedSuccess(FgReportDestroy(&other));
  AgreedSuccess(FgReportDestroy(&base));
}

/* Random spheres lie between Hashin and Shtrikman's bounds; each phase's derivative agrees with a difference of two solves. */
static void spheres_within_bounds(void **state)
{
  double             values[2] = {1.0, 10.0}, plus[9], minus[9], derivative[9];
  const double       step      = 1e-3;
  FgGeometrySettings settings  = FgGeometryDefaults;

  (void)state;
  settings.fraction   = 0.3;
  settings.resolution = 24;
  settings.length     = 1.0;
  for (int pass = 0; pass < 3; pass++) {
    FgPhaseTable table;
    FgCell       cell;
    FgCellReport report;

    AgreedSuccess(CellPhases(2, &table));
    values[1] = 10.0 + (pass == 1 ? step : pass == 2 ? -step : 0);
    AgreedSuccess(CellSet(&table, "conductivity", values));
    AgreedSuccess(FgGeometryCreate(PETSC_COMM_WORLD, FgGeometryFind("random-spheres"), &settings, &table, &cell));
    Run(cell, "conduction", 1e-9, &report);
    if (pass == 0) {
      const double mean = (Entry(&report, "K", 0, 0) + Entry(&report, "K", 1, 1) + Entry(&report, "K", 2, 2)) / 3.0;

      AgreedTrue(mean > Entry(&report, "K_hashin_shtrikman", 0, 0) && mean < Entry(&report, "K_hashin_shtrikman", 1, 0));
      memcpy(derivative, FgReportFind(&report, "dK_d_p1")->value, sizeof(derivative));
    } else memcpy(pass == 1 ? plus : minus, FgReportFind(&report, "K")->value, sizeof(plus));
    AgreedSuccess(FgReportDestroy(&report));
    AgreedSuccess(FgCellDestroy(&cell));
    AgreedSuccess(FgPhaseTableDestroy(&table));
  }
  for (int i = 0; i < 9; i++) Close((plus[i] - minus[i]) / (2.0 * step), derivative[i], 1e-8, "derivative by the phase");
}

static void bounds_of_two_phases(void **state)
{
  static const struct {
    PetscInt n[3];
    double   k, f, low, high;
  } rows[] = {{{4, 4, 1}, 10, 0.5, 2.3846154, 4.1935484}, {{4, 4, 4}, 10, 0.5, 0, 0}};
  FgCellReport report;
  FgPhaseTable table;
  FgCell       cell;
  const double values[2] = {1, 10};

  (void)state;
  layer_axis = 0;
  for (int r = 0; r < 2; r++) {
    AgreedSuccess(CellPhases(2, &table));
    AgreedSuccess(CellSet(&table, "conductivity", values));
    AgreedSuccess(CellFrom(rows[r].n, &table, Quarter, &cell));
    if (r == 0) { /* half and half */
      for (PetscInt i = 0; i < cell->nlocal; i++) cell->phase[i] = (uint16_t)(i % 2);
      AgreedSuccess(FgCellComplete(cell));
    }
    Run(cell, "conduction", 1e-8, &report);
    if (r == 0) {
      Close(Entry(&report, "K_hashin_shtrikman", 0, 0), rows[r].low, 1e-6, "lower bound in two dimensions");
      Close(Entry(&report, "K_hashin_shtrikman", 1, 0), rows[r].high, 1e-6, "upper bound in two dimensions");
    } else { /* d = 3, f2 = 1/4: 1 + f2/(1/9 + f1/3), 10 + f1/(-1/9 + f2/30) */
      Close(Entry(&report, "K_hashin_shtrikman", 0, 0), 1 + 0.25 / (1.0 / 9 + 0.75 / 3), 1e-12,
            "lower bound in three dimensions");
      Close(Entry(&report, "K_hashin_shtrikman", 1, 0), 10 + 0.75 / (-1.0 / 9 + 0.25 / 30), 1e-12,
            "upper bound in three dimensions");
    }
    AgreedSuccess(FgReportDestroy(&report));
    AgreedSuccess(FgCellDestroy(&cell));
  }
}

/* A plate of matrix across x, a closed box in it, and a diagonal column: what percolates where. */
static int Plate(PetscInt x, PetscInt y, PetscInt z, const PetscInt n[3])
{
  return x >= n[0] / 2;
}

static int Diagonal(PetscInt x, PetscInt y, PetscInt z, const PetscInt n[3])
{
  return (x - y + n[0]) % n[0] >= 3;
}

static void directions_that_do_not_percolate(void **state)
{
  const PetscInt n[3]      = {8, 8, 8};
  const double   values[2] = {1, 0};

  (void)state;
  for (int shape = 0; shape < 2; shape++) {
    FgPhaseTable table;
    FgCell       cell;
    FgCellReport report;

    AgreedSuccess(CellPhases(2, &table));
    AgreedSuccess(CellSet(&table, "conductivity", values));
    AgreedSuccess(CellFrom(n, &table, shape ? Diagonal : Plate, &cell));
    Run(cell, "conduction", 1e-10, &report);
    if (shape == 0) {
      for (int j = 0; j < 3; j++) AgreedTrue(Entry(&report, "K", 0, j) == 0.0 && Entry(&report, "K", j, 0) == 0.0);
      Close(Entry(&report, "K", 1, 1), 0.5, 1e-12, "along the plate");
    } else { /* conducts along (1,1,0) and z; nothing along (1,-1,0) */
      Close(Entry(&report, "K", 0, 0) - Entry(&report, "K", 0, 1) - Entry(&report, "K", 1, 0) + Entry(&report, "K", 1, 1), 0,
            1e-14, "across the diagonal column");
      AgreedTrue(Entry(&report, "K", 0, 0) > 0.05);
      Close(Entry(&report, "K", 2, 2), 3.0 / 8.0, 1e-12, "along z");
    }
    AgreedSuccess(FgReportDestroy(&report));
    AgreedSuccess(FgCellDestroy(&cell));
  }
}

static void multigrid_agrees(void **state)
{
  const double values[2][2] = {{1, 50}, {1, 0}};

  (void)state;
  for (int v = 0; v < 2; v++) {
    double found[2][9];

    for (int solver = 0; solver < 2; solver++) {
      FgCellSettings settings = FgCellDefaults;
      FgPhaseTable   table;
      FgCell         cell;
      FgCellReport   report = {0};

      settings.tolerance = 1e-10;
      settings.solver    = solver ? FG_CELL_SOLVER_ALGEBRAIC : FG_CELL_SOLVER_SPECTRAL;
      AgreedSuccess(CellPhases(2, &table));
      AgreedSuccess(CellSet(&table, "conductivity", values[v]));
      AgreedSuccess(CellShape("cubic-spheres", 0.3, 16, &table, &cell));
      AgreedSuccess(FgPhysicsFind("conduction")->solve(cell, &settings, &report));
      memcpy(found[solver], FgReportFind(&report, "K")->value, sizeof(found[0]));
      AgreedSuccess(FgReportDestroy(&report));
      AgreedSuccess(FgCellDestroy(&cell));
    }
    for (int i = 0; i < 9; i++) Close(found[0][i], found[1][i], 1e-10, "multigrid and Fourier");
  }
}

static void no_number_without_convergence(void **state)
{
  const double   values[2] = {1, 1e4};
  FgCellSettings settings  = FgCellDefaults;
  FgPhaseTable   table;
  FgCell         cell;
  FgCellReport   report = {0};

  (void)state;
  settings.max_iterations = 3;
  settings.solver         = FG_CELL_SOLVER_SPECTRAL;
  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "conductivity", values));
  AgreedSuccess(CellShape("cubic-spheres", 0.3, 12, &table, &cell));
  AgreedFailure(FgPhysicsFind("conduction")->solve(cell, &settings, &report), PETSC_ERR_NOT_CONVERGED, "did not converge");
  AgreedTrue(FgReportFind(&report, "K") == NULL);
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
}

/* A second solve with warm starts from the first one's correctors takes none of its iterations. */
static void warm_starts(void **state)
{
  const double   values[2] = {1, 20};
  FgCellSettings settings  = FgCellDefaults;
  FgPhaseTable   table;
  FgCell         cell;
  FgCellReport   report = {0};

  (void)state;
  settings.warm_start = PETSC_TRUE;
  AgreedSuccess(FgCellCacheCreate(&settings.cache));
  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "conductivity", values));
  AgreedSuccess(CellShape("cubic-spheres", 0.3, 12, &table, &cell));
  for (int pass = 0; pass < 2; pass++) AgreedSuccess(FgPhysicsFind("conduction")->solve(cell, &settings, &report));
  AgreedTrue(report.nsolves == 6);
  for (int i = 0; i < 3; i++) AgreedTrue(report.solves[i].iterations > 5 && report.solves[3 + i].iterations <= 1);
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(FgCellCacheDestroy(&settings.cache));
}

/* Tracers around impermeable cylinders diffuse along them as if there were none. */
static void both_normalisations(void **state)
{
  const double diffusivity[2] = {2e-9, 0}, storage[2] = {1, 0};
  FgPhaseTable table;
  FgCell       cell;
  FgCellReport report;
  double       porosity;

  (void)state;
  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "diffusivity", diffusivity));
  AgreedSuccess(CellSet(&table, "storage", storage));
  AgreedSuccess(CellShape("square-cylinders", 0.5, 128, &table, &cell));
  porosity = cell->fraction[0];
  Run(cell, "diffusion", 1e-8, &report);
  Close(Entry(&report, "D", 2, 2), porosity * 2e-9, 1e-20, "per total area");
  Close(Entry(&report, "D_apparent", 2, 2), 2e-9, 1e-20, "apparent");
  Close(Entry(&report, "D", 0, 0), 0.3246545 * 2e-9, 0.025 * 0.32 * 2e-9, "across");
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(laminates),
      cmocka_unit_test(arrays_of_cylinders),
      cmocka_unit_test(staircases),
      cmocka_unit_test(extrapolation),
      cmocka_unit_test(cubic_arrays_of_spheres),
      cmocka_unit_test(checkerboard_rate),
      cmocka_unit_test(keller_duality),
      cmocka_unit_test(invariances),
      cmocka_unit_test(spheres_within_bounds),
      cmocka_unit_test(bounds_of_two_phases),
      cmocka_unit_test(directions_that_do_not_percolate),
      cmocka_unit_test(multigrid_agrees),
      cmocka_unit_test(no_number_without_convergence),
      cmocka_unit_test(warm_starts),
      cmocka_unit_test(both_normalisations),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
