/* mesh_connect.h: which elements share which face. */
#ifndef FINEGRAIN_MESH_CONNECT_H
#define FINEGRAIN_MESH_CONNECT_H

#include "finegrain/mesh.h"

/* The element on the other side of the face opposite to each corner: neighbor[nelements][dim + 1], -1 on the boundary; to be freed
   with PetscFree. *crowded is an element with a face that three or more share, -1 where there is none. O(n). */
PETSC_INTERN PetscErrorCode FgMeshConnect(FgMesh mesh, PetscInt **neighbor, PetscInt *crowded);
/* Nodes of the face opposite to `corner`, ascending; face[dim]. */
PETSC_INTERN void FgMeshFace(FgMesh mesh, PetscInt element, PetscInt corner, PetscInt face[3]);
/* Signed volume, area in two dimensions. */
PETSC_INTERN double FgMeshVolume(FgMesh mesh, PetscInt element);

#endif
