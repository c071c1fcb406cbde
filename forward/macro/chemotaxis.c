/* chemotaxis.c: Keller and Segel's equations with homogenized coefficients.

     n_t = div(M grad n - n S grad c),   c_t - div(D grad c) + k c = a n

   Fluxes of n from voxel to voxel are exponentially fitted (transport.c), with the normal gradient of c in each half of
   the way from the continuity of its flux: what leaves one voxel enters the next, so that the total is kept, and the
   matrix is an M-matrix for every time step, so that n stays non-negative. Off-diagonal terms of S grad c take tangential
   derivatives from central differences. Off-diagonal terms of M would spoil the signs; they enter as a drift -M_kl d_l n /
   n, bounded and taken from the last level, with the same limit. c is found first, with n of the last level. A linear
   solve leaves an error of its tolerance: densities below zero by that little are set to zero, and n is scaled to the
   total that it must have. Source: Keller and Segel, J. Theor. Biol. 30 (1971) 225; the source chapter's cell problem as
   corrected in docs/physics/macroscopic.md. */
#include "macro.h"
#include "transport.h"

#include <math.h>
#include <petscdmda.h>

struct FgChemotaxis_ {
  FgBox       box;
  FgFace      faces[FG_FACES]; /* of n */
  PetscBool   free;            /* no face gives n */
  PetscBool   attractant_held; /* a face gives c, or c decays */
  PetscBool   cross;           /* M has off-diagonal terms */
  DM          motility_dm, sensitivity_dm;
  Vec         motility, sensitivity; /* ghosted, 9 values a voxel */
  Diffusion   attractant;
  Vec         decay, production;
  double      tolerance, attractant_dt; /* of its matrix; 0: steady, -1: none yet */
  Mat         attractant_matrix, density_matrix;
  LinearSolve attractant_solve, density_solve;
  Vec         inflow, b, last, diagonal;
};

