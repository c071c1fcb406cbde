/* test_closure_table.c: the closure that interpolates a table: exact at its points, at no fibers and at equal phases; near the truth between
   its points; its derivative is its derivative; what cannot be interpolated is refused. The truth: multipole solutions of the square
   array (square_array.h), themselves checked against published values. */
#include "recorder.h"
#include "square_array.h"

#include "finegrain/closure.h"

static FgPhases Phases(double axial, double radial)
{
  return (FgPhases){1.0, axial, radial, 1.0, PETSC_FALSE};
}

static void assert_close(double found, double expected, double tolerance, const char *what)
{
  if (!(fabs(found - expected) <= tolerance))
    print_error("%s: found %.10g, expected %.10g +- %g\n", what, found, expected, tolerance);
  assert_true(fabs(found - expected) <= tolerance);
}

static double Across(const FgClosure *closure, const FgPhases *phases, double f)
{
  double c[2], dc[2];

  FgClosureEvaluate(closure, phases, 1.0 - f, c, dc);
  return c[1];
}

/* Published values (docs/closures.md), to the digits that are printed there. */
static void reference_values(void **state)
{
  static const double row[][3] = {{0.1, 0.0, 0.8181768}, {0.7, 0.0, 0.1345404},     {0.6, 0.1, 0.3292484},
                                  {0.5, 10, 2.4154674},  {0.7, 10, 4.0617074},      {0.6, 50, 3.9881496},
                                  {0.7, 50, 6.3359209},  {0.7, 1000, 7.3682150},    {0.6, 1000, 4.3225037},
                                  {0.3, 0.1, 0.6053137}, {0.7, INFINITY, 7.4327093}};

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof *row; i++)
    assert_close(SquareArray(row[i][0], row[i][1]), row[i][2], 6e-8, "square array");
}

/* Largest relative error between the points, over fractions from 0.005 to `most`. */
static double Error(const FgHomogenizationTable *table, double contrast, double most)
{
  const FgPhases   phases = Phases(contrast, contrast);
  const FgClosure *closure;
  double           worst = 0.0;

  ExpectSuccess(FgClosureFromTable(table, &phases, &closure));
  for (double f = 0.005; f <= most; f += 0.0103) {
    const double error = fabs(Across(closure, &phases, f) / SquareArray(f, contrast) - 1.0);

    worst = fmax(worst, error);
  }
  ExpectSuccess(FgClosureDestroy(&closure));
  return worst;
}

static void between_the_points(void **state)
{
  static const double   contrasts[] = {0.0, 5e-4, 1.7e-3, 0.02, 0.1, 0.55, 1.3, 2.0, 5.6, 10.0, 50.0, 177.0, 560.0, 1000.0};
  FgHomogenizationTable table;

  (void)state;
  TableOfSquareArray(&table, PETSC_TRUE);
  for (size_t i = 0; i < sizeof contrasts / sizeof *contrasts; i++) {
    const double far = Error(&table, contrasts[i], 0.7), near = Error(&table, contrasts[i], 0.78);

    print_message("contrast %g: relative error at most %.1e up to fraction 0.7, %.1e up to 0.78\n", contrasts[i], far, near);
    assert_true(far < 1e-4);
    assert_true(near < 5e-3);
  }
  ExpectSuccess(FgHomogenizationTableDestroy(&table));
}

/* Without the packing limit the table stays good away from touching. */
static void without_packing(void **state)
{
  FgHomogenizationTable table;

  (void)state;
  TableOfSquareArray(&table, PETSC_FALSE);
  table.packing = NAN;
  assert_true(Error(&table, 10.0, 0.7) < 1e-3);
  assert_true(Error(&table, 560.0, 0.7) < 2e-3);
  ExpectSuccess(FgHomogenizationTableDestroy(&table));
}

static void exact_where_it_is_known(void **state)
{
  FgHomogenizationTable table;

  (void)state;
  TableOfSquareArray(&table, PETSC_TRUE);
  for (PetscInt j = 0; j < table.axes[1].n; j++) {
    const double     k      = table.axes[1].value[j];
    const FgPhases   phases = Phases(0.7 * k, k);
    const FgClosure *closure;
    double           c[2], dc[2];

    ExpectSuccess(FgClosureFromTable(&table, &phases, &closure));
    assert_true(closure->fiber_fraction_max == 0.78);
    for (PetscInt i = 0; i < table.axes[0].n; i++) {
      const double K = table.tensor[9 * (i * table.axes[1].n + j)];

      assert_close(Across(closure, &phases, table.axes[0].value[i]), K, 1e-10 * K, "at a point");
    }
    FgClosureEvaluate(closure, &phases, 1.0, c, dc);
    assert_true(c[0] == 1.0 && c[1] == 1.0);
    FgClosureEvaluate(closure, &phases, 0.4, c, dc);
    assert_close(c[0], 0.6 * 0.7 * k + 0.4, 1e-14 * (1.0 + k), "along columns: the mean");
    ExpectSuccess(FgClosureDestroy(&closure));
    assert_null(closure);
  }
  ExpectSuccess(FgHomogenizationTableDestroy(&table));
}

