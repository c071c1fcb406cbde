/* ktc.c: measurements of the Kuopio Tomography Challenge 2023 out of MATLAB files. A plastic tank of circular section with 32 electrodes.

   ref.mat (the tank filled with water alone) holds Injref [32 x 76], currents into the electrodes [mA], Mpat [32 x 31], measurement patterns,
   and Uelref [31*76], voltages [V], those of the first current pattern first; dataN.mat holds Uel, likewise of a target, and may repeat
   Inj and Mpat. The model is two-dimensional, so currents count per metre of depth, and a conductivity is that of a tank one metre deep.
   Noise as the organizers have it: variance (0.05 % of the voltage)^2 + (0.01 % of the largest)^2. Their contact impedance, 1e-6 with currents
   in mA, is 1e-3 ohm m^2; a start value, to be fitted.
   Source: Rasanen et al., Kuopio Tomography Challenge 2023 open electrical impedance tomographic dataset, https://zenodo.org/record/8252370 */
#include "matlab.h"

#include "finegrain/eit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define RADIUS            0.115 /* [m] */
#define ELECTRODE_DEGREES 5.625 /* along the wall */
#define FIRST_DEGREES     90.0  /* the first electrode stands at 12 o'clock, the others follow counter-clockwise */
#define AMPERE            1e-3  /* per unit of the files */
#define IMPEDANCE         1e-3  /* [ohm m^2] */
#define RELATIVE_NOISE    5e-4
#define LARGEST_NOISE     1e-4 /* of the largest voltage */
#define SAME_CURRENT      1e-3 /* relative difference of two current patterns that are called the same */

static const char expected_data[]      = "data of the challenge (dataN.mat: Uel)";
static const char expected_reference[] = "its reference (ref.mat: Injref, Mpat, Uelref)";

typedef struct {
  FgMatrix reference_current, current, pattern, reference, voltage;
} Ktc;

static PetscErrorCode Check(const char *path, const char *reference, const Ktc *ktc)
{
  const FgMatrix *current = &ktc->reference_current, *pattern = &ktc->pattern, *voltage = &ktc->voltage;
  const FgMatrix *uelref  = &ktc->reference;
  double          largest = 0.0, apart = 0.0;

  PetscFunctionBegin;
  PetscCheck(pattern->rows == current->rows && current->rows >= 2, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found currents of %zu electrodes and measurement patterns of %zu, expected the same number", reference,
             current->rows, pattern->rows);
  PetscCheck(uelref->rows * uelref->columns == pattern->columns * current->columns, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %zu voltages Uelref, expected %zu x %zu", reference, uelref->rows * uelref->columns, pattern->columns,
             current->columns);
  PetscCheck(voltage->rows * voltage->columns == pattern->columns * current->columns, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %zu voltages Uel, expected %zu x %zu as in %s", path, voltage->rows * voltage->columns, pattern->columns,
             current->columns, reference);
  if (!ktc->current.values) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(ktc->current.rows == current->rows && ktc->current.columns == current->columns, PETSC_COMM_SELF,
             PETSC_ERR_FILE_UNEXPECTED, "%s: found currents Inj of %zu x %zu, expected %zu x %zu as in %s", path,
             ktc->current.rows, ktc->current.columns, current->rows, current->columns, reference);
  for (size_t i = 0; i < current->rows * current->columns; i++) {
    largest = fmax(largest, fabs(current->values[i]));
    apart   = fmax(apart, fabs(current->values[i] - ktc->current.values[i]));
  }
  PetscCheck(
      apart <= SAME_CURRENT * largest, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
      "%s: the currents Inj are other ones than Injref of %s (by %.3g of the largest); expected the reference of these data",
      path, reference, largest > 0.0 ? apart / largest : 0.0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Fill(const Ktc *ktc, FgEit eit)
{
  const size_t n       = (size_t)eit->npatterns * (size_t)eit->nmeasurements;
  const double radian  = PETSC_PI / 180.0;
  double       largest = 0.0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &eit->noise));
  PetscCall(PetscMalloc1(n, &eit->reference));
  PetscCall(PetscMalloc1(eit->nelectrodes, &eit->angle));
  PetscCall(PetscMalloc1(eit->nelectrodes, &eit->width));
  eit->radius = RADIUS;
  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    snprintf(eit->name[l], sizeof eit->name[l], "%" PetscInt_FMT, l + 1);
    eit->impedance[l] = IMPEDANCE;
    eit->angle[l]     = (FIRST_DEGREES + 360.0 * (double)l / (double)eit->nelectrodes) * radian;
    eit->width[l]     = ELECTRODE_DEGREES * radian * RADIUS;
  }
  /* Matrices lie column by column: a column of currents is a row here, as the voltages of a pattern are. */
  for (size_t i = 0; i < (size_t)eit->npatterns * (size_t)eit->nelectrodes; i++)
    eit->current[i] = AMPERE * ktc->reference_current.values[i];
  PetscCall(PetscArraycpy(eit->pattern, ktc->pattern.values, (size_t)eit->nmeasurements * (size_t)eit->nelectrodes));
  PetscCall(PetscArraycpy(eit->voltage, ktc->voltage.values, n));
  PetscCall(PetscArraycpy(eit->reference, ktc->reference.values, n));
  for (size_t i = 0; i < n; i++) {
    if (isnan(eit->reference[i])) eit->voltage[i] = NAN;
    if (isfinite(eit->voltage[i])) largest = fmax(largest, fabs(eit->voltage[i]));
  }
  for (size_t i = 0; i < n; i++) eit->noise[i] = hypot(RELATIVE_NOISE * eit->voltage[i], LARGEST_NOISE * largest);
  PetscCall(FgEitCheck(eit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitReadKtc(const char *data, const char *reference, FgEit *eit)
{
  Ktc            ktc  = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  PetscFunctionBegin;
  *eit = NULL;
  code = FgMatlabRead(reference, "Injref", expected_reference, &ktc.reference_current);
  if (!code) code = FgMatlabRead(reference, "Mpat", expected_reference, &ktc.pattern);
  if (!code) code = FgMatlabRead(reference, "Uelref", expected_reference, &ktc.reference);
  if (!code) code = FgMatlabRead(data, "Uel", expected_data, &ktc.voltage);
  if (!code) code = FgMatlabRead(data, "Inj", NULL, &ktc.current);
  if (!code) code = Check(data, reference, &ktc);
  if (!code)
    code = FgEitCreate((PetscInt)ktc.reference_current.rows, (PetscInt)ktc.reference_current.columns,
                       (PetscInt)ktc.pattern.columns, eit);
  if (!code) code = PetscStrncpy((*eit)->source, data, sizeof(*eit)->source);
  if (!code) code = Fill(&ktc, *eit);
  PetscCall(PetscFree(ktc.reference_current.values));
  PetscCall(PetscFree(ktc.current.values));
  PetscCall(PetscFree(ktc.pattern.values));
  PetscCall(PetscFree(ktc.reference.values));
  PetscCall(PetscFree(ktc.voltage.values));
  if (code) PetscCall(FgEitDestroy(eit));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}
