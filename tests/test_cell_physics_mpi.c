/* test_cell_physics_mpi.c: the physics built on the scalar cell problem, against closed forms, published arrays and reference
   values: reaction, bidomain, ions, chemotaxis, porous electrodes, and the area of interfaces. Numbers: docs/physics/. */
#include "cells.h"

/* Solves and destroys the cell. */
static void Run(FgCell *cell, const char *physics, FgCellReport *report)
{
  FgCellSettings settings = FgCellDefaults;

  settings.tolerance = 1e-10;
  memset(report, 0, sizeof(*report));
  AgreedSuccess(FgPhysicsFind(physics)->solve(*cell, &settings, report));
  AgreedSuccess(FgCellDestroy(cell));
}

static int Half(PetscInt x, PetscInt y, PetscInt z, const PetscInt n[3])
{
  return 2 * x >= n[0];
}

/* --- Area of interfaces: spheres 4 pi r^2, cylinders 2 pi r, layers 2, per volume ---------------------------------------- */

static void Area(const char *geometry, double fraction, PetscInt resolution, double expected, double tolerance)
{
  const double rate[2] = {0, 1}, diffusivity[2] = {1, 1};
  FgPhaseTable table;
  FgCell       cell;
  FgCellReport report;

  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "diffusivity", diffusivity));
  AgreedSuccess(CellSet(&table, "surface-rate", rate));
  AgreedSuccess(CellShape(geometry, fraction, resolution, &table, &cell));
  Run(&cell, "reaction", &report);
  Close(Entry(&report, "beta_p1", 0, 0) / expected, 1.0, tolerance, geometry);
  Close(Entry(&report, "k_eff", 0, 0), Entry(&report, "beta_p1", 0, 0), 1e-12, "reaction on the surface alone");
  AgreedSuccess(FgReportDestroy(&report));
}

static void areas_of_interfaces(void **state)
{
  (void)state;
  Area("cubic-spheres", 0.3, 64, pow(36.0 * PETSC_PI * 0.3 * 0.3, 1.0 / 3.0), 0.002);
  Area("cubic-spheres", 0.1, 64, pow(36.0 * PETSC_PI * 0.1 * 0.1, 1.0 / 3.0), 0.004);
  Area("square-cylinders", 0.5, 128, 2.0 * sqrt(PETSC_PI * 0.5), 0.005);
  Area("square-cylinders", 0.2, 128, 2.0 * sqrt(PETSC_PI * 0.2), 0.01);
}

/* --- Reaction -------------------------------------------------------------------------------------------------------------- */

/* -(D u')' + k u = 1 in one periodic layered cell, k = 40 in the first half, 2 in the rest, D = 1: u = 1/k_i + A_i cosh(a_i x_i)
   about the middle of each layer (half width 1/4), u and u' continuous between them. */
static void reaction_in_layers(void **state)
{
  const double   k[2] = {40, 2}, D[2] = {1, 1}, w = 0.25;
  const double   a[2] = {sqrt(k[0]), sqrt(k[1])};
  const PetscInt n[3] = {256, 1, 1};
  double         A[2], mean, weighted;
  FgPhaseTable   table;
  FgCell         cell;
  FgCellReport   report;

  (void)state;
  /* A0 a0 sinh(a0 w) = -A1 a1 sinh(a1 w), 1/k0 + A0 cosh(a0 w) = 1/k1 + A1 cosh(a1 w) */
  A[0] = (1 / k[1] - 1 / k[0]) / (cosh(a[0] * w) + a[0] * sinh(a[0] * w) * cosh(a[1] * w) / (a[1] * sinh(a[1] * w)));
  A[1] = -A[0] * a[0] * sinh(a[0] * w) / (a[1] * sinh(a[1] * w));
  mean = 0;
  for (int i = 0; i < 2; i++) mean += 0.5 / k[i] + 2.0 * A[i] * sinh(a[i] * w) / a[i];
  weighted = 1.0 / mean; /* <k u> = 1 */
  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "diffusivity", D));
  AgreedSuccess(CellSet(&table, "reaction-rate", k));
  AgreedSuccess(CellFrom(n, &table, Half, &cell));
  Run(&cell, "reaction", &report);
  Close(Entry(&report, "k_eff", 0, 0), 21.0, 1e-12, "<k>");
  Close(Entry(&report, "k_weighted", 0, 0), weighted, 2e-4 * weighted, "weighted by u");
  AgreedTrue(weighted < 20.0 && report.nnotes == 1);
  AgreedSuccess(FgReportDestroy(&report));
}

