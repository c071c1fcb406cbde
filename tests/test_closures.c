/* test_closures.c: every closure against closed forms, published arrays of cylinders (docs/closures.md), bounds and duality.
   Conductivities are relative to a matrix of 1 unless said. */
#include "finegrain/closure.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void assert_close(double found, double expected, double tolerance, const char *what)
{
  if (!(fabs(found - expected) <= tolerance))
    print_error("%s: found %.10g, expected %.10g +- %g\n", what, found, expected, tolerance);
  assert_true(fabs(found - expected) <= tolerance);
}

static FgPhases Phases(double matrix, double axial, double radial)
{
  return (FgPhases){matrix, axial, radial, 1.0, PETSC_FALSE};
}

static double Across(const char *name, double matrix, double fiber, double f)
{
  const FgPhases phases = Phases(matrix, fiber, fiber);
  double         c[2], dc[2];

  FgClosureEvaluate(FgClosureFind(name), &phases, 1.0 - f, c, dc);
  return c[1];
}

static double Along(const char *name, double matrix, double fiber, double f)
{
  const FgPhases phases = Phases(matrix, fiber, fiber);
  double         c[2], dc[2];

  FgClosureEvaluate(FgClosureFind(name), &phases, 1.0 - f, c, dc);
  return c[0];
}

static void names(void **state)
{
  static const char *const expected[] = {"series", "laminate", "hs2d", "rayleigh-square", "rayleigh-hex"};

  (void)state;
  for (int i = 0; i < 5; i++) assert_string_equal(FgClosureFind(expected[i])->name, expected[i]);
  assert_null(FgClosureFind("nothing"));
  for (int i = 0; FgClosures[i]; i++) assert_ptr_equal(FgClosureFind(FgClosures[i]->name), FgClosures[i]);
}

static void laminate_values(void **state)
{
  /* matrix, fiber, f, along the normal, in the layers */
  static const double row[][5] = {
      {1, 10, 0.5, 1.8181818, 5.5}, {1, 1000, 0.75, 3.9880359, 750.25}, {2, 0.3, 0.25, 0.8275862, 1.575}};

  (void)state;
  for (int i = 0; i < 3; i++) {
    assert_close(Along("laminate", row[i][0], row[i][1], row[i][2]), row[i][3], 5.1e-8, "laminate normal");
    assert_close(Across("laminate", row[i][0], row[i][1], row[i][2]), row[i][4], 1e-12, "laminate layers");
  }
}

/* Contrast 10, f = 0.3, 0.5, 0.7: harmonic mean against the 2-D lower bound; both bounds at f = 0.5; insulating fibers. */
static void series_and_hs2d_values(void **state)
{
  static const double f[] = {0.3, 0.5, 0.7}, harmonic[] = {1.370, 1.818, 2.703}, bound[] = {1.651, 2.385, 3.681};

  (void)state;
  for (int i = 0; i < 3; i++) {
    assert_close(Across("series", 1, 10, f[i]), harmonic[i], 5.1e-4, "series");
    assert_close(Across("hs2d", 1, 10, f[i]), bound[i], 5.1e-4, "hs2d");
    assert_close(Across("series", 1, 0, f[i]), 0.0, 0.0, "series, insulating");
    assert_close(Across("hs2d", 1, 0, f[i]), (1.0 - f[i]) / (1.0 + f[i]), 1e-15, "hs2d, insulating");
  }
  assert_close(Across("hs2d", 1, 10, 0.5), 2.3846154, 5.1e-8, "lower bound");
  assert_close(Across("hs2d", 10, 1, 0.5), 4.1935484, 5.1e-8, "upper bound");
}

/* How wrong a fraction comes out of the idealisation: a square array of true f = 0.5, contrast 10. */
static void series_inverts_to_the_wrong_fraction(void **state)
{
  double low = 0.0, high = 1.0;

  (void)state;
  for (int i = 0; i < 60; i++) {
    const double middle = 0.5 * (low + high);

    if (Across("series", 1, 10, middle) < 2.4154674) low = middle;
    else high = middle;
  }
  assert_close(low, 0.651, 5e-4, "fraction by the harmonic formula");
}

