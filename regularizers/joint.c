/* joint.c: psi(t) = theta log(1 + s/theta), s = sqrt(t + epsilon^2) - epsilon: logarithmic total variation, of all parameters together.

   t is summed over all differences of a group and over all terms before the root, so that a border in one parameter is a border in
   all: where tissue changes, porosity, orientation and signal change together. The logarithm charges a large difference hardly more than
   a middling one, so that borders keep their contrast, which total variation lowers; up to theta, in pointwise standard deviations,
   psi is nearly total variation's. It is not convex: the result is a minimum near the pointwise fit.
   Source: G. Sapiro, D. L. Ringach, IEEE Trans. Image Process. 5 (1996), and P. Blomgren, T. F. Chan, IEEE Trans. Image Process. 7
   (1998), on total variation of many channels; D. Geman, G. Reynolds, IEEE Trans. Pattern Anal. Mach. Intell. 14 (1992), on concave
   potentials; lagged weights lower a concave psi of t at every step: D. R. Hunter, K. Lange, Am. Stat. 58 (2004). */
#include "finegrain/regularizer.h"

#include <math.h>

static const double theta = 5.0; /* [pointwise standard deviations] */

static double Psi(double t, double epsilon)
{
  const double s = t / (PetscSqrtReal(t + epsilon * epsilon) + epsilon);

  return theta * log1p(s / theta);
}

static double Weight(double t, double epsilon)
{
  const double root = PetscSqrtReal(t + epsilon * epsilon);

  return 1.0 / (root * (1.0 + (root - epsilon) / theta));
}

/* Total variation's: what is missing, 1/(root theta (1 + s/theta)), would make the curvature indefinite across borders. */
static double Bend(double t, double epsilon)
{
  return 1.0 / (t + epsilon * epsilon);
}

const FgRegularizerOps FgJoint = {"joint", "all parts together: borders in common", Psi, Weight, Bend, PETSC_TRUE, 1.4};
