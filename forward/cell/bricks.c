/* bricks.c: rows of trilinear elements: nodes to monomials, monomials to forces by the phase, forces to nodes (bricks.h).

   Rows are worked off in strips that stay in the first cache; every loop over a strip is one of vectors. Two laws lead from
   monomials to forces: isotropic elasticity with Lame's constants looked up voxel by voxel, and any symmetric law by matrices that
   are constant over a run of voxels of one phase. */
#include "bricks.h"

#include "finegrain/lanes.h"

#include <string.h>

enum { STRIP = 64, WIDTH = STRIP + FG_SIMD_LANES, X = 0, Y = 1, Z = 2, XY = 0, XZ = 1, YZ = 2 };

#define INLINE static inline __attribute__((always_inline))

static const int voigt[3][3] = {{0, 5, 4}, {5, 1, 3}, {4, 3, 2}};

/* Which gradients along two axes go with which pair of the monomials of second degree: gradient along first_axis of
   first_pair, along second_axis of second_pair. */
static const struct {
  int axis[2], pair[2];
} linear[3] = {{{Y, Z}, {XY, XZ}}, {{X, Z}, {XY, YZ}}, {{X, Y}, {XZ, YZ}}};

/* P C P: no work by the volumetric part. */
static void Deviatoric(const double *C, double *D)
{
  double rows[36];

  for (int j = 0; j < 6; j++) {
    const double mean = (C[j] + C[6 + j] + C[12 + j]) / 3.0;

    for (int i = 0; i < 6; i++) rows[6 * i + j] = C[6 * i + j] - (i < 3 ? mean : 0.0);
  }
  for (int i = 0; i < 6; i++) {
    const double mean = (rows[6 * i] + rows[6 * i + 1] + rows[6 * i + 2]) / 3.0;

    for (int j = 0; j < 6; j++) D[6 * i + j] = rows[6 * i + j] - (j < 3 ? mean : 0.0);
  }
}

/* Entry of the law between the gradients (component, axis) = (c, d) and (b, e). */
static double Entry(int ncomp, const double *tensor, int c, int d, int b, int e)
{
  return ncomp == 1 ? tensor[voigt[d][e]] : tensor[6 * voigt[c][d] + voigt[b][e]];
}

void FgBricksMatrix(int ncomp, const double slope[3], const double *tensor, double *matrix)
{
  const int n     = 3 * ncomp;
  double   *pairs = matrix + n * n, *triple = pairs + n * n, reduced[36];

  memset(matrix, 0, FgBricksSize(ncomp) * sizeof(*matrix));
  if (ncomp == 1) memcpy(reduced, tensor, 6 * sizeof(*reduced));
  else Deviatoric(tensor, reduced);
  for (int c = 0; c < ncomp; c++) {
    for (int b = 0; b < ncomp; b++) {
      for (int d = 0; d < 3; d++) {
        for (int e = 0; e < 3; e++) matrix[(3 * c + d) * n + 3 * b + e] = slope[d] * slope[e] * Entry(ncomp, tensor, c, d, b, e);
        triple[c * ncomp + b] += slope[d] * slope[d] * Entry(ncomp, reduced, c, d, b, d) / 9.0;
      }
      for (int m = 0; m < 3; m++) {
        for (int i = 0; i < 2; i++) {
          for (int j = 0; j < 2; j++) {
            const int d = linear[m].axis[i], e = linear[m].axis[j];

            pairs[(3 * c + linear[m].pair[i]) * n + 3 * b + linear[m].pair[j]] += slope[d] * slope[e] *
                                                                                  Entry(ncomp, reduced, c, d, b, e) / 3.0;
          }
        }
      }
    }
  }
}

INLINE void Split(int ncomp, PetscInt n, const double *lower, const double *upper, double *sum, double *difference)
{
  const size_t stride = FgBricksStride(n);

  for (int c = 0; c < ncomp; c++) {
    double *s = sum + (size_t)c * stride, *d = difference + (size_t)c * stride;

#pragma omp simd
    for (PetscInt i = 0; i < n; i++) {
      s[i] = upper[ncomp * i + c] + lower[ncomp * i + c];
      d[i] = upper[ncomp * i + c] - lower[ncomp * i + c];
    }
    s[n] = s[0];
    d[n] = d[0];
  }
}

