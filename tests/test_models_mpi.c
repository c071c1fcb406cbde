/* test_models_mpi.c: the one table over the forward models. Every model of the list must stand in it; for every closure,
   orientation and noise model it must pass the Taylor test, the dot-product test, and agree with its own fused sums, of squares and of
   Huber's function.
   Also the Cramer-Rao bound of the fiber fraction against its closed form. */
#include "finegrain/batch.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "eit_box.h"
#include "square_array.h"

/* name; has closures and orientations; has magnitude noise; data belong to single sites (test_eit_mpi.c looks closer at the others) */
static const struct {
  const char *name;
  int         tissue, magnitude, pointwise;
} table[] = {{"dwi", 1, 1, 1}, {"dti", 0, 1, 1}, {"tensor", 1, 0, 1}, {"eit", 0, 0, 0}};

static const struct {
  const char *name;
  double      coils; /* 0: Gaussian */
} noises[] = {{"gaussian", 0.0}, {"rician", 1.0}, {"ncchi", 6.5}};

enum { NTABLE = sizeof table / sizeof table[0] };

/* A failed assertion on one rank would hang the others: agree first. */
#define assert_agreed(condition) assert_true(Agreed(condition))
static int Agreed(int mine)
{
  int all;

  MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, PETSC_COMM_WORLD);
  return all;
}

#define ok(call) assert_int_equal((call), 0)

/* Two shells over random directions and three b0 volumes: 27 samples, not a multiple of a vector's length. */
static FgGradients Gradients(void)
{
  enum { N = 27 };
  static double b[N], g[3 * N];
  gsl_rng      *random = gsl_rng_alloc(gsl_rng_mt19937);

  for (int i = 0; i < N; i++) {
    b[i] = i < 3 ? 0.0 : i % 2 ? 1000.0 : 2000.0;
    gsl_ran_dir_3d(random, &g[3 * i], &g[3 * i + 1], &g[3 * i + 2]);
    if (i < 3) memset(&g[3 * i], 0, 3 * sizeof(double));
  }
  gsl_rng_free(random);
  return (FgGradients){.n = N, .b = b, .g = g, .nb0 = 3, .rank = 6};
}

/* 45 masked voxels of a 5 x 4 x 3 grid. */
static FgDomain Domain(void)
{
  const PetscInt dims[3]    = {5, 4, 3};
  const double   spacing[3] = {2.0, 2.0, 2.5};
  PetscInt       voxel[60], n = 0;
  FgDomain       domain;

  for (PetscInt i = 0; i < 60; i++)
    if (i % 4) voxel[n++] = i;
  ok(FgDomainCreateVoxels(PETSC_COMM_WORLD, dims, spacing, n, voxel, &domain));
  return domain;
}

static FgTissue Tissue(const FgClosure *closure, FgOrientation orientation)
{
  return (FgTissue){.closure        = closure,
                    .phases         = {2.8e-3, 1.2e-3, 0.1e-3, 0.7, PETSC_TRUE},
                    .orientation    = orientation,
                    .porosity_lower = 0.0,
                    .porosity_upper = 1.0};
}

/* Parameters inside the box and frames at every site, the same on any number of ranks. */
static void Fill(FgField field)
{
  PetscScalar *m;
  gsl_rng     *random = gsl_rng_alloc(gsl_rng_mt19937);

  ok(VecGetArray(field->m, &m));
  for (PetscInt i = 0; i < field->domain->nlocal; i++) {
    double n[3];

    gsl_rng_set(random, 1 + (unsigned long)(field->domain->first + i));
    gsl_ran_dir_3d(random, &n[0], &n[1], &n[2]);
    if (field->frames) FgChartFrameFromDirection(n, &field->frames[9 * i]);
    for (PetscInt k = 0; k < field->ncomponents; k++) {
      const FgComponent *c = &field->components[k];
      const double       u = gsl_ran_flat(random, 0.25, 0.75);

      if (isfinite(c->lower) && isfinite(c->upper)) m[i * field->ncomponents + k] = c->lower + u * (c->upper - c->lower);
      else if (c->start != 0.0) m[i * field->ncomponents + k] = c->start * (0.5 + u);
      else m[i * field->ncomponents + k] = u - 0.5;
    }
  }
  ok(VecRestoreArray(field->m, &m));
  gsl_rng_free(random);
}

