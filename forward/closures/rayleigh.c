/* rayleigh.c: equal circular cylinders on a square or hexagonal lattice, Rayleigh's method cut after the second multipole.

     c_perp/D_e = 1 - 2 f b / (1 + f b - c1 f^p b^2/(1 - c2 f^2p b^2) - c3 f^2p b^2),   b = (D_e - D_r)/(D_e + D_r)

   with p = 4 for the square and 6 for the hexagonal array. This is the published form in T = 1/b multiplied through by b, so
   that equal phases (b = 0) are regular. Its relative error, over all contrasts, is at most 7e-6, 2.2e-4, 6.8e-3 at f = 0.5, 0.6,
   0.7 for the square array and 1e-7, 1e-7, 5e-6 for the hexagonal (tests/test_closures.c), and grows towards touching.
   Source: Perrins, McKenzie and McPhedran, Proc. R. Soc. Lond. A 369 (1979) 207, equations (14) and (15). */
#include "closures.h"

#include <math.h>

static void Across(const FgPhases *phases, double f, int p, const double lattice[3], double *c, double *dc)
{
  const double sum = phases->matrix + phases->fiber_radial;
  const double b   = sum > 0.0 ? (phases->matrix - phases->fiber_radial) / sum : 0.0;
  const double fp = pow(f, p), dfp = p * pow(f, p - 1), f2p = fp * fp, df2p = 2.0 * fp * dfp, bb = b * b;
  const double inner = 1.0 - lattice[1] * f2p * bb, dinner = -lattice[1] * df2p * bb;
  const double below  = 1.0 + f * b - lattice[0] * fp * bb / inner - lattice[2] * f2p * bb;
  const double dbelow = b - lattice[0] * bb * (dfp * inner - fp * dinner) / (inner * inner) - lattice[2] * df2p * bb;

  *c  = phases->matrix * (1.0 - 2.0 * f * b / below);
  *dc = -phases->matrix * 2.0 * b * (below - f * dbelow) / (below * below);
}

static void EvaluateSquare(const FgClosure *closure, const FgPhases *phases, double f, double c[2], double dc[2])
{
  static const double lattice[3] = {0.305827, 1.402958, 0.013362};

  ArithmeticMean(phases->matrix, phases->fiber_axial, f, &c[0], &dc[0]);
  Across(phases, f, 4, lattice, &c[1], &dc[1]);
}

static void EvaluateHexagonal(const FgClosure *closure, const FgPhases *phases, double f, double c[2], double dc[2])
{
  static const double lattice[3] = {0.075422, 1.060283, 0.000076};

  ArithmeticMean(phases->matrix, phases->fiber_axial, f, &c[0], &dc[0]);
  Across(phases, f, 6, lattice, &c[1], &dc[1]);
}

/* fiber_fraction_max: touching cylinders, pi/4 and pi/(2 sqrt 3). */
const FgClosure FgClosureRayleighSquare = {.name    = "rayleigh-square",
                                           .summary = "cylinders on a square lattice (Rayleigh), arithmetic mean along",
                                           .fiber_fraction_max = 0.78539816339744831,
                                           .evaluate           = EvaluateSquare};
const FgClosure FgClosureRayleighHex    = {.name    = "rayleigh-hex",
                                           .summary = "cylinders on a hexagonal lattice (Rayleigh), arithmetic mean along",
                                           .fiber_fraction_max = 0.90689968211710893,
                                           .evaluate           = EvaluateHexagonal};
