/* spline.h: the cubic spline through points (x_i, y_i) with two continuous derivatives, as slopes at the points. Private to forward/.

   The ends are "not a knot": the first two pieces are one cubic, and so are the last two; where there are three points or less, the
   polynomial through them. Source: C. de Boor, A Practical Guide to Splines, chapter IV. */
#ifndef FINEGRAIN_FORWARD_CLOSURES_SPLINE_H
#define FINEGRAIN_FORWARD_CLOSURES_SPLINE_H

#include "finegrain/base.h"

/* slope[n] of y[n] over x[n], which increases. Error: PETSC_ERR_MEM. */
PETSC_INTERN PetscErrorCode FgSplineSlopes(PetscInt n, const double *x, const double *y, double *slope);

/* y = c[0] + t (c[1] + t (c[2] + t c[3])), t = x - x_i, of the piece between two points that are `width` apart. */
static inline void FgSplinePiece(double width, const double y[2], const double slope[2], double c[4])
{
  const double rise = (y[1] - y[0]) / width;

  c[0] = y[0];
  c[1] = slope[0];
  c[2] = (3.0 * rise - 2.0 * slope[0] - slope[1]) / width;
  c[3] = (slope[0] + slope[1] - 2.0 * rise) / (width * width);
}

#endif
