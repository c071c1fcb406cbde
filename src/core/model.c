/* model.c: what every forward model shares: setting up, dispatch with counters. The models are in forward/. */
#include "finegrain/model.h"

PetscErrorCode FgModelSetGradients(FgModel model, const FgGradients *gradients, double signal_scale)
{
  PetscFunctionBegin;
  PetscCheck(signal_scale > 0.0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "model %s: typical unweighted signal %g [signal], expected > 0; is the mask empty?", model->ops->name, signal_scale);
  model->gradients    = gradients;
  model->signal_scale = signal_scale;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelSetCoils(FgModel model, double coils)
{
  PetscFunctionBegin;
  PetscCheck(model->ops->magnitude, PETSC_COMM_SELF, PETSC_ERR_USER,
             "model %s: its data are not magnitude signals, so a number of coils has no meaning; use Gaussian noise",
             model->ops->name);
  model->coils = coils;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelSetRician(FgModel model, PetscBool rician, const float *sigma)
{
  PetscFunctionBegin;
  PetscCheck(!rician || model->ops->magnitude, PETSC_COMM_SELF, PETSC_ERR_USER,
             "model %s: its data are not magnitude signals, so Rician noise has no meaning; use Gaussian noise",
             model->ops->name);
  PetscCheck(!rician || sigma, PETSC_COMM_SELF, PETSC_ERR_ARG_NULL, "model %s: Rician noise needs the noise level of each site",
             model->ops->name);
  model->rician = rician;
  model->sigma  = sigma;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelSetEit(FgModel model, FgEit eit, FgMesh mesh, const FgEitOptions *options)
{
  PetscFunctionBegin;
  PetscCheck(mesh->nelectrodes == eit->nelectrodes, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: %" PetscInt_FMT " electrodes, but the mesh has %" PetscInt_FMT
             "; give a mesh with the measurement's electrodes",
             eit->source, eit->nelectrodes, mesh->nelectrodes);
  model->eit         = eit;
  model->mesh        = mesh;
  model->eit_options = *options;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelSetup(FgModel model)
{
  PetscFunctionBegin;
  PetscCheck(model->gradients || !model->ops->magnitude, PETSC_COMM_SELF, PETSC_ERR_ORDER,
             "model %s: needs a gradient table; call FgModelSetGradients first", model->ops->name);
  PetscCall(model->ops->setup(model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelSetField(FgModel model, FgField field)
{
  PetscFunctionBegin;
  PetscCheck(field->ncomponents == model->ncomponents, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
             "model %s: field of %" PetscInt_FMT " components, expected %" PetscInt_FMT, model->ops->name, field->ncomponents,
             model->ncomponents);
  model->field = field;
  PetscCall(VecDestroy(&model->state));
  PetscCall(VecDuplicate(field->m, &model->state));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelDestroy(FgModel *model)
{
  PetscFunctionBegin;
  if (!*model) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall((*model)->ops->destroy(*model));
  PetscCall(VecDestroy(&(*model)->state));
  PetscCall(PetscFree(*model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelCreateDataVec(FgModel model, Vec *d)
{
  const PetscInt nlocal = model->ops->global ? model->ndatalocal : model->field->domain->nlocal * model->ndata;

  PetscFunctionBegin;
  PetscCall(VecCreateMPI(model->comm, nlocal, PETSC_DETERMINE, d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelApply(FgModel model, Vec m, Vec d)
{
  PetscFunctionBegin;
  PetscCall(model->ops->apply(model, m, d));
  model->counts.apply++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelTangent(FgModel model, Vec v, Vec Jv)
{
  PetscFunctionBegin;
  PetscCall(model->ops->tangent(model, v, Jv));
  model->counts.tangent++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelAdjoint(FgModel model, Vec w, Vec Jtw)
{
  PetscFunctionBegin;
  PetscCall(model->ops->adjoint(model, w, Jtw));
  model->counts.adjoint++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelMisfit(FgModel model, const FgData *data, Vec m, PetscReal *f, Vec gradient)
{
  PetscFunctionBegin;
  PetscCall(model->ops->misfit(model, data, m, f, gradient));
  model->counts.apply++;
  if (gradient) model->counts.adjoint++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelGaussNewton(FgModel model, const FgData *data, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(model->ops->gauss_newton(model, data, v, y));
  model->counts.tangent++;
  model->counts.adjoint++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelJacobian(FgModel model, double *jacobian)
{
  PetscFunctionBegin;
  PetscCheck(model->ops->jacobian, PETSC_COMM_SELF, PETSC_ERR_SUP, "model %s: has no dense Jacobian", model->ops->name);
  PetscCall(model->ops->jacobian(model, jacobian));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelLowRank(FgModel model, const FgData *data, PetscInt *rank, double *rows, double *root)
{
  PetscFunctionBegin;
  *rank = 0;
  if (model->ops->low_rank) PetscCall(model->ops->low_rank(model, data, rank, rows, root));
  PetscFunctionReturn(PETSC_SUCCESS);
}
