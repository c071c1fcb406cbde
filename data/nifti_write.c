/* nifti_write.c: writes NIfTI images that are whole: NAME.partial, every write checked, read back with its check sum,
   synced, renamed. nifticlib makes the header; its own writer returns void and leaves a truncated file on a full disk. */
#include "nifti.h"
#include "partial.h"

#include <errno.h>
#include <math.h>
#include <nifti2_io.h>
#include <string.h>

#define CHUNK 65536 /* values at once */

static int StoreType(FgStore store)
{
  switch (store) {
  case FG_STORE_UINT8: return NIFTI_TYPE_UINT8;
  case FG_STORE_INT16: return NIFTI_TYPE_INT16;
  case FG_STORE_RGB24: return NIFTI_TYPE_RGB24;
  case FG_STORE_FLOAT:
  default: return NIFTI_TYPE_FLOAT32;
  }
}

/* dim[0..7] of the file: a map is 3-D, a tensor of intent 1005 5-D with one point in time, everything else 4-D. */
static void FileDims(const FgGrid *grid, const FgImageSpec *spec, int64_t dims[8])
{
  const PetscInt frames = spec->store == FG_STORE_RGB24 ? 1 : spec->nvolumes;

  for (int k = 0; k < 8; k++) dims[k] = k >= 1 && k <= 3 ? grid->dims[k - 1] : 1;
  if (spec->intent_code == NIFTI_INTENT_SYMMATRIX) {
    dims[0] = 5;
    dims[5] = frames;
  } else {
    dims[0] = frames > 1 ? 4 : 3;
    dims[4] = frames;
  }
}

/* Range for display, over what is finite. */
static void DisplayRange(const FgGrid *grid, const FgImageSpec *spec, const float *values, double *low, double *high)
{
  const size_t n = (size_t)FgGridVoxels(grid) * (size_t)spec->nvolumes;

  *low  = spec->cal_min;
  *high = spec->cal_max;
  if (*low != 0.0 || *high != 0.0 || spec->store == FG_STORE_RGB24) return;
  *low  = INFINITY;
  *high = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(values[i])) continue;
    *low  = fmin(*low, values[i]);
    *high = fmax(*high, values[i]);
  }
  if (*low > *high) *low = *high = 0.0;
}

static void FillTransforms(const FgGrid *grid, nifti_image *nim)
{
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) nim->sto_xyz.m[i][j] = i < 3 ? grid->affine[i][j] : (j == 3);
  }
  nim->sform_code = grid->sform_code > 0 ? grid->sform_code : grid->qform_code > 0 ? grid->qform_code : NIFTI_XFORM_SCANNER_ANAT;
  nim->qform_code = grid->qform_code > 0 ? grid->qform_code : nim->sform_code;
  nifti_dmat44_to_quatern(nim->sto_xyz, &nim->quatern_b, &nim->quatern_c, &nim->quatern_d, &nim->qoffset_x, &nim->qoffset_y,
                          &nim->qoffset_z, NULL, NULL, NULL, &nim->qfac);
  nim->dx = nim->pixdim[1] = grid->spacing[0];
  nim->dy = nim->pixdim[2] = grid->spacing[1];
  nim->dz = nim->pixdim[3] = grid->spacing[2];
  nim->xyz_units           = NIFTI_UNITS_MM;
  nim->time_units          = NIFTI_UNITS_SEC;
}

