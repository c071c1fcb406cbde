/* fit_options.c: the option tables of `finegrain fit`; input and inversion are those of `verify` too. */
#include "fit.h"

#include "noise_options.h"

#include "finegrain/model.h"
#include "finegrain/problem.h"

#include <stdio.h>
#include <string.h>

static const char *ModelName(PetscInt i)
{
  return FgModels[i] ? FgModels[i]->name : NULL;
}

static const char *RegularizerName(PetscInt i)
{
  return FgRegularizers[i] ? FgRegularizers[i]->name : NULL;
}

static const char *CriterionName(PetscInt i)
{
  return FgCriteria[i];
}

#define MEMBER(member) .offset = offsetof(FitSettings, member)

/* clang-format off */
const FgOption FgFitInputOptions[] = {
  {.section = "Input", .name = "dwi", .type = FG_OPTION_PATH, MEMBER(dwi), .value = "DWI", .positional = PETSC_TRUE,
   .summary = "diffusion-weighted or tensor volume, NIfTI (.nii, .nii.gz); .bval, .bvec and mask are found beside it by FSL "
               "and BIDS names; or an impedance measurement, HDF5 (docs/eit.md)"},
  {.name = "bval", .type = FG_OPTION_PATH, MEMBER(bval), .word = "auto", .summary = "b-values, FSL format [s/mm^2]"},
  {.name = "bvec", .type = FG_OPTION_PATH, MEMBER(bvec), .word = "auto",
   .summary = "gradient directions, FSL format: image axes, x negated where the affine's determinant is positive"},
  {.name = "grad", .type = FG_OPTION_PATH, MEMBER(grad),
   .summary = "gradient table, MRtrix format: x y z in the scanner frame and b [s/mm^2], instead of --bval and --bvec"},
  {.name = "mask", .type = FG_OPTION_PATH, MEMBER(mask), .word = "auto",
   .summary = "voxels to fit: non-zero; found beside the volume, or made from the b0 volumes and written"},
  {.name = "b0-threshold", .type = FG_OPTION_REAL, MEMBER(b0_threshold), .unit = "s/mm^2", .fallback = "50", .lower = 0,
   .upper = 1000,
   .summary = "volumes with a b-value up to this count as not weighted"},
  {.name = "model", .type = FG_OPTION_CHOICE, MEMBER(model), .word = "auto", .choice = ModelName,
   .summary = "forward model; auto goes by what the volume holds"},
  {.name = "tensor-order", .type = FG_OPTION_CHOICE, MEMBER(tensor_order), .word = "auto", .choices = "nifti|fsl|mrtrix",
   .summary = "order of the six components of a tensor volume; auto: by the header, if it tells"},
  {.name = "tensor-frame", .type = FG_OPTION_CHOICE, MEMBER(tensor_frame), .word = "auto", .choices = "fsl|scanner|image",
   .summary = "axes of a tensor volume; auto: those usual with its order"},
  {0}};

