/* fuzz_gradients.c: whatever the bytes of a gradient table are, it is read or refused; accepted directions are unit vectors. */
#include "fuzz.h"

#include "finegrain/measurement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  static const FgGrid grid = {.dims = {2, 2, 2}, .spacing = {1, 1, 1}, .affine = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
  const char         *path = FuzzFile(bytes, n);
  FgGradients         table;

  for (PetscInt nvolumes = 3; nvolumes <= 7; nvolumes += 4) {
    for (int mrtrix = 0; mrtrix <= 1; mrtrix++) {
      if (FgGradientsRead(path, mrtrix ? NULL : path, &grid, nvolumes, 50.0, PETSC_TRUE, &table)) continue;
      for (PetscInt v = 0; v < nvolumes; v++) {
        const double norm = hypot(hypot(table.g[3 * v], table.g[3 * v + 1]), table.g[3 * v + 2]);

        if (!(fabs(norm - (table.b[v] > 50.0)) < 1e-9)) abort();
      }
      if (FgGradientsDestroy(&table)) abort();
    }
  }
  return 0;
}

size_t FuzzSeed(int k, uint8_t *bytes, size_t limit)
{
  static const char *const seeds[] = {
      "# x y z b\n0 0 0 0\n1 0 0 1000\n0 1 0 1000\n0 0 1 1000\n.6 .8 0 1000\n.6 0 .8 1000\n0 .6 .8 1000\n",
      "0\t1000\t1000\t1000\t1000\t1000\t1000\r\n",
      "0,0,0,5\n1,0,0,1e3\r0,1,0,2E+3\n",
      "nan 0 0 0.001\n1 1 1 1000\n-1 1 inf 1000\n",
  };

  if (k >= (int)(sizeof seeds / sizeof *seeds) || strlen(seeds[k]) > limit) return 0;
  memcpy(bytes, seeds[k], strlen(seeds[k]));
  return strlen(seeds[k]);
}
