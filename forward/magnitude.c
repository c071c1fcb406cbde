/* magnitude.c: the mean of a magnitude signal, fast and with the exact derivative of what it returns.

   The root of the sum of squares over n coils of |S_l + complex noise|, each channel's noise Gaussian of standard deviation
   sigma, S^2 = sum |S_l|^2, has the noncentral-chi distribution; n = 1 is Rice's. Its mean is sigma g(S/sigma),

     g(x) = sqrt(2) Gamma(n + 1/2)/Gamma(n) 1F1(-1/2; n; -x^2/2) = sqrt(pi/2) L_{1/2}^{(n-1)}(-x^2/2) for n = 1.

   By Kummer's transformation this is a mean over a Poisson variable K of mean y = x^2/2, with all terms positive:

     h(y) = E a_K,   h' = E (a_{K+1} - a_K),   h'' = E (a_{K+2} - 2 a_{K+1} + a_K),   a_k = sqrt(2) Gamma(n + k + 1/2)/Gamma(n + k),

   and g = h, g' = x h', g'' = h' + x^2 h''. From these a quintic Hermite table of step 1/8 is made (error below 1e-10); above its
   end, which grows with the root of n, the asymptotic series x sum_k (-1/2)_k (1/2 - n)_k / k! (2/x^2)^k is used. The slope is the
   derivative of the polynomial or series, so that it belongs to the value to rounding.
   Source: Rice, Bell Syst. Tech. J. 24 (1945) 46; C. G. Koay and P. J. Basser, J. Magn. Reson. 179 (2006) 317; Abramowitz and Stegun
   13.1.27, 13.5.1. */
#include "magnitude.h"
#include "finegrain/lanes.h"

#include <gsl/gsl_randist.h>

enum { PER_UNIT = 8, LEAST_LIMIT = 16 };

/* g and its first two derivatives with respect to t, at x. */
static void Node(double coils, double x, double node[3])
{
  const double   step = 1.0 / PER_UNIT, y = 0.5 * x * x, width = 10.0 * sqrt(y) + 40.0;
  const unsigned first = (unsigned)fmax(0.0, floor(y - width)), last = (unsigned)ceil(y + width);
  double         total = 0.0, value = 0.0, slope = 0.0, curvature = 0.0;

  for (unsigned k = first; k <= last; k++) {
    const double share = y > 0.0 ? gsl_ran_poisson_pdf(k, y) : k == 0 ? 1.0 : 0.0, order = coils + k;
    const double a = sqrt(2.0) * exp(lgamma(order + 0.5) - lgamma(order));

    total += share;
    value += share * a;
    slope += share * a / (2.0 * order);
    curvature -= share * a / (4.0 * order * (order + 1.0));
  }
  node[0] = value / total;
  node[1] = x * slope / total * step;
  node[2] = (slope + 2.0 * y * curvature) / total * step * step;
}

PetscErrorCode FgMagnitudeCreate(double coils, FgMagnitude **magnitude)
{
  double       left[3], right[3], factor = 1.0;
  PetscInt     intervals;
  FgMagnitude *m;

  PetscFunctionBegin;
  PetscCheck(coils >= 1.0 && coils <= FG_MAX_COILS, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "found %g coils, expected 1 to %g",
             coils, FG_MAX_COILS);
  intervals = PER_UNIT * (PetscInt)fmax(LEAST_LIMIT, ceil(sqrt(40.0 * coils)));
  PetscCall(PetscMalloc(sizeof(*m) + (size_t)intervals * sizeof(m->table[0]), &m));
  m->limit = (double)intervals / PER_UNIT;
  for (int k = 0; k < FG_MAGNITUDE_TERMS; k++) {
    m->series[k] = factor;
    factor *= (k - 0.5) * (k + 0.5 - coils) / (k + 1) * 2.0;
  }
  Node(coils, 0.0, left);
  for (PetscInt i = 0; i < intervals; i++) {
    Node(coils, (double)(i + 1) / PER_UNIT, right);
    const double rise = right[0] - left[0], *p = left, *q = right;

    m->table[i][0] = p[0];
    m->table[i][1] = p[1];
    m->table[i][2] = 0.5 * p[2];
    m->table[i][3] = 10.0 * rise - 6.0 * p[1] - 4.0 * q[1] - 1.5 * p[2] + 0.5 * q[2];
    m->table[i][4] = -15.0 * rise + 8.0 * p[1] + 7.0 * q[1] + 1.5 * p[2] - q[2];
    m->table[i][5] = 6.0 * rise - 3.0 * (p[1] + q[1]) - 0.5 * (p[2] - q[2]);
    m->table[i][6] = m->table[i][7] = 0.0;
    for (int k = 0; k < 3; k++) left[k] = right[k];
  }
  *magnitude = m;
  PetscFunctionReturn(PETSC_SUCCESS);
}

FG_SIMD_CLONES
void FgMagnitudeMean(const FgMagnitude *magnitude, PetscInt n, const double *S, double sigma, double *mean, double *slope)
{
  const double inverse = 1.0 / sigma, limit = magnitude->limit, *s = magnitude->series;

  for (PetscInt k = 0; k < n; k++) {
    const double x = S[k] * inverse, size = fabs(x);
    double       g, dg;

    if (size < limit) { /* g is even: a signal below zero, as a Taylor test may ask for, is mirrored */
      const double position = size * PER_UNIT;
      const int    i        = (int)position;
      const double t = position - i, *c = magnitude->table[i];

      g  = c[0] + t * (c[1] + t * (c[2] + t * (c[3] + t * (c[4] + t * c[5]))));
      dg = PER_UNIT * (c[1] + t * (2.0 * c[2] + t * (3.0 * c[3] + t * (4.0 * c[4] + t * 5.0 * c[5]))));
    } else {
      const double y = 1.0 / (x * x); /* (1/x)^2 */

      g  = size * (1.0 + y * (s[1] + y * (s[2] + y * (s[3] + y * (s[4] + y * (s[5] + y * s[6]))))));
      dg = 1.0 - y * (s[1] + y * (3.0 * s[2] + y * (5.0 * s[3] + y * (7.0 * s[4] + y * (9.0 * s[5] + y * 11.0 * s[6])))));
    }
    mean[k]  = sigma * g;
    slope[k] = x < 0.0 ? -dg : dg;
  }
}
