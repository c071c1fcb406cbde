/* conduction.c: physics `conduction`: effective conductivity of phases with given conductivity tensors.

     -div( K(y) (e_j + grad chi_j) ) = 0,   K*_ij = < (e_i + grad chi_i) . K (e_j + grad chi_j) >

   Electric, thermal or hydraulic alike; `diffusion` adds storage and its two normalisations. The derivative of K* with
   respect to a phase's conductivity needs no further solve, the problem being self-adjoint:
     d(K_ij) / d(k_p) = < (e_i + grad chi_i) . 1_p (e_j + grad chi_j) >,   sum_p k_p d(K) / d(k_p) = K  (Euler).
   Source: docs/physics/conduction.md. */
#include "effective.h"

static PetscErrorCode Sensitivities(FgCell cell, const FgConduction *conduction, FgCellReport *report)
{
  const PetscBool scaled = conduction->sensitivity ? PETSC_TRUE : PETSC_FALSE; /* tensors have no one conductivity */
  double         *values;

  PetscFunctionBegin;
  if (!scaled && (!conduction->op || cell->fine)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(cell->table.nphases * 9, &values));
  if (scaled) PetscCall(PetscArraycpy(values, conduction->sensitivity, cell->table.nphases * 9));
  else PetscCall(FgScalarSensitivity(conduction->op, conduction->chi, conduction->chi, values));
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    char         name[FG_CELL_NAME], text[256];
    FgEffective *item;

    if (cell->fraction[p] == 0) continue;
    PetscCall(PetscSNPrintf(name, sizeof(name), scaled ? "dK_dln_%s" : "dK_d_%s", cell->table.phases[p].name));
    PetscCall(PetscSNPrintf(text, sizeof(text), "derivative of K with respect to the %sconductivity of %s",
                            scaled ? "logarithm of the " : "", cell->table.phases[p].name));
    PetscCall(FgReportEffective(report, name, scaled ? "S/m" : "1", 3, 3, values + 9 * p, text, &item));
    item->detail = PETSC_TRUE;
  }
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  FgConduction   conduction = {.keep = PETSC_TRUE};
  PetscErrorCode code;
  double        *tensors;

  PetscFunctionBegin;
  PetscCall(FgCellProperty(cell, "conductivity", &tensors, NULL));
  code = FgConductionSolve(cell, settings, tensors, "K", &conduction, report);
  if (code) PetscCall(PetscFree(tensors));
  PetscCall(code);
  PetscCall(FgConductionReport(cell, &conduction, tensors, "K", "S/m", "effective conductivity", report));
  PetscCall(FgConductionBounds(cell, tensors, "K", "S/m", report));
  PetscCall(Sensitivities(cell, &conduction, report));
  PetscCall(FgConductionDestroy(&conduction));
  PetscCall(PetscFree(tensors));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  double *tensors, bytes;

  if (FgCellProperty(cell, "conductivity", &tensors, NULL)) return 0;
  bytes = FgConductionBytes(cell, settings, tensors, 3);
  PetscFree(tensors);
  return bytes;
}

const FgPhysics FgPhysicsConduction = {"conduction", "effective conductivity (electric, thermal, ...)", Solve, BytesPerVoxel,
                                       PETSC_TRUE};
