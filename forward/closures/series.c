/* series.c: the chapter's closure: arithmetic mean along the fiber, harmonic mean in both directions across it.

     c_par = f D_a + (1 - f) D_e,   1/c_perp = f/D_r + (1 - f)/D_e

   A lower idealisation: no two-phase material has this tensor, because the arithmetic mean along n needs columns along n,
   and then c_perp obeys the 2-D Hashin-Shtrikman bound, which the harmonic mean breaks for every contrast (docs/closures.md).
   Source: docs/theory.md, effective diffusion; numbers in tests/test_closures.c. */
#include "closures.h"

static void Evaluate(const FgClosure *closure, const FgPhases *phases, double f, double c[2], double dc[2])
{
  ArithmeticMean(phases->matrix, phases->fiber_axial, f, &c[0], &dc[0]);
  HarmonicMean(phases->matrix, phases->fiber_radial, f, &c[1], &dc[1]);
}

const FgClosure FgClosureSeries = {.name    = "series",
                                   .summary = "arithmetic mean along, harmonic mean across the fiber; a lower idealisation",
                                   .fiber_fraction_max = 1.0,
                                   .evaluate           = Evaluate};
