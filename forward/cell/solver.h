/* solver.h: the periodic solver shared by all physics of forward/cell/. Private to forward/.

     spectral.c   plans of Fourier transforms over the slabs of a cell, and a pass over all frequencies
     conjugate.c  preconditioned conjugate gradients with its vector work fused
     scalar.c     -div(K grad u) by finite volumes: 7 points, harmonic faces, K scalar or diagonal per phase; scalar_solve.c,
                  scalar_form.c, faces.c
     algebraic.c  the same operators assembled, for PETSc's conjugate gradients with hypre's BoomerAMG
     components.c connected components of the permeable voxels, and the directions in which they percolate */
#ifndef FINEGRAIN_FORWARD_CELL_SOLVER_H
#define FINEGRAIN_FORWARD_CELL_SOLVER_H

#include "finegrain/cell.h"

#include <complex.h>

/* --- spectral.c ------------------------------------------------------------------------------------------------------- */

/* Plans for `ncomp` interlaced real values a voxel; owned by the cache (or by the caller where settings->cache is NULL:
   FgSpectralRelease frees it only then). One buffer of complex values, 8 ncomp (1 + 2/n[0]) bytes a voxel. */
typedef struct FgSpectral_ *FgSpectral;

PetscErrorCode FgSpectralGet(FgCell cell, const FgCellSettings *settings, PetscInt ncomp, FgSpectral *spectral);
PetscErrorCode FgSpectralRelease(const FgCellSettings *settings, FgSpectral *spectral);
double         FgSpectralBytes(FgSpectral spectral);   /* of this rank's buffer [bytes] */
double         FgSpectralSeconds(FgSpectral spectral); /* spent in transforms since it was made, wall clock [s] */

/* One row of frequencies: value[c][k] is component c at frequency (k, ky, kz), k = 0 .. nk - 1, nk = n[0]/2 + 1. Replaces
   the values by those of the preconditioned vector times `scale` (the 1/(n0 n1 n2) of the transforms), and returns
   sum over k and c of weight(k) Re(conj(before) after), weight 1 for k = 0 and k = n[0]/2 (n[0] even), else 2: summed over
   all rows that is r . z. */
typedef double (*FgSpectralRow)(const void *context, PetscInt ky, PetscInt kz, PetscInt nk, double scale, double complex **value);

/* z = F^-1 row(F r), *dot = r . z over all ranks; r and z are [nlocal][ncomp] and may be the same. Collective. */
PetscErrorCode FgSpectralApply(FgSpectral spectral, FgSpectralRow row, const void *context, const double *r, double *z,
                               double *dot);

/* --- conjugate.c ------------------------------------------------------------------------------------------------------ */

/* A symmetric positive (semi)definite operator with its preconditioner, on local arrays of `n` values. */
typedef struct {
  MPI_Comm    comm;
  size_t      n;
  void       *context;
  const char *name;
  /* p = z + beta p, w = A p; *pw = p . w of this rank. Collective. */
  PetscErrorCode (*direction)(void *context, double beta, const double *z, double *p, double *w, double *pw);
  /* z = M^-1 r, *rz = r . z over all ranks. Collective. */
  PetscErrorCode (*precondition)(void *context, const double *r, double *z, double *rz);
} FgConjugateOperator;

/* Work arrays of one solve, three times n values, kept between solves. */
typedef struct {
  double *r, *p, *w;
  size_t  n;
} FgConjugateWork;

/* Solves A x = b. In: work->r = b - A x for the given x (b itself for x = 0), and *scale = ||b||. Out: x; work->r = b - A x
   as recursed. Ends at ||r|| <= tolerance ||b||. Fills solve->iterations, residual, seconds. Where it does not converge
   within max_iterations or breaks down, *converged is false and `history` (may be NULL, 256 bytes) tells residuals. */
PetscErrorCode FgConjugateGradients(const FgConjugateOperator *A, double norm_b, double tolerance, PetscInt max_iterations,
                                    FgConjugateWork *work, double *x, FgCellSolve *solve, char *history, PetscBool *converged);
PetscErrorCode FgConjugateWorkReserve(FgConjugateWork *work, size_t n);
PetscErrorCode FgConjugateWorkDestroy(FgConjugateWork *work);
/* The error that a physics raises where no solver converged. */
PetscErrorCode FgNotConverged(FgCell cell, const char *name, const FgCellSolve *solve, const char *history);

/* --- components.c ----------------------------------------------------------------------------------------------------- */

/* Connected components (over faces, periodically) of the voxels whose phase permeates (permeable[phase] != 0). */
typedef struct {
  PetscInt  ncomponents;
  int32_t  *component;     /* [nlocal], -1 in voxels that do not permeate */
  double   *fraction;      /* [ncomponents] volume fraction [1] */
  int      *rank;          /* [ncomponents] number of independent directions in which it meets its own periodic copies, 0..3 */
  PetscBool percolates[3]; /* whether anything crosses the cell along each axis: false means K*_jj = 0 exactly */
  double    projector[9];  /* onto the span of all directions that percolate: K* = P K* P */
} FgComponents;

