/* fit_eit_background.c: the homogeneous state that an inversion starts from: fitted to the reference where the data are taken against one,
   with what the contact impedances are, else to the voltages themselves. */
#include "fit_eit.h"

#include <math.h>
#include <string.h>

/* A model of its own whose unknown is the conductivity: a closure's porosity need not reach the background's. */
typedef struct {
  FgModel  model;
  FgDomain domain;
  FgField  field;
} State;

static PetscErrorCode OpenState(FgEitFit *fit, State *state)
{
  const FitSettings *s       = fit->settings;
  FgEitOptions       options = {.unknowns           = FG_EIT_ISOTROPIC,
                                .order              = s->domain.order ? s->domain.order : 1,
                                .tolerance          = 1e-10,
                                .conductivity       = 1.0,
                                .conductivity_lower = 1e-12,
                                .conductivity_upper = 1e12};

  PetscFunctionBegin;
  memset(state, 0, sizeof(*state));
  if (!isnan(s->eit.conductivity)) options.conductivity = s->eit.conductivity;
  else if (fit->eit->background > 0.0) options.conductivity = fit->eit->background;
  PetscCall(PetscStrncpy(options.solver, s->domain.solver[0] ? s->domain.solver : "auto", sizeof(options.solver)));
  PetscCall(FgModelCreate(PETSC_COMM_WORLD, "eit", &fit->tissue, &state->model));
  PetscCall(FgModelSetEit(state->model, fit->eit, fit->mesh, &options));
  PetscCall(FgModelSetup(state->model));
  PetscCall(FgDomainCreateMesh(PETSC_COMM_WORLD, fit->mesh, &state->domain));
  PetscCall(FgFieldCreate(state->domain, state->model->ncomponents, state->model->components, &state->field));
  PetscCall(FgModelSetField(state->model, state->field));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CloseState(State *state)
{
  PetscFunctionBegin;
  PetscCall(FgFieldDestroy(&state->field));
  PetscCall(FgDomainDestroy(&state->domain));
  PetscCall(FgModelDestroy(&state->model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* F(m0), all of it on every rank. */
static PetscErrorCode Predict(const FgEitFit *fit, State *state, double *predicted)
{
  Vec                data, all;
  VecScatter         scatter;
  const PetscScalar *values;

  PetscFunctionBegin;
  PetscCall(VecSet(state->field->m, log(fit->background.conductivity)));
  PetscCall(FgModelCreateDataVec(state->model, &data));
  PetscCall(FgModelApply(state->model, state->field->m, data));
  PetscCall(VecScatterCreateToAll(data, &scatter, &all));
  PetscCall(VecScatterBegin(scatter, data, all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(scatter, data, all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetArrayRead(all, &values));
  PetscCall(PetscArraycpy(predicted, values, fit->eit->npatterns * fit->eit->nmeasurements));
  PetscCall(VecRestoreArrayRead(all, &values));
  PetscCall(VecScatterDestroy(&scatter));
  PetscCall(VecDestroy(&all));
  PetscCall(VecDestroy(&data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitFitBackgroundState(FgEitFit *fit, double **predicted)
{
  const FgEit     eit      = fit->eit;
  const PetscInt  n        = eit->npatterns * eit->nmeasurements;
  const PetscBool absolute = fit->mode == FG_EIT_ABSOLUTE ? PETSC_TRUE : PETSC_FALSE;
  const double   *voltage  = absolute ? eit->voltage : eit->reference;
  const char  *what  = fit->settings->eit.background[0] ? fit->settings->eit.background : absolute ? "conductivity" : "impedance";
  const double start = FgWallSeconds();
  double      *deviation;
  State        state;

  PetscFunctionBegin;
  *predicted = NULL;
  PetscCall(OpenState(fit, &state));
  fit->background.conductivity = state.model->eit_options.conductivity;
  fit->background.each         = strcmp(what, "each") ? PETSC_FALSE : PETSC_TRUE;
  fit->background.impedance    = fit->background.each || !strcmp(what, "impedance") ? PETSC_TRUE : PETSC_FALSE;
  if (strcmp(what, "none")) {
    PetscCall(PetscMalloc1(n, &deviation));
    FgEitDeviation(fit, voltage, voltage, FgEitModelError(fit), deviation);
    PetscCall(FgModelFitBackground(state.model, voltage, deviation, &fit->background));
    PetscCall(PetscFree(deviation));
    fit->fitted = PETSC_TRUE;
  }
  if (!absolute) {
    PetscCall(PetscMalloc1(n, predicted));
    PetscCall(Predict(fit, &state, *predicted));
  }
  PetscCall(CloseState(&state));
  fit->seconds_background = FgWallSeconds() - start;
  PetscFunctionReturn(PETSC_SUCCESS);
}
