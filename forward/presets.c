/* presets.c: named tissues with their constants; where they come from: docs/presets.md. */
#include "finegrain/closure.h"

const FgPreset FgPresets[] = {
  {.name = "brain", .summary = "human brain in vivo", .source = "docs/presets.md", .closure = "hs2d", .orientation = "dispersed",
   .phases = {.matrix = 3.0e-3, .fiber_axial = 1.0e-3, .fiber_radial = 0.0, .fiber_storage = 1.0, .apparent = PETSC_FALSE}},
  {0}};
