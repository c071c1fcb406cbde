/* stiffness.c: stiffness as a 6 x 6 matrix: isotropic, inverse, nearest isotropic moduli, order in the sense of energies. */
#include "elastic.h"

#include <gsl/gsl_eigen.h>
#include <math.h>

void FgStiffnessIsotropic(double E, double nu, double C[36])
{
  const double lame = E * nu / ((1.0 + nu) * (1.0 - 2.0 * nu)), shear = E / (2.0 * (1.0 + nu));

  for (int i = 0; i < 36; i++) C[i] = 0;
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) C[6 * i + j] = lame + (i == j ? 2.0 * shear : 0.0);
    C[7 * (i + 3)] = shear;
  }
}

PetscBool FgStiffnessInvert(const double C[36], double S[36])
{
  double largest = 0, factor[36], inverse[36];

  for (int i = 0; i < 36; i++) largest = PetscMax(largest, fabs(C[i]));
  for (int i = 0; i < 36; i++) S[i] = 0;
  if (largest == 0) return PETSC_FALSE;
  for (int i = 0; i < 36; i++) factor[i] = C[i] / largest;
  /* Cholesky by hand: a singular matrix is an answer here, not an error. */
  for (int j = 0; j < 6; j++) {
    for (int i = j; i < 6; i++) {
      double sum = factor[6 * i + j];

      for (int k = 0; k < j; k++) sum -= factor[6 * i + k] * factor[6 * j + k];
      if (i == j && sum <= 1e-15) return PETSC_FALSE;
      factor[6 * i + j] = i == j ? sqrt(sum) : sum / factor[7 * j];
    }
  }
  for (int c = 0; c < 6; c++) {
    double x[6];

    for (int i = 0; i < 6; i++) {
      x[i] = i == c ? 1.0 : 0.0;
      for (int k = 0; k < i; k++) x[i] -= factor[6 * i + k] * x[k];
      x[i] /= factor[7 * i];
    }
    for (int i = 5; i >= 0; i--) {
      for (int k = i + 1; k < 6; k++) x[i] -= factor[6 * k + i] * x[k];
      x[i] /= factor[7 * i];
      inverse[6 * i + c] = x[i];
    }
  }
  for (int i = 0; i < 6; i++) {
    for (int j = 0; j < 6; j++) S[6 * i + j] = 0.5 * (inverse[6 * i + j] + inverse[6 * j + i]) / largest;
  }
  return PETSC_TRUE;
}

void FgStiffnessModuli(const double C[36], double *bulk, double *shear)
{
  const double trace = C[0] + C[7] + C[14], sum = trace + 2.0 * (C[1] + C[2] + C[8]);

  *bulk  = sum / 9.0;
  *shear = (trace - sum / 3.0 + 2.0 * (C[21] + C[28] + C[35])) / 10.0;
}

PetscBool FgStiffnessIsIsotropic(const double C[36])
{
  const double lame = C[1], shear = C[21], small = 1e-14 * (fabs(lame) + 2.0 * fabs(shear));

  for (int i = 0; i < 6; i++) {
    for (int j = 0; j < 6; j++) {
      const double expected = i == j ? (i < 3 ? lame + 2.0 * shear : shear) : i < 3 && j < 3 ? lame : 0.0;

      if (fabs(C[6 * i + j] - expected) > small) return PETSC_FALSE;
    }
  }
  return PETSC_TRUE;
}

PetscErrorCode FgStiffnessGap(const double A[36], const double B[36], double *smallest)
{
  double                    matrix[36], values[6];
  gsl_matrix_view           view        = gsl_matrix_view_array(matrix, 6, 6);
  gsl_vector_view           eigenvalues = gsl_vector_view_array(values, 6);
  gsl_eigen_symm_workspace *work        = gsl_eigen_symm_alloc(6);

  PetscFunctionBegin;
  PetscCheck(work, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for six eigenvalues");
  for (int i = 0; i < 6; i++) {
    for (int j = 0; j < 6; j++)
      matrix[6 * i + j] = (A[6 * i + j] - B[6 * i + j]) * (i < 3 ? 1.0 : PETSC_SQRT2) * (j < 3 ? 1.0 : PETSC_SQRT2);
  }
  gsl_eigen_symm(&view.matrix, &eigenvalues.vector, work);
  gsl_eigen_symm_free(work);
  *smallest = PETSC_MAX_REAL;
  for (int i = 0; i < 6; i++) *smallest = PetscMin(*smallest, values[i]);
  PetscFunctionReturn(PETSC_SUCCESS);
}
