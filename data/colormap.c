/* colormap.c: gray, and the perceptually uniform maps viridis and inferno, interpolated between ten of their colors.
   Source: S. van der Walt, N. Smith, matplotlib's default colormaps (2015), released into the public domain (CC0). */
#include "colormap.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define ANCHORS 10

static const unsigned viridis[ANCHORS] = {0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e,
                                          0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725};
static const unsigned inferno[ANCHORS] = {0x000004, 0x1b0c41, 0x4a0c6b, 0x781c6d, 0xa52c60,
                                          0xcf4446, 0xed6925, 0xfb9b06, 0xf7d13d, 0xfcffa4};

static double Channel(unsigned color, int channel)
{
  return (double)(color >> (16 - 8 * channel) & 255u) / 255.0;
}

void FgColormap(const char *name, double t, double rgb[3])
{
  const unsigned *map = name && !strcmp(name, "viridis") ? viridis : name && !strcmp(name, "inferno") ? inferno : NULL;
  const double    x   = fmin(fmax(t, 0.0), 1.0) * (ANCHORS - 1);
  const int       k   = (int)fmin(floor(x), ANCHORS - 2);

  for (int c = 0; c < 3; c++) {
    if (map) rgb[c] = (1 - (x - k)) * Channel(map[k], c) + (x - k) * Channel(map[k + 1], c);
    else rgb[c] = x / (ANCHORS - 1);
  }
}
