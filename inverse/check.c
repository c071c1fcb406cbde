/* check.c: Taylor and algebraic tests of an objective's gradient and Gauss-Newton Hessian (check.h says which and why they are exact). */
#include "finegrain/check.h"

#include "finegrain/taylor.h"

#include <float.h>
#include <gsl/gsl_randist.h>
#include <math.h>

enum { STEPS = 12, PROBES = 5 };

static double Step(PetscInt k)
{
  return pow(10.0, -0.5 - 0.5 * k);
}

/* A change of whitened size 0.2 to 1 a variable, of either sign, into the box where its bound is near; the same on any number of ranks.
   scalars_only: none of the direction. */
static PetscErrorCode RandomChange(FgProblem problem, gsl_rng *random, unsigned long seed, PetscBool scalars_only, Vec v)
{
  const FgField      field = problem->field;
  const PetscInt     nc    = field->ncomponents;
  const PetscScalar *m;
  PetscScalar       *change;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(field->m, &m));
  PetscCall(VecGetArrayWrite(v, &change));
  for (PetscInt i = 0; i < field->domain->nlocal; i++) {
    gsl_rng_set(random, (seed * 0x9e3779b9UL + (unsigned long)(field->domain->first + i)) & 0xffffffffUL);
    for (PetscInt c = 0; c < nc; c++) {
      const FgComponent *component = &field->components[c];
      const double       size = gsl_ran_flat(random, 0.2, 1.0), sign = gsl_ran_flat(random, -1.0, 1.0) < 0.0 ? -1.0 : 1.0;
      const double       value = m[i * nc + c], reach = Step(0) * problem->scale[c];

      change[i * nc + c] = sign * size;
      if (value + reach > component->upper) change[i * nc + c] = -size;
      if (value - reach < component->lower) change[i * nc + c] = value + reach > component->upper ? 0.0 : size;
      if (scalars_only && component->kind == FG_KIND_TANGENT) change[i * nc + c] = 0.0;
    }
  }
  PetscCall(VecRestoreArrayWrite(v, &change));
  PetscCall(VecRestoreArrayRead(field->m, &m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* field->m = m + t S v, S the whitening. */
static PetscErrorCode MoveTo(FgProblem problem, Vec m, double t, Vec v)
{
  const PetscInt     nc = problem->field->ncomponents, n = problem->field->domain->nlocal;
  const PetscScalar *from, *change;
  PetscScalar       *to;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(m, &from));
  PetscCall(VecGetArrayRead(v, &change));
  PetscCall(VecGetArray(problem->field->m, &to));
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt c = 0; c < nc; c++) to[i * nc + c] = from[i * nc + c] + t * problem->scale[c] * change[i * nc + c];
  }
  PetscCall(VecRestoreArray(problem->field->m, &to));
  PetscCall(VecRestoreArrayRead(v, &change));
  PetscCall(VecRestoreArrayRead(m, &from));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* How far the misfit may be off where predictions are accurate to model->accuracy: by Cauchy and Schwarz |F/sigma| |residual/sigma| of it. */
