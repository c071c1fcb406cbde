/* spline.c: slopes of a cubic spline from a tridiagonal system. See spline.h. */
#include "spline.h"

#include <gsl/gsl_linalg.h>

/* Slopes at the ends of the parabola through three points, and in its middle. */
static void Parabola(const double *x, const double *y, double *slope)
{
  const double h0 = x[1] - x[0], h1 = x[2] - x[1], d0 = (y[1] - y[0]) / h0, d1 = (y[2] - y[1]) / h1;
  const double bend = (d1 - d0) / (h0 + h1);

  slope[0] = d0 - bend * h0;
  slope[1] = d0 + bend * h0;
  slope[2] = d1 + bend * h1;
}

PetscErrorCode FgSplineSlopes(PetscInt n, const double *x, const double *y, double *slope)
{
  double *diagonal, *above, *below, *right;

  PetscFunctionBegin;
  if (n < 4) {
    if (n == 1) slope[0] = 0.0;
    else if (n == 2) slope[0] = slope[1] = (y[1] - y[0]) / (x[1] - x[0]);
    else if (n == 3) Parabola(x, y, slope);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscMalloc4(n, &diagonal, n, &above, n, &below, n, &right));
  for (PetscInt i = 1; i < n - 1; i++) { /* the second derivative is continuous */
    const double h0 = x[i] - x[i - 1], h1 = x[i + 1] - x[i];

    below[i - 1] = h1;
    diagonal[i]  = 2.0 * (h0 + h1);
    above[i]     = h0;
    right[i]     = 3.0 * (h1 * (y[i] - y[i - 1]) / h0 + h0 * (y[i + 1] - y[i]) / h1);
  }
  { /* the third derivative is continuous at the second point and at the last but one */
    const double h0 = x[1] - x[0], h1 = x[2] - x[1], g0 = x[n - 1] - x[n - 2], g1 = x[n - 2] - x[n - 3];

    diagonal[0] = h1;
    above[0]    = h0 + h1;
    right[0]    = ((3.0 * h0 + 2.0 * h1) * h1 * (y[1] - y[0]) / h0 + h0 * h0 * (y[2] - y[1]) / h1) / (h0 + h1);

    diagonal[n - 1] = g1;
    below[n - 2]    = g0 + g1;
    right[n - 1] = ((3.0 * g0 + 2.0 * g1) * g1 * (y[n - 1] - y[n - 2]) / g0 + g0 * g0 * (y[n - 2] - y[n - 3]) / g1) / (g0 + g1);
  }
  {
    gsl_vector_view d = gsl_vector_view_array(diagonal, (size_t)n), a = gsl_vector_view_array(above, (size_t)n - 1);
    gsl_vector_view b = gsl_vector_view_array(below, (size_t)n - 1), r = gsl_vector_view_array(right, (size_t)n);
    gsl_vector_view s = gsl_vector_view_array(slope, (size_t)n);

    PetscCheck(!gsl_linalg_solve_tridiag(&d.vector, &a.vector, &b.vector, &r.vector, &s.vector), PETSC_COMM_SELF, PETSC_ERR_LIB,
               "the spline's system of %" PetscInt_FMT " points has no solution", n);
  }
  PetscCall(PetscFree4(diagonal, above, below, right));
  PetscFunctionReturn(PETSC_SUCCESS);
}