typedef struct {
  FgGradients gradients;
  FgDomain    domain;
  FgModel     model;
  FgField     field;
  float      *sigma, *values;
  FgData      data;
  FgMesh      mesh; /* eit */
  FgEit       eit;
} Case;

/* Four electrodes on two sides of a rectangle. */
static void Electrodes(Case *c)
{
  static const BoxElectrode four[]  = {{0, 0, 0.0, 0.5}, {0, 0, 0.5, 1.0}, {0, 1, 0.0, 0.5}, {0, 1, 0.5, 1.0}};
  const PetscInt            cells[] = {6, 4, 1}, dims[] = {48, 1, 1};
  const double              size[] = {0.2, 0.1, 0.0}, spacing[] = {1.0, 1.0, 1.0};
  const FgEitOptions        options = {.order = 1, .conductivity = 0.3, .conductivity_lower = 0.1, .conductivity_upper = 1.0};
  PetscInt                  voxel[48];

  for (PetscInt i = 0; i < 48; i++) voxel[i] = i;
  c->mesh = BoxMesh(2, cells, size, 4, four);
  c->eit  = BoxEit(4, 4, 0.01, 1.0);
  ok(FgDomainCreateVoxels(PETSC_COMM_WORLD, dims, spacing, 48, voxel, &c->domain));
  ok(FgModelSetEit(c->model, c->eit, c->mesh, &options));
}

static void CaseCreate(const char *name, const FgTissue *tissue, double coils, Case *c)
{
  Vec                d;
  const PetscScalar *array;
  PetscInt           n;

  c->gradients = Gradients();
  c->mesh      = NULL;
  c->eit       = NULL;
  ok(FgModelCreate(PETSC_COMM_WORLD, name, tissue, &c->model));
  if (c->model->ops->global) Electrodes(c);
  else c->domain = Domain();
  n        = PetscMax(100, c->domain->nlocal);
  c->sigma = malloc((size_t)n * sizeof(float));
  if (c->model->ops->magnitude) ok(FgModelSetGradients(c->model, &c->gradients, 1000.0));
  for (PetscInt i = 0; i < n; i++) c->sigma[i] = c->model->ops->magnitude ? 100.0f + 2.0f * i : 1e-5f;
  if (coils > 0.0) ok(FgModelSetCoils(c->model, coils));
  ok(FgModelSetRician(c->model, coils > 0.0 ? PETSC_TRUE : PETSC_FALSE, c->sigma));
  ok(FgModelSetup(c->model));
  ok(FgFieldCreate(c->domain, c->model->ncomponents, c->model->components, &c->field));
  ok(FgModelSetField(c->model, c->field));
  Fill(c->field);
  /* Data: the prediction, disturbed, with every seventh sample left out. */
  ok(FgModelCreateDataVec(c->model, &d));
  ok(FgModelApply(c->model, c->field->m, d));
  c->data = (FgData){.nlocal = c->domain->nlocal, .ndata = c->model->ndata, .sigma = c->sigma};
  if (c->eit) c->data.nlocal = c->model->ndatalocal;
  if (c->eit) c->data.ndata = 1;
  c->values = malloc((size_t)(c->data.nlocal * c->data.ndata) * sizeof(float));
  ok(VecGetArrayRead(d, &array));
  for (PetscInt i = 0; i < c->data.nlocal * c->data.ndata; i++)
    c->values[i] = i % 7 == 3 ? NAN : (float)(array[i] + c->sigma[i / c->data.ndata] * sin(1.0 + i));
  ok(VecRestoreArrayRead(d, &array));
  ok(VecDestroy(&d));
  c->data.values = c->values;
}

static void CaseDestroy(Case *c)
{
  ok(FgModelDestroy(&c->model));
  ok(FgFieldDestroy(&c->field));
  ok(FgDomainDestroy(&c->domain));
  if (c->mesh) BoxMeshFree(c->mesh);
  if (c->eit) BoxEitFree(c->eit);
  free(c->sigma);
  free(c->values);
}

/* The closures: every formula, and an instance that interpolates a small table for the phases of the tests. */
static const FgClosure *interpolated;

