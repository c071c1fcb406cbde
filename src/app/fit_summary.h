/* fit_summary.h: how a fit went: ten lines for a person, summary.json for a program. */
#ifndef FINEGRAIN_APP_FIT_SUMMARY_H
#define FINEGRAIN_APP_FIT_SUMMARY_H

#include "deviations.h"
#include "volume_weights.h"

#include "finegrain/result.h"

typedef struct {
  PetscBool       searched; /* the weight was searched */
  FgWeightSearch  search;
  FgSolveReport   solve;
  FgVolumeWeights weights;
  FgDeviations    deviations;
  double          freedom;                                                       /* degrees of freedom spent by all voxels [1] */
  double          cpu_read, cpu_pointwise, cpu_field, cpu_deviations, cpu_write; /* [s] */
  double          seconds_field, seconds_deviations, seconds_write, seconds_total; /* wall [s] */
} FgFitReport;

/* Prints the summary, sets log->exit_code to 4 where the target was missed, writes summary.json, config.yaml and log.txt. Collective. */
PetscErrorCode FgFitSummarize(const FitSettings *settings, FgPipeline *pipeline, const FgFitReport *report,
                              const FgResult *result, FgLog *log);

#endif
