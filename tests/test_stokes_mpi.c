/* test_stokes_mpi.c: permeability against closed forms (channel, square duct, tube) and published values (cylinders, spheres), the
   rate of convergence, and what every permeability obeys. Published values:
   cylinders: Sangani and Acrivos, Int. J. Multiphase Flow 8 (1982) 193, table 1, F/(mu U) per length;
   spheres: Zick and Homsy, J. Fluid Mech. 115 (1982) 13, table 2, K of F = 6 pi mu a K U. */
#include "flow_cells.h"

static const double unit[3] = {1, 1, 1};

/* Several ranks need not repeat every row of a table. */
static size_t Rows(size_t all)
{
  PetscMPIInt size;

  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  return size > 1 ? 1 : all;
}

/* The permeability of a cell, destroyed after. */
static void Permeability(FgCell cell, double k[9], FgCellReport *kept)
{
  FgCellReport report = {0};

  AgreedSuccess(FgPhysicsFind("permeability")->solve(cell, &FgCellDefaults, &report));
  for (int i = 0; i < 9; i++) k[i] = FgReportFind(&report, "k")->value[i];
  AgreedTrue(FgReportFind(&report, "k_asymmetry")->value[0] < 1e-7);
  AgreedTrue(FgReportFind(&report, "k_self_check")->value[0] < 1e-7);
  if (kept) *kept = report;
  else AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
}

static void Expect(double found, double expected, double tolerance, const char *what)
{
  const int good = fabs(found - expected) <= tolerance * fabs(expected);

  if (!good) print_error("%s: %.9g, expected %.9g within %.2g relative\n", what, found, expected, tolerance);
  AgreedTrue(good);
}

/* k = H^2/12 times the fraction; on voxels the profile is exact but for the mean, high by 2 (h/H)^2. */
static void ChannelIsExactButForSecondOrder(void **state)
{
  for (int axis = 0; axis < 3; axis++) {
    for (PetscInt N = 8; N <= 16; N *= 2) {
      const double parameter[2] = {0.5, axis}, edge[3] = {2e-6, 3e-6, 4e-6};
      PetscInt     n[3] = {3, 3, 3};
      double       k[9], gap = 0.5 * edge[axis], exact = 0.5 * gap * gap / 12 * (1 + 2.0 / (double)(N * N / 4));

      n[axis] = N;
      Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, edge, NULL, OutsideOfGap, parameter), k, NULL);
      for (int i = 0; i < 9; i++) {
        if (i % 4 || i / 4 == axis) AgreedTrue(fabs(k[i]) <= 1e-12 * exact);
        else Expect(k[i], exact, 1e-9, "channel");
      }
      AgreedTrue(k[4 * axis] == 0);
    }
  }
}

static PetscBool OutsideOfDuct(const double at[3], const double *parameter)
{
  return fabs(at[0]) > 0.375 || fabs(at[1]) > 0.375;
}

/* Square duct of side a: Q = a^4/12 (1 - 192/pi^5 sum tanh(m pi/2)/m^5 over odd m). */
static void DuctConvergesWithSecondOrder(void **state)
{
  double exact = 0, error[2], k[9];

  for (int m = 1; m < 100; m += 2) exact += tanh(0.5 * m * PETSC_PI) / pow(m, 5);
  exact = pow(0.75, 4) / 12 * (1 - 192 / pow(PETSC_PI, 5) * exact);
  for (int i = 0; i < 2; i++) {
    const PetscInt n[3]    = {16 << i, 16 << i, 2};
    const double   edge[3] = {1, 1, 0.2};

    Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, edge, NULL, OutsideOfDuct, NULL), k, NULL);
    error[i] = k[8] / exact - 1;
    AgreedTrue(k[0] == 0 && k[4] == 0);
  }
  AgreedTrue(error[1] < 0.007 && error[0] / error[1] > 3.8 && error[0] / error[1] < 4.2);
}

/* k = a^2/8 times the fraction, for the radius that has the area of the voxels. */
static void TubeOnStaircase(void **state)
{
  for (size_t i = 0, N = 32; i < Rows(3); i++, N *= 2) {
    const PetscInt n[3]         = {(PetscInt)N, (PetscInt)N, 1};
    const double   parameter[1] = {0.4}, tolerance[3] = {0.02, 0.012, 0.006};
    FgCellReport   report;
    double         k[9], area;

    Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, OutsideOfTube, parameter), k, &report);
    area = FgReportFind(&report, "porosity")->value[0];
    Expect(k[8], area * area / (8 * PETSC_PI), tolerance[i], "tube");
    AgreedSuccess(FgReportDestroy(&report));
  }
}

