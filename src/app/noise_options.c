/* noise_options.c: the number of coils goes with noncentral-chi noise, and with nothing else. */
#include "noise_options.h"

#include <stdio.h>
#include <string.h>

PetscBool FgNoiseCheck(const char *noise, double coils, char message[FG_MESSAGE_LENGTH])
{
  const PetscBool wanted = strcmp(noise, "ncchi") ? PETSC_FALSE : PETSC_TRUE, given = isnan(coils) ? PETSC_FALSE : PETSC_TRUE;

  if (wanted == given) return PETSC_TRUE;
  if (wanted) snprintf(message, FG_MESSAGE_LENGTH, "--coils: is missing, --noise ncchi needs the effective number of coils");
  else snprintf(message, FG_MESSAGE_LENGTH, "--coils: is for --noise ncchi, found --noise %.20s", noise);
  return PETSC_FALSE;
}
