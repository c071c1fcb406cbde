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

/* Cubic Hermite interpolation at x = 0 .. FG_TABLE_INTERVALS. */
static inline void Look(const FgTissueTable *table, double x, double c[2])
{
  const int    i = x < FG_TABLE_INTERVALS ? (int)x : FG_TABLE_INTERVALS - 1;
  const double t = x - i, *p = table->node[i], *q = table->node[i + 1];

  for (int k = 0; k < 2; k++) {
    const double rise = q[k] - p[k];

    c[k] = p[k] + t * (p[2 + k] + t * (3.0 * rise - 2.0 * p[2 + k] - q[2 + k] + t * (p[2 + k] + q[2 + k] - 2.0 * rise)));
  }
}

/* The best t of the orientation model where the closure gives c, for eigenvalues in descending order; squared Frobenius misfit. */
static inline double Shape(FgOrientation orientation, const double c[2], double l0, double l1, double l2, double t[3])
{
  const double difference = c[0] - c[1], big = difference >= 0.0 ? l0 : l2, small = difference >= 0.0 ? l2 : l0;
  const double size = fabs(difference), least = 1e-12 * fabs(c[0] + c[1]) + 1e-300;
  const double inverse = size > least ? 1.0 / difference : 0.0;

  if (orientation == FG_ALIGNED) {
    t[0] = 1.0;
    t[1] = t[2] = 0.0;
  } else if (orientation == FG_DISPERSED) {
    const double free = (big - 0.5 * (l1 + small)) * inverse, kappa = free < 0.0 ? 0.0 : free > 1.0 ? 1.0 : free;

    t[0] = (1.0 + 2.0 * kappa) * (1.0 / 3.0);
    t[1] = t[2] = (1.0 - kappa) * (1.0 / 3.0);
  } else {
    /* Projection of (x0 >= x1 >= x2) on the simplex. */
    const double x0 = (big - c[1]) * inverse, x1 = (l1 - c[1]) * inverse, x2 = (small - c[1]) * inverse;
    const double s1 = x0 - 1.0, s2 = 0.5 * (x0 + x1 - 1.0), s3 = (x0 + x1 + x2 - 1.0) * (1.0 / 3.0);
    const double shift = x2 > s3 ? s3 : x1 > s2 ? s2 : s1;

    t[0] = x0 > shift ? x0 - shift : 0.0;
    t[1] = x1 > shift ? x1 - shift : 0.0;
    t[2] = x2 > shift ? x2 - shift : 0.0;
  }
  const double e0 = c[1] + difference * t[0] - big, e1 = c[1] + difference * t[1] - l1, e2 = c[1] + difference * t[2] - small;

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
static inline double At(const FgTissue *tissue, const FgTissueTable *table, const FgLanes A[6], int l, double x, double t[3],
                        double c[2])
{
  Look(table, x, c);
  return Shape(tissue->orientation, c, A[0][l], A[1][l], A[2][l], t);
}

FG_SIMD_CLONES
void FgTissueFromTensorLanes(const FgTissue *tissue, const FgTissueTable *table, const FgLanes C[6], int rounds, FgLanes m[],
                             FgLanes frame[9])
{
  enum { SWEEPS = 4, SCAN = 4 };          /* of the rotations; intervals of the table in a step of the scan */
  const double        kappa_least = 0.02; /* at kappa 0 the data do not see the direction, and a descent method never would */
  const FgOrientation orientation = tissue->orientation;
  FgLanes             A[6], V[9], position, best;

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

  FG_EACH_LANE best[l]     = INFINITY;
  FG_EACH_LANE position[l] = 0.0;
  for (int i = 0; i <= FG_TABLE_INTERVALS; i += SCAN) {
    const double c[2] = {table->node[i][0], table->node[i][1]};

    FG_EACH_LANE
    {
      double       t[3];
      const double misfit = Shape(orientation, c, A[0][l], A[1][l], A[2][l], t);

      position[l] = misfit < best[l] ? i : position[l];
      best[l]     = misfit < best[l] ? misfit : best[l];
    }
  }
  double width = SCAN;
  for (int round = 0; round < rounds; round++, width *= 0.125) {
    FG_EACH_LANE
    {
      double       t[3], c[2];
      const double x = position[l], left = x > width ? x - width : 0.0;
      const double right = x + width < FG_TABLE_INTERVALS ? x + width : FG_TABLE_INTERVALS;
      const double f = best[l], p = At(tissue, table, A, l, left, t, c), q = At(tissue, table, A, l, right, t, c);
      const double a = x - left, b = right - x; /* vertex of the parabola through three points, held between them */
      const double above = (q - f) * a * a - (p - f) * b * b, below = (q - f) * a + (p - f) * b;
      const double vertex = below > 0.0 ? x - 0.5 * above / below : x;
      const double inside = vertex < left ? left : vertex > right ? right : vertex;
      const double g      = At(tissue, table, A, l, inside, t, c);
      const double low = p < f ? left : x, least = p < f ? p : f;
      const double lower = q < least ? right : low, least2 = q < least ? q : least;

      position[l] = g < least2 ? inside : lower;
      best[l]     = g < least2 ? g : least2;
    }
  }
  FG_EACH_LANE
  {
    double       t[3], c[2], kappa, alignment;
    const double misfit = At(tissue, table, A, l, position[l], t, c);
    const int    fast   = c[0] >= c[1];

    best[l] = misfit;
    m[0][l] = table->lower + table->step * position[l];
    if (orientation == FG_DISPERSED) {
      alignment = t[0] - t[2];
      m[1][l]   = alignment < kappa_least ? kappa_least : alignment;
    } else if (orientation == FG_ORTHOTROPIC) {
      alignment          = 1.0 - 3.0 * t[2];
      kappa              = alignment < kappa_least ? kappa_least : alignment;
      const double share = 2.0 * (t[1] - t[2]) / kappa;

      m[1][l] = kappa;
      m[2][l] = share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
    }
    for (int i = 0; i < 3; i++) { /* exchanging two columns mirrors the frame: the sign keeps it a rotation */
      frame[3 * i][l]     = fast ? V[3 * i][l] : V[3 * i + 2][l];
      frame[3 * i + 1][l] = fast ? V[3 * i + 1][l] : -V[3 * i + 1][l];
      frame[3 * i + 2][l] = fast ? V[3 * i + 2][l] : V[3 * i][l];
    }
  }
}
