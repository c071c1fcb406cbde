/* eit_picture.c: what a tomogram shows at a glance, drawn with cairo: triangles filled with the color of their site, electrodes as bold
   strokes on the boundary with their names outside. */
#include "colormap.h"
#include "draw.h"

#include "finegrain/eit_picture.h"

#include <math.h>
#include <string.h>

/* [pixels] */
#define PANEL     520.0
#define MARGIN    64.0
#define TITLE     44.0
#define BAR_SPACE 120.0

typedef struct {
  FgMesh mesh;
  double low[2], high[2], center[2], scale; /* [m], [pixels/m] */
} View;

static void Measure(View *view)
{
  for (int k = 0; k < 2; k++) view->low[k] = INFINITY, view->high[k] = -INFINITY;
  for (PetscInt i = 0; i < view->mesh->nnodes; i++) {
    for (int k = 0; k < 2; k++) {
      view->low[k]  = fmin(view->low[k], view->mesh->node[3 * (size_t)i + (size_t)k]);
      view->high[k] = fmax(view->high[k], view->mesh->node[3 * (size_t)i + (size_t)k]);
    }
  }
  for (int k = 0; k < 2; k++) view->center[k] = 0.5 * (view->low[k] + view->high[k]);
  view->scale = PANEL / fmax(view->high[0] - view->low[0], view->high[1] - view->low[1]);
}

/* Of a point [m] in the panel whose middle is at x, y. */
static void Place(const View *view, const double *point, double x, double y, double place[2])
{
  place[0] = x + view->scale * (point[0] - view->center[0]);
  place[1] = y - view->scale * (point[1] - view->center[1]);
}

static void Range(const FgSitePanel *panel, PetscInt n, double range[2])
{
  range[0] = panel->low;
  range[1] = panel->high;
  if (range[0] == 0.0 && range[1] == 0.0) {
    range[0] = INFINITY;
    range[1] = -INFINITY;
    for (PetscInt i = 0; i < n; i++) {
      if (!isfinite(panel->values[i])) continue;
      range[0] = fmin(range[0], panel->values[i]);
      range[1] = fmax(range[1], panel->values[i]);
    }
    if (!(range[0] <= range[1])) range[0] = 0.0;
  }
  if (!(range[1] > range[0])) range[1] = range[0] + fmax(1e-6, 1e-3 * fabs(range[0]));
}

static void DrawTriangles(cairo_t *cairo, const View *view, const FgSitePanel *panel, const double range[2], double x, double y)
{
  const FgMesh mesh = view->mesh;

  cairo_set_antialias(cairo, CAIRO_ANTIALIAS_NONE); /* or seams would show between triangles */
  for (PetscInt e = 0; e < mesh->nelements; e++) {
    const double value = panel->values[mesh->site ? mesh->site[e] : e];
    double       rgb[3], place[2];

    if (!isfinite(value)) continue;
    FgColormap(panel->colormap, (value - range[0]) / (range[1] - range[0]), rgb);
    FgDrawColor(cairo, rgb);
    for (int k = 0; k < 3; k++) {
      Place(view, &mesh->node[3 * (size_t)mesh->element[3 * (size_t)e + (size_t)k]], x, y, place);
      if (k) cairo_line_to(cairo, place[0], place[1]);
      else cairo_move_to(cairo, place[0], place[1]);
    }
    cairo_close_path(cairo);
    cairo_fill(cairo);
  }
  cairo_set_antialias(cairo, CAIRO_ANTIALIAS_DEFAULT);
}

static void DrawElectrodes(cairo_t *cairo, const View *view, const PetscBool *dropped, double x, double y)
{
  const FgMesh mesh = view->mesh;

  cairo_set_line_width(cairo, 5.0);
  cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
  for (PetscInt l = 0; l < mesh->nelectrodes; l++) {
    const double *color     = dropped && dropped[l] ? FgDrawDim : FgDrawForeground;
    double        middle[2] = {0.0, 0.0}, place[2], outward[2], length;
    PetscInt      count     = 0;

    FgDrawColor(cairo, color);
    for (PetscInt f = mesh->face_start[l]; f < mesh->face_start[l + 1]; f++) {
      for (int k = 0; k < 2; k++) {
        Place(view, &mesh->node[3 * (size_t)mesh->face[2 * (size_t)f + (size_t)k]], x, y, place);
        if (k) cairo_line_to(cairo, place[0], place[1]);
        else cairo_move_to(cairo, place[0], place[1]);
        middle[0] += place[0];
        middle[1] += place[1];
        count++;
      }
    }
    cairo_stroke(cairo);
    if (!count) continue;
    for (int k = 0; k < 2; k++) middle[k] /= (double)count;
    outward[0] = middle[0] - x;
    outward[1] = middle[1] - y;
    length     = hypot(outward[0], outward[1]);
    if (!(length > 0.0)) continue;
    FgDrawText(cairo, middle[0] + 20.0 * outward[0] / length, middle[1] + 20.0 * outward[1] / length, 0.5, 12, PETSC_FALSE, color,
               mesh->electrode[l]);
  }
}

PetscErrorCode FgEitPictureWrite(const char *path, FgMesh mesh, const PetscBool *dropped, PetscInt npanels,
                                 const FgSitePanel panels[])
{
  const double     width = PANEL + 2 * MARGIN + BAR_SPACE;
  View             view  = {.mesh = mesh};
  double           height;
  cairo_surface_t *surface;
  cairo_t         *cairo;
  PetscErrorCode   code;

  PetscFunctionBegin;
  PetscCheck(mesh->dim == 2, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%s: found a mesh of three dimensions, expected two",
             path);
  Measure(&view);
  height  = view.scale * (view.high[1] - view.low[1]);
  surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * (double)npanels), (int)(height + 2 * MARGIN + TITLE));
  cairo   = cairo_create(surface);
  FgDrawColor(cairo, FgDrawBackground);
  cairo_paint(cairo);
  for (PetscInt k = 0; k < npanels; k++) {
    const FgSitePanel *panel = &panels[k];
    const double       left = width * (double)k, x = left + MARGIN + 0.5 * view.scale * (view.high[0] - view.low[0]),
                 y = TITLE + MARGIN + 0.5 * height;
    double range[2];
    char   heading[256];

    Range(panel, mesh->nsites, range);
    snprintf(heading, sizeof(heading), panel->unit[0] ? "%s [%s]" : "%s", panel->title, panel->unit);
    FgDrawText(cairo, left + 24, 26, 0, 18, PETSC_TRUE, FgDrawForeground, heading);
    DrawTriangles(cairo, &view, panel, range, x, y);
    DrawElectrodes(cairo, &view, dropped, x, y);
    FgDrawBar(cairo, panel->colormap, range, left + 2 * MARGIN + PANEL, y, 0.8 * height);
  }
  code = FgDrawSave(surface, cairo, path);
  cairo_destroy(cairo);
  cairo_surface_destroy(surface);
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}
