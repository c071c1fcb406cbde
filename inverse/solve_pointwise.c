/* solve_pointwise.c: each site by itself: Levenberg-Marquardt on its box, from the model's start value, FG_LANES sites at a time.

   A lane that is done writes its site and takes the next one, so that sites which need many iterations keep no others waiting. What a
   site gets does not depend on its company. Directions move in a chart that is re-centered at every step. A site that cannot be fitted
   is flagged in its status and never ends the run.
   Source: D. W. Marquardt, J. SIAM 11 (1963), with the damping rule of H. B. Nielsen, IMM-REP-1999-05 (Technical University of
   Denmark). */
#include "finegrain/problem.h"

#include "finegrain/batch.h"
#include "lane_step.h"

#include <math.h>
#include <string.h>

enum { SITES_PER_CALL = 1024 };

/* Where results go, and what is still to be done. */
typedef struct {
  FgProblem                 problem;
  const FgPointwiseOptions *options;
  FgBatch                   batch;
  PetscScalar              *m;
  float                    *deviation, *chi2;
  short                    *samples;
  PetscInt                  next, done; /* the next site to take; sites finished */
  FgBatchPoint              now, trial, finished;
  FgLanes                   damping, growth;
  PetscInt                  site[FG_LANES], iteration[FG_LANES], used[FG_LANES]; /* site -1: the lane is idle */
  PetscInt                  waiting[FG_LANES], nwaiting; /* sites whose blocks stand in `finished` for their deviations */
} Work;

static void Unflag(FgProblem problem, PetscInt i)
{
  problem->status[i] &= (unsigned char)~(FG_STATUS_AT_BOUND | FG_STATUS_NOT_CONVERGED | FG_STATUS_UNIDENTIFIABLE);
}

/* Start values of every site into the field. */
static void Start(Work *work)
{
  const FgProblem problem = work->problem;
  const FgField   field   = problem->field;
  const PetscInt  nc = field->ncomponents, n = problem->data.nlocal;

  for (PetscInt first = 0; first < n; first += FG_LANES) {
    const int count = (int)PetscMin(FG_LANES, n - first);
    FgLanes   usable;

    for (int l = 0; l < FG_LANES; l++) FgBatchLoad(work->batch, &problem->data, l, l < count ? first + l : -1);
    FgBatchStart(work->batch, &work->now, usable);
    for (int l = 0; l < count; l++) {
      const PetscInt i = first + l;

      if (!(usable[l] > 0.0)) problem->status[i] |= FG_STATUS_NOT_FITTED;
      for (PetscInt c = 0; c < nc; c++) work->m[i * nc + c] = work->now.m[c][l];
      for (PetscInt k = 0; k < 9 && field->frames; k++) field->frames[9 * i + k] = work->now.frame[k][l];
    }
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

    if (component->kind == FG_KIND_SCALAR && FgComponentHeld(component, m[c])) status |= FG_STATUS_AT_BOUND;
    if (c == field->tangent + 2 && field->ntangent == 3) continue;
    if (field->ntangent == 3 && component->kind == FG_KIND_SCALAR && c == field->tangent - 1) continue;
    if (!(deviation[c] < FgComponentUnknown(component))) status |= FG_STATUS_UNIDENTIFIABLE;
  }
  return status;
}

/* Deviations and status of the sites that wait for them. */
static void Conclude(Work *work)
{
  const FgProblem problem = work->problem;
  const FgField   field   = problem->field;
  const PetscInt  nc      = field->ncomponents;
  FgLanes         deviation[FG_MAX_COMPONENTS];

  FgLaneDeviations(nc, work->finished.hessian, deviation);
  for (PetscInt w = 0; w < work->nwaiting; w++) {
    const PetscInt i = work->waiting[w];
    float          own[FG_MAX_COMPONENTS];

    for (PetscInt c = 0; c < nc; c++) own[c] = (float)deviation[c][w];
    problem->status[i] |= JudgeSite(field, &work->m[i * nc], own);
    for (PetscInt c = 0; c < nc && work->deviation; c++) work->deviation[i * (size_t)nc + c] = own[c];
  }
  work->nwaiting = 0;
}

