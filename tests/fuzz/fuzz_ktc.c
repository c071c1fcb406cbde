/* fuzz_ktc.c: whatever the bytes of a MATLAB file are, it is read as a measurement of the Kuopio challenge or refused. */
#include "fuzz.h"

#include "finegrain/eit.h"

#include <matio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  const char *path = FuzzFile(bytes, n);
  FgEit       eit;

  if (FgEitReadKtc(path, path, &eit)) {
    if (eit) abort();
    return 0;
  }
  return FgEitDestroy(&eit) ? 1 : 0;
}

static void Put(mat_t *file, const char *name, size_t rows, size_t columns, double *values, enum matio_compression compression)
{
  size_t    dims[] = {rows, columns};
  matvar_t *matrix = Mat_VarCreate(name, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, values, 0);

  if (!matrix || Mat_VarWrite(file, matrix, compression)) abort();
  Mat_VarFree(matrix);
}

/* Data and reference in one file: k = 0 plain, k = 1 compressed. */
static void Files(int k, const char *path)
{
  const enum matio_compression compression = k ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE;
  double current[] = {2, -2, 0, 0, 2, -2}, pattern[] = {1, -1, 0, 0, 1, -1}, voltage[] = {1.5, -0.5, -0.25, 3.0};
  FgEit  eit;
  mat_t *file;

  file = Mat_CreateVer(path, NULL, MAT_FT_MAT5);
  if (!file) abort();
  Put(file, "Injref", 3, 2, current, compression);
  Put(file, "Mpat", 3, 2, pattern, compression);
  Put(file, "Uelref", 4, 1, voltage, compression);
  Put(file, "Uel", 2, 2, voltage, compression);
  (void)Mat_Close(file);
  if (FgEitReadKtc(path, path, &eit) || FgEitDestroy(&eit)) abort(); /* a good seed */
}

size_t FuzzSeed(int k, uint8_t *bytes, size_t limit)
{
  return FuzzFileSeed(k, 2, Files, bytes, limit);
}
