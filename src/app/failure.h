/* failure.h: how a PETSc error becomes one line for the user and an exit code (base.h, docs/exit-codes.md). */
#ifndef FINEGRAIN_APP_FAILURE_H
#define FINEGRAIN_APP_FAILURE_H

#include "finegrain/base.h"

enum { FG_EXIT_DONE = 0, FG_EXIT_DEFECT = 1, FG_EXIT_USAGE = 2, FG_EXIT_INPUT = 3, FG_EXIT_MISSED = 4, FG_EXIT_OUTPUT = 5 };

typedef struct {
  PetscErrorCode code;          /* of the first error, 0: none */
  char           message[2048]; /* its line */
  char           trace[16384];  /* function and line of every frame it passed */
  size_t         length;        /* of trace */
} FgFailure;

/* Records the first error from now on, in place of PETSc's own report. `failure` is borrowed. */
PetscErrorCode FgFailureRecord(FgFailure *failure);

int FgExitCode(PetscErrorCode code);

/* Prints one line from one rank, the lowest that has a message; with `verbose` the trace of a defect too. Waits for the
   other ranks to fail likewise; where one does not within `seconds`, ends the whole job. Returns the exit code. */
int FgFailureReport(const FgFailure *failure, PetscErrorCode code, PetscBool verbose, double seconds);

#endif