/* A uniform reaction is not changed by homogenisation. */
static void uniform_reaction(void **state)
{
  const double k[2] = {3, 3}, D[2] = {1, 0.1};
  FgPhaseTable table;
  FgCell       cell;
  FgCellReport report;

  (void)state;
  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "diffusivity", D));
  AgreedSuccess(CellSet(&table, "reaction-rate", k));
  AgreedSuccess(CellShape("square-cylinders", 0.4, 32, &table, &cell));
  Run(&cell, "reaction", &report);
  Close(Entry(&report, "k_weighted", 0, 0), 3.0, 1e-9, "uniform reaction");
  Close(Entry(&report, "k_eff", 0, 0), 3.0, 1e-12, "uniform reaction");
  AgreedSuccess(FgReportDestroy(&report));
}

/* --- Bidomain ---------------------------------------------------------------------------------------------------------------- */

static void bidomain_fibers(void **state)
{
  static const struct {
    const char *geometry;
    double      fraction, across;
    PetscInt    resolution;
  } rows[] = {{"square-cylinders", 0.5, 0.3246545, 128},
              {"hex-cylinders", 0.5, 0.3328090, 222},
              {"square-cylinders", 0.7, 0.1345404, 128}};

  (void)state;
  for (int r = 0; r < 3; r++) {
    const double inside[2] = {0, 1}, outside[2] = {1, 0};
    double       f;
    FgPhaseTable table;
    FgCell       cell;
    FgCellReport report;

    AgreedSuccess(CellPhases(2, &table));
    AgreedSuccess(CellSet(&table, "intracellular-conductivity", inside));
    AgreedSuccess(CellSet(&table, "extracellular-conductivity", outside));
    AgreedSuccess(CellShape(rows[r].geometry, rows[r].fraction, rows[r].resolution, &table, &cell));
    f = cell->fraction[1];
    Run(&cell, "bidomain", &report);
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) AgreedTrue((i == 2 && j == 2) || Entry(&report, "Sigma_i", i, j) == 0.0);
    }
    Close(Entry(&report, "Sigma_i", 2, 2), f, 1e-12, "along, inside");
    Close(Entry(&report, "Sigma_e", 2, 2), 1 - f, 1e-12, "along, outside");
    Close(Entry(&report, "Sigma_e", 0, 0), rows[r].across, 0.025 * rows[r].across, "across, outside");
    if (rows[r].geometry[0] == 's')
      Close(Entry(&report, "beta", 0, 0), 2.0 * sqrt(PETSC_PI * rows[r].fraction), 0.005 * 2.5, "membrane");
    AgreedTrue(report.nnotes > 0); /* says that Sigma_i is singular */
    AgreedSuccess(FgReportDestroy(&report));
  }
}

static void bidomain_layers(void **state)
{
  const double   inside[2] = {0.3, 0}, outside[2] = {0, 0.6};
  const PetscInt n[3] = {8, 8, 8};
  FgPhaseTable   table;
  FgCell         cell;
  FgCellReport   report;

  (void)state;
  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "intracellular-conductivity", inside));
  AgreedSuccess(CellSet(&table, "extracellular-conductivity", outside));
  AgreedSuccess(CellFrom(n, &table, Half, &cell));
  Run(&cell, "bidomain", &report);
  AgreedTrue(Entry(&report, "Sigma_i", 0, 0) == 0.0 && Entry(&report, "Sigma_e", 0, 0) == 0.0);
  Close(Entry(&report, "Sigma_i", 1, 1), 0.15, 1e-13, "inside");
  Close(Entry(&report, "Sigma_e", 2, 2), 0.30, 1e-13, "outside");
  AgreedSuccess(FgReportDestroy(&report));
}

/* --- Ions -------------------------------------------------------------------------------------------------------------------- */

