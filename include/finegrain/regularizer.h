/* regularizer.h: scores a parameter field's roughness over the domain's neighbour groups.

     R(m) = sum_t weight_t sum_g measure_g psi( T_gt ),   T_gt = sum_{pairs (i,j) of g} coupling_ij |difference_ij / scale_t|^2

   or, where it is joint,  R(m) = sum_g measure_g psi( sum_t weight_t^2 T_gt ).

   difference: m_j - m_i for scalar components; for a direction the dyads, |n_i n_i^T - n_j n_j^T|^2 / 2 = |n_i x n_j|^2, the
   squared sine of the angle between two fibers: sign-free. psi is all that distinguishes one regularizer from another.

   Second-order information is that of the lagged form: with weights q_g = 2 psi'(T_g) frozen, R is a sum of squares. The
   Hessian action keeps the frozen weights and the Gauss-Newton term of each square; it is positive semidefinite, and what a solver
   wants. How a minimizer moves with the data is another question: there the weights move too. The curvature action keeps that:

     q_g [ sum_p k_p dr_p dr_p^T - bend_g h h^T / scale^2 ],   h = sum_p k_p r_p dr_p,   bend = -2 psi''/psi'

   which is positive semidefinite as well where t bend(t) <= 1. */
#ifndef FINEGRAIN_REGULARIZER_H
#define FINEGRAIN_REGULARIZER_H

#include "point.h"

#include <petscmat.h>

typedef struct {
  const char *name, *summary;
  double (*psi)(double t, double epsilon);    /* psi(0) = 0 */
  double (*weight)(double t, double epsilon); /* 2 psi'(t), the lagged weight */
  double (*bend)(double t, double epsilon);   /* -2 psi''(t)/psi'(t): 0 where psi is linear in t */
  PetscBool joint; /* one psi over the sum of all terms' weight^2 T: edges of one component are edges of all */
  double    alpha; /* where a search for the weight starts [1], differences in standard deviations */
} FgRegularizerOps;
PETSC_EXTERN const FgRegularizerOps *const FgRegularizers[];                    /* NULL-terminated, regularizers/regularizers.c */
PETSC_EXTERN const FgRegularizerOps       *FgRegularizerFind(const char *name); /* NULL where there is none */

typedef struct {
  PetscInt component; /* the component, or the field's first tangent component */
  FgKind   kind;
  PetscInt axis;    /* of a direction: 0 the fiber axis, 1 the second axis of an orthotropic frame */
  double   scale;   /* what counts as a unit difference [component unit]; of a direction, the sine of an angle [1] */
  double   weight;  /* [1] */
  double   epsilon; /* smoothing of the corner of psi, in units of scale [1]; ignored by tikhonov */
} FgRegularizerTerm;

/* Column of a term's weight in the rows of FgRegularizer_.lagged. */
static inline PetscInt FgRegularizerColumn(const FgRegularizerTerm *term)
{
  return term->component + term->axis;
}

typedef struct FgRegularizer_ *FgRegularizer;
struct FgRegularizer_ {
  const FgRegularizerOps *ops;
  FgField                 field; /* borrowed */
  PetscInt                nterms;
  FgRegularizerTerm       terms[8];
  double                 *lagged;    /* [ngroups][ncomponents] weight * measure * 2 psi'(T), frozen; a direction's stand in the
                                        columns of its first tangent components */
  double                 *direction; /* [2][nlocal + nghost][3] axes at the frozen m, if the field has a direction */
  double                 *variation; /* work space [axes][nlocal + nghost][3], made when first needed, as the next */
  double                 *force;     /* [axes][nlocal][3] */
};

PETSC_EXTERN PetscErrorCode FgRegularizerCreate(const FgRegularizerOps *ops, FgField field, PetscInt nterms,
                                                const FgRegularizerTerm terms[], FgRegularizer *regularizer);
PETSC_EXTERN PetscErrorCode FgRegularizerDestroy(FgRegularizer *regularizer);

