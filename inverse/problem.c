/* problem.c: objective, gradient and Gauss-Newton Hessian of misfit + alpha * regularizer, in whitened variables. */
#include "finegrain/problem.h"

#include "finegrain/robust.h"

PetscErrorCode FgProblemCreate(FgModel model, FgField field, const FgData *data, unsigned char *status, FgProblem *problem)
{
  FgProblem p;

  PetscFunctionBegin;
  PetscCall(PetscNew(&p));
  p->model  = model;
  p->field  = field;
  p->data   = *data;
  p->status = status;
  for (PetscInt c = 0; c < field->ncomponents; c++) p->scale[c] = 1.0;
  PetscCall(FgFieldCreateVec(field, &p->x));
  PetscCall(VecDuplicate(p->x, &p->g));
  PetscCall(VecDuplicate(p->x, &p->work));
  *problem = p;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemDestroy(FgProblem *problem)
{
  PetscFunctionBegin;
  if (!*problem) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecDestroy(&(*problem)->x));
  PetscCall(VecDestroy(&(*problem)->g));
  PetscCall(VecDestroy(&(*problem)->work));
  PetscCall(PetscFree(*problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemScale(FgProblem problem, Vec v)
{
  const PetscInt nc = problem->field->ncomponents, n = problem->field->domain->nlocal;
  PetscScalar   *a;

  PetscFunctionBegin;
  PetscCall(VecGetArray(v, &a));
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt c = 0; c < nc; c++) a[i * nc + c] *= problem->scale[c];
  }
  PetscCall(VecRestoreArray(v, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemComplete(FgProblem problem, PetscReal misfit, PetscReal *phi, PetscReal *roughness, Vec gradient)
{
  const Vec m      = problem->field->m;
  PetscReal energy = 0.0;

  PetscFunctionBegin;
  if (problem->regularizer) {
    PetscCall(FgRegularizerFreeze(problem->regularizer, m, &energy));
    if (gradient) PetscCall(FgRegularizerGradient(problem->regularizer, m, problem->alpha, gradient));
  }
  if (gradient) PetscCall(FgProblemScale(problem, gradient));
  problem->objectives++;
  if (gradient) problem->gradients++;
  if (phi) *phi = misfit + problem->alpha * energy;
  if (roughness) *roughness = energy;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemEvaluate(FgProblem problem, PetscReal *phi, PetscReal *misfit, PetscReal *roughness, Vec gradient)
{
  PetscReal data_part;

  PetscFunctionBegin;
  if (gradient) PetscCall(VecZeroEntries(gradient));
  PetscCall(FgModelMisfit(problem->model, &problem->data, problem->field->m, &data_part, gradient));
  PetscCall(FgProblemComplete(problem, data_part, phi, roughness, gradient));
  if (misfit) *misfit = data_part;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemPrice(FgProblem problem, PetscReal misfit, double samples, PetscReal *price)
{
  const FgData      *data  = &problem->data;
  const FgField      field = problem->field;
  const PetscScalar *m;
  double             sums[2] = {0.0, 0.0}, *residuals;

  PetscFunctionBegin;
  *price = 2.0 * misfit / samples;
  if (!(data->huber > 0.0)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(data->ndata, &residuals));
  PetscCall(VecGetArrayRead(field->m, &m));
  for (PetscInt i = 0; i < data->nlocal; i++) {
    FgModelSiteResiduals(problem->model, data, i, &m[i * (size_t)field->ncomponents],
                         field->frames ? &field->frames[9 * (size_t)i] : NULL, residuals);
    for (PetscInt k = 0; k < data->ndata; k++) {
      const double psi = FgHuberBound(residuals[k], data->huber);

      if (isnan(residuals[k])) continue;
      sums[0] += psi * psi;
      sums[1] += fabs(residuals[k]) < data->huber ? 1.0 : 0.0;
    }
  }
  PetscCall(VecRestoreArrayRead(field->m, &m));
  PetscCall(PetscFree(residuals));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, field->domain->comm));
  *price = sums[1] > 0.0 ? sums[0] / sums[1] : *price;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemHessian(FgProblem problem, PetscBool data_only, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(VecCopy(v, problem->work));
  PetscCall(FgProblemScale(problem, problem->work));
  PetscCall(VecZeroEntries(y));
  PetscCall(FgModelGaussNewton(problem->model, &problem->data, problem->work, y));
  if (problem->regularizer && !data_only) {
    PetscCall(FgRegularizerHessian(problem->regularizer, problem->field->m, problem->work, problem->alpha, y));
  }
  PetscCall(FgProblemScale(problem, y));
  problem->hessians++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgProblemProjectedNorm(FgProblem problem, Vec gradient, PetscReal *norm)
{
  const PetscInt     nc = problem->field->ncomponents, n = problem->field->domain->nlocal;
  const PetscScalar *g, *m;
  PetscReal          sum = 0.0;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(gradient, &g));
  PetscCall(VecGetArrayRead(problem->field->m, &m));
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt c = 0; c < nc; c++) {
      const double scale = problem->scale[c], lower = problem->field->components[c].lower / scale;
      const double upper = problem->field->components[c].upper / scale, x = m[i * nc + c] / scale;
      const double step = PetscMin(PetscMax(x - g[i * nc + c], lower), upper) - x;

      sum += step * step;
    }
  }
  PetscCall(VecRestoreArrayRead(problem->field->m, &m));
  PetscCall(VecRestoreArrayRead(gradient, &g));
  PetscCallMPI(MPI_Allreduce(&sum, norm, 1, MPIU_REAL, MPIU_SUM, problem->field->domain->comm));
  *norm = PetscSqrtReal(*norm / ((PetscReal)nc * problem->field->domain->nglobal));
  PetscFunctionReturn(PETSC_SUCCESS);
}
