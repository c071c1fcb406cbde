/* verify.c: `finegrain verify`: are the derivatives right that a fit of these data with this model would use? Reads and fits voxel by
   voxel as `fit` does, electrode voltages the homogeneous state, and tests there (model.h, check.h). */
#include "fit_eit.h"

#include "pipeline.h"

#include "finegrain/check.h"
#include "finegrain/result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  FitSettings fit; /* first: the tables of `fit` are this command's too */
  FgText      json;
} VerifySettings;

#define MEMBER(member) .offset = offsetof(VerifySettings, member)

/* clang-format off */
static const FgOption output_options[] = {
  {.section = "Output", .name = "json", .type = FG_OPTION_PATH, MEMBER(json), .summary = "write the results to this file"},
  {0}};
/* clang-format on */

typedef struct {
  FgLog   *log;
  json_t  *checks;
  PetscInt failed;
} Table;

static void AddRow(Table *table, const char *name, const char *found, const char *expected, PetscBool passed)
{
  FgLogResult(table->log, "%-46s %-30s %-32s %s", name, found, expected, passed ? "PASS" : "FAIL");
  json_array_append_new(table->checks,
                        json_pack("{s:s, s:s, s:s, s:b}", "check", name, "found", found, "expected", expected, "passed", passed));
  table->failed += !passed;
}

/* A wrong derivative shows as a lower order at small steps; at large ones the order may be any (taylor.h). */
static void AddTaylor(Table *table, const char *name, const double order[2], double decades, double least_decades)
{
  char found[64], expected[64];

  snprintf(found, sizeof(found), "order %.2f to %.2f, %.1f decades", order[0], order[1], decades);
  snprintf(expected, sizeof(expected), "2 in %.0f or more, then above 1.9", least_decades);
  AddRow(table, name, found, expected, order[0] >= 1.9 && decades >= least_decades ? PETSC_TRUE : PETSC_FALSE);
}

static void AddSmall(Table *table, const char *name, double value, double limit)
{
  char found[64], expected[64];

  snprintf(found, sizeof(found), "%.1e", value);
  snprintf(expected, sizeof(expected), "at most %.0e", limit);
  AddRow(table, name, found, expected, value <= limit ? PETSC_TRUE : PETSC_FALSE);
}

