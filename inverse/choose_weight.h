/* choose_weight.h: the choice of the weight where data belong to no site. */
#ifndef FINEGRAIN_INVERSE_CHOOSE_WEIGHT_H
#define FINEGRAIN_INVERSE_CHOOSE_WEIGHT_H

#include "finegrain/problem.h"

/* FgSolveChooseWeight by discrepancy or gcv. Collective. */
PETSC_EXTERN PetscErrorCode FgChooseWeightGlobal(FgProblem problem, const FgSolveOptions *options, const char *criterion,
                                                 double alpha_start, unsigned long seed, FgWeightSearch *search,
                                                 FgSolveReport *report);

#endif
