/* measurement_create.c: a measurement that comes from no file: its grid, mask and gradient table are given, its data are to be
   filled in. */
#include "measurement.h"

#include <string.h>

PetscErrorCode FgMeasurementCreate(MPI_Comm comm, const FgGrid *grid, const unsigned char *mask, const char *mask_source,
                                   FgGradients *gradients, FgMeasurement *m)
{
  PetscBool      first;
  PetscErrorCode ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  PetscCall(FgMeasurementBegin(comm, m, &first));
  if (first) {
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
  PetscCall(FgMeasurementEnd(ierr, PETSC_FALSE, m));
  PetscFunctionReturn(PETSC_SUCCESS);
}
