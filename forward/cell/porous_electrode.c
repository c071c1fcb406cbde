/* porous_electrode.c: physics `porous-electrode`: tortuosity and MacMullin number of a conducting phase in an insulator.

     kappa_eff = kappa epsilon / tau,   tau = epsilon kappa / kappa_eff,   N_M = kappa / kappa_eff   (each axis)

   epsilon is the volume fraction of the phases that conduct, kappa their mean conductivity. Bruggeman's estimate
   epsilon^(3/2) is reported beside the cell's own value. Source: docs/physics/weighting.md. */
#include "effective.h"

#include <math.h>

static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  FgConduction   conduction = {.keep = PETSC_FALSE};
  PetscErrorCode code;
  double        *tensors, epsilon = 0, kappa[3] = {0}, tortuosity[3], macmullin[3], bruggeman;

  PetscFunctionBegin;
  PetscCall(FgCellProperty(cell, "conductivity", &tensors, NULL));
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    if (tensors[6 * p] <= 0 && tensors[6 * p + 1] <= 0 && tensors[6 * p + 2] <= 0) continue;
    epsilon += cell->fraction[p];
    for (int a = 0; a < 3; a++) kappa[a] += cell->fraction[p] * tensors[6 * p + a];
  }
  if (!(epsilon > 0)) PetscCall(PetscFree(tensors));
  PetscCheck(epsilon > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: no phase conducts", cell->table.source);
  code = FgConductionSolve(cell, settings, tensors, "kappa", &conduction, report);
  if (code) PetscCall(PetscFree(tensors));
  PetscCall(code);
  PetscCall(FgConductionReport(cell, &conduction, tensors, "kappa", "S/m", "effective conductivity of the electrolyte", report));
  for (int a = 0; a < 3; a++) { /* kappa[a] is epsilon kappa */
    const double effective = conduction.energy[4 * a];

    tortuosity[a] = effective > 0 ? kappa[a] / effective : INFINITY;
    macmullin[a]  = effective > 0 ? kappa[a] / (epsilon * effective) : INFINITY;
  }
  bruggeman = pow(epsilon, 1.5);
  PetscCall(FgReportEffective(report, "epsilon", "1", 1, 1, &epsilon, "volume fraction that conducts", NULL));
  PetscCall(FgReportEffective(report, "tortuosity", "1", 3, 1, tortuosity, "epsilon kappa / kappa_eff along x, y, z", NULL));
  PetscCall(
      FgReportEffective(report, "macmullin", "1", 3, 1, macmullin, "MacMullin number kappa / kappa_eff along x, y, z", NULL));
  PetscCall(FgReportEffective(report, "bruggeman", "1", 1, 1, &bruggeman,
                              "Bruggeman's estimate of kappa_eff / kappa, epsilon^1.5", NULL));
  PetscCall(PetscFree(tensors));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  double *tensors, bytes;

  if (FgCellProperty(cell, "conductivity", &tensors, NULL)) return 0;
  bytes = FgConductionBytes(cell, settings, tensors, 3) + 4.0;
  PetscFree(tensors);
  return bytes;
}

const FgPhysics FgPhysicsPorousElectrode = {
    "porous-electrode", "tortuosity and MacMullin number of an electrolyte in an insulator", Solve, BytesPerVoxel, PETSC_TRUE};
