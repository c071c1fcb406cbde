/* fuzz_nifti_header.c: whatever the bytes of a .nii file are, it is read or refused; an accepted grid is regular. */
#include "fuzz.h"

#include "finegrain/image.h"

#include <math.h>
#include <nifti2_io.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  FgImageInfo info;
  float      *values = NULL;

  if (FgImageRead(FuzzFile(bytes, n), &info, &values)) return 0;
  for (int k = 0; k < 3; k++) {
    if (info.grid.dims[k] < 1 || !(info.grid.spacing[k] > 0)) abort();
  }
  if (!isfinite(FgGridDeterminant(&info.grid)) || FgGridDeterminant(&info.grid) == 0.0) abort();
  return PetscFree(values) ? 1 : 0;
}

size_t FuzzSeed(int k, uint8_t *bytes, size_t limit)
{
  nifti_1_header one       = {.sizeof_hdr = 348,
                              .dim        = {4, 2, 2, 2, 3, 1, 1, 1},
                              .datatype   = 4,
                              .bitpix     = 16,
                              .pixdim     = {1, 2, 2, 2, 1, 0, 0, 0},
                              .vox_offset = 384,
                              .scl_slope  = 1,
                              .sform_code = 1,
                              .qform_code = 1,
                              .srow_x     = {2, 0, 0, 0},
                              .srow_y     = {0, 2, 0, 0},
                              .srow_z     = {0, 0, 2, 0},
                              .magic      = "n+1"};
  nifti_2_header two       = {.sizeof_hdr = 540,
                              .dim        = {3, 2, 2, 2, 1, 1, 1, 1},
                              .datatype   = 64,
                              .bitpix     = 64,
                              .pixdim     = {1, 2, 2, 2, 1, 0, 0, 0},
                              .vox_offset = 544,
                              .qform_code = 1,
                              .magic      = {'n', '+', '2', 0, '\r', '\n', '\032', '\n'}};
  const int32_t  extension = 32;

  if (k >= 4) return 0;
  memset(bytes, 0, limit < 1024 ? limit : 1024);
  if (k & 1) swap_nifti_header(k < 2 ? (void *)&one : (void *)&two, k < 2 ? 1 : 2);
  if (k < 2) {
    memcpy(bytes, &one, sizeof one);
    if (k == 0) {
      bytes[348] = 1;
      memcpy(bytes + 352, &extension, 4);
    }
    return 384 + 48;
  }
  memcpy(bytes, &two, sizeof two);
  return 544 + 64;
}
