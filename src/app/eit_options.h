/* eit_options.h: settings of impedance tomography that `fit` and `simulate` have in common: the domain, its elements, and the
   conductivities of a tissue. They follow the tissue's settings in both commands, in this order; what `fit` alone has follows. */
#ifndef FINEGRAIN_APP_EIT_OPTIONS_H
#define FINEGRAIN_APP_EIT_OPTIONS_H

#include "tissue_options.h"

#include "finegrain/eit.h"

typedef struct {
  FgText   mesh;                /* Gmsh file; "": the measurement's own domain */
  double   mesh_unit;           /* [m] */
  PetscInt elements;            /* of built-in meshes; 0: by dimension */
  PetscInt order;               /* 1 or 2; 0: 1 to fit, 2 to simulate */
  FgText   solver;              /* "": chosen by size */
  FgText   electrodes;          /* electrodes.tsv for voxel domains; "": the measurement's positions */
  double   electrodes_unit;     /* [m] of its coordinates */
  double   electrode_radius;    /* [m]; NaN: the measurement's, or 5 mm */
  double   matrix_conductivity; /* [S/m] */
  FgReals  fiber_conductivity;  /* [S/m] axial, radial */
  FgText   direction;           /* map or x,y,z; "": none */
  FgText   direction_frame;     /* "scanner", "fsl"; "": by the sidecar */
} FgEitDomainSettings;

/* How the settings of such a command begin. */
typedef struct {
  FgCommonSettings    common;
  FgTissueSettings    tissue;
  FgEitDomainSettings domain;
} FgEitCommandSettings;

/* What `fit` alone has. */
typedef struct {
  FgText    data;           /* "absolute", "difference", "calibrated"; "": by what the file holds */
  FgText    unknowns;       /* "porosity", "porosity,direction" */
  double    conductivity;   /* [S/m] start; NaN: fitted homogeneous one */
  FgReals   range;          /* [S/m]; n = 0: a thousandth to a thousand times the start */
  FgText    background;     /* "none", "conductivity", "impedance", "each"; "": by the mode of the data */
  double    model_error;    /* [1] */
  double    noise_relative; /* [1] of each voltage; NaN: the file's, or 0.001 */
  double    noise_absolute; /* [V]; NaN: the file's, or 1e-4 of the largest voltage */
  FgText    drop;           /* electrodes, names or numbers from 1 */
  FgText    grid;           /* "NXxNY[xNZ]" or a NIfTI; "": 256x256 over the tank, 64x64x64, or the mask's */
  PetscBool inverse_crime;
} FgEitFitSettings;

extern const FgOption FgEitDomainOptions[]; /* of both commands */
extern const FgOption FgEitFitOptions[];    /* of `fit` (and `verify`): offsets in FitSettings */

#define FG_EIT_ISOTROPIC_CLOSURE "isotropic" /* the word of --closure that means conductivity itself */

PetscBool FgEitDomainCheck(const FgEitDomainSettings *settings, char message[FG_MESSAGE_LENGTH]);
/* Whether the words x,y,z of --direction are numbers rather than a file. */
PetscBool FgEitDirectionConstant(const char *text, double direction[3]);
/* The tissue with conductivities [S/m] in place of diffusivities, aligned fibers; porosity at least 0.02, for the tensor must be positive
   definite. With the closure "isotropic" or none: *isotropic, without --direction, which another one needs. Collective. */
PetscErrorCode FgEitTissue(const FgTissueSettings *tissue, const FgEitDomainSettings *domain, FgTissue *chosen,
                           PetscBool *isotropic);

#endif
