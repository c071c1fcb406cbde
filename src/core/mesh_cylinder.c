/* mesh_cylinder.c: an upright cylinder: the triangles of its disc in layers, whose prisms are three tetrahedra each.

   Layers end where electrodes end and are thinner there. A prism over the triangle a < b < c (numbers of nodes) with the nodes a', b', c'
   above is cut into (a b c c'), (a b b' c') and (a a' b' c'): of each of its sides the diagonal leaves the smaller number below, so that
   prisms beside and above each other fit. Edges are not graded below a quarter of the longest, since every short one is repeated over
   the whole height. */
#include "mesh_disc.h"

#define LEAST 0.25

typedef struct {
  PetscInt nends, nlevels;
  double  *end;   /* [nends] heights, against the radius, where electrodes or the cylinder end, ascending */
  double  *floor; /* [nends] longest edge at each */
  double  *level; /* [nlevels] of nodes, against the radius */
} Layers;

static PetscErrorCode LayersCreate(const FgTank *tank, Layers *layers)
{
  const double top = tank->height / tank->radius;
  PetscInt     n   = 0;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(layers, sizeof(*layers)));
  PetscCall(PetscMalloc1(2 * tank->nelectrodes + 2, &layers->end));
  PetscCall(PetscMalloc1(2 * tank->nelectrodes + 2, &layers->floor));
  layers->end[n++] = 0.0;
  layers->end[n++] = top;
  for (PetscInt i = 0; i < tank->nelectrodes; i++) {
    const double z = tank->z ? tank->z[i] : 0.5 * tank->height, tall = tank->tall ? tank->tall[i] : tank->height;

    layers->end[n++] = PetscMax(0.0, (z - 0.5 * tall) / tank->radius);
    layers->end[n++] = PetscMin(top, (z + 0.5 * tall) / tank->radius);
  }
  PetscCall(PetscSortReal(n, layers->end));
  for (PetscInt k = 0; k < n; k++) {
    if (k == 0 || layers->end[k] - layers->end[layers->nends - 1] > 1e-8 * top) layers->end[layers->nends++] = layers->end[k];
  }
  layers->end[layers->nends - 1] = top;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LayersDestroy(Layers *layers)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(layers->end));
  PetscCall(PetscFree(layers->floor));
  PetscCall(PetscFree(layers->level));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Edge length wanted at a height: short at ends of electrodes, which bottom and top are not by themselves. */
static double Size(const Layers *layers, double coarse, double z)
{
  double size = coarse;

  for (PetscInt k = 1; k < layers->nends - 1; k++) {
    size = PetscMin(size, FgDiscGrading(coarse, layers->floor[k], PetscAbsReal(z - layers->end[k])));
  }
  return size;
}

/* Levels from an end up to the next, without the next: their number, and heights where level is given. */
static PetscInt Divide(const Layers *layers, double coarse, PetscInt k, double *level)
{
  const double bottom = layers->end[k], length = layers->end[k + 1] - bottom;
  const int    steps = 400;
  double       total = 0.0, sum = 0.0;
  PetscInt     n, next          = 1;

  for (int i = 0; i < steps; i++) total += length / steps / Size(layers, coarse, bottom + (i + 0.5) * length / steps);
  n = (PetscInt)PetscMax(1.0, floor(total + 0.5));
  if (!level) return n;
  level[0] = bottom;
  for (int i = 0; i < steps; i++) {
    const double share = length / steps / Size(layers, coarse, bottom + (i + 0.5) * length / steps);

    for (; next < n && sum + share >= next * total / n; next++) {
      level[next] = bottom + (i + (next * total / n - sum) / share) * length / steps;
    }
    sum += share;
  }
  return n;
}

static PetscErrorCode LayersGenerate(Layers *layers, double coarse)
{
  PetscInt n = 0;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < layers->nends; k++) {
    const double after  = k + 1 < layers->nends ? layers->end[k + 1] - layers->end[k] : PETSC_MAX_REAL;
    const double before = k > 0 ? layers->end[k] - layers->end[k - 1] : PETSC_MAX_REAL;

    layers->floor[k] = PetscMin(FgDiscFloor(coarse, LEAST), 0.5 * PetscMin(after, before));
  }
  for (PetscInt k = 0; k + 1 < layers->nends; k++) n += Divide(layers, coarse, k, NULL);
  PetscCall(PetscFree(layers->level));
  PetscCall(PetscMalloc1(n + 1, &layers->level));
  layers->nlevels  = n + 1;
  layers->level[n] = layers->end[layers->nends - 1];
  n                = 0;
  for (PetscInt k = 0; k + 1 < layers->nends; k++) n += Divide(layers, coarse, k, layers->level + n);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void FillElements(const FgDisc *disc, const Layers *layers, FgMesh m)
{
  PetscInt *tetrahedron = m->element;

  for (PetscInt l = 0; l + 1 < layers->nlevels; l++) {
    for (PetscInt t = 0; t < disc->ntriangles; t++) {
      PetscInt a[3], above = disc->nnodes;

      for (int k = 0; k < 3; k++) {
        int place = k;

        for (; place > 0 && a[place - 1] > disc->triangle[3 * t + k]; place--) a[place] = a[place - 1];
        a[place] = disc->triangle[3 * t + k];
      }
      for (int k = 0; k < 3; k++) a[k] += l * disc->nnodes;
      for (int k = 0; k < 3; k++, tetrahedron += 4) { /* below up to number 2 - k, above from there */
        for (int i = 0; i < 4; i++) tetrahedron[i] = i <= 2 - k ? a[i] : a[i - 1] + above;
      }
    }
  }
}

