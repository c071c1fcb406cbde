/* low_rank.c: the Gauss-Newton matrix of voltages in its low rank. All voltages follow from the products T of pairs of currents (pairs.c), of
   which there are far fewer than unknowns, and fewer than voltages where patterns repeat themselves:

     J = D T',   B = J^T W J = T'^T M T',   M = D^T W D = L L^T,

   T' [pair][unknown] their derivatives, D [voltage][pair] made of drive and sense alone. */
#include "eit.h"

#include <math.h>
#include <petscblaslapack.h>

enum { DATA_BLOCK = 64 };

/* root[rank][rank] = M of all ranks' data, the lower triangle of its columns. */
static PetscErrorCode Weigh(FgModel model, const FgData *data, PetscInt rank, double *root)
{
  FgEitState          *s     = model->context;
  const FgEitCurrents *c     = &s->currents;
  const PetscInt       nm    = c->nmeasurements;
  const PetscBLASInt   size  = (PetscBLASInt)rank;
  const PetscScalar    one   = 1.0;
  PetscInt             first = FgEitFirstDatum(model);
  double              *design;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(root, (size_t)rank * rank));
  PetscCall(PetscMalloc1((size_t)DATA_BLOCK * rank, &design));
  for (PetscInt start = 0; start < model->ndatalocal; start += DATA_BLOCK) {
    const PetscInt     count = PetscMin(DATA_BLOCK, model->ndatalocal - start);
    const PetscBLASInt inner = (PetscBLASInt)count;

    for (PetscInt i = start; i < start + count; i++) {
      const double *drive  = &c->drive[(size_t)((first + i) / nm) * c->driven];
      const double *sense  = &c->sense[(size_t)((first + i) % nm) * c->n];
      const double  weight = sqrt(FgEitWeight(data, i, s->voltage[first + i]));
      double       *row    = &design[(size_t)(i - start) * rank];

      for (PetscInt k = 0; k < c->driven; k++) {
        for (PetscInt l = k; l < c->n; l++) {
          *row++ = weight * (drive[k] * sense[l] + (l > k && l < c->driven ? drive[l] * sense[k] : 0.0));
        }
      }
    }
    PetscCallBLAS("BLASsyrk", BLASsyrk_("L", "N", &size, &inner, &one, design, &size, &one, root, &size));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, root, (int)(rank * rank), MPI_DOUBLE, MPI_SUM, model->comm));
  PetscCall(PetscFree(design));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* M -> L by columns, zeros above the diagonal. Products that no voltage tells leave M singular: what makes it definite is below what rounding
   leaves of it. */
static PetscErrorCode Root(PetscInt rank, double *M)
{
  const PetscBLASInt size = (PetscBLASInt)rank;
  PetscBLASInt       info;
  double             largest = 0.0;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < rank; k++) largest = PetscMax(largest, M[(size_t)k * rank + k]);
  for (PetscInt k = 0; k < rank; k++) M[(size_t)k * rank + k] += 1e-13 * rank * largest;
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("L", &size, M, &size, &info));
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_PLIB, "model eit: weights of the voltages are not positive");
  for (PetscInt column = 1; column < rank; column++) PetscCall(PetscArrayzero(&M[(size_t)column * rank], column));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitLowRank(FgModel model, const FgData *data, PetscInt *rank, double *rows, double *root)
{
  FgEitState *s = model->context;

  PetscFunctionBegin;
  *rank = FgEitPairsFit(model) ? (PetscInt)FgEitPairsCount(&s->currents) : 0;
  if (!rows || !*rank) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgEitPairsPrepare(model, PETSC_TRUE));
  for (size_t k = 0; k < (size_t)s->space.nsites * model->ncomponents * *rank; k++) rows[k] = s->pairs[k];
  PetscCall(Weigh(model, data, *rank, root));
  PetscCall(Root(*rank, root));
  PetscFunctionReturn(PETSC_SUCCESS);
}
