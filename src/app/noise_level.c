/* noise_level.c: the noise level of every voxel: a number, a map, repeated b0 volumes or the residuals of the pointwise fit; then
   raised where the model does not describe a voxel. docs/noise.md says which to take when. */
#include "noise_level.h"

#include "finegrain/noise.h"
#include "finegrain/robust.h"
#include "finegrain/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void FillSigma(FgPipeline *p, double sigma)
{
  for (PetscInt i = 0; i < p->domain->nlocal; i++) p->sigma[i] = (float)sigma;
}

/* Rank 0. */
static PetscErrorCode ReadMap(const FgPipeline *p, const char *path, float **map)
{
  const FgGrid *grid = &p->measurement.grid;
  FgImageInfo   info;
  double        distance;

  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(path, &info));
  PetscCheck(info.nvolumes == 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " volumes, expected a noise map of one", path, info.nvolumes);
  distance = FgGridDistance(grid, &info.grid);
  PetscCheck(distance >= 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a noise map of %d x %d x %d voxels, expected %d x %d x %d as in %s", path, (int)info.grid.dims[0],
             (int)info.grid.dims[1], (int)info.grid.dims[2], (int)grid->dims[0], (int)grid->dims[1], (int)grid->dims[2],
             p->files.dwi);
  PetscCheck(distance <= 1e-3, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a noise map whose corners lie up to %.3g voxels off, expected the grid of %s; resample it", path,
             distance, p->files.dwi);
  PetscCall(FgImageRead(path, &info, map));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Voxels of the mask in which a map says nothing (programs leave 0 or NaN where they found no noise level, and values near 0 where
   their window held voxels that were set to 0) take its median. */
