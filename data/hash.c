/* hash.c: SHA-256 of a file, by which a result names its sources. */
#include "finegrain/result.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

PetscErrorCode FgFileHash(const char *path, char hex[65])
{
  struct sha256_ctx context;
  uint8_t           digest[SHA256_DIGEST_SIZE], bytes[16384];
  size_t            found;
  FILE             *file = fopen(path, "rb");
  int               failed;

  PetscFunctionBegin;
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: cannot be opened: %s", path, strerror(errno));
  sha256_init(&context);
  while ((found = fread(bytes, 1, sizeof bytes, file)) > 0) sha256_update(&context, found, bytes);
  failed = ferror(file);
  (void)fclose(file);
  PetscCheck(!failed, PETSC_COMM_SELF, PETSC_ERR_FILE_READ, "%s: cannot be read", path);
  sha256_digest(&context, sizeof digest, digest);
  for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
  PetscFunctionReturn(PETSC_SUCCESS);
}
