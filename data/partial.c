/* partial.c: files that appear whole or not at all; text and JSON written that way. */
#include "partial.h"

#include "finegrain/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

PetscErrorCode FgPartialName(const char *path, char partial[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBegin;
  PetscCheck(strlen(path) + sizeof ".partial" <= PETSC_MAX_PATH_LEN, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE,
             "%s: the path is longer than %d bytes", path, (int)(PETSC_MAX_PATH_LEN - sizeof ".partial"));
  snprintf(partial, PETSC_MAX_PATH_LEN, "%s.partial", path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static int SyncFile(const char *path, int flags)
{
  const int file = open(path, flags);
  int       failed;

  if (file < 0) return -1;
  failed = fsync(file);
  return close(file) || failed ? -1 : 0;
}

PetscErrorCode FgPartialKeep(const char *path)
{
  char  partial[PETSC_MAX_PATH_LEN], folder[PETSC_MAX_PATH_LEN];
  char *slash;

  PetscFunctionBegin;
  PetscCall(FgPartialName(path, partial));
  if (SyncFile(partial, O_RDWR) || rename(partial, path)) {
    const int why = errno;

    (void)unlink(partial);
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written: %s", path, strerror(why));
  }
  /* The new name itself lives in the folder. Not every file system can sync a folder; the file is safe without. */
  strcpy(folder, path);
  slash = strrchr(folder, '/');
  if (slash) *slash = 0;
  (void)SyncFile(slash ? (folder[0] ? folder : "/") : ".", O_RDONLY);
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgPartialDrop(const char *path)
{
  char partial[PETSC_MAX_PATH_LEN + sizeof ".partial"];

  snprintf(partial, sizeof partial, "%s.partial", path);
  (void)unlink(partial);
}

PetscErrorCode FgWriteText(const char *path, const char *text)
{
  char   partial[PETSC_MAX_PATH_LEN];
  FILE  *file;
  size_t length = strlen(text);

  PetscFunctionBegin;
  PetscCall(FgPartialName(path, partial));
  file = fopen(partial, "wb");
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written: %s", path, strerror(errno));
  if (fwrite(text, 1, length, file) != length || fflush(file)) {
    const int why = errno;

    (void)fclose(file);
    FgPartialDrop(path);
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written: %s", path, strerror(why));
  }
  if (fclose(file)) {
    const int why = errno;

    FgPartialDrop(path);
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written: %s", path, strerror(why));
  }
  PetscCall(FgPartialKeep(path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgWriteJson(const char *path, const json_t *object)
{
  char          *dumped = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(10)), *text;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCheck(dumped, PETSC_COMM_SELF, PETSC_ERR_LIB, "%s: the JSON object cannot be written as text (text that is not UTF-8?)",
             path);
  ierr = PetscMalloc1(strlen(dumped) + 2, &text);
  if (!ierr) {
    strcpy(text, dumped);
    strcat(text, "\n");
    ierr = FgWriteText(path, text);
    PetscCall(PetscFree(text));
  }
  free(dumped);
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}
