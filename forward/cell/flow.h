/* flow.h: velocities on the faces of voxels, and the Stokes flow through a cell. Private to forward/cell/.

   Component a of a velocity stands on the lower face of its voxel across axis a: [nlocal][3] [m/s]. A phase is open where
   fluid (or tracer) can be, closed where not; the flow through a face with a closed voxel on either side is 0. */
#ifndef FINEGRAIN_FORWARD_CELL_FLOW_H
#define FINEGRAIN_FORWARD_CELL_FLOW_H

#include "solver.h"

/* 1 in voxels of open phases, 0 else, for this rank's planes with one more below and one above: [count + 2][n1][n0]. To be
   freed with PetscFree. Collective. */
PetscErrorCode FgOpenVoxels(FgCell cell, const PetscBool *open, uint8_t **flags);

/* div v over each voxel [nlocal] [1/s]. */
PetscErrorCode FgFaceDivergence(FgCell cell, const double *velocity, double *divergence);

/* The nearest velocity (in the sense of least squares) that is divergence-free and keeps to the open voxels. Out: v, and
   ||correction||/||v||, both norms over all faces. Solves one Poisson equation with K = 1 in the open phases, unless
   there is nothing to correct. */
PetscErrorCode FgFaceProject(FgCell cell, const FgCellSettings *settings, const PetscBool *open, const char *name,
                             double *velocity, double *change, FgCellReport *report);

/* K <- P K P for a projector P: what stays of a tensor where only some directions percolate. By rows. */
void FgProjectTensor(const double P[9], double K[9]);

/* Stokes flow through the open phases, driven by a unit pressure gradient over the viscosity along each axis in turn. */
typedef struct {
  double       k[9];      /* <v_i> mu/G_j, i the row [m^2]; exact zeros where nothing flows */
  double       energy[3]; /* <mu 2 e : e>/G^2 of each solve, equal to the diagonal of k at convergence [m^2] */
  FgComponents pores;     /* of the open voxels */
  PetscBool    keep;
  double      *velocity[3]; /* with `keep`: flow j for mu/G = 1 on the faces, [nlocal][3] [m^2]; NULL where there is none */
} FgStokes;

PetscErrorCode FgStokesSolve(FgCell cell, const FgCellSettings *settings, const PetscBool *open, FgStokes *stokes,
                             FgCellReport *report);
PetscErrorCode FgStokesDestroy(FgStokes *stokes);
double         FgStokesBytes(FgCell cell, PetscBool keep); /* a voxel */

/* Which phases the property `fluid` opens, [nphases], to be freed with PetscFree. Errors: neither 0 nor 1. */
PetscErrorCode FgFluidPhases(FgCell cell, PetscBool **open);

#endif
