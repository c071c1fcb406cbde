/* options.c: defaults, setting one option from text, and reading a command line. */
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const FgOption *FgOptionAt(const FgCommand *command, PetscInt i)
{
  for (const FgOption *const *table = command->options; *table; table++) {
    for (const FgOption *option = *table; option->name; option++) {
      if (i-- == 0) return option;
    }
  }
  for (const FgOption *option = FgCommonOptions; option->name; option++) {
    if (i-- == 0) return option;
  }
  return NULL;
}

const char *FgOptionChoice(const FgOption *option, PetscInt i, char buffer[64])
{
  const char *from = option->choices;

  if (option->choice) return option->choice(i);
  while (from && i-- > 0) {
    from = strchr(from, '|');
    if (from) from++;
  }
  if (!from) return NULL;
  snprintf(buffer, 64, "%.*s", (int)strcspn(from, "|"), from);
  return buffer;
}

static const FgOption *OptionFind(const FgCommand *command, const char *name)
{
  const FgOption *option;

  for (PetscInt i = 0; (option = FgOptionAt(command, i)) && strcmp(option->name, name); i++) continue;
  return option;
}

static const FgOption *OptionFindLetter(const FgCommand *command, char letter)
{
  const FgOption *option;

  for (PetscInt i = 0; (option = FgOptionAt(command, i)) && option->letter != letter; i++) continue;
  return option;
}

/* Edit distance of two words (insertions, deletions, substitutions), words longer than 63 letters cut. */
static int EditDistance(const char *a, const char *b)
{
  const int na = (int)strnlen(a, 63), nb = (int)strnlen(b, 63);
  int       row[64];

  for (int j = 0; j <= nb; j++) row[j] = j;
  for (int i = 1; i <= na; i++) {
    int diagonal = row[0];

    row[0] = i;
    for (int j = 1; j <= nb; j++) {
      const int substituted = diagonal + (a[i - 1] != b[j - 1]);

      diagonal = row[j];
      row[j]   = PetscMin(substituted, 1 + PetscMin(row[j], row[j - 1]));
    }
  }
  return row[nb];
}

const char *FgNearest(const char *word, PetscInt n, const char *const names[])
{
  const char *nearest = NULL;
  int         best    = PetscMax(2, (int)strlen(word) / 2); /* farther than that is no slip of the finger */

  for (PetscInt i = 0; i < n; i++) {
    const char *part     = strlen(word) >= 4 ? strstr(names[i], word) : NULL; /* --diffusivity: a part of a longer name */
    const int   distance = part ? 1 : EditDistance(word, names[i]);

    if (distance < best || (distance == best && !nearest)) {
      best    = distance;
      nearest = names[i];
    }
  }
  return nearest;
}

static void Suggestion(const FgCommand *command, const char *name, char text[96])
{
  const char     *names[128], *nearest;
  const FgOption *option;
  PetscInt        n = 0;

  for (PetscInt i = 0; n < 128 && (option = FgOptionAt(command, i)); i++) {
    if (!option->positional) names[n++] = option->name;
  }
  nearest = FgNearest(name, n, names);
  if (nearest) snprintf(text, 96, "did you mean --%s?", nearest);
  else snprintf(text, 96, "see finegrain %s --help", command->name);
}

/* " [mm^2/s]", or nothing. */
static const char *UnitText(const FgOption *option, char buffer[48])
{
  buffer[0] = '\0';
  if (option->unit) snprintf(buffer, 48, " [%s]", option->unit);
  return buffer;
}

