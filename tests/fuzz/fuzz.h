/* fuzz.h: what a fuzz target shares with its driver. */
#ifndef FINEGRAIN_TESTS_FUZZ_H
#define FINEGRAIN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry: must survive any bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Writes seed number k (0, 1, ...) into bytes and returns its size, 0 where there is none: what the driver mutates. */
size_t FuzzSeed(int k, uint8_t *bytes, size_t limit);

/* FuzzSeed of a target whose seeds are files: seed k < nseeds <= 4 as `make` writes it, once, then kept; each is below 32 KiB. */
size_t FuzzFileSeed(int k, int nseeds, void (*make)(int k, const char *path), uint8_t *bytes, size_t limit);

/* Path of a file in memory that holds the bytes; valid until the next call. */
const char *FuzzFile(const uint8_t *bytes, size_t n);

#endif
