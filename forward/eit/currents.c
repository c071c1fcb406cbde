/* currents.c: how few solves are enough. Voltages are linear in the current patterns, and by reciprocity in the measurement patterns:

     V_pq = sum_kl drive_pk Z_kl sense_ql,   Z_kl = current_k . U(current_l),   current_k an orthonormal basis.

   The first currents span the current patterns (the rank of their matrix, by its singular values), the rest what the measurement
   patterns add; a prediction needs solves for the first alone, its derivative for all, at most one less than there are electrodes. */
#include "eit.h"

#include <petscblaslapack.h>
#include <string.h>

/* Appends an orthonormal basis of the rows [m][L] of `a` (destroyed) to basis[*n][L]: right singular vectors above 1e-9 of the first. */
static PetscErrorCode Append(PetscInt m, PetscInt L, double *a, double floor, double *basis, PetscInt *n)
{
  const PetscInt least = PetscMin(m, L);
  PetscBLASInt   rows, columns, order, lwork, info;
  double        *s, *u, *work;

  PetscFunctionBegin;
  /* The rows of a are columns for LAPACK: the left singular vectors are wanted. */
  PetscCall(PetscBLASIntCast(L, &rows));
  PetscCall(PetscBLASIntCast(m, &columns));
  PetscCall(PetscBLASIntCast(5 * (m + L) + 64, &lwork));
  PetscCall(PetscBLASIntCast(least, &order));
  PetscCall(PetscMalloc3(least, &s, least * L, &u, lwork, &work));
  PetscCallBLAS("LAPACKgesvd", LAPACKgesvd_("S", "N", &rows, &columns, a, &rows, s, u, &rows, work, &order, work, &lwork, &info));
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "singular values of the patterns: LAPACK's gesvd says %d", (int)info);
  for (PetscInt k = 0; k < least; k++) {
    if (s[k] <= 1e-9 * PetscMax(floor, s[0])) break;
    PetscCall(PetscArraycpy(&basis[*n * L], &u[k * L], L));
    (*n)++;
  }
  PetscCall(PetscFree3(s, u, work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* out[m][n] = rows[m][L] . basis[n][L]; leaves the remainder in rows. */
static void Project(PetscInt m, PetscInt L, double *rows, PetscInt n, const double *basis, double scale, double *out)
{
  for (PetscInt i = 0; i < m; i++) {
    for (PetscInt k = 0; k < n; k++) {
      double sum = 0.0;

      for (PetscInt l = 0; l < L; l++) sum += rows[i * L + l] * basis[k * L + l];
      out[i * n + k] = scale * sum;
      for (PetscInt l = 0; l < L; l++) rows[i * L + l] -= sum * basis[k * L + l];
    }
  }
}

/* rows[m][L] without their means, which are rounding of the file: what does not sum to zero has nowhere to go. */
static PetscErrorCode Balanced(PetscInt m, PetscInt L, const double *from, double *rows)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < m; i++) {
    double mean = 0.0;

    for (PetscInt l = 0; l < L; l++) mean += from[i * L + l] / L;
    for (PetscInt l = 0; l < L; l++) rows[i * L + l] = from[i * L + l] - mean;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double Norm(PetscInt n, const double *x)
{
  double sum = 0.0;

  for (PetscInt i = 0; i < n; i++) sum += x[i] * x[i];
  return PetscSqrtReal(sum);
}

PetscErrorCode FgEitCurrentsCreate(FgEit eit, PetscInt dim, FgEitCurrents *currents)
{
  const PetscInt L = eit->nelectrodes, np = eit->npatterns, nm = eit->nmeasurements;
  double        *patterns, *senses, *unused;

  PetscFunctionBegin;
  memset(currents, 0, sizeof *currents);
  currents->nelectrodes   = L;
  currents->npatterns     = np;
  currents->nmeasurements = nm;
  PetscCall(PetscMalloc3(np * L, &patterns, nm * L, &senses, nm * L, &unused));
  PetscCall(PetscMalloc1(2 * (size_t)L * L, &currents->current));
  PetscCall(Balanced(np, L, eit->current, patterns));
  PetscCall(Append(np, L, patterns, 0.0, currents->current, &currents->driven));
  currents->n = currents->driven;
  PetscCall(Balanced(nm, L, eit->pattern, senses));
  Project(nm, L, senses, currents->driven, currents->current, 1.0, unused);
  PetscCall(Append(nm, L, senses, Norm(nm * L, eit->pattern), currents->current, &currents->n));

  PetscCall(PetscMalloc1((size_t)np * PetscMax(1, currents->driven), &currents->drive));
  PetscCall(PetscMalloc1((size_t)nm * PetscMax(1, currents->n), &currents->sense));
  PetscCall(Balanced(np, L, eit->current, patterns));
  Project(np, L, patterns, currents->driven, currents->current, dim == 2 ? 1.0 / eit->depth : 1.0, currents->drive);
  PetscCall(Balanced(nm, L, eit->pattern, senses));
  Project(nm, L, senses, currents->n, currents->current, 1.0, currents->sense);
  PetscCall(PetscFree3(patterns, senses, unused));
  PetscCheck(currents->driven, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: no current pattern drives a current",
             eit->source);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitCurrentsDestroy(FgEitCurrents *currents)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(currents->current));
  PetscCall(PetscFree(currents->drive));
  PetscCall(PetscFree(currents->sense));
  PetscFunctionReturn(PETSC_SUCCESS);
}
