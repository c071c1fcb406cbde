/* picture.c: picture.png, by which a person sees at a glance what a fit has found: one row a panel with an axial, a coronal
   and a sagittal slice through the mask's center of mass, cropped to the mask, voxels in their true proportions, patient's
   left on the left (RAS), and a color bar. Drawn with cairo. */
#include "colormap.h"
#include "draw.h"
#include "picture_electrodes.h"

#include "finegrain/result.h"

#include <cairo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* [pixels] */
#define MARGIN       36.0
#define GAP          44.0
#define TITLE_HEIGHT 46.0
#define ROW_HEIGHT   340.0
#define SIDE_WIDTH   190.0
#define WIDEST       2400.0
#define NAME_SPACE   28.0 /* around a slice for names of electrodes */

/* The grid seen along the patient's axes: axis[k] is the voxel axis nearest to right, anterior, superior; sign says whether it
   runs that way. All indices below count along these axes. */
typedef struct {
  const FgGrid *grid;
  int           axis[3], sign[3];
  PetscInt      n[3], low[3], high[3], center[3]; /* size; box of the mask; center of mass of the mask */
  double        spacing[3];
  double        scale; /* [pixels/mm] */
  double        air;   /* [pixels] around a slice */
} View;

static size_t VoxelOf(const View *view, const PetscInt ras[3])
{
  PetscInt ijk[3];

  for (int k = 0; k < 3; k++) ijk[view->axis[k]] = view->sign[k] > 0 ? ras[k] : view->n[k] - 1 - ras[k];
  return (size_t)((ijk[2] * view->grid->dims[1] + ijk[1]) * view->grid->dims[0] + ijk[0]);
}

/* Of the six ways to match voxel axes with the patient's, the one with the largest product of cosines. */
static void ChooseAxes(View *view)
{
  static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  double           R[9], best = -1.0;

  FgGridRotation(view->grid, R);
  for (int o = 0; o < 6; o++) {
    double product = 1.0;

    for (int k = 0; k < 3; k++) product *= fabs(R[3 * k + orders[o][k]]);
    if (product <= best) continue;
    best = product;
    for (int k = 0; k < 3; k++) {
      view->axis[k] = orders[o][k];
      view->sign[k] = R[3 * k + orders[o][k]] >= 0 ? 1 : -1;
    }
  }
  for (int k = 0; k < 3; k++) {
    view->n[k]       = view->grid->dims[view->axis[k]];
    view->spacing[k] = view->grid->spacing[view->axis[k]];
  }
}

static void FindMask(View *view, const unsigned char *mask)
{
  double   sum[3] = {0}, count = 0.0;
  PetscInt p[3];

  for (int k = 0; k < 3; k++) view->low[k] = view->n[k] - 1, view->high[k] = 0;
  for (p[2] = 0; p[2] < view->n[2]; p[2]++) {
    for (p[1] = 0; p[1] < view->n[1]; p[1]++) {
      for (p[0] = 0; p[0] < view->n[0]; p[0]++) {
        if (!mask[VoxelOf(view, p)]) continue;
        count++;
        for (int k = 0; k < 3; k++) {
          sum[k] += (double)p[k];
          view->low[k]  = PetscMin(view->low[k], p[k]);
          view->high[k] = PetscMax(view->high[k], p[k]);
        }
      }
    }
  }
  for (int k = 0; k < 3; k++) { /* two voxels of air around the mask; all of the grid where it is empty */
    view->center[k] = count > 0 ? (PetscInt)lround(sum[k] / count) : view->n[k] / 2;
    view->low[k]    = count > 0 ? PetscMax(view->low[k] - 2, 0) : 0;
    view->high[k]   = count > 0 ? PetscMin(view->high[k] + 2, view->n[k] - 1) : view->n[k] - 1;
  }
}

static double Extent(const View *view, int k) /* [mm] */
{
  return (double)(view->high[k] - view->low[k] + 1) * view->spacing[k];
}

