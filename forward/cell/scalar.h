/* scalar.h: the finite-volume operator of scalar.c, for the files that solve it and evaluate its correctors. Private to forward/cell/. */
#ifndef FINEGRAIN_FORWARD_CELL_SCALAR_H
#define FINEGRAIN_FORWARD_CELL_SCALAR_H

#include "solver.h"

#include <petscksp.h>

struct FgScalar_ {
  FgCell          cell;
  FgCellSettings  settings;
  double         *conductivity; /* [nphases][3] */
  PetscBool      *permeable;    /* [nphases] */
  PetscBool       impermeable;  /* some phase that occurs is not */
  double         *reaction;     /* [nphases], NULL for none */
  double         *face[3];      /* [nphases][nphases] conductances */
  double         *table[3];     /* the same over h^2 */
  double         *stored[3];    /* [nlocal] conductance over h^2 of each voxel's upper face, of sub-sampled cells; else NULL */
  double         *symbol[3];    /* [n] of the preconditioner along each axis */
  uint16_t       *phase_below, *phase_above; /* planes next to the slab */
  double         *flux[2], *row;             /* through lower z faces of a plane, y faces of a row; x faces */
  FgHalo          halo;
  FgSpectral      spectral;
  FgConjugateWork work;
  FgComponents    components;
  PetscBool       has_components; /* a rank without planes has none of its own */
  Mat             matrix;         /* assembled, with its multigrid: NULL before algebraic.c needs them */
  KSP             ksp;
};

/* Solves A x = b (or the source of `axis` where b is NULL) by PETSc's conjugate gradients with BoomerAMG. */
PetscErrorCode FgScalarAlgebraic(FgScalar op, const double *b, PetscInt axis, double *x, FgCellSolve *solve, char *history,
                                 PetscBool *converged);

/* Voxels of a plane. */
static inline size_t FgScalarPlane(FgScalar op)
{
  return (size_t)(op->cell->n[0] * op->cell->n[1]);
}

/* x = z + beta x where z is given (then y may be z), y = A x in the same pass; *dot (may be NULL) = x . y of this rank. */
PetscErrorCode FgScalarCombineApply(FgScalar op, double beta, const double *z, double *x, double *y, double *dot);

/* Conductances over h^2 of the lower and upper face along an axis of the voxel at place `at` in this rank's plane k. */
void FgScalarFaces(FgScalar op, PetscInt axis, PetscInt k, size_t at, double *lower, double *upper);

/* faces.c: fills op->stored from the fine labels of a sub-sampled cell. */
PetscErrorCode FgScalarStoreFaces(FgScalar op);

#endif
