/* pointwise.c: models whose data belong to single sites: a pure function of one site becomes F, J v, J^T w, and the fused
   sums of a least-squares misfit. J exists for one site at a time, in model->work, and is never stored; nothing is allocated
   after setup. */
#include "pointwise.h"
#include "magnitude.h"
#include "tissue_lanes.h"

#include "finegrain/batch.h"
#include "finegrain/robust.h"

PetscErrorCode FgPointwiseSetup(FgModel model)
{
  PetscFunctionBegin;
  model->stride = (model->ndata + FG_SIMD_LANES - 1) / FG_SIMD_LANES * FG_SIMD_LANES;
  PetscCall(PetscCalloc1(FG_ROWS * (size_t)model->stride, &model->work));
  PetscCall(FgBatchCreate(model, &model->batch));
  if (model->ops->magnitude) PetscCall(FgMagnitudeCreate(model->coils > 0.0 ? model->coils : 1.0, &model->mean));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPointwiseDestroy(FgModel model)
{
  PetscFunctionBegin;
  PetscCall(FgBatchDestroy(&model->batch));
  PetscCall(PetscFree(model->mean));
  PetscCall(PetscFree(model->table));
  PetscCall(PetscFree(model->work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double *Row(FgModel model, int row)
{
  return &model->work[(size_t)row * model->stride];
}

static const double *Frame(FgModel model, PetscInt site)
{
  return model->field->frames ? &model->field->frames[9 * (size_t)site] : NULL;
}

/* Prediction and, if wanted, Jacobian of one site into their rows. */
static void Evaluate(FgModel model, PetscInt site, const double *m, const double *frame, PetscBool jacobian)
{
  const PetscInt stride       = model->stride;
  double *restrict prediction = Row(model, FG_ROW_PREDICTION), *restrict J = Row(model, FG_ROW_JACOBIAN);

  model->site(model->context, m, frame, prediction, jacobian ? J : NULL, stride);
  if (!model->rician) return;
  const double *restrict slope = Row(model, FG_ROW_SLOPE);

  FgMagnitudeMean(model->mean, stride, prediction, model->sigma[site], prediction, Row(model, FG_ROW_SLOPE));
  for (PetscInt a = 0; jacobian && a < model->ncomponents; a++) {
#pragma omp simd
    for (PetscInt i = 0; i < stride; i++) J[a * stride + i] *= slope[i];
  }
}

/* residual = prediction - value and mask = 1; both 0 where the value is left out and in the padding.
   Returns the sum of squares; used = the number of samples. */
FG_SIMD_CLONES
static double Residual(PetscInt ndata, PetscInt stride, const float *restrict values, const double *restrict prediction,
                       double *restrict residual, double *restrict mask, double *used)
{
  double sum = 0.0, count = 0.0;

#pragma omp simd reduction(+ : sum, count)
  for (PetscInt i = 0; i < ndata; i++) {
    const double value = values[i], difference = prediction[i] - value;
    const int    use = value == value;

    residual[i] = use ? difference : 0.0;
    mask[i]     = use ? 1.0 : 0.0;
    sum += residual[i] * residual[i];
    count += mask[i];
  }
  for (PetscInt i = ndata; i < stride; i++) residual[i] = mask[i] = 0.0;
  *used = count;
  return sum;
}

/* Huber's function on the rows of Residual: the residual is bounded to the limit [data unit], the mask becomes the weight. Returns
   the sum of 2 rho. */
FG_SIMD_CLONES
static double Bound(PetscInt stride, double limit, double *restrict residual, double *restrict mask)
{
  double sum = 0.0;

#pragma omp simd reduction(+ : sum)
  for (PetscInt i = 0; i < stride; i++) {
    const double difference = residual[i], bounded = FgHuberBound(difference, limit);

    sum += FgHuberSquare(difference, bounded);
    residual[i] = bounded;
    mask[i] *= FgHuberWeight(difference, limit);
  }
  return sum;
}

/* Residual and mask of a site at its prediction, bounded and weighted if the data are to be fitted robustly. Returns the sum of
   squares, or of 2 rho [data unit^2]. */
static double SiteResidual(FgModel model, const FgData *data, PetscInt site, double *used)
{
  const PetscInt ndata = model->ndata, stride = model->stride;
  double        *residual = Row(model, FG_ROW_RESIDUAL), *mask = Row(model, FG_ROW_MASK);
  const double   sum = Residual(ndata, stride, &data->values[(size_t)site * ndata], Row(model, FG_ROW_PREDICTION), residual, mask,
                                used);

  return data->huber > 0.0 ? Bound(stride, data->huber * data->sigma[site], residual, mask) : sum;
}

/* gradient = scale J^T r, hessian = scale J^T M J; M is 0, a weight or 1, and r is 0 where M is. */
FG_SIMD_CLONES
static void Accumulate(PetscInt n, PetscInt stride, double scale, const double *restrict J, const double *restrict residual,
                       const double *restrict mask, double *gradient, double *hessian)
{
  for (PetscInt a = 0; gradient && a < n; a++) {
    const double *restrict Ja = &J[a * stride];
    double sum                = 0.0;

#pragma omp simd reduction(+ : sum)
    for (PetscInt i = 0; i < stride; i++) sum += Ja[i] * residual[i];
    gradient[a] = scale * sum;
  }
  for (PetscInt a = 0; hessian && a < n; a++) {
    const double *restrict Ja = &J[a * stride];

    for (PetscInt b = 0; b <= a; b++) {
      const double *restrict Jb = &J[b * stride];
      double sum                = 0.0;

#pragma omp simd reduction(+ : sum)
      for (PetscInt i = 0; i < stride; i++) sum += mask[i] * Ja[i] * Jb[i];
      hessian[a * n + b] = hessian[b * n + a] = scale * sum;
    }
  }
}

/* t = J v over the samples. */
FG_SIMD_CLONES
static void Multiply(PetscInt n, PetscInt stride, const double *restrict J, const double *v, double *restrict t)
{
  for (PetscInt i = 0; i < stride; i++) t[i] = 0.0;
  for (PetscInt a = 0; a < n; a++) {
    const double *restrict Ja = &J[a * stride];

#pragma omp simd
    for (PetscInt i = 0; i < stride; i++) t[i] += Ja[i] * v[a];
  }
}

PetscInt FgModelSite(FgModel model, const FgData *data, PetscInt site, const double *m, const double frame[9], double *misfit,
                     double *gradient, double *hessian)
{
  const double sigma = data->sigma[site], scale = 1.0 / (sigma * sigma);
  double       used;

  Evaluate(model, site, m, frame, (gradient || hessian) ? PETSC_TRUE : PETSC_FALSE);
  *misfit = 0.5 * scale * SiteResidual(model, data, site, &used);
  if (gradient || hessian) {
    Accumulate(model->ncomponents, model->stride, scale, Row(model, FG_ROW_JACOBIAN), Row(model, FG_ROW_RESIDUAL),
               Row(model, FG_ROW_MASK), gradient, hessian);
  }
  return (PetscInt)used;
}

void FgModelSiteResiduals(FgModel model, const FgData *data, PetscInt site, const double *m, const double frame[9],
                          double *residuals)
{
  const double *prediction = Row(model, FG_ROW_PREDICTION), inverse = 1.0 / data->sigma[site];

  Evaluate(model, site, m, frame, PETSC_FALSE);
  for (PetscInt i = 0; i < model->ndata; i++) {
    residuals[i] = (prediction[i] - data->values[(size_t)site * model->ndata + i]) * inverse;
  }
}

void FgModelSiteVariance(FgModel model, PetscInt site, const double *m, const double frame[9], double *variance)
{
  const double  coils = model->coils > 0.0 ? model->coils : 1.0, sigma = model->rician ? model->sigma[site] : 1.0;
  double *const signal = Row(model, FG_ROW_PREDICTION), *const mean = Row(model, FG_ROW_RESIDUAL);

  model->site(model->context, m, frame, signal, NULL, model->stride);
  if (model->rician) FgMagnitudeMean(model->mean, model->stride, signal, sigma, mean, Row(model, FG_ROW_SLOPE));
  for (PetscInt i = 0; i < model->ndata; i++) {
    variance[i] = model->rician ? (signal[i] * signal[i] - mean[i] * mean[i]) / (sigma * sigma) + 2.0 * coils : 1.0;
  }
}

PetscErrorCode FgPointwiseApply(FgModel model, Vec m, Vec d)
{
  const PetscInt     n = model->ncomponents, ndata = model->ndata;
  const PetscScalar *marray;
  PetscScalar       *darray;

  PetscFunctionBegin;
  PetscCall(VecCopy(m, model->state));
  PetscCall(VecGetArrayRead(m, &marray));
  PetscCall(VecGetArrayWrite(d, &darray));
  for (PetscInt site = 0; site < model->field->domain->nlocal; site++) {
    Evaluate(model, site, &marray[(size_t)site * n], Frame(model, site), PETSC_FALSE);
    PetscCall(PetscArraycpy(&darray[(size_t)site * ndata], Row(model, FG_ROW_PREDICTION), ndata));
  }
  PetscCall(VecRestoreArrayWrite(d, &darray));
  PetscCall(VecRestoreArrayRead(m, &marray));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPointwiseTangent(FgModel model, Vec v, Vec Jv)
{
  const PetscInt     n = model->ncomponents, ndata = model->ndata;
  const PetscScalar *state, *varray;
  PetscScalar       *darray;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(model->state, &state));
  PetscCall(VecGetArrayRead(v, &varray));
  PetscCall(VecGetArrayWrite(Jv, &darray));
  for (PetscInt site = 0; site < model->field->domain->nlocal; site++) {
    Evaluate(model, site, &state[(size_t)site * n], Frame(model, site), PETSC_TRUE);
    Multiply(n, model->stride, Row(model, FG_ROW_JACOBIAN), &varray[(size_t)site * n], Row(model, FG_ROW_RESIDUAL));
    PetscCall(PetscArraycpy(&darray[(size_t)site * ndata], Row(model, FG_ROW_RESIDUAL), ndata));
  }
  PetscCall(VecRestoreArrayWrite(Jv, &darray));
  PetscCall(VecRestoreArrayRead(v, &varray));
  PetscCall(VecRestoreArrayRead(model->state, &state));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPointwiseAdjoint(FgModel model, Vec w, Vec Jtw)
{
  const PetscInt     n = model->ncomponents, ndata = model->ndata;
  const PetscScalar *state, *warray;
  PetscScalar       *array;
  double            *row = Row(model, FG_ROW_RESIDUAL);

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(model->state, &state));
  PetscCall(VecGetArrayRead(w, &warray));
  PetscCall(VecGetArrayWrite(Jtw, &array));
  PetscCall(PetscArrayzero(row, model->stride));
  for (PetscInt site = 0; site < model->field->domain->nlocal; site++) {
    Evaluate(model, site, &state[(size_t)site * n], Frame(model, site), PETSC_TRUE);
    PetscCall(PetscArraycpy(row, &warray[(size_t)site * ndata], ndata));
    Accumulate(n, model->stride, 1.0, Row(model, FG_ROW_JACOBIAN), row, NULL, &array[(size_t)site * n], NULL);
  }
  PetscCall(VecRestoreArrayWrite(Jtw, &array));
  PetscCall(VecRestoreArrayRead(w, &warray));
  PetscCall(VecRestoreArrayRead(model->state, &state));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckData(FgModel model, const FgData *data)
{
  PetscFunctionBegin;
  PetscCheck(data->nlocal == model->field->domain->nlocal && data->ndata == model->ndata, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
             "model %s: data of %" PetscInt_FMT " sites with %" PetscInt_FMT " samples, expected %" PetscInt_FMT
             " sites with %" PetscInt_FMT " samples",
             model->ops->name, data->nlocal, data->ndata, model->field->domain->nlocal, model->ndata);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether the charts of `count` sites are centered, as batches want them. */
static PetscBool Centered(FgField field, int count, const PetscScalar *m)
{
  for (PetscInt i = 0; i < count; i++) {
    for (PetscInt c = 0; c < field->ntangent; c++) {
      if (m[i * field->ncomponents + field->tangent + c] != 0.0) return PETSC_FALSE;
    }
  }
  return PETSC_TRUE;
}

void FgModelSites(FgModel model, const FgData *data, PetscInt first, int count, const PetscScalar *m, PetscBool derivatives,
                  FgBatchPoint *point, PetscInt used[])
{
  const PetscInt n = model->ncomponents;

  if (Centered(model->field, count, m)) {
    FgBatchLoadSites(model->batch, data, first, count, m, point, used);
    FgBatchEvaluate(model->batch, point, derivatives);
    return;
  }
  for (int l = 0; l < count; l++) {
    double         gradient[FG_MAX_COMPONENTS], block[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS];
    const PetscInt samples = FgModelSite(model, data, first + l, &m[l * n], Frame(model, first + l), &point->misfit[l],
                                         derivatives ? gradient : NULL, derivatives ? block : NULL);

    if (used) used[l] = samples;
    for (PetscInt a = 0; a < n && derivatives; a++) {
      point->gradient[a][l] = gradient[a];
      for (PetscInt b = 0; b <= a; b++) point->hessian[FG_BLOCK(a, b)][l] = block[a * n + b];
    }
  }
}

PetscErrorCode FgPointwiseMisfit(FgModel model, const FgData *data, Vec m, PetscReal *f, Vec gradient)
{
  const PetscInt     n = model->ncomponents;
  const PetscScalar *marray;
  PetscScalar       *garray = NULL;
  double             sum    = 0.0;

  PetscFunctionBegin;
  PetscCall(CheckData(model, data));
  PetscCall(VecCopy(m, model->state));
  PetscCall(VecGetArrayRead(m, &marray));
  if (gradient) PetscCall(VecGetArrayWrite(gradient, &garray));
  for (PetscInt first = 0; first < data->nlocal; first += FG_LANES) {
    const int    count = (int)PetscMin(FG_LANES, data->nlocal - first);
    FgBatchPoint point;

    FgModelSites(model, data, first, count, &marray[(size_t)first * n], gradient ? PETSC_TRUE : PETSC_FALSE, &point, NULL);
    for (int l = 0; l < count; l++) {
      sum += point.misfit[l];
      for (PetscInt c = 0; c < n && gradient; c++) garray[(size_t)(first + l) * n + c] = point.gradient[c][l];
    }
  }
  if (gradient) PetscCall(VecRestoreArrayWrite(gradient, &garray));
  PetscCall(VecRestoreArrayRead(m, &marray));
  PetscCallMPI(MPI_Allreduce(&sum, f, 1, MPI_DOUBLE, MPI_SUM, model->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPointwiseGaussNewton(FgModel model, const FgData *data, Vec v, Vec y)
{
  const PetscInt     n = model->ncomponents;
  const PetscScalar *state, *varray;
  PetscScalar       *array;
  double            *row, *mask;

  PetscFunctionBegin;
  PetscCall(CheckData(model, data));
  row  = Row(model, FG_ROW_RESIDUAL);
  mask = Row(model, FG_ROW_MASK);
  PetscCall(VecGetArrayRead(model->state, &state));
  PetscCall(VecGetArrayRead(v, &varray));
  PetscCall(VecGetArrayWrite(y, &array));
  for (PetscInt site = 0; site < data->nlocal; site++) {
    const double sigma = data->sigma[site];
    double       used;

    Evaluate(model, site, &state[(size_t)site * n], Frame(model, site), PETSC_TRUE);
    (void)SiteResidual(model, data, site, &used); /* for the mask */
    Multiply(n, model->stride, Row(model, FG_ROW_JACOBIAN), &varray[(size_t)site * n], row);
    for (PetscInt i = 0; i < model->stride; i++) row[i] *= mask[i];
    Accumulate(n, model->stride, 1.0 / (sigma * sigma), Row(model, FG_ROW_JACOBIAN), row, NULL, &array[(size_t)site * n], NULL);
  }
  PetscCall(VecRestoreArrayWrite(y, &array));
  PetscCall(VecRestoreArrayRead(v, &varray));
  PetscCall(VecRestoreArrayRead(model->state, &state));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgPointwiseTissueTensor(FgModel model, const double *m, const double frame[9], double C[6])
{
  FgTissueTensor(&model->tissue, m, frame, C, NULL);
}

PetscErrorCode FgPointwiseTissueSetup(FgModel model)
{
  PetscFunctionBegin;
  PetscCall(PetscNew(&model->table));
  FgTissueTabulate(&model->tissue, model->table);
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgPointwiseTissueLanes(FgModel model, const FgLanes m[], const FgLanes frame[9], FgLanes C[6], FgLanes dC[][6],
                            PetscBool derivatives)
{
  FgTissueTensorLanes(&model->tissue, m, frame, C, dC, derivatives);
}

void FgPointwiseTissueStart(FgModel model, const FgLanes C[6], FgLanes m[], FgLanes frame[9])
{
  FgTissueFromTensorLanes(&model->tissue, model->table, C, 2, m, frame);
}
