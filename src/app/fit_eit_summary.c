/* fit_eit_summary.c: how a fit of voltages went: lines for a person, summary.json for a program (docs/formats.md), config.yaml to repeat it. */
#include "fit_eit.h"

#include "fit_output.h"
#include "record.h"

#include <math.h>
#include <string.h>

enum { SCHEMA_VERSION = 1 };

/* chi-squared of a degree of freedom; of a voltage where it is not known how many were spent. */
static double Reduced(const FgEitFit *fit)
{
  return fit->chi2 / PetscMax(1.0, fit->samples - (isfinite(fit->freedom) ? fit->freedom : 0.0));
}

static void Print(const FgEitFit *fit, double at_bound)
{
  const FitSettings   *s     = fit->settings;
  const FgSolveReport *solve = &fit->solve;
  FgLog               *log   = fit->log;

  FgLogResult(log, "data     %s: %d voltages of %d electrodes, %s, median deviation %.3g V%s", fit->eit->source,
              (int)fit->samples, (int)fit->eit->nelectrodes, FgEitModes[fit->mode], fit->noise_median,
              fit->contradicted ? " from what redundant patterns contradict" : "");
  FgLogResult(log, "domain   %s: %d %s, %d unknowns", fit->mesh_source, (int)fit->mesh->nelements,
              fit->mesh->dim == 2 ? "triangles" : "tetrahedra", (int)(fit->domain->nglobal * fit->field->ncomponents));
  if (fit->fitted) {
    FgLogResult(log, "start    homogeneous conductivity %.4g S/m%s, chi-squared %.3g a voltage", fit->background.conductivity,
                fit->background.each        ? ", every contact impedance fitted"
                : fit->background.impedance ? ", contact impedances scaled"
                                            : "",
                fit->background.chi2 / fit->samples);
  } else FgLogResult(log, "start    homogeneous conductivity %.4g S/m, not fitted", fit->background.conductivity);
  if (!fit->isotropic) FgLogResult(log, "         homogeneous porosity %.4g", fit->porosity);
  if (!fit->searched) FgLogResult(log, "weight   %s, alpha %.4g as given", s->regularizer, fit->problem->alpha);
  else {
    FgLogResult(log, "weight   %s, alpha %.4g by %s%s, %d solves, %.1f degrees of freedom", s->regularizer, fit->problem->alpha,
                s->criterion, fit->search.reached ? "" : ", which found NO optimum: not chosen by the data",
                (int)fit->search.npoints, fit->freedom);
    if (fit->search.note[0]) FgLogResult(log, "         %s", fit->search.note);
  }
  FgLogResult(log, "solver   %s: %s after %d iterations, projected gradient %.1e (start %.1e)", solve->solver, solve->reason,
              (int)solve->iterations, solve->projected_gradient, solve->projected_gradient_start);
  FgLogResult(log, "fit      chi-squared %.4g of %d voltages, reduced %.3g; %.1f %% of sites at a bound", fit->chi2,
              (int)fit->samples, Reduced(fit), 100.0 * at_bound);
  if (fit->std) {
    FgLogResult(log, "sure to  median: %s %.2g [%s]", FgEitStdMap(fit), fit->std_median, FgEitStdUnit(fit));
  } else {
    FgLogResult(log, "sure to  not known: no standard deviations of directions, or of problems this large");
  }
  FgLogResult(log, "work     %d forward evaluations, %d factorizations, %d linear solves; %d objectives, %d Hessian products",
              (int)fit->model->counts.apply, (int)fit->model->counts.factorizations, (int)fit->model->counts.solves,
              (int)fit->problem->objectives, (int)fit->problem->hessians);
  FgLogResult(log, "time     read %.1f s, background %.1f s, field %.1f s, deviations %.1f s, write %.1f s; peak memory %.0f MiB",
              fit->seconds_read, fit->seconds_background, fit->seconds_field, fit->seconds_deviations, fit->seconds_write,
              FgPeakMemory() / 1048576.0);
}

static json_t *Curve(const FgWeightSearch *search)
{
  json_t *curve = json_array();

  for (PetscInt k = 0; k < search->npoints; k++) {
    const FgWeightPoint *point = &search->points[k];

    json_array_append_new(curve, json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "alpha", FgJsonNumber(point->alpha), "chi2",
                                           FgJsonNumber(point->chi2), "effective_freedom", FgJsonNumber(point->freedom), "gcv",
                                           FgJsonNumber(point->gcv), "roughness", FgJsonNumber(point->roughness), "chosen",
                                           k == search->npoints - 1));
  }
  return curve;
}

