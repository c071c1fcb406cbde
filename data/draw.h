/* draw.h: what the pictures of this room share: their colors, text, a color bar, and a PNG that is whole. */
#ifndef FINEGRAIN_DATA_DRAW_H
#define FINEGRAIN_DATA_DRAW_H

#include "finegrain/base.h"

#include <cairo.h>

#define FG_BAR_WIDTH 18.0 /* [pixels] */

PETSC_EXTERN const double FgDrawBackground[3], FgDrawForeground[3], FgDrawDim[3];

PETSC_INTERN void FgDrawColor(cairo_t *cairo, const double color[3]);
/* Text about (x, y); align 0 left, 0.5 centered, 1 right; y is the middle of the capitals. */
PETSC_INTERN void FgDrawText(cairo_t *cairo, double x, double y, double align, double size, PetscBool bold, const double color[3],
                             const char *text);
/* Bar of a colormap over `range` with numbers at its right; y is its middle. */
PETSC_INTERN void FgDrawBar(cairo_t *cairo, const char *colormap, const double range[2], double x, double y, double height);
/* Writes the PNG, whole or not at all. Error: PETSC_ERR_FILE_WRITE. */
PETSC_INTERN PetscErrorCode FgDrawSave(cairo_surface_t *surface, cairo_t *cairo, const char *path);

#endif
