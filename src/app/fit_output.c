/* fit_output.c: what a fit adds to the maps of its field: provenance, goodness of fit, status, picture. */
#include "fit_output.h"

#include "field_maps.h"
#include "record.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

const char *const FgFitFiles[] = {"porosity.nii.gz",
                                  "kappa.nii.gz",
                                  "planarity.nii.gz",
                                  "direction_fsl.nii.gz",
                                  "direction_scanner.nii.gz",
                                  "S0.nii.gz",
                                  "FA.nii.gz",
                                  "MD.nii.gz",
                                  "dec.nii.gz",
                                  "dec_float.nii.gz",
                                  "chi2.nii.gz",
                                  "status.nii.gz",
                                  "tensor.nii.gz",
                                  "mask.nii.gz",
                                  "conductivity.nii.gz",
                                  "conductivity_change.nii.gz",
                                  "conductivity_std.nii.gz",
                                  "porosity_std.nii.gz",
                                  "kappa_std.nii.gz",
                                  "planarity_std.nii.gz",
                                  "S0_std.nii.gz",
                                  "direction_cone.nii.gz",
                                  "FA_std.nii.gz",
                                  "MD_std.nii.gz",
                                  "porosity.json",
                                  "kappa.json",
                                  "planarity.json",
                                  "direction_fsl.json",
                                  "direction_scanner.json",
                                  "S0.json",
                                  "FA.json",
                                  "MD.json",
                                  "dec.json",
                                  "dec_float.json",
                                  "chi2.json",
                                  "status.json",
                                  "tensor.json",
                                  "mask.json",
                                  "conductivity.json",
                                  "conductivity_change.json",
                                  "conductivity_std.json",
                                  "porosity_std.json",
                                  "kappa_std.json",
                                  "planarity_std.json",
                                  "S0_std.json",
                                  "direction_cone.json",
                                  "FA_std.json",
                                  "MD_std.json",
                                  "summary.json",
                                  "config.yaml",
                                  "picture.png",
                                  "result.xdmf",
                                  "result.h5",
                                  "log.txt",
                                  NULL};

