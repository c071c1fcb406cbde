/* eit_box.h: for tests of impedance tomography: boxes of simplices with electrodes on their sides, and a model on them. */
#ifndef FINEGRAIN_TESTS_EIT_BOX_H
#define FINEGRAIN_TESTS_EIT_BOX_H

#include "finegrain/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* On the side axis = 0 or end, where the other axes' coordinates of a face's center are within low..high, as shares of the box. */
typedef struct {
  int    axis, end;
  double low, high;
} BoxElectrode;

/* Lattice places of the vertices of simplex k of n cells an axis: each cell is two triangles or six tetrahedra along its diagonal. */
static inline void BoxSimplex(PetscInt dim, const PetscInt n[3], PetscInt k, PetscInt place[4][3])
{
  static const int order[2][6][3] = {{{0, 1, 2}, {1, 0, 2}}, {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  const PetscInt   paths = dim == 2 ? 2 : 6, cell = k / paths;
  PetscInt         at[3] = {cell % n[0], cell / n[0] % n[1], cell / (n[0] * n[1])};

  for (int v = 0; v <= 3; v++) {
    memcpy(place[v], at, sizeof at);
    if (v < dim && v < 3) at[order[dim - 2][k % paths][v]]++;
  }
}

static inline PetscInt BoxNode(const PetscInt n[3], const PetscInt place[3])
{
  return place[0] + (n[0] + 1) * (place[1] + (n[1] + 1) * place[2]);
}

/* Whether the face of a simplex opposite to a vertex belongs to an electrode. */
static inline int BoxOnElectrode(PetscInt dim, const PetscInt n[3], PetscInt place[4][3], int opposite,
                                 const BoxElectrode *electrode)
{
  for (int b = 0; b < dim; b++) {
    double center = 0.0;

    for (int v = 0; v <= dim; v++) {
      if (v == opposite) continue;
      center += (double)place[v][b] / (double)(dim * n[b]);
      if (b == electrode->axis && place[v][b] != (electrode->end ? n[b] : 0)) return 0;
    }
    if (b != electrode->axis && (center < electrode->low || center > electrode->high)) return 0;
  }
  return 1;
}

/* The faces of an electrode into face[][dim] unless NULL; returns how many. */
static inline PetscInt BoxFaces(PetscInt dim, const PetscInt n[3], const BoxElectrode *electrode, PetscInt *face)
{
  const PetscInt simplices = (dim == 2 ? 2 : 6 * n[2]) * n[0] * n[1];
  PetscInt       count     = 0;

  for (PetscInt k = 0; k < simplices; k++) {
    PetscInt place[4][3];

    BoxSimplex(dim, n, k, place);
    for (int opposite = 0; opposite <= dim; opposite++) {
      if (!BoxOnElectrode(dim, n, place, opposite, electrode)) continue;
      for (int v = 0, f = 0; v <= dim && face; v++) {
        if (v != opposite) face[count * dim + f++] = BoxNode(n, place[v]);
      }
      count++;
    }
  }
  return count;
}

/* A box of size [m] of n cells an axis. */
static inline FgMesh BoxMesh(PetscInt dim, const PetscInt n[3], const double size[3], PetscInt nelectrodes,
                             const BoxElectrode electrode[])
{
  const PetscInt layers = dim == 3 ? n[2] + 1 : 1;
  FgMesh         mesh   = calloc(1, sizeof *mesh);
  PetscInt       nfaces = 0;

  mesh->dim       = dim;
  mesh->nnodes    = (n[0] + 1) * (n[1] + 1) * layers;
  mesh->nelements = mesh->nsites = (dim == 2 ? 2 : 6 * n[2]) * n[0] * n[1];
  mesh->nelectrodes              = nelectrodes;
  mesh->node                     = calloc((size_t)mesh->nnodes, 3 * sizeof(double));
  mesh->element                  = calloc((size_t)mesh->nelements, (size_t)(dim + 1) * sizeof(PetscInt));
  mesh->electrode                = calloc((size_t)nelectrodes, 32);
  mesh->face_start               = calloc((size_t)nelectrodes + 1, sizeof(PetscInt));
  mesh->electrode_area           = calloc((size_t)nelectrodes, sizeof(double));
  for (PetscInt i = 0; i < mesh->nnodes; i++) {
    mesh->node[3 * i]     = size[0] * (double)(i % (n[0] + 1)) / (double)n[0];
    mesh->node[3 * i + 1] = size[1] * (double)(i / (n[0] + 1) % (n[1] + 1)) / (double)n[1];
    if (dim == 3) mesh->node[3 * i + 2] = size[2] * (double)(i / ((n[0] + 1) * (n[1] + 1))) / (double)n[2];
  }
  for (PetscInt k = 0; k < mesh->nelements; k++) {
    PetscInt place[4][3];

    BoxSimplex(dim, n, k, place);
    for (int v = 0; v <= dim; v++) mesh->element[k * (dim + 1) + v] = BoxNode(n, place[v]);
  }
  for (PetscInt l = 0; l < nelectrodes; l++) {
    nfaces += BoxFaces(dim, n, &electrode[l], NULL);
    mesh->face_start[l + 1] = nfaces;
  }
  mesh->face = calloc((size_t)nfaces, (size_t)dim * sizeof(PetscInt));
  for (PetscInt l = 0; l < nelectrodes; l++) BoxFaces(dim, n, &electrode[l], &mesh->face[mesh->face_start[l] * dim]);
  return mesh;
}

/* Makes each cell a site, as in a mesh over voxels. */
static inline void BoxCellsAreSites(FgMesh mesh)
{
  const PetscInt simplices = mesh->dim == 2 ? 2 : 6;

  mesh->nsites = mesh->nelements / simplices;
  mesh->site   = calloc((size_t)mesh->nelements, sizeof(PetscInt));
  for (PetscInt e = 0; e < mesh->nelements; e++) mesh->site[e] = e / simplices;
}

static inline void BoxMeshFree(FgMesh mesh)
{
  free(mesh->site);
  free(mesh->node);
  free(mesh->element);
  free(mesh->electrode);
  free(mesh->face_start);
  free(mesh->face);
  free(mesh->electrode_area);
  free(mesh);
}

/* Measurement of adjacent patterns, or opposite ones, between all electrodes; arrays of its own. */
static inline FgEit BoxEit(PetscInt nelectrodes, PetscInt npatterns, double impedance, double depth)
{
  const PetscInt L   = nelectrodes;
  FgEit          eit = calloc(1, sizeof *eit);

  strcpy(eit->source, "test");
  eit->nelectrodes   = L;
  eit->npatterns     = npatterns;
  eit->nmeasurements = L - 1;
  eit->depth         = depth;
  eit->impedance     = calloc((size_t)L, sizeof(double));
  eit->current       = calloc((size_t)(npatterns * L), sizeof(double));
  eit->pattern       = calloc((size_t)((L - 1) * L), sizeof(double));
  for (PetscInt l = 0; l < L; l++) eit->impedance[l] = impedance * (1.0 + 0.1 * l);
  for (PetscInt p = 0; p < npatterns; p++) {
    eit->current[p * L + p % L]       = 1e-3;
    eit->current[p * L + (p + 1) % L] = -1e-3;
  }
  for (PetscInt q = 0; q < L - 1; q++) {
    eit->pattern[q * L + q]     = 1.0;
    eit->pattern[q * L + q + 1] = -1.0;
  }
  return eit;
}

static inline void BoxEitFree(FgEit eit)
{
  free(eit->impedance);
  free(eit->current);
  free(eit->pattern);
  free(eit);
}

#endif
