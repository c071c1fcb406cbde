/* failure.c: recording PETSc errors and reporting the first one. */
#include "failure.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static PetscErrorCode Record(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                             PetscErrorType type, const char *message, void *context)
{
  FgFailure *failure = context;

  if (type == PETSC_ERROR_INITIAL && !failure->code) {
    failure->code = code;
    snprintf(failure->message, sizeof(failure->message), "%s", message ? message : "");
    failure->message[strcspn(failure->message, "\n")] = '\0';
  }
  if (failure->length + 1 < sizeof(failure->trace)) {
    const size_t rest = sizeof(failure->trace) - failure->length;

    snprintf(failure->trace + failure->length, rest, "  %s() at %s:%d\n", function, file, line);
    failure->length += strlen(failure->trace + failure->length);
  }
  return code;
}

PetscErrorCode FgFailureRecord(FgFailure *failure)
{
  PetscFunctionBegin;
  PetscCall(PetscPushErrorHandler(Record, failure));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int FgExitCode(PetscErrorCode code)
{
  switch ((int)code) {
  case 0: return FG_EXIT_DONE;
  case PETSC_ERR_USER: return FG_EXIT_USAGE;
  case PETSC_ERR_FILE_OPEN:
  case PETSC_ERR_FILE_READ:
  case PETSC_ERR_FILE_UNEXPECTED:
  case PETSC_ERR_MEM: return FG_EXIT_INPUT;
  case PETSC_ERR_NOT_CONVERGED: return FG_EXIT_MISSED;
  case PETSC_ERR_FILE_WRITE: return FG_EXIT_OUTPUT;
  default: return FG_EXIT_DEFECT;
  }
}

/* Sum of `mine` over the ranks, or FALSE where not all ranks have come within `seconds`. */
static PetscBool Gather(int mine, MPI_Op operation, double seconds, int *all)
{
  const double          begin = FgWallSeconds();
  const struct timespec pause = {.tv_nsec = 2000000};
  MPI_Request           request;
  int                   done = 0;

  if (MPI_Iallreduce(&mine, all, 1, MPI_INT, operation, PETSC_COMM_WORLD, &request)) return PETSC_FALSE;
  while (!done) {
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE)) return PETSC_FALSE;
    if (!done && FgWallSeconds() - begin > seconds) return PETSC_FALSE;
    if (!done) nanosleep(&pause, NULL);
  }
  return PETSC_TRUE;
}

static void Print(const FgFailure *failure, PetscErrorCode code, PetscBool verbose)
{
  const char *message = failure->message[0] ? failure->message : "no message";

  if (FgExitCode(code) != FG_EXIT_DEFECT) {
    fprintf(stderr, "finegrain: %s\n", message);
    return;
  }
  fprintf(stderr, "finegrain: defect of finegrain, error %d: %s%s\n", (int)code, message,
          verbose ? "" : " (run again with -v and report it with what is printed then)");
  if (verbose) fprintf(stderr, "%s", failure->trace);
}

int FgFailureReport(const FgFailure *failure, PetscErrorCode code, PetscBool verbose, double seconds)
{
  const PetscErrorCode first = failure->code ? failure->code : code;
  int                  size, rank, speaker;

  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (!Gather(failure->message[0] ? rank : size, MPI_MIN, seconds, &speaker)) {
    Print(failure, first, verbose);
    MPI_Abort(PETSC_COMM_WORLD, FgExitCode(first));
  }
  if (speaker == rank || (speaker == size && rank == 0)) Print(failure, first, verbose);
  /* The speaker's error is the run's; the others hold the code that FgAgree gave them. */
  return FgExitCode(first);
}
