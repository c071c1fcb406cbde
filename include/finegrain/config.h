/* config.h: a flat YAML mapping, key: value, as experiment files use it. What the keys mean is the reader's business. */
#ifndef FINEGRAIN_CONFIG_H
#define FINEGRAIN_CONFIG_H

#include "base.h"

typedef struct {
  char *key, *value; /* a list of scalars is joined by commas */
  int   line;        /* of the key in the file, from 1 */
} FgConfigEntry;

typedef struct {
  PetscInt       n;
  FgConfigEntry *entries; /* in the order of the file */
} FgConfig;

/* Errors: PETSC_ERR_FILE_OPEN where the file cannot be read; PETSC_ERR_USER, with file and line, where it is no YAML, holds a
   nested mapping or gives a key twice. Not collective. */
PETSC_EXTERN PetscErrorCode FgConfigRead(const char *path, FgConfig *config);
PETSC_EXTERN PetscErrorCode FgConfigDestroy(FgConfig *config);

#endif
