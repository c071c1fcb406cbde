/* fit_summary.c: the summary of a fit. The schema of summary.json is documented in docs/formats.md; its version counts up when the meaning
   of a key changes. */
#include "fit_summary.h"

#include "fit_output.h"
#include "record.h"

#include "finegrain/statistics.h"

#include <math.h>
#include <string.h>

enum { SCHEMA_VERSION = 1 };

/* Shares of voxels per status bit, and medians of the maps, over all ranks. */
typedef struct {
  double share[6];                   /* in the order of the bits */
  double chi2;                       /* median reduced chi-squared */
  double median[8], low[8], high[8]; /* of each scalar component: median, 5th and 95th percentile */
} Overview;

static PetscErrorCode Survey(const FgPipeline *p, double freedom, Overview *o)
{
  const MPI_Comm     comm = p->measurement.comm;
  const PetscInt     n = p->domain->nlocal, nc = p->field->ncomponents;
  const PetscScalar *m;
  float             *values;

  PetscFunctionBegin;
  memset(o, 0, sizeof(*o));
  PetscCall(PetscMalloc1(n, &values));
  for (PetscInt i = 0; i < n; i++) {
    const double degrees = p->samples[i] - freedom / p->fitted;

    for (int bit = 0; bit < 6; bit++) o->share[bit] += p->measurement.status[i] >> bit & 1;
    values[i] = p->measurement.status[i] & FG_STATUS_NOT_FITTED || degrees <= 0.0 ? NAN : (float)(p->chi2[i] / degrees);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, o->share, 6, MPI_DOUBLE, MPI_SUM, comm));
  for (int bit = 0; bit < 6; bit++) o->share[bit] /= p->domain->nglobal;
  PetscCall(FgQuantile(comm, n, values, 1, 0.5, &o->chi2));
  PetscCall(VecGetArrayRead(p->field->m, &m));
  for (PetscInt c = 0; c < nc; c++) {
    if (!(p->field->components[c].lower >= 0.0)) continue; /* quantiles are for non-negative values */
    for (PetscInt i = 0; i < n; i++) values[i] = p->measurement.status[i] & FG_STATUS_NOT_FITTED ? NAN : (float)m[i * nc + c];
    PetscCall(FgQuantile(comm, n, values, 1, 0.05, &o->low[c]));
    PetscCall(FgQuantile(comm, n, values, 1, 0.5, &o->median[c]));
    PetscCall(FgQuantile(comm, n, values, 1, 0.95, &o->high[c]));
  }
  PetscCall(VecRestoreArrayRead(p->field->m, &m));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void PrintSolve(const FitSettings *s, const FgPipeline *p, const FgFitReport *r, FgLog *log)
{
  char ratios[256] = "";

  if (s->pointwise) {
    FgLogResult(log, "weight   none: pointwise fit");
    return;
  }
  for (PetscInt k = 0; k < r->search.nparts; k++) {
    const size_t end = strlen(ratios);

    snprintf(ratios + end, sizeof(ratios) - end, "%s%s %.3g", k ? ", " : "", r->search.parts[k].name, r->search.parts[k].ratio);
  }
  if (!r->searched) FgLogResult(log, "weight   %s, alpha %.4g as given (%s)", s->regularizer, p->problem->alpha, ratios);
  else {
    FgLogResult(log, "weight   %s, alpha %.4g (%s) by %s%s, %d solves, %.2f degrees of freedom a voxel of %d", s->regularizer,
                p->problem->alpha, ratios, s->criterion,
                r->search.reached ? "" : ", which found NO optimum: not chosen by the data", (int)r->search.npoints,
                r->freedom / p->fitted, (int)p->field->ncomponents);
  }
  FgLogResult(log, "solver   %s: %s after %d sweeps and %d iterations, projected gradient %.1e (start %.1e)", r->solve.solver,
              r->solve.reason, (int)r->solve.sweeps, (int)r->solve.iterations, r->solve.projected_gradient,
              r->solve.projected_gradient_start);
}

