/* permeability.c: physics `permeability`: Darcy's law <v> = -(k/mu) grad p of the fluid in a cell.

   k_ij = <v_i> mu/G_j [m^2] with the Stokes flow (stokes.c) that a mean pressure gradient G_j drives along each axis; <> over the
   whole cell, walls too. k is symmetric, and k_jj is also the dissipation <mu |grad v|^2>/G_j^2: both are self-checks.
   The hydraulic conductivity k/mu comes with the viscosity of the cell. Source: docs/physics/advection.md. */
#include "flow.h"

static PetscErrorCode Report(FgCell cell, const FgCellSettings *settings, const PetscBool *open, const FgStokes *stokes,
                             FgCellReport *report)
{
  double       k[9], mobility[9], asymmetry = 0, largest = 0, dissipation = 0, viscosity, porosity = 0;
  FgEffective *item;

  PetscFunctionBegin;
  PetscCall(FgCellValue(cell, "viscosity", &viscosity));
  for (PetscInt p = 0; p < cell->table.nphases; p++) porosity += open[p] ? cell->fraction[p] : 0.0;
  for (int i = 0; i < 3; i++) {
    largest = PetscMax(largest, stokes->k[4 * i]);
    if (stokes->pores.percolates[i])
      dissipation = PetscMax(dissipation, PetscAbsReal(1.0 - stokes->energy[i] / stokes->k[4 * i]));
    for (int j = 0; j < 3; j++) {
      k[3 * i + j]        = 0.5 * (stokes->k[3 * i + j] + stokes->k[3 * j + i]);
      mobility[3 * i + j] = k[3 * i + j] / viscosity;
      asymmetry           = PetscMax(asymmetry, PetscAbsReal(stokes->k[3 * i + j] - stokes->k[3 * j + i]));
    }
  }
  asymmetry = largest > 0 ? asymmetry / largest : 0;
  PetscCall(FgReportEffective(report, "k", "m^2", 3, 3, k, "permeability", NULL));
  PetscCall(
      FgReportEffective(report, "k_over_viscosity", "m^2/(Pa s)", 3, 3, mobility, "Darcy velocity per pressure gradient", &item));
  item->detail = PETSC_TRUE;
  PetscCall(FgReportEffective(report, "porosity", "1", 1, 1, &porosity, "volume fraction of the fluid", &item));
  item->detail = PETSC_TRUE;
  PetscCall(FgReportEffective(report, "k_asymmetry", "1", 1, 1, &asymmetry, "largest |k_ij - k_ji|, relative to the largest k_ii",
                              &item));
  item->detail = PETSC_TRUE;
  PetscCall(FgReportEffective(report, "k_self_check", "1", 1, 1, &dissipation,
                              "flux and dissipation of each flow, largest relative difference", &item));
  item->detail = PETSC_TRUE;
  for (int j = 0; settings->keep_fields && j < 3; j++) {
    static const char axes[] = "xyz";
    char              name[FG_CELL_NAME];

    if (!stokes->velocity[j]) continue;
    PetscCall(PetscSNPrintf(name, sizeof(name), "flow_%c", axes[j]));
    PetscCall(FgReportField(report, cell, name, "m^2", 3, stokes->velocity[j]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  FgStokes       stokes = {.keep = settings->keep_fields};
  PetscBool     *open;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(FgFluidPhases(cell, &open));
  code = FgStokesSolve(cell, settings, open, &stokes, report);
  if (!code) code = Report(cell, settings, open, &stokes, report);
  PetscCall(FgStokesDestroy(&stokes));
  PetscCall(PetscFree(open));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  return FgStokesBytes(cell, settings->keep_fields);
}

const FgPhysics FgPhysicsPermeability = {"permeability", "Stokes flow through the pores: permeability of Darcy's law", Solve,
                                         BytesPerVoxel, PETSC_FALSE};
