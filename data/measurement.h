/* measurement.h (private): the steps of reading a measurement that DWI and tensor volumes share. */
#ifndef FINEGRAIN_DATA_MEASUREMENT_H
#define FINEGRAIN_DATA_MEASUREMENT_H

#include "finegrain/measurement.h"

/* Rank 0: the voxels of the mask file, which must lie on the grid of m->info. Sets nmask, voxel, mask_source. */
PETSC_INTERN PetscErrorCode FgMeasurementReadMask(const char *path, FgMeasurement *m);
/* Rank 0: the voxels where mask[nvoxels] is not 0. */
PETSC_INTERN PetscErrorCode FgMeasurementSetMask(const unsigned char *mask, const char *source, FgMeasurement *m);
/* Collective: gives what rank 0 has prepared (info, grid, gradients, mask) to all, and each rank its run and its memory. */
PETSC_INTERN PetscErrorCode FgMeasurementShare(FgMeasurement *m);
/* Collective: rank 0 streams the volumes of m->info; data[nlocal][ndata] as stored. */
PETSC_INTERN PetscErrorCode FgMeasurementStream(FgMeasurement *m);

#endif
