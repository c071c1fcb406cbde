/* uncertainty.h: parts of FgProblemCovariance by themselves, so that what it approximates can be computed exactly. */
#ifndef FINEGRAIN_INVERSE_UNCERTAINTY_H
#define FINEGRAIN_INVERSE_UNCERTAINTY_H

#include "finegrain/problem.h"

/* Recenters the field, gives J^T W J of every site in blocks[nlocal][nc (nc + 1)/2], and freezes the regularizer's weights at expected
   differences: its Hessian is then that of the posterior whose covariance is reported. Collective. */
PETSC_EXTERN PetscErrorCode FgUncertaintyFreeze(FgProblem problem, float *blocks);
/* Freezes the weights at expected differences, for which each variable counts by itself, with the precision [1/component unit^2] that the
   data alone give it, laid out as the field; nothing where the regularizer is quadratic. Collective. */
PETSC_EXTERN PetscErrorCode FgExpectDifferences(FgProblem problem, Vec precision);

#endif
