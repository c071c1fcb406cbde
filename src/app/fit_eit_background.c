/* fit_eit_background.c: the homogeneous state that an inversion starts from: fitted to the reference where the data are taken against one,
   with what the contact impedances are, else to the voltages themselves. */
#include "fit_eit.h"

#include <math.h>
#include <string.h>

/* A model of its own: of the conductivity, or of a closure's porosity with the fiber direction held. */
typedef struct {
  FgModel model;
  FgField field;
} State;

static PetscErrorCode OpenState(FgEitFit *fit, FgEitUnknowns unknowns, State *state)
{
  const FitSettings *s       = fit->settings;
  const FgEitParts   parts   = FgEitFitParts(fit);
  FgEitOptions       options = {.unknowns           = unknowns,
                                .order              = FgEitOrder(fit),
                                .tolerance          = 1e-10,
                                .conductivity       = 1.0,
                                .conductivity_lower = 1e-12,
                                .conductivity_upper = 1e12};

  PetscFunctionBegin;
  memset(state, 0, sizeof(*state));
  if (!isnan(s->eit.conductivity)) options.conductivity = s->eit.conductivity;
  else if (fit->eit->background > 0.0) options.conductivity = fit->eit->background;
  PetscCall(FgEitModelOpen(&parts, &options, &state->model, &state->field));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CloseState(State *state)
{
  PetscFunctionBegin;
  PetscCall(FgFieldDestroy(&state->field));
  PetscCall(FgModelDestroy(&state->model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* F at the same value everywhere; with slope != NULL its derivative with respect to that value. */
static PetscErrorCode Evaluate(State *state, double value, double *predicted, double *slope)
{
  Vec data, direction;

  PetscFunctionBegin;
  PetscCall(VecSet(state->field->m, value));
  PetscCall(FgEitPredict(state->model, state->field->m, predicted));
  if (slope) {
    PetscCall(FgModelCreateDataVec(state->model, &data));
    PetscCall(FgFieldCreateVec(state->field, &direction));
    PetscCall(VecSet(direction, 1.0));
    PetscCall(FgModelTangent(state->model, direction, data));
    PetscCall(FgEitCollect(data, slope));
    PetscCall(VecDestroy(&direction));
    PetscCall(VecDestroy(&data));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One porosity for all of the domain, fitted to voltage[n] by Gauss-Newton steps; chi2 of the fit goes to the background. */
static PetscErrorCode FitPorosity(FgEitFit *fit, State *state, PetscInt n, const double *voltage, const double *deviation,
                                  double *predicted)
{
  const FgComponent *component = &state->field->components[0];
  double            *slope, least = INFINITY, best = fit->porosity, step = 0.0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &slope));
  for (int k = 0; k < 20; k++) {
    double chi2 = 0.0, product = 0.0, square = 0.0;

    PetscCall(Evaluate(state, fit->porosity, predicted, slope));
    for (PetscInt i = 0; i < n; i++) {
      const double residual = (voltage[i] - predicted[i]) / deviation[i], s = slope[i] / deviation[i];

      if (!isfinite(residual)) continue;
      chi2 += residual * residual;
      product += residual * s;
      square += s * s;
    }
    fit->background.iterations++;
    if (chi2 < least) {
      least = chi2;
      best  = fit->porosity;
      step  = square > 0.0 ? product / square : 0.0;
    } else step *= 0.5;
    fit->porosity = PetscMin(PetscMax(best + step, component->lower), component->upper);
    if (fabs(fit->porosity - best) < 1e-7) break;
  }
  fit->porosity        = best;
  fit->background.chi2 = least;
  PetscCall(PetscFree(slope));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The porosity whose tensor has the background's conductivity as the mean of its eigenvalues (in two dimensions of those in the
   plane), or the bound next to it: bisection, for closures rise with the porosity where the matrix conducts more, else fall. */
static double PorosityOf(const FgEitFit *fit, const State *state)
{
  const FgComponent *component = &state->field->components[0];
  const double       frame[9]  = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  double             low = component->lower, high = component->upper, mean[2] = {0.0};

  for (int k = 0; k < 60; k++) {
    const double middle = 0.5 * (low + high), at = k == 0 ? low : k == 1 ? high : middle;
    const double value = FgEitMeanConductivity(state->model, &at, frame);

    if (k < 2) mean[k] = value;
    else if ((value < fit->background.conductivity) == (mean[0] < mean[1])) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}

/* Of a closure the homogeneous state is one of porosity: it has the anisotropy of the fibers, which a conductivity has not. */
static PetscErrorCode PorosityState(FgEitFit *fit, PetscInt n, const double *voltage, const double *deviation, double *predicted)
{
  State state;

  PetscFunctionBegin;
  PetscCall(OpenState(fit, FG_EIT_POROSITY, &state));
  fit->porosity = PorosityOf(fit, &state);
  if (fit->fitted) PetscCall(FitPorosity(fit, &state, n, voltage, deviation, predicted));
  PetscCall(Evaluate(&state, fit->porosity, predicted, NULL));
  PetscCall(CloseState(&state));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The size of the voltages of each pattern, root mean square: what the model gets wrong is a share of that, and large against the small
   voltages far from the drive. */
static void PatternSize(FgEit eit, const double *voltage, double *size)
{
  const PetscInt n = eit->nmeasurements;

  for (PetscInt p = 0; p < eit->npatterns; p++) {
    double   square = 0.0;
    PetscInt used   = 0;

    for (PetscInt q = 0; q < n; q++) {
      if (!isfinite(voltage[p * n + q])) continue;
      square += voltage[p * n + q] * voltage[p * n + q];
      used++;
    }
    for (PetscInt q = 0; q < n; q++) size[p * n + q] = sqrt(square / PetscMax(used, 1));
  }
}

/* Conductivity first, from which impedances start well; they stay as they were where fitting them does not help. */
static PetscErrorCode FitState(FgEitFit *fit, const double *voltage, const double *deviation, FgModel model)
{
  FgEitBackground mere = {0};
  double         *impedance;

  PetscFunctionBegin;
  PetscCall(FgModelFitBackground(model, voltage, deviation, &mere));
  if (fit->background.impedance) {
    PetscCall(PetscMalloc1(fit->eit->nelectrodes, &impedance));
    PetscCall(PetscArraycpy(impedance, fit->eit->impedance, fit->eit->nelectrodes));
    PetscCall(FgModelFitBackground(model, voltage, deviation, &fit->background));
    fit->background.iterations += mere.iterations;
    if (!(fit->background.chi2 < mere.chi2)) {
      PetscCall(PetscArraycpy(fit->eit->impedance, impedance, fit->eit->nelectrodes));
      fit->background = mere;
    }
    PetscCall(PetscFree(impedance));
  } else fit->background = mere;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitFitBackgroundState(FgEitFit *fit, double **predicted)
{
  const FgEit     eit      = fit->eit;
  const PetscInt  n        = eit->npatterns * eit->nmeasurements;
  const PetscBool absolute = fit->mode == FG_EIT_ABSOLUTE ? PETSC_TRUE : PETSC_FALSE;
  const double   *voltage  = absolute ? eit->voltage : eit->reference;
  const PetscBool mere     = absolute || !fit->isotropic ? PETSC_TRUE : PETSC_FALSE; /* impedances would take up anisotropy */
  const char     *what  = fit->settings->eit.background[0] ? fit->settings->eit.background : mere ? "conductivity" : "impedance";
  const double    start = FgWallSeconds();
  double         *deviation, *size;
  State           state;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, predicted));
  PetscCall(PetscMalloc2(n, &deviation, n, &size));
  PatternSize(eit, voltage, size);
  FgEitDeviation(fit, voltage, size, FgEitModelError(fit), deviation);
  PetscCall(OpenState(fit, FG_EIT_ISOTROPIC, &state));
  fit->background.conductivity = state.model->eit_options.conductivity;
  fit->background.each         = strcmp(what, "each") ? PETSC_FALSE : PETSC_TRUE;
  fit->background.impedance    = fit->background.each || !strcmp(what, "impedance") ? PETSC_TRUE : PETSC_FALSE;
  fit->fitted                  = strcmp(what, "none") ? PETSC_TRUE : PETSC_FALSE;
  if (fit->fitted) PetscCall(FitState(fit, voltage, deviation, state.model));
  if (fit->isotropic && !absolute) PetscCall(Evaluate(&state, log(fit->background.conductivity), *predicted, NULL));
  PetscCall(CloseState(&state));
  if (!fit->isotropic) PetscCall(PorosityState(fit, n, voltage, deviation, *predicted));
  if (absolute) PetscCall(PetscFree(*predicted));
  PetscCall(PetscFree2(deviation, size));
  fit->seconds_background = FgWallSeconds() - start;
  PetscFunctionReturn(PETSC_SUCCESS);
}
