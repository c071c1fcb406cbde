/* simulate_options.c: the option tables of `finegrain simulate`. */
#include "noise_options.h"
#include "phantom.h"
#include "simulate.h"

#include <stdio.h>

static const char *PhantomName(PetscInt i)
{
  return FgPhantoms[i].name;
}

#define MEMBER(member) .offset = offsetof(SimulateSettings, member)

/* clang-format off */
const FgOption FgSimulateTruthOptions[] = {
  {.section = "Truth", .name = "truth", .type = FG_OPTION_PATH, MEMBER(truth), .value = "FOLDER",
   .summary = "maps under the names that fit writes: mask, porosity, direction_scanner or direction_fsl, and as far as they are there "
              "kappa, planarity (with tensor) and S0"},
  {.name = "phantom", .type = FG_OPTION_CHOICE, MEMBER(phantom), .word = "none", .choice = PhantomName,
   .summary = "built-in truth instead of a folder"},
  {.name = "size", .type = FG_OPTION_REALS, MEMBER(size), .unit = "voxels", .value = "X,Y,Z", .fallback = "24,24,16", .lower = 1,
   .upper = 4096, .least = 3, .most = 3, .summary = "grid of a phantom"},
  {.name = "spacing", .type = FG_OPTION_REALS, MEMBER(spacing), .unit = "mm", .value = "X,Y,Z", .fallback = "2,2,2",
   .lower = FG_POSITIVE, .upper = 1000, .least = 3, .most = 3, .summary = "voxel size of a phantom"},
  {.name = "s0", .type = FG_OPTION_REAL, MEMBER(s0), .unit = "signal", .fallback = "1000", .lower = FG_POSITIVE, .upper = INFINITY,
   .summary = "unweighted signal, of a phantom its typical value"},

  {.section = "Gradients", .name = "bval", .type = FG_OPTION_PATH, MEMBER(bval), .word = "spread",
   .summary = "b-values, FSL format [s/mm^2]; spread: b0 volumes and one shell of evenly spread directions"},
  {.name = "bvec", .type = FG_OPTION_PATH, MEMBER(bvec), .word = "spread", .summary = "gradient directions, FSL format"},
  {.name = "b0-threshold", .type = FG_OPTION_REAL, MEMBER(b0_threshold), .unit = "s/mm^2", .fallback = "50", .lower = 0,
   .upper = 1000, .summary = "volumes with a b-value up to this count as not weighted"},
  {.name = "directions", .type = FG_OPTION_INTEGER, MEMBER(directions), .fallback = "30", .lower = 6, .upper = 10000,
   .summary = "of the spread table"},
  {.name = "shell", .type = FG_OPTION_REAL, MEMBER(shell), .unit = "s/mm^2", .fallback = "1000", .lower = FG_POSITIVE,
   .upper = 1e5, .summary = "b-value of the spread table"},
  {.name = "b0", .type = FG_OPTION_INTEGER, MEMBER(b0), .fallback = "3", .lower = 1, .upper = 1000,
   .summary = "b0 volumes of the spread table"},
  {0}};

const FgOption FgSimulateOutputOptions[] = {
  {.section = "Noise", .name = "noise", .type = FG_OPTION_CHOICE, MEMBER(noise), .choices = "gaussian|rician|ncchi|none",
   .summary = "rician: magnitude of a complex signal with Gaussian noise in both parts; ncchi: root of the sum of squares over --coils such"},
  {.name = "coils", .type = FG_OPTION_REAL, MEMBER(coils), .unit = "1", .word = "none", .lower = 1, .upper = 128,
   .summary = "effective number of receive coils of --noise ncchi"},
  {.name = "snr", .type = FG_OPTION_REAL, MEMBER(snr), .unit = "1", .fallback = "20", .lower = FG_POSITIVE, .upper = INFINITY,
   .summary = "median of S0 over the noise's standard deviation, of one channel"},
  {.name = "sigma", .type = FG_OPTION_REAL, MEMBER(sigma), .unit = "signal", .word = "snr", .lower = FG_POSITIVE, .upper = INFINITY,
   .summary = "standard deviation of the noise, instead of --snr"},
  {.name = "seed", .type = FG_OPTION_INTEGER, MEMBER(seed), .fallback = "1", .lower = 0, .upper = 2147483647,
   .summary = "of the noise, which depends on it and on the voxel, not on the number of ranks"},

  {.section = "Output", .name = "output", .letter = 'o', .type = FG_OPTION_PATH, MEMBER(output), .value = "FOLDER",
   .summary = "where dwi.nii.gz, dwi.bval, dwi.bvec, dwi_mask.nii.gz, the maps of the truth, config.yaml and log.txt go; with --eit a file, NAME.h5"},
  {.name = "force", .type = FG_OPTION_FLAG, MEMBER(force), .summary = "overwrite what is in the output folder"},
  {0}};
/* clang-format on */

PetscBool FgSimulateCheck(const void *context, char message[FG_MESSAGE_LENGTH])
{
  const SimulateSettings *s = context;

  if (s->eit.on) return FgSimulateEitCheck(s, message);
  if (!s->truth[0] == !s->phantom[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--truth, --phantom: give one of them, found %s", s->truth[0] ? "both" : "neither");
  } else if (!s->bval[0] != !s->bvec[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--%s: is missing, --bval and --bvec go together", s->bval[0] ? "bvec" : "bval");
  } else if (!s->output[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--output: is missing, say where the results go with -o FOLDER");
  } else {
    for (int k = 0; k < 3; k++) {
      if (s->size.value[k] == floor(s->size.value[k])) continue;
      snprintf(message, FG_MESSAGE_LENGTH, "--size: expected whole numbers [voxels], found %g", s->size.value[k]);
      return PETSC_FALSE;
    }
    return FgNoiseCheck(s->noise, s->coils, message) && FgTissueCheck(&s->tissue, message) ? PETSC_TRUE : PETSC_FALSE;
  }
  return PETSC_FALSE;
}
