/* noise_level.h: the noise level of every voxel, from what --sigma says, and the pointwise fit that goes with it. */
#ifndef FINEGRAIN_APP_NOISE_LEVEL_H
#define FINEGRAIN_APP_NOISE_LEVEL_H

#include "pipeline.h"

/* Fills pipeline->sigma, sigma_median, sigma_source and sigma_filled, tells the model of Rician or noncentral-chi noise and the
   problem of robust fitting, and fits voxel by voxel. Collective, as the next. */
PetscErrorCode FgNoiseLevelChoose(const FitSettings *settings, FgPipeline *pipeline);
/* After it: fills pipeline->spread, raised and variance, and gives the spread to the problem. */
PetscErrorCode FgNoiseLevelRaise(FgPipeline *pipeline);

#endif
