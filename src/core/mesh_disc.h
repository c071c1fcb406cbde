/* mesh_disc.h: triangles of a disc before they become a mesh; the cylinder extrudes them. */
#ifndef FINEGRAIN_MESH_DISC_H
#define FINEGRAIN_MESH_DISC_H

#include "finegrain/mesh.h"

/* The unit disc. Nodes: nboundary on the circle, counter-clockwise from end[0]; nring on a polygon of the area of the circle of
   radius 1/2; others. */
typedef struct {
  PetscInt  nends;
  double   *end;   /* [nends] angles [rad] of electrodes' ends, ascending within one turn */
  double   *floor; /* [nends] longest edge at each, against the radius */
  double    least; /* edges that follow the grading are not shorter than this share of `coarse` */
  PetscInt  nboundary, nring, nnodes, ntriangles;
  double   *x;        /* [nnodes][2] */
  PetscInt *triangle; /* [ntriangles][3], counter-clockwise */
} FgDisc;

/* A disc without nodes yet that will have some at both ends of each electrode. */
PETSC_INTERN PetscErrorCode FgDiscCreate(const FgTank *tank, double least, FgDisc *disc);
PETSC_INTERN PetscErrorCode FgDiscDestroy(FgDisc *disc);
/* Nodes and triangles with edges of length `coarse`, against the radius, far from ends; rough: of poor shape, for their number. */
PETSC_INTERN PetscErrorCode FgDiscGenerate(FgDisc *disc, double coarse, PetscBool rough);
/* Edge length wanted at a place, against the radius. */
PETSC_INTERN double FgDiscSize(const FgDisc *disc, double coarse, double x, double y);
/* Edge length wanted at a distance from an end that has edges of at most `floor`, and that of the end itself. */
PETSC_INTERN double FgDiscGrading(double coarse, double floor, double distance);
PETSC_INTERN double FgDiscFloor(double coarse, double least);
/* A better guess of `coarse` for n elements where the last gave `found`; false where it need not or cannot be better. */
PETSC_INTERN PetscBool FgDiscAdjust(double *coarse, PetscInt n, double found, double power);
/* under[nboundary]: electrode under each edge of the circle at height z, -1: none. */
PETSC_INTERN void FgDiscElectrodes(const FgDisc *disc, const FgTank *tank, double z, PetscInt *under);
/* Errors of what says a tank: radius, electrodes, their places; sizes of the mesh. */
PETSC_INTERN PetscErrorCode FgTankCheck(const FgTank *tank, PetscInt nelements);
/* Whether the wall's place (angle [rad], z [m]) lies under an electrode. */
PETSC_INTERN PetscBool FgTankCovers(const FgTank *tank, PetscInt electrode, double angle, double z);

/* mesh_delaunay.c: adds nodes inside, from the nodes on the circle and on the ring, until edges are as long as FgDiscSize says. */
PETSC_INTERN PetscErrorCode FgDiscTriangulate(FgDisc *disc, double coarse, PetscBool rough);

#endif
