/* options_yaml.c: a command's options as a YAML experiment file, read and written. */
#include "command.h"

#include "finegrain/config.h"

#include <stdio.h>
#include <string.h>

/* A YAML double-quoted scalar: every text survives it. */
static void Quote(const char *text, char *quoted, size_t size)
{
  size_t used = 0;

  quoted[used++] = '"';
  for (; *text && used + 6 < size; text++) {
    const unsigned char c = (unsigned char)*text;

    if (c == '"' || c == '\\') used += (size_t)snprintf(quoted + used, size - used, "\\%c", c);
    else if (c < 0x20) used += (size_t)snprintf(quoted + used, size - used, "\\x%02x", c);
    else quoted[used++] = (char)c;
  }
  quoted[used++] = '"';
  quoted[used]   = '\0';
}

/* Those that say how to talk, not what to compute, do not belong to an experiment. */
static PetscBool IsRecorded(const FgOption *option)
{
  static const char *const left_out[] = {"config", "help", "quiet", "verbose", "force", "dry-run"};

  for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
    if (!strcmp(option->name, left_out[i])) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscErrorCode FgOptionsYaml(const FgCommand *command, const void *settings, char **yaml)
{
  enum { VALUE = PETSC_MAX_PATH_LEN, QUOTED = 4 * PETSC_MAX_PATH_LEN + 8, LINE = QUOTED + 256 };
  const FgOption *option;
  char           *value, *quoted;
  size_t          length = 0, capacity = LINE;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(VALUE, &value, QUOTED, &quoted));
  for (PetscInt i = 0; FgOptionAt(command, i); i++) capacity += LINE;
  PetscCall(PetscMalloc1(capacity, yaml));
  length += (size_t)snprintf(*yaml, capacity,
                             "# finegrain %s %s: every option of a run; repeat it with: finegrain %s --config FILE\n", FG_VERSION,
                             command->name, command->name);
  for (PetscInt i = 0; (option = FgOptionAt(command, i)); i++) {
    const PetscBool text_like = option->type >= FG_OPTION_STRING ? PETSC_TRUE : PETSC_FALSE;

    if (option->section) length += (size_t)snprintf(*yaml + length, capacity - length, "\n# %s\n", option->section);
    if (!IsRecorded(option)) continue;
    FgOptionText(option, settings, value, VALUE);
    Quote(value, quoted, QUOTED);
    length += (size_t)snprintf(*yaml + length, capacity - length, "%s%s: %s%s%s%s\n", value[0] ? "" : "# ", option->name,
                               text_like && value[0] ? quoted : value, option->unit ? " # [" : "",
                               option->unit ? option->unit : "", option->unit ? "]" : "");
  }
  PetscCall(PetscFree2(value, quoted));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgOptionsReadYaml(const FgCommand *command, const char *path, void *settings)
{
  FgConfig  config;
  PetscBool valid = PETSC_TRUE;
  char      message[FG_MESSAGE_LENGTH];

  PetscFunctionBegin;
  PetscCall(FgConfigRead(path, &config));
  for (PetscInt i = 0; i < config.n && valid; i++) {
    const FgConfigEntry *entry = &config.entries[i];
    char                 origin[PETSC_MAX_PATH_LEN + 128];

    snprintf(origin, sizeof(origin), "%s:%d: %.90s", path, entry->line, entry->key);
    valid = FgOptionsSet(command, entry->key, entry->value, origin, settings, message);
  }
  PetscCall(FgConfigDestroy(&config));
  PetscCheck(valid, PETSC_COMM_SELF, PETSC_ERR_USER, "%s", message);
  PetscFunctionReturn(PETSC_SUCCESS);
}