static FgCell IonCell(double charge, double factor, double bath, double temperature, PhaseOf phase)
{
  const double   charges[2] = {charge, 0}, factors[2] = {factor, 1};
  const PetscInt n[3] = {8, 8, 1};
  FgPhaseTable   table;
  FgCell         cell = NULL;

  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "fixed-charge", charges));
  AgreedSuccess(CellSet(&table, "ion-mobility-factor", factors));
  AgreedSuccess(FgPhaseTableSet(&table, -1, "temperature", 1, &temperature));
  AgreedSuccess(PetscCalloc1(2, &table.ions));
  table.nions   = 2;
  table.ions[0] = (FgIon){"Na", 1, 1.334e-9, bath};
  table.ions[1] = (FgIon){"Cl", -1, 2.032e-9, bath};
  AgreedSuccess(CellFrom(n, &table, phase, &cell));
  return cell;
}

static void donnan_equilibrium(void **state)
{
  /* charge, bath [mol/m^3], temperature [K], c+, c- [mol/m^3], potential [mV] */
  static const double rows[][6] = {{-100, 150, 298.15, 208.113883, 108.113883, -8.413039},
                                   {-100, 150, 310.15, 208.113883, 108.113883, -8.751649},
                                   {-200, 150, 298.15, 280.277564, 80.277564, -16.061590},
                                   {-100, 10, 298.15, 100.990195, 0.990195, -59.412505}};

  (void)state;
  for (int r = 0; r < 4; r++) {
    FgCell       cell = IonCell(rows[r][0], 0.5, rows[r][1], rows[r][2], Half);
    FgCellReport report;

    Run(&cell, "ions", &report);
    Close(Entry(&report, "c_Na_p0", 0, 0), rows[r][3], 2e-6, "cation");
    Close(Entry(&report, "c_Cl_p0", 0, 0), rows[r][4], 2e-6, "anion");
    Close(1e3 * Entry(&report, "donnan_p0", 0, 0), rows[r][5], 2e-6, "Donnan potential");
    Close(Entry(&report, "donnan_p1", 0, 0), 0, 1e-15, "no charge, no potential");
    AgreedSuccess(FgReportDestroy(&report));
  }
}

/* Layers in series along x and in parallel along y. */
static void sodium_chloride_in_layers(void **state)
{
  FgCell       cell = IonCell(-100, 0.5, 150, 298.15, Half);
  FgCellReport report;

  (void)state;
  Run(&cell, "ions", &report);
  Close(Entry(&report, "sigma_migration", 0, 0), 1.25133035, 2e-8, "series, migration");
  Close(Entry(&report, "t_migration_Na", 0, 0), 0.47728292, 2e-8, "series, migration");
  Close(Entry(&report, "sigma_steady", 0, 0), 1.22201549, 2e-8, "series, steady");
  Close(Entry(&report, "t_steady_Na", 0, 0), 0.50372553, 2e-8, "series, steady");
  Close(Entry(&report, "sigma_migration", 1, 1), 1.41494297, 2e-8, "parallel");
  Close(Entry(&report, "t_migration_Na", 1, 1), 0.44975040, 2e-8, "parallel");
  Close(Entry(&report, "sigma_steady", 1, 1), 1.41494297, 2e-8, "parallel, steady");
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      Close(Entry(&report, "t_migration_Na", i, j) + Entry(&report, "t_migration_Cl", i, j), i == j, 1e-12,
            "sum of t, migration");
      Close(Entry(&report, "t_steady_Na", i, j) + Entry(&report, "t_steady_Cl", i, j), i == j, 1e-12, "sum of t, steady");
    }
  }
  AgreedSuccess(FgReportDestroy(&report));
}

static int Scattered(PetscInt x, PetscInt y, PetscInt z, const PetscInt n[3])
{
  return ScatteredPhase(x, y, z, 2);
}

/* Without charge both models agree; with it the steady value is the smaller one, and every tensor is symmetric. */
static void both_ion_models(void **state)
{
  (void)state;
  for (int charged = 0; charged < 2; charged++) {
    FgCell       cell = IonCell(charged ? -300 : 0, 0.5, 150, 298.15, Scattered);
    FgCellReport report;

    Run(&cell, "ions", &report);
    for (int i = 0; i < 3; i++) {
      const double steady = Entry(&report, "sigma_steady", i, i), migration = Entry(&report, "sigma_migration", i, i);

      if (charged) AgreedTrue(i == 2 || steady < migration * (1 - 1e-3));
      else Close(steady, migration, 1e-9, "without charge");
      for (int j = 0; j < i; j++)
        Close(Entry(&report, "sigma_steady", i, j), Entry(&report, "sigma_steady", j, i), 1e-12, "Onsager symmetry");
    }
    AgreedSuccess(FgReportDestroy(&report));
  }
}

