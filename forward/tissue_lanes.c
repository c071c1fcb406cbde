/* tissue_lanes.c: tissue.c's equations for many sites side by side, at centered charts.

   With the frame R = (r0, r1, r2), T = R diag(t) R^T, t as in tissue.c, and D = c_par - c_perp,

     C = (c_perp + D t2) I + D (t0 - t2) r0 r0^T + D (t1 - t2) r1 r1^T

   and the tangent coordinates u, v, w turn r0 to r1, r0 to r2, r1 to r2, so that, with [a b] = a b^T + b a^T,

     dC/du = D (t0 - t1) [r0 r1],   dC/dv = D (t0 - t2) [r0 r2],   dC/dw = D (t1 - t2) [r1 r2].

   t0 - t2 = kappa (1 - planarity/2), t1 - t2 = kappa planarity/2, t2 = (1 - kappa)/3; kappa = 1 for aligned fibers, planarity = 0
   unless orthotropic. The way back: eigenvalues by cyclic Jacobi rotations (G. H. Golub, C. F. Van Loan, Matrix Computations,
   section 8.5), porosity by scanning and successive parabolas, t by projection on the simplex. */
#include "tissue_lanes.h"

#include <string.h>

/* Six rows (xx, yy, zz, xy, xz, yz) of scale [a b]/2, a and b columns of the frame. */
static inline void Dyad(const FgLanes frame[9], int a, int b, FgLanes dyad[6])
{
  static const int first[6] = {0, 1, 2, 0, 0, 1}, second[6] = {0, 1, 2, 1, 2, 2};

  for (int i = 0; i < 6; i++) {
    const double *x = frame[3 * first[i] + a], *y = frame[3 * second[i] + b], *p = frame[3 * first[i] + b],
                 *q = frame[3 * second[i] + a];

    FG_EACH_LANE dyad[i][l] = 0.5 * (x[l] * y[l] + p[l] * q[l]);
  }
}

FG_SIMD_CLONES
void FgTissueTensorLanes(const FgTissue *tissue, const FgLanes m[], const FgLanes frame[9], FgLanes C[6], FgLanes dC[][6],
                         PetscBool derivatives)
{
  const FgOrientation orientation = tissue->orientation;
  FgLanes             perp, difference, dperp, ddifference, kappa, planarity, first, second, rest, d0[6], d1[6], dyad[6];
  FgLanes(*next)[6];

  for (int l = 0; l < FG_LANES; l++) {
    double c[2], dc[2];

    FgClosureEvaluate(tissue->closure, &tissue->phases, m[0][l], c, dc);
    perp[l]        = c[1];
    difference[l]  = c[0] - c[1];
    dperp[l]       = dc[1];
    ddifference[l] = dc[0] - dc[1];
  }
  FG_EACH_LANE
  {
    kappa[l]     = orientation == FG_ALIGNED ? 1.0 : m[1][l];
    planarity[l] = orientation == FG_ORTHOTROPIC ? 0.5 * m[2][l] : 0.0; /* half of it */
    first[l]     = kappa[l] * (1.0 - planarity[l]);
    second[l]    = kappa[l] * planarity[l];
    rest[l]      = (1.0 - kappa[l]) * (1.0 / 3.0);
  }
  Dyad(frame, 0, 0, d0);
  if (orientation == FG_ORTHOTROPIC) Dyad(frame, 1, 1, d1);
  else memset(d1, 0, sizeof d1);
  for (int i = 0; i < 6; i++) {
    const double unit = i < 3 ? 1.0 : 0.0;

    FG_EACH_LANE
    {
      const double shape = unit * rest[l] + first[l] * d0[i][l] + second[l] * d1[i][l];

      C[i][l] = unit * perp[l] + difference[l] * shape;
    }
  }
  if (!derivatives) return;
  next = dC;
  for (int i = 0; i < 6; i++) {
    const double unit = i < 3 ? 1.0 : 0.0;

    FG_EACH_LANE
    {
      const double shape = unit * rest[l] + first[l] * d0[i][l] + second[l] * d1[i][l];

      (*next)[i][l] = unit * dperp[l] + ddifference[l] * shape;
    }
  }
  next++;
  if (orientation != FG_ALIGNED) {
    for (int i = 0; i < 6; i++) {
      const double third = i < 3 ? 1.0 / 3.0 : 0.0;

      FG_EACH_LANE(*next)
      [i][l] = difference[l] * ((1.0 - planarity[l]) * d0[i][l] + planarity[l] * d1[i][l] - third);
    }
    next++;
  }
  if (orientation == FG_ORTHOTROPIC) {
    for (int i = 0; i < 6; i++) {
      FG_EACH_LANE(*next)[i][l] = 0.5 * difference[l] * kappa[l] * (d1[i][l] - d0[i][l]);
    }
    next++;
  }
  for (int k = 0; k < (orientation == FG_ORTHOTROPIC ? 3 : 2); k++, next++) {
    Dyad(frame, k < 2 ? 0 : 1, k < 1 ? 1 : 2, dyad);
    for (int i = 0; i < 6; i++) {
      FG_EACH_LANE
      {
        const double turned = k == 0 ? first[l] - second[l] : k == 1 ? first[l] : second[l];

        (*next)[i][l] = 2.0 * difference[l] * turned * dyad[i][l];
      }
    }
  }
}

