/* measurement.h: what was measured, ready for a forward model: masked voxels spread over the ranks, their data, the
   gradient table, and what was found odd in each voxel. */
#ifndef FINEGRAIN_MEASUREMENT_H
#define FINEGRAIN_MEASUREMENT_H

#include "image.h"

/* Bits of status.nii.gz (docs/formats.md). The first group is set on reading, the second by the solvers. */
typedef enum {
  FG_STATUS_CLAMPED        = 1,  /* a sample was non-finite, zero or negative: non-finite and exactly zero samples are left out */
  FG_STATUS_NOT_FITTED     = 2,  /* too few usable samples: no value in any map */
  FG_STATUS_AT_BOUND       = 4,  /* a parameter ended on its bound */
  FG_STATUS_NOT_CONVERGED  = 8,  /* the pointwise fit hit its iteration limit */
  FG_STATUS_UNIDENTIFIABLE = 16, /* the data do not determine a parameter here (e.g. direction where the tensor is isotropic) */
  FG_STATUS_OUTSIDE_MODEL  = 32  /* reduced chi-squared above its 99.9 % quantile: the model does not describe this voxel */
} FgStatus;

/* Diffusion weighting of each volume. */
typedef struct {
  PetscInt n;
  double  *b;            /* [s/mm^2], n */
  double  *g;            /* unit directions in the scanner frame, n x 3; 0 for b = 0 volumes */
  double   b0_threshold; /* [s/mm^2]: volumes at or below are b0 */
  PetscInt nb0;
  PetscInt nrescaled; /* directions whose norm was not 1 (within 1e-3): b is kept, the direction normalised */
  PetscInt rank;      /* rank of the design of the non-b0 volumes, 6 = a full tensor is determined */
} FgGradients;

/* Reads FSL .bval/.bvec (3xN or Nx3) or, with bvec == NULL, an MRtrix 4-column table in bval. `grid` turns FSL
   directions into the scanner frame; nvolumes -1: as many as the file lists. Errors name both counts. rank < 6 is an error unless allow_deficient. */
PETSC_EXTERN PetscErrorCode FgGradientsRead(const char *bval, const char *bvec, const FgGrid *grid, PetscInt nvolumes,
                                            double b0_threshold, PetscBool allow_deficient, FgGradients *gradients);
/* Writes FSL .bval and .bvec for the grid. */
PETSC_EXTERN PetscErrorCode FgGradientsWrite(const FgGradients *gradients, const FgGrid *grid, const char *bval,
                                             const char *bvec);
/* nb0 b0 volumes, then ndirections directions that cover the half sphere evenly, all of b-value `shell` [s/mm^2]. */
PETSC_EXTERN PetscErrorCode FgGradientsSpread(PetscInt nb0, PetscInt ndirections, double shell, FgGradients *gradients);
PETSC_EXTERN PetscErrorCode FgGradientsDestroy(FgGradients *gradients);

typedef struct {
  MPI_Comm       comm;
  FgImageInfo    info; /* of the main file */
  FgGrid         grid;
  FgGradients    gradients;     /* n = 0 for tensor data */
  PetscInt       nmask;         /* masked voxels, all ranks */
  PetscInt      *voxel;         /* [nmask] linear index in the grid (x fastest) of each masked voxel, ascending; on every rank */
  PetscInt       first, nlocal; /* this rank's contiguous run of masked voxels */
  PetscInt       ndata;         /* samples a voxel */
  float         *data;          /* [nlocal][ndata]; NaN where the sample is left out */
  unsigned char *status;        /* [nlocal] FgStatus bits */
  char           mask_source[PETSC_MAX_PATH_LEN]; /* path, or "otsu" */
} FgMeasurement;

/* Files that belong to a DWI or tensor volume; empty strings are looked for beside it by FSL and BIDS names
   (NAME.bval NAME.bvec NAME.json; mask: NAME_mask, NAME_brain_mask, nodif_brain_mask, mask, *_desc-brain_mask). */
typedef struct {
  char dwi[PETSC_MAX_PATH_LEN], bval[PETSC_MAX_PATH_LEN], bvec[PETSC_MAX_PATH_LEN], mask[PETSC_MAX_PATH_LEN];
} FgMeasurementFiles;
PETSC_EXTERN PetscErrorCode FgMeasurementFind(FgMeasurementFiles *files);

/* Collective. Rank 0 reads; every rank gets its run. Without a mask one is made: Otsu threshold of the mean b0 after
   median filtering, largest 6-connected component, holes filled. For dwi->n = 0 (tensor) mask = all finite non-zero. */
PETSC_EXTERN PetscErrorCode FgMeasurementReadDwi(MPI_Comm comm, const FgMeasurementFiles *files, double b0_threshold,
                                                 FgMeasurement *m);

/* Tensor volumes: the six components become xx,yy,zz,xy,xz,yz [mm^2/s] in the scanner frame, whatever the file's
   order and frame. order: "auto" (intent 1005 -> nifti; otherwise must be told), "nifti", "fsl", "mrtrix". frame: "auto" (the sidecar's
   ReferenceAxes, else image axes for nifti, FSL frame for fsl, scanner for mrtrix), "image", "fsl", "scanner".
   data = (xx, yy, zz, sqrt2 xy, sqrt2 xz, sqrt2 yz) so that sums of squares are Frobenius norms. */
PETSC_EXTERN PetscErrorCode FgMeasurementReadTensor(MPI_Comm comm, const FgMeasurementFiles *files, const char *order,
                                                    const char *frame, FgMeasurement *m);
/* A measurement that comes from no file, for simulations: rank 0's grid, mask[voxels] and gradient table (taken over), one sample a
   gradient; data are allocated and left to be filled. Collective; what other ranks give is ignored. */
PETSC_EXTERN PetscErrorCode FgMeasurementCreate(MPI_Comm comm, const FgGrid *grid, const unsigned char *mask,
                                                const char *mask_source, FgGradients *gradients, FgMeasurement *m);
PETSC_EXTERN PetscErrorCode FgMeasurementDestroy(FgMeasurement *m);

/* Scatters a map given on rank 0 (NULL elsewhere; one value a grid voxel) to this rank's masked voxels. Collective. */
PETSC_EXTERN PetscErrorCode FgMeasurementScatter(const FgMeasurement *m, const float *map, float *local);

/* Noise standard deviation per masked voxel's repeated b0 samples: global robust estimate [signal units]:
   sqrt(median over voxels of the unbiased variance / its chi-squared median factor). Needs nb0 >= 2. Collective. */
PETSC_EXTERN PetscErrorCode FgMeasurementSigmaFromB0(const FgMeasurement *m, double *sigma);
/* Likewise from pairs of b0 volumes, where one of three or two of five of them may be spoiled. */
PETSC_EXTERN PetscErrorCode FgMeasurementSigmaFromB0Pairs(const FgMeasurement *m, double *sigma);

#endif
