/* cell_read.c: a cell from an image of labels. The first rank reads the file once from front to back, turns labels into
   phases a chunk at a time, and hands every other rank its slab: no rank holds more than two slabs. */
#include "cell_labels.h"
#include "hdf5_checks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const FgCellImageSettings FgCellImageDefaults = {{0, 0, 0}, {0, 0, 0}};

/* --- Opening -------------------------------------------------------------------------------------------------------------- */

static PetscBool EndsIn(const char *path, const char *ending)
{
  const size_t n = strlen(path), m = strlen(ending);

  return n >= m && strcmp(path + n - m, ending) == 0 ? PETSC_TRUE : PETSC_FALSE;
}

/* What was given must agree with the file, or stands in its place; then sizes that memory and PetscInt can hold. */
static PetscErrorCode Settle(const FgCellImageSettings *settings, FgLabels labels)
{
  const double     memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  FgCellImageInfo *info   = &labels->info;
  double           voxels = 1.0;

  PetscFunctionBegin;
  for (PetscInt a = 0; a < 3; a++) {
    PetscCheck(settings->size[a] == 0 || settings->size[a] == info->n[a], PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT " voxels, but --size says %" PetscInt_FMT
               " x %" PetscInt_FMT " x %" PetscInt_FMT,
               labels->path, info->n[0], info->n[1], info->n[2], settings->size[0], settings->size[1], settings->size[2]);
    PetscCheck(info->n[a] >= 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: the cell is empty: %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT " voxels", labels->path,
               info->n[0], info->n[1], info->n[2]);
    if (settings->voxel_size[a] != 0) info->edge[a] = settings->voxel_size[a] * (double)info->n[a];
    voxels *= (double)info->n[a];
  }
  for (PetscInt a = 0; a < 3; a++) {
    PetscCheck(info->edge[a] != 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found no voxel size in the file; give it as --voxel-size [m]", labels->path);
    PetscCheck(isfinite(info->edge[a]) && info->edge[a] > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found a voxel size of %.6g m, expected a positive number", labels->path, info->edge[a] / (double)info->n[a]);
  }
  PetscCheck(voxels <= (double)PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "%s: found %.4g voxels, expected at most %lld; crop it", labels->path, voxels, (long long)PETSC_MAX_INT);
  PetscCheck(voxels * sizeof(uint16_t) <= memory, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "%s: %.4g voxels need %.1f GB for the labels alone, found %.1f GB of memory; crop it", labels->path, voxels,
             voxels * sizeof(uint16_t) * 1e-9, memory * 1e-9);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* PATH, or PATH:DATASET where no file has the whole name. */
static PetscErrorCode OpenAs(const char *path, const FgCellImageSettings *settings, PetscBool look, FgLabels labels)
{
  struct stat status;
  char        file[PETSC_MAX_PATH_LEN];
  char       *colon;

  PetscFunctionBegin;
  PetscCheck(strlen(path) < PETSC_MAX_PATH_LEN, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN,
             "%.80s...: the path is longer than %d bytes", path, PETSC_MAX_PATH_LEN - 1);
  strcpy(labels->path, path);
  strcpy(file, path);
  colon = stat(path, &status) ? strrchr(file, ':') : NULL;
  if (colon) *colon++ = 0;
  if (colon && !stat(file, &status)) {
    PetscCheck(FgIsHdf5(file), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: %s is no HDF5 file, of which a dataset could be named", path, file);
    PetscCall(FgLabelsOpenHdf5(file, colon, labels));
  } else if (EndsIn(path, ".nii") || EndsIn(path, ".nii.gz")) PetscCall(FgLabelsOpenNifti(path, labels));
  else if (FgIsHdf5(path)) PetscCall(FgLabelsOpenHdf5(path, NULL, labels));
  else PetscCall(FgLabelsOpenRaw(path, settings, look, labels));
  PetscCall(Settle(settings, labels));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Close(FgLabels *labels)
{
  PetscFunctionBegin;
  if (*labels && (*labels)->own) PetscCall((*labels)->close(*labels));
  PetscCall(PetscFree(*labels));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Open(const char *path, const FgCellImageSettings *settings, PetscBool look, FgLabels *labels)
{
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCall(PetscNew(labels));
  ierr = OpenAs(path, settings, look, *labels);
  if (ierr) PetscCall(Close(labels));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellImageLook(const char *path, const FgCellImageSettings *settings, FgCellImageInfo *info)
{
  FgLabels labels;

  PetscFunctionBegin;
  PetscCall(Open(path, settings, PETSC_TRUE, &labels));
  *info = labels->info;
  PetscCall(Close(&labels));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Labels to phases --------------------------------------------------------------------------------------------------- */

typedef struct {
  int32_t  label;
  uint16_t phase;
} Entry;

typedef struct {
  Entry   *entries; /* by label */
  PetscInt n;
  Entry    last;     /* neighbors are mostly alike */
  int32_t  stranger; /* the first label without a phase */
  PetscInt first, count;
} Dictionary;

static int CompareEntries(const void *a, const void *b)
{
  const int32_t x = ((const Entry *)a)->label, y = ((const Entry *)b)->label;

  return (x > y) - (x < y);
}

static PetscErrorCode MakeDictionary(const FgPhaseTable *table, Dictionary *dictionary)
{
  PetscFunctionBegin;
  PetscCall(PetscMemzero(dictionary, sizeof *dictionary));
  PetscCall(PetscMalloc1(table->nphases, &dictionary->entries));
  dictionary->n = table->nphases;
  for (PetscInt p = 0; p < table->nphases; p++)
    dictionary->entries[p] = (Entry){.label = (int32_t)table->phases[p].label, .phase = (uint16_t)p};
  qsort(dictionary->entries, (size_t)dictionary->n, sizeof(Entry), CompareEntries);
  dictionary->last = dictionary->entries[0];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Translate(Dictionary *dictionary, PetscInt first, PetscInt n, const int32_t *labels, uint16_t *phases)
{
  for (PetscInt i = 0; i < n; i++) {
    if (labels[i] != dictionary->last.label) {
      const Entry  key   = {.label = labels[i]};
      const Entry *found = bsearch(&key, dictionary->entries, (size_t)dictionary->n, sizeof(Entry), CompareEntries);

      if (found) dictionary->last = *found;
      else {
        if (!dictionary->count) {
          dictionary->stranger = labels[i];
          dictionary->first    = first + i;
        }
        dictionary->count += labels[i] == dictionary->stranger;
      }
    }
    phases[i] = dictionary->last.phase;
  }
}

static PetscErrorCode CheckStrangers(const FgLabels labels, const FgPhaseTable *table, const Dictionary *dictionary)
{
  const PetscInt v = dictionary->first, nx = labels->info.n[0], ny = labels->info.n[1];

  PetscFunctionBegin;
  PetscCheck(!dictionary->count, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found label %d in %" PetscInt_FMT " voxels, the first (%" PetscInt_FMT ", %" PetscInt_FMT ", %" PetscInt_FMT
             "), but no phase with that label in %s; add it",
             labels->path, (int)dictionary->stranger, dictionary->count, v % nx, v / nx % ny, v / nx / ny,
             table->source[0] ? table->source : "the table of phases");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Reading ---------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode ReadSlab(FgLabels labels, Dictionary *dictionary, PetscInt n, int32_t *chunk, uint16_t *phases)
{
  PetscFunctionBegin;
  for (PetscInt done = 0; done < n;) {
    const PetscInt now = PetscMin(n - done, FG_LABELS_CHUNK), first = labels->done;

    PetscCall(labels->read(labels, now, chunk));
    Translate(dictionary, first, now, chunk, phases + done);
    done += now;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* First rank: its own slab, then those of the others in order, which are sent whatever happens, so that no rank waits. */
static PetscErrorCode ReadAll(FgLabels labels, FgCell cell)
{
  const PetscInt plane = cell->n[0] * cell->n[1];
  Dictionary     dictionary;
  int32_t       *chunk;
  uint16_t      *slab = NULL;
  PetscMPIInt    size;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(cell->comm, &size));
  PetscCall(PetscMalloc1(FG_LABELS_CHUNK, &chunk));
  if (size > 1) PetscCall(PetscCalloc1(cell->nlocal, &slab));
  PetscCall(MakeDictionary(&cell->table, &dictionary));
  ierr = ReadSlab(labels, &dictionary, cell->nlocal, chunk, cell->phase);
  for (PetscMPIInt r = 1; r < size; r++) {
    PetscInt start, planes;

    FgCellSlab(cell, r, &start, &planes);
    if (!ierr) ierr = ReadSlab(labels, &dictionary, planes * plane, chunk, slab);
    if (planes) PetscCallMPI(MPI_Send(slab, (PetscMPIInt)(planes * plane), MPI_UINT16_T, r, 0, cell->comm));
  }
  if (!ierr && labels->end) ierr = labels->end(labels);
  if (!ierr) ierr = CheckStrangers(labels, &cell->table, &dictionary);
  PetscCall(PetscFree(dictionary.entries));
  PetscCall(PetscFree(slab));
  PetscCall(PetscFree(chunk));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Receive(FgCell cell)
{
  PetscFunctionBegin;
  if (cell->count)
    PetscCallMPI(MPI_Recv(cell->phase, (PetscMPIInt)cell->nlocal, MPI_UINT16_T, 0, 0, cell->comm, MPI_STATUS_IGNORE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellReadImage(MPI_Comm comm, const char *path, const FgCellImageSettings *settings, const FgPhaseTable *table,
                               FgCell *out)
{
  FgLabels        labels = NULL;
  FgCellImageInfo info   = {0};
  FgCell          cell   = NULL;
  PetscMPIInt     rank;
  PetscErrorCode  ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  *out = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) ierr = Open(path, settings, PETSC_FALSE, &labels);
  PetscCall(FgAgree(comm, ierr));
  if (rank == 0) info = labels->info;
  PetscCallMPI(MPI_Bcast(info.n, 3, MPIU_INT, 0, comm));
  PetscCallMPI(MPI_Bcast(info.edge, 3, MPI_DOUBLE, 0, comm));
  ierr = FgAgree(comm, FgCellCreate(comm, info.n, info.edge, table, path, &cell));
  if (!ierr) ierr = FgAgree(comm, rank == 0 ? ReadAll(labels, cell) : Receive(cell));
  if (rank == 0) PetscCall(Close(&labels));
  if (!ierr) ierr = FgCellComplete(cell);
  if (ierr) PetscCall(FgCellDestroy(&cell));
  PetscCall(ierr);
  *out = cell;
  PetscFunctionReturn(PETSC_SUCCESS);
}