PetscErrorCode FgComponentsFind(FgCell cell, const PetscBool *permeable, FgComponents *components);
PetscErrorCode FgComponentsDestroy(FgComponents *components);

/* --- scalar.c --------------------------------------------------------------------------------------------------------- */

/* -div(K grad u) on the cell, K diagonal (three values) per phase, finite volumes with unknowns at voxel centers:
   the face between voxels i and j across axis a has the conductance 2/(1/K_a(i) + 1/K_a(j)). */
typedef struct FgScalar_ *FgScalar;

/* `diagonal` is [nphases][stride] with K's three diagonal values first (a tensor property has stride 6: its off-diagonal
   values must be 0; see FgScalarIsDiagonal). Copies what it needs. */
PetscErrorCode FgScalarCreate(FgCell cell, const FgCellSettings *settings, const double *diagonal, PetscInt stride, FgScalar *op);
PetscErrorCode FgScalarDestroy(FgScalar *op);
/* Adds a reaction: A becomes -div(K grad u) + rate u, rate [nphases] >= 0. Before the first solve. */
PetscErrorCode FgScalarReaction(FgScalar op, const double *rate);
PetscBool      FgTensorsAreDiagonal(FgCell cell, const double *tensors); /* [nphases][6], of phases that occur */
PetscBool      FgScalarHasImpermeable(FgScalar op);                      /* some phase that occurs does not conduct */
double         FgScalarBytes(FgScalar op);                               /* of this rank, now [bytes] */

/* Conductance of the face between a voxel of phase p and its upper neighbor along `axis` of phase q. */
double FgScalarFace(FgScalar op, PetscInt axis, PetscInt p, PetscInt q);

/* z = M^-1 r, the preconditioner by itself: the operator of constant conductivity <K_a>, inverted; mean 0. */
PetscErrorCode FgScalarPrecondition(FgScalar op, const double *r, double *z);
/* The components of the permeable voxels, found once; owned by op. */
PetscErrorCode FgScalarComponents(FgScalar op, const FgComponents **components);
/* y = A x = -div(K grad x) [K/m^2 x]. */
PetscErrorCode FgScalarApply(FgScalar op, const double *x, double *y);
/* y = div(K e_axis), the right side of the cell problem P(K) [K/m]. */
PetscErrorCode FgScalarSource(FgScalar op, PetscInt axis, double *y);
/* Solves A x = b; x: start value if op has warm starts (settings), else set to 0. b sums to zero over every connected
   component. Adds the solve to the report under `name`. b may be NULL: source of `axis`. On exit *r_norm (may be NULL) is
   the true residual's norm. Mean of x over the cell is 0 where no phase is impermeable; see FgScalarPin. */
PetscErrorCode FgScalarSolve(FgScalar op, const char *name, const double *b, PetscInt axis, double *x, FgCellReport *report);
/* Subtracts from x its mean over each connected component, and sets 0 where nothing permeates. For output. */
PetscErrorCode FgScalarPin(FgScalar op, double *x);

/* The correctors chi_x, chi_y, chi_z of P(K) into chi[3], each [nlocal] [m]; directions with one voxel, and those in which
   nothing percolates, are skipped and stay 0 where exactly so. */
PetscErrorCode FgScalarCorrectors(FgScalar op, const char *name, double *const chi[3], FgCellReport *report);

/* F_ij = < e_i . K (e_j + grad chi_j) > (flux form) for j = 0 .. 2, by rows [9]. */
PetscErrorCode FgScalarFlux(FgScalar op, double *const chi[3], double flux[9]);
/* E_ij = < (e_i + grad left_i) . K (e_j + grad right_j) > [9]; with left = right the energy form. Exact zeros where nothing
   percolates are the caller's. left[i] NULL: no corrector. */
PetscErrorCode FgScalarForm(FgScalar op, double *const left[3], double *const right[3], double form[9]);
/* The same with given conductances of the faces between phases p and q, tables[axis][p nphases + q], instead of K's. */
PetscErrorCode FgScalarFaceForm(FgScalar op, double *const tables[3], double *const left[3], double *const right[3],
                                double form[9]);
/* S_pij = < 1_p (e_i + grad left_i) . dK/dk_p (e_j + grad right_j) > for scalar k_p: derivative of E with respect to the
   (isotropic) conductivity of each phase, [nphases][9]. */
PetscErrorCode FgScalarSensitivity(FgScalar op, double *const left[3], double *const right[3], double *sensitivity);

#endif
