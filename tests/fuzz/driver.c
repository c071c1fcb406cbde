/* driver.c: runs a fuzz target without libFuzzer: every seed, then `count` mutations of seeds, the same ones in every run.
   A crash or a sanitizer's finding ends the program; the number of the input that caused it is the last one printed with -v. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 65536

static uint32_t state = 2463534242u;

/* xorshift32, Marsaglia 2003: fuzzing needs many bytes of no quality, the same on every machine. */
static uint32_t Random(uint32_t below)
{
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return below ? state % below : 0;
}

/* A few of: flip a bit, set a byte, set a number of two to eight bytes to an odd value, cut, repeat or remove a piece. */
static size_t Mutate(uint8_t *bytes, size_t n)
{
  static const uint64_t odd[] = {0,
                                 1,
                                 0x7f,
                                 0xff,
                                 0x7fff,
                                 0x8000,
                                 0xffff,
                                 0x7fffffff,
                                 0x80000000,
                                 0xffffffff,
                                 0x7f800000,
                                 0x7fc00000,
                                 0x7fffffffffffffff,
                                 0x8000000000000000,
                                 0xffffffffffffffff,
                                 0x7ff0000000000000};

  for (uint32_t rounds = 1 + Random(6); rounds && n; rounds--) {
    const size_t place = Random((uint32_t)n);
    size_t       length;

    switch (Random(7)) {
    case 0: bytes[place] ^= (uint8_t)(1u << Random(8)); break;
    case 1: bytes[place] = (uint8_t)Random(256); break;
    case 2:
    case 3:
      length = (size_t)2 << Random(3);
      if (place + length <= n) memcpy(bytes + place, &odd[Random(sizeof odd / sizeof *odd)], length);
      break;
    case 4: n = place; break;
    case 5:
      length = Random((uint32_t)(n - place)) + 1;
      if (n + length <= LIMIT) {
        memmove(bytes + place + length, bytes + place, n - place);
        n += length;
      }
      break;
    default:
      length = Random((uint32_t)(n - place)) + 1;
      memmove(bytes + place, bytes + place + length, n - place - length);
      n -= length;
    }
  }
  return n;
}

int main(int argc, char **argv)
{
  const long     count   = argc > 1 ? strtol(argv[1], NULL, 10) : 10000;
  const int      verbose = argc > 2 && !strcmp(argv[2], "-v");
  static uint8_t bytes[LIMIT];
  int            nseeds = 0;

  for (size_t n; (n = FuzzSeed(nseeds, bytes, LIMIT)) > 0; nseeds++) (void)LLVMFuzzerTestOneInput(bytes, n);
  for (long k = 0; k < count; k++) {
    size_t n = FuzzSeed((int)Random((uint32_t)nseeds), bytes, LIMIT);

    n = Mutate(bytes, n);
    if (verbose) fprintf(stderr, "%ld: %zu bytes\n", k, n);
    (void)LLVMFuzzerTestOneInput(bytes, n);
  }
  printf("%d seeds, %ld mutations survived\n", nseeds, count);
  return 0;
}
