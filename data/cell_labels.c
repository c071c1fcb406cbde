/* cell_labels.c: labels out of NIfTI images and raw bytes, plain or compressed, a chunk at a time. */
#include "cell_labels.h"

#include <errno.h>
#include <math.h>
#include <nifti1.h>
#include <string.h>
#include <sys/stat.h>

#define EXACT 16777216.0f /* from here on float does not hold every whole number */

/* --- NIfTI ------------------------------------------------------------------------------------------------------------- */

typedef struct {
  FgImageInfo    image;
  gzFile         stream;
  unsigned char *raw;
  float         *values;
} Nifti;

static PetscErrorCode ReadNifti(FgLabels labels, PetscInt n, int32_t *values)
{
  Nifti *nifti = labels->own;

  PetscFunctionBegin;
  PetscCall(FgNiftiReadValues(&nifti->image, nifti->stream, labels->done, n, nifti->raw, nifti->values));
  for (PetscInt i = 0; i < n; i++) {
    const float    value = nifti->values[i];
    const PetscInt v = labels->done + i, nx = labels->info.n[0], ny = labels->info.n[1];

    PetscCheck(fabsf(value) < EXACT && value == rintf(value), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found the value %.9g in voxel (%" PetscInt_FMT ", %" PetscInt_FMT ", %" PetscInt_FMT
               "), expected whole numbers as labels",
               labels->path, (double)value, v % nx, v / nx % ny, v / nx / ny);
    values[i] = (int32_t)value;
  }
  labels->done += n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode EndNifti(FgLabels labels)
{
  Nifti *nifti = labels->own;

  PetscFunctionBegin;
  PetscCall(FgNiftiReadToEnd(&nifti->image, nifti->stream, nifti->raw));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CloseNifti(FgLabels labels)
{
  Nifti *nifti = labels->own;

  PetscFunctionBegin;
  if (nifti->stream) gzclose_r(nifti->stream);
  PetscCall(PetscFree2(nifti->raw, nifti->values));
  PetscCall(PetscFree(labels->own));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgLabelsOpenNifti(const char *path, FgLabels labels)
{
  Nifti  *nifti;
  FgGrid *grid;

  PetscFunctionBegin;
  PetscCall(PetscNew(&nifti));
  labels->own   = nifti;
  labels->read  = ReadNifti;
  labels->end   = EndNifti;
  labels->close = CloseNifti;
  PetscCall(FgNiftiOpen(path, &nifti->image, &nifti->stream));
  PetscCheck(nifti->image.nvolumes == 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " volumes, expected one of labels", path, nifti->image.nvolumes);
  PetscCheck(nifti->image.datatype != NIFTI_TYPE_RGB24, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a color image (RGB24), expected labels", path);
  grid                         = &nifti->image.grid;
  labels->info.format          = "NIfTI";
  labels->info.bytes_per_value = nifti->image.bytes_per_value;
  for (PetscInt a = 0; a < 3; a++) {
    /* An axis that the file does not have is as thick as the first. */
    const double spacing = a < nifti->image.ndims ? grid->spacing[a] : grid->spacing[0];

    labels->info.n[a]    = grid->dims[a];
    labels->info.edge[a] = 1e-3 * spacing * (double)grid->dims[a];
  }
  PetscCall(PetscMalloc2(FG_NIFTI_CHUNK * nifti->image.bytes_per_value, &nifti->raw, FG_LABELS_CHUNK, &nifti->values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Raw --------------------------------------------------------------------------------------------------------------- */

typedef struct {
  gzFile         stream;
  unsigned char *bytes;
} Raw;

static PetscErrorCode ReadRaw(FgLabels labels, PetscInt n, int32_t *values)
{
  Raw      *raw   = labels->own;
  const int width = labels->info.bytes_per_value, wanted = (int)n * width,
            found = gzread(raw->stream, raw->bytes, (unsigned)wanted);

  PetscFunctionBegin;
  PetscCheck(found == wanted, PETSC_COMM_SELF, PETSC_ERR_FILE_READ, "%s: truncated or damaged (%s); copy the file again",
             labels->path, FgNiftiStreamError(raw->stream));
  for (PetscInt i = 0; i < n; i++) values[i] = width == 1 ? raw->bytes[i] : raw->bytes[2 * i] | raw->bytes[2 * i + 1] << 8;
  labels->done += n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CloseRaw(FgLabels labels)
{
  Raw *raw = labels->own;

  PetscFunctionBegin;
  if (raw->stream) gzclose_r(raw->stream);
  PetscCall(PetscFree(raw->bytes));
  PetscCall(PetscFree(labels->own));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Bytes of the (unpacked) stream, by reading it once; stops above `limit`. */
static PetscErrorCode CountBytes(FgLabels labels, Raw *raw, double limit, double *count)
{
  int found, code;

  PetscFunctionBegin;
  *count = 0;
  while (*count <= limit && (found = gzread(raw->stream, raw->bytes, 2 * FG_LABELS_CHUNK)) > 0) *count += found;
  (void)gzerror(raw->stream, &code);
  PetscCheck(*count > limit || (found == 0 && code != Z_BUF_ERROR), PETSC_COMM_SELF, PETSC_ERR_FILE_READ,
             "%s: damaged (%s); copy the file again", labels->path, FgNiftiStreamError(raw->stream));
  PetscCheck(gzrewind(raw->stream) == 0, PETSC_COMM_SELF, PETSC_ERR_FILE_READ, "%s: cannot be read twice", labels->path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgLabelsOpenRaw(const char *path, const FgCellImageSettings *settings, PetscBool look, FgLabels labels)
{
  const PetscInt *size   = settings->size;
  const double    voxels = (double)size[0] * (double)size[1] * (double)size[2];
  double          bytes;
  struct stat     status;
  Raw            *raw;

  PetscFunctionBegin;
  PetscCheck(stat(path, &status) == 0, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: cannot be opened: %s", path, strerror(errno));
  PetscCheck(S_ISREG(status.st_mode), PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: found a %s, expected a file of labels", path,
             S_ISDIR(status.st_mode) ? "directory" : "special file");
  PetscCheck(size[0] && size[1] && size[2] && settings->voxel_size[0] > 0, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found neither NIfTI nor HDF5; raw labels need --size and --voxel-size", path);
  PetscCall(PetscNew(&raw));
  labels->own   = raw;
  labels->read  = ReadRaw;
  labels->close = CloseRaw;
  raw->stream   = gzopen(path, "rb");
  PetscCheck(raw->stream, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: cannot be opened: %s", path, strerror(errno));
  gzbuffer(raw->stream, 1 << 17);
  PetscCall(PetscMalloc1(2 * FG_LABELS_CHUNK, &raw->bytes));
  labels->info.format = "raw";
  for (PetscInt a = 0; a < 3; a++) {
    labels->info.n[a]    = size[a];
    labels->info.edge[a] = settings->voxel_size[a] * (double)size[a];
  }
  if (gzdirect(raw->stream)) bytes = (double)status.st_size;
  else if (look) PetscFunctionReturn(PETSC_SUCCESS);
  else PetscCall(CountBytes(labels, raw, 2.0 * voxels, &bytes));
  PetscCheck(bytes == voxels || bytes == 2.0 * voxels, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %s%.0f bytes, expected %.0f (uint8) or %.0f (uint16) for %" PetscInt_FMT " x %" PetscInt_FMT
             " x %" PetscInt_FMT " voxels",
             path, bytes > 2.0 * voxels && !gzdirect(raw->stream) ? "more than " : "", bytes, voxels, 2.0 * voxels, size[0],
             size[1], size[2]);
  labels->info.bytes_per_value = bytes == voxels ? 1 : 2;
  PetscFunctionReturn(PETSC_SUCCESS);
}
