/* closures.c: the list of formulas, and what is common to them: storage (partition) and normalisation.

   With the fiber phase holding a fraction w of the matrix's visible water at equilibrium, the cell problem has the
   coefficient w D in the fiber, and the mean storage is <rho> = porosity + (1 - porosity) w. The effective tensor is a flux
   per total area; the apparent one, divided by <rho>, is what a tracer or DTI on the mobile water sees.
   Source: docs/theory.md, effective diffusion. */
#include "closures/closures.h"

#include <string.h>

const FgClosure *const FgClosures[] = {&FgClosureSeries,         &FgClosureLaminate,    &FgClosureHs2d,
                                       &FgClosureRayleighSquare, &FgClosureRayleighHex, NULL};

const FgClosure *FgClosureFind(const char *name)
{
  for (int i = 0; FgClosures[i]; i++)
    if (!strcmp(name, FgClosures[i]->name)) return FgClosures[i];
  return NULL;
}

PetscErrorCode FgClosureDestroy(const FgClosure **closure)
{
  PetscFunctionBegin;
  if (*closure && (*closure)->destroy) PetscCall((*closure)->destroy((FgClosure *)*closure));
  *closure = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgClosureEvaluate(const FgClosure *closure, const FgPhases *phases, double porosity, double c[2], double dc[2])
{
  const double storage  = phases->fiber_storage;
  FgPhases     weighted = *phases;

  /* Without fiber storage c and <rho> vanish together with the porosity, and their ratio stays finite: stop short of 0/0. */
  if (phases->apparent && storage <= 0.0 && porosity < 1e-6) porosity = 1e-6;
  weighted.fiber_axial *= storage;
  weighted.fiber_radial *= storage;
  closure->evaluate(closure, &weighted, 1.0 - porosity, c, dc);
  for (int i = 0; i < 2; i++) dc[i] = -dc[i];
  if (phases->apparent) {
    const double rho = porosity + (1.0 - porosity) * storage, drho = 1.0 - storage;

    for (int i = 0; i < 2; i++) {
      c[i] /= rho;
      dc[i] = (dc[i] - c[i] * drho) / rho;
    }
  }
}
