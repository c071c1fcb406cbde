/* taylor.c: observed orders of a remainder e(t) ~ t^p: p = log(e1/e2)/log(t1/t2). */
#include "finegrain/taylor.h"

#include <math.h>

void FgTaylorOrders(PetscInt n, const double remainder[], double floor, double expected, double order[2], double *decades)
{
  double least = INFINITY, most = -INFINITY;
  int    good = 0;

  for (PetscInt k = 0; k + 1 < n && remainder[k + 1] > floor; k++) {
    const double p = 2.0 * log10(remainder[k] / remainder[k + 1]);

    least = fmin(least, p);
    most  = fmax(most, p);
    if (fabs(p - expected) <= 0.1 && good++ == 0) least = p; /* the steps before were too large for Taylor's expansion */
  }
  if (least > most) { /* no usable step */
    const int exact = isfinite(floor) && remainder[0] <= floor;

    least = most = exact ? expected : 0.0;
    good         = exact ? (int)n - 1 : 0;
  }
  order[0] = least;
  order[1] = most;
  *decades = 0.5 * good;
}
