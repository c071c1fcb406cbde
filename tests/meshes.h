/* meshes.h: tanks with electrodes all around, and what a mesh is by the book. */
#ifndef FINEGRAIN_TESTS_MESHES_H
#define FINEGRAIN_TESTS_MESHES_H

#include "agreed.h"
#include "finegrain/mesh.h"

#include <math.h>

enum { MOST_ELECTRODES = 256 };

/* Storage of a tank's electrodes. */
typedef struct {
  char   name[MOST_ELECTRODES][32];
  double angle[MOST_ELECTRODES], z[MOST_ELECTRODES], width[MOST_ELECTRODES], tall[MOST_ELECTRODES];
  FgTank tank;
} TankStore;

/* n electrodes in `rings` rings, each of which they cover the given share. */
static inline const FgTank *MakeTank(TankStore *s, double radius, double height, int rings, int n, double share)
{
  for (int i = 0; i < n * rings; i++) {
    snprintf(s->name[i], sizeof s->name[i], "E%d", i + 1);
    s->angle[i] = 2.0 * M_PI * (i % n) / n + 0.1;
    s->width[i] = 2.0 * M_PI * radius * share / n;
    s->z[i]     = height * (i / n + 0.5) / rings;
    s->tall[i]  = 0.4 * height / rings;
  }
  s->tank = (FgTank){.radius      = radius,
                     .height      = height,
                     .nelectrodes = n * rings,
                     .name        = (const char(*)[32])s->name,
                     .angle       = s->angle,
                     .z           = s->z,
                     .width       = s->width,
                     .tall        = s->tall};
  return &s->tank;
}

static inline double TotalVolume(FgMesh mesh)
{
  double *volume, total = 0.0;

  AgreedSuccess(PetscMalloc1(mesh->nsites, &volume));
  AgreedSuccess(FgMeshMeasures(mesh, volume, NULL));
  for (PetscInt s = 0; s < mesh->nsites; s++) {
    if (volume[s] <= 0.0) total = NAN;
    total += volume[s];
  }
  AgreedSuccess(PetscFree(volume));
  return total;
}

/* Area of an electrode's faces, in two dimensions length. */
static inline double FacesArea(FgMesh mesh, PetscInt electrode)
{
  double total = 0.0;

  for (PetscInt f = mesh->face_start[electrode]; f < mesh->face_start[electrode + 1]; f++) {
    const PetscInt *face = mesh->face + mesh->dim * f;
    double          u[3], v[3] = {0.0, 0.0, 0.0};

    for (int k = 0; k < 3; k++) {
      u[k] = mesh->node[3 * face[1] + k] - mesh->node[3 * face[0] + k];
      if (mesh->dim == 3) v[k] = mesh->node[3 * face[2] + k] - mesh->node[3 * face[0] + k];
    }
    if (mesh->dim == 2) total += hypot(u[0], u[1]);
    else total += 0.5 * hypot(hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2]), u[0] * v[1] - u[1] * v[0]);
  }
  return total;
}

/* Smallest angle of the triangles, in three dimensions smallest angle between two faces [degree]. */
static inline double SmallestAngle(FgMesh mesh)
{
  double smallest = 180.0;

  for (PetscInt e = 0; e < mesh->nelements; e++) {
    const PetscInt corners        = mesh->dim + 1;
    double         gradient[4][3] = {{0.0}};

    for (int k = 0; k < corners; k++) { /* normals of faces */
      const PetscInt *c = mesh->element + corners * e;
      double          u[3], v[3] = {0.0, 0.0, 1.0};

      for (int x = 0; x < 3; x++) {
        u[x] = mesh->node[3 * c[(k + 2) % corners] + x] - mesh->node[3 * c[(k + 1) % corners] + x];
        if (mesh->dim == 3) v[x] = mesh->node[3 * c[(k + 3) % corners] + x] - mesh->node[3 * c[(k + 1) % corners] + x];
      }
      for (int x = 0; x < 3; x++) gradient[k][x] = u[(x + 1) % 3] * v[(x + 2) % 3] - u[(x + 2) % 3] * v[(x + 1) % 3];
      if (mesh->dim == 3 && k % 2) {
        for (int x = 0; x < 3; x++) gradient[k][x] = -gradient[k][x];
      }
    }
    for (int k = 0; k < corners; k++) {
      for (int j = 0; j < k; j++) {
        double dot = 0.0, a = 0.0, b = 0.0;

        for (int x = 0; x < 3; x++)
          dot += gradient[k][x] * gradient[j][x], a += gradient[k][x] * gradient[k][x], b += gradient[j][x] * gradient[j][x];
        smallest = fmin(smallest, 180.0 / M_PI * acos(-dot / sqrt(a * b)));
      }
    }
  }
  return smallest;
}

#endif
