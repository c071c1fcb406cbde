/* regularizer.c: one sweep over the neighbour groups serves every regularizer; see regularizer.h for the equations.

   For a pair (i, j) of a group with frozen weight q = weight * measure * 2 psi'(T) and coupling k:
     scalar     dR/dm_i = q k (m_i - m_j),            Hessian q k [1 -1; -1 1]
     direction  dR/dn_i = -q k (n_i.n_j) n_j,         Gauss-Newton q k (|dn_i|^2 + |dn_j|^2
                                                        - 2 (n_i.n_j)(dn_i.dn_j) - 2 (dn_i.n_j)(dn_j.n_i))
   chained with dn/d(tangent coordinates). With j held, the exact second derivative on the sphere, q k (c^2 I - t t^T) with t
   the part of n_j tangent at i, is indefinite at orientation edges; adding |t|^2 I makes the self block q k (I - t t^T). */
#include "regularizer_axis.h"

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
  PetscCall(PetscCalloc1((size_t)field->ncomponents * d->ngroups, &r->lagged));
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
  PetscCall(PetscFree((*regularizer)->variation));
  PetscCall(PetscFree((*regularizer)->force));
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

/* All terms' squares in one, as a joint regularizer takes them. */
static double JointSquare(FgRegularizer r, const double square[])
{
  double total = 0.0;

  for (PetscInt t = 0; t < r->nterms; t++) total += r->terms[t].weight * r->terms[t].weight * square[t];
  return total;
}

/* Freezes the weights of a group whose terms have square[nterms] in units of their scales; returns its energy without the measure. */
static double Lag(FgRegularizer r, PetscInt g, const double square[], PetscBool energy)
{
  const double measure = r->field->domain->group_measure[g];
  double      *lagged = &r->lagged[(size_t)g * r->field->ncomponents], sum = 0.0;

  if (r->ops->joint) {
    const double total = JointSquare(r, square), epsilon = r->terms[0].epsilon, common = measure * r->ops->weight(total, epsilon);

    for (PetscInt t = 0; t < r->nterms; t++) {
      const FgRegularizerTerm *term = &r->terms[t];

      lagged[FgRegularizerColumn(term)] = common * term->weight * term->weight / (term->scale * term->scale);
    }
    return energy ? r->ops->psi(total, epsilon) : 0.0;
  }
  for (PetscInt t = 0; t < r->nterms; t++) {
    const FgRegularizerTerm *term = &r->terms[t];
    const double             unit = term->weight / (term->scale * term->scale);

    lagged[FgRegularizerColumn(term)] = unit * measure * r->ops->weight(square[t], term->epsilon);
    if (energy) sum += term->weight * r->ops->psi(square[t], term->epsilon);
  }
  return sum;
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
    const PetscBool counts = energy && g < d->nowned ? PETSC_TRUE : PETSC_FALSE;
    double          square[8], part;

    for (PetscInt t = 0; t < r->nterms; t++) {
      const FgRegularizerTerm *term = &r->terms[t];

      square[t] = 0.0;
      for (PetscInt p = d->group_start[g]; p < d->group_start[g + 1]; p++) {
        square[t] += d->pair_coupling[p] * PairDifference(r, term, values, d->pair_i[p], d->pair_j[p]);
      }
      square[t] /= term->scale * term->scale;
    }
    part = Lag(r, g, square, counts);
    if (counts) sum += d->group_measure[g] * part;
  }
  PetscCall(VecRestoreArrayRead(local, &values));
  PetscCall(VecGhostRestoreLocalForm(m, &local));
  if (energy) {
    *energy = sum;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, energy, 1, MPIU_REAL, MPIU_SUM, d->comm));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the bending of psi takes off the lagged Hessian of a group: less[t] = bend h.v / scale^2, the multiple of the term's own gradient; of a
   joint regularizer h is that of all terms together. */