/* Faces of each electrode; their number where mesh is NULL. */
static PetscErrorCode FillElectrodes(const FgDisc *disc, const Layers *layers, const FgTank *tank, FgMesh mesh, PetscInt *nfaces)
{
  const PetscInt n = disc->nboundary;
  PetscInt      *under, *filled;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &under));
  PetscCall(PetscCalloc1(tank->nelectrodes + 1, &filled));
  for (int pass = 0; pass < 2; pass++) {
    for (PetscInt l = 0; l + 1 < layers->nlevels; l++) {
      FgDiscElectrodes(disc, tank, 0.5 * (layers->level[l] + layers->level[l + 1]) * tank->radius, under);
      for (PetscInt k = 0; k < n; k++) {
        const PetscInt low = l * disc->nnodes + PetscMin(k, (k + 1) % n), high = l * disc->nnodes + PetscMax(k, (k + 1) % n);
        const PetscInt face[6] = {low, high, high + disc->nnodes, low, low + disc->nnodes, high + disc->nnodes};

        if (under[k] < 0) continue;
        if (pass == 1) PetscCall(PetscArraycpy(mesh->face + 3 * filled[under[k]], face, 6));
        filled[under[k]] += 2;
      }
    }
    if (pass == 1) break;
    if (!mesh) {
      for (PetscInt i = 0; i < tank->nelectrodes; i++) *nfaces += filled[i];
      break;
    }
    for (PetscInt i = 0; i < tank->nelectrodes; i++) {
      mesh->face_start[i + 1] = mesh->face_start[i] + filled[i];
      filled[i]               = mesh->face_start[i];
    }
  }
  PetscCall(PetscFree(under));
  PetscCall(PetscFree(filled));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeshCreateCylinder(const FgTank *tank, PetscInt nelements, FgMesh *mesh)
{
  double         coarse = 0.3;
  FgDisc         disc;
  Layers         layers;
  PetscInt       nfaces = 0;
  FgMesh         m;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCheck(tank->height > 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "tank: found height %g m, expected a cylinder's",
             tank->height);
  PetscCall(FgTankCheck(tank, nelements));
  PetscCall(FgDiscCreate(tank, LEAST, &disc));
  PetscCall(LayersCreate(tank, &layers));
  for (int trial = 0; trial < 20; trial++) {
    PetscCall(LayersGenerate(&layers, coarse));
    PetscCall(FgDiscGenerate(&disc, coarse, PETSC_TRUE));
    if (!FgDiscAdjust(&coarse, nelements, 3.0 * disc.ntriangles * (layers.nlevels - 1), 0.4)) break;
  }
  for (int trial = 0; trial < 10; trial++) { /* layers are few, so that the disc makes up for what they are off */
    if (!FgDiscAdjust(&coarse, nelements, 3.0 * disc.ntriangles * (layers.nlevels - 1), 0.6)) break;
    PetscCall(FgDiscGenerate(&disc, coarse, PETSC_TRUE));
  }
  PetscCall(FgDiscGenerate(&disc, coarse, PETSC_FALSE));

  PetscCall(FillElectrodes(&disc, &layers, tank, NULL, &nfaces));
  PetscCall(
      FgMeshCreate(3, disc.nnodes * layers.nlevels, 3 * disc.ntriangles * (layers.nlevels - 1), tank->nelectrodes, nfaces, &m));
  for (PetscInt k = 0; k < m->nnodes; k++) {
    for (int axis = 0; axis < 2; axis++) m->node[3 * (size_t)k + axis] = tank->radius * disc.x[2 * (k % disc.nnodes) + axis];
    m->node[3 * (size_t)k + 2] = tank->radius * layers.level[k / disc.nnodes];
  }
  FillElements(&disc, &layers, m);
  PetscCall(FillElectrodes(&disc, &layers, tank, m, NULL));
  for (PetscInt i = 0; i < tank->nelectrodes; i++) {
    PetscCall(PetscMemcpy(m->electrode[i], tank->name[i], sizeof(m->electrode[i])));
    m->electrode_area[i] = tank->width[i] * (tank->tall ? tank->tall[i] : tank->height);
  }
  PetscCall(LayersDestroy(&layers));
  PetscCall(FgDiscDestroy(&disc));
  ierr = FgMeshFinish(m, "mesh of the cylinder");
  if (ierr) PetscCall(FgMeshDestroy(&m));
  *mesh = m;
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}
