/* test_magnitude.c: the mean of a Rician and a noncentral-chi magnitude against GSL's Bessel and hypergeometric functions, against
   the integral that defines it, against drawn magnitudes, and its slope against all these. */
#include "forward/magnitude.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_bessel.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_hyperg.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static FgMagnitude *Create(double coils)
{
  FgMagnitude *magnitude = NULL;

  assert_int_equal(FgMagnitudeCreate(coils, &magnitude), 0);
  return magnitude;
}

static void Destroy(FgMagnitude *magnitude)
{
  assert_int_equal(PetscFree(magnitude), 0);
}

static double Bessel(double x, double *slope)
{
  const double z = 0.25 * x * x, c = sqrt(0.5 * M_PI), I0 = gsl_sf_bessel_I0_scaled(z), I1 = gsl_sf_bessel_I1_scaled(z);

  *slope = c * 0.5 * x * (I0 + I1);
  return c * ((1.0 + 2.0 * z) * I0 + 2.0 * z * I1);
}

static void one_coil_agrees_with_bessel_functions(void **state)
{
  FgMagnitude *one   = Create(1.0);
  double       worst = 0.0, worst_slope = 0.0;

  (void)state;
  for (int i = 0; i <= 40000; i++) {
    const double x = 0.001 * i * (1.0 + 0.0001 * i), sigma = 0.3 + 0.001 * (i % 97), S = sigma * x; /* 0 .. 200 */
    double       mean, slope, reference, reference_slope;

    FgMagnitudeMean(one, 1, &S, sigma, &mean, &slope);
    reference   = Bessel(x, &reference_slope);
    worst       = fmax(worst, fabs(mean / (sigma * reference) - 1.0));
    worst_slope = fmax(worst_slope, fabs(slope - reference_slope));
  }
  if (worst > 1e-9 || worst_slope > 1e-8) print_error("mean %g (relative), slope %g\n", worst, worst_slope);
  assert_true(worst < 1e-9);
  assert_true(worst_slope < 1e-8);
  Destroy(one);
}

/* g = sqrt(2) Gamma(n + 1/2)/Gamma(n) 1F1(-1/2; n; -x^2/2) and g' = sqrt(2) Gamma(n + 1/2)/Gamma(n) x/(2n) 1F1(1/2; n + 1; -x^2/2),
   by GSL, with and without Kummer's transformation 1F1(a; b; -y) = exp(-y) 1F1(b - a; b; y). FALSE where GSL has no value. */
static int Hypergeometric(double coils, double x, double *mean, double *slope)
{
  const double  y = 0.5 * x * x, factor = sqrt(2.0) * exp(gsl_sf_lngamma(coils + 0.5) - gsl_sf_lngamma(coils));
  gsl_sf_result value, derivative;
  double        scale = 1.0;

  if (gsl_sf_hyperg_1F1_e(-0.5, coils, -y, &value) || gsl_sf_hyperg_1F1_e(0.5, coils + 1.0, -y, &derivative)) {
    if (y > 650.0) return 0;
    if (gsl_sf_hyperg_1F1_e(coils + 0.5, coils, y, &value) || gsl_sf_hyperg_1F1_e(coils + 0.5, coils + 1.0, y, &derivative))
      return 0;
    scale = exp(-y);
  }
  *mean  = factor * value.val * scale;
  *slope = factor * x / (2.0 * coils) * derivative.val * scale;
  return 1;
}

static void coils_agree_with_hypergeometric_functions(void **state)
{
  static const double coils[] = {1.0, 1.7, 2.0, 3.5, 4.0, 8.0, 12.3, 32.0, 64.0, 128.0};

  (void)state;
  gsl_set_error_handler_off();
  for (size_t c = 0; c < sizeof coils / sizeof coils[0]; c++) {
    FgMagnitude *magnitude = Create(coils[c]);
    double       worst = 0.0, worst_slope = 0.0;
    int          compared = 0;

    for (double x = 0.0; x < 2.0 * magnitude->limit; x += 0.0371) {
      const double sigma = 7.0, S = sigma * x;
      double       mean, slope, reference, reference_slope;

      if (!Hypergeometric(coils[c], x, &reference, &reference_slope)) continue;
      FgMagnitudeMean(magnitude, 1, &S, sigma, &mean, &slope);
      worst       = fmax(worst, fabs(mean / (sigma * reference) - 1.0));
      worst_slope = fmax(worst_slope, fabs(slope - reference_slope));
      compared++;
    }
    print_message("%g coils: %d points, mean %.1e (relative), slope %.1e\n", coils[c], compared, worst, worst_slope);
    assert_true(compared > 400);
    assert_true(worst < 1e-9);
    assert_true(worst_slope < 1e-8);
    Destroy(magnitude);
  }
}

/* The mean is the integral of r against Rice's density r exp(-(r^2 + x^2)/2) I0(r x), by the trapezoidal rule, which converges
   faster than any power for this integrand. */
