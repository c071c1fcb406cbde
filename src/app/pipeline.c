/* pipeline.c: measurement -> model -> domain -> field -> noise level -> pointwise fit -> whitening -> regularizer. */
#include "pipeline.h"

#include "noise_level.h"

#include "finegrain/batch.h"
#include "finegrain/noise.h"
#include "finegrain/statistics.h"

#include <math.h>
#include <string.h>

/* Tensor volumes say so by their intent, or by having six volumes and no gradient table beside them. */
static PetscErrorCode ChooseModel(const FitSettings *s, FgPipeline *p)
{
  FgImageInfo info;

  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(s->dwi, &info));
  if (s->model[0]) p->model_name = s->model;
  else
    p->model_name = info.intent_code == 1005 || (info.nvolumes == 6 && (s->tensor_order[0] || !p->files.bval[0])) ? "tensor"
                                                                                                                  : "dwi";
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Typical unweighted signal: median over voxels of the largest sample of each (of dwi data: a b0 one). */
static PetscErrorCode MeasureSignalScale(FgPipeline *p)
{
  const FgMeasurement *m = &p->measurement;
  float               *largest;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(m->nlocal, &largest));
  for (PetscInt i = 0; i < m->nlocal; i++) {
    largest[i] = NAN;
    for (PetscInt k = 0; k < m->ndata; k++) {
      const float value = m->data[i * (size_t)m->ndata + k];

      if (value > 0 && !(largest[i] >= value)) largest[i] = value;
    }
  }
  PetscCall(FgQuantile(m->comm, m->nlocal, largest, 1, 0.5, &p->signal_scale));
  PetscCall(PetscFree(largest));
  PetscCheck(isfinite(p->signal_scale), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: no positive signal inside the mask; check that the mask belongs to this volume", p->files.dwi);
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FgPipelineMemory(const FgImageInfo *info, PetscInt nmask, PetscInt ndata, PetscInt ncomponents, PetscBool field_solve)
{
  const double grid = (double)info->dims[0] * info->dims[1] * info->dims[2], nc = ncomponents;
  /* Data, sigma, chi2, deviation, status; state, variables, gradient, work; frames. */
  double site = 4.0 * ndata + 4.0 + 4.0 + 4.0 * nc + 3.0 + 8.0 * nc * 6.0 + 72.0;

  /* Blocks and values of the standard deviations; with a field solve its vectors are gone by then. */
  if (!field_solve) site += 2.0 * nc * (nc + 1);
  site += 4.0 * (nc + 3.0);
  /* Neighbor groups and frozen weights; directions; Krylov vectors; blocks of the trace estimate; the
     best field of the search. */
  if (field_solve) site += 4.0 * 12 + 8.0 * 5 + 24.0 + 8.0 * 4 + 48.0 + 8.0 * nc * 10.0 + 2.0 * nc * (nc + 1) + 8.0 * nc + 72.0;
  /* One volume while reading; maps while writing (tensor: six floats, gathered and stored); the picture; program and libraries. */
  return nmask * site + 4.0 * nmask + grid * (8.0 + 2.0 * 4.0 * 6.0 + 5.0 * 4.0) + 60e6;
}

PetscErrorCode FgPipelineOpen(const FitSettings *s, FgLog *log, FgPipeline *p)
{
  const double start = FgWallSeconds();
  FgModel      model;

  PetscFunctionBegin;
  memset(p, 0, sizeof(*p));
  p->log = log;
  PetscCall(FgTissueChoose(&s->tissue, &p->tissue));
  PetscCall(PetscStrncpy(p->files.dwi, s->dwi, sizeof(p->files.dwi)));
  PetscCall(PetscStrncpy(p->files.bval, s->grad[0] ? s->grad : s->bval, sizeof(p->files.bval)));
  PetscCall(PetscStrncpy(p->files.bvec, s->bvec, sizeof(p->files.bvec)));
  PetscCall(PetscStrncpy(p->files.mask, s->mask, sizeof(p->files.mask)));
  PetscCall(FgMeasurementFind(&p->files));
  PetscCall(ChooseModel(s, p));
  if (!strcmp(p->model_name, "tensor")) {
    PetscCall(FgMeasurementReadTensor(PETSC_COMM_WORLD, &p->files, s->tensor_order[0] ? s->tensor_order : "auto",
                                      s->tensor_frame[0] ? s->tensor_frame : "auto", &p->measurement));
  } else {
    PetscCall(FgMeasurementReadDwi(PETSC_COMM_WORLD, &p->files, s->b0_threshold, &p->measurement));
  }
  /* The orthotropic model has 7 unknowns with S0, as many as a tensor has numbers: nothing would be left to tell noise from tissue. */
  if (!s->tissue.orientation[0] && p->tissue.orientation == FG_ORTHOTROPIC && p->measurement.ndata <= 7) {
    p->tissue.orientation = FG_DISPERSED;
  }
  p->seconds_read = FgWallSeconds() - start;
  PetscCall(MeasureSignalScale(p));

  PetscCall(FgModelCreate(PETSC_COMM_WORLD, p->model_name, &p->tissue, &model));
  p->model = model;
  if (p->measurement.gradients.n) PetscCall(FgModelSetGradients(model, &p->measurement.gradients, p->signal_scale));
  if (!isnan(s->coils)) PetscCall(FgModelSetCoils(model, s->coils));
  PetscCall(FgModelSetup(model));
  PetscCall(FgDomainCreateVoxels(PETSC_COMM_WORLD, p->measurement.grid.dims, p->measurement.grid.spacing, p->measurement.nmask,
                                 p->measurement.voxel, &p->domain));
  PetscCall(FgFieldCreate(p->domain, model->ncomponents, model->components, &p->field));
  PetscCall(FgModelSetField(model, p->field));

  PetscCall(PetscMalloc1(p->domain->nlocal, &p->sigma));
  PetscCall(PetscMalloc1(p->domain->nlocal, &p->spread));
  PetscCall(PetscMalloc1((size_t)p->domain->nlocal * model->ncomponents, &p->deviation));
  PetscCall(PetscMalloc1(p->domain->nlocal, &p->chi2));
  PetscCall(PetscMalloc1(p->domain->nlocal, &p->samples));
  {
    const FgData data = {
        .nlocal = p->domain->nlocal, .ndata = p->measurement.ndata, .values = p->measurement.data, .sigma = p->sigma};

    PetscCall(FgProblemCreate(model, p->field, &data, p->measurement.status, &p->problem));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ShowProgress(void *context, PetscInt done)
{
  PetscFunctionBegin;
  FgProgressUpdate((FgLog *)context, (double)done);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPipelineFitSites(FgPipeline *p, PetscBool keep_start)
{
  const FgPointwiseOptions options = {
      .max_iterations = 100, .tolerance = 1e-2, .monitor = ShowProgress, .monitor_context = p->log};

  PetscFunctionBegin;
  FgProgressBegin(p->log, "fitting voxel by voxel", (double)p->domain->nlocal, "voxels");
  PetscCall(FgSolvePointwise(p->problem, &options, keep_start, p->deviation, p->chi2, p->samples));
  FgProgressEnd(p->log);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Fitted voxels, their chi2, samples and free variables, summed over ranks; voxels that could not be fitted lose their data. */
static PetscErrorCode SumPointwise(FgPipeline *p)
{
  const PetscInt     nc = p->field->ncomponents, nd = p->measurement.ndata;
  const PetscScalar *m;
  double             sums[4] = {0.0, 0.0, 0.0, 0.0};

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(p->field->m, &m));
  for (PetscInt i = 0; i < p->domain->nlocal; i++) {
    if (p->measurement.status[i] & FG_STATUS_NOT_FITTED) {
      for (PetscInt k = 0; k < nd; k++) p->measurement.data[i * (size_t)nd + k] = NAN;
      continue;
    }
    sums[0] += 1.0;
    sums[1] += p->chi2[i];
    sums[2] += p->samples[i];
    for (PetscInt c = 0; c < nc; c++) {
      const FgComponent *component = &p->field->components[c];

      sums[3] += m[i * nc + c] > component->lower && m[i * nc + c] < component->upper ? 1.0 : 0.0;
    }
  }
  PetscCall(VecRestoreArrayRead(p->field->m, &m));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 4, MPI_DOUBLE, MPI_SUM, p->measurement.comm));
  p->fitted            = sums[0];
  p->pointwise_chi2    = sums[1];
  p->pointwise_samples = sums[2];
  p->pointwise_freedom = sums[3];
  PetscCheck(p->fitted > 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: no voxel of the mask could be fitted; see `finegrain info %s`", p->files.dwi, p->files.dwi);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPipelinePointwise(const FitSettings *s, FgPipeline *p)
{
  const double start = FgWallSeconds();

  PetscFunctionBegin;
  PetscCall(FgNoiseLevelChoose(s, p));
  PetscCall(FgNoiseLevelRaise(p));
  PetscCall(SumPointwise(p));
  for (PetscInt c = 0; c < p->field->ncomponents; c++) {
    double median;

    PetscCall(FgQuantile(p->measurement.comm, p->domain->nlocal, p->deviation + c, p->field->ncomponents, 0.5, &median));
    p->problem->scale[c] = isfinite(median) && median > 0.0 ? median : 1.0;
  }
  if (p->field->ntangent) { /* both tangent coordinates of a direction on one scale */
    const PetscInt t     = p->field->tangent;
    const double   angle = PetscSqrtReal(p->problem->scale[t] * p->problem->scale[t + 1]);

    p->problem->scale[t] = p->problem->scale[t + 1] = angle;
  }
  p->seconds_pointwise = FgWallSeconds() - start;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What shares one weight: by the name of an option and by the components it covers. Where the search starts, in units that are alike for all:
   a direction's difference is bounded, so that it bears more (docs/weights.md). */
enum { PART_POROSITY, PART_KAPPA, PART_DIRECTION, PART_S0, NPARTS };

static PetscInt Part(const FgComponent *component)
{
  if (component->kind == FG_KIND_TANGENT) return PART_DIRECTION;
  if (!strcmp(component->name, "porosity")) return PART_POROSITY;
  if (!strcmp(component->name, "S0")) return PART_S0;
  return PART_KAPPA; /* kappa, and planarity likewise: shapes of the orientation distribution */
}

static FgWeightPart MakePart(const char *name, double given, double start)
{
  FgWeightPart part = {.ratio = isnan(given) ? start : given, .automatic = isnan(given) ? PETSC_TRUE : PETSC_FALSE};

  (void)PetscStrncpy(part.name, name, sizeof(part.name));
  return part;
}

PetscErrorCode FgPipelineRegularize(const FitSettings *s, FgPipeline *p, FgWeightSearch *search)
{
  const FgRegularizerOps *ops         = FgRegularizerFind(s->regularizer);
  const FgWeightPart      all[NPARTS] = {MakePart("porosity", s->weight_porosity, 1.0), MakePart("kappa", s->weight_kappa, 1.0),
                                         MakePart("direction", s->weight_direction, ops->joint ? 1.0 : 3.0),
                                         MakePart("s0", s->weight_s0, 1.0)};
  PetscInt                place[NPARTS], n = 0;
  FgRegularizerTerm       terms[8];

  PetscFunctionBegin;
  memset(search, 0, sizeof(*search));
  for (PetscInt part = 0; part < NPARTS; part++) { /* of those, the parts that this model has */
    place[part] = -1;
    for (PetscInt c = 0; c < p->field->ncomponents; c++) {
      if (Part(&p->field->components[c]) != part) continue;
      if (place[part] < 0) {
        search->parts[search->nparts] = all[part];
        place[part]                   = search->nparts++;
      }
      search->component_part[c] = place[part];
    }
  }
  if (p->field->ntangent > 2) search->component_part[p->field->tangent + 2] = -1; /* leaves the fiber axis where it is */
  for (PetscInt c = 0; c < p->field->ncomponents; c++) {
    const PetscInt part = search->component_part[c];

    if (p->field->components[c].kind == FG_KIND_TANGENT) continue;
    search->term_part[n] = part;
    terms[n++] = (FgRegularizerTerm){c, FG_KIND_SCALAR, 0, p->problem->scale[c], search->parts[part].ratio, s->tv_epsilon};
  }
  for (PetscInt axis = 0; axis + 1 < p->field->ntangent; axis++) {
    /* The second axis has a deviation of its own, large where the tissue is not planar: charged like the fiber's it would be
       stiff where the data say nothing about it. */
    const PetscInt c = p->field->tangent, part = search->component_part[c];
    const double   scale = p->problem->scale[c + (axis ? 2 : 0)];

    search->term_part[n] = part;
    terms[n++]           = (FgRegularizerTerm){c, FG_KIND_TANGENT, axis, scale, search->parts[part].ratio, s->tv_epsilon};
  }
  search->pointwise_chi2    = p->pointwise_chi2;
  search->samples           = p->pointwise_samples;
  search->pointwise_freedom = p->pointwise_freedom;
  PetscCall(FgRegularizerCreate(ops, p->field, n, terms, &p->regularizer));
  p->problem->regularizer = p->regularizer;
  p->problem->alpha       = 0.0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPipelineJudge(FgPipeline *p, double freedom)
{
  const PetscInt     nc        = p->field->ncomponents;
  const double       per_voxel = freedom / p->fitted;
  FgData             data      = p->problem->data;
  const PetscScalar *m;

  PetscFunctionBegin;
  /* Goodness of fit is measured in plain squares against the noise itself: neither the raised spread nor a robust misfit may hide
     what the model does not describe. */
  data.sigma = p->sigma;
  data.huber = 0.0;
  PetscCall(VecGetArrayRead(p->field->m, &m));
  for (PetscInt first = 0; first < p->domain->nlocal; first += FG_LANES) {
    const int    count = (int)PetscMin(FG_LANES, p->domain->nlocal - first);
    FgBatchPoint point;
    PetscInt     used[FG_LANES];

    FgModelSites(p->model, &data, first, count, &m[first * nc], PETSC_FALSE, &point, used);
    for (int l = 0; l < count; l++) {
      const PetscInt i      = first + l;
      unsigned char *status = &p->measurement.status[i];

      if (*status & FG_STATUS_NOT_FITTED) continue;
      *status &= (unsigned char)~(FG_STATUS_AT_BOUND | FG_STATUS_OUTSIDE_MODEL);
      p->samples[i] = (short)used[l];
      p->chi2[i]    = (float)(2.0 * point.misfit[l]);
      for (PetscInt c = 0; c < nc; c++) {
        if (FgComponentHeld(&p->field->components[c], m[i * nc + c])) *status |= FG_STATUS_AT_BOUND;
      }
      if (FgNoiseIsOutside(p->chi2[i], p->samples[i] - per_voxel)) *status |= FG_STATUS_OUTSIDE_MODEL;
    }
  }
  PetscCall(VecRestoreArrayRead(p->field->m, &m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPipelineClose(FgPipeline *p)
{
  PetscFunctionBegin;
  PetscCall(FgProblemDestroy(&p->problem));
  PetscCall(FgRegularizerDestroy(&p->regularizer));
  PetscCall(FgFieldDestroy(&p->field));
  PetscCall(FgDomainDestroy(&p->domain));
  PetscCall(FgModelDestroy(&p->model));
  PetscCall(PetscFree(p->sigma));
  PetscCall(PetscFree(p->spread));
  PetscCall(PetscFree(p->deviation));
  PetscCall(PetscFree(p->chi2));
  PetscCall(PetscFree(p->samples));
  PetscCall(FgMeasurementDestroy(&p->measurement));
  PetscCall(FgTissueClose(&p->tissue));
  PetscFunctionReturn(PETSC_SUCCESS);
}
