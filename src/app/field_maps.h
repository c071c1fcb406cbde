/* field_maps.h: the maps of a parameter field: what `fit` has found, or the truth that `simulate` starts from. */
#ifndef FINEGRAIN_APP_FIELD_MAPS_H
#define FINEGRAIN_APP_FIELD_MAPS_H

#include "finegrain/model.h"
#include "finegrain/result.h"

#include <gsl/gsl_eigen.h>

typedef struct {
  const FgMeasurement *measurement; /* borrowed, as model and field */
  FgModel              model;
  FgField              field;
  float               *tensor;    /* [nlocal][6] mm^2/s, scanner frame */
  float               *fa, *md;   /* [nlocal] 1, mm^2/s */
  float               *direction; /* [nlocal][3] principal axis, scanner frame */
} FgFieldMaps;

/* Derives what several maps share; voxels that were not fitted stay 0. */
PetscErrorCode FgFieldMapsCreate(const FgMeasurement *measurement, FgModel model, FgField field, FgFieldMaps *maps);
PetscErrorCode FgFieldMapsDestroy(FgFieldMaps *maps);
/* Writes components, directions, FA, MD, colors, tensor and mask, each with its sidecar. Collective. */
PetscErrorCode FgFieldMapsWrite(const FgFieldMaps *maps, FgResult *result);

/* Whether a component has a map of its own: tangent coordinates become directions, tensor elements the tensor. */
PetscBool FgFieldMapsHas(const FgComponent *component);
/* Of a tensor (xx, yy, zz, xy, xz, yz): fractional anisotropy [1]; eigenvalues in descending order, with their vectors as columns. */
double FgFractionalAnisotropy(const double C[6]);
void   FgTensorAxes(gsl_eigen_symmv_workspace *space, const double C[6], double values[3], double vectors[9]);

/* Gives the values of one map at voxel i. */
typedef void (*FgFieldMapFill)(const FgFieldMaps *maps, PetscInt i, const void *context, float *values);
/* Writes one map of spec.nvolumes values a voxel under the name spec.map. Collective. */
PetscErrorCode FgFieldMapWrite(const FgFieldMaps *maps, FgResult *result, FgImageSpec spec, const char *unit,
                               const char *description, FgFieldMapFill fill, const void *context);
/* Gathers n values a voxel on rank 0 (PetscFree; NULL elsewhere), NaN outside the mask. Collective. */
PetscErrorCode FgFieldMapGather(const FgFieldMaps *maps, PetscInt n, FgFieldMapFill fill, const void *context, float **grid);

/* Fills: a component by its index, direction-encoded color with this float as full scale, mean diffusivity. */
void FgFillComponent(const FgFieldMaps *maps, PetscInt i, const void *component, float *values);
void FgFillColor(const FgFieldMaps *maps, PetscInt i, const void *full, float *values);
void FgFillMeanDiffusivity(const FgFieldMaps *maps, PetscInt i, const void *unused, float *values);

#endif
