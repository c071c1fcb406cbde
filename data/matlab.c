/* matlab.c: real matrices out of MATLAB's files. Version 7.3, which is HDF5, is left to matio; files of version 5 to 7 are read here,
   because matio 1.5 does not come back from some damaged ones.

   After a header of 128 bytes follow elements: a tag (type, number of bytes) and data, padded to 8 bytes. An element on the top is a matrix
   or a compressed matrix; a matrix holds elements for flags, sizes, name and values, whose type may be any number that holds them.
   Source: MathWorks, MAT-File Format (R2023b), chapter 1 */
#include "matlab.h"

#include "table.h"

#include <limits.h>
#include <math.h>
#include <matio.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

enum { FILE_LIMIT = 64 * 1024 * 1024, VALUE_LIMIT = 4 * 1024 * 1024, HEADER = 128 };
enum { INT8 = 1, UINT8, INT16, UINT16, INT32, UINT32, SINGLE, DOUBLE = 9, INT64 = 12, UINT64, MATRIX, COMPRESSED };
enum { CLASS_DOUBLE = 6, CLASS_SINGLE = 7, FLAG_COMPLEX = 8 };

typedef struct {
  uint32_t       type, size;
  const uint8_t *data;
} Element;

/* --- Versions 5 to 7 --------------------------------------------------------------------------------------------------------- */

