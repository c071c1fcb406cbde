/* result.c: the output folder and its maps, each with a JSON sidecar that says what it is, in which unit, and from what. */
#include "finegrain/result.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

PetscErrorCode FgFolderMake(const char *folder)
{
  char        path[PETSC_MAX_PATH_LEN];
  struct stat status;

  PetscFunctionBegin;
  PetscCheck(folder[0] && strlen(folder) < sizeof path, PETSC_COMM_SELF, PETSC_ERR_USER,
             "output folder \"%s\": expected a path of 1 to %d bytes", folder, (int)sizeof path - 1);
  strcpy(path, folder);
  for (char *slash = path + 1;; slash++) {
    const char end = *slash;

    if (end != '/' && end) continue;
    *slash = 0;
    PetscCheck(mkdir(path, 0777) == 0 || errno == EEXIST || errno == EISDIR, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE,
               "%s: the output folder cannot be made: %s", path, strerror(errno));
    PetscCheck(stat(path, &status) == 0 && S_ISDIR(status.st_mode), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE,
               "%s: found a file, expected a folder for the output", path);
    if (!end) break;
    *slash = '/';
  }
  PetscCheck(access(path, W_OK | X_OK) == 0, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE,
             "%s: nothing can be written to this folder: %s", path, strerror(errno));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RefuseOverwriting(const char *folder, const char *const names[])
{
  PetscFunctionBegin;
  for (int k = 0; names && names[k]; k++) {
    char path[2 * PETSC_MAX_PATH_LEN];

    snprintf(path, sizeof path, "%s/%s", folder, names[k]);
    PetscCheck(access(path, F_OK), PETSC_COMM_SELF, PETSC_ERR_USER, "%s exists already; choose another folder or give --force",
               path);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0: what would be overwritten is looked for before anything is made. */
static PetscErrorCode OpenFolder(const char *folder, const char *const names[], PetscBool force)
{
  PetscFunctionBegin;
  if (!force) PetscCall(RefuseOverwriting(folder, names));
  PetscCall(FgFolderMake(folder));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgResultOpen(const FgMeasurement *measurement, const char *folder, const char *const names[], PetscBool force,
                            json_t *provenance, FgResult *result)
{
  PetscMPIInt    rank;
  PetscErrorCode ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  memset(result, 0, sizeof *result);
  result->comm        = measurement->comm;
  result->measurement = measurement;
  result->provenance  = provenance;
  PetscCallMPI(MPI_Comm_rank(result->comm, &rank));
  if (!rank) ierr = OpenFolder(folder, names, force);
  ierr = FgAgree(result->comm, ierr);
  if (ierr) PetscCall(FgResultDestroy(result));
  PetscCall(ierr);
  PetscCall(PetscStrncpy(result->folder, folder, sizeof result->folder));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgResultDestroy(FgResult *result)
{
  PetscFunctionBegin;
  json_decref(result->provenance);
  memset(result, 0, sizeof *result);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Smallest and largest finite value within the mask; null where none is finite. */
static json_t *RangeInMask(const FgMeasurement *m, PetscInt ncomponents, const float *grid)
{
  const size_t nvoxels = (size_t)FgGridVoxels(&m->grid);
  double       low = INFINITY, high = -INFINITY;

  for (PetscInt c = 0; c < ncomponents; c++) {
    for (PetscInt k = 0; k < m->nmask; k++) {
      const float value = grid[(size_t)c * nvoxels + (size_t)m->voxel[k]];

      if (!isfinite(value)) continue;
      low  = fmin(low, value);
      high = fmax(high, value);
    }
  }
  return low <= high ? json_pack("[f,f]", low, high) : json_null();
}

static PetscErrorCode WriteSidecar(const FgResult *result, const char *path, const FgImageSpec *spec, const char *unit,
                                   const char *description, const float *grid)
{
  json_t        *object;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  object = json_pack("{s:s, s:s, s:o}", "Description", description, "Units", unit, "Range",
                     RangeInMask(result->measurement, spec->nvolumes, grid));
  PetscCheck(object, PETSC_COMM_SELF, PETSC_ERR_LIB, "%s: the sidecar cannot be made (text that is not UTF-8?)", path);
  if (spec->reference_axes) json_object_set_new(object, "ReferenceAxes", json_string(spec->reference_axes));
  if (result->provenance) json_object_update(object, result->provenance);
  ierr = FgWriteJson(path, object);
  json_decref(object);
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0. The sidecar goes first: a map with a final name always has one. */
static PetscErrorCode WriteFiles(const FgResult *result, const char *name, const FgImageSpec *spec, const char *unit,
                                 const char *description, const float *grid)
{
  char path[PETSC_MAX_PATH_LEN + 512];

  PetscFunctionBegin;
  snprintf(path, sizeof path, "%s/%s.json", result->folder, name);
  PetscCall(WriteSidecar(result, path, spec, unit, description, grid));
  snprintf(path, sizeof path, "%s/%s.nii.gz", result->folder, name);
  PetscCall(FgImageWrite(path, &result->measurement->grid, spec, grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgResultWriteMap(FgResult *result, const char *name, const FgImageSpec *spec, const char *unit,
                                const char *description, const float *local, float outside)
{
  float         *grid;
  PetscMPIInt    rank;
  PetscErrorCode ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(result->comm, &rank));
  PetscCall(FgMeasurementGather(result->measurement, spec->nvolumes, local, outside, &grid));
  if (!rank) ierr = WriteFiles(result, name, spec, unit, description, grid);
  PetscCall(PetscFree(grid));
  PetscCall(FgAgree(result->comm, ierr));
  PetscFunctionReturn(PETSC_SUCCESS);
}
