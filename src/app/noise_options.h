/* noise_options.h: what `fit`, `verify` and `simulate` demand of --noise and --coils together. */
#ifndef FINEGRAIN_APP_NOISE_OPTIONS_H
#define FINEGRAIN_APP_NOISE_OPTIONS_H

#include "options.h"

/* coils [1]: NaN where not given. FALSE: usage error, one line in `message`. */
PetscBool FgNoiseCheck(const char *noise, double coils, char message[FG_MESSAGE_LENGTH]);

#endif
