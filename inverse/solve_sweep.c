/* solve_sweep.c: colored block Gauss-Newton sweeps with over-relaxation: each site solves its own small bound-constrained problem
   with its neighbors held, one color after the other.

   With the regularizer's weights frozen at the start of a sweep, a site's problem is its misfit plus a sum of squares to its
   neighbors; a Gauss-Newton step is taken, over-relaxed and projected on the box. Sites of one color do not touch each other, so that the
   result does not depend on the number of ranks; ghosts are exchanged after each color. This is nonlinear successive
   over-relaxation: J. M. Ortega, W. C. Rheinboldt, Iterative Solution of Nonlinear Equations in Several Variables (1970), section 7.4.

   The misfit of a site is a parabola as far as noise reaches. So its gradient and block are kept, the gradient is carried along the
   steps taken, and samples are looked at again only where a site has moved by a good part of its standard deviation; there the step is
   kept only if the site's own objective falls. Every few sweeps all sites are evaluated afresh, for the true objective and its
   projected gradient, which alone decide on convergence. */
#include "finegrain/problem.h"

#include "finegrain/batch.h"
#include "lane_step.h"

#include <math.h>
#include <string.h>

/* Sites of one color at a time, FG_LANES side by side. */
typedef struct {
  FgProblem          problem;
  FgBatch            batch;
  FgRegularizerLanes neighbors;
  FgBatchPoint       now, trial;
  FgLanes            data_gradient[FG_MAX_COMPONENTS], data_hessian[FG_MAX_BLOCK]; /* of the misfit alone at `now` */
  FgLanes            step[FG_MAX_COMPONENTS];
  PetscInt           nrow;     /* floats a site in `parabola` */
  float             *parabola; /* [nlocal][nrow] of the misfit: gradient, block, and how far it has been carried [std. dev.] */
  PetscInt          *list;     /* [nlocal] sites to visit */
  PetscInt          *far;      /* [nlocal] of these, those whose parabola does not reach */
  unsigned char     *awake;
} Work;

static const double reach = 1.0; /* [standard deviations] how far a parabola is trusted */

/* The present point of sites[count] and what their neighbors are to them; idle lanes repeat the first site. */
static void Gather(Work *work, int count, const PetscInt sites[], const PetscScalar *field_m)
{
  const FgProblem problem = work->problem;
  const FgField   field   = problem->field;
  const PetscInt  nc      = field->ncomponents;

  for (int l = 0; l < FG_LANES; l++) {
    const PetscInt i = sites[l < count ? l : 0];

    for (PetscInt c = 0; c < nc; c++) work->now.m[c][l] = field_m[i * nc + c];
    for (PetscInt k = 0; k < 9 && field->frames; k++) work->now.frame[k][l] = field->frames[9 * i + k];
    FgRegularizerGatherLane(problem->regularizer, i, field_m, problem->alpha, l, &work->neighbors);
  }
}

/* Adds the regularizer to the misfit's derivatives in work->now, of which a copy is kept. */
static void AddNeighbors(Work *work)
{
  const PetscInt nc = work->problem->field->ncomponents;

  memcpy(work->data_gradient, work->now.gradient, (size_t)nc * sizeof(FgLanes));
  memcpy(work->data_hessian, work->now.hessian, (size_t)FG_BLOCK(nc, 0) * sizeof(FgLanes));
  FgRegularizerLanesEvaluate(work->problem->regularizer, &work->neighbors, &work->now, PETSC_TRUE);
}

/* The misfit's gradient at the end of the step, and the step's length [standard deviations]. */
FG_SIMD_CLONES
static void Carry(PetscInt nc, FgLanes gradient[], const FgLanes hessian[], const FgLanes step[], FgLanes length)
{
  FG_EACH_LANE length[l] = 0.0;
  for (PetscInt a = 0; a < nc; a++) {
    FgLanes change;

    FG_EACH_LANE change[l] = 0.0;
    for (PetscInt b = 0; b < nc; b++) {
      const double *restrict h = hessian[a >= b ? FG_BLOCK(a, b) : FG_BLOCK(b, a)];

      FG_EACH_LANE change[l] += h[l] * step[b][l];
    }
    FG_EACH_LANE length[l] += change[l] * step[a][l];
    FG_EACH_LANE gradient[a][l] += change[l];
  }
  FG_EACH_LANE length[l] = sqrt(length[l] > 0.0 ? length[l] : 0.0);
}

/* Writes the trial of a lane into the field, and the parabola that belongs there. */
static void Take(Work *work, int l, PetscInt i, double carried, PetscScalar *field_m)
{
  const FgField  field = work->problem->field;
  const PetscInt nc = field->ncomponents, nblock = FG_BLOCK(nc, 0);
  float         *row = &work->parabola[i * (size_t)work->nrow];

  for (PetscInt c = 0; c < nc; c++) {
    field_m[i * nc + c] = work->trial.m[c][l];
    row[c]              = (float)work->data_gradient[c][l];
  }
  for (PetscInt k = 0; k < 9 && field->frames; k++) field->frames[9 * i + k] = work->trial.frame[k][l];
  for (PetscInt k = 0; k < nblock; k++) row[nc + k] = (float)work->data_hessian[k][l];
  row[nc + nblock] = (float)carried;
}

