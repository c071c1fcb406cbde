/* macro.h: what the macroscopic equations share: values of coefficients, the diffusion operator, and the linear solve. */
#ifndef FINEGRAIN_FORWARD_MACRO_H
#define FINEGRAIN_FORWARD_MACRO_H

#include "finegrain/macro.h"

#include <petscksp.h>

/* --- Coefficients (box.c) ------------------------------------------------------------------------------------------ */

typedef enum {
  COEFFICIENT_ANY,
  COEFFICIENT_NOT_NEGATIVE,
  COEFFICIENT_POSITIVE,
} CoefficientRange;

/* A copy as a Vec; `name` ("reaction-diffusion: rate [1/s]") opens messages. A NULL value gives `fallback`. */
PetscErrorCode CoefficientVector(FgBox box, FgCoefficient scalar, double fallback, CoefficientRange range, const char *name,
                                 Vec *vector);
typedef enum { TENSOR_ANY, TENSOR_SEMIDEFINITE, TENSOR_DEFINITE } TensorRange;

/* A copy of tensors as a ghosted local Vec of 9 values a voxel; those of TENSOR_SEMIDEFINITE and _DEFINITE are checked and
   made exactly symmetric. `dm9` is its layout, to be destroyed with it. */
PetscErrorCode CoefficientTensors(FgBox box, FgCoefficient tensor, TensorRange range, const char *name, DM *dm9, Vec *local);
/* a + b */
PetscErrorCode CoefficientTensorsSum(FgBox box, FgCoefficient a, FgCoefficient b, double **sum, FgCoefficient *result);

/* The value of a face at x. */
double FaceValue(const FgFace *face, const double x[3]);

/* --- The diffusion operator (diffusion.c) ---------------------------------------------------------------------------- */

typedef struct {
  FgBox     box;
  FgFace    faces[FG_FACES];
  DM        dm9;
  Vec       tensors; /* ghosted, 9 values a voxel */
  Mat       matrix;  /* L: L u - inflow = -div(K grad u), the mean over each voxel [unit of K/m^2] */
  Vec       inflow;  /* what the faces' values and fluxes add [unit of K x [u]/m^2] */
  PetscBool free;    /* no face gives a value: L has the null vector 1 */
} * Diffusion;

PetscErrorCode DiffusionCreate(FgBox box, FgCoefficient tensor, TensorRange range, const FgFace faces[FG_FACES], const char *name,
                               Diffusion *diffusion);
PetscErrorCode DiffusionDestroy(Diffusion *diffusion);
PetscErrorCode DiffusionFaceFlux(Diffusion diffusion, Vec u, double flux[FG_FACES]);

/* An empty matrix over the box with room for all neighbors of a voxel, or for those across its faces alone. */
PetscErrorCode MatrixCreate(FgBox box, PetscBool corners, Mat *matrix);

/* --- Linear solves (solve.c) ------------------------------------------------------------------------------------------ */

typedef struct {
  KSP       ksp;
  PetscBool parts; /* a factorization of each rank's part is still to be set */
  double    tolerance;
  PetscReal history[40]; /* the first residuals */
  char      name[64];
} LinearSolve;

/* Conjugate gradients for symmetric operators, GMRES otherwise. */
PetscErrorCode LinearSolveCreate(FgBox box, PetscBool symmetric, double tolerance, const char *name, LinearSolve *solve);
PetscErrorCode LinearSolveDestroy(LinearSolve *solve);
/* x is the start and the solution; done when the residual is small against b, or below `small`.
   Error: PETSC_ERR_NOT_CONVERGED with the history. */
PetscErrorCode LinearSolveRun(LinearSolve *solve, Mat matrix, Vec b, double small, Vec x);
/* Takes a positive semidefinite matrix with the null vector 1 to a definite one, by doubling its first diagonal entry:
   where b sums to zero, the solution is that solution of the singular system whose first value is zero. */
PetscErrorCode MatrixPin(Mat matrix);
/* Refuses sources whose sum is not small against their absolute sum, for an equation whose matrix has the null vector 1;
   else takes what rounding leaves off the right-hand side b (may be NULL). `unit` is that of the sources times a volume. */
PetscErrorCode BalanceCheck(FgBox box, PetscInt nsources, const Vec sources[], Vec b, const char *name, const char *unit);

#endif
