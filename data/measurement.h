/* measurement.h (private): the steps of reading a measurement that DWI and tensor volumes share. */
#ifndef FINEGRAIN_DATA_MEASUREMENT_H
#define FINEGRAIN_DATA_MEASUREMENT_H

#include "finegrain/measurement.h"

/* Rank 0: the voxels of the mask file, which must lie on the grid of m->info. Sets nmask, voxel, mask_source. */
PETSC_INTERN PetscErrorCode FgMeasurementReadMask(const char *path, FgMeasurement *m);
/* Rank 0: the voxels where mask[nvoxels] is not 0. */
PETSC_INTERN PetscErrorCode FgMeasurementSetMask(const unsigned char *mask, const char *source, FgMeasurement *m);
/* An empty measurement; whether this is the rank that prepares it. */
PETSC_INTERN PetscErrorCode FgMeasurementBegin(MPI_Comm comm, FgMeasurement *m, PetscBool *first);
/* Collective: makes the first rank's `code` that of all; gives what it has prepared (info, grid, gradients, mask) to all, and each rank its run
   and its memory; with `stream` the first streams the volumes of m->info into data[nlocal][ndata], as stored. Destroyed where it fails. */
PETSC_INTERN PetscErrorCode FgMeasurementEnd(PetscErrorCode code, PetscBool stream, FgMeasurement *m);

#endif
