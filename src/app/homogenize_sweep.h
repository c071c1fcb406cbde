/* homogenize_sweep.h: a sweep of `finegrain homogenize` over options of the generator: its axes, and what was found at every point. */
#ifndef FINEGRAIN_APP_HOMOGENIZE_SWEEP_H
#define FINEGRAIN_APP_HOMOGENIZE_SWEEP_H

#include "homogenize.h"

/* One quantity of every point. */
typedef struct {
  FgEffective like; /* name, unit, shape, summary */
  PetscInt    physics;
  double     *value; /* [npoints][rows columns], NAN where a point has none */
} FgSweepQuantity;

typedef struct {
  const HomogenizeSettings *settings;
  FgHomogenizationTable     table;
  PetscInt                  contrast;                  /* its axis, -1: not swept */
  PetscInt                  ngroups, in_group, nparts; /* points that share a geometry; contiguous parts of a group */
  PetscInt                  nphases, nquantities, n[3];
  FgSweepQuantity          *quantities;
  double                   *fraction, *exact; /* [npoints][nphases] [1] */
  double                   *work;             /* [npoints][3] iterations, largest residual, seconds */
  FgPhaseTable              phases;
} FgSweep;

/* Sets a swept option in a copy of the settings, within the option's own limits. FALSE: message says why. */
PetscBool FgSweepSet(const char *name, double value, HomogenizeSettings *settings, char message[FG_MESSAGE_LENGTH]);
/* Position along every axis of a place in the table. */
void FgSweepPosition(const FgSweep *sweep, PetscInt place, PetscInt position[FG_SWEEP_AXES]);

/* --- homogenize_sweep_output.c ------------------------------------------------------------------------------------------ */

void           FgSweepPrint(const FgSweep *sweep, double seconds, FgLog *log);
PetscErrorCode FgSweepWriteJson(const FgSweep *sweep, double seconds); /* collective */
PetscErrorCode FgSweepWriteTable(FgSweep *sweep);                      /* rank 0 */

#endif
