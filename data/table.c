/* table.c: reads tables of numbers as people and scanners write them: blanks, tabs or commas, any line ending. */
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TABLE_LIMIT 16777216 /* [bytes]; a gradient table of 10 000 volumes has less than 1 MB */

static const char *const separators = " \t,";

PetscErrorCode FgTextRead(const char *path, size_t limit, const char *expected, char **text, size_t *length)
{
  struct stat status;
  FILE       *file;
  size_t      found;
  int         failed;

  PetscFunctionBegin;
  *text = NULL;
  PetscCheck(stat(path, &status) == 0, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: cannot be opened: %s; expected %s", path,
             strerror(errno), expected);
  PetscCheck(S_ISREG(status.st_mode), PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: found a %s, expected %s", path,
             S_ISDIR(status.st_mode) ? "directory" : "special file", expected);
  PetscCheck((size_t)status.st_size <= limit, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %lld bytes, expected %s of at most %lld bytes; is it the right file?", path, (long long)status.st_size,
             expected, (long long)limit);
  file = fopen(path, "rb");
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: cannot be opened: %s", path, strerror(errno));
  if (PetscMalloc1((size_t)status.st_size + 1, text)) {
    (void)fclose(file);
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_MEM, "%s: no memory for %lld bytes", path, (long long)status.st_size);
  }
  found  = fread(*text, 1, (size_t)status.st_size, file);
  failed = ferror(file);
  (void)fclose(file);
  if (failed) PetscCall(PetscFree(*text));
  PetscCheck(!failed, PETSC_COMM_SELF, PETSC_ERR_FILE_READ, "%s: cannot be read", path);
  (*text)[found] = 0;
  *length        = found;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AppendValue(FgTable *table, PetscInt *capacity, double value)
{
  PetscFunctionBegin;
  if (table->nvalues == *capacity) {
    *capacity = PetscMax(256, 2 * *capacity);
    PetscCall(PetscRealloc(sizeof(double) * (size_t)*capacity, &table->values));
  }
  table->values[table->nvalues++] = value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ParseRow(const char *path, int line, char *row, FgTable *table, PetscInt *capacity)
{
  const PetscInt before = table->nvalues;
  char          *rest   = NULL;

  PetscFunctionBegin;
  for (char *word = strtok_r(row, separators, &rest); word; word = strtok_r(NULL, separators, &rest)) {
    char  *end;
    double value = strtod(word, &end);

    for (char *c = word; *c; c++) {
      if (*c < 32 || *c > 126) *c = '?'; /* the message goes to a terminal */
    }
    PetscCheck(!*end, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found \"%.40s\", expected a number", path, line,
               word);
    PetscCall(AppendValue(table, capacity, value));
  }
  if (table->nvalues > before) {
    const PetscInt found = table->nvalues - before;

    table->ncolumns = table->nrows == 0 || table->ncolumns == found ? found : 0;
    table->nrows++;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ParseText(const char *path, char *text, size_t length, FgTable *table)
{
  PetscInt capacity = 0;
  char    *row      = text;

  PetscFunctionBegin;
  PetscCheck(strlen(text) == length, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found binary data, expected a text of numbers", path);
  if (length >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) row += 3; /* byte order mark of Windows editors */
  for (int line = 1; *row; line++) {
    const size_t end  = strcspn(row, "\r\n");
    const size_t skip = row[end] == '\r' && row[end + 1] == '\n' ? 2 : row[end] ? 1 : 0;

    row[end] = 0;
    if (row[strspn(row, separators)] != '#') PetscCall(ParseRow(path, line, row, table, &capacity));
    row += end + skip;
  }
  PetscCheck(table->nvalues > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found no numbers, expected a text of numbers",
             path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgTableRead(const char *path, FgTable *table)
{
  char          *text;
  size_t         length;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  memset(table, 0, sizeof *table);
  PetscCall(FgTextRead(path, TABLE_LIMIT, "a text of numbers", &text, &length));
  ierr = ParseText(path, text, length, table);
  PetscCall(PetscFree(text));
  if (ierr) PetscCall(FgTableDestroy(table));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgTableDestroy(FgTable *table)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(table->values));
  memset(table, 0, sizeof *table);
  PetscFunctionReturn(PETSC_SUCCESS);
}
