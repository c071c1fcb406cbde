/* options_docs.c: help, Markdown, man pages and bash completion, all from the option tables. */
#include "options_docs.h"

#include <string.h>

enum { LINE_WIDTH = 100, OPTION_WIDTH = 34 };

/* "FILE", "AXIAL[,RADIAL]", "N"; "" for a flag. */
static const char *ValueName(const FgOption *option)
{
  if (option->value) return option->value;
  switch (option->type) {
  case FG_OPTION_FLAG: return "";
  case FG_OPTION_INTEGER: return "N";
  case FG_OPTION_CHOICE: return "NAME";
  case FG_OPTION_LIST: return "NAME,...";
  case FG_OPTION_PAIRS: return "NAME=VALUES ...";
  case FG_OPTION_PATH: return "FILE";
  default: return "VALUE";
  }
}

/* "-o, --output FOLDER" */
static void OptionHead(const FgOption *option, char *text, size_t size)
{
  char        letter[8] = "";
  const char *value     = ValueName(option);

  if (option->letter) snprintf(letter, sizeof(letter), "-%c, ", option->letter);
  if (option->positional) snprintf(text, size, "%s", value);
  else snprintf(text, size, "%s--%s%s%s", letter, option->name, *value ? " " : "", value);
}

static void DefaultText(const FgOption *option, char *text, size_t size)
{
  char buffer[64];

  text[0] = '\0';
  if (option->fallback) snprintf(text, size, "%s", option->fallback);
  else if (option->word) snprintf(text, size, "%s", option->word);
  else if (option->type == FG_OPTION_CHOICE) snprintf(text, size, "%s", FgOptionChoice(option, 0, buffer));
  else if (option->type == FG_OPTION_INTEGER) snprintf(text, size, "0");
}

/* "effective, apparent, or preset"; "" where any value goes. */
static void ChoicesText(const FgOption *option, char *text, size_t size)
{
  char        buffer[64];
  const char *choice;
  size_t      used = 0;

  text[0] = '\0';
  if (option->type != FG_OPTION_CHOICE && option->type != FG_OPTION_LIST) return;
  for (PetscInt i = 0; (choice = FgOptionChoice(option, i, buffer)) && used < size; i++) {
    used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", choice);
  }
}

/* How many of the choices are taken. */
static const char *HowMany(const FgOption *option)
{
  return option->type == FG_OPTION_LIST ? "one or more" : "one";
}

static void RangeText(const FgOption *option, char *text, size_t size)
{
  text[0] = '\0';
  if (option->lower == 0 && option->upper == 0) return;
  if (option->lower == FG_POSITIVE) snprintf(text, size, isinf(option->upper) ? "> 0" : "> 0, at most %.10g", option->upper);
  else if (isinf(option->upper)) snprintf(text, size, "at least %.10g", option->lower);
  else snprintf(text, size, "%.10g to %.10g", option->lower, option->upper);
}

/* The sentence, then the unit, choices, range and default in brackets. */
static void OptionMeaning(const FgOption *option, char *text, size_t size)
{
  char   choices[512], range[64], fallback[128];
  size_t used = (size_t)snprintf(text, size, "%s", option->summary);

  ChoicesText(option, choices, sizeof(choices));
  RangeText(option, range, sizeof(range));
  DefaultText(option, fallback, sizeof(fallback));
  if (option->unit) used += (size_t)snprintf(text + used, size - used, " [%s]", option->unit);
  if (*choices) used += (size_t)snprintf(text + used, size - used, "; %s of %s", HowMany(option), choices);
  if (*range) used += (size_t)snprintf(text + used, size - used, "; %s", range);
  if (*fallback) snprintf(text + used, size - used, " (default: %s)", fallback);
}

/* Writes words so that no line passes LINE_WIDTH; lines after the first begin at `indent`. The cursor stands at `column`. */
static void Wrap(FILE *out, const char *text, int indent, int column)
{
  while (*text) {
    const int word = (int)strcspn(text, " \n");

    if (column > indent && column + 1 + word > LINE_WIDTH) {
      fprintf(out, "\n%*s", indent, "");
      column = indent;
    } else if (column > indent) {
      fputc(' ', out);
      column++;
    }
    fprintf(out, "%.*s", word, text);
    column += word;
    text += word;
    text += strspn(text, " \n");
  }
  fputc('\n', out);
}

/* Every line of the examples, with a prefix. */
static void Examples(FILE *out, const char *example, const char *prefix)
{
  while (*example) {
    const int length = (int)strcspn(example, "\n");

    fprintf(out, "%s%.*s\n", prefix, length, example);
    example += length + (example[length] == '\n');
  }
}

