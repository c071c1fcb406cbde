/* chart.c: directions and frames as unbounded coordinates about a reference frame.

   Cayley's rotation of a vector a:  Q(a) = [(1 - a.a) I + 2 [a]x + 2 a a^T] / (1 + a.a).
   With a = (w, -v, u)/2 in the reference frame, R = R0 Q has the first column
       n = [(1 - s) n0 + u e1 + v e2]/(1 + s),  s = (u^2 + v^2)/4     (w = 0),
   the stereographic projection of the direction: it has no poles but -n0, which is the same fiber as n0.
   Source: A. Cayley, J. reine angew. Math. 32 (1846); M. D. Shuster, J. Astronaut. Sci. 41 (1993), section on the
   Gibbs vector (Rodrigues parameters). */
#include "finegrain/field.h"

void FgChartFrameFromDirection(const double n[3], double frame[9])
{
  /* T. Duff et al., Building an orthonormal basis, revisited, J. Comput. Graph. Tech. 6 (2017): no branch on the size of n_z. */
  const double sign = n[2] >= 0.0 ? 1.0 : -1.0;
  const double a = -1.0 / (sign + n[2]), b = n[0] * n[1] * a;
  const double e1[3] = {1.0 + sign * n[0] * n[0] * a, sign * b, -sign * n[0]};
  const double e2[3] = {b, sign + n[1] * n[1] * a, -n[1]};

  for (int i = 0; i < 3; i++) {
    frame[3 * i + 0] = n[i];
    frame[3 * i + 1] = e1[i];
    frame[3 * i + 2] = e2[i];
  }
}

void FgChartDirection(const double frame[9], const double *uv, double n[3], double dn[2][3])
{
  const double u = uv[0], v = uv[1], s = 0.25 * (u * u + v * v), scale = 1.0 / (1.0 + s);

  for (int i = 0; i < 3; i++) {
    const double n0 = frame[3 * i], e1 = frame[3 * i + 1], e2 = frame[3 * i + 2];

    n[i] = ((1.0 - s) * n0 + u * e1 + v * e2) * scale;
    if (dn) {
      dn[0][i] = (e1 - 0.5 * u * (n0 + n[i])) * scale;
      dn[1][i] = (e2 - 0.5 * v * (n0 + n[i])) * scale;
    }
  }
}

/* The chart at its center, where solvers spend nearly all their time: R = R0, and each coordinate turns one column into another. */
static void CenteredRotation(const double frame[9], double R[9], double dR[3][9])
{
  for (int i = 0; i < 9; i++) R[i] = frame[i];
  if (!dR) return;
  for (int i = 0; i < 3; i++) {
    const double n0 = frame[3 * i], e1 = frame[3 * i + 1], e2 = frame[3 * i + 2];
    const double rows[3][3] = {{e1, -n0, 0.0}, {e2, 0.0, -n0}, {0.0, e2, -e1}};

    for (int c = 0; c < 3; c++) {
      for (int j = 0; j < 3; j++) dR[c][3 * i + j] = rows[c][j];
    }
  }
}

static void Multiply(const double A[9], const double B[9], double C[9])
{
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) C[3 * i + j] = A[3 * i] * B[j] + A[3 * i + 1] * B[3 + j] + A[3 * i + 2] * B[6 + j];
  }
}

void FgChartRotation(const double frame[9], const double uvw[3], double R[9], double dR[3][9])
{
  const double a[3]   = {0.5 * uvw[2], -0.5 * uvw[1], 0.5 * uvw[0]};
  const double square = a[0] * a[0] + a[1] * a[1] + a[2] * a[2], scale = 1.0 / (1.0 + square);
  const double cross[9] = {0, -a[2], a[1], a[2], 0, -a[0], -a[1], a[0], 0};
  double       Q[9];

  if (square == 0.0) {
    CenteredRotation(frame, R, dR);
    return;
  }
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      Q[3 * i + j] = ((i == j ? 1.0 - square : 0.0) + 2.0 * cross[3 * i + j] + 2.0 * a[i] * a[j]) * scale;
    }
  }
  Multiply(frame, Q, R);
  if (!dR) return;
  /* a_k of coordinate c and the sign of da/dc: u -> +a2/2, v -> -a1/2, w -> +a0/2. */
  static const int    axis[3] = {2, 1, 0};
  static const double half[3] = {0.5, -0.5, 0.5};
  for (int c = 0; c < 3; c++) {
    const int k = axis[c], p = (k + 1) % 3, q = (k + 2) % 3;
    double    dQ[9];

    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) {
        double d = (i == j ? -2.0 * a[k] : 0.0) - 2.0 * a[k] * Q[3 * i + j];

        if (i == k) d += 2.0 * a[j];
        if (j == k) d += 2.0 * a[i];
        if (i == p && j == q) d -= 2.0;
        if (i == q && j == p) d += 2.0;
        dQ[3 * i + j] = d * scale * half[c];
      }
    }
    Multiply(frame, dQ, dR[c]);
  }
}

void FgChartRecenter(PetscInt ntangent, double *coordinates, double frame[9])
{
  if (ntangent == 2) {
    double n[3], norm;

    FgChartDirection(frame, coordinates, n, NULL);
    norm = PetscSqrtReal(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]); /* keeps rounding from growing over many re-centrings */
    for (int i = 0; i < 3; i++) n[i] /= norm;
    FgChartFrameFromDirection(n, frame);
  } else {
    double R[9];

    FgChartRotation(frame, coordinates, R, NULL);
    for (int i = 0; i < 9; i++) frame[i] = R[i];
  }
  for (PetscInt c = 0; c < ntangent; c++) coordinates[c] = 0.0;
}