/* Three ions, one of valence 2: the phases are neutral. */
static void ions_of_any_valence(void **state)
{
  const double   charge[2] = {-40, 25}, ones[2] = {1, 1};
  const PetscInt n[3] = {4, 4, 1};
  FgPhaseTable   table;
  FgCell         cell;
  FgCellReport   report;

  (void)state;
  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "fixed-charge", charge));
  AgreedSuccess(CellSet(&table, "ion-mobility-factor", ones));
  AgreedSuccess(PetscCalloc1(3, &table.ions));
  table.nions   = 3;
  table.ions[0] = (FgIon){"Na", 1, 1.3e-9, 140};
  table.ions[1] = (FgIon){"Ca", 2, 0.8e-9, 5};
  table.ions[2] = (FgIon){"Cl", -1, 2.0e-9, 150};
  AgreedSuccess(CellFrom(n, &table, Half, &cell));
  Run(&cell, "ions", &report);
  for (int p = 0; p < 2; p++) {
    char   names[3][16];
    double sum = charge[p];

    snprintf(names[0], 16, "c_Na_p%d", p);
    snprintf(names[1], 16, "c_Ca_p%d", p);
    snprintf(names[2], 16, "c_Cl_p%d", p);
    sum += Entry(&report, names[0], 0, 0) + 2 * Entry(&report, names[1], 0, 0) - Entry(&report, names[2], 0, 0);
    Close(sum, 0, 1e-10, "neutral");
    Close(Entry(&report, names[0], 0, 0) * Entry(&report, names[2], 0, 0), 140.0 * 150.0, 1e-8, "Donnan product");
  }
  AgreedSuccess(FgReportDestroy(&report));
}

static void charged_baths_are_refused(void **state)
{
  const double   ones[2]  = {1, 1};
  const PetscInt n[3]     = {4, 4, 1};
  FgCellReport   report   = {0};
  FgCellSettings settings = FgCellDefaults;
  FgPhaseTable   table;
  FgCell         cell;

  (void)state;
  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "ion-mobility-factor", ones));
  AgreedSuccess(CellFrom(n, &table, Half, &cell));
  AgreedFailure(FgPhysicsFind("ions")->solve(cell, &settings, &report), PETSC_ERR_FILE_UNEXPECTED, "no ions");
  AgreedSuccess(PetscCalloc1(1, &cell->table.ions));
  cell->table.nions   = 1;
  cell->table.ions[0] = (FgIon){"Na", 1, 1.3e-9, 140};
  AgreedFailure(FgPhysicsFind("ions")->solve(cell, &settings, &report), PETSC_ERR_FILE_UNEXPECTED, "carry a charge of 140");
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(FgReportDestroy(&report));
}

/* --- Chemotaxis ----------------------------------------------------------------------------------------------------------------- */

static void Chemotaxis(const double M[2], const double D[2], const double S[2], FgCell (*make)(FgPhaseTable *),
                       FgCellReport *report)
{
  FgPhaseTable table;
  FgCell       cell;

  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "motility", M));
  AgreedSuccess(CellSet(&table, "diffusivity", D));
  AgreedSuccess(CellSet(&table, "sensitivity", S));
  cell = make(&table);
  Run(&cell, "chemotaxis", report);
}

static FgCell Layers(FgPhaseTable *table)
{
  const PetscInt n[3] = {8, 8, 1};
  FgCell         cell = NULL;

  AgreedSuccess(CellFrom(n, table, Half, &cell));
  return cell;
}

static FgCell Cylinders(FgPhaseTable *table)
{
  FgCell cell = NULL;

  AgreedSuccess(CellShape("square-cylinders", 0.4, 32, table, &cell));
  return cell;
}

static void chemotaxis_in_layers(void **state)
{
  const double M[2] = {1, 4}, D[2] = {1, 5}, S[2] = {2, 3};
  FgCellReport report;

  (void)state;
  Chemotaxis(M, D, S, Layers, &report);
  Close(Entry(&report, "S", 0, 0), 2.8666667, 1e-7, "across");
  Close(Entry(&report, "S", 0, 0), 1.6 * (2 / 1.2) * 0.5 * (2.0 + 3.0 / 20), 1e-12, "across");
  Close(Entry(&report, "S_one_corrector", 0, 0), 2.1666667, 1e-7, "across, one corrector");
  Close(Entry(&report, "S", 1, 1), 2.5, 1e-12, "along");
  AgreedSuccess(FgReportDestroy(&report));
}

