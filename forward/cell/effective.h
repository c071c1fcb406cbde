/* effective.h: the effective tensor of a conduction-like cell problem, as the physics that need one or several of them share
   it. Private to forward/cell/. */
#ifndef FINEGRAIN_FORWARD_CELL_EFFECTIVE_H
#define FINEGRAIN_FORWARD_CELL_EFFECTIVE_H

#include "solver.h"

typedef struct {
  double    energy[9]; /* < (e_i + grad chi_i) . K (e_j + grad chi_j) >, exact zeros where nothing percolates */
  double    flux[9];   /* < e_i . K (e_j + grad chi_j) > */
  PetscBool percolates[3];
  /* With `keep`: the solved operator and its correctors [m], to be destroyed by FgConductionDestroy. */
  PetscBool keep;
  FgScalar  op; /* NULL where trilinear elements were needed */
  double   *chi[3];
  double   *sensitivity; /* of trilinear elements: [nphases][9] derivative of K* to the logarithm of each phase's tensor */
} FgConduction;

/* Solves P(K) for K [nphases][6]. `name` opens the names of solves and fields. Fields into the report on request. */
PetscErrorCode FgConductionSolve(FgCell cell, const FgCellSettings *settings, const double *tensors, const char *name,
                                 FgConduction *conduction, FgCellReport *report);
PetscErrorCode FgConductionDestroy(FgConduction *conduction);

/* The solved tensor into the report: name (energy form), name_flux (detail), and its relative difference. */
PetscErrorCode FgConductionReport(FgCell cell, const FgConduction *conduction, const double *tensors, const char *name,
                                  const char *unit, const char *what, FgCellReport *report);
/* Voigt, Reuss, and Hashin-Shtrikman where two isotropic phases occur: name_voigt, ... */
PetscErrorCode FgConductionBounds(FgCell cell, const double *tensors, const char *name, const char *unit, FgCellReport *report);

/* Bytes a voxel of such a solve, with `correctors` arrays kept. */
double FgConductionBytes(FgCell cell, const FgCellSettings *settings, const double *tensors, PetscInt correctors);

/* [nphases][6] = factor[phase] tensor[phase]. */
void FgTensorsScale(FgCell cell, const double *factor, double *tensors);

#endif
