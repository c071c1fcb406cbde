/* picture_electrodes.h: electrodes of a three-dimensional mesh in a slice of its picture. */
#ifndef FINEGRAIN_DATA_PICTURE_ELECTRODES_H
#define FINEGRAIN_DATA_PICTURE_ELECTRODES_H

#include "finegrain/mesh.h"

#include <cairo.h>

/* Draws what of every electrode lies within a slice, with its name outside. to[k] = (a, b, c, d) maps a point x [m] to a x + b y + c z + d:
   k = 0 the distance from the middle of the slice in its thicknesses, k = 1, 2 the place [pixels]; middle: of the slice [pixels]. */
PETSC_INTERN void FgDrawSliceElectrodes(cairo_t *cairo, FgMesh mesh, const double to[3][4], const double middle[2]);

#endif