static void Bending(FgRegularizer r, PetscInt g, const PetscScalar *m, const PetscScalar *v, const double *variation,
                    double less[])
{
  const FgDomain d  = r->field->domain;
  const PetscInt nc = r->field->ncomponents;
  double         square[8], along[8];

  for (PetscInt t = 0; t < r->nterms; t++) {
    const FgRegularizerTerm *term    = &r->terms[t];
    const double             inverse = 1.0 / (term->scale * term->scale);

    square[t] = along[t] = 0.0;
    for (PetscInt p = d->group_start[g]; p < d->group_start[g + 1]; p++) {
      const PetscInt i = d->pair_i[p], j = d->pair_j[p];
      const double   weight = inverse * d->pair_coupling[p];

      square[t] += weight * PairDifference(r, term, m, i, j);
      if (term->kind == FG_KIND_SCALAR) {
        const PetscInt c = term->component;

        along[t] += weight * (m[i * nc + c] - m[j * nc + c]) * (v[i * nc + c] - v[j * nc + c]);
      } else {
        const double *ni = Direction(r, term->axis, i), *nj = Direction(r, term->axis, j);
        const size_t  nsites = d->nlocal + d->nghost;

        along[t] -= weight * Dot(ni, nj) *
                    (Dot(&variation[3 * (term->axis * nsites + i)], nj) + Dot(&variation[3 * (term->axis * nsites + j)], ni));
      }
    }
  }
  if (r->ops->joint) {
    const double common = r->ops->bend(JointSquare(r, square), r->terms[0].epsilon) * JointSquare(r, along);

    for (PetscInt t = 0; t < r->nterms; t++) less[t] = common;
  } else {
    for (PetscInt t = 0; t < r->nterms; t++) less[t] = r->ops->bend(square[t], r->terms[t].epsilon) * along[t];
  }
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

/* Adds to force[axis][nlocal][3], the derivative with respect to each site's axes, what a pair contributes: see Accumulate. */
static inline void AddForce(FgRegularizer r, const FgRegularizerTerm *term, const double *variation, PetscInt i, PetscInt j,
                            double weight, double less, double *force)
{
  const FgDomain d      = r->field->domain;
  const size_t   nsites = d->nlocal + d->nghost;
  const double  *ni = Direction(r, term->axis, i), *nj = Direction(r, term->axis, j), c = Dot(ni, nj);
  double        *own = &force[3 * (term->axis * (size_t)d->nlocal + i)];

  if (variation) {
    const double *di = &variation[3 * (term->axis * nsites + i)], *dj = &variation[3 * (term->axis * nsites + j)];
    const double  toward = less * c - Dot(dj, ni);

    for (int k = 0; k < 3; k++) own[k] += weight * (di[k] - c * dj[k] + toward * nj[k]);
  } else {
    for (int k = 0; k < 3; k++) own[k] -= weight * c * nj[k];
  }
}

/* Adds scale * the derivative of the frozen sum of squares to the owned sites: with v == NULL of the energy itself (the gradient),
   else of its Gauss-Newton action on v, if asked for less what the bending of psi takes off. */
static PetscErrorCode Accumulate(FgRegularizer r, const PetscScalar *m, const PetscScalar *v, PetscBool bent, double scale,
                                 PetscScalar *out)
{
  const FgField      field = r->field;
  const FgDomain     d     = field->domain;
  const PetscInt     nc = field->ncomponents, nsites = d->nlocal + d->nghost, nt = field->ntangent, naxes = nt ? nt - 1 : 0;
  const PetscScalar *x         = v ? v : m;
  double            *variation = NULL, *force;

  PetscFunctionBegin;
  if (nt && !r->force) PetscCall(PetscMalloc1(3 * (size_t)naxes * d->nlocal, &r->force));
  if (v && nt && !r->variation) PetscCall(PetscMalloc1(3 * (size_t)naxes * nsites, &r->variation));
  force = r->force;
  if (nt) PetscCall(PetscArrayzero(force, 3 * (size_t)naxes * d->nlocal));
  if (v && nt) {
    variation = r->variation;
    Vary(r, m, v, variation);
  }
  for (PetscInt g = 0; g < d->ngroups; g++) {
    double take[8] = {0.0};

    if (bent) Bending(r, g, m, v, variation, take);
    for (PetscInt t = 0; t < r->nterms; t++) {
      const FgRegularizerTerm *term = &r->terms[t];
      const double             q = scale * r->lagged[(size_t)g * nc + FgRegularizerColumn(term)], less = take[t];

      for (PetscInt p = d->group_start[g]; p < d->group_start[g + 1]; p++) {
        const PetscInt i = d->pair_i[p], j = d->pair_j[p];
        const double   weight = q * d->pair_coupling[p];

        if (term->kind == FG_KIND_SCALAR) {
          const PetscInt a = i * nc + term->component, b = j * nc + term->component;
          const double   f = weight * (x[a] - x[b] - less * (m[a] - m[b]));

          if (i < d->nlocal) out[a] += f;
          if (j < d->nlocal) out[b] -= f;
        } else {
          if (i < d->nlocal) AddForce(r, term, variation, i, j, weight, less, force);
          if (j < d->nlocal) AddForce(r, term, variation, j, i, weight, less, force);
        }
      }
    }
  }
  for (PetscInt axis = 0; axis < naxes; axis++) {
    for (PetscInt i = 0; i < d->nlocal; i++) {
      double n[3], dn[3][3];

      Axis(field, axis, &field->frames[9 * (size_t)i], &m[i * nc + field->tangent], n, dn);
      for (PetscInt k = 0; k < nt; k++) {
        out[i * nc + field->tangent + k] += Dot(dn[k], &force[3 * (axis * (size_t)d->nlocal + i)]);
      }
    }
  }
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
  for (PetscInt g = 0; g < d->ngroups; g++) {
    double square[8];

    for (PetscInt t = 0; t < r->nterms; t++) {
      const FgRegularizerTerm *term = &r->terms[t];
      const double             q    = scale * r->lagged[(size_t)g * nc + FgRegularizerColumn(term)];
      PetscInt                 components[2];
      const PetscInt           n = FgRegularizerTermComponents(term, components);

      square[t] = 0.0;
      for (PetscInt p = d->group_start[g]; p < d->group_start[g + 1]; p++) {
        const PetscInt i = d->pair_i[p], j = d->pair_j[p];
        const double   w      = q * d->pair_coupling[p];
        double         spread = 0.0;

        for (PetscInt k = 0; k < n; k++) {
          spread += DifferenceVariance(precisions[i * nc + components[k]] - w, precisions[j * nc + components[k]] - w, w);
        }
        square[t] += d->pair_coupling[p] * (PairDifference(r, term, values, i, j) + share * spread);
      }
      square[t] /= term->scale * term->scale;
    }
    (void)Lag(r, g, square, PETSC_FALSE);
  }
  PetscCall(VecRestoreArrayRead(local_precision, &precisions));
  PetscCall(VecRestoreArrayRead(local, &values));
  PetscCall(VecGhostRestoreLocalForm(precision, &local_precision));
  PetscCall(VecGhostRestoreLocalForm(m, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}
