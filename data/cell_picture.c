/* cell_picture.c: a picture of a cell by which a person sees at a glance what it is: slices through its middle with the
   phases in colors and a legend of their volume fractions, and below them a field with a color bar. A cell of two
   dimensions is one slice, one of one dimension a band. Only slices are gathered, so that the cell may be larger than the
   memory of one rank. */
#include "colormap.h"
#include "draw.h"

#include "finegrain/cell_file.h"

#include <math.h>
#include <string.h>

/* [pixels] */
#define MARGIN       36.0
#define GAP          60.0
#define TITLE_HEIGHT 46.0
#define TALLEST      340.0
#define WIDEST       1500.0
#define THINNEST     60.0 /* a band, or a slice of a very long cell */
#define SIDE_WIDTH   330.0

#define LEGEND 12 /* phases with an entry of their own */

typedef struct {
  int      across, right, up; /* axes */
  PetscInt at;                /* plane across */
  double   width, height;     /* [pixels] */
} Slice;

typedef struct {
  FgCell   cell;
  PetscInt nslices;
  Slice    slices[3];
  double   width, height; /* of a row of slices [pixels] */
} Layout;

/* Slices whose two axes have voxels, largest edge 340 pixels high at most. */
static void Arrange(FgCell cell, Layout *layout)
{
  static const int faces[3][3] = {{2, 0, 1}, {1, 0, 2}, {0, 1, 2}};
  double           scale;
  PetscInt         ndims = 0;

  *layout = (Layout){.cell = cell};
  for (int a = 0; a < 3; a++) ndims += cell->n[a] > 1;
  for (int f = 0; f < 3; f++) {
    const int   across = faces[f][0];
    const Slice slice  = {.across = across, .right = faces[f][1], .up = faces[f][2], .at = cell->n[across] / 2};

    if (ndims == 2 && cell->n[across] > 1) continue;
    if (ndims == 1 && (layout->nslices || (cell->n[slice.right] == 1 && cell->n[slice.up] == 1))) continue;
    layout->slices[layout->nslices++] = slice;
    layout->width += cell->edge[slice.right];
    layout->height = PetscMax(layout->height, cell->edge[slice.up]);
  }
  scale          = PetscMin(TALLEST / layout->height, WIDEST / layout->width);
  layout->height = layout->width = 0;
  for (PetscInt s = 0; s < layout->nslices; s++) {
    Slice *slice = &layout->slices[s];

    slice->width   = PetscMax(THINNEST, scale * cell->edge[slice->right]);
    slice->height  = PetscMax(THINNEST, scale * cell->edge[slice->up]);
    layout->height = PetscMax(layout->height, slice->height);
    layout->width += slice->width + GAP;
  }
}