static const FgClosure *Closure(int k)
{
  int n = 0;

  while (FgClosures[n]) n++;
  return k < n ? FgClosures[k] : k == n ? interpolated : NULL;
}

static int CreateInterpolated(void **state)
{
  static const double   contrasts[] = {0.01, 0.03, 0.1, 0.3};
  const FgPhases        phases      = Tissue(NULL, FG_ALIGNED).phases;
  FgHomogenizationTable cells;

  (void)state;
  TableFill(&cells, 8, 0.05, 0.7, 4, contrasts, SquareArray, TableMean);
  return FgClosureFromTable(&cells, &phases, &interpolated) || FgHomogenizationTableDestroy(&cells);
}

static int DestroyInterpolated(void **state)
{
  (void)state;
  return FgClosureDestroy(&interpolated);
}

/* Calls `test` for everything in the table, or for its pointwise models, with a label. */
static void EachCaseOf(int pointwise, void (*test)(Case *, const char *label))
{
  for (int t = 0; t < NTABLE; t++) {
    if (pointwise && !table[t].pointwise) continue;
    for (int k = 0; Closure(k) && (table[t].tissue || k == 0); k++) {
      for (int o = 0; FgOrientations[o] && (table[t].tissue || o == 0); o++) {
        for (int n = 0; n < (table[t].magnitude ? 3 : 1); n++) {
          const FgTissue tissue = Tissue(Closure(k), (FgOrientation)o);
          char           label[128];
          Case           c;

          snprintf(label, sizeof label, "%s %s %s %s", table[t].name, Closure(k)->name, FgOrientations[o], noises[n].name);
          CaseCreate(table[t].name, &tissue, noises[n].coils, &c);
          test(&c, label);
          CaseDestroy(&c);
        }
      }
    }
  }
}

static void EachCase(void (*test)(Case *, const char *label))
{
  EachCaseOf(0, test);
}

static void EachPointwiseCase(void (*test)(Case *, const char *label))
{
  EachCaseOf(1, test);
}

static void every_model_is_in_the_table(void **state)
{
  (void)state;
  for (int i = 0; FgModels[i]; i++) {
    int found = 0;

    for (int t = 0; t < NTABLE; t++) found += !strcmp(FgModels[i]->name, table[t].name);
    if (found != 1) print_error("model %s is not in the table\n", FgModels[i]->name);
    assert_int_equal(found, 1);
  }
}

static void CheckDerivatives(Case *c, const char *label)
{
  FgModelCheckResult r;

  ok(FgModelCheck(c->model, c->field->m, 17, &r));
  if (!(r.taylor_slope[0] > 1.9 && r.taylor_slope[1] < 2.1 && r.taylor_decades >= 2.0 && r.dot_product < 1e-13))
    print_error("%s: order %g .. %g over %g decades, dot product %g\n", label, r.taylor_slope[0], r.taylor_slope[1],
                r.taylor_decades, r.dot_product);
  assert_agreed(r.taylor_slope[0] > 1.9 && r.taylor_slope[1] < 2.1);
  assert_agreed(r.taylor_decades >= 2.0);
  assert_agreed(r.dot_product < 1e-13);
}

static void derivatives_and_transposes(void **state)
{
  (void)state;
  EachCase(CheckDerivatives);
}

/* The check must be able to fail: F of one model with J at another point. */
static FgSiteFunction honest;
static void           WrongSite(const void *context, const double *m, const double frame[9], double *prediction, double *jacobian,
                                PetscInt stride)
{
  honest(context, m, frame, prediction, jacobian, stride);
  for (PetscInt i = 0; jacobian && i < stride; i++) jacobian[i] *= 1.001; /* porosity row, 0.1 % wrong */
}

static void a_wrong_jacobian_is_found(void **state)
{
  const FgTissue     tissue = Tissue(FgClosureFind("hs2d"), FG_DISPERSED);
  FgModelCheckResult r;
  Case               c;

  (void)state;
  CaseCreate("dwi", &tissue, 0.0, &c);
  honest        = c.model->site;
  c.model->site = WrongSite;
  ok(FgModelCheck(c.model, c.field->m, 17, &r));
  assert_agreed(r.taylor_slope[0] < 1.5);
  CaseDestroy(&c);
}