/* Equal circular cylinders, an own 24-multipole solution: rows k = 0, 0.1, 10, 50, 1000, inf; f = 0.1, 0.3, 0.5, 0.6, 0.7. */
static const double contrast[6]  = {0, 0.1, 10, 50, 1000, 1e13};
static const double fraction[5]  = {0.1, 0.3, 0.5, 0.6, 0.7};
static const double square[6][5] = {
    {0.8181768, 0.5375800, 0.3246545, 0.2303179, 0.1345404}, {0.8487366, 0.6053137, 0.4139986, 0.3292484, 0.2462019},
    {1.1782218, 1.6520360, 2.4154674, 3.0372208, 4.0617074}, {1.2125880, 1.8125290, 2.9145940, 3.9881496, 6.3359209},
    {1.2217365, 1.8577204, 3.0714035, 4.3225037, 7.3682150}, {1.2222298, 1.8601883, 3.0801978, 4.3418241, 7.4327093}};
static const double hexagon[6][5] = {
    {0.8181818, 0.5384420, 0.3328090, 0.2483430, 0.1720835}, {0.8487395, 0.6058278, 0.4190295, 0.3404196, 0.2688869},
    {1.1782178, 1.6506341, 2.3864667, 2.9375511, 3.7190357}, {1.2125814, 1.8099751, 2.8529369, 3.7433085, 5.2146920},
    {1.2217290, 1.8547652, 2.9967032, 4.0114296, 5.7779568}, {1.2222222, 1.8572102, 3.0047263, 4.0266897, 5.8111332}};
/* Measured largest relative deviation of the formulas over the six contrasts at each fraction, rounded up; 1e-7 is the last
   digit of the table. docs/closures.md quotes these numbers. */
static const double square_error[5] = {1e-7, 1e-7, 7e-6, 2.2e-4, 6.8e-3}, hexagon_error[5] = {1e-7, 1e-7, 1e-7, 1.1e-7, 5e-6};

static void CheckArray(const char *name, const double table[6][5], const double error[5])
{
  for (int j = 0; j < 5; j++) {
    double worst = 0.0;

    for (int i = 0; i < 6; i++) worst = fmax(worst, fabs(Across(name, 1, contrast[i], fraction[j]) / table[i][j] - 1.0));
    if (worst > error[j]) print_error("%s at f = %g deviates by %.3g\n", name, fraction[j], worst);
    assert_true(worst <= error[j]);
  }
}

static void rayleigh_tables(void **state)
{
  (void)state;
  CheckArray("rayleigh-square", square, square_error);
  CheckArray("rayleigh-hex", hexagon, hexagon_error);
}

static void arithmetic_mean_along_fibers(void **state)
{
  static const char *const columnar[] = {"series", "hs2d", "rayleigh-square", "rayleigh-hex"};

  (void)state;
  for (int i = 0; i < 4; i++) assert_close(Along(columnar[i], 1, 10, 0.4), 4.6, 1e-14, columnar[i]);
}

/* Keller: exchanging the phases of a 2-D material with equal principal values gives K(k1,k2) K(k2,k1) = k1 k2. */
static void keller_duality(void **state)
{
  static const char *const dual[] = {"hs2d", "rayleigh-square", "rayleigh-hex"};

  (void)state;
  for (int i = 0; i < 3; i++) {
    for (double k = 1e-3; k < 2e3; k *= 10.0) {
      for (double f = 0.1; f < 0.75; f += 0.2)
        assert_close(Across(dual[i], 1, k, f) * Across(dual[i], 1, 1.0 / k, f), 1.0, 1e-12, dual[i]);
    }
  }
  assert_true(fabs(Across("series", 1, 10, 0.5) * Across("series", 1, 0.1, 0.5) - 1.0) > 0.5); /* no such material */
}

/* Two-dimensional bounds on the principal values l1, l2 of a plane section with constant third direction (Lurie and Cherkaev):
   sum 1/(l - kmin) <= 1/(A - kmin) + 1/(H - kmin), and the same from above. Returns the larger of the two excesses, relative. */
