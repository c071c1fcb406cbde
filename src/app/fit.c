/* fit.c: `finegrain fit`: read, fit voxel by voxel, fit as one field, choose the weight, write. */
#include "fit.h"

#include "fit_eit.h"
#include "fit_output.h"
#include "fit_summary.h"
#include "pipeline.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static PetscErrorCode Monitor(void *context, const char *what, PetscInt iteration, PetscReal objective, PetscReal gradient)
{
  PetscFunctionBegin;
  FgLogDetail((FgLog *)context, "  %-6s %4d  objective %.10g  projected gradient %.3e", what, (int)iteration, objective,
              gradient);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFitPlanMemory(const FitSettings *s, const char *data, double bytes, const char *smaller, FgLog *log)
{
  const double gib   = 1024.0 * 1024.0 * 1024.0;
  const double limit = isnan(s->memory_limit) ? (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE)
                                              : s->memory_limit * gib;

  PetscFunctionBegin;
  FgLogLine(log, "memory   %.2f GiB will be needed", bytes / gib);
  PetscCheck(bytes <= limit, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "%s: the fit needs %.2f GiB, the limit is %.2f GiB; use %s, more machines, or raise --memory-limit", data,
             bytes / gib, limit / gib, smaller);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Says what will be done, and refuses what does not fit. */
static PetscErrorCode Plan(const FitSettings *s, const FgPipeline *p, FgLog *log)
{
  const FgMeasurement *m      = &p->measurement;
  const double         memory = FgPipelineMemory(&m->info, m->nmask, m->ndata, p->field->ncomponents,
                                         s->pointwise ? PETSC_FALSE : PETSC_TRUE);

  PetscFunctionBegin;
  FgLogLine(log, "data     %s: %d x %d x %d voxels, %d samples each", p->files.dwi, (int)m->grid.dims[0], (int)m->grid.dims[1],
            (int)m->grid.dims[2], (int)m->ndata);
  if (m->gradients.nrescaled) {
    FgLogLine(log, "         %d gradient directions were not of unit length: normalized, b-values kept",
              (int)m->gradients.nrescaled);
  }
  FgLogLine(log, "mask     %d voxels, from %s", (int)m->nmask,
            strcmp(m->mask_source, "otsu") ? m->mask_source : "Otsu's threshold of the b0 (none was given or found)");
  if (strcmp(p->model_name, "dti")) {
    FgLogLine(log, "model    %s, closure %s, orientation %s, %s diffusivities [mm^2/s]: matrix %g, fiber %g axial, %g radial",
              p->model_name, p->tissue.closure->name, FgOrientations[p->tissue.orientation],
              p->tissue.phases.apparent ? "apparent" : "effective", p->tissue.phases.matrix, p->tissue.phases.fiber_axial,
              p->tissue.phases.fiber_radial);
  } else {
    FgLogLine(log, "model    dti: free tensor without microstructure");
  }
  PetscCall(FgFitPlanMemory(s, p->files.dwi, memory, "a smaller mask", log));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveField(const FitSettings *s, FgLog *log, FgPipeline *p, FgFitReport *report)
{
  const double   start = FgWallSeconds(), cpu = FgCpuSeconds();
  FgSolveOptions options;

  PetscFunctionBegin;
  memset(&options, 0, sizeof(options));
  PetscCall(PetscStrncpy(options.solver, s->solver, sizeof(options.solver)));
  options.tolerance       = s->tolerance;
  options.max_iterations  = s->max_iterations;
  options.relaxation      = 1.6;
  options.finish          = PETSC_TRUE;
  options.monitor         = Monitor;
  options.monitor_context = log;
  PetscCall(FgPipelineRegularize(s, p, &report->search));
  if (isnan(s->alpha)) {
    PetscCall(FgSolveChooseWeight(p->problem, &options, s->criterion, p->regularizer->ops->alpha, (unsigned long)s->seed,
                                  &report->search, &report->solve));
    report->searched = PETSC_TRUE;
    report->freedom  = report->search.points[report->search.npoints - 1].freedom;
  } else {
    p->problem->alpha = s->alpha;
    PetscCall(FgSolveField(p->problem, &options, &report->solve));
    PetscCall(FgProblemFreedom(p->problem, (unsigned long)s->seed, &report->freedom));
  }
  report->seconds_field = FgWallSeconds() - start;
  report->cpu_field     = FgCpuSeconds() - cpu;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Recognize(const char *path, PetscBool *is)
{
  PetscFunctionBegin;
  PetscCheck(!access(path, R_OK), PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN,
             "%s: cannot be opened: %s; expected a NIfTI volume (.nii, .nii.gz) or electrode voltages (.h5)", path,
             strerror(errno));
  PetscCall(FgEitRecognize(path, is));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgIsImpedance(const char *path, PetscBool *is)
{
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  *is = PETSC_FALSE;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) code = Recognize(path, is);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscCallMPI(MPI_Bcast(is, 1, MPIU_BOOL, 0, PETSC_COMM_WORLD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FitDiffusion(const FitSettings *s, FgLog *log)
{
  FgPipeline     p;
  FgResult       result;
  FgFitReport    report;
  PetscErrorCode code;
  json_t        *provenance;
  double         start = FgWallSeconds(), cpu = FgCpuSeconds(), now;

  PetscFunctionBegin;
  memset(&report, 0, sizeof(report));
  PetscCall(FgPipelineOpen(s, log, &p));
  report.cpu_read = FgCpuSeconds() - cpu;
  PetscCall(Plan(s, &p, log));
  if (s->dry_run) {
    PetscCall(FgPipelineClose(&p));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  /* Refuses to overwrite before the work, not after it. */
  PetscCall(FgResultOpen(&p.measurement, s->output, FgFitFiles, s->force, json_object(), &result));

  cpu = FgCpuSeconds();
  FgLogLine(log, "fitting voxel by voxel");
  PetscCall(FgPipelinePointwise(s, &p));
  report.cpu_pointwise = FgCpuSeconds() - cpu;
  report.freedom       = p.pointwise_freedom;
  if (!s->pointwise) {
    FgLogLine(log, "fitting the field: %s, %s", s->regularizer, s->solver);
    PetscCall(SolveField(s, log, &p, &report));
  }
  PetscCall(FgVolumeWeightsCreate(&p, &report.weights));
  now = FgWallSeconds();
  cpu = FgCpuSeconds();
  PetscCall(FgDeviationsCreate(&p, &report.deviations));
  report.seconds_deviations = FgWallSeconds() - now;
  report.cpu_deviations     = FgCpuSeconds() - cpu;
  PetscCall(FgPipelineJudge(&p, report.freedom));

  now = FgWallSeconds();
  cpu = FgCpuSeconds();
  PetscCall(FgFitProvenance(s, &p, &provenance));
  json_object_update(result.provenance, provenance);
  json_decref(provenance);
  PetscCall(FgFitRemoveFiles(&result));
  code = FgFitWriteMaps(&p, &report.deviations, &result, report.freedom, s->no_picture ? PETSC_FALSE : PETSC_TRUE);
  report.seconds_write = FgWallSeconds() - now;
  report.cpu_write     = FgCpuSeconds() - cpu;
  report.seconds_total = FgWallSeconds() - start;
  if (!code) code = FgFitSummarize(s, &p, &report, &result, log);
  if (code) PetscCall(FgFitRemoveFiles(&result));
  PetscCall(code);
  PetscCall(FgVolumeWeightsDestroy(&report.weights));
  PetscCall(FgDeviationsDestroy(&report.deviations));
  PetscCall(FgResultDestroy(&result));
  PetscCall(FgPipelineClose(&p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgRunFit(const FitSettings *s, FgLog *log)
{
  FitSettings resolved = *s;
  PetscBool   impedance;

  PetscFunctionBegin;
  PetscCall(FgIsImpedance(s->dwi, &impedance));
  PetscCall(FgFitRefuseOthers(s, impedance));
  if (impedance) PetscCall(FgRunFitEit(s, log));
  else {
    FgFitResolveDiffusion(&resolved);
    PetscCall(FitDiffusion(&resolved, log));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