static PetscErrorCode MisfitAccuracy(FgProblem problem, double misfit, double *accuracy)
{
  const FgData *data = &problem->data;
  double        sum  = 0.0;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < data->nlocal; i++) {
    for (PetscInt k = 0; k < data->ndata; k++) {
      const double value = data->values[(size_t)i * data->ndata + k] / data->sigma[i];

      sum += value == value ? value * value : 0.0;
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, problem->model->comm));
  *accuracy = problem->model->accuracy * sqrt(2.0 * misfit * sum);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckGradient(FgProblem problem, Vec m, Vec v, Vec g, FgProblemCheckResult *result)
{
  PetscReal   phi, misfit, moved;
  PetscScalar slope;
  double      e[STEPS], accuracy = 0.0;

  PetscFunctionBegin;
  PetscCall(FgProblemEvaluate(problem, &phi, &misfit, NULL, g));
  PetscCall(MisfitAccuracy(problem, misfit, &accuracy));
  PetscCall(VecDot(g, v, &slope));
  for (PetscInt k = 0; k < STEPS; k++) {
    PetscCall(MoveTo(problem, m, Step(k), v));
    PetscCall(FgProblemEvaluate(problem, &moved, NULL, NULL, NULL));
    e[k] = fabs(moved - phi - Step(k) * slope);
  }
  PetscCall(VecCopy(m, problem->field->m));
  FgTaylorOrders(STEPS, e, 1e3 * PETSC_MACHINE_EPSILON * phi + 100.0 * accuracy, 2.0, result->gradient_order,
                 &result->gradient_decades);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckHessian(FgProblem problem, gsl_rng *random, unsigned long seed, Vec v, Vec w, Vec Hv, Vec Hw, Vec g,
                                   FgProblemCheckResult *result)
{
  PetscScalar left, right, curvature;
  PetscReal   norm_v, norm_Hv, norm_w;

  PetscFunctionBegin;
  PetscCall(FgProblemEvaluate(problem, NULL, NULL, NULL, g));
  result->hessian_symmetry = 0.0;
  result->hessian_least    = 1.0;
  for (PetscInt probe = 0; probe < PROBES; probe++) {
    PetscCall(RandomChange(problem, random, seed + 2 * (unsigned long)probe + 1, PETSC_FALSE, v));
    PetscCall(RandomChange(problem, random, seed + 2 * (unsigned long)probe + 2, PETSC_FALSE, w));
    PetscCall(FgProblemHessian(problem, PETSC_FALSE, v, Hv));
    PetscCall(FgProblemHessian(problem, PETSC_FALSE, w, Hw));
    PetscCall(VecDot(Hv, w, &left));
    PetscCall(VecDot(v, Hw, &right));
    PetscCall(VecDot(v, Hv, &curvature));
    PetscCall(VecNorm(v, NORM_2, &norm_v));
    PetscCall(VecNorm(w, NORM_2, &norm_w));
    PetscCall(VecNorm(Hv, NORM_2, &norm_Hv));
    if (!(norm_Hv > 0.0)) continue; /* no curvature at all is symmetric and semidefinite */
    result->hessian_symmetry = PetscMax(result->hessian_symmetry, fabs(left - right) / (norm_Hv * norm_w));
    result->hessian_least    = PetscMin(result->hessian_least, curvature / (norm_v * norm_Hv));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Data that the model reproduces at the present field; samples that are left out stay so. */
static PetscErrorCode PredictData(FgProblem problem, float *values)
{
  const FgData      *data = &problem->data;
  const PetscScalar *prediction;
  Vec                d;

  PetscFunctionBegin;
  PetscCall(FgModelCreateDataVec(problem->model, &d));
  PetscCall(FgModelApply(problem->model, problem->field->m, d));
  PetscCall(VecGetArrayRead(d, &prediction));
  for (size_t k = 0; k < (size_t)data->nlocal * (size_t)data->ndata; k++) {
    values[k] = isnan(data->values[k]) ? NAN : (float)prediction[k];
  }
  PetscCall(VecRestoreArrayRead(d, &prediction));
  PetscCall(VecDestroy(&d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckGaussNewton(FgProblem problem, Vec m, Vec v, Vec Bv, Vec g, Vec moved, FgProblemCheckResult *result)
{
  const FgRegularizer regularizer = problem->regularizer;
  const float        *measured    = problem->data.values;
  float              *predicted;
  PetscReal           size;
  double              e[STEPS];

  PetscFunctionBegin;
  PetscCall(PetscMalloc1((size_t)problem->data.nlocal * (size_t)problem->data.ndata, &predicted));
  PetscCall(PredictData(problem, predicted));
  problem->data.values = predicted;
  problem->regularizer = NULL;
  PetscCall(FgProblemEvaluate(problem, NULL, NULL, NULL, g));
  PetscCall(FgProblemHessian(problem, PETSC_TRUE, v, Bv));
  PetscCall(VecNorm(Bv, NORM_2, &size));
  for (PetscInt k = 0; k < STEPS; k++) {
    PetscReal norm;

    PetscCall(MoveTo(problem, m, Step(k), v));
    PetscCall(FgProblemEvaluate(problem, NULL, NULL, NULL, moved));
    PetscCall(VecAXPY(moved, -1.0, g));
    PetscCall(VecAXPY(moved, -Step(k), Bv));
    PetscCall(VecNorm(moved, NORM_2, &norm));
    e[k] = norm / Step(k); /* a first order is left */
  }
  PetscCall(VecCopy(m, problem->field->m));
  problem->data.values = measured;
  problem->regularizer = regularizer;
  PetscCall(PetscFree(predicted));
  FgTaylorOrders(STEPS, e, 20.0 * FLT_EPSILON * size, 1.0, result->gauss_newton_order, &result->gauss_newton_decades);
  result->gauss_newton_order[0] += 1.0;
  result->gauss_newton_order[1] += 1.0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckRegularizer(FgProblem problem, Vec m, Vec v, Vec Hv, Vec g, Vec moved, FgProblemCheckResult *result)
{
  const FgRegularizer regularizer = problem->regularizer;
  PetscReal           norm, difference;

  PetscFunctionBegin;
  result->regularizer_error = 0.0;
  if (!regularizer) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgRegularizerFreeze(regularizer, m, NULL));
  PetscCall(VecZeroEntries(g));
  PetscCall(FgRegularizerGradient(regularizer, m, 1.0, g));
  PetscCall(MoveTo(problem, m, 1.0, v));
  PetscCall(VecGhostUpdateBegin(problem->field->m, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(problem->field->m, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecZeroEntries(moved));
  PetscCall(FgRegularizerGradient(regularizer, problem->field->m, 1.0, moved));
  PetscCall(VecAXPY(moved, -1.0, g));
  PetscCall(VecAXPBYPCZ(problem->work, 1.0, -1.0, 0.0, problem->field->m, m)); /* S v */
  PetscCall(VecCopy(m, problem->field->m));
  PetscCall(VecZeroEntries(Hv));
  PetscCall(FgRegularizerHessian(regularizer, problem->field->m, problem->work, 1.0, Hv));
  PetscCall(VecNorm(Hv, NORM_2, &norm));
  PetscCall(VecAXPY(moved, -1.0, Hv));
  PetscCall(VecNorm(moved, NORM_2, &difference));
  result->regularizer_error = norm > 0.0 ? difference / norm : difference;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemCheck(FgProblem problem, unsigned long seed, FgProblemCheckResult *result)
{
  Vec      m, v, w, Hv, Hw, g;
  gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);

  PetscFunctionBegin;
  PetscCheck(random, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory for a random number generator");
  PetscCall(FgFieldCreateVec(problem->field, &m));
  PetscCall(VecDuplicate(m, &v));
  PetscCall(VecDuplicate(m, &w));
  PetscCall(VecDuplicate(m, &Hv));
  PetscCall(VecDuplicate(m, &Hw));
  PetscCall(VecDuplicate(m, &g));
  PetscCall(VecCopy(problem->field->m, m));

  PetscCall(RandomChange(problem, random, seed, PETSC_FALSE, v));
  PetscCall(CheckGradient(problem, m, v, g, result));
  PetscCall(CheckGaussNewton(problem, m, v, Hv, g, Hw, result));
  PetscCall(RandomChange(problem, random, seed, PETSC_TRUE, v));
  PetscCall(CheckRegularizer(problem, m, v, Hv, g, Hw, result));
  PetscCall(CheckHessian(problem, random, seed, v, w, Hv, Hw, g, result));

  gsl_rng_free(random);
  PetscCall(VecDestroy(&m));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&Hv));
  PetscCall(VecDestroy(&Hw));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(PETSC_SUCCESS);
}
