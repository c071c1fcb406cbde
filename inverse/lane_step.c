/* lane_step.c: projected Newton steps on boxes, and inverses of blocks, for FG_LANES sites side by side.
   Source: D. P. Bertsekas, SIAM J. Control Optim. 20 (1982). */
#include "lane_step.h"

/* In-place Cholesky factor of a packed block; solved is cleared where it fails. */
static inline void Factor(PetscInt n, FgLanes *restrict A, FgLanes solved)
{
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt j = 0; j <= i; j++) {
      double *restrict a = A[FG_BLOCK(i, j)];
      FgLanes sum;

      FG_EACH_LANE sum[l] = a[l];
      for (PetscInt k = 0; k < j; k++) {
        FG_EACH_LANE sum[l] -= A[FG_BLOCK(i, k)][l] * A[FG_BLOCK(j, k)][l];
      }
      if (i == j) { /* the diagonal of the factor is kept inverted */
        FG_EACH_LANE
        {
          const int good = sum[l] > 1e-14 * a[l];

          solved[l] = good ? solved[l] : 0.0;
          a[l]      = 1.0 / sqrt(good ? sum[l] : 1.0);
        }
      } else {
        FG_EACH_LANE a[l] = sum[l] * A[FG_BLOCK(j, j)][l];
      }
    }
  }
}

static inline void Solve(PetscInt n, const FgLanes *restrict A, FgLanes *restrict x)
{
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt k = 0; k < i; k++) {
      FG_EACH_LANE x[i][l] -= A[FG_BLOCK(i, k)][l] * x[k][l];
    }
    FG_EACH_LANE x[i][l] *= A[FG_BLOCK(i, i)][l];
  }
  for (PetscInt i = n - 1; i >= 0; i--) {
    for (PetscInt k = i + 1; k < n; k++) {
      FG_EACH_LANE x[i][l] -= A[FG_BLOCK(k, i)][l] * x[k][l];
    }
    FG_EACH_LANE x[i][l] *= A[FG_BLOCK(i, i)][l];
  }
}

/* Takes the frames along their tangent coordinates, which become 0: Cayley's rotation, as FgChartRecenter (chart.c). */
static inline void Recenter(FgField field, FgLanes *restrict m, FgLanes *restrict frame)
{
  FgLanes *restrict u = &m[field->tangent], *restrict v = u + 1;

  FG_EACH_LANE
  {
    const double a0 = field->ntangent == 3 ? 0.5 * u[2][l] : 0.0, a1 = -0.5 * v[0][l], a2 = 0.5 * u[0][l];
    const double square = a0 * a0 + a1 * a1 + a2 * a2, scale = 1.0 / (1.0 + square), rest = 1.0 - square;
    const double Q00 = (rest + 2.0 * a0 * a0) * scale, Q01 = 2.0 * (a0 * a1 - a2) * scale, Q02 = 2.0 * (a0 * a2 + a1) * scale;
    const double Q10 = 2.0 * (a0 * a1 + a2) * scale, Q11 = (rest + 2.0 * a1 * a1) * scale, Q12 = 2.0 * (a1 * a2 - a0) * scale;
    const double Q20 = 2.0 * (a0 * a2 - a1) * scale, Q21 = 2.0 * (a1 * a2 + a0) * scale, Q22 = (rest + 2.0 * a2 * a2) * scale;

    for (int i = 0; i < 3; i++) {
      const double x = frame[3 * i][l], y = frame[3 * i + 1][l], z = frame[3 * i + 2][l];

      frame[3 * i][l]     = x * Q00 + y * Q10 + z * Q20;
      frame[3 * i + 1][l] = x * Q01 + y * Q11 + z * Q21;
      frame[3 * i + 2][l] = x * Q02 + y * Q12 + z * Q22;
    }
    u[0][l] = v[0][l] = 0.0;
    if (field->ntangent == 3) u[2][l] = 0.0;
  }
}

