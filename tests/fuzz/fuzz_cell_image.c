/* fuzz_cell_image.c: whatever the bytes of a cell image are, raw, packed or HDF5, it is read or refused; every voxel of
   what is accepted has a phase. NIfTI headers have a target of their own. */
#include "fuzz.h"

#include "finegrain/cell_file.h"

#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { NX = 4, NY = 3, NZ = 2, N = NX * NY * NZ };

/* HDF5 1.10 forgets some of its own objects when it meets damage; that no handle is left open is checked below. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
  return "leak:libhdf5\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  const FgCellImageSettings settings = {{NX, NY, NZ}, {1e-6, 1e-6, 1e-6}};
  const char               *path     = FuzzFile(bytes, n);
  const PetscBool           raw      = n < 8 || memcmp(bytes, "\x89HDF", 4) ? PETSC_TRUE : PETSC_FALSE;
  FgPhaseTable              table    = {.source = "fuzz"};
  FgCell                    cell;

  if (FgPhaseTableAdd(&table, "a", 0) || FgPhaseTableAdd(&table, "b", 1)) abort();
  if (!FgCellReadImage(PETSC_COMM_SELF, path, raw ? &settings : &FgCellImageDefaults, &table, &cell)) {
    for (PetscInt a = 0; a < 3; a++) {
      if (cell->n[a] < 1 || !isfinite(cell->edge[a]) || !(cell->edge[a] > 0)) abort();
    }
    for (PetscInt v = 0; v < cell->nlocal; v++) {
      if (cell->phase[v] > 1) abort();
    }
    if (FgCellDestroy(&cell)) abort();
  }
  if (H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) > 0) abort();
  return FgPhaseTableDestroy(&table) ? 1 : 0;
}

/* A file that is only in memory. */
static size_t Hdf5Seed(PetscBool packed, uint8_t *bytes, size_t limit)
{
  const hsize_t dims[3] = {NZ, NY, NX}, chunk[3] = {1, 2, 3}, three = 3;
  const double  spacing[3] = {1e-6, 1e-6, 2e-6};
  uint8_t       values[N];
  hid_t   access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_DATASET_CREATE), file, space, dataset, attribute, numbers;
  ssize_t length;

  for (int v = 0; v < N; v++) values[v] = v % 5 == 0;
  if (H5Pset_fapl_core(access, 4096, 0) < 0) abort();
  if (packed && (H5Pset_chunk(create, 3, chunk) < 0 || H5Pset_deflate(create, 6) < 0)) abort();
  file      = H5Fcreate("seed", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  space     = H5Screate_simple(3, dims, NULL);
  numbers   = H5Screate_simple(1, &three, NULL);
  dataset   = H5Dcreate2(file, "labels", H5T_STD_U8LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
  attribute = H5Acreate2(dataset, "voxel_size", H5T_IEEE_F64LE, numbers, H5P_DEFAULT, H5P_DEFAULT);
  if (H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) abort();
  if (H5Awrite(attribute, H5T_NATIVE_DOUBLE, spacing) < 0 || H5Fflush(file, H5F_SCOPE_GLOBAL) < 0) abort();
  H5Aclose(attribute);
  H5Dclose(dataset);
  length = H5Fget_file_image(file, bytes, limit);
  H5Sclose(numbers);
  H5Sclose(space);
  H5Fclose(file);
  H5Pclose(create);
  H5Pclose(access);
  if (length <= 0 || (size_t)length > limit) abort();
  return (size_t)length;
}

size_t FuzzSeed(int k, uint8_t *bytes, size_t limit)
{
  static uint8_t hdf5[2][65536];
  static size_t  length[2];

  if (k >= 5) return 0;
  memset(bytes, 0, 2 * N);
  bytes[3] = bytes[7] = 1;
  if (k == 0) return N;
  if (k == 1) {
    bytes[3] = 0, bytes[4] = 1, bytes[7] = 0;
    return 2 * N;
  }
  if (k == 2) { /* a gzip stream of the first */
    uint8_t  plain[N];
    z_stream stream = {0};

    memcpy(plain, bytes, N);
    if (deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    stream.next_in   = plain;
    stream.avail_in  = N;
    stream.next_out  = bytes;
    stream.avail_out = (uInt)limit;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END || deflateEnd(&stream) != Z_OK) abort();
    return (size_t)stream.total_out;
  }
  k -= 3;
  if (!length[k]) length[k] = Hdf5Seed(k ? PETSC_TRUE : PETSC_FALSE, hdf5[k], sizeof hdf5[k]);
  memcpy(bytes, hdf5[k], length[k]);
  return length[k];
}