static void CylinderArrays(void **state)
{
  static const double table[][3] = {{0.05, 15.56, 0.03}, {0.1, 24.83, 0.02},  {0.2, 51.53, 0.02},
                                    {0.3, 102.90, 0.02}, {0.4, 217.89, 0.04}, {0.5, 532.55, 0.02}};
  double              k[9];

  for (size_t i = 0; i < Rows(sizeof table / sizeof table[0]); i++) {
    const PetscInt n[3] = {64, 64, 1};

    Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, InCylinder, table[i]), k, NULL);
    Expect(1 / k[0], table[i][1], table[i][2], "cylinders");
    Expect(k[4], k[0], 1e-7, "square symmetry");
  }
}

/* Voxel staircases converge with first order, and not evenly: the whole range of resolutions must come nearer. */
static void CylindersConverge(void **state)
{
  const double parameter[1] = {0.2}, bound[3] = {0.03, 0.015, 0.004};

  for (size_t i = 0, N = 32; i < Rows(3); i++, N *= 2) {
    const PetscInt n[3] = {(PetscInt)N, (PetscInt)N, 1};
    double         k[9];

    Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, InCylinder, parameter), k, NULL);
    Expect(1 / k[0], 51.53, bound[i], "refined cylinders");
  }
}

static void SphereArrays(void **state)
{
  static const double table[][3] = {{0.027, 2.008, 0.03}, {0.125, 4.292, 0.02}, {0.216, 7.442, 0.02}, {0.45, 28.1, 0.03}};

  for (size_t i = 0; i < Rows(sizeof table / sizeof table[0]); i++) {
    const PetscInt n[3] = {32, 32, 32};
    double         k[9], radius = cbrt(0.75 * table[i][0] / PETSC_PI);

    Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, InSphere, table[i]), k, NULL);
    Expect(1 / (6 * PETSC_PI * radius * k[0]), table[i][1], table[i][2], "spheres");
    Expect(k[8], k[0], 1e-6, "cubic symmetry");
  }
}

/* Voxels twice as long as wide see the same cylinder. */
static void VoxelsNeedNotBeCubes(void **state)
{
  const PetscInt n[3]         = {40, 80, 1};
  const double   parameter[1] = {0.2};
  double         k[9];

  Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, InCylinder, parameter), k, NULL);
  Expect(1 / k[0], 51.53, 0.03, "long voxels, across");
  Expect(1 / k[4], 51.53, 0.03, "long voxels, along");
}

/* Staircase along (1, 1): flow is possible along it only, k = k0 (1 1; 1 1). */
static PetscBool OutsideOfDiagonal(const double at[3], const double *parameter)
{
  const double d = at[0] - at[1] - round(at[0] - at[1]);

  return fabs(d) > 0.26;
}

static void ObliqueChannelHasOneDirection(void **state)
{
  const PetscInt n[3] = {24, 24, 1};
  double         k[9];

  Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, OutsideOfDiagonal, NULL), k, NULL);
  AgreedTrue(k[0] > 0 && k[8] > k[0]);
  Expect(k[4], k[0], 1e-7, "diagonal");
  Expect(k[1], k[0], 1e-7, "diagonal, off");
  Expect(k[3], k[0], 1e-7, "diagonal, off");
}

static PetscBool InPermutedGrains(const double at[3], const double *parameter)
{
  const double other[3] = {at[2], at[0], at[1]};

  return InGrains(other, parameter);
}

