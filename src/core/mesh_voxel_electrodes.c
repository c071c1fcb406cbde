/* mesh_voxel_electrodes.c: electrodes at positions near the surface of voxels: which faces lie under each.

   The surface is what bounds the outside: background that reaches the edge of the grid by steps through faces; holes within
   are none of it. An electrode's point is the point of the surface nearest to its position; its faces those with centers within its
   radius of that point, joined to it by faces that share corners. A face within reach of two electrodes is the nearer one's. */
#include "mesh_voxels.h"

#define FARTHEST 0.02 /* [m] from a position to the surface, beyond the radius */

/* Marks the background that reaches the outside: outside[] over the grid with one voxel more on each side. */
static PetscErrorCode MarkOutside(const FgVoxelMesh *v, const PetscInt size[3], char *outside)
{
  const PetscInt *dims = v->grid->dims, margin = v->dim == 3 ? 1 : 0;
  const size_t    all = (size_t)size[0] * size[1] * size[2];
  size_t         *stack, n = 0;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(outside, all));
  PetscCall(PetscMalloc1(all, &stack));
  stack[n++] = 0;
  outside[0] = 1;
  while (n > 0) {
    const size_t   here     = stack[--n];
    const PetscInt index[3] = {(PetscInt)(here % size[0]), (PetscInt)(here / size[0] % size[1]),
                               (PetscInt)(here / size[0] / size[1])};
    size_t         stride   = 1;

    for (int axis = 0; axis < v->dim; stride *= size[axis++]) {
      for (int step = -1; step <= 1; step += 2) {
        PetscInt  next[3] = {index[0] - 1, index[1] - 1, index[2] - margin};
        PetscBool within  = PETSC_TRUE;
        size_t    other;

        if (index[axis] + step < 0 || index[axis] + step >= size[axis]) continue;
        other = step > 0 ? here + stride : here - stride;
        next[axis] += step;
        for (int k = 0; k < 3; k++) within = within && next[k] >= 0 && next[k] < dims[k] ? PETSC_TRUE : PETSC_FALSE;
        if (outside[other] || (within && v->site[next[0] + dims[0] * (next[1] + dims[1] * next[2])] >= 0)) continue;
        outside[other] = 1;
        stack[n++]     = other;
      }
    }
  }
  PetscCall(PetscFree(stack));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The face of a voxel along an axis, on its upper or lower side. */
static void FillFace(FgVoxelMesh *v, const PetscInt index[3], int axis, int upper, PetscInt f)
{
  const int along[2]  = {axis == 0 ? 1 : 0, axis == 2 ? 1 : 2};
  const int ncorners  = v->dim == 2 ? 2 : 4;
  double    middle[3] = {0.0, 0.0, 0.0};

  for (int c = 0; c < ncorners; c++) {
    PetscInt corner[3] = {index[0], index[1], index[2]};

    corner[axis] += upper;
    corner[along[0]] += c & 1;
    if (v->dim == 3) corner[along[1]] += c >> 1;
    for (int x = 0; x < 3; x++) middle[x] += (double)corner[x] / ncorners;
    v->face[ncorners * f + c] = v->node[corner[0] + v->corners[0] * (corner[1] + v->corners[1] * corner[2])];
  }
  v->axis[f] = (signed char)axis;
  FgVoxelCorner(v, middle, v->center + 3 * f);
}

PetscErrorCode FgVoxelSurface(FgVoxelMesh *v)
{
  const PetscInt *dims = v->grid->dims, margin = v->dim == 3 ? 1 : 0;
  const PetscInt  size[3] = {dims[0] + 2, dims[1] + 2, dims[2] + 2 * margin};
  char           *outside;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1((size_t)size[0] * size[1] * size[2], &outside));
  PetscCall(MarkOutside(v, size, outside));
  for (int pass = 0; pass < 2; pass++) {
    v->nfaces = 0;
    for (PetscInt s = 0; s < v->nsites; s++) {
      const PetscInt at = v->voxel[s], index[3] = {at % dims[0], at / dims[0] % dims[1], at / dims[0] / dims[1]};

      for (int side = 0; side < 2 * v->dim; side++) {
        PetscInt next[3] = {index[0] + 1, index[1] + 1, index[2] + margin};

        next[side / 2] += side % 2 ? 1 : -1;
        if (!outside[next[0] + size[0] * (next[1] + (size_t)size[1] * next[2])]) continue;
        if (pass == 1) FillFace(v, index, side / 2, side % 2, v->nfaces);
        v->nfaces++;
      }
    }
    if (pass == 0) {
      PetscCall(PetscMalloc1((size_t)v->nfaces * (v->dim == 2 ? 2 : 4), &v->face));
      PetscCall(PetscMalloc1(3 * (size_t)v->nfaces, &v->center));
      PetscCall(PetscMalloc1(v->nfaces, &v->axis));
    }
  }
  PetscCall(PetscFree(outside));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double Distance(const FgVoxelMesh *v, const double *a, const double *b)
{
  return hypot(hypot(a[0] - b[0], a[1] - b[1]), v->dim == 3 ? a[2] - b[2] : 0.0);
}

