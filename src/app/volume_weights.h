/* volume_weights.h: which volumes a robust fit trusts less than the others. */
#ifndef FINEGRAIN_APP_VOLUME_WEIGHTS_H
#define FINEGRAIN_APP_VOLUME_WEIGHTS_H

#include "pipeline.h"

#include <jansson.h>

typedef struct {
  PetscInt  n;        /* volumes; 0: not a robust fit, or not of volumes */
  double   *weight;   /* [n] mean over voxels, NaN where a volume has no sample */
  double   *z;        /* [n] robust z-score of the weight in its shell, NaN where there is none to compare with */
  double    expected; /* mean weight under Gaussian noise */
  PetscInt  nlow;
  PetscInt *low; /* [nlow] volumes whose weight is conspicuously low, counted from 0 */
} FgVolumeWeights;

/* Weights at the pipeline's present field and misfit. Collective. */
PetscErrorCode FgVolumeWeightsCreate(const FgPipeline *pipeline, FgVolumeWeights *weights);
PetscErrorCode FgVolumeWeightsDestroy(FgVolumeWeights *weights);
/* A line of the summary; nothing where the fit is not robust. */
void FgVolumeWeightsPrint(const FgVolumeWeights *weights, const FgPipeline *pipeline, FgLog *log);
/* Into the keys robust and downweighted_volumes of summary.json; not there where the fit is not robust. */
void FgVolumeWeightsJson(const FgVolumeWeights *weights, const FgPipeline *pipeline, json_t *root);

#endif
