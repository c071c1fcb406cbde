/* regularizer_site.c: what the frozen regularizer is to single sites while their neighbors are held (regularizer.h), one at a time and side
   by side. The positive definite bound of a direction's block: regularizer.c. */
#include "regularizer_axis.h"

void FgRegularizerGather(FgRegularizer r, PetscInt site, const PetscScalar *m, double scale, FgRegularizerSite *at)
{
  const FgField  field = r->field;
  const FgDomain d     = field->domain;
  const PetscInt nc = field->ncomponents, naxes = PetscMax(field->ntangent - 1, 0);

  for (PetscInt c = 0; c < nc; c++) at->weight[c] = at->mean[c] = 0.0;
  for (PetscInt axis = 0; axis < naxes; axis++) {
    at->total[axis] = 0.0;
    for (int k = 0; k < 9; k++) at->dyads[axis][k] = 0.0;
  }
  for (PetscInt k = d->site_start[site]; k < d->site_start[site + 1]; k++) {
    const FgDomainLink *link   = &d->site_link[k];
    const PetscInt      other  = link->site;
    const double       *lagged = &r->lagged[(size_t)link->group * nc];

    for (PetscInt t = 0; t < r->nterms; t++) {
      const FgRegularizerTerm *term   = &r->terms[t];
      const double             weight = scale * lagged[FgRegularizerColumn(term)] * link->coupling;

      if (term->kind == FG_KIND_SCALAR) {
        at->weight[term->component] += weight;
        at->mean[term->component] += weight * m[other * nc + term->component];
      } else {
        double  n[3];
        double *dyads = at->dyads[term->axis];

        Axis(field, term->axis, &field->frames[9 * other], &m[other * nc + field->tangent], n, NULL);
        at->total[term->axis] += weight;
        for (int a = 0; a < 3; a++) {
          for (int b = 0; b < 3; b++) dyads[3 * a + b] += weight * n[a] * n[b];
        }
      }
    }
  }
  for (PetscInt c = 0; c < nc; c++) {
    if (at->weight[c] > 0.0) at->mean[c] /= at->weight[c];
  }
}

void FgRegularizerSiteEvaluate(FgRegularizer r, const FgRegularizerSite *at, const double *m, const double *frame, double *energy,
                               double *gradient, double *block)
{
  const FgField  field = r->field;
  const PetscInt nc = field->ncomponents, nt = field->ntangent;

  for (PetscInt t = 0; t < r->nterms; t++) {
    const FgRegularizerTerm *term = &r->terms[t];
    const PetscInt           c    = term->component;

    if (term->kind == FG_KIND_SCALAR) {
      const double difference = m[c] - at->mean[c];

      *energy += 0.5 * at->weight[c] * difference * difference;
      if (!gradient) continue;
      gradient[c] += at->weight[c] * difference;
      block[c * nc + c] += at->weight[c];
    } else {
      const double *M = at->dyads[term->axis];
      double        n[3], dn[3][3], Mn[3];

      Axis(field, term->axis, frame, &m[c], n, gradient ? dn : NULL);
      for (int a = 0; a < 3; a++) Mn[a] = M[3 * a] * n[0] + M[3 * a + 1] * n[1] + M[3 * a + 2] * n[2];
      *energy += 0.5 * (at->total[term->axis] - Dot(n, Mn));
      for (PetscInt a = 0; gradient && a < nt; a++) {
        double Md[3];

        gradient[c + a] -= Dot(dn[a], Mn);
        for (int k = 0; k < 3; k++) Md[k] = M[3 * k] * dn[a][0] + M[3 * k + 1] * dn[a][1] + M[3 * k + 2] * dn[a][2];
        for (PetscInt b = 0; b < nt; b++) {
          block[(c + a) * nc + c + b] += at->total[term->axis] * Dot(dn[a], dn[b]) - Dot(Md, dn[b]);
        }
      }
    }
  }
}

