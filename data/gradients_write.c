/* gradients_write.c: gradient tables as FSL .bval and .bvec: the inverse of gradients.c. */
#include "finegrain/measurement.h"
#include "finegrain/result.h"

#include <math.h>
#include <stdio.h>

/* g = R^-1 g_scanner, x negated where det > 0; R may be sheared, so it is inverted and not transposed. */
static void FslDirection(const FgGrid *grid, const double g[3], double fsl[3])
{
  double R[9], C[9], determinant, norm;

  FgGridRotation(grid, R);
  for (int i = 0; i < 3; i++) {
    const int i1 = (i + 1) % 3, i2 = (i + 2) % 3;

    for (int j = 0; j < 3; j++) {
      const int j1 = (j + 1) % 3, j2 = (j + 2) % 3;

      C[3 * i + j] = R[3 * i1 + j1] * R[3 * i2 + j2] - R[3 * i1 + j2] * R[3 * i2 + j1];
    }
  }
  determinant = R[0] * C[0] + R[1] * C[1] + R[2] * C[2];
  for (int j = 0; j < 3; j++) fsl[j] = (C[j] * g[0] + C[3 + j] * g[1] + C[6 + j] * g[2]) / determinant;
  if (determinant > 0) fsl[0] = -fsl[0];
  norm = hypot(hypot(fsl[0], fsl[1]), fsl[2]);
  for (int j = 0; j < 3 && norm > 0; j++) fsl[j] /= norm;
}

PetscErrorCode FgGradientsWrite(const FgGradients *gradients, const FgGrid *grid, const char *bval, const char *bvec)
{
  const size_t   width = 26, size = width * (size_t)gradients->n + 2;
  char          *values, *rows;
  size_t         used = 0;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(size, &values, 3 * size, &rows));
  for (PetscInt v = 0; v < gradients->n; v++) {
    used += (size_t)snprintf(values + used, size - used, "%.10g%c", gradients->b[v], v + 1 < gradients->n ? ' ' : '\n');
  }
  used = 0;
  for (int k = 0; k < 3; k++) {
    for (PetscInt v = 0; v < gradients->n; v++) {
      double fsl[3];

      FslDirection(grid, gradients->g + 3 * v, fsl);
      used += (size_t)snprintf(rows + used, 3 * size - used, "%.10g%c", fsl[k] + 0.0, v + 1 < gradients->n ? ' ' : '\n');
    }
  }
  ierr = FgWriteText(bval, values);
  if (!ierr) ierr = FgWriteText(bvec, rows);
  PetscCall(PetscFree2(values, rows));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}
