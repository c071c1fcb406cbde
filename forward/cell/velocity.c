/* velocity.c: velocities on faces: their divergence, and the projection that removes it.

   The projected velocity v - grad phi, div grad phi = div v over the open voxels with no flow through walls, has zero
   divergence to round-off: advection with it is skew (dispersion.c). Source: docs/physics/advection.md; Chorin, Math. Comp. 22
   (1968) 745. */
#include "flow.h"

#include <math.h>

enum { COMPONENTS = 3 };
static const double round_off = 1e-13; /* ||h div v||/||v|| that counts as none */

static size_t Plane(FgCell cell)
{
  return (size_t)(cell->n[0] * cell->n[1]);
}

void FgProjectTensor(const double P[9], double K[9])
{
  double result[9] = {0};

  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) result[3 * i + j] += P[3 * i + a] * K[3 * a + b] * P[3 * b + j];
  for (int i = 0; i < 9; i++) K[i] = result[i];
}

PetscErrorCode FgOpenVoxels(FgCell cell, const PetscBool *open, uint8_t **flags)
{
  const size_t  plane = Plane(cell), n = (size_t)cell->nlocal;
  FgHalo        halo = {0};
  const double *below, *above;
  double       *ends;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n + 2 * plane, flags));
  PetscCall(PetscMalloc1(2 * plane, &ends));
  for (size_t i = 0; i < n; i++) (*flags)[plane + i] = open[cell->phase[i]] ? 1 : 0;
  for (size_t i = 0; n && i < plane; i++) {
    ends[i]         = (*flags)[plane + i];
    ends[plane + i] = (*flags)[n + i];
  }
  PetscCall(FgHaloPlanes(cell, &halo, ends, ends + plane, 1, &below, &above));
  for (size_t i = 0; n && i < plane; i++) {
    (*flags)[i]             = (uint8_t)below[i];
    (*flags)[plane + n + i] = (uint8_t)above[i];
  }
  PetscCall(PetscFree(ends));
  PetscCall(FgHaloDestroy(&halo));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFaceDivergence(FgCell cell, const double *velocity, double *divergence)
{
  const PetscInt n0 = cell->n[0], n1 = cell->n[1];
  const size_t   plane      = Plane(cell);
  const double   inverse[3] = {1.0 / cell->spacing[0], 1.0 / cell->spacing[1], 1.0 / cell->spacing[2]};
  const double  *below, *above;
  FgHalo         halo = {0};

  PetscFunctionBegin;
  PetscCall(FgHaloUpdate(cell, &halo, velocity, COMPONENTS, &below, &above));
  for (PetscInt k = 0; k < cell->count; k++) {
    const double *here = velocity + COMPONENTS * plane * (size_t)k;
    const double *up   = k + 1 < cell->count ? here + COMPONENTS * plane : above;

    for (PetscInt j = 0; j < n1; j++) {
      const double *row = here + COMPONENTS * j * n0, *next = here + COMPONENTS * (j + 1 < n1 ? j + 1 : 0) * n0;
      const double *over = up + COMPONENTS * j * n0;
      double       *out  = divergence + plane * (size_t)k + j * n0;

      for (PetscInt i = 0; i < n0; i++)
        out[i] = inverse[0] * (row[COMPONENTS * (i + 1 < n0 ? i + 1 : 0)] - row[COMPONENTS * i]) +
                 inverse[1] * (next[COMPONENTS * i + 1] - row[COMPONENTS * i + 1]) +
                 inverse[2] * (over[COMPONENTS * i + 2] - row[COMPONENTS * i + 2]);
    }
  }
  PetscCall(FgHaloDestroy(&halo));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sets faces with a closed voxel on either side to 0; where phi is given, subtracts its gradient on the others. Adds to
   changed[0] the squares of what was taken away, to changed[1] those of what came in. */
static PetscErrorCode Correct(FgCell cell, const uint8_t *flags, const double *phi, double *velocity, double changed[2])
{
  const PetscInt n0 = cell->n[0], n1 = cell->n[1];
  const size_t   plane = Plane(cell);
  const double  *below = NULL, *above;
  FgHalo         halo  = {0};

  PetscFunctionBegin;
  if (phi) PetscCall(FgHaloUpdate(cell, &halo, phi, 1, &below, &above));
  changed[0] = changed[1] = 0;
  for (PetscInt k = 0; k < cell->count; k++) {
    for (PetscInt j = 0; j < n1; j++) {
      for (PetscInt i = 0; i < n0; i++) {
        const size_t   at = (size_t)(j * n0 + i), voxel = plane * (size_t)k + at;
        const size_t   lower[3] = {(size_t)(j * n0 + (i ? i : n0) - 1), (size_t)(((j ? j : n1) - 1) * n0 + i), at};
        const uint8_t *here     = flags + plane * (size_t)(k + 1);
        double        *v        = velocity + COMPONENTS * voxel;

        for (int a = 0; a < 3; a++) {
          const uint8_t *other = a == 2 ? here - plane : here;
          double         value = 0;

          if (here[at] && other[lower[a]]) {
            value = v[a];
            if (phi) {
              const double there = a < 2 ? phi[plane * (size_t)k + lower[a]] : k ? phi[voxel - plane] : below[at];

              value -= (phi[voxel] - there) / cell->spacing[a];
            }
          }
          changed[0] += PetscSqr(v[a] - value);
          changed[1] += PetscSqr(v[a]);
          v[a] = value;
        }
      }
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, changed, 2, MPI_DOUBLE, MPI_SUM, cell->comm));
  PetscCall(FgHaloDestroy(&halo));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x: in -div v, out phi with div grad phi = div v over the open voxels. */
static PetscErrorCode Potential(FgCell cell, const FgCellSettings *settings, const PetscBool *open, const char *name, double *x,
                                FgCellReport *report)
{
  double        *conductivity, *phi;
  FgScalar       op;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(cell->nlocal, &phi));
  PetscCall(PetscMalloc1(cell->table.nphases, &conductivity));
  for (PetscInt p = 0; p < cell->table.nphases; p++) conductivity[p] = open[p] ? 1.0 : 0.0;
  PetscCall(FgScalarCreate(cell, settings, conductivity, 1, &op));
  code = FgScalarSolve(op, name, x, 0, phi, report);
  PetscCall(PetscArraycpy(x, phi, cell->nlocal));
  PetscCall(FgScalarDestroy(&op));
  PetscCall(PetscFree(conductivity));
  PetscCall(PetscFree(phi));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFaceProject(FgCell cell, const FgCellSettings *settings, const PetscBool *open, const char *name,
                             double *velocity, double *change, FgCellReport *report)
{
  const double   h      = PetscMin(cell->spacing[0], PetscMin(cell->spacing[1], cell->spacing[2]));
  FgCellSettings strict = *settings;
  double         closed[2], corrected[2] = {0, 0}, norm = 0, *divergence;
  uint8_t       *flags;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscFunctionBegin;
  PetscCall(FgOpenVoxels(cell, open, &flags));
  PetscCall(Correct(cell, flags, NULL, velocity, closed));
  PetscCall(PetscMalloc1(cell->nlocal, &divergence));
  PetscCall(FgFaceDivergence(cell, velocity, divergence));
  for (PetscInt i = 0; i < cell->nlocal; i++) {
    divergence[i] = -divergence[i];
    norm += PetscSqr(divergence[i]);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &norm, 1, MPI_DOUBLE, MPI_SUM, cell->comm));
  norm = h * sqrt(norm);
  if (norm > round_off * sqrt(closed[1])) {
    strict.tolerance  = round_off * sqrt(closed[1]) / norm;
    strict.warm_start = PETSC_FALSE; /* what an earlier velocity lacked is no start for this one */
    code              = Potential(cell, &strict, open, name, divergence, report);
    if (!code) { /* what is left, relative to the velocity rather than to the divergence that was */
      report->solves[report->nsolves - 1].residual *= norm / sqrt(closed[1]);
      code = Correct(cell, flags, divergence, velocity, corrected);
    }
  }
  *change = closed[1] > 0 ? sqrt((closed[0] + corrected[0]) / closed[1]) : 0;
  PetscCall(PetscFree(divergence));
  PetscCall(PetscFree(flags));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}