/* All Vecs below are laid out by FgFieldCreateVec. Collective. */
/* Freezes weights and directions at m (whose ghosts it updates) and gives the energy, summed over ranks (may be NULL). */
PETSC_EXTERN PetscErrorCode FgRegularizerFreeze(FgRegularizer regularizer, Vec m, PetscReal *energy);
/* Adds scale * dR/dm at the frozen m to `gradient`. */
PETSC_EXTERN PetscErrorCode FgRegularizerGradient(FgRegularizer regularizer, Vec m, double scale, Vec gradient);
/* Adds scale * (lagged Gauss-Newton Hessian at the frozen m) v to y; updates the ghosts of v. */
PETSC_EXTERN PetscErrorCode FgRegularizerHessian(FgRegularizer regularizer, Vec m, Vec v, double scale, Vec y);
/* Likewise with the curvature action of above: the response of a minimizer to its data. */
PETSC_EXTERN PetscErrorCode FgRegularizerCurvature(FgRegularizer regularizer, Vec m, Vec v, double scale, Vec y);
/* scale * the Hessian of FgRegularizerHessian at the frozen m as a sparse matrix (AIJ) laid out as the field, or `bent` that of
   FgRegularizerCurvature, if FgRegularizerBentMatrix; makes *A where it is NULL, else fills it again. */
PETSC_EXTERN PetscErrorCode FgRegularizerMatrix(FgRegularizer regularizer, Vec m, PetscBool bent, double scale, Mat *A);
/* Whether the curvature is at hand as a matrix: of one scalar term. */
PETSC_EXTERN PetscBool FgRegularizerBentMatrix(FgRegularizer regularizer);
/* What the frozen regularizer is to one owned site while its neighbors are held: for scalars a parabola about the neighbors' mean, for
   each axis W - n^T M n. Gathered once, evaluated at as many trial points as a solver likes. Neither is collective. */
typedef struct {
  double weight[8], mean[8];    /* per component */
  double total[2], dyads[2][9]; /* per axis: W and M = sum of weights and of weighted dyads n_j n_j^T */
} FgRegularizerSite;
/* `m`: the local form of the field with ghosts. */
PETSC_EXTERN void FgRegularizerGather(FgRegularizer regularizer, PetscInt site, const PetscScalar *m, double scale,
                                      FgRegularizerSite *at);
/* Adds the energy (up to a constant), gradient[ncomponents] and a positive semidefinite bound of the Hessian block[ncomponents^2] at the
   site's own values `m` and frame. gradient and block may be NULL, together. */
PETSC_EXTERN void FgRegularizerSiteEvaluate(FgRegularizer regularizer, const FgRegularizerSite *at, const double *m,
                                            const double *frame, double *energy, double *gradient, double *block);
/* After FgRegularizerFreeze: freezes the weights at T + share * (the variance of T's differences) instead. `precision` [1/component
   unit^2], a field whose ghosts it updates: of each variable were its neighbors known, of which scale * the weight that is frozen between
   two neighbors is their bond. Collective. */
PETSC_EXTERN PetscErrorCode FgRegularizerSpread(FgRegularizer regularizer, Vec m, Vec precision, double scale, double share);
/* The components on which a term's differences depend to first order at a chart's center: one of a scalar, two of an axis. Gives their
   number. */
PETSC_EXTERN PetscInt FgRegularizerTermComponents(const FgRegularizerTerm *term, PetscInt components[2]);

/* The same for FG_LANES sites side by side, at centered charts: M as (xx, yy, zz, xy, xz, yz). */
typedef struct {
  FgLanes weight[FG_MAX_COMPONENTS], mean[FG_MAX_COMPONENTS], total[2], dyads[2][6];
} FgRegularizerLanes;
PETSC_EXTERN void FgRegularizerGatherLane(FgRegularizer regularizer, PetscInt site, const PetscScalar *m, double scale, int lane,
                                          FgRegularizerLanes *at);
/* Adds the energy to point->misfit, and with derivatives to gradient and block. */
PETSC_EXTERN void FgRegularizerLanesEvaluate(FgRegularizer regularizer, const FgRegularizerLanes *at, FgBatchPoint *point,
                                             PetscBool derivatives);

/* The bonds of FG_LANES sites to one neighbor each: weights by FgRegularizerColumn, and the neighbor's frame. */
typedef struct {
  FgLanes weight[FG_MAX_COMPONENTS], frame[9];
} FgRegularizerBonds;
/* link NULL: no bond in this lane. */
PETSC_EXTERN void FgRegularizerGatherBond(FgRegularizer regularizer, const FgDomainLink *link, double scale, int lane,
                                          FgRegularizerBonds *bonds);
/* The lagged Gauss-Newton Hessian's block between sites with these frames (rows) and their neighbors (columns): of scalar components
   diagonal[c] alone, of the tangent coordinates turn[3 a + b]. */
PETSC_EXTERN void FgRegularizerBondsEvaluate(FgRegularizer regularizer, const FgRegularizerBonds *bonds, const FgLanes frame[9],
                                             FgLanes diagonal[FG_MAX_COMPONENTS], FgLanes turn[9]);

#endif
