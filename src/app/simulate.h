/* simulate.h: settings of `finegrain simulate`, and the truth that it starts from. */
#ifndef FINEGRAIN_APP_SIMULATE_H
#define FINEGRAIN_APP_SIMULATE_H

#include "eit_options.h"

#include "finegrain/measurement.h"
#include "finegrain/model.h"

/* What `simulate --eit` alone has. */
typedef struct {
  PetscBool on;
  FgText    mask;                           /* voxel domain; "": a tank or --mesh */
  double    radius, height;                 /* [m] of a tank; height 0: a disc */
  PetscInt  electrodes, rings;              /* of a tank: electrodes a ring, rings */
  double    width, tall;                    /* [1] share of the wall that electrodes cover around, [m] */
  double    impedance;                      /* [ohm m^2] */
  double    amplitude;                      /* [A] */
  FgText    pattern, measure;               /* names of eit_patterns.h */
  double    conductivity, porosity;         /* [S/m], [1] background */
  FgText    inclusions;                     /* "disc=X,Y,RADIUS,VALUE ..." */
  PetscBool reference;                      /* a set of voltages of the background too */
  double    noise_relative, noise_absolute; /* [1], [V] */
} FgEitSimulateSettings;

typedef struct {
  FgCommonSettings    common;
  FgTissueSettings    tissue;
  FgEitDomainSettings domain;
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
  /* impedance tomography */
  FgEitSimulateSettings eit;
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
extern const FgOption FgSimulateEitOptions[];                              /* simulate_eit_options.c */
PetscBool             FgSimulateCheck(const void *settings, char message[FG_MESSAGE_LENGTH]);

/* Grid, mask, gradient table, and the field filled from a phantom or from maps. Collective, as the next. */
PetscErrorCode FgSimulationOpen(const SimulateSettings *settings, FgSimulation *simulation);
PetscErrorCode FgSimulationClose(FgSimulation *simulation);

/* `simulate --eit` (simulate_eit.c); its check. */
PetscErrorCode FgRunSimulateEit(const SimulateSettings *settings, FgLog *log);
PetscBool      FgSimulateEitCheck(const SimulateSettings *settings, char message[FG_MESSAGE_LENGTH]);

/* An inclusion of the truth of a tank: an ellipse or an ellipsoid. */
typedef struct {
  double center[3], axes[3], angle; /* [m], semi-axes [m], of the first from +x [rad] */
  int    dim;                       /* 2: at any height */
  double value;                     /* [S/m], or porosity [1] */
} FgInclusion;
enum { FG_MAX_INCLUSIONS = 64 };
/* Reads --inclusions; FALSE with one line in `message`. */
PetscBool FgInclusionsRead(const char *text, FgInclusion inclusions[FG_MAX_INCLUSIONS], PetscInt *n,
                           char message[FG_MESSAGE_LENGTH]);
PetscBool FgInclusionHolds(const FgInclusion *inclusion, const double x[3]);

#endif
