/* cell.h: a periodic unit cell of voxels with phases, and the effective coefficients of a physics on it.

   The cell has edges L [m] and n voxels along each axis; each voxel carries the index of a phase, each phase its
   properties (conductivity, stiffness, ...). A two-dimensional cell has one voxel along one axis. A physics (forward/cell/,
   one file each) solves its periodic cell problems and reports effective tensors with unit, bounds and what the solve cost.

   Over several ranks a cell is cut into slabs of planes along the third axis: rank r owns planes [start, start + count);
   a rank may own none. Arrays over voxels are local, x fastest: value[(z - start) n[0] n[1] + y n[0] + x].

   Tensors: symmetric ones have six values in the order xx, yy, zz, yz, xz, xy; stiffness is 6 x 6 in the same order with
   engineering shear strains. Source: docs/physics/. */
#ifndef FINEGRAIN_CELL_H
#define FINEGRAIN_CELL_H

#include "base.h"

#include <stdint.h>

enum { FG_CELL_NAME = 64, FG_MAX_PHASES = 65535, FG_PROPERTY_VALUES = 36 };

/* --- Properties: what a phase, or the whole cell, is made of -------------------------------------------------------- */

typedef enum {
  FG_PROPERTY_SCALAR,    /* 1 value */
  FG_PROPERTY_VECTOR,    /* 3 values */
  FG_PROPERTY_TENSOR,    /* 6 values, symmetric; given as 1 (isotropic), 3 (diagonal), 6, or 9 (matrix by rows) numbers */
  FG_PROPERTY_STIFFNESS, /* 36 values, 6 x 6 symmetric; given as 21 (upper triangle by rows) or 36 numbers */
} FgPropertyKind;

typedef struct {
  const char    *name;    /* as in the phases file, "youngs-modulus" */
  const char    *unit;    /* "S/m" */
  const char    *summary; /* what it is, and which physics needs it */
  FgPropertyKind kind;
  PetscBool      of_cell;      /* one value for the whole cell (temperature) instead of one a phase */
  PetscBool      has_fallback; /* need not be given: `fallback` (isotropic) stands in */
  double         fallback;
  double         lower, upper; /* of a scalar, and of a tensor's eigenvalues; lower <= value <= upper */
} FgPropertyInfo;

/* All properties of all physics: a reader needs no other list, and refuses names that are not in it. Closed by
   name == NULL. */
PETSC_EXTERN const FgPropertyInfo  FgProperties[];
PETSC_EXTERN const FgPropertyInfo *FgPropertyFind(const char *name);

/* Checks `count` numbers for a property and spreads them to its full form (1, 3, 6 or 36 values). `where` opens the
   message of an error ("phases.yaml: phase 'fiber'"). Errors (PETSC_ERR_FILE_UNEXPECTED): wrong count, not finite, out of
   bounds, not symmetric, not positive (semi)definite. */
PETSC_EXTERN PetscErrorCode FgPropertySpread(const FgPropertyInfo *info, const char *where, PetscInt count, const double *given,
                                             double *full);

typedef struct {
  const FgPropertyInfo *info;
  double                value[FG_PROPERTY_VALUES];
} FgProperty;

typedef struct {
  char        name[FG_CELL_NAME];
  int         label; /* the value that stands for this phase in the image */
  PetscInt    nproperties;
  FgProperty *properties;
} FgPhase;

typedef struct { /* a dissolved ion (docs/physics/ions.md) */
  char   name[FG_CELL_NAME];
  double valence;     /* [1], signed */
  double diffusivity; /* in free solution [m^2/s] */
  double bath;        /* concentration in the bath [mol/m^3] */
} FgIon;

typedef struct {                          /* what a phases file says */
  char        source[PETSC_MAX_PATH_LEN]; /* the file, or the command line: opens error messages */
  PetscInt    nphases;
  FgPhase    *phases;
  PetscInt    nproperties; /* of the whole cell */
  FgProperty *properties;
  PetscInt    nions;
  FgIon      *ions;
} FgPhaseTable;

/* Adds a phase (its index is the old nphases); sets a property of phase `index`, or of the cell for index -1: replaces an
   earlier value. */
PETSC_EXTERN PetscErrorCode FgPhaseTableAdd(FgPhaseTable *table, const char *name, int label);
PETSC_EXTERN PetscErrorCode FgPhaseTableSet(FgPhaseTable *table, PetscInt index, const char *property, PetscInt count,
                                            const double *given);
PETSC_EXTERN PetscErrorCode FgPhaseTableCopy(const FgPhaseTable *table, FgPhaseTable *copy);
PETSC_EXTERN PetscErrorCode FgPhaseTableDestroy(FgPhaseTable *table);