/* Marks the faces joined to `first` among those that lie within the radius: reached[nnodes] and under[nfaces] hold `stamp` then. */
static void Spread(const FgVoxelMesh *v, const double *distance, double radius, PetscInt first, PetscInt stamp, PetscInt *reached,
                   PetscInt *under)
{
  const int ncorners = v->dim == 2 ? 2 : 4;
  PetscBool again    = PETSC_TRUE;

  under[first] = stamp;
  for (int c = 0; c < ncorners; c++) reached[v->face[ncorners * first + c]] = stamp;
  while (again) {
    again = PETSC_FALSE;
    for (PetscInt f = 0; f < v->nfaces; f++) {
      PetscBool joined = PETSC_FALSE;

      if (under[f] == stamp || distance[f] > radius) continue;
      for (int c = 0; c < ncorners; c++)
        joined = joined || reached[v->face[ncorners * f + c]] == stamp ? PETSC_TRUE : PETSC_FALSE;
      if (!joined) continue;
      again    = PETSC_TRUE;
      under[f] = stamp;
      for (int c = 0; c < ncorners; c++) reached[v->face[ncorners * f + c]] = stamp;
    }
  }
}

/* The point of a face nearest to a position; edges of voxels are taken to be at right angles. */
static void NearestPoint(const FgVoxelMesh *v, PetscInt f, const double *position, double point[3])
{
  double share[3] = {0.0, 0.0, 0.0};

  for (int axis = 0; axis < v->dim; axis++) {
    double dot = 0.0, square = 0.0;

    for (PetscInt x = 0; x < v->dim && axis != v->axis[f]; x++) {
      const double edge = 1e-3 * v->grid->affine[x][axis];

      dot += edge * (position[x] - v->center[3 * f + x]);
      square += edge * edge;
    }
    if (square > 0.0) share[axis] = PetscMax(-0.5, PetscMin(0.5, dot / square));
  }
  for (PetscInt x = 0; x < 3; x++) {
    point[x] = v->center[3 * f + x];
    for (int axis = 0; x < v->dim && axis < v->dim; axis++) point[x] += 1e-3 * share[axis] * v->grid->affine[x][axis];
  }
}

/* Gives electrode i the faces under it that no other is nearer to. first[] are the electrodes' nearest faces. */
static PetscErrorCode Place(FgVoxelMesh *v, PetscInt i, const char (*name)[32], const double *position, double radius,
                            PetscInt *first, double *nearest, double *distance, PetscInt *reached, PetscInt *under)
{
  double   point[3], away;
  PetscInt best = 0;

  PetscFunctionBegin;
  PetscCheck(isfinite(position[0]) && isfinite(position[1]) && isfinite(position[2]) && radius > 0.0 && isfinite(radius),
             PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "electrode %s is at (%g, %g, %g) m with a radius of %g m, expected finite numbers and a positive radius", name[i],
             position[0], position[1], position[2], radius);
  for (PetscInt f = 0; f < v->nfaces; f++) {
    distance[f] = Distance(v, position, v->center + 3 * f);
    if (distance[f] < distance[best]) best = f;
  }
  NearestPoint(v, best, position, point);
  away = Distance(v, position, point);
  PetscCheck(away <= FARTHEST + radius, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "electrode %s, at (%g, %g, %g) m, is %.1f mm from the mask's surface, expected at most %.1f mm; check the mask, the "
             "unit of "
             "the positions and their frame",
             name[i], position[0], position[1], position[2], 1e3 * away, 1e3 * (FARTHEST + radius));
  for (PetscInt j = 0; j < i; j++) {
    PetscCheck(first[j] != best, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "electrodes %s and %s fall on the same face of the mask's surface, expected each on faces of its own", name[j],
               name[i]);
  }
  first[i] = best;
  for (PetscInt f = 0; f < v->nfaces; f++) distance[f] = Distance(v, point, v->center + 3 * f);
  Spread(v, distance, radius, best, i, reached, under);
  for (PetscInt f = 0; f < v->nfaces; f++) {
    if (under[f] != i || (v->owner[f] >= 0 && nearest[f] <= distance[f])) continue;
    v->owner[f] = i;
    nearest[f]  = distance[f];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PlaceAll(FgVoxelMesh *v, const char (*name)[32], const double position[], const double radius[],
                               PetscInt *first, double *nearest, double *distance, PetscInt *reached, PetscInt *under)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < v->nnodes; k++) reached[k] = -1;
  for (PetscInt f = 0; f < v->nfaces; f++) under[f] = v->owner[f] = -1;
  for (PetscInt i = 0; i < v->nelectrodes; i++) {
    PetscCall(Place(v, i, name, position + 3 * i, radius[i], first, nearest, distance, reached, under));
  }
  for (PetscInt i = 0; i < v->nelectrodes; i++) {
    PetscInt n = 0;

    for (PetscInt f = 0; f < v->nfaces; f++) n += v->owner[f] == i ? 1 : 0;
    PetscCheck(n > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "electrode %s has no face of the mask's surface to itself: electrode %s covers it; expected electrodes apart",
               name[i], name[v->owner[first[i]]]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgVoxelElectrodes(FgVoxelMesh *v, const char (*name)[32], const double position[], const double radius[])
{
  PetscInt      *first, *reached, *under;
  double        *nearest, *distance;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(v->nfaces, &v->owner));
  PetscCall(
      PetscMalloc5(v->nelectrodes, &first, v->nfaces, &nearest, v->nfaces, &distance, v->nnodes, &reached, v->nfaces, &under));
  ierr = PlaceAll(v, name, position, radius, first, nearest, distance, reached, under);
  PetscCall(PetscFree5(first, nearest, distance, reached, under));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}
