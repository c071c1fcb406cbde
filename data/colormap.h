/* colormap.h: numbers to colors. */
#ifndef FINEGRAIN_DATA_COLORMAP_H
#define FINEGRAIN_DATA_COLORMAP_H

/* Color of t in 0..1 (clamped): "viridis", "inferno", anything else gray. rgb in 0..1. */
void FgColormap(const char *name, double t, double rgb[3]);

#endif