/* Modes of m elements from element `first` on: G[7 ncomp][WIDTH], first degree, second, third. */
INLINE void Modes(int ncomp, size_t stride, PetscInt first, PetscInt m, const double *bias, const double *const node[4],
                  double (*G)[WIDTH])
{
  for (int c = 0; c < ncomp; c++) {
    const double *s0 = node[0] + (size_t)c * stride + first, *d0 = node[1] + (size_t)c * stride + first;
    const double *s1 = node[2] + (size_t)c * stride + first, *d1 = node[3] + (size_t)c * stride + first;
    const double  bx = bias[3 * c], by = bias[3 * c + 1], bz = bias[3 * c + 2];
    double       *x = G[3 * c + X], *y = G[3 * c + Y], *z = G[3 * c + Z], *xyz = G[6 * ncomp + c];
    double       *xy = G[3 * ncomp + 3 * c + XY], *xz = G[3 * ncomp + 3 * c + XZ], *yz = G[3 * ncomp + 3 * c + YZ];

#pragma omp simd
    for (PetscInt i = 0; i < m; i++) {
      const double ss = s1[i] + s0[i], sd = s1[i] - s0[i], ds = d1[i] + d0[i], dd = d1[i] - d0[i];
      const double up_ss = s1[i + 1] + s0[i + 1], up_sd = s1[i + 1] - s0[i + 1];
      const double up_ds = d1[i + 1] + d0[i + 1], up_dd = d1[i + 1] - d0[i + 1];

      x[i]   = bx + (up_ss - ss);
      y[i]   = by + (up_sd + sd);
      z[i]   = bz + (up_ds + ds);
      xy[i]  = up_sd - sd;
      xz[i]  = up_ds - ds;
      yz[i]  = up_dd + dd;
      xyz[i] = up_dd - dd;
    }
  }
}

/* Forces of modes to nodes. */
INLINE void Scatter(int ncomp, size_t stride, PetscInt first, PetscInt m, const double (*F)[WIDTH], double *const force[4])
{
  for (int c = 0; c < ncomp; c++) {
    double       *s0 = force[0] + (size_t)c * stride + first, *d0 = force[1] + (size_t)c * stride + first;
    double       *s1 = force[2] + (size_t)c * stride + first, *d1 = force[3] + (size_t)c * stride + first;
    const double *x = F[3 * c + X], *y = F[3 * c + Y], *z = F[3 * c + Z], *xyz = F[6 * ncomp + c];
    const double *xy = F[3 * ncomp + 3 * c + XY], *xz = F[3 * ncomp + 3 * c + XZ], *yz = F[3 * ncomp + 3 * c + YZ];

#pragma omp simd
    for (PetscInt i = 0; i < m; i++) {
      s0[i] -= x[i] + (y[i] - xy[i]);
      s1[i] -= x[i] - (y[i] - xy[i]);
      d0[i] += (z[i] - xz[i]) - (yz[i] - xyz[i]);
      d1[i] += (z[i] - xz[i]) + (yz[i] - xyz[i]);
    }
#pragma omp simd
    for (PetscInt i = 0; i < m; i++) {
      s0[i + 1] += x[i] - (y[i] + xy[i]);
      s1[i + 1] += x[i] + (y[i] + xy[i]);
      d0[i + 1] += (z[i] + xz[i]) - (yz[i] + xyz[i]);
      d1[i + 1] += (z[i] + xz[i]) + (yz[i] + xyz[i]);
    }
  }
}

/* Isotropic law. The deviatoric stress of a gradient with rows p along axis a and q along axis b (third axis: none), over
   twice the shear modulus: (p_a, q_b, 0) less a third of their sum on the diagonal, halves of p_b + q_a, p_c, q_c off it. */
