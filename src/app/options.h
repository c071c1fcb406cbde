/* options.h: one table describes a command's options once; parsing, --help, docs/options.md, the man page, shell
   completion, the YAML experiment file and the resolved configuration all come from it.

   A table row names a member of the command's settings struct by its offset, and its type says what that member is:

     FG_OPTION_FLAG      PetscBool                      false unless given
     FG_OPTION_INTEGER   PetscInt
     FG_OPTION_REAL      double                         NaN where the word (below) stands
     FG_OPTION_REALS     FgReals                        n = 0 where the word stands
     FG_OPTION_STRING    FgText                         "" where the word stands
     FG_OPTION_PATH      FgText                         likewise
     FG_OPTION_CHOICE    FgText                         likewise; else one of the choices, of which "word:FILE" stands for
                                                        that word with any file
     FG_OPTION_LIST      FgText                         likewise; else choices separated by commas, each once
     FG_OPTION_PAIRS     FgText                         likewise; else words NAME=VALUE separated by spaces: on the command
                                                        line as many arguments as follow and have this form

   Values are stored as the user's units say; nothing is converted. Nothing here prints, exits or needs PETSc to run. */
#ifndef FINEGRAIN_APP_OPTIONS_H
#define FINEGRAIN_APP_OPTIONS_H

#include "finegrain/base.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#define FG_MESSAGE_LENGTH 1024
#define FG_POSITIVE       DBL_MIN /* as `lower`: greater than zero */

typedef enum {
  FG_OPTION_FLAG,
  FG_OPTION_INTEGER,
  FG_OPTION_REAL,
  FG_OPTION_REALS,
  FG_OPTION_STRING,
  FG_OPTION_PATH,
  FG_OPTION_CHOICE,
  FG_OPTION_LIST,
  FG_OPTION_PAIRS
} FgOptionType;

typedef char FgText[PETSC_MAX_PATH_LEN];

typedef struct {
  int    n;
  double value[4];
} FgReals;

typedef struct {
  const char  *section; /* heading; rows of one section stand together; NULL: as the row before */
  const char  *name;    /* without dashes: the long option, and the key in the YAML file */
  char         letter;  /* short option, 0 where there is none */
  FgOptionType type;
  size_t       offset;               /* of the member in the settings struct */
  const char  *unit;                 /* "mm^2/s"; NULL: not a quantity; "1": dimensionless */
  const char  *value;                /* what stands for the value in help: "FILE", "AXIAL[,RADIAL]"; NULL: by type */
  const char  *fallback;             /* default as a user would write it; NULL: the word, the first choice, or nothing */
  const char  *word;                 /* "auto", "preset": may be given in place of a value and leaves it to the program */
  const char  *summary;              /* one sentence without a full stop */
  double       lower, upper;         /* allowed range of every number; both 0: any finite number */
  int          least, most;          /* how many numbers FG_OPTION_REALS takes, separated by commas or, as in 4x4x2, by x */
  const char  *choices;              /* FG_OPTION_CHOICE, _LIST: "one|two" ... */
  const char *(*choice)(PetscInt i); /* ... or a function that names the i-th, NULL after the last */
  PetscBool positional;              /* is given without its name; must be given where there is no word */
} FgOption;

typedef struct FgCommand FgCommand;

/* Fills the settings with every option's default. */
void FgOptionsDefaults(const FgCommand *command, void *settings);

/* Sets one option from text; `origin` ("--alpha", "FILE: alpha") begins the message. FALSE: not valid, message says why. */
PetscBool FgOptionsSet(const FgCommand *command, const char *name, const char *text, const char *origin, void *settings,
                       char message[FG_MESSAGE_LENGTH]);

/* Reads argv[0 .. argc-1], what stands after the command's name, over what the settings hold already. FALSE: usage error,
   one line in `message`. Positional arguments are not demanded here but by FgOptionsComplete, for a YAML file may give them. */
PetscBool FgOptionsParse(const FgCommand *command, int argc, char *const argv[], void *settings, char message[FG_MESSAGE_LENGTH]);
PetscBool FgOptionsComplete(const FgCommand *command, const void *settings, char message[FG_MESSAGE_LENGTH]);

/* Row i of the command's own table and then of the common one; NULL after the last. */
const FgOption *FgOptionAt(const FgCommand *command, PetscInt i);
/* i-th choice of an option, NULL after the last. `buffer` holds the answer where it is cut from a list. */
const char *FgOptionChoice(const FgOption *option, PetscInt i, char buffer[64]);
/* The member's present value as a user would write it. */
void FgOptionText(const FgOption *option, const void *settings, char text[], size_t size);
/* Nearest of the `n` names to `word` by edit distance, NULL where none is near. */
const char *FgNearest(const char *word, PetscInt n, const char *const names[]);

/* The resolved configuration as YAML: every option, with its unit as a comment; repeats the run with --config.
   PetscFree(*yaml). */
PetscErrorCode FgOptionsYaml(const FgCommand *command, const void *settings, char **yaml);
/* Reads a YAML experiment file over the defaults. Error: PETSC_ERR_USER, PETSC_ERR_FILE_OPEN. */
PetscErrorCode FgOptionsReadYaml(const FgCommand *command, const char *path, void *settings);

#endif
