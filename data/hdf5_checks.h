/* hdf5_checks.h: what is asked of the parts of an HDF5 file before they are read. Ids that are not valid answer PETSC_FALSE.
   Private to data/. */
#ifndef FINEGRAIN_DATA_HDF5_CHECKS_H
#define FINEGRAIN_DATA_HDF5_CHECKS_H

#include "finegrain/base.h"

#include <hdf5.h>

/* Whether n bytes open with HDF5's signature, and whether a file does. */
PETSC_INTERN PetscBool FgIsHdf5Bytes(const void *bytes, size_t n);
PETSC_INTERN PetscBool FgIsHdf5(const char *path);

/* IEEE numbers of double, or also of single precision; whole numbers of up to 8 bytes. */
PETSC_INTERN PetscBool FgHdf5IsDouble(hid_t type);
PETSC_INTERN PetscBool FgHdf5IsReal(hid_t type);
PETSC_INTERN PetscBool FgHdf5IsInteger(hid_t type);

/* Texts of fixed length of at most `size` bytes. */
PETSC_INTERN PetscBool FgHdf5IsText(hid_t type, size_t size);
/* Whether a text is of printable characters. */
PETSC_INTERN PetscBool FgHdf5IsLine(const char *text);
/* text[size] of an attribute that is such a line, else "". */
PETSC_INTERN PetscBool FgHdf5Line(hid_t object, const char *name, size_t size, char *text);
/* Whether the values of a dataset lie in one piece within the file, neither packed nor filtered. */
PETSC_INTERN PetscBool FgHdf5IsPiece(hid_t dataset);

/* Whether NAME, or each part of NAME/NAME, is a link within the file. */
PETSC_INTERN PetscBool FgHdf5IsWithin(hid_t file, const char *name);

#endif
