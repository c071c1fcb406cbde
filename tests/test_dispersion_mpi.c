/* test_dispersion_mpi.c: Taylor-Aris dispersion against closed forms: plane Poiseuille and Couette flow, a tube, periodic shear, cellular
   flow (spectral values), Golay's channel with a retentive layer; and what every dispersion tensor obeys. */
#include "flow_cells.h"

static const FgPhysics *Dispersion(void)
{
  return FgPhysicsFind("dispersion");
}

/* Fluid with diffusivity D, walls without, mean velocity (0, 0, 0). */
static FgPhaseTable Table(double D)
{
  const double one = 1, zero = 0, none[3] = {0, 0, 0};
  FgPhaseTable table = {.source = "test"};

  AgreedSuccess(FgPhaseTableAdd(&table, "fluid", 0));
  AgreedSuccess(FgPhaseTableAdd(&table, "wall", 1));
  AgreedSuccess(FgPhaseTableSet(&table, 0, "fluid", 1, &one));
  AgreedSuccess(FgPhaseTableSet(&table, 1, "fluid", 1, &zero));
  AgreedSuccess(FgPhaseTableSet(&table, 0, "diffusivity", 1, &D));
  AgreedSuccess(FgPhaseTableSet(&table, 1, "diffusivity", 1, &zero));
  AgreedSuccess(FgPhaseTableSet(&table, -1, "mean-velocity", 3, none));
  return table;
}

static PetscInt PlaneOf(FgCell cell, PetscInt v)
{
  return cell->start + v / cell->n[0] / cell->n[1];
}

/* Solves with a given velocity (or with Stokes flow where NULL), checks that both forms agree, copies D over the storage. */
static FgCellReport Solved(FgCell cell, const double *velocity, double D[9])
{
  FgCellSettings settings = FgCellDefaults;
  FgCellReport   report   = {0};

  settings.velocity = velocity;
  AgreedSuccess(Dispersion()->solve(cell, &settings, &report));
  for (int i = 0; i < 9; i++) D[i] = FgReportFind(&report, "D_apparent")->value[i];
  AgreedTrue(FgReportFind(&report, "D_self_check")->value[0] < 1e-7);
  return report;
}

static void Expect(double found, double expected, double tolerance, const char *what)
{
  const int good = fabs(found - expected) <= tolerance * fabs(expected);

  if (!good) print_error("%s: %.10g, expected %.10g within %.2g relative\n", what, found, expected, tolerance);
  AgreedTrue(good);
}

/* The factor D_apparent/D along x of a channel of N voxels across z (over the ranks), with a layer of wall; `profile` gives
   the velocity at z = 0 .. 1 over the gap. H = 2, D = 0.7. */
static double Channel(PetscInt N, double (*profile)(double z))
{
  const PetscInt n[3]    = {2, 1, N + 1};
  const double   edge[3] = {1, 1, 2.0 * (double)(N + 1) / (double)N};
  FgPhaseTable   table   = Table(0.7);
  FgCell         cell    = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, NULL, NULL);
  FgCellReport   report;
  double        *velocity, D[9];

  AgreedSuccess(PetscCalloc1(3 * cell->nlocal, &velocity));
  for (PetscInt v = 0; v < cell->nlocal; v++) {
    if (PlaneOf(cell, v) == N) cell->phase[v] = 1;
    else velocity[3 * v] = profile(((double)PlaneOf(cell, v) + 0.5) / (double)N);
  }
  AgreedSuccess(FgCellComplete(cell));
  report = Solved(cell, velocity, D);
  AgreedTrue(D[8] == 0);
  Expect(D[4], 0.7, 1e-9, "across the flow");
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(PetscFree(velocity));
  AgreedSuccess(FgPhaseTableDestroy(&table));
  AgreedSuccess(FgCellDestroy(&cell));
  return D[0] / 0.7;
}

static double Poiseuille(double z)
{
  return 3.0 * 6.0 * z * (1 - z);
}

