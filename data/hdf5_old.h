/* hdf5_old.h: HDF5 files with a superblock of version 0 or 1, which libhdf5, h5py and MATLAB write unless told otherwise. Their metadata have
   no checksums, and libhdf5 1.10 follows damaged ones out of bounds. So it never sees such a file: it is walked here, every address checked,
   and what it holds is copied into a new file in memory. Private to data/hdf5_*.c. */
#ifndef FINEGRAIN_DATA_HDF5_OLD_H
#define FINEGRAIN_DATA_HDF5_OLD_H

#include "finegrain/base.h"

#include <hdf5.h>
#include <stdint.h>

/* A new file in memory with the attributes of the root, its datasets and those of its groups. What cannot be copied, as chunked datasets or
   compound types, stands there as an empty dataset of chunks or of opaque bytes, to be refused when it is asked for. Links that leave the
   file are left out. Error: PETSC_ERR_FILE_UNEXPECTED; *file is -1 then. */
PETSC_INTERN PetscErrorCode FgHdf5OldOpen(const char *path, const void *bytes, size_t length, hid_t *file);

/* --- Between hdf5_old.c and hdf5_old_copy.c ---------------------------------------------------------------------------------- */

typedef struct {
  const uint8_t *bytes;
  size_t         length;
  size_t         steps; /* that may still be taken, so that nothing goes round for long */
  size_t         left;  /* bytes of values that may still be copied: a file holds each only once */
  const char    *wrong; /* what was found first; NULL: nothing */
} FgOldFile;

typedef struct {
  uint16_t       type;
  PetscBool      shared; /* stands elsewhere: not read */
  const uint8_t *data;
  size_t         size;
} FgOldMessage;

enum { FG_OLD_DATASPACE = 1, FG_OLD_DATATYPE = 3, FG_OLD_EXTERNAL = 7, FG_OLD_LAYOUT = 8, FG_OLD_ATTRIBUTE = 12 };

/* Little-endian number of n <= 8 bytes. */
PETSC_INTERN uint64_t FgOldNumber(const uint8_t *at, size_t n);
/* n bytes at an address, or NULL with `wrong` noted where they do not lie in the file; counts a step. */
PETSC_INTERN const uint8_t *FgOldBytes(FgOldFile *old, uint64_t address, uint64_t n);
/* The message of a type that comes first, or NULL. */
PETSC_INTERN const FgOldMessage *FgOldFind(const FgOldMessage *messages, int n, int type);

/* An attribute, or a dataset, into an object of the new file. */
PETSC_INTERN void FgOldCopyAttribute(FgOldFile *old, const FgOldMessage *message, hid_t to);
PETSC_INTERN void FgOldCopyDataset(FgOldFile *old, const FgOldMessage *messages, int n, hid_t to, const char *name);

#endif
