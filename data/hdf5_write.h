/* hdf5_write.h: an HDF5 file that appears whole or not at all, in the format whose metadata carry checksums, without dates: equal contents
   make equal files. Every writer remembers a failure; the end reports it. Private to data/. */
#ifndef FINEGRAIN_DATA_HDF5_WRITE_H
#define FINEGRAIN_DATA_HDF5_WRITE_H

#include "hdf5_reports.h"

#include "finegrain/base.h"

typedef struct {
  const char *path; /* borrowed */
  hid_t       file;
  herr_t      status; /* negative once something failed */
  FgReports   reports;
} FgHdf5Out;

/* Error: PETSC_ERR_FILE_WRITE; then there is nothing to end. */
PETSC_INTERN PetscErrorCode FgHdf5Create(const char *path, FgHdf5Out *out);
/* Closes and renames; drops the file where anything failed or `failed` is set. Error: PETSC_ERR_FILE_WRITE. */
PETSC_INTERN PetscErrorCode FgHdf5Finish(FgHdf5Out *out, PetscBool failed);

/* Attributes of the root. */
PETSC_INTERN void FgHdf5PutText(FgHdf5Out *out, const char *name, const char *text);
PETSC_INTERN void FgHdf5PutInteger(FgHdf5Out *out, const char *name, PetscInt value);
PETSC_INTERN void FgHdf5PutNumbers(FgHdf5Out *out, const char *name, hsize_t n, const double *values);
PETSC_INTERN void FgHdf5PutCounts(FgHdf5Out *out, const char *name, hsize_t n, const PetscInt *values);
/* An attribute of a dataset that was put. */
PETSC_INTERN void FgHdf5PutTextOf(FgHdf5Out *out, const char *dataset, const char *name, const char *text);
/* Datasets NAME or GROUP/NAME; rank 0: one number. `unit` and `meaning` become attributes; either may be NULL. */
PETSC_INTERN void FgHdf5PutReals(FgHdf5Out *out, const char *name, const char *unit, const char *meaning, int rank,
                                 const hsize_t dims[], const double *values);
PETSC_INTERN void FgHdf5PutIntegers(FgHdf5Out *out, const char *name, const char *meaning, int rank, const hsize_t dims[],
                                    const PetscInt *values);
PETSC_INTERN void FgHdf5PutNames(FgHdf5Out *out, const char *name, const char *meaning, hsize_t n, const char (*names)[32]);

#endif
