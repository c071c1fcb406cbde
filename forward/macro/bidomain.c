/* bidomain.c: the two potentials of an excitable tissue, each with its effective conductivity, joined by the membrane.

     div(Sigma_i grad phi_i) =  beta I_m - s_i
     div(Sigma_e grad phi_e) = -beta I_m - s_e,     I_m = C_m dV/dt + g (V - V_r) + I_cubic(V, w),   V = phi_i - phi_e

   With A = -div(Sigma grad) and what enters through faces b, both steady state and time step are, for some gamma and f,
     (A_i + gamma) phi_i - gamma phi_e = s_i + b_i + f
     (A_e + gamma) phi_e - gamma phi_i = s_e + b_e - f
   which is symmetric, and an M-matrix for diagonal tensors, so that scalar multigrid takes both potentials at once. The
   steady state has gamma = beta g and f = beta g V_r; a coupled step has gamma = beta (C_m/dt + g) and the last level in
   f. The parabolic-elliptic step solves (A_i + gamma) V with the last phi_e on the right-hand side, then (A_i + A_e)
   phi_e. I_cubic is explicit, g implicit. Constant potentials are a null vector where no face gives a potential; one entry
   is pinned, and the mean of phi_e is taken off. Source: Colli Franzone, Pavarino and Scacchi, Mathematical Cardiac
   Electrophysiology (2014), on the model and its splitting; the source chapter's bidomain equations. */
#include "macro.h"
#include "membrane.h"

#include <math.h>

struct FgBidomain_ {
  FgBox            box;
  FgMembrane       membrane;
  FgBidomainScheme scheme;
  PetscBool        free; /* no face gives a potential */
  Diffusion        intracellular, extracellular;
  Vec              source_i, source_e; /* s */
  Vec              area;               /* beta */
  double           dt;                 /* of the matrices of steps, -1: none yet */
  Mat              pair, parabolic, elliptic;
  double           pair_dt; /* 0: steady, -1: none yet */
  LinearSolve      pair_solve, parabolic_solve, elliptic_solve;
  Vec              gamma, drive, b, work, phi_i, pair_b, pair_x;
};

