/* spoil_volumes.c: volumes as a subject who moves spoils them, for the command-line cases: half of the slices (every other one, as
   interleaved excitation has it) lose signal.

   usage: spoil_volumes IN.nii.gz OUT.nii.gz FACTOR VOLUME...
   Multiplies the odd slices of these volumes, counted from 0, by FACTOR. */
#include "finegrain/image.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char *argv[])
{
  FgImageInfo info;
  FgImageSpec spec   = {.map = "spoiled", .store = FG_STORE_FLOAT};
  float      *values = NULL;

  if (argc < 5) return 1;
  if (PetscInitializeNoArguments()) return 1;
  if (FgImageRead(argv[1], &info, &values)) return 1;
  for (int k = 4; k < argc; k++) {
    const size_t n = (size_t)FgGridVoxels(&info.grid), slice = (size_t)(info.grid.dims[0] * info.grid.dims[1]);
    const long   v = atol(argv[k]);

    if (v < 0 || v >= info.nvolumes) return 1;
    for (size_t i = 0; i < n; i++) {
      if (i / slice % 2) values[(size_t)v * n + i] *= (float)atof(argv[3]);
    }
  }
  spec.nvolumes = info.nvolumes;
  if (FgImageWrite(argv[2], &info.grid, &spec, values)) return 1;
  return PetscFree(values) || PetscFinalize() ? 1 : 0;
}
