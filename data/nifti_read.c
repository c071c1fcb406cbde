/* nifti_read.c: streams the voxels of a NIfTI image, one volume at a time, to the end of the file, so that the check sum of
   a compressed stream is seen before anybody trusts its numbers. */
#include "nifti.h"

#include <nifti1.h>
#include <string.h>

static void SwapBytes(unsigned char *bytes, size_t n, int width)
{
  for (size_t i = 0; i < n; i++, bytes += width) {
    for (int k = 0; k < width / 2; k++) {
      const unsigned char byte = bytes[k];

      bytes[k]             = bytes[width - 1 - k];
      bytes[width - 1 - k] = byte;
    }
  }
}

#define CONVERT(code, type) \
  case code: \
    for (size_t i = 0; i < n; i++) { \
      type value; \
\
      memcpy(&value, raw + i * sizeof value, sizeof value); \
      values[i] = (float)(info->slope * (double)value + info->intercept); \
    } \
    break

/* A double beyond the range of float becomes infinite, as a stored infinity would be. */
static void ConvertValues(const FgImageInfo *info, const unsigned char *raw, size_t n, float *values)
{
  switch (info->datatype) {
    CONVERT(NIFTI_TYPE_UINT8, uint8_t);
    CONVERT(NIFTI_TYPE_INT8, int8_t);
    CONVERT(NIFTI_TYPE_INT16, int16_t);
    CONVERT(NIFTI_TYPE_UINT16, uint16_t);
    CONVERT(NIFTI_TYPE_INT32, int32_t);
    CONVERT(NIFTI_TYPE_UINT32, uint32_t);
    CONVERT(NIFTI_TYPE_INT64, int64_t);
    CONVERT(NIFTI_TYPE_UINT64, uint64_t);
    CONVERT(NIFTI_TYPE_FLOAT32, float);
    CONVERT(NIFTI_TYPE_FLOAT64, double);
  }
}

PetscErrorCode FgNiftiReadValues(const FgImageInfo *info, gzFile stream, PetscInt64 done, PetscInt n, unsigned char *raw,
                                 float *values)
{
  const int width = info->bytes_per_value, wanted = (int)n * width, found = gzread(stream, raw, (unsigned)wanted);

  PetscFunctionBegin;
  PetscCheck(found == wanted, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: truncated or damaged (%s): found %lld bytes of image data, expected %lld; copy or convert the file again",
             info->path, FgNiftiStreamError(stream), (long long)(done * width + PetscMax(found, 0)),
             (long long)FgNiftiDataBytes(info));
  if (info->byte_swapped) SwapBytes(raw, (size_t)n, width);
  ConvertValues(info, raw, (size_t)n, values);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadVolume(const FgImageInfo *info, gzFile stream, PetscInt v, unsigned char *raw, float *values)
{
  const PetscInt nvoxels = FgGridVoxels(&info->grid);

  PetscFunctionBegin;
  for (PetscInt done = 0; done < nvoxels;) {
    const PetscInt n = PetscMin(FG_NIFTI_CHUNK, nvoxels - done);

    PetscCall(FgNiftiReadValues(info, stream, (PetscInt64)v * nvoxels + done, n, raw, values + done));
    done += n;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* zlib compares the check sum when it meets the end of the stream. */
PetscErrorCode FgNiftiReadToEnd(const FgImageInfo *info, gzFile stream, unsigned char *raw)
{
  int found, code;

  PetscFunctionBegin;
  while ((found = gzread(stream, raw, FG_NIFTI_CHUNK)) > 0) continue;
  (void)gzerror(stream, &code);
  PetscCheck(found == 0 && code != Z_BUF_ERROR, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: damaged at its end (%s), expected a gzip stream with its check sum; copy or convert the file again", info->path,
             FgNiftiStreamError(stream));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StreamVolumes(const FgImageInfo *info, gzFile stream, FgImageVolume volume, void *context,
                                    unsigned char *raw, float *values)
{
  PetscFunctionBegin;
  for (PetscInt v = 0; v < info->nvolumes; v++) {
    PetscCall(ReadVolume(info, stream, v, raw, values));
    PetscCall(volume(context, v, values));
  }
  PetscCall(FgNiftiReadToEnd(info, stream, raw));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgImageStream(const FgImageInfo *info, FgImageVolume volume, void *context)
{
  FgImageInfo    now;
  gzFile         stream;
  unsigned char *raw;
  float         *values;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCheck(info->datatype != NIFTI_TYPE_RGB24, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a color image (RGB24), expected one of numbers", info->path);
  PetscCall(FgNiftiOpen(info->path, &now, &stream));
  if (memcmp(now.dims, info->dims, sizeof now.dims) || now.datatype != info->datatype) {
    gzclose_r(stream);
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: the file changed while it was read; start again", info->path);
  }
  ierr = PetscMalloc2(FG_NIFTI_CHUNK * info->bytes_per_value, &raw, FgGridVoxels(&info->grid), &values);
  if (!ierr) {
    ierr = StreamVolumes(&now, stream, volume, context, raw, values);
    PetscCall(PetscFree2(raw, values));
  }
  gzclose_r(stream);
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

typedef struct {
  PetscInt nvoxels;
  float   *values;
} Whole;

static PetscErrorCode KeepVolume(void *context, PetscInt v, const float *values)
{
  Whole *whole = context;

  PetscFunctionBegin;
  PetscCall(PetscArraycpy(whole->values + (size_t)v * (size_t)whole->nvoxels, values, whole->nvoxels));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgImageRead(const char *path, FgImageInfo *info, float **values)
{
  Whole          whole;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  *values = NULL;
  PetscCall(FgImageReadInfo(path, info));
  whole.nvoxels = FgGridVoxels(&info->grid);
  PetscCall(PetscMalloc1((size_t)whole.nvoxels * (size_t)info->nvolumes, &whole.values));
  ierr = FgImageStream(info, KeepVolume, &whole);
  if (ierr) PetscCall(PetscFree(whole.values));
  PetscCall(ierr);
  *values = whole.values;
  PetscFunctionReturn(PETSC_SUCCESS);
}
