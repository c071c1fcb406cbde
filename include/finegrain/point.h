/* point.h: FG_LANES sites side by side: their components and frames, and what an objective is there.

   Charts are centered: the tangent coordinates of every point are 0 and its frames are the present directions. */
#ifndef FINEGRAIN_POINT_H
#define FINEGRAIN_POINT_H

#include "field.h"
#include "lanes.h"

enum { FG_MAX_BLOCK = FG_MAX_COMPONENTS * (FG_MAX_COMPONENTS + 1) / 2 };

/* Element (a, b), b <= a, of a symmetric block: its lower triangle by rows. */
#define FG_BLOCK(a, b) ((a) * ((a) + 1) / 2 + (b))

typedef struct {
  _Alignas(64) FgLanes m[FG_MAX_COMPONENTS]; /* [component unit] */
  FgLanes frame[9];
  FgLanes misfit, gradient[FG_MAX_COMPONENTS], hessian[FG_MAX_BLOCK];
} FgBatchPoint;

#endif
