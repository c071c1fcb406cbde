/* hs2d.c: coated cylinders (Maxwell, Hashin-Shtrikman in two dimensions): fibers dispersed in a connected matrix.

     c_par = f D_a + (1 - f) D_e,   c_perp = D_e [s + f d]/[s - f d],   s = D_r + D_e,  d = D_r - D_e

   Realised exactly by the coated-cylinder assemblage at every f; for D_r < D_e it is the upper, for D_r > D_e the lower
   2-D Hashin-Shtrikman bound. Source: Hashin and Shtrikman, J. Appl. Phys. 33 (1962) 3125; Milton (2002), section 7.2. */
#include "closures.h"

static void Evaluate(const FgClosure *closure, const FgPhases *phases, double f, double c[2], double dc[2])
{
  const double matrix = phases->matrix, sum = phases->fiber_radial + matrix, difference = phases->fiber_radial - matrix;
  const double below = sum - f * difference;

  ArithmeticMean(matrix, phases->fiber_axial, f, &c[0], &dc[0]);
  if (below > 0.0) {
    c[1]  = matrix * (sum + f * difference) / below;
    dc[1] = 2.0 * matrix * sum * difference / (below * below);
  } else { /* an insulating matrix around fibers that fill everything, or two insulating phases */
    c[1]  = phases->fiber_radial;
    dc[1] = 0.0;
  }
}

const FgClosure FgClosureHs2d = {.name    = "hs2d",
                                 .summary = "coated cylinders: 2-D Hashin-Shtrikman (Maxwell) across, arithmetic mean along",
                                 .fiber_fraction_max = 1.0,
                                 .evaluate           = Evaluate};
