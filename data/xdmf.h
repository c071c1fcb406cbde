/* xdmf.h: an XDMF text that describes datasets of an HDF5 file beside it, for ParaView. Private to data/.
   Source: https://www.xdmf.org/index.php/XDMF_Model_and_Format */
#ifndef FINEGRAIN_DATA_XDMF_H
#define FINEGRAIN_DATA_XDMF_H

#include "finegrain/base.h"

#include <stdio.h>

/* Letters that a path or XML minds become '_', but for `keep` (an address within the name, or NULL). */
PETSC_INTERN void FgXdmfPlain(char *name, const char *keep);
/* NAME.h5 of NAME.xdmf. Error: PETSC_ERR_USER where the path ends in something else. */
PETSC_INTERN PetscErrorCode FgXdmfData(const char *path, char data[PETSC_MAX_PATH_LEN]);
/* The text: `describe` writes the grids, with `data` as the text names the file. Errors: PETSC_ERR_FILE_WRITE, PETSC_ERR_MEM. */
PETSC_INTERN PetscErrorCode FgXdmfWrite(const char *path, void (*describe)(FILE *text, const char *data, const void *context),
                                        const void *context);

#endif
