/* test_rician.c: the mean of a Rician signal against GSL's Bessel functions, against the integral that defines it, and its
   slope against both. */
#include "forward/rician.h"

#include <gsl/gsl_sf_bessel.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static double Bessel(double x, double *slope)
{
  const double z = 0.25 * x * x, c = sqrt(0.5 * M_PI), I0 = gsl_sf_bessel_I0_scaled(z), I1 = gsl_sf_bessel_I1_scaled(z);

  *slope = c * 0.5 * x * (I0 + I1);
  return c * ((1.0 + 2.0 * z) * I0 + 2.0 * z * I1);
}

static void agrees_with_bessel_functions(void **state)
{
  double worst = 0.0, worst_slope = 0.0;

  (void)state;
  FgRicianSetup();
  for (int i = 0; i <= 40000; i++) {
    const double x = 0.001 * i * (1.0 + 0.0001 * i), sigma = 0.3 + 0.001 * (i % 97), S = sigma * x; /* 0 .. 200 */
    double       mean, slope, reference, reference_slope;

    FgRicianMean(1, &S, sigma, &mean, &slope);
    reference   = Bessel(x, &reference_slope);
    worst       = fmax(worst, fabs(mean / (sigma * reference) - 1.0));
    worst_slope = fmax(worst_slope, fabs(slope - reference_slope));
  }
  if (worst > 1e-9 || worst_slope > 1e-8) print_error("mean %g (relative), slope %g\n", worst, worst_slope);
  assert_true(worst < 1e-9);
  assert_true(worst_slope < 1e-8);
}

/* The mean is the integral of r against Rice's density r exp(-(r^2 + x^2)/2) I0(r x), by the trapezoidal rule, which converges
   faster than any power for this integrand. */
static void agrees_with_the_integral(void **state)
{
  (void)state;
  FgRicianSetup();
  for (double x = 0.0; x < 30.0; x += 0.37) {
    const double h   = 1e-3;
    double       sum = 0.0, mean, slope;

    for (double r = h; r < x + 12.0; r += h) sum += h * r * r * exp(-0.5 * (r - x) * (r - x)) * gsl_sf_bessel_I0_scaled(r * x);
    FgRicianMean(1, &x, 1.0, &mean, &slope);
    assert_true(fabs(mean / sum - 1.0) < 1e-9);
  }
}

/* The slope belongs to the value: central differences inside one interval of the table, and in the series. */
static void slope_is_the_derivative_of_the_value(void **state)
{
  (void)state;
  FgRicianSetup();
  for (int i = 0; i < 400; i++) {
    const double x = 0.0625 + 0.125 * i, h = 1e-3, point[3] = {x - h, x, x + h};
    double       mean[3], slope[3];

    FgRicianMean(3, point, 1.0, mean, slope);
    assert_true(fabs((mean[2] - mean[0]) / (2.0 * h) - slope[1]) < 2e-7); /* h^2/6 g''' */
    assert_true(slope[0] <= slope[1] && slope[1] <= slope[2] && mean[1] > x);
  }
}

static void floor_and_scale(void **state)
{
  const double S[4] = {0.0, 20.0, 1e6, 20.0};
  double       mean[4], slope[4], inplace[4] = {0.0, 20.0, 1e6, 20.0};

  (void)state;
  FgRicianSetup();
  FgRicianMean(4, S, 20.0, mean, slope);
  assert_true(fabs(mean[0] - 20.0 * sqrt(0.5 * M_PI)) < 1e-9 && fabs(slope[0]) < 1e-12); /* the Rayleigh floor */
  assert_true(fabs(mean[1] / 20.0 - 1.5485724605511453) < 1e-9);                         /* sqrt(pi/2) L_1/2(-1/2) */
  assert_true(fabs(mean[2] / 1e6 - 1.0) < 1e-9 && fabs(slope[2] - 1.0) < 1e-9);
  FgRicianMean(4, inplace, 20.0, inplace, slope);
  for (int i = 0; i < 4; i++) assert_true(inplace[i] == mean[i]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_bessel_functions),
      cmocka_unit_test(agrees_with_the_integral),
      cmocka_unit_test(slope_is_the_derivative_of_the_value),
      cmocka_unit_test(floor_and_scale),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
