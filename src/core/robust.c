/* robust.c: moments of Huber's function under the standard normal distribution, in closed form. With phi and Q its density and upper
   tail at c, and E1 the exponential integral:

     P(|r| < c) = 1 - 2Q,   E[r^2; |r| < c] = 1 - 2Q - 2c phi,   E[|r|; |r| > c] = 2 phi,
     E[1/|r|; |r| > c] = E1(c^2/2)/sqrt(2 pi),   E[1/r^2; |r| > c] = 2 (phi/c - Q)

   A fit moves residual e to r = e - sum_j h_j psi(e_j)/B with leverages sum_j h_j^2 = h = h_i and B = E psi' = P(|r| < c); to first order
   in h, with A = E psi^2 psi' = E[r^2; |r| < c], E psi(r)^2 = E psi^2 - 2 h A/B + h A E psi^2/B^2. */
#include "finegrain/robust.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_expint.h>

FgHuberMoments FgHuberExpect(double threshold)
{
  /* Beyond 100 nothing is outside, also in double precision; an infinite threshold means squares. */
  const double   c = PetscMin(threshold, 100.0), density = gsl_ran_ugaussian_pdf(c), tail = gsl_cdf_ugaussian_Q(c);
  const double   inside = 1.0 - 2.0 * tail, inside_square = inside - 2.0 * c * density;
  FgHuberMoments moments;

  /* E1 underflows where nothing is outside. */
  moments.weight          = inside + (c < 30.0 ? c * gsl_sf_expint_E1(0.5 * c * c) / sqrt(2.0 * M_PI) : 0.0);
  moments.weight_variance = PetscMax(0.0, inside + 2.0 * c * (density - c * tail) - moments.weight * moments.weight);
  moments.square          = inside_square + 4.0 * c * density - 2.0 * c * c * tail;
  moments.bounded         = inside_square + 2.0 * c * c * tail;
  moments.freedom         = 2.0 * inside_square / (inside * moments.bounded) - inside_square / (inside * inside);
  return moments;
}
