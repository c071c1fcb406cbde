/* signal.c: S = S0 exp(-B . C): design and evaluation. See signal.h. */
#include "signal.h"
#include "finegrain/lanes.h"

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
