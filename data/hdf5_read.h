/* hdf5_read.h: a file of HDF5 read without trusting it: an image in memory, of which libhdf5 sees only metadata with checksums (superblock 2
   or 3) or those that it wrote itself (hdf5_old.h); datasets that lie in one piece, types that need no luck, sizes checked before anything
   is allocated. Private to data/. */
#ifndef FINEGRAIN_DATA_HDF5_READ_H
#define FINEGRAIN_DATA_HDF5_READ_H

#include "hdf5_reports.h"

#include "finegrain/base.h"

enum { FG_HDF5_AXES = 4 }; /* dimensions of a dataset at most */

typedef struct {
  const char *path; /* borrowed */
  hid_t       file;
  char       *bytes;
  size_t      length;
  FgReports   reports;
} FgHdf5;

/* `expected` says what the file should have been. Errors: PETSC_ERR_FILE_OPEN, PETSC_ERR_FILE_UNEXPECTED; nothing is held then. */
PETSC_INTERN PetscErrorCode FgHdf5Open(const char *path, size_t limit, const char *expected, FgHdf5 *hdf5);
/* `damaged`: reading failed; HDF5 then keeps quiet about the memory that it lost. */
PETSC_INTERN PetscErrorCode FgHdf5Close(FgHdf5 *hdf5, PetscBool damaged);

/* Whether the file is one of HDF5 that does not say that its format is another. Raises no error: a damaged file may be one. */
PETSC_INTERN PetscBool FgHdf5MayBe(const char *path, const char *format);

/* Whether the root has something of this name, or NAME/NAME: links within the file only. */
PETSC_INTERN PetscBool FgHdf5Has(const FgHdf5 *hdf5, const char *name);
/* A text of fixed length, or a finite number, as an attribute of the root. `found` PETSC_FALSE: it is not there. */
PETSC_INTERN PetscErrorCode FgHdf5Text(const FgHdf5 *hdf5, const char *name, size_t size, char *text, PetscBool *found);
PETSC_INTERN PetscErrorCode FgHdf5Number(const FgHdf5 *hdf5, const char *name, double *value, PetscBool *found);
/* Number of dimensions and sizes of a dataset that must be there; each size is 1 .. PETSC_MAX_INT. */
PETSC_INTERN PetscErrorCode FgHdf5Sizes(const FgHdf5 *hdf5, const char *name, int *rank, hsize_t dims[FG_HDF5_AXES]);
/* Values of a dataset of these sizes (rank 0: one number), as doubles or whole numbers; NULL `values` only checks. Where the dataset has an
   attribute `unit` it must be this one. */
PETSC_INTERN PetscErrorCode FgHdf5Reals(const FgHdf5 *hdf5, const char *name, const char *unit, int rank, const hsize_t dims[],
                                        double *values);
PETSC_INTERN PetscErrorCode FgHdf5Integers(const FgHdf5 *hdf5, const char *name, int rank, const hsize_t dims[],
                                           PetscInt *values);
/* n texts of at most 31 printable characters. */
PETSC_INTERN PetscErrorCode FgHdf5Names(const FgHdf5 *hdf5, const char *name, hsize_t n, char (*names)[32]);

#endif
