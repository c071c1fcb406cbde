/* uncertainty.h: the first half of FgProblemCovariance by itself, so that what it approximates can be computed exactly. */
#ifndef FINEGRAIN_INVERSE_UNCERTAINTY_H
#define FINEGRAIN_INVERSE_UNCERTAINTY_H

#include "finegrain/problem.h"

/* Recenters the field, gives J^T W J of every site in blocks[nlocal][nc (nc + 1)/2], and freezes the regularizer's weights at expected
   differences: its Hessian is then that of the posterior whose covariance is reported. Collective. */
PETSC_EXTERN PetscErrorCode FgUncertaintyFreeze(FgProblem problem, float *blocks);

#endif
