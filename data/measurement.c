/* measurement.c: a measurement spread over the ranks: every rank knows the mask and owns a contiguous run of its voxels.

   Rank 0 alone touches files. It holds one volume and its own share; each volume is scattered as it is read. Before each
   volume rank 0 says whether one follows, so that a file which ends early ends the reading on all ranks. */
#include "measurement.h"

#include "finegrain/domain.h"
#include "finegrain/result.h"

#include <math.h>
#include <string.h>

PetscErrorCode FgMeasurementSetMask(const unsigned char *mask, const char *source, FgMeasurement *m)
{
  const PetscInt nvoxels = FgGridVoxels(&m->grid);

  PetscFunctionBegin;
  m->nmask = 0;
  for (PetscInt v = 0; v < nvoxels; v++) m->nmask += mask[v] ? 1 : 0;
  PetscCall(PetscMalloc1(m->nmask, &m->voxel));
  for (PetscInt v = 0, k = 0; v < nvoxels; v++) {
    if (mask[v]) m->voxel[k++] = v;
  }
  PetscCall(PetscStrncpy(m->mask_source, source, sizeof m->mask_source));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckMaskGrid(const FgImageInfo *mask, const FgMeasurement *m)
{
  const double    distance = FgGridDistance(&m->grid, &mask->grid);
  const PetscInt *a = mask->grid.dims, *b = m->grid.dims;

  PetscFunctionBegin;
  PetscCheck(mask->nvolumes == 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found %lld volumes, expected a mask of one",
             mask->path, (long long)mask->nvolumes);
  PetscCheck(distance >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a mask of %lld x %lld x %lld voxels, expected the %lld x %lld x %lld of %s; resample the mask to the "
             "grid of the data",
             mask->path, (long long)a[0], (long long)a[1], (long long)a[2], (long long)b[0], (long long)b[1], (long long)b[2],
             m->info.path);
  PetscCheck(distance <= 1e-3, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found voxels up to %.4g voxels away from those of %s, expected at most 0.001; resample the mask to the grid of "
             "the data",
             mask->path, distance, m->info.path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeasurementReadMask(const char *path, FgMeasurement *m)
{
  const PetscInt nvoxels = FgGridVoxels(&m->grid);
  FgImageInfo    info;
  float         *values;
  unsigned char *mask;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(path, &info));
  PetscCall(CheckMaskGrid(&info, m));
  PetscCall(FgImageRead(path, &info, &values));
  ierr = PetscMalloc1(nvoxels, &mask);
  if (!ierr) {
    for (PetscInt v = 0; v < nvoxels; v++) mask[v] = isfinite(values[v]) && values[v] != 0.0f;
    ierr = FgMeasurementSetMask(mask, path, m);
    PetscCall(PetscFree(mask));
  }
  PetscCall(PetscFree(values));
  PetscCall(ierr);
  PetscCheck(m->nmask > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no voxel other than 0, expected a mask of at least one voxel", path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AllocateShare(FgMeasurement *m, PetscMPIInt rank)
{
  PetscFunctionBegin;
  if (rank) {
    PetscCall(PetscMalloc1(m->nmask, &m->voxel));
    if (m->gradients.n) PetscCall(PetscMalloc2(m->gradients.n, &m->gradients.b, 3 * m->gradients.n, &m->gradients.g));
  }
  PetscCall(PetscMalloc1((size_t)m->nlocal * (size_t)m->ndata, &m->data));
  PetscCall(PetscCalloc1(m->nlocal, &m->status));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Share(FgMeasurement *m)
{
  FgMeasurement  shared = *m;
  PetscMPIInt    rank, size;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(m->comm, &rank));
  PetscCallMPI(MPI_Comm_size(m->comm, &size));
  PetscCallMPI(MPI_Bcast(&shared, (int)sizeof shared, MPI_BYTE, 0, m->comm));
  if (rank) { /* sizes and texts are rank 0's, memory is this rank's own */
    shared.comm        = m->comm;
    shared.voxel       = NULL;
    shared.data        = NULL;
    shared.status      = NULL;
    shared.gradients.b = shared.gradients.g = NULL;
    *m                                      = shared;
  }
  FgDomainRun(m->nmask, rank, size, &m->first, &m->nlocal);
  ierr = AllocateShare(m, rank);
  PetscCall(FgAgree(m->comm, ierr));
  PetscCallMPI(MPI_Bcast(m->voxel, (int)m->nmask, MPIU_INT, 0, m->comm));
  if (m->gradients.n) {
    PetscCallMPI(MPI_Bcast(m->gradients.b, (int)m->gradients.n, MPI_DOUBLE, 0, m->comm));
    PetscCallMPI(MPI_Bcast(m->gradients.g, 3 * (int)m->gradients.n, MPI_DOUBLE, 0, m->comm));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Who gets what of a packed array of nmask values. */
typedef struct {
  int   *counts, *starts; /* [size] */
  float *packed;          /* [nmask], rank 0 */
} Spread;

static PetscErrorCode SpreadCreate(const FgMeasurement *m, Spread *spread)
{
  PetscMPIInt    rank, size;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(m->comm, &rank));
  PetscCallMPI(MPI_Comm_size(m->comm, &size));
  ierr = PetscCalloc3(size, &spread->counts, size, &spread->starts, rank ? 0 : m->nmask, &spread->packed);
  PetscCall(FgAgree(m->comm, ierr));
  for (int r = 0; r < size; r++) {
    PetscInt first, n;

    FgDomainRun(m->nmask, r, size, &first, &n);
    spread->starts[r] = (int)first;
    spread->counts[r] = (int)n;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SpreadDestroy(Spread *spread)
{
  PetscFunctionBegin;
  PetscCall(PetscFree3(spread->counts, spread->starts, spread->packed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SpreadOut(const FgMeasurement *m, const Spread *spread, const float *map, float *local)
{
  PetscFunctionBegin;
  if (map) {
    for (PetscInt k = 0; k < m->nmask; k++) spread->packed[k] = map[m->voxel[k]];
  }
  PetscCallMPI(
      MPI_Scatterv(spread->packed, spread->counts, spread->starts, MPI_FLOAT, local, (int)m->nlocal, MPI_FLOAT, 0, m->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeasurementScatter(const FgMeasurement *m, const float *map, float *local)
{
  Spread spread;

  PetscFunctionBegin;
  PetscCall(SpreadCreate(m, &spread));
  PetscCall(SpreadOut(m, &spread, map, local));
  PetscCall(SpreadDestroy(&spread));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeasurementGather(const FgMeasurement *m, PetscInt ncomponents, const float *local, float outside, float **grid)
{
  const size_t   nvoxels = (size_t)FgGridVoxels(&m->grid);
  Spread         spread;
  float         *component;
  PetscMPIInt    rank;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  *grid = NULL;
  PetscCallMPI(MPI_Comm_rank(m->comm, &rank));
  PetscCall(SpreadCreate(m, &spread));
  ierr = PetscMalloc1(m->nlocal, &component);
  if (!ierr && !rank) ierr = PetscMalloc1(nvoxels * (size_t)ncomponents, grid);
  PetscCall(FgAgree(m->comm, ierr));
  for (PetscInt c = 0; c < ncomponents; c++) {
    for (PetscInt i = 0; i < m->nlocal; i++) component[i] = local[i * ncomponents + c];
    PetscCallMPI(
        MPI_Gatherv(component, (int)m->nlocal, MPI_FLOAT, spread.packed, spread.counts, spread.starts, MPI_FLOAT, 0, m->comm));
    if (rank) continue;
    for (size_t v = 0; v < nvoxels; v++) (*grid)[(size_t)c * nvoxels + v] = outside;
    for (PetscInt k = 0; k < m->nmask; k++) (*grid)[(size_t)c * nvoxels + (size_t)m->voxel[k]] = spread.packed[k];
  }
  PetscCall(PetscFree(component));
  PetscCall(SpreadDestroy(&spread));
  PetscFunctionReturn(PETSC_SUCCESS);
}

typedef struct {
  FgMeasurement *m;
  Spread         spread;
  float         *local; /* [nlocal] one volume */
} Streaming;

/* Every rank: takes its share of volume v. */
static PetscErrorCode TakeVolume(Streaming *streaming, PetscInt v, const float *values)
{
  FgMeasurement *m = streaming->m;

  PetscFunctionBegin;
  PetscCall(SpreadOut(m, &streaming->spread, values, streaming->local));
  for (PetscInt i = 0; i < m->nlocal; i++) m->data[(size_t)i * (size_t)m->ndata + (size_t)v] = streaming->local[i];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SendVolume(void *context, PetscInt v, const float *values)
{
  Streaming *streaming = context;
  int        follows   = 1;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Bcast(&follows, 1, MPI_INT, 0, streaming->m->comm));
  PetscCall(TakeVolume(streaming, v, values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReceiveVolumes(Streaming *streaming)
{
  int follows = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Bcast(&follows, 1, MPI_INT, 0, streaming->m->comm));
  for (PetscInt v = 0; follows; v++) {
    PetscCall(TakeVolume(streaming, v, NULL));
    PetscCallMPI(MPI_Bcast(&follows, 1, MPI_INT, 0, streaming->m->comm));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Stream(FgMeasurement *m)
{
  Streaming      streaming = {.m = m};
  PetscMPIInt    rank;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(m->comm, &rank));
  PetscCall(SpreadCreate(m, &streaming.spread));
  ierr = PetscMalloc1(m->nlocal, &streaming.local);
  PetscCall(FgAgree(m->comm, ierr));
  if (rank) ierr = ReceiveVolumes(&streaming);
  else {
    int follows = 0;

    ierr = FgImageStream(&m->info, SendVolume, &streaming);
    PetscCallMPI(MPI_Bcast(&follows, 1, MPI_INT, 0, m->comm));
  }
  PetscCall(PetscFree(streaming.local));
  PetscCall(SpreadDestroy(&streaming.spread));
  PetscCall(FgAgree(m->comm, ierr));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeasurementBegin(MPI_Comm comm, FgMeasurement *m, PetscBool *first)
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  memset(m, 0, sizeof *m);
  m->comm = comm;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *first = rank ? PETSC_FALSE : PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeasurementEnd(PetscErrorCode code, PetscBool stream, FgMeasurement *m)
{
  PetscFunctionBegin;
  code = FgAgree(m->comm, code);
  if (!code) code = Share(m);
  if (!code && stream) code = Stream(m);
  if (code) PetscCall(FgMeasurementDestroy(m));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeasurementDestroy(FgMeasurement *m)
{
  PetscFunctionBegin;
  PetscCall(FgGradientsDestroy(&m->gradients));
  PetscCall(PetscFree(m->voxel));
  PetscCall(PetscFree(m->data));
  PetscCall(PetscFree(m->status));
  memset(m, 0, sizeof *m);
  PetscFunctionReturn(PETSC_SUCCESS);
}
