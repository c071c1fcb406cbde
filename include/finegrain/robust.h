/* robust.h: Huber's function on whitened residuals r: quadratic for noise, linear for outliers.

     rho(r) = r^2/2 where |r| <= c, c|r| - c^2/2 beyond;   psi = rho' = r bounded to [-c, c];   weight w = psi/r = min(1, c/|r|)

   The gradient of a misfit sum rho is J^T psi; its Gauss-Newton block is J^T W J with the weights w (iteratively reweighted least
   squares), which majorizes the true curvature and never loses definiteness. c = 1.345 costs 5 % of the efficiency under Gaussian
   noise. Residual and limit may both be in data units, limit = c sigma.
   Source: P. J. Huber, Ann. Math. Stat. 35 (1964) 73; P. W. Holland, R. E. Welsch, Commun. Stat. A6 (1977) 813. */
#ifndef FINEGRAIN_ROBUST_H
#define FINEGRAIN_ROBUST_H

#include "base.h"

#include <math.h>

#define FG_HUBER_THRESHOLD 1.345

/* psi, the residual bounded to the limit. */
static inline double FgHuberBound(double residual, double limit)
{
  return residual > limit ? limit : residual < -limit ? -limit : residual;
}

/* 0 < w <= 1, for limit > 0. */
static inline double FgHuberWeight(double residual, double limit)
{
  const double size = fabs(residual);

  return limit / (size > limit ? size : limit);
}

/* 2 rho: the square of the residual where it is within the limit. `bounded` is psi of the residual. */
static inline double FgHuberSquare(double residual, double bounded)
{
  return bounded * (2.0 * residual - bounded);
}

/* What to expect of whitened residuals that are standard normal, for a threshold > 0; infinite: squares. */
typedef struct {
  double weight;          /* E w: 0.960 at 1.345 */
  double weight_variance; /* Var w: 0.011 */
  double square;          /* E 2 rho: 0.933 */
  double bounded;         /* E psi^2: 0.710 */
  double freedom;         /* by how much of E psi^2 a fitted parameter lowers the sum of psi^2: 0.753; of squares: 1 */
} FgHuberMoments;
PETSC_EXTERN FgHuberMoments FgHuberExpect(double threshold);

#endif
