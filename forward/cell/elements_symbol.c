/* elements_symbol.c: the preconditioner of trilinear elements: one homogeneous material, inverted frequency by frequency.

   On a regular grid of equal elements every Fourier mode is an eigenspace. With even_d = 2 cos(theta_d/2) for a sum of two
   neighbors and odd_d = 2 sin(theta_d/2) for a difference, the seven modes of an element (bricks.h) give gradients along
   vectors m, up to a phase factor that cancels:
     m_1     = (s_x o_x e_y e_z,  s_y e_x o_y e_z,  s_z e_x e_y o_z)               weight 1
     m_xi    = (0,                s_y o_x o_y e_z,  s_z o_x e_y o_z)               weight 1/3, and eta, zeta alike
     m_xieta = (0,                0,                s_z o_x o_y o_z)               weight 1/9, and the other two alike
   with s = 1/(4 h). An isotropic material then has the real symmetric symbol
     sum over m of weight ( (lambda_m + mu) m m^T + mu |m|^2 I ),   lambda_m = lambda for m_1, else -2 mu/3 (no volumetric part),
   a 3 x 3 matrix that is inverted by cofactors; conduction has sum of weight m . K m. Only the mean has no stiffness.

   Material: for conduction <K>. For elasticity the geometric mean of the least and the greatest bulk modulus of the phases,
   likewise for shear, which makes the bound on the condition number, the larger of the two contrasts, as small as it gets. */
#include "elastic.h"

#include "finegrain/lanes.h"

#include <math.h>

static void Material(FgCell cell, const double *tensors, FgElementsSymbol *symbol)
{
  double least[2] = {PETSC_MAX_REAL, PETSC_MAX_REAL}, greatest[2] = {0, 0}, bulk;

  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    double modulus[2];

    if (cell->fraction[p] == 0) continue;
    if (symbol->ncomp == 1) {
      for (int i = 0; i < 6; i++) symbol->tensor[i] += cell->fraction[p] * tensors[6 * p + i];
      continue;
    }
    FgStiffnessModuli(tensors + 36 * p, &modulus[0], &modulus[1]);
    for (int i = 0; i < 2 && modulus[1] > 0; i++) {
      least[i]    = PetscMin(least[i], modulus[i]);
      greatest[i] = PetscMax(greatest[i], modulus[i]);
    }
  }
  if (symbol->ncomp == 1) {
    symbol->scale = PetscMax(symbol->tensor[0], PetscMax(symbol->tensor[1], symbol->tensor[2]));
    if (symbol->scale == 0) symbol->scale = 1;
    for (int i = 0; i < 6; i++) symbol->tensor[i] /= symbol->scale;
    return;
  }
  symbol->scale = sqrt(least[1]) * sqrt(greatest[1]);
  bulk          = sqrt(least[0] / symbol->scale) * sqrt(greatest[0] / symbol->scale);
  symbol->shear = 1.0;
  symbol->lame  = bulk - 2.0 / 3.0;
}

PetscErrorCode FgElementsSymbolCreate(FgCell cell, const FgBricks *bricks, const double *tensors, FgElementsSymbol *symbol)
{
  const PetscInt nk    = cell->n[0] / 2 + 1;
  double         steep = 0;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(symbol, sizeof(*symbol)));
  symbol->ncomp = bricks->ncomp;
  Material(cell, tensors, symbol);
  for (int a = 0; a < 3; a++) steep = PetscMax(steep, bricks->slope[a]);
  symbol->scale *= steep * steep;
  for (int a = 0; a < 3; a++) {
    symbol->slope[a] = bricks->slope[a] / steep;
    PetscCall(PetscMalloc2(cell->n[a], &symbol->even[a], cell->n[a], &symbol->odd[a]));
    for (PetscInt k = 0; k < cell->n[a]; k++) {
      const double half = PETSC_PI * (double)k / (double)cell->n[a];

      symbol->even[a][k] = 2 * k == cell->n[a] ? 0.0 : 2.0 * cos(half);
      symbol->odd[a][k]  = 2.0 * sin(half);
    }
  }
  PetscCall(PetscMalloc1(nk, &symbol->weight));
  for (PetscInt k = 0; k < nk; k++) symbol->weight[k] = k == 0 || 2 * k == cell->n[0] ? 1.0 : 2.0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElementsSymbolDestroy(FgElementsSymbol *symbol)
{
  PetscFunctionBegin;
  for (int a = 0; a < 3; a++) PetscCall(PetscFree2(symbol->even[a], symbol->odd[a]));
  PetscCall(PetscFree(symbol->weight));
  PetscFunctionReturn(PETSC_SUCCESS);
}

