/* gmsh_text.c: words and numbers of a Gmsh file, written or binary; nothing is read beyond its end. */
#include "gmsh.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void SkipSpace(FgGmshText *t)
{
  while (t->at < t->length && isspace((unsigned char)t->bytes[t->at])) t->at++;
}

PetscErrorCode FgGmshWord(FgGmshText *t, char *word, size_t size)
{
  size_t n = 0;

  PetscFunctionBegin;
  SkipSpace(t);
  PetscCheck(t->at < t->length, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found the end of the file in %s, expected more of it", t->path, t->section);
  while (t->at < t->length && !isspace((unsigned char)t->bytes[t->at])) {
    if (n + 1 < size) word[n++] = t->bytes[t->at];
    t->at++;
  }
  word[n] = 0;
  for (size_t k = 0; k < n; k++) word[k] = isprint((unsigned char)word[k]) ? word[k] : '?';
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckRange(const FgGmshText *t, PetscInt64 value, PetscInt64 low, PetscInt64 high)
{
  PetscFunctionBegin;
  PetscCheck(value >= low && value <= high, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found the number %lld in %s (byte %lld), expected %lld to %lld", t->path, (long long)value, t->section,
             (long long)t->at, (long long)low, (long long)high);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGmshWritten(FgGmshText *t, PetscInt64 low, PetscInt64 high, PetscInt64 *value)
{
  char         word[32], *end;
  const size_t from = t->at;

  PetscFunctionBegin;
  PetscCall(FgGmshWord(t, word, sizeof word));
  errno  = 0;
  *value = strtoll(word, &end, 10);
  PetscCheck(!*end && end != word && !errno, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found \"%s\" in %s (byte %lld), expected a whole number", t->path, word, t->section, (long long)from);
  PetscCall(CheckRange(t, *value, low, high));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The next bytes of a binary file, in this machine's order. */
static PetscErrorCode Bytes(FgGmshText *t, size_t n, void *value)
{
  unsigned char *bytes = value;

  PetscFunctionBegin;
  PetscCheck(t->length - t->at >= n, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found the end of the file in %s, expected more of it", t->path, t->section);
  for (size_t k = 0; k < n; k++) bytes[t->swapped ? n - 1 - k : k] = (unsigned char)t->bytes[t->at + k];
  t->at += n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGmshInteger(FgGmshText *t, int bytes, PetscInt64 low, PetscInt64 high, PetscInt64 *value)
{
  PetscFunctionBegin;
  if (!t->binary) {
    PetscCall(FgGmshWritten(t, low, high, value));
  } else if (bytes == 4) {
    int32_t four = 0;

    PetscCall(Bytes(t, 4, &four));
    *value = four;
  } else {
    int64_t eight = 0;

    PetscCall(Bytes(t, 8, &eight));
    *value = eight;
  }
  PetscCall(CheckRange(t, *value, low, high));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGmshReal(FgGmshText *t, double *value)
{
  char         word[64], *end;
  const size_t from = t->at;

  PetscFunctionBegin;
  if (t->binary) {
    PetscCall(Bytes(t, 8, value));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FgGmshWord(t, word, sizeof word));
  *value = strtod(word, &end);
  PetscCheck(!*end && end != word, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found \"%s\" in %s (byte %lld), expected a number", t->path, word, t->section, (long long)from);
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgGmshEndLine(FgGmshText *t)
{
  while (t->at < t->length && (t->bytes[t->at] == ' ' || t->bytes[t->at] == '\t' || t->bytes[t->at] == '\r')) t->at++;
  if (t->at < t->length && t->bytes[t->at] == '\n') t->at++;
}

PetscErrorCode FgGmshEndSection(FgGmshText *t, const char *name, PetscBool skip)
{
  char   expected[80], word[80];
  size_t n;

  PetscFunctionBegin;
  snprintf(expected, sizeof expected, "$End%s", name + 1);
  n = strlen(expected);
  if (!skip) {
    PetscCall(FgGmshWord(t, word, sizeof word));
    PetscCheck(!strcmp(word, expected), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found \"%.40s\" after %s (byte %lld), expected %s", t->path, word, name, (long long)t->at, expected);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  for (; t->at + n <= t->length; t->at++) {
    const char *dollar = memchr(t->bytes + t->at, '$', t->length - t->at);

    if (!dollar || (size_t)(t->bytes + t->length - dollar) < n) break;
    t->at = (size_t)(dollar - t->bytes);
    if (memcmp(dollar, expected, n)) continue;
    t->at += n;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found no %s, expected one after %s", t->path, expected, name);
}

PetscErrorCode FgGmshRoom(const FgGmshText *t, PetscInt64 n, size_t bytes, const char *things)
{
  PetscFunctionBegin;
  PetscCheck((size_t)n <= (t->length - t->at) / bytes + 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %lld %s announced in %s, more than the %lld bytes behind can hold", t->path, (long long)n, things,
             t->section, (long long)(t->length - t->at));
  PetscFunctionReturn(PETSC_SUCCESS);
}
