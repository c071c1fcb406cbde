/* test_taylor.c: what the observed orders say of right and wrong derivatives. */
#include "finegrain/taylor.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum { N = 13 };

/* Orders of |f(x + t) - f(x) - t slope| at t = 10^-1.5, 10^-2, ... 10^-7.5. */
static double Least(double (*f)(double), double x, double slope, double *decades)
{
  double e[N], order[2];

  for (int k = 0; k < N; k++) {
    const double t = pow(10.0, -1.5 - 0.5 * k);

    e[k] = fabs(f(x - t) - f(x) + t * slope);
  }
  FgTaylorOrders(N, e, 1e-14 * fabs(f(x)), 2.0, order, decades);
  return order[0];
}

/* Bends sharply beside x = 1: its remainder is of first order at steps beyond 0.003. */
static double Root(double x)
{
  return sqrt(1.003 - x);
}

static void right_derivatives(void **state)
{
  double decades;

  (void)state;
  assert_true(Least(exp, 0.3, exp(0.3), &decades) > 1.9 && decades >= 4.0);
  assert_true(Least(Root, 1.0, -0.5 / sqrt(0.003), &decades) > 1.9 && decades >= 2.0);
}

static void wrong_derivatives(void **state)
{
  static const double wrong[] = {1e-3, 1e-2, 0.1, 1.0};
  double              decades;

  (void)state;
  for (int i = 0; i < 4; i++) {
    for (int sign = -1; sign <= 1; sign += 2) {
      const double factor = 1.0 + sign * wrong[i];

      assert_true(Least(exp, 0.3, factor * exp(0.3), &decades) < 1.5);
      assert_true(Least(Root, 1.0, -factor * 0.5 / sqrt(0.003), &decades) < 1.5);
    }
  }
  assert_true(Least(fabs, 0.0, 1.0, &decades) < 1.5); /* no derivative here */
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(right_derivatives), cmocka_unit_test(wrong_derivatives)};

  return cmocka_run_group_tests(tests, NULL, NULL);
}
