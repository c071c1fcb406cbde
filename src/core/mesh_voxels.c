/* mesh_voxels.c: voxels of a mask as simplices.

   Each voxel is cut into the six tetrahedra of H. W. Kuhn ("Some combinatorial lemmas in topology", IBM J. Res. Dev. 4, 1960): one for
   each way from its lowest corner to its highest along the three axes. Every face then has the diagonal from its lowest to its highest
   corner, on both sides. In one slice it is two triangles. */
#include "mesh_voxels.h"

void FgVoxelCorner(const FgVoxelMesh *v, const double index[3], double place[3])
{
  for (int x = 0; x < 3; x++) {
    place[x] = v->grid->affine[x][3];
    for (int axis = 0; axis < 3; axis++) place[x] += v->grid->affine[x][axis] * (index[axis] - (axis < v->dim ? 0.5 : 0.0));
    place[x] *= 1e-3;
  }
  if (v->dim == 2) place[2] = 0.0;
}

static PetscErrorCode CheckGrid(const FgGrid *grid, PetscInt dim, PetscInt nvoxels, const PetscInt voxel[])
{
  const double(*a)[4]   = grid->affine;
  const PetscInt all    = grid->dims[0] * grid->dims[1] * grid->dims[2];
  const double   across = a[0][0] * a[1][1] - a[0][1] * a[1][0], flat = hypot(a[2][0], a[2][1]);
  double         volume = across;

  PetscFunctionBegin;
  if (dim == 3) {
    volume = a[2][2] * across + a[2][0] * (a[0][1] * a[1][2] - a[0][2] * a[1][1]) -
             a[2][1] * (a[0][0] * a[1][2] - a[0][2] * a[1][0]);
  }
  PetscCheck(nvoxels > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "the mask is empty: no voxel to mesh");
  PetscCheck(nvoxels < PETSC_MAX_INT / 24, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "the mask has %" PetscInt_FMT " voxels, too many to mesh with numbers of 32 bits; resample it to larger voxels",
             nvoxels);
  PetscCheck(isfinite(volume) && volume != 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "the mask's affine has determinant %g, expected voxels of some volume", volume);
  PetscCheck(dim == 3 || flat <= 1e-3 * sqrt(PetscAbsReal(across)), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "the mask's one slice is tilted against the scanner's x-y plane, expected an axial slice");
  for (PetscInt k = 0; k < nvoxels; k++) {
    PetscCheck(voxel[k] >= 0 && voxel[k] < all && (k == 0 || voxel[k] > voxel[k - 1]), PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
               "voxel %" PetscInt_FMT " of the mask is number %" PetscInt_FMT ", expected ascending numbers below %" PetscInt_FMT,
               k, voxel[k], all);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Keeps the largest piece of voxels that share faces. site[] holds the piece's number while it is being found. */
static PetscErrorCode KeepLargestPiece(FgVoxelMesh *v, PetscInt nvoxels, const PetscInt voxel[])
{
  const PetscInt *dims = v->grid->dims, all = dims[0] * dims[1] * dims[2];
  PetscInt        npieces = 0, largest = 0, most = 0, *stack;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(all, &v->site));
  PetscCall(PetscMalloc1(nvoxels, &v->voxel));
  PetscCall(PetscMalloc1(nvoxels, &stack));
  for (PetscInt k = 0; k < all; k++) v->site[k] = -2; /* not of the mask */
  for (PetscInt k = 0; k < nvoxels; k++) v->site[voxel[k]] = -1;
  for (PetscInt k = 0; k < nvoxels; k++) {
    PetscInt n = 0, size = 0;

    if (v->site[voxel[k]] != -1) continue;
    stack[n++]        = voxel[k];
    v->site[voxel[k]] = npieces;
    while (n > 0) {
      const PetscInt here = stack[--n], index[3] = {here % dims[0], here / dims[0] % dims[1], here / dims[0] / dims[1]};

      size++;
      for (int axis = 0, stride = 1; axis < 3; stride *= dims[axis++]) {
        for (int step = -1; step <= 1; step += 2) {
          const PetscInt other = here + step * stride;

          if (index[axis] + step < 0 || index[axis] + step >= dims[axis] || v->site[other] != -1) continue;
          v->site[other] = npieces;
          stack[n++]     = other;
        }
      }
    }
    if (size > most) {
      most    = size;
      largest = npieces;
    }
    npieces++;
  }
  PetscCall(PetscFree(stack));
  for (PetscInt k = 0; k < nvoxels; k++) {
    if (v->site[voxel[k]] == largest) v->voxel[v->nsites++] = voxel[k];
  }
  for (PetscInt k = 0; k < all; k++) v->site[k] = -1;
  for (PetscInt s = 0; s < v->nsites; s++) v->site[v->voxel[s]] = s;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Number in the grid of corners of voxel's corner `which`, bit a: the upper one along axis a. */
static PetscInt Corner(const FgVoxelMesh *v, PetscInt voxel, int which)
{
  const PetscInt *dims = v->grid->dims;
  const PetscInt  i = voxel % dims[0] + (which & 1), j = voxel / dims[0] % dims[1] + (which >> 1 & 1),
                 k = v->dim == 2 ? 0 : voxel / dims[0] / dims[1] + (which >> 2 & 1);

  return i + v->corners[0] * (j + v->corners[1] * k);
}

static PetscErrorCode NumberNodes(FgVoxelMesh *v)
{
  PetscInt all;

  PetscFunctionBegin;
  for (int axis = 0; axis < 3; axis++) v->corners[axis] = v->grid->dims[axis] + (axis < v->dim ? 1 : 0);
  PetscCheck((double)v->corners[0] * v->corners[1] * v->corners[2] < PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "the mask's grid is too large to mesh with numbers of 32 bits; crop it");
  all = v->corners[0] * v->corners[1] * v->corners[2];
  PetscCall(PetscMalloc1(all, &v->node));
  for (PetscInt k = 0; k < all; k++) v->node[k] = -1;
  for (PetscInt s = 0; s < v->nsites; s++) {
    for (int which = 0; which < 1 << v->dim; which++) {
      PetscInt *number = v->node + Corner(v, v->voxel[s], which);

      if (*number < 0) *number = v->nnodes++;
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillMesh(const FgVoxelMesh *v, FgMesh m)
{
  static const int path2[2][3] = {{0, 1, 3}, {0, 2, 3}};
  static const int path3[6][4] = {{0, 1, 3, 7}, {0, 1, 5, 7}, {0, 2, 3, 7}, {0, 2, 6, 7}, {0, 4, 5, 7}, {0, 4, 6, 7}};
  const PetscInt   each = v->dim == 2 ? 2 : 6, all = v->corners[0] * v->corners[1] * v->corners[2];
  PetscInt        *element = m->element;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(m->nelements, &m->site));
  for (PetscInt s = 0; s < v->nsites; s++) {
    for (PetscInt k = 0; k < each; k++) {
      m->site[each * s + k] = s;
      for (PetscInt c = 0; c <= v->dim; c++) {
        *element++ = v->node[Corner(v, v->voxel[s], v->dim == 2 ? path2[k][c] : path3[k][c])];
      }
    }
  }
  for (PetscInt k = 0; k < all; k++) {
    const double index[3] = {k % v->corners[0], k / v->corners[0] % v->corners[1], k / v->corners[0] / v->corners[1]};

    if (v->node[k] >= 0) FgVoxelCorner(v, index, m->node + 3 * (size_t)v->node[k]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillElectrodes(const FgVoxelMesh *v, FgMesh m)
{
  static const int cut[2][3] = {{0, 1, 3}, {0, 2, 3}};
  PetscInt         f         = 0;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < v->nelectrodes; i++) {
    for (PetscInt k = 0; k < v->nfaces; k++) {
      if (v->owner[k] != i) continue;
      if (v->dim == 2) PetscCall(PetscArraycpy(m->face + 2 * f++, v->face + 2 * k, 2));
      for (int half = 0; v->dim == 3 && half < 2; half++, f++) {
        for (int c = 0; c < 3; c++) m->face[3 * f + c] = v->face[4 * k + cut[half][c]];
      }
    }
    m->face_start[i + 1] = f;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Make(FgVoxelMesh *v, PetscInt nvoxels, const PetscInt voxel[], const char (*name)[32],
                           const double position[], const double radius[], FgMesh *mesh)
{
  PetscInt nfaces = 0;
  FgMesh   m;

  PetscFunctionBegin;
  PetscCall(CheckGrid(v->grid, v->dim, nvoxels, voxel));
  PetscCall(KeepLargestPiece(v, nvoxels, voxel));
  PetscCall(NumberNodes(v));
  PetscCall(FgVoxelSurface(v));
  PetscCall(FgVoxelElectrodes(v, name, position, radius));
  for (PetscInt k = 0; k < v->nfaces; k++) nfaces += v->owner[k] >= 0 ? v->dim - 1 : 0;
  PetscCall(FgMeshCreate(v->dim, v->nnodes, (v->dim == 2 ? 2 : 6) * v->nsites, v->nelectrodes, nfaces, &m));
  *mesh     = m;
  m->grid   = *v->grid;
  m->nsites = v->nsites;
  PetscCall(PetscFree(v->site));
  PetscCall(FillMesh(v, m));
  m->voxel = v->voxel;
  v->voxel = NULL;
  PetscCall(FillElectrodes(v, m));
  for (PetscInt i = 0; i < v->nelectrodes; i++) {
    PetscCall(PetscMemcpy(m->electrode[i], name[i], sizeof(m->electrode[i])));
    m->electrode_area[i] = v->dim == 2 ? 2.0 * radius[i] : PETSC_PI * radius[i] * radius[i];
  }
  PetscCall(FgMeshFinish(m, "mesh of the mask"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeshCreateVoxels(const FgGrid *grid, PetscInt nvoxels, const PetscInt voxel[], PetscInt nelectrodes,
                                  const char (*name)[32], const double position[], const double radius[], FgMesh *mesh,
                                  PetscInt *ndropped)
{
  FgVoxelMesh    v = {.dim = grid->dims[2] == 1 ? 2 : 3, .grid = grid, .nelectrodes = nelectrodes};
  PetscErrorCode ierr;

  PetscFunctionBegin;
  *mesh = NULL;
  ierr  = Make(&v, nvoxels, voxel, name, position, radius, mesh);
  if (ndropped) *ndropped = nvoxels - v.nsites;
  PetscCall(PetscFree(v.voxel));
  PetscCall(PetscFree(v.site));
  PetscCall(PetscFree(v.node));
  PetscCall(PetscFree(v.face));
  PetscCall(PetscFree(v.center));
  PetscCall(PetscFree(v.axis));
  PetscCall(PetscFree(v.owner));
  if (ierr) PetscCall(FgMeshDestroy(mesh));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}
