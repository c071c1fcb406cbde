/* regularizer.c: one sweep over the neighbour groups serves every regularizer; see regularizer.h for the equations.

   For a pair (i, j) of a group with frozen weight q = weight * measure * 2 psi'(T) and coupling k:
     scalar     dR/dm_i = q k (m_i - m_j),            Hessian q k [1 -1; -1 1]
     direction  dR/dn_i = -q k (n_i.n_j) n_j,         Gauss-Newton q k (|dn_i|^2 + |dn_j|^2
                                                        - 2 (n_i.n_j)(dn_i.dn_j) - 2 (dn_i.n_j)(dn_j.n_i))
   chained with dn/d(tangent coordinates). With j held, the exact second derivative on the sphere, q k (c^2 I - t t^T) with t
   the part of n_j tangent at i, is indefinite at orientation edges; adding |t|^2 I makes the self block q k (I - t t^T). */
#include "finegrain/regularizer.h"

/* Axis 0 or 1 of a site's chart, and its derivatives with respect to the tangent coordinates. */
static void Axis(FgField field, PetscInt axis, const double *frame, const double *coordinates, double n[3], double dn[3][3])
{
  if (axis == 0 && coordinates[0] == 0.0 && coordinates[1] == 0.0) { /* centered, as always during sweeps */
    for (int i = 0; i < 3; i++) {
      n[i] = frame[3 * i];
      if (!dn) continue;
      dn[0][i] = frame[3 * i + 1];
      dn[1][i] = frame[3 * i + 2];
      dn[2][i] = 0.0;
    }
  } else if (field->ntangent == 2) {
    FgChartDirection(frame, coordinates, n, dn);
  } else {
    double R[9], dR[3][9];

    FgChartRotation(frame, coordinates, R, dn ? dR : NULL);
    for (int i = 0; i < 3; i++) {
      n[i] = R[3 * i + axis];
      for (int c = 0; dn && c < 3; c++) dn[c][i] = dR[c][3 * i + axis];
    }
  }
}

static double Dot(const double a[3], const double b[3])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* |a x b|^2: the squared sine of the angle, without the cancellation of 1 - (a.b)^2. */
static double SineSquared(const double a[3], const double b[3])
{
  const double x = a[1] * b[2] - a[2] * b[1], y = a[2] * b[0] - a[0] * b[2], z = a[0] * b[1] - a[1] * b[0];

  return x * x + y * y + z * z;
}