void FgTissueTabulate(const FgTissue *tissue, FgTissueTable *table)
{
  FgComponent components[FG_LANES];

  FgTissueComponents(tissue, components);
  table->lower = components[0].lower;
  table->upper = components[0].upper;
  table->step  = (components[0].upper - components[0].lower) / FG_TABLE_INTERVALS;
  for (int i = 0; i <= FG_TABLE_INTERVALS; i++) {
    double c[2], dc[2];

    FgClosureEvaluate(tissue->closure, &tissue->phases, table->lower + table->step * i, c, dc);
    for (int k = 0; k < 2; k++) {
      table->node[i][k]     = c[k];
      table->node[i][2 + k] = dc[k] * table->step;
    }
  }
}

/* max(x, 0) and the nearest of 0 .. 1, without branches: a compiler that takes apart nested conditions leaves loops over lanes scalar. */
static inline double Positive(double x)
{
  return 0.5 * (x + fabs(x));
}

static inline double Unit(double x)
{
  return 0.5 * (1.0 + fabs(x) - fabs(x - 1.0));
}

/* Cubic Hermite interpolation at x = 0 .. FG_TABLE_INTERVALS. */
static inline __attribute__((always_inline)) void Look(const FgTissueTable *table, double x, double *par, double *perp)
{
  const int    whole = (int)x, i = whole < FG_TABLE_INTERVALS ? whole : FG_TABLE_INTERVALS - 1;
  const double t = x - i, *p = table->node[i], *q = table->node[i + 1], rise = q[0] - p[0], climb = q[1] - p[1];

  *par  = p[0] + t * (p[2] + t * (3.0 * rise - 2.0 * p[2] - q[2] + t * (p[2] + q[2] - 2.0 * rise)));
  *perp = p[1] + t * (p[3] + t * (3.0 * climb - 2.0 * p[3] - q[3] + t * (p[3] + q[3] - 2.0 * climb)));
}

/* The best t of the orientation model where the closure gives par and perp, for eigenvalues in descending order; squared Frobenius
   misfit. fast: 1 where the fiber axis is the direction of the largest eigenvalue, 0 of the smallest. */