static double Couette(double z)
{
  return 3.0 * 2.0 * z;
}

/* 1 + (2/105) Pe^2 on the half-gap: 1.3498542; errors of finite volumes with velocities at the voxels' centers. */
static void PlanePoiseuille(void **state)
{
  const double exact = 1 + 2.0 / 105.0 * PetscSqr(3.0 / 0.7), coarse = Channel(16, Poiseuille) / exact - 1;
  const double fine = Channel(32, Poiseuille) / exact - 1;

  Expect(exact, 1.3498542, 1e-7, "closed form");
  Expect(coarse, -8.3e-5, 0.01, "error at 16 voxels");
  AgreedTrue(log2(coarse / fine) > 3.9 && log2(coarse / fine) < 4.1); /* order 4 for this profile */
  Expect(Channel(128, Poiseuille) / exact - 1, -2.0e-8, 0.1, "error at 128 voxels");
}

/* 1 + Pe^2/30 on the full gap: 3.4489796. */
static void PlaneCouette(void **state)
{
  const double exact = 1 + PetscSqr(3.0 * 2.0 / 0.7) / 30.0, coarse = Channel(16, Couette) / exact - 1;

  Expect(exact, 3.4489796, 1e-7, "closed form");
  Expect(coarse, -1.1e-5, 0.03, "error at 16 voxels");
  AgreedTrue(fabs(Channel(32, Couette) / exact - 1) < fabs(coarse) / 3.9);
}

/* The same channel with its velocity from Stokes flow. */
static void PoiseuilleFromStokes(void **state)
{
  double error[2];

  for (int i = 0; i < 2; i++) {
    const PetscInt n[3]         = {1, 1, 32 << i};
    const double   parameter[2] = {0.5, 2}, edge[3] = {1, 1, 4}, mean[3] = {1.5, 0, 0};
    FgPhaseTable   table = Table(0.7);
    FgCellReport   report;
    FgCell         cell;
    double         D[9];

    AgreedSuccess(FgPhaseTableSet(&table, -1, "mean-velocity", 3, mean));
    cell   = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, OutsideOfGap, parameter);
    report = Solved(cell, NULL, D);
    Expect(FgReportFind(&report, "V")->value[0], 3.0, 1e-9, "drift");
    Expect(FgReportFind(&report, "v")->value[0], 1.5, 1e-9, "mean velocity");
    error[i] = D[0] / 0.7 / (1 + 2.0 / 105.0 * PetscSqr(3.0 / 0.7)) - 1;
    AgreedSuccess(FgReportDestroy(&report));
    AgreedSuccess(FgPhaseTableDestroy(&table));
    AgreedSuccess(FgCellDestroy(&cell));
  }
  AgreedTrue(fabs(error[1]) < 2e-3 && error[0] / error[1] > 3.7 && error[0] / error[1] < 4.3);
}

/* 1 + Pe^2/48 = 1.5208333 at Pe = U a/D = 5 in a round pore of voxels, a from its area. */
static void Tube(void **state)
{
  const PetscInt n[3]         = {64, 64, 1};
  const double   parameter[1] = {0.4}, edge[3] = {1, 1, 1};
  FgPhaseTable   table = Table(1.0);
  FgCellReport   report;
  FgCell         cell = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, OutsideOfTube, parameter);
  double         D[9], area, mean[3] = {0, 0, 0};

  area    = cell->fraction[0];
  mean[2] = area * 5.0 / sqrt(area / PETSC_PI);
  AgreedSuccess(FgPhaseTableSet(&cell->table, -1, "mean-velocity", 3, mean));
  report = Solved(cell, NULL, D);
  Expect(D[8], 1.5208333, 0.01, "tube");
  AgreedTrue(D[0] == 0 && D[4] == 0);
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgPhaseTableDestroy(&table));
  AgreedSuccess(FgCellDestroy(&cell));
}

