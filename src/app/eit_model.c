/* eit_model.c: the forward model of impedance tomography with its field, and its predictions gathered. */
#include "eit_model.h"

PetscErrorCode FgEitModelOpen(const FgEitParts *parts, const FgEitOptions *given, FgModel *model, FgField *field)
{
  const char  *solver  = parts->settings->solver;
  FgEitOptions options = *given;

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(options.solver, solver[0] ? solver : "auto", sizeof(options.solver)));
  PetscCall(FgModelCreate(PETSC_COMM_WORLD, "eit", parts->tissue, model));
  PetscCall(FgModelSetEit(*model, parts->eit, parts->mesh, &options));
  PetscCall(FgModelSetup(*model));
  PetscCall(FgFieldCreate(parts->domain, (*model)->ncomponents, (*model)->components, field));
  PetscCall(FgModelSetField(*model, *field));
  if (options.unknowns != FG_EIT_ISOTROPIC) PetscCall(FgEitFrames(parts->mesh, parts->direction, *field));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitCollect(Vec data, double *values)
{
  Vec                all;
  VecScatter         scatter;
  const PetscScalar *from;
  PetscInt           n;

  PetscFunctionBegin;
  PetscCall(VecScatterCreateToAll(data, &scatter, &all));
  PetscCall(VecScatterBegin(scatter, data, all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(scatter, data, all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetSize(all, &n));
  PetscCall(VecGetArrayRead(all, &from));
  PetscCall(PetscArraycpy(values, from, n));
  PetscCall(VecRestoreArrayRead(all, &from));
  PetscCall(VecScatterDestroy(&scatter));
  PetscCall(VecDestroy(&all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitPredict(FgModel model, Vec m, double *voltage)
{
  Vec data;

  PetscFunctionBegin;
  PetscCall(FgModelCreateDataVec(model, &data));
  PetscCall(FgModelApply(model, m, data));
  PetscCall(FgEitCollect(data, voltage));
  PetscCall(VecDestroy(&data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FgEitMeanConductivity(FgModel model, const double *m, const double frame[9])
{
  double C[6];

  model->ops->site_tensor(model, m, frame, C);
  return model->mesh->dim == 2 ? 0.5 * (C[0] + C[1]) : (C[0] + C[1] + C[2]) / 3.0;
}
