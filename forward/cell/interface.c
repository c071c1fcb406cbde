/* interface.c: area of the interface between two sets of phases, per volume of the cell [1/m].

   Counting faces of voxels does not converge: it gives 3/2 of a sphere's area at every resolution. The Crofton formula
   does: the area per volume follows from the number of times that random lines cross the interface, per length of line. Lines
   run along the directions of a voxel's neighbors, each weighted by the solid angle that is nearest to it:
     beta = F sum over directions of w_d (crossings along d) / (voxels |d|),   sum of w_d = 1
   with F = 2 in three dimensions, pi/2 in two (cells of one voxel along an axis), 1 in one. What shows all orientations alike
   is counted without bias, whatever the weights: spheres, and cylinders in two-dimensional cells.
   The weights are found by counting points spread evenly over the sphere (or circle), so that voxels need not be cubes; for
   cubes they are 0.0458 along axes, 0.0370 along face diagonals, 0.0352 along body diagonals, in each sense.
   Source: Ohser and Muecklich, Statistical analysis of microstructures in materials science (2000), chapter 5. */
#include "interface.h"

#include <math.h>

enum { DIRECTIONS = 13, POINTS = 40000 };

typedef struct {
  int    step[3];
  double length; /* [m] */
  double weight; /* of both senses together [1] */
} Direction;

/* The directions among axes of more than one voxel, and F; returns their number. */
static int Directions(FgCell cell, Direction directions[DIRECTIONS], double *factor)
{
  static const double factors[4] = {0, 1, 0.5 * PETSC_PI, 2};
  const double       *h          = cell->spacing;
  int                 n = 0, active[3], dimensions = 0;

  for (int a = 0; a < 3; a++) {
    active[a] = cell->n[a] > 1;
    dimensions += active[a];
  }
  *factor = factors[dimensions];
  for (int z = 0; z <= active[2]; z++) {
    for (int y = -active[1]; y <= active[1]; y++) {
      for (int x = -active[0]; x <= active[0]; x++) {
        if (z == 0 && (y < 0 || (y == 0 && x <= 0))) continue;
        directions[n++] = (Direction){.step   = {x, y, z},
                                      .length = sqrt(PetscSqr(x * h[0]) + PetscSqr(y * h[1]) + PetscSqr(z * h[2]))};
      }
    }
  }
  /* The golden-angle spiral spreads points evenly over the sphere; on a circle, or a line, all count that lie in it. */
  for (int i = 0; i < POINTS; i++) {
    const double height = 1.0 - (2.0 * i + 1.0) / POINTS, radius = sqrt(1.0 - height * height),
                 angle    = PETSC_PI * (3.0 - sqrt(5.0)) * i;
    const double turn     = PETSC_PI * (i + 0.5) / POINTS;
    double       point[3] = {radius * cos(angle), radius * sin(angle), height}, best = -1.0;
    int          nearest = 0;

    for (int a = 0, first = 1; dimensions < 3 && a < 3; a++) {
      point[a] = !active[a] ? 0.0 : first ? cos(turn) : sin(turn);
      if (active[a]) first = 0;
    }
    for (int d = 0; d < n; d++) {
      double dot = 0;

      for (int a = 0; a < 3; a++) dot += point[a] * directions[d].step[a] * h[a];
      dot = fabs(dot) / directions[d].length;
      if (dot > best) {
        best    = dot;
        nearest = d;
      }
    }
    directions[nearest].weight += 1.0 / POINTS;
  }
  return n;
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
  double         factor;
  int            ndirections;

  PetscFunctionBegin;
  ndirections = Directions(cell, directions, &factor);
  PetscCall(Sets(cell, first, second, &sets));
  *area = 0;
  for (int d = 0; d < ndirections; d++) {
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
    *area += factor * directions[d].weight * crossings / (voxels * directions[d].length);
  }
  PetscCall(PetscFree(sets));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, area, 1, MPI_DOUBLE, MPI_SUM, cell->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}
