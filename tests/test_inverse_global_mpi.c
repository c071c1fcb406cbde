/* test_inverse_global_mpi.c: solvers for data that belong to no site, on a model with a dense derivative: sums over the whole field with smooth
   kernels, as electrodes see a body. On one and two ranks; against dense linear algebra, other solvers at equal objective, and the truth. */
#include "agreed.h"
#include "problem_case.h"

#include "finegrain/problem.h"
#include "inverse/global.h"

#include <gsl/gsl_linalg.h>
#include <gsl/gsl_randist.h>
#include <math.h>

enum { SIDE = 16, SITES = SIDE * SIDE, SOURCES = 12, DATA = SOURCES * (SOURCES + 1) / 2 };

typedef struct {
  double *kernel; /* [nlocal][DATA] */
  double  bend;   /* d = K (m + bend m^2/2) */
} Kernel;

static PetscErrorCode Setup(FgModel model)
{
  const FgComponent component = {"change", "1", FG_KIND_SCALAR, -0.5, 1.5, 0.0};

  model->ncomponents   = 1;
  model->components[0] = component;
  model->ndata         = DATA;
  return PETSC_SUCCESS;
}

/* A site's weight in each datum: the product of what two sources on the border see of it. */
static PetscErrorCode FillKernel(FgModel model, double bend)
{
  const FgDomain d = model->field->domain;
  Kernel        *k;
  PetscMPIInt    rank, size;
  PetscInt       first;

  PetscFunctionBegin;
  PetscCall(PetscNew(&k));
  model->context = k;
  k->bend        = bend;
  PetscCall(PetscMalloc1((size_t)d->nlocal * DATA, &k->kernel));
  PetscCallMPI(MPI_Comm_rank(model->comm, &rank));
  PetscCallMPI(MPI_Comm_size(model->comm, &size));
  FgDomainRun(DATA, rank, size, &first, &model->ndatalocal);
  for (PetscInt i = 0; i < d->nlocal; i++) {
    const double x = ((d->first + i) % SIDE + 0.5) / SIDE, y = ((d->first + i) / SIDE + 0.5) / SIDE;
    double       sees[SOURCES];

    for (int s = 0; s < SOURCES; s++) {
      const double angle = 2.0 * M_PI * s / SOURCES, dx = x - 0.5 - 0.7 * cos(angle), dy = y - 0.5 - 0.7 * sin(angle);

      sees[s] = 1.0 / (0.02 + dx * dx + dy * dy);
    }
    for (int p = 0, n = 0; p < SOURCES; p++) {
      for (int q = 0; q <= p; q++) k->kernel[i * DATA + n++] = sees[p] * sees[q] / SITES;
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(FgModel model)
{
  Kernel *k = (Kernel *)model->context;

  PetscFunctionBegin;
  if (k) PetscCall(PetscFree(k->kernel));
  PetscCall(PetscFree(model->context));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* all[DATA] = sum over sites of kernel * value, on every rank. */
static PetscErrorCode Sum(FgModel model, const double *value, double all[])
{
  const Kernel *k = (const Kernel *)model->context;

  PetscFunctionBegin;
  for (int n = 0; n < DATA; n++) all[n] = 0.0;
  for (PetscInt i = 0; i < model->field->domain->nlocal; i++) {
    for (int n = 0; n < DATA; n++) all[n] += k->kernel[i * DATA + n] * value[i];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, all, DATA, MPI_DOUBLE, MPI_SUM, model->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* v = bent m, or slope * v */
static PetscErrorCode Value(FgModel model, Vec m, Vec v, double value[])
{
  const Kernel      *k = (const Kernel *)model->context;
  const PetscScalar *at, *change = NULL;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(m, &at));
  if (v) PetscCall(VecGetArrayRead(v, &change));
  for (PetscInt i = 0; i < model->field->domain->nlocal; i++) {
    value[i] = v ? (1.0 + k->bend * at[i]) * change[i] : at[i] + 0.5 * k->bend * at[i] * at[i];
  }
  if (v) PetscCall(VecRestoreArrayRead(v, &change));
  PetscCall(VecRestoreArrayRead(m, &at));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = slope * K^T all at the model's state. */
static PetscErrorCode Back(FgModel model, const double all[], Vec y)
{
  const Kernel      *k = (const Kernel *)model->context;
  const PetscScalar *at;
  PetscScalar       *out;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(model->state, &at));
  PetscCall(VecGetArray(y, &out));
  for (PetscInt i = 0; i < model->field->domain->nlocal; i++) {
    double sum = 0.0;

    for (int n = 0; n < DATA; n++) sum += k->kernel[i * DATA + n] * all[n];
    out[i] = sum * (1.0 + k->bend * at[i]);
  }
  PetscCall(VecRestoreArray(y, &out));
  PetscCall(VecRestoreArrayRead(model->state, &at));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The weighted sums over data of all ranks: all = W (all - values) or W all, and half the sum of squares. */
static PetscErrorCode Weigh(FgModel model, const FgData *data, PetscBool residual, double all[], PetscReal *half)
{
  PetscMPIInt rank, size;
  PetscInt    first, n;
  double      mine[DATA] = {0.0}, sum = 0.0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(model->comm, &rank));
  PetscCallMPI(MPI_Comm_size(model->comm, &size));
  FgDomainRun(DATA, rank, size, &first, &n);
  for (PetscInt k = 0; k < n; k++) {
    const double weight = 1.0 / ((double)data->sigma[k] * data->sigma[k]);
    const double r      = all[first + k] - (residual ? data->values[k] : 0.0);

    if (isnan(data->values[k])) continue;
    mine[first + k] = weight * r;
    sum += 0.5 * weight * r * r;
  }
  PetscCallMPI(MPI_Allreduce(mine, all, DATA, MPI_DOUBLE, MPI_SUM, model->comm));
  if (half) PetscCallMPI(MPI_Allreduce(&sum, half, 1, MPI_DOUBLE, MPI_SUM, model->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Misfit(FgModel model, const FgData *data, Vec m, PetscReal *f, Vec gradient)
{
  double value[SITES], all[DATA];

  PetscFunctionBegin;
  PetscCall(VecCopy(m, model->state));
  PetscCall(Value(model, m, NULL, value));
  PetscCall(Sum(model, value, all));
  PetscCall(Weigh(model, data, PETSC_TRUE, all, f));
  if (gradient) PetscCall(Back(model, all, gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GaussNewton(FgModel model, const FgData *data, Vec v, Vec y)
{
  double value[SITES], all[DATA];

  PetscFunctionBegin;
  PetscCall(Value(model, model->state, v, value));
  PetscCall(Sum(model, value, all));
  PetscCall(Weigh(model, data, PETSC_FALSE, all, NULL));
  PetscCall(Back(model, all, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Apply(FgModel model, Vec m, Vec d)
{
  double       value[SITES], all[DATA];
  PetscScalar *out;
  PetscInt     first, n;

  PetscFunctionBegin;
  PetscCall(VecCopy(m, model->state));
  PetscCall(Value(model, m, NULL, value));
  PetscCall(Sum(model, value, all));
  PetscCall(VecGetOwnershipRange(d, &first, &n));
  PetscCall(VecGetArray(d, &out));
  for (PetscInt k = 0; k < n - first; k++) out[k] = all[first + k];
  PetscCall(VecRestoreArray(d, &out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Adjoint(FgModel model, Vec w, Vec Jtw)
{
  double             mine[DATA] = {0.0};
  const PetscScalar *in;
  PetscInt           first, end;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(w, &first, &end));
  PetscCall(VecGetArrayRead(w, &in));
  for (PetscInt k = first; k < end; k++) mine[k] = in[k - first];
  PetscCall(VecRestoreArrayRead(w, &in));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, mine, DATA, MPI_DOUBLE, MPI_SUM, model->comm));
  PetscCall(Back(model, mine, Jtw));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* J^T W J = rows root root^T rows^T */
static PetscErrorCode LowRank(FgModel model, const FgData *data, PetscInt *rank, double *rows, double *root)
{
  const Kernel      *k = (const Kernel *)model->context;
  const PetscScalar *at;
  PetscMPIInt        process, size;
  PetscInt           first, n;

  PetscFunctionBegin;
  *rank = DATA;
  if (!rows) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecGetArrayRead(model->state, &at));
  for (PetscInt i = 0; i < model->field->domain->nlocal; i++) {
    for (int j = 0; j < DATA; j++) rows[i * DATA + j] = k->kernel[i * DATA + j] * (1.0 + k->bend * at[i]);
  }
  PetscCall(VecRestoreArrayRead(model->state, &at));
  PetscCallMPI(MPI_Comm_rank(model->comm, &process));
  PetscCallMPI(MPI_Comm_size(model->comm, &size));
  FgDomainRun(DATA, process, size, &first, &n);
  PetscCall(PetscArrayzero(root, DATA * DATA));
  for (PetscInt j = 0; j < n; j++) root[(first + j) * (DATA + 1)] = isnan(data->values[j]) ? 0.0 : 1.0 / data->sigma[j];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, root, DATA * DATA, MPI_DOUBLE, MPI_SUM, model->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Without the low rank, and with it. */
#define KERNEL_OPS \
  .name = "kernel", .summary = "test: smooth sums", .setup = Setup, .apply = Apply, .adjoint = Adjoint, .destroy = Destroy, \
  .global = PETSC_TRUE, .misfit = Misfit, .gauss_newton = GaussNewton
static const FgModelOps kernel_ops[2] = {{KERNEL_OPS}, {KERNEL_OPS, .low_rank = LowRank}};

typedef struct {
  FgDomain      domain;
  FgModel       model;
  FgField       field;
  FgProblem     problem;
  FgRegularizer regularizer;
  double        truth[SITES];
  float         values[DATA], sigma[DATA];
  unsigned char status[SITES];
} Case;

/* Two blocks, one of them of the largest value that the box allows where `full`. */
static double Truth(PetscInt site, double top)
{
  const double x = (site % SIDE + 0.5) / SIDE, y = (site / SIDE + 0.5) / SIDE;

  if (hypot(x - 0.3, y - 0.6) < 0.2) return top;
  if (fabs(x - 0.7) < 0.15 && fabs(y - 0.35) < 0.2) return -0.3;
  return 0.0;
}

static PetscErrorCode CaseCreate(const char *regularizer, int low_rank, double bend, double noise, double top, Case *c)
{
  static const PetscInt   dims[3]    = {SIDE, SIDE, 1};
  static const double     spacing[3] = {1.0, 1.0, 1.0};
  const FgRegularizerTerm term       = {0, FG_KIND_SCALAR, 0, 0.1, 1.0, 0.1};
  PetscInt                voxel[SITES], first;
  gsl_rng                *random = gsl_rng_alloc(gsl_rng_mt19937);
  FgData                  data;
  PetscScalar            *m;
  const PetscScalar      *clean;
  Vec                     d;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < SITES; i++) voxel[i] = i;
  PetscCall(FgDomainCreateVoxels(PETSC_COMM_WORLD, dims, spacing, SITES, voxel, &c->domain));
  PetscCall(PetscNew(&c->model));
  c->model->ops  = &kernel_ops[low_rank];
  c->model->comm = PETSC_COMM_WORLD;
  PetscCall(FgModelSetup(c->model));
  PetscCall(FgFieldCreate(c->domain, 1, c->model->components, &c->field));
  PetscCall(FgModelSetField(c->model, c->field));
  PetscCall(FillKernel(c->model, bend));
  PetscCall(VecGetArray(c->field->m, &m));
  for (PetscInt i = 0; i < c->domain->nlocal; i++) m[i] = c->truth[i] = Truth(c->domain->first + i, top);
  PetscCall(VecRestoreArray(c->field->m, &m));
  PetscCall(FgModelCreateDataVec(c->model, &d));
  PetscCall(FgModelApply(c->model, c->field->m, d));
  PetscCall(VecGetOwnershipRange(d, &first, NULL));
  PetscCall(VecGetArrayRead(d, &clean));
  for (PetscInt k = 0; k < c->model->ndatalocal; k++) {
    gsl_rng_set(random, 77 + (unsigned long)(first + k));
    c->values[k] = (float)(clean[k] + gsl_ran_gaussian(random, noise));
    c->sigma[k]  = (float)noise;
    if (first + k == 5) c->values[k] = NAN;
  }
  PetscCall(VecRestoreArrayRead(d, &clean));
  PetscCall(VecDestroy(&d));
  gsl_rng_free(random);
  PetscCall(VecSet(c->field->m, 0.0));
  data = (FgData){.nlocal = c->model->ndatalocal, .ndata = 1, .values = c->values, .sigma = c->sigma};
  PetscCall(FgProblemCreate(c->model, c->field, &data, c->status, &c->problem));
  c->problem->scale[0] = 0.1;
  PetscCall(ProblemRegularize(c->problem, c->field, regularizer, 1, &term, &c->regularizer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CaseDestroy(Case *c)
{
  PetscFunctionBegin;
  PetscCall(ProblemClose(&c->problem, &c->regularizer, &c->field, &c->domain, &c->model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Root mean square error of the field. */
static double Error(const Case *c)
{
  const PetscScalar *m;
  double             sum = 0.0;

  assert_false(VecGetArrayRead(c->field->m, &m));
  for (PetscInt i = 0; i < c->domain->nlocal; i++) sum += (m[i] - c->truth[i]) * (m[i] - c->truth[i]);
  assert_false(VecRestoreArrayRead(c->field->m, &m));
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
  return sqrt(sum / SITES);
}

/* The matrix acts as the Hessian action does, or bent as the curvature's. */
static void CheckMatrix(const char *regularizer, PetscBool bent)
{
  Case         c;
  Mat          A = NULL;
  Vec          v, y, z;
  PetscReal    difference, size;
  PetscScalar *value;

  AgreedSuccess(CaseCreate(regularizer, 0, 0.2, 1e-3, 1.0, &c));
  c.regularizer->terms[0].weight = 0.8;
  AgreedTrue(FgRegularizerBentMatrix(c.regularizer));
  AgreedSuccess(VecDuplicate(c.field->m, &v));
  AgreedSuccess(VecDuplicate(v, &y));
  AgreedSuccess(VecGetArray(v, &value));
  for (PetscInt i = 0; i < c.domain->nlocal; i++) value[i] = sin(3.0 * (c.domain->first + i));
  AgreedSuccess(VecRestoreArray(v, &value));
  for (int twice = 0; twice < 2; twice++) {
    AgreedSuccess(VecGetArray(c.field->m, &value));
    for (PetscInt i = 0; i < c.domain->nlocal; i++) value[i] = cos((2.0 + twice) * (c.domain->first + i));
    AgreedSuccess(VecRestoreArray(c.field->m, &value));
    AgreedSuccess(FgRegularizerFreeze(c.regularizer, c.field->m, NULL));
    AgreedSuccess(VecSet(y, 0.0));
    AgreedSuccess((bent ? FgRegularizerCurvature : FgRegularizerHessian)(c.regularizer, c.field->m, v, 0.7, y));
    AgreedSuccess(FgRegularizerMatrix(c.regularizer, c.field->m, bent, 0.7, &A));
    AgreedSuccess(MatCreateVecs(A, NULL, &z));
    AgreedSuccess(MatMult(A, v, z));
    AgreedSuccess(VecNorm(y, NORM_2, &size));
    AgreedSuccess(VecAXPY(z, -1.0, y));
    AgreedSuccess(VecNorm(z, NORM_2, &difference));
    AgreedTrue(difference < 1e-13 * size);
    AgreedSuccess(VecDestroy(&z));
  }
  AgreedSuccess(MatDestroy(&A));
  AgreedSuccess(VecDestroy(&v));
  AgreedSuccess(VecDestroy(&y));
  AgreedSuccess(CaseDestroy(&c));
}

static void the_matrix_is_the_lagged_hessian(void **state)
{
  (void)state;
  CheckMatrix("tikhonov", PETSC_FALSE);
  CheckMatrix("tv", PETSC_FALSE);
  CheckMatrix("joint", PETSC_FALSE);
}

/* Which couples the pairs of a voxel. */
static void the_bent_matrix_is_the_curvature(void **state)
{
  (void)state;
  CheckMatrix("tikhonov", PETSC_TRUE);
  CheckMatrix("tv", PETSC_TRUE);
  CheckMatrix("joint", PETSC_TRUE);
}

/* Gauss-Newton with rounds of weights against TAO's Newton methods with the same preconditioner, at equal objective: it is as low to a thousandth
   of a degree of freedom's share, with few evaluations of the model. */
static void solvers_agree(void **state)
{
  static const char *const names[]   = {"tikhonov", "tv"};
  static const char *const solvers[] = {"newton", "newton", "bntr", "bnls"};

  (void)state;
  for (int k = 0; k < 2; k++) {
    double least = 0.0;

    for (int s = 0; s < 4; s++) {
      FgSolveOptions options = {.tolerance = s > 1 ? 2e-3 : 0.01, .max_iterations = 100};
      FgSolveReport  report;
      Case           c;

      snprintf(options.solver, sizeof options.solver, "%s", solvers[s]);
      AgreedSuccess(CaseCreate(names[k], s == 0, 0.2, 1e-2, 1.0, &c));
      AgreedSuccess(FgSolveField(c.problem, &options, &report));
      AgreedTrue(report.converged && !strcmp(report.solver, solvers[s]));
      if (!s) least = report.objective;
      if (s < 2) {
        AgreedTrue(c.model->counts.apply <= 25);
        AgreedTrue(Error(&c) < (k ? 0.11 : 0.17));
      }
      AgreedTrue(fabs(report.objective - least) < 0.01);
      AgreedSuccess(CaseDestroy(&c));
    }
  }
}

/* A and B by their action on unit vectors; A with the curvature, or with the lagged Hessian as its weights are frozen. */
static void Dense(Case *c, PetscBool bent, gsl_matrix *A, gsl_matrix *B)
{
  Vec v, y;

  assert_false(VecDuplicate(c->field->m, &v));
  assert_false(VecDuplicate(v, &y));
  for (PetscInt k = 0; k < SITES; k++) {
    for (int whole = 0; whole < 2; whole++) {
      double             column[SITES] = {0.0};
      const PetscScalar *out;

      assert_false(VecSet(v, 0.0));
      if (k >= c->domain->first && k < c->domain->first + c->domain->nlocal) assert_false(VecSetValue(v, k, 1.0, INSERT_VALUES));
      assert_false(VecAssemblyBegin(v));
      assert_false(VecAssemblyEnd(v));
      assert_false(FgProblemHessian(c->problem, PETSC_TRUE, v, y));
      assert_false(VecScale(v, c->problem->scale[0] * c->problem->scale[0]));
      if (whole) {
        assert_false(
            (bent ? FgRegularizerCurvature : FgRegularizerHessian)(c->regularizer, c->field->m, v, c->problem->alpha, y));
      }
      assert_false(VecGetArrayRead(y, &out));
      for (PetscInt i = 0; i < c->domain->nlocal; i++) column[c->domain->first + i] = out[i];
      assert_false(VecRestoreArrayRead(y, &out));
      MPI_Allreduce(MPI_IN_PLACE, column, SITES, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
      for (PetscInt i = 0; i < SITES; i++) gsl_matrix_set(whole ? A : B, i, k, column[i]);
    }
  }
  assert_false(VecDestroy(&v));
  assert_false(VecDestroy(&y));
}

/* tr(A^-1 B) */
static double DenseFreedom(Case *c)
{
  gsl_matrix      *A = gsl_matrix_alloc(SITES, SITES), *B = gsl_matrix_alloc(SITES, SITES);
  gsl_permutation *order = gsl_permutation_alloc(SITES);
  double           trace = 0.0;
  int              sign;

  Dense(c, PETSC_TRUE, A, B);
  gsl_linalg_LU_decomp(A, order, &sign);
  for (PetscInt k = 0; k < SITES; k++) {
    gsl_vector_view column = gsl_matrix_column(B, k);

    gsl_linalg_LU_svx(A, order, &column.vector);
    trace += gsl_vector_get(&column.vector, k);
  }
  gsl_matrix_free(A);
  gsl_matrix_free(B);
  gsl_permutation_free(order);
  return trace;
}

/* 3000 draws give every standard deviation to 1.3 percent; the largest of 256 errors is some three times that. */
static void deviations_are_those_of_the_inverse(void **state)
{
  (void)state;
  for (int k = 0; k < 2; k++) {
    FgSolveOptions options = {.solver = "newton", .tolerance = 0.01, .max_iterations = 50};
    gsl_matrix    *A = gsl_matrix_alloc(SITES, SITES), *B = gsl_matrix_alloc(SITES, SITES);
    float          found[SITES];
    double         mean = 0.0, worst = 0.0;
    FgSolveReport  report;
    PetscBool      known;
    Case           c;

    AgreedSuccess(CaseCreate(k ? "tv" : "tikhonov", 1, 0.2, 1e-2, 1.0, &c));
    AgreedSuccess(FgSolveField(c.problem, &options, &report));
    AgreedSuccess(FgProblemDeviations(c.problem, 5, 3000, found, &known));
    AgreedTrue(known);
    Dense(&c, PETSC_FALSE, A, B); /* with the weights as they have been frozen for the draws */
    gsl_linalg_cholesky_decomp1(A);
    gsl_linalg_cholesky_invert(A);
    for (PetscInt i = 0; i < c.domain->nlocal; i++) {
      const double exact = 0.1 * sqrt(gsl_matrix_get(A, c.domain->first + i, c.domain->first + i));

      mean += (found[i] / exact - 1.0) / SITES;
      worst = fmax(worst, fabs(found[i] / exact - 1.0));
    }
    MPI_Allreduce(MPI_IN_PLACE, &mean, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD);
    AgreedTrue(fabs(mean) < 0.01 && worst < 0.06);
    AgreedSuccess(CaseDestroy(&c));
    AgreedSuccess(CaseCreate(k ? "tv" : "tikhonov", 0, 0.2, 1e-2, 1.0, &c));
    AgreedSuccess(FgSolveField(c.problem, &options, &report));
    AgreedSuccess(FgProblemDeviations(c.problem, 5, 10, found, &known));
    AgreedTrue(!known);
    AgreedSuccess(CaseDestroy(&c));
    gsl_matrix_free(A);
    gsl_matrix_free(B);
  }
}

/* The estimate keeps to the trace within the standard deviation of its four probes, at most sqrt(2 p/4), three times; by the low rank it is the
   trace, but for what is left out of it. */
static void freedom_is_the_trace(void **state)
{
  (void)state;
  for (int k = 0; k < 4; k++) {
    const int      whole   = k / 2;
    FgSolveOptions options = {.solver = "newton", .tolerance = 0.01, .max_iterations = 50};
    FgSolveReport  report;
    PetscReal      found;
    double         exact;
    Case           c;

    AgreedSuccess(CaseCreate(k % 2 ? "tv" : "tikhonov", whole, 0.2, 1e-2, 0.5, &c));
    AgreedSuccess(FgSolveField(c.problem, &options, &report));
    AgreedSuccess(FgProblemFreedom(c.problem, 3, &found));
    exact = DenseFreedom(&c);
    AgreedTrue(exact > 5.0 && exact < DATA);
    AgreedTrue(fabs(found - exact) < (whole ? 0.01 : 3.0 * sqrt(0.5 * exact)));
    AgreedSuccess(CaseDestroy(&c));
  }
}

/* Root mean square error at the weight that is chosen, against the least along a scan. */
static void the_weight_is_near_the_best(void **state)
{
  static const char *const criteria[] = {"discrepancy", "gcv"};

  (void)state;
  for (int k = 0; k < 4; k++) {
    FgSolveOptions          options = {.solver = "newton", .tolerance = 0.02, .max_iterations = 50};
    const FgRegularizerOps *ops     = FgRegularizerFind(k % 2 ? "tv" : "tikhonov");
    FgSolveReport           report;
    double                  best = INFINITY;
    Case                    c;

    AgreedSuccess(CaseCreate(ops->name, k / 2, 0.2, 1e-2, 1.0, &c));
    for (c.problem->alpha = 30.0; c.problem->alpha > 1e-3; c.problem->alpha /= 3.0) {
      double error;

      AgreedSuccess(FgSolveField(c.problem, &options, &report));
      error = Error(&c);
      best  = fmin(best, error);
    }
    for (int j = 0; j < 2; j++) {
      FgWeightSearch search = {.nparts = 1, .parts = {{"all", 1.0, PETSC_FALSE}}};

      AgreedSuccess(VecSet(c.field->m, 0.0));
      c.model->counts.apply = 0;
      AgreedSuccess(FgSolveChooseWeight(c.problem, &options, criteria[j], ops->alpha, 1, &search, &report));
      AgreedTrue(j || c.model->counts.apply <= 25);
      AgreedTrue(search.reached && !search.note[0] && search.npoints <= 9);
      AgreedTrue(Error(&c) < 1.2 * best);
    }
    AgreedSuccess(CaseDestroy(&c));
  }
}

/* Noise that is given far too small is model error, and said to be; data without information say so too; voxelwise criteria are refused. */
static void what_cannot_be_reached_is_said(void **state)
{
  FgSolveOptions options = {.solver = "newton", .tolerance = 0.02, .max_iterations = 50};
  FgWeightSearch search  = {.nparts = 1, .parts = {{"all", 1.0, PETSC_FALSE}}};
  FgSolveReport  report;
  Case           c;

  (void)state;
  AgreedSuccess(CaseCreate("tikhonov", 1, 0.2, 1e-2, 1.0, &c));
  for (PetscInt k = 0; k < c.model->ndatalocal; k++) c.sigma[k] *= 0.2f;
  AgreedSuccess(FgSolveChooseWeight(c.problem, &options, "discrepancy", 0.06, 1, &search, &report));
  AgreedTrue(!search.reached && strstr(search.note, "does not describe the data"));
  for (PetscInt k = 0; k < c.model->ndatalocal; k++) c.sigma[k] = 1e4f;
  AgreedSuccess(FgSolveChooseWeight(c.problem, &options, "discrepancy", 0.06, 1, &search, &report));
  AgreedTrue(!search.reached && strstr(search.note, "no more than the prior"));
  AgreedFailure(FgSolveChooseWeight(c.problem, &options, "risk", 0.06, 1, &search, &report), PETSC_ERR_USER, "voxels");
  AgreedSuccess(CaseDestroy(&c));
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_matrix_is_the_lagged_hessian),
      cmocka_unit_test(the_bent_matrix_is_the_curvature),
      cmocka_unit_test(solvers_agree),
      cmocka_unit_test(freedom_is_the_trace),
      cmocka_unit_test(deviations_are_those_of_the_inverse),
      cmocka_unit_test(the_weight_is_near_the_best),
      cmocka_unit_test(what_cannot_be_reached_is_said),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed ? 1 : 0;
}
