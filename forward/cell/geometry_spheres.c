/* geometry_spheres.c: spheres in a cubic cell: simple cubic, or equal ones at random places without overlap.

   Random places (in units of the edge): random sequential addition (Widom 1966), which puts every sphere at a uniformly
   random place and takes it where it meets no earlier one. It jams at a fraction of 0.38 and gets slow before, so where a
   sphere finds no place after many attempts, all that lack one are put anywhere and overlapping pairs push each other
   apart until none is left. Neighbors are found by a grid of bins at least as wide as a sphere, so that a sweep costs
   O(spheres); the voxels are filled row by row, which costs O(voxels). */
#include "shapes.h"

#include <gsl/gsl_rng.h>
#include <math.h>

#define ATTEMPTS 2000  /* of one sphere to find a place */
#define SWEEPS   20000 /* of pushing apart */

PetscErrorCode FgCubicSpheresSize(const FgGeometrySettings *settings, PetscInt n[3], double edge[3])
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < 3; i++) {
    n[i]    = settings->resolution;
    edge[i] = settings->length;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Indices i of voxels with |(i + 1/2)/n - center| < half are first <= i < last; not yet wrapped into the cell. */
static void Interval(double center, double half, PetscInt n, PetscInt *first, PetscInt *last)
{
  *first = (PetscInt)floor((center - half) * (double)n - 0.5) + 1;
  *last  = (PetscInt)ceil((center + half) * (double)n - 0.5);
}

/* Voxels of this rank whose centers are in the sphere or one of its periodic copies. */
static void FillSphere(FgCell cell, const double center[3], double radius, uint16_t phase)
{
  PetscInt low[3], high[3];

  for (PetscInt a = 1; a < 3; a++) Interval(center[a], radius, cell->n[a], &low[a], &high[a]);
  for (PetscInt k = low[2]; k < high[2]; k++) {
    const PetscInt plane = FgShapeWrap(k, cell->n[2]) - cell->start;
    const double   z     = ((double)k + 0.5) / (double)cell->n[2] - center[2];

    if (plane < 0 || plane >= cell->count) continue;
    for (PetscInt j = low[1]; j < high[1]; j++) {
      const double y = ((double)j + 0.5) / (double)cell->n[1] - center[1], square = radius * radius - y * y - z * z;
      uint16_t    *row = cell->phase + (plane * cell->n[1] + FgShapeWrap(j, cell->n[1])) * cell->n[0];

      if (square <= 0) continue;
      Interval(center[0], sqrt(square), cell->n[0], &low[0], &high[0]);
      for (PetscInt i = low[0]; i < high[0]; i++) row[FgShapeWrap(i, cell->n[0])] = phase;
    }
  }
}

PetscErrorCode FgCubicSpheresFill(const FgGeometrySettings *settings, FgCell cell)
{
  static const double middle[3] = {0.5, 0.5, 0.5};

  PetscFunctionBegin;
  FillSphere(cell, middle, cbrt(0.75 * settings->fraction / M_PI), 1);
  cell->exact[0] = 1.0 - settings->fraction;
  cell->exact[1] = settings->fraction;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Spheres in periodic bins: first[bin] and next[sphere] chain those of a bin, -1 ends. */
typedef struct {
  PetscInt count, placed, bins; /* bins along each axis */
  double   diameter;
  double (*center)[3], (*push)[3];
  PetscInt *first, *next;
} Packing;

static PetscInt BinOf(const Packing *packing, const double center[3])
{
  PetscInt bin = 0;

  for (PetscInt a = 2; a >= 0; a--)
    bin = bin * packing->bins + PetscMin(packing->bins - 1, (PetscInt)(center[a] * (double)packing->bins));
  return bin;
}

static void Insert(Packing *packing, PetscInt sphere)
{
  const PetscInt bin = BinOf(packing, packing->center[sphere]);

  packing->next[sphere] = packing->first[bin];
  packing->first[bin]   = sphere;
}

/* From the nearest copy of b to a; returns the squared distance. */
static double Between(const double a[3], const double b[3], double d[3])
{
  double square = 0;

  for (PetscInt i = 0; i < 3; i++) {
    d[i] = a[i] - b[i];
    d[i] -= round(d[i]);
    square += d[i] * d[i];
  }
  return square;
}

/* Adds to push[] (where it is given) half of what separates `sphere` from those that it overlaps, and returns the smallest
   squared distance to any other. */
static double Neighbors(const Packing *packing, PetscInt sphere, double wanted, double push[3])
{
  const PetscInt m = packing->bins, reach = m < 3 ? 0 : 1;
  const double  *center = packing->center[sphere];
  PetscInt       at[3];
  double         least = 3.0;

  for (PetscInt a = 0; a < 3; a++) at[a] = PetscMin(m - 1, (PetscInt)(center[a] * (double)m));
  for (PetscInt k = -reach; k <= reach; k++) {
    for (PetscInt j = -reach; j <= reach; j++) {
      for (PetscInt i = -reach; i <= reach; i++) {
        const PetscInt bin = (FgShapeWrap(at[2] + k, m) * m + FgShapeWrap(at[1] + j, m)) * m + FgShapeWrap(at[0] + i, m);

        for (PetscInt other = packing->first[bin]; other >= 0; other = packing->next[other]) {
          double d[3], square;

          if (other == sphere) continue;
          square = Between(center, packing->center[other], d);
          least  = PetscMin(least, square);
          if (!push || square >= wanted * wanted || square == 0) continue;
          for (PetscInt a = 0; a < 3; a++) push[a] += 0.5 * (wanted / sqrt(square) - 1.0) * d[a];
        }
      }
    }
  }
  return least;
}

/* Random sequential addition; leaves packing->placed < count where it jams. */
static void Add(Packing *packing, gsl_rng *random)
{
  const double square = packing->diameter * packing->diameter;

  for (PetscInt s = 0; s < packing->count; s++) {
    PetscBool found = PETSC_FALSE;

    for (PetscInt attempt = 0; attempt < ATTEMPTS && !found; attempt++) {
      for (PetscInt a = 0; a < 3; a++) packing->center[s][a] = gsl_rng_uniform(random);
      found = Neighbors(packing, s, 0, NULL) >= square ? PETSC_TRUE : PETSC_FALSE;
    }
    if (!found) return;
    Insert(packing, s);
    packing->placed++;
  }
}

/* Pushes overlapping pairs apart, a little farther than needed, until no pair overlaps. */
static PetscBool Separate(Packing *packing)
{
  const double   wanted = packing->diameter * 1.001, square = packing->diameter * packing->diameter;
  const PetscInt bins = packing->bins * packing->bins * packing->bins;

  for (PetscInt sweep = 0; sweep < SWEEPS; sweep++) {
    double least = 3.0;

    for (PetscInt b = 0; b < bins; b++) packing->first[b] = -1;
    for (PetscInt s = 0; s < packing->count; s++) Insert(packing, s);
    for (PetscInt s = 0; s < packing->count; s++) {
      for (PetscInt a = 0; a < 3; a++) packing->push[s][a] = 0;
      least = PetscMin(least, Neighbors(packing, s, wanted, packing->push[s]));
    }
    if (least >= square) return PETSC_TRUE;
    for (PetscInt s = 0; s < packing->count; s++) {
      for (PetscInt a = 0; a < 3; a++) {
        packing->center[s][a] += packing->push[s][a];
        packing->center[s][a] -= floor(packing->center[s][a]);
      }
    }
  }
  return PETSC_FALSE;
}

PetscErrorCode FgRandomSpheresFill(const FgGeometrySettings *settings, FgCell cell)
{
  const double radius  = cbrt(0.75 * settings->fraction / (M_PI * (double)settings->count));
  Packing      packing = {.count = settings->count, .diameter = 2.0 * radius};
  PetscInt     bins;
  PetscBool    apart;
  gsl_rng     *random;

  PetscFunctionBegin;
  cell->exact[0] = 1.0 - settings->fraction;
  cell->exact[1] = settings->fraction;
  if (settings->fraction == 0) PetscFunctionReturn(PETSC_SUCCESS);
  /* Bins are wider than what pushing apart asks for, and not many more than spheres. */
  packing.bins = PetscMin((PetscInt)(1.0 / (1.002 * packing.diameter)), 1 + (PetscInt)cbrt((double)packing.count));
  if (packing.bins < 3) packing.bins = 1;
  bins = packing.bins * packing.bins * packing.bins;
  PetscCall(PetscMalloc4(packing.count, &packing.center, packing.count, &packing.push, bins, &packing.first, packing.count,
                         &packing.next));
  for (PetscInt b = 0; b < bins; b++) packing.first[b] = -1;
  random = gsl_rng_alloc(gsl_rng_mt19937);
  gsl_rng_set(random, (unsigned long)settings->seed + 1); /* 0 would mean GSL's own seed */
  Add(&packing, random);
  for (PetscInt s = packing.placed; s < packing.count; s++) {
    for (PetscInt a = 0; a < 3; a++) packing.center[s][a] = gsl_rng_uniform(random);
  }
  apart = packing.placed == packing.count ? PETSC_TRUE : Separate(&packing);
  gsl_rng_free(random);
  for (PetscInt s = 0; s < packing.count && apart; s++) FillSphere(cell, packing.center[s], radius, 1);
  PetscCall(PetscFree4(packing.center, packing.push, packing.first, packing.next));
  PetscCheck(apart, PETSC_COMM_SELF, PETSC_ERR_USER,
             "random-spheres: found no places without overlap for %" PetscInt_FMT
             " spheres with a fraction of %.6g; take more spheres, another seed or a smaller fraction",
             settings->count, settings->fraction);
  PetscFunctionReturn(PETSC_SUCCESS);
}