static inline __attribute__((always_inline)) double Shape(FgOrientation orientation, double par, double perp, double l0,
                                                          double l1, double l2, double *t0, double *t1, double *t2, double *fast)
{
  const double difference = par - perp, first = difference >= 0.0 ? 1.0 : 0.0;
  const double big = l2 + first * (l0 - l2), small = l0 + first * (l2 - l0);
  const double inverse = difference / (difference * difference + 1e-24 * (par * par + perp * perp) + 1e-60);

  if (orientation == FG_ALIGNED) {
    *t0 = 1.0;
    *t1 = *t2 = 0.0;
  } else if (orientation == FG_DISPERSED) {
    const double kappa = Unit((big - 0.5 * (l1 + small)) * inverse);

    *t0 = (1.0 + 2.0 * kappa) * (1.0 / 3.0);
    *t1 = *t2 = (1.0 - kappa) * (1.0 / 3.0);
  } else {
    /* Projection of (x0 >= x1 >= x2) on the simplex. */
    const double x0 = (big - perp) * inverse, x1 = (l1 - perp) * inverse, x2 = (small - perp) * inverse;
    const double s1 = x0 - 1.0, s2 = 0.5 * (x0 + x1 - 1.0), s3 = (x0 + x1 + x2 - 1.0) * (1.0 / 3.0);
    const double two = x1 > s2 ? s2 : s1, shift = x2 > s3 ? s3 : two;

    *t0 = Positive(x0 - shift);
    *t1 = Positive(x1 - shift);
    *t2 = Positive(x2 - shift);
  }
  *fast           = first;
  const double e0 = perp + difference * *t0 - big, e1 = perp + difference * *t1 - l1, e2 = perp + difference * *t2 - small;

  return e0 * e0 + e1 * e1 + e2 * e2;
}

/* One Jacobi rotation of rows p and q; r is the third. A = (xx, yy, zz, xy, xz, yz), V row-major. */
static inline void Rotate(FgLanes A[6], FgLanes V[9], int p, int q, int pq, int rp, int rq)
{
  FG_EACH_LANE
  {
    const double h = A[q][l] - A[p][l], off = A[pq][l], root = sqrt(h * h + 4.0 * off * off) + 1e-300;
    const double t = 2.0 * off / (h < 0.0 ? h - root : h + root), c = 1.0 / sqrt(t * t + 1.0), s = t * c;
    const double a = A[rp][l], b = A[rq][l];

    A[p][l] -= t * off;
    A[q][l] += t * off;
    A[pq][l] = 0.0;
    A[rp][l] = c * a - s * b;
    A[rq][l] = s * a + c * b;
    for (int i = 0; i < 3; i++) {
      const double x = V[3 * i + p][l], y = V[3 * i + q][l];

      V[3 * i + p][l] = c * x - s * y;
      V[3 * i + q][l] = s * x + c * y;
    }
  }
}

/* Puts the larger of eigenvalues p and q first; the columns stay right-handed. */
static inline void Order(FgLanes A[6], FgLanes V[9], int p, int q)
{
  FG_EACH_LANE
  {
    const double a = A[p][l], b = A[q][l];
    const int    swap = a < b;

    A[p][l] = swap ? b : a;
    A[q][l] = swap ? a : b;
    for (int i = 0; i < 3; i++) {
      const double x = V[3 * i + p][l], y = V[3 * i + q][l];

      V[3 * i + p][l] = swap ? y : x;
      V[3 * i + q][l] = swap ? -x : y;
    }
  }
}

/* Misfit at position x of the table. */
static inline __attribute__((always_inline)) double At(FgOrientation orientation, const FgTissueTable *table, const FgLanes A[6],
                                                       int l, double x)
{
  double par, perp, t0, t1, t2, fast;

  Look(table, x, &par, &perp);
  return Shape(orientation, par, perp, A[0][l], A[1][l], A[2][l], &t0, &t1, &t2, &fast);
}