static json_t *Json(const FgEitFit *fit, const FgResult *result, double at_bound, double memory)
{
  const FitSettings   *s     = fit->settings;
  const FgEit          eit   = fit->eit;
  const FgSolveReport *solve = &fit->solve;
  json_t *root = json_pack("{s:i, s:s, s:s}", "schema_version", SCHEMA_VERSION, "finegrain_version", FG_VERSION, "measurement",
                           "eit");
  json_t *part, *impedances = json_array();

  json_object_set_new(root, "settings", FgRecordSettings(&FgCommandFit, s));
  json_object_set(root, "provenance", result->provenance);
  json_object_set_new(root, "data",
                      json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "mode", FgEitModes[fit->mode], "electrodes",
                                (int)eit->nelectrodes, "patterns", (int)eit->npatterns, "measurements", (int)eit->nmeasurements,
                                "fitted", (int)fit->samples, "missing", (int)eit->ndropped, "silent_electrodes",
                                (int)eit->nsilent));
  json_object_set_new(root, "noise",
                      json_pack("{s:f, s:f, s:b, s:i}", "median_deviation_V", fit->noise_median, "model_error",
                                fit->contradicted ? 0.0 : FgEitModelError(fit), "from_redundant_patterns", fit->contradicted,
                                "redundancy", (int)fit->contradictions));
  json_object_set_new(root, "domain",
                      json_pack("{s:s, s:i, s:i, s:i, s:i}", "source", fit->mesh_source, "dimension", (int)fit->mesh->dim,
                                "elements", (int)fit->mesh->nelements, "nodes", (int)fit->mesh->nnodes, "sites",
                                (int)fit->mesh->nsites));
  part = json_pack("{s:b, s:f}", "fitted", fit->fitted, "conductivity_S_per_m", fit->background.conductivity);
  if (!fit->isotropic) json_object_set_new(part, "porosity", json_real(fit->porosity));
  if (fit->fitted) {
    json_object_set_new(part, "reduced_chi2", FgJsonNumber(fit->background.chi2 / fit->samples));
    json_object_set_new(part, "iterations", json_integer(fit->background.iterations));
  }
  for (PetscInt l = 0; l < eit->nelectrodes; l++) json_array_append_new(impedances, FgJsonNumber(eit->impedance[l]));
  json_object_set_new(part, "contact_impedance_ohm_m2", impedances);
  json_object_set_new(root, "background", part);
  json_object_set_new(root, "fit",
                      json_pack("{s:o, s:o, s:o, s:o}", "chi2", FgJsonNumber(fit->chi2), "samples", json_integer(fit->samples),
                                "effective_freedom", FgJsonNumber(fit->freedom), "reduced_chi2", FgJsonNumber(Reduced(fit))));
  part = json_pack("{s:s, s:f, s:b}", "regularizer", s->regularizer, "alpha", fit->problem->alpha, "searched", fit->searched);
  if (fit->searched) {
    json_object_set_new(part, "criterion", json_string(s->criterion));
    json_object_set_new(part, "target_reached", json_boolean(fit->search.reached));
    if (fit->search.note[0]) json_object_set_new(part, "note", json_string(fit->search.note));
    json_object_set_new(part, "curve", Curve(&fit->search));
  }
  json_object_set_new(root, "weights", part);
  json_object_set_new(root, "solver",
                      json_pack("{s:s, s:s, s:b, s:i, s:o, s:o, s:o}", "name", solve->solver, "reason", solve->reason,
                                "converged", solve->converged, "iterations", (int)solve->iterations, "objective",
                                FgJsonNumber(solve->objective), "projected_gradient_rms_whitened",
                                FgJsonNumber(solve->projected_gradient), "projected_gradient_start",
                                FgJsonNumber(solve->projected_gradient_start)));
  part = json_object();
  if (fit->std) {
    json_object_set_new(part, FgEitStdMap(fit),
                        json_pack("{s:s, s:o}", "unit", FgEitStdUnit(fit), "median", FgJsonNumber(fit->std_median)));
  }
  json_object_set_new(root, "deviations", part);
  json_object_set_new(root, "status_shares",
                      json_pack("{s:f, s:f}", "at_bound", at_bound, "not_converged", fit->solve.converged ? 0.0 : 1.0));
  json_object_set_new(root, "counts",
                      json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "factorizations", (int)fit->model->counts.factorizations,
                                "F", (int)fit->model->counts.apply, "J", (int)fit->model->counts.tangent, "JT",
                                (int)fit->model->counts.adjoint, "linear_solves", (int)fit->model->counts.solves, "objectives",
                                (int)fit->problem->objectives, "hessian_products", (int)fit->problem->hessians));
  json_object_set_new(root, "seconds",
                      json_pack("{s:{s:f, s:f, s:f, s:f, s:f, s:f}}", "wall", "read", fit->seconds_read, "background",
                                fit->seconds_background, "field", fit->seconds_field, "deviations", fit->seconds_deviations,
                                "write", fit->seconds_write, "total", fit->seconds_total));
  json_object_set_new(root, "peak_memory_bytes", json_real(memory));
  return root;
}

PetscErrorCode FgEitSummarize(FgEitFit *fit, const FgResult *result)
{
  double         memory = FgPeakMemory(), at_bound = 0.0;
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  for (PetscInt i = 0; i < fit->domain->nlocal; i++) at_bound += fit->status[i] & FG_STATUS_AT_BOUND ? 1.0 : 0.0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &at_bound, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &memory, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  at_bound /= fit->domain->nglobal;
  Print(fit, at_bound);
  if (!fit->solve.converged || (fit->searched && !fit->search.reached)) fit->log->exit_code = 4;
  if (!rank) {
    json_t *summary = Json(fit, result, at_bound, memory);

    code = FgFitWriteTexts(fit->settings, summary, result, fit->log);
    json_decref(summary);
  }
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}