/* Values of a slice on the first rank, rows from below; each rank fills in what it has. `field` NULL: indices of phases. */
static PetscErrorCode GatherSlice(FgCell cell, const Slice *slice, const FgCellField *field, double *values)
{
  const PetscInt nu = cell->n[slice->right], nv = cell->n[slice->up], nx = cell->n[0], plane = nx * cell->n[1];
  PetscInt       p[3];
  PetscMPIInt    rank;

  PetscFunctionBegin;
  p[slice->across] = slice->at;
  for (PetscInt v = 0; v < nv; v++) {
    for (PetscInt u = 0; u < nu; u++) {
      PetscInt voxel;

      p[slice->right]    = u;
      p[slice->up]       = v;
      values[v * nu + u] = 0.0;
      if (p[2] < cell->start || p[2] >= cell->start + cell->count) continue;
      voxel              = (p[2] - cell->start) * plane + p[1] * nx + p[0];
      values[v * nu + u] = field ? (double)field->value[voxel * field->ncomp] : (double)cell->phase[voxel];
    }
  }
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  PetscCallMPI(MPI_Reduce(rank ? values : MPI_IN_PLACE, values, (PetscMPIInt)(nu * nv), MPI_DOUBLE, MPI_SUM, 0, cell->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The first phase is the ground, the others are told apart: six colors of Okabe and Ito, then hues a golden angle apart. */
static void PhaseColor(PetscInt phase, double rgb[3])
{
  static const double first[7][3] = {{0.30, 0.36, 0.46}, {0.90, 0.62, 0.00}, {0.34, 0.71, 0.91}, {0.00, 0.62, 0.45},
                                     {0.94, 0.89, 0.26}, {0.84, 0.37, 0.00}, {0.80, 0.47, 0.65}};

  for (int c = 0; c < 3; c++)
    rgb[c] = phase < 7 ? first[phase][c] : 0.6 + 0.35 * cos(2.0 * M_PI * (0.61803398875 * (double)phase - (double)c / 3.0));
}

static void DrawSlice(cairo_t *cairo, const Layout *layout, const Slice *slice, const double *values, const double *range,
                      double x, double y)
{
  static const char *const axes[3] = {"x", "y", "z"};
  const int                width = (int)layout->cell->n[slice->right], height = (int)layout->cell->n[slice->up];
  cairo_surface_t         *image  = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
  unsigned char           *pixels = cairo_image_surface_get_data(image);
  char                     title[64];

  if (pixels) {
    const int stride = cairo_image_surface_get_stride(image);

    cairo_surface_flush(image);
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < width; column++) {
        const double value = values[(size_t)(height - 1 - row) * (size_t)width + (size_t)column];
        double       rgb[3];
        uint32_t     pixel;

        if (range) FgColormap("viridis", (value - range[0]) / (range[1] - range[0]), rgb);
        else PhaseColor((PetscInt)value, rgb);
        pixel = (uint32_t)lround(255 * rgb[0]) << 16 | (uint32_t)lround(255 * rgb[1]) << 8 | (uint32_t)lround(255 * rgb[2]);
        memcpy(pixels + (size_t)row * (size_t)stride + 4 * (size_t)column, &pixel, 4);
      }
    }
    cairo_surface_mark_dirty(image);
    cairo_save(cairo);
    cairo_translate(cairo, x, y);
    cairo_scale(cairo, slice->width / width, slice->height / height);
    cairo_set_source_surface(cairo, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cairo), width < slice->width ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_paint(cairo);
    cairo_restore(cairo);
  }
  cairo_surface_destroy(image);
  snprintf(title, sizeof title, "%s \xe2\x86\x92", axes[slice->right]);
  FgDrawText(cairo, x + slice->width, y + slice->height + 12, 1.0, 13, PETSC_FALSE, FgDrawDim, title);
  FgDrawText(cairo, x - 8, y + 6, 1.0, 13, PETSC_FALSE, FgDrawDim, axes[slice->up]);
  if (layout->cell->n[slice->across] > 1) {
    snprintf(title, sizeof title, "%s = %.4g L", axes[slice->across],
             ((double)slice->at + 0.5) / (double)layout->cell->n[slice->across]);
    FgDrawText(cairo, x, y + slice->height + 12, 0.0, 13, PETSC_FALSE, FgDrawDim, title);
  }
}

static void DrawLegend(cairo_t *cairo, FgCell cell, double x, double y)
{
  PetscInt shown = 0, left = 0;
  char     text[FG_CELL_NAME + 96];

  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    double rgb[3];

    if (cell->fraction[p] == 0) continue;
    if (shown == LEGEND) {
      left++;
      continue;
    }
    PhaseColor(p, rgb);
    FgDrawColor(cairo, rgb);
    cairo_rectangle(cairo, x, y - 8 + 26.0 * (double)shown, 16, 16);
    cairo_fill(cairo);
    if (isfinite(cell->exact[p]))
      snprintf(text, sizeof text, "%.24s  %.4f (exact %.4f)", cell->table.phases[p].name, cell->fraction[p], cell->exact[p]);
    else snprintf(text, sizeof text, "%.24s  %.4f", cell->table.phases[p].name, cell->fraction[p]);
    FgDrawText(cairo, x + 26, y + 26.0 * (double)shown++, 0, 13, PETSC_FALSE, FgDrawForeground, text);
  }
  snprintf(text, sizeof text, "and %d more", (int)left);
  if (left) FgDrawText(cairo, x + 26, y + 26.0 * (double)shown, 0, 13, PETSC_FALSE, FgDrawDim, text);
}

