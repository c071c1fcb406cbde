/* batch.h: FG_LANES sites side by side: their misfit, gradient and Gauss-Newton block, and their start values.

   The same numbers as FgModelSite (model.h), for the solvers, which visit every site many times. Lanes are independent of each other.
   Charts are centered (point.h). */
#ifndef FINEGRAIN_BATCH_H
#define FINEGRAIN_BATCH_H

#include "model.h"
#include "point.h"

PETSC_EXTERN PetscErrorCode FgBatchCreate(FgModel model, FgBatch *batch);
PETSC_EXTERN PetscErrorCode FgBatchDestroy(FgBatch *batch);
/* Puts the data of a local site into a lane; site < 0 empties it: no samples, misfit 0. Returns the number of samples used. */
PETSC_EXTERN PetscInt FgBatchLoad(FgBatch batch, const FgData *data, int lane, PetscInt site);
/* Consecutive sites: data, components m[count][ncomponents] and the field's frames into the first `count` lanes; the rest are empty.
   used[count], unless NULL: samples used. */
PETSC_EXTERN void FgBatchLoadSites(FgBatch batch, const FgData *data, PetscInt first, int count, const PetscScalar *m,
                                   FgBatchPoint *point, PetscInt used[]);
/* Misfit and with derivatives gradient and block of consecutive sites, at most FG_LANES, wherever their charts stand; used[count], unless
   NULL: samples used. (forward/pointwise.c) */
PETSC_EXTERN void FgModelSites(FgModel model, const FgData *data, PetscInt first, int count, const PetscScalar *m,
                               PetscBool derivatives, FgBatchPoint *point, PetscInt used[]);
/* Start values of every lane from its data: point->m and frame; usable[l] is 0 where the data do not allow one. */
PETSC_EXTERN void FgBatchStart(FgBatch batch, FgBatchPoint *point, FgLanes usable);
/* misfit, and with derivatives gradient and Gauss-Newton block (packed) of every lane at point->m, frame. */
PETSC_EXTERN void FgBatchEvaluate(FgBatch batch, FgBatchPoint *point, PetscBool derivatives);

#endif