static double BoundExcess(double k1, double k2, double f2, double l1, double l2)
{
  const double A = (1.0 - f2) * k1 + f2 * k2, H = 1.0 / ((1.0 - f2) / k1 + f2 / k2), low = fmin(k1, k2), high = fmax(k1, k2);
  const double right = 1.0 / (A - low) + 1.0 / (H - low), top = 1.0 / (high - A) + 1.0 / (high - H);

  if (l1 <= low || l2 <= low) return INFINITY;
  return fmax((1.0 / (l1 - low) + 1.0 / (l2 - low)) / right, (1.0 / (high - l1) + 1.0 / (high - l2)) / top) - 1.0;
}

static void only_series_breaks_the_bound(void **state)
{
  static const double k[] = {1e-3, 0.1, 0.5, 0.9, 1.1, 2, 10, 1e3};

  (void)state;
  for (int c = 0; FgClosures[c]; c++) {
    const FgClosure *closure = FgClosures[c];
    const int        series = !strcmp(closure->name, "series"), laminate = !strcmp(closure->name, "laminate");

    for (int i = 0; i < 8; i++) {
      for (int j = 1; j < 20; j++) {
        const double f      = closure->fiber_fraction_max * j / 20.0;
        const double across = Across(closure->name, 1, k[i], f), along = Along(closure->name, 1, k[i], f);
        const double excess = BoundExcess(1, k[i], f, laminate ? along : across, across);

        if (series) assert_true(excess > 1e-3);
        else if (excess > 1e-8) print_error("%s breaks the bound at contrast %g, f = %g by %g\n", closure->name, k[i], f, excess);
        if (!series) assert_true(excess <= 1e-8);
        if (laminate) assert_close(excess, 0.0, 1e-8, "a laminate attains the bound");
      }
    }
  }
}

static void fibers_may_be_transversely_isotropic(void **state)
{
  (void)state;
  for (int i = 0; FgClosures[i]; i++) {
    const int      laminate = !strcmp(FgClosures[i]->name, "laminate");
    const FgPhases mixed = Phases(3.0, 1.5, 0.2), axial = Phases(3.0, 1.5, 1.5), radial = Phases(3.0, 0.2, 0.2);
    double         c[2], a[2], r[2], unused[2];

    FgClosureEvaluate(FgClosures[i], &mixed, 0.6, c, unused);
    FgClosureEvaluate(FgClosures[i], &axial, 0.6, a, unused);
    FgClosureEvaluate(FgClosures[i], &radial, 0.6, r, unused);
    assert_close(c[0], a[0], 0.0, "along: the axial diffusivity");
    assert_close(c[1], r[1], 0.0, "across: the radial diffusivity");
    assert_close(c[0], laminate ? 1.0 / (0.6 / 3.0 + 0.4 / 1.5) : 0.6 * 3.0 + 0.4 * 1.5, 1e-14, "closed form along");
  }
}

static void limits_are_finite_and_right(void **state)
{
  (void)state;
  for (int i = 0; FgClosures[i]; i++) {
    static const double D[]   = {0.0, 0.4, 3.0};
    const double        least = 1.0 - FgClosures[i]->fiber_fraction_max;

    for (int matrix = 0; matrix < 3; matrix++)
      for (int axial = 0; axial < 3; axial++)
        for (int radial = 0; radial < 3; radial++)
          for (int storage = 0; storage < 3; storage++)
            for (int apparent = 0; apparent < 2; apparent++)
              for (double p = least; p <= 1.0; p += 0.25 * (1.0 - least)) {
                const FgPhases phases = {D[matrix], D[axial], D[radial], 0.5 * storage, apparent ? PETSC_TRUE : PETSC_FALSE};
                double         c[2], dc[2];

                FgClosureEvaluate(FgClosures[i], &phases, p, c, dc);
                for (int k = 0; k < 2; k++) assert_true(isfinite(c[k]) && isfinite(dc[k]) && c[k] >= 0.0 && c[k] <= 6.0 + 1e-9);
              }
    FgPhases phases = Phases(3.0, 1.0, 0.5);
    double   c[2], dc[2];

    FgClosureEvaluate(FgClosures[i], &phases, 1.0, c, dc);
    assert_close(c[0], 3.0, 1e-15, "no fibers, along");
    assert_close(c[1], 3.0, 1e-15, "no fibers, across");
    phases = Phases(1.3, 1.3, 1.3);
    FgClosureEvaluate(FgClosures[i], &phases, 0.5, c, dc);
    assert_close(c[0] + c[1], 2.6, 1e-14, "equal phases");
    assert_close(fabs(dc[0]) + fabs(dc[1]), 0.0, 1e-14, "equal phases");
    if (FgClosures[i]->fiber_fraction_max < 1.0) continue;
    phases = Phases(3.0, 1.0, 0.5);
    FgClosureEvaluate(FgClosures[i], &phases, 0.0, c, dc);
    assert_close(c[0], 1.0, 1e-15, "fibers only, along");
    assert_close(c[1], 0.5, 1e-15, "fibers only, across");
  }
}