/* v = (U sin(2 pi y/H), 0): 1 + Pe^2/(8 pi^2); listed errors of finite volumes. The flow along y or z must give the same. */
static void PeriodicShear(void **state)
{
  static const double error[4] = {6.2e-3, 1.6e-3, 3.9e-4, 9.7e-5};

  for (int along = 0; along < 3; along++) {
    const int across = (along + 1) % 3;

    for (int i = 0; i < (along ? 1 : 4); i++) {
      const PetscInt N = 16 << i;
      PetscInt       n[3];
      double         edge[3] = {1, 1, 1}, *velocity, D[9];
      FgPhaseTable   table   = Table(0.7);
      FgCellReport   report;
      FgCell         cell;

      n[0] = n[1] = n[2] = 1;
      n[across]          = N;
      edge[across]       = 2;
      cell               = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, NULL, NULL);
      AgreedSuccess(PetscCalloc1(3 * cell->nlocal, &velocity));
      for (PetscInt v = 0; v < cell->nlocal; v++)
        velocity[3 * v + along] = 3.0 * sin(2 * PETSC_PI * ((double)(across == 2 ? PlaneOf(cell, v) : v) + 0.5) / (double)N);
      report = Solved(cell, velocity, D);
      Expect(D[4 * along] / 0.7 / (1 + PetscSqr(3.0 * 2.0 / 0.7) / (8 * PETSC_PI * PETSC_PI)) - 1, error[i], 0.04,
             "error of shear");
      Expect(D[4 * across], 0.7, 1e-9, "across the shear");
      AgreedSuccess(FgReportDestroy(&report));
      AgreedSuccess(PetscFree(velocity));
      AgreedSuccess(FgPhaseTableDestroy(&table));
      AgreedSuccess(FgCellDestroy(&cell));
    }
  }
}

/* Curl of psi = (Pe/2 pi) sin 2 pi y sin 2 pi z at the corners: divergence-free by construction. */
static double *CellularFlow(FgCell cell, PetscInt N, double peclet)
{
  double *velocity, h = 1.0 / (double)N;

  AgreedSuccess(PetscCalloc1(3 * cell->nlocal, &velocity));
  for (PetscInt v = 0; v < cell->nlocal; v++) {
    const double y = (double)(v / cell->n[0] % N), z = (double)PlaneOf(cell, v), t = 2 * PETSC_PI * h;

    velocity[3 * v + 1] = peclet / t * sin(t * y) * (sin(t * (z + 1)) - sin(t * z));
    velocity[3 * v + 2] = -peclet / t * (sin(t * (y + 1)) - sin(t * y)) * sin(t * z);
  }
  return velocity;
}

/* Spectral values for Pe = 1, 10, 100; second order, and by extrapolation from two grids much nearer. */
static void CellularFlows(void **state)
{
  static const double table[3][4] = {/* Pe, factor, tolerance at 64 voxels, extrapolated */
                                     {1, 1.0031613, 1e-5, 1e-7},
                                     {10, 1.2744361, 6e-4, 1e-5},
                                     {100, 4.2967302, 5e-3, 5e-4}};

  for (int i = 0; i < 3; i++) {
    double factor[2];

    for (int fine = 0; fine < 2; fine++) {
      const PetscInt N = 32 << fine, n[3] = {1, N, N};
      const double   edge[3]  = {1, 1, 1};
      FgPhaseTable   table_   = Table(1.0);
      FgCell         cell     = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table_, NULL, NULL);
      double        *velocity = CellularFlow(cell, N, table[i][0]), D[9];
      FgCellReport   report   = Solved(cell, velocity, D);

      factor[fine] = D[8];
      Expect(D[4], D[8], 1e-7, "isotropy");
      AgreedTrue(fabs(D[5]) < 1e-6 * D[8]);
      AgreedSuccess(FgReportDestroy(&report));
      AgreedSuccess(PetscFree(velocity));
      AgreedSuccess(FgPhaseTableDestroy(&table_));
      AgreedSuccess(FgCellDestroy(&cell));
    }
    Expect(factor[1], table[i][1], table[i][2], "cellular flow");
    Expect((4 * factor[1] - factor[0]) / 3, table[i][1], table[i][3], "cellular flow, extrapolated");
  }
}

