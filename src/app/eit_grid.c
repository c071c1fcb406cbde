/* eit_grid.c: the voxels on which the maps of a mesh are written.

   Image axes are x to the right, y up and, in three dimensions, z towards the viewer: NIfTI's RAS frame with a diagonal affine in mm whose
   origin is that of the mesh, the center of a tank. Voxels are cubes: the box around the mesh is widened to the shape of the grid. */
#include "eit_domain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "256x256", "64x64x32". */
static PetscBool ReadSize(const char *text, PetscInt size[3], int *n)
{
  long long value;
  int       used;

  for (*n = 0; *n < 3;) {
    if (sscanf(text, "%lld%n", &value, &used) != 1 || value < 1 || value > 4096) return PETSC_FALSE;
    size[(*n)++] = (PetscInt)value;
    text += used;
    if (!*text) return PETSC_TRUE;
    if (*text++ != 'x') return PETSC_FALSE;
  }
  return PETSC_FALSE;
}

void FgEitBox(FgMesh mesh, double low[3], double high[3])
{
  for (int k = 0; k < 3; k++) low[k] = INFINITY, high[k] = -INFINITY;
  for (size_t i = 0; i < 3 * (size_t)mesh->nnodes; i++) {
    low[i % 3]  = fmin(low[i % 3], mesh->node[i]);
    high[i % 3] = fmax(high[i % 3], mesh->node[i]);
  }
}

static void BoxGrid(FgMesh mesh, const PetscInt size[3], FgGrid *grid)
{
  double low[3], high[3], spacing = 0.0;

  FgEitBox(mesh, low, high);
  for (int k = 0; k < mesh->dim; k++) spacing = fmax(spacing, 1000.0 * (high[k] - low[k]) / (double)size[k]);
  memset(grid, 0, sizeof(*grid));
  for (int k = 0; k < 3; k++) {
    grid->dims[k]      = size[k];
    grid->spacing[k]   = spacing;
    grid->affine[k][k] = spacing;
    grid->affine[k][3] = 500.0 * (low[k] + high[k]) - 0.5 * (double)(size[k] - 1) * spacing;
  }
  grid->sform_code = grid->qform_code = 1;
}

static PetscErrorCode ReadGrid(const char *path, FgGrid *grid)
{
  FgImageInfo info;

  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(path, &info));
  *grid = info.grid;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitGrid(const char *text, FgMesh mesh, FgGrid *grid)
{
  const char    *shape   = text[0] ? text : mesh->dim == 2 ? "256x256" : "64x64x64";
  PetscInt       size[3] = {1, 1, 1};
  PetscErrorCode code    = PETSC_SUCCESS;
  PetscMPIInt    rank;
  int            n;

  PetscFunctionBegin;
  if (!text[0] && mesh->voxel) {
    *grid = mesh->grid;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (ReadSize(shape, size, &n)) {
    PetscCheck(n == mesh->dim, PETSC_COMM_SELF, PETSC_ERR_USER,
               "--grid %s: found %d dimensions, expected the %" PetscInt_FMT " of the domain", text, n, mesh->dim);
    BoxGrid(mesh, size, grid);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCheck(strstr(text, ".nii"), PETSC_COMM_SELF, PETSC_ERR_USER,
             "--grid: found '%s', expected numbers of voxels NXxNY[xNZ] or a NIfTI file", text);
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) code = ReadGrid(text, grid);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscCallMPI(MPI_Bcast(grid, sizeof(*grid), MPI_BYTE, 0, PETSC_COMM_WORLD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RefuseGrid(FgMesh mesh, const char *text)
{
  double low[3], high[3];

  PetscFunctionBegin;
  FgEitBox(mesh, low, high);
  for (int k = 0; k < 3; k++) low[k] *= 1000.0, high[k] *= 1000.0;
  SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
          "%s: found no voxel in the domain, which spans x %.4g to %.4g, y %.4g to %.4g, z %.4g to %.4g mm; give a grid that "
          "overlaps it",
          text, low[0], high[0], low[1], high[1], low[2], high[2]);
}

PetscErrorCode FgEitVoxels(FgMesh mesh, const char *text, const FgGrid *grid, FgMeasurement *m, PetscInt **site)
{
  const PetscInt n         = FgGridVoxels(grid);
  FgGradients    gradients = {0};
  unsigned char *mask;
  PetscInt      *where, inside = 0;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n, &where, n, &mask));
  PetscCall(FgMeshSample(mesh, grid, where));
  for (PetscInt v = 0; v < n; v++) inside += mask[v] = where[v] >= 0;
  code = inside ? PETSC_SUCCESS : RefuseGrid(mesh, text);
  if (!code) code = FgMeasurementCreate(PETSC_COMM_WORLD, grid, mask, "the domain on the grid of the maps", &gradients, m);
  if (!code) {
    PetscCall(PetscMalloc1(m->nlocal, site));
    for (PetscInt i = 0; i < m->nlocal; i++) (*site)[i] = where[m->voxel[m->first + i]];
  }
  PetscCall(PetscFree2(where, mask));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}
