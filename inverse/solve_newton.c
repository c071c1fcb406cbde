/* solve_newton.c: bound-constrained Gauss-Newton for data that belong to no site (electrodes): few evaluations of the model.

   At m the misfit is replaced by its parabola, gradient g and B = J^T W J, and

       q(s) = g.s + s.B s/2 + alpha R(m + s),   m + s in the box,

   is lowered by a few rounds that freeze the regularizer's weights at m + s anew and solve

       (B + alpha H_R(m + s)) d = -dq/ds

   over the variables that are free (global.h), s <- P(m + s + d) - m, P the projection on the box. That costs linear algebra, but no
   evaluation of the model. Then a line search on the true objective, backwards from s. Freezing is majorization: a round lowers alpha R by at
   least what its parabola says, and q(s) < q(0) makes s a direction of descent.

   Where the model is not straight along s, steps are damped as Levenberg and Marquardt do, by the prior: lambda alpha s.H_R s/2 is added to q.
   Small weights leave changes to s that hardly matter to the data at m, and that do at m + s. A solve that starts from the field of a larger
   weight, as in a search, starts with the damping that makes up for it.

   The solve ends where  sqrt(-g.s/N)  is below the tolerance: as q is at its minimum -g.s is about twice what the objective still falls
   (with damping: in a step), so this is the root mean square by which the N data would still be told better, in noise standard deviations. The
   gradient itself says nothing about that: what the data say of the variables differs by many powers of ten (docs/solvers.md).
   Source: J. Nocedal, S. J. Wright, Numerical Optimization (2006), chapters 7, 10, 18; D. W. Marquardt, J. Soc. Indust. Appl. Math. 11
   (1963); D. R. Hunter, K. Lange, Am. Stat. 58 (2004), on majorization. */
#include "global.h"

#include <math.h>

typedef struct {
  FgProblem problem;
  FgGlobal  global;
  double    damping;                                             /* lambda [1] */
  double    worth;                                               /* what a step may leave in -g.s */
  Vec       start, gradient, data_gradient, step, right, change; /* without ghosts; start [component units], others whitened */
} Newton;

/* problem->field->m = start + t S step, in the box. */
static PetscErrorCode MoveTo(Newton *s, double t)
{
  const FgField      field = s->problem->field;
  const PetscInt     nc    = field->ncomponents;
  const PetscScalar *from, *step;
  PetscScalar       *to;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(s->start, &from));
  PetscCall(VecGetArrayRead(s->step, &step));
  PetscCall(VecGetArray(field->m, &to));
  for (PetscInt k = 0; k < field->domain->nlocal * nc; k++) {
    const FgComponent *c = &field->components[k % nc];

    to[k] = PetscMin(PetscMax(from[k] + t * s->problem->scale[k % nc] * step[k], c->lower), c->upper);
  }
  PetscCall(VecRestoreArray(field->m, &to));
  PetscCall(VecRestoreArrayRead(s->step, &step));
  PetscCall(VecRestoreArrayRead(s->start, &from));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* step = what the field has really moved. */
static PetscErrorCode ReadStep(Newton *s)
{
  const FgField      field = s->problem->field;
  const PetscInt     nc    = field->ncomponents;
  const PetscScalar *from, *to;
  PetscScalar       *step;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(s->start, &from));
  PetscCall(VecGetArrayRead(field->m, &to));
  PetscCall(VecGetArrayWrite(s->step, &step));
  for (PetscInt k = 0; k < field->domain->nlocal * nc; k++) step[k] = (to[k] - from[k]) / s->problem->scale[k % nc];
  PetscCall(VecRestoreArrayWrite(s->step, &step));
  PetscCall(VecRestoreArrayRead(field->m, &to));
  PetscCall(VecRestoreArrayRead(s->start, &from));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Objective, its parts and gradients at field->m. */
