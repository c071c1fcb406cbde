/* homogenize_output.c: the files of `finegrain homogenize`: refused before the work where they are in the way, written after it. */
#include "homogenize.h"

#include "stop.h"

#include "finegrain/result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The folder of a file. */
static void FolderOf(const char *path, FgText folder)
{
  const char *slash = strrchr(path, '/');

  if (!slash) snprintf(folder, sizeof(FgText), ".");
  else snprintf(folder, sizeof(FgText), "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* Rank 0. Before the work, not after it. */
static PetscErrorCode RefuseFile(const HomogenizeSettings *s, const char *path)
{
  FgText folder;

  PetscFunctionBegin;
  if (!path[0]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(s->force || access(path, F_OK), PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s exists already; choose another name or give --force", path);
  FolderOf(path, folder);
  PetscCheck(!access(folder, W_OK | X_OK), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: nothing can be written to %s: %s", path,
             strcmp(folder, ".") ? folder : "this folder", strerror(errno));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Refuse(const HomogenizeSettings *s)
{
  char path[PETSC_MAX_PATH_LEN + 32];

  PetscFunctionBegin;
  PetscCall(RefuseFile(s, s->output));
  PetscCall(RefuseFile(s, s->json));
  PetscCall(RefuseFile(s, s->picture));
  if (FgHomogenizeEndsWith(s->fields, ".xdmf")) {
    PetscCall(RefuseFile(s, s->fields));
    PetscCall(PetscSNPrintf(path, sizeof(path), "%.*s.h5", (int)strlen(s->fields) - 5, s->fields));
    PetscCall(RefuseFile(s, path));
  } else if (s->fields[0]) { /* a folder, which may be there already */
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/labels.nii.gz", s->fields));
    PetscCheck(s->force || access(path, F_OK), PETSC_COMM_SELF, PETSC_ERR_USER,
               "%s exists already; choose another folder or give --force", path);
    PetscCall(FgFolderMake(s->fields));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgHomogenizeWatch(const char *path)
{
  static FgText folder;

  FolderOf(path, folder);
  FgStopSetFolder(folder);
}

PetscErrorCode FgHomogenizeRefuse(const HomogenizeSettings *s)
{
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) code = Refuse(s);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizeWriteJson(const HomogenizeSettings *s, const json_t *root)
{
  const char *const paths[2] = {FgHomogenizeEndsWith(s->output, ".json") ? s->output : "", s->json};
  PetscErrorCode    code     = PETSC_SUCCESS;
  PetscMPIInt       rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  for (int k = 0; k < 2 && !rank && !code; k++) {
    if (!paths[k][0]) continue;
    FgHomogenizeWatch(paths[k]);
    code = FgWriteJson(paths[k], root);
  }
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteVolumes(const HomogenizeSettings *s, FgCell cell, const FgHomogenized *found)
{
  char path[2 * PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  FgStopSetFolder(s->fields);
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/labels.nii.gz", s->fields));
  PetscCall(FgCellWriteLabels(path, cell));
  for (PetscInt k = 0; k < found->n; k++) {
    for (PetscInt i = 0; i < found->reports[k].nfields; i++) {
      const FgCellField *field = &found->reports[k].fields[i];

      PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s_%s.nii.gz", s->fields, found->physics[k]->name, field->name));
      PetscCall(FgCellWriteField(path, cell, field));
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizeWriteFields(const HomogenizeSettings *s, FgCell cell, const FgHomogenized *found)
{
  PetscFunctionBegin;
  if (FgHomogenizeEndsWith(s->fields, ".xdmf")) {
    FgHomogenizeWatch(s->fields);
    PetscCall(FgCellWriteXdmf(s->fields, cell, found->n, found->reports));
  } else if (s->fields[0]) PetscCall(WriteVolumes(s, cell, found));
  if (s->picture[0]) {
    const FgCellField *field = NULL;

    for (PetscInt k = 0; k < found->n && !field; k++) field = found->reports[k].nfields ? found->reports[k].fields : NULL;
    FgHomogenizeWatch(s->picture);
    PetscCall(FgCellWritePicture(s->picture, cell, field));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
