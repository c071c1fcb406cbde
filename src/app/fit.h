/* fit.h: settings of `finegrain fit`, filled from the table in fit_options.c. */
#ifndef FINEGRAIN_APP_FIT_H
#define FINEGRAIN_APP_FIT_H

#include "eit_options.h"

typedef struct {
  FgCommonSettings    common;
  FgTissueSettings    tissue;
  FgEitDomainSettings domain; /* of impedance tomography */
  /* input */
  FgText dwi;                        /* the volume: DWI or tensor; or an impedance measurement */
  FgText bval, bvec, grad, mask;     /* "": look beside the volume */
  double b0_threshold;               /* [s/mm^2] */
  FgText model;                      /* "": by content */
  FgText tensor_order, tensor_frame; /* "": by header */
  /* noise */
  FgText noise;           /* "gaussian", "rician", "ncchi" */
  double coils;           /* [1], effective; NaN but for "ncchi" */
  FgText sigma;           /* a number [signal units], a map's path, "b0" or "residual"; "": automatic */
  FgText robust;          /* "none", "huber" */
  double huber_threshold; /* [1], in sigma */
  /* inversion */
  PetscBool pointwise;
  FgText    regularizer;                                                /* "": by the kind of data, as the next */
  FgText    criterion;                                                  /* how alpha is chosen */
  double    alpha;                                                      /* [1]; NaN: chosen by the criterion */
  double    weight_porosity, weight_kappa, weight_direction, weight_s0; /* [1], relative; NaN: found by the criterion */
  double    tv_epsilon;                                                 /* [1], in pointwise standard deviations */
  FgText    solver;                                                     /* "": by the kind of data */
  double    tolerance;      /* [1], reduction of the projected gradient; NaN: by the kind of data */
  PetscInt  max_iterations; /* 1 to 100000 */
  PetscInt  seed;           /* of the stochastic trace */
  /* output */
  FgText    output, json;
  PetscBool force, dry_run, no_picture;
  double    memory_limit; /* [GiB] of all ranks on this machine; NaN: the machine's memory */
  /* impedance tomography */
  FgEitFitSettings eit;
} FitSettings;

extern const FgCommand FgCommandFit;

/* What `fit` and `verify` have in common; the offsets are those of FitSettings. */
extern const FgOption FgFitInputOptions[], FgFitInversionOptions[];
PetscBool             FgFitCheckInput(const FitSettings *settings, char message[FG_MESSAGE_LENGTH]);

/* Refuses, PETSC_ERR_USER, options that were given but that the kind of the data does not have. */
PetscErrorCode FgFitRefuseOthers(const FitSettings *settings, PetscBool impedance);

/* Puts the words that diffusion data call for in place of "auto". */
void FgFitResolveDiffusion(FitSettings *settings);

/* Whether the measurement is one of electrode voltages; rank 0 looks. Collective. */
PetscErrorCode FgIsImpedance(const char *path, PetscBool *is);

/* Says how much memory a fit of `data` will need; refuses, PETSC_ERR_MEM, more than the limit, with `smaller` as advice. */
PetscErrorCode FgFitPlanMemory(const FitSettings *settings, const char *data, double bytes, const char *smaller, FgLog *log);

PetscErrorCode FgRunFit(const FitSettings *settings, FgLog *log);

#endif
