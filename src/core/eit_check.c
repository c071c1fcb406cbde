/* eit_check.c: everything that must hold of an impedance measurement, before anything is computed from it. Electrodes go by their
   names in messages, patterns by their numbers from 1. */
#include "finegrain/eit.h"

#include <math.h>
#include <string.h>

#define SUM_TOLERANCE   1e-6 /* of the largest entry of a pattern */
#define PLACE_TOLERANCE 1e-6 /* of the size of the domain: closer electrodes are one and the same */

/* Rows of currents or of measurement weights: finite, not all zero, of sum zero. */
static PetscErrorCode CheckPatterns(FgEit eit, const char *what, const char *unit, PetscInt n, const double *rows)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    const double *row = rows + (size_t)i * (size_t)eit->nelectrodes;
    double        sum = 0.0, largest = 0.0;

    for (PetscInt l = 0; l < eit->nelectrodes; l++) {
      PetscCheck(isfinite(row[l]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: %s pattern %" PetscInt_FMT ": found %.6g%s at electrode %s, expected a finite number", eit->source, what,
                 i + 1, row[l], unit, eit->name[l]);
      sum += row[l];
      largest = fmax(largest, fabs(row[l]));
    }
    PetscCheck(largest > 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: %s pattern %" PetscInt_FMT " is zero at every electrode, expected at least two that are not; leave it out",
               eit->source, what, i + 1);
    PetscCheck(fabs(sum) <= SUM_TOLERANCE * largest, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: %s pattern %" PetscInt_FMT
               " sums to %.6g%s over the electrodes, expected 0 (within %.6g of its largest, %.6g%s)",
               eit->source, what, i + 1, sum, unit, SUM_TOLERANCE, largest, unit);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckVoltages(FgEit eit)
{
  PetscInt finite = 0;

  PetscFunctionBegin;
  for (PetscInt p = 0; p < eit->npatterns; p++) {
    for (PetscInt m = 0; m < eit->nmeasurements; m++) {
      const size_t i = (size_t)p * (size_t)eit->nmeasurements + (size_t)m;

      PetscCheck(!isinf(eit->voltage[i]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: voltage of current pattern %" PetscInt_FMT ", measurement %" PetscInt_FMT
                 ": found %.6g V, expected a finite number, or NaN where it was not measured",
                 eit->source, p + 1, m + 1, eit->voltage[i]);
      if (isnan(eit->voltage[i])) continue;
      finite++;
      PetscCheck(!eit->noise || (eit->noise[i] > 0.0 && isfinite(eit->noise[i])), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: noise of current pattern %" PetscInt_FMT ", measurement %" PetscInt_FMT
                 ": found %.6g V, expected a standard deviation above 0",
                 eit->source, p + 1, m + 1, eit->noise[i]);
      PetscCheck(!eit->reference || isfinite(eit->reference[i]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: reference voltage of current pattern %" PetscInt_FMT ", measurement %" PetscInt_FMT
                 ": found %.6g V, expected a finite number where the voltage is one",
                 eit->source, p + 1, m + 1, eit->reference[i]);
    }
  }
  PetscCheck(finite > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no voltage among %" PetscInt_FMT " x %" PetscInt_FMT ", expected at least one that is not NaN",
             eit->source, eit->npatterns, eit->nmeasurements);
  eit->ndropped = eit->npatterns * eit->nmeasurements - finite;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* An electrode is silent that no pattern drives and no voltage uses: it is passive metal. */
static PetscErrorCode CountSilent(FgEit eit)
{
  PetscBool *used;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(eit->nmeasurements, &used));
  for (PetscInt p = 0; p < eit->npatterns; p++) {
    for (PetscInt m = 0; m < eit->nmeasurements; m++) {
      if (isfinite(eit->voltage[(size_t)p * (size_t)eit->nmeasurements + (size_t)m])) used[m] = PETSC_TRUE;
    }
  }
  eit->nsilent = 0;
  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    PetscBool heard = PETSC_FALSE;

    for (PetscInt p = 0; p < eit->npatterns && !heard; p++) {
      if (eit->current[(size_t)p * (size_t)eit->nelectrodes + (size_t)l] != 0.0) heard = PETSC_TRUE;
    }
    for (PetscInt m = 0; m < eit->nmeasurements && !heard; m++) {
      if (used[m] && eit->pattern[(size_t)m * (size_t)eit->nelectrodes + (size_t)l] != 0.0) heard = PETSC_TRUE;
    }
    if (!heard) eit->nsilent++;
  }
  PetscCall(PetscFree(used));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckElectrodes(FgEit eit)
{
  PetscFunctionBegin;
  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    const char *const name = eit->name[l];

    PetscCheck(name[0] && memchr(name, 0, sizeof eit->name[l]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: electrode %" PetscInt_FMT " has no name, expected one of 1 to %d characters", eit->source, l + 1,
               (int)sizeof eit->name[l] - 1);
    for (PetscInt k = 0; k < l; k++) {
      PetscCheck(strcmp(name, eit->name[k]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: electrodes %" PetscInt_FMT " and %" PetscInt_FMT " are both called %s, expected names that differ",
                 eit->source, k + 1, l + 1, name);
    }
    PetscCheck(isfinite(eit->impedance[l]) && eit->impedance[l] > 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: electrode %s: found a contact impedance of %.6g ohm m^2, expected one above 0", eit->source, name,
               eit->impedance[l]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Domains ----------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode CheckTank(FgEit eit)
{
  const double radius = eit->radius, height = eit->height;

  PetscFunctionBegin;
  PetscCheck(isfinite(radius) && radius >= 0.0 && isfinite(height) && height >= 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a tank of radius %.6g m and height %.6g m, expected a radius above 0 and a height of 0 (a disc) or more",
             eit->source, radius, height);
  if (radius == 0.0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(eit->angle && eit->width && (height == 0.0 || eit->tall), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a tank whose electrodes have no %s", eit->source,
             !eit->angle   ? "angle"
             : !eit->width ? "width"
                           : "vertical extent (tall)");
  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    PetscCheck(isfinite(eit->angle[l]) && isfinite(eit->width[l]) && eit->width[l] > 0.0, PETSC_COMM_SELF,
               PETSC_ERR_FILE_UNEXPECTED,
               "%s: electrode %s: found the angle %.6g rad and the width %.6g m, expected a width above 0", eit->source,
               eit->name[l], eit->angle[l], eit->width[l]);
    if (height > 0.0)
      PetscCheck(
          (!eit->z || (eit->z[l] >= 0.0 && eit->z[l] <= height)) && eit->tall[l] > 0.0 && eit->tall[l] <= height, PETSC_COMM_SELF,
          PETSC_ERR_FILE_UNEXPECTED,
          "%s: electrode %s: found the height %.6g m and the vertical extent %.6g m, expected both within the tank's %.6g m",
          eit->source, eit->name[l], eit->z ? eit->z[l] : height / 2.0, eit->tall[l], height);
    for (PetscInt k = 0; k < l; k++) {
      const double apart = radius * fabs(remainder(eit->angle[l] - eit->angle[k], 2.0 * PETSC_PI));
      const double above = eit->z && height > 0.0 ? fabs(eit->z[l] - eit->z[k]) : 0.0;

      PetscCheck(hypot(apart, above) > PLACE_TOLERANCE * radius, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: electrodes %s and %s have the same place on the tank's wall", eit->source, eit->name[k], eit->name[l]);
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckPositions(FgEit eit)
{
  double size = 0.0;

  PetscFunctionBegin;
  if (!eit->position) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt i = 0; i < 3 * eit->nelectrodes; i++) {
    PetscCheck(isfinite(eit->position[i]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: electrode %s has a position that is not finite", eit->source, eit->name[i / 3]);
    size = fmax(size, fabs(eit->position[i] - eit->position[i % 3]));
  }
  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    const double *x = eit->position + 3 * l;

    PetscCheck(!eit->electrode_radius || (isfinite(eit->electrode_radius[l]) && eit->electrode_radius[l] > 0.0), PETSC_COMM_SELF,
               PETSC_ERR_FILE_UNEXPECTED, "%s: electrode %s: found a radius of %.6g m, expected one above 0", eit->source,
               eit->name[l], eit->electrode_radius[l]);
    for (PetscInt k = 0; k < l; k++) {
      const double *y = eit->position + 3 * k;

      PetscCheck(fmax(fabs(x[0] - y[0]), fmax(fabs(x[1] - y[1]), fabs(x[2] - y[2]))) > PLACE_TOLERANCE * size, PETSC_COMM_SELF,
                 PETSC_ERR_FILE_UNEXPECTED, "%s: electrodes %s and %s have the same position", eit->source, eit->name[k],
                 eit->name[l]);
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitCheck(FgEit eit)
{
  PetscFunctionBegin;
  PetscCheck(eit->nelectrodes >= 2, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " electrode, expected at least 2", eit->source, eit->nelectrodes);
  PetscCall(CheckElectrodes(eit));
  PetscCheck(isfinite(eit->depth) && eit->depth > 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a depth of %.6g m, expected one above 0 (1 where currents are per metre)", eit->source, eit->depth);
  PetscCheck(isfinite(eit->background) && eit->background >= 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a background conductivity of %.6g S/m, expected one above 0, or 0 where it is not known", eit->source,
             eit->background);
  PetscCall(CheckPatterns(eit, "current", " A", eit->npatterns, eit->current));
  PetscCall(CheckPatterns(eit, "measurement", "", eit->nmeasurements, eit->pattern));
  PetscCall(CheckVoltages(eit));
  PetscCall(CountSilent(eit));
  PetscCall(CheckTank(eit));
  PetscCall(CheckPositions(eit));
  if (eit->mesh)
    PetscCheck(eit->mesh->nelectrodes == eit->nelectrodes, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found a mesh with %" PetscInt_FMT " electrodes, expected the measurement's %" PetscInt_FMT, eit->source,
               eit->mesh->nelectrodes, eit->nelectrodes);
  PetscFunctionReturn(PETSC_SUCCESS);
}
