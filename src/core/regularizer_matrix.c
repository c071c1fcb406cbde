/* regularizer_matrix.c: the lagged Hessian of regularizer.c as a sparse matrix, for solvers that precondition with it; and the curvature of a
   single scalar term, which couples all sites of a group.

   A pair (i, j) of frozen weight w adds  w [1 -1; -1 1]  to a scalar component, and to the tangent coordinates of a direction
   w D_i^T D_i on the diagonal, -w [c D_i^T D_j + (D_i^T n_j)(n_i^T D_j)] off it, D = dn/d(coordinates), c = n_i.n_j. Every rank
   knows all pairs that touch its own sites, so that it fills its rows alone. */
#include "regularizer_axis.h"

/* Couplings of a component: to itself, or to all tangent coordinates. */
static PetscInt Width(FgField field, PetscInt c)
{
  return field->components[c].kind == FG_KIND_TANGENT ? field->ntangent : 1;
}

/* Room for the sites of a group in the rows of each. */
static void CountGroups(FgField field, PetscInt *own, PetscInt *other)
{
  const FgDomain d  = field->domain;
  const PetscInt nc = field->ncomponents, most = d->nlocal, rest = d->nglobal - d->nlocal;

  for (PetscInt g = 0; g < d->ngroups; g++) {
    const PetscInt n = 2 * (d->group_start[g + 1] - d->group_start[g]);

    for (PetscInt p = d->group_start[g]; p < d->group_start[g + 1]; p++) {
      for (int end = 0; end < 2; end++) {
        const PetscInt i = end ? d->pair_j[p] : d->pair_i[p];

        for (PetscInt c = 0; c < nc && i < d->nlocal; c++) {
          own[i * nc + c]   = PetscMin(own[i * nc + c] + n, nc * most);
          other[i * nc + c] = PetscMin(other[i * nc + c] + n, nc * rest);
        }
      }
    }
  }
}

static PetscErrorCode Create(FgField field, PetscBool bent, Mat *A)
{
  const FgDomain d  = field->domain;
  const PetscInt nc = field->ncomponents, n = nc * d->nlocal;
  PetscInt      *own, *other;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n, &own, n, &other));
  for (PetscInt i = 0; i < d->nlocal; i++) {
    PetscInt near = 1, far = 0;

    for (PetscInt k = d->site_start[i]; k < d->site_start[i + 1]; k++) {
      if (d->site_link[k].site < d->nlocal) near++;
      else far++;
    }
    for (PetscInt c = 0; c < nc; c++) {
      own[i * nc + c]   = near * Width(field, c);
      other[i * nc + c] = far * Width(field, c);
    }
  }
  if (bent) CountGroups(field, own, other);
  PetscCall(MatCreateAIJ(d->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, 0, own, 0, other, A));
  PetscCall(MatSetOption(*A, MAT_SYMMETRIC, PETSC_TRUE));
  PetscCall(MatSetOption(*A, MAT_SPD, PETSC_FALSE));
  PetscCall(MatSetOption(*A, MAT_NO_OFF_PROC_ENTRIES, PETSC_TRUE));
  PetscCall(PetscFree2(own, other));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Adds a pair to the rows of its first end: own block and the block towards the other. */
