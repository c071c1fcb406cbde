/* laminate.c: flat layers stacked along the axis n: one slow direction (the normal) and two fast ones.

     1/c_par = f/D_a + (1 - f)/D_e  along the normal,   c_perp = f D_r + (1 - f) D_e  in the layers

   Exact for any layer thicknesses. Source: Milton, The Theory of Composites (2002), section 9.2. */
#include "closures.h"

static void Evaluate(const FgClosure *closure, const FgPhases *phases, double f, double c[2], double dc[2])
{
  HarmonicMean(phases->matrix, phases->fiber_axial, f, &c[0], &dc[0]);
  ArithmeticMean(phases->matrix, phases->fiber_radial, f, &c[1], &dc[1]);
}

const FgClosure FgClosureLaminate = {.name    = "laminate",
                                     .summary = "flat layers, n their normal: harmonic mean along, arithmetic mean across n",
                                     .fiber_fraction_max = 1.0,
                                     .evaluate           = Evaluate};
