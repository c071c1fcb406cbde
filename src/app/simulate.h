/* simulate.h: settings of `finegrain simulate`, and the truth that it starts from. */
#ifndef FINEGRAIN_APP_SIMULATE_H
#define FINEGRAIN_APP_SIMULATE_H

#include "tissue_options.h"

#include "finegrain/measurement.h"
#include "finegrain/model.h"

typedef struct {
  FgCommonSettings common;
  FgTissueSettings tissue;
  /* truth */
  FgText  truth, phantom; /* one of them; "": the other */
  FgReals size, spacing;  /* of a phantom: voxels, mm */
  double  s0;             /* [signal] */
  /* gradients */
  FgText   bval, bvec;     /* "": the spread table of the next three */
  double   b0_threshold;   /* [s/mm^2] */
  PetscInt directions, b0; /* volumes */
  double   shell;          /* [s/mm^2] */
  /* noise */
  FgText   noise;      /* "gaussian", "rician", "ncchi", "none" */
  double   coils;      /* [1], effective; NaN but for "ncchi" */
  double   snr, sigma; /* [1], [signal]; sigma NaN: from snr */
  PetscInt seed;
  /* output */
  FgText    output;
  PetscBool force;
} SimulateSettings;

/* A truth on its grid. */
typedef struct {
  FgMeasurement measurement; /* its data are what the simulation fills */
  FgTissue      tissue;
  FgModel       model;
  FgDomain      domain;
  FgField       field;
  double        s0_median; /* [signal] */
} FgSimulation;

extern const FgOption FgSimulateTruthOptions[], FgSimulateOutputOptions[]; /* simulate_options.c */
PetscBool             FgSimulateCheck(const void *settings, char message[FG_MESSAGE_LENGTH]);

/* Grid, mask, gradient table, and the field filled from a phantom or from maps. Collective, as the next. */
PetscErrorCode FgSimulationOpen(const SimulateSettings *settings, FgSimulation *simulation);
PetscErrorCode FgSimulationClose(FgSimulation *simulation);

#endif