static void PrintDeviations(const FgDeviations *deviations, FgLog *log)
{
  char line[400] = "";

  for (PetscInt k = 0; k < deviations->n; k++) {
    const FgDeviation *map    = &deviations->maps[k];
    const size_t       length = strlen(line);

    snprintf(line + length, sizeof(line) - length, "%s%s %.2g [%s]", k ? ", " : "", map->map, map->median, map->unit);
  }
  FgLogResult(log, "sure to  medians: %s", line);
}

static void Print(const FitSettings *s, const FgPipeline *p, const FgFitReport *r, const Overview *o, FgLog *log)
{
  const PetscInt porosity = FgFieldFind(p->field, "porosity"), kappa = FgFieldFind(p->field, "kappa");

  FgLogResult(log, "data     %s: %d voxels fitted of %d in the mask, %d samples each", p->files.dwi, (int)p->fitted,
              (int)p->domain->nglobal, (int)p->measurement.ndata);
  FgLogResult(log, "model    %s%s%s%s%s; %s noise, sigma %.4g from %s, SNR of S0 %.1f", p->model_name, porosity >= 0 ? ", " : "",
              porosity >= 0 ? p->tissue.closure->name : "", porosity >= 0 ? ", " : "",
              porosity >= 0 ? FgOrientations[p->tissue.orientation] : "", s->noise, p->sigma_median, p->sigma_source,
              p->signal_scale / p->sigma_median);
  PrintSolve(s, p, r, log);
  FgLogResult(log, "fit      reduced chi-squared: median %.2f; %.1f %% of voxels outside the model (status bit 32)", o->chi2,
              100.0 * o->share[5]);
  if (p->variance > 1.2) {
    FgLogResult(
        log,
        "misfit   the pointwise fit leaves %.2f times the noise variance on average: the model does not describe all of these "
        "data%s",
        p->variance, s->pointwise ? "" : "; where it does not, the residual stood for the noise");
  }
  FgVolumeWeightsPrint(&r->weights, p, log);
  if (porosity >= 0) {
    FgLogResult(log,
                "porosity median %.3f [1], 5 to 95 %% of voxels %.3f to %.3f; %.1f %% of voxels have a parameter at its bound",
                o->median[porosity], o->low[porosity], o->high[porosity], 100.0 * o->share[2]);
  }
  if (kappa >= 0)
    FgLogResult(log, "kappa    median %.3f [1], 5 to 95 %% of voxels %.3f to %.3f", o->median[kappa], o->low[kappa],
                o->high[kappa]);
  PrintDeviations(&r->deviations, log);
  FgLogResult(
      log,
      "flags    %.2f %% not fitted, %.2f %% not converged, %.2f %% not identifiable, %.2f %% with samples left out or negative",
      100.0 * o->share[1], 100.0 * o->share[3], 100.0 * o->share[4], 100.0 * o->share[0]);
  FgLogResult(log, "time     read %.1f s, pointwise %.1f s (%.1f us a voxel), field %.1f s, write %.1f s; peak memory %.0f MiB",
              p->seconds_read, p->seconds_pointwise, 1e6 * p->seconds_pointwise / p->domain->nglobal, r->seconds_field,
              r->seconds_write, FgPeakMemory() / 1048576.0);
}

/* One number for each part, under the names of the parts. */
static json_t *Parts(const FgWeightSearch *search, const double value[])
{
  json_t *parts = json_object();

  for (PetscInt k = 0; k < search->nparts; k++) json_object_set_new(parts, search->parts[k].name, FgJsonNumber(value[k]));
  return parts;
}

static json_t *SearchCurve(const FgWeightSearch *search)
{
  json_t *curve = json_array();

  for (PetscInt k = 0; k < search->npoints; k++) {
    const FgWeightPoint *point = &search->points[k];

    json_array_append_new(curve, json_pack("{s:f, s:o, s:f, s:f, s:f, s:f, s:o, s:f, s:i, s:b}", "alpha", point->alpha, "weights",
                                           Parts(search, point->ratio), "chi2", point->chi2, "effective_freedom", point->freedom,
                                           "residual_variance", point->variance, "gcv", point->gcv, "estimated_risk",
                                           Parts(search, point->risk), "roughness", point->roughness, "sweeps",
                                           (int)point->sweeps, "chosen", k == search->npoints - 1));
  }
  return curve;
}

