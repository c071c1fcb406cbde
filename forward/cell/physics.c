/* physics.c: the list of physics that homogenise a cell, and one by its name. A new physics is one file and one line here. */
#include "finegrain/cell.h"

#include <string.h>

const FgPhysics *const FgPhysicsList[] = {NULL};

const FgPhysics *FgPhysicsFind(const char *name)
{
  for (PetscInt i = 0; FgPhysicsList[i]; i++) {
    if (!strcmp(name, FgPhysicsList[i]->name)) return FgPhysicsList[i];
  }
  return NULL;
}
