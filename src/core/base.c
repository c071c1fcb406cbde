/* base.c: agreement on failure between ranks, clocks and memory. */
#include "finegrain/base.h"

#include <sys/resource.h>
#include <time.h>

PetscErrorCode FgAgree(MPI_Comm comm, PetscErrorCode mine)
{
  int theirs = (int)mine, worst = 0;

  if (MPI_Allreduce(&theirs, &worst, 1, MPI_INT, MPI_MAX, comm) != MPI_SUCCESS) return PETSC_ERR_MPI;
  return mine ? mine : (PetscErrorCode)worst;
}

static double Seconds(clockid_t clock)
{
  struct timespec t;

  return clock_gettime(clock, &t) ? 0.0 : (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double FgCpuSeconds(void)
{
  return Seconds(CLOCK_PROCESS_CPUTIME_ID);
}

double FgWallSeconds(void)
{
  return Seconds(CLOCK_MONOTONIC);
}

double FgPeakMemory(void)
{
  struct rusage usage;

  return getrusage(RUSAGE_SELF, &usage) ? 0.0 : 1024.0 * (double)usage.ru_maxrss;
}
