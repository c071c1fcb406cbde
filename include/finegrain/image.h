/* image.h: a voxel grid in space, and NIfTI images read safely and written whole or not at all.

   Frames (docs/formats.md). Image axes: the voxel index axes i,j,k. Scanner: the NIfTI world frame, RAS, mm.
   FSL: image axes with x negated when det(affine) > 0. R = columns of the affine, normalised; g_scanner = R g_image. */
#ifndef FINEGRAIN_IMAGE_H
#define FINEGRAIN_IMAGE_H

#include "base.h"

typedef struct {
  PetscInt dims[3];
  double   spacing[3];             /* [mm]; pixdim, or the lengths of the affine's columns where the two disagree */
  double   affine[3][4];           /* voxel index -> scanner [mm]; from sform if its code > 0, else qform, else pixdim */
  int      sform_code, qform_code; /* of the affine; qform_code 0 where a file's qform says something else than its sform */
} FgGrid;

typedef struct {
  char       path[PETSC_MAX_PATH_LEN];
  FgGrid     grid;
  PetscInt   nvolumes; /* product of the dims 4 to 7 */
  int        ndims;    /* dim[0] of the file */
  PetscInt   dims[7];  /* all seven, 1 where the file has fewer */
  int        datatype; /* NIfTI code */
  int        bytes_per_value;
  double     slope, intercept; /* value = slope * stored + intercept; slope 0 in the file means 1, 0 */
  int        intent_code;      /* 1005: symmetric matrix */
  double     intent_p1;
  int        byte_swapped;
  int        nifti_version; /* 1 or 2 */
  PetscInt64 data_offset;   /* [bytes], in the uncompressed stream */
  char       descrip[81];
} FgImageInfo;

/* Reads and checks the header of a .nii or .nii.gz (NIfTI-1 or -2, single file) with finegrain's own gate, then with
   nifticlib. Errors: PETSC_ERR_FILE_OPEN, PETSC_ERR_FILE_UNEXPECTED. Not collective. */
PETSC_EXTERN PetscErrorCode FgImageReadInfo(const char *path, FgImageInfo *info);

/* Calls `volume(context, v, values)` for v = 0 .. nvolumes-1 in order, values[dims[0]*dims[1]*dims[2]], x fastest,
   slope and intercept applied; holds one volume at a time; reads the gzip stream to its end, so that its CRC is checked. */
typedef PetscErrorCode (*FgImageVolume)(void *context, PetscInt v, const float *values);
PETSC_EXTERN PetscErrorCode FgImageStream(const FgImageInfo *info, FgImageVolume volume, void *context);

/* Whole image at once, for masks and maps: values[nvolumes][nvoxels], to be freed with PetscFree. */
PETSC_EXTERN PetscErrorCode FgImageRead(const char *path, FgImageInfo *info, float **values);

typedef enum { FG_STORE_FLOAT, FG_STORE_UINT8, FG_STORE_INT16, FG_STORE_RGB24 } FgStore;

typedef struct {
  const char *map; /* for descrip: "finegrain <version> <map>" */
  FgStore     store;
  PetscInt    nvolumes;    /* volumes in `values`; for RGB24 the three channels, 0..255 */
  int         intent_code; /* 0, 1005 (written 5-D x,y,z,1,6 with intent_p1 = 3), 2003 ... */
  const char *intent_name;
  double      cal_min, cal_max; /* display range; both 0: taken from the values */
  const char *reference_axes;   /* for the sidecar's "ReferenceAxes" (BEP016): "xyz" scanner, "bvec" FSL, "ijk" image; or NULL */
} FgImageSpec;

/* Writes NAME.partial, checks, fsyncs, re-reads header and CRC, renames; so a file with a final name is whole.
   values[nvolumes][nvoxels]. sform and qform both written with the grid's codes (never 0). Error: PETSC_ERR_FILE_WRITE. */
PETSC_EXTERN PetscErrorCode FgImageWrite(const char *path, const FgGrid *grid, const FgImageSpec *spec, const float *values);

PETSC_EXTERN double   FgGridDeterminant(const FgGrid *grid);
PETSC_EXTERN void     FgGridRotation(const FgGrid *grid,
                                     double R[9]); /* row-major; nearest proper/improper rotation is not taken: columns normalised */
PETSC_EXTERN PetscInt FgGridVoxels(const FgGrid *grid);
/* Inverse of the affine's linear part [voxel/mm], row-major. */
PETSC_EXTERN void FgGridInverse(const FgGrid *grid, double inverse[9]);
/* Voxel indices of a point x [m] with this inverse; 0 is the center of the first voxel. */
PETSC_EXTERN void FgGridIndex(const FgGrid *grid, const double inverse[9], const double x[3], double index[3]);
/* Largest distance between the voxel centres of the two grids' corners, in voxels of a; -1 if dims differ. */
PETSC_EXTERN double FgGridDistance(const FgGrid *a, const FgGrid *b);

#endif
