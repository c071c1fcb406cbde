/* global.h: the Gauss-Newton system of a problem whose data belong to no site, and its solution.

     A = F (B + alpha H_R) F + (I - F),   B = S J^T W J S,

   F the variables that may move, J of the last evaluation of the misfit, H_R the regularizer's lagged Hessian with the weights frozen at
   field->m, or, bent, its curvature. By the low rank of B (low_rank.h), or, where that would be too large, conjugate gradients with the prior as
   preconditioner (prior.h). */
#ifndef FINEGRAIN_INVERSE_GLOBAL_H
#define FINEGRAIN_INVERSE_GLOBAL_H

#include "low_rank.h"
#include "prior.h"

enum { FG_GLOBAL_MEMORY = 15 };

typedef struct FgGlobal_ *FgGlobal;
struct FgGlobal_ {
  FgProblem problem; /* borrowed; its x and work are used */
  FgPrior   prior;
  FgLowRank low_rank; /* NULL: conjugate gradients */
  PetscBool bent;
  double    samples;                                      /* data that are not NaN */
  Vec       free;                                         /* F: 1 or 0 */
  Vec       in;                                           /* work */
  Mat       A;                                            /* shell */
  KSP       ksp;                                          /* options prefix "global_" */
  PetscInt  iterations;                                   /* of conjugate gradients, in all */
  Vec       right;                                        /* of the present solve; borrowed */
  double    relative, absolute, gained[FG_GLOBAL_MEMORY]; /* b.x of the last iterations, in turn */
};

/* All variables free. Collective, as all below. */
PETSC_EXTERN PetscErrorCode FgGlobalCreate(FgProblem problem, FgGlobal *global);
PETSC_EXTERN PetscErrorCode FgGlobalDestroy(FgGlobal *global);
/* Variables on a bound are held; with a gradient (whitened) only those that it keeps there. */
PETSC_EXTERN PetscErrorCode FgGlobalHold(FgGlobal global, Vec gradient);
/* Takes the model's present linearization: after an evaluation, before FgGlobalFactor. */
PETSC_EXTERN PetscErrorCode FgGlobalLinearize(FgGlobal global);
/* Factors the prior with the weights as they are frozen. */
PETSC_EXTERN PetscErrorCode FgGlobalFactor(FgGlobal global);
/* x = A^-1 b from 0, b 0 where variables are held, with P of the last FgGlobalFactor. Conjugate gradients end where the last steps have added less than
   `relative` of b.x or than `absolute` to it: b.x/2 is what a step lowers a parabola by, and b.x the quadratic form of A^-1. A small
   residual would not do: the modes that data tell best have residuals larger by many powers of ten than others that count as much. */
PETSC_EXTERN PetscErrorCode FgGlobalSolve(FgGlobal global, double relative, double absolute, Vec b, Vec x);
/* p_eff at field->m, of which the model's J is: the trace by the low rank, or, where there is none or the curvature is no matrix like the prior's,
   its estimate by nprobes random signs of the data. */
PETSC_EXTERN PetscErrorCode FgGlobalFreedom(FgProblem problem, unsigned long seed, PetscInt nprobes, PetscReal *freedom);
/* Data that are not NaN, of all ranks. */
PETSC_EXTERN PetscErrorCode FgProblemSamples(FgProblem problem, double *samples);
/* Whether the regularizer is a quadratic form, whose weights do not move with the field. */
static inline PetscBool FgProblemQuadratic(FgProblem problem)
{
  const FgRegularizer r = problem->regularizer;

  return !r || (r->ops->weight(0.0, 1.0) == r->ops->weight(1.0, 1.0) && !r->field->ntangent) ? PETSC_TRUE : PETSC_FALSE;
}

#endif
