/* picture_electrodes.c: the faces of electrodes cut by a slice: each triangle is clipped to the slice's thickness (I. Sutherland, G. Hodgman,
   Commun. ACM 17 (1974) 32) and what is left is drawn as a bold stroke where it is seen along the slice's normal. */
#include "picture_electrodes.h"

#include "draw.h"

#include <math.h>

enum { CORNERS = 5 }; /* a triangle between two planes */

typedef struct {
  double at[3]; /* distance from the middle of the slice [1], place [pixels] */
} Corner;

/* Keeps what of a polygon is at sign * at[0] <= 1/2; returns the number of corners left. */
static int Clip(double sign, int n, const Corner *polygon, Corner *kept)
{
  int count = 0;

  for (int i = 0; i < n; i++) {
    const Corner *a = &polygon[i], *b = &polygon[(i + 1) % n];
    const double  u = sign * a->at[0] - 0.5, v = sign * b->at[0] - 0.5;

    if (u <= 0.0) kept[count++] = *a;
    if (u < 0.0 ? v > 0.0 : u > 0.0 && v < 0.0) {
      for (int k = 0; k < 3; k++) kept[count].at[k] = a->at[k] + u / (u - v) * (b->at[k] - a->at[k]);
      count++;
    }
  }
  return count;
}

/* The part of a face in the slice; returns its number of corners. */
static int CutFace(FgMesh mesh, const PetscInt *face, const double to[3][4], Corner polygon[CORNERS])
{
  Corner whole[3], half[CORNERS];

  for (int c = 0; c < 3; c++) {
    const double *x = &mesh->node[3 * (size_t)face[c]];

    for (int k = 0; k < 3; k++) whole[c].at[k] = to[k][0] * x[0] + to[k][1] * x[1] + to[k][2] * x[2] + to[k][3];
  }
  return Clip(-1.0, Clip(1.0, 3, whole, half), half, polygon);
}

void FgDrawSliceElectrodes(cairo_t *cairo, FgMesh mesh, const double to[3][4], const double middle[2])
{
  FgDrawColor(cairo, FgDrawForeground);
  cairo_set_line_width(cairo, 4.0);
  cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
  for (PetscInt l = 0; l < mesh->nelectrodes; l++) {
    double mean[2] = {0.0, 0.0}, length;
    int    count   = 0;

    for (PetscInt f = mesh->face_start[l]; f < mesh->face_start[l + 1]; f++) {
      Corner    polygon[CORNERS];
      const int n = CutFace(mesh, &mesh->face[3 * (size_t)f], to, polygon);

      if (n) cairo_new_sub_path(cairo);
      for (int i = 0; i < n; i++) {
        cairo_line_to(cairo, polygon[i].at[1], polygon[i].at[2]);
        for (int k = 0; k < 2; k++) mean[k] += polygon[i].at[1 + k];
      }
      if (n) cairo_close_path(cairo);
      count += n;
    }
    if (!count) continue;
    cairo_stroke(cairo);
    for (int k = 0; k < 2; k++) mean[k] = mean[k] / count - middle[k];
    length = hypot(mean[0], mean[1]);
    if (!(length > 0.0)) continue;
    FgDrawText(cairo, middle[0] + mean[0] * (1.0 + 16.0 / length), middle[1] + mean[1] * (1.0 + 16.0 / length), 0.5, 11,
               PETSC_FALSE, FgDrawForeground, mesh->electrode[l]);
  }
}