PetscErrorCode FgChemotaxisCreate(FgBox box, const FgChemotaxisSettings *settings, FgChemotaxis *chemotaxis)
{
  FgChemotaxis       s;
  PetscReal          least;
  const PetscScalar *M;
  PetscInt           n, cross = 0, any;

  PetscFunctionBegin;
  PetscCall(PetscNew(chemotaxis));
  s                = *chemotaxis;
  s->box           = box;
  s->free          = PETSC_TRUE;
  s->tolerance     = settings->tolerance > 0.0 ? settings->tolerance : 1e-12;
  s->attractant_dt = -1.0;
  for (PetscInt f = 0; f < FG_FACES; f++) {
    s->faces[f] = settings->density_faces[f];
    if (f < 2 * box->dim && !box->periodic[f / 2] && s->faces[f].kind == FG_FACE_VALUE) s->free = PETSC_FALSE;
    PetscCheck(s->faces[f].kind != FG_FACE_VALUE || s->faces[f].function || s->faces[f].value >= 0.0, box->comm, PETSC_ERR_USER,
               "chemotaxis: face %d has the density %g, expected one that is not negative", (int)f, s->faces[f].value);
  }
  PetscCall(CoefficientTensors(box, settings->motility, TENSOR_DEFINITE, "chemotaxis: motility [m^2/s]", &s->motility_dm,
                               &s->motility));
  PetscCall(
      CoefficientTensors(box, settings->sensitivity, TENSOR_ANY, "chemotaxis: sensitivity", &s->sensitivity_dm, &s->sensitivity));
  PetscCall(DiffusionCreate(box, settings->diffusion, TENSOR_SEMIDEFINITE, settings->attractant_faces,
                            "chemotaxis: diffusion [m^2/s]", &s->attractant));
  PetscCall(CoefficientVector(box, settings->decay, 0.0, COEFFICIENT_NOT_NEGATIVE, "chemotaxis: decay [1/s]", &s->decay));
  PetscCall(CoefficientVector(box, settings->production, 0.0, COEFFICIENT_ANY, "chemotaxis: production", &s->production));
  PetscCall(VecMin(s->decay, NULL, &least));
  s->attractant_held = (PetscBool)(!s->attractant->free || least > 0.0);
  PetscCall(VecGetLocalSize(s->motility, &n));
  PetscCall(VecGetArrayRead(s->motility, &M));
  for (PetscInt i = 0; i < n; i += 9) {
    for (PetscInt k = 0; k < box->dim; k++) {
      for (PetscInt l = 0; l < k; l++) cross |= M[i + 3 * k + l] != 0.0;
    }
  }
  PetscCall(VecRestoreArrayRead(s->motility, &M));
  PetscCallMPI(MPI_Allreduce(&cross, &any, 1, MPIU_INT, MPI_MAX, box->comm));
  s->cross = (PetscBool)(any != 0);
  PetscCall(MatDuplicate(s->attractant->matrix, MAT_COPY_VALUES, &s->attractant_matrix));
  PetscCall(MatrixCreate(box, PETSC_FALSE, &s->density_matrix));
  PetscCall(LinearSolveCreate(box, PETSC_TRUE, s->tolerance, "chemotaxis: attractant", &s->attractant_solve));
  PetscCall(LinearSolveCreate(box, PETSC_FALSE, s->tolerance, "chemotaxis: density", &s->density_solve));
  PetscCall(VecDuplicate(s->decay, &s->inflow));
  PetscCall(VecDuplicate(s->decay, &s->b));
  PetscCall(VecDuplicate(s->decay, &s->last));
  PetscCall(VecDuplicate(s->decay, &s->diagonal));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgChemotaxisDestroy(FgChemotaxis *chemotaxis)
{
  FgChemotaxis s = *chemotaxis;

  PetscFunctionBegin;
  if (!s) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecDestroy(&s->motility));
  PetscCall(VecDestroy(&s->sensitivity));
  PetscCall(DMDestroy(&s->motility_dm));
  PetscCall(DMDestroy(&s->sensitivity_dm));
  PetscCall(DiffusionDestroy(&s->attractant));
  PetscCall(VecDestroy(&s->decay));
  PetscCall(VecDestroy(&s->production));
  PetscCall(MatDestroy(&s->attractant_matrix));
  PetscCall(MatDestroy(&s->density_matrix));
  PetscCall(LinearSolveDestroy(&s->attractant_solve));
  PetscCall(LinearSolveDestroy(&s->density_solve));
  PetscCall(VecDestroy(&s->inflow));
  PetscCall(VecDestroy(&s->b));
  PetscCall(VecDestroy(&s->last));
  PetscCall(VecDestroy(&s->diagonal));
  PetscCall(PetscFree(*chemotaxis));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Fluxes of n -------------------------------------------------------------------------------------------------------
   */

/* Ghosted arrays, for a walk over faces. */
typedef struct {
  FgChemotaxis       s;
  Vec                local_n, local_c;
  const PetscScalar *n, *c, *M, *S, *D;
  PetscInt           start[3], count[3];
} Walk;

static PetscErrorCode WalkBegin(FgChemotaxis s, Vec n, Vec c, Walk *walk)
{
  PetscInt *b = walk->start, *m = walk->count;

  PetscFunctionBegin;
  walk->s = s;
  PetscCall(DMDAGetGhostCorners(s->box->dm, &b[0], &b[1], &b[2], &m[0], &m[1], &m[2]));
  PetscCall(DMGetLocalVector(s->box->dm, &walk->local_n));
  PetscCall(DMGetLocalVector(s->box->dm, &walk->local_c));
  PetscCall(DMGlobalToLocalBegin(s->box->dm, n, INSERT_VALUES, walk->local_n));
  PetscCall(DMGlobalToLocalEnd(s->box->dm, n, INSERT_VALUES, walk->local_n));
  PetscCall(DMGlobalToLocalBegin(s->box->dm, c, INSERT_VALUES, walk->local_c));
  PetscCall(DMGlobalToLocalEnd(s->box->dm, c, INSERT_VALUES, walk->local_c));
  PetscCall(VecGetArrayRead(walk->local_n, &walk->n));
  PetscCall(VecGetArrayRead(walk->local_c, &walk->c));
  PetscCall(VecGetArrayRead(s->motility, &walk->M));
  PetscCall(VecGetArrayRead(s->sensitivity, &walk->S));
  PetscCall(VecGetArrayRead(s->attractant->tensors, &walk->D));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WalkEnd(Walk *walk)
{
  FgChemotaxis s = walk->s;

  PetscFunctionBegin;
  PetscCall(VecRestoreArrayRead(s->attractant->tensors, &walk->D));
  PetscCall(VecRestoreArrayRead(s->sensitivity, &walk->S));
  PetscCall(VecRestoreArrayRead(s->motility, &walk->M));
  PetscCall(VecRestoreArrayRead(walk->local_c, &walk->c));
  PetscCall(VecRestoreArrayRead(walk->local_n, &walk->n));
  PetscCall(DMRestoreLocalVector(s->box->dm, &walk->local_c));
  PetscCall(DMRestoreLocalVector(s->box->dm, &walk->local_n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscInt Ghosted(const Walk *walk, const PetscInt at[3])
{
  return ((at[2] - walk->start[2]) * walk->count[1] + at[1] - walk->start[1]) * walk->count[0] + at[0] - walk->start[0];
}

static PetscBool Inside(FgBox box, PetscInt axis, PetscInt i)
{
  return (PetscBool)(box->periodic[axis] || (i >= 0 && i < box->n[axis]));
}

/* Values above and below a voxel along an axis, and their distance [m]; one-sided at the ends of the box. */
static void Across(const Walk *walk, const PetscScalar *x, const PetscInt at[3], PetscInt axis, double *above, double *below,
                   double *distance)
{
  PetscInt up[3] = {at[0], at[1], at[2]}, down[3] = {at[0], at[1], at[2]};

  if (Inside(walk->s->box, axis, at[axis] + 1)) up[axis]++;
  if (Inside(walk->s->box, axis, at[axis] - 1)) down[axis]--;
  *above    = x[Ghosted(walk, up)];
  *below    = x[Ghosted(walk, down)];
  *distance = walk->s->box->spacing[axis] * (double)(up[axis] - down[axis]);
}

/* A face across axis k between the voxels at[k] - 1 and at[k]. */
typedef struct {
  PetscBool present[2]; /* whether the lower, upper voxel is in the box */
  PetscInt  ghosted[2]; /* their local indices */
  PetscInt  face;       /* of the box, where one voxel is absent */
  double    value;      /* of that face */
  double    forward,
      backward; /* J = forward n_lower - backward n_upper, a given n standing for the absent one; not of FG_FACE_FLUX */
} Passage;

static void PassageForm(const Walk *walk, PetscInt k, const PetscInt at[3], Passage *p)
{
  const FgBox  box      = walk->s->box;
  const double h        = box->spacing[k];
  double       slope[3] = {0}, steepness[3] = {0}, tangential[2] = {0}, M[2] = {0}, v[2] = {0}, gradient[2] = {0};
  PetscInt     voxel[2][3];
  int          npresent = 0;

  for (int e = 0; e < 2; e++) {
    for (int l = 0; l < 3; l++) voxel[e][l] = at[l] - (l == k && e == 0);
    p->present[e] = Inside(box, k, voxel[e][k]);
    p->ghosted[e] = p->present[e] ? Ghosted(walk, voxel[e]) : -1;
    npresent += p->present[e];
  }
  /* Tangential derivatives of c and of log n at the face. */
  for (PetscInt l = 0; l < box->dim; l++) {
    double difference = 0.0, sum = 0.0, above, below, distance;

    if (l == k || box->n[l] == 1) continue;
    for (int e = 0; e < 2; e++) {
      if (!p->present[e]) continue;
      Across(walk, walk->c, voxel[e], l, &above, &below, &distance);
      slope[l] += (above - below) / (distance * npresent);
      if (!walk->s->cross) continue;
      Across(walk, walk->n, voxel[e], l, &above, &below, &distance);
      difference += (above - below) / distance;
      sum += 0.5 * (above + below);
    }
    if (sum > 0.0) steepness[l] = difference / sum;
  }
  for (int e = 0; e < 2; e++) {
    for (PetscInt l = 0; l < box->dim && p->present[e]; l++) {
      if (l != k) tangential[e] += walk->D[9 * p->ghosted[e] + 3 * k + l] * slope[l];
    }
  }
  /* Normal derivatives of c in both halves. */
  if (npresent == 2) {
    const double D[2] = {walk->D[9 * p->ghosted[0] + 4 * k], walk->D[9 * p->ghosted[1] + 4 * k]};
    const double step = (walk->c[p->ghosted[1]] - walk->c[p->ghosted[0]]) / h;

    for (int e = 0; e < 2; e++) {
      gradient[e] = D[0] + D[1] > 0.0 ? (2.0 * step * D[1 - e] + tangential[1 - e] - tangential[e]) / (D[0] + D[1]) : step;
    }
  } else {
    const int     e    = p->present[0] ? 0 : 1;
    const double  sign = e == 0 ? 1.0 : -1.0, D = walk->D[9 * p->ghosted[e] + 4 * k];
    const FgFace *face;
    double        x[3] = {0.0, 0.0, 0.0}, given;

    p->face = 2 * k + (e == 0);
    for (PetscInt l = 0; l < box->dim; l++) x[l] = ((double)at[l] + (l == k ? 0.0 : 0.5)) * box->spacing[l];
    p->value = FaceValue(&walk->s->faces[p->face], x);
    face     = &walk->s->attractant->faces[p->face];
    given    = FaceValue(face, x);
    if (face->kind == FG_FACE_VALUE) {
      gradient[e] = sign * (given - walk->c[p->ghosted[e]]) / (0.5 * h);
    } else if (D > 0.0) {
      gradient[e] = (sign * given - tangential[e]) / D;
    }
  }
  for (int e = 0; e < 2; e++) {
    const PetscScalar *S, *motility;

    if (!p->present[e]) continue;
    S        = &walk->S[9 * p->ghosted[e] + 3 * k];
    motility = &walk->M[9 * p->ghosted[e] + 3 * k];
    M[e]     = motility[k];
    v[e]     = S[k] * gradient[e];
    for (PetscInt l = 0; l < box->dim; l++) {
      if (l != k) v[e] += S[l] * slope[l] - motility[l] * steepness[l];
    }
  }
  if (npresent == 2) {
    TransportBetween(h, M, v, &p->forward, &p->backward);
  } else if (p->present[0]) {
    TransportHalf(h, M[0], v[0], &p->forward, &p->backward);
  } else {
    TransportHalf(h, M[1], -v[1], &p->backward, &p->forward);
  }
}

/* The matrix and the inflow of div J(n; c) = matrix n - inflow. */
static PetscErrorCode FillDensity(FgChemotaxis s, Vec n, Vec c)
{
  const FgBox  box = s->box;
  PetscScalar *inflow;
  Walk         walk;
  PetscInt     at[3], last[3];

  PetscFunctionBegin;
  PetscCall(MatZeroEntries(s->density_matrix));
  PetscCall(VecSet(s->inflow, 0.0));
  PetscCall(WalkBegin(s, n, c, &walk));
  PetscCall(VecGetArray(s->inflow, &inflow));
  for (PetscInt k = 0; k < box->dim; k++) {
    for (int l = 0; l < 3; l++) last[l] = box->start[l] + box->count[l] - (l == k ? 0 : 1);
    for (at[2] = box->start[2]; at[2] <= last[2]; at[2]++) {
      for (at[1] = box->start[1]; at[1] <= last[1]; at[1]++) {
        for (at[0] = box->start[0]; at[0] <= last[0]; at[0]++) {
          Passage p;

          PassageForm(&walk, k, at, &p);
          for (int e = 0; e < 2; e++) {
            const double sign = e ? -1.0 : 1.0, h = box->spacing[k];
            PetscInt     own[3], local;

            if (!p.present[e]) continue;
            for (int l = 0; l < 3; l++) own[l] = at[l] - (l == k && e == 0) - box->start[l];
            if (own[k] < 0 || own[k] >= box->count[k]) continue;
            local = (own[2] * box->count[1] + own[1]) * box->count[0] + own[0];
            if (p.present[1 - e]) {
              const PetscScalar value[2] = {sign * p.forward / h, -sign * p.backward / h};

              PetscCall(MatSetValuesLocal(s->density_matrix, 1, &p.ghosted[e], 2, p.ghosted, value, ADD_VALUES));
            } else if (s->faces[p.face].kind == FG_FACE_VALUE) {
              const PetscScalar value = (e ? p.backward : p.forward) / h;

              PetscCall(MatSetValuesLocal(s->density_matrix, 1, &p.ghosted[e], 1, &p.ghosted[e], &value, ADD_VALUES));
              inflow[local] += (e ? p.forward : p.backward) / h * p.value;
            } else {
              inflow[local] += p.value / h;
            }
          }
        }
      }
    }
  }
  PetscCall(VecRestoreArray(s->inflow, &inflow));
  PetscCall(WalkEnd(&walk));
  PetscCall(MatAssemblyBegin(s->density_matrix, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(s->density_matrix, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgChemotaxisFaceFlux(FgChemotaxis s, Vec n, Vec c, double flux[FG_FACES])
{
  const FgBox box           = s->box;
  double      sum[FG_FACES] = {0};
  Walk        walk;
  PetscInt    at[3], last[3];

  PetscFunctionBegin;
  PetscCall(WalkBegin(s, n, c, &walk));
  for (PetscInt k = 0; k < box->dim; k++) {
    if (box->periodic[k]) continue;
    for (int l = 0; l < 3; l++) last[l] = box->start[l] + box->count[l] - (l == k ? 0 : 1);
    for (at[2] = box->start[2]; at[2] <= last[2]; at[2]++) {
      for (at[1] = box->start[1]; at[1] <= last[1]; at[1]++) {
        for (at[0] = box->start[0]; at[0] <= last[0]; at[0]++) {
          const double area = box->volume / box->spacing[k];
          Passage      p;

          if (at[k] != 0 && at[k] != box->n[k]) continue;
          PassageForm(&walk, k, at, &p);
          if (s->faces[p.face].kind == FG_FACE_FLUX) {
            sum[p.face] -= p.value * area;
          } else if (p.present[0]) {
            sum[p.face] += (p.forward * walk.n[p.ghosted[0]] - p.backward * p.value) * area;
          } else {
            sum[p.face] += (p.backward * walk.n[p.ghosted[1]] - p.forward * p.value) * area;
          }
        }
      }
    }
  }
  PetscCall(WalkEnd(&walk));
  PetscCallMPI(MPI_Allreduce(sum, flux, FG_FACES, MPI_DOUBLE, MPI_SUM, box->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Levels ----------------------------------------------------------------------------------------------------------- */

/* c of the next level, or of the steady state (dt = 0), for this n. */
static PetscErrorCode SolveAttractant(FgChemotaxis s, double dt, Vec n, Vec c)
{
  PetscFunctionBegin;
  if (s->attractant_dt != dt) {
    PetscCall(MatCopy(s->attractant->matrix, s->attractant_matrix, SAME_NONZERO_PATTERN));
    PetscCall(VecCopy(s->decay, s->diagonal));
    if (dt > 0.0) PetscCall(VecShift(s->diagonal, 1.0 / dt));
    PetscCall(MatDiagonalSet(s->attractant_matrix, s->diagonal, ADD_VALUES));
    s->attractant_dt = dt;
  }
  PetscCall(VecPointwiseMult(s->b, s->production, n));
  PetscCall(VecAXPY(s->b, 1.0, s->attractant->inflow));
  if (dt > 0.0) PetscCall(VecAXPY(s->b, 1.0 / dt, c));
  PetscCall(LinearSolveRun(&s->attractant_solve, s->attractant_matrix, s->b, 0.0, c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sets to zero what a solve left below zero, and scales n to its total. */
static PetscErrorCode Restore(FgChemotaxis s, double total, Vec n)
{
  PetscScalar *value, sum;
  PetscReal    least, most;

  PetscFunctionBegin;
  PetscCall(VecMin(n, NULL, &least));
  PetscCall(VecMax(n, NULL, &most));
  PetscCheck(isfinite(most) && least >= -1e-6 * most, s->box->comm, PETSC_ERR_NOT_CONVERGED,
             "chemotaxis: the density fell to %g (largest %g): a face's flux takes out more than there is, or the density "
             "concentrates without end",
             (double)least, (double)most);
  if (least < 0.0) {
    PetscCall(VecGetArray(n, &value));
    for (PetscInt i = 0; i < s->box->nlocal; i++) value[i] = PetscMax(value[i], 0.0);
    PetscCall(VecRestoreArray(n, &value));
  }
  if (!s->free) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecSum(n, &sum));
  if (sum > 0.0) PetscCall(VecScale(n, total / sum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* n of the next level; dt = 0: without the term in time. */
static PetscErrorCode SolveDensity(FgChemotaxis s, double dt, Vec n, Vec c)
{
  PetscScalar total = 0.0, entering;

  PetscFunctionBegin;
  PetscCall(FillDensity(s, n, c));
  PetscCall(VecCopy(s->inflow, s->b));
  if (dt > 0.0) {
    PetscCall(VecSum(n, &total));
    PetscCall(VecSum(s->inflow, &entering));
    total += dt * entering;
    PetscCall(MatShift(s->density_matrix, 1.0 / dt));
    PetscCall(VecAXPY(s->b, 1.0 / dt, n));
  }
  PetscCall(LinearSolveRun(&s->density_solve, s->density_matrix, s->b, 0.0, n));
  PetscCall(Restore(s, total, n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckDensity(FgChemotaxis s, Vec n)
{
  PetscReal least;

  PetscFunctionBegin;
  PetscCall(VecMin(n, NULL, &least));
  PetscCheck(least >= 0.0, s->box->comm, PETSC_ERR_USER, "chemotaxis: a density of %g at the start, expected none below zero",
             (double)least);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgChemotaxisStep(FgChemotaxis s, double dt, PetscInt nsteps, Vec n, Vec c)
{
  PetscFunctionBegin;
  PetscCheck(isfinite(dt) && dt > 0.0, s->box->comm, PETSC_ERR_USER, "chemotaxis: time step %g s, expected a positive one", dt);
  PetscCall(CheckDensity(s, n));
  for (PetscInt step = 0; step < nsteps; step++) {
    PetscCall(SolveAttractant(s, dt, n, c));
    PetscCall(SolveDensity(s, dt, n, c));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Fixed-point iteration between c and n. Where no face gives n its matrix is singular: backward Euler steps far beyond the
   time of diffusion through the box, which keep the total, take the place of solves. */
PetscErrorCode FgChemotaxisSteady(FgChemotaxis s, Vec n, Vec c)
{
  const double stop = PetscMax(1e-10, 100.0 * s->tolerance);
  double       dt   = 0.0;
  PetscReal    most, change = 0.0, size = 0.0;

  PetscFunctionBegin;
  PetscCheck(s->attractant_held, s->box->comm, PETSC_ERR_USER,
             "chemotaxis: a steady attractant must decay everywhere, or be given on a face");
  PetscCall(CheckDensity(s, n));
  if (s->free) {
    PetscCall(FillDensity(s, n, c));
    PetscCall(BalanceCheck(s->box, 1, &s->inflow, s->inflow, "chemotaxis", "[n] m^dim/s"));
    PetscCall(VecMax(s->motility, NULL, &most));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPIU_REAL, MPIU_MAX, s->box->comm));
    for (PetscInt k = 0; k < s->box->dim; k++) dt = PetscMax(dt, 10.0 * s->box->edge[k] * s->box->edge[k] / most);
  }
  for (PetscInt iteration = 0; iteration < 500; iteration++) {
    PetscCall(VecCopy(n, s->last));
    PetscCall(SolveAttractant(s, 0.0, n, c));
    PetscCall(SolveDensity(s, dt, n, c));
    PetscCall(VecNorm(n, NORM_INFINITY, &size));
    PetscCall(VecAXPY(s->last, -1.0, n));
    PetscCall(VecNorm(s->last, NORM_INFINITY, &change));
    if (change <= stop * size) PetscFunctionReturn(PETSC_SUCCESS);
    if (iteration < 5) dt *= 4.0;
  }
  SETERRQ(s->box->comm, PETSC_ERR_NOT_CONVERGED,
          "chemotaxis: no steady state after 500 iterations, the density still changes by %g of %g", (double)change,
          (double)size);
}
