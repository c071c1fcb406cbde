/* space.c: degrees of freedom of continuous elements of degree 1 and 2 on a mesh that every rank holds.

   Elements are walked in their order; a node, and for degree 2 the midpoint of an edge, gets its number when an element first uses it.
   As ranks own runs of elements, what a rank's elements use first is a contiguous run too, and everybody finds the same numbers
   without a message. The mesh orders elements along a space-filling curve, which the numbers follow. */
#include "eit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of edges by their two nodes: open addressing. */
typedef struct {
  PetscInt64 *key;
  PetscInt   *number;
  size_t      capacity, used;
} EdgeTable;

static size_t Slot(const EdgeTable *table, PetscInt64 key)
{
  size_t slot = (size_t)((uint64_t)key * 0x9E3779B97F4A7C15u >> 20) & (table->capacity - 1);

  while (table->key[slot] >= 0 && table->key[slot] != key) slot = (slot + 1) & (table->capacity - 1);
  return slot;
}

static PetscErrorCode Allocate(EdgeTable *table, size_t capacity)
{
  PetscFunctionBegin;
  table->capacity = capacity;
  table->used     = 0;
  PetscCall(PetscMalloc2(capacity, &table->key, capacity, &table->number));
  for (size_t i = 0; i < capacity; i++) table->key[i] = -1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The number of an edge, which becomes *count where it has none yet. */
static PetscErrorCode Edge(EdgeTable *table, PetscInt nnodes, PetscInt a, PetscInt b, PetscInt *count, PetscInt *number)
{
  const PetscInt64 key = (PetscInt64)PetscMin(a, b) * nnodes + PetscMax(a, b);
  size_t           slot;

  PetscFunctionBegin;
  if (2 * table->used >= table->capacity) {
    EdgeTable old = *table;

    PetscCall(Allocate(table, 2 * old.capacity));
    for (size_t i = 0; i < old.capacity; i++) {
      if (old.key[i] < 0) continue;
      slot                = Slot(table, old.key[i]);
      table->key[slot]    = old.key[i];
      table->number[slot] = old.number[i];
    }
    table->used = old.used;
    PetscCall(PetscFree2(old.key, old.number));
  }
  slot = Slot(table, key);
  if (table->key[slot] < 0) {
    table->key[slot]    = key;
    table->number[slot] = (*count)++;
    table->used++;
  }
  *number = table->number[slot];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Global numbers of this rank's elements into space->dof. */
static PetscErrorCode Number(FgEitSpace *space)
{
  const FgMesh   mesh  = space->mesh;
  const PetscInt width = mesh->dim + 1, last = space->first_element + space->nelements;
  EdgeTable      edges = {0};
  PetscInt      *number, count = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(mesh->nnodes, &number));
  for (PetscInt i = 0; i < mesh->nnodes; i++) number[i] = -1;
  if (space->order == 2) PetscCall(Allocate(&edges, 1024));
  for (PetscInt e = 0; e < mesh->nelements; e++) {
    const PetscInt *node = &mesh->element[(size_t)e * width];
    PetscInt        basis[FG_EIT_BASIS], n = width;

    if (e == space->first_element) space->first = count;
    for (PetscInt i = 0; i < width; i++) {
      if (number[node[i]] < 0) number[node[i]] = count++;
      basis[i] = number[node[i]];
    }
    for (PetscInt i = 0; i < width && space->order == 2; i++) {
      for (PetscInt j = i + 1; j < width; j++) PetscCall(Edge(&edges, mesh->nnodes, node[i], node[j], &count, &basis[n++]));
    }
    if (e >= space->first_element && e < last) {
      PetscCall(PetscArraycpy(&space->dof[(size_t)(e - space->first_element) * space->nbasis], basis, space->nbasis));
    }
    if (e == last - 1) space->nowned = count - space->first;
  }
  if (space->first_element == mesh->nelements) space->first = count;
  if (!space->nelements) space->nowned = 0;
  space->ndof = count;
  PetscCall(PetscFree2(edges.key, edges.number));
  PetscCall(PetscFree(number));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static int Ascending(const void *a, const void *b)
{
  const PetscInt x = *(const PetscInt *)a, y = *(const PetscInt *)b;

  return (x > y) - (x < y);
}

/* Global numbers to local ones; what is not owned has been used by an earlier rank. */
static PetscErrorCode Localize(FgEitSpace *space)
{
  const size_t n = (size_t)space->nelements * space->nbasis;
  PetscInt    *outside, count = 0;

  PetscFunctionBegin;
  for (size_t i = 0; i < n; i++) count += space->dof[i] < space->first;
  PetscCall(PetscMalloc1(count, &outside));
  count = 0;
  for (size_t i = 0; i < n; i++) {
    if (space->dof[i] < space->first) outside[count++] = space->dof[i];
  }
  if (count) qsort(outside, (size_t)count, sizeof *outside, Ascending);
  space->nghost = 0;
  for (PetscInt i = 0; i < count; i++) {
    if (i == 0 || outside[i] != outside[i - 1]) outside[space->nghost++] = outside[i];
  }
  PetscCall(PetscMalloc1(space->nghost, &space->ghosts));
  PetscCall(PetscArraycpy(space->ghosts, outside, space->nghost));
  PetscCall(PetscFree(outside));
  for (size_t i = 0; i < n; i++) {
    PetscInt place;

    if (space->dof[i] >= space->first) {
      space->dof[i] -= space->first;
      continue;
    }
    PetscCall(PetscFindInt(space->dof[i], space->nghost, space->ghosts, &place));
    space->dof[i] = space->nowned + place;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A face by its nodes in ascending order. */
typedef struct {
  PetscInt node[3], electrode;
} FaceKey;

static int CompareFaces(const void *a, const void *b)
{
  const FaceKey *x = a, *y = b;

  for (int i = 0; i < 3; i++) {
    if (x->node[i] != y->node[i]) return x->node[i] < y->node[i] ? -1 : 1;
  }
  return 0;
}

static FaceKey Key(PetscInt dim, const PetscInt node[])
{
  FaceKey key = {{-1, -1, -1}, -1};

  for (PetscInt i = 0; i < dim; i++) key.node[3 - dim + i] = node[i];
  qsort(&key.node[3 - dim], (size_t)dim, sizeof *key.node, Ascending);
  return key;
}

static double Area(FgMesh mesh, const PetscInt node[])
{
  const double *a = &mesh->node[3 * (size_t)node[0]], *b = &mesh->node[3 * (size_t)node[1]];
  const double  p[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]};

  if (mesh->dim == 2) return sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
  const double *c    = &mesh->node[3 * (size_t)node[2]];
  const double  q[3] = {c[0] - a[0], c[1] - a[1], c[2] - a[2]};
  const double  n[3] = {p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]};

  return 0.5 * sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
}

/* Degrees of freedom of the face opposite to vertex `opposite` of a local element: vertices, then edges, in ascending local order. */
static void FaceBasis(const FgEitSpace *space, const PetscInt *dof, PetscInt opposite, PetscInt face[])
{
  const PetscInt width = space->mesh->dim + 1;
  PetscInt       n = 0, edge = width;

  for (PetscInt i = 0; i < width; i++) {
    if (i != opposite) face[n++] = dof[i];
  }
  for (PetscInt i = 0; i < width && space->order == 2; i++) {
    for (PetscInt j = i + 1; j < width; j++, edge++) {
      if (i != opposite && j != opposite) face[n++] = dof[edge];
    }
  }
}

/* The electrodes' faces at elements of this rank. */
static PetscErrorCode FindFaces(FgEitSpace *space)
{
  const FgMesh   mesh = space->mesh;
  const PetscInt dim = mesh->dim, width = dim + 1, total = mesh->face_start[mesh->nelectrodes];
  FaceKey       *keys;
  double        *scale;
  char          *touched;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(total, &keys));
  PetscCall(PetscCalloc1(mesh->nelectrodes, &scale));
  PetscCall(PetscCalloc1(mesh->nnodes, &touched));
  PetscCall(PetscCalloc1(total, &space->face));
  for (PetscInt l = 0; l < mesh->nelectrodes; l++) {
    for (PetscInt f = mesh->face_start[l]; f < mesh->face_start[l + 1]; f++) {
      const PetscInt *node = &mesh->face[(size_t)f * dim];

      keys[f]           = Key(dim, node);
      keys[f].electrode = l;
      scale[l] += Area(mesh, node);
      for (PetscInt i = 0; i < dim; i++) touched[node[i]] = 1;
    }
    scale[l] = mesh->electrode_area && mesh->electrode_area[l] > 0.0 ? mesh->electrode_area[l] / scale[l] : 1.0;
  }
  if (total) qsort(keys, (size_t)total, sizeof *keys, CompareFaces);
  for (PetscInt e = 0; e < space->nelements; e++) {
    const PetscInt *node = &mesh->element[(size_t)(space->first_element + e) * width];

    for (PetscInt opposite = 0; opposite < width; opposite++) {
      PetscInt       corner[3], n = 0, on = 0;
      FaceKey        key;
      const FaceKey *found;

      for (PetscInt i = 0; i < width; i++) {
        if (i == opposite) continue;
        on += touched[node[i]];
        corner[n++] = node[i];
      }
      if (on < dim) continue;
      key   = Key(dim, corner);
      found = bsearch(&key, keys, (size_t)total, sizeof *keys, CompareFaces);
      if (!found) continue;
      FgEitFace *face = &space->face[space->nfaces++];

      face->electrode = found->electrode;
      face->area      = Area(mesh, corner) * scale[found->electrode];
      FaceBasis(space, &space->dof[(size_t)e * space->nbasis], opposite, face->dof);
    }
  }
  PetscCall(PetscFree(touched));
  PetscCall(PetscFree(scale));
  PetscCall(PetscFree(keys));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* First element whose site is not before `site`. */
static PetscInt FirstElement(FgMesh mesh, PetscInt site)
{
  PetscInt low = 0, high = mesh->nelements;

  if (!mesh->site) return site;
  while (low < high) {
    const PetscInt middle = low + (high - low) / 2;

    if (mesh->site[middle] < site) low = middle + 1;
    else high = middle;
  }
  return low;
}

PetscErrorCode FgEitSpaceCreate(MPI_Comm comm, FgMesh mesh, PetscInt order, FgEitSpace *space)
{
  const PetscInt nsites = mesh->site ? mesh->nsites : mesh->nelements;
  PetscMPIInt    rank, size;

  PetscFunctionBegin;
  PetscCheck(order == 1 || order == 2, PETSC_COMM_SELF, PETSC_ERR_USER, "elements of degree %" PetscInt_FMT ", expected 1 or 2",
             order);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  memset(space, 0, sizeof *space);
  space->comm        = comm;
  space->mesh        = mesh;
  space->order       = order;
  space->nbasis      = order == 1 ? mesh->dim + 1 : (mesh->dim + 1) * (mesh->dim + 2) / 2;
  space->nquadrature = order == 1 ? 1 : mesh->dim + 1;
  space->nfacebasis  = order == 1 ? mesh->dim : mesh->dim * (mesh->dim + 1) / 2;
  FgDomainRun(nsites, rank, size, &space->first_site, &space->nsites);
  space->first_element = FirstElement(mesh, space->first_site);
  space->nelements     = FirstElement(mesh, space->first_site + space->nsites) - space->first_element;
  PetscCall(PetscMalloc1((size_t)space->nelements * space->nbasis, &space->dof));
  PetscCall(Number(space));
  PetscCall(Localize(space));
  PetscCall(FindFaces(space));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitSpaceDestroy(FgEitSpace *space)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(space->dof));
  PetscCall(PetscFree(space->ghosts));
  PetscCall(PetscFree(space->face));
  PetscFunctionReturn(PETSC_SUCCESS);
}
