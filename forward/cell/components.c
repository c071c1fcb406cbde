/* components.c: connected components of the voxels that permeate, over faces and periodically, and where they percolate.

   A component that meets its own copy in the cell at p when it goes out from the cell at 0 winds about the cell by p, a
   vector of whole numbers. Copies that are connected make a lattice; its rank is the number of directions in which the
   component runs through the whole periodic medium. A linear function x . L p that is the same at all copies (x . L w = 0 for
   all windings w, L the edges) costs no energy, so K* x = 0 exactly then, and K* = P K* P with P the projector onto the span
   of all L w.

   Method: union-find over the voxels of each slab, across inner faces only, in the array of the result (4 bytes a voxel);
   then a graph whose nodes are these parts and whose edges the faces between slabs and on the cell's boundary, each with
   the winding of a step over it. Its edges are gathered, and every rank joins them by union-find with offsets: node =
   root + offset in copies; an edge within one tree closes a loop, whose winding is kept where it is independent of those
   before. (Newman and Ziff 2001, Phys. Rev. E 64, 016706, tell percolating clusters this way.) Components are
   numbered by their first voxels, on any number of ranks alike. */
#include "solver.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  int32_t from, to; /* parts, numbered over all ranks */
  int32_t axis;     /* 0 .. 2: one step up along it enters the next copy; 3: stays in the cell */
} Edge;

typedef struct {
  Edge  *edges;
  size_t n, capacity;
} Edges;

/* Independent windings of one component, in copies of the cell. */
typedef struct {
  int     rank;
  int64_t winding[3][3];
} Lattice;

/* --- Within a slab ------------------------------------------------------------------------------------------------------ */

static int32_t RootOf(int32_t *parent, int32_t voxel)
{
  while (parent[voxel] != voxel) voxel = parent[voxel] = parent[parent[voxel]];
  return voxel;
}

static void Join(int32_t *parent, int32_t a, int32_t b)
{
  a = RootOf(parent, a);
  b = RootOf(parent, b);
  if (a < b) parent[b] = a;
  else parent[a] = b;
}

/* parent[voxel]: a root is the first voxel of its part; -1 where nothing permeates. */
static void JoinVoxels(FgCell cell, const PetscBool *permeable, int32_t *parent)
{
  const PetscInt nx = cell->n[0], plane = nx * cell->n[1];

  for (PetscInt k = 0, v = 0; k < cell->count; k++) {
    for (PetscInt j = 0; j < cell->n[1]; j++) {
      for (PetscInt i = 0; i < nx; i++, v++) {
        const PetscBool left = i > 0 && parent[v - 1] >= 0 ? PETSC_TRUE : PETSC_FALSE;

        if (!permeable[cell->phase[v]]) {
          parent[v] = -1;
          continue;
        }
        parent[v] = (int32_t)(left ? parent[v - 1] : v);
        /* Where the left neighbors are joined already, these are too. */
        if (j > 0 && parent[v - nx] >= 0 && !(left && parent[v - nx - 1] >= 0)) Join(parent, (int32_t)(v - nx), (int32_t)v);
        if (k > 0 && parent[v - plane] >= 0 && !(left && parent[v - plane - 1] >= 0))
          Join(parent, (int32_t)(v - plane), (int32_t)v);
      }
    }
  }
}

/* Replaces roots by numbers first, first + 1, ... in the order of first voxels; returns how many. */
static int32_t NumberParts(PetscInt n, int32_t *part)
{
  int32_t count = 0;

  /* Parents are never behind their voxels: parent[v] <= v holds a number already, kept as -2 - number until all are done. */
  for (PetscInt v = 0; v < n; v++) {
    if (part[v] == -1) continue;
    part[v] = part[v] == v ? -2 - count++ : part[part[v]];
  }
  for (PetscInt v = 0; v < n; v++) {
    if (part[v] < -1) part[v] = -2 - part[v];
  }
  return count;
}

/* --- Edges between parts ------------------------------------------------------------------------------------------------ */