static json_t *Json(const FitSettings *s, const FgPipeline *p, const FgFitReport *r, const FgResult *result, const Overview *o,
                    double memory)
{
  static const char *const bits[6] = {"clamped_signal", "not_fitted",       "at_bound",
                                      "not_converged",  "not_identifiable", "outside_model"};
  json_t *root = json_pack("{s:i, s:s}", "schema_version", SCHEMA_VERSION, "finegrain_version", FG_VERSION), *part;

  json_object_set_new(root, "settings", FgRecordSettings(&FgCommandFit, s));
  json_object_set(root, "provenance", result->provenance);
  json_object_set_new(root, "voxels",
                      json_pack("{s:I, s:I, s:s}", "mask", (json_int_t)p->domain->nglobal, "fitted", (json_int_t)p->fitted,
                                "mask_source", p->measurement.mask_source));
  json_object_set_new(root, "noise",
                      json_pack("{s:s, s:f, s:s, s:f}", "model", s->noise, "sigma_signal_units", p->sigma_median, "source",
                                p->sigma_source, "snr", p->signal_scale / p->sigma_median));
  json_object_set_new(json_object_get(root, "noise"), "voxels_without_map_value", json_integer((json_int_t)p->sigma_filled));
  if (!isnan(s->coils)) json_object_set_new(json_object_get(root, "noise"), "coils", json_real(s->coils));
  FgVolumeWeightsJson(&r->weights, p, root);

  part = json_object();
  json_object_set_new(part, "samples", json_real(p->pointwise_samples));
  json_object_set_new(part, "pointwise_chi2", json_real(p->pointwise_chi2));
  json_object_set_new(part, "pointwise_freedom", json_real(p->pointwise_freedom));
  json_object_set_new(part, "pointwise_mean_reduced_chi2", json_real(p->variance));
  json_object_set_new(part, "share_with_raised_noise_level", json_real(p->raised));
  json_object_set_new(part, "chi2", json_real(s->pointwise ? p->pointwise_chi2 : 2.0 * r->solve.misfit));
  json_object_set_new(part, "effective_freedom", json_real(r->freedom));
  json_object_set_new(part, "median_reduced_chi2", FgJsonNumber(o->chi2));
  json_object_set_new(root, "fit", part);

  if (!s->pointwise) {
    json_t *weights = json_pack("{s:f, s:b, s:s}", "alpha", p->problem->alpha, "searched", r->searched, "regularizer",
                                s->regularizer);
    json_t *scales = json_object(), *relative = json_object();

    for (PetscInt k = 0; k < r->search.nparts; k++) {
      json_object_set_new(relative, r->search.parts[k].name, json_real(r->search.parts[k].ratio));
    }
    for (PetscInt c = 0; c < p->field->ncomponents; c++) {
      json_object_set_new(scales, p->field->components[c].name, json_real(p->problem->scale[c]));
    }
    json_object_set_new(weights, "whitening_scales", scales);
    json_object_set_new(weights, "relative", relative);
    if (r->searched) {
      json_object_set_new(weights, "criterion", json_string(s->criterion));
      json_object_set_new(weights, "pointwise_residual_variance", json_real(r->search.pointwise_variance));
      json_object_set_new(weights, "target_reached", json_boolean(r->search.reached));
      json_object_set_new(weights, "curve", SearchCurve(&r->search));
    }
    json_object_set_new(root, "weights", weights);
    json_object_set_new(root, "solver",
                        json_pack("{s:s, s:s, s:b, s:i, s:i, s:f, s:f, s:f}", "name", r->solve.solver, "reason", r->solve.reason,
                                  "converged", r->solve.converged, "sweeps", (int)r->solve.sweeps, "iterations",
                                  (int)r->solve.iterations, "objective", r->solve.objective, "projected_gradient_rms_whitened",
                                  r->solve.projected_gradient, "projected_gradient_start", r->solve.projected_gradient_start));
  }

  part = json_object();
  for (PetscInt c = 0; c < p->field->ncomponents; c++) {
    if (p->field->components[c].kind == FG_KIND_TANGENT || !(p->field->components[c].lower >= 0.0)) continue;
    json_object_set_new(part, p->field->components[c].name,
                        json_pack("{s:s, s:o, s:o, s:o}", "unit", p->field->components[c].unit, "median",
                                  FgJsonNumber(o->median[c]), "percentile_5", FgJsonNumber(o->low[c]), "percentile_95",
                                  FgJsonNumber(o->high[c])));
  }
  json_object_set_new(root, "parameters", part);
  part = json_object();
  for (PetscInt k = 0; k < r->deviations.n; k++) {
    const FgDeviation *map = &r->deviations.maps[k];

    json_object_set_new(part, map->map, json_pack("{s:s, s:o}", "unit", map->unit, "median", FgJsonNumber(map->median)));
  }
  json_object_set_new(root, "deviations", part);
  part = json_object();
  for (int bit = 0; bit < 6; bit++) json_object_set_new(part, bits[bit], json_real(o->share[bit]));
  json_object_set_new(root, "status_shares", part);
  json_object_set_new(root, "counts",
                      json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "F", (int)p->model->counts.apply, "J",
                                (int)p->model->counts.tangent, "JT", (int)p->model->counts.adjoint, "linear_solves",
                                (int)p->model->counts.solves, "objectives", (int)p->problem->objectives, "hessian_products",
                                (int)p->problem->hessians, "sweeps", (int)p->problem->sweeps));
  json_object_set_new(root, "seconds",
                      json_pack("{s:{s:f, s:f, s:f, s:f, s:f, s:f, s:f}, s:{s:f, s:f, s:f, s:f, s:f}}", "wall", "read",
                                p->seconds_read, "pointwise", p->seconds_pointwise, "field", r->seconds_field, "deviations",
                                r->seconds_deviations, "write", r->seconds_write, "total", r->seconds_total, "computing",
                                p->seconds_pointwise + r->seconds_field + r->seconds_deviations, "cpu_rank_0", "read",
                                r->cpu_read, "pointwise", r->cpu_pointwise, "field", r->cpu_field, "deviations",
                                r->cpu_deviations, "write", r->cpu_write));
  json_object_set_new(root, "peak_memory_bytes", json_real(memory));
  return root;
}