/* Effective tensors are homogeneous of degree one in the phases. */
static void homogeneity(void **state)
{
  (void)state;
  for (int i = 0; FgClosures[i]; i++) {
    const FgPhases one = Phases(2.8, 1.1, 0.3), other = Phases(2.8e-3, 1.1e-3, 0.3e-3);
    double         c[2], d[2], unused[2];

    FgClosureEvaluate(FgClosures[i], &one, 0.55, c, unused);
    FgClosureEvaluate(FgClosures[i], &other, 0.55, d, unused);
    for (int k = 0; k < 2; k++) assert_close(1e3 * d[k], c[k], 1e-13, FgClosures[i]->name);
  }
}

/* Storage multiplies the fiber's coefficient; the apparent tensor is divided by the mean storage. */
static void storage_and_normalisation(void **state)
{
  (void)state;
  for (int i = 0; FgClosures[i]; i++) {
    const FgPhases stored = {3.0, 1.5, 0.4, 0.6, PETSC_FALSE}, apparent = {3.0, 1.5, 0.4, 0.6, PETSC_TRUE};
    const FgPhases scaled = Phases(3.0, 0.9, 0.24);
    double         c[2], a[2], s[2], unused[2];

    FgClosureEvaluate(FgClosures[i], &stored, 0.3, c, unused);
    FgClosureEvaluate(FgClosures[i], &scaled, 0.3, s, unused);
    FgClosureEvaluate(FgClosures[i], &apparent, 0.3, a, unused);
    for (int k = 0; k < 2; k++) {
      assert_close(c[k], s[k], 1e-15, "storage");
      assert_close(a[k], c[k] / (0.3 + 0.7 * 0.6), 1e-14, "apparent");
    }
  }
  /* Impermeable fibers hold no visible water: effective along = porosity D_e, but a tracer sees D_e at every porosity. */
  for (double porosity = 0.0; porosity <= 1.0; porosity += 0.125) {
    const FgPhases apparent = {3.0, 1.5, 0.4, 0.0, PETSC_TRUE}, effective = {3.0, 1.5, 0.4, 0.0, PETSC_FALSE};
    double         c[2], dc[2];

    FgClosureEvaluate(FgClosureFind("hs2d"), &apparent, porosity, c, dc);
    assert_close(c[0], 3.0, 1e-9, "apparent axial");
    assert_close(dc[0], 0.0, 1e-3, "apparent axial derivative");
    assert_close(c[1], 3.0 / (2.0 - porosity), 1e-5, "apparent radial");
    FgClosureEvaluate(FgClosureFind("hs2d"), &effective, porosity, c, dc);
    assert_close(c[0], 3.0 * porosity, 1e-15, "effective axial");
  }
}

