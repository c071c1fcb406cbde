/* mesh_voxels.h: the faces of voxels that bound a mesh over voxels on the outside, for its electrodes. */
#ifndef FINEGRAIN_MESH_VOXELS_H
#define FINEGRAIN_MESH_VOXELS_H

#include "finegrain/mesh.h"

/* A mesh over voxels while it is made; in two dimensions dims[2] is 1 and the third axis has no corners of its own. */
typedef struct {
  PetscInt      dim, nelectrodes;
  const FgGrid *grid;
  PetscInt      nsites, *voxel;     /* [nsites] linear indices */
  PetscInt     *site;               /* [voxels of the grid], -1: none */
  PetscInt      corners[3], nnodes; /* corners of voxels along each axis */
  PetscInt     *node;               /* [corners of the grid] number, -1: of no voxel */
  PetscInt      nfaces, *face;      /* [nfaces][2^(dim - 1)] nodes; of two axes u, v: the corner, + u, + v, + u + v */
  double       *center;             /* [nfaces][3] [m] */
  signed char  *axis;               /* [nfaces] at a right angle to it */
  PetscInt     *owner;              /* [nfaces] electrode, -1: none */
} FgVoxelMesh;

/* Place of a corner (half an index below the voxel's center) [m]; z = 0 in two dimensions. */
PETSC_INTERN void FgVoxelCorner(const FgVoxelMesh *v, const double index[3], double place[3]);
/* Finds face and center. */
PETSC_INTERN PetscErrorCode FgVoxelSurface(FgVoxelMesh *v);
/* Finds owner: position [nelectrodes][3] [m], radius [nelectrodes] [m]. */
PETSC_INTERN PetscErrorCode FgVoxelElectrodes(FgVoxelMesh *v, const char (*name)[32], const double position[],
                                              const double radius[]);

#endif