INLINE void Isotropic(const double slope[3], PetscInt m, const double *lame, const double *shear, const double (*G)[WIDTH],
                      double (*F)[WIDTH])
{
  const double sx = slope[0], sy = slope[1], sz = slope[2];
  const double txy = sx * sx * (2.0 / 3.0) + 0.5 * (sy * sy + sz * sz), tyy = sy * sy * (2.0 / 3.0) + 0.5 * (sx * sx + sz * sz);
  const double tzz = sz * sz * (2.0 / 3.0) + 0.5 * (sx * sx + sy * sy);

#pragma omp simd
  for (PetscInt i = 0; i < m; i++) {
    const double mu = shear[i], l = lame[i];
    const double xx = sx * G[0][i], yy = sy * G[4][i], zz = sz * G[8][i], pressure = l * (xx + yy + zz);
    const double xy = mu * (sy * G[1][i] + sx * G[3][i]), xz = mu * (sz * G[2][i] + sx * G[6][i]);
    const double yz = mu * (sz * G[5][i] + sy * G[7][i]);

    F[0][i] = sx * (pressure + 2.0 * mu * xx);
    F[1][i] = sy * xy;
    F[2][i] = sz * xz;
    F[3][i] = sx * xy;
    F[4][i] = sy * (pressure + 2.0 * mu * yy);
    F[5][i] = sz * yz;
    F[6][i] = sx * xz;
    F[7][i] = sy * yz;
    F[8][i] = sz * (pressure + 2.0 * mu * zz);
  }
#pragma omp simd
  for (PetscInt i = 0; i < m; i++) {
    const double w = shear[i] * (1.0 / 3.0), third = 2.0 / 3.0;
    /* rows of second degree: [9 + 3 c + pair] */
    const double ax = G[9][i], bx = G[10][i], cx = G[11][i];  /* xy, xz, yz of component x */
    const double ay = G[12][i], by = G[13][i], cy = G[14][i]; /* of y */
    const double az = G[15][i], bz = G[16][i], cz = G[17][i]; /* of z */
    /* xi: gradient along y of xy, along z of xz */
    const double xi_y = sy * ay, xi_z = sz * bz, xi_mean = third * (xi_y + xi_z), xi_yz = sy * az + sz * by;
    /* eta: along x of xy, along z of yz */
    const double eta_x = sx * ax, eta_z = sz * cz, eta_mean = third * (eta_x + eta_z), eta_xz = sx * az + sz * cx;
    /* zeta: along x of xz, along y of yz */
    const double zeta_x = sx * bx, zeta_y = sy * cy, zeta_mean = third * (zeta_x + zeta_y), zeta_xy = sx * by + sy * cx;

    F[9][i]  = w * (sy * (sy * ax) + sx * (2.0 * eta_x - eta_mean));
    F[10][i] = w * (sz * (sz * bx) + sx * (2.0 * zeta_x - zeta_mean));
    F[11][i] = w * (sz * eta_xz + sy * zeta_xy);
    F[12][i] = w * (sy * (2.0 * xi_y - xi_mean) + sx * (sx * ay));
    F[13][i] = w * (sz * xi_yz + sx * zeta_xy);
    F[14][i] = w * (sz * (sz * cy) + sy * (2.0 * zeta_y - zeta_mean));
    F[15][i] = w * (sy * xi_yz + sx * eta_xz);
    F[16][i] = w * (sz * (2.0 * xi_z - xi_mean) + sx * (sx * bz));
    F[17][i] = w * (sz * (2.0 * eta_z - eta_mean) + sy * (sy * cz));
    F[18][i] = w * (2.0 / 3.0) * txy * G[18][i];
    F[19][i] = w * (2.0 / 3.0) * tyy * G[19][i];
    F[20][i] = w * (2.0 / 3.0) * tzz * G[20][i];
  }
}

/* F = M G for one n x n block over elements first .. end - 1, in whole vectors: what spills over the end is overwritten by the
   run of the next phase, or lies behind the strip. */
INLINE void Product(int n, PetscInt first, PetscInt end, const double *M, const double (*G)[WIDTH], double (*F)[WIDTH])
{
  for (PetscInt i = first; i < end; i += FG_SIMD_LANES) {
    for (int r = 0; r < n; r++) {
      const double *row = M + r * n;
      double       *out = F[r] + i;

#pragma omp simd
      for (int l = 0; l < FG_SIMD_LANES; l++) {
        double sum = row[0] * G[0][i + l];

#pragma GCC unroll 8
        for (int k = 1; k < n; k++) sum += row[k] * G[k][i + l];
        out[l] = sum;
      }
    }
  }
}

INLINE void General(int ncomp, PetscInt m, const uint16_t *phase, const double *matrix, const double (*G)[WIDTH],
                    double (*F)[WIDTH])
{
  const int n = 3 * ncomp;

  for (PetscInt i = 0, end; i < m; i = end) {
    const double *M = matrix + (size_t)phase[i] * FgBricksSize(ncomp);

    for (end = i + 1; end < m && phase[end] == phase[i];) end++;
    Product(n, i, end, M, G, F);
    Product(n, i, end, M + n * n, G + n, F + n);
    Product(ncomp, i, end, M + 2 * n * n, G + 2 * n, F + 2 * n);
  }
}

INLINE void Forces(const FgBricks *bricks, int ncomp, PetscBool isotropic, PetscInt n, const uint16_t *phase, const double *bias,
                   const double *const node[4], double *const force[4])
{
  const size_t stride = FgBricksStride(n);
  double       G[21][WIDTH], F[21][WIDTH], lame[STRIP], shear[STRIP];

  for (PetscInt first = 0; first < n; first += STRIP) {
    const PetscInt m = PetscMin(STRIP, n - first);

    Modes(ncomp, stride, first, m, bias, node, G);
    if (isotropic) {
      for (PetscInt i = 0; i < m; i++) {
        lame[i]  = bricks->lame[phase[first + i]];
        shear[i] = bricks->shear[phase[first + i]];
      }
      Isotropic(bricks->slope, m, lame, shear, (const double(*)[WIDTH])G, F);
    } else {
      for (int k = 0; k < 7 * ncomp; k++)
        for (int l = 0; l < FG_SIMD_LANES; l++) G[k][m + l] = 0; /* vectors reach beyond the strip */
      General(ncomp, m, phase + first, bricks->matrix, (const double(*)[WIDTH])G, F);
    }
    Scatter(ncomp, stride, first, m, (const double(*)[WIDTH])F, force);
  }
}

