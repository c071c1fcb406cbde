/* base.h: what every room shares: PETSc, the version, and how an error becomes one line and an exit code.

   Library code never prints and never exits. It fails with PetscCheck/SETERRQ, whose message is the one line that the
   user sees ("FILE: found X, expected Y; do Z"), and whose code says what kind of failure it is:

     PETSC_ERR_FILE_OPEN, _FILE_READ, _FILE_UNEXPECTED   an input cannot be read or is inconsistent      exit 3
     PETSC_ERR_FILE_WRITE                                an output cannot be written                     exit 5
     PETSC_ERR_USER                                      the command line or configuration is wrong      exit 2
     PETSC_ERR_MEM                                       more memory is needed than allowed              exit 3
     PETSC_ERR_NOT_CONVERGED                             a solve did not converge                            exit 4
     anything else                                       a defect of finegrain                           exit 1
*/
#ifndef FINEGRAIN_BASE_H
#define FINEGRAIN_BASE_H

#include <petscsys.h>
#include <petscvec.h>

#define FG_VERSION "0.1.0"

/* PETSC_SUCCESS came with PETSc 3.19. All differences between PETSc versions live here. */
#if PETSC_VERSION_LT(3, 19, 0)
#define PETSC_SUCCESS ((PetscErrorCode)0)
#endif
/* TaoSetMonitor became TaoMonitorSet with 3.21. */
#if PETSC_VERSION_LT(3, 21, 0)
#define FgTaoMonitorSet(tao, monitor, context) TaoSetMonitor(tao, monitor, context, NULL)
#else
#define FgTaoMonitorSet(tao, monitor, context) TaoMonitorSet(tao, monitor, context, NULL)
#endif

/* Makes a failure on any rank a failure on every rank: collective, returns `mine` where it is non-zero, the code of
   a failing rank where another rank failed, 0 otherwise. Raises no new message: the failing rank has raised it. */
PETSC_EXTERN PetscErrorCode FgAgree(MPI_Comm comm, PetscErrorCode mine);

/* CPU seconds of this process, and wall-clock seconds; differences only. */
PETSC_EXTERN double FgCpuSeconds(void);
PETSC_EXTERN double FgWallSeconds(void);

/* Peak resident memory of this process [bytes]. */
PETSC_EXTERN double FgPeakMemory(void);

#endif
