/* file.c: bytes as a file in memory, for parsers that take a path, and files as bytes. Starts PETSc at its first use, with errors kept
   quiet. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <petscsys.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void Finish(void)
{
  (void)PetscPopErrorHandler();
  (void)PetscFinalize();
}

const char *FuzzFile(const uint8_t *bytes, size_t n)
{
  static char path[64];
  static int  file = -1;

  if (file < 0) {
    if (PetscInitializeNoArguments() || PetscPushErrorHandler(PetscReturnErrorHandler, NULL)) abort();
    if (PetscPopSignalHandler() || atexit(Finish)) abort(); /* a crash must be seen as one */
    file = memfd_create("fuzz", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  }
  if (file < 0 || ftruncate(file, 0) || (n && pwrite(file, bytes, n, 0) != (ssize_t)n)) abort();
  return path;
}

static size_t Make(int k, void (*make)(int k, const char *path), uint8_t *bytes, size_t limit)
{
  char   path[] = "/tmp/finegrain-fuzz-XXXXXX";
  int    made   = mkstemp(path);
  FILE  *stream;
  size_t n;

  if (made < 0) abort();
  (void)close(made);
  make(k, path);
  stream = fopen(path, "rb");
  if (!stream) abort();
  n = fread(bytes, 1, limit, stream);
  (void)fclose(stream);
  (void)unlink(path);
  return n;
}

size_t FuzzFileSeed(int k, int nseeds, void (*make)(int k, const char *path), uint8_t *bytes, size_t limit)
{
  static uint8_t seeds[4][32768];
  static size_t  length[4];

  if (k >= nseeds) return 0;
  (void)FuzzFile(bytes, 0); /* starts PETSc */
  if (!length[k]) length[k] = Make(k, make, seeds[k], sizeof seeds[k]);
  if (length[k] == 0 || length[k] == sizeof seeds[k] || length[k] > limit) abort();
  memcpy(bytes, seeds[k], length[k]);
  return length[k];
}
