/* fuzz_phases.c: whatever the bytes of a phases file are, it is read or refused; what is accepted can be used. */
#include "fuzz.h"

#include "finegrain/cell_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  FgPhaseTable table, copy;

  if (FgPhaseTableRead(FuzzFile(bytes, n), &table)) return 0;
  if (table.nphases < 1) abort();
  for (PetscInt p = 0; p < table.nphases; p++) {
    if (!memchr(table.phases[p].name, 0, FG_CELL_NAME) || !table.phases[p].name[0]) abort();
    for (PetscInt i = 0; i < table.phases[p].nproperties; i++) {
      const FgProperty *property = &table.phases[p].properties[i];

      if (FgPropertyFind(property->info->name) != property->info || property->info->of_cell) abort();
      if (!isfinite(property->value[0])) abort();
    }
  }
  for (PetscInt i = 0; i < table.nions; i++) {
    if (!(table.ions[i].diffusivity > 0) || !(table.ions[i].bath >= 0)) abort();
  }
  if (FgPhaseTableCopy(&table, &copy)) abort();
  return FgPhaseTableDestroy(&table) || FgPhaseTableDestroy(&copy) ? 1 : 0;
}

size_t FuzzSeed(int k, uint8_t *bytes, size_t limit)
{
  static const char *const seeds[] = {
      "phases:\n  - {label: 0, name: matrix, conductivity: 1.0}\n"
      "  - {label: 1, name: fiber, conductivity: [2, 0.5, 0.5], youngs-modulus: 1e4, fiber-direction: [1, 0, 0]}\n"
      "cell: {temperature: 298.15, viscosity: 1e-3}\n"
      "ions: [{name: Na, valence: 1, diffusivity: 1.334e-9, bath: 150}, {name: Cl, valence: -1, diffusivity: 2e-9, bath: 150}]\n",
      "phases:\n- label: -7\n  conductivity: [[1, .5, 0], [.5, 2, 0], [0, 0, 1]]\n- label: 300\n  name: \"b c\"\n"
      "  stiffness: [2, 1, 1, 0, 0, 0, 2, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 1, 0, 1]\n",
      "phases: [&a {label: 0}, *a]\n---\n? [x]\n: !!map {y: 1}\n",
  };

  if (k >= (int)(sizeof seeds / sizeof *seeds) || strlen(seeds[k]) > limit) return 0;
  memcpy(bytes, seeds[k], strlen(seeds[k]));
  return strlen(seeds[k]);
}
