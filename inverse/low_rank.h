/* low_rank.h: the Gauss-Newton system solved at once, where the data say far less than there are unknowns.

   With B = V V^T of rank r (FgModelLowRank, whitened) and the prior's matrix P (prior.h), both over the free variables,

     (P + V V^T)^-1 = P^-1 - K (I + S)^-1 K^T,   K = P^-1 V,   S = V^T K,

   which is r solves with the factor of P and products of matrices; conjugate gradients would take a product with J and J^T for every
   degree of freedom, in each system anew. The eigenvalues of S, by how much more the data say than the prior, fall off by orders of
   magnitude: of V the part is kept where they are above FG_LOW_RANK_SHARE when a linearization is first factored. What is left out
   would lower the objective by at most that share of chi-squared.  Degrees of freedom are  tr(S (I + S)^-1).
   Source: M. A. Woodbury, Princeton Statistical Research Group memorandum 42 (1950); N. J. Higham, Accuracy and Stability of Numerical
   Algorithms (2002), section 26. */
#ifndef FINEGRAIN_INVERSE_LOW_RANK_H
#define FINEGRAIN_INVERSE_LOW_RANK_H

#include "finegrain/problem.h"

#include <petscksp.h>

#define FG_LOW_RANK_SHARE 1e-4

typedef struct FgLowRank_ *FgLowRank;
struct FgLowRank_ {
  PetscInt n, rank,
      kept; /* variables of this rank; columns of V as the model gives them, and as they are kept; kept 0: not factored yet */
  double *rows, *root; /* [n][rank], [rank][rank]: V = rows root */
  double *small[2];    /* [rank][rank] work */
  double *V;           /* [kept][n] */
  double *factor;      /* [kept][kept] Cholesky's of I + S */
  Mat     K;
};

/* *low_rank stays NULL where the model has none or it would take more memory than MOST_BYTES. Collective, as all below. */
PETSC_EXTERN PetscErrorCode FgLowRankCreate(FgProblem problem, FgLowRank *low_rank);
PETSC_EXTERN PetscErrorCode FgLowRankDestroy(FgLowRank *low_rank);
/* V of the model's present linearization. */
PETSC_EXTERN PetscErrorCode FgLowRankLinearize(FgLowRank low_rank, FgProblem problem);
/* For P that pc solves with, and the variables that are free (1 or 0). */
PETSC_EXTERN PetscErrorCode FgLowRankFactor(FgLowRank low_rank, PC pc, Vec free);
/* x = (P + V V^T)^-1 b, b 0 where variables are held. */
PETSC_EXTERN PetscErrorCode FgLowRankSolve(FgLowRank low_rank, PC pc, Vec b, Vec x);
/* tr(S (I + S)^-1) of the last factor. */
PETSC_EXTERN PetscErrorCode FgLowRankFreedom(FgLowRank low_rank, PetscReal *freedom);

#endif
