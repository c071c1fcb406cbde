/* draw.c: colors, text and color bars with cairo. */
#include "draw.h"

#include "colormap.h"
#include "partial.h"

#include <math.h>
#include <stdio.h>

const double FgDrawBackground[3] = {0.07, 0.075, 0.09}, FgDrawForeground[3] = {0.93, 0.93, 0.95},
             FgDrawDim[3] = {0.60, 0.62, 0.68};

void FgDrawColor(cairo_t *cairo, const double color[3])
{
  cairo_set_source_rgb(cairo, color[0], color[1], color[2]);
}

void FgDrawText(cairo_t *cairo, double x, double y, double align, double size, PetscBool bold, const double color[3],
                const char *text)
{
  cairo_text_extents_t extents, capital;

  cairo_select_font_face(cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cairo, size);
  cairo_text_extents(cairo, text, &extents);
  cairo_text_extents(cairo, "H", &capital);
  FgDrawColor(cairo, color);
  cairo_move_to(cairo, x - align * extents.x_advance, y + 0.5 * capital.height);
  cairo_show_text(cairo, text);
}

/* 1, 2 or 5 times a power of ten, so that about five steps fit into the range. */
static double NiceStep(double range)
{
  const double rough = range / 5.0, power = pow(10.0, floor(log10(rough)));

  return power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
}

void FgDrawBar(cairo_t *cairo, const char *colormap, const double range[2], double x, double y, double height)
{
  const double step = NiceStep(range[1] - range[0]);

  for (int k = 0; k < (int)height; k++) {
    double rgb[3];

    FgColormap(colormap, 1.0 - k / (height - 1), rgb);
    FgDrawColor(cairo, rgb);
    cairo_rectangle(cairo, x, y - 0.5 * height + k, FG_BAR_WIDTH, 1.5);
    cairo_fill(cairo);
  }
  for (double value = step * ceil(range[0] / step - 1e-9); value <= range[1] + 1e-9 * step; value += step) {
    const double place = y + height * (0.5 - (value - range[0]) / (range[1] - range[0]));
    char         text[32];

    snprintf(text, sizeof text, "%.6g", fabs(value) < 1e-9 * step ? 0.0 : value);
    FgDrawColor(cairo, FgDrawDim);
    cairo_rectangle(cairo, x + FG_BAR_WIDTH, place - 0.5, 5, 1);
    cairo_fill(cairo);
    FgDrawText(cairo, x + FG_BAR_WIDTH + 11, place, 0, 13, PETSC_FALSE, FgDrawForeground, text);
  }
}

PetscErrorCode FgDrawSave(cairo_surface_t *surface, cairo_t *cairo, const char *path)
{
  char           partial[PETSC_MAX_PATH_LEN];
  cairo_status_t status;

  PetscFunctionBegin;
  PetscCall(FgPartialName(path, partial));
  cairo_surface_flush(surface);
  status = cairo_status(cairo);
  if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_write_to_png(surface, partial);
  if (status != CAIRO_STATUS_SUCCESS) FgPartialDrop(path);
  PetscCheck(status == CAIRO_STATUS_SUCCESS, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written: %s", path,
             cairo_status_to_string(status));
  PetscCall(FgPartialKeep(path));
  PetscFunctionReturn(PETSC_SUCCESS);
}
