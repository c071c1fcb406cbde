/* influence.h: the posterior Hessian at one field, ready to be applied and solved with many times:

     A = B + alpha H_R,   B = J^T W J,   over the variables that no bound holds (the others: identity), whitened.

   J is evaluated once: B's blocks are kept. H_R is the regularizer's lagged Gauss-Newton Hessian with the weights that are frozen when
   it is applied, or its curvature, in which the weights move with the field. Solves are by conjugate gradients with A's diagonal. */
#ifndef FINEGRAIN_INVERSE_INFLUENCE_H
#define FINEGRAIN_INVERSE_INFLUENCE_H

#include "finegrain/problem.h"

#include <petscksp.h>

typedef struct FgInfluence_ *FgInfluence;
struct FgInfluence_ {
  FgProblem problem;  /* borrowed; its x and work are used */
  PetscBool bent;     /* H_R is the regularizer's curvature instead of its lagged Hessian: false unless set */
  float    *blocks;   /* [nlocal][nc (nc + 1)/2] lower triangles of B's blocks, whitened */
  float    *slope;    /* [nlocal][nc] the misfit's gradient, whitened */
  Vec       free;     /* 1 where a variable may move, 0 on a bound */
  Vec       diagonal; /* of A; 1 on a bound */
  Mat       A;        /* shell */
  KSP       ksp;      /* options prefix "freedom_" */
};

/* Freezes the regularizer at the present field. `free`, `diagonal` and vectors for A are without ghosts. Collective, as all below. */
PETSC_EXTERN PetscErrorCode FgInfluenceCreate(FgProblem problem, FgInfluence *influence);
PETSC_EXTERN PetscErrorCode FgInfluenceDestroy(FgInfluence *influence);
/* y = A v, with data_only: B v. */
PETSC_EXTERN PetscErrorCode FgInfluenceApply(FgInfluence influence, PetscBool data_only, Vec v, Vec y);
/* z = random signs over the free variables, 0 elsewhere; they depend on the seed and the global site only. */
PETSC_EXTERN PetscErrorCode FgInfluenceSigns(FgInfluence influence, unsigned long seed, Vec z);

#endif
