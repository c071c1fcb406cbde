/* gradients_spread.c: a gradient table of one shell whose directions cover the half sphere evenly.

   Spherical Fibonacci points, z_k = (k + 1/2)/n at the azimuth k * golden angle: one direction an equal share of the half sphere.
   Source: R. Swinbank and R. J. Purser, Q. J. R. Meteorol. Soc. 132 (2006); a direction and its opposite measure the same. */
#include "finegrain/measurement.h"

#include <math.h>
#include <string.h>

PetscErrorCode FgGradientsSpread(PetscInt nb0, PetscInt ndirections, double shell, FgGradients *gradients)
{
  const double golden_angle = M_PI * (3.0 - sqrt(5.0));
  const double threshold    = 50.0; /* [s/mm^2] as everywhere by default */

  PetscFunctionBegin;
  memset(gradients, 0, sizeof *gradients);
  PetscCheck(nb0 >= 1 && ndirections >= 6, PETSC_COMM_SELF, PETSC_ERR_USER,
             "gradient table: found %" PetscInt_FMT " b0 volumes and %" PetscInt_FMT
             " directions, expected at least 1 and 6, which a tensor needs",
             nb0, ndirections);
  PetscCheck(shell > threshold, PETSC_COMM_SELF, PETSC_ERR_USER,
             "gradient table: found a b-value of %g, expected more than %g [s/mm^2]", shell, threshold);
  gradients->n            = nb0 + ndirections;
  gradients->nb0          = nb0;
  gradients->b0_threshold = threshold;
  gradients->rank         = 6;
  PetscCall(PetscCalloc2(gradients->n, &gradients->b, 3 * gradients->n, &gradients->g));
  for (PetscInt k = 0; k < ndirections; k++) {
    const double z = (k + 0.5) / ndirections, radius = sqrt(1.0 - z * z), azimuth = golden_angle * k;
    double      *g = &gradients->g[3 * (nb0 + k)];

    gradients->b[nb0 + k] = shell;
    g[0]                  = radius * cos(azimuth);
    g[1]                  = radius * sin(azimuth);
    g[2]                  = z;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
