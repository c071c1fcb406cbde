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

static double SiteObjective(FgProblem problem, PetscInt i, const FgRegularizerSite *at, const double *m, const double *frame,
                            double *gradient, double *hessian)
{
  double misfit = 0.0;

  FgModelSite(problem->model, &problem->data, i, m, frame, &misfit, gradient, hessian);
  FgRegularizerSiteEvaluate(problem->regularizer, at, m, frame, &misfit, gradient, hessian);
  return misfit;
}

/* Squared length of a step in standard deviations: step^T H step. */
static double StepLength(PetscInt nc, const double *hessian, const double *from, const double *to)
{
  double length = 0.0;

  for (PetscInt a = 0; a < nc; a++) {
    for (PetscInt b = 0; b < nc; b++) length += (to[a] - from[a]) * hessian[a * nc + b] * (to[b] - from[b]);
  }
  return length;
}

/* Improves site i in place; where no step lowers its objective it stays as it is. */
static void SweepSite(FgProblem problem, PetscInt i, double relaxation, PetscScalar *field_m)
{
  const double      safe  = 0.01; /* [standard deviations^2]: so short a Gauss-Newton step need not be checked */
  const FgField     field = problem->field;
  const PetscInt    nc    = field->ncomponents;
  FgRegularizerSite at;
  double            m[FG_MAX_COMPONENTS], gradient[FG_MAX_COMPONENTS], hessian[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS], now;
  double            damping = 1e-9, *frame = field->frames ? &field->frames[9 * i] : NULL;

  for (PetscInt c = 0; c < nc; c++) m[c] = field_m[i * nc + c];
  FgRegularizerGather(problem->regularizer, i, field_m, problem->alpha, &at);
  now = SiteObjective(problem, i, &at, m, frame, gradient, hessian);
  for (int attempt = 0; attempt < 6; attempt++, relaxation = 1.0, damping = PetscMax(10.0 * damping, 1e-3)) {
    double    trial[FG_MAX_COMPONENTS], moved[9];
    PetscBool unchecked;

    if (!FgSiteStep(field->components, nc, m, gradient, hessian, damping, relaxation, trial)) continue;
    unchecked = StepLength(nc, hessian, m, trial) < safe ? PETSC_TRUE : PETSC_FALSE;
    for (PetscInt k = 0; frame && k < 9; k++) moved[k] = frame[k];
    if (frame) FgChartRecenter(field->ntangent, &trial[field->tangent], moved);
    if (!unchecked && !(SiteObjective(problem, i, &at, trial, moved, NULL, NULL) <= now)) continue;
    for (PetscInt c = 0; c < nc; c++) field_m[i * nc + c] = trial[c];
    for (PetscInt k = 0; frame && k < 9; k++) frame[k] = moved[k];
    return;
  }
}

static PetscErrorCode Sweep(FgProblem problem, double relaxation, const unsigned char *awake)
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
      if (d->color[i] == color && awake[i]) SweepSite(problem, i, relaxation, m);
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

/* Marks the sites that still move, whose gradient at the present check is above a part of the tolerance, and their neighbors; the rest
   sleep until the next check. awake[nlocal]. */
static PetscErrorCode Wake(FgProblem problem, double tolerance, unsigned char *awake)
{
  const FgField      field = problem->field;
  const FgDomain     d     = field->domain;
  const PetscInt     nc    = field->ncomponents;
  const PetscScalar *g;
  PetscScalar       *mark;
  Vec                local;

  PetscFunctionBegin;
  PetscCall(VecZeroEntries(problem->x));
  PetscCall(VecGetArrayRead(problem->g, &g));
  PetscCall(VecGetArray(problem->x, &mark));
  for (PetscInt i = 0; i < d->nlocal; i++) {
    double square = 0.0;

    for (PetscInt c = 0; c < nc; c++) square += g[i * nc + c] * g[i * nc + c];
    mark[i * nc] = square > 0.1 * tolerance * tolerance * nc ? 1.0 : 0.0;
  }
  PetscCall(VecRestoreArray(problem->x, &mark));
  PetscCall(VecRestoreArrayRead(problem->g, &g));
  PetscCall(VecGhostUpdateBegin(problem->x, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(problem->x, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostGetLocalForm(problem->x, &local));
  PetscCall(VecGetArray(local, &mark));
  for (PetscInt i = 0; i < d->nlocal; i++) {
    awake[i] = mark[i * nc] > 0.0;
    for (PetscInt k = d->site_start[i]; k < d->site_start[i + 1]; k++) {
      const PetscInt p = d->site_pair[k], other = d->pair_i[p] == i ? d->pair_j[p] : d->pair_i[p];

      if (mark[other * nc] > 0.0) awake[i] = 1;
    }
  }
  PetscCall(VecRestoreArray(local, &mark));
  PetscCall(VecGhostRestoreLocalForm(problem->x, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSolveSweep(FgProblem problem, const FgSolveOptions *options, FgSolveReport *report)
{
  enum { SWEEPS_PER_CHECK = 5 };
  unsigned char *awake;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(report, sizeof(*report)));
  PetscCall(PetscStrncpy(report->solver, "sweep", sizeof(report->solver)));
  PetscCall(FgFieldRecenter(problem->field));
  PetscCall(PetscMalloc1(problem->field->domain->nlocal, &awake));
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
    PetscCall(Wake(problem, options->tolerance, awake));
    for (PetscInt k = 0; k < SWEEPS_PER_CHECK; k++) {
      if (k) PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
      PetscCall(Sweep(problem, options->relaxation, awake));
    }
  }
  PetscCall(PetscFree(awake));
  PetscCall(
      PetscStrncpy(report->reason, report->converged ? "projected gradient small" : "iteration limit", sizeof(report->reason)));
  PetscFunctionReturn(PETSC_SUCCESS);
}
