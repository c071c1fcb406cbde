/* progress.h: what the user sees while a command runs, and what log.txt keeps of it.

   Only rank 0 says anything. stdout: results (FgLogResult). stderr: the rest. -q leaves only warnings and errors; -v adds
   details. Progress is redrawn in place, with rate and time left, only where stderr is a terminal. Every line except
   the redrawn ones is also kept in memory with a time stamp [s since the start]; a command writes it as log.txt. */
#ifndef FINEGRAIN_APP_PROGRESS_H
#define FINEGRAIN_APP_PROGRESS_H

#include "finegrain/base.h"

typedef struct {
  PetscBool speaks; /* rank 0 */
  PetscBool quiet, verbose;
  PetscBool terminal;  /* stderr can redraw a line */
  PetscBool color;     /* and shows color: a terminal, and NO_COLOR is not set */
  int       exit_code; /* of a run without error: 0, or 4 where the target was not reached */
  double    start;     /* [s], FgWallSeconds */
  char     *text;      /* log.txt so far, closed by 0 */
  size_t    length, capacity;
  char      task[64]; /* of the progress line, "" where there is none */
  char      unit[32];
  double    total, done, task_start, last_drawn;
} FgLog;

void FgLogCreate(FgLog *log, PetscBool speaks, PetscBool quiet, PetscBool verbose);
void FgLogDestroy(FgLog *log);

/* printf-style, one line without a line end each. */
void FgLogResult(FgLog *log, const char *format, ...) __attribute__((format(printf, 2, 3)));  /* stdout unless -q */
void FgLogLine(FgLog *log, const char *format, ...) __attribute__((format(printf, 2, 3)));    /* stderr unless -q */
void FgLogDetail(FgLog *log, const char *format, ...) __attribute__((format(printf, 2, 3)));  /* stderr with -v */
void FgLogWarning(FgLog *log, const char *format, ...) __attribute__((format(printf, 2, 3))); /* stderr always */

/* A task of `total` units ("voxels"); total 0: unknown. Redrawn at most five times a second. FgProgressEnd logs how long it took. */
void FgProgressBegin(FgLog *log, const char *task, double total, const char *unit);
void FgProgressUpdate(FgLog *log, double done);
void FgProgressEnd(FgLog *log);

#endif
