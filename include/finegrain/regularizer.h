/* regularizer.h: scores a parameter field's roughness over the domain's neighbour groups.

   R(m) = sum_terms weight_t sum_g measure_g psi_t( sum_{pairs} coupling |difference_ij|^2 )
   difference: m_j - m_i for scalar components; for a direction the dyads, |n_i n_i^T - n_j n_j^T|^2 / 2 = 1 - (n_i.n_j)^2,
   which is the squared sine of the angle: sign-free. psi is all that distinguishes one regularizer from another. */
#ifndef FINEGRAIN_REGULARIZER_H
#define FINEGRAIN_REGULARIZER_H

#include "field.h"

typedef struct {
  const char *name, *summary;
  double (*psi)(double t, double epsilon);    /* psi(0) = 0 */
  double (*weight)(double t, double epsilon); /* 2 psi'(t), the lagged weight */
} FgRegularizerOps;
PETSC_EXTERN const FgRegularizerOps *const FgRegularizers[]; /* NULL-terminated, regularizers/regularizers.c */

typedef struct {
  PetscInt component;   /* first component of the term */
  FgKind   kind;        /* tangent: the whole direction */
  double   weight;      /* relative weight [1 / component unit^2 (tikhonov) or 1 / component unit (tv)] */
  double   epsilon;     /* smoothing of TV [component unit]; ignored by tikhonov */
} FgRegularizerTerm;

typedef struct FgRegularizer_ *FgRegularizer;
struct FgRegularizer_ {
  const FgRegularizerOps *ops;
  FgField  field;            /* borrowed */
  PetscInt nterms;
  FgRegularizerTerm terms[8];
  double  *lagged;           /* [nterms][npairs of local groups]: frozen pair weights; see FgRegularizerFreeze */
};

PETSC_EXTERN PetscErrorCode FgRegularizerCreate(const char *name, FgField field, PetscInt nterms, const FgRegularizerTerm terms[],
                                                FgRegularizer *regularizer);
PETSC_EXTERN PetscErrorCode FgRegularizerDestroy(FgRegularizer *regularizer);
/* Energy (summed over ranks) and scale * gradient ADDED to `gradient` (may be NULL). Updates ghosts of m. Collective. */
PETSC_EXTERN PetscErrorCode FgRegularizerEvaluate(FgRegularizer regularizer, Vec m, double scale, PetscReal *energy, Vec gradient);

#endif