/* Reads one number at *text and moves past it. */
static PetscBool ReadNumber(const FgOption *option, const char **text, const char *origin, double *number,
                            char message[FG_MESSAGE_LENGTH])
{
  char  *end, unit[48];
  double value;

  errno = 0;
  value = strtod(*text, &end);
  if (end == *text || !isfinite(value) || (*end != '\0' && *end != ',' && !(*end == 'x' && option->type == FG_OPTION_REALS))) {
    snprintf(message, FG_MESSAGE_LENGTH, "%s: expected a number%s%s%s, found '%.200s'", origin, UnitText(option, unit),
             option->word ? " or " : "", option->word ? option->word : "", *text);
    return PETSC_FALSE;
  }
  if ((option->lower != 0 || option->upper != 0) && (value < option->lower || value > option->upper)) {
    char range[80];

    if (option->lower == FG_POSITIVE) snprintf(range, sizeof(range), "greater than 0");
    else if (isinf(option->upper)) snprintf(range, sizeof(range), "at least %.10g", option->lower);
    else snprintf(range, sizeof(range), "between %.10g and %.10g", option->lower, option->upper);
    if (option->lower == FG_POSITIVE && isfinite(option->upper)) {
      snprintf(range, sizeof(range), "greater than 0 and at most %g", option->upper);
    }
    snprintf(message, FG_MESSAGE_LENGTH, "%s: expected a number %s%s, found %g", origin, range, UnitText(option, unit), value);
    return PETSC_FALSE;
  }
  *number = value;
  *text   = end;
  return PETSC_TRUE;
}

static PetscBool SetReals(const FgOption *option, const char *text, const char *origin, FgReals *reals,
                          char message[FG_MESSAGE_LENGTH])
{
  const char *at    = text;
  FgReals     found = {0};

  for (;;) {
    if (found.n == option->most) {
      snprintf(message, FG_MESSAGE_LENGTH, "%s: expected at most %d numbers separated by commas, found '%.200s'", origin,
               option->most, text);
      return PETSC_FALSE;
    }
    if (!ReadNumber(option, &at, origin, &found.value[found.n], message)) return PETSC_FALSE;
    found.n++;
    if (*at == '\0') break;
    at++;
  }
  if (found.n < option->least) {
    snprintf(message, FG_MESSAGE_LENGTH, "%s: expected %d numbers separated by a comma, found '%.200s'", origin, option->least,
             text);
    return PETSC_FALSE;
  }
  *reals = found;
  return PETSC_TRUE;
}

