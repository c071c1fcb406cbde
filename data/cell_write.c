/* cell_write.c: labels and fields of a cell as NIfTI images, gathered slab by slab to the first rank. */
#include "finegrain/cell_file.h"
#include "finegrain/image.h"

#include <stdint.h>
#include <string.h>

/* Voxel axes are the scanner's, with the origin in the center of the first voxel. */
static FgGrid GridOf(FgCell cell)
{
  FgGrid grid = {.sform_code = 1, .qform_code = 1};

  for (int a = 0; a < 3; a++) {
    grid.dims[a]      = cell->n[a];
    grid.spacing[a]   = 1e3 * cell->spacing[a];
    grid.affine[a][a] = grid.spacing[a];
  }
  return grid;
}

/* On the first rank all[ncomp][voxels] from local[nlocal][ncomp], to be freed; NULL on the others. */
static PetscErrorCode Gather(FgCell cell, PetscInt ncomp, const float *local, float **all)
{
  const PetscInt plane = cell->n[0] * cell->n[1];
  const size_t   total = (size_t)plane * (size_t)cell->n[2];
  PetscMPIInt    rank, size;
  PetscErrorCode ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  *all = NULL;
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  PetscCallMPI(MPI_Comm_size(cell->comm, &size));
  if (rank == 0) ierr = PetscMalloc1(total * (size_t)ncomp, all);
  PetscCall(FgAgree(cell->comm, ierr));
  for (PetscInt c = 0; c < ncomp; c++) { /* a component at a time: counts fit into an int */
    float *mine = NULL;

    if (rank > 0) {
      PetscCall(PetscMalloc1(cell->nlocal, &mine));
      for (PetscInt v = 0; v < cell->nlocal; v++) mine[v] = local[v * ncomp + c];
      if (cell->nlocal) PetscCallMPI(MPI_Send(mine, (PetscMPIInt)cell->nlocal, MPI_FLOAT, 0, 0, cell->comm));
      PetscCall(PetscFree(mine));
      continue;
    }
    mine = *all + (size_t)c * total;
    for (PetscInt v = 0; v < cell->nlocal; v++) mine[v] = local[v * ncomp + c];
    for (PetscMPIInt r = 1; r < size; r++) {
      PetscInt start, count;

      FgCellSlab(cell, r, &start, &count);
      if (count == 0) continue;
      PetscCallMPI(MPI_Recv(mine + start * plane, (PetscMPIInt)(count * plane), MPI_FLOAT, r, 0, cell->comm, MPI_STATUS_IGNORE));
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Write(const char *path, FgCell cell, const FgImageSpec *spec, PetscInt ncomp, const float *local)
{
  const FgGrid   grid = GridOf(cell);
  float         *all;
  PetscMPIInt    rank;
  PetscErrorCode ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  PetscCall(Gather(cell, ncomp, local, &all));
  if (rank == 0) ierr = FgImageWrite(path, &grid, spec, all);
  PetscCall(PetscFree(all));
  PetscCall(FgAgree(cell->comm, ierr));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellWriteLabels(const char *path, FgCell cell)
{
  FgImageSpec    spec = {.map = "labels", .nvolumes = 1, .store = FG_STORE_UINT8};
  float         *labels;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const int label = cell->table.phases[p].label;

    if (spec.store == FG_STORE_UINT8 && (label < 0 || label > UINT8_MAX)) spec.store = FG_STORE_INT16;
    if (label < INT16_MIN || label > INT16_MAX) spec.store = FG_STORE_FLOAT;
    PetscCheck(label > -(1 << 24) && label < 1 << 24, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE,
               "%s: label %d of phase '%s' cannot be written, expected at most %d", path, label, cell->table.phases[p].name,
               (1 << 24) - 1);
  }
  PetscCall(PetscMalloc1(cell->nlocal, &labels));
  for (PetscInt v = 0; v < cell->nlocal; v++) labels[v] = (float)cell->table.phases[cell->phase[v]].label;
  ierr = Write(path, cell, &spec, 1, labels);
  PetscCall(PetscFree(labels));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellWriteField(const char *path, FgCell cell, const FgCellField *field)
{
  char              map[2 * FG_CELL_NAME + 8];
  const FgImageSpec spec = {.map = map, .nvolumes = field->ncomp, .store = FG_STORE_FLOAT};

  PetscFunctionBegin;
  snprintf(map, sizeof map, "%s [%s]", field->name, field->unit);
  PetscCall(Write(path, cell, &spec, field->ncomp, field->value));
  PetscFunctionReturn(PETSC_SUCCESS);
}
