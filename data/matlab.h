/* matlab.h: real matrices out of MATLAB's files. Private to data/. */
#ifndef FINEGRAIN_DATA_MATLAB_H
#define FINEGRAIN_DATA_MATLAB_H

#include "finegrain/base.h"

typedef struct {
  size_t  rows, columns;
  double *values; /* column by column; PetscFree. NULL: the variable is not there */
} FgMatrix;

/* The variable `name` of a file of version 5 to 7 (with or without compression) or 7.3. Errors: PETSC_ERR_FILE_OPEN;
   PETSC_ERR_FILE_UNEXPECTED: no such file, damaged, or the variable is no real matrix; `expected` ends the message where it is missing (NULL:
   it may be). */
PETSC_INTERN PetscErrorCode FgMatlabRead(const char *path, const char *name, const char *expected, FgMatrix *matrix);

#endif
