/* grid.c: geometry of voxel grids: determinant, directions of the axes, distance between two grids. */
#include "finegrain/image.h"

#include <math.h>

double FgGridDeterminant(const FgGrid *grid)
{
  const double(*a)[4] = grid->affine;

  return a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
         a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
}

void FgGridRotation(const FgGrid *grid, double R[9])
{
  for (int j = 0; j < 3; j++) {
    const double length = hypot(hypot(grid->affine[0][j], grid->affine[1][j]), grid->affine[2][j]);

    for (int i = 0; i < 3; i++) R[3 * i + j] = grid->affine[i][j] / length;
  }
}

PetscInt FgGridVoxels(const FgGrid *grid)
{
  return grid->dims[0] * grid->dims[1] * grid->dims[2];
}

/* Solves the 3x3 system A x = y, A the linear part of the affine, by Cramer's rule: three lines for three unknowns. */
static void SolveAffine(const FgGrid *grid, const double y[3], double x[3])
{
  const double determinant = FgGridDeterminant(grid);

  for (int column = 0; column < 3; column++) {
    FgGrid replaced = *grid;

    for (int i = 0; i < 3; i++) replaced.affine[i][column] = y[i];
    x[column] = FgGridDeterminant(&replaced) / determinant;
  }
}

double FgGridDistance(const FgGrid *a, const FgGrid *b)
{
  double largest = 0.0;

  for (int i = 0; i < 3; i++) {
    if (a->dims[i] != b->dims[i]) return -1.0;
  }
  for (int corner = 0; corner < 8; corner++) {
    double difference[3], voxels[3];

    for (int i = 0; i < 3; i++) {
      difference[i] = b->affine[i][3] - a->affine[i][3];
      for (int j = 0; j < 3; j++) {
        if (corner >> j & 1) difference[i] += (b->affine[i][j] - a->affine[i][j]) * (double)(a->dims[j] - 1);
      }
    }
    SolveAffine(a, difference, voxels);
    largest = fmax(largest, hypot(hypot(voxels[0], voxels[1]), voxels[2]));
  }
  return largest;
}