const FgOption FgFitInversionOptions[] = {
  {.section = "Noise", .name = "noise", .type = FG_OPTION_CHOICE, MEMBER(noise), .choices = "gaussian|rician|ncchi",
   .summary = "rician and ncchi compare with the mean of the magnitude signal, which noise lifts: of one coil (or a complex combination), of "
              "a sum of squares over --coils"},
  {.name = "coils", .type = FG_OPTION_REAL, MEMBER(coils), .unit = "1", .word = "none", .lower = 1, .upper = 128,
   .summary = "effective number of receive coils of --noise ncchi; less than the real number where coils see the same noise"},
  {.name = "sigma", .type = FG_OPTION_STRING, MEMBER(sigma), .unit = "signal", .value = "VALUE|FILE|b0|residual",
   .word = "auto",
   .summary = "standard deviation of the noise: a number, a map, from repeated b0 volumes, or from the residuals of the "
               "pointwise fit"},
  {.name = "robust", .type = FG_OPTION_CHOICE, MEMBER(robust), .choices = "none|huber",
   .summary = "huber charges residuals beyond --huber-threshold by their size, not its square, so that samples spoiled by motion weigh less"},
  {.name = "huber-threshold", .type = FG_OPTION_REAL, MEMBER(huber_threshold), .unit = "1", .fallback = "1.345", .lower = 0.1,
   .upper = 1000,
   .summary = "residual beyond which a sample loses weight, in standard deviations of the noise"},

  {.section = "Inversion", .name = "pointwise", .type = FG_OPTION_FLAG, MEMBER(pointwise),
   .summary = "stop after the voxel by voxel fit, without regularization"},
  {.name = "regularizer", .type = FG_OPTION_CHOICE, MEMBER(regularizer), .word = "auto", .choice = RegularizerName,
   .summary = "what is charged for differences between neighbor voxels; auto: joint, of impedance tv"},
  {.name = "criterion", .type = FG_OPTION_CHOICE, MEMBER(criterion), .word = "auto", .choice = CriterionName,
   .summary = "how weights are chosen, auto: risk, of impedance discrepancy; risk, least estimated error of each part; with ratios held, gcv, least error of prediction, or discrepancy, residual as of the pointwise fit"},
  {.name = "alpha", .type = FG_OPTION_REAL, MEMBER(alpha), .unit = "1", .word = "auto", .lower = 0, .upper = INFINITY,
   .summary = "weight of the regularizer; auto: by --criterion"},
  {.name = "weight-porosity", .type = FG_OPTION_REAL, MEMBER(weight_porosity), .unit = "1", .word = "auto", .lower = 0,
   .upper = INFINITY,
   .summary = "weight of porosity differences over alpha; differences are counted in pointwise standard deviations. auto: by --criterion risk; with another criterion or a given alpha 1, of the direction 3"},
  {.name = "weight-kappa", .type = FG_OPTION_REAL, MEMBER(weight_kappa), .unit = "1", .word = "auto", .lower = 0,
   .upper = INFINITY,
   .summary = "likewise, of the shape of the orientation distribution"},
  {.name = "weight-direction", .type = FG_OPTION_REAL, MEMBER(weight_direction), .unit = "1", .word = "auto", .lower = 0,
   .upper = INFINITY,
   .summary = "likewise, of the fiber direction"},
  {.name = "weight-s0", .type = FG_OPTION_REAL, MEMBER(weight_s0), .unit = "1", .word = "auto", .lower = 0, .upper = INFINITY,
   .summary = "likewise, of the unweighted signal S0"},
  {.name = "tv-epsilon", .type = FG_OPTION_REAL, MEMBER(tv_epsilon), .unit = "1", .fallback = "0.1", .lower = FG_POSITIVE,
   .upper = INFINITY,
   .summary = "differences below this count as smooth where the regularizer keeps edges; in pointwise standard deviations"},
  {.name = "solver", .type = FG_OPTION_CHOICE, MEMBER(solver), .word = "auto", .choices = "sweep|newton|tao|blmvm|bqnls|bncg|bnls|bntr|bntl",
   .summary = "auto: sweep, of impedance newton, Gauss-Newton steps; sweep: block Gauss-Newton over colored voxels; the others are TAO's bound-constrained solvers, tao the quickest of them, blmvm"},
  {.name = "tolerance", .type = FG_OPTION_REAL, MEMBER(tolerance), .unit = "1", .fallback = "0.05", .lower = FG_POSITIVE,
   .upper = 1,
   .summary = "projected gradient to reach, root mean square in pointwise standard deviations: about how far the solution may be from the minimizer; of newton, how much better the data may still be told, root mean square in noise standard deviations"},
  {.name = "max-iterations", .type = FG_OPTION_INTEGER, MEMBER(max_iterations), .fallback = "500", .lower = 1, .upper = 100000,
   .summary = "sweeps or iterations of one field solve"},
  {.name = "seed", .type = FG_OPTION_INTEGER, MEMBER(seed), .fallback = "1", .lower = 0, .upper = 2147483647,
   .summary = "of the random vectors that estimate the degrees of freedom"},
  {0}};

static const FgOption output_options[] = {
  {.section = "Output", .name = "output", .letter = 'o', .type = FG_OPTION_PATH, MEMBER(output), .value = "FOLDER",
   .summary = "where maps, sidecars, summary.json, config.yaml, picture.png and log.txt go"},
  {.name = "force", .type = FG_OPTION_FLAG, MEMBER(force), .summary = "overwrite what is in the output folder"},
  {.name = "dry-run", .type = FG_OPTION_FLAG, MEMBER(dry_run),
   .summary = "print the plan, the voxel count and the memory needed, and stop"},
  {.name = "json", .type = FG_OPTION_PATH, MEMBER(json), .summary = "write the summary to this file too"},
  {.name = "no-picture", .type = FG_OPTION_FLAG, MEMBER(no_picture), .summary = "do not draw picture.png"},
  {.name = "memory-limit", .type = FG_OPTION_REAL, MEMBER(memory_limit), .unit = "GiB", .word = "auto", .lower = FG_POSITIVE,
   .upper = INFINITY,
   .summary = "refuse to start where more is needed; auto: the memory of this machine"},
  {0}};
/* clang-format on */

void FgFitResolveDiffusion(FitSettings *s)
{
  if (!s->regularizer[0]) (void)PetscStrncpy(s->regularizer, FgRegularizers[0]->name, sizeof(s->regularizer));
  if (!s->criterion[0]) (void)PetscStrncpy(s->criterion, FgCriteria[0], sizeof(s->criterion));
  if (!s->solver[0]) (void)PetscStrncpy(s->solver, "sweep", sizeof(s->solver));
}

/* Options of diffusion data that voltages pass over. */
static const char *const diffusion_only[] = {"bval",
                                             "bvec",
                                             "grad",
                                             "b0-threshold",
                                             "tensor-order",
                                             "tensor-frame",
                                             "noise",
                                             "coils",
                                             "sigma",
                                             "weight-porosity",
                                             "weight-kappa",
                                             "weight-direction",
                                             "weight-s0",
                                             "normalization",
                                             "matrix-diffusivity",
                                             "fiber-diffusivity",
                                             "fiber-storage",
                                             NULL};

