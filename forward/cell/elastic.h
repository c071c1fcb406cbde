/* elastic.h: the elastic cell problem as `elasticity` and `active-stress` share it, and stiffness as a 6 x 6 matrix. Private to
   forward/cell/. Order xx, yy, zz, yz, xz, xy with engineering shear strains; by rows. */
#ifndef FINEGRAIN_FORWARD_CELL_ELASTIC_H
#define FINEGRAIN_FORWARD_CELL_ELASTIC_H

#include "elements.h"

/* --- stiffness.c ------------------------------------------------------------------------------------------------------- */

void FgStiffnessIsotropic(double youngs_modulus, double poissons_ratio, double C[36]);
/* S = C^-1; false where C is singular. */
PetscBool FgStiffnessInvert(const double C[36], double S[36]);
/* Bulk and shear modulus of the isotropic stiffness nearest to C. */
void FgStiffnessModuli(const double C[36], double *bulk, double *shear);
/* Whether C is, to rounding, that of an isotropic material. */
PetscBool FgStiffnessIsIsotropic(const double C[36]);
/* Smallest eigenvalue of A - B in orthonormal components (shear rows and columns times sqrt 2), where both bound each other. */
PetscErrorCode FgStiffnessGap(const double A[36], const double B[36], double *smallest);

/* --- elasticity.c ------------------------------------------------------------------------------------------------------ */

typedef struct {
  double          *stiffness; /* [nphases][36] */
  FgElementsResult result;
} FgElastic;

/* Reads the phases' elastic properties and solves the six load cases; with a cache, a cell solved before is not solved again. */
PetscErrorCode FgElasticSolve(FgCell cell, const FgCellSettings *settings, FgElastic *elastic, FgCellReport *report);
PetscErrorCode FgElasticDestroy(FgElastic *elastic);
/* C in both forms, bounds, engineering constants, derivatives into the report. */
PetscErrorCode FgElasticReport(FgCell cell, const FgCellSettings *settings, const FgElastic *elastic, FgCellReport *report);

/* The value [of FgProperty] that the phase was given, NULL where it was not. */
const double *FgPhaseGiven(FgCell cell, PetscInt phase, const char *property);

/* --- active_stress.c --------------------------------------------------------------------------------------------------- */

/* kappa of fibers whose density over the angle T to their mean direction goes like exp(b (cos 2 T + 1)): 1/3 for b = 0
   (isotropic), towards 0 for large b (aligned). */
PetscErrorCode FgFiberDispersion(double b, double *kappa);

#endif
