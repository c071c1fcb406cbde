/* commands.c: the list of commands, and the options that all of them take. A new command is its file and one line here. */
#include "command.h"

#include <string.h>

extern const FgCommand FgCommandFit, FgCommandSimulate, FgCommandHomogenize, FgCommandSegment, FgCommandVerify, FgCommandInfo,
    FgCommandImport, FgCommandHelp;

const FgCommand *const FgCommands[] = {&FgCommandFit,     &FgCommandSimulate, &FgCommandHomogenize,
                                       &FgCommandSegment, &FgCommandVerify,   &FgCommandInfo,
                                       &FgCommandImport,  &FgCommandHelp,     NULL};

/* clang-format off */
const FgOption FgCommonOptions[] = {
  {.section = "General", .name = "config", .type = FG_OPTION_PATH, .offset = offsetof(FgCommonSettings, config),
   .summary = "YAML file of options, name: value; options on the command line win"},
  {.name = "quiet", .letter = 'q', .type = FG_OPTION_FLAG, .offset = offsetof(FgCommonSettings, quiet),
   .summary = "say nothing but warnings and errors"},
  {.name = "verbose", .letter = 'v', .type = FG_OPTION_FLAG, .offset = offsetof(FgCommonSettings, verbose),
   .summary = "say more; after a defect, where it happened"},
  {.name = "petsc", .type = FG_OPTION_STRING, .offset = offsetof(FgCommonSettings, petsc), .value = "OPTIONS",
   .summary = "options for PETSc and TAO, as one argument: \"-tao_monitor -log_view\""},
  {.name = "help", .letter = 'h', .type = FG_OPTION_FLAG, .offset = offsetof(FgCommonSettings, help), .summary = "this help"},
  {0}};
/* clang-format on */

const FgCommand *FgCommandFind(const char *name, const char **nearest)
{
  const char *names[64];
  PetscInt    n = 0;

  if (nearest) *nearest = NULL;
  for (; n < 64 && FgCommands[n]; n++) {
    if (!strcmp(name, FgCommands[n]->name)) return FgCommands[n];
    names[n] = FgCommands[n]->name;
  }
  if (nearest) *nearest = FgNearest(name, n, names);
  return NULL;
}
