/* rician.c: E|S + noise| = sigma g(S/sigma) for complex Gaussian noise, fast and with the exact derivative of what it returns.

     g(x) = sqrt(pi/2) L_{1/2}(-x^2/2) = sqrt(pi/2) [(1 + 2z) I0e(z) + 2z I1e(z)],   z = x^2/4
     g'   = sqrt(pi/2) (x/2) [I0e(z) + I1e(z)],   g'' = sqrt(pi/8) [I0e(z) - I1e(z)]

   with the exponentially scaled Bessel functions of GSL. Below x = 16 a quintic Hermite table of step 1/8 (error below 1e-10),
   above it the asymptotic series in 1/x^2 (next term below 1e-11). The slope is the derivative of the polynomial or series,
   so that it belongs to the value to rounding.
   Source: Rice, Bell Syst. Tech. J. 24 (1945) 46; Abramowitz and Stegun 13.1.27, 13.5.1. */
#include "rician.h"
#include "simd.h"

#include <gsl/gsl_sf_bessel.h>

enum { PER_UNIT = 8, LIMIT = 16, INTERVALS = PER_UNIT * LIMIT };

/* Coefficients in t = 0..1 across each interval, ascending; rows of eight keep an interval in one cache line. */
static double table[INTERVALS][8];

/* g and its first two derivatives with respect to t. */
static void Node(int i, double node[3])
{
  const double step = 1.0 / PER_UNIT, x = step * i, z = 0.25 * x * x, c = sqrt(0.5 * M_PI);
  const double I0 = gsl_sf_bessel_I0_scaled(z), I1 = gsl_sf_bessel_I1_scaled(z);

  node[0] = c * ((1.0 + 2.0 * z) * I0 + 2.0 * z * I1);
  node[1] = c * 0.5 * x * (I0 + I1) * step;
  node[2] = c * 0.5 * (I0 - I1) * step * step;
}

void FgRicianSetup(void)
{
  double left[3], right[3];

  if (table[0][0] > 0.0) return;
  Node(0, left);
  for (int i = 0; i < INTERVALS; i++) {
    Node(i + 1, right);
    const double rise = right[0] - left[0], *p = left, *q = right;

    table[i][0] = p[0];
    table[i][1] = p[1];
    table[i][2] = 0.5 * p[2];
    table[i][3] = 10.0 * rise - 6.0 * p[1] - 4.0 * q[1] - 1.5 * p[2] + 0.5 * q[2];
    table[i][4] = -15.0 * rise + 8.0 * p[1] + 7.0 * q[1] + 1.5 * p[2] - q[2];
    table[i][5] = 6.0 * rise - 3.0 * (p[1] + q[1]) - 0.5 * (p[2] - q[2]);
    for (int k = 0; k < 3; k++) left[k] = right[k];
  }
}

FG_SIMD_CLONES
void FgRicianMean(PetscInt n, const double *S, double sigma, double *mean, double *slope)
{
  const double inverse = 1.0 / sigma;

  for (PetscInt k = 0; k < n; k++) {
    const double x = S[k] * inverse, size = fabs(x);
    double       g, dg;

    if (size < LIMIT) { /* g is even: a signal below zero, as a Taylor test may ask for, is mirrored */
      const double position = size * PER_UNIT;
      const int    i        = (int)position;
      const double t = position - i, *c = table[i];

      g  = c[0] + t * (c[1] + t * (c[2] + t * (c[3] + t * (c[4] + t * c[5]))));
      dg = PER_UNIT * (c[1] + t * (2.0 * c[2] + t * (3.0 * c[3] + t * (4.0 * c[4] + t * 5.0 * c[5]))));
    } else {
      const double y = 1.0 / (x * x); /* (1/x)^2 */

      g  = size * (1.0 + y * (0.5 + y * (0.125 + y * (0.1875 + y * 0.5859375))));
      dg = 1.0 - y * (0.5 + y * (0.375 + y * (0.9375 + y * 4.1015625)));
    }
    mean[k]  = sigma * g;
    slope[k] = x < 0.0 ? -dg : dg;
  }
}
