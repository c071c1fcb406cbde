/* fuzz_homogenization_table.c: whatever the bytes of a table are, it is read or refused; an accepted one has axes that increase and
   fractions between 0 and 1. */
#include "fuzz.h"

#include "finegrain/homogenization_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* A table of k + 1 axes. */
static void Table(int k, const char *path)
{
  FgHomogenizationTable table = {.geometry   = "square-cylinders",
                                 .physics    = "conduction",
                                 .resolution = {32, 32, 1},
                                 .fiber_axis = 2,
                                 .columnar   = PETSC_TRUE,
                                 .packing    = 0.785,
                                 .tolerance  = 1e-8,
                                 .naxes      = k + 1,
                                 .axes = {{.name = "fraction", .unit = "1", .n = 3}, {.name = "contrast", .unit = "1", .n = 2}}};

  if (FgHomogenizationTableAllocate(&table)) abort();
  for (PetscInt a = 0; a < table.naxes; a++) {
    for (PetscInt i = 0; i < table.axes[a].n; i++) table.axes[a].value[i] = 0.1 * (double)(i + 1);
  }
  for (PetscInt i = 0; i < table.npoints; i++) {
    for (int j = 0; j < 9; j++) table.tensor[9 * i + j] = j % 4 ? 0.0 : 0.9;
    table.fraction_exact[i] = table.fraction_voxels[i] = 0.1;
  }
  if (FgHomogenizationTableWrite(path, &table) || FgHomogenizationTableDestroy(&table)) abort();
  if (FgHomogenizationTableRead(PETSC_COMM_SELF, path, &table) || FgHomogenizationTableDestroy(&table)) abort(); /* a good seed */
}

size_t FuzzSeed(int k, uint8_t *bytes, size_t limit)
{
  return FuzzFileSeed(k, 2, Table, bytes, limit);
}
