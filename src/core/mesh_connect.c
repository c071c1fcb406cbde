/* mesh_connect.c: elements that share a face find each other in the bucket of the face's smallest node. */
#include "mesh_connect.h"

typedef struct {
  PetscInt other[2];        /* the larger nodes of the face, the second -1 in two dimensions */
  PetscInt element, corner; /* that the face belongs to and lies opposite to */
} Face;

static int CompareFaces(const void *a, const void *b)
{
  const Face *p = a, *q = b;

  for (int k = 0; k < 2; k++) {
    if (p->other[k] != q->other[k]) return p->other[k] < q->other[k] ? -1 : 1;
  }
  return 0;
}

void FgMeshFace(FgMesh mesh, PetscInt element, PetscInt corner, PetscInt face[3])
{
  const PetscInt *node = mesh->element + (size_t)(mesh->dim + 1) * element;
  PetscInt        n    = 0;

  for (PetscInt k = 0; k <= mesh->dim; k++) {
    PetscInt place = n;

    if (k == corner) continue;
    for (; place > 0 && face[place - 1] > node[k]; place--) face[place] = face[place - 1];
    face[place] = node[k];
    n++;
  }
}

PetscErrorCode FgMeshConnect(FgMesh mesh, PetscInt **neighbor, PetscInt *crowded)
{
  const PetscInt corners = mesh->dim + 1;
  size_t        *start;
  Face          *bucket;
  PetscInt      *other, face[3];

  PetscFunctionBegin;
  *crowded = -1;
  PetscCall(PetscMalloc1((size_t)corners * mesh->nelements, &other));
  PetscCall(PetscCalloc1((size_t)mesh->nnodes + 2, &start));
  PetscCall(PetscMalloc1((size_t)corners * mesh->nelements, &bucket));
  for (PetscInt e = 0; e < mesh->nelements; e++) {
    for (PetscInt k = 0; k < corners; k++) {
      FgMeshFace(mesh, e, k, face);
      start[face[0] + 2]++;
    }
  }
  for (PetscInt n = 0; n < mesh->nnodes; n++) start[n + 2] += start[n + 1];
  for (PetscInt e = 0; e < mesh->nelements; e++) { /* start[n + 1] becomes the end of n's bucket, the start of the next one's */
    for (PetscInt k = 0; k < corners; k++) {
      FgMeshFace(mesh, e, k, face);
      bucket[start[face[0] + 1]++]   = (Face){{face[1], mesh->dim == 3 ? face[2] : -1}, e, k};
      other[(size_t)corners * e + k] = -1;
    }
  }
  for (PetscInt n = 0; n < mesh->nnodes; n++) {
    const PetscBool sorted = start[n + 1] - start[n] > 64 ? PETSC_TRUE : PETSC_FALSE; /* few nodes have so many faces */

    if (sorted) qsort(bucket + start[n], start[n + 1] - start[n], sizeof(*bucket), CompareFaces);
    for (size_t a = start[n]; a < start[n + 1]; a++) {
      PetscInt *mine = other + (size_t)corners * bucket[a].element + bucket[a].corner;

      for (size_t b = a + 1; b < start[n + 1]; b++) {
        PetscInt *theirs = other + (size_t)corners * bucket[b].element + bucket[b].corner;

        if (CompareFaces(bucket + a, bucket + b) != 0) {
          if (sorted) break;
          continue;
        }
        if (*mine >= 0 || *theirs >= 0) {
          *crowded = bucket[a].element;
          break;
        }
        *mine   = bucket[b].element;
        *theirs = bucket[a].element;
      }
    }
  }
  PetscCall(PetscFree(start));
  PetscCall(PetscFree(bucket));
  *neighbor = other;
  PetscFunctionReturn(PETSC_SUCCESS);
}
