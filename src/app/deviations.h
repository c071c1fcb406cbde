/* deviations.h: how sure the maps of a fit are: a standard deviation for every estimated map, a cone for the direction. */
#ifndef FINEGRAIN_APP_DEVIATIONS_H
#define FINEGRAIN_APP_DEVIATIONS_H

#include "field_maps.h"
#include "pipeline.h"

enum { FG_MAX_DEVIATIONS = FG_MAX_COMPONENTS + 3 };

typedef struct {
  char   map[40], unit[32], description[200];
  double full; /* display range [unit], 0: taken from the values */
  double median;
} FgDeviation;

typedef struct {
  PetscInt    n;
  FgDeviation maps[FG_MAX_DEVIATIONS];
  float      *values; /* [nlocal][n]; 0 where not fitted or where nothing tells */
} FgDeviations;

/* From the covariance of the present solution at the noise level of the problem. Collective, as all below. */
PetscErrorCode FgDeviationsCreate(FgPipeline *pipeline, FgDeviations *deviations);
PetscErrorCode FgDeviationsDestroy(FgDeviations *deviations);
PetscErrorCode FgDeviationsWrite(const FgDeviations *deviations, const FgFieldMaps *maps, FgResult *result);

#endif
