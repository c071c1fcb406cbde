/* record.c: settings and sources as JSON, config.yaml and log.txt. */
#include "record.h"

#include "finegrain/result.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

json_t *FgJsonNumber(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *FgRecordSettings(const FgCommand *command, const void *s)
{
  json_t *settings = json_object();

  for (PetscInt k = 0; FgOptionAt(command, k); k++) {
    const FgOption *option = FgOptionAt(command, k);
    char            text[PETSC_MAX_PATH_LEN];

    FgOptionText(option, s, text, sizeof(text));
    json_object_set_new(settings, option->name, json_string(text));
  }
  return settings;
}

PetscErrorCode FgRecordSource(const char *path, json_t *sources)
{
  char hash[65];

  PetscFunctionBegin;
  if (!path[0]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgFileHash(path, hash));
  json_array_append_new(sources, json_pack("{s:s, s:s}", "File", path, "SHA256", hash));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgRecordMayWrite(const char *path, PetscBool force)
{
  const char *slash = strrchr(path, '/');
  char        folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCheck(force || access(path, F_OK), PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s exists already; choose another name or give --force", path);
  snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
  PetscCheck(!access(folder, W_OK), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written: %s", path, strerror(errno));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgRecordWrite(const FgCommand *command, const void *settings, const char *folder, const FgLog *log)
{
  char           path[PETSC_MAX_PATH_LEN + 32];
  char          *yaml;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(FgOptionsYaml(command, settings, &yaml));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/config.yaml", folder));
  code = FgWriteText(path, yaml);
  PetscCall(PetscFree(yaml));
  PetscCall(code);
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/log.txt", folder));
  PetscCall(FgWriteText(path, log->text));
  PetscFunctionReturn(PETSC_SUCCESS);
}
