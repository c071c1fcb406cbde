/* homogenize_sweep_words.c: the words of --sweep: "fraction=0.02:0.78:20 contrast=0,1e-3:1e3:13". */
#include "homogenize_sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An option of the generator that is a number; NULL where `name` is none. */
static const FgOption *Sweepable(const char *name)
{
  for (const FgOption *option = FgHomogenizeCellOptions; option->name; option++) {
    if ((option->type == FG_OPTION_REAL || option->type == FG_OPTION_INTEGER) && !strcmp(option->name, name)) return option;
  }
  return NULL;
}

PetscBool FgSweepSet(const char *name, double value, HomogenizeSettings *s, char message[FG_MESSAGE_LENGTH])
{
  char text[32], origin[96];

  snprintf(text, sizeof(text), "%.17g", value);
  snprintf(origin, sizeof(origin), "--sweep: %s", name);
  return FgOptionsSet(&FgCommandHomogenize, name, text, origin, s, message);
}

/* "4", or "1:3:5" [start:stop:count]; moves past it and a comma. */
static PetscBool ReadRange(const FgOption *option, const char **text, const char *word, PetscInt *n, double *value,
                           char message[FG_MESSAGE_LENGTH])
{
  char           *end;
  double          start, stop, count = 1.0;
  const PetscBool linear = !strcmp(option->name, "fraction") || !strcmp(option->name, "angle") ? PETSC_TRUE : PETSC_FALSE;
  PetscBool       geometric;

  start = stop = strtod(*text, &end);
  if (end == *text) goto malformed;
  if (*end == ':') {
    const char *from = end + 1;

    stop = strtod(from, &end);
    if (end == from || *end != ':') goto malformed;
    from  = end + 1;
    count = strtod(from, &end);
    if (end == from || count < 2.0 || count != floor(count)) goto malformed;
  }
  if ((*end != '\0' && *end != ' ' && *end != ',') || !isfinite(start) || !isfinite(stop)) goto malformed;
  if (*end == ',' && (end[1] == '\0' || end[1] == ' ')) goto malformed;
  if ((double)*n + count > (double)FG_SWEEP_AXIS_SIZE) {
    snprintf(message, FG_MESSAGE_LENGTH, "--sweep: %s has more than %d values", option->name, FG_SWEEP_AXIS_SIZE);
    return PETSC_FALSE;
  }
  geometric = !linear && start > 0.0 && stop > 0.0 && (stop > 20.0 * start || start > 20.0 * stop) ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt i = 0; i < (PetscInt)count; i++) {
    const double t = count > 1.0 ? (double)i / (count - 1.0) : 0.0;
    double       v = geometric ? start * pow(stop / start, t) : start + (stop - start) * t;

    if (i > 0 && i == (PetscInt)count - 1) v = stop;
    if (geometric && fabs(log10(v) - round(log10(v))) < 1e-12) v = pow(10.0, round(log10(v))); /* 1, not 0.99999999999999989 */
    value[(*n)++] = option->type == FG_OPTION_INTEGER && count > 1.0 ? round(v) : v;
  }
  *text = *end == ',' ? end + 1 : end;
  return PETSC_TRUE;

malformed:
  snprintf(message, FG_MESSAGE_LENGTH, "--sweep: expected numbers and ranges START:STOP:COUNT separated by commas, found '%.*s'",
           (int)PetscMin(strcspn(word, " "), 200), word);
  return PETSC_FALSE;
}

static int Ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* One word NAME=VALUES. */
static PetscBool ReadAxis(const HomogenizeSettings *s, const char *word, FgHomogenizationTable *table,
                          char message[FG_MESSAGE_LENGTH])
{
  static HomogenizeSettings tried;
  static double             value[FG_SWEEP_AXIS_SIZE];
  FgSweepAxis              *axis = &table->axes[table->naxes];
  const char               *text = strchr(word, '=') + 1;
  const FgOption           *option;
  char                      name[FG_SWEEP_TEXT];
  PetscInt                  n = 0;

  snprintf(name, sizeof(name), "%.*s", (int)PetscMin((size_t)(text - word) - 1, sizeof(name) - 1), word);
  option = Sweepable(name);
  if (!option || table->naxes == FG_SWEEP_AXES || FgHomogenizationTableAxis(table, name) >= 0 ||
      (!strcmp(name, "contrast") && s->phases[0])) {
    if (!option)
      snprintf(message, FG_MESSAGE_LENGTH,
               "--sweep: %s cannot be swept; expected fraction, resolution, length, count, seed, angle or contrast", name);
    else if (table->naxes == FG_SWEEP_AXES) snprintf(message, FG_MESSAGE_LENGTH, "--sweep: more than %d options", FG_SWEEP_AXES);
    else if (FgHomogenizationTableAxis(table, name) >= 0)
      snprintf(message, FG_MESSAGE_LENGTH, "--sweep: %s stands there twice", name);
    else snprintf(message, FG_MESSAGE_LENGTH, "--sweep: contrast and --phases both say what the phases are, give one of them");
    return PETSC_FALSE;
  }
  while (*text && *text != ' ') {
    if (!ReadRange(option, &text, word, &n, value, message)) return PETSC_FALSE;
  }
  qsort(value, (size_t)n, sizeof(*value), Ascending);
  tried = *s;
  for (PetscInt i = 0; i < n; i++) {
    if (!FgSweepSet(name, value[i], &tried, message)) return PETSC_FALSE;
    if (i == 0 || value[i] > value[i - 1]) continue;
    snprintf(message, FG_MESSAGE_LENGTH, "--sweep: %s has the value %g twice", name, value[i]);
    return PETSC_FALSE;
  }
  strcpy(axis->name, name);
  snprintf(axis->unit, sizeof(axis->unit), "%s", option->unit ? option->unit : "1");
  axis->n     = n;
  axis->value = malloc((size_t)n * sizeof(*value));
  if (!axis->value) {
    snprintf(message, FG_MESSAGE_LENGTH, "--sweep: out of memory");
    return PETSC_FALSE;
  }
  memcpy(axis->value, value, (size_t)n * sizeof(*value));
  table->naxes++;
  return PETSC_TRUE;
}

PetscBool FgSweepRead(const HomogenizeSettings *s, FgHomogenizationTable *table, char message[FG_MESSAGE_LENGTH])
{
  double points = 1.0;

  table->naxes = 0;
  if (s->sweep[0] && s->image[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--sweep: is for --geometry, an image is one cell");
    return PETSC_FALSE;
  }
  for (const char *word = s->sweep + strspn(s->sweep, " "); *word; word += strcspn(word, " "), word += strspn(word, " ")) {
    if (!ReadAxis(s, word, table, message)) return PETSC_FALSE;
    points *= (double)table->axes[table->naxes - 1].n;
  }
  if (points > (double)FG_SWEEP_POINTS) {
    snprintf(message, FG_MESSAGE_LENGTH, "--sweep: %.0f points, expected at most %d", points, FG_SWEEP_POINTS);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}
