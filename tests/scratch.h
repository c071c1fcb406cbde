/* scratch.h: an empty folder for a test's files, and whole files written and read at once. */
#ifndef FINEGRAIN_TESTS_SCRATCH_H
#define FINEGRAIN_TESTS_SCRATCH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_folder[64];

static inline void ScratchOpen(void)
{
  strcpy(scratch_folder, "/tmp/finegrain-test-XXXXXX");
  if (!mkdtemp(scratch_folder)) abort();
}

static inline void ScratchRemove(const char *path)
{
  DIR *folder = opendir(path);

  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    char inner[1024];

    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) < (int)sizeof inner) ScratchRemove(inner);
  }
  if (folder) (void)closedir(folder);
  (void)remove(path);
}

static inline void ScratchClose(void)
{
  ScratchRemove(scratch_folder);
}

/* Path of a name in the folder; four results are valid at a time. */
static inline const char *ScratchPath(const char *name)
{
  static char paths[4][512];
  static int  next;
  char       *path = paths[next = (next + 1) % 4];

  snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
  return path;
}

static inline void ScratchWrite(const char *path, const void *bytes, size_t n)
{
  FILE *file = fopen(path, "wb");

  if (!file || fwrite(bytes, 1, n, file) != n || fclose(file)) abort();
}

static inline void ScratchWriteText(const char *path, const char *text)
{
  ScratchWrite(path, text, strlen(text));
}

static inline size_t ScratchRead(const char *path, void *bytes, size_t limit)
{
  FILE  *file = fopen(path, "rb");
  size_t n;

  if (!file) abort();
  n = fread(bytes, 1, limit, file);
  (void)fclose(file);
  return n;
}

#endif
