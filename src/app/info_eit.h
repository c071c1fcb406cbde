/* info_eit.h: what `finegrain info` says of an impedance measurement, and of a mesh for one. */
#ifndef FINEGRAIN_APP_INFO_EIT_H
#define FINEGRAIN_APP_INFO_EIT_H

#include "progress.h"

#include <jansson.h>

/* Reads the measurement, prints what it is and adds it to `found`. Rank 0 reads; collective. */
PetscErrorCode FgDescribeEit(const char *path, FgLog *log, json_t *found);
/* Likewise of a Gmsh mesh. */
PetscErrorCode FgDescribeMesh(const char *path, FgLog *log, json_t *found);

#endif
