/* eit_noise.c: noise of voltages from what current patterns that depend on each other contradict.

   Voltages are linear in the currents: where a current pattern is a combination of others, V_p = sum_r c_pr V_r must hold for each
   measurement. For one measurement q, with A [patterns][electrodes] the currents under which it was measured, of rank r, and P the
   projection onto the columns of A,

     sd_q^2 = |(1 - P) V_q|^2 / (patterns - r),

   unbiased where the errors are independent. It has everything in it that no body explains, whatever its conductivity: noise, drift between
   patterns, gain and offset of a channel, a contact that changed. */
#include "finegrain/eit.h"

#include <math.h>

#define INDEPENDENT 1e-8 /* of a column's length: less of it left by the others is none */
#define LEAST       10   /* degrees of freedom for an estimate of its own */

/* Orthonormal basis[rank][npatterns] of the columns of the currents of those patterns that `use` marks (NULL: all), by Gram and Schmidt,
   twice. Room for nelectrodes vectors. */
static PetscInt Basis(const FgEit eit, const PetscBool use[], double *basis)
{
  PetscInt rank    = 0;
  double   largest = 0;

  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    double *column = &basis[(size_t)rank * (size_t)eit->npatterns], length = 0;

    for (PetscInt p = 0; p < eit->npatterns; p++)
      column[p] = !use || use[p] ? eit->current[(size_t)p * (size_t)eit->nelectrodes + l] : 0.0;
    for (PetscInt p = 0; p < eit->npatterns; p++) length += column[p] * column[p];
    largest = fmax(largest, sqrt(length));
    for (PetscInt pass = 0; pass < 2; pass++) {
      for (PetscInt r = 0; r < rank; r++) {
        const double *other = &basis[(size_t)r * (size_t)eit->npatterns];
        double        dot   = 0;

        for (PetscInt p = 0; p < eit->npatterns; p++) dot += other[p] * column[p];
        for (PetscInt p = 0; p < eit->npatterns; p++) column[p] -= dot * other[p];
      }
    }
    length = 0;
    for (PetscInt p = 0; p < eit->npatterns; p++) length += column[p] * column[p];
    length = sqrt(length);
    if (length <= INDEPENDENT * largest) continue;
    for (PetscInt p = 0; p < eit->npatterns; p++) column[p] /= length;
    rank++;
  }
  return rank;
}

PetscErrorCode FgEitIndependent(FgEit eit, PetscInt *rank)
{
  double *basis;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1((size_t)eit->npatterns * (size_t)eit->nelectrodes, &basis));
  *rank = Basis(eit, NULL, basis);
  PetscCall(PetscFree(basis));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* |(1 - P) V|^2 of one measurement. */
static double Contradiction(const FgEit eit, PetscInt rank, const double *basis, const PetscBool use[], const double values[],
                            PetscInt q, double *work)
{
  double sum = 0;

  for (PetscInt p = 0; p < eit->npatterns; p++) work[p] = use[p] ? values[(size_t)p * (size_t)eit->nmeasurements + q] : 0.0;
  for (PetscInt r = 0; r < rank; r++) {
    const double *other = &basis[(size_t)r * (size_t)eit->npatterns];
    double        dot   = 0;

    for (PetscInt p = 0; p < eit->npatterns; p++) dot += other[p] * work[p];
    for (PetscInt p = 0; p < eit->npatterns; p++) work[p] -= dot * other[p];
  }
  for (PetscInt p = 0; p < eit->npatterns; p++) sum += work[p] * work[p];
  return sum;
}

PetscErrorCode FgEitContradiction(FgEit eit, const double values[], double deviation[], PetscInt *freedom)
{
  const size_t n    = (size_t)eit->npatterns;
  PetscInt     rank = -1, total = 0;
  double       squares = 0, *basis, *work;
  PetscBool   *use;
  PetscInt    *own;

  PetscFunctionBegin;
  PetscCall(PetscMalloc4(n * (size_t)(eit->nelectrodes + 1), &basis, n, &work, n, &use, eit->nmeasurements, &own));
  for (PetscInt q = 0; q < eit->nmeasurements; q++) {
    PetscBool changed = rank < 0 ? PETSC_TRUE : PETSC_FALSE;
    PetscInt  count   = 0;
    double    sum;

    for (PetscInt p = 0; p < eit->npatterns; p++) {
      const PetscBool now = isfinite(values[(size_t)p * (size_t)eit->nmeasurements + q]) ? PETSC_TRUE : PETSC_FALSE;

      if (rank < 0 || now != use[p]) changed = PETSC_TRUE;
      use[p] = now;
      count += now ? 1 : 0;
    }
    if (changed) rank = Basis(eit, use, basis);
    own[q] = count - rank;
    sum    = Contradiction(eit, rank, basis, use, values, q, work);
    total += own[q];
    squares += sum;
    deviation[q] = own[q] >= LEAST ? sqrt(sum / (double)own[q]) : NAN;
  }
  for (PetscInt q = 0; q < eit->nmeasurements; q++) {
    if (own[q] < LEAST && total >= LEAST) deviation[q] = sqrt(squares / (double)total);
  }
  if (freedom) *freedom = total;
  PetscCall(PetscFree4(basis, work, use, own));
  PetscFunctionReturn(PETSC_SUCCESS);
}