/* A channel between layers that hold k times its tracer and equilibrate at once (Golay 1958):
   D = D_m/(1 + k) + (2/105) (1 + 9 k + 25.5 k^2)/(1 + k)^3 (U h)^2/D_m, the drift U/(1 + k). */
static void RetentiveLayer(void **state)
{
  const PetscInt N = 64, n[3] = {1, 1, N + 1};
  const double   edge[3] = {1, 1, 2.0 * (double)(N + 1) / (double)N}, k = 0.8, storage = k * (double)N, one = 1;
  const double   still[3] = {1e-15, 1e3, 1e3}, pe2 = PetscSqr(3.0 / 0.7);
  FgPhaseTable   table = Table(0.7);
  FgCell         cell;
  FgCellReport   report = {0};
  double        *velocity, D[9];

  AgreedSuccess(FgPhaseTableSet(&table, 1, "diffusivity", 3, still));
  AgreedSuccess(FgPhaseTableSet(&table, 1, "storage", 1, &storage));
  cell = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, NULL, NULL);
  AgreedSuccess(PetscCalloc1(3 * cell->nlocal, &velocity));
  for (PetscInt v = 0; v < cell->nlocal; v++) {
    if (PlaneOf(cell, v) == N) cell->phase[v] = 1;
    else velocity[3 * v] = Poiseuille(((double)PlaneOf(cell, v) + 0.5) / (double)N);
  }
  AgreedSuccess(FgCellComplete(cell));
  report = Solved(cell, velocity, D);
  Expect(FgReportFind(&report, "V")->value[0], 3.0 / (1 + k), 1e-3, "retarded drift");
  Expect(D[0] / 0.7, 1 / (1 + k) + 2.0 / 105.0 * (1 + 9 * k + 25.5 * k * k) / pow(1 + k, 3) * pe2, 1e-3, "Golay");
  AgreedSuccess(FgReportDestroy(&report));
  /* the flowing phase sets the scale of storage */
  AgreedSuccess(FgPhaseTableSet(&cell->table, 0, "storage", 1, &storage));
  {
    FgCellSettings settings = FgCellDefaults;

    settings.velocity = velocity;
    AgreedFailure(Dispersion()->solve(cell, &settings, &report), PETSC_ERR_FILE_UNEXPECTED, "expected 1 there");
    AgreedSuccess(FgPhaseTableSet(&cell->table, 0, "storage", 1, &one));
  }
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(PetscFree(velocity));
  AgreedSuccess(FgPhaseTableDestroy(&table));
  AgreedSuccess(FgCellDestroy(&cell));
}