FG_SIMD_CLONES
void FgLaneStep(FgField field, const FgBatchPoint *at, const FgLanes damping, double relaxation, FgBatchPoint *trial,
                FgLanes solved, FgLanes slope, FgLanes curvature, FgLanes step[])
{
  const PetscInt nc = field->ncomponents;
  FgLanes        held[FG_MAX_COMPONENTS], full[FG_MAX_COMPONENTS], x[FG_MAX_COMPONENTS], A[FG_MAX_BLOCK];

  FG_EACH_LANE solved[l] = 1.0;
  for (PetscInt c = 0; c < nc; c++) {
    const double lower = field->components[c].lower, upper = field->components[c].upper;

    FG_EACH_LANE
    {
      const double m = at->m[c][l], g = at->gradient[c][l], h = at->hessian[FG_BLOCK(c, c)][l];

      held[c][l] = (m <= lower && g > 0.0) || (m >= upper && g < 0.0) || !(h > 0.0) ? 1.0 : 0.0;
      full[c][l] = 0.0;
    }
  }
  /* At most one round a component: each round holds at least one more. Lanes that need no more compute the same again. */
  for (PetscInt round = 0; round <= nc; round++) {
    double crossed = 0.0;

    for (PetscInt a = 0; a < nc; a++) {
      FG_EACH_LANE x[a][l] = held[a][l] > 0.0 ? full[a][l] : -at->gradient[a][l];
      for (PetscInt b = 0; b < a; b++) {
        const double *restrict h = at->hessian[FG_BLOCK(a, b)];
        double *restrict out     = A[FG_BLOCK(a, b)];

        FG_EACH_LANE out[l] = held[a][l] + held[b][l] > 0.0 ? 0.0 : h[l];
      }
      const double *restrict h = at->hessian[FG_BLOCK(a, a)];
      double *restrict out     = A[FG_BLOCK(a, a)];

      FG_EACH_LANE out[l] = held[a][l] > 0.0 ? 1.0 : h[l] * (1.0 + damping[l]);
    }
    if (round) { /* components moved onto a bound act on the rest */
      for (PetscInt a = 0; a < nc; a++) {
        for (PetscInt b = 0; b < nc; b++) {
          const double *restrict h = at->hessian[a >= b ? FG_BLOCK(a, b) : FG_BLOCK(b, a)];

          FG_EACH_LANE x[a][l] -= held[a][l] == 0.0 && held[b][l] > 0.0 ? h[l] * full[b][l] : 0.0;
        }
      }
    }
    Factor(nc, A, solved);
    Solve(nc, A, x);
    for (PetscInt c = 0; c < nc; c++) {
      const double lower = field->components[c].lower, upper = field->components[c].upper;

#pragma omp simd reduction(+ : crossed)
      for (int l = 0; l < FG_LANES; l++) {
        const double m = at->m[c][l], to = m + x[c][l], inside = to < lower ? lower : to > upper ? upper : to;
        const int    free = held[c][l] == 0.0, out = free && !(to >= lower && to <= upper) && solved[l] > 0.0;

        full[c][l] = free ? (out ? inside - m : x[c][l]) : full[c][l];
        held[c][l] = out ? 1.0 : held[c][l];
        crossed += out ? 1.0 : 0.0;
      }
    }
    if (crossed == 0.0) break;
  }
  for (PetscInt c = 0; c < nc; c++) {
    const double lower = field->components[c].lower, upper = field->components[c].upper;

    FG_EACH_LANE
    {
      const double to = at->m[c][l] + relaxation * full[c][l], inside = to < lower ? lower : to > upper ? upper : to;

      trial->m[c][l] = solved[l] > 0.0 ? inside : at->m[c][l];
      x[c][l]        = trial->m[c][l] - at->m[c][l];
    }
  }
  for (PetscInt c = 0; c < nc && step; c++) {
    FG_EACH_LANE step[c][l] = x[c][l];
  }
  if (slope) {
    FG_EACH_LANE slope[l] = 0.0;
    for (PetscInt a = 0; a < nc; a++) {
      FG_EACH_LANE slope[l] -= at->gradient[a][l] * x[a][l];
    }
  }
  if (curvature) {
    FG_EACH_LANE curvature[l] = 0.0;
    for (PetscInt a = 0; a < nc; a++) {
      for (PetscInt b = 0; b <= a; b++) {
        const double twice       = a == b ? 1.0 : 2.0;
        const double *restrict h = at->hessian[FG_BLOCK(a, b)];

        FG_EACH_LANE curvature[l] += twice * h[l] * x[a][l] * x[b][l];
      }
    }
  }
  for (int k = 0; k < 9; k++) {
    FG_EACH_LANE trial->frame[k][l] = at->frame[k][l];
  }
  if (field->ntangent) Recenter(field, trial->m, trial->frame);
}

