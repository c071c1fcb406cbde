/* transport.c: exponentially fitted fluxes of -M n' + v n = J with M and v constant on each half of the way.

   With the Peclet numbers P = v h/(2 M) of the halves, the equation integrated from center to center gives exactly
     J = (n_0 e^P_0 - n_1 e^-P_1) / (h/2 [(e^P_0 - 1)/(P_0 M_0) + (1 - e^-P_1)/(P_1 M_1)]),
   for equal halves the flux of Scharfetter and Gummel. Both factors are positive whatever P is, so that densities stay
   positive, and for small P they are central differences. Everything is scaled by e^-m, m the largest exponent, against
   overflow. Source: Scharfetter and Gummel, IEEE Trans. Electron Devices 16 (1969) 64. */
#include "transport.h"

#include <math.h>

/* (e^q - 1)/q e^-m for m >= max(q, 0) */
static double Mean(double q, double m)
{
  const double size = fabs(q), mean = size > 1e-12 ? -expm1(-size) / size : 1.0 - 0.5 * size;

  return mean * exp(q > 0.0 ? q - m : -m);
}

void TransportBetween(double h, const double M[2], const double v[2], double *forward, double *backward)
{
  const double p = 0.5 * h * v[0] / M[0], q = -0.5 * h * v[1] / M[1];
  const double m = fmax(fmax(p, q), 0.0), resistance = 0.5 * h * (Mean(p, m) / M[0] + Mean(q, m) / M[1]);

  *forward  = exp(p - m) / resistance;
  *backward = exp(q - m) / resistance;
}

void TransportHalf(double h, double M, double v, double *forward, double *backward)
{
  const double p = 0.5 * h * v / M, m = fmax(p, 0.0), resistance = 0.5 * h * Mean(p, m) / M;

  *forward  = exp(p - m) / resistance;
  *backward = exp(-m) / resistance;
}
