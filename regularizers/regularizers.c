/* regularizers.c: the list of regularizers. A new one is one file beside this and one line here; the first is the default. */
#include "finegrain/regularizer.h"

extern const FgRegularizerOps FgTikhonov, FgTotalVariation, FgJoint;

const FgRegularizerOps *const FgRegularizers[] = {&FgJoint, &FgTotalVariation, &FgTikhonov, NULL};

const FgRegularizerOps *FgRegularizerFind(const char *name)
{
  for (PetscInt k = 0; FgRegularizers[k]; k++) {
    PetscBool same = PETSC_FALSE;

    if (!PetscStrcmp(FgRegularizers[k]->name, name, &same) && same) return FgRegularizers[k];
  }
  return NULL;
}