FG_SIMD_CLONES static double Elastic(const FgElementsSymbol *symbol, double ey, double oy, double ez, double oz, PetscInt first,
                                     PetscInt nk, double scale, double *restrict u, double *restrict v, double *restrict w)
{
  const double  sx = symbol->slope[0], sy = symbol->slope[1], sz = symbol->slope[2], mu = symbol->shear;
  const double  full = symbol->lame + mu, rest = mu / 3.0, third = 1.0 / 3.0, ninth = 1.0 / 9.0;
  const double *even = symbol->even[0], *odd = symbol->odd[0], *weight = symbol->weight;
  double        dot = 0;

#pragma omp simd reduction(+ : dot)
  for (PetscInt k = first; k < nk; k++) {
    const double e = even[k], o = odd[k];
    const double gx = sx * o * ey * ez, gy = sy * e * oy * ez, gz = sz * e * ey * oz; /* 1 */
    const double ay = sy * o * oy * ez, az = sz * o * ey * oz;                        /* xi */
    const double bx = sx * o * oy * ez, bz = sz * e * oy * oz;                        /* eta */
    const double cx = sx * o * ey * oz, cy = sy * e * oy * oz;                        /* zeta */
    const double t = o * oy * oz, tx = sx * t, ty = sy * t, tz = sz * t;              /* eta zeta, xi zeta, xi eta */
    const double dx = third * (bx * bx + cx * cx) + ninth * tx * tx, dy = third * (ay * ay + cy * cy) + ninth * ty * ty;
    const double dz  = third * (az * az + bz * bz) + ninth * tz * tz;
    const double all = mu * (gx * gx + gy * gy + gz * gz + dx + dy + dz);
    const double xx = all + full * gx * gx + rest * dx, yy = all + full * gy * gy + rest * dy,
                 zz = all + full * gz * gz + rest * dz;
    const double yz = full * gy * gz + rest * third * ay * az, xz = full * gx * gz + rest * third * bx * bz;
    const double xy  = full * gx * gy + rest * third * cx * cy;
    const double ixx = yy * zz - yz * yz, iyy = xx * zz - xz * xz, izz = xx * yy - xy * xy;
    const double iyz = xz * xy - xx * yz, ixz = xy * yz - yy * xz, ixy = xz * yz - zz * xy;
    const double factor = scale / (xx * ixx + xy * ixy + xz * ixz);
    const double ur = u[2 * k], ui = u[2 * k + 1], vr = v[2 * k], vi = v[2 * k + 1], wr = w[2 * k], wi = w[2 * k + 1];
    const double pr = factor * (ixx * ur + ixy * vr + ixz * wr), pi = factor * (ixx * ui + ixy * vi + ixz * wi);
    const double qr = factor * (ixy * ur + iyy * vr + iyz * wr), qi = factor * (ixy * ui + iyy * vi + iyz * wi);
    const double rr = factor * (ixz * ur + iyz * vr + izz * wr), ri = factor * (ixz * ui + iyz * vi + izz * wi);

    dot += weight[k] * (ur * pr + ui * pi + vr * qr + vi * qi + wr * rr + wi * ri);
    u[2 * k] = pr, u[2 * k + 1] = pi;
    v[2 * k] = qr, v[2 * k + 1] = qi;
    w[2 * k] = rr, w[2 * k + 1] = ri;
  }
  return dot;
}

FG_SIMD_CLONES static double Conductive(const FgElementsSymbol *symbol, double ey, double oy, double ez, double oz,
                                        PetscInt first, PetscInt nk, double scale, double *restrict u)
{
  const double  sx = symbol->slope[0], sy = symbol->slope[1], sz = symbol->slope[2], third = 1.0 / 3.0, ninth = 1.0 / 9.0;
  const double  kxx = symbol->tensor[0], kyy = symbol->tensor[1], kzz = symbol->tensor[2];
  const double  kyz = 2.0 * symbol->tensor[3], kxz = 2.0 * symbol->tensor[4], kxy = 2.0 * symbol->tensor[5];
  const double *even = symbol->even[0], *odd = symbol->odd[0], *weight = symbol->weight;
  double        dot = 0;

#pragma omp simd reduction(+ : dot)
  for (PetscInt k = first; k < nk; k++) {
    const double e = even[k], o = odd[k];
    const double gx = sx * o * ey * ez, gy = sy * e * oy * ez, gz = sz * e * ey * oz;
    const double ay = sy * o * oy * ez, az = sz * o * ey * oz;
    const double bx = sx * o * oy * ez, bz = sz * e * oy * oz;
    const double cx = sx * o * ey * oz, cy = sy * e * oy * oz;
    const double t = o * oy * oz, tx = sx * t, ty = sy * t, tz = sz * t;
    const double dx = third * (bx * bx + cx * cx) + ninth * tx * tx, dy = third * (ay * ay + cy * cy) + ninth * ty * ty;
    const double dz    = third * (az * az + bz * bz) + ninth * tz * tz;
    const double value = kxx * (gx * gx + dx) + kyy * (gy * gy + dy) + kzz * (gz * gz + dz) + kyz * (gy * gz + third * ay * az) +
                         kxz * (gx * gz + third * bx * bz) + kxy * (gx * gy + third * cx * cy);
    const double least  = 1e-13 * (gx * gx + gy * gy + gz * gz + dx + dy + dz); /* no phase conducts along this gradient */
    const double factor = value > least ? scale / value : 0.0, ur = u[2 * k], ui = u[2 * k + 1];

    dot += weight[k] * factor * (ur * ur + ui * ui);
    u[2 * k]     = factor * ur;
    u[2 * k + 1] = factor * ui;
  }
  return dot;
}

double FgElementsSymbolRow(const void *context, PetscInt ky, PetscInt kz, PetscInt nk, double scale, double complex **value)
{
  const FgElementsSymbol *symbol = context;
  const PetscInt          first  = ky == 0 && kz == 0 ? 1 : 0; /* the mean has no stiffness: it stays 0 */
  const double            ey = symbol->even[1][ky], oy = symbol->odd[1][ky], ez = symbol->even[2][kz], oz = symbol->odd[2][kz];

  for (int c = 0; first && c < symbol->ncomp; c++) value[c][0] = 0;
  scale /= symbol->scale;
  if (symbol->ncomp == 1) return Conductive(symbol, ey, oy, ez, oz, first, nk, scale, (double *)value[0]);
  return Elastic(symbol, ey, oy, ez, oz, first, nk, scale, (double *)value[0], (double *)value[1], (double *)value[2]);
}