/* Flow through grains: at no velocity the diffusion of conduction; both forms agree; D grows with the velocity; one rank or two. */
static void Grains(void **state)
{
  const double   here[3] = {0, 0, 0}, edge[3] = {1, 1, 1}, mean[3] = {20, 10, -5};
  const PetscInt n[3]  = {16, 16, 16};
  FgPhaseTable   table = Table(1.0);
  FgCell         cell  = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, InGrains, here);
  double         still[9], moved[9], other[9], slope = 0;
  FgCellReport   report = Solved(cell, NULL, still), diffusion = {0};
  PetscMPIInt    size;

  AgreedSuccess(FgPhysicsFind("diffusion")->solve(cell, &FgCellDefaults, &diffusion));
  for (int i = 0; i < 9; i++)
    AgreedTrue(fabs(FgReportFind(&report, "D")->value[i] - FgReportFind(&diffusion, "D")->value[i]) < 1e-7);
  AgreedSuccess(FgReportDestroy(&diffusion));
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgPhaseTableSet(&cell->table, -1, "mean-velocity", 3, mean));
  report = Solved(cell, NULL, moved);
  for (int i = 0; i < 3; i++) Expect(FgReportFind(&report, "v")->value[i], mean[i], 1e-6, "mean velocity");
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
  for (int i = 0; i < 3; i++) {
    AgreedTrue(moved[4 * i] > still[4 * i]);
    for (int j = 0; j < 3; j++) slope += mean[i] * (moved[3 * i + j] - still[3 * i + j]) * mean[j];
  }
  AgreedTrue(slope > 0);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  if (size > 1) {
    AgreedSuccess(FgPhaseTableSet(&table, -1, "mean-velocity", 3, mean));
    cell   = MakeFlowCell(PETSC_COMM_SELF, n, edge, &table, InGrains, here);
    report = Solved(cell, NULL, other);
    for (int i = 0; i < 9; i++) AgreedTrue(fabs(moved[i] - other[i]) < 1e-6 * moved[0]);
    AgreedSuccess(FgReportDestroy(&report));
    AgreedSuccess(FgCellDestroy(&cell));
  }
  AgreedSuccess(FgPhaseTableDestroy(&table));
}

/* Without obstacles and with one D: D* >= D for any divergence-free flow, here of random corners; both eigenvalues. */
static void NoFlowSlowsTheSpread(void **state)
{
  const PetscInt N = 12, n[3] = {1, N, N};
  const double   edge[3] = {1, 1, 1};
  FgPhaseTable   table   = Table(1.0);
  FgCell         cell    = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, NULL, NULL);
  double        *velocity, D[9], psi[12][12];
  unsigned       seed = 7;
  FgCellReport   report;

  for (int i = 0; i < N * N; i++) {
    seed              = seed * 1664525u + 1013904223u;
    psi[i / N][i % N] = 5.0 * ((double)(seed >> 8) / 16777216.0 - 0.5);
  }
  AgreedSuccess(PetscCalloc1(3 * cell->nlocal, &velocity));
  for (PetscInt v = 0; v < cell->nlocal; v++) {
    const PetscInt y = v % N, z = PlaneOf(cell, v);

    velocity[3 * v + 1] = (psi[(z + 1) % N][y] - psi[z][y]) * (double)N + 3.0;
    velocity[3 * v + 2] = -(psi[z][(y + 1) % N] - psi[z][y]) * (double)N;
  }
  report = Solved(cell, velocity, D);
  AgreedTrue(D[4] > 1 && D[8] > 1 && (D[4] - 1) * (D[8] - 1) > D[5] * D[7]);
  Expect(D[0], 1, 1e-9, "along no flow");
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(PetscFree(velocity));
  AgreedSuccess(FgPhaseTableDestroy(&table));
  AgreedSuccess(FgCellDestroy(&cell));
}

static PetscBool TwoGaps(const double at[3], const double *parameter)
{
  return at[1] < 0 ? fabs(at[1] + 0.25) > 0.5 * parameter[0] : fabs(at[1] - 0.25) > 0.5 * parameter[1];
}

static PetscBool GapAndPocket(const double at[3], const double *parameter)
{
  const PetscBool pocket = fabs(at[0]) < 0.2 && fabs(at[1]) > 0.4;

  return !pocket && fabs(at[1]) > 0.25;
}

