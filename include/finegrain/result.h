/* result.h: the output folder: maps with sidecars, picture, summary. Nothing half-written carries a final name. */
#ifndef FINEGRAIN_RESULT_H
#define FINEGRAIN_RESULT_H

#include "measurement.h"
#include "mesh.h"
#include <jansson.h>

typedef struct {
  MPI_Comm             comm;
  char                 folder[PETSC_MAX_PATH_LEN];
  const FgMeasurement *measurement;
  json_t              *provenance; /* merged into every sidecar; owned */
} FgResult;

/* Collective. Makes the folder (and parents); fails with PETSC_ERR_USER where it holds files that would be overwritten
   (names[], NULL-terminated) and not force. `provenance`: a JSON object whose reference is stolen. */
PETSC_EXTERN PetscErrorCode FgResultOpen(const FgMeasurement *measurement, const char *folder, const char *const names[],
                                         PetscBool force, json_t *provenance, FgResult *result);
PETSC_EXTERN PetscErrorCode FgResultDestroy(FgResult *result);

/* Collective. Gathers local[nlocal][spec.nvolumes] (voxel-major) to rank 0, fills `outside` elsewhere, writes
   <folder>/<name>.nii.gz and <folder>/<name>.json {"Description","Units", "Range", provenance...}. */
PETSC_EXTERN PetscErrorCode FgResultWriteMap(FgResult *result, const char *name, const FgImageSpec *spec, const char *unit,
                                             const char *description, const float *local, float outside);

/* Rank 0 (others return at once). Atomic text and JSON writing. */
PETSC_EXTERN PetscErrorCode FgWriteText(const char *path, const char *text);
PETSC_EXTERN PetscErrorCode FgWriteJson(const char *path, const json_t *object);

/* Makes a folder and those above it; it may be there already. Errors: PETSC_ERR_USER, PETSC_ERR_FILE_WRITE. */
PETSC_EXTERN PetscErrorCode FgFolderMake(const char *folder);

/* SHA-256 of a file as 64 hex digits. */
PETSC_EXTERN PetscErrorCode FgFileHash(const char *path, char hex[65]);

/* picture.png: one row a panel, three orthogonal slices through the mask's centre in radiological-free (RAS) orientation,
   a title, and a colour bar with numbers and unit. rgb panels take three channels 0..1. Rank 0 only; values on the whole grid. */
typedef struct {
  const char  *title, *unit;
  const float *values; /* [nvoxels], or [3][nvoxels] for rgb; NaN is drawn as background */
  PetscBool    rgb;
  double       low, high; /* range of the colour bar; both 0: 2nd..98th percentile in the mask */
  const char  *colormap;  /* "gray", "viridis", "inferno" */
  FgMesh       mesh;      /* of three dimensions: its electrodes are drawn in the slices that go through them; NULL: none */
} FgPanel;
PETSC_EXTERN PetscErrorCode FgPictureWrite(const char *path, const FgGrid *grid, const unsigned char *mask, PetscInt npanels,
                                           const FgPanel panels[]);

/* Gathers local[nlocal][ncomponents] to rank 0 as grid[ncomponents][nvoxels] (PetscFree; NULL on other ranks). Collective. */
PETSC_EXTERN PetscErrorCode FgMeasurementGather(const FgMeasurement *m, PetscInt ncomponents, const float *local, float outside,
                                                float **grid);

#endif
