/* fit_eit_data.c: which numbers a fit of voltages is asked to match, and how well.

     absolute     U
     calibrated   F(m0) + U - U_ref,   m0 the homogeneous state fitted to the reference U_ref: what the model gets wrong in both states
     difference   likewise             (walls, electrodes, the third dimension) cancels

   Variance: that of the noise, of both sets where there are two, and (model error times the signal)^2: a model that is a few per cent wrong
   about the field is as much wrong about what an inclusion does to it. The signal is U, or U - U_ref. Where more current patterns of a
   difference were driven than are independent, what they contradict each other says more than a guess (eit_noise.c). */
#include "fit_eit.h"

#include <math.h>
#include <string.h>

#define NOISE_RELATIVE        1e-3 /* where neither file nor options say [1] */
#define NOISE_ABSOLUTE        1e-4 /* likewise, of the largest voltage [1] */
#define REFERENCE_MODEL_ERROR 0.05
#define LEAST_REDUNDANCY      10 /* degrees of freedom a measurement from which its deviation is taken from contradictions */

const char *const FgEitModes[] = {"absolute", "calibrated", "difference", NULL};

PetscErrorCode FgEitChooseMode(FgEitFit *fit)
{
  const char *word = fit->settings->eit.data;

  PetscFunctionBegin;
  if (!word[0]) word = FgEitModes[fit->eit->reference ? FG_EIT_CALIBRATED : FG_EIT_ABSOLUTE];
  for (int k = 0; FgEitModes[k]; k++) {
    if (!strcmp(word, FgEitModes[k])) fit->mode = (FgEitMode)k;
  }
  PetscCheck(fit->mode == FG_EIT_ABSOLUTE || fit->eit->reference, PETSC_COMM_SELF, PETSC_ERR_USER,
             "--data %s: found no reference voltages in %s, expected a set; fit it with --data absolute", word, fit->eit->source);
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FgEitModelError(const FgEitFit *fit)
{
  if (!isnan(fit->settings->eit.model_error)) return fit->settings->eit.model_error;
  return fit->mode == FG_EIT_ABSOLUTE ? 0.0 : REFERENCE_MODEL_ERROR;
}

void FgEitDeviation(const FgEitFit *fit, const double *voltage, const double *size, double model_error, double *deviation)
{
  const FgEitFitSettings *s       = &fit->settings->eit;
  const FgEit             eit     = fit->eit;
  const size_t            n       = (size_t)eit->npatterns * (size_t)eit->nmeasurements;
  const PetscBool         by_file = eit->noise && isnan(s->noise_relative) && isnan(s->noise_absolute) ? PETSC_TRUE : PETSC_FALSE;
  double                  largest = 0.0, relative, absolute;

  for (size_t i = 0; i < n; i++) {
    if (isfinite(voltage[i])) largest = fmax(largest, fabs(voltage[i]));
  }
  /* One of the two options given: the other is 0. */
  relative = !isnan(s->noise_relative) ? s->noise_relative : isnan(s->noise_absolute) ? NOISE_RELATIVE : 0.0;
  absolute = !isnan(s->noise_absolute) ? s->noise_absolute : isnan(s->noise_relative) ? NOISE_ABSOLUTE * largest : 0.0;
  for (size_t i = 0; i < n; i++) {
    const double noise = by_file ? eit->noise[i] : hypot(relative * voltage[i], absolute);

    deviation[i] = hypot(noise, model_error * size[i]);
  }
}

static int CompareDoubles(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Where current patterns are redundant, what they contradict each other tells how well the differences are known, measurement by
   measurement, their noise included: deviation becomes at least that. FALSE in contradicted where they are not. */
static PetscErrorCode RaiseToContradiction(FgEitFit *fit, const double *difference, double *deviation)
{
  const FgEit  eit = fit->eit;
  const size_t n   = (size_t)eit->npatterns * (size_t)eit->nmeasurements;
  double      *contradiction;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(eit->nmeasurements, &contradiction));
  PetscCall(FgEitContradiction(eit, difference, contradiction, &fit->contradictions));
  fit->contradicted = isfinite(contradiction[0]) && fit->contradictions >= LEAST_REDUNDANCY * eit->nmeasurements ? PETSC_TRUE
                                                                                                                 : PETSC_FALSE;
  for (size_t i = 0; i < n && fit->contradicted; i++)
    deviation[i] = fmax(deviation[i], contradiction[i % (size_t)eit->nmeasurements]);
  PetscCall(PetscFree(contradiction));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Of the difference of two sets; without redundant patterns with the model error. */
static PetscErrorCode DifferenceDeviation(FgEitFit *fit, const double *difference, double *deviation)
{
  const FgEit  eit = fit->eit;
  const size_t n   = (size_t)eit->npatterns * (size_t)eit->nmeasurements;
  double      *noise;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &noise));
  FgEitDeviation(fit, eit->voltage, difference, 0.0, deviation);
  FgEitDeviation(fit, eit->reference, difference, 0.0, noise);
  for (size_t i = 0; i < n; i++) deviation[i] = hypot(deviation[i], noise[i]);
  if (isnan(fit->settings->eit.model_error)) PetscCall(RaiseToContradiction(fit, difference, deviation));
  for (size_t i = 0; i < n && !fit->contradicted; i++) deviation[i] = hypot(deviation[i], FgEitModelError(fit) * difference[i]);
  PetscCall(PetscFree(noise));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitSetData(FgEitFit *fit, const double *predicted)
{
  const FgEit  eit = fit->eit;
  const size_t n   = (size_t)eit->npatterns * (size_t)eit->nmeasurements;
  double      *size, *sorted, least = INFINITY;
  PetscInt     first, nlocal;
  PetscMPIInt  rank, ranks;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n, &fit->value, n, &fit->deviation));
  PetscCall(PetscMalloc2(n, &size, n, &sorted));
  for (size_t i = 0; i < n; i++) {
    size[i]       = predicted ? eit->voltage[i] - eit->reference[i] : eit->voltage[i];
    fit->value[i] = predicted ? predicted[i] + size[i] : size[i];
  }
  if (predicted) PetscCall(DifferenceDeviation(fit, size, fit->deviation));
  else FgEitDeviation(fit, eit->voltage, size, FgEitModelError(fit), fit->deviation);
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(fit->value[i]) || !isfinite(fit->deviation[i])) {
      fit->value[i]     = NAN;
      fit->deviation[i] = 1.0;
      continue;
    }
    sorted[fit->samples++] = fit->deviation[i];
    least                  = fmin(least, fit->deviation[i]);
  }
  qsort(sorted, (size_t)fit->samples, sizeof(*sorted), CompareDoubles);
  fit->noise_median = fit->samples ? sorted[fit->samples / 2] : 0.0;
  PetscCall(PetscFree2(size, sorted));
  PetscCheck(fit->samples, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no voltage that can be fitted, expected at least one", eit->source);
  PetscCheck(least > 0.0, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found a voltage without noise, expected a standard deviation above 0; give --noise-absolute", eit->source);
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  FgDomainRun((PetscInt)n, rank, ranks, &first, &nlocal);
  PetscCall(PetscMalloc2(nlocal, &fit->local_value, nlocal, &fit->local_deviation));
  for (PetscInt i = 0; i < nlocal; i++) {
    fit->local_value[i]     = (float)fit->value[first + i];
    fit->local_deviation[i] = (float)fit->deviation[first + i];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