static PetscErrorCode FillHoles(FgPipeline *p, const char *path)
{
  const double least = 0.1; /* of the median: no receive coil or acceleration makes so quiet a voxel */
  double       median;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < p->domain->nlocal; i++) {
    if (!(isfinite(p->sigma[i]) && p->sigma[i] > 0.0f)) p->sigma[i] = NAN;
  }
  PetscCall(FgQuantile(p->measurement.comm, p->domain->nlocal, p->sigma, 1, 0.5, &median));
  PetscCheck(isfinite(median), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no positive noise level inside the mask, expected a standard deviation [signal units] in every voxel",
             path);
  p->sigma_filled = 0;
  for (PetscInt i = 0; i < p->domain->nlocal; i++) {
    if (p->sigma[i] >= least * median) continue;
    p->sigma[i] = (float)median;
    p->sigma_filled++;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &p->sigma_filled, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD));
  if (p->sigma_filled) {
    FgLogLine(p->log,
              "noise    %s has no value above a tenth of its median in %d of %d voxels of the mask: they take the median, %.4g",
              path, (int)p->sigma_filled, (int)p->domain->nglobal, median);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadSigmaMap(FgPipeline *p, const char *path)
{
  float         *map  = NULL;
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) code = ReadMap(p, path, &map);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscCall(FgMeasurementScatter(&p->measurement, map, p->sigma));
  PetscCall(PetscFree(map));
  PetscCall(FillHoles(p, path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whitened residuals of site i at the present field and sigma, data->huber without effect. */
static void Residuals(const FgPipeline *p, const PetscScalar *m, PetscInt i, double *residuals)
{
  FgModelSiteResiduals(p->model, &p->problem->data, i, &m[i * (size_t)p->field->ncomponents],
                       p->field->frames ? &p->field->frames[9 * (size_t)i] : NULL, residuals);
}

/* Variance of its samples over sigma^2, at the present field. */
static void Variance(const FgPipeline *p, const PetscScalar *m, PetscInt i, double *variance)
{
  FgModelSiteVariance(p->model, i, &m[i * (size_t)p->field->ncomponents],
                      p->field->frames ? &p->field->frames[9 * (size_t)i] : NULL, variance);
}

/* Degrees of freedom that the sum of squares, or of psi^2/E psi^2, has at site i after the pointwise fit. */
static double Degrees(const FgPipeline *p, PetscInt i, const FgHuberMoments *moments)
{
  return p->samples[i] - moments->freedom * p->field->ncomponents;
}

/* Noise level over the present sigma, from the residuals of the pointwise fit. Of magnitudes each residual counts against the deviation
   that its own mean has; robust, in each voxel by Huber's proposal 2, so that spoiled samples do not count as noise. */
static PetscErrorCode FactorFromResiduals(FgPipeline *p, double threshold, double *factor)
{
  const PetscInt     n = p->domain->nlocal, nc = p->field->ncomponents, nd = p->measurement.ndata;
  const PetscScalar *m;
  double            *residuals, *variance;

  PetscFunctionBegin;
  if (threshold > 0.0 || p->model->rician) {
    const double         bound   = threshold > 0.0 ? threshold : INFINITY;
    const FgHuberMoments moments = FgHuberExpect(bound);

    PetscCall(PetscMalloc2(nd, &residuals, nd, &variance));
    PetscCall(VecGetArrayRead(p->field->m, &m));
    for (PetscInt i = 0; i < n; i++) {
      double scale;

      if (p->samples[i] <= nc || !isfinite(p->chi2[i])) continue;
      Residuals(p, m, i, residuals);
      Variance(p, m, i, variance);
      for (PetscInt k = 0; k < nd; k++) residuals[k] /= sqrt(variance[k]);
      scale      = FgNoiseScale(nd, residuals, Degrees(p, i, &moments), bound, moments.bounded);
      p->chi2[i] = (float)((p->samples[i] - nc) * scale * scale);
    }
    PetscCall(VecRestoreArrayRead(p->field->m, &m));
    PetscCall(PetscFree2(residuals, variance));
  }
  PetscCall(FgNoiseFromResiduals(p->measurement.comm, n, p->chi2, p->samples, nc, factor));
  PetscCheck(
      *factor > 0.0 && isfinite(*factor), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
      "%s: %d samples a voxel for %d unknowns leave no residual to estimate the noise from; give it with --sigma VALUE or take "
      "--orientation dispersed",
      p->files.dwi, (int)p->measurement.ndata, (int)nc);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Noise level from the residuals of a pointwise fit in plain squares with sigma = 1; of magnitudes, whose mean depends on it, and of a
   robust fit, repeated with what it gave until that no longer changes. */
static PetscErrorCode EstimateFromResiduals(FgPipeline *p, PetscBool magnitude, double threshold)
{
  enum { MAX_ROUNDS = 5 };
  const double settled = 0.01, failed = 0.05;
  double       sigma, factor          = 1.0;

  PetscFunctionBegin;
  FillSigma(p, 1.0);
  PetscCall(FgModelSetRician(p->model, PETSC_FALSE, p->sigma));
  PetscCall(FgPipelineFitSites(p, PETSC_FALSE));
  PetscCall(FactorFromResiduals(p, threshold, &sigma));
  FillSigma(p, sigma);
  for (int round = 0; round < MAX_ROUNDS && (magnitude || threshold > 0.0); round++) {
    PetscCall(FgModelSetRician(p->model, magnitude, p->sigma));
    p->problem->data.huber = threshold;
    PetscCall(FgPipelineFitSites(p, PETSC_TRUE));
    PetscCall(FactorFromResiduals(p, threshold, &factor));
    sigma *= factor;
    FillSigma(p, sigma);
    if (fabs(factor - 1.0) < settled) break;
  }
  /* Where the floor of many coils covers the decay, what the model cannot follow passes for noise, which lifts the floor further. */
  PetscCheck(
      fabs(factor - 1.0) < failed, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
      "%s: found no noise level that agrees with the residuals which it leaves, the noise floor hides too much of the signal; "
      "give it with --sigma VALUE, FILE or b0",
      p->files.dwi);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Median over voxels of the variance that the fit expects of the b0 samples, over sigma^2. */
static PetscErrorCode VarianceOfB0(const FgPipeline *p, double *median)
{
  const FgGradients *gradients = &p->measurement.gradients;
  const PetscScalar *m;
  double            *variance;
  float             *mean;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(gradients->n, &variance, p->domain->nlocal, &mean));
  PetscCall(VecGetArrayRead(p->field->m, &m));
  for (PetscInt i = 0; i < p->domain->nlocal; i++) {
    mean[i] = NAN;
    if (p->measurement.status[i] & FG_STATUS_NOT_FITTED) continue;
    mean[i] = 0.0f;
    Variance(p, m, i, variance);
    for (PetscInt k = 0; k < gradients->n; k++) {
      if (gradients->b[k] <= gradients->b0_threshold) mean[i] += (float)(variance[k] / gradients->nb0);
    }
  }
  PetscCall(VecRestoreArrayRead(p->field->m, &m));
  PetscCall(FgQuantile(p->measurement.comm, p->domain->nlocal, mean, 1, 0.5, median));
  PetscCall(PetscFree2(variance, mean));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Repeated b0 volumes show the deviation of a magnitude, which is below that of a channel: put right by the variance that the fit
   expects of them, and fitted again, until that no longer changes. */
static PetscErrorCode CorrectB0(FgPipeline *p)
{
  enum { MAX_ROUNDS = 5 };
  const double settled = 0.01, shown = p->sigma_median;

  PetscFunctionBegin;
  for (int round = 0; round < MAX_ROUNDS; round++) {
    const double before = p->sigma_median;
    double       variance;

    PetscCall(VarianceOfB0(p, &variance));
    if (!(variance > 0.0) || fabs(shown / sqrt(variance) / before - 1.0) < settled) break;
    p->sigma_median = shown / sqrt(variance);
    FillSigma(p, p->sigma_median);
    PetscCall(FgPipelineFitSites(p, PETSC_TRUE));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgNoiseLevelChoose(const FitSettings *s, FgPipeline *p)
{
  const PetscBool magnitude = strcmp(s->noise, "gaussian") ? PETSC_TRUE : PETSC_FALSE;
  const double    threshold = strcmp(s->robust, "huber") ? 0.0 : s->huber_threshold;
  char           *end       = NULL;
  const double    value     = strtod(s->sigma, &end);
  PetscBool       residual = PETSC_FALSE, repeats = PETSC_FALSE;

  PetscFunctionBegin;
  if (s->sigma[0] && end && !*end) {
    PetscCheck(value > 0.0 && isfinite(value), PETSC_COMM_SELF, PETSC_ERR_USER,
               "--sigma %s: expected a positive standard deviation [signal units]", s->sigma);
    FillSigma(p, value);
    PetscCall(PetscStrncpy(p->sigma_source, "given value", sizeof(p->sigma_source)));
  } else if (!strcmp(s->sigma, "b0") || (!s->sigma[0] && p->measurement.gradients.nb0 >= 3)) {
    double sigma;

    if (threshold > 0.0) PetscCall(FgMeasurementSigmaFromB0Pairs(&p->measurement, &sigma));
    else PetscCall(FgMeasurementSigmaFromB0(&p->measurement, &sigma));
    repeats = PETSC_TRUE;
    FillSigma(p, sigma);
    PetscCall(PetscSNPrintf(p->sigma_source, sizeof(p->sigma_source), "%s%d repeated b0 volumes",
                            threshold > 0.0 ? "pairs of " : "", (int)p->measurement.gradients.nb0));
  } else if (!s->sigma[0] || !strcmp(s->sigma, "residual")) {
    residual = PETSC_TRUE;
    PetscCall(EstimateFromResiduals(p, magnitude, threshold));
    PetscCall(PetscStrncpy(p->sigma_source, "residuals of the pointwise fit", sizeof(p->sigma_source)));
  } else {
    PetscCall(ReadSigmaMap(p, s->sigma));
    PetscCall(PetscSNPrintf(p->sigma_source, sizeof(p->sigma_source), "map %s", s->sigma));
  }
  p->problem->data.huber = threshold;
  PetscCall(FgModelSetRician(p->model, magnitude, p->sigma));
  PetscCall(FgQuantile(p->measurement.comm, p->domain->nlocal, p->sigma, 1, 0.5, &p->sigma_median));
  PetscCall(FgPipelineFitSites(p, residual));
  if (repeats && magnitude) PetscCall(CorrectB0(p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Spread of site i over its noise level, 1 where the residual is no more than noise; chi2 becomes twice the misfit at that spread.
   Of a robust fit, psi^2 over its expectation takes the place of the square: a few spoiled samples are the weights' business, and raise
   the level no further than their bound. ratio: of the noise's variance that the residual shows. */
static double SiteSpread(const FgPipeline *p, const PetscScalar *m, PetscInt i, const FgHuberMoments *moments, double *residuals,
                         double *ratio, float *chi2)
{
  const PetscInt n         = p->measurement.ndata;
  const double   threshold = p->problem->data.huber, degrees = Degrees(p, i, moments);
  double         spread, square                              = *chi2;

  if (threshold > 0.0) {
    Residuals(p, m, i, residuals);
    square = FgNoiseBoundedSquares(n, residuals, threshold, moments->bounded);
  }
  *ratio = square / degrees;
  if (!FgNoiseIsOutside(square, degrees)) return 1.0;
  if (!(threshold > 0.0)) {
    *chi2 = (float)degrees;
    return sqrt(*ratio);
  }
  spread = FgNoiseScale(n, residuals, degrees, threshold, moments->bounded);
  *chi2  = 0.0f;
  for (PetscInt k = 0; k < n; k++) {
    const double r = residuals[k] / spread;

    if (!isnan(r)) *chi2 += (float)FgHuberSquare(r, FgHuberBound(r, threshold));
  }
  return spread;
}

/* A voxel that the model does not describe leaves more than noise. In the field's misfit its own residual stands for its noise
   level, so that a few such voxels (vessels, pulsating fluid, motion) neither resist smoothing nor set the weight of the rest. */
PetscErrorCode FgNoiseLevelRaise(FgPipeline *p)
{
  const FgHuberMoments moments = FgHuberExpect(p->problem->data.huber > 0.0 ? p->problem->data.huber : INFINITY);
  const PetscScalar   *m;
  double               sums[4] = {0.0, 0.0, 0.0, 0.0}, *residuals;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(p->measurement.ndata, &residuals));
  PetscCall(VecGetArrayRead(p->field->m, &m));
  for (PetscInt i = 0; i < p->domain->nlocal; i++) {
    const double degrees = p->samples[i] - p->field->ncomponents;
    double       spread, ratio;

    p->spread[i] = p->sigma[i];
    if (p->measurement.status[i] & FG_STATUS_NOT_FITTED || degrees <= 0.0) continue;
    spread = SiteSpread(p, m, i, &moments, residuals, &ratio, &p->chi2[i]);
    sums[1] += degrees;
    sums[2] += degrees * ratio;
    sums[3] += 1.0;
    if (!(spread > 1.0)) continue;
    p->spread[i] = (float)(p->sigma[i] * spread);
    sums[0] += 1.0;
  }
  PetscCall(VecRestoreArrayRead(p->field->m, &m));
  PetscCall(PetscFree(residuals));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 4, MPI_DOUBLE, MPI_SUM, p->measurement.comm));
  p->raised              = sums[3] > 0.0 ? sums[0] / sums[3] : 0.0;
  p->variance            = sums[1] > 0.0 ? sums[2] / sums[1] : 0.0;
  p->problem->data.sigma = p->spread;
  PetscFunctionReturn(PETSC_SUCCESS);
}
