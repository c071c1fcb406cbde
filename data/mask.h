/* mask.h: brain (or object) masks from one image; pure functions of arrays, x fastest. */
#ifndef FINEGRAIN_DATA_MASK_H
#define FINEGRAIN_DATA_MASK_H

#include "finegrain/base.h"

/* Median over the voxel's 3x3x3 neighbours that lie in the grid and are finite; 0 where none is. */
PETSC_INTERN void FgMaskMedianFilter(const PetscInt dims[3], const float *image, float *filtered);

/* Threshold that splits n values into two classes of largest between-class variance [unit of the values]; non-finite values
   are left out. Returns a NaN where all values are equal. */
PETSC_INTERN double FgMaskOtsuThreshold(PetscInt n, const float *values);

/* Keeps the largest set of voxels connected through faces. */
PETSC_INTERN PetscErrorCode FgMaskLargestComponent(const PetscInt dims[3], unsigned char *mask);

/* Adds what cannot be reached from the grid's border: first within each axial slice, then in space. */
PETSC_INTERN PetscErrorCode FgMaskFillHoles(const PetscInt dims[3], unsigned char *mask);

/* All of it: median filter, Otsu threshold, largest component, holes. mask[nvoxels] of 0 and 1; empty where the image is flat. */
PETSC_INTERN PetscErrorCode FgMaskFromImage(const PetscInt dims[3], const float *image, unsigned char *mask);

#endif
