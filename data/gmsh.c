/* gmsh.c: a mesh from what a Gmsh file says: the elements of the highest dimension, and electrodes from physical groups of faces.

   Electrodes are the physical groups whose name begins with "electrode" in any case, or, where there is none, all but one that is
   called "boundary"; they come in the order of the numbers at the ends of their names. */
#include "gmsh.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct {
  const FgGmshGroup *group;
  long               number; /* at the end of the name, -1: none */
  PetscInt           nfaces;
} Electrode;

typedef struct {
  FgGmsh     file;
  int        dim;
  size_t     nelectrodes;
  Electrode *electrode;
} Reading;

static PetscErrorCode ReadBytes(const char *path, FgGmshText *t)
{
  FILE *file = fopen(path, "rb");
  long  length;
  int   bad;

  PetscFunctionBegin;
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: cannot be opened", path);
  bad    = fseek(file, 0, SEEK_END);
  length = bad ? -1 : ftell(file);
  if (length >= 0) bad = fseek(file, 0, SEEK_SET);
  if (bad || length < 0 || PetscMalloc1((size_t)length + 1, &t->bytes)) {
    fclose(file);
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_READ, "%s: cannot be read", path);
  }
  t->path             = path;
  t->length           = fread(t->bytes, 1, (size_t)length, file);
  t->bytes[t->length] = 0;
  bad                 = ferror(file);
  fclose(file);
  PetscCheck(!bad && t->length == (size_t)length, PETSC_COMM_SELF, PETSC_ERR_FILE_READ,
             "%s: found %lld of %lld bytes, expected all", path, (long long)t->length, (long long)length);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static int CompareNodes(const void *a, const void *b)
{
  const FgGmshNode *p = a, *q = b;

  return p->tag < q->tag ? -1 : p->tag > q->tag;
}

static int CompareElectrodes(const void *a, const void *b)
{
  const Electrode *p = a, *q = b;

  if (p->number != q->number) return p->number < q->number ? -1 : 1;
  return p->group->tag < q->group->tag ? -1 : p->group->tag > q->group->tag;
}

/* Number at the end of a name. */
static long Trailing(const char *name)
{
  size_t at = strlen(name);

  while (at > 0 && isdigit((unsigned char)name[at - 1])) at--;
  return name[at] && strlen(name + at) < 10 ? strtol(name + at, NULL, 10) : -1;
}

/* Physical groups of a face: of itself (2.2) or of its entity. */
static void Groups(const FgGmsh *g, const FgGmshElement *face, const int **group, size_t *n)
{
  size_t low = 0, high = g->nentities;

  *group = &face->group;
  *n     = face->group ? 1 : 0;
  if (g->text.version == 2) return;
  *n = 0;
  while (low < high) {
    const size_t        middle = low + (high - low) / 2;
    const FgGmshEntity *entity = g->entity + middle;

    if (entity->dim == face->dim && entity->tag == face->group) {
      *group = g->physical + entity->first;
      *n     = entity->n;
      return;
    }
    if (entity->dim < face->dim || (entity->dim == face->dim && entity->tag < face->group)) low = middle + 1;
    else high = middle;
  }
}

/* The electrode of a physical group, NULL: none. */
static Electrode *Find(Reading *r, int tag)
{
  for (size_t i = 0; i < r->nelectrodes; i++) {
    if (r->electrode[i].group->tag == tag) return r->electrode + i;
  }
  return NULL;
}