/* The sums of GatherLane for a given number of components and axes, so that loops unroll. */
static inline void Sum(FgRegularizer r, PetscInt nc, PetscInt naxes, PetscInt site, const PetscScalar *m, double scale, int lane,
                       FgRegularizerLanes *at)
{
  const FgField  field                     = r->field;
  const FgDomain d                         = field->domain;
  const PetscInt tangent                   = field->tangent;
  double         weight[FG_MAX_COMPONENTS] = {0.0}, moment[FG_MAX_COMPONENTS] = {0.0}, dyads[2][6] = {{0.0}};

  for (PetscInt k = d->site_start[site]; k < d->site_start[site + 1]; k++) {
    const FgDomainLink *link   = &d->site_link[k];
    const double       *lagged = &r->lagged[(size_t)link->group * nc], coupling = scale * link->coupling;
    const PetscScalar  *other = &m[(size_t)link->site * nc];
    const double       *frame = naxes ? &field->frames[9 * (size_t)link->site] : NULL;

    for (PetscInt c = 0; c < nc; c++) {
      const double w = coupling * lagged[c];

      weight[c] += w;
      moment[c] += w * other[c];
    }
    for (PetscInt axis = 0; axis < naxes; axis++) {
      const double w = coupling * lagged[tangent + axis], x = frame[axis], y = frame[3 + axis], z = frame[6 + axis];

      dyads[axis][0] += w * x * x;
      dyads[axis][1] += w * y * y;
      dyads[axis][2] += w * z * z;
      dyads[axis][3] += w * x * y;
      dyads[axis][4] += w * x * z;
      dyads[axis][5] += w * y * z;
    }
  }
  for (PetscInt c = 0; c < nc; c++) {
    at->weight[c][lane] = weight[c];
    at->mean[c][lane]   = weight[c] > 0.0 ? moment[c] / weight[c] : 0.0;
  }
  for (PetscInt axis = 0; axis < naxes; axis++) {
    at->total[axis][lane] = weight[tangent + axis];
    for (int k = 0; k < 6; k++) at->dyads[axis][k][lane] = dyads[axis][k];
  }
}

void FgRegularizerGatherLane(FgRegularizer r, PetscInt site, const PetscScalar *m, double scale, int lane, FgRegularizerLanes *at)
{
  const PetscInt nc = r->field->ncomponents, naxes = PetscMax(r->field->ntangent - 1, 0);

  /* The tissues of the list with S0, and anything else. */
  if (nc == 4 && naxes == 1) Sum(r, 4, 1, site, m, scale, lane, at);
  else if (nc == 5 && naxes == 1) Sum(r, 5, 1, site, m, scale, lane, at);
  else if (nc == 7 && naxes == 2) Sum(r, 7, 2, site, m, scale, lane, at);
  else Sum(r, nc, naxes, site, m, scale, lane, at);
}

/* Column of the frame that tangent coordinate c moves an axis towards, and its sign; 0 where it does not (chart.c). */
static const int towards[2][3] = {{1, 2, -1}, {0, -1, 2}}, sign[2][3] = {{1, 1, 0}, {-1, 0, 1}};

/* y = M x, M symmetric as (xx, yy, zz, xy, xz, yz), x a column of a frame. */
static inline void Apply(const FgLanes M[6], const FgLanes frame[9], int column, FgLanes y[3])
{
  const double *a = frame[column], *b = frame[3 + column], *c = frame[6 + column];

  FG_EACH_LANE
  {
    y[0][l] = M[0][l] * a[l] + M[3][l] * b[l] + M[4][l] * c[l];
    y[1][l] = M[3][l] * a[l] + M[1][l] * b[l] + M[5][l] * c[l];
    y[2][l] = M[4][l] * a[l] + M[5][l] * b[l] + M[2][l] * c[l];
  }
}

/* sum += scale (column . y) */
static inline void AddDot(double scale, const FgLanes frame[9], int column, const FgLanes y[3], FgLanes sum)
{
  const double *a = frame[column], *b = frame[3 + column], *c = frame[6 + column];

  FG_EACH_LANE sum[l] += scale * (a[l] * y[0][l] + b[l] * y[1][l] + c[l] * y[2][l]);
}

