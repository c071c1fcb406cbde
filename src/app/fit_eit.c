/* fit_eit.c: `finegrain fit` of electrode voltages: read, fit the homogeneous state, fit the field, write.

   minimize 1/2 sum ((F(m) - d)/sigma)^2 + alpha R(m),  F the complete electrode model on the mesh (docs/eit-theory.md), m the log
   conductivity or a closure's porosity, whose fiber direction is held or, on request, unknown too. */
#include "fit_eit.h"

#include "fit_output.h"

#include <math.h>
#include <string.h>

/* Sizes of built-in meshes [elements]. */
static const PetscInt elements[2] = {5000, 40000};

/* What counts as a unit difference, for nothing like a pointwise fit measures it: a tenth in log conductivity, in porosity a fiftieth, in
   direction a tenth of a radian. */
static double Scale(const FgComponent *component)
{
  return !strcmp(component->name, "porosity") ? 0.02 : 0.1;
}

static PetscErrorCode Monitor(void *context, const char *what, PetscInt iteration, PetscReal objective, PetscReal gradient)
{
  PetscFunctionBegin;
  FgLogDetail((FgLog *)context, "  %-6s %4d  objective %.10g  projected gradient %.3e", what, (int)iteration, objective,
              gradient);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void WarnOfDirection(const FgEitFit *fit)
{
  FgLogWarning(fit->log,
               "porosity and direction together are not determined by voltages at the boundary%s: any deformation of the inside "
               "that leaves the "
               "boundary in place carries one conductivity tensor into another with the same voltages. What is found is one of "
               "these, chosen by "
               "the regularizer and the start from --direction. Hold the direction at that of a diffusion measurement instead "
               "(docs/eit.md)",
               fit->mesh->dim == 2 ? ", in two dimensions by an arbitrary amount"
                                   : "; in three dimensions the problem is severely ill-posed as well");
}

static PetscErrorCode RefuseCrime(const FgEitFit *fit)
{
  const FgEit  eit    = fit->eit;
  const FgMesh mesh   = fit->mesh;
  const char  *advice = mesh->voxel ? "simulate on a mask of smaller voxels" : "simulate on another mesh";

  PetscFunctionBegin;
  if (eit->radius > 0.0 && !mesh->voxel && !fit->settings->domain.mesh[0]) advice = "choose --elements";
  PetscCheck(fit->settings->eit.inverse_crime || mesh->nelements != eit->simulated_elements ||
                 mesh->nnodes != eit->simulated_nodes,
             PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found voltages simulated on this very mesh of %" PetscInt_FMT
             " elements, expected another: its errors would cancel; %s, or give --inverse-crime",
             eit->source, mesh->nelements, advice);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Files: measurement, domain, directions, grid. */
static PetscErrorCode ReadFiles(FgEitFit *fit)
{
  const FitSettings *s     = fit->settings;
  const double       start = FgWallSeconds();

  PetscFunctionBegin;
  PetscCall(FgEitTissue(&s->tissue, &s->domain, &fit->tissue, &fit->isotropic));
  fit->direction = !fit->isotropic && strstr(s->eit.unknowns, "direction") ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(FgEitOpen(s->dwi, s->eit.drop, &fit->eit));
  PetscCall(FgEitChooseMode(fit));
  PetscCall(FgEitMeshOpen(&s->domain, s->mask, elements, fit->eit, &fit->mesh, fit->mesh_source, fit->log));
  PetscCall(RefuseCrime(fit));
  if (!fit->isotropic) PetscCall(FgEitDirections(&s->domain, fit->mesh, &fit->directions));
  PetscCall(FgEitGrid(s->eit.grid, fit->mesh, &fit->grid));
  PetscCall(FgEitVoxels(fit->mesh, s->eit.grid, &fit->grid, &fit->voxels, &fit->site));
  fit->seconds_read = FgWallSeconds() - start;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Says what will be done, and refuses what does not fit. */
static PetscErrorCode Plan(const FgEitFit *fit)
{
  const FgEit  eit  = fit->eit;
  const FgMesh mesh = fit->mesh;
  double       low[3], high[3], memory;
  char         height[32] = "";
  PetscMPIInt  ranks;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  PetscCall(FgEitFitMemory(fit, ranks, &memory));
  FgEitBox(mesh, low, high);
  if (mesh->dim == 3) snprintf(height, sizeof(height), " x %.4g", high[2] - low[2]);
  FgLogLine(fit->log, "data     %s: %d electrodes, %d current patterns, %d measurements each, %s", eit->source,
            (int)eit->nelectrodes, (int)eit->npatterns, (int)eit->nmeasurements, FgEitModes[fit->mode]);
  if (eit->ndropped || eit->nsilent) {
    FgLogLine(fit->log, "         %d voltages are missing, %d electrodes neither drive nor measure", (int)eit->ndropped,
              (int)eit->nsilent);
  }
  FgLogLine(fit->log, "domain   %s: %d %s, %d nodes, %.4g x %.4g%s m", fit->mesh_source, (int)mesh->nelements,
            mesh->dim == 2 ? "triangles" : "tetrahedra", (int)mesh->nnodes, high[0] - low[0], high[1] - low[1], height);
  if (fit->isotropic) FgLogLine(fit->log, "model    conductivity");
  else {
    FgLogLine(fit->log, "model    porosity%s, closure %s, conductivities [S/m]: matrix %g, fiber %g axial, %g radial",
              fit->direction ? " and direction" : "", fit->tissue.closure->name, fit->tissue.phases.matrix,
              fit->tissue.phases.fiber_axial, fit->tissue.phases.fiber_radial);
  }
  if (fit->direction) WarnOfDirection(fit);
  PetscCall(FgFitPlanMemory(fit->settings, eit->source, memory, "a coarser mesh", fit->log));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The model of the unknowns, its field at the start, the problem. */
static PetscErrorCode OpenProblem(FgEitFit *fit)
{
  const FitSettings *s     = fit->settings;
  const double       start = fit->background.conductivity;
  const FgEitParts   parts = FgEitFitParts(fit);
  FgEitOptions       o     = {.order              = FgEitOrder(fit),
                              .tolerance          = 1e-10,
                              .conductivity       = start,
                              .conductivity_lower = 1e-3 * start,
                              .conductivity_upper = 1e3 * start};
  FgData             data;

  PetscFunctionBegin;
  o.unknowns = fit->isotropic ? FG_EIT_ISOTROPIC : fit->direction ? FG_EIT_POROSITY_DIRECTION : FG_EIT_POROSITY;
  if (s->eit.range.n) {
    o.conductivity_lower = s->eit.range.value[0];
    o.conductivity_upper = s->eit.range.value[1];
    o.conductivity       = PetscMin(PetscMax(start, o.conductivity_lower), o.conductivity_upper);
  }
  PetscCall(FgEitModelOpen(&parts, &o, &fit->model, &fit->field));
  for (PetscInt c = 0; c < fit->field->ncomponents; c++) {
    const FgComponent *component = &fit->field->components[c];
    const double       value     = fit->isotropic || component->kind == FG_KIND_TANGENT ? component->start : fit->porosity;

    if (fit->field->ncomponents == 1) PetscCall(VecSet(fit->field->m, value));
    else PetscCall(VecStrideSet(fit->field->m, c, value));
  }
  PetscCall(PetscCalloc1(fit->domain->nlocal, &fit->status));
  data = (FgData){.nlocal = fit->model->ndatalocal, .ndata = 1, .values = fit->local_value, .sigma = fit->local_deviation};
  if (!strcmp(s->robust, "huber")) data.huber = s->huber_threshold;
  PetscCall(FgProblemCreate(fit->model, fit->field, &data, fit->status, &fit->problem));
  for (PetscInt c = 0; c < fit->field->ncomponents; c++) fit->problem->scale[c] = Scale(&fit->field->components[c]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Regularize(FgEitFit *fit)
{
  const FitSettings *s      = fit->settings;
  FgWeightSearch    *search = &fit->search;
  FgRegularizerTerm  terms[8];
  PetscInt           n = 0;

  PetscFunctionBegin;
  memset(search, 0, sizeof(*search));
  for (PetscInt c = 0; c < fit->field->ncomponents; c++) search->component_part[c] = -1;
  for (PetscInt c = 0; c < fit->field->ncomponents; c++) {
    const FgComponent *component = &fit->field->components[c];
    const PetscBool    tangent   = component->kind == FG_KIND_TANGENT ? PETSC_TRUE : PETSC_FALSE;

    if (tangent && c > fit->field->tangent) {
      search->component_part[c] = search->component_part[fit->field->tangent];
      continue;
    }
    search->component_part[c] = search->term_part[n] = n;
    search->parts[n].ratio                           = 1.0;
    PetscCall(PetscStrncpy(search->parts[n].name,
                           tangent          ? "direction"
                           : fit->isotropic ? "conductivity"
                                            : component->name,
                           sizeof(search->parts[n].name)));
    terms[n++] = (FgRegularizerTerm){c, component->kind, 0, fit->problem->scale[c], 1.0, s->tv_epsilon};
  }
  search->nparts         = n;
  search->samples        = fit->samples;
  search->pointwise_chi2 = fit->samples; /* the level of the noise is known: a variance of 1 */
  PetscCall(FgRegularizerCreate(FgRegularizerFind(s->regularizer), fit->field, n, terms, &fit->regularizer));
  fit->problem->regularizer = fit->regularizer;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(FgEitFit *fit)
{
  const FitSettings *s       = fit->settings;
  const double       start   = FgWallSeconds();
  FgSolveOptions     options = {.tolerance       = s->tolerance,
                                .max_iterations  = s->max_iterations,
                                .relaxation      = 1.0,
                                .finish          = PETSC_TRUE,
                                .monitor         = Monitor,
                                .monitor_context = fit->log};

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(options.solver, s->solver, sizeof(options.solver)));
  if (isnan(s->alpha)) {
    PetscCall(FgSolveChooseWeight(fit->problem, &options, s->criterion, fit->regularizer->ops->alpha, (unsigned long)s->seed,
                                  &fit->search, &fit->solve));
    fit->searched = PETSC_TRUE;
    fit->freedom  = fit->search.points[fit->search.npoints - 1].freedom;
  } else {
    fit->problem->alpha = s->alpha;
    PetscCall(FgSolveField(fit->problem, &options, &fit->solve));
    PetscCall(FgProblemFreedom(fit->problem, (unsigned long)s->seed, &fit->freedom));
  }
  fit->chi2          = 2.0 * fit->solve.misfit;
  fit->seconds_field = FgWallSeconds() - start;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Draws for the standard deviations: their relative error is 5 percent. */
enum { DRAWS = 200 };

static PetscErrorCode Deviations(FgEitFit *fit)
{
  const double start = FgWallSeconds();
  PetscBool    found;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1((size_t)fit->domain->nlocal * fit->field->ncomponents, &fit->std));
  PetscCall(FgProblemDeviations(fit->problem, (unsigned long)fit->settings->seed, DRAWS, fit->std, &found));
  if (!found) PetscCall(PetscFree(fit->std));
  fit->seconds_deviations = FgWallSeconds() - start;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Judge(FgEitFit *fit)
{
  const PetscInt     nc = fit->field->ncomponents;
  const PetscScalar *m;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(fit->field->m, &m));
  for (PetscInt i = 0; i < fit->domain->nlocal; i++) {
    fit->status[i] = 0;
    for (PetscInt c = 0; c < nc; c++) {
      if (fit->field->components[c].lower < fit->field->components[c].upper &&
          FgComponentHeld(&fit->field->components[c], m[i * nc + c])) {
        fit->status[i] |= FG_STATUS_AT_BOUND;
      }
    }
    if (!fit->solve.converged) fit->status[i] |= FG_STATUS_NOT_CONVERGED;
  }
  PetscCall(VecRestoreArrayRead(fit->field->m, &m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitFitClose(FgEitFit *fit)
{
  PetscFunctionBegin;
  PetscCall(FgProblemDestroy(&fit->problem));
  PetscCall(FgRegularizerDestroy(&fit->regularizer));
  PetscCall(FgFieldDestroy(&fit->field));
  PetscCall(FgDomainDestroy(&fit->domain));
  PetscCall(FgModelDestroy(&fit->model));
  PetscCall(PetscFree(fit->status));
  PetscCall(PetscFree(fit->std));
  PetscCall(PetscFree2(fit->value, fit->deviation));
  PetscCall(PetscFree2(fit->local_value, fit->local_deviation));
  PetscCall(PetscFree(fit->site));
  PetscCall(PetscFree(fit->directions));
  PetscCall(FgMeasurementDestroy(&fit->voxels));
  PetscCall(FgMeshDestroy(&fit->mesh));
  PetscCall(FgEitDestroy(&fit->eit));
  PetscCall(FgTissueClose(&fit->tissue));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The words that voltages call for in place of "auto". */
static void Resolve(FitSettings *s)
{
  if (!s->tissue.closure[0]) (void)PetscStrncpy(s->tissue.closure, FG_EIT_ISOTROPIC_CLOSURE, sizeof(s->tissue.closure));
  if (!s->regularizer[0]) (void)PetscStrncpy(s->regularizer, "tv", sizeof(s->regularizer));
  if (!s->criterion[0]) (void)PetscStrncpy(s->criterion, "discrepancy", sizeof(s->criterion));
  if (!s->solver[0]) (void)PetscStrncpy(s->solver, "newton", sizeof(s->solver));
}

static PetscErrorCode RefuseOptions(const FitSettings *s)
{
  PetscFunctionBegin;
  PetscCheck(!s->pointwise, PETSC_COMM_SELF, PETSC_ERR_USER,
             "--pointwise: found with voltages, which belong to no voxel; leave it out");
  PetscCheck(strcmp(s->tissue.closure, FG_EIT_ISOTROPIC_CLOSURE) || !strstr(s->eit.unknowns, "direction"), PETSC_COMM_SELF,
             PETSC_ERR_USER, "--unknowns %s: found with --closure %s, expected a closure such as hs2d", s->eit.unknowns,
             s->tissue.closure);
  PetscCheck(!s->eit.range.n || s->eit.range.value[0] < s->eit.range.value[1], PETSC_COMM_SELF, PETSC_ERR_USER,
             "--conductivity-range: expected LOW < HIGH, found %g,%g", s->eit.range.value[0], s->eit.range.value[1]);
  PetscCheck(strcmp(s->solver, "sweep"), PETSC_COMM_SELF, PETSC_ERR_USER,
             "--solver sweep: found with voltages, which belong to no voxel; choose another");
  PetscCheck(strcmp(s->criterion, "risk"), PETSC_COMM_SELF, PETSC_ERR_USER,
             "--criterion risk: found with voltages, it rests on a fit voxel by voxel; choose another");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Read(FitSettings *settings, FgLog *log, FgEitFit *fit)
{
  PetscFunctionBegin;
  memset(fit, 0, sizeof(*fit));
  Resolve(settings);
  fit->settings = settings;
  fit->log      = log;
  PetscCall(RefuseOptions(settings));
  PetscCall(ReadFiles(fit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* From what was read to the problem at its start. */
static PetscErrorCode Prepare(FgEitFit *fit)
{
  double        *predicted;
  PetscErrorCode code;

  PetscFunctionBegin;
  FgLogLine(fit->log, "fitting the homogeneous state");
  PetscCall(FgDomainCreateMesh(PETSC_COMM_WORLD, fit->mesh, &fit->domain));
  PetscCall(FgEitFitBackgroundState(fit, &predicted));
  code = FgEitSetData(fit, predicted);
  PetscCall(PetscFree(predicted));
  PetscCall(code);
  PetscCall(OpenProblem(fit));
  PetscCall(Regularize(fit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitFitOpen(FitSettings *settings, FgLog *log, FgEitFit *fit)
{
  PetscFunctionBegin;
  PetscCall(Read(settings, log, fit));
  PetscCall(Prepare(fit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Fit(FgEitFit *fit, FgResult *result)
{
  double         start = FgWallSeconds();
  json_t        *provenance;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(Prepare(fit));
  FgLogLine(fit->log, "fitting the field: %s, %s", fit->settings->regularizer, fit->settings->solver);
  PetscCall(Solve(fit));
  PetscCall(Deviations(fit));
  PetscCall(Judge(fit));
  fit->seconds_total = fit->seconds_read + FgWallSeconds() - start;
  PetscCall(FgEitProvenance(fit, &provenance));
  json_object_update(result->provenance, provenance);
  json_decref(provenance);
  start = FgWallSeconds();
  PetscCall(FgFitRemoveFiles(result));
  code               = FgEitWriteMaps(fit, result);
  fit->seconds_write = FgWallSeconds() - start;
  fit->seconds_total += fit->seconds_write;
  if (!code) code = FgEitSummarize(fit, result);
  if (code) PetscCall(FgFitRemoveFiles(result));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgRunFitEit(const FitSettings *settings, FgLog *log)
{
  FitSettings resolved = *settings;
  FgEitFit    fit;
  FgResult    result;

  PetscFunctionBegin;
  PetscCall(Read(&resolved, log, &fit));
  PetscCall(Plan(&fit));
  if (!settings->dry_run) {
    PetscCall(FgResultOpen(&fit.voxels, settings->output, FgFitFiles, settings->force, json_object(), &result));
    PetscCall(Fit(&fit, &result));
    PetscCall(FgResultDestroy(&result));
  }
  PetscCall(FgEitFitClose(&fit));
  PetscFunctionReturn(PETSC_SUCCESS);
}