/* Does the text give a file where the choice is "word:FILE"? */
static PetscBool IsWordWithFile(const char *choice, const char *text)
{
  const char  *colon  = strchr(choice, ':');
  const size_t length = colon ? (size_t)(colon - choice) + 1 : 0;

  return colon && !strncmp(choice, text, length) && text[length] ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool SetChoice(const FgOption *option, const char *text, const char *origin, char *member,
                           char message[FG_MESSAGE_LENGTH])
{
  char        buffer[64], list[512] = "";
  const char *choice;

  for (PetscInt i = 0; (choice = FgOptionChoice(option, i, buffer)); i++) {
    const size_t used = strlen(list);

    if (!strcmp(choice, text) || IsWordWithFile(choice, text)) {
      if (strlen(text) >= sizeof(FgText)) {
        snprintf(message, FG_MESSAGE_LENGTH, "%s: %zu characters are too long, at most %zu", origin, strlen(text),
                 sizeof(FgText) - 1);
        return PETSC_FALSE;
      }
      strcpy(member, text);
      return PETSC_TRUE;
    }
    snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", choice);
  }
  snprintf(message, FG_MESSAGE_LENGTH, "%s: expected one of %s%s%s, found '%.200s'", origin, option->word ? option->word : "",
           option->word ? ", " : "", list, text);
  return PETSC_FALSE;
}

static PetscBool IsChoice(const FgOption *option, const char *word, size_t length)
{
  char        buffer[64];
  const char *choice;

  for (PetscInt i = 0; (choice = FgOptionChoice(option, i, buffer)); i++) {
    if (strlen(choice) == length && !strncmp(choice, word, length)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* "a,b": words out of the choices, none twice. */
static PetscBool SetList(const FgOption *option, const char *text, const char *origin, char *member,
                         char message[FG_MESSAGE_LENGTH])
{
  for (const char *word = text;;) {
    const size_t length = strcspn(word, ",");
    char         single[128];

    snprintf(single, sizeof(single), "%.*s", (int)PetscMin(length, sizeof(single) - 1), word);
    if (!IsChoice(option, word, length)) {
      char unused[sizeof(FgText)];

      return SetChoice(option, single, origin, unused, message);
    }
    for (const char *before = text; before < word; before += strcspn(before, ",") + 1) {
      if (strcspn(before, ",") != length || strncmp(before, word, length)) continue;
      snprintf(message, FG_MESSAGE_LENGTH, "%s: '%s' stands there twice", origin, single);
      return PETSC_FALSE;
    }
    if (word[length] == '\0') break;
    word += length + 1;
  }
  snprintf(member, sizeof(FgText), "%s", text); /* fits: every choice at most once */
  return PETSC_TRUE;
}

/* A word of the form NAME=VALUE: a name of letters and dashes, and something after the sign. */
static PetscBool IsPair(const char *word)
{
  const size_t name = strspn(word, "abcdefghijklmnopqrstuvwxyz-");

  return name > 0 && word[0] != '-' && word[name] == '=' && word[name + 1] != '\0' && word[name + 1] != ' ' ? PETSC_TRUE
                                                                                                            : PETSC_FALSE;
}

static PetscBool SetPairs(const char *text, const char *origin, char *member, char message[FG_MESSAGE_LENGTH])
{
  for (const char *word = text + strspn(text, " "); *word || word == text;
       word += strcspn(word, " "), word += strspn(word, " ")) {
    if (IsPair(word)) continue;
    snprintf(message, FG_MESSAGE_LENGTH, "%s: expected NAME=VALUES, found '%.*s'", origin, (int)PetscMin(strcspn(word, " "), 200),
             word);
    return PETSC_FALSE;
  }
  if (strlen(text) >= sizeof(FgText)) {
    snprintf(message, FG_MESSAGE_LENGTH, "%s: %zu characters are too long, at most %zu", origin, strlen(text),
             sizeof(FgText) - 1);
    return PETSC_FALSE;
  }
  strcpy(member, text);
  return PETSC_TRUE;
}

static PetscBool SetFlag(const char *text, const char *origin, PetscBool *member, char message[FG_MESSAGE_LENGTH])
{
  if (!strcmp(text, "true") || !strcmp(text, "yes") || !strcmp(text, "1")) *member = PETSC_TRUE;
  else if (!strcmp(text, "false") || !strcmp(text, "no") || !strcmp(text, "0")) *member = PETSC_FALSE;
  else {
    snprintf(message, FG_MESSAGE_LENGTH, "%s: expected true or false, found '%.200s'", origin, text);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

static PetscBool SetInteger(const FgOption *option, const char *text, const char *origin, PetscInt *member,
                            char message[FG_MESSAGE_LENGTH])
{
  const char *at = text;
  double      value;

  if (!ReadNumber(option, &at, origin, &value, message)) return PETSC_FALSE;
  if (*at != '\0' || value != floor(value) || fabs(value) > PETSC_MAX_INT) {
    snprintf(message, FG_MESSAGE_LENGTH, "%s: expected a whole number, found '%.200s'", origin, text);
    return PETSC_FALSE;
  }
  *member = (PetscInt)value;
  return PETSC_TRUE;
}

static void SetWord(const FgOption *option, void *member)
{
  switch (option->type) {
  case FG_OPTION_FLAG: *(PetscBool *)member = PETSC_FALSE; break;
  case FG_OPTION_INTEGER: *(PetscInt *)member = 0; break;
  case FG_OPTION_REAL: *(double *)member = NAN; break;
  case FG_OPTION_REALS: memset(member, 0, sizeof(FgReals)); break;
  default: *(char *)member = '\0';
  }
}

static PetscBool SetMember(const FgOption *option, const char *text, const char *origin, void *settings,
                           char message[FG_MESSAGE_LENGTH])
{
  void *member = (char *)settings + option->offset;

  if (option->word && !strcmp(text, option->word)) {
    SetWord(option, member);
    return PETSC_TRUE;
  }
  switch (option->type) {
  case FG_OPTION_FLAG: return SetFlag(text, origin, member, message);
  case FG_OPTION_INTEGER: return SetInteger(option, text, origin, member, message);
  case FG_OPTION_REALS: return SetReals(option, text, origin, member, message);
  case FG_OPTION_CHOICE: return SetChoice(option, text, origin, member, message);
  case FG_OPTION_LIST: return SetList(option, text, origin, member, message);
  case FG_OPTION_PAIRS: return SetPairs(text, origin, member, message);
  case FG_OPTION_REAL: {
    double value;

    if (!ReadNumber(option, &text, origin, &value, message)) return PETSC_FALSE;
    if (*text != '\0') {
      snprintf(message, FG_MESSAGE_LENGTH, "%s: expected one number, found a list", origin);
      return PETSC_FALSE;
    }
    *(double *)member = value;
    return PETSC_TRUE;
  }
  default:
    if (strlen(text) >= sizeof(FgText)) {
      snprintf(message, FG_MESSAGE_LENGTH, "%s: %zu characters are too long, at most %zu", origin, strlen(text),
               sizeof(FgText) - 1);
      return PETSC_FALSE;
    }
    if (option->type == FG_OPTION_PATH && text[0] == '\0') {
      snprintf(message, FG_MESSAGE_LENGTH, "%s: expected a path, found nothing", origin);
      return PETSC_FALSE;
    }
    strcpy(member, text);
    return PETSC_TRUE;
  }
}

void FgOptionsDefaults(const FgCommand *command, void *settings)
{
  const FgOption *option;
  char            message[FG_MESSAGE_LENGTH];

  memset(settings, 0, command->settings_size);
  for (PetscInt i = 0; (option = FgOptionAt(command, i)); i++) {
    SetWord(option, (char *)settings + option->offset);
    if (option->fallback) SetMember(option, option->fallback, "", settings, message);
    else if (option->type == FG_OPTION_CHOICE && !option->word) {
      char buffer[64];

      SetMember(option, FgOptionChoice(option, 0, buffer), "", settings, message);
    }
  }
}

PetscBool FgOptionsSet(const FgCommand *command, const char *name, const char *text, const char *origin, void *settings,
                       char message[FG_MESSAGE_LENGTH])
{
  const FgOption *option = OptionFind(command, name);

  if (!option) {
    char suggestion[96];

    Suggestion(command, name, suggestion);
    snprintf(message, FG_MESSAGE_LENGTH, "%s: unknown option, %s", origin, suggestion);
    return PETSC_FALSE;
  }
  return SetMember(option, text, origin, settings, message);
}

/* The first positional row that still holds nothing. */
static const FgOption *NextPositional(const FgCommand *command, PetscInt given)
{
  const FgOption *option;

  for (PetscInt i = 0; (option = FgOptionAt(command, i)); i++) {
    if (option->positional && given-- == 0) return option;
  }
  return NULL;
}

/* The words of FG_OPTION_PAIRS in one text: `first` and as many of the following arguments as have the form. */
static PetscBool ParsePairs(const FgOption *option, const char *first, int rest, char *const following[], int *taken,
                            const char *origin, void *settings, char message[FG_MESSAGE_LENGTH])
{
  FgText text;
  size_t used = (size_t)snprintf(text, sizeof(text), "%s", first);

  while (*taken < rest && IsPair(following[*taken]) && used < sizeof(text)) {
    used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", following[(*taken)++]);
  }
  if (used >= sizeof(text)) {
    snprintf(message, FG_MESSAGE_LENGTH, "%s: the words are longer than %zu characters", origin, sizeof(text) - 1);
    return PETSC_FALSE;
  }
  return SetMember(option, text, origin, settings, message);
}

/* One argument that begins with '-': finds its row and its value, which may be the next argument; *taken counts those. */
static PetscBool ParseDashed(const FgCommand *command, const char *argument, int rest, char *const following[], int *taken,
                             void *settings, char message[FG_MESSAGE_LENGTH])
{
  const char     *next      = rest > 0 ? following[0] : NULL;
  const PetscBool long_form = argument[1] == '-' ? PETSC_TRUE : PETSC_FALSE;
  const char     *equals    = long_form ? strchr(argument, '=') : NULL;
  char            name[96], origin[112];
  const FgOption *option;

  *taken = 0;
  snprintf(name, sizeof(name), "%.*s", equals ? (int)PetscMin(equals - argument - 2, 90) : 90, argument + (long_form ? 2 : 1));
  snprintf(origin, sizeof(origin), "%s%s", long_form ? "--" : "-", name);
  option = long_form ? OptionFind(command, name) : OptionFindLetter(command, name[0]);
  if (!long_form && option && name[1] != '\0') {
    snprintf(message, FG_MESSAGE_LENGTH, "%s: short options stand alone, write -%c and its value apart", origin, name[0]);
    return PETSC_FALSE;
  }
  if (!option || (option->positional && long_form)) {
    char suggestion[96];

    Suggestion(command, name, suggestion);
    snprintf(message, FG_MESSAGE_LENGTH, "%s: unknown option, %s", origin, suggestion);
    return PETSC_FALSE;
  }
  if (option->type == FG_OPTION_FLAG) return SetMember(option, equals ? equals + 1 : "true", origin, settings, message);
  if (!equals) {
    /* A value may begin with a minus (a number, PETSc's own options), but "-o --force" lacks one. */
    const PetscBool other = next && next[0] == '-' &&
                                    (next[1] == '-' || (option->type != FG_OPTION_STRING && isalpha((unsigned char)next[1])))
                                ? PETSC_TRUE
                                : PETSC_FALSE;

    if (!next || other) {
      snprintf(message, FG_MESSAGE_LENGTH, "%s: a value must follow, see finegrain %s --help", origin, command->name);
      return PETSC_FALSE;
    }
    *taken = 1;
  }
  if (option->type == FG_OPTION_PAIRS) {
    return ParsePairs(option, equals ? equals + 1 : next, rest, following, taken, origin, settings, message);
  }
  return SetMember(option, equals ? equals + 1 : next, origin, settings, message);
}

PetscBool FgOptionsParse(const FgCommand *command, int argc, char *const argv[], void *settings, char message[FG_MESSAGE_LENGTH])
{
  PetscBool options_end = PETSC_FALSE;
  PetscInt  given       = 0;

  for (int i = 0; i < argc; i++) {
    const char     *argument = argv[i];
    const FgOption *option;

    if (!options_end && !strcmp(argument, "--")) {
      options_end = PETSC_TRUE;
    } else if (!options_end && argument[0] == '-' && argument[1] != '\0') {
      int taken;

      if (!ParseDashed(command, argument, argc - i - 1, argv + i + 1, &taken, settings, message)) return PETSC_FALSE;
      i += taken;
    } else {
      option = NextPositional(command, given++);
      if (!option) {
        snprintf(message, FG_MESSAGE_LENGTH, "'%.200s': one argument too many, usage: finegrain %s %s", argument, command->name,
                 command->usage);
        return PETSC_FALSE;
      }
      if (!SetMember(option, argument, option->value, settings, message)) return PETSC_FALSE;
    }
  }
  return PETSC_TRUE;
}

PetscBool FgOptionsComplete(const FgCommand *command, const void *settings, char message[FG_MESSAGE_LENGTH])
{
  const FgOption *option;

  for (PetscInt i = 0; (option = FgOptionAt(command, i)); i++) {
    if (option->positional && !option->word && ((const char *)settings + option->offset)[0] == '\0') {
      snprintf(message, FG_MESSAGE_LENGTH, "%s is missing, usage: finegrain %s %s", option->value, command->name, command->usage);
      return PETSC_FALSE;
    }
  }
  return PETSC_TRUE;
}

static void NumberText(double value, char text[32])
{
  for (int digits = 6; digits <= 17; digits++) { /* the shortest that reads back as the same number */
    snprintf(text, 32, "%.*g", digits, value);
    if (strtod(text, NULL) == value) return;
  }
}

void FgOptionText(const FgOption *option, const void *settings, char text[], size_t size)
{
  const void *member = (const char *)settings + option->offset;
  const char *word   = option->word ? option->word : "";
  char        number[32];

  switch (option->type) {
  case FG_OPTION_FLAG: snprintf(text, size, "%s", *(const PetscBool *)member ? "true" : "false"); break;
  case FG_OPTION_INTEGER: snprintf(text, size, "%" PetscInt_FMT, *(const PetscInt *)member); break;
  case FG_OPTION_REAL:
    NumberText(*(const double *)member, number);
    snprintf(text, size, "%s", isnan(*(const double *)member) ? word : number);
    break;
  case FG_OPTION_REALS: {
    const FgReals *reals = member;
    size_t         used  = 0;

    snprintf(text, size, "%s", word);
    for (int i = 0; i < reals->n; i++) {
      NumberText(reals->value[i], number);
      used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "," : "", number);
    }
    break;
  }
  default: snprintf(text, size, "%s", *(const char *)member ? (const char *)member : word);
  }
}
