/* record.h: what a run leaves beside its results, so that it can be understood and repeated: settings, sources, config.yaml, log.txt. */
#ifndef FINEGRAIN_APP_RECORD_H
#define FINEGRAIN_APP_RECORD_H

#include "command.h"

#include <jansson.h>

/* A number, null where it is not finite: JSON has no NaN. A new reference, as the next. */
json_t *FgJsonNumber(double value);
/* Every option by its name, with the text that gives its value. */
json_t *FgRecordSettings(const FgCommand *command, const void *settings);
/* Appends {"File", "SHA256"} to a list; nothing for the path "". Not collective. Errors: of FgFileHash. */
PetscErrorCode FgRecordSource(const char *path, json_t *sources);
/* Refuses a file that exists, unless force (PETSC_ERR_USER), or whose folder is missing (PETSC_ERR_FILE_WRITE): before the work. */
PetscErrorCode FgRecordMayWrite(const char *path, PetscBool force);
/* Writes config.yaml and log.txt into a folder. Rank 0. */
PetscErrorCode FgRecordWrite(const FgCommand *command, const void *settings, const char *folder, const FgLog *log);

#endif
