/* config.h: a flat YAML mapping, key: value, as experiment files use it and as a run writes it to be repeated. What the keys
   mean is the reader's business. */
#ifndef FINEGRAIN_CONFIG_H
#define FINEGRAIN_CONFIG_H

#include "base.h"

typedef struct {
  char *key, *value; /* a list of scalars is joined by commas; an empty value or null is "" */
  int   line;        /* of the key, from 1; 0 where it came from no file */
} FgConfigEntry;

typedef struct {
  PetscInt       n, capacity;
  FgConfigEntry *entries; /* in the order of the file */
} FgConfig;

/* Reads a YAML mapping of scalars and lists of scalars. Errors: PETSC_ERR_FILE_OPEN where the file cannot be opened;
   PETSC_ERR_USER, naming file and line, where it is not YAML, is nested, or names a key twice. Not collective. */
PETSC_EXTERN PetscErrorCode FgConfigRead(const char *path, FgConfig *config);
/* Appends a copy of key and value. */
PETSC_EXTERN PetscErrorCode FgConfigAdd(FgConfig *config, const char *key, const char *value, int line);
/* Value of a key, NULL where it is absent. */
PETSC_EXTERN const char *FgConfigValue(const FgConfig *config, const char *key);
/* Writes the entries under `comment` (lines that start with #, or NULL), whole or not at all; every value reads back as the
   same text. Error: PETSC_ERR_FILE_WRITE. */
PETSC_EXTERN PetscErrorCode FgConfigWrite(const char *path, const char *comment, const FgConfig *config);
PETSC_EXTERN PetscErrorCode FgConfigDestroy(FgConfig *config);

#endif