/* Symmetric; positive; scales with the square of the length; follows shifts and permutations of the axes; one rank or two. */
static void Invariances(void **state)
{
  const double   here[3] = {0, 0, 0}, shifted[3] = {0.25, 0.5, 0.375}, small[3] = {1e-3, 1e-3, 1e-3};
  const PetscInt n[3] = {16, 16, 16};
  double         k[9], other[9];
  PetscMPIInt    size;

  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, InGrains, here), k, NULL);
  AgreedTrue(k[0] > 0 && k[0] * k[4] > k[1] * k[1]);
  Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, InGrains, shifted), other, NULL);
  for (int i = 0; i < 9; i++) AgreedTrue(fabs(k[i] - other[i]) < 1e-6 * k[0]);
  Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, InPermutedGrains, here), other, NULL);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) AgreedTrue(fabs(other[3 * i + j] - k[3 * ((i + 1) % 3) + (j + 1) % 3]) < 1e-6 * k[0]);
  Permeability(MakeFlowCell(PETSC_COMM_WORLD, n, small, NULL, InGrains, here), other, NULL);
  for (int i = 0; i < 9; i++) AgreedTrue(fabs(k[i] - 1e6 * other[i]) < 1e-6 * k[0]);
  if (size > 1) {
    Permeability(MakeFlowCell(PETSC_COMM_SELF, n, unit, NULL, InGrains, here), other, NULL);
    for (int i = 0; i < 9; i++) AgreedTrue(fabs(k[i] - other[i]) < 1e-7 * k[0]);
  }
}

/* The flow is divergence-free to round-off and does not enter walls. */
static void FlowIsDivergenceFree(void **state)
{
  const double    here[3] = {0, 0, 0};
  const PetscInt  n[3]    = {12, 16, 20};
  const PetscBool open[2] = {PETSC_TRUE, PETSC_FALSE};
  FgCell          cell    = MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, InGrains, here);
  FgStokes        stokes  = {.keep = PETSC_TRUE};
  FgCellReport    report  = {0};
  double         *divergence, largest[2] = {0, 0};

  AgreedSuccess(FgStokesSolve(cell, &FgCellDefaults, open, &stokes, &report));
  AgreedSuccess(PetscMalloc1(cell->nlocal, &divergence));
  for (int j = 0; j < 3; j++) {
    AgreedSuccess(FgFaceDivergence(cell, stokes.velocity[j], divergence));
    for (PetscInt v = 0; v < cell->nlocal; v++) {
      largest[0] = PetscMax(largest[0], cell->spacing[2] * fabs(divergence[v]));
      for (int a = 0; a < 3; a++) {
        largest[1] = PetscMax(largest[1], fabs(stokes.velocity[j][3 * v + a]));
        if (cell->phase[v] == 1) assert_true(stokes.velocity[j][3 * v + a] == 0);
      }
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, largest, 2, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD);
  AgreedTrue(largest[0] < 1e-12 * largest[1]);
  AgreedSuccess(PetscFree(divergence));
  AgreedSuccess(FgStokesDestroy(&stokes));
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
}

static void BadInput(void **state)
{
  const double   half   = 0.5;
  const PetscInt n[3]   = {8, 8, 2};
  FgCellSettings few    = FgCellDefaults;
  FgCellReport   report = {0};
  FgCell         cell;

  cell = MakeFlowCell(PETSC_COMM_WORLD, n, unit, NULL, NULL, NULL);
  AgreedFailure(FgPhysicsFind("permeability")->solve(cell, &FgCellDefaults, &report), PETSC_ERR_FILE_UNEXPECTED,
                "every voxel is fluid");
  AgreedSuccess(FgPhaseTableSet(&cell->table, 0, "fluid", 1, &half));
  AgreedFailure(FgPhysicsFind("permeability")->solve(cell, &FgCellDefaults, &report), PETSC_ERR_FILE_UNEXPECTED, "expected 1");
  AgreedSuccess(FgCellDestroy(&cell));
  cell               = MakeFlowCell(PETSC_COMM_WORLD, (PetscInt[]){16, 16, 16}, unit, NULL, InGrains, (double[]){0, 0, 0});
  few.max_iterations = 5;
  AgreedFailure(FgPhysicsFind("permeability")->solve(cell, &few, &report), PETSC_ERR_NOT_CONVERGED, "did not converge");
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(FgReportDestroy(&report));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ChannelIsExactButForSecondOrder),
      cmocka_unit_test(DuctConvergesWithSecondOrder),
      cmocka_unit_test(TubeOnStaircase),
      cmocka_unit_test(CylinderArrays),
      cmocka_unit_test(CylindersConverge),
      cmocka_unit_test(SphereArrays),
      cmocka_unit_test(VoxelsNeedNotBeCubes),
      cmocka_unit_test(ObliqueChannelHasOneDirection),
      cmocka_unit_test(Invariances),
      cmocka_unit_test(FlowIsDivergenceFree),
      cmocka_unit_test(BadInput),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