/* `where`: the words after the name of the data in the first line. */
static PetscErrorCode Judge(const VerifySettings *s, const char *where, double alpha, const FgModelCheckResult *model,
                            const FgProblemCheckResult *problem, FgLog *log)
{
  Table          table = {log, json_array(), 0};
  PetscErrorCode code  = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  FgLogResult(log, "%s: %s", s->fit.dwi, where);
  FgLogResult(log, "%-46s %-30s %-32s %s", "check", "found", "expected", "verdict");
  AddTaylor(&table, "J is the derivative of F", model->taylor_slope, model->taylor_decades, 2.0);
  AddSmall(&table, "J^T is the transpose of J", model->dot_product, 1e-12);
  AddTaylor(&table, "gradient of the objective", problem->gradient_order, problem->gradient_decades, 2.0);
  AddTaylor(&table, "Gauss-Newton Hessian, data without residual", problem->gauss_newton_order, problem->gauss_newton_decades,
            1.0);
  AddSmall(&table, "regularizer's Hessian, weights frozen", problem->regularizer_error, 1e-9);
  AddSmall(&table, "Hessian symmetric", problem->hessian_symmetry, 1e-12);
  AddSmall(&table, "Hessian positive semidefinite: negative part", PetscMax(0.0, -problem->hessian_least), 1e-12);
  if (table.failed) {
    FgLogResult(log, "%d of the checks FAILED: do not trust a fit with these settings", (int)table.failed);
    log->exit_code = 4;
  }
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank && s->json[0]) {
    json_t *root = json_pack("{s:s, s:s, s:f, s:b, s:O}", "finegrain_version", FG_VERSION, "data", s->fit.dwi, "alpha", alpha,
                             "passed", !table.failed, "checks", table.checks);

    code = FgWriteJson(s->json, root);
    json_decref(root);
  }
  json_decref(table.checks);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Diffusion(VerifySettings *s, FgLog *log)
{
  const unsigned long  seed = (unsigned long)s->fit.seed;
  FgPipeline           p;
  FgModelCheckResult   model;
  FgProblemCheckResult problem;
  FgWeightSearch       weights;
  char                 where[sizeof(FgText) + 256];

  PetscFunctionBegin;
  FgFitResolveDiffusion(&s->fit);
  PetscCall(FgPipelineOpen(&s->fit, log, &p));
  FgLogLine(log, "fitting %d voxels", (int)p.domain->nglobal);
  PetscCall(FgPipelinePointwise(&s->fit, &p));
  PetscCall(FgPipelineRegularize(&s->fit, &p, &weights));
  p.problem->alpha = isnan(s->fit.alpha) ? 1.0 : s->fit.alpha;
  FgLogLine(log, "checking derivatives");
  PetscCall(FgModelCheck(p.model, p.field->m, seed, &model));
  PetscCall(FgProblemCheck(p.problem, seed, &problem));
  snprintf(where, sizeof(where), "%d voxels, model %s, regularizer %s, alpha %g, at the voxel by voxel fit",
           (int)p.domain->nglobal, p.model_name, s->fit.regularizer, p.problem->alpha);
  PetscCall(Judge(s, where, p.problem->alpha, &model, &problem, log));
  PetscCall(FgPipelineClose(&p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Impedance(VerifySettings *s, FgLog *log)
{
  const unsigned long  seed = (unsigned long)s->fit.seed;
  FgEitFit             fit;
  FgModelCheckResult   model;
  FgProblemCheckResult problem;
  char                 where[sizeof(FgText) + 256];

  PetscFunctionBegin;
  PetscCall(FgEitFitOpen(&s->fit, log, &fit));
  fit.problem->alpha = isnan(s->fit.alpha) ? 1.0 : s->fit.alpha;
  FgLogLine(log, "checking derivatives");
  PetscCall(FgModelCheck(fit.model, fit.field->m, seed, &model));
  PetscCall(FgProblemCheck(fit.problem, seed, &problem));
  snprintf(where, sizeof(where), "%d voltages, %d elements, regularizer %s, alpha %g, at the homogeneous state", (int)fit.samples,
           (int)fit.mesh->nelements, s->fit.regularizer, fit.problem->alpha);
  PetscCall(Judge(s, where, fit.problem->alpha, &model, &problem, log));
  PetscCall(FgEitFitClose(&fit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(const void *context, FgLog *log)
{
  VerifySettings resolved = *(const VerifySettings *)context;
  PetscBool      impedance;

  PetscFunctionBegin;
  PetscCall(FgIsImpedance(resolved.fit.dwi, &impedance));
  PetscCall(FgFitRefuseOthers(&resolved.fit, impedance));
  if (impedance) PetscCall(Impedance(&resolved, log));
  else PetscCall(Diffusion(&resolved, log));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool Check(const void *settings, char message[FG_MESSAGE_LENGTH])
{
  return FgFitCheckInput(settings, message);
}

const FgCommand FgCommandVerify = {
    .name    = "verify",
    .summary = "Taylor and dot-product tests of the derivatives, on your data and model",
    .usage   = "DWI [options]",
    .description =
        "Fits voxel by voxel as fit does, electrode voltages by a homogeneous state, and tests there that J is the derivative of "
        "the model and J^T its transpose, that the "
        "objective's gradient is its derivative, and that the Gauss-Newton Hessian is symmetric, positive semidefinite and exact "
        "where it should be. Takes the options of fit; alpha auto counts as 1. Exit code 4 where a check fails.",
    .example = "finegrain verify dwi.nii.gz\n"
               "finegrain verify dwi.nii.gz --closure hs2d --noise rician --regularizer tv --json checks.json\n"
               "finegrain verify tank.h5",
    .options = {FgFitInputOptions, FgTissueOptions, FgFitInversionOptions, FgEitDomainOptions, FgEitFitOptions, output_options},
    .settings_size = sizeof(VerifySettings),
    .check         = Check,
    .run           = Run};
