/* solve_pointwise.c: each site by itself: Levenberg-Marquardt on its box, from the model's start value.

   Source: D. W. Marquardt, J. SIAM 11 (1963), with the damping rule of H. B. Nielsen, IMM-REP-1999-05 (Technical University of
   Denmark). Directions move in a chart that is re-centred after every accepted step. A site that cannot be fitted is flagged in
   its status and never ends the run. */
#include "finegrain/problem.h"

#include "finegrain/statistics.h"
#include "site_step.h"

#include <math.h>

typedef struct {
  double   m[FG_MAX_COMPONENTS], frame[9], misfit, gradient[FG_MAX_COMPONENTS], hessian[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS];
  PetscInt samples;
} Site;

static void EvaluateSite(FgProblem problem, PetscInt i, Site *site)
{
  site->samples = FgModelSite(problem->model, &problem->data, i, site->m, site->frame, &site->misfit, site->gradient,
                              site->hessian);
}

/* A variable that no sample depends on would make the system singular: give it a unit of curvature, so that it stays. */
static void FillNullCurvature(PetscInt nc, double *hessian)
{
  for (PetscInt c = 0; c < nc; c++) {
    if (!(hessian[c * nc + c] > 0.0)) hessian[c * nc + c] = 1.0;
  }
}

static PetscBool FitSite(FgProblem problem, PetscInt i, const FgPointwiseOptions *options, Site *site)
{
  const FgField  field   = problem->field;
  const PetscInt nc      = field->ncomponents;
  double         damping = 1e-3, growth = 2.0;

  EvaluateSite(problem, i, site);
  if (!isfinite(site->misfit)) return PETSC_FALSE;
  for (PetscInt iteration = 0; iteration < options->max_iterations; iteration++) {
    Site   trial     = *site;
    double predicted = 0.0, length = 0.0, ratio;

    FillNullCurvature(nc, site->hessian);
    if (!FgSiteStep(field->components, nc, site->m, site->gradient, site->hessian, damping, 1.0, trial.m)) {
      damping = PetscMax(damping * growth, 1e-6);
      growth *= 2.0;
      continue;
    }
    for (PetscInt a = 0; a < nc; a++) {
      const double step   = trial.m[a] - site->m[a];
      double       curved = 0.0;

      for (PetscInt b = 0; b < nc; b++) curved += site->hessian[a * nc + b] * (trial.m[b] - site->m[b]);
      predicted -= step * (site->gradient[a] + 0.5 * curved);
      length += step * curved; /* in units of the standard deviation, squared */
    }
    if (length <= options->tolerance * options->tolerance) return PETSC_TRUE;
    if (field->ntangent) FgChartRecenter(field->ntangent, &trial.m[field->tangent], trial.frame);
    EvaluateSite(problem, i, &trial);
    ratio = (site->misfit - trial.misfit) / predicted;
    if (isfinite(trial.misfit) && predicted > 0.0 && ratio > 0.0) {
      const double shrink = 1.0 - pow(2.0 * ratio - 1.0, 3);

      *site   = trial;
      damping = PetscMax(1e-12, damping * PetscMax(1.0 / 3.0, shrink));
      growth  = 2.0;
    } else {
      /* Below the rounding of the misfit no step can be told from another. */
      if (predicted < 1e-12 * (1.0 + site->misfit)) return PETSC_TRUE;
      damping = PetscMax(damping * growth, 1e-6);
      growth *= 2.0;
      if (damping > 1e12) return PETSC_FALSE;
    }
  }
  return PETSC_FALSE;
}

/* Standard deviations from the inverse of the Fisher information; infinite where it is singular. */
static void Deviations(PetscInt nc, const double *hessian, float *deviation)
{
  double scale[FG_MAX_COMPONENTS];

  /* Scaled to unit diagonal, so that units do not decide what is singular. */
  for (PetscInt c = 0; c < nc; c++) scale[c] = hessian[c * nc + c] > 0.0 ? 1.0 / sqrt(hessian[c * nc + c]) : 0.0;
  for (PetscInt c = 0; c < nc; c++) {
    double A[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS], e[FG_MAX_COMPONENTS] = {0};

    for (PetscInt a = 0; a < nc; a++) {
      for (PetscInt b = 0; b < nc; b++) A[a * nc + b] = hessian[a * nc + b] * scale[a] * scale[b];
      A[a * nc + a] += 1e-12;
    }
    e[c]         = 1.0;
    deviation[c] = FgCholeskySolve(nc, nc, A, e) && scale[c] > 0.0 ? (float)(sqrt(e[c]) * scale[c]) : INFINITY;
  }
}

