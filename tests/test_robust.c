/* test_robust.c: Huber's function and its moments under Gaussian noise against their definitions by quadrature. */
#include "finegrain/robust.h"

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
  (void)state;
  for (double c = 10.0; c < 1e6; c *= 10.0) {
    const FgHuberMoments moments = FgHuberExpect(c);

    assert_true(fabs(moments.weight - 1.0) < 1e-12 && moments.weight_variance < 1e-12);
    assert_true(fabs(moments.square - 1.0) < 1e-12 && fabs(moments.bounded - 1.0) < 1e-12);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bound_weight_and_square_belong_together),
      cmocka_unit_test(moments_are_the_integrals),
      cmocka_unit_test(a_large_threshold_is_least_squares),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
