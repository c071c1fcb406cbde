/* mesh_tank.c: what a built-in tank must be, and what its electrodes cover. */
#include "mesh_disc.h"

/* Smallest difference of two angles, with its sign. */
static double Turn(double angle)
{
  return angle - 2.0 * PETSC_PI * floor(angle / (2.0 * PETSC_PI) + 0.5);
}

static double Center(const FgTank *tank, PetscInt i)
{
  return tank->z ? tank->z[i] : 0.5 * tank->height;
}

static double Tall(const FgTank *tank, PetscInt i)
{
  return tank->height > 0.0 && tank->tall ? tank->tall[i] : tank->height;
}

PetscBool FgTankCovers(const FgTank *tank, PetscInt electrode, double angle, double z)
{
  if (PetscAbsReal(Turn(angle - tank->angle[electrode])) > 0.5 * tank->width[electrode] / tank->radius) return PETSC_FALSE;
  if (tank->height <= 0.0) return PETSC_TRUE;
  return PetscAbsReal(z - Center(tank, electrode)) <= 0.5 * Tall(tank, electrode) ? PETSC_TRUE : PETSC_FALSE;
}

static PetscErrorCode CheckPair(const FgTank *tank, PetscInt i, PetscInt j)
{
  const double apart  = PetscAbsReal(Turn(tank->angle[i] - tank->angle[j])) * tank->radius;
  const double across = 0.5 * (tank->width[i] + tank->width[j]), circle = 2.0 * PETSC_PI * tank->radius;

  PetscFunctionBegin;
  if (apart >= across - 1e-9 * circle && across <= 0.5 * circle * (1.0 + 1e-9)) PetscFunctionReturn(PETSC_SUCCESS);
  if (tank->height > 0.0 &&
      PetscAbsReal(Center(tank, i) - Center(tank, j)) >= 0.5 * (Tall(tank, i) + Tall(tank, j)) - 1e-9 * tank->height) {
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
          "tank: electrodes %s and %s overlap (centers %g m apart along the wall, widths %g and %g m), expected them apart",
          tank->name[i], tank->name[j], apart, tank->width[i], tank->width[j]);
}

PetscErrorCode FgTankCheck(const FgTank *tank, PetscInt nelements)
{
  PetscFunctionBegin;
  PetscCheck(tank->radius > 0.0 && isfinite(tank->radius) && tank->height >= 0.0 && isfinite(tank->height), PETSC_COMM_SELF,
             PETSC_ERR_FILE_UNEXPECTED, "tank: found radius %g m and height %g m, expected a positive radius", tank->radius,
             tank->height);
  PetscCheck(tank->nelectrodes >= 1 && tank->nelectrodes <= 4096, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "tank: found %" PetscInt_FMT " electrodes, expected 1 to 4096", tank->nelectrodes);
  PetscCheck(nelements >= 1 && nelements <= 50000000, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "tank: found %" PetscInt_FMT " elements asked for, expected 1 to 50000000", nelements);
  for (PetscInt i = 0; i < tank->nelectrodes; i++) {
    const double circle = 2.0 * PETSC_PI * tank->radius;

    PetscCheck(
        isfinite(tank->angle[i]) && tank->width[i] >= 1e-6 * circle && tank->width[i] < circle, PETSC_COMM_SELF,
        PETSC_ERR_FILE_UNEXPECTED,
        "tank: electrode %s is %g m wide at angle %g, expected a width from a millionth of the circle (%g m) to less than it",
        tank->name[i], tank->width[i], tank->angle[i], circle);
    PetscCheck(tank->height <= 0.0 ||
                   (Tall(tank, i) >= 1e-5 * tank->height && Center(tank, i) - 0.5 * Tall(tank, i) >= -1e-9 * tank->height &&
                    Center(tank, i) + 0.5 * Tall(tank, i) <= tank->height * (1.0 + 1e-9)),
               PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "tank: electrode %s is %g m tall at z = %g m, expected it on the wall, from z = 0 to %g m", tank->name[i],
               Tall(tank, i), Center(tank, i), tank->height);
    for (PetscInt j = 0; j < i; j++) PetscCall(CheckPair(tank, i, j));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
