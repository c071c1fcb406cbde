/* flow_cells.h: cells of fluid (phase 0, open) and walls (phase 1) from a function of position, for the tests of flows. */
#ifndef FINEGRAIN_TESTS_FLOW_CELLS_H
#define FINEGRAIN_TESTS_FLOW_CELLS_H

#include "agreed.h"

#include "finegrain/cell.h"
#include "forward/cell/flow.h"

#include <math.h>

/* Position relative to the center of the cell, in units of its edges: -1/2 .. 1/2; `parameter` as given. */
typedef PetscBool (*IsWall)(const double at[3], const double *parameter);

static FgCell MakeFlowCell(MPI_Comm comm, const PetscInt n[3], const double edge[3], const FgPhaseTable *more, IsWall wall,
                           const double *parameter)
{
  const double one = 1, zero = 0;
  FgPhaseTable table = {.source = "test"};
  FgCell       cell;

  if (more) AgreedSuccess(FgPhaseTableCopy(more, &table));
  else {
    AgreedSuccess(FgPhaseTableAdd(&table, "fluid", 0));
    AgreedSuccess(FgPhaseTableAdd(&table, "wall", 1));
    AgreedSuccess(FgPhaseTableSet(&table, 0, "fluid", 1, &one));
    AgreedSuccess(FgPhaseTableSet(&table, 1, "fluid", 1, &zero));
  }
  AgreedSuccess(FgCellCreate(comm, n, edge, &table, "test", &cell));
  for (PetscInt v = 0; v < cell->nlocal; v++) {
    const PetscInt index[3] = {v % n[0], v / n[0] % n[1], cell->start + v / n[0] / n[1]};
    double         at[3];

    for (int a = 0; a < 3; a++) at[a] = ((double)index[a] + 0.5) / (double)n[a] - 0.5;
    cell->phase[v] = wall && wall(at, parameter) ? 1 : 0;
  }
  AgreedSuccess(FgCellComplete(cell));
  AgreedSuccess(FgPhaseTableDestroy(&table));
  return cell;
}

/* A layer across axis parameter[1] is free over parameter[0] of the edge. */
static inline PetscBool OutsideOfGap(const double at[3], const double *parameter)
{
  return fabs(at[(int)parameter[1]]) > 0.5 * parameter[0];
}

/* A round pore of radius parameter[0] along z. */
static inline PetscBool OutsideOfTube(const double at[3], const double *parameter)
{
  return at[0] * at[0] + at[1] * at[1] > parameter[0] * parameter[0];
}

/* A cylinder of fraction parameter[0] along z. */
static inline PetscBool InCylinder(const double at[3], const double *parameter)
{
  return at[0] * at[0] + at[1] * at[1] < parameter[0] / PETSC_PI;
}

static inline PetscBool InSphere(const double at[3], const double *parameter)
{
  return at[0] * at[0] + at[1] * at[1] + at[2] * at[2] < pow(0.75 * parameter[0] / PETSC_PI, 2.0 / 3.0);
}

/* Eleven overlapping spheres where a fixed sequence puts them, shifted by parameter[0 .. 2]. */
static inline PetscBool InGrains(const double at[3], const double *parameter)
{
  for (int s = 0; s < 11; s++) {
    double square = 0;

    for (int a = 0; a < 3; a++) {
      static const double ratio[3] = {0.8191725134, 0.6710436067, 0.5497004779}; /* powers of 1/1.2207: evenly spread */
      double              d        = at[a] - parameter[a] - (0.3 + ratio[a] * s);

      d -= round(d);
      square += d * d;
    }
    if (square < 0.2 * 0.2) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

#endif
