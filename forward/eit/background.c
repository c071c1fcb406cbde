/* background.c: the homogeneous conductivity, and the contact impedances, that explain measured voltages best.

   Unknown are s = log sigma and t_l = log of a factor on z_l, one for all or one each; Gauss-Newton steps damped as Levenberg and
   Marquardt's. Derivatives come from the fields: with E_l the energy of contact l between two currents (FgEitContact),

     dV/dt_l = drive E_l sense^T,   dV/ds = - drive (Z - sum_l E_l) sense^T,

   as the energy Z of a pair of currents is what the volume and the contacts dissipate. Source: K. Levenberg, Quart. Appl. Math. 2 (1944)
   164; P. Vilhunen et al., Meas. Sci. Technol. 13 (2002) 1848, for fitting both to voltages. */
#include "eit.h"

#include <math.h>
#include <petscblaslapack.h>
#include <string.h>

typedef struct {
  FgModel       model;
  const double *voltages, *sigma;
  PetscInt      nfactors, nparameters, ndata;
  double       *impedance; /* [nelectrodes] at the start */
  double       *x, *trial; /* [nparameters] */
  double       *jacobian;  /* [nparameters][ndata], whitened */
  double       *residual;  /* [ndata], whitened, 0 where there is no voltage */
  double       *hessian, *matrix, *step, *gradient;
} Fit;

