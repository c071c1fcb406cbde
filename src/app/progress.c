/* progress.c: lines for the user and for log.txt, and a progress line that is redrawn in place. */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void FgLogCreate(FgLog *log, PetscBool speaks, PetscBool quiet, PetscBool verbose)
{
  const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

  memset(log, 0, sizeof(*log));
  log->speaks   = speaks;
  log->quiet    = quiet;
  log->verbose  = verbose;
  log->terminal = isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb")) ? PETSC_TRUE : PETSC_FALSE;
  log->color    = log->terminal && !(no_color && *no_color) ? PETSC_TRUE : PETSC_FALSE;
  log->start    = FgWallSeconds();
}

void FgLogDestroy(FgLog *log)
{
  free(log->text);
  memset(log, 0, sizeof(*log));
}

/* Appends to log.txt; where memory is short the log is cut rather than the run ended. */
static void Keep(FgLog *log, const char *line)
{
  const size_t need = log->length + strlen(line) + 16;

  if (need > log->capacity) {
    const size_t capacity = 2 * need + 4096;
    char        *text     = realloc(log->text, capacity);

    if (!text) return;
    log->text     = text;
    log->capacity = capacity;
  }
  log->length += (size_t)snprintf(log->text + log->length, log->capacity - log->length, "%9.2f %s\n",
                                  FgWallSeconds() - log->start, line);
}

static void EraseProgress(const FgLog *log)
{
  if (log->terminal && !log->quiet && log->task[0]) fprintf(stderr, "\r\033[K");
}

#define FORMAT_LINE(line, format) \
  char    line[2048]; \
  va_list arguments; \
  va_start(arguments, format); \
  vsnprintf(line, sizeof(line), format, arguments); \
  va_end(arguments)

void FgLogResult(FgLog *log, const char *format, ...)
{
  FORMAT_LINE(line, format);
  if (!log->speaks) return;
  Keep(log, line);
  EraseProgress(log);
  if (!log->quiet) printf("%s\n", line);
}

void FgLogLine(FgLog *log, const char *format, ...)
{
  FORMAT_LINE(line, format);
  if (!log->speaks) return;
  Keep(log, line);
  EraseProgress(log);
  if (!log->quiet) fprintf(stderr, "%s\n", line);
}

void FgLogDetail(FgLog *log, const char *format, ...)
{
  FORMAT_LINE(line, format);
  if (!log->speaks) return;
  Keep(log, line);
  EraseProgress(log);
  if (log->verbose && !log->quiet) fprintf(stderr, "%s%s%s\n", log->color ? "\033[2m" : "", line, log->color ? "\033[0m" : "");
}

void FgLogWarning(FgLog *log, const char *format, ...)
{
  char kept[2064];

  FORMAT_LINE(line, format);
  if (!log->speaks) return;
  snprintf(kept, sizeof(kept), "warning: %s", line);
  Keep(log, kept);
  EraseProgress(log);
  fprintf(stderr, "finegrain: %swarning:%s %s\n", log->color ? "\033[33m" : "", log->color ? "\033[0m" : "", line);
}

void FgProgressBegin(FgLog *log, const char *task, double total, const char *unit)
{
  snprintf(log->task, sizeof(log->task), "%s", task);
  snprintf(log->unit, sizeof(log->unit), "%s", unit);
  log->total      = total;
  log->done       = 0;
  log->task_start = FgWallSeconds();
  log->last_drawn = log->task_start;
}

void FgProgressUpdate(FgLog *log, double done)
{
  const double now = FgWallSeconds(), elapsed = now - log->task_start;

  log->done = done;
  if (!log->speaks || log->quiet || !log->terminal || now - log->last_drawn < 0.2) return;
  log->last_drawn = now;
  fprintf(stderr, "\r\033[K%s", log->task);
  if (log->total > 0) fprintf(stderr, " %3.0f %%", 100 * done / log->total);
  if (done > 0) fprintf(stderr, ", %.3g %s/s", done / elapsed, log->unit);
  if (log->total > 0 && done > 0) fprintf(stderr, ", %.0f s left", elapsed * (log->total - done) / done);
  fflush(stderr);
}

void FgProgressEnd(FgLog *log)
{
  const double elapsed = FgWallSeconds() - log->task_start;
  char         task[sizeof(log->task)];

  if (!log->task[0]) return;
  EraseProgress(log);
  snprintf(task, sizeof(task), "%s", log->task);
  log->task[0] = '\0';
  if (log->done > 0) FgLogDetail(log, "%s: %.6g %s in %.2f s", task, log->done, log->unit, elapsed);
  else FgLogDetail(log, "%s: %.2f s", task, elapsed);
}
