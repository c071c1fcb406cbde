/* eit_picture.h: picture.png of a two-dimensional tomogram: the values of the mesh's triangles, its electrodes with their names, a color
   bar. */
#ifndef FINEGRAIN_EIT_PICTURE_H
#define FINEGRAIN_EIT_PICTURE_H

#include "mesh.h"

typedef struct {
  const char  *title, *unit;
  const float *values;    /* [nsites]; NaN is left blank */
  double       low, high; /* range of the colors; both 0: smallest to largest value */
  const char  *colormap;  /* "gray", "viridis", "inferno" */
} FgSitePanel;

/* One panel beside the other; x to the right, y up. `dropped` [nelectrodes], may be NULL: electrodes drawn as not connected. Rank 0. Errors:
   PETSC_ERR_FILE_WRITE; PETSC_ERR_ARG_OUTOFRANGE where the mesh is not two-dimensional. */
PETSC_EXTERN PetscErrorCode FgEitPictureWrite(const char *path, FgMesh mesh, const PetscBool *dropped, PetscInt npanels,
                                              const FgSitePanel panels[]);

#endif
