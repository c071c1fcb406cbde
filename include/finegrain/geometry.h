/* geometry.h: periodic cells from generators: laminates, cylinders, spheres, checkerboard, channels, fibers.

   Every generator makes phase 0 ("matrix") and phase 1 (and more where it says so), reports the exact volume fraction of
   the shape (cell->exact) beside that of its voxels (cell->fraction), and is the same on any number of ranks. A voxel
   belongs to the shape that holds its center. Layers have one voxel along two axes, cylinders and channels one along
   theirs. Fibers of crossed and dispersed ones are all phase 1; where a table with one phase more for every further
   orientation is given (matrix and two for crossed fibers, matrix and `count` for dispersed ones), each orientation has
   its own, so that anisotropic fibers can be told apart. */
#ifndef FINEGRAIN_GEOMETRY_H
#define FINEGRAIN_GEOMETRY_H

#include "cell.h"

typedef struct {
  double   fraction;   /* of phase 1 (of all fibers) [1]; negative: the generator's own */
  PetscInt resolution; /* voxels along the longest edge */
  double   length;     /* the longest edge [m] */
  PetscInt axis;       /* normal of layers, or axis of cylinders and channels: 0, 1, 2 */
  PetscInt count;      /* of random spheres or fibers, of a laminate's periods; 0: the generator's own */
  PetscInt seed;       /* of random geometries */
  double   angle;     /* between crossed fibers, or of both tilts of dispersed ones, standard deviation [degree]; negative: own */
  PetscInt subsample; /* samples of the shape along each axis of a voxel: 1, or even; for conduction-like physics only */
} FgGeometrySettings;
PETSC_EXTERN const FgGeometrySettings FgGeometryDefaults; /* 64 voxels, 10 um, axis z, the rest the generator's own */

typedef struct {
  const char *name, *summary;
  double      fraction_max; /* packing limit of phase 1 [1] */
  const char *phases;       /* names of its phases, "matrix cylinder" */
  PetscBool   columnar;     /* the same in every plane across `axis` */
  double      fraction;     /* where the settings give none [1] */
  PetscInt    count;        /* likewise; 0: takes no count */
  double      angle;        /* likewise [degree]; 0: takes no angle */
  PetscBool   random;       /* takes a seed */
  /* Voxels and edges for these settings. */
  PetscErrorCode (*size)(const FgGeometrySettings *settings, PetscInt n[3], double edge[3]);
  /* Fills cell->phase and cell->exact. */
  PetscErrorCode (*fill)(const FgGeometrySettings *settings, FgCell cell);
} FgGeometry;

PETSC_EXTERN const FgGeometry  FgGeometries[]; /* closed by name == NULL */
PETSC_EXTERN const FgGeometry *FgGeometryFind(const char *name);

/* Checks the settings and puts the generator's own where they give none; then n and edge [m] of the cell. Errors
   (PETSC_ERR_USER, one line): what no such geometry can have. n and edge may be NULL. */
PETSC_EXTERN PetscErrorCode FgGeometryResolve(const FgGeometry *geometry, const FgGeometrySettings *settings,
                                              FgGeometrySettings *resolved, PetscInt n[3], double edge[3]);

/* Makes the cell with phases named by the generator; where `table` is not NULL its phases replace them, in order. */
PETSC_EXTERN PetscErrorCode FgGeometryCreate(MPI_Comm comm, const FgGeometry *geometry, const FgGeometrySettings *settings,
                                             const FgPhaseTable *table, FgCell *cell);

#endif
