/* mesh_file.h: results on a mesh for ParaView: NAME.xdmf describes what lies in NAME.h5 beside it (data/mesh_write.c). */
#ifndef FINEGRAIN_MESH_FILE_H
#define FINEGRAIN_MESH_FILE_H

#include "mesh.h"

typedef struct {
  const char   *name;  /* letters, digits and any of _-+.(): at most 47 */
  const char   *unit;  /* "1" where it has none */
  PetscInt      ncomp; /* 1: scalar, 3: vector, 6: xx xy xz yy yz zz of a symmetric tensor */
  const double *value; /* [nsites][ncomp] */
} FgMeshMap;

/* Mesh with its electrodes and maps of its sites, whole or not at all. `path` ends in .xdmf. Rank 0 only, which has all sites' values.
   Errors: PETSC_ERR_FILE_WRITE; PETSC_ERR_USER for another ending. */
PETSC_EXTERN PetscErrorCode FgMeshWriteXdmf(const char *path, FgMesh mesh, PetscInt nmaps, const FgMeshMap maps[]);

#endif
