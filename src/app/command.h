/* command.h: a command of the program: its words, its options and the function that runs it.

   A command is one file (or two) in src/app and one line in commands.c. Its settings struct begins with FgCommonSettings. */
#ifndef FINEGRAIN_APP_COMMAND_H
#define FINEGRAIN_APP_COMMAND_H

#include "options.h"
#include "progress.h"

typedef struct {
  PetscBool help, quiet, verbose;
  FgText    config, petsc;
} FgCommonSettings;

/* Names that a command knows, for its help: what stands in the i-th row, FALSE after the last. `unit` may stay NULL. */
typedef struct {
  const char *title;
  PetscBool (*row)(PetscInt i, const char **name, const char **unit, const char **summary);
} FgCommandList;

struct FgCommand {
  const char          *name;
  const char          *summary;     /* one line, for the table of commands */
  const char          *usage;       /* what follows the name: "DWI -o FOLDER [options]" */
  const char          *description; /* a paragraph */
  const char          *example;     /* command lines with the prompt left out, one a line */
  const FgOption      *options[8];  /* tables in the order of the help, closed by NULL; each closed by a row with name == NULL */
  size_t               settings_size; /* bytes */
  const FgCommandList *lists;         /* closed by title == NULL; NULL where there are none */
  /* May be NULL. What a single row cannot say, such as options that exclude each other; before PETSc starts. */
  PetscBool (*check)(const void *settings, char message[FG_MESSAGE_LENGTH]);
  /* Collective over PETSC_COMM_WORLD. Sets log->exit_code to 4 where it finished without reaching its target. */
  PetscErrorCode (*run)(const void *settings, FgLog *log);
  PetscBool plain; /* runs without PETSc and MPI, on its own */
};

extern const FgCommand *const FgCommands[]; /* closed by NULL, commands.c */
extern const FgOption         FgCommonOptions[];

/* NULL where there is none; nearest (may be NULL) gets the name to suggest or NULL. */
const FgCommand *FgCommandFind(const char *name, const char **nearest);

#endif
