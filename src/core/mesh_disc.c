/* mesh_disc.c: a disc with electrodes on its circle, as triangles that are small where the current density is singular.

   At the end of an electrode the current density grows as the inverse square root of the distance d, down to distances of the contact
   impedance times the conductivity. Edges are `coarse` long, and coarse (d/REACH)^POWER nearer to an end, down to the length that is
   its own distance from it: the grading that keeps the order of convergence at such a corner (G. Strang, G. J. Fix, "An analysis of
   the finite element method", 1973, 8.2), so that refining means a smaller `coarse` alone. */
#include "mesh_disc.h"

#define REACH 0.35
#define POWER 0.7

#define COARSEST 0.6

double FgDiscGrading(double coarse, double floor, double distance)
{
  const double graded = coarse * pow(PetscMin(1.0, distance / REACH), POWER);

  return PetscMin(coarse, PetscMin(PetscMax(graded, floor), floor + 0.6 * distance));
}

double FgDiscFloor(double coarse, double least)
{
  return PetscMin(coarse, PetscMax(least * coarse, pow(coarse / pow(REACH, POWER), 1.0 / (1.0 - POWER))));
}

double FgDiscSize(const FgDisc *disc, double coarse, double x, double y)
{
  double   angle = atan2(y, x), size = coarse;
  PetscInt low = 0, high = disc->nends;

  while (angle < disc->end[0]) angle += 2.0 * PETSC_PI;
  while (angle >= disc->end[0] + 2.0 * PETSC_PI) angle -= 2.0 * PETSC_PI;
  while (high - low > 1) {
    const PetscInt middle = (low + high) / 2;

    if (disc->end[middle] <= angle) low = middle;
    else high = middle;
  }
  for (PetscInt k = low; k < low + 2; k++) {
    const double end = disc->end[k % disc->nends], distance = hypot(x - cos(end), y - sin(end));

    size = PetscMin(size, FgDiscGrading(coarse, disc->floor[k % disc->nends], distance));
  }
  return size;
}

/* The longest edges at ends: as the grading says, no longer than half the arcs beside them, and near ends with short ones short too. */
static void SetFloors(FgDisc *disc, double coarse)
{
  const PetscInt n      = disc->nends;
  const double   graded = FgDiscFloor(coarse, disc->least);

  for (PetscInt k = 0; k < n; k++) {
    const double after  = k + 1 < n ? disc->end[k + 1] - disc->end[k] : disc->end[0] + 2.0 * PETSC_PI - disc->end[k];
    const double before = k > 0 ? disc->end[k] - disc->end[k - 1] : disc->end[0] + 2.0 * PETSC_PI - disc->end[n - 1];

    disc->floor[k] = PetscMin(graded, 0.5 * PetscMin(after, before));
  }
  for (PetscInt k = 0; k < 4 * n; k++) { /* around twice each way */
    const PetscInt here = k < 2 * n ? k % n : (4 * n - k) % n, last = k < 2 * n ? (here + n - 1) % n : (here + 1) % n;
    const double   chord = 2.0 * PetscAbsReal(sin(0.5 * (disc->end[here] - disc->end[last])));

    disc->floor[here] = PetscMin(disc->floor[here], disc->floor[last] + 0.6 * chord);
  }
}

/* Nodes of the arc from an end to the next, without the next: their number, and places where x is given. Edges are as long as wanted
   at their middles, all by one factor. */
static PetscInt DivideArc(const FgDisc *disc, double coarse, PetscInt k, double *x)
{
  const double first = disc->end[k], length = (k + 1 < disc->nends ? disc->end[k + 1] : disc->end[0] + 2.0 * PETSC_PI) - first;
  double       total = 0.0, done = 0.0;
  PetscInt     n = 0;

  for (int pass = 0; pass < 2; pass++) {
    double sum = 0.0;

    done = 0.0;
    for (PetscInt next = 1; done < length;) {
      const double here = FgDiscSize(disc, coarse, cos(first + done), sin(first + done));
      const double step = PetscMin(0.1 * here, length - done);
      const double size = FgDiscSize(disc, coarse, cos(first + done + 0.5 * step), sin(first + done + 0.5 * step));

      while (pass == 1 && next < n && sum + step / size >= next * total / n) {
        const double angle = first + done + (next * total / n - sum) * size;

        x[2 * next]     = cos(angle);
        x[2 * next + 1] = sin(angle);
        next++;
      }
      sum += step / size;
      done += step;
      if (length - done < 1e-9 * length) done = length;
    }
    if (pass == 0) {
      total = sum;
      n     = (PetscInt)PetscMax(1.0, ceil(sum - 0.25));
      if (!x) return n;
      x[0] = cos(first);
      x[1] = sin(first);
    }
  }
  return n;
}

