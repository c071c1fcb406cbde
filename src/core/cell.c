/* cell.c: the periodic cell of voxels: slabs over ranks, fractions of the phases, neighboring planes.

   Slabs: ceil(n[2]/ranks) planes a rank; the last ranks may have fewer, or none. */
#include "finegrain/cell.h"

#include <math.h>
#include <string.h>

static PetscInt PlanesARank(FgCell cell)
{
  PetscMPIInt size = 1;

  (void)MPI_Comm_size(cell->comm, &size);
  return (cell->n[2] + size - 1) / size;
}

void FgCellSlab(FgCell cell, PetscMPIInt rank, PetscInt *start, PetscInt *count)
{
  const PetscInt block = PlanesARank(cell);

  *start = PetscMin(cell->n[2], rank * block);
  *count = PetscMin(cell->n[2], *start + block) - *start;
}

PetscMPIInt FgCellOwners(FgCell cell)
{
  const PetscInt block = PlanesARank(cell);

  return (PetscMPIInt)((cell->n[2] + block - 1) / block);
}

PetscErrorCode FgCellPlan(MPI_Comm comm, const PetscInt n[3], const double edge[3], const FgPhaseTable *table, const char *source,
                          FgCell *out)
{
  PetscMPIInt rank, size;
  PetscInt    block;
  FgCell      cell;

  PetscFunctionBegin;
  PetscCheck(n[0] >= 1 && n[1] >= 1 && n[2] >= 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: the cell is empty: %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT " voxels", source, n[0], n[1], n[2]);
  PetscCheck(n[0] > 1 || n[1] > 1 || n[2] > 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: the cell is one voxel, which has no microstructure; expected at least two", source);
  for (PetscInt i = 0; i < 3; i++)
    PetscCheck(isfinite(edge[i]) && edge[i] > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: edge %" PetscInt_FMT " of the cell is %.6g m, expected a positive length", source, i, edge[i]);
  PetscCheck(table->nphases > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: no phases", table->source);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  block = (n[2] + size - 1) / size;
  PetscCheck((double)n[0] * (double)n[1] * (double)block <= (double)PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "%s: %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT
             " voxels are more than a rank can count on %d ranks; use more",
             source, n[0], n[1], n[2], (int)size);
  PetscCall(PetscNew(&cell));
  cell->comm = comm;
  for (PetscInt i = 0; i < 3; i++) {
    cell->n[i]       = n[i];
    cell->edge[i]    = edge[i];
    cell->spacing[i] = edge[i] / (double)n[i];
  }
  FgCellSlab(cell, rank, &cell->start, &cell->count);
  cell->nlocal = cell->count * n[0] * n[1];
  PetscCall(FgPhaseTableCopy(table, &cell->table));
  PetscCall(PetscCalloc1(table->nphases, &cell->fraction));
  PetscCall(PetscMalloc1(table->nphases, &cell->exact));
  for (PetscInt i = 0; i < table->nphases; i++) cell->exact[i] = NAN;
  PetscCall(PetscStrncpy(cell->source, source, sizeof(cell->source)));
  *out = cell;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellCreate(MPI_Comm comm, const PetscInt n[3], const double edge[3], const FgPhaseTable *table,
                            const char *source, FgCell *cell)
{
  PetscFunctionBegin;
  PetscCall(FgCellPlan(comm, n, edge, table, source, cell));
  PetscCall(PetscCalloc1((*cell)->nlocal, &(*cell)->phase));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellComplete(FgCell cell)
{
  const PetscInt nphases = cell->table.nphases;
  const double   voxels  = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  PetscInt       bad     = 0;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(cell->fraction, nphases));
  for (PetscInt i = 0; i < cell->nlocal; i++) {
    if (cell->phase[i] < nphases) cell->fraction[cell->phase[i]] += 1.0;
    else bad++;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bad, 1, MPIU_INT, MPI_SUM, cell->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, cell->fraction, (PetscMPIInt)nphases, MPI_DOUBLE, MPI_SUM, cell->comm));
  PetscCheck(bad == 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: %" PetscInt_FMT " voxels have no phase", cell->source,
             bad);
  for (PetscInt i = 0; i < nphases; i++) cell->fraction[i] /= voxels;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellSubsample(FgCell cell, PetscInt subsample, FgCell *fine)
{
  const PetscInt *n = cell->n, *m = (*fine)->n;
  PetscMPIInt     size;
  PetscInt        step[3];

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(cell->comm, &size));
  PetscCheck(size == 1, PETSC_COMM_SELF, PETSC_ERR_USER, "%s: sub-sampled cells are solved on one rank, found %d", cell->source,
             size);
  PetscCheck(subsample > 0 && subsample % 2 == 0, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found %" PetscInt_FMT " samples a voxel along each axis, expected an even number", cell->source, subsample);
  for (PetscInt a = 0; a < 3; a++) {
    step[a] = n[a] > 1 ? subsample : 1;
    PetscCheck(m[a] == n[a] * step[a], PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
               "%s: %" PetscInt_FMT " fine voxels along axis %" PetscInt_FMT, cell->source, m[a], a);
  }
  for (PetscInt k = 0; k < n[2]; k++) {
    for (PetscInt j = 0; j < n[1]; j++) {
      for (PetscInt i = 0; i < n[0]; i++) {
        const size_t row = (size_t)((k * step[2] + step[2] / 2) * m[1] + j * step[1] + step[1] / 2) * (size_t)m[0];

        cell->phase[(k * n[1] + j) * n[0] + i] = (*fine)->phase[row + (size_t)(i * step[0] + step[0] / 2)];
      }
    }
  }
  cell->subsample = subsample;
  cell->fine      = (*fine)->phase;
  (*fine)->phase  = NULL;
  PetscCall(PetscArraycpy(cell->exact, (*fine)->exact, cell->table.nphases));
  PetscCall(PetscArraycpy(cell->fraction, (*fine)->fraction, cell->table.nphases));
  PetscCall(FgCellDestroy(fine));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellDestroy(FgCell *cell)
{
  PetscFunctionBegin;
  if (!*cell) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgPhaseTableDestroy(&(*cell)->table));
  PetscCall(PetscFree((*cell)->phase));
  PetscCall(PetscFree((*cell)->fine));
  PetscCall(PetscFree((*cell)->fraction));
  PetscCall(PetscFree((*cell)->exact));
  PetscCall(PetscFree(*cell));
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FgCellMean(FgCell cell, const double *per_phase, PetscInt stride)
{
  double mean = 0;

  for (PetscInt i = 0; i < cell->table.nphases; i++) mean += cell->fraction[i] * per_phase[i * stride];
  return mean;
}

/* Ranks without planes hand nothing on: the ring goes over those that own some, which are the first ones. */
PetscErrorCode FgHaloPlanes(FgCell cell, FgHalo *halo, const double *first, const double *last, PetscInt ncomp,
                            const double **below, const double **above)
{
  const size_t plane = (size_t)(cell->n[0] * cell->n[1] * ncomp);
  PetscMPIInt  rank, owners = FgCellOwners(cell), down, up;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  if (owners == 1) {
    *below = last;
    *above = first;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (halo->size < plane) {
    for (PetscInt i = 0; i < 2; i++) {
      PetscCall(PetscFree(halo->buffer[i]));
      PetscCall(PetscMalloc1(plane, &halo->buffer[i]));
    }
    halo->size = plane;
  }
  *below = halo->buffer[0];
  *above = halo->buffer[1];
  if (cell->count == 0) PetscFunctionReturn(PETSC_SUCCESS);
  down = (rank + owners - 1) % owners;
  up   = (rank + 1) % owners;
  PetscCallMPI(MPI_Sendrecv(last, (PetscMPIInt)plane, MPI_DOUBLE, up, 0, halo->buffer[0], (PetscMPIInt)plane, MPI_DOUBLE, down, 0,
                            cell->comm, MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Sendrecv(first, (PetscMPIInt)plane, MPI_DOUBLE, down, 1, halo->buffer[1], (PetscMPIInt)plane, MPI_DOUBLE, up,
                            1, cell->comm, MPI_STATUS_IGNORE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHaloUpdate(FgCell cell, FgHalo *halo, const double *x, PetscInt ncomp, const double **below,
                            const double **above)
{
  const size_t plane = (size_t)(cell->n[0] * cell->n[1] * ncomp);

  PetscFunctionBegin;
  PetscCall(FgHaloPlanes(cell, halo, x, cell->count ? x + plane * (size_t)(cell->count - 1) : x, ncomp, below, above));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHaloDestroy(FgHalo *halo)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(halo->buffer[0]));
  PetscCall(PetscFree(halo->buffer[1]));
  halo->size = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}