static PetscErrorCode FitCreate(FgModel model, const FgEitBackground *background, Fit *fit)
{
  const FgEit eit = model->eit;

  PetscFunctionBegin;
  fit->model       = model;
  fit->nfactors    = background->each ? eit->nelectrodes : background->impedance ? 1 : 0;
  fit->nparameters = 1 + fit->nfactors;
  fit->ndata       = eit->npatterns * eit->nmeasurements;
  PetscCall(PetscMalloc1(eit->nelectrodes, &fit->impedance));
  PetscCall(PetscArraycpy(fit->impedance, eit->impedance, eit->nelectrodes));
  PetscCall(PetscCalloc2(fit->nparameters, &fit->x, fit->nparameters, &fit->trial));
  PetscCall(PetscMalloc2((size_t)fit->nparameters * fit->ndata, &fit->jacobian, fit->ndata, &fit->residual));
  PetscCall(PetscMalloc4(fit->nparameters * fit->nparameters, &fit->hessian, fit->nparameters * fit->nparameters, &fit->matrix,
                         fit->nparameters, &fit->step, fit->nparameters, &fit->gradient));
  fit->x[0] = log(model->eit_options.conductivity);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FitDestroy(Fit *fit)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(fit->impedance));
  PetscCall(PetscFree2(fit->x, fit->trial));
  PetscCall(PetscFree2(fit->jacobian, fit->residual));
  PetscCall(PetscFree4(fit->hessian, fit->matrix, fit->step, fit->gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Solves at parameters x; residuals and their chi2. */
static PetscErrorCode Evaluate(Fit *fit, const double *x, double *chi2)
{
  FgEitState *s   = fit->model->context;
  const FgEit eit = fit->model->eit;

  PetscFunctionBegin;
  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    const double factor = fit->nfactors == 0 ? 0.0 : x[fit->nfactors == 1 ? 1 : 1 + l];

    eit->impedance[l] = fit->impedance[l] * exp(factor);
  }
  for (PetscInt i = 0; i < s->space.nsites; i++) {
    for (int c = 0; c < 6; c++) s->trial[6 * i + c] = c < 3 ? exp(x[0]) : 0.0;
  }
  PetscCall(FgEitStateSolve(s, eit, &fit->model->counts));
  *chi2 = 0.0;
  for (PetscInt i = 0; i < fit->ndata; i++) {
    const double value = fit->voltages[i];

    fit->residual[i] = value == value ? (s->voltage[i] - value) / (fit->sigma ? fit->sigma[i] : 1.0) : 0.0;
    *chi2 += fit->residual[i] * fit->residual[i];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* out[ndata] += scale drive products sense^T. */
static void Expand(const Fit *fit, const double *products, double scale, double *out)
{
  const FgEitState    *s = fit->model->context;
  const FgEitCurrents *c = &s->currents;

  for (PetscInt p = 0; p < c->npatterns; p++) {
    for (PetscInt l = 0; l < c->n; l++) {
      double sum = 0.0;

      for (PetscInt k = 0; k < c->driven; k++) sum += c->drive[(size_t)p * c->driven + k] * products[k * c->n + l];
      for (PetscInt q = 0; q < c->nmeasurements; q++) {
        out[(size_t)p * c->nmeasurements + q] += scale * sum * c->sense[(size_t)q * c->n + l];
      }
    }
  }
}

/* The whitened Jacobian at the state, then gradient and Gauss-Newton matrix. */
static PetscErrorCode Differentiate(Fit *fit)
{
  FgEitState    *s = fit->model->context;
  const PetscInt L = s->currents.nelectrodes, n = fit->nparameters, nd = fit->ndata;

  PetscFunctionBegin;
  PetscCall(FgEitStateComplete(s, &fit->model->counts));
  PetscCall(PetscArrayzero(fit->jacobian, (size_t)n * nd));
  for (PetscInt i = 0; i < nd; i++) fit->jacobian[i] = -s->voltage[i];
  for (PetscInt l = 0; l < L; l++) {
    PetscCall(FgEitContact(s, l, s->small[0]));
    Expand(fit, s->small[0], 1.0, fit->jacobian);
    if (fit->nfactors) Expand(fit, s->small[0], 1.0, &fit->jacobian[(size_t)nd * (fit->nfactors == 1 ? 1 : 1 + l)]);
  }
  for (PetscInt a = 0; a < n; a++) {
    for (PetscInt i = 0; i < nd; i++) {
      const double value = fit->voltages[i];

      fit->jacobian[(size_t)a * nd + i] *= value == value ? 1.0 / (fit->sigma ? fit->sigma[i] : 1.0) : 0.0;
    }
  }
  for (PetscInt a = 0; a < n; a++) {
    const double *Ja = &fit->jacobian[(size_t)a * nd];

    fit->gradient[a] = 0.0;
    for (PetscInt i = 0; i < nd; i++) fit->gradient[a] += Ja[i] * fit->residual[i];
    for (PetscInt b = 0; b <= a; b++) {
      const double *Jb  = &fit->jacobian[(size_t)b * nd];
      double        sum = 0.0;

      for (PetscInt i = 0; i < nd; i++) sum += Ja[i] * Jb[i];
      fit->hessian[a * n + b] = fit->hessian[b * n + a] = sum;
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* step = -(H + damping diag H)^-1 gradient, no longer than 1 in any logarithm. */
static PetscErrorCode Step(Fit *fit, double damping)
{
  const PetscInt n    = fit->nparameters;
  PetscBLASInt   size = (PetscBLASInt)n, one = 1, info;
  double         most = 0.0, mean = 0.0;

  PetscFunctionBegin;
  PetscCall(PetscArraycpy(fit->matrix, fit->hessian, n * n));
  for (PetscInt a = 0; a < n; a++) mean += fit->hessian[a * n + a] / (double)n;
  for (PetscInt a = 0; a < n; a++) {
    fit->matrix[a * n + a] += damping * fit->hessian[a * n + a] +
                              1e-12 * mean; /* an electrode that carries nothing says nothing */
    fit->step[a] = -fit->gradient[a];
  }
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("L", &size, fit->matrix, &size, &info));
  if (!info) PetscCallBLAS("LAPACKpotrs", LAPACKpotrs_("L", &size, &one, fit->matrix, &size, fit->step, &size, &info));
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_NOT_CONVERGED,
             "%s: the voltages do not determine the background; expected voltages that depend on conductivity%s",
             fit->model->eit->source, fit->nfactors ? " and contact impedance; fit the conductivity alone" : "");
  for (PetscInt a = 0; a < n; a++) most = fmax(most, fabs(fit->step[a]));
  for (PetscInt a = 0; a < n && most > 1.0; a++) fit->step[a] /= most;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Minimize(Fit *fit, FgEitBackground *background)
{
  double chi2, damping = 1e-3;

  PetscFunctionBegin;
  PetscCall(Evaluate(fit, fit->x, &chi2));
  for (background->iterations = 0; background->iterations < 50;) {
    double change = 0.0, gain = -1.0, predicted = 0.0;

    background->iterations++;
    PetscCall(Differentiate(fit));
    while (gain < 0.0 && damping < 1e12) {
      double chi2_trial;

      PetscCall(Step(fit, damping));
      change = predicted = 0.0;
      for (PetscInt a = 0; a < fit->nparameters; a++) {
        fit->trial[a] = fit->x[a] + fit->step[a];
        change        = fmax(change, fabs(fit->step[a]));
        predicted -= fit->step[a] * fit->gradient[a];
      }
      PetscCall(Evaluate(fit, fit->trial, &chi2_trial));
      if (chi2_trial <= chi2) {
        gain = chi2 - chi2_trial;
        chi2 = chi2_trial;
        PetscCall(PetscArraycpy(fit->x, fit->trial, fit->nparameters));
        damping *= 0.1;
      } else if (predicted <= 1e-12 * chi2 || change < 1e-9) {
        break; /* rounding */
      } else {
        damping = fmax(10.0 * damping, 1e-6);
      }
    }
    if (gain < 0.0 || change < 1e-9 || gain <= 1e-14 * chi2) break;
  }
  PetscCall(Evaluate(fit, fit->x, &background->chi2)); /* impedances and state are those of x */
  background->conductivity = exp(fit->x[0]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelFitBackground(FgModel model, const double *voltages, const double *sigma, FgEitBackground *background)
{
  FgEitOptions  *options = &model->eit_options;
  Fit            fit     = {.voltages = voltages, .sigma = sigma};
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCheck(model->eit && model->context, model->comm, PETSC_ERR_ORDER,
             "model %s: a background is fitted to electrode voltages, after FgModelSetup", model->ops->name);
  PetscCheck(options->conductivity > 0.0, model->comm, PETSC_ERR_USER, "start conductivity %g S/m, expected > 0",
             options->conductivity);
  PetscCall(FitCreate(model, background, &fit));
  code = Minimize(&fit, background);
  if (code) memcpy(model->eit->impedance, fit.impedance, (size_t)model->eit->nelectrodes * sizeof(double));
  PetscCall(FitDestroy(&fit));
  PetscCall(code);
  options->conductivity = background->conductivity;
  if (options->unknowns == FG_EIT_ISOTROPIC) {
    model->components[0].start = fmin(fmax(log(background->conductivity), model->components[0].lower),
                                      model->components[0].upper);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