/* The settings with every word that stood for a choice of the program ("preset", the files found) replaced by what was chosen. */
static void Resolve(const FgPipeline *p, FitSettings *s)
{
  const FgPhases *phases = &p->tissue.phases;

  (void)PetscStrncpy(s->model, p->model_name, sizeof(s->model));
  (void)PetscStrncpy(s->tissue.closure, p->tissue.closure->name, sizeof(s->tissue.closure));
  (void)PetscStrncpy(s->tissue.orientation, FgOrientations[p->tissue.orientation], sizeof(s->tissue.orientation));
  (void)PetscStrncpy(s->tissue.normalization, phases->apparent ? "apparent" : "effective", sizeof(s->tissue.normalization));
  if (p->files.mask[0]) (void)PetscStrncpy(s->mask, p->files.mask, sizeof(s->mask));
  if (!s->grad[0] && p->files.bvec[0]) {
    (void)PetscStrncpy(s->bval, p->files.bval, sizeof(s->bval));
    (void)PetscStrncpy(s->bvec, p->files.bvec, sizeof(s->bvec));
  }
  s->tissue.matrix_diffusivity = phases->matrix;
  s->tissue.fiber_diffusivity  = (FgReals){2, {phases->fiber_axial, phases->fiber_radial}};
  s->tissue.fiber_storage      = phases->fiber_storage;
}

PetscErrorCode FgFitSummarize(const FitSettings *s, FgPipeline *p, const FgFitReport *r, const FgResult *result, FgLog *log)
{
  double         memory = FgPeakMemory();
  Overview       overview;
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &memory, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  PetscCall(Survey(p, r->freedom, &overview));
  Print(s, p, r, &overview, log);
  if (!s->pointwise && (!r->solve.converged || (r->searched && !r->search.reached))) log->exit_code = 4;
  if (!rank) {
    FitSettings resolved = *s;
    json_t     *summary;

    Resolve(p, &resolved);
    summary = Json(&resolved, p, r, result, &overview, memory);

    code = FgFitWriteTexts(&resolved, summary, result, log);
    json_decref(summary);
  }
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}
