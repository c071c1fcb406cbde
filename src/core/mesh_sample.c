/* mesh_sample.c: which site lies at each voxel center of a grid: every element is drawn into the grid, so that the work is that of the
   elements and of the voxels they cover, whatever the grid's orientation. */
#include "finegrain/mesh.h"

#include <math.h>

#define TOLERANCE 1e-9 /* barycentric coordinates of a center on a face [1] */

/* Whether a point lies in the simplex of dim + 1 corners, all in voxel indices; in two dimensions the first two coordinates count. */
static PetscBool Holds(int dim, const double corner[4][3], const double p[3])
{
  double edge[3][3] = {{0.0}}, d[3], determinant, b[3], sum = 0.0;

  for (int k = 0; k < 3; k++) {
    for (int c = 0; c < dim; c++) edge[c][k] = corner[c + 1][k] - corner[0][k];
    d[k] = p[k] - corner[0][k];
  }
  if (dim == 2) {
    determinant = edge[0][0] * edge[1][1] - edge[0][1] * edge[1][0];
    b[0]        = (d[0] * edge[1][1] - d[1] * edge[1][0]) / determinant;
    b[1]        = (edge[0][0] * d[1] - edge[0][1] * d[0]) / determinant;
  } else {
    double cross[3][3];

    for (int c = 0; c < 3; c++) {
      const double *u = edge[(c + 1) % 3], *v = edge[(c + 2) % 3];

      for (int k = 0; k < 3; k++) cross[c][k] = u[(k + 1) % 3] * v[(k + 2) % 3] - u[(k + 2) % 3] * v[(k + 1) % 3];
    }
    determinant = edge[0][0] * cross[0][0] + edge[0][1] * cross[0][1] + edge[0][2] * cross[0][2];
    for (int c = 0; c < 3; c++) b[c] = (d[0] * cross[c][0] + d[1] * cross[c][1] + d[2] * cross[c][2]) / determinant;
  }
  for (int c = 0; c < dim; c++) {
    if (!(b[c] >= -TOLERANCE)) return PETSC_FALSE;
    sum += b[c];
  }
  return sum <= 1.0 + TOLERANCE ? PETSC_TRUE : PETSC_FALSE;
}

static void DrawElement(FgMesh mesh, const FgGrid *grid, const double inverse[9], PetscInt e, PetscInt *where)
{
  const int      dim  = (int)mesh->dim;
  const PetscInt site = mesh->site ? mesh->site[e] : e;
  PetscInt       low[3], high[3], i[3];
  double         corner[4][3];

  for (int c = 0; c <= dim; c++)
    FgGridIndex(grid, inverse, &mesh->node[3 * (size_t)mesh->element[(size_t)(dim + 1) * (size_t)e + (size_t)c]], corner[c]);
  for (int k = 0; k < 3; k++) {
    double least = corner[0][k], most = corner[0][k];

    for (int c = 1; c <= dim; c++) least = fmin(least, corner[c][k]), most = fmax(most, corner[c][k]);
    low[k]  = (PetscInt)fmax(0.0, ceil(least - TOLERANCE));
    high[k] = (PetscInt)fmin((double)grid->dims[k] - 1.0, floor(most + TOLERANCE));
    if (dim == 2 && k == 2) low[k] = 0, high[k] = grid->dims[k] - 1; /* a slice of any height */
  }
  for (i[2] = low[2]; i[2] <= high[2]; i[2]++) {
    for (i[1] = low[1]; i[1] <= high[1]; i[1]++) {
      for (i[0] = low[0]; i[0] <= high[0]; i[0]++) {
        const size_t voxel = ((size_t)i[2] * (size_t)grid->dims[1] + (size_t)i[1]) * (size_t)grid->dims[0] + (size_t)i[0];
        const double p[3]  = {(double)i[0], (double)i[1], (double)i[2]};

        if (where[voxel] < 0 && Holds(dim, corner, p)) where[voxel] = site;
      }
    }
  }
}

PetscErrorCode FgMeshSample(FgMesh mesh, const FgGrid *grid, PetscInt *where)
{
  const PetscInt n = FgGridVoxels(grid);
  double         inverse[9];

  PetscFunctionBegin;
  for (PetscInt v = 0; v < n; v++) where[v] = -1;
  FgGridInverse(grid, inverse);
  for (PetscInt e = 0; e < mesh->nelements; e++) DrawElement(mesh, grid, inverse, e, where);
  PetscFunctionReturn(PETSC_SUCCESS);
}
