/* geometry.h: periodic cells from generators: laminates, cylinders, spheres, checkerboard, channels, fibers.

   Every generator makes phase 0 ("matrix") and phase 1 (and more where it says so), reports the exact volume fraction of
   the shape (cell->exact) beside that of its voxels (cell->fraction), and is the same on any number of ranks. A voxel
   belongs to the shape that holds its center. */
#ifndef FINEGRAIN_GEOMETRY_H
#define FINEGRAIN_GEOMETRY_H

#include "cell.h"

typedef struct {
  double   fraction;   /* of phase 1 [1] */
  PetscInt resolution; /* voxels along the longest edge */
  double   length;     /* the longest edge [m] */
  PetscInt axis;       /* normal of layers, or axis of cylinders and channels: 0, 1, 2 */
  PetscInt count;      /* of random spheres or fibers, layers of a laminate's period, ... */
  PetscInt seed;       /* of random geometries */
  double   angle;      /* between crossed fibers, or standard deviation of dispersed ones [degree] */
} FgGeometrySettings;
PETSC_EXTERN const FgGeometrySettings FgGeometryDefaults;

typedef struct {
  const char *name, *summary;
  double      fraction_max; /* packing limit of phase 1 [1] */
  const char *phases;       /* names of its phases, "matrix cylinder" */
  PetscBool   columnar;     /* the same in every plane across `axis` */
  /* Voxels and edges for these settings; checks the settings (PETSC_ERR_USER, one line). */
  PetscErrorCode (*size)(const FgGeometrySettings *settings, PetscInt n[3], double edge[3]);
  /* Fills cell->phase and cell->exact. */
  PetscErrorCode (*fill)(const FgGeometrySettings *settings, FgCell cell);
} FgGeometry;

PETSC_EXTERN const FgGeometry  FgGeometries[]; /* closed by name == NULL */
PETSC_EXTERN const FgGeometry *FgGeometryFind(const char *name);

/* Makes the cell with phases named by the generator; where `table` is not NULL its phases replace them, in order. */
PETSC_EXTERN PetscErrorCode FgGeometryCreate(MPI_Comm comm, const FgGeometry *geometry, const FgGeometrySettings *settings,
                                             const FgPhaseTable *table, FgCell *cell);

#endif