static void chemotaxis_around_cylinders(void **state)
{
  const double M[2] = {1, 0.1}, D[2] = {1, 5}, S[2] = {2, 0.3};
  FgCellReport report;

  (void)state;
  Chemotaxis(M, D, S, Cylinders, &report);
  /* The reference's cylinder has 0.3907 of the voxels: <S> 1.3359. */
  Close(Entry(&report, "S_mean", 0, 0), 1.3359, 1e-4, "volume average");
  Close(Entry(&report, "S", 0, 0), 1.034475, 1e-6, "both correctors");
  AgreedTrue(Entry(&report, "S_one_corrector", 0, 0) > 1.6); /* converges to 1.689 from 1.700 here */
  AgreedSuccess(FgReportDestroy(&report));
  Chemotaxis(M, D, D, Cylinders, &report); /* < D (I + grad chi^D) > is D* by definition */
  Close(Entry(&report, "S_one_corrector", 0, 0), Entry(&report, "D", 0, 0), 1e-9, "one corrector, S = D");
  AgreedSuccess(FgReportDestroy(&report));
}

/* S = 3 M gives S* = 3 M* for any D; the formula with one corrector does not. With uniform M both formulas agree. */
static void proportional_sensitivity(void **state)
{
  const double M[2] = {1, 0.1}, D[2] = {1, 5}, S[2] = {3, 0.3}, uniform[2] = {2, 2};
  FgCellReport report;

  (void)state;
  Chemotaxis(M, D, S, Cylinders, &report);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) Close(Entry(&report, "S", i, j), 3 * Entry(&report, "M", i, j), 0.02, "S = 3 M");
  AgreedTrue(Entry(&report, "S_one_corrector", 0, 0) > 3.5 * Entry(&report, "M", 0, 0));
  AgreedSuccess(FgReportDestroy(&report));
  Chemotaxis(uniform, D, M, Cylinders, &report);
  Close(Entry(&report, "S", 0, 0), Entry(&report, "S_one_corrector", 0, 0), 1e-9, "uniform motility");
  AgreedSuccess(FgReportDestroy(&report));
}

/* --- Porous electrodes ------------------------------------------------------------------------------------------------------------ */

static void tortuosity_of_spheres(void **state)
{
  const double k[2] = {2, 0};
  FgPhaseTable table;
  FgCell       cell;
  FgCellReport report;

  (void)state;
  AgreedSuccess(CellPhases(2, &table));
  AgreedSuccess(CellSet(&table, "conductivity", k));
  AgreedSuccess(CellShape("cubic-spheres", 0.4, 64, &table, &cell));
  Run(&cell, "porous-electrode", &report);
  Close(Entry(&report, "tortuosity", 0, 0), 1.22422, 0.025 * 1.22, "tortuosity");
  Close(Entry(&report, "macmullin", 1, 0), 1.0 / 0.490110, 0.025 * 2.04, "MacMullin number");
  Close(Entry(&report, "bruggeman", 0, 0), 0.464758, 0.002, "Bruggeman");
  Close(Entry(&report, "macmullin", 2, 0) * Entry(&report, "epsilon", 0, 0), Entry(&report, "tortuosity", 2, 0), 1e-12,
        "definition");
  AgreedSuccess(FgReportDestroy(&report));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(areas_of_interfaces),       cmocka_unit_test(reaction_in_layers),
      cmocka_unit_test(uniform_reaction),          cmocka_unit_test(bidomain_fibers),
      cmocka_unit_test(bidomain_layers),           cmocka_unit_test(donnan_equilibrium),
      cmocka_unit_test(sodium_chloride_in_layers), cmocka_unit_test(both_ion_models),
      cmocka_unit_test(ions_of_any_valence),       cmocka_unit_test(charged_baths_are_refused),
      cmocka_unit_test(chemotaxis_in_layers),      cmocka_unit_test(chemotaxis_around_cylinders),
      cmocka_unit_test(proportional_sensitivity),  cmocka_unit_test(tortuosity_of_spheres),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
