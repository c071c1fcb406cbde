/* fit_eit.h: a fit of electrode voltages: what it holds, and its steps. */
#ifndef FINEGRAIN_APP_FIT_EIT_H
#define FINEGRAIN_APP_FIT_EIT_H

#include "eit_domain.h"
#include "eit_model.h"
#include "fit.h"

#include "finegrain/problem.h"
#include "finegrain/result.h"

typedef enum { FG_EIT_ABSOLUTE, FG_EIT_CALIBRATED, FG_EIT_DIFFERENCE } FgEitMode;

typedef struct {
  const FitSettings *settings; /* borrowed, as the log */
  FgLog             *log;
  FgEit              eit;
  FgEitMode          mode;
  FgMesh             mesh;
  char               mesh_source[PETSC_MAX_PATH_LEN + 64];
  FgGrid             grid;   /* of the maps */
  FgMeasurement      voxels; /* those of the maps that lie in the mesh */
  PetscInt          *site;   /* [voxels.nlocal] */
  FgTissue           tissue;
  PetscBool          isotropic, direction; /* the unknown is the conductivity; the direction is unknown */
  double            *directions;           /* of FgEitDirections; NULL where isotropic */
  FgDomain           domain;
  FgModel            model;
  FgField            field;
  FgProblem          problem;
  FgRegularizer      regularizer;
  FgEitBackground    background;                    /* conductivity where the fit starts [S/m] */
  double             porosity;                      /* of a closure, where the fit starts [1] */
  PetscBool          fitted;                        /* the background was fitted */
  double            *value;                         /* [npatterns*nmeasurements] what is fitted [V], NAN: left out */
  double            *deviation;                     /* likewise [V], > 0 where value is finite */
  float             *local_value, *local_deviation; /* this rank's part */
  unsigned char     *status;                        /* [domain->nlocal] FgStatus bits */
  PetscInt           samples;                       /* voltages that are fitted */
  double             noise_median;                  /* [V] */
  PetscBool          contradicted;                  /* deviations come from what redundant patterns contradict */
  PetscInt           contradictions;                /* degrees of freedom of that */
  PetscBool          searched;                      /* the weight was */
  FgWeightSearch     search;
  FgSolveReport      solve;
  double             chi2, freedom;
  float             *std;        /* [nlocal*ncomponents] of the unknowns [component unit]; NULL: not known */
  double             std_median; /* of the map of standard deviations */
  double             seconds_read, seconds_background, seconds_field, seconds_deviations, seconds_write, seconds_total; /* wall */
} FgEitFit;

/* Degree of the elements. In a plane degree 2 by default: with degree 1 the discretization, some 0.5 % of adjacent voltages on 9,000 triangles,
   would hide the noise. */
static inline PetscInt FgEitOrder(const FgEitFit *fit)
{
  return fit->settings->domain.order ? fit->settings->domain.order : fit->mesh->dim == 2 ? 2 : 1;
}

static inline FgEitParts FgEitFitParts(const FgEitFit *fit)
{
  return (FgEitParts){&fit->settings->domain, fit->eit, fit->mesh, &fit->tissue, fit->domain, fit->directions};
}

/* The map of standard deviations, if there is one, and its unit. */
static inline const char *FgEitStdMap(const FgEitFit *fit)
{
  return fit->isotropic ? "conductivity_std" : "porosity_std";
}
static inline const char *FgEitStdUnit(const FgEitFit *fit)
{
  return fit->isotropic ? "S/m" : "1";
}

/* fit_eit.c. Collective, as all below. */
PetscErrorCode FgRunFitEit(const FitSettings *settings, FgLog *log);
/* For `verify`: reads, fits the homogeneous state and sets up the problem, at its start. Borrows `settings`, whose "auto" become words. */
PetscErrorCode FgEitFitOpen(FitSettings *settings, FgLog *log, FgEitFit *fit);
PetscErrorCode FgEitFitClose(FgEitFit *fit);

/* fit_eit_memory.c: bytes that a fit of what was read will need on all ranks together, an estimate. Not collective. */
PetscErrorCode FgEitFitMemory(const FgEitFit *fit, PetscMPIInt ranks, double *bytes);

/* fit_eit_data.c: how the data are taken; value and deviation. `predicted`: F(m0) [npatterns*nmeasurements], NULL in absolute mode. */
extern const char *const FgEitModes[]; /* "absolute", "calibrated", "difference", NULL */
PetscErrorCode           FgEitChooseMode(FgEitFit *fit);
/* Standard deviation of the noise of `voltage`, with `model_error` times `size` [both V, of n voltages] in squares. */
void FgEitDeviation(const FgEitFit *fit, const double *voltage, const double *size, double model_error, double *deviation);
PetscErrorCode FgEitSetData(FgEitFit *fit, const double *predicted);
double         FgEitModelError(const FgEitFit *fit);

/* fit_eit_background.c: fits the homogeneous state; predicted as above (PetscFree; NULL in absolute mode). */
PetscErrorCode FgEitFitBackgroundState(FgEitFit *fit, double **predicted);

/* fit_eit_output.c: maps and picture; fit_eit_summary.c: summary.json, config.yaml and log.txt. */
PetscErrorCode FgEitProvenance(const FgEitFit *fit, json_t **provenance);
PetscErrorCode FgEitWriteMaps(FgEitFit *fit, FgResult *result);
PetscErrorCode FgEitSummarize(FgEitFit *fit, const FgResult *result);

#endif