static void one_coil_agrees_with_the_integral(void **state)
{
  FgMagnitude *one = Create(1.0);

  (void)state;
  for (double x = 0.0; x < 30.0; x += 0.37) {
    const double h   = 1e-3;
    double       sum = 0.0, mean, slope;

    for (double r = h; r < x + 12.0; r += h) sum += h * r * r * exp(-0.5 * (r - x) * (r - x)) * gsl_sf_bessel_I0_scaled(r * x);
    FgMagnitudeMean(one, 1, &x, 1.0, &mean, &slope);
    assert_true(fabs(mean / sum - 1.0) < 1e-9);
  }
  Destroy(one);
}

/* Magnitudes as a scanner makes them: the signal spread over the coils, complex noise in each, root of the sum of squares. */
static void coils_agree_with_drawn_magnitudes(void **state)
{
  enum { DRAWS = 100000 };
  gsl_rng *random = gsl_rng_alloc(gsl_rng_taus2);

  (void)state;
  for (int coils = 1; coils <= 16; coils *= 4) {
    FgMagnitude *magnitude = Create(coils);

    for (double x = 0.0; x < 12.0; x += 2.7) {
      double sum = 0.0, squares = 0.0, mean, slope, error;

      for (int k = 0; k < DRAWS; k++) {
        double square = 0.0;

        for (int c = 0; c < coils; c++) {
          const double real = x / sqrt(coils) + gsl_ran_ugaussian(random), imaginary = gsl_ran_ugaussian(random);

          square += real * real + imaginary * imaginary;
        }
        sum += sqrt(square);
        squares += square;
      }
      FgMagnitudeMean(magnitude, 1, &x, 1.0, &mean, &slope);
      error = sqrt((squares / DRAWS - sum * sum / DRAWS / DRAWS) / DRAWS);
      if (!(fabs(mean - sum / DRAWS) < 4.0 * error))
        print_error("%d coils, x %g: %g, drawn %g +- %g\n", coils, x, mean, sum / DRAWS, error);
      assert_true(fabs(mean - sum / DRAWS) < 4.0 * error);
      /* the variance by which models weigh them: S^2 + 2 coils - mean^2 */
      assert_true(fabs((x * x + 2.0 * coils - mean * mean) / (error * error * DRAWS) - 1.0) < 4.0 * sqrt(2.0 / DRAWS));
    }
    Destroy(magnitude);
  }
  gsl_rng_free(random);
}

/* The slope belongs to the value: central differences inside one interval of the table, and in the series. */
static void slope_is_the_derivative_of_the_value(void **state)
{
  (void)state;
  for (double coils = 1.0; coils < 100.0; coils *= 2.5) {
    FgMagnitude *magnitude = Create(coils);

    for (int i = 0; i < 600; i++) {
      const double x = 0.0625 + 0.125 * i, h = 1e-3, point[3] = {x - h, x, x + h};
      double       mean[3], slope[3];

      FgMagnitudeMean(magnitude, 3, point, 1.0, mean, slope);
      assert_true(fabs((mean[2] - mean[0]) / (2.0 * h) - slope[1]) < 2e-7); /* h^2/6 g''' */
      assert_true(slope[0] <= slope[1] && slope[1] <= slope[2] && mean[1] > x);
    }
    Destroy(magnitude);
  }
}

static void floor_and_scale(void **state)
{
  const double S[4] = {0.0, 20.0, 1e6, 20.0};
  double       mean[4], slope[4], inplace[4] = {0.0, 20.0, 1e6, 20.0};
  FgMagnitude *one = Create(1.0), *eight = Create(8.0);

  (void)state;
  FgMagnitudeMean(one, 4, S, 20.0, mean, slope);
  assert_true(fabs(mean[0] - 20.0 * sqrt(0.5 * M_PI)) < 1e-9 && fabs(slope[0]) < 1e-12); /* the Rayleigh floor */
  assert_true(fabs(mean[1] / 20.0 - 1.5485724605511453) < 1e-9);                         /* sqrt(pi/2) L_1/2(-1/2) */
  assert_true(fabs(mean[2] / 1e6 - 1.0) < 1e-9 && fabs(slope[2] - 1.0) < 1e-9);
  FgMagnitudeMean(one, 4, inplace, 20.0, inplace, slope);
  for (int i = 0; i < 4; i++) assert_true(inplace[i] == mean[i]);
  FgMagnitudeMean(eight, 1, S, 20.0, mean, slope);
  assert_true(fabs(mean[0] - 20.0 * sqrt(0.5 * M_PI) * 6435.0 / 2048.0) <
              1e-8); /* sqrt(pi/2) 15!!/(2^7 7!), the floor of eight coils */
  Destroy(one);
  Destroy(eight);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_coil_agrees_with_bessel_functions), cmocka_unit_test(coils_agree_with_hypergeometric_functions),
      cmocka_unit_test(one_coil_agrees_with_the_integral),     cmocka_unit_test(coils_agree_with_drawn_magnitudes),
      cmocka_unit_test(slope_is_the_derivative_of_the_value),  cmocka_unit_test(floor_and_scale),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