/* Steps by parabolas; the sites that these do not carry are left alone and appended to work->far. */
static void Glide(Work *work, int count, const PetscInt sites[], double relaxation, PetscScalar *field_m, PetscInt *nfar)
{
  const FgField  field = work->problem->field;
  const PetscInt nc = field->ncomponents, nblock = FG_BLOCK(nc, 0);
  FgLanes        damping, solved, length;

  for (int l = 0; l < FG_LANES; l++) {
    const float *row = &work->parabola[sites[l < count ? l : 0] * (size_t)work->nrow];

    for (PetscInt c = 0; c < nc; c++) work->now.gradient[c][l] = row[c];
    for (PetscInt k = 0; k < nblock; k++) work->now.hessian[k][l] = row[nc + k];
    damping[l] = 1e-9;
  }
  Gather(work, count, sites, field_m);
  AddNeighbors(work);
  FgLaneStep(field, &work->now, damping, relaxation, &work->trial, solved, NULL, NULL, work->step);
  Carry(nc, work->data_gradient, work->data_hessian, work->step, length);
  for (int l = 0; l < count; l++) {
    const PetscInt i       = sites[l];
    const double   carried = work->parabola[i * (size_t)work->nrow + nc + nblock] + length[l];

    if (solved[l] > 0.0 && carried <= reach) Take(work, l, i, carried, field_m);
    else work->far[(*nfar)++] = i;
  }
}

