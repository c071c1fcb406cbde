/* interface.c: area of the interface between two sets of phases, per volume of the cell [1/m].

   Counting faces of voxels does not converge: it gives 3/2 of a sphere's area at every resolution. The Crofton formula
   does: the area per volume is twice the number of crossings per length of random lines. Lines run along the 26 directions
   of a voxel's neighbors (13 pairs of senses), each weighted by the solid angle that is nearest to it:
     beta = 2 sum over directions of w_d (crossings along d) / (voxels |d|),   sum of w_d = 1
   The solid angles are found by counting points spread evenly over the sphere, so that voxels need not be cubes; for cubes
   the weights are 0.0458 along axes, 0.0370 along face diagonals, 0.0352 along body diagonals. A cell of one voxel along an
   axis counts as a column of cubes there.
   Source: Ohser and Muecklich, Statistical analysis of microstructures in materials science (2000), chapter 5. */
#include "interface.h"

#include <math.h>

enum { DIRECTIONS = 13, POINTS = 40000 };

typedef struct {
  int    step[3];
  double length; /* [m] */
  double weight; /* of both senses together [1] */
} Direction;

static void Directions(FgCell cell, Direction directions[DIRECTIONS])
{
  double spacing[3], mean = 0;
  int    n = 0, axes = 0;

  for (int a = 0; a < 3; a++) {
    if (cell->n[a] > 1) {
      mean += cell->spacing[a];
      axes++;
    }
  }
  for (int a = 0; a < 3; a++) spacing[a] = cell->n[a] > 1 ? cell->spacing[a] : mean / axes;
  for (int z = 0; z <= 1; z++) {
    for (int y = -1; y <= 1; y++) {
      for (int x = -1; x <= 1; x++) {
        if (z == 0 && (y < 0 || (y == 0 && x <= 0))) continue;
        directions[n++] = (Direction){
            .step = {x, y, z}, .length = sqrt(PetscSqr(x * spacing[0]) + PetscSqr(y * spacing[1]) + PetscSqr(z * spacing[2]))};
      }
    }
  }
  /* The golden-angle spiral spreads points evenly over the sphere. */
  for (int i = 0; i < POINTS; i++) {
    const double height = 1.0 - (2.0 * i + 1.0) / POINTS, radius = sqrt(1.0 - height * height),
                 angle    = PETSC_PI * (3.0 - sqrt(5.0)) * i;
    const double point[3] = {radius * cos(angle), radius * sin(angle), height};
    double       best     = -1.0;
    int          nearest  = 0;

    for (int d = 0; d < DIRECTIONS; d++) {
      double dot = 0;

      for (int a = 0; a < 3; a++) dot += point[a] * directions[d].step[a] * spacing[a];
      dot = fabs(dot) / directions[d].length;
      if (dot > best) {
        best    = dot;
        nearest = d;
      }
    }
    directions[nearest].weight += 1.0 / POINTS;
  }
}

/* 1 for the first set, 2 for the second, by voxel, of this rank's planes and the one above. */
static PetscErrorCode Sets(FgCell cell, const PetscBool *first, const PetscBool *second, unsigned char **sets)
{
  const size_t  plane = (size_t)(cell->n[0] * cell->n[1]), n = (size_t)cell->nlocal;
  FgHalo        halo = {.size = 0};
  const double *below, *above;
  double       *ends;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n + plane, sets));
  PetscCall(PetscMalloc1(2 * plane, &ends));
  for (size_t i = 0; i < n; i++) (*sets)[i] = (unsigned char)((first[cell->phase[i]] ? 1 : 0) | (second[cell->phase[i]] ? 2 : 0));
  for (size_t i = 0; n > 0 && i < plane; i++) {
    ends[i]         = (*sets)[i];
    ends[plane + i] = (*sets)[n - plane + i];
  }
  PetscCall(FgHaloPlanes(cell, &halo, ends, ends + plane, 1, &below, &above));
  for (size_t i = 0; n > 0 && i < plane; i++) (*sets)[n + i] = (unsigned char)above[i];
  PetscCall(PetscFree(ends));
  PetscCall(FgHaloDestroy(&halo));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgInterfaceArea(FgCell cell, const PetscBool *first, const PetscBool *second, double *area)
{
  const PetscInt n0 = cell->n[0], n1 = cell->n[1];
  const double   voxels = (double)n0 * (double)n1 * (double)cell->n[2];
  Direction      directions[DIRECTIONS];
  unsigned char *sets;

  PetscFunctionBegin;
  Directions(cell, directions);
  PetscCall(Sets(cell, first, second, &sets));
  *area = 0;
  for (int d = 0; d < DIRECTIONS; d++) {
    const int *step      = directions[d].step;
    double     crossings = 0;

    for (PetscInt k = 0; k < cell->count; k++) {
      for (PetscInt j = 0; j < n1; j++) {
        const unsigned char *here  = sets + ((size_t)k * (size_t)n1 + (size_t)j) * (size_t)n0;
        const unsigned char *there = sets + ((size_t)(k + step[2]) * (size_t)n1 + (size_t)((j + step[1] + n1) % n1)) * (size_t)n0;
        PetscInt             count = 0;

        for (PetscInt i = 0; i < n0; i++) {
          const unsigned char a = here[i], b = there[(i + step[0] + n0) % n0];

          count += ((a & 1) && (b & 2)) || ((a & 2) && (b & 1));
        }
        crossings += (double)count;
      }
    }
    *area += 2.0 * directions[d].weight * crossings / (voxels * directions[d].length);
  }
  PetscCall(PetscFree(sets));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, area, 1, MPI_DOUBLE, MPI_SUM, cell->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}