static int CompareDoubles(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* 2nd and 98th percentile within the mask where the panel names no range. */
static PetscErrorCode PanelRange(const FgPanel *panel, size_t nvoxels, const unsigned char *mask, double range[2])
{
  double *values;
  size_t  n = 0;

  PetscFunctionBegin;
  range[0] = panel->low;
  range[1] = panel->high;
  if (range[0] == 0.0 && range[1] == 0.0) {
    PetscCall(PetscMalloc1(nvoxels, &values));
    for (size_t v = 0; v < nvoxels; v++) {
      if (mask[v] && isfinite(panel->values[v])) values[n++] = panel->values[v];
    }
    qsort(values, n, sizeof *values, CompareDoubles);
    if (n) range[0] = values[(size_t)(0.02 * (double)(n - 1))], range[1] = values[(size_t)(0.98 * (double)(n - 1))];
    PetscCall(PetscFree(values));
  }
  if (!(range[1] > range[0])) range[1] = range[0] + fmax(1e-6, fabs(range[0]) * 1e-3);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Color of a voxel as cairo's premultiplied ARGB; transparent where there is nothing to see. */
static uint32_t PixelOf(const FgPanel *panel, const double range[2], size_t nvoxels, const unsigned char *mask, size_t v)
{
  double rgb[3];

  if (!mask[v] || !isfinite(panel->values[v])) return 0;
  if (panel->rgb) {
    for (size_t c = 0; c < 3; c++) rgb[c] = fmin(fmax((double)panel->values[c * nvoxels + v], 0.0), 1.0);
    if (!isfinite(rgb[1]) || !isfinite(rgb[2])) return 0;
  } else FgColormap(panel->colormap, ((double)panel->values[v] - range[0]) / (range[1] - range[0]), rgb);
  return 0xff000000u | (uint32_t)lround(255 * rgb[0]) << 16 | (uint32_t)lround(255 * rgb[1]) << 8 |
         (uint32_t)lround(255 * rgb[2]);
}

/* Electrodes in the slice that DrawSlice draws at x, y: from points [m] by voxels to pixels. */
static void DrawElectrodes(cairo_t *cairo, const View *view, FgMesh mesh, int across, int right, int up, double x, double y)
{
  const double w = view->scale * Extent(view, right), h = view->scale * Extent(view, up);
  const double middle[2] = {x + 0.5 * w, y};
  const int    axes[3]   = {across, right, up};
  const double from[3]   = {(double)view->center[across], (double)view->low[right] - 0.5, (double)view->low[up] - 0.5};
  const double factor[3] = {1.0, view->scale * view->spacing[right], -view->scale * view->spacing[up]};
  const double start[3]  = {0.0, x, y + 0.5 * h};
  double       origin[3] = {0.0}, inverse[9], at[3], to[3][4];

  FgGridInverse(view->grid, inverse);
  for (int column = 3; column >= 0; column--) { /* of the map of voxel indices: at the origin, then along x, y, z */
    double point[3] = {0.0};

    if (column < 3) point[column] = 1.0;
    FgGridIndex(view->grid, inverse, point, at);
    for (int k = 0; k < 3; k++) {
      const int    axis  = view->axis[axes[k]];
      const double index = view->sign[axes[k]] > 0 ? at[axis] : (double)view->n[axes[k]] - 1.0 - at[axis];

      if (column == 3) origin[k] = index;
      to[k][column] = factor[k] * (column == 3 ? index - from[k] : index - origin[k]) + (column == 3 ? start[k] : 0.0);
    }
  }
  FgDrawSliceElectrodes(cairo, mesh, (const double(*)[4])to, middle);
}

/* Slice across axis `across`, axis `right` to the right and axis `up` upwards, its lower left corner of the box at x, its
   middle at height y. */
static void DrawSlice(cairo_t *cairo, const View *view, const FgPanel *panel, const double range[2], const unsigned char *mask,
                      int across, int right, int up, double x, double y)
{
  static const char *const negative[3] = {"L", "P", "I"}, *const positive[3] = {"R", "A", "S"};
  const int        width = (int)(view->high[right] - view->low[right] + 1), height = (int)(view->high[up] - view->low[up] + 1);
  const double     w = view->scale * Extent(view, right), h = view->scale * Extent(view, up);
  const double     away   = view->air + 10;
  cairo_surface_t *image  = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
  unsigned char   *pixels = cairo_image_surface_get_data(image);

  if (pixels) {
    const int stride = cairo_image_surface_get_stride(image);

    cairo_surface_flush(image);
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < width; column++) {
        PetscInt p[3];
        uint32_t pixel;

        p[across] = view->center[across];
        p[right]  = view->low[right] + column;
        p[up]     = view->high[up] - row;
        pixel     = PixelOf(panel, range, (size_t)FgGridVoxels(view->grid), mask, VoxelOf(view, p));
        memcpy(pixels + (size_t)row * (size_t)stride + 4 * (size_t)column, &pixel, 4);
      }
    }
    cairo_surface_mark_dirty(image);
    cairo_save(cairo);
    cairo_translate(cairo, x, y - 0.5 * h);
    cairo_scale(cairo, w / width, h / height);
    cairo_set_source_surface(cairo, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_BILINEAR);
    cairo_paint(cairo);
    cairo_restore(cairo);
  }
  cairo_surface_destroy(image);
  if (panel->mesh) DrawElectrodes(cairo, view, panel->mesh, across, right, up, x, y);
  FgDrawText(cairo, x - away, y, 0.5, 13, PETSC_FALSE, FgDrawDim, negative[right]);
  FgDrawText(cairo, x + w + away, y, 0.5, 13, PETSC_FALSE, FgDrawDim, positive[right]);
  FgDrawText(cairo, x + 0.5 * w, y - 0.5 * h - away + 1, 0.5, 13, PETSC_FALSE, FgDrawDim, positive[up]);
  FgDrawText(cairo, x + 0.5 * w, y + 0.5 * h + away - 1, 0.5, 13, PETSC_FALSE, FgDrawDim, negative[up]);
}

