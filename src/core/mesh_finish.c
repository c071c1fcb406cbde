/* mesh_finish.c: a mesh as it was filled in becomes one that is whole and in order.

   Elements of a mesh whose sites are elements follow the Hilbert curve through their centroids (J. Skilling, "Programming the
   Hilbert curve", AIP Conf. Proc. 707, 381, 2004), so that a contiguous run of them is a compact piece with a short boundary; nodes
   are numbered as the elements first meet them, so that a rank's nodes are a contiguous run too. */
#include "finegrain/mesh.h"

#include "mesh_connect.h"

typedef struct {
  uint64_t key;
  PetscInt element;
} Place;

typedef struct {
  PetscInt node[3], electrode; /* ascending; node[2] = -1 in two dimensions */
  PetscInt found;
} ElectrodeFace;

static PetscErrorCode CheckNumbers(FgMesh m, const char *source)
{
  const size_t corners = (size_t)m->dim + 1;

  PetscFunctionBegin;
  PetscCheck(m->nelements > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found no elements, expected a mesh of %s", source,
             m->dim == 2 ? "triangles" : "tetrahedra");
  for (size_t k = 0; k < 3 * (size_t)m->nnodes; k++) {
    PetscCheck(isfinite(m->node[k]) && PetscAbsReal(m->node[k]) < 1e30, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: node %" PetscInt_FMT " is at %g along %c, expected a finite coordinate", source, (PetscInt)(k / 3),
               m->node[k], "xyz"[k % 3]);
    PetscCheck(m->dim == 3 || k % 3 != 2 || m->node[k] == 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: node %" PetscInt_FMT " has z = %g, expected 0 in two dimensions", source, (PetscInt)(k / 3), m->node[k]);
  }
  for (size_t k = 0; k < corners * m->nelements; k++) {
    PetscCheck(m->element[k] >= 0 && m->element[k] < m->nnodes, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: element %" PetscInt_FMT " has node %" PetscInt_FMT ", expected 0 to %" PetscInt_FMT, source,
               (PetscInt)(k / corners), m->element[k], m->nnodes - 1);
  }
  for (PetscInt i = 0; i < m->nelectrodes; i++) {
    PetscCheck(m->face_start[i + 1] > m->face_start[i], PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: electrode %s has no faces, expected at least one", source, m->electrode[i]);
    for (PetscInt k = m->dim * m->face_start[i]; k < m->dim * m->face_start[i + 1]; k++) {
      PetscCheck(m->face[k] >= 0 && m->face[k] < m->nnodes, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: a face of electrode %s has node %" PetscInt_FMT ", expected 0 to %" PetscInt_FMT, source, m->electrode[i],
                 m->face[k], m->nnodes - 1);
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Makes every volume positive; one that is nothing against its longest edge is none. */
static PetscErrorCode Orient(FgMesh m, const char *source)
{
  PetscFunctionBegin;
  for (PetscInt e = 0; e < m->nelements; e++) {
    PetscInt    *corner  = m->element + (size_t)(m->dim + 1) * e;
    const double volume  = FgMeshVolume(m, e);
    double       longest = 0.0;

    for (PetscInt k = 1; k <= m->dim; k++) {
      double square = 0.0;

      for (int x = 0; x < 3; x++) {
        const double difference = m->node[3 * (size_t)corner[k] + x] - m->node[3 * (size_t)corner[0] + x];

        square += difference * difference;
      }
      longest = PetscMax(longest, sqrt(square));
    }
    PetscCheck(PetscAbsReal(volume) > 1e-12 * longest * longest * (m->dim == 3 ? longest : 1.0), PETSC_COMM_SELF,
               PETSC_ERR_FILE_UNEXPECTED,
               "%s: element %" PetscInt_FMT " has no %s (nodes %" PetscInt_FMT ", %" PetscInt_FMT ", %" PetscInt_FMT
               "...), expected corners that span one; mesh again",
               source, e, m->dim == 2 ? "area" : "volume", corner[0], corner[1], corner[2]);
    if (volume < 0.0) {
      const PetscInt swap = corner[0];

      corner[0] = corner[1];
      corner[1] = swap;
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Position along the Hilbert curve of cells x[dim] of `bits` bits each. */
static uint64_t Hilbert(PetscInt dim, int bits, uint32_t x[3])
{
  const uint32_t top  = (uint32_t)1 << (bits - 1);
  uint32_t       turn = 0;
  uint64_t       key  = 0;

  for (uint32_t q = top; q > 1; q >>= 1) { /* undo the turns of the larger cells */
    for (PetscInt i = 0; i < dim; i++) {
      if (x[i] & q) {
        x[0] ^= q - 1;
      } else {
        const uint32_t swap = (x[0] ^ x[i]) & (q - 1);

        x[0] ^= swap;
        x[i] ^= swap;
      }
    }
  }
  for (PetscInt i = 1; i < dim; i++) x[i] ^= x[i - 1]; /* Gray code */
  for (uint32_t q = top; q > 1; q >>= 1) {
    if (x[dim - 1] & q) turn ^= q - 1;
  }
  for (PetscInt i = 0; i < dim; i++) x[i] ^= turn;
  for (int bit = bits - 1; bit >= 0; bit--) {
    for (PetscInt i = 0; i < dim; i++) key = key << 1 | (x[i] >> bit & 1);
  }
  return key;
}

static int ComparePlaces(const void *a, const void *b)
{
  const Place *p = a, *q = b;

  if (p->key != q->key) return p->key < q->key ? -1 : 1;
  return p->element < q->element ? -1 : p->element > q->element;
}

/* Where each element goes: by its site, or along the curve where a site is an element. */
static PetscErrorCode SetPlaces(FgMesh m, Place *place)
{
  const PetscInt corners = m->dim + 1;
  const int      bits    = m->dim == 2 ? 31 : 21;
  double         low[3] = {0.0}, extent = 0.0;

  PetscFunctionBegin;
  for (int axis = 0; axis < 3; axis++) {
    double high = -PETSC_MAX_REAL;

    low[axis] = PETSC_MAX_REAL;
    for (PetscInt n = 0; n < m->nnodes; n++) {
      low[axis] = PetscMin(low[axis], m->node[3 * (size_t)n + axis]);
      high      = PetscMax(high, m->node[3 * (size_t)n + axis]);
    }
    extent = PetscMax(extent, high - low[axis]);
  }
  for (PetscInt e = 0; e < m->nelements; e++) {
    uint32_t cell[3] = {0};

    for (PetscInt axis = 0; axis < m->dim; axis++) {
      double center = 0.0;

      for (PetscInt k = 0; k < corners; k++) center += m->node[3 * (size_t)m->element[(size_t)corners * e + k] + axis] / corners;
      cell[axis] = (uint32_t)(PetscMax(0.0, (center - low[axis]) / extent) * (double)(((uint32_t)1 << bits) - 1));
    }
    place[e] = (Place){m->site ? (uint64_t)m->site[e] : Hilbert(m->dim, bits, cell), e};
  }
  qsort(place, m->nelements, sizeof(*place), ComparePlaces);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode OrderElements(FgMesh m, const char *source)
{
  const size_t corners = (size_t)m->dim + 1;
  Place       *place;
  PetscInt    *element, *site;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(m->nelements, &place));
  PetscCall(PetscMalloc1(corners * m->nelements, &element));
  PetscCall(PetscMalloc1(m->nelements, &site));
  PetscCall(SetPlaces(m, place));
  for (PetscInt e = 0; e < m->nelements; e++) {
    PetscCall(PetscArraycpy(element + corners * e, m->element + corners * place[e].element, corners));
    site[e] = m->site ? m->site[place[e].element] : e;
  }
  if (!m->site) m->nsites = m->nelements;
  PetscCall(PetscFree(place));
  PetscCall(PetscFree(m->element));
  PetscCall(PetscFree(m->site));
  m->element = element;
  m->site    = site;
  for (PetscInt e = 0, expected = 0; e < m->nelements; e++) {
    if (e > 0 && site[e] != site[e - 1]) expected++;
    PetscCheck(site[e] == expected && (e < m->nelements - 1 || site[e] == m->nsites - 1), PETSC_COMM_SELF,
               PETSC_ERR_FILE_UNEXPECTED,
               "%s: found elements of site %" PetscInt_FMT ", expected of every site from 0 to %" PetscInt_FMT, source, site[e],
               m->nsites - 1);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Nodes in the order in which elements meet them; nodes that none meets go. Faces of electrodes must be faces of elements. */
static PetscErrorCode OrderNodes(FgMesh m, const char *source)
{
  PetscInt *number, n = 0;
  double   *node;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(m->nnodes, &number));
  for (PetscInt k = 0; k < m->nnodes; k++) number[k] = -1;
  for (size_t k = 0; k < (m->dim + 1) * (size_t)m->nelements; k++) {
    PetscInt *corner = m->element + k;

    if (number[*corner] < 0) number[*corner] = n++;
    *corner = number[*corner];
  }
  for (PetscInt i = 0; i < m->nelectrodes; i++) {
    for (PetscInt k = m->dim * m->face_start[i]; k < m->dim * m->face_start[i + 1]; k++) {
      const PetscInt old = m->face[k];

      m->face[k] = number[old];
      if (number[old] < 0) {
        PetscCall(PetscFree(number));
        SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                "%s: a face of electrode %s has node %" PetscInt_FMT ", which no element has; expected faces on the boundary",
                source, m->electrode[i], old);
      }
    }
  }
  PetscCall(PetscMalloc1(3 * (size_t)n, &node));
  for (PetscInt k = 0; k < m->nnodes; k++) {
    if (number[k] >= 0) PetscCall(PetscArraycpy(node + 3 * (size_t)number[k], m->node + 3 * (size_t)k, 3));
  }
  PetscCall(PetscFree(number));
  PetscCall(PetscFree(m->node));
  m->node   = node;
  m->nnodes = n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static int CompareFaces(const void *a, const void *b)
{
  const ElectrodeFace *p = a, *q = b;

  for (int k = 0; k < 3; k++) {
    if (p->node[k] != q->node[k]) return p->node[k] < q->node[k] ? -1 : 1;
  }
  return 0;
}

/* All elements are one piece by their faces. */
static PetscErrorCode CheckOnePiece(FgMesh m, const PetscInt *neighbor, const char *source)
{
  const PetscInt corners = m->dim + 1;
  PetscInt      *stack, n = 0, reached = 0;
  PetscBool     *seen;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(m->nelements, &stack));
  PetscCall(PetscCalloc1(m->nelements, &seen));
  stack[n++] = 0;
  seen[0]    = PETSC_TRUE;
  while (n > 0) {
    const PetscInt e = stack[--n];

    reached++;
    for (PetscInt k = 0; k < corners; k++) {
      const PetscInt other = neighbor[(size_t)corners * e + k];

      if (other < 0 || seen[other]) continue;
      seen[other] = PETSC_TRUE;
      stack[n++]  = other;
    }
  }
  PetscCall(PetscFree(stack));
  PetscCall(PetscFree(seen));
  PetscCheck(reached == m->nelements, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a mesh in several pieces (one has %" PetscInt_FMT " of %" PetscInt_FMT
             " elements), expected one; merge nodes that coincide or leave the other pieces out",
             source, reached, m->nelements);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckElectrodeFaces(FgMesh m, const PetscInt *neighbor, ElectrodeFace *faces, const char *source)
{
  const PetscInt corners = m->dim + 1, nfaces = m->face_start[m->nelectrodes];
  ElectrodeFace *match;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < m->nelectrodes; i++) {
    for (PetscInt f = m->face_start[i]; f < m->face_start[i + 1]; f++) {
      faces[f] = (ElectrodeFace){{0, 0, -1}, i, 0};
      PetscCall(PetscArraycpy(faces[f].node, m->face + (size_t)m->dim * f, m->dim));
      PetscCall(PetscSortInt(m->dim, faces[f].node));
    }
  }
  qsort(faces, nfaces, sizeof(*faces), CompareFaces);
  for (PetscInt f = 1; f < nfaces; f++) {
    PetscCheck(CompareFaces(faces + f - 1, faces + f) != 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: electrodes %s and %s share a face, expected each face to belong to one electrode once", source,
               m->electrode[faces[f - 1].electrode], m->electrode[faces[f].electrode]);
  }
  for (PetscInt e = 0; e < m->nelements; e++) {
    for (PetscInt k = 0; k < corners; k++) {
      ElectrodeFace key = {{0, 0, -1}, 0, 0};

      if (neighbor[(size_t)corners * e + k] >= 0) continue;
      FgMeshFace(m, e, k, key.node);
      match = bsearch(&key, faces, nfaces, sizeof(*faces), CompareFaces);
      if (match) match->found = 1;
    }
  }
  for (PetscInt f = 0; f < nfaces; f++) {
    const double *x = m->node + 3 * (size_t)faces[f].node[0];

    PetscCheck(faces[f].found, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: a face of electrode %s, at (%g, %g, %g) m, is not on the boundary, expected boundary faces alone", source,
               m->electrode[faces[f].electrode], x[0], x[1], x[2]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckConnections(FgMesh m, const PetscInt *neighbor, PetscInt crowded, const char *source)
{
  ElectrodeFace *faces;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCheck(crowded < 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: element %" PetscInt_FMT
             " (as ordered) has a face that more than two elements share, expected at most two; mesh again",
             source, crowded);
  PetscCall(CheckOnePiece(m, neighbor, source));
  PetscCall(PetscMalloc1(m->face_start[m->nelectrodes] + 1, &faces));
  ierr = CheckElectrodeFaces(m, neighbor, faces, source);
  PetscCall(PetscFree(faces));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeshFinish(FgMesh mesh, const char *source)
{
  PetscInt      *neighbor, crowded;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCall(CheckNumbers(mesh, source));
  PetscCall(Orient(mesh, source));
  PetscCall(OrderElements(mesh, source));
  PetscCall(OrderNodes(mesh, source));
  PetscCall(FgMeshConnect(mesh, &neighbor, &crowded));
  ierr = CheckConnections(mesh, neighbor, crowded, source);
  PetscCall(PetscFree(neighbor));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}