INLINE double Merge(int ncomp, PetscInt n, double *sum, double *difference, const double *p, double *lower, double *upper)
{
  const size_t stride = FgBricksStride(n);
  double       dot    = 0;

  for (int c = 0; c < ncomp; c++) {
    double *s = sum + (size_t)c * stride, *d = difference + (size_t)c * stride;

    s[0] += s[n];
    d[0] += d[n];
    if (lower && p) {
#pragma omp simd reduction(+ : dot)
      for (PetscInt i = 0; i < n; i++) {
        const double value = lower[ncomp * i + c] + (s[i] - d[i]);

        lower[ncomp * i + c] = value;
        dot += value * p[ncomp * i + c];
      }
    } else if (lower) {
#pragma omp      simd
      for (PetscInt i = 0; i < n; i++) lower[ncomp * i + c] += s[i] - d[i];
    }
    if (upper) {
#pragma omp simd
      for (PetscInt i = 0; i < n; i++) upper[ncomp * i + c] = s[i] + d[i];
    }
  }
  return dot;
}

/* --- The same for one and for three components, compiled for several instruction sets ------------------------------------ */

FG_SIMD_CLONES static void Split1(PetscInt n, const double *lower, const double *upper, double *sum, double *difference)
{
  Split(1, n, lower, upper, sum, difference);
}

FG_SIMD_CLONES static void Split3(PetscInt n, const double *lower, const double *upper, double *sum, double *difference)
{
  Split(3, n, lower, upper, sum, difference);
}

FG_SIMD_CLONES static void Forces1(const FgBricks *bricks, PetscInt n, const uint16_t *phase, const double *bias,
                                   const double *const node[4], double *const force[4])
{
  Forces(bricks, 1, PETSC_FALSE, n, phase, bias, node, force);
}

FG_SIMD_CLONES static void Forces3(const FgBricks *bricks, PetscInt n, const uint16_t *phase, const double *bias,
                                   const double *const node[4], double *const force[4])
{
  Forces(bricks, 3, PETSC_FALSE, n, phase, bias, node, force);
}

FG_SIMD_CLONES static void ForcesIsotropic(const FgBricks *bricks, PetscInt n, const uint16_t *phase, const double *bias,
                                           const double *const node[4], double *const force[4])
{
  Forces(bricks, 3, PETSC_TRUE, n, phase, bias, node, force);
}

FG_SIMD_CLONES static double Merge1(PetscInt n, double *sum, double *difference, const double *p, double *lower, double *upper)
{
  return Merge(1, n, sum, difference, p, lower, upper);
}

FG_SIMD_CLONES static double Merge3(PetscInt n, double *sum, double *difference, const double *p, double *lower, double *upper)
{
  return Merge(3, n, sum, difference, p, lower, upper);
}

void FgBricksSplit(int ncomp, PetscInt n, const double *lower, const double *upper, double *sum, double *difference)
{
  if (ncomp == 1) Split1(n, lower, upper, sum, difference);
  else Split3(n, lower, upper, sum, difference);
}

void FgBricksForces(const FgBricks *bricks, PetscInt n, const uint16_t *phase, const double *bias, const double *const node[4],
                    double *const force[4])
{
  if (bricks->ncomp == 1) Forces1(bricks, n, phase, bias, node, force);
  else if (bricks->lame) ForcesIsotropic(bricks, n, phase, bias, node, force);
  else Forces3(bricks, n, phase, bias, node, force);
}

double FgBricksMerge(int ncomp, PetscInt n, double *sum, double *difference, const double *p, double *lower, double *upper)
{
  return ncomp == 1 ? Merge1(n, sum, difference, p, lower, upper) : Merge3(n, sum, difference, p, lower, upper);
}

void FgBricksGradients(const FgBricks *bricks, PetscInt n, const uint16_t *phase, const double *bias, const double *const node[4],
                       double *mean)
{
  const size_t stride = FgBricksStride(n);
  const int    ncomp = bricks->ncomp, ng = 3 * ncomp;
  double       G[21][WIDTH];

  for (PetscInt first = 0; first < n; first += STRIP) {
    const PetscInt m = PetscMin(STRIP, n - first);

    Modes(ncomp, stride, first, m, bias, node, G);
    for (PetscInt i = 0, end; i < m; i = end) {
      double *to = mean + (size_t)phase[first + i] * (size_t)ng;

      for (end = i + 1; end < m && phase[first + end] == phase[first + i];) end++;
      for (int k = 0; k < ng; k++) {
        double sum = 0;

        for (PetscInt e = i; e < end; e++) sum += G[k][e];
        to[k] += bricks->slope[k % 3] * sum;
      }
    }
  }
}