void FgHelpOverview(FILE *out)
{
  fprintf(out, "finegrain: porosity and fiber direction of soft tissue from diffusion MRI, by homogenized models\n\n"
               "Usage: finegrain COMMAND [options]\n\nCommands\n");
  for (PetscInt i = 0; FgCommands[i]; i++) fprintf(out, "  %-12s %s\n", FgCommands[i]->name, FgCommands[i]->summary);
  fprintf(out, "\n  finegrain COMMAND --help    options of a command, with examples\n"
               "  finegrain --version         version of finegrain and of PETSc\n\nExample\n");
  Examples(out, FgCommands[0]->example, "  ");
  fprintf(out, "\nExit codes: 0 done, 1 defect, 2 usage, 3 input, 4 target not reached, 5 cannot write, 130/143 stopped.\n");
}

void FgHelpCommand(FILE *out, const FgCommand *command)
{
  const FgOption *option;

  fprintf(out, "finegrain %s: %s\n\nUsage: finegrain %s %s\n\n", command->name, command->summary, command->name, command->usage);
  Wrap(out, command->description, 0, 0);
  for (PetscInt i = 0; (option = FgOptionAt(command, i)); i++) {
    char head[128], meaning[1024];

    OptionHead(option, head, sizeof(head));
    OptionMeaning(option, meaning, sizeof(meaning));
    if (option->section) fprintf(out, "\n%s\n", option->section);
    fprintf(out, "  %-*s", OPTION_WIDTH - 2, head);
    if (strlen(head) > OPTION_WIDTH - 3) fprintf(out, "\n%*s", OPTION_WIDTH, "");
    Wrap(out, meaning, OPTION_WIDTH, OPTION_WIDTH);
  }
  for (const FgCommandList *list = command->lists; list && list->title; list++) {
    const char *name, *unit = NULL, *summary;

    fprintf(out, "\n%s\n", list->title);
    for (PetscInt i = 0; list->row(i, &name, &unit, &summary); i++) {
      char meaning[1024];

      snprintf(meaning, sizeof(meaning), "%s%s%s%s", summary, unit ? " [" : "", unit ? unit : "", unit ? "]" : "");
      fprintf(out, "  %-*s", OPTION_WIDTH - 2, name);
      Wrap(out, meaning, OPTION_WIDTH, OPTION_WIDTH);
    }
  }
  fprintf(out, "\nExamples\n");
  Examples(out, command->example, "  ");
}

/* Text of a table cell: a bar would end the cell. */
static void Cell(FILE *out, const char *text)
{
  for (; *text; text++) fprintf(out, *text == '|' ? "\\|" : "%c", *text);
}

static void MarkdownRow(FILE *out, const FgOption *option)
{
  char head[128], fallback[128], choices[512], range[64];

  OptionHead(option, head, sizeof(head));
  DefaultText(option, fallback, sizeof(fallback));
  ChoicesText(option, choices, sizeof(choices));
  RangeText(option, range, sizeof(range));
  fprintf(out, "| `");
  Cell(out, head);
  fprintf(out, "` | %s%s%s | ", option->unit ? "[" : "", option->unit ? option->unit : "", option->unit ? "]" : "");
  if (*fallback) fprintf(out, "`%s`", fallback);
  fprintf(out, " | ");
  Cell(out, option->summary);
  if (*choices) fprintf(out, "; %s of %s", HowMany(option), choices);
  if (*range) fprintf(out, "; %s", range);
  fprintf(out, " |\n");
}

void FgHelpMarkdown(FILE *out)
{
  fprintf(out,
          "# Options\n\nWritten by `finegrain help --markdown` from the option tables; do not edit.\n\n"
          "`--name VALUE` and `--name=VALUE` are the same. A flag takes no value, but `--name=false` switches it off again.\n"
          "`--` ends the options. Every option may also stand in a YAML file given by `--config FILE`, as `name: value`;\n"
          "what stands on the command line wins. Where the default is a word such as `auto` or `preset`, that word may be\n"
          "given too.\n");
  for (PetscInt c = 0; FgCommands[c]; c++) {
    const FgCommand *command = FgCommands[c];
    const FgOption  *option;

    fprintf(out, "\n## finegrain %s\n\n%s.\n\n    finegrain %s %s\n\n%s\n", command->name, command->summary, command->name,
            command->usage, command->description);
    for (PetscInt i = 0; (option = FgOptionAt(command, i)); i++) {
      if (option->section)
        fprintf(out, "\n### %s\n\n| option | unit | default | meaning |\n|---|---|---|---|\n", option->section);
      MarkdownRow(out, option);
    }
    for (const FgCommandList *list = command->lists; list && list->title; list++) {
      const char *name, *unit = NULL, *summary;

      fprintf(out, "\n### %s\n\n| name | unit | meaning |\n|---|---|---|\n", list->title);
      for (PetscInt i = 0; list->row(i, &name, &unit, &summary); i++) {
        fprintf(out, "| `%s` | %s%s%s | ", name, unit ? "[" : "", unit ? unit : "", unit ? "]" : "");
        Cell(out, summary);
        fprintf(out, " |\n");
      }
    }
    fprintf(out, "\nExamples:\n\n```\n");
    Examples(out, command->example, "");
    fprintf(out, "```\n");
  }
}

