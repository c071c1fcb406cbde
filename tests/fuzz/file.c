/* file.c: bytes as a file in memory, for parsers that take a path. Starts PETSc at its first use, with errors kept quiet. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <petscsys.h>
#include <stdio.h>
#include <stdlib.h>
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
