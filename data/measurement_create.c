/* measurement_create.c: a measurement that comes from no file: its grid, mask and gradient table are given, its data are to be
   filled in. */
#include "measurement.h"

#include <string.h>

PetscErrorCode FgMeasurementCreate(MPI_Comm comm, const FgGrid *grid, const unsigned char *mask, const char *mask_source,
                                   FgGradients *gradients, FgMeasurement *m)
{
  PetscMPIInt    rank;
  PetscErrorCode ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  memset(m, 0, sizeof *m);
  m->comm = comm;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) {
    m->grid      = *grid;
    m->gradients = *gradients;
    m->ndata     = gradients->n;
    memset(gradients, 0, sizeof *gradients);
    ierr = FgMeasurementSetMask(mask, mask_source, m);
    if (!ierr && !m->nmask) {
      ierr = PetscError(PETSC_COMM_SELF, __LINE__, PETSC_FUNCTION_NAME, __FILE__, PETSC_ERR_FILE_UNEXPECTED, PETSC_ERROR_INITIAL,
                        "%s: found no voxel other than 0, expected a mask of at least one voxel", mask_source);
    }
  }
  ierr = FgAgree(comm, ierr);
  if (!ierr) ierr = FgMeasurementShare(m);
  if (ierr) PetscCall(FgMeasurementDestroy(m));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}