/* In troff a minus is \-, a backslash \e, and a line must not begin with a dot. */
static void Troff(FILE *out, const char *text)
{
  if (*text == '.' || *text == '\'') fprintf(out, "\\&");
  for (; *text; text++) {
    if (*text == '-') fprintf(out, "\\-");
    else if (*text == '\\') fprintf(out, "\\e");
    else fputc(*text, out);
  }
}

void FgHelpMan(FILE *out, const FgCommand *command)
{
  const FgOption *option;

  fprintf(out, ".TH FINEGRAIN\\-%s 1 \"\" \"finegrain %s\" \"finegrain\"\n.SH NAME\nfinegrain\\-%s \\- ", command->name,
          FG_VERSION, command->name);
  Troff(out, command->summary);
  fprintf(out, "\n.SH SYNOPSIS\n.B finegrain %s\n", command->name);
  Troff(out, command->usage);
  fprintf(out, "\n.SH DESCRIPTION\n");
  Troff(out, command->description);
  fprintf(out, "\n.SH OPTIONS\n");
  for (PetscInt i = 0; (option = FgOptionAt(command, i)); i++) {
    char head[128], meaning[1024];

    OptionHead(option, head, sizeof(head));
    OptionMeaning(option, meaning, sizeof(meaning));
    if (option->section) fprintf(out, ".SS %s\n", option->section);
    fprintf(out, ".TP\n.B ");
    Troff(out, head);
    fputc('\n', out);
    Troff(out, meaning);
    fputc('\n', out);
  }
  for (const FgCommandList *list = command->lists; list && list->title; list++) {
    const char *name, *unit = NULL, *summary;

    fprintf(out, ".SH %s\n", list->title);
    for (PetscInt i = 0; list->row(i, &name, &unit, &summary); i++) {
      char meaning[1024];

      snprintf(meaning, sizeof(meaning), "%s%s%s%s", summary, unit ? " [" : "", unit ? unit : "", unit ? "]" : "");
      fprintf(out, ".TP\n.B ");
      Troff(out, name);
      fputc('\n', out);
      Troff(out, meaning);
      fputc('\n', out);
    }
  }
  fprintf(out, ".SH EXAMPLES\n.nf\n");
  for (const char *example = command->example; *example;) {
    char      line[512];
    const int length = (int)strcspn(example, "\n");

    snprintf(line, sizeof(line), "%.*s", length, example);
    Troff(out, line);
    fputc('\n', out);
    example += length + (example[length] == '\n');
  }
  fprintf(out, ".fi\n.SH EXIT STATUS\n0 done; 1 defect of finegrain; 2 usage; 3 input cannot be read or is inconsistent; 4 "
               "finished, target not\n"
               "reached; 5 output cannot be written; 130 or 143 stopped by SIGINT or SIGTERM.\n");
}

void FgHelpCompletion(FILE *out)
{
  fprintf(out, "# bash completion of finegrain: source <(finegrain help --completion)\n_finegrain()\n{\n"
               "  local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" command=\"${COMP_WORDS[1]}\"\n"
               "  COMPREPLY=()\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W \"");
  for (PetscInt i = 0; FgCommands[i]; i++) fprintf(out, "%s ", FgCommands[i]->name);
  fprintf(out, "--help --version\" -- \"$word\"))\n    return\n  fi\n  case \"$command $before\" in\n");
  for (PetscInt c = 0; FgCommands[c]; c++) {
    const FgOption *option;

    for (PetscInt i = 0; (option = FgOptionAt(FgCommands[c], i)); i++) {
      char        buffer[64];
      const char *choice;

      if (option->type != FG_OPTION_CHOICE || option->positional) continue;
      fprintf(out, "    \"%s --%s\") COMPREPLY=($(compgen -W \"", FgCommands[c]->name, option->name);
      for (PetscInt k = 0; (choice = FgOptionChoice(option, k, buffer)); k++) {
        fprintf(out, "%.*s ", (int)(strcspn(choice, ":") + (strchr(choice, ':') ? 1 : 0)),
                choice); /* "word:FILE": FILE is the user's */
      }
      fprintf(out, "%s\" -- \"$word\")); return ;;\n", option->word ? option->word : "");
    }
  }
  fprintf(out, "  esac\n  if [[ \"$word\" == -* ]]; then\n    case \"$command\" in\n");
  for (PetscInt c = 0; FgCommands[c]; c++) {
    const FgOption *option;

    fprintf(out, "    %s) COMPREPLY=($(compgen -W \"", FgCommands[c]->name);
    for (PetscInt i = 0; (option = FgOptionAt(FgCommands[c], i)); i++) {
      if (!option->positional) fprintf(out, "--%s ", option->name);
    }
    fprintf(out, "\" -- \"$word\")) ;;\n");
  }
  fprintf(
      out,
      "    esac\n  else\n    COMPREPLY=($(compgen -f -- \"$word\"))\n  fi\n}\ncomplete -o filenames -F _finegrain finegrain\n");
}
