/* options_docs.h: what is printed from the option tables: help, Markdown, man pages, shell completion. */
#ifndef FINEGRAIN_APP_OPTIONS_DOCS_H
#define FINEGRAIN_APP_OPTIONS_DOCS_H

#include "command.h"

#include <stdio.h>

void FgHelpOverview(FILE *out); /* finegrain --help */
void FgHelpCommand(FILE *out, const FgCommand *command);
void FgHelpMarkdown(FILE *out);                      /* docs/options.md, all commands */
void FgHelpMan(FILE *out, const FgCommand *command); /* man page, section 1 */
void FgHelpCompletion(FILE *out);                    /* bash */

#endif
