/* mesh_disc.h: triangles of a disc before they become a mesh; the cylinder extrudes them. */
#ifndef FINEGRAIN_MESH_DISC_H
#define FINEGRAIN_MESH_DISC_H

#include "finegrain/mesh.h"

/* The unit disc. Nodes: nboundary on the circle, counter-clockwise from end[0]; nring on the circle of radius 1/2; others. */
typedef struct {
  PetscInt  nends;
  double   *end;   /* [nends] angles [rad] of electrodes' ends, ascending within one turn */
  double   *floor; /* [nends] longest edge at each, against the radius */
  PetscInt  nboundary, nring, nnodes, ntriangles;
  double   *x;        /* [nnodes][2] */
  PetscInt *triangle; /* [ntriangles][3], counter-clockwise */
} FgDisc;

/* About ntriangles triangles with nodes at the angles end [n], in any order, repeated or not. */
PETSC_INTERN PetscErrorCode FgDiscCreate(PetscInt n, const double end[], PetscInt ntriangles, FgDisc *disc);
PETSC_INTERN PetscErrorCode FgDiscDestroy(FgDisc *disc);
/* Edge length wanted at a place, against the radius; `coarse` is that far from ends. */
PETSC_INTERN double FgDiscSize(const FgDisc *disc, double coarse, double x, double y);
/* Edge length wanted at a distance from an end that has edges of at most `floor`. */
PETSC_INTERN double FgDiscGrading(double coarse, double floor, double distance);
/* Errors of what says a tank: radius, electrodes, their places; sizes of the mesh. */
PETSC_INTERN PetscErrorCode FgTankCheck(const FgTank *tank, PetscInt nelements);
/* Whether the wall's place (angle [rad], z [m]) lies under an electrode. */
PETSC_INTERN PetscBool FgTankCovers(const FgTank *tank, PetscInt electrode, double angle, double z);

/* mesh_delaunay.c: adds nodes inside, from the nodes on the circle and on the ring, until edges are as long as FgDiscSize says. */
PETSC_INTERN PetscErrorCode FgDiscTriangulate(FgDisc *disc, double coarse);

#endif
