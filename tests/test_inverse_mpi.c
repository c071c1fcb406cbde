/* test_inverse_mpi.c: regularizers, objective and solvers on small simulated fields, on one and on two ranks. Comparisons are with finite
   differences, a serial brute-force sum, sorting, dense linear algebra, and the truth that made the data. */
#include "agreed.h"
#include "problem_case.h"

#include "finegrain/check.h"
#include "finegrain/statistics.h"
#include "inverse/risk.h"
#include "inverse/uncertainty.h"

#include <gsl/gsl_linalg.h>
#include <gsl/gsl_randist.h>
#include <math.h>

/* A grid with a hole in its mask, so that ghosts are irregular. */
static const PetscInt dims[3]    = {6, 5, 4};
static const double   spacing[3] = {2.0, 2.0, 3.0};

typedef struct {
  FgGradients    gradients;
  double         b[33], g[99];
  PetscInt       nmask, voxel[120];
  FgDomain       domain;
  FgModel        model;
  FgField        field;
  FgProblem      problem;
  FgRegularizer  regularizer;
  float         *values, *sigma;
  unsigned char *status;
} Case;

/* Half-sphere directions, evenly spread. */
static void MakeGradients(Case *c)
{
  c->gradients = (FgGradients){.n = 33, .b = c->b, .g = c->g, .b0_threshold = 50.0, .nb0 = 3, .rank = 6};
  memset(c->b, 0, sizeof c->b);
  memset(c->g, 0, sizeof c->g);
  for (int k = 3; k < 33; k++) {
    const double z = (k - 2.5) / 30.0, r = sqrt(1.0 - z * z), azimuth = 2.39996322972865332 * k;

    c->b[k]         = k % 2 ? 1000.0 : 2000.0;
    c->g[3 * k]     = r * cos(azimuth);
    c->g[3 * k + 1] = r * sin(azimuth);
    c->g[3 * k + 2] = z;
  }
}

/* A smooth truth of the global voxel number's place: the same on any number of ranks. */
static void SiteTruth(PetscInt voxel, double *m, double frame[9])
{
  const double x = voxel % dims[0], y = voxel / dims[0] % dims[1], z = voxel / (dims[0] * dims[1]);
  double       n[3] = {1.0 + 0.1 * y, 0.3 * x - 0.5, 0.4 - 0.2 * z}, norm = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);

  for (int k = 0; k < 3; k++) n[k] /= norm;
  FgChartFrameFromDirection(n, frame);
  m[0] = 0.25 + 0.02 * x + 0.01 * y * z;
  m[1] = 0.5 + 0.03 * y;
  m[2] = m[3] = 0.0;
  m[4]        = 1000.0 + 20.0 * x - 15.0 * z;
}