/* For a given orientation, so that the loops over lanes have no branches. */
static inline __attribute__((always_inline)) void FromTensor(FgOrientation orientation, const FgTissueTable *table,
                                                             const FgLanes C[6], int rounds, FgLanes m[], FgLanes frame[9])
{
  enum { SWEEPS = 3, SCAN = 4 };   /* of the rotations; intervals of the table in a step of the scan */
  const double kappa_least = 0.02; /* at kappa 0 the data do not see the direction, and a descent method never would */
  FgLanes      A[6], V[9], position, best;

  memcpy(A, C, sizeof A);
  memset(V, 0, sizeof V);
  for (int i = 0; i < 3; i++) {
    FG_EACH_LANE V[4 * i][l] = 1.0;
  }
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    Rotate(A, V, 0, 1, 3, 4, 5);
    Rotate(A, V, 0, 2, 4, 3, 5);
    Rotate(A, V, 1, 2, 5, 3, 4);
  }
  Order(A, V, 0, 1);
  Order(A, V, 1, 2);
  Order(A, V, 0, 1);

  FG_EACH_LANE best[l]     = 1e300;
  FG_EACH_LANE position[l] = 0.0;
  for (int i = 0; i <= FG_TABLE_INTERVALS; i += SCAN) {
    const double par = table->node[i][0], perp = table->node[i][1], at = i;

    FG_EACH_LANE
    {
      double       t0, t1, t2, fast;
      const double misfit = Shape(orientation, par, perp, A[0][l], A[1][l], A[2][l], &t0, &t1, &t2, &fast);

      position[l] = misfit < best[l] ? at : position[l];
      best[l]     = misfit < best[l] ? misfit : best[l];
    }
  }
  double width = SCAN;
  for (int round = 0; round < rounds; round++, width *= 0.125) {
    FG_EACH_LANE
    {
      const double x = position[l], f = best[l], left = Positive(x - width);
      const double right = FG_TABLE_INTERVALS - Positive(FG_TABLE_INTERVALS - x - width);
      const double p = At(orientation, table, A, l, left), q = At(orientation, table, A, l, right);
      const double a = x - left, b = right - x; /* vertex of the parabola through three points, held between them */
      const double above = (q - f) * a * a - (p - f) * b * b, below = (q - f) * a + (p - f) * b;
      const double vertex = x - 0.5 * above / (fabs(below) + 1e-60), span = right - left;
      const double inside = left + span * Unit((vertex - left) / (span + 1e-60));
      const double g      = At(orientation, table, A, l, inside);
      const double low = p < f ? left : x, least = p < f ? p : f;
      const double lower = q < least ? right : low, lowest = q < least ? q : least;

      position[l] = g < lowest ? inside : lower;
      best[l]     = g < lowest ? g : lowest;
    }
  }
  FG_EACH_LANE
  {
    double par, perp, t0, t1, t2, fast;

    Look(table, position[l], &par, &perp);
    best[l] = Shape(orientation, par, perp, A[0][l], A[1][l], A[2][l], &t0, &t1, &t2, &fast);
    m[0][l] = table->upper - table->step * Positive(FG_TABLE_INTERVALS - position[l]);
    m[0][l] = table->lower + Positive(m[0][l] - table->lower);
    if (orientation == FG_DISPERSED) {
      m[1][l] = 1.0 - Positive(1.0 - kappa_least - Positive(t0 - t2 - kappa_least)); /* never above 1, rounding and all */
    } else if (orientation == FG_ORTHOTROPIC) {
      const double kappa = 1.0 - Positive(1.0 - kappa_least - Positive(1.0 - 3.0 * t2 - kappa_least));

      m[1][l] = kappa;
      m[2][l] = Unit(2.0 * (t1 - t2) / kappa);
    }
    for (int i = 0; i < 3; i++) { /* exchanging two columns mirrors the frame: the sign keeps it a rotation */
      const double x = V[3 * i][l], y = V[3 * i + 1][l], z = V[3 * i + 2][l];

      frame[3 * i][l]     = fast > 0.5 ? x : z;
      frame[3 * i + 1][l] = fast > 0.5 ? y : -y;
      frame[3 * i + 2][l] = fast > 0.5 ? z : x;
    }
  }
}

FG_SIMD_CLONES
void FgTissueFromTensorLanes(const FgTissue *tissue, const FgTissueTable *table, const FgLanes C[6], int rounds, FgLanes m[],
                             FgLanes frame[9])
{
  if (tissue->orientation == FG_ALIGNED) FromTensor(FG_ALIGNED, table, C, rounds, m, frame);
  else if (tissue->orientation == FG_DISPERSED) FromTensor(FG_DISPERSED, table, C, rounds, m, frame);
  else FromTensor(FG_ORTHOTROPIC, table, C, rounds, m, frame);
}
