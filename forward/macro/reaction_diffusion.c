/* reaction_diffusion.c: <rho> u_t - div(D grad u) + k u + sum V u/(K_m + u) = s with homogenized coefficients.

   The rates are volume means, for reaction is of order one while diffusion across a cell is fast: <k>, <s>, <rho>, and V
   weighted by fractions (docs/physics/macroscopic.md). Time steps weigh the new level with theta (1/2: Crank-Nicolson, 1:
   backward Euler) and solve the saturating terms by Newton's method; these are increasing, so that its matrices stay
   definite. Source: the source chapter's two-scale expansion of reaction-diffusion; Hairer and Wanner, Solving Ordinary
   Differential Equations II, for theta methods. */
#include "macro.h"

#include <math.h>

struct FgReactionDiffusion_ {
  FgBox       box;
  Diffusion   diffusion;
  Vec         storage, rate, source, supply; /* rho; k; s; s and what enters through the faces */
  PetscInt    nsaturations;
  Vec        *maximum, *half;
  double      implicitness, tolerance;
  double      dt; /* of the matrix, 0: steady, -1: none yet */
  double      has_rate;
  Mat         matrix;
  LinearSolve solve;
  Vec         start, residual, diagonal, update, reaction, slope; /* work */
};

PetscErrorCode FgReactionDiffusionCreate(FgBox box, const FgReactionDiffusionSettings *settings, FgReactionDiffusion *equation)
{
  FgReactionDiffusion e;
  PetscReal           most;

  PetscFunctionBegin;
  PetscCheck(settings->implicitness == 0.0 || (settings->implicitness >= 0.5 && settings->implicitness <= 1.0), box->comm,
             PETSC_ERR_USER, "reaction-diffusion: implicitness %g, expected 1/2 to 1", settings->implicitness);
  PetscCall(PetscNew(equation));
  e               = *equation;
  e->box          = box;
  e->implicitness = settings->implicitness > 0.0 ? settings->implicitness : 1.0;
  e->tolerance    = settings->tolerance > 0.0 ? settings->tolerance : 1e-10;
  e->dt           = -1.0;
  PetscCall(DiffusionCreate(box, settings->diffusion, TENSOR_SEMIDEFINITE, settings->faces,
                            "reaction-diffusion: diffusion [m^2/s]", &e->diffusion));
  PetscCall(CoefficientVector(box, settings->storage, 1.0, COEFFICIENT_POSITIVE, "reaction-diffusion: storage [1]", &e->storage));
  PetscCall(CoefficientVector(box, settings->rate, 0.0, COEFFICIENT_NOT_NEGATIVE, "reaction-diffusion: rate [1/s]", &e->rate));
  PetscCall(CoefficientVector(box, settings->source, 0.0, COEFFICIENT_ANY, "reaction-diffusion: source", &e->source));
  PetscCall(VecDuplicate(e->source, &e->supply));
  PetscCall(VecCopy(e->source, e->supply));
  PetscCall(VecAXPY(e->supply, 1.0, e->diffusion->inflow));
  PetscCall(PetscCalloc2(settings->nsaturations, &e->maximum, settings->nsaturations, &e->half));
  e->nsaturations = settings->nsaturations;
  for (PetscInt t = 0; t < e->nsaturations; t++) {
    const FgSaturation *term = &settings->saturations[t];

    PetscCall(CoefficientVector(box, term->maximum, 0.0, COEFFICIENT_NOT_NEGATIVE, "reaction-diffusion: saturation's maximum",
                                &e->maximum[t]));
    PetscCall(
        CoefficientVector(box, term->half, 0.0, COEFFICIENT_POSITIVE, "reaction-diffusion: saturation's half", &e->half[t]));
  }
  PetscCall(VecNorm(e->rate, NORM_INFINITY, &most));
  e->has_rate = most;
  for (PetscInt t = 0; t < e->nsaturations; t++) {
    PetscCall(VecNorm(e->maximum[t], NORM_INFINITY, &most));
    e->has_rate = PetscMax(e->has_rate, most);
  }
  PetscCall(MatDuplicate(e->diffusion->matrix, MAT_COPY_VALUES, &e->matrix));
  PetscCall(LinearSolveCreate(box, PETSC_TRUE, e->tolerance, "reaction-diffusion", &e->solve));
  PetscCall(VecDuplicate(e->storage, &e->start));
  PetscCall(VecDuplicate(e->storage, &e->residual));
  PetscCall(VecDuplicate(e->storage, &e->diagonal));
  PetscCall(VecDuplicate(e->storage, &e->update));
  PetscCall(VecDuplicate(e->storage, &e->reaction));
  PetscCall(VecDuplicate(e->storage, &e->slope));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgReactionDiffusionDestroy(FgReactionDiffusion *equation)
{
  FgReactionDiffusion e = *equation;

  PetscFunctionBegin;
  if (!e) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(DiffusionDestroy(&e->diffusion));
  PetscCall(VecDestroy(&e->storage));
  PetscCall(VecDestroy(&e->rate));
  PetscCall(VecDestroy(&e->source));
  PetscCall(VecDestroy(&e->supply));
  for (PetscInt t = 0; t < e->nsaturations; t++) {
    PetscCall(VecDestroy(&e->maximum[t]));
    PetscCall(VecDestroy(&e->half[t]));
  }
  PetscCall(PetscFree2(e->maximum, e->half));
  PetscCall(MatDestroy(&e->matrix));
  PetscCall(LinearSolveDestroy(&e->solve));
  PetscCall(VecDestroy(&e->start));
  PetscCall(VecDestroy(&e->residual));
  PetscCall(VecDestroy(&e->diagonal));
  PetscCall(VecDestroy(&e->update));
  PetscCall(VecDestroy(&e->reaction));
  PetscCall(VecDestroy(&e->slope));
  PetscCall(PetscFree(*equation));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* V u/(K_m + u) and its slope. */
static void Saturation(double maximum, double half, double u, double *value, double *slope)
{
  *value = u > 0.0 ? maximum * u / (half + u) : maximum * u / half;
  *slope = u > 0.0 ? maximum * half / ((half + u) * (half + u)) : maximum / half;
}

/* Reaction k u + R(u) and its slope, voxel by voxel. */
static PetscErrorCode React(FgReactionDiffusion e, Vec u)
{
  const PetscScalar *at, *rate, *maximum, *half;
  PetscScalar       *value, *slope;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(u, &at));
  PetscCall(VecGetArrayRead(e->rate, &rate));
  PetscCall(VecGetArray(e->reaction, &value));
  PetscCall(VecGetArray(e->slope, &slope));
  for (PetscInt i = 0; i < e->box->nlocal; i++) {
    value[i] = rate[i] * at[i];
    slope[i] = rate[i];
  }
  for (PetscInt t = 0; t < e->nsaturations; t++) {
    PetscCall(VecGetArrayRead(e->maximum[t], &maximum));
    PetscCall(VecGetArrayRead(e->half[t], &half));
    for (PetscInt i = 0; i < e->box->nlocal; i++) {
      double r, s;

      Saturation(maximum[i], half[i], at[i], &r, &s);
      value[i] += r;
      slope[i] += s;
    }
    PetscCall(VecRestoreArrayRead(e->half[t], &half));
    PetscCall(VecRestoreArrayRead(e->maximum[t], &maximum));
  }
  PetscCall(VecRestoreArray(e->slope, &slope));
  PetscCall(VecRestoreArray(e->reaction, &value));
  PetscCall(VecRestoreArrayRead(e->rate, &rate));
  PetscCall(VecRestoreArrayRead(u, &at));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* residual = supply - L u - reaction(u): what drives u. */
static PetscErrorCode Drive(FgReactionDiffusion e, Vec u)
{
  PetscFunctionBegin;
  PetscCall(React(e, u));
  PetscCall(MatMult(e->diffusion->matrix, u, e->residual));
  PetscCall(VecAYPX(e->residual, -1.0, e->supply));
  PetscCall(VecAXPY(e->residual, -1.0, e->reaction));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* matrix = rho/dt + theta (L + slope); for dt = 0 without rho/dt and with theta = 1. */
static PetscErrorCode FillMatrix(FgReactionDiffusion e, double dt)
{
  const double theta = dt > 0.0 ? e->implicitness : 1.0;

  PetscFunctionBegin;
  if (!e->nsaturations && e->dt == dt) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MatCopy(e->diffusion->matrix, e->matrix, SAME_NONZERO_PATTERN));
  if (theta < 1.0) PetscCall(MatScale(e->matrix, theta));
  PetscCall(VecCopy(e->slope, e->diagonal));
  PetscCall(VecScale(e->diagonal, theta));
  if (dt > 0.0) PetscCall(VecAXPY(e->diagonal, 1.0 / dt, e->storage));
  PetscCall(MatDiagonalSet(e->matrix, e->diagonal, ADD_VALUES));
  if (dt == 0.0 && e->diffusion->free && e->has_rate == 0.0) PetscCall(MatrixPin(e->matrix));
  e->dt = dt;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Newton's method from u on rho (u - start)/dt = theta drive(u) + `rest`, or 0 = drive(u) for dt = 0. A linear equation
   takes one step. */
static PetscErrorCode Newton(FgReactionDiffusion e, double dt, Vec rest, Vec u)
{
  const double theta = dt > 0.0 ? e->implicitness : 1.0;
  PetscReal    size, scale, length, first = 0.0;

  PetscFunctionBegin;
  PetscCall(VecNorm(e->supply, NORM_2, &scale));
  for (PetscInt iteration = 0;; iteration++) {
    PetscCall(Drive(e, u));
    PetscCall(VecNorm(e->reaction, NORM_2, &size));
    scale = PetscMax(scale, size);
    PetscCall(VecScale(e->residual, theta));
    if (rest) PetscCall(VecAXPY(e->residual, 1.0, rest));
    if (dt > 0.0) {
      PetscCall(VecWAXPY(e->update, -1.0, e->start, u));
      PetscCall(VecPointwiseMult(e->update, e->update, e->storage));
      PetscCall(VecAXPY(e->residual, -1.0 / dt, e->update));
      PetscCall(VecPointwiseMult(e->update, e->start, e->storage));
      PetscCall(VecNorm(e->update, NORM_2, &size));
      scale = PetscMax(scale, size / dt);
    }
    PetscCall(VecNorm(e->residual, NORM_2, &size));
    if (!iteration) first = size;
    if (size <= e->tolerance * scale) break;
    PetscCheck(iteration < 50 && isfinite(size), e->box->comm, PETSC_ERR_NOT_CONVERGED,
               "reaction-diffusion: Newton's method did not converge: residual %g at the start, %g after %d iterations, scale %g",
               (double)first, (double)size, (int)iteration, (double)scale);
    PetscCall(FillMatrix(e, dt));
    PetscCall(VecSet(e->update, 0.0));
    PetscCall(LinearSolveRun(&e->solve, e->matrix, e->residual, 0.1 * e->tolerance * scale, e->update));
    PetscCall(VecAXPY(u, 1.0, e->update));
    if (!e->nsaturations) break;
    /* Rounding limits the residual where voxels are small; then the update tells. */
    PetscCall(VecNorm(e->update, NORM_2, &size));
    PetscCall(VecNorm(u, NORM_2, &length));
    if (iteration && size <= 1e-13 * length) break;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgReactionDiffusionSteady(FgReactionDiffusion e, Vec u)
{
  PetscScalar mean, now;
  PetscInt    n;

  PetscFunctionBegin;
  if (!e->diffusion->free || e->has_rate > 0.0) {
    PetscCall(Newton(e, 0.0, NULL, u));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(VecGetSize(u, &n));
  PetscCall(VecSum(u, &mean));
  PetscCall(Drive(e, u));
  PetscCall(
      BalanceCheck(e->box, 2, (const Vec[]){e->source, e->diffusion->inflow}, e->residual, "reaction-diffusion", "m^dim [u]/s"));
  PetscCall(FillMatrix(e, 0.0));
  PetscCall(VecSet(e->update, 0.0));
  PetscCall(LinearSolveRun(&e->solve, e->matrix, e->residual, 0.0, e->update));
  PetscCall(VecAXPY(u, 1.0, e->update));
  PetscCall(VecSum(u, &now));
  PetscCall(VecShift(u, (mean - now) / (PetscScalar)n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgReactionDiffusionStep(FgReactionDiffusion e, double dt, PetscInt nsteps, Vec u)
{
  const double theta = e->implicitness;
  Vec          rest  = NULL;

  PetscFunctionBegin;
  PetscCheck(isfinite(dt) && dt > 0.0, e->box->comm, PETSC_ERR_USER,
             "reaction-diffusion: time step %g s, expected a positive one", dt);
  if (theta < 1.0) PetscCall(VecDuplicate(u, &rest));
  for (PetscInt step = 0; step < nsteps; step++) {
    PetscCall(VecCopy(u, e->start));
    if (rest) {
      PetscCall(Drive(e, u));
      PetscCall(VecCopy(e->residual, rest));
      PetscCall(VecScale(rest, 1.0 - theta));
    }
    PetscCall(Newton(e, dt, rest, u));
  }
  PetscCall(VecDestroy(&rest));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgReactionDiffusionFaceFlux(FgReactionDiffusion e, Vec u, double flux[FG_FACES])
{
  PetscFunctionBegin;
  PetscCall(DiffusionFaceFlux(e->diffusion, u, flux));
  PetscFunctionReturn(PETSC_SUCCESS);
}
