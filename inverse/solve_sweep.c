/* solve_sweep.c: colored block Gauss-Newton sweeps with over-relaxation: each site solves its own small bound-constrained problem
   with its neighbors held, one color after the other.

   With the regularizer's weights frozen at the start of a sweep, a site's problem is its misfit plus a sum of squares to its
   neighbors; a Gauss-Newton step is taken, over-relaxed, projected on the box, and kept only if the site's own objective
   falls. Sites of one color do not touch each other, so that the result does not depend on the number of ranks; ghosts are exchanged
   after each color. This is nonlinear successive over-relaxation: J. M. Ortega, W. C. Rheinboldt, Iterative Solution of
   Nonlinear Equations in Several Variables (1970), section 7.4. */
#include "finegrain/problem.h"

#include "finegrain/batch.h"
#include "lane_step.h"

#include <math.h>

/* Sites of one color at a time, FG_LANES side by side. */
typedef struct {
  FgProblem          problem;
  FgBatch            batch;
  FgRegularizerLanes neighbors;
  FgBatchPoint       now, trial;
  PetscInt          *list; /* [nlocal] the sites to visit */
  unsigned char     *awake;
} Work;

static void Evaluate(Work *work, FgBatchPoint *point, PetscBool derivatives)
{
  FgBatchEvaluate(work->batch, point, derivatives);
  FgRegularizerLanesEvaluate(work->problem->regularizer, &work->neighbors, point, derivatives);
}

/* Improves the sites[count] of one color in place; where no step lowers its objective, a site stays as it is. */
static void SweepSites(Work *work, int count, const PetscInt sites[], double relaxation, PetscScalar *field_m)
{
  const double    safe    = 0.01; /* [standard deviations^2]: so short a Gauss-Newton step need not be checked */
  const FgProblem problem = work->problem;
  const FgField   field   = problem->field;
  const PetscInt  nc      = field->ncomponents;
  FgLanes         damping, solved, curvature;
  PetscBool       pending[FG_LANES];
  int             npending = count;

  for (int l = 0; l < FG_LANES; l++) {
    const PetscInt i = sites[l < count ? l : 0]; /* idle lanes repeat the first site */

    FgBatchLoad(work->batch, &problem->data, l, i);
    for (PetscInt c = 0; c < nc; c++) work->now.m[c][l] = field_m[i * nc + c];
    for (PetscInt k = 0; k < 9 && field->frames; k++) work->now.frame[k][l] = field->frames[9 * i + k];
    FgRegularizerGatherLane(problem->regularizer, i, field_m, problem->alpha, l, &work->neighbors);
    pending[l] = l < count ? PETSC_TRUE : PETSC_FALSE;
    damping[l] = 1e-9;
  }
  Evaluate(work, &work->now, PETSC_TRUE);
  for (int attempt = 0; attempt < 6 && npending; attempt++, relaxation = 1.0) {
    PetscBool check = PETSC_FALSE;

    FgLaneStep(field, &work->now, damping, relaxation, &work->trial, solved, NULL, curvature);
    for (int l = 0; l < count; l++) {
      if (pending[l] && solved[l] > 0.0 && !(curvature[l] < safe)) check = PETSC_TRUE;
    }
    if (check) Evaluate(work, &work->trial, PETSC_FALSE);
    for (int l = 0; l < count; l++) {
      const PetscInt i = sites[l];

      if (!pending[l]) continue;
      damping[l] = PetscMax(10.0 * damping[l], 1e-3);
      if (!(solved[l] > 0.0)) continue;
      if (!(curvature[l] < safe) && !(work->trial.misfit[l] <= work->now.misfit[l])) continue;
      for (PetscInt c = 0; c < nc; c++) field_m[i * nc + c] = work->trial.m[c][l];
      for (PetscInt k = 0; k < 9 && field->frames; k++) field->frames[9 * i + k] = work->trial.frame[k][l];
      pending[l] = PETSC_FALSE;
      npending--;
    }
  }
}

static PetscErrorCode Sweep(Work *work, double relaxation)
{
  const FgProblem problem = work->problem;
  const FgField   field   = problem->field;
  const FgDomain  d       = field->domain;

  PetscFunctionBegin;
  for (PetscInt color = 0; color < d->ncolors; color++) {
    Vec          local;
    PetscScalar *m;
    PetscInt     n = 0;

    for (PetscInt i = 0; i < d->nlocal; i++) {
      if (d->color[i] == color && work->awake[i]) work->list[n++] = i;
    }
    PetscCall(VecGhostGetLocalForm(field->m, &local));
    PetscCall(VecGetArray(local, &m));
    for (PetscInt i = 0; i < n; i += FG_LANES) SweepSites(work, (int)PetscMin(FG_LANES, n - i), &work->list[i], relaxation, m);
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
  Work work = {.problem = problem};

  PetscFunctionBegin;
  PetscCall(PetscMemzero(report, sizeof(*report)));
  PetscCall(PetscStrncpy(report->solver, "sweep", sizeof(report->solver)));
  PetscCall(FgFieldRecenter(problem->field));
  PetscCall(FgBatchCreate(problem->model, &work.batch));
  PetscCall(PetscMalloc2(problem->field->domain->nlocal, &work.list, problem->field->domain->nlocal, &work.awake));
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
    PetscCall(Wake(problem, options->tolerance, work.awake));
    for (PetscInt k = 0; k < SWEEPS_PER_CHECK; k++) {
      if (k) PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
      PetscCall(Sweep(&work, options->relaxation));
    }
  }
  PetscCall(PetscFree2(work.list, work.awake));
  PetscCall(FgBatchDestroy(&work.batch));
  PetscCall(
      PetscStrncpy(report->reason, report->converged ? "projected gradient small" : "iteration limit", sizeof(report->reason)));
  PetscFunctionReturn(PETSC_SUCCESS);
}
