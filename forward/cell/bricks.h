/* bricks.h: trilinear elements of one row of voxels, as pure functions of arrays. Private to forward/cell/.

   On a brick of edges h with corners s = (s_x, s_y, s_z), s_d = -1 or 1, a trilinear function is a sum of eight monomials
   s_x^a s_y^b s_z^c. With G_k = sum over corners of (sign of monomial k) u its gradient is
     du/dx = (1/(4 h_x)) (G_x + G_xy eta + G_xz zeta + G_xyz eta zeta),   xi, eta, zeta in [-1, 1],
   and likewise along y and z. The eight monomials are orthogonal, so that the 2 x 2 x 2 Gauss rule (exact here) splits the
   energy of an element of constant stiffness C into
     e_1 : C : e_1 + (1/3) (e_xi : C' : e_xi + e_eta : C' : e_eta + e_zeta : C' : e_zeta)
                   + (1/9) (e_xieta : C' : e_xieta + ...),
   where e_m is the strain that goes with monomial m. With C' = C that is the fully integrated element. Here C' = P C P with P
   the projection onto deviatoric strains: the volumetric strain enters by its mean over the element only. That is Hughes's
   B-bar element with mean dilatation; it does not lock where a phase is nearly incompressible, it has no modes without
   energy, and a strain that is constant in every element (layers) is as exact as before. For conduction C' = C = K.

   Seven numbers a component instead of eight nodes: an element costs about a third of a product with its 24 x 24 matrix.
   Source: Hughes, Int. J. Numer. Meth. Engng 15 (1980) 1413; Flanagan and Belytschko, ibid. 17 (1981) 679. */
#ifndef FINEGRAIN_FORWARD_CELL_BRICKS_H
#define FINEGRAIN_FORWARD_CELL_BRICKS_H

#include <petscsys.h>

#include <stdint.h>

typedef struct {
  int    ncomp;    /* 1: conduction, 3: elasticity */
  double slope[3]; /* 1/(4 h) [1/m] */
  /* ncomp == 3 and all phases isotropic: Lame's constants [nphases] (times slope twice they are forces); else NULL. */
  double *lame, *shear;
  /* Otherwise, of every phase: (3 ncomp)^2 for G_x, G_y, G_z of all components, (3 ncomp)^2 for G_xy, G_xz, G_yz, and
     ncomp^2 for G_xyz, each symmetric, by rows. */
  double *matrix;
} FgBricks;

/* Values in one phase's part of `matrix`. */
#define FgBricksSize(ncomp) ((size_t)(19 * (ncomp) * (ncomp)))

/* `tensor` [6] of conduction (xx, yy, zz, yz, xz, xy) or stiffness [36] in that order with engineering shear. */
void FgBricksMatrix(int ncomp, const double slope[3], const double *tensor, double *matrix);

/* Node rows come as sums and differences of two planes of nodes, lower and upper: sum[c][i] = lower + upper, difference =
   upper - lower, i = 0 .. n with node n the same as node 0, rows `FgBricksStride(n)` apart. */
#define FgBricksStride(n) (((size_t)(n) + 16) & ~(size_t)7)
void FgBricksSplit(int ncomp, PetscInt n, const double *lower, const double *upper, double *sum, double *difference);

/* Adds the forces of one row of n elements: node[0], node[1] are sum and difference of its lower y row, node[2], node[3] of its
   upper one; force[] likewise (the force on the lower plane is sum - difference, on the upper sum + difference).
   bias [3 ncomp] (component, axis) is added to the modes G_x, G_y, G_z: a macroscopic gradient over slope. */
void FgBricksForces(const FgBricks *bricks, PetscInt n, const uint16_t *phase, const double *bias, const double *const node[4],
                    double *const force[4]);

/* Adds the gradients (component, axis) of all elements of the row to mean[phase][3 ncomp]. */
void FgBricksGradients(const FgBricks *bricks, PetscInt n, const uint16_t *phase, const double *bias, const double *const node[4],
                       double *mean);

/* What a row of nodes got from the elements of one layer: lower (interlaced) += sum - difference where not NULL, returning
   its dot product with p (0 where p is NULL); upper = sum + difference where not NULL. Folds node n into node 0. */
double FgBricksMerge(int ncomp, PetscInt n, double *sum, double *difference, const double *p, double *lower, double *upper);

#endif
