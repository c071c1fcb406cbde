/* models.c: the list of forward models, and a model by its name. A new physics is one file and one line here. */
#include "finegrain/model.h"

extern const FgModelOps FgModelDwi, FgModelDti, FgModelTensor, FgModelEit;

const FgModelOps *const FgModels[] = {&FgModelDwi, &FgModelDti, &FgModelTensor, &FgModelEit, NULL};

PetscErrorCode FgModelCreate(MPI_Comm comm, const char *name, const FgTissue *tissue, FgModel *model)
{
  const FgModelOps *ops = NULL;
  PetscBool         match;

  PetscFunctionBegin;
  for (PetscInt i = 0; FgModels[i] && !ops; i++) {
    PetscCall(PetscStrcmp(name, FgModels[i]->name, &match));
    if (match) ops = FgModels[i];
  }
  PetscCheck(ops, PETSC_COMM_SELF, PETSC_ERR_USER, "no forward model is called '%s'; expected dwi, dti, tensor or eit", name);
  PetscCall(PetscNew(model));
  (*model)->ops          = ops;
  (*model)->comm         = comm;
  (*model)->tissue       = *tissue;
  (*model)->signal_scale = 1.0;
  PetscFunctionReturn(PETSC_SUCCESS);
}