/* Equal channels are one; unequal ones drift apart; a closed pocket takes no part. */
static void UnconnectedPores(void **state)
{
  const double   equal[2] = {0.25, 0.25}, unequal[2] = {0.25, 0.375}, edge[3] = {1, 1, 1}, mean[3] = {1, 0, 0};
  const PetscInt n[3] = {4, 32, 1}, m[3] = {16, 16, 1};
  FgPhaseTable   table  = Table(1.0);
  FgCellReport   report = {0};
  FgCell         cell;
  double         D[9];

  AgreedSuccess(FgPhaseTableSet(&table, -1, "mean-velocity", 3, mean));
  cell   = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, TwoGaps, equal);
  report = Solved(cell, NULL, D);
  Expect(D[0], 1 + 2.0 / 105.0 * PetscSqr(2.0 * 0.125), 2e-3, "two equal channels");
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
  cell = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, TwoGaps, unequal);
  AgreedFailure(Dispersion()->solve(cell, &FgCellDefaults, &report), PETSC_ERR_FILE_UNEXPECTED, "spreads without end");
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
  cell   = MakeFlowCell(PETSC_COMM_WORLD, m, edge, &table, GapAndPocket, NULL);
  report = Solved(cell, NULL, D);
  Expect(FgReportFind(&report, "storage")->value[0], 0.5, 1e-12, "storage without the pocket");
  Expect(D[0], 1 + 2.0 / 105.0 * PetscSqr(2.0 * 0.25), 2e-3, "channel beside a pocket");
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(FgPhaseTableDestroy(&table));
}

static void BadInput(void **state)
{
  const PetscInt N = 16, n[3] = {1, N, N};
  const double   edge[3] = {1, 1, 1}, parameter[2] = {0.5, 2}, up[3] = {0, 0, 1}, tilted[6] = {1, 1, 1, 0, 0, 0.2};
  FgPhaseTable   table    = Table(1.0);
  FgCell         cell     = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, NULL, NULL);
  double        *velocity = CellularFlow(cell, N, 100);
  FgCellSettings settings = FgCellDefaults;
  FgCellReport   report   = {0};

  settings.velocity       = velocity;
  settings.max_iterations = 3;
  AgreedFailure(Dispersion()->solve(cell, &settings, &report), PETSC_ERR_NOT_CONVERGED, "(0: 1.0e+00, ");
  settings.max_iterations = 1000;
  for (PetscInt v = 0; v < cell->nlocal; v++) velocity[3 * v + 1] *= 1 + 1e-4 * sin((double)v); /* as read from a file */
  AgreedSuccess(Dispersion()->solve(cell, &settings, &report));
  AgreedTrue(strstr(report.notes[0], "projected") != NULL);
  for (PetscInt v = 0; v < cell->nlocal; v++) velocity[3 * v + 1] *= 2;
  AgreedFailure(Dispersion()->solve(cell, &settings, &report), PETSC_ERR_FILE_UNEXPECTED, "not divergence-free");
  for (PetscInt v = 0; v < cell->nlocal; v++) velocity[3 * v + 1] = NAN;
  AgreedFailure(Dispersion()->solve(cell, &settings, &report), PETSC_ERR_FILE_UNEXPECTED, "not finite");
  AgreedSuccess(FgPhaseTableSet(&cell->table, 0, "diffusivity", 6, tilted));
  AgreedFailure(Dispersion()->solve(cell, &settings, &report), PETSC_ERR_FILE_UNEXPECTED, "off-diagonal");
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(PetscFree(velocity));
  AgreedSuccess(FgPhaseTableSet(&table, -1, "mean-velocity", 3, up));
  cell = MakeFlowCell(PETSC_COMM_WORLD, n, edge, &table, OutsideOfGap, parameter);
  AgreedFailure(Dispersion()->solve(cell, &FgCellDefaults, &report), PETSC_ERR_FILE_UNEXPECTED, "where no pore crosses");
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgPhaseTableDestroy(&table));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(PlanePoiseuille),
      cmocka_unit_test(PlaneCouette),
      cmocka_unit_test(PoiseuilleFromStokes),
      cmocka_unit_test(Tube),
      cmocka_unit_test(PeriodicShear),
      cmocka_unit_test(CellularFlows),
      cmocka_unit_test(RetentiveLayer),
      cmocka_unit_test(Grains),
      cmocka_unit_test(NoFlowSlowsTheSpread),
      cmocka_unit_test(UnconnectedPores),
      cmocka_unit_test(BadInput),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
