/* homogenize.h: settings of `finegrain homogenize`, and what one run of it holds. */
#ifndef FINEGRAIN_APP_HOMOGENIZE_H
#define FINEGRAIN_APP_HOMOGENIZE_H

#include "command.h"

#include "finegrain/cell.h"
#include "finegrain/cell_file.h"
#include "finegrain/geometry.h"
#include "finegrain/homogenization_table.h"

#include <jansson.h>

typedef struct {
  FgCommonSettings common;
  /* cell */
  FgText   image, geometry;  /* one of them; "": the other */
  FgReals  size, voxel_size; /* of an image: voxels, m; n = 0 where not given */
  FgText   phases;           /* "": of a generator, by contrast */
  double   fraction, length, angle, contrast;
  PetscInt resolution, subsample, count, seed;
  FgText   axis; /* "x", "y", "z" */
  /* physics */
  FgText    physics;  /* names separated by commas */
  FgText    velocity; /* "": from the geometry */
  double    tolerance;
  PetscInt  max_iterations;
  FgText    solver;
  PetscBool no_estimate;
  FgText    sweep;
  /* output */
  FgText    output, json, fields, picture;
  PetscBool force, dry_run;
  double    memory_limit; /* [GiB], NaN: of this machine */
} HomogenizeSettings;

extern const FgOption FgHomogenizeCellOptions[], FgHomogenizeSolveOptions[],
    FgHomogenizeOutputOptions[]; /* homogenize_options.c */
extern const FgCommandList FgHomogenizeLists[];
PetscBool                  FgHomogenizeCheck(const void *settings, char message[FG_MESSAGE_LENGTH]);

PetscBool FgHomogenizeEndsWith(const char *text, const char *ending);

/* i-th physics of the settings, NULL after the last. */
const FgPhysics   *FgHomogenizePhysics(const HomogenizeSettings *settings, PetscInt i);
FgGeometrySettings FgHomogenizeGeometry(const HomogenizeSettings *settings);
FgCellSettings     FgHomogenizeSolver(const HomogenizeSettings *settings);
/* Samples of the shape along each axis of a voxel, resolved where the settings leave it open. */
PetscInt FgHomogenizeSubsample(const HomogenizeSettings *settings);
/* Whether a sweep solves each point at half the resolution too, and extrapolates. */
PetscBool FgHomogenizeExtrapolates(const HomogenizeSettings *settings);

/* --- homogenize_cell.c ------------------------------------------------------------------------------------------------ */

/* The phases: those of the file, or those of the generator with --contrast. Not collective. */
PetscErrorCode FgHomogenizePhases(const HomogenizeSettings *settings, FgPhaseTable *table);
/* Refuses what does not fit into memory, before any voxel is stored; `copies` cells are solved side by side. Says on the
   log (may be NULL) what will be needed. Not collective. */
PetscErrorCode FgHomogenizeFits(const HomogenizeSettings *settings, MPI_Comm comm, const FgPhaseTable *table, PetscInt copies,
                                FgLog *log);
/* A line of the plan: the result of a dry run, else a detail. */
void FgHomogenizeSayPlan(const HomogenizeSettings *settings, FgLog *log, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Reads or makes the cell. Collective. */
PetscErrorCode FgHomogenizeCell(const HomogenizeSettings *settings, MPI_Comm comm, const FgPhaseTable *table, FgCell *cell);
/* The same cell in voxels twice as wide: made again, or of an image every second voxel. NULL where it cannot be halved. */
PetscErrorCode FgHomogenizeCoarse(const HomogenizeSettings *settings, FgCell cell, FgCell *coarse);

/* Reads the velocity on the lower faces of every voxel, [nlocal][3] [m/s] (PetscFree); NULL where none is given. Collective. */
PetscErrorCode FgHomogenizeVelocity(const HomogenizeSettings *settings, FgCell cell, double **velocity);

/* --- homogenize_compare.c ----------------------------------------------------------------------------------------------- */

typedef struct {
  PetscInt          n; /* physics */
  const FgPhysics **physics;
  FgCellReport     *reports, *coarse; /* [n]; coarse: NULL where there is no estimate */
  double           *seconds;          /* [n] wall clock */
  double           *coarse_fraction;  /* [phases] of the voxels at half the resolution [1]; NULL with coarse */
} FgHomogenized;

/* NAME_ending, of the same shape; NULL where there is none. */
const FgEffective *FgHomogenizeCompanion(const FgCellReport *report, const FgEffective *item, const char *ending);
/* Whether an item only accompanies another one, beside which its numbers are printed. */
PetscBool FgHomogenizeAccompanies(const FgCellReport *report, const FgEffective *item);
/* ||fine - coarse|| / ||fine||, NAN where there is no estimate (coarse NULL). */
double FgHomogenizeDiscretization(const FgEffective *fine, const FgCellReport *coarse);
/* Twice the fine value less the coarse one, or less of that where they are far apart; `value` may be that of `fine`. Both have the
   same shape. */
void FgHomogenizeExtrapolateQuantity(const FgEffective *fine, const FgEffective *coarse, double value[FG_PROPERTY_VALUES]);
/* Sub-sampled faces make the error fall in proportion to the voxels: two resolutions give the limit. FALSE where they do not. */
PetscBool FgHomogenizeExtrapolate(const HomogenizeSettings *settings, const FgEffective *fine, const FgCellReport *coarse,
                                  double value[FG_PROPERTY_VALUES]);

/* --- homogenize_print.c, homogenize_json.c ------------------------------------------------------------------------------ */

void    FgHomogenizePrintCell(FgCell cell, FgLog *log);
void    FgHomogenizePrint(const HomogenizeSettings *settings, FgCell cell, const FgHomogenized *found, FgLog *log);
json_t *FgHomogenizeJson(const HomogenizeSettings *settings, FgCell cell, const FgHomogenized *found);
/* What every JSON file begins with: version, command line, sources with their hashes. Error: a source that cannot be read. */
PetscErrorCode FgHomogenizeProvenance(const HomogenizeSettings *settings, json_t **root);
/* Matrix by rows, a number for 1 x 1, a list for one column. */
json_t *FgHomogenizeMatrix(PetscInt rows, PetscInt columns, const double *value);

/* --- homogenize_output.c ------------------------------------------------------------------------------------------------ */

/* Refuses outputs that are there without --force, or whose folder cannot be written. Collective, as those that write. */
PetscErrorCode FgHomogenizeRefuse(const HomogenizeSettings *settings);
/* Unfinished files are looked for beside the file that is being written, should the run be stopped. */
void           FgHomogenizeWatch(const char *path);
PetscErrorCode FgHomogenizeWriteJson(const HomogenizeSettings *settings, const json_t *root);
PetscErrorCode FgHomogenizeWriteFields(const HomogenizeSettings *settings, FgCell cell, const FgHomogenized *found);

/* --- homogenize_sweep_words.c, homogenize_sweep.c ----------------------------------------------------------------------- */

/* Reads --sweep into naxes and axes of the table, values increasing; free() of each value. FALSE: message says why. */
PetscBool      FgSweepRead(const HomogenizeSettings *settings, FgHomogenizationTable *table, char message[FG_MESSAGE_LENGTH]);
PetscErrorCode FgHomogenizeSweep(const HomogenizeSettings *settings, FgLog *log);

extern const FgCommand FgCommandHomogenize;

#endif