/* Fills the field with the truth; disturbance > 0 makes it rough, all components and directions. */
static PetscErrorCode Fill(Case *c, double disturbance)
{
  PetscScalar *m;
  gsl_rng     *random = gsl_rng_alloc(gsl_rng_mt19937);

  PetscFunctionBegin;
  PetscCall(VecGetArray(c->field->m, &m));
  for (PetscInt i = 0; i < c->domain->nlocal; i++) {
    PetscScalar *at = &m[5 * i];

    SiteTruth(c->voxel[c->domain->first + i], at, &c->field->frames[9 * i]);
    gsl_rng_set(random, 100 + (unsigned long)(c->domain->first + i));
    at[0] += disturbance * gsl_ran_flat(random, -0.1, 0.1);
    at[1] += disturbance * gsl_ran_flat(random, -0.3, 0.3);
    at[2] += disturbance * gsl_ran_flat(random, -0.5, 0.5);
    at[3] += disturbance * gsl_ran_flat(random, -0.5, 0.5);
    at[4] += disturbance * gsl_ran_flat(random, -100.0, 100.0);
  }
  PetscCall(VecRestoreArray(c->field->m, &m));
  gsl_rng_free(random);
  PetscCall(FgFieldUpdateFrames(c->field));
  PetscCall(VecGhostUpdateBegin(c->field->m, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(c->field->m, INSERT_VALUES, SCATTER_FORWARD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static unsigned long noise_seed = 1;

/* Data of the truth with Gaussian noise of standard deviation `noise`; the field is left at the truth. */
static PetscErrorCode MakeData(Case *c, double noise)
{
  const PetscScalar *signal;
  Vec                d;
  gsl_rng           *random = gsl_rng_alloc(gsl_rng_mt19937);

  PetscFunctionBegin;
  PetscCall(Fill(c, 0.0));
  PetscCall(FgModelCreateDataVec(c->model, &d));
  PetscCall(FgModelApply(c->model, c->field->m, d));
  PetscCall(VecGetArrayRead(d, &signal));
  for (PetscInt i = 0; i < c->domain->nlocal; i++) {
    gsl_rng_set(random, noise_seed + (unsigned long)(c->domain->first + i));
    for (PetscInt k = 0; k < 33; k++) c->values[33 * i + k] = (float)(signal[33 * i + k] + gsl_ran_gaussian(random, noise));
    c->sigma[i]  = noise > 0.0 ? (float)noise : 1.0f;
    c->status[i] = 0;
  }
  PetscCall(VecRestoreArrayRead(d, &signal));
  PetscCall(VecDestroy(&d));
  gsl_rng_free(random);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CaseCreate(const char *regularizer, double noise, PetscInt nvoxels, Case *c)
{
  static const double scale[5] = {0.03, 0.1, 0.1, 0.1, 40.0};
  FgTissue            tissue   = {.closure        = FgClosureFind("hs2d"),
                                  .phases         = {3e-3, 1.25e-3, 0.0, 1.0, PETSC_FALSE},
                                  .orientation    = FG_DISPERSED,
                                  .porosity_lower = 0.0,
                                  .porosity_upper = 1.0};
  FgRegularizerTerm   terms[4] = {{0, FG_KIND_SCALAR, 0, 0.03, 1.0, 0.1},
                                  {1, FG_KIND_SCALAR, 0, 0.1, 0.7, 0.1},
                                  {4, FG_KIND_SCALAR, 0, 40.0, 1.5, 0.1},
                                  {2, FG_KIND_TANGENT, 0, 0.1, 2.0, 0.1}};
  FgData              data;

  PetscFunctionBegin;
  MakeGradients(c);
  c->nmask = 0;
  for (PetscInt v = 0; v < 120 && c->nmask < nvoxels; v++) {
    if (v % 7 != 3) c->voxel[c->nmask++] = v;
  }
  PetscCall(FgDomainCreateVoxels(PETSC_COMM_WORLD, dims, spacing, c->nmask, c->voxel, &c->domain));
  PetscCall(FgModelCreate(PETSC_COMM_WORLD, "dwi", &tissue, &c->model));
  PetscCall(FgModelSetGradients(c->model, &c->gradients, 1000.0));
  PetscCall(FgModelSetup(c->model));
  PetscCall(FgFieldCreate(c->domain, c->model->ncomponents, c->model->components, &c->field));
  PetscCall(FgModelSetField(c->model, c->field));
  PetscCall(PetscMalloc3(33 * c->domain->nlocal, &c->values, c->domain->nlocal, &c->sigma, c->domain->nlocal, &c->status));
  PetscCall(MakeData(c, noise));
  data = (FgData){.nlocal = c->domain->nlocal, .ndata = 33, .values = c->values, .sigma = c->sigma};
  PetscCall(FgProblemCreate(c->model, c->field, &data, c->status, &c->problem));
  memcpy(c->problem->scale, scale, sizeof scale);
  PetscCall(ProblemRegularize(c->problem, c->field, regularizer, 4, terms, &c->regularizer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CaseDestroy(Case *c)
{
  PetscFunctionBegin;
  PetscCall(ProblemClose(&c->problem, &c->regularizer, &c->field, &c->domain, &c->model));
  PetscCall(PetscFree3(c->values, c->sigma, c->status));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *const regularizers[] = {"tikhonov", "tv", "joint"};

/* The whole of FgProblemCheck on rough fields with directions away from their chart's center, for both regularizers. */
static void derivatives_of_the_objective(void **state)
{
  (void)state;
  for (int k = 0; k < 2; k++) {
    FgProblemCheckResult r;
    Case                 c;

    AgreedSuccess(CaseCreate(regularizers[k], 20.0, 120, &c));
    AgreedSuccess(Fill(&c, 1.0));
    AgreedSuccess(FgProblemCheck(c.problem, 5, &r));
    AgreedTrue(r.gradient_order[0] > 1.9 && r.gradient_decades >= 2.0);
    AgreedTrue(r.gauss_newton_order[0] > 1.9 && r.gauss_newton_decades >= 1.0);
    AgreedTrue(r.hessian_symmetry < 1e-13);
    AgreedTrue(r.hessian_least > 0.0);
    AgreedTrue(r.regularizer_error < 1e-12);
    AgreedSuccess(CaseDestroy(&c));
  }
}

/* The check itself notices wrong derivatives: scales that differ between gradient and variables, and lagged weights that are wrong. */
static double WrongWeight(double t, double epsilon)
{
  return 1.02 / sqrt(t + epsilon * epsilon);
}

static void the_check_notices_a_wrong_gradient(void **state)
{
  FgRegularizerOps     wrong;
  FgProblemCheckResult r;
  Case                 c;

  (void)state;
  AgreedSuccess(CaseCreate("tv", 20.0, 120, &c));
  AgreedSuccess(Fill(&c, 1.0));
  wrong              = *c.regularizer->ops;
  wrong.weight       = WrongWeight;
  c.regularizer->ops = &wrong;
  AgreedSuccess(FgProblemCheck(c.problem, 5, &r));
  AgreedTrue(r.gradient_order[0] < 1.5);
  AgreedSuccess(CaseDestroy(&c));
}

/* A fiber and its opposite are the same: turning frames over at every third site changes neither energy nor scalar gradient. */
static void sign_of_directions_is_free(void **state)
{
  (void)state;
  for (int k = 0; k < 2; k++) {
    PetscReal before, after;
    Case      c;

    AgreedSuccess(CaseCreate(regularizers[k], 20.0, 120, &c));
    AgreedSuccess(Fill(&c, 1.0));
    AgreedSuccess(FgRegularizerFreeze(c.regularizer, c.field->m, &before));
    for (PetscInt i = 0; i < c.domain->nlocal; i++) {
      double *frame = &c.field->frames[9 * i];

      if ((c.domain->first + i) % 3) continue;
      for (int j = 0; j < 9; j++) frame[j] = -frame[j];
    }
    AgreedSuccess(FgFieldUpdateFrames(c.field));
    AgreedSuccess(FgRegularizerFreeze(c.regularizer, c.field->m, &after));
    AgreedTrue(before > 1.0 && fabs(before - after) < 1e-12 * before);
    AgreedSuccess(CaseDestroy(&c));
  }
}

/* The energy summed here over all pairs of voxels that are one step apart, from global arrays, without domain or ghosts. */
static double BruteForce(const FgRegularizerTerm *terms, PetscInt nterms, const char *name, PetscInt nmask, const PetscInt *voxel,
                         const double *m, const double *n)
{
  const double h0  = cbrt(spacing[0] * spacing[1] * spacing[2]);
  double       sum = 0.0;

  for (PetscInt t = 0; t < nterms; t++) {
    for (PetscInt i = 0; i < nmask; i++) {
      double square = 0.0;

      for (PetscInt j = 0; j < nmask; j++) {
        PetscInt step[3], v = voxel[i], w = voxel[j], axis = -1, apart = 0;
        double   difference;

        for (int k = 0; k < 3; v /= dims[k], w /= dims[k], k++) step[k] = w % dims[k] - v % dims[k];
        for (int k = 0; k < 3; k++) {
          apart += abs((int)step[k]);
          if (step[k] == 1) axis = k;
        }
        if (apart != 1 || axis < 0) continue;
        if (terms[t].kind == FG_KIND_SCALAR) {
          difference = m[5 * j + terms[t].component] - m[5 * i + terms[t].component];
        } else {
          const double dot = n[3 * i] * n[3 * j] + n[3 * i + 1] * n[3 * j + 1] + n[3 * i + 2] * n[3 * j + 2];

          difference = sqrt(fmax(0.0, 1.0 - dot * dot));
        }
        square += pow(h0 / spacing[axis] * difference / terms[t].scale, 2);
      }
      sum += terms[t].weight * (strcmp(name, "tv") ? 0.5 * square : sqrt(square + pow(terms[t].epsilon, 2)) - terms[t].epsilon);
    }
  }
  return sum;
}

static void energy_is_the_sum_over_neighbors(void **state)
{
  (void)state;
  for (int k = 0; k < 2; k++) {
    double             m[5 * 120] = {0}, n[3 * 120] = {0}, expected;
    const PetscScalar *local;
    PetscReal          energy;
    Case               c;

    AgreedSuccess(CaseCreate(regularizers[k], 20.0, 120, &c));
    AgreedSuccess(Fill(&c, 1.0));
    AgreedSuccess(FgRegularizerFreeze(c.regularizer, c.field->m, &energy));
    AgreedSuccess(VecGetArrayRead(c.field->m, &local));
    for (PetscInt i = 0; i < c.domain->nlocal; i++) {
      memcpy(&m[5 * (c.domain->first + i)], &local[5 * i], 5 * sizeof(double));
      FgChartDirection(&c.field->frames[9 * i], &local[5 * i + 2], &n[3 * (c.domain->first + i)], NULL);
    }
    AgreedSuccess(VecRestoreArrayRead(c.field->m, &local));
    MPI_Allreduce(MPI_IN_PLACE, m, 600, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, n, 360, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
    expected = BruteForce(c.regularizer->terms, 4, regularizers[k], c.nmask, c.voxel, m, n);
    if (!(fabs(energy - expected) < 1e-12 * expected))
      print_error("%s: %.17g, expected %.17g\n", regularizers[k], energy, expected);
    AgreedTrue(fabs(energy - expected) < 1e-12 * expected);
    AgreedSuccess(CaseDestroy(&c));
  }
}

static int CompareFloats(const void *a, const void *b)
{
  const float x = *(const float *)a, y = *(const float *)b;

  return (x > y) - (x < y);
}

static void quantiles_are_those_of_sorting(void **state)
{
  enum { N = 1001 };
  float       all[N], mine[2 * N];
  PetscInt    n = 0;
  PetscMPIInt size;
  double      found;
  gsl_rng    *random = gsl_rng_alloc(gsl_rng_mt19937);

  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (int i = 0; i < N; i++) {
    all[i] = i % 10 ? (float)gsl_ran_lognormal(random, 0.0, 3.0) : 0.0f; /* many equal values */
    if (i % size != Rank()) continue;
    mine[2 * n]       = all[i];
    mine[2 * n++ + 1] = NAN; /* skipped by the stride */
  }
  gsl_rng_free(random);
  qsort(all, N, sizeof *all, CompareFloats);
  for (int percent = 0; percent <= 100; percent++) {
    const int wanted = (int)ceil(percent / 100.0 * N);

    AgreedSuccess(FgQuantile(PETSC_COMM_WORLD, n, mine, 2, percent / 100.0, &found));
    AgreedTrue(found == all[wanted > 0 ? wanted - 1 : 0]);
  }
  AgreedSuccess(FgQuantile(PETSC_COMM_WORLD, n, mine + 1, 2, 0.5, &found)); /* nothing finite */
  AgreedTrue(isnan(found));
}

/* From noiseless data the pointwise fit finds the truth, to what the data's float storage allows. */
static void pointwise_fit_recovers_the_truth(void **state)
{
  const FgPointwiseOptions options = {.max_iterations = 100, .tolerance = 1e-9};
  const PetscScalar       *m;
  double                   worst = 0.0;
  Case                     c;

  (void)state;
  AgreedSuccess(CaseCreate("tikhonov", 0.0, 120, &c));
  AgreedSuccess(FgSolvePointwise(c.problem, &options, PETSC_FALSE, NULL, NULL, NULL));
  AgreedSuccess(VecGetArrayRead(c.field->m, &m));
  for (PetscInt i = 0; i < c.domain->nlocal; i++) {
    double truth[5], frame[9], n[3], cross;

    SiteTruth(c.voxel[c.domain->first + i], truth, frame);
    FgChartDirection(&c.field->frames[9 * i], &m[5 * i + 2], n, NULL);
    cross = hypot(hypot(n[1] * frame[6] - n[2] * frame[3], n[2] * frame[0] - n[0] * frame[6]), n[0] * frame[3] - n[1] * frame[0]);
    worst = fmax(worst, fmax(fabs(m[5 * i] - truth[0]),
                             fmax(fabs(m[5 * i + 1] - truth[1]), fmax(cross, fabs(m[5 * i + 4] / truth[4] - 1.0)))));
    if (c.status[i]) worst = 1.0;
  }
  AgreedSuccess(VecRestoreArrayRead(c.field->m, &m));
  if (worst >= 1e-6) print_error("worst error %g\n", worst);
  AgreedTrue(worst < 1e-6);
  AgreedSuccess(CaseDestroy(&c));
}

static const char *const solvers[] = {"sweep", "blmvm", "bntr"};

static FgSolveOptions Options(const char *solver, double tolerance)
{
  FgSolveOptions options = {.tolerance = tolerance, .max_iterations = 2000, .relaxation = 1.5};

  snprintf(options.solver, sizeof options.solver, "%s", solver);
  return options;
}

/* Solvers that have nothing in common find the same minimum. */
static void solvers_agree(void **state)
{
  const FgPointwiseOptions pointwise = {.max_iterations = 100, .tolerance = 1e-3};

  (void)state;
  for (int k = 0; k < 2; k++) {
    double objective[3];

    for (int s = 0; s < 3; s++) {
      const FgSolveOptions options = Options(solvers[s], 1e-4);
      FgSolveReport        report;
      Case                 c;

      AgreedSuccess(CaseCreate(regularizers[k], 50.0, 120, &c));
      AgreedSuccess(FgSolvePointwise(c.problem, &pointwise, PETSC_FALSE, NULL, NULL, NULL));
      AgreedSuccess(FgSolveField(c.problem, &options, &report));
      objective[s] = report.objective;
      if (!report.converged) print_error("%s, %s: %s\n", regularizers[k], solvers[s], report.reason);
      AgreedTrue(report.converged);
      AgreedSuccess(CaseDestroy(&c));
    }
    for (int s = 1; s < 3; s++) {
      if (!(fabs(objective[s] - objective[0]) < 1e-6 * objective[0])) {
        print_error("%s: %s %.10g, sweep %.10g\n", regularizers[k], solvers[s], objective[s], objective[0]);
      }
      AgreedTrue(fabs(objective[s] - objective[0]) < 1e-6 * objective[0]);
    }
  }
}

/* A box that the truth does not fit into: every solver stays inside exactly, and some voxels rest on the bound to the last bit. */
static void bounds_are_kept_exactly(void **state)
{
  const FgPointwiseOptions pointwise = {.max_iterations = 100, .tolerance = 1e-3};

  (void)state;
  for (int s = 0; s < 3; s++) {
    const FgSolveOptions options = Options(solvers[s], 1e-3);
    const PetscScalar   *m;
    PetscInt             outside = 0, resting = 0;
    FgSolveReport        report;
    Case                 c;

    AgreedSuccess(CaseCreate("tikhonov", 20.0, 120, &c));
    c.field->components[0].upper = 0.3;
    AgreedSuccess(FgSolvePointwise(c.problem, &pointwise, PETSC_FALSE, NULL, NULL, NULL));
    AgreedSuccess(FgSolveField(c.problem, &options, &report));
    AgreedSuccess(VecGetArrayRead(c.field->m, &m));
    for (PetscInt i = 0; i < c.domain->nlocal; i++) {
      outside += m[5 * i] > 0.3 || m[5 * i] < 0.0 || m[5 * i + 1] < 0.0 || m[5 * i + 1] > 1.0;
      resting += m[5 * i] == 0.3;
    }
    AgreedSuccess(VecRestoreArrayRead(c.field->m, &m));
    MPI_Allreduce(MPI_IN_PLACE, &resting, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD);
    AgreedTrue(outside == 0 && resting > 5);
    AgreedSuccess(CaseDestroy(&c));
  }
}

/* y += alpha times the regularizer's curvature, whitened. */
static PetscErrorCode AddCurvature(Case *c, Vec v, Vec y)
{
  Vec          scaled, product;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(v, &scaled));
  PetscCall(VecDuplicate(v, &product));
  PetscCall(VecCopy(v, scaled));
  PetscCall(VecGetArray(scaled, &a));
  for (PetscInt i = 0; i < 5 * c->domain->nlocal; i++) a[i] *= c->problem->scale[i % 5];
  PetscCall(VecRestoreArray(scaled, &a));
  PetscCall(VecZeroEntries(product));
  PetscCall(FgRegularizerCurvature(c->regularizer, c->field->m, scaled, c->problem->alpha, product));
  PetscCall(VecGetArray(product, &a));
  for (PetscInt i = 0; i < 5 * c->domain->nlocal; i++) a[i] *= c->problem->scale[i % 5];
  PetscCall(VecRestoreArray(product, &a));
  PetscCall(VecAXPY(y, 1.0, product));
  PetscCall(VecDestroy(&scaled));
  PetscCall(VecDestroy(&product));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The Hessian's columns, as the regularizer is frozen, or bent: with its curvature; J is that of the last FgProblemEvaluate. One rank. */
static PetscErrorCode DenseHessian(Case *c, PetscBool data_only, PetscBool bent, gsl_matrix *A)
{
  Vec v, y;

  PetscFunctionBegin;
  PetscCall(FgFieldCreateVec(c->field, &v));
  PetscCall(FgFieldCreateVec(c->field, &y));
  for (PetscInt column = 0; column < (PetscInt)A->size1; column++) {
    const PetscScalar *entries;

    PetscCall(VecZeroEntries(v));
    PetscCall(VecSetValue(v, column, 1.0, INSERT_VALUES));
    PetscCall(VecAssemblyBegin(v));
    PetscCall(VecAssemblyEnd(v));
    PetscCall(FgProblemHessian(c->problem, data_only || bent ? PETSC_TRUE : PETSC_FALSE, v, y));
    if (bent) PetscCall(AddCurvature(c, v, y));
    PetscCall(VecGetArrayRead(y, &entries));
    for (PetscInt row = 0; row < (PetscInt)A->size1; row++) gsl_matrix_set(A, (size_t)row, (size_t)column, entries[row]);
    PetscCall(VecRestoreArrayRead(y, &entries));
  }
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* tr(A^-1 B) by dense algebra. */
static PetscErrorCode DenseFreedom(Case *c, double *trace)
{
  const size_t n = 5 * (size_t)c->domain->nlocal;
  gsl_matrix  *A = gsl_matrix_alloc(n, n), *B = gsl_matrix_alloc(n, n);

  PetscFunctionBegin;
  PetscCall(FgProblemEvaluate(c->problem, NULL, NULL, NULL, c->problem->g));
  PetscCall(DenseHessian(c, PETSC_FALSE, PETSC_TRUE, A));
  PetscCall(DenseHessian(c, PETSC_TRUE, PETSC_FALSE, B));
  gsl_linalg_cholesky_decomp1(A);
  gsl_linalg_cholesky_invert(A);
  *trace = 0.0;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) *trace += gsl_matrix_get(A, i, j) * gsl_matrix_get(B, j, i);
  }
  gsl_matrix_free(A);
  gsl_matrix_free(B);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Covariance of `site` against the dense inverse of the posterior Hessian with the same weights: the least and the largest ratio of standard
   deviations, and the largest difference of correlations. */
static PetscErrorCode CompareCovariance(Case *c, PetscInt site, const float *covariance, const gsl_matrix *inverse,
                                        double ratio[2], double *correlation)
{
  const float *mine = &covariance[15 * site];

  PetscFunctionBegin;
  for (int a = 0, k = 0; a < 5; a++) {
    for (int b = 0; b <= a; b++, k++) {
      const size_t row = 5 * (size_t)site + (size_t)a, column = 5 * (size_t)site + (size_t)b;
      const double scale = c->problem->scale[a] * c->problem->scale[b], exact = gsl_matrix_get(inverse, row, column) * scale;
      const double width = sqrt(gsl_matrix_get(inverse, row, row) * gsl_matrix_get(inverse, column, column)) * scale;

      if (a == b) {
        ratio[0] = fmin(ratio[0], sqrt(mine[k] / exact));
        ratio[1] = fmax(ratio[1], sqrt(mine[k] / exact));
      } else *correlation = fmax(*correlation, fabs(mine[k] - exact) / width);
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DenseCovariance(Case *c, float *covariance, gsl_matrix *inverse)
{
  PetscFunctionBegin;
  PetscCall(FgProblemCovariance(c->problem, covariance));
  PetscCall(FgProblemEvaluate(c->problem, NULL, NULL, NULL, c->problem->g));
  if (c->problem->regularizer) {
    float *blocks;

    PetscCall(PetscMalloc1(15 * c->domain->nlocal, &blocks));
    PetscCall(FgUncertaintyFreeze(c->problem, blocks));
    PetscCall(PetscFree(blocks));
  }
  PetscCall(DenseHessian(c, PETSC_FALSE, PETSC_FALSE, inverse));
  gsl_linalg_cholesky_decomp1(inverse);
  gsl_linalg_cholesky_invert(inverse);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Three voxels in a row: all that the middle one touches are its neighbors, so that nothing is left out and its covariance is exact. Parallel
   fibers: the block that a sweep solves with is then the Hessian's own. In a larger field the covariance is at most the exact one, and near. */
static void covariance_is_the_inverse_near_a_site(void **state)
{
  PetscMPIInt size;

  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  if (size > 1) skip(); /* dense algebra */
  for (int k = 0; k < 2; k++) {
    static const PetscInt voxels[2] = {3, 60};

    for (int large = 0; large < 2; large++) {
      const PetscInt n        = voxels[large];
      double         ratio[2] = {INFINITY, 0.0}, correlation = 0.0;
      float         *covariance = calloc(15 * (size_t)n, sizeof(float));
      gsl_matrix    *inverse    = gsl_matrix_alloc(5 * (size_t)n, 5 * (size_t)n);
      Case           c;

      AgreedSuccess(CaseCreate(regularizers[k], 20.0, n, &c));
      AgreedSuccess(Fill(&c, 0.0));
      for (PetscInt i = 1; i < n; i++) memcpy(&c.field->frames[9 * i], c.field->frames, 9 * sizeof(double));
      AgreedSuccess(DenseCovariance(&c, covariance, inverse));
      for (PetscInt i = large ? 0 : 1; i < (large ? n : 2); i++) {
        AgreedSuccess(CompareCovariance(&c, i, covariance, inverse, ratio, &correlation));
      }
      print_message("%s, %d voxels: standard deviations %.6f to %.6f of the exact ones, correlations %.1e apart\n",
                    regularizers[k], (int)n, ratio[0], ratio[1], correlation);
      assert_true(ratio[1] < 1.0 + 1e-5);
      assert_true(ratio[0] > (large ? 0.9 : 1.0 - 1e-5));
      assert_true(correlation < (large ? 0.1 : 1e-5));
      gsl_matrix_free(inverse);
      free(covariance);
      AgreedSuccess(CaseDestroy(&c));
    }
  }
}

/* Without a regularizer the inverse of the Fisher information. A variable on its bound has no part in the others' covariance, and its own
   variance is what it would be were it free. */
static void a_bound_is_known(void **state)
{
  float       *free_all, *held;
  gsl_matrix  *B, *part;
  PetscMPIInt  size;
  PetscScalar *m;
  Case         c;

  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  if (size > 1) skip(); /* dense algebra */
  AgreedSuccess(CaseCreate("tikhonov", 20.0, 3, &c));
  AgreedSuccess(Fill(&c, 0.0));
  c.problem->regularizer = NULL;
  free_all               = calloc(45, sizeof(float));
  held                   = calloc(45, sizeof(float));
  B                      = gsl_matrix_alloc(15, 15);
  part                   = gsl_matrix_alloc(4, 4);
  AgreedSuccess(FgProblemCovariance(c.problem, free_all));
  AgreedSuccess(VecGetArray(c.field->m, &m));
  c.field->components[1].upper = m[1]; /* kappa of the first voxel */
  AgreedSuccess(VecRestoreArray(c.field->m, &m));
  AgreedSuccess(FgProblemCovariance(c.problem, held));
  AgreedSuccess(FgProblemEvaluate(c.problem, NULL, NULL, NULL, c.problem->g));
  AgreedSuccess(DenseHessian(&c, PETSC_TRUE, PETSC_FALSE, B));
  for (size_t a = 0; a < 4; a++) {
    for (size_t b = 0; b < 4; b++) gsl_matrix_set(part, a, b, gsl_matrix_get(B, a + (a > 0), b + (b > 0)));
  }
  gsl_linalg_cholesky_decomp1(part);
  gsl_linalg_cholesky_invert(part);
  for (int a = 0; a < 5; a++) {
    const float own = held[a * (a + 1) / 2 + a];

    if (a == 1) { /* own variance; no covariance */
      assert_true(fabsf(own / free_all[2] - 1.0f) < 1e-4f);
      assert_true(held[1] == 0.0f && held[4] == 0.0f && held[7] == 0.0f && held[11] == 0.0f);
    } else {
      const size_t k     = (size_t)(a - (a > 0));
      const double exact = gsl_matrix_get(part, k, k) * c.problem->scale[a] * c.problem->scale[a];

      assert_true(fabs(own / exact - 1.0) < 1e-4);
      assert_true(own <= free_all[a * (a + 1) / 2 + a] * 1.0001f);
    }
  }
  gsl_matrix_free(part);
  gsl_matrix_free(B);
  free(held);
  free(free_all);
  c.problem->regularizer = c.regularizer;
  AgreedSuccess(CaseDestroy(&c));
}

/* The curvature is the derivative of the gradient, weights and all: exactly along changes of scalar components, by central differences;
   and with directions among them it stays symmetric and positive semidefinite. */
static void curvature_is_the_change_of_the_gradient(void **state)
{
  (void)state;
  for (int k = 0; k < 2; k++) {
    const double step = 1e-5;
    Vec          v, w, Cv, Cw, up, down, m;
    PetscScalar *a;
    PetscReal    left, right, error, size;
    Case         c;

    AgreedSuccess(CaseCreate(regularizers[k], 20.0, 120, &c));
    AgreedSuccess(Fill(&c, 1.0));
    AgreedSuccess(FgFieldCreateVec(c.field, &v));
    AgreedSuccess(VecDuplicate(v, &w));
    AgreedSuccess(VecDuplicate(v, &Cv));
    AgreedSuccess(VecDuplicate(v, &Cw));
    AgreedSuccess(VecDuplicate(v, &up));
    AgreedSuccess(VecDuplicate(v, &down));
    AgreedSuccess(VecDuplicate(v, &m));
    AgreedSuccess(VecCopy(c.field->m, m));
    for (int scalars = 1; scalars >= 0; scalars--) {
      AgreedSuccess(VecGetArray(v, &a));
      for (PetscInt i = 0; i < 5 * c.domain->nlocal; i++) {
        a[i] = scalars && (i % 5 == 2 || i % 5 == 3) ? 0.0 : sin(1.0 + 3.7 * (i + 5 * c.domain->first)) * c.problem->scale[i % 5];
      }
      AgreedSuccess(VecRestoreArray(v, &a));
      AgreedSuccess(VecCopy(m, w));
      AgreedSuccess(VecZeroEntries(Cv));
      AgreedSuccess(VecZeroEntries(Cw));
      AgreedSuccess(FgRegularizerFreeze(c.regularizer, m, NULL));
      AgreedSuccess(FgRegularizerCurvature(c.regularizer, m, v, 1.0, Cv));
      AgreedSuccess(FgRegularizerCurvature(c.regularizer, m, w, 1.0, Cw));
      AgreedSuccess(VecDot(w, Cv, &left));
      AgreedSuccess(VecDot(v, Cw, &right));
      AgreedSuccess(VecDot(v, Cv, &size));
      AgreedTrue(fabs(left - right) < 1e-11 * (fabs(left) + size));
      AgreedTrue(size > 0.0);
      if (!scalars) break;
      for (int side = 0; side < 2; side++) {
        AgreedSuccess(VecWAXPY(c.field->m, side ? -step : step, v, m));
        AgreedSuccess(FgRegularizerFreeze(c.regularizer, c.field->m, NULL));
        AgreedSuccess(VecZeroEntries(side ? down : up));
        AgreedSuccess(FgRegularizerGradient(c.regularizer, c.field->m, 1.0, side ? down : up));
      }
      AgreedSuccess(VecAXPY(up, -1.0, down));
      AgreedSuccess(VecAXPY(up, -2.0 * step, Cv));
      AgreedSuccess(VecNorm(up, NORM_2, &error));
      AgreedSuccess(VecNorm(Cv, NORM_2, &size));
      AgreedTrue(error < 1e-5 * 2.0 * step * size);
    }
    AgreedSuccess(VecDestroy(&v));
    AgreedSuccess(VecDestroy(&w));
    AgreedSuccess(VecDestroy(&Cv));
    AgreedSuccess(VecDestroy(&Cw));
    AgreedSuccess(VecDestroy(&up));
    AgreedSuccess(VecDestroy(&down));
    AgreedSuccess(VecDestroy(&m));
    AgreedSuccess(CaseDestroy(&c));
  }
}

/* The stochastic trace is unbiased: its mean over 50 seeds lies within three standard errors of the exact trace. Dense algebra takes
   all columns on one rank. */
static void freedom_is_the_trace(void **state)
{
  enum { SEEDS = 50 };
  double      exact = 0.0, sum = 0.0, squares = 0.0, mean, error;
  PetscMPIInt size;
  Case        c;

  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  if (size > 1) skip();
  AgreedSuccess(CaseCreate("tv", 50.0, 30, &c));
  AgreedSuccess(Fill(&c, 0.3));
  AgreedSuccess(FgFieldRecenter(c.field));
  PetscOptionsSetValue(NULL, "-freedom_ksp_rtol", "1e-8");
  AgreedSuccess(DenseFreedom(&c, &exact));
  for (unsigned long seed = 1; seed <= SEEDS; seed++) {
    PetscReal freedom;

    AgreedSuccess(FgProblemFreedom(c.problem, seed, &freedom));
    sum += freedom;
    squares += freedom * freedom;
  }
  PetscOptionsClearValue(NULL, "-freedom_ksp_rtol");
  mean  = sum / SEEDS;
  error = sqrt((squares / SEEDS - mean * mean) / (SEEDS - 1));
  if (!(fabs(mean - exact) < 3.0 * error)) print_error("mean %g +- %g, exact %g\n", mean, error, exact);
  assert_true(exact > 10.0 && exact < 140.0 && error < 0.05 * exact);
  assert_true(fabs(mean - exact) < 3.0 * error);
  AgreedSuccess(CaseDestroy(&c));
}

/* Squared errors of porosity, kappa, direction and S0 at the present field, per variable, in pointwise variances. */
static PetscErrorCode TrueRisk(Case *c, const float *deviation, double risk[4])
{
  const PetscScalar *m;
  double             sums[4] = {0.0};

  PetscFunctionBegin;
  PetscCall(FgFieldRecenter(c->field));
  PetscCall(VecGetArrayRead(c->field->m, &m));
  for (PetscInt i = 0; i < c->domain->nlocal; i++) {
    const double *frame = &c->field->frames[9 * i];
    const float  *unit  = &deviation[5 * i];
    double        truth[5], axes[9], along = 0.0;

    SiteTruth(c->voxel[c->domain->first + i], truth, axes);
    for (int k = 0; k < 3; k++) along += frame[3 * k] * axes[3 * k];
    sums[0] += PetscSqr((m[5 * i] - truth[0]) / unit[0]);
    sums[1] += PetscSqr((m[5 * i + 1] - truth[1]) / unit[1]);
    sums[2] += 0.5 * (1.0 - along * along) / (unit[2] * unit[3]);
    sums[3] += PetscSqr((m[5 * i + 4] - truth[4]) / unit[4]);
  }
  PetscCall(VecRestoreArrayRead(c->field->m, &m));
  PetscCallMPI(MPI_Allreduce(sums, risk, 4, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  for (int k = 0; k < 4; k++) risk[k] /= c->domain->nglobal;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The estimated risk of each part, which knows nothing of the truth, is the error against the truth: on average over noise, with weights that
   smooth hardly, well and too much. */
static void risk_is_the_error(void **state)
{
  enum { SEEDS = 30 };
  static const PetscInt part[5]  = {0, 1, 2, 2, 3};
  static const double   alpha[3] = {0.02, 0.3, 4.0};

  (void)state;
  for (int r = 0; r < 3; r++) {
    for (int k = 0; k < 3; k++) {
      double estimated[4] = {0.0}, actual[4] = {0.0};

      for (noise_seed = 1; noise_seed <= SEEDS; noise_seed++) {
        const FgPointwiseOptions pointwise = {.max_iterations = 100, .tolerance = 1e-4};
        const FgSolveOptions     options   = {.solver = "sweep", .tolerance = 1e-3, .max_iterations = 2000, .relaxation = 1.3};
        float                    deviation[5 * 120], chi2[120];
        short                    samples[120];
        double                   risk[4];
        PetscReal                freedom;
        FgSolveReport            report;
        Case                     c;

        noise_seed *= 1000; /* seeds of voxels of different noises do not meet */
        AgreedSuccess(CaseCreate(regularizers[r], 20.0, 120, &c));
        noise_seed /= 1000;
        AgreedSuccess(FgSolvePointwise(c.problem, &pointwise, PETSC_TRUE, deviation, chi2, samples));
        c.problem->alpha = alpha[k];
        AgreedSuccess(FgSolveField(c.problem, &options, &report));
        AgreedSuccess(FgProblemRisk(c.problem, part, 4, 1.0, noise_seed, risk, &freedom));
        for (int p = 0; p < 4; p++) estimated[p] += risk[p] / SEEDS;
        AgreedSuccess(TrueRisk(&c, deviation, risk));
        for (int p = 0; p < 4; p++) actual[p] += risk[p] / SEEDS;
        AgreedSuccess(CaseDestroy(&c));
      }
      for (int p = 0; p < 4; p++) {
        const double error = fabs(estimated[p] - actual[p]);

        if (!(error < 0.06 + 0.1 * actual[p])) {
          print_error("%s, alpha %g, part %d: risk %g, estimated %g\n", regularizers[r], alpha[k], p, actual[p], estimated[p]);
        }
        AgreedTrue(error < 0.06 + 0.1 * actual[p]);
      }
    }
  }
  noise_seed = 1;
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(derivatives_of_the_objective),
      cmocka_unit_test(the_check_notices_a_wrong_gradient),
      cmocka_unit_test(sign_of_directions_is_free),
      cmocka_unit_test(energy_is_the_sum_over_neighbors),
      cmocka_unit_test(quantiles_are_those_of_sorting),
      cmocka_unit_test(pointwise_fit_recovers_the_truth),
      cmocka_unit_test(solvers_agree),
      cmocka_unit_test(bounds_are_kept_exactly),
      cmocka_unit_test(curvature_is_the_change_of_the_gradient),
      cmocka_unit_test(freedom_is_the_trace),
      cmocka_unit_test(risk_is_the_error),
      cmocka_unit_test(covariance_is_the_inverse_near_a_site),
      cmocka_unit_test(a_bound_is_known),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed ? 1 : 0;
}