/* Range of the finite values of a row, never empty. */
static void RangeOf(const Layout *layout, double *const values[3], double range[2])
{
  range[0] = INFINITY;
  range[1] = -INFINITY;
  for (PetscInt s = 0; s < layout->nslices; s++) {
    const PetscInt n = layout->cell->n[layout->slices[s].right] * layout->cell->n[layout->slices[s].up];

    for (PetscInt i = 0; i < n; i++) {
      if (!isfinite(values[s][i])) continue;
      range[0] = PetscMin(range[0], values[s][i]);
      range[1] = PetscMax(range[1], values[s][i]);
    }
  }
  if (!(range[0] <= range[1])) range[0] = range[1] = 0.0;
  if (range[1] - range[0] <= 1e-6 * PetscMax(fabs(range[0]), fabs(range[1]))) {
    const double widen = PetscMax(1e-300, 1e-3 * PetscMax(fabs(range[0]), fabs(range[1])));

    range[0] -= widen;
    range[1] += widen;
  }
}

/* One row of slices: phases (field NULL) or a field. Collective; draws on the first rank (cairo not NULL). */
static PetscErrorCode DrawRow(cairo_t *cairo, const Layout *layout, const FgCellField *field, double top)
{
  FgCell  cell      = layout->cell;
  double *values[3] = {NULL, NULL, NULL}, range[2], x = MARGIN;
  char    heading[256];

  PetscFunctionBegin;
  for (PetscInt s = 0; s < layout->nslices; s++) {
    PetscCall(PetscMalloc1(cell->n[layout->slices[s].right] * cell->n[layout->slices[s].up], &values[s]));
    PetscCall(GatherSlice(cell, &layout->slices[s], field, values[s]));
  }
  if (cairo) {
    if (field) RangeOf(layout, values, range);
    if (field) snprintf(heading, sizeof heading, "%s [%s]", field->name, field->unit);
    else
      snprintf(heading, sizeof heading, "%d x %d x %d voxels, %.4g x %.4g x %.4g \xc2\xb5m", (int)cell->n[0], (int)cell->n[1],
               (int)cell->n[2], 1e6 * cell->edge[0], 1e6 * cell->edge[1], 1e6 * cell->edge[2]);
    FgDrawText(cairo, x, top + 14, 0, 16, PETSC_TRUE, FgDrawForeground, heading);
    for (PetscInt s = 0; s < layout->nslices; s++) {
      DrawSlice(cairo, layout, &layout->slices[s], values[s], field ? range : NULL, x, top + TITLE_HEIGHT);
      x += layout->slices[s].width + GAP;
    }
    if (field) FgDrawBar(cairo, "viridis", range, x, top + TITLE_HEIGHT + 0.5 * layout->height, 0.9 * layout->height);
    else DrawLegend(cairo, cell, x, top + TITLE_HEIGHT + 10);
  }
  for (PetscInt s = 0; s < layout->nslices; s++) PetscCall(PetscFree(values[s]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellWritePicture(const char *path, FgCell cell, const FgCellField *field)
{
  Layout           layout;
  double           row, legend = 0;
  cairo_surface_t *surface = NULL;
  cairo_t         *cairo   = NULL;
  PetscMPIInt      rank;
  PetscErrorCode   ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  Arrange(cell, &layout);
  for (PetscInt p = 0; p < cell->table.nphases; p++) legend += cell->fraction[p] > 0;
  row = TITLE_HEIGHT + PetscMax(layout.height, field ? 0.0 : 26.0 * PetscMin(legend, LEGEND + 1)) + 34;
  if (rank == 0) {
    surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(2 * MARGIN + layout.width + SIDE_WIDTH),
                                         (int)(2 * MARGIN + row + (field ? TITLE_HEIGHT + layout.height + 34 : 0.0)));
    cairo   = cairo_create(surface);
    FgDrawColor(cairo, FgDrawBackground);
    cairo_paint(cairo);
  }
  PetscCall(DrawRow(cairo, &layout, NULL, MARGIN));
  if (field) PetscCall(DrawRow(cairo, &layout, field, MARGIN + row));
  if (rank == 0) {
    ierr = FgDrawSave(surface, cairo, path);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
  }
  PetscCall(FgAgree(cell->comm, ierr));
  PetscFunctionReturn(PETSC_SUCCESS);
}
