/* tissue_options.h: the options that choose a tissue: closure, orientation model and constants. They are those of every command
   that computes with a tissue, whose settings begin with FgCommonSettings and FgTissueSettings, in this order. */
#ifndef FINEGRAIN_APP_TISSUE_OPTIONS_H
#define FINEGRAIN_APP_TISSUE_OPTIONS_H

#include "command.h"

#include "finegrain/closure.h"

#include <jansson.h>

typedef struct {
  FgText  tissue;               /* name of a preset */
  FgText  closure, orientation; /* "": the preset's */
  FgText  normalization;        /* "effective", "apparent"; "": the preset's */
  double  matrix_diffusivity;   /* [mm^2/s]; NaN: the preset's */
  FgReals fiber_diffusivity;    /* [mm^2/s] axial, radial; n = 1: isotropic; n = 0: the preset's */
  double  fiber_storage;        /* [1]; NaN: the preset's */
  FgReals porosity_bounds;      /* [1] low, high; n = 0: 0 (or the closure's packing limit) to 1 */
} FgTissueSettings;

/* How the settings of such a command begin. */
typedef struct {
  FgCommonSettings common;
  FgTissueSettings tissue;
} FgTissueCommandSettings;

extern const FgOption FgTissueOptions[];

/* What a single row cannot say; FALSE with one line in `message`. */
PetscBool FgTissueCheck(const FgTissueSettings *settings, char message[FG_MESSAGE_LENGTH]);
/* The preset with what the settings change of it; its closure may be an instance, which FgTissueClose frees. Collective over
   PETSC_COMM_WORLD, for it may read a table. Errors: PETSC_ERR_USER; those of FgHomogenizationTableRead. */
PetscErrorCode FgTissueChoose(const FgTissueSettings *settings, FgTissue *tissue);
PetscErrorCode FgTissueClose(FgTissue *tissue);
/* The tissue for sidecars; a new reference. */
json_t *FgTissueJson(const FgTissue *tissue);

#endif
