/* interface.h: area between phases per volume of the cell. Private to forward/cell/. */
#ifndef FINEGRAIN_FORWARD_CELL_INTERFACE_H
#define FINEGRAIN_FORWARD_CELL_INTERFACE_H

#include "finegrain/cell.h"

/* Area between voxels of phases with first[phase] and voxels of phases with second[phase], per volume of the cell [1/m].
   Collective. */
PetscErrorCode FgInterfaceArea(FgCell cell, const PetscBool *first, const PetscBool *second, double *area);

#endif
