/* fuzz_eit.c: whatever the bytes of an impedance measurement are, it is read or refused; an accepted one passes the check again. */
#include "fuzz.h"

#include "../eit_by_others.h"

#include "finegrain/eit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  FgEit     eit;
  PetscBool is;

  if (FgEitRecognize(FuzzFile(bytes, n), &is)) abort();
  if (FgEitRead(FuzzFile(bytes, n), &eit)) {
    if (eit) abort();
    return 0;
  }
  if (!is || FgEitCheck(eit)) abort();
  return FgEitDestroy(&eit) ? 1 : 0;
}

/* One triangle with three electrodes, in a tank (k = 0) or with a mesh (k = 1); a file of the old format (k = 2). */
static void Measurement(int k, const char *path)
{
  FgEit eit;

  if (k == 2) {
    if (EitByOthers(path, BY_OTHERS_OLD, 1) || FgEitRead(path, &eit) || FgEitDestroy(&eit)) abort();
    return;
  }
  if (FgEitCreate(3, 1, 2, &eit)) abort();
  for (PetscInt l = 0; l < 3; l++) {
    eit->name[l][0]   = (char)('A' + l);
    eit->impedance[l] = 0.01;
  }
  eit->current[0] = eit->pattern[1] = eit->pattern[3] = 1.0;
  eit->current[2] = eit->pattern[2] = eit->pattern[5] = -1.0;
  eit->voltage[0] = eit->voltage[1] = 0.5;
  if (k) {
    static const double   node[9] = {0, 0, 0, 1, 0, 0, 0, 1, 0};
    static const PetscInt face[6] = {0, 1, 1, 2, 2, 0};

    if (FgMeshCreate(2, 3, 1, 3, 3, &eit->mesh)) abort();
    memcpy(eit->mesh->node, node, sizeof node);
    memcpy(eit->mesh->face, face, sizeof face);
    for (PetscInt l = 0; l < 3; l++) {
      eit->mesh->element[l]        = l;
      eit->mesh->face_start[l + 1] = l + 1;
      eit->mesh->electrode[l][0]   = (char)('A' + l);
    }
    if (FgMeshFinish(eit->mesh, "seed")) abort();
  } else {
    if (PetscCalloc1(3, &eit->angle) || PetscCalloc1(3, &eit->width) || PetscCalloc1(9, &eit->position)) abort();
    eit->radius = 1.0;
    for (PetscInt l = 0; l < 3; l++) {
      eit->angle[l]        = (double)l;
      eit->width[l]        = 0.1;
      eit->position[4 * l] = 1.0;
    }
  }
  if (FgEitWrite(path, eit) || FgEitDestroy(&eit)) abort();
  if (FgEitRead(path, &eit) || FgEitDestroy(&eit)) abort(); /* a good seed */
}

size_t FuzzSeed(int k, uint8_t *bytes, size_t limit)
{
  return FuzzFileSeed(k, 3, Measurement, bytes, limit);
}