FG_SIMD_CLONES
void FgRegularizerLanesEvaluate(FgRegularizer r, const FgRegularizerLanes *at, FgBatchPoint *point, PetscBool derivatives)
{
  const PetscInt tangent = r->field->tangent, nt = r->field->ntangent;

  for (PetscInt t = 0; t < r->nterms; t++) {
    const FgRegularizerTerm *term = &r->terms[t];
    const PetscInt           c = term->component, axis = term->axis;

    if (term->kind == FG_KIND_SCALAR) {
      FG_EACH_LANE
      {
        const double difference = point->m[c][l] - at->mean[c][l];

        point->misfit[l] += 0.5 * at->weight[c][l] * difference * difference;
      }
      if (!derivatives) continue;
      FG_EACH_LANE point->gradient[c][l] += at->weight[c][l] * (point->m[c][l] - at->mean[c][l]);
      FG_EACH_LANE point->hessian[FG_BLOCK(c, c)][l] += at->weight[c][l];
    } else {
      FgLanes Mn[3], Md[3], square;

      Apply(at->dyads[axis], point->frame, (int)axis, Mn);
      FG_EACH_LANE square[l] = at->total[axis][l];
      AddDot(-1.0, point->frame, (int)axis, Mn, square);
      FG_EACH_LANE point->misfit[l] += 0.5 * square[l];
      for (PetscInt a = 0; derivatives && a < nt; a++) {
        if (!sign[axis][a]) continue;
        AddDot(-sign[axis][a], point->frame, towards[axis][a], Mn, point->gradient[tangent + a]);
        Apply(at->dyads[axis], point->frame, towards[axis][a], Md);
        for (PetscInt b = 0; b <= a; b++) {
          double *restrict h = point->hessian[FG_BLOCK(tangent + a, tangent + b)];

          if (!sign[axis][b]) continue;
          if (a == b) {
            FG_EACH_LANE h[l] += at->total[axis][l];
          }
          AddDot(-sign[axis][a] * sign[axis][b], point->frame, towards[axis][b], Md, h);
        }
      }
    }
  }
}

void FgRegularizerGatherBond(FgRegularizer r, const FgDomainLink *link, double scale, int lane, FgRegularizerBonds *bonds)
{
  const FgField  field = r->field;
  const PetscInt nc    = field->ncomponents;

  for (PetscInt c = 0; c < nc; c++) bonds->weight[c][lane] = 0.0;
  for (PetscInt k = 0; k < 9; k++) bonds->frame[k][lane] = 0.0;
  if (!link) return;
  for (PetscInt c = 0; c < nc; c++) bonds->weight[c][lane] = scale * link->coupling * r->lagged[(size_t)link->group * nc + c];
  for (PetscInt k = 0; field->frames && k < 9; k++) bonds->frame[k][lane] = field->frames[9 * (size_t)link->site + k];
}

FG_SIMD_CLONES
void FgRegularizerBondsEvaluate(FgRegularizer r, const FgRegularizerBonds *bonds, const FgLanes frame[9],
                                FgLanes diagonal[FG_MAX_COMPONENTS], FgLanes turn[9])
{
  const PetscInt nt = r->field->ntangent;
  FgLanes        G[9]; /* products of columns: G[3 p + q] = column p here . column q there */

  for (PetscInt k = 0; k < nt * 3; k++) {
    FG_EACH_LANE turn[k][l] = 0.0;
  }
  for (int k = 0; nt && k < 9; k++) {
    const int p = k / 3, q = k % 3;

    FG_EACH_LANE
    {
      G[k][l] = frame[p][l] * bonds->frame[q][l] + frame[3 + p][l] * bonds->frame[3 + q][l] +
                frame[6 + p][l] * bonds->frame[6 + q][l];
    }
  }
  for (PetscInt t = 0; t < r->nterms; t++) {
    const FgRegularizerTerm *term   = &r->terms[t];
    const int                x      = (int)term->axis;
    const double            *weight = bonds->weight[FgRegularizerColumn(term)];

    if (term->kind == FG_KIND_SCALAR) {
      FG_EACH_LANE diagonal[term->component][l] = -weight[l];
      continue;
    }
    for (PetscInt a = 0; a < nt; a++) {
      for (PetscInt b = 0; b < nt; b++) {
        const int    p = towards[x][a], q = towards[x][b];
        const double both = sign[x][a] * sign[x][b];

        if (both == 0.0) continue;
        FG_EACH_LANE turn[3 * a + b][l] -= both * weight[l] *
                                           (G[3 * x + x][l] * G[3 * p + q][l] + G[3 * p + x][l] * G[3 * x + q][l]);
      }
    }
  }
}
