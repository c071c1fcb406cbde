/* help.c: `finegrain help`: help texts in the forms that people and tools read. */
#include "options_docs.h"

#include <stdio.h>

typedef struct {
  FgCommonSettings common;
  FgText           command, man;
  PetscBool        markdown, completion;
} HelpSettings;

static const char *CommandName(PetscInt i)
{
  return FgCommands[i] ? FgCommands[i]->name : NULL;
}

#define MEMBER(member) .offset = offsetof(HelpSettings, member)

/* clang-format off */
static const FgOption options[] = {
  {.section = "Form", .name = "command", .type = FG_OPTION_CHOICE, MEMBER(command), .value = "COMMAND", .word = "all",
   .choice = CommandName,
   .positional = PETSC_TRUE,
   .summary = "help of this command"},
  {.name = "man", .type = FG_OPTION_CHOICE, MEMBER(man), .value = "COMMAND", .word = "none", .choice = CommandName,
   .summary = "man page of a command, section 1"},
  {.name = "markdown", .type = FG_OPTION_FLAG, MEMBER(markdown), .summary = "docs/options.md: the options of all commands"},
  {.name = "completion", .type = FG_OPTION_FLAG, MEMBER(completion), .summary = "completion for bash"},
  {0}};
/* clang-format on */

static PetscErrorCode Run(const void *context, FgLog *log)
{
  const HelpSettings *settings = context;

  if (settings->markdown) FgHelpMarkdown(stdout);
  else if (settings->completion) FgHelpCompletion(stdout);
  else if (settings->man[0]) FgHelpMan(stdout, FgCommandFind(settings->man, NULL));
  else if (settings->command[0]) FgHelpCommand(stdout, FgCommandFind(settings->command, NULL));
  else FgHelpOverview(stdout);
  return PETSC_SUCCESS;
}

const FgCommand FgCommandHelp = {
    .name          = "help",
    .summary       = "help as text, Markdown, man page or shell completion",
    .usage         = "[COMMAND] [options]",
    .description   = "Prints help, for all commands or one, to the standard output.",
    .example       = "finegrain help info\nfinegrain help --man info > finegrain-info.1\nsource <(finegrain help --completion)",
    .options       = {options},
    .settings_size = sizeof(HelpSettings),
    .run           = Run,
    .plain         = PETSC_TRUE};
