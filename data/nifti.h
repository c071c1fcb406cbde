/* nifti.h: what the NIfTI files of this room share: opening behind the gate, and the exact reading of a stream. */
#ifndef FINEGRAIN_DATA_NIFTI_H
#define FINEGRAIN_DATA_NIFTI_H

#include "finegrain/image.h"

#include <zlib.h>

/* Opens `path`, checks its header and its extensions, and leaves the stream at the first byte of the data. */
PETSC_INTERN PetscErrorCode FgNiftiOpen(const char *path, FgImageInfo *info, gzFile *stream);

/* The gate and nifticlib on the header's bytes, bytes[348] or [540] as its first number says. file_size [bytes] bounds what
   an uncompressed file may claim; compressed files may claim what gzip can pack into file_size. Sets info but its path. */
PETSC_INTERN PetscErrorCode FgNiftiHeaderParse(const char *path, const unsigned char *bytes, size_t nbytes, PetscBool compressed,
                                               PetscInt64 file_size, FgImageInfo *info);

/* The next n <= FG_NIFTI_CHUNK values of an open stream, after `done` of them: slope and intercept applied;
   raw[n bytes_per_value] is work space. */
enum { FG_NIFTI_CHUNK = 65536 };
PETSC_INTERN PetscErrorCode FgNiftiReadValues(const FgImageInfo *info, gzFile stream, PetscInt64 done, PetscInt n,
                                              unsigned char *raw, float *values);
/* To the end of the stream after its last value, where zlib compares the check sum; raw[FG_NIFTI_CHUNK] is work space. */
PETSC_INTERN PetscErrorCode FgNiftiReadToEnd(const FgImageInfo *info, gzFile stream, unsigned char *raw);

/* Bytes of image data that the header promises. */
PETSC_INTERN PetscInt64 FgNiftiDataBytes(const FgImageInfo *info);

/* What zlib has to say about a stream that failed, in words. */
PETSC_INTERN const char *FgNiftiStreamError(gzFile stream);

#endif
