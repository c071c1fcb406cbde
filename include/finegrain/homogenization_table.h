/* homogenization_table.h: effective tensors of one microstructure over a sweep of its parameters, as `finegrain homogenize --sweep`
   writes them and the closure `table:FILE` interpolates them. Layout of the file: docs/formats.md.

   To write one: set naxes and each axis' name, unit and n; FgHomogenizationTableAllocate; fill values, tensors and fractions, the last
   axis fastest; FgHomogenizationTableWrite. */
#ifndef FINEGRAIN_HOMOGENIZATION_TABLE_H
#define FINEGRAIN_HOMOGENIZATION_TABLE_H

#include "base.h"

enum {
  FG_SWEEP_AXES      = 4,      /* at most */
  FG_SWEEP_AXIS_SIZE = 4096,   /* values of an axis, at most */
  FG_SWEEP_POINTS    = 262144, /* of a table, at most */
  FG_SWEEP_TEXT      = 64      /* bytes of a name, with the closing 0 */
};

typedef struct {
  char     name[FG_SWEEP_TEXT]; /* "fraction": of the inclusions, as asked for; "contrast": inclusion over matrix */
  char     unit[FG_SWEEP_TEXT]; /* "1" */
  PetscInt n;
  double  *value; /* [n], increasing */
} FgSweepAxis;

typedef struct {
  char        geometry[FG_SWEEP_TEXT];  /* "square-cylinders" */
  char        physics[FG_SWEEP_TEXT];   /* "conduction" */
  char        generator[FG_SWEEP_TEXT]; /* program and version; FgHomogenizationTableWrite fills it where it is "" */
  PetscInt    resolution[3];            /* voxels of the cell along x, y, z */
  PetscInt    fiber_axis;               /* 0, 1, 2: the axis of the cell that a fiber direction stands for */
  PetscBool   columnar;                 /* the same in every plane across fiber_axis */
  double      packing;                  /* fraction at which inclusions touch [1]; NAN: none or unknown */
  double      tolerance;                /* relative residual of the solves [1] */
  PetscInt    naxes, npoints;           /* npoints: product of the axes' n */
  FgSweepAxis axes[FG_SWEEP_AXES];
  double     *tensor;                             /* [npoints][9] by rows, symmetric, over the matrix's scalar coefficient [1] */
  double     *fraction_exact;                     /* [npoints] of the inclusions' shape [1] */
  double     *fraction_voxels;                    /* [npoints] of their voxels, to which the tensor belongs [1] */
  char        file[PETSC_MAX_PATH_LEN], hash[65]; /* where it was read from, and the SHA-256 of that file; else "" */
} FgHomogenizationTable;

/* Arrays for the axes' n, filled with NAN; nothing else changes. Errors: PETSC_ERR_USER where a size is beyond the limits above. */
PETSC_EXTERN PetscErrorCode FgHomogenizationTableAllocate(FgHomogenizationTable *table);
PETSC_EXTERN PetscErrorCode FgHomogenizationTableDestroy(FgHomogenizationTable *table);
/* Position of an axis by its name, -1 where there is none. */
PETSC_EXTERN PetscInt FgHomogenizationTableAxis(const FgHomogenizationTable *table, const char *name);

/* What readers of a table rely on: axes with different names that increase, fractions of 0 to 1, tensors that are finite, symmetric and
   without a negative diagonal. `code` and `name` are of the error. */
PETSC_EXTERN PetscErrorCode FgHomogenizationTableCheck(const FgHomogenizationTable *table, PetscErrorCode code, const char *name);

/* Whole or not at all, on the calling rank alone; equal tables make equal bytes. Errors: PETSC_ERR_FILE_WRITE;
   PETSC_ERR_ARG_WRONG where the table could not be read again (a point that was left NAN). */
PETSC_EXTERN PetscErrorCode FgHomogenizationTableWrite(const char *path, const FgHomogenizationTable *table);
/* Collective: rank 0 reads, all get the table. Errors: PETSC_ERR_FILE_OPEN, _FILE_READ, _FILE_UNEXPECTED. */
PETSC_EXTERN PetscErrorCode FgHomogenizationTableRead(MPI_Comm comm, const char *path, FgHomogenizationTable *table);

#endif