/* --- The cell -------------------------------------------------------------------------------------------------------- */

typedef struct {
  MPI_Comm     comm;
  PetscInt     n[3];         /* voxels along each axis */
  double       edge[3];      /* L [m] */
  double       spacing[3];   /* h = L/n [m] */
  PetscInt     start, count; /* this rank's planes of the third axis */
  PetscInt     nlocal;       /* this rank's voxels */
  uint16_t    *phase;        /* [nlocal] index into table.phases */
  FgPhaseTable table;
  double      *fraction; /* [nphases] volume fraction of each phase in the voxels [1] */
  double      *exact;    /* [nphases] of the shape that the voxels stand for [1], NAN where unknown */
  /* Optional: labels of finer voxels, `subsample` of them along each axis that has more than one voxel, from which faces get
     their conductances and phases their fractions (conduction.md); NULL: one label a voxel. On one rank only. */
  PetscInt  subsample;
  uint16_t *fine;
  char      source[PETSC_MAX_PATH_LEN]; /* image file, or generator with its settings: opens error messages */
} * FgCell;

/* An empty cell (phase 0 everywhere) of which the caller fills `phase`, then calls FgCellComplete. Copies the table.
   Errors: n < 1, one voxel in all, edges not positive and finite, more voxels a rank than a PetscInt counts. */
PETSC_EXTERN PetscErrorCode FgCellCreate(MPI_Comm comm, const PetscInt n[3], const double edge[3], const FgPhaseTable *table,
                                         const char *source, FgCell *cell);
/* The same without voxels (`phase` stays NULL): to ask what a physics would need, before anything large is allocated. */
PETSC_EXTERN PetscErrorCode FgCellPlan(MPI_Comm comm, const PetscInt n[3], const double edge[3], const FgPhaseTable *table,
                                       const char *source, FgCell *cell);
/* Planes of another rank: start .. start + count - 1; and how many ranks own any, which are the first ones. */
PETSC_EXTERN void        FgCellSlab(FgCell cell, PetscMPIInt rank, PetscInt *start, PetscInt *count);
PETSC_EXTERN PetscMPIInt FgCellOwners(FgCell cell);
/* Counts the fractions; refuses phase indices outside of the table. Collective. */
PETSC_EXTERN PetscErrorCode FgCellComplete(FgCell cell);
/* Takes the labels of `fine`, a cell of the same edges with `subsample` times the voxels along each axis that has more than
   one, and destroys it; a voxel's own label becomes that of its middle. Completes the cell. One rank only. */
PETSC_EXTERN PetscErrorCode FgCellSubsample(FgCell cell, PetscInt subsample, FgCell *fine);
PETSC_EXTERN PetscErrorCode FgCellDestroy(FgCell *cell);

/* Values of one property for all phases, [nphases][size] with size 1, 3, 6 or 36 by its kind; to be freed with PetscFree.
   Error: a phase that occurs in the cell lacks it and it has no fallback; the message names phase, property and unit.
   `given` (may be NULL) tells whether any phase has it of its own. */
PETSC_EXTERN PetscErrorCode FgCellProperty(FgCell cell, const char *name, double **values, PetscBool *given);
/* One value of the whole cell (of_cell). */
PETSC_EXTERN PetscErrorCode FgCellValue(FgCell cell, const char *name, double *value);
PETSC_EXTERN PetscBool      FgCellHasValue(FgCell cell, const char *name);
/* <f> over the cell of a quantity given per phase. */
PETSC_EXTERN double FgCellMean(FgCell cell, const double *per_phase, PetscInt stride);

/* The planes next to this rank's slab: below[] is plane start - 1, above[] plane start + count, periodically; ncomp values
   a voxel (interlaced). Buffers of n[0] n[1] ncomp values; with one rank the pointers may be set into x itself, so that
   callers read only through *below and *above, which hold until the next call. Collective. */
typedef struct {
  double *buffer[2];
  size_t  size;
} FgHalo;
PETSC_EXTERN PetscErrorCode FgHaloUpdate(FgCell cell, FgHalo *halo, const double *x, PetscInt ncomp, const double **below,
                                         const double **above);
/* The same where only this rank's first and last plane are at hand. */
PETSC_EXTERN PetscErrorCode FgHaloPlanes(FgCell cell, FgHalo *halo, const double *first, const double *last, PetscInt ncomp,
                                         const double **below, const double **above);
PETSC_EXTERN PetscErrorCode FgHaloDestroy(FgHalo *halo);

/* --- What a physics reports ------------------------------------------------------------------------------------------ */

