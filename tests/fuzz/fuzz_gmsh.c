/* fuzz_gmsh.c: whatever the bytes of a Gmsh file are, it is read or refused; a mesh that is accepted is whole. */
#include "fuzz.h"

#include "finegrain/mesh.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  FgMesh mesh;

  if (FgMeshReadGmsh(FuzzFile(bytes, n), 0.001, &mesh)) return mesh ? 1 : 0;
  for (PetscInt k = 0; k < (mesh->dim + 1) * mesh->nelements; k++) {
    if (mesh->element[k] < 0 || mesh->element[k] >= mesh->nnodes) abort();
  }
  for (PetscInt k = 0; k < mesh->dim * mesh->face_start[mesh->nelectrodes]; k++) {
    if (mesh->face[k] < 0 || mesh->face[k] >= mesh->nnodes) abort();
  }
  for (PetscInt k = 0; k < 3 * mesh->nnodes; k++) {
    if (!isfinite(mesh->node[k])) abort();
  }
  return FgMeshDestroy(&mesh) ? 1 : 0;
}

size_t FuzzSeed(int k, uint8_t *bytes, size_t limit)
{
  static const char *const names[] = {"square22", "square22b", "square41", "square41b", "cube22", "cube22b", "cube41", "cube41b"};
  const char              *folder  = getenv("FIXTURES");
  char                     path[4096];
  FILE                    *file;
  size_t                   n;

  if (k >= 8) return 0;
  snprintf(path, sizeof path, "%s/gmsh/%s.msh", folder ? folder : "tests/fixtures", names[k]);
  file = fopen(path, "rb");
  if (!file) abort(); /* FIXTURES names the folder */
  n = fread(bytes, 1, limit, file);
  fclose(file);
  return n;
}
