/* memory.h: what a fit will need, before it starts. */
#ifndef FINEGRAIN_APP_MEMORY_H
#define FINEGRAIN_APP_MEMORY_H

#include "finegrain/base.h"

/* Memory of all ranks together [bytes] that a fit of nmask of nvoxels voxels with ndata samples each and ncomponents
   unknowns each takes. An upper estimate: memory.c says what it counts. */
double FgFitMemory(PetscInt nvoxels, PetscInt nmask, PetscInt ndata, PetscInt ncomponents, int ranks);

/* Memory of this machine [bytes]. */
double FgMachineMemory(void);

#endif
