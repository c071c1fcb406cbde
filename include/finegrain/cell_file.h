/* cell_file.h: cells from image files, phases from a YAML file, and what was solved back into files that viewers open.

   An image holds one label a voxel; a phases file says what each label is. Formats (docs/formats.md):
     NIfTI        NAME.nii, NAME.nii.gz      voxel size from the header (mm); whole numbers after slope and intercept
     HDF5         NAME.h5:/path/to/dataset   two- or three-dimensional integer dataset, first dimension slowest (z, y, x);
                                             attribute "voxel_size" [m], 1 or 3 numbers (z, y, x), where there is one;
                                             NAME.h5 alone: its only dataset in the root group
     raw          anything else, also .gz    uint8 or little-endian uint16, x fastest; size and voxel size must be given
   An axis of size 1 makes a two-dimensional cell.

   All functions are collective over the communicator where they take one or a cell; a failure on one rank is one on all.
   Errors: PETSC_ERR_FILE_OPEN, _FILE_READ, _FILE_UNEXPECTED for what is read; PETSC_ERR_MEM where the labels would not
   fit into memory; PETSC_ERR_FILE_WRITE for what is written, whole or not at all. */
#ifndef FINEGRAIN_CELL_FILE_H
#define FINEGRAIN_CELL_FILE_H

#include "cell.h"

typedef struct {
  PetscInt size[3];       /* voxels along x, y, z of a raw image; 0 where not given. Others: must agree with the file */
  double   voxel_size[3]; /* edges of a voxel [m]; 0 where not given. Given: stands in place of what the file says */
} FgCellImageSettings;
PETSC_EXTERN const FgCellImageSettings FgCellImageDefaults; /* nothing given */

typedef struct {
  const char *format; /* "NIfTI", "HDF5", "raw" */
  PetscInt    n[3];
  double      edge[3];         /* [m] */
  int         bytes_per_value; /* of the file */
} FgCellImageInfo;

/* Size and edges from the header alone, so that a memory limit can be checked before anything is read. Not collective. */
PETSC_EXTERN PetscErrorCode FgCellImageLook(const char *path, const FgCellImageSettings *settings, FgCellImageInfo *info);

/* Reads an image into a cell whose phases are those of `table`. Every label of the image must be that of a phase: the
   message names the label, how many voxels have it and the first of them; phases without voxels are allowed. */
PETSC_EXTERN PetscErrorCode FgCellReadImage(MPI_Comm comm, const char *path, const FgCellImageSettings *settings,
                                            const FgPhaseTable *table, FgCell *cell);

/* Reads phases, values of the whole cell and ions. Every mistake is one line with file and line number. Not collective. */
PETSC_EXTERN PetscErrorCode FgPhaseTableRead(const char *path, FgPhaseTable *table);

/* The labels as NIfTI, in the smallest type that holds them: reads back as the same cell. */
PETSC_EXTERN PetscErrorCode FgCellWriteLabels(const char *path, FgCell cell);
/* A field as NIfTI, float32, voxel size in mm, one volume a component; its unit stands in the description. */
PETSC_EXTERN PetscErrorCode FgCellWriteField(const char *path, FgCell cell, const FgCellField *field);
/* Phases and all fields of the reports for ParaView: NAME.xdmf (text) beside NAME.h5. `path` ends in .xdmf. */
PETSC_EXTERN PetscErrorCode FgCellWriteXdmf(const char *path, FgCell cell, PetscInt nreports, const FgCellReport reports[]);
/* PNG: slices of the phases in colors with a legend (name, volume fraction), and below it one of `field` (its first
   component; NULL: none) with a color bar. */
PETSC_EXTERN PetscErrorCode FgCellWritePicture(const char *path, FgCell cell, const FgCellField *field);

#endif