PetscErrorCode FgDiscGenerate(FgDisc *disc, double coarse, PetscBool rough)
{
  PetscInt n = 0;

  PetscFunctionBegin;
  PetscCall(PetscFree(disc->x));
  PetscCall(PetscFree(disc->triangle));
  SetFloors(disc, coarse);
  for (PetscInt k = 0; k < disc->nends; k++) n += DivideArc(disc, coarse, k, NULL);
  disc->nboundary = n;
  disc->nring     = PetscMax(6, (PetscInt)(PETSC_PI / coarse + 0.5));
  PetscCall(PetscMalloc1(2 * (size_t)(n + disc->nring), &disc->x));
  n = 0;
  for (PetscInt k = 0; k < disc->nends; k++) n += DivideArc(disc, coarse, k, disc->x + 2 * (size_t)n);
  for (PetscInt k = 0; k < disc->nring; k++) { /* a polygon of the circle's area */
    const double turn = 2.0 * PETSC_PI / disc->nring, radius = 0.5 * sqrt(turn / sin(turn));

    disc->x[2 * (n + k)]     = radius * cos(turn * k);
    disc->x[2 * (n + k) + 1] = radius * sin(turn * k);
  }
  PetscCall(FgDiscTriangulate(disc, coarse, rough));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDiscCreate(const FgTank *tank, double least, FgDisc *disc)
{
  const PetscInt n = 2 * tank->nelectrodes;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(disc, sizeof(*disc)));
  disc->least = least;
  PetscCall(PetscMalloc1(n, &disc->end));
  PetscCall(PetscMalloc1(n, &disc->floor));
  for (PetscInt k = 0; k < n; k++) {
    const double end = tank->angle[k / 2] + (k % 2 - 0.5) * tank->width[k / 2] / tank->radius;

    disc->end[k] = end - 2.0 * PETSC_PI * floor(end / (2.0 * PETSC_PI));
  }
  PetscCall(PetscSortReal(n, disc->end));
  for (PetscInt k = 0; k < n; k++) { /* ends that touch are one */
    if (disc->nends == 0 || disc->end[k] - disc->end[disc->nends - 1] > 1e-8) disc->end[disc->nends++] = disc->end[k];
  }
  if (disc->nends > 1 && disc->end[0] + 2.0 * PETSC_PI - disc->end[disc->nends - 1] < 1e-8) disc->nends--;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool FgDiscAdjust(double *coarse, PetscInt n, double found, double power)
{
  const double ratio = found / n, old = *coarse;

  if (ratio > 0.95 && ratio < 1.05) return PETSC_FALSE;
  *coarse = PetscMin(COARSEST, old * PetscMin(3.0, PetscMax(0.3, pow(ratio, power))));
  return *coarse != old ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode FgDiscDestroy(FgDisc *disc)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(disc->end));
  PetscCall(PetscFree(disc->floor));
  PetscCall(PetscFree(disc->x));
  PetscCall(PetscFree(disc->triangle));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgDiscElectrodes(const FgDisc *disc, const FgTank *tank, double z, PetscInt *under)
{
  for (PetscInt k = 0; k < disc->nboundary; k++) {
    const double *a = disc->x + 2 * k, *b = disc->x + 2 * ((k + 1) % disc->nboundary);
    const double  middle = atan2(a[1] + b[1], a[0] + b[0]);

    under[k] = -1;
    for (PetscInt i = 0; under[k] < 0 && i < tank->nelectrodes; i++) under[k] = FgTankCovers(tank, i, middle, z) ? i : -1;
  }
}

PetscErrorCode FgMeshCreateDisc(const FgTank *tank, PetscInt nelements, FgMesh *mesh)
{
  double         coarse = PetscMin(COARSEST, sqrt(12.0 / nelements));
  FgDisc         disc;
  PetscInt       nfaces = 0, *under;
  FgMesh         m;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCall(FgTankCheck(tank, nelements));
  PetscCall(FgDiscCreate(tank, 0.0, &disc));
  for (int trial = 0; trial < 15; trial++) {
    PetscCall(FgDiscGenerate(&disc, coarse, PETSC_TRUE));
    if (!FgDiscAdjust(&coarse, nelements, disc.ntriangles, 0.6)) break;
  }
  PetscCall(FgDiscGenerate(&disc, coarse, PETSC_FALSE));

  PetscCall(PetscMalloc1(disc.nboundary, &under));
  FgDiscElectrodes(&disc, tank, 0.0, under);
  for (PetscInt k = 0; k < disc.nboundary; k++) nfaces += under[k] >= 0 ? 1 : 0;
  PetscCall(FgMeshCreate(2, disc.nnodes, disc.ntriangles, tank->nelectrodes, nfaces, &m));
  for (PetscInt n = 0; n < disc.nnodes; n++) {
    for (int axis = 0; axis < 2; axis++) m->node[3 * n + axis] = tank->radius * disc.x[2 * n + axis];
  }
  PetscCall(PetscArraycpy(m->element, disc.triangle, 3 * (size_t)disc.ntriangles));
  for (PetscInt i = 0, f = 0; i < tank->nelectrodes; i++) {
    PetscCall(PetscMemcpy(m->electrode[i], tank->name[i], sizeof(m->electrode[i])));
    m->electrode_area[i] = tank->width[i];
    for (PetscInt k = 0; k < disc.nboundary; k++) {
      if (under[k] != i) continue;
      m->face[2 * f]     = k;
      m->face[2 * f + 1] = (k + 1) % disc.nboundary;
      f++;
    }
    m->face_start[i + 1] = f;
  }
  PetscCall(PetscFree(under));
  PetscCall(FgDiscDestroy(&disc));
  ierr = FgMeshFinish(m, "mesh of the disc");
  if (ierr) PetscCall(FgMeshDestroy(&m));
  *mesh = m;
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}
