/* field.c: the parameter field: one interlaced ghosted Vec and the frames of its direction charts. */
#include "finegrain/field.h"

PetscErrorCode FgFieldCreateVec(FgField field, Vec *v)
{
  const FgDomain d = field->domain;

  PetscFunctionBegin;
  PetscCall(
      VecCreateGhostBlock(d->comm, field->ncomponents, field->ncomponents * d->nlocal, PETSC_DETERMINE, d->nghost, d->ghosts, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFieldCreate(FgDomain domain, PetscInt ncomponents, const FgComponent components[], FgField *field)
{
  FgField f;

  PetscFunctionBegin;
  PetscCheck(ncomponents > 0 && ncomponents <= 8, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "a field has 1 to 8 components, not %" PetscInt_FMT, ncomponents);
  PetscCall(PetscNew(&f));
  f->domain      = domain;
  f->ncomponents = ncomponents;
  f->tangent     = -1;
  for (PetscInt c = 0; c < ncomponents; c++) {
    f->components[c] = components[c];
    if (components[c].kind != FG_KIND_TANGENT) continue;
    if (f->tangent < 0) f->tangent = c;
    f->ntangent++;
  }
  PetscCall(FgFieldCreateVec(f, &f->m));
  if (f->ntangent) {
    PetscCall(PetscCalloc1(9 * (size_t)(domain->nlocal + domain->nghost), &f->frames));
    for (PetscInt i = 0; i < domain->nlocal + domain->nghost; i++) {
      f->frames[9 * i + 0] = f->frames[9 * i + 4] = f->frames[9 * i + 8] = 1.0;
    }
  }
  *field = f;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFieldDestroy(FgField *field)
{
  PetscFunctionBegin;
  if (!*field) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecDestroy(&(*field)->m));
  PetscCall(PetscFree((*field)->frames));
  PetscCall(PetscFree(*field));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt FgFieldFind(FgField field, const char *name)
{
  for (PetscInt c = 0; c < field->ncomponents; c++) {
    PetscBool same = PETSC_FALSE;

    if (!PetscStrcmp(field->components[c].name, name, &same) && same) return c;
  }
  return -1;
}

PetscErrorCode FgFieldUpdateFrames(FgField field)
{
  const FgDomain d = field->domain;
  Vec            frames;

  PetscFunctionBegin;
  if (!field->ntangent) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(
      VecCreateGhostBlockWithArray(d->comm, 9, 9 * d->nlocal, PETSC_DETERMINE, d->nghost, d->ghosts, field->frames, &frames));
  PetscCall(VecGhostUpdateBegin(frames, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(frames, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecDestroy(&frames));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFieldRecenter(FgField field)
{
  PetscScalar *m;

  PetscFunctionBegin;
  if (!field->ntangent) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt c = 0; c < field->ntangent;
       c++) { /* a direction held to a plane keeps its chart, whose axes are those of the plane */
    const FgComponent *component = &field->components[field->tangent + c];

    if (component->lower == component->upper) PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(VecGetArray(field->m, &m));
  for (PetscInt i = 0; i < field->domain->nlocal; i++) {
    FgChartRecenter(field->ntangent, &m[i * field->ncomponents + field->tangent], &field->frames[9 * i]);
  }
  PetscCall(VecRestoreArray(field->m, &m));
  PetscCall(FgFieldUpdateFrames(field));
  PetscCall(VecGhostUpdateBegin(field->m, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(field->m, INSERT_VALUES, SCATTER_FORWARD));
  PetscFunctionReturn(PETSC_SUCCESS);
}
