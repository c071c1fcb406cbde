/* check.h: is what an optimiser is told true? Tests of an objective's gradient and of its Gauss-Newton Hessian, on the user's own
   data and model (`finegrain verify`) and in the tests. Those of a model alone are FgModelCheck (model.h). */
#ifndef FINEGRAIN_CHECK_H
#define FINEGRAIN_CHECK_H

#include "problem.h"

typedef struct {
  /* Phi(x + t v) - Phi(x) - t <g, v> falls as t^2: least and most observed order, and the decades of t with 2 +- 0.1. */
  double gradient_order[2], gradient_decades;
  /* |<Hv, w> - <v, Hw>| / (|Hv| |w|), and the least <v, Hv> / (|v| |Hv|) over random v: not below 0 but by rounding. */
  double hessian_symmetry, hessian_least;
  /* Where data are the model's own prediction, residuals vanish and the Gauss-Newton Hessian B of the misfit is its exact Hessian:
     g(x + t v) - g(x) - t B v falls as t^2. Data are stored as float, whose rounding ends the usable t. */
  double gauss_newton_order[2], gauss_newton_decades;
  /* With frozen weights the regularizer is quadratic in scalar components, and its Hessian exact without any limit:
     |R'(m + v) - R'(m) - H_R v| / |H_R v| over v without directions; 0 without a regularizer. */
  double regularizer_error;
} FgProblemCheckResult;

/* At field->m, which is restored, as are the data. Collective. */
PETSC_EXTERN PetscErrorCode FgProblemCheck(FgProblem problem, unsigned long seed, FgProblemCheckResult *result);

#endif
