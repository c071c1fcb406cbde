/* table.h: small tables of numbers as text. */
#ifndef FINEGRAIN_DATA_TABLE_H
#define FINEGRAIN_DATA_TABLE_H

#include "finegrain/base.h"

typedef struct {
  PetscInt nrows, ncolumns; /* ncolumns 0 where the rows differ in length */
  PetscInt nvalues;
  double  *values; /* in reading order */
} FgTable;

/* Reads numbers separated by blanks, tabs or commas; rows end with LF, CR or CRLF; empty rows and lines that start with #
   are left out; "nan" and "inf" are numbers. Errors: PETSC_ERR_FILE_OPEN, PETSC_ERR_FILE_UNEXPECTED (naming line and word). */
PETSC_INTERN PetscErrorCode FgTableRead(const char *path, FgTable *table);
PETSC_INTERN PetscErrorCode FgTableDestroy(FgTable *table);
/* A whole file as text with a closing 0; PetscFree. At most `limit` bytes. */
PETSC_INTERN PetscErrorCode FgTextRead(const char *path, size_t limit, const char *expected, char **text, size_t *length);

#endif
