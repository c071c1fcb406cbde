/* partial.h: a file gets its final name only when it is whole: write NAME.partial, then keep it or drop it. */
#ifndef FINEGRAIN_DATA_PARTIAL_H
#define FINEGRAIN_DATA_PARTIAL_H

#include "finegrain/base.h"

/* Name to write to. Error: PETSC_ERR_FILE_WRITE where it would be too long. */
PETSC_INTERN PetscErrorCode FgPartialName(const char *path, char partial[PETSC_MAX_PATH_LEN]);
/* Brings NAME.partial to the disk and renames it to NAME; drops it where that fails. Error: PETSC_ERR_FILE_WRITE. */
PETSC_INTERN PetscErrorCode FgPartialKeep(const char *path);
/* Removes NAME.partial. */
PETSC_INTERN void FgPartialDrop(const char *path);

#endif
