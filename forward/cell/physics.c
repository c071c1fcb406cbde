/* physics.c: the list of physics that homogenise a cell, and one by its name. A new physics is one file and one line here. */
#include "finegrain/cell.h"

#include <string.h>

extern const FgPhysics FgPhysicsConduction;

const FgPhysics *const FgPhysicsList[] = {&FgPhysicsConduction, NULL};

const FgCellSettings FgCellDefaults = {.tolerance = 1e-8, .max_iterations = 2000, .solver = FG_CELL_SOLVER_AUTO};

const FgPhysics *FgPhysicsFind(const char *name)
{
  for (PetscInt i = 0; FgPhysicsList[i]; i++) {
    if (!strcmp(name, FgPhysicsList[i]->name)) return FgPhysicsList[i];
  }
  return NULL;
}