static PetscErrorCode AddBlocks(FgRegularizer r, const FgRegularizerTerm *term, const PetscScalar *m, PetscInt i, PetscInt j,
                                double weight, Mat A)
{
  const FgField  field = r->field;
  const PetscInt nc = field->ncomponents, nt = field->ntangent, t = term->component;
  const PetscInt row = FgDomainGlobal(field->domain, i) * nc + t, column = FgDomainGlobal(field->domain, j) * nc + t;
  PetscInt       rows[3], columns[3];
  PetscScalar    own[9], other[9];
  double         ni[3], nj[3], Di[3][3], Dj[3][3], c;

  PetscFunctionBegin;
  Axis(field, term->axis, &field->frames[9 * (size_t)i], &m[i * nc + t], ni, Di);
  Axis(field, term->axis, &field->frames[9 * (size_t)j], &m[j * nc + t], nj, Dj);
  c = Dot(ni, nj);
  for (PetscInt a = 0; a < nt; a++) {
    rows[a]    = row + a;
    columns[a] = column + a;
    for (PetscInt b = 0; b < nt; b++) {
      own[nt * a + b]   = weight * Dot(Di[a], Di[b]);
      other[nt * a + b] = -weight * (c * Dot(Di[a], Dj[b]) + Dot(Di[a], nj) * Dot(ni, Dj[b]));
    }
  }
  PetscCall(MatSetValues(A, nt, rows, nt, rows, own, ADD_VALUES));
  PetscCall(MatSetValues(A, nt, rows, nt, columns, other, ADD_VALUES));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool FgRegularizerBentMatrix(FgRegularizer r)
{
  return r->nterms == 1 && r->terms[0].kind == FG_KIND_SCALAR ? PETSC_TRUE : PETSC_FALSE;
}

/* Takes off what psi bends: -q bend h h^T / scale^2 of each group, h the derivative of half its T scale^2; the rows of own sites. */
static PetscErrorCode AddBends(FgRegularizer r, const PetscScalar *m, double scale, Mat A)
{
  const FgDomain           d    = r->field->domain;
  const FgRegularizerTerm *term = &r->terms[0];
  const PetscInt           nc = r->field->ncomponents, c = term->component;
  const double             inverse = 1.0 / (term->scale * term->scale), share = r->ops->joint ? term->weight * term->weight : 1.0;

  PetscFunctionBegin;
  for (PetscInt g = 0; g < d->ngroups; g++) {
    const double q = scale * r->lagged[(size_t)g * nc + FgRegularizerColumn(term)];
    PetscInt     column[2 * FG_GROUP_PAIRS], n = 0;
    double       h[2 * FG_GROUP_PAIRS], square = 0.0, bend;

    for (PetscInt p = d->group_start[g]; p < d->group_start[g + 1]; p++) {
      const PetscInt i = d->pair_i[p], j = d->pair_j[p];
      const double   difference = m[i * nc + c] - m[j * nc + c];

      square += share * inverse * d->pair_coupling[p] * difference * difference;
      for (int end = 0; end < 2; end++) {
        column[n] = end ? j : i;
        h[n++]    = (end ? -1.0 : 1.0) * d->pair_coupling[p] * difference;
      }
    }
    bend = q * share * inverse * r->ops->bend(square, term->epsilon);
    for (PetscInt a = 0; a < n; a++) {
      for (PetscInt b = 0; b < n && column[a] < d->nlocal; b++) {
        PetscCall(MatSetValue(A, FgDomainGlobal(d, column[a]) * nc + c, FgDomainGlobal(d, column[b]) * nc + c,
                              -bend * h[a] * h[b], ADD_VALUES));
      }
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddSite(FgRegularizer r, const PetscScalar *m, PetscInt i, double scale, Mat A)
{
  const FgDomain d  = r->field->domain;
  const PetscInt nc = r->field->ncomponents;

  PetscFunctionBegin;
  for (PetscInt t = 0; t < r->nterms; t++) {
    const FgRegularizerTerm *term = &r->terms[t];
    const PetscInt           row  = FgDomainGlobal(d, i) * nc + term->component;
    PetscScalar              sum  = 0.0;

    for (PetscInt k = d->site_start[i]; k < d->site_start[i + 1]; k++) {
      const FgDomainLink *link   = &d->site_link[k];
      const double        weight = scale * r->lagged[(size_t)link->group * nc + FgRegularizerColumn(term)] * link->coupling;

      if (term->kind == FG_KIND_SCALAR) {
        PetscCall(MatSetValue(A, row, FgDomainGlobal(d, link->site) * nc + term->component, -weight, ADD_VALUES));
        sum += weight;
      } else {
        PetscCall(AddBlocks(r, term, m, i, link->site, weight, A));
      }
    }
    if (term->kind == FG_KIND_SCALAR) PetscCall(MatSetValue(A, row, row, sum, ADD_VALUES));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgRegularizerMatrix(FgRegularizer r, Vec m, PetscBool bent, double scale, Mat *A)
{
  const FgDomain     d  = r->field->domain;
  const PetscInt     nc = r->field->ncomponents;
  const PetscScalar *values;
  Vec                local;

  PetscFunctionBegin;
  if (!*A) PetscCall(Create(r->field, bent, A));
  else PetscCall(MatZeroEntries(*A));
  PetscCall(VecGhostGetLocalForm(m, &local));
  PetscCall(VecGetArrayRead(local, &values));
  for (PetscInt i = 0; i < d->nlocal; i++) {
    for (PetscInt c = 0; c < nc; c++) { /* a diagonal even where no term is */
      PetscCall(MatSetValue(*A, (d->first + i) * nc + c, (d->first + i) * nc + c, 0.0, ADD_VALUES));
    }
    PetscCall(AddSite(r, values, i, scale, *A));
  }
  if (bent) PetscCall(AddBends(r, values, scale, *A));
  PetscCall(VecRestoreArrayRead(local, &values));
  PetscCall(VecGhostRestoreLocalForm(m, &local));
  PetscCall(MatAssemblyBegin(*A, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(*A, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(PETSC_SUCCESS);
}
