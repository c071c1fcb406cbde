/* stop.h: leaving cleanly on SIGINT and SIGTERM. */
#ifndef FINEGRAIN_APP_STOP_H
#define FINEGRAIN_APP_STOP_H

#include "finegrain/base.h"

/* To be called before any other thread exists. From now on SIGINT and SIGTERM end the process with 128 + signal, after the
   NAME.partial files of the output folder have been removed. FALSE where the system has no thread for it. */
PetscBool FgStopWatch(void);
/* The folder whose unfinished files are to be removed; the string is borrowed. */
void FgStopSetFolder(const char *folder);

#endif
