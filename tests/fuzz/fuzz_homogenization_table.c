/* fuzz_homogenization_table.c: whatever the bytes of a table are, it is read or refused; an accepted one has axes that increase and
   fractions between 0 and 1. */
#include "fuzz.h"

#include "finegrain/homogenization_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  FgHomogenizationTable table;

  if (FgHomogenizationTableRead(PETSC_COMM_SELF, FuzzFile(bytes, n), &table)) return 0;
  for (PetscInt a = 0; a < table.naxes; a++) {
    for (PetscInt i = 1; i < table.axes[a].n; i++) {
      if (!(table.axes[a].value[i] > table.axes[a].value[i - 1])) abort();
    }
  }
  for (PetscInt i = 0; i < table.npoints; i++) {
    if (!(table.fraction_voxels[i] >= 0.0 && table.fraction_voxels[i] <= 1.0)) abort();
  }
  return FgHomogenizationTableDestroy(&table) ? 1 : 0;
}

/* A table of k + 1 axes as bytes. */
static size_t Table(int k, uint8_t *bytes, size_t limit)
{
  FgHomogenizationTable table  = {.geometry   = "square-cylinders",
                                  .physics    = "conduction",
                                  .resolution = {32, 32, 1},
                                  .fiber_axis = 2,
                                  .columnar   = PETSC_TRUE,
                                  .packing    = 0.785,
                                  .tolerance  = 1e-8,
                                  .naxes      = k + 1,
                                  .axes = {{.name = "fraction", .unit = "1", .n = 3}, {.name = "contrast", .unit = "1", .n = 2}}};
  char                  path[] = "/tmp/finegrain-fuzz-XXXXXX";
  int                   file;
  ssize_t               n;

  (void)FuzzFile(bytes, 0); /* starts PETSc */
  file = mkstemp(path);
  if (file < 0 || FgHomogenizationTableAllocate(&table)) abort();
  (void)close(file);
  for (PetscInt a = 0; a < table.naxes; a++) {
    for (PetscInt i = 0; i < table.axes[a].n; i++) table.axes[a].value[i] = 0.1 * (double)(i + 1);
  }
  for (PetscInt i = 0; i < table.npoints; i++) {
    for (int j = 0; j < 9; j++) table.tensor[9 * i + j] = j % 4 ? 0.0 : 0.9;
    table.fraction_exact[i] = table.fraction_voxels[i] = 0.1;
  }
  if (FgHomogenizationTableWrite(path, &table) || FgHomogenizationTableDestroy(&table)) abort();
  if (FgHomogenizationTableRead(PETSC_COMM_SELF, path, &table) || FgHomogenizationTableDestroy(&table)) abort(); /* a good seed */
  {
    FILE *stream = fopen(path, "rb");

    if (!stream) abort();
    n = (ssize_t)fread(bytes, 1, limit, stream);
    (void)fclose(stream);
  }
  (void)unlink(path);
  return (size_t)n;
}

size_t FuzzSeed(int k, uint8_t *bytes, size_t limit)
{
  static uint8_t seeds[2][8192];
  static size_t  length[2];

  if (k >= 2) return 0;
  if (!length[k]) length[k] = Table(k, seeds[k], sizeof seeds[k]);
  if (length[k] == 0 || length[k] == sizeof seeds[k] || length[k] > limit) abort();
  memcpy(bytes, seeds[k], length[k]);
  return length[k];
}
