/* shapes.h: what the generators of forward/cell/geometry*.c share. Private to them. */
#ifndef FINEGRAIN_FORWARD_CELL_SHAPES_H
#define FINEGRAIN_FORWARD_CELL_SHAPES_H

#include "finegrain/geometry.h"

/* Voxels that are as near to cubes as they can be for these edges, `resolution` of them along the longest. */
void FgShapeVoxels(PetscInt resolution, const double edge[3], PetscInt n[3]);

/* Sets every voxel of this rank to shape(context, y) with y the voxel's center in units of the edges, 0 < y < 1. */
typedef uint16_t (*FgShape)(const void *context, const double y[3]);
void FgShapeFill(FgCell cell, FgShape shape, const void *context);

/* An index along an axis of n voxels, back into the cell. */
static inline PetscInt FgShapeWrap(PetscInt i, PetscInt n)
{
  i %= n;
  return i < 0 ? i + n : i;
}

/* Number of phases that hold fibers of `orientations` orientations: all one, or one each if the cell has phases for that. */
PetscInt FgShapeFiberPhases(FgCell cell, PetscInt orientations);

/* geometry_spheres.c, geometry_fibers.c; settings are resolved. */
PetscErrorCode FgCubicSpheresSize(const FgGeometrySettings *settings, PetscInt n[3], double edge[3]);
PetscErrorCode FgCubicSpheresFill(const FgGeometrySettings *settings, FgCell cell);
PetscErrorCode FgRandomSpheresFill(const FgGeometrySettings *settings, FgCell cell);
PetscErrorCode FgCrossedFibersSize(const FgGeometrySettings *settings, PetscInt n[3], double edge[3]);
PetscErrorCode FgCrossedFibersFill(const FgGeometrySettings *settings, FgCell cell);
PetscErrorCode FgDispersedFibersFill(const FgGeometrySettings *settings, FgCell cell);

#endif
