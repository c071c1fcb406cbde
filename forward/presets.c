/* presets.c: named tissues: closure, orientation model and phase constants, with the source of each (docs/presets.md).
   brain is chosen by goodness of fit over two real volumes (docs/closures.md); muscle and heart are solved from published
   tensors, because no volume of either is at hand to choose by. */
#include "finegrain/closure.h"

const FgPreset FgPresets[] = {
    {"brain",
     "human brain in vivo: what fits two real volumes best",
     "docs/presets.md#brain",
     "hs2d",
     "orthotropic",
     {.matrix = 3.0e-3, .fiber_axial = 1.25e-3, .fiber_radial = 0.0, .fiber_storage = 1.0, .apparent = PETSC_FALSE}},
    {"muscle",
     "skeletal muscle: intracellular water of rat muscle, at body temperature",
     "docs/presets.md#muscle",
     "hs2d",
     "dispersed",
     {.matrix = 3.0e-3, .fiber_axial = 1.8e-3, .fiber_radial = 1.3e-3, .fiber_storage = 1.0, .apparent = PETSC_FALSE}},
    {"heart",
     "left ventricle in vivo: published tensor at the published extracellular volume",
     "docs/presets.md#heart",
     "hs2d",
     "dispersed",
     {.matrix = 3.0e-3, .fiber_axial = 1.47e-3, .fiber_radial = 0.77e-3, .fiber_storage = 1.0, .apparent = PETSC_FALSE}},
    {.name = NULL},
};
