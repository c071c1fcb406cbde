/* taylor.h: the observed order of a Taylor remainder. */
#ifndef FINEGRAIN_TAYLOR_H
#define FINEGRAIN_TAYLOR_H

#include "base.h"

/* remainder[n] at steps t that fall by half a decade each. Takes those that stand clear of `floor`, which rounding reaches; gives the
   least and the most observed order between neighbors, and the decades of t over which it is within 0.1 of `expected`. The least is that
   from the first step on which has the expected order, if any has: where a function bends sharply (cylinders about to touch), larger
   steps have any order, while a wrong derivative shows at small ones. A remainder that is below the floor from the beginning is exact:
   the order expected, over all decades. */
PETSC_EXTERN void FgTaylorOrders(PetscInt n, const double remainder[], double floor, double expected, double order[2],
                                 double *decades);

#endif
