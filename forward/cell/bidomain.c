/* bidomain.c: physics `bidomain`: conductivities of the intracellular and extracellular space, and the membrane's area.

     div( sigma_a grad phi_a ) = 0 in Y_a, no current through the membrane,   a = i, e
     Sigma_a = P( sigma_a 1_{Y_a} ) [S/m of total tissue],   beta = |membrane| / |Y| [1/m]

   Two independent cell problems, each with the other space impermeable. Sigma_i is singular where cells do not touch: in
   layers, or fibers without side connections; that is reported, never smoothed away. Gap junctions are to be put into the
   image as thin resistive voxels. Where both tensors are known the passive cable's space constant needs a membrane
   conductance, which is the user's (docs/physics/macroscopic.md). Source: docs/physics/bidomain.md. */
#include "effective.h"
#include "interface.h"

static const char *const properties[2] = {"intracellular-conductivity", "extracellular-conductivity"};
static const char *const names[2]      = {"Sigma_i", "Sigma_e"};
static const char *const summaries[2]  = {"intracellular conductivity", "extracellular conductivity"};

static PetscBool Conducts(const double *tensor)
{
  return tensor[0] > 0 || tensor[1] > 0 || tensor[2] > 0 ? PETSC_TRUE : PETSC_FALSE;
}

static PetscErrorCode Membrane(FgCell cell, double *const tensors[2], FgCellReport *report)
{
  PetscBool *inside, *outside;
  double     area;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(cell->table.nphases, &inside, cell->table.nphases, &outside));
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    inside[p]  = Conducts(tensors[0] + 6 * p);
    outside[p] = Conducts(tensors[1] + 6 * p);
    PetscCheck(!inside[p] || !outside[p], PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: phase '%s' has both '%s' and '%s'; a phase lies inside or outside of cells", cell->table.source,
               cell->table.phases[p].name, properties[0], properties[1]);
  }
  PetscCall(FgInterfaceArea(cell, inside, outside, &area));
  PetscCall(FgReportEffective(report, "beta", "1/m", 1, 1, &area, "membrane area per volume", NULL));
  PetscCall(PetscFree2(inside, outside));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveSpaces(FgCell cell, const FgCellSettings *settings, double *tensors[2], FgCellReport *report)
{
  PetscFunctionBegin;
  for (int a = 0; a < 2; a++) {
    PetscBool given;

    PetscCall(FgCellProperty(cell, properties[a], &tensors[a], &given));
    PetscCheck(given, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: no phase has '%s' [S/m], which bidomain needs of at least one", cell->table.source, properties[a]);
  }
  PetscCall(Membrane(cell, tensors, report));
  for (int a = 0; a < 2; a++) {
    FgConduction conduction = {.keep = PETSC_FALSE};

    PetscCall(FgConductionSolve(cell, settings, tensors[a], names[a], &conduction, report));
    PetscCall(FgConductionReport(cell, &conduction, tensors[a], names[a], "S/m", summaries[a], report));
    PetscCall(FgConductionBounds(cell, tensors[a], names[a], "S/m", report));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  double        *tensors[2] = {NULL, NULL};
  PetscErrorCode code;

  PetscFunctionBegin;
  code = SolveSpaces(cell, settings, tensors, report);
  for (int a = 0; a < 2; a++) PetscCall(PetscFree(tensors[a]));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  double *tensors, bytes;

  if (FgCellProperty(cell, properties[0], &tensors, NULL)) return 0;
  bytes = FgConductionBytes(cell, settings, tensors, 3) + 4.0;
  PetscFree(tensors);
  return bytes;
}

const FgPhysics FgPhysicsBidomain = {"bidomain", "intracellular and extracellular conductivity, membrane area", Solve,
                                     BytesPerVoxel, PETSC_TRUE};