PetscErrorCode FgBidomainCreate(FgBox box, const FgBidomainSettings *settings, FgBidomain *bidomain)
{
  const double      tolerance = settings->tolerance > 0.0 ? settings->tolerance : 1e-10;
  const FgMembrane *m         = &settings->membrane;
  FgBidomain        s;
  double           *both;
  FgCoefficient     total;
  DM                dm9;
  Vec               tensors;
  PetscErrorCode    code;

  PetscFunctionBegin;
  PetscCheck(isfinite(m->rest) && isfinite(m->threshold) && m->capacitance >= 0.0 && m->conductance >= 0.0 &&
                 m->excitation >= 0.0 && m->recovery >= 0.0 && m->recovery_gain >= 0.0,
             box->comm, PETSC_ERR_USER, "bidomain: the membrane's constants must be finite and not negative");
  PetscCall(PetscNew(bidomain));
  s           = *bidomain;
  s->box      = box;
  s->membrane = *m;
  s->scheme   = settings->scheme;
  s->dt = s->pair_dt = -1.0;
  PetscCall(CoefficientTensorsSum(box, settings->intracellular, settings->extracellular, &both, &total));
  code = CoefficientTensors(box, total, TENSOR_DEFINITE, "bidomain: sum of both conductivities [S/m]", &dm9, &tensors);
  PetscCall(PetscFree(both));
  PetscCall(code);
  PetscCall(VecDestroy(&tensors));
  PetscCall(DMDestroy(&dm9));
  PetscCall(DiffusionCreate(box, settings->intracellular, TENSOR_SEMIDEFINITE, settings->intracellular_faces,
                            "bidomain: intracellular conductivity [S/m]", &s->intracellular));
  PetscCall(DiffusionCreate(box, settings->extracellular, TENSOR_SEMIDEFINITE, settings->extracellular_faces,
                            "bidomain: extracellular conductivity [S/m]", &s->extracellular));
  s->free = (PetscBool)(s->intracellular->free && s->extracellular->free);
  PetscCall(
      CoefficientVector(box, settings->membrane_area, 0.0, COEFFICIENT_POSITIVE, "bidomain: membrane area [1/m]", &s->area));
  PetscCall(FgBidomainSetSources(s, settings->intracellular_source, settings->extracellular_source));
  PetscCall(LinearSolveCreate(box, PETSC_TRUE, tolerance, "bidomain: both potentials", &s->pair_solve));
  PetscCall(LinearSolveCreate(box, PETSC_TRUE, tolerance, "bidomain: potential across the membrane", &s->parabolic_solve));
  PetscCall(LinearSolveCreate(box, PETSC_TRUE, tolerance, "bidomain: extracellular potential", &s->elliptic_solve));
  PetscCall(VecDuplicate(s->area, &s->gamma));
  PetscCall(VecDuplicate(s->area, &s->drive));
  PetscCall(VecDuplicate(s->area, &s->b));
  PetscCall(VecDuplicate(s->area, &s->work));
  PetscCall(VecDuplicate(s->area, &s->phi_i));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgBidomainDestroy(FgBidomain *bidomain)
{
  FgBidomain s = *bidomain;

  PetscFunctionBegin;
  if (!s) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(DiffusionDestroy(&s->intracellular));
  PetscCall(DiffusionDestroy(&s->extracellular));
  PetscCall(VecDestroy(&s->source_i));
  PetscCall(VecDestroy(&s->source_e));
  PetscCall(VecDestroy(&s->area));
  PetscCall(MatDestroy(&s->pair));
  PetscCall(MatDestroy(&s->parabolic));
  PetscCall(MatDestroy(&s->elliptic));
  PetscCall(LinearSolveDestroy(&s->pair_solve));
  PetscCall(LinearSolveDestroy(&s->parabolic_solve));
  PetscCall(LinearSolveDestroy(&s->elliptic_solve));
  PetscCall(VecDestroy(&s->gamma));
  PetscCall(VecDestroy(&s->drive));
  PetscCall(VecDestroy(&s->b));
  PetscCall(VecDestroy(&s->work));
  PetscCall(VecDestroy(&s->phi_i));
  PetscCall(VecDestroy(&s->pair_b));
  PetscCall(VecDestroy(&s->pair_x));
  PetscCall(PetscFree(*bidomain));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgBidomainSetSources(FgBidomain s, FgCoefficient intracellular, FgCoefficient extracellular)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&s->source_i));
  PetscCall(VecDestroy(&s->source_e));
  PetscCall(
      CoefficientVector(s->box, intracellular, 0.0, COEFFICIENT_ANY, "bidomain: intracellular source [A/m^3]", &s->source_i));
  PetscCall(
      CoefficientVector(s->box, extracellular, 0.0, COEFFICIENT_ANY, "bidomain: extracellular source [A/m^3]", &s->source_e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* gamma = beta (C_m/dt + g); dt = 0: beta g. */
static PetscErrorCode FillGamma(FgBidomain s, double dt)
{
  PetscFunctionBegin;
  PetscCall(VecCopy(s->area, s->gamma));
  PetscCall(VecScale(s->gamma, (dt > 0.0 ? s->membrane.capacitance / dt : 0.0) + s->membrane.conductance));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where potentials have no reference, sources must cancel. */
static PetscErrorCode Balance(FgBidomain s)
{
  const Vec         sources[4] = {s->source_i, s->source_e, s->intracellular->inflow, s->extracellular->inflow};
  const char *const units[4]   = {"", "A/m^2", "A/m", "A"};

  PetscFunctionBegin;
  if (s->free) PetscCall(BalanceCheck(s->box, 4, sources, NULL, "bidomain", units[s->box->dim]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Moves both potentials so that the second has mean zero; the first may be NULL. */
static PetscErrorCode TakeOffMean(FgBidomain s, Vec phi_i, Vec phi_e)
{
  PetscScalar sum;
  PetscInt    n;

  PetscFunctionBegin;
  if (!s->free) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecSum(phi_e, &sum));
  PetscCall(VecGetSize(phi_e, &n));
  PetscCall(VecShift(phi_e, -sum / (PetscScalar)n));
  if (phi_i) PetscCall(VecShift(phi_i, -sum / (PetscScalar)n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Both potentials at once ----------------------------------------------------------------------------------------- */

/* The 2 x 2 block matrix; each rank's rows are its phi_i, then its phi_e. */
static PetscErrorCode FillPair(FgBidomain s, double dt)
{
  Mat blocks[4], nest;

  PetscFunctionBegin;
  if (s->pair_dt == dt) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MatDestroy(&s->pair));
  PetscCall(MatDuplicate(s->intracellular->matrix, MAT_COPY_VALUES, &blocks[0]));
  PetscCall(MatDuplicate(s->extracellular->matrix, MAT_COPY_VALUES, &blocks[3]));
  PetscCall(MatDiagonalSet(blocks[0], s->gamma, ADD_VALUES));
  PetscCall(MatDiagonalSet(blocks[3], s->gamma, ADD_VALUES));
  PetscCall(
      MatCreateAIJ(s->box->comm, s->box->nlocal, s->box->nlocal, PETSC_DETERMINE, PETSC_DETERMINE, 1, NULL, 0, NULL, &blocks[1]));
  PetscCall(MatSetUp(blocks[1]));
  PetscCall(MatDiagonalSet(blocks[1], s->gamma, INSERT_VALUES));
  PetscCall(MatScale(blocks[1], -1.0));
  blocks[2] = blocks[1];
  PetscCall(MatCreateNest(s->box->comm, 2, NULL, 2, NULL, blocks, &nest));
  PetscCall(MatConvert(nest, MATAIJ, MAT_INITIAL_MATRIX, &s->pair));
  PetscCall(MatDestroy(&nest));
  PetscCall(MatDestroy(&blocks[0]));
  PetscCall(MatDestroy(&blocks[1]));
  PetscCall(MatDestroy(&blocks[3]));
  if (s->free) PetscCall(MatrixPin(s->pair));
  if (!s->pair_b) PetscCall(MatCreateVecs(s->pair, &s->pair_x, &s->pair_b));
  s->pair_dt = dt;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PairPack(Vec first, Vec second, Vec pair)
{
  const PetscScalar *a, *b;
  PetscScalar       *to;
  PetscInt           n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(first, &n));
  PetscCall(VecGetArrayRead(first, &a));
  PetscCall(VecGetArrayRead(second, &b));
  PetscCall(VecGetArray(pair, &to));
  PetscCall(PetscArraycpy(to, a, n));
  PetscCall(PetscArraycpy(to + n, b, n));
  PetscCall(VecRestoreArray(pair, &to));
  PetscCall(VecRestoreArrayRead(second, &b));
  PetscCall(VecRestoreArrayRead(first, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PairUnpack(Vec pair, Vec first, Vec second)
{
  const PetscScalar *from;
  PetscScalar       *a, *b;
  PetscInt           n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(first, &n));
  PetscCall(VecGetArrayRead(pair, &from));
  PetscCall(VecGetArray(first, &a));
  PetscCall(VecGetArray(second, &b));
  PetscCall(PetscArraycpy(a, from, n));
  PetscCall(PetscArraycpy(b, from + n, n));
  PetscCall(VecRestoreArray(second, &b));
  PetscCall(VecRestoreArray(first, &a));
  PetscCall(VecRestoreArrayRead(pair, &from));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Solves the pair with f = s->drive, up to a constant. phi_i, phi_e: start and solution. */
static PetscErrorCode SolvePair(FgBidomain s, Vec phi_i, Vec phi_e)
{
  PetscFunctionBegin;
  PetscCall(VecWAXPY(s->b, 1.0, s->drive, s->source_i));
  PetscCall(VecAXPY(s->b, 1.0, s->intracellular->inflow));
  PetscCall(VecWAXPY(s->work, -1.0, s->drive, s->source_e));
  PetscCall(VecAXPY(s->work, 1.0, s->extracellular->inflow));
  PetscCall(PairPack(s->b, s->work, s->pair_b));
  PetscCall(PairPack(phi_i, phi_e, s->pair_x));
  PetscCall(LinearSolveRun(&s->pair_solve, s->pair, s->pair_b, 0.0, s->pair_x));
  PetscCall(PairUnpack(s->pair_x, phi_i, phi_e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgBidomainSteady(FgBidomain s, Vec phi_i, Vec phi_e)
{
  PetscFunctionBegin;
  PetscCheck(s->membrane.conductance > 0.0, s->box->comm, PETSC_ERR_USER,
             "bidomain: a steady state needs a membrane with a conductance, found %g S/m^2", s->membrane.conductance);
  PetscCheck(s->membrane.excitation == 0.0 && s->membrane.recovery == 0.0, s->box->comm, PETSC_ERR_USER,
             "bidomain: steady states are those of a passive membrane; follow an excitable one in time");
  PetscCall(Balance(s));
  PetscCall(FillGamma(s, 0.0));
  PetscCall(FillPair(s, 0.0));
  PetscCall(VecCopy(s->gamma, s->drive));
  PetscCall(VecScale(s->drive, s->membrane.rest));
  PetscCall(SolvePair(s, phi_i, phi_e));
  PetscCall(TakeOffMean(s, phi_i, phi_e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Steps in time -----------------------------------------------------------------------------------------------------
   */

static PetscErrorCode FillSteps(FgBidomain s, double dt)
{
  PetscFunctionBegin;
  if (s->dt == dt) PetscFunctionReturn(PETSC_SUCCESS);
  if (!s->elliptic) {
    PetscCall(MatDuplicate(s->intracellular->matrix, MAT_COPY_VALUES, &s->elliptic));
    PetscCall(MatAXPY(s->elliptic, 1.0, s->extracellular->matrix, DIFFERENT_NONZERO_PATTERN));
    if (s->free) PetscCall(MatrixPin(s->elliptic));
  }
  PetscCall(MatDestroy(&s->parabolic));
  PetscCall(MatDuplicate(s->intracellular->matrix, MAT_COPY_VALUES, &s->parabolic));
  PetscCall(MatDiagonalSet(s->parabolic, s->gamma, ADD_VALUES));
  s->dt = dt;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The whole tissue's current is free of divergence: (A_i + A_e) phi_e = s_i + s_e + b_i + b_e - A_i V, up to a constant. */
static PetscErrorCode SolveElliptic(FgBidomain s, Vec V, Vec phi_e)
{
  PetscFunctionBegin;
  PetscCall(MatMult(s->intracellular->matrix, V, s->b));
  PetscCall(VecAYPX(s->b, -1.0, s->source_i));
  PetscCall(VecAXPY(s->b, 1.0, s->source_e));
  PetscCall(VecAXPY(s->b, 1.0, s->intracellular->inflow));
  PetscCall(VecAXPY(s->b, 1.0, s->extracellular->inflow));
  PetscCall(LinearSolveRun(&s->elliptic_solve, s->elliptic, s->b, 0.0, phi_e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* drive = beta (C_m V/dt + g V_r - I_cubic(V, w)), and w to the next level. */
static PetscErrorCode FillDrive(FgBidomain s, double dt, Vec V, Vec w)
{
  const FgMembrane  *m = &s->membrane;
  const PetscScalar *potential, *area;
  PetscScalar       *drive, *recovery = NULL;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(V, &potential));
  PetscCall(VecGetArrayRead(s->area, &area));
  PetscCall(VecGetArray(s->drive, &drive));
  if (w) PetscCall(VecGetArray(w, &recovery));
  for (PetscInt i = 0; i < s->box->nlocal; i++) {
    const double before = recovery ? recovery[i] : 0.0;

    drive[i] = area[i] * (m->capacitance / dt * potential[i] + m->conductance * m->rest - MembraneCubic(m, potential[i], before));
    if (recovery) recovery[i] = MembraneRecover(m, dt, potential[i], before);
  }
  if (w) PetscCall(VecRestoreArray(w, &recovery));
  PetscCall(VecRestoreArray(s->drive, &drive));
  PetscCall(VecRestoreArrayRead(s->area, &area));
  PetscCall(VecRestoreArrayRead(V, &potential));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgBidomainStep(FgBidomain s, double dt, PetscInt nsteps, Vec V, Vec phi_e, Vec w)
{
  PetscReal size;

  PetscFunctionBegin;
  PetscCheck(isfinite(dt) && dt > 0.0, s->box->comm, PETSC_ERR_USER, "bidomain: time step %g s, expected a positive one", dt);
  PetscCheck(s->membrane.capacitance > 0.0, s->box->comm, PETSC_ERR_USER,
             "bidomain: steps in time need a membrane with a capacitance");
  PetscCheck(w || s->membrane.recovery == 0.0, s->box->comm, PETSC_ERR_USER,
             "bidomain: a membrane that recovers needs the variable w");
  PetscCall(Balance(s));
  PetscCall(FillGamma(s, dt));
  PetscCall(FillSteps(s, dt));
  if (s->scheme == FG_BIDOMAIN_COUPLED) PetscCall(FillPair(s, dt));
  PetscCall(SolveElliptic(s, V, phi_e));
  for (PetscInt step = 0; step < nsteps; step++) {
    PetscCall(FillDrive(s, dt, V, w));
    if (s->scheme == FG_BIDOMAIN_COUPLED) {
      PetscCall(VecWAXPY(s->phi_i, 1.0, V, phi_e));
      PetscCall(SolvePair(s, s->phi_i, phi_e));
      PetscCall(VecWAXPY(V, -1.0, phi_e, s->phi_i));
    } else {
      PetscCall(MatMult(s->intracellular->matrix, phi_e, s->b));
      PetscCall(VecAYPX(s->b, -1.0, s->drive));
      PetscCall(VecAXPY(s->b, 1.0, s->source_i));
      PetscCall(VecAXPY(s->b, 1.0, s->intracellular->inflow));
      PetscCall(LinearSolveRun(&s->parabolic_solve, s->parabolic, s->b, 0.0, V));
      PetscCall(SolveElliptic(s, V, phi_e));
    }
    if (step % 20 && step + 1 < nsteps) continue;
    PetscCall(VecNorm(V, NORM_INFINITY, &size));
    PetscCheck(isfinite(size) && size < 1e100, s->box->comm, PETSC_ERR_NOT_CONVERGED,
               "bidomain: the potential across the membrane grew to %g by step %d: use a smaller time step than %g s",
               (double)size, (int)step + 1, dt);
  }
  PetscCall(TakeOffMean(s, NULL, phi_e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgBidomainImbalance(FgBidomain s, Vec V, Vec phi_e, double *imbalance)
{
  PetscReal residual, size;

  PetscFunctionBegin;
  PetscCall(VecWAXPY(s->phi_i, 1.0, V, phi_e));
  PetscCall(MatMult(s->intracellular->matrix, s->phi_i, s->work));
  PetscCall(VecAXPY(s->work, -1.0, s->intracellular->inflow));
  PetscCall(VecNorm(s->work, NORM_INFINITY, &size));
  PetscCall(MatMult(s->extracellular->matrix, phi_e, s->b));
  PetscCall(VecAXPY(s->b, 1.0, s->work));
  PetscCall(VecAXPY(s->b, -1.0, s->extracellular->inflow));
  PetscCall(VecAXPY(s->b, -1.0, s->source_i));
  PetscCall(VecAXPY(s->b, -1.0, s->source_e));
  PetscCall(VecNorm(s->b, NORM_INFINITY, &residual));
  *imbalance = size > 0.0 ? residual / size : residual;
  PetscFunctionReturn(PETSC_SUCCESS);
}