/* Writes what a lane has found: `at` is its point, work->now its misfit and block. */
static PetscErrorCode Finish(Work *work, int l, const FgBatchPoint *at, PetscBool converged)
{
  const FgProblem problem = work->problem;
  const FgField   field   = problem->field;
  const PetscInt  nc = field->ncomponents, i = work->site[l];

  PetscFunctionBegin;
  for (PetscInt c = 0; c < nc; c++) work->m[i * nc + c] = at->m[c][l];
  for (PetscInt k = 0; k < 9 && field->frames; k++) field->frames[9 * i + k] = at->frame[k][l];
  if (!converged) problem->status[i] |= FG_STATUS_NOT_CONVERGED;
  if (work->chi2) work->chi2[i] = (float)(2.0 * work->now.misfit[l]);
  if (work->samples) work->samples[i] = (short)work->used[l];
  for (PetscInt k = 0; k < FG_BLOCK(nc, 0); k++) work->finished.hessian[k][work->nwaiting] = work->now.hessian[k][l];
  work->waiting[work->nwaiting++] = i;
  if (work->nwaiting == FG_LANES) Conclude(work);
  work->site[l] = -1;
  if (++work->done % SITES_PER_CALL == 0 && work->options->monitor) {
    PetscCall(work->options->monitor(work->options->monitor_context, work->done));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Gives an idle lane the next site that can be fitted; work->trial gets its start. */
static void Refill(Work *work, int l)
{
  const FgProblem problem = work->problem;
  const FgField   field   = problem->field;
  const PetscInt  nc      = field->ncomponents;

  for (; work->next < problem->data.nlocal; work->next++) {
    const PetscInt i = work->next;

    for (PetscInt c = 0; c < nc; c++) {
      const FgComponent *component = &field->components[c];

      work->m[i * nc + c] = PetscMin(PetscMax(work->m[i * nc + c], component->lower), component->upper);
    }
    if (!(problem->status[i] & FG_STATUS_NOT_FITTED)) break;
    work->done++;
    for (PetscInt c = 0; c < nc && work->deviation; c++) work->deviation[i * (size_t)nc + c] = INFINITY;
    if (work->chi2) work->chi2[i] = NAN;
    if (work->samples) work->samples[i] = 0;
  }
  if (work->next >= problem->data.nlocal) {
    FgBatchLoad(work->batch, &problem->data, l, -1);
    return;
  }
  const PetscInt i = work->site[l] = work->next++;

  Unflag(problem, i);
  work->used[l]      = FgBatchLoad(work->batch, &problem->data, l, i);
  work->iteration[l] = 0;
  work->damping[l]   = 1e-3;
  work->growth[l]    = 2.0;
  for (PetscInt c = 0; c < nc; c++) work->trial.m[c][l] = work->m[i * nc + c];
  for (PetscInt k = 0; k < 9 && field->frames; k++) work->trial.frame[k][l] = field->frames[9 * i + k];
}

/* Copies the lanes whose accept is not 0 from the trial to the present point. */
FG_SIMD_CLONES
static void Accept(PetscInt nc, const FgLanes accept, const FgBatchPoint *trial, FgBatchPoint *now)
{
  const PetscInt nblock = FG_BLOCK(nc, 0);

#define TAKE(row) FG_EACH_LANE now->row[l] = accept[l] > 0.0 ? trial->row[l] : now->row[l]
  for (PetscInt c = 0; c < nc; c++) {
    TAKE(m[c]);
    TAKE(gradient[c]);
  }
  for (int k = 0; k < 9; k++) {
    TAKE(frame[k]);
  }
  for (PetscInt k = 0; k < nblock; k++) {
    TAKE(hessian[k]);
  }
  TAKE(misfit);
#undef TAKE
}

/* One iteration of all lanes; FALSE when none is left. */
static PetscErrorCode Iterate(Work *work, PetscBool *busy)
{
  const FgField                   field   = work->problem->field;
  const FgPointwiseOptions *const options = work->options;
  FgLanes                         solved, slope, curvature, accept;
  PetscBool                       fresh[FG_LANES];

  PetscFunctionBegin;
  *busy = PETSC_FALSE;
  FgLaneStep(field, &work->now, work->damping, 1.0, &work->trial, solved, slope, curvature, NULL);
  for (int l = 0; l < FG_LANES; l++) {
    if (work->site[l] >= 0) {
      /* So short a step is taken without looking: its length is in standard deviations. */
      if (solved[l] > 0.0 && curvature[l] <= options->tolerance * options->tolerance) {
        PetscCall(Finish(work, l, &work->trial, PETSC_TRUE));
      } else if (work->iteration[l] >= options->max_iterations || work->damping[l] > 1e12) {
        PetscCall(Finish(work, l, &work->now, PETSC_FALSE));
      }
    }
    fresh[l] = PETSC_FALSE;
    if (work->site[l] < 0) {
      Refill(work, l);
      fresh[l] = work->site[l] >= 0 ? PETSC_TRUE : PETSC_FALSE;
    }
    if (work->site[l] >= 0) *busy = PETSC_TRUE;
  }
  if (!*busy) PetscFunctionReturn(PETSC_SUCCESS);
  FgBatchEvaluate(work->batch, &work->trial, PETSC_TRUE);
  for (int l = 0; l < FG_LANES; l++) {
    const double predicted = slope[l] - 0.5 * curvature[l], ratio = (work->now.misfit[l] - work->trial.misfit[l]) / predicted;

    accept[l] = 0.0;
    if (work->site[l] < 0) continue;
    if (fresh[l]) {
      accept[l] = 1.0;
      if (!isfinite(work->trial.misfit[l])) work->damping[l] = INFINITY;
      continue;
    }
    work->iteration[l]++;
    if (solved[l] > 0.0 && isfinite(work->trial.misfit[l]) && predicted > 0.0 && ratio > 0.0) {
      const double excess = 2.0 * ratio - 1.0, shrink = 1.0 - excess * excess * excess;

      accept[l]        = 1.0;
      work->damping[l] = PetscMax(1e-12, work->damping[l] * PetscMax(1.0 / 3.0, shrink));
      work->growth[l]  = 2.0;
    } else if (solved[l] > 0.0 && predicted < 1e-12 * (1.0 + work->now.misfit[l])) {
      /* Below the rounding of the misfit no step can be told from another. */
      PetscCall(Finish(work, l, &work->now, PETSC_TRUE));
    } else {
      work->damping[l] = PetscMax(work->damping[l] * work->growth[l], 1e-6);
      work->growth[l] *= 2.0;
    }
  }
  Accept(field->ncomponents, accept, &work->trial, &work->now);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSolvePointwise(FgProblem problem, const FgPointwiseOptions *options, PetscBool keep_start, float *deviation,
                                float *chi2, short *samples)
{
  Work      work = {.problem   = problem,
                    .batch     = problem->model->batch,
                    .options   = options,
                    .deviation = deviation,
                    .chi2      = chi2,
                    .samples   = samples};
  PetscBool busy = PETSC_TRUE;

  PetscFunctionBegin;
  PetscCall(VecGetArray(problem->field->m, &work.m));
  if (!keep_start) Start(&work);
  for (int l = 0; l < FG_LANES; l++) {
    work.site[l]    = -1;
    work.damping[l] = 1e-3;
    FgBatchLoad(work.batch, &problem->data, l, -1);
  }
  while (busy) PetscCall(Iterate(&work, &busy));
  if (work.nwaiting) Conclude(&work);
  PetscCall(VecRestoreArray(problem->field->m, &work.m));
  PetscCall(FgFieldRecenter(problem->field));
  PetscFunctionReturn(PETSC_SUCCESS);
}
