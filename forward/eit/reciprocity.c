/* reciprocity.c: derivatives of the voltages without another solve. The system is symmetric, so the adjoint field of a measurement is the
   potential that its pattern would drive as a current:

     dV_pq = - sum_e int_e grad u(pattern_q) . dC_e grad u(current_p)

   In the basis of currents this is one small matrix, with the fields u as a matrix [dof][current] and K(dC) the stiffness of the change:

     T = - u_driven^T K(dC) u,   dV = drive T sense^T

   and back, W = drive^T w sense and y = u_driven W: the slope of an element is - sum_l grad y_l (x) grad u_l. What is of the size of
   currents times currents is done once a degree of freedom, as a product of matrices, not once an element. Within an element
   potentials are taken relative to its first node: far from the electrodes they differ little from node to node.
   Source: D. B. Geselowitz, IEEE Trans. Biomed. Eng. 18 (1971) 38. */
#include "eit.h"
#include "finegrain/lanes.h"

#include <petscblaslapack.h>
#include <string.h>

/* row[n] = sum over the basis of gradient x field. */
FG_SIMD_CLONES
static void Combine(PetscInt nbasis, const double *restrict gradient, const PetscInt *restrict dof, PetscInt n,
                    const double *restrict fields, double *restrict row)
{
  for (PetscInt k = 0; k < n; k++) row[k] = 0.0;
  for (PetscInt i = 0; i < nbasis; i++) {
    const double *restrict field = &fields[(size_t)dof[i] * n];
    const double g               = gradient[i];

#pragma omp simd
    for (PetscInt k = 0; k < n; k++) row[k] += g * field[k];
  }
}

/* Gradients of all fields over the elements [first, first + count): rows [element][point][axis][n]. */
void FgEitGradients(FgEitState *s, PetscInt first, PetscInt count)
{
  const PetscInt n   = s->currents.n;
  double        *row = s->rows;

  for (PetscInt e = first; e < first + count; e++) {
    FgEitGradient gradient;

    FgEitElementGradients(&s->space, e, gradient);
    for (PetscInt q = 0; q < s->space.nquadrature; q++) {
      for (PetscInt a = 0; a < s->space.mesh->dim; a++, row += n) {
        Combine(s->space.nbasis, gradient[q][a], &s->space.dof[(size_t)e * s->space.nbasis], n, s->fields, row);
      }
    }
  }
}

void FgEitChange(PetscInt dim, PetscInt n, PetscInt per, const double dC[6], const double *rows, double *changed)
{
  static const int at[3][3] = {{0, 3, 4}, {3, 1, 5}, {4, 5, 2}};

  for (PetscInt row = 0; row < per; row++) {
    const PetscInt axis = row % dim;
    const double  *x = &rows[(size_t)(row - axis) * n], *y = x + n, *z = dim == 3 ? y + n : x;
    const double   cx = dC[at[axis][0]], cy = dC[at[axis][1]], cz = dim == 3 ? dC[at[axis][2]] : 0.0;

    for (PetscInt l = 0; l < n; l++) changed[(size_t)row * n + l] = cx * x[l] + cy * y[l] + cz * z[l];
  }
}

/* out[nbasis - 1][n] = fields relative to those of the element's first degree of freedom. */
FG_SIMD_CLONES
static void Relative(PetscInt nbasis, const PetscInt *restrict dof, PetscInt n, const double *restrict fields,
                     double *restrict out)
{
  const double *restrict first = &fields[(size_t)dof[0] * n];

  for (PetscInt i = 1; i < nbasis; i++) {
    const double *restrict field = &fields[(size_t)dof[i] * n];
    double *restrict row         = &out[(size_t)(i - 1) * n];

#pragma omp simd
    for (PetscInt k = 0; k < n; k++) row[k] = field[k] - first[k];
  }
}

/* image[dof] += stiffness x relative; the rows of a stiffness sum to zero, so what the others get the first gives. */
FG_SIMD_CLONES
static void Stiffen(PetscInt nbasis, const PetscInt *restrict dof, PetscInt n, const double *restrict stiffness,
                    const double *restrict relative, double *restrict image)
{
  double *restrict first = &image[(size_t)dof[0] * n];

  for (PetscInt i = 1; i < nbasis; i++) {
    double *restrict row = &image[(size_t)dof[i] * n];

    for (PetscInt j = 1; j < nbasis; j++) {
      const double *restrict in = &relative[(size_t)(j - 1) * n];
      const double c            = stiffness[i * nbasis + j];

#pragma omp simd
      for (PetscInt k = 0; k < n; k++) {
        row[k] += c * in[k];
        first[k] -= c * in[k];
      }
    }
  }
}