FG_SIMD_CLONES
void FgLaneDeviations(PetscInt nc, const FgLanes hessian[], FgLanes deviation[])
{
  FgLanes A[FG_MAX_BLOCK], scale[FG_MAX_COMPONENTS], x[FG_MAX_COMPONENTS], solved;

  /* Scaled to unit diagonal, so that units do not decide what is singular. */
  FG_EACH_LANE solved[l] = 1.0;
  for (PetscInt c = 0; c < nc; c++) {
    FG_EACH_LANE
    {
      const double h = hessian[FG_BLOCK(c, c)][l];

      scale[c][l] = h > 0.0 ? 1.0 / sqrt(h) : 0.0;
    }
  }
  for (PetscInt a = 0; a < nc; a++) {
    for (PetscInt b = 0; b <= a; b++) {
      const double *restrict h = hessian[FG_BLOCK(a, b)];
      double *restrict out     = A[FG_BLOCK(a, b)];

      FG_EACH_LANE out[l] = h[l] * scale[a][l] * scale[b][l] + (a == b ? 1e-12 : 0.0);
    }
  }
  Factor(nc, A, solved);
  /* Column c of the factor's inverse: the variance is the sum of its squares. */
  for (PetscInt c = 0; c < nc; c++) {
    FG_EACH_LANE deviation[c][l] = 0.0;
    for (PetscInt i = c; i < nc; i++) {
      FG_EACH_LANE x[i][l] = i == c ? 1.0 : 0.0;
      for (PetscInt k = c; k < i; k++) {
        FG_EACH_LANE x[i][l] -= A[FG_BLOCK(i, k)][l] * x[k][l];
      }
      FG_EACH_LANE x[i][l] *= A[FG_BLOCK(i, i)][l];
      FG_EACH_LANE deviation[c][l] += x[i][l] * x[i][l];
    }
    FG_EACH_LANE
    {
      deviation[c][l] = solved[l] > 0.0 && scale[c][l] > 0.0 ? sqrt(deviation[c][l]) * scale[c][l] : INFINITY;
    }
  }
}

FG_SIMD_CLONES
void FgLaneInverse(PetscInt nc, const FgLanes block[], const FgLanes held[], FgLanes inverse[])
{
  FgLanes A[FG_MAX_BLOCK], X[FG_MAX_BLOCK], scale[FG_MAX_COMPONENTS], solved;

  /* Scaled to unit diagonal, so that units do not decide what is singular; the ridge bounds what nearly is. */
  FG_EACH_LANE solved[l] = 1.0;
  for (PetscInt c = 0; c < nc; c++) {
    FG_EACH_LANE
    {
      const double h = block[FG_BLOCK(c, c)][l];

      scale[c][l] = h > 0.0 && held[c][l] == 0.0 ? 1.0 / sqrt(h) : 0.0;
    }
  }
  for (PetscInt a = 0; a < nc; a++) {
    for (PetscInt b = 0; b < a; b++) {
      FG_EACH_LANE A[FG_BLOCK(a, b)][l] = block[FG_BLOCK(a, b)][l] * scale[a][l] * scale[b][l];
    }
    FG_EACH_LANE A[FG_BLOCK(a, a)][l] = 1.0 + 1e-10;
  }
  Factor(nc, A, solved);
  for (PetscInt c = 0; c < nc; c++) { /* the factor's inverse by columns */
    FG_EACH_LANE X[FG_BLOCK(c, c)][l] = A[FG_BLOCK(c, c)][l];
    for (PetscInt i = c + 1; i < nc; i++) {
      FgLanes sum;

      FG_EACH_LANE sum[l] = 0.0;
      for (PetscInt k = c; k < i; k++) {
        FG_EACH_LANE sum[l] -= A[FG_BLOCK(i, k)][l] * X[FG_BLOCK(k, c)][l];
      }
      FG_EACH_LANE X[FG_BLOCK(i, c)][l] = sum[l] * A[FG_BLOCK(i, i)][l];
    }
  }
  for (PetscInt a = 0; a < nc; a++) {
    for (PetscInt b = 0; b <= a; b++) {
      FgLanes sum;

      FG_EACH_LANE sum[l] = 0.0;
      for (PetscInt k = a; k < nc; k++) {
        FG_EACH_LANE sum[l] += X[FG_BLOCK(k, a)][l] * X[FG_BLOCK(k, b)][l];
      }
      FG_EACH_LANE inverse[FG_BLOCK(a, b)][l] = solved[l] > 0.0 ? sum[l] * scale[a][l] * scale[b][l] : 0.0;
    }
  }
}
