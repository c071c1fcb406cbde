/* field.h: the parameter field m(x): one interlaced Vec of components over a domain's sites, with bounds, and a chart for
   directions.

   A fiber direction is two tangent coordinates (u, v) about a reference direction n0 of its site, by stereographic
   projection: with s = (u^2 + v^2)/4,  n = [(1 - s) n0 + u e1 + v e2]/(1 + s). No poles, no null direction; the chart is
   re-centred between outer iterations. n and -n are the same fiber. An orthotropic frame takes a third coordinate w: the
   rotation R = R0 Q, Q the Cayley rotation of the vector (w, -v, u)/2, whose first column is n where w = 0. */
#ifndef FINEGRAIN_FIELD_H
#define FINEGRAIN_FIELD_H

#include "domain.h"

#include <math.h>

typedef enum { FG_KIND_SCALAR, FG_KIND_TANGENT } FgKind;

typedef struct {
  char   name[32], unit[32];
  FgKind kind;         /* the tangent coordinates of a field stand together */
  double lower, upper; /* box; infinite where unbounded */
  double start;
} FgComponent;

enum { FG_MAX_COMPONENTS = 8 };

/* Whether a value rests on a bound of its box. */
static inline PetscBool FgComponentHeld(const FgComponent *component, double value)
{
  return value <= component->lower || value >= component->upper ? PETSC_TRUE : PETSC_FALSE;
}

/* The standard deviation [component unit] from which on the data are taken to say nothing about a component: half of a box, 0.6 radian of a
   direction; infinite where there is no box. */
static inline double FgComponentUnknown(const FgComponent *component)
{
  const double range = component->upper - component->lower;

  return component->kind == FG_KIND_TANGENT ? 0.6 : isfinite(range) ? 0.5 * range : INFINITY;
}

typedef struct FgField_ *FgField;
struct FgField_ {
  FgDomain    domain; /* borrowed */
  PetscInt    ncomponents;
  FgComponent components[FG_MAX_COMPONENTS];
  PetscInt    tangent;  /* index of the first tangent component, -1 without direction */
  PetscInt    ntangent; /* 0, 2 or 3 */
  Vec         m;        /* ghosted, block size ncomponents */
  double     *frames;   /* [nlocal + nghost][9], row-major R0: columns n0, e1, e2 */
};

PETSC_EXTERN PetscErrorCode FgFieldCreate(FgDomain domain, PetscInt ncomponents, const FgComponent components[], FgField *field);
PETSC_EXTERN PetscErrorCode FgFieldDestroy(FgField *field);
/* Index of the component called `name`, -1 where there is none. */
PETSC_EXTERN PetscInt FgFieldFind(FgField field, const char *name);
/* A Vec laid out as field->m, ghosted. */
PETSC_EXTERN PetscErrorCode FgFieldCreateVec(FgField field, Vec *v);
/* Moves every chart's centre to the present direction (tangent coordinates become 0). Collective. */
PETSC_EXTERN PetscErrorCode FgFieldRecenter(FgField field);
/* Sends frames of owned sites to the ranks that hold them as ghosts. Collective. */
PETSC_EXTERN PetscErrorCode FgFieldUpdateFrames(FgField field);

/* Pure functions of one site. frame: row-major 3x3 with columns n0, e1, e2. */
PETSC_EXTERN void FgChartFrameFromDirection(const double n[3], double frame[9]);
PETSC_EXTERN void FgChartDirection(const double frame[9], const double *uv, double n[3], double dn[2][3]);   /* dn may be NULL */
PETSC_EXTERN void FgChartRotation(const double frame[9], const double uvw[3], double R[9], double dR[3][9]); /* dR may be NULL */
/* Moves the chart's centre to the present direction (or frame): coordinates[ntangent] become 0. */
PETSC_EXTERN void FgChartRecenter(PetscInt ntangent, double *coordinates, double frame[9]);

#endif
