/* xdmf.c: the frame of an XDMF text; see xdmf.h. */
#include "xdmf.h"

#include "finegrain/result.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void FgXdmfPlain(char *name, const char *keep)
{
  for (char *c = name; *c; c++) {
    if (c != keep && !isalnum((unsigned char)*c) && !strchr("_-+.()", *c)) *c = '_';
  }
}

PetscErrorCode FgXdmfData(const char *path, char data[PETSC_MAX_PATH_LEN])
{
  const size_t length = strlen(path);

  PetscFunctionBegin;
  PetscCheck(length > 5 && length < PETSC_MAX_PATH_LEN && !strcmp(path + length - 5, ".xdmf"), PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found another ending, expected .xdmf", path);
  snprintf(data, PETSC_MAX_PATH_LEN, "%.*s.h5", (int)(length - 5), path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgXdmfWrite(const char *path, void (*describe)(FILE *text, const char *data, const void *context),
                           const void *context)
{
  char           data[PETSC_MAX_PATH_LEN], *slash, *text = NULL;
  size_t         length = 0;
  FILE          *stream;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscFunctionBegin;
  PetscCall(FgXdmfData(path, data));
  slash  = strrchr(data, '/');
  stream = open_memstream(&text, &length);
  PetscCheck(stream, PETSC_COMM_SELF, PETSC_ERR_MEM, "%s: no memory for its text", path);
  fprintf(stream, "<?xml version=\"1.0\" ?>\n<!DOCTYPE Xdmf SYSTEM \"Xdmf.dtd\" []>\n<Xdmf Version=\"2.0\">\n  <Domain>\n");
  describe(stream, slash ? slash + 1 : data, context);
  fprintf(stream, "  </Domain>\n</Xdmf>\n");
  if (fclose(stream)) code = PETSC_ERR_MEM;
  if (!code) code = FgWriteText(path, text);
  free(text);
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}
