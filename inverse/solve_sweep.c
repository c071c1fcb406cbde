/* solve_sweep.c: colored block Gauss-Newton sweeps with over-relaxation: each site solves its own small bound-constrained problem
   with its neighbors held, one color after the other.

   With the regularizer's weights frozen at the start of a sweep, a site's problem is its misfit plus a sum of squares to its
   neighbors; a Gauss-Newton step is taken, over-relaxed, projected on the box, and kept only if the site's own objective
   falls. Sites of one color do not touch each other, so that the result does not depend on the number of ranks; ghosts are exchanged
   after each color. This is nonlinear successive over-relaxation: J. M. Ortega, W. C. Rheinboldt, Iterative Solution of
   Nonlinear Equations in Several Variables (1970), section 7.4. */
#include "finegrain/problem.h"

#include "site_step.h"

#include <math.h>

static double SiteObjective(FgProblem problem, PetscInt i, const PetscScalar *field_m, const double *m, const double frame[9],
                            double *gradient, double *hessian)
{
  double misfit = 0.0, energy = 0.0;

  FgModelSite(problem->model, &problem->data, i, m, frame, &misfit, gradient, hessian);
  FgRegularizerSite(problem->regularizer, i, field_m, m, frame, problem->alpha, &energy, gradient, hessian);
  return misfit + energy;
}

/* Improves site i in place; returns FALSE where no step lowers its objective. */
static PetscBool SweepSite(FgProblem problem, PetscInt i, double relaxation, PetscScalar *field_m)
{
  const FgField  field = problem->field;
  const PetscInt nc    = field->ncomponents;
  double         m[FG_MAX_COMPONENTS], gradient[FG_MAX_COMPONENTS], hessian[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS], now;
  double         damping = 1e-9, *frame = field->frames ? &field->frames[9 * i] : NULL;

  for (PetscInt c = 0; c < nc; c++) m[c] = field_m[i * nc + c];
  now = SiteObjective(problem, i, field_m, m, frame, gradient, hessian);
  for (int attempt = 0; attempt < 6; attempt++, relaxation = 1.0, damping = PetscMax(10.0 * damping, 1e-3)) {
    double trial[FG_MAX_COMPONENTS], moved[9], after;

    if (!FgSiteStep(field->components, nc, m, gradient, hessian, damping, relaxation, trial)) continue;
    for (PetscInt k = 0; frame && k < 9; k++) moved[k] = frame[k];
    if (frame) FgChartRecenter(field->ntangent, &trial[field->tangent], moved);
    after = SiteObjective(problem, i, field_m, trial, moved, NULL, NULL);
    if (!(after <= now + 1e-13 * fabs(now))) continue;
    for (PetscInt c = 0; c < nc; c++) field_m[i * nc + c] = trial[c];
    for (PetscInt k = 0; frame && k < 9; k++) frame[k] = moved[k];
    return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static PetscErrorCode Sweep(FgProblem problem, double relaxation)
{
  const FgField  field = problem->field;
  const FgDomain d     = field->domain;

  PetscFunctionBegin;
  for (PetscInt color = 0; color < d->ncolors; color++) {
    Vec          local;
    PetscScalar *m;

    PetscCall(VecGhostGetLocalForm(field->m, &local));
    PetscCall(VecGetArray(local, &m));
    for (PetscInt i = 0; i < d->nlocal; i++) {
      if (d->color[i] == color) (void)SweepSite(problem, i, relaxation, m);
    }
    PetscCall(VecRestoreArray(local, &m));
    PetscCall(VecGhostRestoreLocalForm(field->m, &local));
    PetscCall(VecGhostUpdateBegin(field->m, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(VecGhostUpdateEnd(field->m, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(FgFieldUpdateFrames(field));
  }
  problem->sweeps++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSolveSweep(FgProblem problem, const FgSolveOptions *options, FgSolveReport *report)
{
  enum { SWEEPS_PER_CHECK = 5 };

  PetscFunctionBegin;
  PetscCall(PetscMemzero(report, sizeof(*report)));
  PetscCall(PetscStrncpy(report->solver, "sweep", sizeof(report->solver)));
  PetscCall(FgFieldRecenter(problem->field));
  for (PetscInt sweep = 0;; sweep += SWEEPS_PER_CHECK) {
    PetscCall(FgProblemEvaluate(problem, &report->objective, &report->misfit, &report->roughness, problem->g));
    PetscCall(FgProblemProjectedNorm(problem, problem->g, &report->projected_gradient));
    if (!sweep) report->projected_gradient_start = report->projected_gradient;
    if (options->monitor) {
      PetscCall(options->monitor(options->monitor_context, "sweep", sweep, report->objective, report->projected_gradient));
    }
    report->sweeps    = sweep;
    report->converged = report->projected_gradient <= options->tolerance ? PETSC_TRUE : PETSC_FALSE;
    if (report->converged || sweep >= options->max_iterations) break;
    for (PetscInt k = 0; k < SWEEPS_PER_CHECK; k++) {
      if (k) PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
      PetscCall(Sweep(problem, options->relaxation));
    }
  }
  PetscCall(PetscStrncpy(report->reason, report->converged ? "projected gradient small" : "iteration limit", sizeof(report->reason)));
  PetscFunctionReturn(PETSC_SUCCESS);
}
