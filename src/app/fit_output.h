/* fit_output.h: what `finegrain fit` writes: maps, picture and summary. */
#ifndef FINEGRAIN_APP_FIT_OUTPUT_H
#define FINEGRAIN_APP_FIT_OUTPUT_H

#include "deviations.h"
#include "pipeline.h"

#include "finegrain/result.h"

/* All files a fit may write, NULL-terminated: none of them is overwritten without --force. */
extern const char *const FgFitFiles[];

/* Removes what a fit writes: before writing, what an earlier run left, for another model has other maps; after a failed write, the maps
   before it, for a part of the results would pass for all of them. */
PetscErrorCode FgFitRemoveFiles(const FgResult *result);
/* summary.json, also at --json, config.yaml and log.txt. Rank 0. */
PetscErrorCode FgFitWriteTexts(const FitSettings *settings, const json_t *summary, const FgResult *result, const FgLog *log);

/* Who made a map from what: goes into every sidecar. A new reference. Collective. */
PetscErrorCode FgFitProvenance(const FitSettings *settings, const FgPipeline *pipeline, json_t **provenance);
/* All maps with their sidecars; pictures on rank 0 unless `picture` is false. freedom as in FgPipelineJudge. Collective. */
PetscErrorCode FgFitWriteMaps(const FgPipeline *pipeline, const FgDeviations *deviations, FgResult *result, double freedom,
                              PetscBool picture);

#endif