/* The block of each site, times v, is the action y. */
static void CheckBlocks(Case *c, Vec v, Vec y)
{
  const FgModel      model = c->model;
  const PetscInt     n     = model->ncomponents;
  const PetscScalar *varray, *marray, *array;
  double             worst = 0.0;

  ok(VecGetArrayRead(v, &varray));
  ok(VecGetArrayRead(c->field->m, &marray));
  ok(VecGetArrayRead(y, &array));
  for (PetscInt i = 0; i < c->data.nlocal; i++) {
    double         misfit, gradient[8], H[64], scale = 0.0, error = 0.0;
    PetscInt       expected_used = 0;
    const PetscInt used = FgModelSite(model, &c->data, i, &marray[i * n], c->field->frames ? &c->field->frames[9 * i] : NULL,
                                      &misfit, gradient, H);

    for (PetscInt s = 0; s < model->ndata; s++) expected_used += !isnan(c->values[i * model->ndata + s]);
    if (used != expected_used) worst = 1.0;
    for (PetscInt a = 0; a < n; a++) {
      double Hv = 0.0;

      for (PetscInt b = 0; b < n; b++) Hv += H[a * n + b] * varray[i * n + b];
      error = fmax(error, fabs(Hv - array[i * n + a]));
      scale = fmax(scale, fabs(array[i * n + a]));
    }
    worst = fmax(worst, error / scale);
  }
  ok(VecRestoreArrayRead(y, &array));
  ok(VecRestoreArrayRead(c->field->m, &marray));
  ok(VecRestoreArrayRead(v, &varray));
  assert_agreed(worst < 1e-11);
}