typedef struct {
  char      name[FG_CELL_NAME]; /* "K" */
  char      summary[256];       /* "effective conductivity, energy form" */
  char      unit[FG_CELL_NAME];
  PetscInt  rows, columns;             /* 1x1, 3x1, 3x3, 6x6, 6x1 */
  double    value[FG_PROPERTY_VALUES]; /* by rows */
  PetscBool detail;                    /* in the JSON and with -v only, not in the short table */
} FgEffective;

typedef struct {                 /* one linear solve */
  char     name[FG_CELL_NAME];   /* "K x" */
  char     solver[FG_CELL_NAME]; /* "FFT-preconditioned conjugate gradients" */
  PetscInt iterations;
  double   residual;    /* ||r||/||b|| [1] */
  double   seconds;     /* wall clock */
  double   fft_seconds; /* of them in Fourier transforms */
} FgCellSolve;

typedef struct { /* a field over the voxels, kept on request */
  char     name[FG_CELL_NAME];
  char     unit[FG_CELL_NAME];
  PetscInt ncomp;
  float   *value; /* [nlocal][ncomp] */
} FgCellField;

typedef struct {
  const char  *physics;
  PetscInt     neffective, nsolves, nnotes, nfields;
  FgEffective *effective;
  FgCellSolve *solves;
  char (*notes)[512]; /* one sentence each: what a reader must know ("direction z does not percolate ...") */
  FgCellField *fields;
  double       bytes; /* peak of this solver's own arrays over all ranks [bytes] */
} FgCellReport;

/* Appends a quantity and returns it for more to be set; value may be NULL (zeros). */
PETSC_EXTERN PetscErrorCode     FgReportEffective(FgCellReport *report, const char *name, const char *unit, PetscInt rows,
                                                  PetscInt columns, const double *value, const char *summary, FgEffective **added);
PETSC_EXTERN const FgEffective *FgReportFind(const FgCellReport *report, const char *name); /* NULL where there is none */
PETSC_EXTERN PetscErrorCode     FgReportSolve(FgCellReport *report, const FgCellSolve *solve);
PETSC_EXTERN PetscErrorCode     FgReportNote(FgCellReport *report, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);
/* Keeps a copy of a field, as float. */
PETSC_EXTERN PetscErrorCode FgReportField(FgCellReport *report, FgCell cell, const char *name, const char *unit, PetscInt ncomp,
                                          const double *value);
PETSC_EXTERN PetscErrorCode FgReportDestroy(FgCellReport *report);

/* --- The physics ------------------------------------------------------------------------------------------------------ */

typedef enum { FG_CELL_SOLVER_AUTO, FG_CELL_SOLVER_SPECTRAL, FG_CELL_SOLVER_ALGEBRAIC } FgCellSolver;

typedef struct {
  double               tolerance;      /* relative residual ||r||/||b|| at which a solve ends [1] */
  PetscInt             max_iterations; /* of one solve */
  FgCellSolver         solver;         /* auto: FFT-preconditioned, algebraic multigrid where that does not converge */
  PetscBool            keep_fields;    /* correctors and other fields into the report */
  PetscBool            measure_plans;  /* FFTW_MEASURE: costs about one solve, gains over many */
  PetscBool            warm_start;     /* start from the correctors of the last call with the same FgCellCache */
  struct FgCellCache_ *cache;          /* plans and correctors kept between calls, NULL for none; forward/cell/solver.h */
  const double        *velocity; /* [nlocal][3] face velocities on the lower faces [m/s] for advection, NULL: from geometry */
} FgCellSettings;
PETSC_EXTERN const FgCellSettings FgCellDefaults;

PETSC_EXTERN PetscErrorCode FgCellCacheCreate(struct FgCellCache_ **cache);
/* Forgets the correctors but keeps the plans: the next solve begins from 0. */
PETSC_EXTERN PetscErrorCode FgCellCacheForget(struct FgCellCache_ *cache);
PETSC_EXTERN PetscErrorCode FgCellCacheDestroy(struct FgCellCache_ **cache);

typedef struct {
  const char *name, *summary;
  /* Adds effective quantities, solves and notes. Errors: missing properties (PETSC_ERR_FILE_UNEXPECTED), no convergence
     (PETSC_ERR_NOT_CONVERGED, the message carries the residual history). Collective. */
  PetscErrorCode (*solve)(FgCell cell, const FgCellSettings *settings, FgCellReport *report);
  /* Bytes a voxel that solve takes at its peak, to be refused before any allocation. */
  double (*bytes_per_voxel)(FgCell cell, const FgCellSettings *settings);
  PetscBool subsampled; /* takes cells whose voxels hold several samples (FgCellSubsample) */
} FgPhysics;

PETSC_EXTERN const FgPhysics *const FgPhysicsList[]; /* closed by NULL; forward/cell/physics.c */
PETSC_EXTERN const FgPhysics       *FgPhysicsFind(const char *name);

#endif
