/* geometry_fibers.c: crossed fibers (two layers of endless parallel cylinders) and dispersed fibers (short straight rods).

   Crossed: with w the normal of the layers, fibers of the lower layer run along u, those of the upper one at an angle t to u.
   A cell with edges 1 and tan t holds the second family periodically as its diagonal, so that neighbors are sin t apart;
   m = round(1/cos t) fibers in the lower layer are tan t/m apart, which is nearly the same. At 90 degrees the cell is a square.
   Each layer is as high as the smaller spacing s, so that fibers of radius up to s/2 fit:

     f = pi r^2 (m + 1/cos t) / (2 s tan t),     at 90 degrees pi r^2

   Dispersed: `count` rods with round ends, 0.8 edges long from tip to tip (volume pi r^2 (0.8 - 2 r/3)), at random places,
   their axes tilted from `axis` by two normal angles. Placed one after the other where they meet no earlier one; where a
   rod finds no place, overlapping pairs are pushed apart without being turned, so that the directions stay as drawn. */
#include "shapes.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>

#define ROD_LENGTH 0.8  /* from tip to tip, in edges */
#define ATTEMPTS   200  /* of one rod to find a place */
#define SWEEPS     1000 /* of pushing apart */
#define MOST_RODS  300  /* pairs are looked at one by one */

/* --- Crossed ------------------------------------------------------------------------------------------------------------ */

typedef struct {
  PetscInt u, v, w;
  double   edge[3];        /* of u, v, w, that of u is 1 */
  double   sine, cosine;   /* of the angle between the families */
  double   lower, upper;   /* spacings */
  double   square;         /* r^2 */
  PetscInt phases;         /* of fibers */
  double   lower_fraction; /* of the fibers that are in the lower layer */
} Crossed;

