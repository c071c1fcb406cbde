/* pipeline.h: from settings and files to a problem with its pointwise solution: what `fit` and `verify` have in common. */
#ifndef FINEGRAIN_APP_PIPELINE_H
#define FINEGRAIN_APP_PIPELINE_H

#include "fit.h"

#include "finegrain/measurement.h"
#include "finegrain/problem.h"

typedef struct {
  FgLog             *log; /* borrowed: shows the progress of the pointwise fit */
  FgMeasurement      measurement;
  FgMeasurementFiles files;
  const char        *model_name;
  FgTissue           tissue;
  FgModel            model;
  FgDomain           domain;
  FgField            field;
  FgProblem          problem;
  FgRegularizer      regularizer;
  double             signal_scale; /* [data unit] */
  float             *sigma;        /* [nlocal] noise level [data unit] */
  float             *spread;       /* [nlocal] sigma, raised in voxels that the model does not describe, for the field's misfit */
  double             variance;     /* mean reduced chi-squared of the pointwise fit [1]: 1 where the model describes the data */
  double             raised;       /* share of voxels whose spread is above sigma [1] */
  double             sigma_median; /* [data unit] */
  char               sigma_source[PETSC_MAX_PATH_LEN + 32];
  PetscInt           sigma_filled; /* masked voxels, all ranks, in which a noise map had no value */
  float             *deviation;    /* [nlocal][ncomponents] pointwise standard deviations */
  float             *chi2;         /* [nlocal] sum of squared whitened residuals; robust fit: of 2 rho (robust.h) */
  short             *samples;      /* [nlocal] samples used */
  double             pointwise_chi2, pointwise_samples, pointwise_freedom; /* sums over all fitted voxels */
  double             fitted;                                               /* voxels fitted */
  double             seconds_read, seconds_pointwise;                      /* wall */
} FgPipeline;

/* Reads the measurement and makes model, domain and field. Collective, as all below. */
PetscErrorCode FgPipelineOpen(const FitSettings *settings, FgLog *log, FgPipeline *pipeline);
/* Noise level and pointwise fit; then the whitening scales. */
PetscErrorCode FgPipelinePointwise(const FitSettings *settings, FgPipeline *pipeline);
/* The pointwise fit alone, with the noise that model and problem know by now; keep_start: from the present field. */
PetscErrorCode FgPipelineFitSites(FgPipeline *pipeline, PetscBool keep_start);
/* Makes the regularizer and gives it to the problem, with alpha 0; fills what a search for the weights is given. */
PetscErrorCode FgPipelineRegularize(const FitSettings *settings, FgPipeline *pipeline, FgWeightSearch *search);
/* Misfit of the present field per voxel into chi2 and samples, and the status bits that depend on the solution; freedom: degrees of
   freedom that all fitted voxels together have spent [1]. */
PetscErrorCode FgPipelineJudge(FgPipeline *pipeline, double freedom);
PetscErrorCode FgPipelineClose(FgPipeline *pipeline);

/* Bytes a fit will need on all ranks together, from the header and the number of masked voxels. */
double FgPipelineMemory(const FgImageInfo *info, PetscInt nmask, PetscInt ndata, PetscInt ncomponents, PetscBool field_solve);

#endif
