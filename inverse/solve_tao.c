/* solve_tao.c: PETSc/TAO's bound-constrained solvers on the whitened problem, and the choice of a solver by name.

   The Gauss-Newton Hessian is a shell matrix; TAO's Newton methods take its submatrix over the free variables matrix-free.
   A direction's chart is fixed during one TAO solve and re-centred after it; the solve is repeated while the projected
   gradient in the re-centred chart misses the tolerance. Source: PETSc/TAO users manual, chapter on TAO. */
#include "prior.h"

#include <petsctao.h>
#include <string.h>

static PetscErrorCode FieldFromVariables(FgProblem problem, Vec x)
{
  const PetscInt     nc = problem->field->ncomponents, n = problem->field->domain->nlocal;
  const PetscScalar *from;
  PetscScalar       *to;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(x, &from));
  PetscCall(VecGetArray(problem->field->m, &to));
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt c = 0; c < nc; c++) {
      const FgComponent *component = &problem->field->components[c];

      /* Rounding of bound/scale*scale must not leave the box. */
      to[i * nc + c] = PetscMin(PetscMax(from[i * nc + c] * problem->scale[c], component->lower), component->upper);
    }
  }
  PetscCall(VecRestoreArray(problem->field->m, &to));
  PetscCall(VecRestoreArrayRead(x, &from));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillVariables(FgProblem problem, Vec x, Vec lower, Vec upper)
{
  const PetscInt     nc = problem->field->ncomponents, n = problem->field->domain->nlocal;
  const PetscScalar *m;
  PetscScalar       *value, *low, *high;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(problem->field->m, &m));
  PetscCall(VecGetArray(x, &value));
  PetscCall(VecGetArray(lower, &low));
  PetscCall(VecGetArray(upper, &high));
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt c = 0; c < nc; c++) {
      const FgComponent *component = &problem->field->components[c];
      const double       scale     = problem->scale[c];

      low[i * nc + c]   = PetscMax(component->lower / scale, PETSC_NINFINITY);
      high[i * nc + c]  = PetscMin(component->upper / scale, PETSC_INFINITY);
      value[i * nc + c] = PetscMin(PetscMax(m[i * nc + c] / scale, low[i * nc + c]), high[i * nc + c]);
    }
  }
  PetscCall(VecRestoreArray(upper, &high));
  PetscCall(VecRestoreArray(lower, &low));
  PetscCall(VecRestoreArray(x, &value));
  PetscCall(VecRestoreArrayRead(problem->field->m, &m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What TAO's callbacks know. */
typedef struct {
  FgProblem problem;
  FgPrior   prior; /* NULL: none */
} Context;

static PetscErrorCode ObjectiveGradient(Tao tao, Vec x, PetscReal *f, Vec g, void *context)
{
  FgProblem problem = (FgProblem)context;

  PetscFunctionBegin;
  PetscCall(FieldFromVariables(problem, x));
  PetscCall(FgProblemEvaluate(problem, f, NULL, NULL, problem->g));
  PetscCall(VecCopy(problem->g, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Trial points of a line search overwrite the state that the Hessian action uses: take it again at x. */
static PetscErrorCode UpdateHessian(Tao tao, Vec x, Mat H, Mat P, void *context)
{
  const Context  *known   = (const Context *)context;
  const FgProblem problem = known->problem;

  PetscFunctionBegin;
  PetscCall(FieldFromVariables(problem, x));
  PetscCall(FgProblemEvaluate(problem, NULL, NULL, NULL, problem->g));
  if (known->prior) PetscCall(FgPriorAssemble(known->prior, PETSC_FALSE, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A Newton method of TAO whose linear systems the prior preconditions. */
static PetscErrorCode UsePrior(Tao tao, FgPrior prior)
{
  PetscOptions own;
  char        *given;
  KSP          ksp;
  PC           pc;

  PetscFunctionBegin;
  PetscCall(TaoGetKSP(tao, &ksp));
  PetscCall(KSPSetType(ksp, KSPSTCG));
  PetscCall(KSPSetTolerances(ksp, 1e-2, 0.0, PETSC_DEFAULT, 300));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(FgPriorSetPC(prior, pc));
  /* The start of the trust region by trial evaluations costs 8 to 25 of them. What a user gives comes later and wins. */
  PetscCall(PetscOptionsCreate(&own));
  PetscCall(PetscOptionsInsertString(own, "-tao_bnk_init_type constant"));
  PetscCall(PetscOptionsGetAll(NULL, &given));
  PetscCall(PetscOptionsInsertString(own, given));
  PetscCall(PetscFree(given));
  PetscCall(PetscObjectSetOptions((PetscObject)tao, own));
  PetscCall(TaoSetFromOptions(tao));
  PetscCall(PetscObjectSetOptions((PetscObject)tao, NULL));
  PetscCall(PetscOptionsDestroy(&own));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HessianMult(Mat H, Vec v, Vec y)
{
  FgProblem problem;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(H, &problem));
  PetscCall(FgProblemHessian(problem, PETSC_FALSE, v, problem->x));
  PetscCall(VecCopy(problem->x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The part of the Hessian over some of the variables: scatter in, multiply, take the same part out. */
typedef struct {
  Mat        whole;
  VecScatter scatter;
  Vec        in, out;
} Part;

static PetscErrorCode PartMult(Mat H, Vec v, Vec y)
{
  Part *part;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(H, &part));
  PetscCall(VecZeroEntries(part->in));
  PetscCall(VecScatterBegin(part->scatter, v, part->in, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(part->scatter, v, part->in, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(MatMult(part->whole, part->in, part->out));
  PetscCall(VecScatterBegin(part->scatter, part->out, y, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(part->scatter, part->out, y, INSERT_VALUES, SCATTER_FORWARD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PartDestroy(Mat H)
{
  Part *part;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(H, &part));
  PetscCall(VecDestroy(&part->in));
  PetscCall(VecDestroy(&part->out));
  PetscCall(VecScatterDestroy(&part->scatter));
  PetscCall(MatDestroy(&part->whole));
  PetscCall(PetscFree(part));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreatePart(Mat H, IS rows, IS columns, MatReuse reuse, Mat *sub)
{
  Part    *part;
  Vec      small;
  PetscInt n;
  MPI_Comm comm = PetscObjectComm((PetscObject)H);

  PetscFunctionBegin;
  if (reuse == MAT_REUSE_MATRIX) PetscCall(MatDestroy(sub));
  PetscCall(PetscNew(&part));
  PetscCall(PetscObjectReference((PetscObject)H));
  part->whole = H;
  PetscCall(MatCreateVecs(H, &part->in, &part->out));
  PetscCall(ISGetLocalSize(rows, &n));
  PetscCall(VecCreateMPI(comm, n, PETSC_DETERMINE, &small));
  PetscCall(VecScatterCreate(part->in, rows, small, NULL, &part->scatter));
  PetscCall(VecDestroy(&small));
  PetscCall(MatCreateShell(comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, part, sub));
  PetscCall(MatShellSetOperation(*sub, MATOP_MULT, (void (*)(void))PartMult));
  PetscCall(MatShellSetOperation(*sub, MATOP_DESTROY, (void (*)(void))PartDestroy));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Monitor(Tao tao, void *context)
{
  const FgSolveOptions *options = (const FgSolveOptions *)context;
  PetscInt              iteration;
  PetscReal             f, gradient;
  const char           *type;

  PetscFunctionBegin;
  PetscCall(TaoGetSolutionStatus(tao, &iteration, &f, &gradient, NULL, NULL, NULL));
  PetscCall(TaoGetType(tao, &type));
  PetscCall(options->monitor(options->monitor_context, type, iteration, f, gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSolveTao(FgProblem problem, const FgSolveOptions *options, FgSolveReport *report)
{
  enum { MAX_CHARTS = 5 };
  const PetscInt nlocal       = problem->field->ncomponents * problem->field->domain->nlocal;
  const MPI_Comm comm         = problem->field->domain->comm;
  const double   norm_of_ones = PetscSqrtReal((PetscReal)problem->field->ncomponents * problem->field->domain->nglobal);
  Vec            x, lower, upper;
  Mat            H;
  Context        context = {problem, NULL};
  PetscBool      unnamed, newton;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(report, sizeof(*report)));
  PetscCall(PetscStrcmp(options->solver, "tao", &unnamed));
  PetscCall(PetscStrncpy(report->solver, unnamed ? TAOBLMVM : options->solver, sizeof(report->solver)));
  PetscCall(VecCreateMPI(comm, nlocal, PETSC_DETERMINE, &x));
  PetscCall(VecDuplicate(x, &lower));
  PetscCall(VecDuplicate(x, &upper));
  PetscCall(MatCreateShell(comm, nlocal, nlocal, PETSC_DETERMINE, PETSC_DETERMINE, problem, &H));
  PetscCall(MatShellSetOperation(H, MATOP_MULT, (void (*)(void))HessianMult));
  PetscCall(MatShellSetOperation(H, MATOP_CREATE_SUBMATRIX, (void (*)(void))CreatePart));
  PetscCall(MatSetOption(H, MAT_SYMMETRIC, PETSC_TRUE));
  PetscCall(PetscStrbeginswith(report->solver, "bn", &newton));
  if (newton) newton = strcmp(report->solver, TAOBNCG) ? PETSC_TRUE : PETSC_FALSE;
  if (newton && problem->model->ops->global && problem->regularizer && problem->alpha > 0.0) {
    PetscCall(FgPriorCreate(problem, &context.prior));
    PetscCall(FgRegularizerFreeze(problem->regularizer, problem->field->m, NULL));
    PetscCall(FgPriorAssemble(context.prior, PETSC_FALSE, NULL));
  }
  for (PetscInt chart = 0; chart < MAX_CHARTS; chart++) {
    Tao                tao;
    TaoConvergedReason reason;
    PetscInt           iterations;

    PetscCall(FgFieldRecenter(problem->field));
    PetscCall(FgProblemEvaluate(problem, &report->objective, &report->misfit, &report->roughness, problem->g));
    PetscCall(FgProblemProjectedNorm(problem, problem->g, &report->projected_gradient));
    if (!chart) report->projected_gradient_start = report->projected_gradient;
    report->converged = report->projected_gradient <= options->tolerance ? PETSC_TRUE : PETSC_FALSE;
    if (report->converged || report->iterations >= options->max_iterations) break;

    PetscCall(FillVariables(problem, x, lower, upper));
    PetscCall(TaoCreate(comm, &tao));
    PetscCall(TaoSetType(tao, report->solver));
    PetscCall(TaoSetSolution(tao, x));
    PetscCall(TaoSetVariableBounds(tao, lower, upper));
    PetscCall(TaoSetObjectiveAndGradient(tao, NULL, ObjectiveGradient, problem));
    PetscCall(TaoSetHessian(tao, H, context.prior ? context.prior->P : H, UpdateHessian, &context));
    PetscCall(TaoSetTolerances(tao, options->tolerance * norm_of_ones, 0.0, 0.0));
    PetscCall(TaoSetMaximumIterations(tao, options->max_iterations - report->iterations));
    PetscCall(TaoSetMaximumFunctionEvaluations(tao, 10 * options->max_iterations));
    if (options->monitor) PetscCall(FgTaoMonitorSet(tao, Monitor, (void *)options));
    if (context.prior) PetscCall(UsePrior(tao, context.prior));
    else PetscCall(TaoSetFromOptions(tao));
    PetscCall(TaoSolve(tao));
    PetscCall(TaoGetConvergedReason(tao, &reason));
    PetscCall(TaoGetIterationNumber(tao, &iterations));
    PetscCall(FieldFromVariables(problem, x));
    PetscCall(TaoDestroy(&tao));
    report->iterations += iterations;
    problem->iterations += iterations;
    if (!iterations) break; /* a line search that fails at once will fail again */
  }
  PetscCall(FgFieldRecenter(problem->field));
  PetscCall(FgProblemEvaluate(problem, &report->objective, &report->misfit, &report->roughness, problem->g));
  PetscCall(FgProblemProjectedNorm(problem, problem->g, &report->projected_gradient));
  report->converged = report->projected_gradient <= options->tolerance ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PetscStrncpy(report->reason,
                         report->converged                               ? "projected gradient small"
                         : report->iterations >= options->max_iterations ? "iteration limit"
                                                                         : "line search or trust region failed",
                         sizeof(report->reason)));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&lower));
  PetscCall(VecDestroy(&upper));
  PetscCall(MatDestroy(&H));
  PetscCall(FgPriorDestroy(&context.prior));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSolveField(FgProblem problem, const FgSolveOptions *options, FgSolveReport *report)
{
  PetscBool sweep, newton;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(options->solver, "sweep", &sweep));
  PetscCall(PetscStrcmp(options->solver, "newton", &newton));
  if (newton || (sweep && problem->model->ops->global)) {
    PetscCall(FgSolveNewton(problem, options, report));
  } else if (!sweep) {
    PetscCall(FgSolveTao(problem, options, report));
  } else {
    PetscCall(FgSolveSweep(problem, options, report));
    if (!report->converged && options->finish) { /* a quasi-Newton method finishes what sweeps could not */
      const PetscInt sweeps = report->sweeps;
      FgSolveOptions finish = *options;

      PetscCall(PetscStrncpy(finish.solver, "blmvm", sizeof(finish.solver)));
      PetscCall(FgSolveTao(problem, &finish, report));
      PetscCall(PetscStrncpy(report->solver, "sweep+blmvm", sizeof(report->solver)));
      report->sweeps = sweeps;
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
