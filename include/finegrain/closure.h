/* closure.h: from microstructure to the effective tensor: closures, orientation models, tissue presets.

   A closure is the homogenisation step for aligned fibers: it gives the two eigenvalues of the effective tensor along and
   across the fiber axis n for a fiber volume fraction phi = 1 - porosity. An orientation model builds the full tensor:
     aligned     C = c_perp I + (c_par - c_perp) n n^T
     dispersed   C = c_perp I + (c_par - c_perp) [kappa n n^T + (1 - kappa)/3 I]
     orthotropic C = c_perp I + (c_par - c_perp) T,  T = R diag(t) R^T, t >= 0, sum t = 1
   Everything here is a pure function of one voxel. Source: docs/theory.md. */
#ifndef FINEGRAIN_CLOSURE_H
#define FINEGRAIN_CLOSURE_H

#include "base.h"
#include "field.h"
#include "homogenization_table.h"

typedef struct {
  double    matrix;        /* diffusivity of the matrix (fluid) phase [mm^2/s] */
  double    fiber_axial;   /* of the fiber phase along its axis [mm^2/s] */
  double    fiber_radial;  /* across it [mm^2/s] */
  double    fiber_storage; /* visible water content (partition coefficient) of the fiber phase relative to the matrix [1] */
  PetscBool apparent;      /* divide by the mean storage: what a tracer or DTI on the mobile water sees */
} FgPhases;

/* A formula, one constant for all, or an instance that was made from numbers and for given phases. */
typedef struct FgClosure_ FgClosure;
struct FgClosure_ {
  const char *name, *summary;
  double      fiber_fraction_max; /* largest meaningful phi [1]: 1, or packing limits of arrays */
  /* c[0] along, c[1] across the axis [mm^2/s]; dc their derivatives with respect to the fiber fraction. */
  void (*evaluate)(const FgClosure *closure, const FgPhases *phases, double fiber_fraction, double c[2], double dc[2]);
  /* Of instances, else NULL: frees it; the file that its numbers are from, and the SHA-256 of that file. */
  PetscErrorCode (*destroy)(FgClosure *closure);
  const char *file, *hash;
};

PETSC_EXTERN const FgClosure *const FgClosures[];                    /* the formulas, NULL-terminated */
PETSC_EXTERN const FgClosure       *FgClosureFind(const char *name); /* a formula, NULL where there is none */

/* The instance "table:FILE" that interpolates solved cell problems for these phases, and for no others: for others its values are NAN.
   Copies what it needs of the table. Errors: PETSC_ERR_FILE_UNEXPECTED where the table is not one of conduction over fraction and
   contrast, or cannot be interpolated; PETSC_ERR_USER where the phases are beyond its contrasts, or are anisotropic and its geometry
   is not columnar. */
PETSC_EXTERN PetscErrorCode FgClosureFromTable(const FgHomogenizationTable *table, const FgPhases *phases,
                                               const FgClosure **closure);
/* Frees an instance, leaves a formula alone; *closure becomes NULL. */
PETSC_EXTERN PetscErrorCode FgClosureDestroy(const FgClosure **closure);

/* With storage and normalisation applied: c and dc per porosity (not fiber fraction). */
PETSC_EXTERN void FgClosureEvaluate(const FgClosure *closure, const FgPhases *phases, double porosity, double c[2], double dc[2]);

typedef enum { FG_ALIGNED, FG_DISPERSED, FG_ORTHOTROPIC } FgOrientation;
PETSC_EXTERN const char *const FgOrientations[]; /* "aligned", "dispersed", "orthotropic", NULL */

typedef struct {
  const FgClosure *closure;
  FgPhases         phases;
  FgOrientation    orientation;
  double           porosity_lower, porosity_upper; /* [1] */
} FgTissue;

/* The tissue's components in their fixed order: porosity, [kappa, [planarity]], tangent coordinates (2, or 3 for
   orthotropic). Fills components[] (at most 6) and returns how many. A model appends its own (S0) after them. */
PETSC_EXTERN PetscInt FgTissueComponents(const FgTissue *tissue, FgComponent components[]);

/* C = (xx, yy, zz, xy, xz, yz) [mm^2/s] in the scanner frame for one site, and if dC != NULL its derivatives
   dC[component][6]. `frame`: the site's chart reference (field.h). */
PETSC_EXTERN void FgTissueTensor(const FgTissue *tissue, const double *m, const double frame[9], double C[6], double dC[][6]);

/* Nearest tissue parameters to a given tensor, inside the bounds: trace -> porosity, anisotropy -> kappa, principal
   axis -> frame (tangent coordinates 0). A start value, not a fit. */
PETSC_EXTERN void FgTissueFromTensor(const FgTissue *tissue, const double C[6], double *m, double frame[9]);

/* Named constants with their documented source (docs/presets.md). */
typedef struct {
  const char *name, *summary, *source;
  const char *closure, *orientation;
  FgPhases    phases;
} FgPreset;
PETSC_EXTERN const FgPreset FgPresets[]; /* closed by name == NULL */

#endif
