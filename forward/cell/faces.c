/* faces.c: conductances of faces between voxels that hold more than one phase.

   A face's dual volume, from one voxel's center to the next, is cut into lines along the axis. Along a line the samples
   conduct in series (harmonic mean), across lines in parallel (arithmetic mean):
     G = mean over lines of ( mean over samples of 1/K_a )^-1
   With one sample a voxel this is the harmonic mean of scalar.c. With several the error of curved interfaces falls smoothly,
   of first order and several times smaller, so that two resolutions give a third by extrapolation.
   Source: docs/physics/conduction.md. */
#include "scalar.h"

static void Axis(FgScalar op, PetscInt a, double *stored)
{
  const FgCell    cell = op->cell;
  const PetscInt *n    = cell->n;
  const PetscInt  u = (a + 1) % 3, v = (a + 2) % 3,
                 s[3]      = {n[0] > 1 ? cell->subsample : 1, n[1] > 1 ? cell->subsample : 1, n[2] > 1 ? cell->subsample : 1};
  const PetscInt m[3]      = {n[0] * s[0], n[1] * s[1], n[2] * s[2]};
  const size_t   stride[3] = {1, (size_t)m[0], (size_t)m[0] * (size_t)m[1]};
  const double   scale     = 1.0 / PetscSqr(cell->spacing[a]);
  PetscInt       at[3];

  for (at[2] = 0; at[2] < n[2]; at[2]++) {
    for (at[1] = 0; at[1] < n[1]; at[1]++) {
      for (at[0] = 0; at[0] < n[0]; at[0]++) {
        double sum = 0;

        for (PetscInt j = 0; j < s[v]; j++) {
          for (PetscInt i = 0; i < s[u]; i++) {
            const size_t line       = (size_t)(at[u] * s[u] + i) * stride[u] + (size_t)(at[v] * s[v] + j) * stride[v];
            double       resistance = 0;

            /* From the middle of this voxel to that of the next; `subsample` is even. */
            for (PetscInt t = 0; t < s[a]; t++) {
              const size_t index = (size_t)((at[a] * s[a] + s[a] / 2 + t) % m[a]);

              resistance += 1.0 / op->conductivity[3 * cell->fine[line + index * stride[a]] + a]; /* infinite: closed */
            }
            sum += (double)s[a] / resistance;
          }
        }
        *stored++ = scale * sum / (double)(s[u] * s[v]);
      }
    }
  }
}

PetscErrorCode FgScalarStoreFaces(FgScalar op)
{
  PetscFunctionBegin;
  for (PetscInt a = 0; a < 3; a++) {
    PetscCall(PetscMalloc1(op->cell->nlocal, &op->stored[a]));
    Axis(op, a, op->stored[a]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
