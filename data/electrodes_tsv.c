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

/* A file being read. */
typedef struct {
  const char *path;
  char       *text, *at; /* all of it; the line that comes next */
  int         number;    /* of the last line */
  PetscInt    column[COLUMNS];
} Table;

static PetscErrorCode FindColumns(Table *table, char *line)
{
  PetscFunctionBegin;
  for (int c = 0; c < COLUMNS; c++) table->column[c] = -1;
  for (PetscInt k = 0; line; k++) {
    const char *word = NextWord(&line);

    for (int c = 0; c < COLUMNS; c++) {
      if (strcmp(word, columns[c])) continue;
      PetscCheck(table->column[c] < 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found two columns %s, expected one",
                 table->path, word);
      table->column[c] = k;
    }
  }
  for (int c = 0; c < COLUMNS; c++) {
    PetscCheck(table->column[c] >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found no column %s in the first line, expected name, x, y and z separated by tabs", table->path, columns[c]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadHead(Table *table, size_t length)
{
  char *line;

  PetscFunctionBegin;
  PetscCheck(strlen(table->text) == length, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found binary data, expected a table of electrodes", table->path);
  if (length >= 3 && !memcmp(table->at, "\xEF\xBB\xBF", 3)) table->at += 3; /* byte order mark */
  line = NextLine(&table->at);
  PetscCheck(line, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: is empty, expected a table of electrodes", table->path);
  table->number = 1;
  PetscCall(FindColumns(table, line));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Reads the file and its head; table->text is PetscFree'd by the caller, unless this fails. */
static PetscErrorCode Open(const char *path, Table *table)
{
  size_t         length;
  PetscErrorCode code;

  PetscFunctionBegin;
  table->path = path;
  PetscCall(FgTextRead(path, FILE_LIMIT, "a table of electrodes (electrodes.tsv)", &table->text, &length));
  table->at = table->text;
  code      = ReadHead(table, length);
  if (code) PetscCall(PetscFree(table->text));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The words of the next line that is not blank, in the order of `columns`; word[0] is NULL after the last. */
static PetscErrorCode NextRow(Table *table, const char *word[COLUMNS])
{
  char *line;

  PetscFunctionBegin;
  for (int c = 0; c < COLUMNS; c++) word[c] = NULL;
  do {
    line = NextLine(&table->at);
    if (!line) PetscFunctionReturn(PETSC_SUCCESS);
    table->number++;
  } while (!line[strspn(line, " \t")]);
  for (PetscInt k = 0; line; k++) {
    const char *found = NextWord(&line);

    for (int c = 0; c < COLUMNS; c++) {
      if (table->column[c] == k) word[c] = found;
    }
  }
  for (int c = 0; c < COLUMNS; c++) {
    PetscCheck(word[c] && word[c][0], PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found no %s", table->path,
               table->number, columns[c]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One row: position[3 l ..] of the electrode l of that name. */
static PetscErrorCode Place(const Table *table, const char *const word[COLUMNS], double unit, FgEit eit, double *position)
{
  PetscInt l;

  PetscFunctionBegin;
  for (l = 0; l < eit->nelectrodes && strcmp(eit->name[l], word[0]); l++) {
  }
  if (l == eit->nelectrodes) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(isnan(position[3 * l]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found electrode %s a second time",
             table->path, table->number, eit->name[l]);
  for (int c = 1; c < COLUMNS; c++) {
    char        *end;
    const double value = strtod(word[c], &end);

    PetscCheck(end != word[c] && !*end && isfinite(value), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: line %d: electrode %s has no number for %s; expected one, or the electrode dropped", table->path,
               table->number, eit->name[l], columns[c]);
    position[3 * l + c - 1] = unit * value;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadPositions(Table *table, double unit, FgEit eit, double *position)
{
  const char *word[COLUMNS];

  PetscFunctionBegin;
  for (PetscInt i = 0; i < 3 * eit->nelectrodes; i++) position[i] = NAN;
  for (;;) {
    PetscCall(NextRow(table, word));
    if (!word[0]) break;
    PetscCall(Place(table, word, unit, eit, position));
  }
  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    PetscCheck(!isnan(position[3 * l]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found no electrode %s, expected all %" PetscInt_FMT " of %s", table->path, eit->name[l], eit->nelectrodes,
               eit->source);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitReadPositions(const char *path, double unit, FgEit eit)
{
  Table          table;
  double        *position;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(Open(path, &table));
  code = PetscMalloc1(3 * (size_t)eit->nelectrodes, &position);
  if (!code) {
    code = ReadPositions(&table, unit, eit, position);
    if (code) PetscCall(PetscFree(position));
  }
  PetscCall(PetscFree(table.text));
  PetscCall(code);
  PetscCall(PetscFree(eit->position));
  eit->position = position;
  PetscCall(FgEitCheck(eit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadNames(Table *table, PetscInt most, PetscInt *n, char (*name)[32])
{
  const char *word[COLUMNS];

  PetscFunctionBegin;
  for (*n = 0;;) {
    PetscCall(NextRow(table, word));
    if (!word[0]) break;
    if (!strcmp(word[1], "n/a")) continue;
    PetscCheck(strlen(word[0]) < sizeof(*name), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: line %d: found the name %.40s, expected at most %d characters", table->path, table->number, word[0],
               (int)sizeof(*name) - 1);
    PetscCheck(*n < most, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: line %d: found more electrodes than the %" PetscInt_FMT " that are supported", table->path, table->number,
               most);
    PetscCall(PetscStrncpy(name[(*n)++], word[0], sizeof(*name)));
  }
  PetscCheck(*n >= 2, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " electrodes with positions, expected at least two", table->path, *n);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitReadNames(const char *path, PetscInt most, PetscInt *n, char (*name)[32])
{
  Table          table;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(Open(path, &table));
  code = ReadNames(&table, most, n, name);
  PetscCall(PetscFree(table.text));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}
