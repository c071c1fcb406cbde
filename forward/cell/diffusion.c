/* diffusion.c: physics `diffusion`: effective diffusivity with storage, in both normalisations.

     micro  rho(y) du/dt - div( rho(y) D(y) grad u ) = s,   rho: storage (partition coefficient) of each phase
     macro  <rho> du/dt - div( D* grad u ) = <s>,           D* = P(rho D)

   D* is a flux per total area; D* / <rho> is what a tracer, or diffusion MRI on the mobile water, sees: around impermeable
   fibers D* along the axis is (1 - f) D_e, the apparent value D_e. A phase that holds nothing (storage 0) counts as
   impermeable. Source: docs/physics/conduction.md. */
#include "effective.h"

static PetscErrorCode Tensors(FgCell cell, double **tensors, double *mean_storage)
{
  double *storage;

  PetscFunctionBegin;
  PetscCall(FgCellProperty(cell, "diffusivity", tensors, NULL));
  PetscCall(FgCellProperty(cell, "storage", &storage, NULL));
  *mean_storage = FgCellMean(cell, storage, 1);
  FgTensorsScale(cell, storage, *tensors);
  PetscCall(PetscFree(storage));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The storage that takes part: water in phases that nothing leaves or enters still counts as stored. */
static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  FgConduction   conduction = {0};
  PetscErrorCode code;
  double        *tensors, storage, apparent[9];

  PetscFunctionBegin;
  PetscCall(Tensors(cell, &tensors, &storage));
  if (!(storage > 0)) PetscCall(PetscFree(tensors));
  PetscCheck(storage > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: no phase stores anything: 'storage' [1] is 0 everywhere", cell->table.source);
  code = FgConductionSolve(cell, settings, tensors, "D", &conduction, report);
  if (code) PetscCall(PetscFree(tensors));
  PetscCall(code);
  PetscCall(FgConductionReport(cell, &conduction, tensors, "D", "m^2/s", "effective diffusivity, flux per total area", report));
  for (int i = 0; i < 9; i++) apparent[i] = conduction.energy[i] / storage;
  PetscCall(
      FgReportEffective(report, "D_apparent", "m^2/s", 3, 3, apparent, "apparent diffusivity: D over the mean storage", NULL));
  PetscCall(FgReportEffective(report, "storage", "1", 1, 1, &storage, "mean storage <rho>", NULL));
  PetscCall(FgConductionBounds(cell, tensors, "D", "m^2/s", report));
  PetscCall(PetscFree(tensors));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  double *tensors, storage, bytes;

  if (Tensors(cell, &tensors, &storage)) return 0;
  bytes = FgConductionBytes(cell, settings, tensors, 3);
  PetscFree(tensors);
  return bytes;
}

const FgPhysics FgPhysicsDiffusion = {"diffusion", "effective and apparent diffusivity with storage", Solve, BytesPerVoxel,
                                      PETSC_TRUE};