static uint32_t Word(const uint8_t *bytes)
{
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* The element at *at, and past it; FALSE where it does not fit. */
static PetscBool NextElement(const uint8_t **at, const uint8_t *end, PetscBool top, Element *element)
{
  size_t step;

  if (end - *at < 8) return PETSC_FALSE;
  element->type = Word(*at);
  if (element->type >> 16) { /* up to four bytes within the tag */
    element->size = element->type >> 16;
    element->type &= 0xffff;
    element->data = *at + 4;
    *at += 8;
    return element->size <= 4 ? PETSC_TRUE : PETSC_FALSE;
  }
  element->size = Word(*at + 4);
  element->data = *at + 8;
  if (element->size > (size_t)(end - element->data)) return PETSC_FALSE;
  step = element->size;
  if (!top) step = (step + 7) / 8 * 8;
  *at = element->data + PetscMin(step, (size_t)(end - element->data)); /* the last padding may be missing */
  return PETSC_TRUE;
}

static double ValueAt(uint32_t type, const uint8_t *data, size_t i)
{
  switch (type) {
  case INT8: return (double)(int8_t)data[i];
  case UINT8: return (double)data[i];
  case INT16: return (double)(int16_t)(data[2 * i] | data[2 * i + 1] << 8);
  case UINT16: return (double)(data[2 * i] | data[2 * i + 1] << 8);
  case INT32: return (double)(int32_t)Word(data + 4 * i);
  case UINT32: return (double)Word(data + 4 * i);
  case SINGLE: {
    const uint32_t word = Word(data + 4 * i);
    float          value;

    memcpy(&value, &word, sizeof value);
    return (double)value;
  }
  default: {
    const uint64_t word = (uint64_t)Word(data + 8 * i) | (uint64_t)Word(data + 8 * i + 4) << 32;
    double         value;

    memcpy(&value, &word, sizeof value);
    return type == DOUBLE ? value : type == INT64 ? (double)(int64_t)word : (double)word;
  }
  }
}

static size_t SizeOf(uint32_t type)
{
  static const size_t sizes[] = {0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8};

  return type < sizeof sizes / sizeof *sizes ? sizes[type] : 0;
}

/* Where the content of a matrix is that of `name`, its values; `wrong` says why there are none. */
static PetscErrorCode ReadNamed(const uint8_t *at, const uint8_t *end, const char *name, FgMatrix *matrix, const char **wrong)
{
  Element flags, sizes, label, values;
  double  n;

  PetscFunctionBegin;
  if (!NextElement(&at, end, PETSC_FALSE, &flags) || flags.size < 4 || !NextElement(&at, end, PETSC_FALSE, &sizes) ||
      !NextElement(&at, end, PETSC_FALSE, &label)) {
    *wrong = "is damaged";
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (label.size != strlen(name) || memcmp(label.data, name, label.size)) PetscFunctionReturn(PETSC_SUCCESS);
  *wrong = "is something else, expected a matrix of real numbers";
  if ((flags.data[0] != CLASS_DOUBLE && flags.data[0] != CLASS_SINGLE) || flags.data[1] & FLAG_COMPLEX || sizes.type != INT32 ||
      sizes.size != 8)
    PetscFunctionReturn(PETSC_SUCCESS);
  matrix->rows    = Word(sizes.data);
  matrix->columns = Word(sizes.data + 4);
  n               = (double)matrix->rows * (double)matrix->columns;
  if (n < 1 || n > VALUE_LIMIT) PetscFunctionReturn(PETSC_SUCCESS);
  *wrong = "is damaged";
  if (!NextElement(&at, end, PETSC_FALSE, &values) || !SizeOf(values.type) ||
      values.size != matrix->rows * matrix->columns * SizeOf(values.type))
    PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(matrix->rows * matrix->columns, &matrix->values));
  for (size_t i = 0; i < matrix->rows * matrix->columns; i++) matrix->values[i] = ValueAt(values.type, values.data, i);
  *wrong = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A matrix behind zlib: its tag says how large it is, and its checksum must be right. */
static PetscErrorCode ReadCompressed(const Element *element, const char *name, FgMatrix *matrix, const char **wrong)
{
  z_stream stream = {.next_in = (Bytef *)(uintptr_t)element->data, .avail_in = element->size};
  uint8_t  tag[8], *content = NULL, extra;
  size_t   size;
  int      state;

  PetscFunctionBegin;
  *wrong = "is damaged";
  if (inflateInit(&stream) != Z_OK) PetscFunctionReturn(PETSC_SUCCESS);
  stream.next_out  = tag;
  stream.avail_out = sizeof tag;
  state            = inflate(&stream, Z_SYNC_FLUSH);
  size             = state == Z_OK && stream.avail_out == 0 && Word(tag) == MATRIX ? Word(tag + 4) : 0;
  if (size > 0 && size <= FILE_LIMIT && !PetscMalloc1(size, &content)) {
    stream.next_out  = content;
    stream.avail_out = (uInt)size;
    state            = inflate(&stream, Z_FINISH);
    if (state != Z_STREAM_END && stream.avail_out == 0) { /* only its checksum is left */
      stream.next_out  = &extra;
      stream.avail_out = 1;
      state            = inflate(&stream, Z_FINISH);
      if (stream.avail_out == 0) state = Z_DATA_ERROR;
    } else if (stream.avail_out != 0) state = Z_DATA_ERROR;
  } else state = Z_DATA_ERROR;
  (void)inflateEnd(&stream);
  if (state == Z_STREAM_END) {
    *wrong = NULL;
    PetscCall(ReadNamed(content, content + size, name, matrix, wrong));
  }
  PetscCall(PetscFree(content));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadFive(const uint8_t *bytes, size_t length, const char *name, FgMatrix *matrix, const char **wrong)
{
  const uint8_t *at = bytes + HEADER, *const end = bytes + length;
  Element element;

  PetscFunctionBegin;
  while (at < end && !matrix->values && !*wrong) {
    if (!NextElement(&at, end, PETSC_TRUE, &element)) *wrong = "comes after damage, or the file is cut off";
    else if (element.type == MATRIX) PetscCall(ReadNamed(element.data, element.data + element.size, name, matrix, wrong));
    else if (element.type == COMPRESSED) PetscCall(ReadCompressed(&element, name, matrix, wrong));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Version 7.3 --------------------------------------------------------------------------------------------------------------- */

static void Quiet(int level, char *message)
{
  (void)level, (void)message;
}

static PetscErrorCode ReadSeven(const char *path, const char *name, FgMatrix *matrix, const char **wrong)
{
  mat_t    *file;
  matvar_t *variable;

  PetscFunctionBegin;
  (void)Mat_LogInitFunc("finegrain", Quiet);
  *wrong = "is damaged, as is the file";
  file   = Mat_Open(path, MAT_ACC_RDONLY);
  if (!file) PetscFunctionReturn(PETSC_SUCCESS);
  *wrong   = NULL;
  variable = Mat_VarReadInfo(file, name);
  if (variable) {
    const PetscBool is_double = variable->class_type == MAT_C_DOUBLE ? PETSC_TRUE : PETSC_FALSE;

    *wrong = "is something else, expected a matrix of real numbers";
    if (variable->rank == 2 && variable->dims && !variable->isComplex && (is_double || variable->class_type == MAT_C_SINGLE) &&
        variable->dims[0] >= 1 && variable->dims[1] >= 1 &&
        (double)variable->dims[0] * (double)variable->dims[1] <= VALUE_LIMIT) {
      const size_t n = variable->dims[0] * variable->dims[1];

      *wrong = "is damaged";
      if (!Mat_VarReadDataAll(file, variable) && variable->data &&
          variable->nbytes == n * (is_double ? sizeof(double) : sizeof(float)) && !PetscMalloc1(n, &matrix->values)) {
        matrix->rows    = variable->dims[0];
        matrix->columns = variable->dims[1];
        for (size_t i = 0; i < n; i++)
          matrix->values[i] = is_double ? ((const double *)variable->data)[i] : (double)((const float *)variable->data)[i];
        *wrong = NULL;
      }
    }
    Mat_VarFree(variable);
  }
  (void)Mat_Close(file);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Both ------------------------------------------------------------------------------------------------------------------------ */

PetscErrorCode FgMatlabRead(const char *path, const char *name, const char *expected, FgMatrix *matrix)
{
  const char    *wrong = NULL;
  char          *bytes;
  size_t         length;
  PetscBool      five, seven;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscFunctionBegin;
  memset(matrix, 0, sizeof *matrix);
  PetscCall(FgTextRead(path, FILE_LIMIT, "a MATLAB file", &bytes, &length));
  five  = length > HEADER && !memcmp(bytes + 124, "\0\1IM", 4) ? PETSC_TRUE : PETSC_FALSE;
  seven = length > HEADER && !memcmp(bytes + 124, "\0\2IM", 4) ? PETSC_TRUE : PETSC_FALSE;
  if (five) code = ReadFive((const uint8_t *)bytes, length, name, matrix, &wrong);
  PetscCall(PetscFree(bytes));
  if (seven) code = ReadSeven(path, name, matrix, &wrong);
  PetscCall(code);
  PetscCheck(five || seven, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: is no MATLAB file of version 5 to 7.3 (little-endian), or cut off", path);
  PetscCheck(!wrong, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: variable %s %s", path, name, wrong);
  PetscCheck(matrix->values || !expected, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found no variable %s, expected %s",
             path, name, expected);
  PetscFunctionReturn(PETSC_SUCCESS);
}