PetscErrorCode FgFitRemoveFiles(const FgResult *result)
{
  PetscMPIInt rank;
  char        path[PETSC_MAX_PATH_LEN + 32];

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  for (PetscInt k = 0; !rank && FgFitFiles[k]; k++) {
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s", result->folder, FgFitFiles[k]));
    (void)unlink(path);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFitWriteTexts(const FitSettings *s, const json_t *summary, const FgResult *result, const FgLog *log)
{
  char path[PETSC_MAX_PATH_LEN + 32];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/summary.json", result->folder));
  PetscCall(FgWriteJson(path, summary));
  if (s->json[0]) PetscCall(FgWriteJson(s->json, summary));
  PetscCall(FgRecordWrite(&FgCommandFit, s, result->folder, log));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFitProvenance(const FitSettings *s, const FgPipeline *p, json_t **provenance)
{
  PetscErrorCode code    = PETSC_SUCCESS;
  json_t        *sources = json_array();
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) {
    code = FgRecordSource(p->files.dwi, sources);
    if (!code) code = FgRecordSource(p->files.bval, sources);
    if (!code) code = FgRecordSource(p->files.bvec, sources);
    if (!code) code = FgRecordSource(p->files.mask, sources);
  }
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  *provenance = json_pack("{s:s, s:s, s:s, s:o}", "GeneratedBy", "finegrain", "Version", FG_VERSION, "Model", p->model_name,
                          "Sources", sources);
  if (strcmp(p->model_name, "dti")) json_object_set_new(*provenance, "Tissue", FgTissueJson(&p->tissue));
  json_object_set_new(*provenance, "Noise",
                      json_pack("{s:s, s:f, s:s}", "Model", s->noise, "Sigma", p->sigma_median, "SigmaSource", p->sigma_source));
  if (!isnan(s->coils)) json_object_set_new(json_object_get(*provenance, "Noise"), "Coils", json_real(s->coils));
  if (p->problem->data.huber > 0.0) json_object_set_new(*provenance, "HuberThreshold", json_real(p->problem->data.huber));
  json_object_set_new(*provenance, "Regularizer", s->pointwise ? json_string("none") : json_string(s->regularizer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Context of the maps that only a fit has. */
typedef struct {
  const FgPipeline *pipeline;
  double            per_voxel; /* degrees of freedom spent by a voxel [1] */
} Fit;

static void FillChi2(const FgFieldMaps *maps, PetscInt i, const void *context, float *values)
{
  const Fit        *fit     = context;
  const FgPipeline *p       = fit->pipeline;
  const double      degrees = p->samples[i] - fit->per_voxel;

  values[0] = p->measurement.status[i] & FG_STATUS_NOT_FITTED || degrees <= 0.0 ? 0.0f : (float)(p->chi2[i] / degrees);
}

static void FillStatus(const FgFieldMaps *maps, PetscInt i, const void *context, float *values)
{
  values[0] = maps->measurement->status[i];
}

static PetscErrorCode WritePicture(const FgFieldMaps *maps, const FgResult *result, const Fit *context)
{
  const float    bright   = 1.0f / 0.6f; /* white matter seldom exceeds FA 0.6, and FA alone would leave it dark */
  const PetscInt porosity = FgFieldFind(maps->field, "porosity"), S0 = FgFieldFind(maps->field, "S0");
  float         *signal = NULL, *fraction = NULL, *color, *fit;
  unsigned char *mask = NULL;
  char           path[PETSC_MAX_PATH_LEN];
  FgPanel        panels[4];
  PetscInt       n    = 0;
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (S0 >= 0) PetscCall(FgFieldMapGather(maps, 1, FgFillComponent, &S0, &signal));
  else PetscCall(FgFieldMapGather(maps, 1, FgFillMeanDiffusivity, NULL, &signal));
  if (porosity >= 0) PetscCall(FgFieldMapGather(maps, 1, FgFillComponent, &porosity, &fraction));
  PetscCall(FgFieldMapGather(maps, 3, FgFillColor, &bright, &color));
  PetscCall(FgFieldMapGather(maps, 1, FillChi2, context, &fit));
  if (!rank) {
    PetscCall(PetscCalloc1(FgGridVoxels(&maps->measurement->grid), &mask));
    for (PetscInt i = 0; i < maps->measurement->nmask; i++) mask[maps->measurement->voxel[i]] = 1;
    panels[n++] = (FgPanel){.title    = S0 >= 0 ? "b0" : "mean diffusivity",
                            .unit     = S0 >= 0 ? "signal" : "mm^2/s",
                            .values   = signal,
                            .colormap = "gray"};
    if (fraction) {
      panels[n++] = (FgPanel){
          .title = "porosity", .unit = "1", .values = fraction, .low = 0.0, .high = 1.0, .colormap = "viridis"};
    }
    panels[n++] = (FgPanel){.title = "fiber direction (brightness: FA, full at 0.6)", .values = color, .rgb = PETSC_TRUE};
    panels[n++] = (FgPanel){.title    = "goodness of fit (reduced chi-squared)",
                            .unit     = "1",
                            .values   = fit,
                            .low      = 0.0,
                            .high     = 4.0,
                            .colormap = "inferno"};
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/picture.png", result->folder));
    code = FgPictureWrite(path, &maps->measurement->grid, mask, n, panels);
  }
  PetscCall(PetscFree(mask));
  PetscCall(PetscFree(signal));
  PetscCall(PetscFree(fraction));
  PetscCall(PetscFree(color));
  PetscCall(PetscFree(fit));
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFitWriteMaps(const FgPipeline *p, const FgDeviations *deviations, FgResult *result, double freedom,
                              PetscBool picture)
{
  const Fit   fit = {p, freedom / p->fitted};
  FgFieldMaps maps;

  PetscFunctionBegin;
  PetscCall(FgFieldMapsCreate(&p->measurement, p->model, p->field, &maps));
  PetscCall(FgFieldMapsWrite(&maps, result));
  PetscCall(FgDeviationsWrite(deviations, &maps, result));
  PetscCall(FgFieldMapWrite(
      &maps, result, (FgImageSpec){.map = "chi2", .store = FG_STORE_FLOAT, .nvolumes = 1, .cal_max = 4.0}, "1",
      "reduced chi-squared: squared residuals in noise variances per degree of freedom; 1 where the model fits to the noise",
      FillChi2, &fit));
  PetscCall(FgFieldMapWrite(
      &maps, result, (FgImageSpec){.map = "status", .store = FG_STORE_UINT8, .nvolumes = 1, .cal_max = 63.0}, "bits",
      "1 sample left out or negative, 2 not fitted, 4 at a bound, 8 not converged, 16 not identifiable, 32 outside the model",
      FillStatus, NULL));
  if (picture) PetscCall(WritePicture(&maps, result, &fit));
  PetscCall(FgFieldMapsDestroy(&maps));
  PetscFunctionReturn(PETSC_SUCCESS);
}