/* Improves sites by their samples; where no step lowers its objective, a site stays as it is. */
static void Descend(Work *work, int count, const PetscInt sites[], double relaxation, PetscScalar *field_m)
{
  const double    safe    = 0.1; /* [standard deviations]: so short a Gauss-Newton step need not be checked */
  const FgProblem problem = work->problem;
  const FgField   field   = problem->field;
  const PetscInt  nc      = field->ncomponents;
  FgLanes         damping, solved, length, gradient[FG_MAX_COMPONENTS];
  PetscBool       pending[FG_LANES];
  int             npending = count;

  for (int l = 0; l < FG_LANES; l++) {
    FgBatchLoad(work->batch, &problem->data, l, sites[l < count ? l : 0]);
    pending[l] = l < count ? PETSC_TRUE : PETSC_FALSE;
    damping[l] = 1e-9;
  }
  Gather(work, count, sites, field_m);
  FgBatchEvaluate(work->batch, &work->now, PETSC_TRUE);
  AddNeighbors(work);
  memcpy(gradient, work->data_gradient, (size_t)nc * sizeof(FgLanes));
  for (int attempt = 0; attempt < 6 && npending; attempt++, relaxation = 1.0) {
    PetscBool check = PETSC_FALSE;

    FgLaneStep(field, &work->now, damping, relaxation, &work->trial, solved, NULL, NULL, work->step);
    memcpy(work->data_gradient, gradient, (size_t)nc * sizeof(FgLanes));
    Carry(nc, work->data_gradient, work->data_hessian, work->step, length);
    for (int l = 0; l < count; l++) {
      if (pending[l] && solved[l] > 0.0 && !(length[l] < safe)) check = PETSC_TRUE;
    }
    if (check) {
      FgBatchEvaluate(work->batch, &work->trial, PETSC_FALSE);
      FgRegularizerLanesEvaluate(problem->regularizer, &work->neighbors, &work->trial, PETSC_FALSE);
    }
    for (int l = 0; l < count; l++) {
      if (!pending[l]) continue;
      damping[l] = PetscMax(10.0 * damping[l], 1e-3);
      if (!(solved[l] > 0.0)) continue;
      if (!(length[l] < safe) && !(work->trial.misfit[l] <= work->now.misfit[l])) continue;
      Take(work, l, sites[l], length[l], field_m);
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
    PetscInt     n = 0, nfar = 0;

    for (PetscInt i = 0; i < d->nlocal; i++) {
      if (d->color[i] == color && work->awake[i]) work->list[n++] = i;
    }
    PetscCall(VecGhostGetLocalForm(field->m, &local));
    PetscCall(VecGetArray(local, &m));
    for (PetscInt i = 0; i < n; i += FG_LANES) Glide(work, (int)PetscMin(FG_LANES, n - i), &work->list[i], relaxation, m, &nfar);
    for (PetscInt i = 0; i < nfar; i += FG_LANES) Descend(work, (int)PetscMin(FG_LANES, nfar - i), &work->far[i], relaxation, m);
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
      if (mark[d->site_link[k].site * nc] > 0.0) awake[i] = 1;
    }
  }
  PetscCall(VecRestoreArray(local, &mark));
  PetscCall(VecGhostRestoreLocalForm(problem->x, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Objective, whitened gradient (problem->g) and the parabola of every site at the present field. */
static PetscErrorCode Look(Work *work, FgSolveReport *report)
{
  const FgProblem problem = work->problem;
  const PetscInt  nc = problem->field->ncomponents, nblock = FG_BLOCK(nc, 0), n = problem->field->domain->nlocal;
  PetscScalar    *m, *g;
  double          sum = 0.0;

  PetscFunctionBegin;
  PetscCall(VecGetArray(problem->field->m, &m));
  PetscCall(VecGetArray(problem->g, &g));
  for (PetscInt first = 0; first < n; first += FG_LANES) {
    const int count = (int)PetscMin(FG_LANES, n - first);

    FgBatchLoadSites(work->batch, &problem->data, first, count, &m[first * nc], &work->now, NULL);
    FgBatchEvaluate(work->batch, &work->now, PETSC_TRUE);
    for (int l = 0; l < count; l++) {
      float *row = &work->parabola[(first + l) * (size_t)work->nrow];

      sum += work->now.misfit[l];
      for (PetscInt c = 0; c < nc; c++) {
        g[(first + l) * nc + c] = work->now.gradient[c][l];
        row[c]                  = (float)work->now.gradient[c][l];
      }
      for (PetscInt k = 0; k < nblock; k++) row[nc + k] = (float)work->now.hessian[k][l];
      row[nc + nblock] = 0.0f;
    }
  }
  PetscCall(VecRestoreArray(problem->g, &g));
  PetscCall(VecRestoreArray(problem->field->m, &m));
  PetscCallMPI(MPI_Allreduce(&sum, &report->misfit, 1, MPI_DOUBLE, MPI_SUM, problem->field->domain->comm));
  problem->model->counts.apply++;
  problem->model->counts.adjoint++;
  PetscCall(FgProblemComplete(problem, report->misfit, &report->objective, &report->roughness, problem->g));
  PetscCall(FgProblemProjectedNorm(problem, problem->g, &report->projected_gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sweeps until the next check: as many as the fall since the last one says are needed, within bounds. */
static PetscInt UntilCheck(PetscReal before, PetscReal now, PetscInt sweeps, PetscReal tolerance)
{
  enum { AT_LEAST = 2, AT_MOST = 5 };
  const double needed = sweeps && now < before ? ceil(sweeps * log(tolerance / now) / log(now / before)) : AT_MOST;

  return (PetscInt)PetscMin(PetscMax(needed, AT_LEAST), AT_MOST);
}

/* Whether the objective falls so slowly that its variables, whose curvature is at least about 1, move by less than half the tolerance a
   sweep (root mean square): what is left creeps along directions that the data hardly tell apart, such as plateaus that merge. */
static PetscBool Settled(PetscReal fall, PetscInt sweeps, PetscReal nvariables, PetscReal tolerance)
{
  return sweeps && fall <= 0.5 * PetscSqr(0.5 * tolerance) * nvariables * sweeps ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode FgSolveSweep(FgProblem problem, const FgSolveOptions *options, FgSolveReport *report)
{
  const PetscInt n      = problem->field->domain->nlocal;
  PetscInt       coming = 0;
  PetscReal      before = 0.0, higher = 0.0; /* projected gradient and objective at the last check */
  PetscBool      settled;
  Work           work = {.problem = problem, .batch = problem->model->batch};

  PetscFunctionBegin;
  PetscCall(PetscMemzero(report, sizeof(*report)));
  PetscCall(PetscStrncpy(report->solver, "sweep", sizeof(report->solver)));
  PetscCall(FgFieldRecenter(problem->field));
  work.nrow = FG_BLOCK(problem->field->ncomponents + 1, 0);
  PetscCall(PetscMalloc4(n, &work.list, n, &work.far, n, &work.awake, n * (size_t)work.nrow, &work.parabola));
  for (PetscInt sweep = 0;; sweep += coming) {
    PetscCall(Look(&work, report));
    if (!sweep) report->projected_gradient_start = report->projected_gradient;
    if (options->monitor) {
      PetscCall(options->monitor(options->monitor_context, "sweep", sweep, report->objective, report->projected_gradient));
    }
    report->sweeps    = sweep;
    settled           = Settled(higher - report->objective, coming,
                                (PetscReal)problem->field->ncomponents * problem->field->domain->nglobal, options->tolerance);
    report->converged = settled || report->projected_gradient <= options->tolerance ? PETSC_TRUE : PETSC_FALSE;
    if (report->converged || sweep >= options->max_iterations) break;
    PetscCall(Wake(problem, options->tolerance, work.awake));
    coming = UntilCheck(before, report->projected_gradient, coming, options->tolerance);
    before = report->projected_gradient;
    higher = report->objective;
    for (PetscInt k = 0; k < coming; k++) {
      if (k) PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
      PetscCall(Sweep(&work, options->relaxation));
    }
  }
  PetscCall(PetscFree4(work.list, work.far, work.awake, work.parabola));
  PetscCall(PetscStrncpy(report->reason,
                         report->projected_gradient <= options->tolerance ? "projected gradient small"
                         : settled                                        ? "objective settled"
                                                                          : "iteration limit",
                         sizeof(report->reason)));
  PetscFunctionReturn(PETSC_SUCCESS);
}
