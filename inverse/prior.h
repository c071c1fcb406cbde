/* prior.h: the regularizer as a preconditioner, for data that belong to no site.

     P = F S alpha H_R S F + delta F + (I - F),

   H_R the lagged Hessian with the weights that are frozen, S the whitening, F the free variables, delta a small share of the mean
   diagonal, which makes P definite: tikhonov and tv leave constants free. P^-1 (B + alpha H_R), B = J^T W J of low rank, has but few
   eigenvalues that are not about 1, so that conjugate gradients need about as many steps as the data have degrees of freedom, whatever
   the number of variables. One factorization of a matrix with one row a variable and a handful of entries each. */
#ifndef FINEGRAIN_INVERSE_PRIOR_H
#define FINEGRAIN_INVERSE_PRIOR_H

#include "finegrain/problem.h"

#include <petscksp.h>

typedef struct FgPrior_ *FgPrior;
struct FgPrior_ {
  FgProblem problem; /* borrowed */
  Mat       P;
  Vec       unit, rest; /* work */
  double    share;      /* of the usual delta, 1; direct solves stand smaller ones than iterations do */
  PetscInt  factorizations;
};

/* Collective, as all below. */
PETSC_EXTERN PetscErrorCode FgPriorCreate(FgProblem problem, FgPrior *prior);
PETSC_EXTERN PetscErrorCode FgPriorDestroy(FgPrior *prior);
/* P with the weights frozen at field->m, or bent, of the curvature there (FgRegularizerBentMatrix); free: 1 where a variable may move, 0 where it
   is held; NULL: all move. */
PETSC_EXTERN PetscErrorCode FgPriorAssemble(FgPrior prior, PetscBool bent, Vec free);
/* Makes pc the factorization of P, or algebraic multigrid where the factor would be large. */
PETSC_EXTERN PetscErrorCode FgPriorSetPC(FgPrior prior, PC pc);

#endif
