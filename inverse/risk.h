/* risk.h: how far a regularized fit is from the truth, estimated from the data alone, for each part of the parameters.

   With B = J^T W J and the misfit's gradient g at the field x, one Gauss-Newton step of every voxel by itself, x0 = x - B^-1 g, is what the
   data alone say: nearly unbiased, with covariance v B^-1, and linear in the noise where the pointwise fit is not, for x is nearly
   free of it. Stein's identity then gives, over the variables of one part (porosity, direction, ...),

     E sum w (x - truth)^2 = E sum w (x - x0)^2 + sum w (2 cov(x, x0) - var x0),      cov(x, x0) = v A^-1,  var x0 = v B^-1,

   A = B + H_R the Hessian with the regularizer's curvature (regularizer.h), v the residual variance of the pointwise fit: 1 where
   the noise level is right. With w = 1/var x0 the data alone have the risk 1 a variable. The trace takes one solve with random
   signs z: z^T w^1/2 A^-1 w^1/2 z (Hutchinson 1990), and the same solution gives the effective degrees of freedom,
   tr(A^-1 B) = E (B w^-1/2 z)^T A^-1 w^1/2 z.
   Source: C. Stein, Ann. Statist. 9 (1981); Y. C. Eldar, IEEE Trans. Signal Process. 57 (2009), risk in parameters;
   S. Ramani, T. Blu, M. Unser, IEEE Trans. Image Process. 17 (2008), random probes. */
#ifndef FINEGRAIN_INVERSE_RISK_H
#define FINEGRAIN_INVERSE_RISK_H

#include "finegrain/problem.h"

/* At the present field, which must be near the minimizer: risk[nparts] per variable, in units of v B^-1 [1], and the effective degrees
   of freedom of the whole fit. part[ncomponents]: part of each component; variance: v [1]. Collective. */
PETSC_EXTERN PetscErrorCode FgProblemRisk(FgProblem problem, const PetscInt part[], PetscInt nparts, double variance,
                                          unsigned long seed, double risk[], PetscReal *freedom);

#endif