PetscErrorCode FgEitProducts(FgEitState *s, const double *change, double *products)
{
  const FgEitSpace  *space = &s->space;
  const PetscInt     nb = space->nbasis, n = s->currents.n, nd = s->currents.driven;
  const PetscScalar  minus = -1.0, zero = 0.0;
  const PetscBLASInt columns = (PetscBLASInt)n, driven = (PetscBLASInt)nd, rows = (PetscBLASInt)(space->nowned + space->nghost);

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(s->image, (size_t)(space->nowned + space->nghost) * n));
  for (PetscInt e = 0; e < space->nelements; e++) {
    const PetscInt *dof = &space->dof[(size_t)e * nb];
    double          stiffness[FG_EIT_BASIS * FG_EIT_BASIS];

    FgEitElementStiffness(space, e, &change[6 * (size_t)FgEitSite(space, e)], stiffness);
    Relative(nb, dof, n, s->fields, s->rows);
    Stiffen(nb, dof, n, stiffness, s->rows, s->image);
  }
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &columns, &driven, &rows, &minus, s->image, &columns, s->fields, &columns, &zero,
                                      products, &columns));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, products, (int)(nd * n), MPI_DOUBLE, MPI_SUM, space->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* gram[m][m] = x y^T of rows [m][n]. */
FG_SIMD_CLONES
static void Gram(PetscInt m, PetscInt n, const double *restrict x, const double *restrict y, double *restrict gram)
{
  for (PetscInt i = 0; i < m; i++) {
    for (PetscInt j = 0; j < m; j++) {
      double sum = 0.0;

#pragma omp simd reduction(+ : sum)
      for (PetscInt k = 0; k < n; k++) sum += x[(size_t)i * n + k] * y[(size_t)j * n + k];
      gram[i * m + j] = sum;
    }
  }
}

/* slope[6] -= the products of gradients, symmetrized, from those of the values at the degrees of freedom after the first. */
static void AddSlope(const FgEitSpace *space, PetscInt element, const double *gram, double *slope)
{
  static const int at[3][3] = {{0, 3, 4}, {3, 1, 5}, {4, 5, 2}};
  const PetscInt   dim = space->mesh->dim, m = space->nbasis - 1;
  FgEitGradient    gradient;

  FgEitElementGradients(space, element, gradient);
  for (PetscInt q = 0; q < space->nquadrature; q++) {
    for (PetscInt a = 0; a < dim; a++) {
      double row[FG_EIT_BASIS] = {0};

      for (PetscInt i = 0; i < m; i++) {
        for (PetscInt j = 0; j < m; j++) row[j] += gradient[q][a][i + 1] * gram[i * m + j];
      }
      for (PetscInt b = 0; b < dim; b++) {
        for (PetscInt j = 0; j < m; j++) slope[at[a][b]] -= row[j] * gradient[q][b][j + 1];
      }
    }
  }
}

PetscErrorCode FgEitSlopes(FgEitState *s, const double *weight, double *slope)
{
  const FgEitSpace  *space = &s->space;
  const PetscInt     nb = space->nbasis, n = s->currents.n;
  const PetscScalar  one = 1.0, zero = 0.0;
  const PetscBLASInt columns = (PetscBLASInt)n, driven = (PetscBLASInt)s->currents.driven;
  const PetscBLASInt rows = (PetscBLASInt)(space->nowned + space->nghost);

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(slope, 6 * (size_t)space->nsites));
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "N", &columns, &rows, &driven, &one, weight, &columns, s->fields, &columns, &zero,
                                      s->image, &columns));
  for (PetscInt e = 0; e < space->nelements; e++) {
    const PetscInt *dof = &space->dof[(size_t)e * nb];
    double          gram[FG_EIT_BASIS * FG_EIT_BASIS], *weighted = &s->rows[(size_t)FG_EIT_BASIS * n];

    Relative(nb, dof, n, s->fields, s->rows);
    Relative(nb, dof, n, s->image, weighted);
    Gram(nb - 1, n, weighted, s->rows, gram);
    AddSlope(space, e, gram, &slope[6 * (size_t)FgEitSite(space, e)]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitContact(FgEitState *s, PetscInt electrode, double *products)
{
  const PetscInt n = s->currents.n, nf = s->space.nfacebasis, L = s->currents.nelectrodes;
  double         integral[FG_EIT_FACE_BASIS], mass[FG_EIT_FACE_BASIS][FG_EIT_FACE_BASIS];

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(products, s->currents.driven * n));
  FgEitFaceIntegrals(&s->space, integral, mass);
  for (PetscInt f = 0; f < s->space.nfaces; f++) {
    const FgEitFace *face  = &s->space.face[f];
    const double     scale = face->area / s->impedance[electrode];

    if (face->electrode != electrode) continue;
    for (PetscInt k = 0; k < s->currents.driven; k++) {
      for (PetscInt i = 0; i < nf; i++) {
        /* sum over j of mass_ij (u_k - U_k)_j: the potential differences vanish nowhere else. The fields are relative to the last
           electrode, the potentials to their mean. */
        double sum = 0.0;

        for (PetscInt j = 0; j < nf; j++) {
          sum += mass[i][j] *
                 (s->fields[(size_t)face->dof[j] * n + k] + s->potential[k * L + L - 1] - s->potential[k * L + electrode]);
        }
        for (PetscInt l = 0; l < n; l++) {
          products[k * n + l] += scale * sum *
                                 (s->fields[(size_t)face->dof[i] * n + l] + s->potential[l * L + L - 1] -
                                  s->potential[l * L + electrode]);
        }
      }
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, products, (int)(s->currents.driven * n), MPI_DOUBLE, MPI_SUM, s->space.comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}
