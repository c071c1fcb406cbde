/* cell_labels.h: labels of a voxel image in a stream, whatever the format. Private to data/cell_*.c. */
#ifndef FINEGRAIN_DATA_CELL_LABELS_H
#define FINEGRAIN_DATA_CELL_LABELS_H

#include "nifti.h"

#include "finegrain/cell_file.h"

typedef struct FgLabels_ *FgLabels;

struct FgLabels_ {
  char            path[PETSC_MAX_PATH_LEN]; /* opens error messages */
  FgCellImageInfo info;
  PetscInt        done; /* labels read so far */
  /* The next n labels, x fastest; not beyond the last. */
  PetscErrorCode (*read)(FgLabels labels, PetscInt n, int32_t *values);
  /* What must hold after the last label; NULL: nothing. */
  PetscErrorCode (*end)(FgLabels labels);
  PetscErrorCode (*close)(FgLabels labels);
  void *own; /* the format's */
};

/* Most labels that `read` is asked for at once. */
enum { FG_LABELS_CHUNK = 65536 };

/* Openers set all members but path. With `look` only `info` counts: no pass over the data. Not collective. */
PETSC_INTERN PetscErrorCode FgLabelsOpenNifti(const char *path, FgLabels labels);
PETSC_INTERN PetscErrorCode FgLabelsOpenRaw(const char *path, const FgCellImageSettings *settings, PetscBool look,
                                            FgLabels labels);
PETSC_INTERN PetscErrorCode FgLabelsOpenHdf5(const char *path, const char *dataset, FgLabels labels);

#endif