static PetscErrorCode AddEdge(Edges *edges, int32_t from, int32_t to, int32_t axis)
{
  PetscFunctionBegin;
  if (from < 0 || to < 0) PetscFunctionReturn(PETSC_SUCCESS);
  if (edges->n) { /* faces beside each other mostly say the same */
    const Edge *last = &edges->edges[edges->n - 1];

    if (last->from == from && last->to == to && last->axis == axis) PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (edges->n == edges->capacity) {
    edges->capacity = edges->capacity ? 2 * edges->capacity : 1024;
    PetscCall(PetscRealloc(sizeof(Edge) * edges->capacity, &edges->edges));
  }
  edges->edges[edges->n++] = (Edge){from, to, axis};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The lowest plane of the next slab, periodically; NULL where this rank owns nothing. */
static PetscErrorCode PlaneAbove(FgCell cell, const int32_t *part, int32_t *buffer, const int32_t **above)
{
  const PetscInt plane = cell->n[0] * cell->n[1];
  PetscMPIInt    rank, owners = FgCellOwners(cell);

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  *above = cell->count == 0 ? NULL : owners == 1 ? part : buffer;
  if (cell->count == 0 || owners == 1) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Sendrecv(part, (PetscMPIInt)plane, MPI_INT32_T, (rank + owners - 1) % owners, 0, buffer, (PetscMPIInt)plane,
                            MPI_INT32_T, (rank + 1) % owners, 0, cell->comm, MPI_STATUS_IGNORE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CollectEdges(FgCell cell, const int32_t *part, const int32_t *above, Edges *edges)
{
  const PetscInt nx = cell->n[0], ny = cell->n[1], plane = nx * ny;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < cell->count; k++) {
    const int32_t *const at = part + k * plane;

    for (PetscInt j = 0; j < ny; j++) PetscCall(AddEdge(edges, at[j * nx + nx - 1], at[j * nx], 0));
    for (PetscInt i = 0; i < nx; i++) PetscCall(AddEdge(edges, at[(ny - 1) * nx + i], at[i], 1));
  }
  if (above) {
    const int32_t *const top  = part + (cell->count - 1) * plane;
    const int32_t        axis = cell->start + cell->count == cell->n[2] ? 2 : 3;

    for (PetscInt i = 0; i < plane; i++) PetscCall(AddEdge(edges, top[i], above[i], axis));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static int CompareEdges(const void *a, const void *b)
{
  const Edge *x = a, *y = b;

  if (x->from != y->from) return x->from < y->from ? -1 : 1;
  if (x->to != y->to) return x->to < y->to ? -1 : 1;
  return (x->axis > y->axis) - (x->axis < y->axis);
}

/* Sorts, and drops what occurs twice. */
static void Reduce(Edges *edges)
{
  size_t kept = 0;

  if (edges->n) qsort(edges->edges, edges->n, sizeof(Edge), CompareEdges);
  for (size_t e = 0; e < edges->n; e++) {
    if (!kept || CompareEdges(&edges->edges[kept - 1], &edges->edges[e])) edges->edges[kept++] = edges->edges[e];
  }
  edges->n = kept;
}

/* The edges of all ranks on every rank. */
static PetscErrorCode GatherEdges(MPI_Comm comm, Edges *edges)
{
  const int    mine = (int)(3 * edges->n);
  PetscMPIInt  size;
  PetscMPIInt *counts, *starts;
  Edges        all = {0};

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  if (size == 1) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc2(size, &counts, size, &starts));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, comm));
  for (PetscMPIInt r = 0, sum = 0; r < size; sum += counts[r++]) {
    starts[r] = sum;
    all.n += (size_t)counts[r] / 3;
  }
  PetscCall(PetscMalloc1(all.n, &all.edges));
  PetscCallMPI(MPI_Allgatherv(edges->edges, mine, MPI_INT32_T, all.edges, counts, starts, MPI_INT32_T, comm));
  PetscCall(PetscFree2(counts, starts));
  PetscCall(PetscFree(edges->edges));
  *edges = all;
  Reduce(edges);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Joining the parts ---------------------------------------------------------------------------------------------------- */

static void Cross(const int64_t a[3], const int64_t b[3], int64_t c[3])
{
  for (int i = 0; i < 3; i++) c[i] = a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3];
}

/* Keeps a winding that is independent of those kept. */
static void AddWinding(Lattice *lattice, const int64_t winding[3])
{
  int64_t   normal[3];
  PetscBool independent = PETSC_FALSE;

  switch (lattice->rank) {
  case 0: independent = winding[0] || winding[1] || winding[2] ? PETSC_TRUE : PETSC_FALSE; break;
  case 1:
    Cross(lattice->winding[0], winding, normal);
    independent = normal[0] || normal[1] || normal[2] ? PETSC_TRUE : PETSC_FALSE;
    break;
  case 2:
    Cross(lattice->winding[0], lattice->winding[1], normal);
    independent = normal[0] * winding[0] + normal[1] * winding[1] + normal[2] * winding[2] ? PETSC_TRUE : PETSC_FALSE;
    break;
  default: break;
  }
  if (independent) memcpy(lattice->winding[lattice->rank++], winding, sizeof lattice->winding[0]);
}

/* A part that has edges: its tree, and where it is in copies of the cell: root + offset. */
typedef struct {
  int32_t part, root;
  int64_t offset[3];
  Lattice lattice; /* of a root */
} Node;

static int CompareParts(const void *a, const void *b)
{
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

  return (x > y) - (x < y);
}

static int32_t NodeOf(const Node *nodes, int32_t n, int32_t part)
{
  int32_t low = 0, high = n;

  while (high - low > 1) {
    const int32_t middle = low + (high - low) / 2;

    if (nodes[middle].part <= part) low = middle;
    else high = middle;
  }
  return low;
}

/* Root of a node; on the way all nodes are hung from it directly, their offsets summed from the root down. */
static int32_t NodeRoot(Node *nodes, int32_t node)
{
  int32_t root   = node;
  int64_t sum[3] = {0};

  while (nodes[root].root != root) {
    for (int a = 0; a < 3; a++) sum[a] += nodes[root].offset[a];
    root = nodes[root].root;
  }
  while (nodes[node].root != root && node != root) {
    const int32_t next = nodes[node].root;

    for (int a = 0; a < 3; a++) {
      const int64_t own = nodes[node].offset[a];

      nodes[node].offset[a] = sum[a];
      sum[a] -= own;
    }
    nodes[node].root = root;
    node             = next;
  }
  return root;
}

static void JoinNodes(Node *nodes, int32_t from, int32_t to, int32_t axis)
{
  const int32_t a = NodeRoot(nodes, from), b = NodeRoot(nodes, to);
  int64_t       step[3];

  /* A copy of `to` lies one step from `from`: (a + offset) + unit = (b + offset) + step. */
  for (int i = 0; i < 3; i++) step[i] = nodes[from].offset[i] + (i == axis) - nodes[to].offset[i];
  if (a == b) AddWinding(&nodes[a].lattice, step);
  else {
    const int32_t low = PetscMin(a, b), high = PetscMax(a, b);

    nodes[high].root = low;
    for (int i = 0; i < 3; i++) nodes[high].offset[i] = a < b ? step[i] : -step[i];
    for (int w = 0; w < nodes[high].lattice.rank; w++) AddWinding(&nodes[low].lattice, nodes[high].lattice.winding[w]);
  }
}

/* Nodes in the order of their parts, joined by the edges. */
static PetscErrorCode JoinParts(const Edges *edges, Node **out, int32_t *n)
{
  Node    *nodes;
  int32_t *parts;
  size_t   kept = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(2 * edges->n, &parts));
  for (size_t e = 0; e < edges->n; e++) {
    parts[2 * e]     = edges->edges[e].from;
    parts[2 * e + 1] = edges->edges[e].to;
  }
  if (edges->n) qsort(parts, 2 * edges->n, sizeof *parts, CompareParts);
  for (size_t i = 0; i < 2 * edges->n; i++) {
    if (!kept || parts[kept - 1] != parts[i]) parts[kept++] = parts[i];
  }
  PetscCall(PetscCalloc1(kept, &nodes));
  for (size_t i = 0; i < kept; i++) {
    nodes[i].part = parts[i];
    nodes[i].root = (int32_t)i;
  }
  PetscCall(PetscFree(parts));
  for (size_t e = 0; e < edges->n; e++) {
    const Edge *edge = &edges->edges[e];

    JoinNodes(nodes, NodeOf(nodes, (int32_t)kept, edge->from), NodeOf(nodes, (int32_t)kept, edge->to), edge->axis);
  }
  *out = nodes;
  *n   = (int32_t)kept;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- The result ------------------------------------------------------------------------------------------------------------ */

/* Component of a part: that of the first part of its tree; numbers close the gaps that the other parts leave. */
static int32_t ComponentOf(const Node *nodes, int32_t n, const int32_t *gaps, int32_t part)
{
  int32_t node, root;

  if (!n || part < nodes[0].part) return part;
  node = NodeOf(nodes, n, part);
  if (nodes[node].part != part) return part - gaps[node]; /* has no edges */
  root = nodes[node].root;
  return nodes[root].part - gaps[root];
}

static void Project(const Lattice *lattice, const double edge[3], double projector[9])
{
  double v[2][3] = {{0}}, normal[3], square = 0;

  for (int i = 0; i < 9; i++) projector[i] = lattice->rank >= 2 && i % 4 == 0;
  if (lattice->rank == 0 || lattice->rank == 3) return;
  for (int w = 0; w < lattice->rank; w++) {
    for (int i = 0; i < 3; i++) v[w][i] = (double)lattice->winding[w][i] * edge[i] / edge[0];
  }
  for (int i = 0; i < 3; i++) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;

    normal[i] = lattice->rank == 1 ? v[0][i] : v[0][j] * v[1][k] - v[0][k] * v[1][j];
    square += normal[i] * normal[i];
  }
  for (int i = 0; i < 9; i++) projector[i] += (lattice->rank == 1 ? 1.0 : -1.0) * normal[i / 3] * normal[i % 3] / square;
}

/* Ranks of the components, axes that percolate, projector. */
static void Percolate(FgCell cell, const Node *nodes, int32_t n, const int32_t *gaps, FgComponents *components)
{
  Lattice all = {0};

  for (int32_t i = 0; i < n; i++) {
    if (nodes[i].root != i) continue;
    components->rank[nodes[i].part - gaps[i]] = nodes[i].lattice.rank;
    for (int w = 0; w < nodes[i].lattice.rank; w++) {
      AddWinding(&all, nodes[i].lattice.winding[w]);
      for (int a = 0; a < 3; a++) {
        if (nodes[i].lattice.winding[w][a]) components->percolates[a] = PETSC_TRUE;
      }
    }
  }
  Project(&all, cell->edge, components->projector);
}

static PetscErrorCode CountVoxels(FgCell cell, FgComponents *components)
{
  const double   voxels = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  const PetscInt n      = components->ncomponents;

  PetscFunctionBegin;
  for (PetscInt v = 0; v < cell->nlocal; v++) {
    if (components->component[v] >= 0) components->fraction[components->component[v]]++;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, components->fraction, (PetscMPIInt)n, MPI_DOUBLE, MPI_SUM, cell->comm));
  for (PetscInt i = 0; i < n; i++) components->fraction[i] /= voxels;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Parts become components in the voxels; all that is known of these. */
static PetscErrorCode Finish(FgCell cell, const Node *nodes, int32_t n, int32_t nparts, FgComponents *components)
{
  int32_t *gaps, last = -1, last_component = -1, joined = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &gaps)); /* parts up to this one that are no component of their own */
  for (int32_t i = 0; i < n; i++) {
    joined += nodes[i].root != i;
    gaps[i] = joined;
  }
  components->ncomponents = nparts - joined;
  PetscCall(PetscCalloc1(components->ncomponents, &components->fraction));
  PetscCall(PetscCalloc1(components->ncomponents, &components->rank));
  for (PetscInt v = 0; v < cell->nlocal; v++) {
    const int32_t part = components->component[v];

    if (part < 0) continue;
    if (part != last) last_component = ComponentOf(nodes, n, gaps, last = part);
    components->component[v] = last_component;
  }
  Percolate(cell, nodes, n, gaps, components);
  PetscCall(PetscFree(gaps));
  PetscCall(CountVoxels(cell, components));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgComponentsFind(FgCell cell, const PetscBool *permeable, FgComponents *components)
{
  const PetscInt plane = cell->n[0] * cell->n[1];
  int32_t       *part, *buffer, nlocal, first = 0, nparts, nnodes = 0;
  const int32_t *above = NULL;
  Edges          edges = {0};
  Node          *nodes = NULL;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(components, sizeof *components));
  PetscCall(PetscMalloc1(cell->nlocal, &components->component));
  part = components->component;
  JoinVoxels(cell, permeable, part);
  nlocal = NumberParts(cell->nlocal, part);
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  PetscCallMPI(MPI_Exscan(&nlocal, &first, 1, MPI_INT32_T, MPI_SUM, cell->comm));
  if (rank == 0) first = 0;
  PetscCallMPI(MPI_Allreduce(&nlocal, &nparts, 1, MPI_INT32_T, MPI_SUM, cell->comm));
  for (PetscInt v = 0; first && v < cell->nlocal; v++) {
    if (part[v] >= 0) part[v] += first;
  }
  PetscCall(PetscMalloc1(plane, &buffer));
  PetscCall(PlaneAbove(cell, part, buffer, &above));
  PetscCall(CollectEdges(cell, part, above, &edges));
  PetscCall(PetscFree(buffer));
  Reduce(&edges);
  PetscCall(GatherEdges(cell->comm, &edges));
  PetscCall(JoinParts(&edges, &nodes, &nnodes));
  PetscCall(PetscFree(edges.edges));
  for (int32_t i = 0; i < nnodes; i++) nodes[i].root = NodeRoot(nodes, i);
  PetscCall(Finish(cell, nodes, nnodes, nparts, components));
  PetscCall(PetscFree(nodes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgComponentsDestroy(FgComponents *components)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(components->component));
  PetscCall(PetscFree(components->fraction));
  PetscCall(PetscFree(components->rank));
  PetscCall(PetscMemzero(components, sizeof *components));
  PetscFunctionReturn(PETSC_SUCCESS);
}
