/* square_array.h: tables of effective tensors whose values are known: equal cylinders on a square lattice, solved by Rayleigh's method.

   Outside of a cylinder the potential is a series of multipoles B_n; each is excited by the lattice of all others (Perrins, McKenzie and
   McPhedran, Proc. R. Soc. Lond. A 369 (1979) 207), with lattice sums S_m over 1/z^m, a^2 = f/pi, T = (1 + k)/(1 - k):

     T y_n + sum_m C(2n + 2m - 3, 2n - 1) S_(2n+2m-2) a^(2n+2m-2) y_m = a delta_n1,   K* = 1 - 2 pi a y_1

   32 multipoles give 1e-4 at f = 0.78 and k = 1000, and 1e-7 at f = 0.7. */
#ifndef FINEGRAIN_TESTS_SQUARE_ARRAY_H
#define FINEGRAIN_TESTS_SQUARE_ARRAY_H

#include "finegrain/homogenization_table.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* S_m of the unit square lattice: pi for m = 2 (the sum in the order that the field asks for), 0 where m is not a multiple of 4. */
static inline double SquareLatticeSum(int m)
{
  double sum = 0.0;

  if (m == 2) return M_PI;
  if (m % 4) return 0.0;
  if (m == 4) return 3.1512120021538976; /* converges slowly; Perrins et al. table 1 */
  for (int x = -20; x <= 20; x++) {
    for (int y = -20; y <= 20; y++) {
      if (x || y) sum += pow(hypot(x, y), -m) * cos(m * atan2(y, x));
    }
  }
  return sum;
}

/* Across the cylinders, over the matrix; k = INFINITY: perfect conductors. */
static inline double SquareArray(double f, double k)
{
  enum { N = 32 };
  static double   sums[4 * N];
  const double    a = sqrt(f / M_PI), T   = isinf(k) ? -1.0 : (1.0 + k) / (1.0 - k);
  double          matrix[N * N], right[N] = {a}, y[N];
  gsl_matrix_view A = gsl_matrix_view_array(matrix, N, N);
  gsl_vector_view b = gsl_vector_view_array(right, N), x = gsl_vector_view_array(y, N);
  size_t          order[N];
  gsl_permutation p = {N, order};
  int             sign;

  if (k == 1.0) return 1.0;
  for (int m = 4 * N - 2; m >= 2 && sums[2] == 0.0; m -= 2) sums[m] = SquareLatticeSum(m);
  for (int n = 1; n <= N; n++) {
    for (int m = 1; m <= N; m++) {
      const int s      = 2 * (n + m - 1);
      double    choose = 1.0; /* scaled symmetrically, or it overflows the pivots */

      for (int i = 1; i <= 2 * n - 1; i++) choose *= (double)(2 * m - 2 + i) / i;
      matrix[(n - 1) * N + m - 1] = choose * sums[s] * pow(a, s) * sqrt((2.0 * n - 1.0) / (2.0 * m - 1.0)) + (n == m ? T : 0.0);
    }
  }
  if (gsl_linalg_LU_decomp(&A.matrix, &p, &sign) || gsl_linalg_LU_solve(&A.matrix, &p, &b.vector, &x.vector)) abort();
  return 1.0 - 2.0 * M_PI * a * y[0];
}

/* A table over nf fractions from low to high and the given contrasts, of values across and along the third axis. */
static inline void TableFill(FgHomogenizationTable *table, PetscInt nf, double low, double high, PetscInt nk,
                             const double *contrasts, double (*across)(double, double), double (*along)(double, double))
{
  *table = (FgHomogenizationTable){
      .geometry   = "square-cylinders",
      .physics    = "conduction",
      .resolution = {128, 128, 1},
      .fiber_axis = 2,
      .columnar   = PETSC_TRUE,
      .packing    = M_PI / 4.0,
      .tolerance  = 1e-8,
      .naxes      = 2,
      .axes       = {{.name = "fraction", .unit = "1", .n = nf}, {.name = "contrast", .unit = "1", .n = nk}}};
  if (FgHomogenizationTableAllocate(table)) abort();
  for (PetscInt j = 0; j < nk; j++) table->axes[1].value[j] = contrasts[j];
  for (PetscInt i = 0; i < nf; i++) {
    const double f = low + (high - low) * (double)i / (double)(nf - 1);

    table->axes[0].value[i] = f;
    for (PetscInt j = 0; j < nk; j++) {
      double *K = &table->tensor[9 * (i * nk + j)];

      for (int c = 0; c < 9; c++) K[c] = 0.0;
      K[0] = K[4]                       = across(f, contrasts[j]);
      K[8]                              = along(f, contrasts[j]);
      table->fraction_exact[i * nk + j] = table->fraction_voxels[i * nk + j] = f;
    }
  }
}

static inline double TableMean(double f, double k)
{
  return f * k + 1.0 - f;
}

/* What `--sweep fraction=0.02:0.78:20 contrast=1e-3:1e3:13` makes, with the contrast 0 before it where `zero`. */
static inline void TableOfSquareArray(FgHomogenizationTable *table, PetscBool zero)
{
  double contrasts[14] = {0.0};

  for (int j = 0; j < 13; j++) contrasts[j + (zero ? 1 : 0)] = pow(10.0, -3.0 + 0.5 * j);
  TableFill(table, 20, 0.02, 0.78, zero ? 14 : 13, contrasts, SquareArray, TableMean);
}

#endif
