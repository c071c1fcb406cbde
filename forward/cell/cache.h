/* cache.h: what solves of like cells hand on to each other: plans of transforms, and correctors as start values. Private to
   forward/cell/. */
#ifndef FINEGRAIN_FORWARD_CELL_CACHE_H
#define FINEGRAIN_FORWARD_CELL_CACHE_H

#include "solver.h"

enum { FG_CACHE_STARTS = 12 };

struct FgCellCache_ {
  FgSpectral spectral[2]; /* of one component, of several */
  struct {                /* the last solution of each solve's name */
    char    name[FG_CELL_NAME];
    size_t  n;
    double *value;
  } start[FG_CACHE_STARTS];
  struct FgElasticKept_ *elastic; /* the last elastic cell solved, for the next physics that asks for it */
};

PetscErrorCode FgElasticKeptDestroy(struct FgElasticKept_ **kept);

#endif
