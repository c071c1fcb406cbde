/* reciprocity.c: derivatives of the voltages without another solve. The system is symmetric, so the adjoint field of a measurement is the
   potential that its pattern would drive as a current:

     dV_pq = - sum_e int_e grad u(pattern_q) . dC_e grad u(current_p)

   In the basis of currents this is one small matrix T_kl = - sum_e int_e grad u_k . dC_e grad u_l, k driven, dV = drive T sense^T; and
   back, with W = drive^T w sense, one contraction an element. Both run over blocks of elements whose gradients are matrices
   [row][current], so that the work is that of matrix products. Source: D. B. Geselowitz, IEEE Trans. Biomed. Eng. 18 (1971) 38. */
#include "eit.h"
#include "finegrain/lanes.h"

#include <petscblaslapack.h>
#include <string.h>

static PetscInt RowsPerElement(const FgEitSpace *space)
{
  return space->nquadrature * space->mesh->dim;
}

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

/* work = change x rows, point by point. */
FG_SIMD_CLONES
static void Change(PetscInt dim, PetscInt points, const double C[6], PetscInt n, const double *restrict rows,
                   double *restrict work)
{
  static const int at[3][3] = {{0, 3, 4}, {3, 1, 5}, {4, 5, 2}};

  for (PetscInt q = 0; q < points; q++) {
    for (PetscInt a = 0; a < dim; a++) {
      double *restrict out      = &work[(size_t)(q * dim + a) * n];
      const double *restrict in = &rows[(size_t)q * dim * n];
      const double c0 = C[at[a][0]], c1 = C[at[a][1]], c2 = dim == 3 ? C[at[a][2]] : 0.0;
      const double *restrict last = &in[(size_t)(dim - 1) * n];

#pragma omp simd
      for (PetscInt k = 0; k < n; k++) out[k] = c0 * in[k] + c1 * in[n + k] + c2 * last[k];
    }
  }
}

PetscErrorCode FgEitProducts(FgEitState *s, const double *change, double *products)
{
  const PetscInt     per = RowsPerElement(&s->space), block = FG_EIT_BLOCK_ROWS / per, n = s->currents.n, nd = s->currents.driven;
  const PetscScalar  minus = -1.0, one = 1.0;
  const PetscBLASInt columns = (PetscBLASInt)n, driven = (PetscBLASInt)nd;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(products, nd * n));
  for (PetscInt first = 0; first < s->space.nelements; first += block) {
    const PetscInt     count = PetscMin(block, s->space.nelements - first);
    const PetscBLASInt rows  = (PetscBLASInt)(count * per);

    FgEitGradients(s, first, count);
    for (PetscInt e = 0; e < count; e++) {
      const size_t place = (size_t)e * per * n;

      Change(s->space.mesh->dim, s->space.nquadrature, &change[6 * (size_t)FgEitSite(&s->space, first + e)], n, &s->rows[place],
             &s->work[place]);
    }
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &columns, &driven, &rows, &minus, s->work, &columns, s->rows, &columns, &one,
                                        products, &columns));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, products, (int)(nd * n), MPI_DOUBLE, MPI_SUM, s->space.comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

FG_SIMD_CLONES
static double Dot(PetscInt n, const double *restrict x, const double *restrict y)
{
  double sum = 0.0;

#pragma omp simd reduction(+ : sum)
  for (PetscInt k = 0; k < n; k++) sum += x[k] * y[k];
  return sum;
}

PetscErrorCode FgEitSlopes(FgEitState *s, const double *weight, double *slope)
{
  const PetscInt    per = RowsPerElement(&s->space), block = FG_EIT_BLOCK_ROWS / per, n = s->currents.n, dim = s->space.mesh->dim;
  const PetscScalar minus = -1.0, zero = 0.0;
  const PetscBLASInt columns = (PetscBLASInt)n, driven = (PetscBLASInt)s->currents.driven;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(slope, 6 * (size_t)s->space.nsites));
  for (PetscInt first = 0; first < s->space.nelements; first += block) {
    const PetscInt     count = PetscMin(block, s->space.nelements - first);
    const PetscBLASInt rows  = (PetscBLASInt)(count * per);

    FgEitGradients(s, first, count);
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "N", &columns, &rows, &driven, &minus, weight, &columns, s->rows, &columns, &zero,
                                        s->work, &columns));
    for (PetscInt e = 0; e < count; e++) {
      double *out = &slope[6 * (size_t)FgEitSite(&s->space, first + e)];

      for (PetscInt q = 0; q < s->space.nquadrature; q++) {
        const double *g = &s->rows[(size_t)(e * per + q * dim) * n], *p = &s->work[(size_t)(e * per + q * dim) * n];

        for (PetscInt a = 0; a < dim; a++) out[a] += Dot(n, &p[a * n], &g[a * n]);
        out[3] += Dot(n, p, &g[n]) + Dot(n, &p[n], g);
        if (dim == 2) continue;
        out[4] += Dot(n, p, &g[2 * n]) + Dot(n, &p[2 * n], g);
        out[5] += Dot(n, &p[n], &g[2 * n]) + Dot(n, &p[2 * n], &g[n]);
      }
    }
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
