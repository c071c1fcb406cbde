/* physics.c: the list of physics that homogenise a cell, and one by its name. A new physics is one file and one line here. */
#include "finegrain/cell.h"

#include <string.h>

/* clang-format off */
#define FG_PHYSICS(add) \
  add(FgPhysicsConduction) \
  add(FgPhysicsDiffusion) \
  add(FgPhysicsReaction) \
  add(FgPhysicsPermeability) \
  add(FgPhysicsDispersion) \
  add(FgPhysicsBidomain) \
  add(FgPhysicsIons) \
  add(FgPhysicsChemotaxis) \
  add(FgPhysicsPorousElectrode) \
  add(FgPhysicsElasticity) \
  add(FgPhysicsActiveStress)
/* clang-format on */

#define DECLARE(physics) extern const FgPhysics physics;
#define POINT(physics)   &physics,

FG_PHYSICS(DECLARE)
const FgPhysics *const FgPhysicsList[] = {FG_PHYSICS(POINT) NULL};

const FgCellSettings FgCellDefaults = {.tolerance = 1e-8, .max_iterations = 2000, .solver = FG_CELL_SOLVER_AUTO};

const FgPhysics *FgPhysicsFind(const char *name)
{
  for (PetscInt i = 0; FgPhysicsList[i]; i++) {
    if (!strcmp(name, FgPhysicsList[i]->name)) return FgPhysicsList[i];
  }
  return NULL;
}
