/* electrodes_tsv.c: positions of electrodes as BIDS has them: a table separated by tabs, a first line with the columns' names, of which name,
   x, y and z count; "n/a" where a value is missing. Electrodes that the measurement does not have are passed over.
   Source: https://bids-specification.readthedocs.io, "Electrodes description (*_electrodes.tsv)" */
#include "table.h"

#include "finegrain/eit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 16 * 1024 * 1024, COLUMNS = 4 };

static const char *const columns[COLUMNS] = {"name", "x", "y", "z"};

/* Ends the word at *at and moves on to the next; NULL after the last of a line. */
static char *NextWord(char **at)
{
  char *word = *at, *tab;

  if (!word) return NULL;
  tab = strchr(word, '\t');
  if (tab) *tab = 0;
  *at = tab ? tab + 1 : NULL;
  while (*word == ' ') word++;
  for (size_t n = strlen(word); n > 0 && word[n - 1] == ' '; n--) word[n - 1] = 0;
  return word;
}

/* Ends the line at *at and moves on to the next; NULL after the last. */
static char *NextLine(char **at)
{
  char  *line = *at;
  size_t end;

  if (!line || !*line) return NULL;
  end       = strcspn(line, "\r\n");
  *at       = line + end + (line[end] == '\r' && line[end + 1] == '\n' ? 2 : line[end] ? 1 : 0);
  line[end] = 0;
  return line;
}

static PetscErrorCode FindColumns(const char *path, char *line, PetscInt column[COLUMNS])
{
  PetscFunctionBegin;
  for (int c = 0; c < COLUMNS; c++) column[c] = -1;
  for (PetscInt k = 0; line; k++) {
    const char *word = NextWord(&line);

    for (int c = 0; c < COLUMNS; c++) {
      if (strcmp(word, columns[c])) continue;
      PetscCheck(column[c] < 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found two columns %s, expected one", path, word);
      column[c] = k;
    }
  }
  for (int c = 0; c < COLUMNS; c++) {
    PetscCheck(column[c] >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found no column %s in the first line, expected name, x, y and z separated by tabs", path, columns[c]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One line: position[3 l ..] of the electrode l of that name. */
static PetscErrorCode ReadLine(const char *path, int number, char *line, const PetscInt column[COLUMNS], double unit, FgEit eit,
                               double *position)
{
  const char *word[COLUMNS] = {NULL};
  PetscInt    l;

  PetscFunctionBegin;
  for (PetscInt k = 0; line; k++) {
    const char *found = NextWord(&line);

    for (int c = 0; c < COLUMNS; c++) {
      if (column[c] == k) word[c] = found;
    }
  }
  for (int c = 0; c < COLUMNS; c++) {
    PetscCheck(word[c] && word[c][0], PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found no %s", path, number,
               columns[c]);
  }
  for (l = 0; l < eit->nelectrodes && strcmp(eit->name[l], word[0]); l++) {
  }
  if (l == eit->nelectrodes) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(isnan(position[3 * l]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found electrode %s a second time",
             path, number, eit->name[l]);
  for (int c = 1; c < COLUMNS; c++) {
    char        *end;
    const double value = strtod(word[c], &end);

    PetscCheck(end != word[c] && !*end && isfinite(value), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: line %d: electrode %s has no number for %s; expected one, or the electrode dropped", path, number,
               eit->name[l], columns[c]);
    position[3 * l + c - 1] = unit * value;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Parse(const char *path, char *text, size_t length, double unit, FgEit eit, double *position)
{
  PetscInt column[COLUMNS];
  char    *line;
  int      number = 1;

  PetscFunctionBegin;
  PetscCheck(strlen(text) == length, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found binary data, expected a table of electrodes", path);
  if (length >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) text += 3; /* byte order mark */
  line = NextLine(&text);
  PetscCheck(line, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: is empty, expected a table of electrodes", path);
  PetscCall(FindColumns(path, line, column));
  while ((line = NextLine(&text))) {
    number++;
    if (line[strspn(line, " \t")]) PetscCall(ReadLine(path, number, line, column, unit, eit, position));
  }
  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    PetscCheck(!isnan(position[3 * l]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found no electrode %s, expected all %" PetscInt_FMT " of %s", path, eit->name[l], eit->nelectrodes,
               eit->source);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitReadPositions(const char *path, double unit, FgEit eit)
{
  const size_t   n = 3 * (size_t)eit->nelectrodes;
  char          *text;
  double        *position;
  size_t         length;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(FgTextRead(path, FILE_LIMIT, "a table of electrodes (electrodes.tsv)", &text, &length));
  code = PetscMalloc1(n, &position);
  if (!code) {
    for (size_t i = 0; i < n; i++) position[i] = NAN;
    code = Parse(path, text, length, unit, eit, position);
    if (code) PetscCall(PetscFree(position));
  }
  PetscCall(PetscFree(text));
  PetscCall(code);
  PetscCall(PetscFree(eit->position));
  eit->position = position;
  PetscCall(FgEitCheck(eit));
  PetscFunctionReturn(PETSC_SUCCESS);
}
