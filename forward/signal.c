/* signal.c: S = S0 exp(-B . C): design, evaluation, and the log-linear estimate. See signal.h. */
#include "signal.h"
#include "simd.h"

PetscErrorCode FgSignalDesignCreate(const FgGradients *gradients, FgSignalDesign *design)
{
  const PetscInt n = gradients->n, stride = (n + FG_SIMD_LANES - 1) / FG_SIMD_LANES * FG_SIMD_LANES;
  double        *row;

  PetscFunctionBegin;
  design->n      = n;
  design->stride = stride;
  PetscCall(PetscCalloc1(7 * (size_t)stride, &design->rows));
  for (PetscInt i = 0; i < n; i++) design->rows[i] = 1.0;
  row = design->rows + stride;
  for (PetscInt i = 0; i < n; i++) {
    const double b = gradients->b[i], *g = &gradients->g[3 * i];

    for (int k = 0; k < 3; k++) row[k * stride + i] = b * g[k] * g[k];
    row[3 * stride + i] = 2.0 * b * g[0] * g[1];
    row[4 * stride + i] = 2.0 * b * g[0] * g[2];
    row[5 * stride + i] = 2.0 * b * g[1] * g[2];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSignalDesignDestroy(FgSignalDesign *design)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(design->rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

FG_SIMD_CLONES
void FgSignalEvaluate(const FgSignalDesign *design, double S0, const double C[6], PetscInt n, double dC[][6], double *prediction,
                      double *jacobian, PetscInt stride)
{
  const double *restrict xx = design->rows + stride, *restrict yy = xx + stride, *restrict zz = yy + stride;
  const double *restrict xy = zz + stride, *restrict xz = xy + stride, *restrict yz = xz + stride;
  double *restrict S = prediction;

#pragma omp simd
  for (PetscInt i = 0; i < stride; i++)
    S[i] = exp(-(C[0] * xx[i] + C[1] * yy[i] + C[2] * zz[i] + C[3] * xy[i] + C[4] * xz[i] + C[5] * yz[i]));
  if (jacobian) {
    double *restrict row = &jacobian[n * stride];

#pragma omp simd
    for (PetscInt i = 0; i < stride; i++) row[i] = S[i];
  }
#pragma omp simd
  for (PetscInt i = 0; i < stride; i++) S[i] *= S0;
  for (PetscInt k = 0; jacobian && k < n; k++) {
    const double a0 = -dC[k][0], a1 = -dC[k][1], a2 = -dC[k][2], a3 = -dC[k][3], a4 = -dC[k][4], a5 = -dC[k][5];
    double *restrict row = &jacobian[k * stride];

#pragma omp simd
    for (PetscInt i = 0; i < stride; i++)
      row[i] = S[i] * (a0 * xx[i] + a1 * yy[i] + a2 * zz[i] + a3 * xy[i] + a4 * xz[i] + a5 * yz[i]);
  }
}

/* Normal equations of the weighted fit: A[7][7] (lower triangle) and right side, unknowns ln S0 and C [um^2/ms], which are of
   order one. work: three rows. */
FG_SIMD_CLONES
static void NormalEquations(const FgSignalDesign *design, const float *values, double *work, double A[7][7], double right[7])
{
  const PetscInt stride   = design->stride;
  double *restrict weight = work, *restrict target = work + stride, *restrict weighted = work + 2 * stride;

  for (PetscInt i = 0; i < stride; i++) {
    const double value = i < design->n ? (double)values[i] : 0.0;
    const int    use   = value > 0.0 && value < INFINITY;

    weight[i] = use ? value * value : 0.0;
    target[i] = use ? value : 1.0;
  }
#pragma omp simd
  for (PetscInt i = 0; i < stride; i++) target[i] = log(target[i]);
  for (int a = 0; a < 7; a++) {
    const double *restrict row = &design->rows[a * stride];
    const double scale         = a ? -1e-3 : 1.0;
    double       sum           = 0.0;

#pragma omp simd
    for (PetscInt i = 0; i < stride; i++) weighted[i] = scale * weight[i] * row[i];
#pragma omp simd reduction(+ : sum)
    for (PetscInt i = 0; i < stride; i++) sum += weighted[i] * target[i];
    right[a] = sum;
    for (int b = 0; b <= a; b++) {
      const double *restrict other = &design->rows[b * stride];

      sum = 0.0;
#pragma omp simd reduction(+ : sum)
      for (PetscInt i = 0; i < stride; i++) sum += weighted[i] * other[i];
      A[a][b] = sum * (b ? -1e-3 : 1.0);
    }
  }
}

/* Cholesky of a 7x7 block on the stack: a library's would allocate, or end the program where the block is singular. */
static PetscBool SolveBlock(double A[7][7], double x[7])
{
  for (int a = 0; a < 7; a++) {
    const double diagonal = A[a][a];

    for (int b = 0; b <= a; b++) {
      double sum = A[a][b];

      for (int k = 0; k < b; k++) sum -= A[a][k] * A[b][k];
      if (a == b) {
        if (!(sum > 1e-10 * diagonal)) return PETSC_FALSE;
        A[a][a] = sqrt(sum);
      } else {
        A[a][b] = sum / A[b][b];
      }
    }
  }
  for (int a = 0; a < 7; a++) {
    for (int k = 0; k < a; k++) x[a] -= A[a][k] * x[k];
    x[a] /= A[a][a];
  }
  for (int a = 6; a >= 0; a--) {
    for (int k = a + 1; k < 7; k++) x[a] -= A[k][a] * x[k];
    x[a] /= A[a][a];
  }
  return PETSC_TRUE;
}

PetscBool FgSignalLogLinear(const FgSignalDesign *design, const float *values, double *work, double C[6], double *S0)
{
  double A[7][7], x[7];

  NormalEquations(design, values, work, A, x);
  if (!SolveBlock(A, x)) return PETSC_FALSE;
  *S0 = exp(x[0]);
  for (int i = 0; i < 6; i++) {
    C[i] = 1e-3 * x[1 + i];
    if (!isfinite(C[i])) return PETSC_FALSE;
  }
  return isfinite(*S0) ? PETSC_TRUE : PETSC_FALSE;
}
