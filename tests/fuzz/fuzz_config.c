/* fuzz_config.c: whatever the bytes of an experiment file are, it is read or refused; accepted keys are found by name. */
#include "fuzz.h"

#include "finegrain/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  FgConfig config;

  if (FgConfigRead(FuzzFile(bytes, n), &config)) return 0;
  for (PetscInt i = 0; i < config.n; i++) {
    if (FgConfigValue(&config, config.entries[i].key) != config.entries[i].value || config.entries[i].line < 1) abort();
  }
  return FgConfigDestroy(&config) ? 1 : 0;
}

size_t FuzzSeed(int k, uint8_t *bytes, size_t limit)
{
  static const char *const seeds[] = {
      "# an experiment\nclosure: hs2d\nmatrix-diffusivity: 2.8e-3   # mm^2/s\nfiber-diffusivity: [1.7e-3, 0.2e-3]\n",
      "names:\n  - a b\n  - 'c'\nempty:\nnothing: ~\nquoted: \"~\\n\\u00b5\"\nfolded: >\n  one\n  two\n",
      "a: &x 1\nb: *x\n--- !!map\n? c\n: {d: [e, f]}\n...\n",
  };

  if (k >= (int)(sizeof seeds / sizeof *seeds) || strlen(seeds[k]) > limit) return 0;
  memcpy(bytes, seeds[k], strlen(seeds[k]));
  return strlen(seeds[k]);
}
