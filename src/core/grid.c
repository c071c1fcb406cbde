/* grid.c: geometry of voxel grids: determinant and inverse of the affine, directions of the axes, distance between two grids. */
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

void FgGridInverse(const FgGrid *grid, double inverse[9])
{
  const double(*a)[4]      = grid->affine;
  const double determinant = FgGridDeterminant(grid);

  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      const int r = (j + 1) % 3, s = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3; /* cofactor of (j, i) */

      inverse[3 * i + j] = (a[r][c] * a[s][d] - a[r][d] * a[s][c]) / determinant;
    }
  }
}

void FgGridIndex(const FgGrid *grid, const double inverse[9], const double x[3], double index[3])
{
  for (int i = 0; i < 3; i++) {
    index[i] = 0.0;
    for (int j = 0; j < 3; j++) index[i] += inverse[3 * i + j] * (1000.0 * x[j] - grid->affine[j][3]);
  }
}

double FgGridDistance(const FgGrid *a, const FgGrid *b)
{
  double largest = 0.0, inverse[9];

  for (int i = 0; i < 3; i++) {
    if (a->dims[i] != b->dims[i]) return -1.0;
  }
  FgGridInverse(a, inverse);
  for (int corner = 0; corner < 8; corner++) {
    double difference[3], voxels[3] = {0.0, 0.0, 0.0};

    for (int i = 0; i < 3; i++) {
      difference[i] = b->affine[i][3] - a->affine[i][3];
      for (int j = 0; j < 3; j++) {
        if (corner >> j & 1) difference[i] += (b->affine[i][j] - a->affine[i][j]) * (double)(a->dims[j] - 1);
      }
    }
    for (int k = 0; k < 9; k++) voxels[k / 3] += inverse[k] * difference[k % 3];
    largest = fmax(largest, hypot(hypot(voxels[0], voxels[1]), voxels[2]));
  }
  return largest;
}