/* Bits for a fitted site: at a bound; porosity-like components known no better than half their range, the fiber direction no better
   than 0.6 rad. An orthotropic frame's turn about the fiber (the third tangent coordinate) and its planarity are not judged: where the
   planarity is near 0 they mean nothing. */
static unsigned char JudgeSite(FgField field, const double *m, const float *deviation)
{
  unsigned char status = 0;

  for (PetscInt c = 0; c < field->ncomponents; c++) {
    const FgComponent *component = &field->components[c];
    const double       range     = component->upper - component->lower;

    if (component->kind == FG_KIND_SCALAR && (m[c] <= component->lower || m[c] >= component->upper)) status |= FG_STATUS_AT_BOUND;
    if (c == field->tangent + 2 && field->ntangent == 3) continue;
    if (field->ntangent == 3 && component->kind == FG_KIND_SCALAR && c == field->tangent - 1) continue;
    if (!(deviation[c] < (component->kind == FG_KIND_TANGENT ? 0.6 : isfinite(range) ? 0.5 * range : INFINITY))) {
      status |= FG_STATUS_UNIDENTIFIABLE;
    }
  }
  return status;
}

PetscErrorCode FgSolvePointwise(FgProblem problem, const FgPointwiseOptions *options, PetscBool keep_start, float *deviation,
                                float *chi2, short *samples)
{
  enum { SITES_PER_CALL = 1024 };
  const FgField  field = problem->field;
  const PetscInt nc    = field->ncomponents;
  PetscScalar   *m;

  PetscFunctionBegin;
  PetscCall(VecGetArray(field->m, &m));
  for (PetscInt i = 0; i < problem->data.nlocal; i++) {
    const float *values = &problem->data.values[i * (size_t)problem->data.ndata];
    Site         site;
    float        own[FG_MAX_COMPONENTS];
    PetscBool    fitted = PETSC_TRUE;

    site.samples = 0;
    for (PetscInt k = 0; k < 9; k++) site.frame[k] = field->frames ? field->frames[9 * i + k] : 0.0;
    for (PetscInt c = 0; c < nc; c++) site.m[c] = keep_start ? m[i * nc + c] : field->components[c].start;
    if (problem->status[i] & FG_STATUS_NOT_FITTED) fitted = PETSC_FALSE;
    else if (!keep_start) fitted = problem->model->ops->site_start(problem->model, values, site.m, site.frame);
    for (PetscInt c = 0; c < nc; c++) {
      site.m[c] = PetscMin(PetscMax(site.m[c], field->components[c].lower), field->components[c].upper);
      own[c]    = INFINITY;
    }
    if (fitted) {
      problem->status[i] &= (unsigned char)~(FG_STATUS_AT_BOUND | FG_STATUS_NOT_CONVERGED | FG_STATUS_UNIDENTIFIABLE);
      if (!FitSite(problem, i, options, &site)) problem->status[i] |= FG_STATUS_NOT_CONVERGED;
      Deviations(nc, site.hessian, own);
      problem->status[i] |= JudgeSite(field, site.m, own);
    } else {
      problem->status[i] |= FG_STATUS_NOT_FITTED;
    }
    for (PetscInt c = 0; c < nc; c++) m[i * nc + c] = site.m[c];
    for (PetscInt k = 0; k < 9 && field->frames; k++) field->frames[9 * i + k] = site.frame[k];
    for (PetscInt c = 0; c < nc && deviation; c++) deviation[i * (size_t)nc + c] = own[c];
    if (chi2) chi2[i] = fitted ? (float)(2.0 * site.misfit) : NAN;
    if (samples) samples[i] = (short)(fitted ? site.samples : 0);
    if (options->monitor && (i + 1) % SITES_PER_CALL == 0) PetscCall(options->monitor(options->monitor_context, i + 1));
  }
  PetscCall(VecRestoreArray(field->m, &m));
  PetscCall(FgFieldRecenter(field));
  PetscFunctionReturn(PETSC_SUCCESS);
}