/* Rows belong to the fractions of their voxels, which scatter about what was asked for. */
static void rows_of_scattered_fractions(void **state)
{
  FgHomogenizationTable table;

  (void)state;
  TableOfSquareArray(&table, PETSC_FALSE);
  for (PetscInt i = 0; i < 20; i++) {
    for (PetscInt j = 0; j < 13; j++) {
      const double f = table.axes[0].value[i] + 0.004 * sin(5.0 * (double)i);

      table.fraction_voxels[i * 13 + j] = f;
      table.tensor[9 * (i * 13 + j)] = table.tensor[9 * (i * 13 + j) + 4] = SquareArray(f, table.axes[1].value[j]);
    }
  }
  assert_true(Error(&table, 10.0, 0.7) < 1e-4);
  assert_true(Error(&table, 0.02, 0.7) < 1e-4);
  ExpectSuccess(FgHomogenizationTableDestroy(&table));
}

/* Spheres of a dilute suspension (Maxwell): isotropic, along and across alike, and g is not 1 at f = 0. */
static double Maxwell(double f, double k)
{
  const double b = (k - 1.0) / (k + 2.0);

  return (1.0 + 2.0 * f * b) / (1.0 - f * b);
}

/* Derivatives at 2 x 97 places by differences of fourth order; knots lie among them. */
static void CheckDerivatives(const FgClosure *closure, const FgPhases *phases)
{
  const double h = 1e-4;

  for (int i = 2; i < 99; i++) {
    const double p = 1.0 - closure->fiber_fraction_max * (0.99 * i / 100.0);
    double       c[5][2], dc[2], unused[2];

    for (int k = 0; k < 5; k++) FgClosureEvaluate(closure, phases, p + (k - 2) * h, c[k], unused);
    FgClosureEvaluate(closure, phases, p, c[2], dc);
    for (int k = 0; k < 2; k++) {
      const double difference = (c[0][k] - 8.0 * c[1][k] + 8.0 * c[3][k] - c[4][k]) / (12.0 * h);

      assert_close(dc[k], difference, 1e-6 * (1.0 + fabs(difference)), closure->name);
    }
  }
}

static void derivatives(void **state)
{
  static const double   contrasts[] = {0.0, 0.03, 0.4, 3.0, 40.0, 900.0};
  FgHomogenizationTable table, spheres;

  (void)state;
  TableOfSquareArray(&table, PETSC_TRUE);
  TableFill(&spheres, 12, 0.03, 0.6, table.axes[1].n, table.axes[1].value, Maxwell, Maxwell);
  spheres.columnar = PETSC_FALSE;
  spheres.packing  = NAN;
  for (size_t i = 0; i < sizeof contrasts / sizeof *contrasts; i++) {
    for (int apparent = 0; apparent < 2; apparent++) {
      const FgPhases phases = {2.0, 2.0 * contrasts[i] / 0.8, 2.0 * contrasts[i] / 0.8, 0.8, apparent ? PETSC_TRUE : PETSC_FALSE};
      const FgClosure *closures[2];

      ExpectSuccess(FgClosureFromTable(&table, &phases, &closures[0]));
      ExpectSuccess(FgClosureFromTable(&spheres, &phases, &closures[1]));
      for (int k = 0; k < 2; k++) {
        CheckDerivatives(closures[k], &phases);
        ExpectSuccess(FgClosureDestroy(&closures[k]));
      }
    }
  }
  ExpectSuccess(FgHomogenizationTableDestroy(&table));
  ExpectSuccess(FgHomogenizationTableDestroy(&spheres));
}

