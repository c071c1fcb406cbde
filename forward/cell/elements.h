/* elements.h: periodic cell problems by trilinear elements, one a voxel: anisotropic conduction and elasticity. Private to
   forward/cell/.

     bricks.c           rows of elements: from nodes to forces
     elements.c         the operator over the slabs of a cell, its solves, and means over phases
     elements_symbol.c  preconditioner: the same elements of one homogeneous material, inverted by Fourier transforms
     elements_cases.c   all load cases, effective tensors and their derivatives */
#ifndef FINEGRAIN_FORWARD_CELL_ELEMENTS_H
#define FINEGRAIN_FORWARD_CELL_ELEMENTS_H

#include "bricks.h"
#include "solver.h"

/* The homogeneous material of the preconditioner and the symbols along each axis. */
typedef struct {
  int     ncomp;
  double  slope[3];
  double  tensor[6];   /* ncomp == 1: K, over `scale` */
  double  lame, shear; /* ncomp == 3, over `scale` */
  double  scale;
  double *even[3], *odd[3]; /* 2 cos(theta/2), 2 sin(theta/2) of every frequency of an axis */
  double *weight;           /* [n[0]/2 + 1] 1 or 2: frequencies that a value of a row stands for */
} FgElementsSymbol;

PetscErrorCode FgElementsSymbolCreate(FgCell cell, const FgBricks *bricks, const double *tensors, FgElementsSymbol *symbol);
PetscErrorCode FgElementsSymbolDestroy(FgElementsSymbol *symbol);
double FgElementsSymbolRow(const void *symbol, PetscInt ky, PetscInt kz, PetscInt nk, double scale, double complex **value);

/* Unknowns stand at the lower corners of voxels: [nlocal][ncomp]. */
typedef struct FgElements_ {
  FgCell           cell;
  FgCellSettings   settings;
  int              ncomp, nmacro; /* 1, 3 or 3, 6: components; macroscopic gradients or strains */
  double          *tensors;       /* [nphases][6 or 36] */
  double           largest;       /* entry of tensors of phases that occur */
  FgBricks         all, bricks;   /* of all phases; those in use (FgElementsSelect) */
  uint16_t        *phase_below;   /* plane below the slab */
  double          *row;           /* work: three node rows and three force rows, sum and difference each */
  FgHalo           halo;
  FgSpectral       spectral;
  FgElementsSymbol symbol;
  FgConjugateWork  work; /* work.r is the true residual after a solve */
} * FgElements;

/* `tensors` [nphases][6] for ncomp 1, stiffness [nphases][36] for ncomp 3. Copies what it needs. */
PetscErrorCode FgElementsCreate(FgCell cell, const FgCellSettings *settings, int ncomp, const double *tensors, FgElements *op);
PetscErrorCode FgElementsDestroy(FgElements *op);
double         FgElementsBytes(FgElements op); /* of this rank, now [bytes] */

/* r = B^T sigma(macro + grad u), the operator with a macroscopic gradient [3] or strain [6, engineering shear], per volume;
   u or macro may be NULL (zero). */
PetscErrorCode FgElementsApply(FgElements op, const double *u, const double *macro, double *r);
/* Phase p alone has a stiffness from here on, the others none; p = -1: all again. For derivatives. */
PetscErrorCode FgElementsSelect(FgElements op, PetscInt p);
/* Solves for the periodic u [nlocal][ncomp] under the macroscopic gradient or strain, starting from u; adds the solve to the
   report. work.r is then the true residual -B^T sigma(macro + grad u). Error: not converged. */
PetscErrorCode FgElementsSolve(FgElements op, const char *name, const double *macro, double *u, FgCellReport *report);
/* mean[phase][nmacro] = < 1_phase (macro + grad u) >, strains with engineering shear. Collective. */
PetscErrorCode FgElementsMeans(FgElements op, const double *u, const double *macro, double *mean);
/* Adds u, averaged to the centers of voxels, to the report's fields. */
PetscErrorCode FgElementsField(FgElements op, const char *name, const double *u, FgCellReport *report);

/* All load cases of an operator. C*_IJ = < (e_I + e(u_I)) : C : (e_J + e(u_J)) >, nmacro x nmacro by rows. */
typedef struct {
  double  energy[36], flux[36];
  double *mean;        /* [nphases][nmacro][nmacro] < 1_phase (e_J + e(u_J))_I > at [I][J]; to be freed */
  double *sensitivity; /* [nphases][nmacro][nmacro] derivative of C* to the logarithm of the phase's tensor (sum: C*); NULL
                          where it was not asked for; to be freed */
} FgElementsResult;
PetscErrorCode FgElementsCases(FgElements op, const char *name, PetscBool sensitivity, FgElementsResult *result,
                               FgCellReport *report);
PetscErrorCode FgElementsResultDestroy(FgElementsResult *result);
/* Bytes a voxel that FgElementsCases takes. */
double FgElementsBytesPerVoxel(FgCell cell, int ncomp);

/* The conduction cell problem for symmetric tensors [nphases][6] of any direction, possibly 0: energy and flux form [9] by
   rows, and in sensitivity [nphases][9] (may be NULL) the derivative of K* to the logarithm of each phase's tensor. Where
   some phase does not conduct, exact zeros are the caller's (FgComponents). */
PetscErrorCode FgElementsConduction(FgCell cell, const FgCellSettings *settings, const double *tensors, const char *name,
                                    double energy[9], double flux[9], double *sensitivity, FgCellReport *report);

#endif