static PetscErrorCode Evaluate(Newton *s, FgSolveReport *report)
{
  const FgProblem problem = s->problem;

  PetscFunctionBegin;
  PetscCall(VecZeroEntries(problem->g));
  PetscCall(FgModelMisfit(problem->model, &problem->data, problem->field->m, &report->misfit, problem->g));
  PetscCall(VecCopy(problem->g, s->data_gradient));
  PetscCall(FgProblemScale(problem, s->data_gradient));
  PetscCall(FgProblemComplete(problem, report->misfit, &report->objective, &report->roughness, problem->g));
  PetscCall(VecCopy(problem->g, s->gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* right = -dq/ds at the present step, over the free variables; freezes the weights there. */
static PetscErrorCode ModelGradient(Newton *s)
{
  const FgProblem problem = s->problem;

  PetscFunctionBegin;
  PetscCall(FgProblemHessian(problem, PETSC_TRUE, s->step, problem->x));
  PetscCall(VecZeroEntries(problem->work));
  if (problem->regularizer) {
    PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
    PetscCall(FgRegularizerGradient(problem->regularizer, problem->field->m, problem->alpha, problem->work));
    PetscCall(VecCopy(s->step, problem->g));
    PetscCall(FgProblemScale(problem, problem->g));
    PetscCall(
        FgRegularizerHessian(problem->regularizer, problem->field->m, problem->g, s->damping * problem->alpha, problem->work));
    PetscCall(FgProblemScale(problem, problem->work));
  }
  PetscCall(VecWAXPY(s->right, 1.0, s->data_gradient, problem->x));
  PetscCall(VecAXPY(s->right, 1.0, problem->work));
  PetscCall(VecScale(s->right, -1.0));
  PetscCall(VecPointwiseMult(s->right, s->right, s->global->free));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The step that lowers the damped q; leaves field->m at its end. decrement = -g.step. */
static PetscErrorCode FindStep(Newton *s, PetscReal *decrement)
{
  const double    alpha     = s->problem->alpha;
  const PetscBool quadratic = FgProblemQuadratic(s->problem);
  const PetscInt  rounds    = quadratic ? 2 : 4;
  PetscReal       first     = 0.0, gain;
  PetscScalar     product;

  PetscFunctionBegin;
  PetscCall(VecZeroEntries(s->step));
  PetscCall(FgGlobalLinearize(s->global));
  PetscCall(FgGlobalHold(s->global, s->gradient));
  PetscCall(VecCopy(s->gradient, s->right));
  PetscCall(VecScale(s->right, -1.0));
  PetscCall(VecPointwiseMult(s->right, s->right, s->global->free));
  for (PetscInt round = 0; round < rounds; round++) {
    PetscReal moved;

    if (round) PetscCall(ModelGradient(s));
    s->problem->alpha = alpha * (1.0 + s->damping);
    PetscCall(FgGlobalFactor(s->global));
    PetscCall(FgGlobalSolve(s->global, 0.02, s->worth, s->right, s->change));
    s->problem->alpha = alpha;
    PetscCall(VecDot(s->right, s->change, &product));
    gain = product;
    if (!round) first = gain;
    PetscCall(VecAXPY(s->step, 1.0, s->change));
    PetscCall(MoveTo(s, 1.0));
    PetscCall(VecCopy(s->step, s->right));
    PetscCall(ReadStep(s));
    PetscCall(VecAXPY(s->right, -1.0, s->step));
    PetscCall(VecNorm(s->right, NORM_INFINITY, &moved));
    if (gain < 0.1 * first || (quadratic && !(moved > 1e-12))) break;
    PetscCall(FgGlobalHold(s->global, NULL)); /* what has come to a bound stays there in this step */
  }
  PetscCall(VecDot(s->gradient, s->step, &product));
  *decrement = -product;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Damps the next step more where the whole step failed or q promised far too much, less where it kept its promise. gain: what the objective has
   fallen by over -g.s, 1/2 for a whole step of a parabola, 1 for one that is damped to nothing. */
static void Trust(Newton *s, double t, double gain)
{
  if (t < 1.0) s->damping = PetscMax((1.0 + s->damping) / sqrt(t) - 1.0, 2.0 * s->damping);
  else if (gain < 0.15) s->damping = 2.0 * s->damping + 1.0;
  else if (gain > 0.3) s->damping = s->damping > 0.3 ? (gain > 0.45 ? 0.2 : 0.5) * s->damping : 0.0;
}

/* Backwards from the whole step until the objective has fallen enough; false where it never does. */
static PetscErrorCode Search(Newton *s, PetscReal decrement, FgSolveReport *report, PetscBool *found)
{
  enum { MAX_TRIALS = 8 };
  const PetscReal before = report->objective;
  double          t      = 1.0;

  PetscFunctionBegin;
  *found = PETSC_FALSE;
  for (PetscInt trial = 0; trial < MAX_TRIALS; trial++) {
    PetscReal next;

    PetscCall(MoveTo(s, t));
    PetscCall(Evaluate(s, report));
    if (report->objective <= before - 1e-4 * t * decrement) {
      *found = PETSC_TRUE;
      Trust(s, t, (before - report->objective) / (t * decrement));
      break;
    }
    /* The parabola through both values and the slope. */
    next = 0.5 * decrement * t * t / (report->objective - before + decrement * t);
    t    = isfinite(next) ? PetscMin(PetscMax(next, 0.1 * t), 0.5 * t) : 0.1 * t;
  }
  if (!*found) {
    PetscCall(MoveTo(s, 0.0));
    PetscCall(Evaluate(s, report));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Create(FgProblem problem, Newton *s)
{
  PetscFunctionBegin;
  PetscCall(PetscMemzero(s, sizeof(*s)));
  s->problem = problem;
  PetscCall(FgGlobalCreate(problem, &s->global));
  PetscCall(VecDuplicate(s->global->free, &s->start));
  PetscCall(VecDuplicate(s->start, &s->gradient));
  PetscCall(VecDuplicate(s->start, &s->data_gradient));
  PetscCall(VecDuplicate(s->start, &s->step));
  PetscCall(VecDuplicate(s->start, &s->right));
  PetscCall(VecDuplicate(s->start, &s->change));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(Newton *s)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&s->start));
  PetscCall(VecDestroy(&s->gradient));
  PetscCall(VecDestroy(&s->data_gradient));
  PetscCall(VecDestroy(&s->step));
  PetscCall(VecDestroy(&s->right));
  PetscCall(VecDestroy(&s->change));
  PetscCall(FgGlobalDestroy(&s->global));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Iterate(Newton *s, const FgSolveOptions *options, FgSolveReport *report)
{
  const char *reason = "iteration limit";

  PetscFunctionBegin;
  s->worth   = 0.1 * options->tolerance * options->tolerance * s->global->samples;
  s->damping = s->problem->solved > s->problem->alpha ? s->problem->solved / s->problem->alpha - 1.0 : 0.0;
  PetscCall(FgFieldRecenter(s->problem->field));
  PetscCall(Evaluate(s, report));
  while (report->iterations < options->max_iterations) {
    PetscReal decrement = 0.0;
    PetscBool found     = PETSC_FALSE;

    PetscCall(VecCopy(s->problem->field->m, s->start));
    PetscCall(FindStep(s, &decrement));
    report->projected_gradient = PetscSqrtReal(PetscMax(decrement, 0.0) / PetscMax(s->global->samples, 1.0));
    if (!report->iterations) report->projected_gradient_start = report->projected_gradient;
    report->converged = report->projected_gradient <= options->tolerance ? PETSC_TRUE : PETSC_FALSE;
    if (options->monitor) {
      PetscCall(options->monitor(options->monitor_context, "newton", report->iterations, report->objective,
                                 report->projected_gradient));
    }
    PetscCall(Search(s, decrement, report, &found));
    if (found) report->iterations++;
    if (!found || report->converged) {
      reason = !report->converged ? "line search failed" : s->damping > 1.0 ? "damped step small" : "step small";
      break;
    }
  }
  PetscCall(PetscStrncpy(report->reason, reason, sizeof(report->reason)));
  if (s->problem->field->ntangent) {
    PetscCall(FgFieldRecenter(s->problem->field));
    PetscCall(Evaluate(s, report));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSolveNewton(FgProblem problem, const FgSolveOptions *options, FgSolveReport *report)
{
  Newton         s;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(report, sizeof(*report)));
  PetscCall(PetscStrncpy(report->solver, "newton", sizeof(report->solver)));
  code = Create(problem, &s);
  if (!code) code = Iterate(&s, options, report);
  report->products = s.global ? s.global->iterations : 0;
  problem->iterations += report->iterations;
  problem->solved = problem->alpha * (1.0 + s.damping);
  PetscCall(Destroy(&s));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}