static void spheres(void **state)
{
  static const double   contrasts[] = {0.0, 0.1, 0.3, 3.0, 10.0, 100.0};
  FgHomogenizationTable table;

  (void)state;
  TableFill(&table, 12, 0.03, 0.6, 6, contrasts, Maxwell, Maxwell); /* equal phases lie between two contrasts */
  table.columnar = PETSC_FALSE;
  table.packing  = NAN;
  for (double k = 0.0; k <= 100.0; k = k < 0.05 ? 0.05 : 1.7 * k) {
    const FgPhases   phases = Phases(k, k);
    const FgClosure *closure;
    double           c[2], dc[2];

    ExpectSuccess(FgClosureFromTable(&table, &phases, &closure));
    for (double f = 0.0; f <= 0.6; f += 0.0137) {
      FgClosureEvaluate(closure, &phases, 1.0 - f, c, dc);
      assert_close(c[1] / Maxwell(f, k), 1.0, 2e-3, "spheres");
      assert_true(fabs(c[0] - c[1]) < 1e-14 * c[0]);
    }
    ExpectSuccess(FgClosureDestroy(&closure));
  }
  ExpectSuccess(FgHomogenizationTableDestroy(&table));
}

/* For other phases than it was made for it has no value. */
static void other_phases(void **state)
{
  const FgPhases        phases = Phases(3.0, 2.0), others = Phases(3.0, 2.5);
  const FgClosure      *closure;
  FgHomogenizationTable table;

  (void)state;
  TableOfSquareArray(&table, PETSC_FALSE);
  ExpectSuccess(FgClosureFromTable(&table, &phases, &closure));
  assert_true(isfinite(Across(closure, &phases, 0.3)));
  assert_true(isnan(Across(closure, &others, 0.3)));
  ExpectSuccess(FgClosureDestroy(&closure));
  ExpectSuccess(FgHomogenizationTableDestroy(&table));
}

static void refusals(void **state)
{
  const FgPhases insulating = Phases(1.0, 0.0), high = Phases(1.0, 1500.0), good = Phases(0.5, 0.5),
                 anisotropic = Phases(0.7, 0.5);
  const FgClosure      *closure;
  FgHomogenizationTable table;

  (void)state;
  TableOfSquareArray(&table, PETSC_FALSE);
  strcpy(table.file, "table.h5");
  ExpectFailure(FgClosureFromTable(&table, &insulating, &closure), PETSC_ERR_USER,
                "table.h5: has the contrasts 0.001 to 1000, found 0");
  ExpectFailure(FgClosureFromTable(&table, &insulating, &closure), PETSC_ERR_USER, "contrast=0,0.001:1000:13");
  ExpectFailure(FgClosureFromTable(&table, &high, &closure), PETSC_ERR_USER, "contrast=0.001:1500:13");
  assert_null(closure);
  table.columnar = PETSC_FALSE;
  ExpectFailure(FgClosureFromTable(&table, &anisotropic, &closure), PETSC_ERR_USER, "phase must be isotropic");
  table.columnar = PETSC_TRUE;

  strcpy(table.physics, "stokes");
  ExpectFailure(FgClosureFromTable(&table, &good, &closure), PETSC_ERR_FILE_UNEXPECTED, "a table of stokes");
  strcpy(table.physics, "conduction");
  strcpy(table.axes[1].name, "angle");
  ExpectFailure(FgClosureFromTable(&table, &good, &closure), PETSC_ERR_FILE_UNEXPECTED, "fraction and contrast");
  strcpy(table.axes[1].name, "contrast");
  table.tensor[9 * 30] *= 1.5;
  ExpectFailure(FgClosureFromTable(&table, &good, &closure), PETSC_ERR_FILE_UNEXPECTED, "across the fiber axis");
  table.tensor[9 * 30] /= 1.5;
  table.tensor[9 * 60] = table.tensor[9 * 60 + 4] = 1200.0;
  ExpectFailure(FgClosureFromTable(&table, &good, &closure), PETSC_ERR_FILE_UNEXPECTED, "beyond both phases");
  table.tensor[9 * 60] = table.tensor[9 * 60 + 4] = SquareArray(table.axes[0].value[4], table.axes[1].value[8]);
  table.fraction_voxels[20] += 1e-6;
  ExpectFailure(FgClosureFromTable(&table, &good, &closure), PETSC_ERR_FILE_UNEXPECTED, "changes with the contrast");
  for (int j = 0; j < 13; j++) table.fraction_voxels[13 + j] = table.fraction_voxels[0];
  ExpectFailure(FgClosureFromTable(&table, &good, &closure), PETSC_ERR_FILE_UNEXPECTED, "finer resolution");
  ExpectSuccess(FgHomogenizationTableDestroy(&table));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reference_values), cmocka_unit_test(between_the_points),          cmocka_unit_test(without_packing),
      cmocka_unit_test(spheres),          cmocka_unit_test(exact_where_it_is_known),     cmocka_unit_test(derivatives),
      cmocka_unit_test(other_phases),     cmocka_unit_test(rows_of_scattered_fractions), cmocka_unit_test(refusals),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
