/* segment.h: a map of conductivity becomes three classes: background, less conductive, more conductive (docs/segmentation.md). */
#ifndef FINEGRAIN_SEGMENT_H
#define FINEGRAIN_SEGMENT_H

#include "base.h"

enum { FG_SEGMENT_BACKGROUND = 0, FG_SEGMENT_RESISTIVE = 1, FG_SEGMENT_CONDUCTIVE = 2 };

typedef struct {
  double contrast; /* least |log(value/background)| at the peak of a region [1], > 0 */
  double level;    /* fraction of its peak down to which a region reaches [1], in (0, 1) */
  double share;    /* least mass of a region over that of the heaviest one [1], in [0, 1) */
} FgSegmentOptions;

typedef struct {
  int      label;
  PetscInt nvoxels, peak_voxel;
  double   peak; /* of log(value/background), signed [1] */
  double   mass; /* sum of |log(value/background)| over the region's voxels [1] */
} FgSegmentRegion;

/* labels[dims[0]*dims[1]*dims[2]] of values (x fastest; not finite, or not positive: outside, background), by voxels that share faces.
   Regions that are kept, heaviest first: *nregions and *regions (PetscFree; may be NULL). Errors: PETSC_ERR_ARG_OUTOFRANGE for
   options or a background that make no sense. Not collective. */
PETSC_EXTERN PetscErrorCode FgSegment(const PetscInt dims[3], const float values[], double background,
                                      const FgSegmentOptions *options, unsigned char labels[], PetscInt *nregions,
                                      FgSegmentRegion **regions);
/* Median of the values that are finite and positive, NAN where there are none: the background where nothing else says it. */
PETSC_EXTERN PetscErrorCode FgSegmentMedian(PetscInt n, const float values[], double *median);

#endif