/* Misfit, gradient and Gauss-Newton action from F, J v and J^T w with explicit weights, of residuals of up to one sigma. */
static void CheckSums(Case *c, double huber)
{
  FgModel        model = c->model;
  Vec            d, g, reference, v, y, Jv;
  PetscReal      f, sum = 0.0, expected, norm, difference;
  PetscScalar   *array, *weighted;
  const PetscInt total = c->data.nlocal * c->data.ndata;
  double         bound = huber > 0.0 ? huber : INFINITY, *weight = malloc((size_t)total * sizeof(double));
  PetscInt       outside = 0;

  c->data.huber = huber;
  ok(FgModelCreateDataVec(model, &d));
  ok(VecDuplicate(d, &Jv));
  ok(VecDuplicate(c->field->m, &g));
  ok(VecDuplicate(c->field->m, &v));
  ok(VecDuplicate(c->field->m, &y));
  ok(VecDuplicate(c->field->m, &reference));
  ok(FgModelApply(model, c->field->m, d));
  ok(VecGetArray(d, &array));
  for (PetscInt i = 0; i < total; i++) {
    const double sigma = c->sigma[i / c->data.ndata], r = (array[i] - c->values[i]) / sigma;

    weight[i] = isnan(r) ? 0.0 : fmin(1.0, bound / fabs(r));
    array[i]  = isnan(r) ? 0.0 : weight[i] * r / sigma;
    sum += isnan(r) ? 0.0 : fabs(r) <= bound ? 0.5 * r * r : bound * fabs(r) - 0.5 * bound * bound;
    outside += weight[i] > 0.0 && weight[i] < 1.0;
  }
  assert_agreed((outside > total / 10) == (huber > 0.0));
  ok(VecRestoreArray(d, &array));
  MPI_Allreduce(&sum, &expected, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
  ok(FgModelAdjoint(model, d, reference));

  ok(FgModelMisfit(model, &c->data, c->field->m, &f, g));
  assert_agreed(fabs(f - expected) < 1e-12 * expected);
  ok(VecNorm(reference, NORM_2, &norm));
  ok(VecAXPY(g, -1.0, reference));
  ok(VecNorm(g, NORM_2, &difference));
  assert_agreed(norm > 0.0 && difference < 1e-12 * norm);

  ok(VecCopy(reference, v)); /* any direction will do */
  ok(FgModelTangent(model, v, Jv));
  ok(VecGetArray(Jv, &weighted));
  for (PetscInt i = 0; i < total; i++) weighted[i] *= weight[i] / PetscSqr((double)c->sigma[i / c->data.ndata]);
  ok(VecRestoreArray(Jv, &weighted));
  ok(FgModelAdjoint(model, Jv, reference));
  ok(FgModelGaussNewton(model, &c->data, v, y));
  ok(VecNorm(reference, NORM_2, &norm));
  ok(VecAXPY(reference, -1.0, y));
  ok(VecNorm(reference, NORM_2, &difference));
  assert_agreed(norm > 0.0 && difference < 1e-12 * norm);

  /* The block of each site, times v, is that action. */
  if (!model->ops->global) CheckBlocks(c, v, y);

  free(weight);
  ok(VecDestroy(&d));
  ok(VecDestroy(&Jv));
  ok(VecDestroy(&g));
  ok(VecDestroy(&v));
  ok(VecDestroy(&y));
  ok(VecDestroy(&reference));
}

static void CheckFused(Case *c, const char *label)
{
  const FgModelCounts *counts = &c->model->counts;

  (void)label;
  CheckSums(c, 0.0);
  assert_int_equal(counts->apply, 3); /* one to make the data, one here, one in the misfit */
  assert_int_equal(counts->tangent, 2);
  assert_int_equal(counts->adjoint, 4);
  CheckSums(c, 0.5);
}

static void fused_sums_agree_with_the_actions(void **state)
{
  (void)state;
  EachCase(CheckFused);
}

/* Sites side by side give what each gives by itself, in any lane and in any company; an empty lane gives nothing. */
static void CheckBatchSums(Case *c, const char *label, double huber)
{
  const FgModel      model = c->model;
  const PetscInt     n = model->ncomponents, nsites = c->data.nlocal;
  const PetscScalar *m;
  FgBatch            batch;
  double             worst = 0.0;

  c->data.huber = huber;
  ok(FgFieldRecenter(c->field));
  ok(VecGetArrayRead(c->field->m, &m));
  ok(FgBatchCreate(model, &batch));
  for (PetscInt first = 0; first + FG_LANES / 2 <= nsites; first += 5) {
    FgBatchPoint point, other;

    for (int l = 0; l < FG_LANES; l++) {
      const PetscInt i = l % 3 == 2 ? -1 : first + l / 2;

      FgBatchLoad(batch, &c->data, l, i);
      for (PetscInt a = 0; a < n; a++) point.m[a][l] = m[(i < 0 ? first : i) * n + a];
      for (int k = 0; k < 9 && c->field->frames; k++) point.frame[k][l] = c->field->frames[9 * (i < 0 ? first : i) + k];
    }
    other = point;
    FgBatchEvaluate(batch, &point, PETSC_TRUE);
    FgBatchEvaluate(batch, &other, PETSC_FALSE);
    for (int l = 0; l < FG_LANES; l++) {
      const PetscInt i      = l % 3 == 2 ? -1 : first + l / 2;
      double         misfit = 0.0, gradient[8] = {0}, H[64] = {0};

      if (i >= 0)
        FgModelSite(model, &c->data, i, &m[i * n], c->field->frames ? &c->field->frames[9 * i] : NULL, &misfit, gradient, H);
      if (point.misfit[l] != other.misfit[l]) worst = INFINITY;
      worst = fmax(worst, fabs(point.misfit[l] - misfit) / (1.0 + misfit));
      for (PetscInt a = 0; a < n; a++) {
        const double scale = sqrt(H[a * n + a]) + 1e-300;

        worst = fmax(worst, fabs(point.gradient[a][l] - gradient[a]) / (scale * sqrt(1.0 + misfit)));
        for (PetscInt b = 0; b <= a; b++)
          worst = fmax(worst, fabs(point.hessian[FG_BLOCK(a, b)][l] - H[a * n + b]) / (scale * (sqrt(H[b * n + b]) + 1e-300)));
      }
    }
  }
  ok(FgBatchDestroy(&batch));
  ok(VecRestoreArrayRead(c->field->m, &m));
  if (!(worst < 1e-11)) print_error("%s: batch differs from its sites by %g\n", label, worst);
  assert_agreed(worst < 1e-11);
}

static void CheckBatch(Case *c, const char *label)
{
  CheckBatchSums(c, label, 0.0);
  CheckBatchSums(c, label, 1.0);
}

static void batch_agrees_with_its_sites(void **state)
{
  (void)state;
  EachPointwiseCase(CheckBatch);
}

/* From noiseless data the start value reproduces the data, and it refuses a voxel without enough samples. */
static void CheckStart(Case *c, const char *label)
{
  FgModel            model = c->model;
  Vec                d;
  const PetscScalar *array;
  double             worst   = 0.0;
  PetscBool          refused = PETSC_TRUE;

  if (!strstr(label, "gaussian")) return; /* the start ignores the noise floor */
  ok(FgModelCreateDataVec(model, &d));
  ok(FgModelApply(model, c->field->m, d));
  ok(VecGetArrayRead(d, &array));
  for (PetscInt i = 0; i < c->data.nlocal; i++) {
    float        values[64], nothing[64];
    FgBatch      batch;
    FgBatchPoint point;
    FgLanes      usable;

    for (PetscInt s = 0; s < model->ndata; s++) {
      values[s]  = (float)array[i * model->ndata + s];
      nothing[s] = s < 5 ? values[s] : NAN;
    }
    const FgData data = {.nlocal = 1, .ndata = model->ndata, .values = values, .sigma = c->sigma};
    const FgData none = {.nlocal = 1, .ndata = model->ndata, .values = nothing, .sigma = c->sigma};
    ok(FgBatchCreate(model, &batch));
    for (int l = 0; l < FG_LANES; l++) FgBatchLoad(batch, l % 2 ? &none : &data, l, 0);
    FgBatchStart(batch, &point, usable);
    for (int l = 0; l < FG_LANES; l++) {
      if (l % 2) refused = refused && usable[l] == 0.0;
      else if (usable[l] == 0.0) worst = INFINITY;
    }
    FgBatchEvaluate(batch, &point, PETSC_FALSE);
    worst = fmax(worst, sqrt(2.0 * point.misfit[0] / model->ndata));
    ok(FgBatchDestroy(&batch));
  }
  ok(VecRestoreArrayRead(d, &array));
  ok(VecDestroy(&d));
  if (worst > 0.05) print_error("%s: start misses noiseless data by %g sigma\n", label, worst);
  assert_agreed(worst < 0.05);
  assert_agreed(refused);
}

/* Whitened residuals, and the variance of a magnitude from the signal and its mean. */
static void CheckSamples(Case *c, const char *label)
{
  FgModel            model = c->model;
  const PetscInt     n = model->ncomponents, nd = model->ndata;
  const PetscScalar *marray, *signal, *mean;
  Vec                d, s;
  int                right = 1;

  ok(FgModelCreateDataVec(model, &d));
  ok(VecDuplicate(d, &s));
  ok(FgModelApply(model, c->field->m, d));
  ok(FgModelSetRician(model, PETSC_FALSE, c->sigma));
  ok(FgModelApply(model, c->field->m, s));
  ok(FgModelSetRician(model, strstr(label, "gaussian") ? PETSC_FALSE : PETSC_TRUE, c->sigma));
  ok(VecGetArrayRead(c->field->m, &marray));
  ok(VecGetArrayRead(d, &mean));
  ok(VecGetArrayRead(s, &signal));
  for (PetscInt i = 0; i < c->data.nlocal; i++) {
    const double *frame = c->field->frames ? &c->field->frames[9 * i] : NULL, sigma = c->sigma[i];
    double        residuals[64], variance[64];

    FgModelSiteResiduals(model, &c->data, i, &marray[i * n], frame, residuals);
    FgModelSiteVariance(model, i, &marray[i * n], frame, variance);
    for (PetscInt k = 0; k < nd; k++) {
      const double value = c->values[i * nd + k], S = signal[i * nd + k], M = mean[i * nd + k], r = (M - value) / sigma;
      const double expected = model->rician ? (S * S - M * M) / (sigma * sigma) + 2.0 * model->coils : 1.0;

      right = right && (isnan(value) ? isnan(residuals[k]) : fabs(residuals[k] - r) < 1e-9);
      right = right && fabs(variance[k] - expected) < 1e-9 && variance[k] > 0.4 && variance[k] <= 1.0;
    }
  }
  ok(VecRestoreArrayRead(s, &signal));
  ok(VecRestoreArrayRead(d, &mean));
  ok(VecRestoreArrayRead(c->field->m, &marray));
  ok(VecDestroy(&s));
  ok(VecDestroy(&d));
  if (!right) print_error("%s: residuals or variances of samples\n", label);
  assert_agreed(right);
}

static void samples_are_whitened_and_know_their_variance(void **state)
{
  (void)state;
  EachPointwiseCase(CheckSamples);
}

static void start_reproduces_noiseless_data(void **state)
{
  (void)state;
  EachPointwiseCase(CheckStart);
}

/* Standard deviation of phi with the axis unknown, D_f = 2, D_e = 0.5, 0.01 on each tensor element [um^2/ms]: the two-digit
   table in docs/theory.md (inverse problem). The axis is orthogonal to phi, so the closed form is 0.01/|dC/dphi|. */
static void cramer_rao_of_the_fiber_fraction(void **state)
{
  static const double phi[] = {0.05, 0.2, 0.5, 0.8, 0.95}, published[] = {0.0062, 0.0060, 0.0049, 0.0027, 0.0015};
  FgTissue            tissue    = Tissue(FgClosureFind("series"), FG_ALIGNED);
  const double        frame[9]  = {0.36, 0.48, -0.8, -0.8, 0.6, 0.0, 0.48, 0.64, 0.6};
  const float         values[6] = {0}, sigma = 0.01e-3f;
  const FgData        data = {.nlocal = 1, .ndata = 6, .values = values, .sigma = &sigma};
  FgModel             model;

  (void)state;
  tissue.phases = (FgPhases){0.5e-3, 2e-3, 2e-3, 1.0, PETSC_FALSE};
  ok(FgModelCreate(PETSC_COMM_SELF, "tensor", &tissue, &model));
  ok(FgModelSetup(model));
  for (int i = 0; i < 5; i++) {
    const double m[3] = {1.0 - phi[i], 0.2, -0.3};
    double       f, g[3], H[9];

    FgModelSite(model, &data, 0, m, frame, &f, g, H);
    /* The inverse's (0,0) element by the Schur complement. */
    const double det      = H[4] * H[8] - H[5] * H[5];
    const double schur    = H[0] - (H[1] * (H[8] * H[1] - H[5] * H[2]) + H[2] * (H[4] * H[2] - H[5] * H[1])) / det;
    const double harmonic = 1.0 / (phi[i] / 2.0 + (1.0 - phi[i]) / 0.5);
    const double closed   = 0.01 / sqrt(1.5 * 1.5 + 2.0 * PetscSqr(harmonic * harmonic * 1.5));

    assert_true(fabs(1.0 / sqrt(schur) - closed) < 1e-6 * closed);
    assert_true(fabs(1.0 / sqrt(schur) - published[i]) < 0.51e-4);
  }
  ok(FgModelDestroy(&model));
}

static void misuse_is_named(void **state)
{
  const FgTissue tissue = Tissue(FgClosureFind("hs2d"), FG_ALIGNED);
  FgModel        model;
  const float    sigma = 1.0f;

  (void)state;
  ok(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  assert_int_equal(FgModelCreate(PETSC_COMM_SELF, "nothing", &tissue, &model), PETSC_ERR_USER);
  ok(FgModelCreate(PETSC_COMM_SELF, "dwi", &tissue, &model));
  assert_int_equal(FgModelSetup(model), PETSC_ERR_ORDER);
  ok(FgModelDestroy(&model));
  ok(FgModelCreate(PETSC_COMM_SELF, "tensor", &tissue, &model));
  assert_int_equal(FgModelSetRician(model, PETSC_TRUE, &sigma), PETSC_ERR_USER);
  assert_int_equal(FgModelSetCoils(model, 4.0), PETSC_ERR_USER);
  ok(FgModelDestroy(&model));
  ok(PetscPopErrorHandler());
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_model_is_in_the_table),
      cmocka_unit_test(derivatives_and_transposes),
      cmocka_unit_test(a_wrong_jacobian_is_found),
      cmocka_unit_test(fused_sums_agree_with_the_actions),
      cmocka_unit_test(batch_agrees_with_its_sites),
      cmocka_unit_test(samples_are_whitened_and_know_their_variance),
      cmocka_unit_test(start_reproduces_noiseless_data),
      cmocka_unit_test(cramer_rao_of_the_fiber_fraction),
      cmocka_unit_test(misuse_is_named),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, CreateInterpolated, DestroyInterpolated);
  return PetscFinalize() || failed;
}
