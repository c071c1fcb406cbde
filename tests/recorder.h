/* recorder.h: lets a test see what a user would see: the code of a failure and its first message.

     FgRecorderStart();                        after PetscInitialize
     ExpectFailure(FgSomething(...), PETSC_ERR_FILE_OPEN, "name.nii");    code, and a text that the message must contain
     ExpectSuccess(FgSomething(...));                                      prints the message where it fails
     FgRecorderStop();                         before PetscFinalize */
#ifndef FINEGRAIN_TESTS_RECORDER_H
#define FINEGRAIN_TESTS_RECORDER_H

#include "finegrain/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char           recorded_message[2048];
static PetscErrorCode recorded_code;

static PetscErrorCode RecordError(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                                  PetscErrorType type, const char *message, void *context)
{
  (void)comm, (void)line, (void)function, (void)file, (void)context;
  if (type == PETSC_ERROR_INITIAL && !recorded_message[0]) {
    snprintf(recorded_message, sizeof recorded_message, "%s", message ? message : "");
    recorded_code = code;
  }
  return code;
}

static inline void FgRecorderStart(void)
{
  (void)PetscPushErrorHandler(RecordError, NULL);
}

static inline void FgRecorderStop(void)
{
  (void)PetscPopErrorHandler();
}

/* Clears the record; evaluated before the call whose failure is of interest. */
static inline void FgRecorderClear(void)
{
  recorded_message[0] = 0;
  recorded_code       = 0;
}

static inline void CheckFailure(PetscErrorCode found, PetscErrorCode expected, const char *text, const char *file, int line)
{
  if (found != expected || !strstr(recorded_message, text) || strchr(recorded_message, '\n')) {
    print_error("%s:%d: code %d, message \"%s\"; expected code %d and one line with \"%s\"\n", file, line, (int)found,
                recorded_message, (int)expected, text);
    _fail(file, line);
  }
}

static inline void CheckSuccess(PetscErrorCode found, const char *file, int line)
{
  if (found) {
    print_error("%s:%d: code %d, message \"%s\"\n", file, line, (int)found, recorded_message);
    _fail(file, line);
  }
}

#define ExpectFailure(call, code, text) \
  do { \
    FgRecorderClear(); \
    CheckFailure((call), (code), (text), __FILE__, __LINE__); \
  } while (0)

#define ExpectSuccess(call) \
  do { \
    FgRecorderClear(); \
    CheckSuccess((call), __FILE__, __LINE__); \
  } while (0)

#endif