/* Header and the four bytes that say "no extension": 352 bytes, or 544 where a dimension is beyond NIfTI-1. */
static PetscErrorCode MakeHeader(const char *path, const FgGrid *grid, const FgImageSpec *spec, const float *values,
                                 unsigned char header[544], size_t *size)
{
  int64_t      dims[8];
  nifti_image *nim;
  PetscBool    large = PETSC_FALSE;
  int          failed;

  PetscFunctionBegin;
  FileDims(grid, spec, dims);
  for (int k = 1; k < 8; k++) large = large || dims[k] > INT16_MAX ? PETSC_TRUE : PETSC_FALSE;
  nifti_set_debug_level(0);
  nim = nifti_make_new_nim(dims, StoreType(spec->store), 0);
  PetscCheck(nim, PETSC_COMM_SELF, PETSC_ERR_LIB, "%s: nifticlib cannot make a header", path);
  nim->nifti_type   = large ? NIFTI_FTYPE_NIFTI2_1 : NIFTI_FTYPE_NIFTI1_1;
  nim->iname_offset = large ? 544 : 352;
  nim->scl_slope    = 1.0;
  nim->scl_inter    = 0.0;
  nim->intent_code  = spec->intent_code;
  nim->intent_p1    = spec->intent_code == NIFTI_INTENT_SYMMATRIX ? 3.0 : 0.0;
  DisplayRange(grid, spec, values, &nim->cal_min, &nim->cal_max);
  snprintf(nim->descrip, sizeof nim->descrip, "finegrain %s %s", FG_VERSION, spec->map);
  snprintf(nim->intent_name, sizeof nim->intent_name, "%s", spec->intent_name ? spec->intent_name : "");
  FillTransforms(grid, nim);
  memset(header, 0, 544);
  if (large) {
    nifti_2_header two;

    failed = nifti_convert_nim2n2hdr(nim, &two);
    for (int k = (int)two.dim[0] + 1; k < 8; k++) two.dim[k] = 1;
    memcpy(header, &two, sizeof two);
  } else {
    nifti_1_header one;

    failed = nifti_convert_nim2n1hdr(nim, &one);
    for (int k = one.dim[0] + 1; k < 8; k++) one.dim[k] = 1; /* nifticlib leaves 0, which some readers multiply with */
    memcpy(header, &one, sizeof one);
  }
  *size = (size_t)nim->iname_offset;
  nifti_image_free(nim);
  PetscCheck(!failed, PETSC_COMM_SELF, PETSC_ERR_LIB, "%s: nifticlib cannot make a header", path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static long Rounded(float value, double low, double high)
{
  return isfinite(value) ? lrint(fmin(fmax(value, low), high)) : 0;
}

/* Values i = first .. first + n - 1 as bytes of the file; returns how many bytes. */
static size_t StoreValues(const FgImageSpec *spec, const float *values, size_t nvoxels, size_t first, size_t n,
                          unsigned char *bytes)
{
  switch (spec->store) {
  case FG_STORE_UINT8:
    for (size_t i = 0; i < n; i++) bytes[i] = (unsigned char)Rounded(values[first + i], 0, UINT8_MAX);
    return n;
  case FG_STORE_INT16:
    for (size_t i = 0; i < n; i++) {
      const int16_t value = (int16_t)Rounded(values[first + i], INT16_MIN, INT16_MAX);

      memcpy(bytes + 2 * i, &value, 2);
    }
    return 2 * n;
  case FG_STORE_RGB24:
    for (size_t i = 0; i < n; i++) {
      for (size_t c = 0; c < 3; c++) bytes[3 * i + c] = (unsigned char)Rounded(values[c * nvoxels + first + i], 0, UINT8_MAX);
    }
    return 3 * n;
  case FG_STORE_FLOAT:
  default: memcpy(bytes, values + first, sizeof(float) * n); return sizeof(float) * n;
  }
}

static PetscBool WriteBytes(gzFile stream, const void *bytes, size_t n)
{
  return gzwrite(stream, bytes, (unsigned)n) == (int)n ? PETSC_TRUE : PETSC_FALSE;
}

/* Returns 0, or errno of the write that failed. */
static int WriteStream(gzFile stream, const unsigned char *header, size_t header_size, const FgGrid *grid,
                       const FgImageSpec *spec, const float *values, unsigned char *bytes)
{
  const size_t nvoxels = (size_t)FgGridVoxels(grid),
               total   = spec->store == FG_STORE_RGB24 ? nvoxels : nvoxels * (size_t)spec->nvolumes;

  errno = 0;
  if (!WriteBytes(stream, header, header_size)) return errno ? errno : EIO;
  for (size_t done = 0; done < total;) {
    const size_t n = PetscMin((size_t)CHUNK, total - done);

    if (!WriteBytes(stream, bytes, StoreValues(spec, values, nvoxels, done, n, bytes))) return errno ? errno : EIO;
    done += n;
  }
  return 0;
}

static PetscErrorCode IgnoreVolume(void *context, PetscInt v, const float *values)
{
  return PETSC_SUCCESS;
}

/* Reads the file back: its header through the gate, its data to the check sum. */
static PetscErrorCode ReadBack(const char *partial)
{
  FgImageInfo info;

  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(partial, &info));
  if (info.datatype == NIFTI_TYPE_RGB24) { /* not for numbers, but the stream is the same as that of three bytes */
    gzFile        stream;
    unsigned char bytes[4096];
    int           found;

    PetscCall(FgNiftiOpen(partial, &info, &stream));
    while ((found = gzread(stream, bytes, sizeof bytes)) > 0) continue;
    found = gzclose_r(stream) || found;
    PetscCheck(!found, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: reads back damaged", partial);
  } else PetscCall(FgImageStream(&info, IgnoreVolume, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgImageWrite(const char *path, const FgGrid *grid, const FgImageSpec *spec, const float *values)
{
  const size_t length = strlen(path);
  /* R: run-length strategy. Noisy floats hold no other matches, and a search for them takes three times as long and yields nothing. */
  const char    *mode = length > 3 && strcmp(path + length - 3, ".gz") == 0 ? "wb6R" : "wbT";
  char           partial[PETSC_MAX_PATH_LEN];
  unsigned char  header[544], *bytes;
  size_t         header_size;
  gzFile         stream;
  int            why;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCall(FgPartialName(path, partial));
  PetscCall(MakeHeader(path, grid, spec, values, header, &header_size));
  stream = gzopen(partial, mode);
  PetscCheck(stream, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written: %s", path, strerror(errno));
  ierr = PetscMalloc1(CHUNK * sizeof(float), &bytes);
  why  = ierr ? 0 : WriteStream(stream, header, header_size, grid, spec, values, bytes);
  if (!ierr) ierr = PetscFree(bytes);
  errno = 0;
  if (gzclose_w(stream) != Z_OK && !why) why = errno ? errno : EIO;
  if (ierr || why) FgPartialDrop(path);
  PetscCall(ierr);
  PetscCheck(!why, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written: %s", path, strerror(why));
  ierr = ReadBack(partial);
  if (ierr) FgPartialDrop(path);
  PetscCheck(!ierr, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: reads back damaged; check the disk", path);
  PetscCall(FgPartialKeep(path));
  PetscFunctionReturn(PETSC_SUCCESS);
}