static PetscErrorCode CrossedOf(const FgGeometrySettings *settings, Crossed *crossed)
{
  const double t = settings->angle * M_PI / 180.0;
  double       longer, limit;

  PetscFunctionBegin;
  PetscCheck((settings->angle >= 10 && settings->angle <= 80) || settings->angle == 90, PETSC_COMM_SELF, PETSC_ERR_USER,
             "crossed-fibers: found an angle of %.6g degrees, expected 90 or 10 to 80, for which there is a short periodic cell",
             settings->angle);
  crossed->u = (settings->axis + 1) % 3;
  crossed->v = (settings->axis + 2) % 3;
  crossed->w = settings->axis;
  if (settings->angle == 90) {
    crossed->sine = crossed->lower = crossed->upper = crossed->edge[1] = longer = 1.0;
    crossed->cosine                                                             = 0.0;
    crossed->lower_fraction                                                     = 0.5;
  } else {
    const double m = round(1.0 / cos(t));

    crossed->sine           = sin(t);
    crossed->cosine         = cos(t);
    crossed->edge[1]        = tan(t);
    crossed->lower          = tan(t) / m;
    crossed->upper          = sin(t);
    longer                  = 1.0 / cos(t);
    crossed->lower_fraction = m / (m + longer);
  }
  crossed->edge[0] = 1.0;
  crossed->edge[2] = 2.0 * PetscMin(crossed->lower, crossed->upper);
  /* f = pi r^2 (length of all fibers) / volume */
  crossed->square = settings->fraction * crossed->edge[1] * crossed->edge[2] * (1.0 - crossed->lower_fraction) / (M_PI * longer);
  limit           = crossed->edge[2] * M_PI * longer / (16.0 * crossed->edge[1] * (1.0 - crossed->lower_fraction));
  PetscCheck(settings->fraction <= limit * (1 + 1e-12), PETSC_COMM_SELF, PETSC_ERR_USER,
             "crossed-fibers: found a fraction of %.6g, expected at most %.4f at an angle of %.6g degrees", settings->fraction,
             limit, settings->angle);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCrossedFibersSize(const FgGeometrySettings *settings, PetscInt n[3], double edge[3])
{
  Crossed crossed;
  double  longest;

  PetscFunctionBegin;
  PetscCall(CrossedOf(settings, &crossed));
  longest         = PetscMax(crossed.edge[0], PetscMax(crossed.edge[1], crossed.edge[2]));
  edge[crossed.u] = crossed.edge[0] / longest * settings->length;
  edge[crossed.v] = crossed.edge[1] / longest * settings->length;
  edge[crossed.w] = crossed.edge[2] / longest * settings->length;
  FgShapeVoxels(settings->resolution, edge, n);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Distance from the nearest of the lines at (k + 1/2) spacing. */
static double FromLine(double x, double spacing)
{
  x /= spacing;
  return fabs(x - floor(x) - 0.5) * spacing;
}

static uint16_t InCrossed(const void *context, const double y[3])
{
  const Crossed *crossed = context;
  const double   u = y[crossed->u], v = y[crossed->v] * crossed->edge[1];
  const int      upper = y[crossed->w] >= 0.5;
  const double   w     = (y[crossed->w] - (upper ? 0.75 : 0.25)) * crossed->edge[2];
  const double   d     = upper ? FromLine(v * crossed->cosine - u * crossed->sine, crossed->upper) : FromLine(v, crossed->lower);

  if (d * d + w * w >= crossed->square) return 0;
  return upper && crossed->phases == 2 ? 2 : 1;
}

PetscErrorCode FgCrossedFibersFill(const FgGeometrySettings *settings, FgCell cell)
{
  Crossed crossed;

  PetscFunctionBegin;
  PetscCall(CrossedOf(settings, &crossed));
  crossed.phases = FgShapeFiberPhases(cell, 2);
  FgShapeFill(cell, InCrossed, &crossed);
  cell->exact[0] = 1.0 - settings->fraction;
  cell->exact[1] = settings->fraction * (crossed.phases == 2 ? crossed.lower_fraction : 1.0);
  if (crossed.phases == 2) cell->exact[2] = settings->fraction - cell->exact[1];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Dispersed ---------------------------------------------------------------------------------------------------------- */

typedef struct {
  double center[3], direction[3], push[3];
} Rod;

typedef struct {
  PetscInt count;
  double   radius, half; /* of the axis, without the round ends */
  Rod     *rods;
} Rods;

/* Radius of a rod of volume V = pi r^2 (l - 2 r/3); V grows with r up to r = l. */
static double RodRadius(double volume)
{
  double low = 0.0, high = 0.5 * ROD_LENGTH;

  for (int i = 0; i < 60; i++) {
    const double r = 0.5 * (low + high);

    if (M_PI * r * r * (ROD_LENGTH - 2.0 * r / 3.0) < volume) low = r;
    else high = r;
  }
  return 0.5 * (low + high);
}

static double Dot(const double a[3], const double b[3])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static double Clamp(double x, double half)
{
  return fmin(fmax(x, -half), half);
}

/* Nearest points a + s p and b + t q of two segments, |s|, |t| <= half; d = (a + s p) - (b + t q), with offset = a - b.
   Returns |d|^2. Source: Ericson, Real-Time Collision Detection (2005), 5.1.9, for unit directions. */
static double BetweenSegments(const double offset[3], const double p[3], const double q[3], double half, double d[3])
{
  const double pq = Dot(p, q), po = Dot(p, offset), qo = Dot(q, offset), determinant = 1.0 - pq * pq;
  double       s = determinant > 1e-12 ? Clamp((pq * qo - po) / determinant, half) : 0.0;
  const double t = Clamp(pq * s + qo, half);

  s = Clamp(pq * t - po, half);
  for (PetscInt a = 0; a < 3; a++) d[a] = offset[a] + s * p[a] - t * q[a];
  return Dot(d, d);
}

/* Adds to push (where it is given) half of what separates rod a from rod b and its periodic copies; returns the smallest
   squared distance of their axes. */
static double Meet(const Rods *rods, const Rod *a, const Rod *b, double wanted, double *push)
{
  const double reach = 2.0 * rods->half + wanted;
  double       near[3], least = 3.0;

  for (PetscInt i = 0; i < 3; i++) {
    near[i] = a->center[i] - b->center[i];
    near[i] -= round(near[i]);
  }
  for (PetscInt copy = 0; copy < 8; copy++) { /* along each axis the nearest one and the one on the other side */
    double offset[3];
    double d[3], square, length;

    for (PetscInt i = 0; i < 3; i++) offset[i] = near[i] - (copy >> i & 1 ? copysign(1.0, near[i]) : 0.0);
    if (Dot(offset, offset) >= reach * reach) continue;
    square = BetweenSegments(offset, a->direction, b->direction, rods->half, d);
    least  = PetscMin(least, square);
    if (!push || square >= wanted * wanted) continue;
    length = sqrt(square);
    if (length < 1e-9 * wanted) { /* the axes meet: leave along the common normal, or across where they are parallel */
      d[0]   = a->direction[1] * b->direction[2] - a->direction[2] * b->direction[1];
      d[1]   = a->direction[2] * b->direction[0] - a->direction[0] * b->direction[2];
      d[2]   = a->direction[0] * b->direction[1] - a->direction[1] * b->direction[0];
      length = sqrt(Dot(d, d));
      if (length < 1e-9) continue;
      for (PetscInt i = 0; i < 3; i++)
        push[i] += 0.5 * wanted * d[i] / length * (a < b ? 1.0 : -1.0) * (Dot(d, offset) < 0 ? -1.0 : 1.0);
    } else {
      for (PetscInt i = 0; i < 3; i++) push[i] += 0.5 * (wanted / length - 1.0) * d[i];
    }
  }
  return least;
}

static void DrawDirection(gsl_rng *random, double angle, PetscInt axis, double direction[3])
{
  const double first = gsl_ran_gaussian(random, angle * M_PI / 180.0), second = gsl_ran_gaussian(random, angle * M_PI / 180.0);
  const double tilt = hypot(first, second), across = tilt > 0 ? sin(tilt) / tilt : 1.0;

  direction[axis]           = cos(tilt);
  direction[(axis + 1) % 3] = across * first;
  direction[(axis + 2) % 3] = across * second;
}

/* One rod after the other where it meets no earlier one; true where all found a place, the rest are put anywhere. */
static PetscBool AddRods(Rods *rods, gsl_rng *random)
{
  const double square = 4.0 * rods->radius * rods->radius;
  PetscBool    all    = PETSC_TRUE;

  for (PetscInt r = 0; r < rods->count; r++) {
    Rod      *rod   = &rods->rods[r];
    PetscBool found = PETSC_FALSE;

    for (PetscInt attempt = 0; attempt < (all ? ATTEMPTS : 1) && !found; attempt++) {
      for (PetscInt a = 0; a < 3; a++) rod->center[a] = gsl_rng_uniform(random);
      found = PETSC_TRUE;
      for (PetscInt other = 0; other < r && found; other++) {
        if (Meet(rods, rod, &rods->rods[other], 2.0 * rods->radius, NULL) < square) found = PETSC_FALSE;
      }
    }
    if (!found) all = PETSC_FALSE;
  }
  return all;
}

static PetscBool SeparateRods(Rods *rods)
{
  const double wanted = 2.002 * rods->radius, square = 4.0 * rods->radius * rods->radius;

  for (PetscInt sweep = 0; sweep < SWEEPS; sweep++) {
    double least = 3.0;

    for (PetscInt r = 0; r < rods->count; r++) {
      Rod *rod = &rods->rods[r];

      for (PetscInt a = 0; a < 3; a++) rod->push[a] = 0;
      for (PetscInt other = 0; other < rods->count; other++) {
        if (other != r) least = PetscMin(least, Meet(rods, rod, &rods->rods[other], wanted, rod->push));
      }
    }
    if (least >= square) return PETSC_TRUE;
    for (PetscInt r = 0; r < rods->count; r++) {
      for (PetscInt a = 0; a < 3; a++) {
        rods->rods[r].center[a] += rods->rods[r].push[a];
        rods->rods[r].center[a] -= floor(rods->rods[r].center[a]);
      }
    }
  }
  return PETSC_FALSE;
}

/* Voxels of this rank whose centers are in the rod or one of its periodic copies. */
static void FillRod(FgCell cell, const Rods *rods, const Rod *rod, uint16_t phase)
{
  PetscInt low[3], high[3], at[3];

  for (PetscInt a = 0; a < 3; a++) {
    const double reach = rods->half * fabs(rod->direction[a]) + rods->radius;

    low[a]  = (PetscInt)floor((rod->center[a] - reach) * (double)cell->n[a]);
    high[a] = (PetscInt)ceil((rod->center[a] + reach) * (double)cell->n[a]);
  }
  for (at[2] = low[2]; at[2] < high[2]; at[2]++) {
    const PetscInt plane = FgShapeWrap(at[2], cell->n[2]) - cell->start;

    if (plane < 0 || plane >= cell->count) continue;
    for (at[1] = low[1]; at[1] < high[1]; at[1]++) {
      uint16_t *row = cell->phase + (plane * cell->n[1] + FgShapeWrap(at[1], cell->n[1])) * cell->n[0];

      for (at[0] = low[0]; at[0] < high[0]; at[0]++) {
        double d[3], along;

        for (PetscInt a = 0; a < 3; a++) d[a] = ((double)at[a] + 0.5) / (double)cell->n[a] - rod->center[a];
        along = Clamp(Dot(d, rod->direction), rods->half);
        for (PetscInt a = 0; a < 3; a++) d[a] -= along * rod->direction[a];
        if (Dot(d, d) < rods->radius * rods->radius) row[FgShapeWrap(at[0], cell->n[0])] = phase;
      }
    }
  }
}

PetscErrorCode FgDispersedFibersFill(const FgGeometrySettings *settings, FgCell cell)
{
  const PetscInt phases = FgShapeFiberPhases(cell, settings->count);
  Rods           rods   = {.count = settings->count};
  PetscBool      apart;
  gsl_rng       *random;

  PetscFunctionBegin;
  PetscCheck(settings->count <= MOST_RODS, PETSC_COMM_SELF, PETSC_ERR_USER,
             "dispersed-fibers: found a count of %" PetscInt_FMT ", expected 1 to %d", settings->count, MOST_RODS);
  cell->exact[0] = 1.0 - settings->fraction;
  for (PetscInt p = 0; p < phases; p++) cell->exact[p + 1] = settings->fraction / (double)phases;
  if (settings->fraction == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(settings->fraction < M_PI / 6.0 * pow(ROD_LENGTH, 3) * (double)settings->count, PETSC_COMM_SELF, PETSC_ERR_USER,
             "dispersed-fibers: found a count of %" PetscInt_FMT
             " for a fraction of %.6g, with which fibers were thicker than long",
             settings->count, settings->fraction);
  rods.radius = RodRadius(settings->fraction / (double)settings->count);
  rods.half   = 0.5 * ROD_LENGTH - rods.radius;
  PetscCall(PetscMalloc1(rods.count, &rods.rods));
  random = gsl_rng_alloc(gsl_rng_mt19937);
  gsl_rng_set(random, (unsigned long)settings->seed + 1); /* 0 would mean GSL's own seed */
  for (PetscInt r = 0; r < rods.count; r++) DrawDirection(random, settings->angle, settings->axis, rods.rods[r].direction);
  apart = AddRods(&rods, random);
  if (!apart) apart = SeparateRods(&rods);
  gsl_rng_free(random);
  for (PetscInt r = 0; r < rods.count && apart; r++) FillRod(cell, &rods, &rods.rods[r], (uint16_t)(phases == 1 ? 1 : r + 1));
  PetscCall(PetscFree(rods.rods));
  PetscCheck(
      apart, PETSC_COMM_SELF, PETSC_ERR_USER,
      "dispersed-fibers: found no places without overlap for %" PetscInt_FMT
      " fibers with a fraction of %.6g and tilts of %.6g degrees; take fewer fibers, another seed, a smaller fraction or angle",
      settings->count, settings->fraction, settings->angle);
  PetscFunctionReturn(PETSC_SUCCESS);
}
