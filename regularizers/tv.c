/* tv.c: psi(t) = sqrt(t + epsilon^2) - epsilon: smoothed total variation, which favours piecewise constant fields with
   sharp borders. t is summed over all differences of a group before the root (isotropic TV).
   Source: L. Rudin, S. Osher, E. Fatemi, Physica D 60 (1992); lagged weights: C. R. Vogel, M. E. Oman, SIAM J. Sci.
   Comput. 17 (1996). */
#include "finegrain/regularizer.h"

static double Psi(double t, double epsilon)
{
  return t / (PetscSqrtReal(t + epsilon * epsilon) + epsilon); /* = sqrt(t + epsilon^2) - epsilon, without cancellation */
}

static double Weight(double t, double epsilon)
{
  return 1.0 / PetscSqrtReal(t + epsilon * epsilon);
}

static double Bend(double t, double epsilon)
{
  return 1.0 / (t + epsilon * epsilon);
}

const FgRegularizerOps FgTotalVariation = {"tv", "smoothed total variation: sharp borders", Psi, Weight, Bend, PETSC_FALSE, 0.35};