static void DrawLegend(cairo_t *cairo, double x, double y)
{
  static const double      colors[3][3] = {{0.95, 0.25, 0.25}, {0.25, 0.85, 0.35}, {0.35, 0.50, 1.0}};
  static const char *const texts[3]     = {"left-right", "anterior-posterior", "superior-inferior"};

  for (int k = 0; k < 3; k++) {
    const double middle = y + 30.0 * (k - 1);

    FgDrawColor(cairo, colors[k]);
    cairo_arc(cairo, x + 7, middle, 7, 0, 6.2831853071795862);
    cairo_fill(cairo);
    FgDrawText(cairo, x + 24, middle, 0, 13, PETSC_FALSE, FgDrawForeground, texts[k]);
  }
}

static double SlicesWidth(const View *view)
{
  return view->scale * (2 * Extent(view, 0) + Extent(view, 1)) + 3 * (GAP + 2 * view->air);
}

static PetscErrorCode DrawPanel(cairo_t *cairo, const View *view, const FgPanel *panel, const unsigned char *mask, double top,
                                double height)
{
  const double middle = top + TITLE_HEIGHT + view->air + 0.5 * height, gap = GAP + 2 * view->air;
  double       range[2], x                                                 = MARGIN + view->air;
  char         heading[256];

  PetscFunctionBegin;
  PetscCall(PanelRange(panel, (size_t)FgGridVoxels(view->grid), mask, range));
  snprintf(heading, sizeof heading, panel->unit && panel->unit[0] ? "%s [%s]" : "%s", panel->title, panel->unit);
  FgDrawText(cairo, MARGIN, top + 14, 0, 18, PETSC_TRUE, FgDrawForeground, heading);
  DrawSlice(cairo, view, panel, range, mask, 2, 0, 1, x, middle);
  x += view->scale * Extent(view, 0) + gap;
  DrawSlice(cairo, view, panel, range, mask, 1, 0, 2, x, middle);
  x += view->scale * Extent(view, 0) + gap;
  DrawSlice(cairo, view, panel, range, mask, 0, 1, 2, x, middle);
  x += view->scale * Extent(view, 1) + gap;
  if (panel->rgb) DrawLegend(cairo, x, middle);
  else FgDrawBar(cairo, panel->colormap, range, x, middle, 0.8 * height);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPictureWrite(const char *path, const FgGrid *grid, const unsigned char *mask, PetscInt npanels,
                              const FgPanel panels[])
{
  View             view = {.grid = grid};
  double           height, tallest, row;
  cairo_surface_t *surface;
  cairo_t         *cairo;
  PetscErrorCode   ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < npanels; k++) {
    if (panels[k].mesh) view.air = NAME_SPACE;
  }
  ChooseAxes(&view);
  FindMask(&view, mask);
  tallest    = fmax(Extent(&view, 1), Extent(&view, 2));
  view.scale = ROW_HEIGHT / tallest;
  view.scale *= fmin(1.0, (WIDEST - SIDE_WIDTH - 2 * MARGIN) / SlicesWidth(&view));
  height  = view.scale * tallest;
  row     = TITLE_HEIGHT + height + 2 * view.air + 30;
  surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(2 * MARGIN + SlicesWidth(&view) + SIDE_WIDTH - GAP),
                                       (int)(2 * MARGIN + row * (double)npanels - 10));
  cairo   = cairo_create(surface);
  FgDrawColor(cairo, FgDrawBackground);
  cairo_paint(cairo);
  for (PetscInt k = 0; k < npanels && !ierr; k++)
    ierr = DrawPanel(cairo, &view, &panels[k], mask, MARGIN + row * (double)k, height);
  if (!ierr) ierr = FgDrawSave(surface, cairo, path);
  cairo_destroy(cairo);
  cairo_surface_destroy(surface);
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}