/* Five-point differences, error h^4/30 times the fifth derivative: far stricter than an order, which an inflection point blurs. */
static void derivatives(void **state)
{
  static const FgPhases phases[] = {{1.0, 10.0, 10.0, 1.0, PETSC_FALSE},
                                    {3.0, 1.0, 0.0, 0.7, PETSC_TRUE},
                                    {2.8, 0.3, 0.1, 1.0, PETSC_FALSE},
                                    {3.0, 0.0, 0.0, 0.0, PETSC_TRUE}};
  const double          h        = 2e-4;

  (void)state;
  for (int i = 0; FgClosures[i]; i++) {
    for (int j = 0; j < 4; j++) {
      for (double p = 0.3; p < 0.95; p += 0.15) {
        double c[5][2], dc[2], unused[2];

        FgClosureEvaluate(FgClosures[i], &phases[j], p, c[2], dc);
        for (int k = 0; k < 5; k++) FgClosureEvaluate(FgClosures[i], &phases[j], p + (k - 2) * h, c[k], unused);
        for (int k = 0; k < 2; k++) {
          const double difference = (c[0][k] - 8.0 * c[1][k] + 8.0 * c[3][k] - c[4][k]) / (12.0 * h);

          assert_close(dc[k], difference, 1e-9 * (1.0 + fabs(difference)), FgClosures[i]->name);
        }
      }
    }
  }
}

static const FgPreset *Preset(const char *name)
{
  const FgPreset *preset = FgPresets;

  while (preset->name && strcmp(preset->name, name)) preset++;
  assert_non_null(preset->name);
  return preset;
}

static void presets_are_complete(void **state)
{
  (void)state;
  assert_string_equal(FgPresets[0].name, "brain"); /* the default */
  for (const FgPreset *preset = FgPresets; preset->name; preset++) {
    int found = 0;

    assert_non_null(FgClosureFind(preset->closure));
    for (int o = 0; FgOrientations[o]; o++) found += !strcmp(FgOrientations[o], preset->orientation);
    assert_int_equal(found, 1);
    assert_true(preset->summary && strstr(preset->source, preset->name));
    assert_true(preset->phases.matrix > 0.5e-3 && preset->phases.matrix <= 3.1e-3); /* no faster than water at 37 C */
    assert_true(preset->phases.fiber_axial >= preset->phases.fiber_radial && preset->phases.fiber_axial < preset->phases.matrix);
  }
}

/* docs/presets.md: the heart's constants reproduce the published mean diffusivity 1.4e-3 mm^2/s and fractional anisotropy 0.28 at the
   published extracellular volume 0.256; the muscle's the eigenvalues quoted there at porosity 0.1. */
static void presets_reproduce_their_sources(void **state)
{
  const FgPreset *heart = Preset("heart"), *muscle = Preset("muscle");
  double          c[2], dc[2];

  (void)state;
  FgClosureEvaluate(FgClosureFind(heart->closure), &heart->phases, 0.256, c, dc);
  assert_close((c[0] + 2.0 * c[1]) / 3.0, 1.4e-3, 0.005e-3, "mean diffusivity of the heart");
  assert_close((c[0] - c[1]) / sqrt(c[0] * c[0] + 2.0 * c[1] * c[1]), 0.28, 0.003, "fractional anisotropy of the heart");
  FgClosureEvaluate(FgClosureFind(muscle->closure), &muscle->phases, 0.1, c, dc);
  assert_close(c[0], 1.92e-3, 0.005e-3, "muscle along");
  assert_close(c[1], 1.43e-3, 0.005e-3, "muscle across");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names),
      cmocka_unit_test(laminate_values),
      cmocka_unit_test(series_and_hs2d_values),
      cmocka_unit_test(series_inverts_to_the_wrong_fraction),
      cmocka_unit_test(rayleigh_tables),
      cmocka_unit_test(arithmetic_mean_along_fibers),
      cmocka_unit_test(keller_duality),
      cmocka_unit_test(only_series_breaks_the_bound),
      cmocka_unit_test(fibers_may_be_transversely_isotropic),
      cmocka_unit_test(limits_are_finite_and_right),
      cmocka_unit_test(homogeneity),
      cmocka_unit_test(storage_and_normalisation),
      cmocka_unit_test(derivatives),
      cmocka_unit_test(presets_are_complete),
      cmocka_unit_test(presets_reproduce_their_sources),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
