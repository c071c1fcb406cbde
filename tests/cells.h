/* cells.h: small periodic cells for tests: from generators, or with phases given by a function of the position; and what to assert of
   reports. */
#ifndef FINEGRAIN_TESTS_CELLS_H
#define FINEGRAIN_TESTS_CELLS_H

#include "agreed.h"

#include "finegrain/geometry.h"

#include <math.h>
#include <stdlib.h>

typedef int (*PhaseOf)(PetscInt x, PetscInt y, PetscInt z, const PetscInt n[3]);

/* nphases phases named p0, p1, ... without properties. */
static inline PetscErrorCode CellPhases(PetscInt nphases, FgPhaseTable *table)
{
  PetscFunctionBegin;
  PetscCall(PetscMemzero(table, sizeof(*table)));
  PetscCall(PetscStrncpy(table->source, "test", sizeof(table->source)));
  for (PetscInt p = 0; p < nphases; p++) {
    char name[8];

    PetscCall(PetscSNPrintf(name, sizeof(name), "p%" PetscInt_FMT, p));
    PetscCall(FgPhaseTableAdd(table, name, (int)p));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One value of a scalar property for each phase, or a tensor's single number. */
static inline PetscErrorCode CellSet(FgPhaseTable *table, const char *property, const double *values)
{
  PetscFunctionBegin;
  for (PetscInt p = 0; p < table->nphases; p++) PetscCall(FgPhaseTableSet(table, p, property, 1, &values[p]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A cell of voxels with edge 1 m / n along the first axis, phases by `phase`. Destroys the table. */
static inline PetscErrorCode CellFrom(const PetscInt n[3], FgPhaseTable *table, PhaseOf phase, FgCell *cell)
{
  const double edge[3] = {1.0, (double)n[1] / (double)n[0], (double)n[2] / (double)n[0]};

  PetscFunctionBegin;
  PetscCall(FgCellCreate(PETSC_COMM_WORLD, n, edge, table, "test", cell));
  for (PetscInt z = 0; z < (*cell)->count; z++) {
    for (PetscInt y = 0; y < n[1]; y++) {
      for (PetscInt x = 0; x < n[0]; x++)
        (*cell)->phase[(z * n[1] + y) * n[0] + x] = (uint16_t)phase(x, y, z + (*cell)->start, n);
    }
  }
  PetscCall(FgCellComplete(*cell));
  PetscCall(FgPhaseTableDestroy(table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A generator's cell, longest edge 1 m, on one rank where a voxel has several samples. Destroys the table. */
static inline PetscErrorCode CellSampled(const char *geometry, double fraction, PetscInt resolution, PetscInt subsample,
                                         FgPhaseTable *table, FgCell *cell)
{
  FgGeometrySettings settings = FgGeometryDefaults;

  PetscFunctionBegin;
  settings.fraction   = fraction;
  settings.resolution = resolution;
  settings.length     = 1.0;
  settings.subsample  = subsample;
  PetscCall(
      FgGeometryCreate(subsample > 1 ? PETSC_COMM_SELF : PETSC_COMM_WORLD, FgGeometryFind(geometry), &settings, table, cell));
  PetscCall(FgPhaseTableDestroy(table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode CellShape(const char *geometry, double fraction, PetscInt resolution, FgPhaseTable *table,
                                       FgCell *cell)
{
  PetscFunctionBegin;
  PetscCall(CellSampled(geometry, fraction, resolution, 1, table, cell));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Phases scattered without order, the same on any number of ranks. */
static inline int ScatteredPhase(PetscInt x, PetscInt y, PetscInt z, PetscInt nphases)
{
  unsigned hash = (unsigned)x * 73856093u ^ (unsigned)y * 19349663u ^ (unsigned)z * 83492791u;

  hash ^= hash >> 13;
  hash *= 0x5bd1e995u;
  hash ^= hash >> 15;
  return (int)(hash % (unsigned)nphases);
}

/* Collective: asserts that a number that all ranks have is near what it should be. */
static inline void Close(double found, double expected, double tolerance, const char *what)
{
  const int good = fabs(found - expected) <= tolerance;

  if (!good) print_error("%s: found %.10g, expected %.10g +- %g\n", what, found, expected, tolerance);
  AgreedTrue(good);
}

/* One number of a reported quantity, which must be there. */
static inline double Entry(const FgCellReport *report, const char *name, int i, int j)
{
  const FgEffective *item = FgReportFind(report, name);

  if (!item) print_error("no quantity '%s'\n", name);
  AgreedTrue(item != NULL);
  return item->value[i * item->columns + j];
}

#endif
