/* tikhonov.c: psi(t) = t/2: half the sum of squared differences, which favours smooth fields.
   Source: A. N. Tikhonov, Soviet Math. Dokl. 4 (1963), first-order form. */
#include "finegrain/regularizer.h"

static double Psi(double t, double epsilon)
{
  return 0.5 * t;
}

static double Weight(double t, double epsilon)
{
  return 1.0;
}

static double Bend(double t, double epsilon)
{
  return 0.0;
}

const FgRegularizerOps FgTikhonov = {"tikhonov", "sum of squared differences: smooth fields", Psi, Weight, Bend, PETSC_FALSE,
                                     0.06};
