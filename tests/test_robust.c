/* test_robust.c: Huber's function and its moments under Gaussian noise against their definitions by quadrature. */
#include "finegrain/robust.h"

#include <gsl/gsl_randist.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void bound_weight_and_square_belong_together(void **state)
{
  (void)state;
  for (double c = 0.3; c < 5.0; c += 0.7) {
    for (double r = -9.95; r < 10.0; r += 0.1) {
      const double psi = FgHuberBound(r, c), w = FgHuberWeight(r, c), h = 1e-5;
      const double left = FgHuberSquare(r - h, FgHuberBound(r - h, c)), right = FgHuberSquare(r + h, FgHuberBound(r + h, c));

      assert_true(fabs(w * r - psi) < 1e-14 && w > 0.0 && w <= 1.0);
      assert_true(fabs((right - left) / (4.0 * h) - psi) < 1e-5); /* psi is the derivative of rho */
      if (fabs(r) <= c) assert_true(FgHuberSquare(r, psi) == r * r);
      else assert_true(fabs(FgHuberSquare(r, psi) - (2.0 * c * fabs(r) - c * c)) < 1e-13);
    }
    assert_true(FgHuberWeight(0.0, c) == 1.0 && FgHuberSquare(0.0, 0.0) == 0.0);
  }
}

static void moments_are_the_integrals(void **state)
{
  (void)state;
  for (double c = 0.5; c < 4.0; c += 0.845) { /* meets 1.345 */
    const FgHuberMoments moments = FgHuberExpect(c);
    const int            n       = 400000;
    double               weight = 0.0, square_weight = 0.0, square = 0.0, bounded = 0.0;

    for (int i = 0; i < n; i++) {
      const double r = 20.0 * (i + 0.5) / n - 10.0, p = exp(-0.5 * r * r) / sqrt(2.0 * M_PI) * 20.0 / n;
      const double psi = FgHuberBound(r, c), w = FgHuberWeight(r, c);

      weight += p * w;
      square_weight += p * w * w;
      square += p * FgHuberSquare(r, psi);
      bounded += p * psi * psi;
    }
    assert_true(fabs(moments.weight - weight) < 1e-8);
    assert_true(fabs(moments.weight_variance - (square_weight - weight * weight)) < 1e-8);
    assert_true(fabs(moments.square - square) < 1e-8);
    assert_true(fabs(moments.bounded - bounded) < 1e-8);
  }
}

static void a_large_threshold_is_least_squares(void **state)
{
  static const double thresholds[] = {10.0, 100.0, 1e6, INFINITY};

  (void)state;
  for (size_t k = 0; k < sizeof thresholds / sizeof thresholds[0]; k++) {
    const FgHuberMoments moments = FgHuberExpect(thresholds[k]);

    assert_true(fabs(moments.weight - 1.0) < 1e-12 && moments.weight_variance < 1e-12);
    assert_true(fabs(moments.square - 1.0) < 1e-12 && fabs(moments.bounded - 1.0) < 1e-12);
    assert_true(fabs(moments.freedom - 1.0) < 1e-12);
  }
}

/* A robust fit of n unknowns to N samples leaves N - freedom n of sum psi^2/E psi^2, and takes n eta/(1 - n/N), eta = sum psi^2/sum psi',
   from sum 2 rho: means over many draws of a constant and a slope. */
static void freedom_is_what_a_fit_takes(void **state)
{
  enum { N = 30, DRAWS = 40000 };
  const double         c       = FG_HUBER_THRESHOLD;
  const FgHuberMoments moments = FgHuberExpect(c);
  gsl_rng             *random  = gsl_rng_alloc(gsl_rng_taus2);
  double               bounded = 0.0, square = 0.0, psi_sum = 0.0, inside = 0.0;

  (void)state;
  for (int draw = 0; draw < DRAWS; draw++) {
    double y[N], a = 0.0, b = 0.0;

    for (int i = 0; i < N; i++) y[i] = gsl_ran_ugaussian(random);
    for (int iteration = 0; iteration < 30; iteration++) {
      double s = 0.0, sx = 0.0, sxx = 0.0, sy = 0.0, sxy = 0.0;

      for (int i = 0; i < N; i++) {
        const double x = i - 0.5 * (N - 1), w = FgHuberWeight(y[i] - a - b * x, c);

        s += w;
        sx += w * x;
        sxx += w * x * x;
        sy += w * y[i];
        sxy += w * x * y[i];
      }
      b = (s * sxy - sx * sy) / (s * sxx - sx * sx);
      a = (sy - b * sx) / s;
    }
    for (int i = 0; i < N; i++) {
      const double r = y[i] - a - b * (i - 0.5 * (N - 1)), psi = FgHuberBound(r, c);

      bounded += psi * psi / DRAWS;
      square += FgHuberSquare(r, psi) / DRAWS;
      psi_sum += psi * psi;
      inside += fabs(r) < c ? 1.0 : 0.0;
    }
  }
  const double taken = (N - bounded / moments.bounded) / 2.0, price = (N * moments.square - square) / 2.0;
  const double eta = psi_sum / inside / (1.0 - 2.0 / N);

  print_message("a parameter takes %.3f of psi^2/E, expected %.3f; %.3f of 2 rho, expected %.3f\n", taken, moments.freedom, price,
                eta);
  assert_true(fabs(taken - moments.freedom) < 0.06);
  assert_true(fabs(price / eta - 1.0) < 0.06);
  gsl_rng_free(random);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bound_weight_and_square_belong_together),
      cmocka_unit_test(moments_are_the_integrals),
      cmocka_unit_test(a_large_threshold_is_least_squares),
      cmocka_unit_test(freedom_is_what_a_fit_takes),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