PetscErrorCode FgRegularizerCreate(const FgRegularizerOps *ops, FgField field, PetscInt nterms, const FgRegularizerTerm terms[],
                                   FgRegularizer *regularizer)
{
  const FgDomain d = field->domain;
  FgRegularizer  r;

  PetscFunctionBegin;
  PetscCheck(nterms <= 8, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "at most 8 regularizer terms, not %" PetscInt_FMT, nterms);
  PetscCall(PetscNew(&r));
  r->ops    = ops;
  r->field  = field;
  r->nterms = nterms;
  for (PetscInt t = 0; t < nterms; t++) r->terms[t] = terms[t];
  PetscCall(PetscCalloc1((size_t)nterms * d->ngroups, &r->lagged));
  if (field->ntangent) PetscCall(PetscCalloc1(6 * (size_t)(d->nlocal + d->nghost), &r->direction));
  *regularizer = r;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgRegularizerDestroy(FgRegularizer *regularizer)
{
  PetscFunctionBegin;
  if (!*regularizer) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree((*regularizer)->lagged));
  PetscCall(PetscFree((*regularizer)->direction));
  PetscCall(PetscFree(*regularizer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const double *Direction(FgRegularizer r, PetscInt axis, PetscInt i)
{
  const FgDomain d = r->field->domain;

  return &r->direction[3 * (axis * (size_t)(d->nlocal + d->nghost) + i)];
}

static double PairDifference(FgRegularizer r, const FgRegularizerTerm *term, const PetscScalar *m, PetscInt i, PetscInt j)
{
  if (term->kind == FG_KIND_TANGENT) {
    return SineSquared(Direction(r, term->axis, i), Direction(r, term->axis, j));
  } else {
    const PetscInt nc         = r->field->ncomponents;
    const double   difference = m[j * nc + term->component] - m[i * nc + term->component];

    return difference * difference;
  }
}

PetscErrorCode FgRegularizerFreeze(FgRegularizer r, Vec m, PetscReal *energy)
{
  const FgField      field = r->field;
  const FgDomain     d     = field->domain;
  const PetscInt     nc    = field->ncomponents;
  const PetscScalar *values;
  Vec                local;
  double             sum = 0.0;

  PetscFunctionBegin;
  PetscCall(VecGhostUpdateBegin(m, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(m, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostGetLocalForm(m, &local));
  PetscCall(VecGetArrayRead(local, &values));
  for (PetscInt axis = 0; field->ntangent && axis < field->ntangent - 1; axis++) {
    for (PetscInt i = 0; i < d->nlocal + d->nghost; i++) {
      Axis(field, axis, &field->frames[9 * i], &values[i * nc + field->tangent], (double *)Direction(r, axis, i), NULL);
    }
  }
  for (PetscInt g = 0; g < d->ngroups; g++) {
    double *lagged = &r->lagged[(size_t)g * r->nterms];

    for (PetscInt t = 0; t < r->nterms; t++) {
      const FgRegularizerTerm *term    = &r->terms[t];
      const double             inverse = 1.0 / (term->scale * term->scale);
      double                   square  = 0.0;

      for (PetscInt p = d->group_start[g]; p < d->group_start[g + 1]; p++) {
        square += d->pair_coupling[p] * PairDifference(r, term, values, d->pair_i[p], d->pair_j[p]);
      }
      square *= inverse;
      lagged[t] = inverse * term->weight * d->group_measure[g] * r->ops->weight(square, term->epsilon);
      if (g < d->nowned) sum += term->weight * d->group_measure[g] * r->ops->psi(square, term->epsilon);
    }
  }
  PetscCall(VecRestoreArrayRead(local, &values));
  PetscCall(VecGhostRestoreLocalForm(m, &local));
  if (energy) {
    *energy = sum;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, energy, 1, MPIU_REAL, MPIU_SUM, d->comm));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the bending of psi takes off the lagged Hessian of a group: bend h.v / scale^2, the multiple of the group's own gradient. */
static double Bending(FgRegularizer r, PetscInt t, PetscInt g, const PetscScalar *m, const PetscScalar *v,
                      const double *variation)
{
  const FgRegularizerTerm *term    = &r->terms[t];
  const FgDomain           d       = r->field->domain;
  const PetscInt           nc      = r->field->ncomponents;
  const double             inverse = 1.0 / (term->scale * term->scale);
  double                   square = 0.0, along = 0.0;

  for (PetscInt p = d->group_start[g]; p < d->group_start[g + 1]; p++) {
    const PetscInt i = d->pair_i[p], j = d->pair_j[p];

    square += d->pair_coupling[p] * PairDifference(r, term, m, i, j);
    if (term->kind == FG_KIND_SCALAR) {
      const PetscInt c = term->component;

      along += d->pair_coupling[p] * (m[i * nc + c] - m[j * nc + c]) * (v[i * nc + c] - v[j * nc + c]);
    } else {
      const double *ni = Direction(r, term->axis, i), *nj = Direction(r, term->axis, j);
      const size_t  nsites = d->nlocal + d->nghost;

      along -= d->pair_coupling[p] * Dot(ni, nj) *
               (Dot(&variation[3 * (term->axis * nsites + i)], nj) + Dot(&variation[3 * (term->axis * nsites + j)], ni));
    }
  }
  return r->ops->bend(inverse * square, term->epsilon) * inverse * along;
}

/* dn of v at every site, [axis][site][3]. */
static void Vary(FgRegularizer r, const PetscScalar *m, const PetscScalar *v, double *variation)
{
  const FgField  field = r->field;
  const PetscInt nc = field->ncomponents, nt = field->ntangent, nsites = field->domain->nlocal + field->domain->nghost;

  for (PetscInt axis = 0; axis < nt - 1; axis++) {
    for (PetscInt i = 0; i < nsites; i++) {
      double  n[3], dn[3][3];
      double *sum = &variation[3 * (axis * (size_t)nsites + i)];

      Axis(field, axis, &field->frames[9 * i], &m[i * nc + field->tangent], n, dn);
      for (int k = 0; k < 3; k++) {
        sum[k] = 0.0;
        for (PetscInt c = 0; c < nt; c++) sum[k] += dn[c][k] * v[i * nc + field->tangent + c];
      }
    }
  }
}

/* Adds scale * the derivative of the frozen sum of squares to the owned sites: with v == NULL of the energy itself (the gradient),
   else of its Gauss-Newton action on v, if asked for less what the bending of psi takes off. */
static PetscErrorCode Accumulate(FgRegularizer r, const PetscScalar *m, const PetscScalar *v, PetscBool bent, double scale,
                                 PetscScalar *out)
{
  const FgField  field = r->field;
  const FgDomain d     = field->domain;
  const PetscInt nc = field->ncomponents, nsites = d->nlocal + d->nghost, nt = field->ntangent;
  double        *variation = NULL;

  PetscFunctionBegin;
  if (v && nt) {
    PetscCall(PetscMalloc1(3 * (size_t)(nt - 1) * nsites, &variation));
    Vary(r, m, v, variation);
  }
  for (PetscInt t = 0; t < r->nterms; t++) {
    const FgRegularizerTerm *term = &r->terms[t];

    for (PetscInt g = 0; g < d->ngroups; g++) {
      const double q    = scale * r->lagged[(size_t)g * r->nterms + t];
      const double less = bent ? Bending(r, t, g, m, v, variation) : 0.0;

      for (PetscInt p = d->group_start[g]; p < d->group_start[g + 1]; p++) {
        const PetscInt site[2] = {d->pair_i[p], d->pair_j[p]};
        const double   weight  = q * d->pair_coupling[p];

        if (term->kind == FG_KIND_SCALAR) {
          const PetscInt     a = site[0] * nc + term->component, b = site[1] * nc + term->component;
          const PetscScalar *x = v ? v : m;
          const double       f = weight * (x[a] - x[b] - less * (m[a] - m[b]));

          if (site[0] < d->nlocal) out[a] += f;
          if (site[1] < d->nlocal) out[b] -= f;
          continue;
        }
        for (int side = 0; side < 2; side++) {
          const PetscInt i = site[side], j = site[1 - side];
          const double  *ni = Direction(r, term->axis, i), *nj = Direction(r, term->axis, j);
          const double   c = Dot(ni, nj);
          double         force[3], n[3], dn[3][3];

          if (i >= d->nlocal) continue;
          if (v) {
            const double *di = &variation[3 * (term->axis * (size_t)nsites + i)];
            const double *dj = &variation[3 * (term->axis * (size_t)nsites + j)];

            for (int k = 0; k < 3; k++) force[k] = weight * (di[k] - c * dj[k] - Dot(dj, ni) * nj[k] + less * c * nj[k]);
          } else {
            for (int k = 0; k < 3; k++) force[k] = -weight * c * nj[k];
          }
          Axis(field, term->axis, &field->frames[9 * i], &m[i * nc + field->tangent], n, dn);
          for (PetscInt k = 0; k < nt; k++) out[i * nc + field->tangent + k] += Dot(dn[k], force);
        }
      }
    }
  }
  PetscCall(PetscFree(variation));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgRegularizerGradient(FgRegularizer r, Vec m, double scale, Vec gradient)
{
  Vec                local;
  const PetscScalar *values;
  PetscScalar       *out;

  PetscFunctionBegin;
  PetscCall(VecGhostGetLocalForm(m, &local));
  PetscCall(VecGetArrayRead(local, &values));
  PetscCall(VecGetArray(gradient, &out));
  PetscCall(Accumulate(r, values, NULL, PETSC_FALSE, scale, out));
  PetscCall(VecRestoreArray(gradient, &out));
  PetscCall(VecRestoreArrayRead(local, &values));
  PetscCall(VecGhostRestoreLocalForm(m, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Act(FgRegularizer r, Vec m, Vec v, PetscBool bent, double scale, Vec y)
{
  Vec                local, local_v;
  const PetscScalar *values, *variation;
  PetscScalar       *out;

  PetscFunctionBegin;
  PetscCall(VecGhostUpdateBegin(v, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(v, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostGetLocalForm(m, &local));
  PetscCall(VecGhostGetLocalForm(v, &local_v));
  PetscCall(VecGetArrayRead(local, &values));
  PetscCall(VecGetArrayRead(local_v, &variation));
  PetscCall(VecGetArray(y, &out));
  PetscCall(Accumulate(r, values, variation, bent, scale, out));
  PetscCall(VecRestoreArray(y, &out));
  PetscCall(VecRestoreArrayRead(local_v, &variation));
  PetscCall(VecRestoreArrayRead(local, &values));
  PetscCall(VecGhostRestoreLocalForm(v, &local_v));
  PetscCall(VecGhostRestoreLocalForm(m, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgRegularizerHessian(FgRegularizer r, Vec m, Vec v, double scale, Vec y)
{
  return Act(r, m, v, PETSC_FALSE, scale, y);
}

PetscErrorCode FgRegularizerCurvature(FgRegularizer r, Vec m, Vec v, double scale, Vec y)
{
  return Act(r, m, v, PETSC_TRUE, scale, y);
}

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
    const PetscInt p = d->site_pair[k], other = d->pair_i[p] == site ? d->pair_j[p] : d->pair_i[p], g = d->pair_group[p];

    for (PetscInt t = 0; t < r->nterms; t++) {
      const FgRegularizerTerm *term   = &r->terms[t];
      const double             weight = scale * r->lagged[(size_t)g * r->nterms + t] * d->pair_coupling[p];

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

void FgRegularizerGatherLane(FgRegularizer r, PetscInt site, const PetscScalar *m, double scale, int lane, FgRegularizerLanes *at)
{
  const FgField  field = r->field;
  const FgDomain d     = field->domain;
  const PetscInt nc = field->ncomponents, naxes = PetscMax(field->ntangent - 1, 0);

  for (PetscInt c = 0; c < nc; c++) at->weight[c][lane] = at->mean[c][lane] = 0.0;
  for (PetscInt axis = 0; axis < naxes; axis++) {
    at->total[axis][lane] = 0.0;
    for (int k = 0; k < 6; k++) at->dyads[axis][k][lane] = 0.0;
  }
  for (PetscInt k = d->site_start[site]; k < d->site_start[site + 1]; k++) {
    const PetscInt p = d->site_pair[k], other = d->pair_i[p] == site ? d->pair_j[p] : d->pair_i[p];
    const double  *lagged = &r->lagged[(size_t)d->pair_group[p] * r->nterms], coupling = scale * d->pair_coupling[p];

    for (PetscInt t = 0; t < r->nterms; t++) {
      const FgRegularizerTerm *term   = &r->terms[t];
      const double             weight = coupling * lagged[t];

      if (term->kind == FG_KIND_SCALAR) {
        at->weight[term->component][lane] += weight;
        at->mean[term->component][lane] += weight * m[other * nc + term->component];
      } else {
        FgLanes      *dyads = at->dyads[term->axis];
        const double *frame = &field->frames[9 * (size_t)other + term->axis], x = frame[0], y = frame[3], z = frame[6];

        at->total[term->axis][lane] += weight;
        dyads[0][lane] += weight * x * x;
        dyads[1][lane] += weight * y * y;
        dyads[2][lane] += weight * z * z;
        dyads[3][lane] += weight * x * y;
        dyads[4][lane] += weight * x * z;
        dyads[5][lane] += weight * y * z;
      }
    }
  }
  for (PetscInt c = 0; c < nc; c++) {
    if (at->weight[c][lane] > 0.0) at->mean[c][lane] /= at->weight[c][lane];
  }
}

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
  /* Column of the frame that tangent coordinate c moves an axis towards, and its sign; 0 where it does not (chart.c). */
  static const int towards[2][3] = {{1, 2, -1}, {0, -1, 2}}, sign[2][3] = {{1, 1, 0}, {-1, 0, 1}};

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

void FgRegularizerCross(FgRegularizer r, PetscInt site, PetscInt pair, const PetscScalar *m, double scale, double *block)
{
  const FgField  field = r->field;
  const FgDomain d     = field->domain;
  const PetscInt nc = field->ncomponents, nt = field->ntangent;
  const PetscInt other = d->pair_i[pair] == site ? d->pair_j[pair] : d->pair_i[pair], g = d->pair_group[pair];

  for (PetscInt t = 0; t < r->nterms; t++) {
    const FgRegularizerTerm *term   = &r->terms[t];
    const PetscInt           c      = term->component;
    const double             weight = scale * r->lagged[(size_t)g * r->nterms + t] * d->pair_coupling[pair];
    double                   ni[3], nj[3], di[3][3], dj[3][3], cosine;

    if (term->kind == FG_KIND_SCALAR) {
      block[c * nc + c] -= weight;
      continue;
    }
    Axis(field, term->axis, &field->frames[9 * site], &m[site * nc + c], ni, di);
    Axis(field, term->axis, &field->frames[9 * other], &m[other * nc + c], nj, dj);
    cosine = Dot(ni, nj);
    for (PetscInt a = 0; a < nt; a++) {
      for (PetscInt b = 0; b < nt; b++) {
        block[(c + a) * nc + c + b] -= weight * (cosine * Dot(di[a], dj[b]) + Dot(di[a], nj) * Dot(dj[b], ni));
      }
    }
  }
}

PetscInt FgRegularizerTermComponents(const FgRegularizerTerm *term, PetscInt components[2])
{
  components[0] = term->component;
  components[1] = term->component + 1 + term->axis; /* the first axis moves with u and v, the second with u and w */
  return term->kind == FG_KIND_SCALAR ? 1 : 2;
}

/* Variance of the difference of two variables of precisions a and b that a spring of stiffness w joins. */
static double DifferenceVariance(double a, double b, double w)
{
  const double precision = a + b > 0.0 ? w + a * b / (a + b) : w;

  return precision > 0.0 ? 1.0 / precision : 0.0;
}

PetscErrorCode FgRegularizerSpread(FgRegularizer r, Vec m, Vec precision, double scale, double share)
{
  const FgDomain     d  = r->field->domain;
  const PetscInt     nc = r->field->ncomponents;
  const PetscScalar *values, *precisions;
  Vec                local, local_precision;

  PetscFunctionBegin;
  PetscCall(VecGhostUpdateBegin(precision, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(precision, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostGetLocalForm(m, &local));
  PetscCall(VecGhostGetLocalForm(precision, &local_precision));
  PetscCall(VecGetArrayRead(local, &values));
  PetscCall(VecGetArrayRead(local_precision, &precisions));
  for (PetscInt t = 0; t < r->nterms; t++) {
    const FgRegularizerTerm *term    = &r->terms[t];
    const double             inverse = 1.0 / (term->scale * term->scale);
    PetscInt                 components[2];
    const PetscInt           n = FgRegularizerTermComponents(term, components);

    for (PetscInt g = 0; g < d->ngroups; g++) {
      double *lagged = &r->lagged[(size_t)g * r->nterms + t], square = 0.0;

      for (PetscInt p = d->group_start[g]; p < d->group_start[g + 1]; p++) {
        const PetscInt i = d->pair_i[p], j = d->pair_j[p];
        const double   w      = scale * *lagged * d->pair_coupling[p];
        double         spread = 0.0;

        for (PetscInt k = 0; k < n; k++) {
          spread += DifferenceVariance(precisions[i * nc + components[k]] - w, precisions[j * nc + components[k]] - w, w);
        }
        square += d->pair_coupling[p] * (PairDifference(r, term, values, i, j) + share * spread);
      }
      *lagged = inverse * term->weight * d->group_measure[g] * r->ops->weight(inverse * square, term->epsilon);
    }
  }
  PetscCall(VecRestoreArrayRead(local_precision, &precisions));
  PetscCall(VecRestoreArrayRead(local, &values));
  PetscCall(VecGhostRestoreLocalForm(precision, &local_precision));
  PetscCall(VecGhostRestoreLocalForm(m, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}