static PetscBool OnlyOfOthers(const FgOption *option, PetscBool impedance)
{
  if (impedance) {
    for (PetscInt k = 0; diffusion_only[k]; k++) {
      if (!strcmp(option->name, diffusion_only[k])) return PETSC_TRUE;
    }
    return PETSC_FALSE;
  }
  for (const FgOption *o = FgEitDomainOptions; o->name; o++) {
    if (o == option) return PETSC_TRUE;
  }
  for (const FgOption *o = FgEitFitOptions; o->name; o++) {
    if (o == option) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

PetscErrorCode FgFitRefuseOthers(const FitSettings *settings, PetscBool impedance)
{
  FitSettings    *defaults;
  const FgOption *option, *bad = NULL;
  FgText          given, usual;

  PetscFunctionBegin;
  PetscCheck(!settings->model[0] || (impedance ? 1 : 0) == (strcmp(settings->model, "eit") ? 0 : 1), PETSC_COMM_SELF,
             PETSC_ERR_USER, "--model %s: found with %s; leave it out", settings->model,
             impedance ? "electrode voltages" : "diffusion data");
  PetscCall(PetscCalloc1(1, &defaults));
  FgOptionsDefaults(&FgCommandFit, defaults);
  for (PetscInt k = 0; !bad && (option = FgOptionAt(&FgCommandFit, k)); k++) {
    if (!OnlyOfOthers(option, impedance)) continue;
    FgOptionText(option, settings, given, sizeof(given));
    FgOptionText(option, defaults, usual, sizeof(usual));
    if (strcmp(given, usual)) bad = option;
  }
  PetscCall(PetscFree(defaults));
  PetscCheck(!bad, PETSC_COMM_SELF, PETSC_ERR_USER, "--%s: found with %s, which has no use for it; leave it out",
             bad ? bad->name : "", impedance ? "electrode voltages" : "diffusion data");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool FgFitCheckInput(const FitSettings *settings, char message[FG_MESSAGE_LENGTH])
{
  if (settings->grad[0] && (settings->bval[0] || settings->bvec[0])) {
    snprintf(message, FG_MESSAGE_LENGTH, "--grad: excludes --bval and --bvec, give one kind of gradient table");
  } else if (!settings->bval[0] != !settings->bvec[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--%s: is missing, --bval and --bvec go together", settings->bval[0] ? "bvec" : "bval");
  } else {
    return FgNoiseCheck(settings->noise, settings->coils, message) && FgTissueCheck(&settings->tissue, message) &&
                   FgEitDomainCheck(&settings->domain, message)
               ? PETSC_TRUE
               : PETSC_FALSE;
  }
  return PETSC_FALSE;
}

static PetscBool Check(const void *context, char message[FG_MESSAGE_LENGTH])
{
  const FitSettings *settings = context;

  if (!FgFitCheckInput(settings, message)) return PETSC_FALSE;
  if (settings->output[0] || settings->dry_run) return PETSC_TRUE;
  snprintf(message, FG_MESSAGE_LENGTH, "--output: is missing, say where the results go with -o FOLDER");
  return PETSC_FALSE;
}

static PetscErrorCode Run(const void *settings, FgLog *log)
{
  return FgRunFit(settings, log);
}

const FgCommand FgCommandFit = {
    .name    = "fit",
    .summary = "porosity and fiber direction from diffusion MRI; conductivity or porosity from electrode voltages",
    .usage   = "DWI -o FOLDER [options]",
    .description =
        "Fits a homogenized two-phase model, S = S0 exp(-b g^T D g) with D given by porosity and fiber direction, to "
        "every voxel of a mask: "
        "voxel by voxel first, then as one field with a regularizer whose weight is chosen from the data. "
        "Writes maps of porosity, fiber direction, goodness of fit and status, with units and provenance beside each. "
        "A file of electrode voltages is recognized by its content: then the unknown is the conductivity, or with a closure and "
        "--direction the porosity, of a mesh or a mask, through the complete electrode model (docs/eit.md).",
    .example = "finegrain fit dwi.nii.gz -o out\n"
               "finegrain fit dwi.nii.gz -o out --closure hs2d --orientation dispersed --alpha auto --noise rician\n"
               "finegrain fit dwi.nii.gz -o out --matrix-diffusivity 2.8e-3 --fiber-diffusivity 1e-3,0\n"
               "mpiexec -n 2 finegrain fit --config out/config.yaml -o again\n"
               "finegrain fit tank.h5 -o out --regularizer tv\n"
               "finegrain fit head.h5 -o out --mask brain.nii.gz --direction V1.nii.gz --closure hs2d",
    .options = {FgFitInputOptions, FgTissueOptions, FgFitInversionOptions, FgEitDomainOptions, FgEitFitOptions, output_options},
    .settings_size = sizeof(FitSettings),
    .check         = Check,
    .run           = Run};
