/* eit_model.h: the forward model of impedance tomography as `fit` and `simulate` use it: its field over a mesh, with fiber directions held or
   to start from, and its predictions on every rank. */
#ifndef FINEGRAIN_APP_EIT_MODEL_H
#define FINEGRAIN_APP_EIT_MODEL_H

#include "eit_options.h"

#include "finegrain/model.h"

/* Unit vectors direction[nsites][3] from --direction, all of them on every rank (PetscFree). Collective, as all below. Errors,
   PETSC_ERR_FILE_UNEXPECTED: a site without a direction, one across the plane of a two-dimensional mesh. */
PetscErrorCode FgEitDirections(const FgEitDomainSettings *settings, FgMesh mesh, double **direction);
/* Turns the frames of a field over the sites of a mesh into these directions. */
PetscErrorCode FgEitFrames(FgMesh mesh, const double *direction, FgField field);

/* What a model is made of; borrowed. */
typedef struct {
  const FgEitDomainSettings *settings; /* of the linear solver */
  FgEit                      eit;
  FgMesh                     mesh;
  const FgTissue            *tissue;
  FgDomain                   domain;    /* of the mesh */
  const double              *direction; /* of FgEitDirections; needed for porosity */
} FgEitParts;
/* A model with its field at the start values. */
PetscErrorCode FgEitModelOpen(const FgEitParts *parts, const FgEitOptions *options, FgModel *model, FgField *field);

/* A vector of data, all of it on every rank: values[n]. */
PetscErrorCode FgEitCollect(Vec data, double *values);
/* F(m) [V], on every rank: voltage[npatterns*nmeasurements]. */
PetscErrorCode FgEitPredict(FgModel model, Vec m, double *voltage);
/* Mean of the conductivity tensor's eigenvalues [S/m] at m and frame of a site, in a plane of those in it. */
double FgEitMeanConductivity(FgModel model, const double *m, const double frame[9]);

#endif
