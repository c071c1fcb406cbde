/* gmsh_sections.c: the sections of a Gmsh file, formats 2.2 and 4.1 (Gmsh reference manual, "MSH file format").

   Sections that say nothing about a mesh of simplices are passed over. In binary files the counts of 2.2, and names, stay words. */
#include "gmsh.h"

#include <string.h>

#define ANY_TAG -2147483647, 2147483647

static PetscErrorCode ReadFormat(FgGmshText *t)
{
  char       version[16];
  PetscInt64 binary, bytes, one;

  PetscFunctionBegin;
  PetscCall(FgGmshWord(t, version, sizeof version));
  t->version = !strcmp(version, "2.2") ? 2 : !strcmp(version, "4.1") ? 4 : 0;
  PetscCheck(t->version, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found Gmsh format %s, expected 2.2 or 4.1; save again with Mesh.MshFileVersion 4.1", t->path, version);
  PetscCall(FgGmshWritten(t, 0, 1, &binary));
  PetscCall(FgGmshWritten(t, 8, 8, &bytes));
  if (binary) {
    FgGmshEndLine(t);
    t->binary = PETSC_TRUE;
    PetscCall(FgGmshInteger(t, 4, -2147483648LL, 2147483647, &one));
    t->swapped = one == 1 ? PETSC_FALSE : PETSC_TRUE;
    PetscCheck(one == 1 || one == 16777216, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found %lld as the mark of the byte order, expected 1 in either order", t->path, (long long)one);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadNames(FgGmsh *g)
{
  FgGmshText *t = &g->text;
  PetscInt64  n, dim, tag;

  PetscFunctionBegin;
  PetscCall(FgGmshWritten(t, 0, 65536, &n));
  PetscCall(FgGmshRoom(t, n, 6, "names"));
  PetscCheck(!g->group, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found %s twice, expected it once", t->path, t->section);
  PetscCall(PetscCalloc1((size_t)n + 1, &g->group));
  for (; g->ngroups < (size_t)n; g->ngroups++) {
    FgGmshGroup *group  = g->group + g->ngroups;
    size_t       length = 0;

    PetscCall(FgGmshWritten(t, 0, 3, &dim));
    PetscCall(FgGmshWritten(t, ANY_TAG, &tag));
    group->dim = (int)dim;
    group->tag = (int)tag;
    while (t->at < t->length && t->bytes[t->at] != '"' && t->bytes[t->at] != '\n') t->at++;
    PetscCheck(t->at < t->length && t->bytes[t->at] == '"', PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found no name of physical group %lld, expected one in quotes", t->path, (long long)tag);
    for (t->at++; t->at < t->length && t->bytes[t->at] != '"' && t->bytes[t->at] != '\n'; t->at++) {
      if (length + 1 < sizeof group->name) group->name[length++] = t->bytes[t->at];
    }
    PetscCheck(t->at < t->length && t->bytes[t->at] == '"', PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found no end of the name of physical group %lld, expected a quote", t->path, (long long)tag);
    t->at++;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One entity: its physical groups are kept; what bounds it, which points do not have, is passed over. */
static PetscErrorCode ReadEntity(FgGmsh *g, int dim, size_t *capacity)
{
  FgGmshText   *t = &g->text;
  FgGmshEntity *entity;
  PetscInt64    value, n;
  double        ignored;

  PetscFunctionBegin;
  PetscCall(FgGmshInteger(t, 4, ANY_TAG, &value));
  entity  = g->entity + g->nentities;
  *entity = (FgGmshEntity){dim, (int)value, g->nphysical, 0};
  for (int k = 0; k < (dim == 0 ? 3 : 6); k++) PetscCall(FgGmshReal(t, &ignored));
  PetscCall(FgGmshInteger(t, 8, 0, 2147483647, &n));
  PetscCall(FgGmshRoom(t, n, t->binary ? 4 : 2, "physical groups"));
  if (g->nphysical + (size_t)n > *capacity) {
    *capacity = 2 * (*capacity + (size_t)n);
    PetscCall(PetscRealloc(*capacity * sizeof(*g->physical), &g->physical));
  }
  for (PetscInt64 k = 0; k < n; k++) {
    PetscCall(FgGmshInteger(t, 4, ANY_TAG, &value));
    g->physical[g->nphysical++] = (int)(value < 0 ? -value : value); /* a sign is an orientation */
  }
  entity->n = (size_t)n;
  if (dim > 0) {
    PetscCall(FgGmshInteger(t, 8, 0, 2147483647, &n));
    for (PetscInt64 k = 0; k < n; k++) PetscCall(FgGmshInteger(t, 4, ANY_TAG, &value));
  }
  g->nentities++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static int CompareEntities(const void *a, const void *b)
{
  const FgGmshEntity *p = a, *q = b;

  if (p->dim != q->dim) return p->dim - q->dim;
  return p->tag < q->tag ? -1 : p->tag > q->tag;
}

static PetscErrorCode ReadEntities(FgGmsh *g)
{
  FgGmshText *t = &g->text;
  PetscInt64  n[4], total = 0;
  size_t      capacity = 0;

  PetscFunctionBegin;
  PetscCheck(!g->entity, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found %s twice, expected it once", t->path, t->section);
  for (int dim = 0; dim < 4; dim++) {
    PetscCall(FgGmshInteger(t, 8, 0, 2147483647, &n[dim]));
    total += n[dim];
  }
  PetscCall(FgGmshRoom(t, total, 10, "entities"));
  PetscCall(PetscMalloc1((size_t)total + 1, &g->entity));
  for (int dim = 0; dim < 4; dim++) {
    for (PetscInt64 k = 0; k < n[dim]; k++) PetscCall(ReadEntity(g, dim, &capacity));
  }
  qsort(g->entity, g->nentities, sizeof(*g->entity), CompareEntities);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StartNodes(FgGmsh *g, PetscInt64 n)
{
  FgGmshText *t = &g->text;

  PetscFunctionBegin;
  PetscCheck(!g->node, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found %s twice, expected it once", t->path, t->section);
  PetscCall(FgGmshRoom(t, n, t->binary ? 28 : 7, "nodes"));
  PetscCall(PetscMalloc1((size_t)n + 1, &g->node));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadNodes(FgGmsh *g)
{
  FgGmshText *t       = &g->text;
  PetscInt64  nblocks = 1, n, value, dim = 0, parametric = 0, count;
  double      ignored;

  PetscFunctionBegin;
  if (t->version == 2) {
    PetscCall(FgGmshWritten(t, 0, PETSC_MAX_INT - 1, &n));
    if (t->binary) FgGmshEndLine(t);
    PetscCall(StartNodes(g, n));
    for (; g->nnodes < (size_t)n; g->nnodes++) {
      PetscCall(FgGmshInteger(t, 4, 0, 2147483647, &g->node[g->nnodes].tag));
      for (int k = 0; k < 3; k++) PetscCall(FgGmshReal(t, &g->node[g->nnodes].x[k]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FgGmshInteger(t, 8, 0, PETSC_MAX_INT - 1, &nblocks));
  PetscCall(FgGmshInteger(t, 8, 0, PETSC_MAX_INT - 1, &n));
  for (int k = 0; k < 2; k++) PetscCall(FgGmshInteger(t, 8, 0, INT64_MAX, &value));
  PetscCall(StartNodes(g, n));
  for (PetscInt64 b = 0; b < nblocks; b++) {
    PetscCall(FgGmshInteger(t, 4, 0, 3, &dim));
    PetscCall(FgGmshInteger(t, 4, ANY_TAG, &value));
    PetscCall(FgGmshInteger(t, 4, 0, 1, &parametric));
    PetscCall(FgGmshInteger(t, 8, 0, n - (PetscInt64)g->nnodes, &count));
    for (PetscInt64 k = 0; k < count; k++) PetscCall(FgGmshInteger(t, 8, 0, INT64_MAX, &g->node[g->nnodes + (size_t)k].tag));
    for (PetscInt64 k = 0; k < count; k++, g->nnodes++) {
      for (int x = 0; x < 3; x++) PetscCall(FgGmshReal(t, &g->node[g->nnodes].x[x]));
      for (PetscInt64 u = 0; parametric && u < dim; u++) PetscCall(FgGmshReal(t, &ignored));
    }
  }
  PetscCheck(g->nnodes == (size_t)n, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %lld nodes, expected the %lld announced", t->path, (long long)g->nnodes, (long long)n);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Dimension of elements of a Gmsh type. */
static PetscErrorCode TypeDimension(const FgGmshText *t, PetscInt64 type, int *dim)
{
  PetscFunctionBegin;
  *dim = type == 15 ? 0 : type == 1 ? 1 : type == 2 ? 2 : 3;
  PetscCheck(type == 15 || type == 1 || type == 2 || type == 4, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found elements of Gmsh type %lld%s, expected points, lines, triangles and tetrahedra of first order (15, 1, 2, "
             "4); mesh "
             "again with Mesh.ElementOrder 1 and without recombining",
             t->path, (long long)type,
             type == 8 || type == 9 || type == 11    ? " (second order)"
             : type == 3 || (type >= 5 && type <= 7) ? " (not a simplex)"
                                                     : "");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Nodes of one element; points are not kept. */
static PetscErrorCode ReadCorners(FgGmsh *g, int dim, int group, int bytes)
{
  FgGmshElement *element = g->element + g->nelements;

  PetscFunctionBegin;
  element->dim   = dim;
  element->group = group;
  for (int k = 0; k <= dim; k++) PetscCall(FgGmshInteger(&g->text, bytes, 0, INT64_MAX, &element->node[k]));
  if (dim > 0) g->nelements++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StartElements(FgGmsh *g, PetscInt64 n)
{
  FgGmshText *t = &g->text;

  PetscFunctionBegin;
  PetscCheck(!g->element, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found %s twice, expected it once", t->path,
             t->section);
  PetscCall(FgGmshRoom(t, n, t->binary ? 8 : 4, "elements"));
  PetscCall(PetscCalloc1((size_t)n + 1, &g->element));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* 2.2: written, every element has its type and tags; binary, blocks of elements have them in common. The first tag is the group. */
static PetscErrorCode ReadElements2(FgGmsh *g)
{
  FgGmshText *t = &g->text;
  PetscInt64  n, type, count = 1, ntags, value, group;
  int         dim;

  PetscFunctionBegin;
  PetscCall(FgGmshWritten(t, 0, PETSC_MAX_INT / 4, &n));
  if (t->binary) FgGmshEndLine(t);
  PetscCall(StartElements(g, n));
  for (PetscInt64 done = 0; done < n; done += count) {
    if (!t->binary) PetscCall(FgGmshInteger(t, 4, 0, 2147483647, &value));
    PetscCall(FgGmshInteger(t, 4, 0, 1000, &type));
    PetscCall(TypeDimension(t, type, &dim));
    if (t->binary) PetscCall(FgGmshInteger(t, 4, 1, n - done, &count));
    PetscCall(FgGmshInteger(t, 4, 0, 1000, &ntags));
    for (PetscInt64 k = 0; k < count; k++) {
      if (t->binary) PetscCall(FgGmshInteger(t, 4, 0, 2147483647, &value));
      group = 0;
      for (PetscInt64 tag = 0; tag < ntags; tag++) PetscCall(FgGmshInteger(t, 4, ANY_TAG, tag == 0 ? &group : &value));
      PetscCall(ReadCorners(g, dim, (int)(group < 0 ? -group : group), 4));
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadElements4(FgGmsh *g)
{
  FgGmshText *t = &g->text;
  PetscInt64  nblocks, n, type, count, value, entity, done = 0;
  int         dim;

  PetscFunctionBegin;
  PetscCall(FgGmshInteger(t, 8, 0, PETSC_MAX_INT - 1, &nblocks));
  PetscCall(FgGmshInteger(t, 8, 0, PETSC_MAX_INT / 4, &n));
  for (int k = 0; k < 2; k++) PetscCall(FgGmshInteger(t, 8, 0, INT64_MAX, &value));
  PetscCall(StartElements(g, n));
  for (PetscInt64 b = 0; b < nblocks; b++, done += count) {
    PetscCall(FgGmshInteger(t, 4, 0, 3, &value));
    PetscCall(FgGmshInteger(t, 4, ANY_TAG, &entity));
    PetscCall(FgGmshInteger(t, 4, 0, 1000, &type));
    PetscCall(TypeDimension(t, type, &dim));
    PetscCall(FgGmshInteger(t, 8, 0, n - done, &count));
    for (PetscInt64 k = 0; k < count; k++) {
      PetscCall(FgGmshInteger(t, 8, 0, INT64_MAX, &value));
      PetscCall(ReadCorners(g, dim, (int)entity, 8));
    }
  }
  PetscCheck(done == n, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found %lld elements, expected the %lld announced",
             t->path, (long long)done, (long long)n);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGmshSections(FgGmsh *g)
{
  FgGmshText *t = &g->text;
  char        name[64];

  PetscFunctionBegin;
  t->section = "the file";
  for (;;) {
    const char *dollar = memchr(t->bytes + t->at, '$', t->length - t->at);
    PetscBool   skip   = PETSC_FALSE;

    if (!dollar) break;
    t->at = (size_t)(dollar - t->bytes);
    PetscCall(FgGmshWord(t, name, sizeof name));
    t->section = name;
    PetscCheck(t->version || !strcmp(name, "$MeshFormat"), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found %.40s first, expected $MeshFormat, with which a Gmsh file (2.2 or 4.1) begins", t->path, name);
    PetscCheck(strcmp(name, "$PartitionedEntities"), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found a partitioned mesh, expected a whole one; save it unpartitioned", t->path);
    if (t->version && t->binary && strcmp(name, "$PhysicalNames")) {
      if (t->version == 4) FgGmshEndLine(t);
    }
    if (!strcmp(name, "$MeshFormat")) PetscCall(ReadFormat(t));
    else if (!strcmp(name, "$PhysicalNames")) PetscCall(ReadNames(g));
    else if (!strcmp(name, "$Entities") && t->version == 4) PetscCall(ReadEntities(g));
    else if (!strcmp(name, "$Nodes")) PetscCall(ReadNodes(g));
    else if (!strcmp(name, "$Elements") && t->version == 2) PetscCall(ReadElements2(g));
    else if (!strcmp(name, "$Elements")) PetscCall(ReadElements4(g));
    else skip = PETSC_TRUE;
    PetscCall(FgGmshEndSection(t, name, skip));
  }
  PetscCheck(t->version && g->node && g->element, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no %s, expected a Gmsh file (2.2 or 4.1) with nodes and elements", t->path,
             !t->version ? "$MeshFormat"
             : !g->node  ? "$Nodes"
                         : "$Elements");
  PetscFunctionReturn(PETSC_SUCCESS);
}
