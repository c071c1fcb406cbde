/* dispersion.h: what the files of the dispersion problem share: dispersion_flow.c, the velocity and its drift, and
   dispersion.c, the cell problem. Private to forward/cell/. */
#ifndef FINEGRAIN_FORWARD_CELL_DISPERSION_H
#define FINEGRAIN_FORWARD_CELL_DISPERSION_H

#include "flow.h"

#include <petscksp.h>

enum { FG_VELOCITY = 3 }; /* components */

typedef struct {
  FgCell         cell;
  FgCellSettings settings;
  FgScalar       op;                                       /* -div(K grad) */
  double        *tensors;                                  /* [nphases][6] K = rho D */
  double        *storage;                                  /* [nphases] rho, 0 where K = 0 */
  double        *velocity;                                 /* [nlocal][3] on lower faces [m/s] */
  const double  *velocity_above;                           /* the plane above the slab */
  double         mean_velocity[3], mean_storage, drift[3]; /* <v> [m/s], <rho> [1], V [m/s] */
  double         idle[3]; /* <K_aa> of pores that take no part but conduct across the cell, where it is one voxel thick */
  PetscBool     *moves;   /* of each component, whether its tracer drifts with V; NULL where there is one component */
  FgHalo         velocity_halo, halo;
  FgSpectral     spectral;
  double        *symbol[3];  /* [n] of -K d^2/dx^2 along each axis */
  double        *advance[3]; /* [n] imaginary part of that of <v> d/dx */
  double        *chi[3];     /* [nlocal] correctors [m] */
  PetscReal     *residuals;  /* [max_iterations + 2] of the last solve */
  Vec            x, b, r, step, work;
  KSP            ksp;
} FgDispersion;

/* The velocity: settings->velocity made divergence-free, or Stokes flow with the cell's mean velocity. */
PetscErrorCode FgDispersionVelocity(FgDispersion *d, FgCellReport *report);
/* Means and drift. Needs op. */
PetscErrorCode FgDispersionDrift(FgDispersion *d, FgCellReport *report);
/* v_axis - rho V_axis at the centers of the voxels [nlocal] [m/s]; without the drift in pores that take no part. */
PetscErrorCode FgDispersionExcess(const FgDispersion *d, int axis, double *excess);

#endif