static PetscErrorCode ChooseElectrodes(Reading *r)
{
  const FgGmsh *g     = &r->file;
  PetscBool     named = PETSC_FALSE;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(g->ngroups + 1, &r->electrode));
  for (size_t k = 0; k < g->ngroups; k++) {
    named = named || (g->group[k].dim == r->dim - 1 && !strncasecmp(g->group[k].name, "electrode", 9)) ? PETSC_TRUE : PETSC_FALSE;
  }
  for (size_t k = 0; k < g->ngroups; k++) {
    const FgGmshGroup *group = g->group + k;

    if (group->dim != r->dim - 1) continue;
    if (named ? strncasecmp(group->name, "electrode", 9) : !strcasecmp(group->name, "boundary")) continue;
    PetscCheck(!Find(r, group->tag), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found two names of physical group %d, expected one", g->text.path, group->tag);
    PetscCheck(r->nelectrodes < 4096, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found more than 4096 electrodes, expected fewer", g->text.path);
    r->electrode[r->nelectrodes++] = (Electrode){group, Trailing(group->name), 0};
  }
  PetscCheck(r->nelectrodes > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no physical group of %s with a name, expected one for each electrode (electrode1, electrode2, ...)",
             g->text.path, r->dim == 3 ? "surfaces" : "curves");
  qsort(r->electrode, r->nelectrodes, sizeof(*r->electrode), CompareElectrodes);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillNodes(const FgGmsh *g, int dim, double unit, FgMesh m)
{
  double extent = 0.0;

  PetscFunctionBegin;
  for (size_t n = 0; n < g->nnodes; n++) {
    for (int x = 0; x < 3; x++) {
      m->node[3 * n + x] = unit * g->node[n].x[x];
      extent             = PetscMax(extent, PetscAbsReal(m->node[3 * n + x]));
    }
  }
  for (size_t n = 0; n < g->nnodes; n++) {
    double *x = m->node + 3 * n;

    PetscCheck(isfinite(x[0]) && isfinite(x[1]) && isfinite(x[2]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found node %lld at (%g, %g, %g) m, expected a finite coordinate", g->text.path, (long long)g->node[n].tag,
               x[0], x[1], x[2]);
    if (dim == 2 && PetscAbsReal(x[2]) <= 1e-12 * extent) x[2] = 0.0; /* what rounding left is none */
    PetscCheck(dim == 3 || x[2] == 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found node %lld at z = %g m in a mesh of triangles, expected 0 in two dimensions", g->text.path,
               (long long)g->node[n].tag, x[2]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode NodeNumber(const FgGmsh *g, PetscInt64 tag, PetscInt *number)
{
  const FgGmshNode  key   = {.tag = tag};
  const FgGmshNode *found = bsearch(&key, g->node, g->nnodes, sizeof(*g->node), CompareNodes);

  PetscFunctionBegin;
  PetscCheck(found, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found node %lld in an element, expected one that $Nodes lists", g->text.path, (long long)tag);
  *number = (PetscInt)(found - g->node);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Counts faces of electrodes; with a mesh fills them and the elements. */
static PetscErrorCode FillElements(Reading *r, FgMesh m, PetscInt *nelements)
{
  const FgGmsh *g = &r->file;
  const int    *group;
  size_t        n;
  PetscInt      e = 0;

  PetscFunctionBegin;
  for (size_t k = 0; k < g->nelements; k++) {
    const FgGmshElement *element = g->element + k;

    if (element->dim == r->dim) {
      for (int c = 0; m && c <= r->dim; c++)
        PetscCall(NodeNumber(g, element->node[c], &m->element[(r->dim + 1) * (size_t)e + (size_t)c]));
      e++;
    }
    if (element->dim != r->dim - 1) continue;
    Groups(g, element, &group, &n);
    for (size_t i = 0; i < n; i++) {
      Electrode *electrode = Find(r, group[i]);
      PetscInt   f;

      if (!electrode) continue;
      f = electrode->nfaces++;
      for (int c = 0; m && c < r->dim; c++) PetscCall(NodeNumber(g, element->node[c], &m->face[r->dim * (size_t)f + (size_t)c]));
    }
  }
  *nelements = e;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MakeMesh(Reading *r, double unit, FgMesh *mesh)
{
  FgGmsh  *g = &r->file;
  PetscInt nelements, nfaces = 0;
  FgMesh   m;

  PetscFunctionBegin;
  r->dim = 1;
  for (size_t k = 0; k < g->nelements; k++) r->dim = PetscMax(r->dim, g->element[k].dim);
  PetscCheck(r->dim >= 2, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no triangles or tetrahedra, expected a mesh of them", g->text.path);
  qsort(g->node, g->nnodes, sizeof(*g->node), CompareNodes);
  for (size_t k = 1; k < g->nnodes; k++) {
    PetscCheck(g->node[k].tag != g->node[k - 1].tag, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found node %lld twice, expected it once", g->text.path, (long long)g->node[k].tag);
  }
  PetscCall(ChooseElectrodes(r));
  PetscCall(FillElements(r, NULL, &nelements));
  for (size_t i = 0; i < r->nelectrodes; i++) nfaces += r->electrode[i].nfaces;
  PetscCall(FgMeshCreate(r->dim, (PetscInt)g->nnodes, nelements, (PetscInt)r->nelectrodes, nfaces, mesh));
  m = *mesh;
  for (size_t i = 0; i < r->nelectrodes; i++) {
    snprintf(m->electrode[i], sizeof(m->electrode[i]), "%.31s", r->electrode[i].group->name);
    m->face_start[i + 1]   = m->face_start[i] + r->electrode[i].nfaces;
    r->electrode[i].nfaces = m->face_start[i]; /* now the next face to fill */
  }
  PetscCall(FillNodes(g, r->dim, unit, m));
  PetscCall(FillElements(r, m, &nelements));
  PetscCall(FgMeshFinish(m, g->text.path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Read(const char *path, double unit, Reading *r, FgMesh *mesh)
{
  PetscFunctionBegin;
  PetscCheck(unit > 0.0 && isfinite(unit), PETSC_COMM_SELF, PETSC_ERR_USER, "%s: found a unit of %g m, expected a positive one",
             path, unit);
  PetscCall(ReadBytes(path, &r->file.text));
  PetscCall(FgGmshSections(&r->file));
  PetscCall(MakeMesh(r, unit, mesh));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeshReadGmsh(const char *path, double unit, FgMesh *mesh)
{
  Reading        r = {.nelectrodes = 0};
  PetscErrorCode ierr;

  PetscFunctionBegin;
  *mesh = NULL;
  ierr  = Read(path, unit, &r, mesh);
  PetscCall(PetscFree(r.file.text.bytes));
  PetscCall(PetscFree(r.file.group));
  PetscCall(PetscFree(r.file.entity));
  PetscCall(PetscFree(r.file.physical));
  PetscCall(PetscFree(r.file.node));
  PetscCall(PetscFree(r.file.element));
  PetscCall(PetscFree(r.electrode));
  if (ierr) PetscCall(FgMeshDestroy(mesh));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}
