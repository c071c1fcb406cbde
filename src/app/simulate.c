/* simulate.c: `finegrain simulate`: a truth, the forward model `dwi` that `fit` uses too, and noise: a volume whose answer is known.

   Noise: Gaussian S + e; Rician |S + e1 + i e2| (H. Gudbjartsson and S. Patz, Magn. Reson. Med. 34 (1995)); noncentral chi of n coils,
   the root of (S + e)^2 + sigma^2 chi2 with 2n - 1 degrees of freedom, for n need not be whole (C. D. Constantinides, E. Atalar, E. R.
   McVeigh, Magn. Reson. Med. 38 (1997)); e of standard deviation sigma. Each voxel has a random sequence of its own, so that the result does not depend on the number of ranks. */
#include "simulate.h"

#include "field_maps.h"
#include "fit_output.h"
#include "record.h"
#include "stop.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

static const char *const files[] = {"dwi.nii.gz",    "dwi.json",    "dwi.bval", "dwi.bvec", "dwi_mask.nii.gz",
                                    "dwi_mask.json", "config.yaml", "log.txt",  NULL};

static double NoiseLevel(const SimulateSettings *s, const FgSimulation *sim)
{
  if (!strcmp(s->noise, "none")) return 0.0;
  return isnan(s->sigma) ? sim->s0_median / s->snr : s->sigma;
}

/* Signal of the field, with noise, into the measurement's data. */
static PetscErrorCode Synthesize(const SimulateSettings *s, double sigma, FgSimulation *sim)
{
  FgMeasurement     *m      = &sim->measurement;
  const PetscBool    rician = strcmp(s->noise, "rician") ? PETSC_FALSE : PETSC_TRUE;
  const PetscScalar *signal;
  Vec                d;
  gsl_rng           *random = gsl_rng_alloc(gsl_rng_mt19937);

  PetscFunctionBegin;
  PetscCheck(random, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory for a random number generator");
  PetscCall(FgModelCreateDataVec(sim->model, &d));
  PetscCall(FgModelApply(sim->model, sim->field->m, d));
  PetscCall(VecGetArrayRead(d, &signal));
  for (PetscInt i = 0; i < m->nlocal; i++) {
    const PetscScalar *from = &signal[i * (size_t)m->ndata];
    float             *to   = &m->data[i * (size_t)m->ndata];

    /* Of one seed, no two voxels have the same number: the generator takes 32 bits. */
    gsl_rng_set(random, (0x9e3779b9UL * ((unsigned long)s->seed + 1) + (unsigned long)m->voxel[m->first + i]) & 0xffffffffUL);
    for (PetscInt k = 0; k < m->ndata; k++) {
      double value = from[k];

      if (sigma > 0.0) value += gsl_ran_gaussian_ziggurat(random, sigma);
      if (sigma > 0.0 && rician) value = hypot(value, gsl_ran_gaussian_ziggurat(random, sigma));
      if (sigma > 0.0 && !isnan(s->coils)) value = hypot(value, sigma * sqrt(gsl_ran_chisq(random, 2.0 * s->coils - 1.0)));
      to[k] = (float)value;
    }
  }
  PetscCall(VecRestoreArrayRead(d, &signal));
  PetscCall(VecDestroy(&d));
  gsl_rng_free(random);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static json_t *Provenance(const SimulateSettings *s, const FgSimulation *sim, double sigma)
{
  json_t *provenance = json_pack("{s:s, s:s, s:s, s:s}", "GeneratedBy", "finegrain", "Version", FG_VERSION, "Model", "dwi",
                                 "Truth", s->truth[0] ? s->truth : sim->measurement.mask_source);

  json_object_set_new(provenance, "Tissue", FgTissueJson(&sim->tissue));
  json_object_set_new(provenance, "Noise", json_pack("{s:s, s:f, s:i}", "Model", s->noise, "Sigma", sigma, "Seed", (int)s->seed));
  return provenance;
}

static PetscErrorCode WriteTruth(const FgSimulation *sim, FgResult *result)
{
  FgFieldMaps maps;

  PetscFunctionBegin;
  PetscCall(FgFieldMapsCreate(&sim->measurement, sim->model, sim->field, &maps));
  PetscCall(FgFieldMapsWrite(&maps, result));
  PetscCall(FgFieldMapsDestroy(&maps));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteMask(const FgSimulation *sim, FgResult *result)
{
  const FgImageSpec spec = {.map = "dwi_mask", .store = FG_STORE_UINT8, .nvolumes = 1, .cal_max = 1.0};
  float            *ones;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(sim->measurement.nlocal, &ones));
  for (PetscInt i = 0; i < sim->measurement.nlocal; i++) ones[i] = 1.0f;
  PetscCall(FgResultWriteMap(result, spec.map, &spec, "1", "voxels that were simulated", ones, 0.0f));
  PetscCall(PetscFree(ones));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0. */
static PetscErrorCode WriteGradients(const FgSimulation *sim, const FgResult *result)
{
  char bval[PETSC_MAX_PATH_LEN + 16], bvec[PETSC_MAX_PATH_LEN + 16];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(bval, sizeof(bval), "%s/dwi.bval", result->folder));
  PetscCall(PetscSNPrintf(bvec, sizeof(bvec), "%s/dwi.bvec", result->folder));
  PetscCall(FgGradientsWrite(&sim->measurement.gradients, &sim->measurement.grid, bval, bvec));
  PetscFunctionReturn(PETSC_SUCCESS);
}

extern const FgCommand FgCommandSimulate;

static PetscErrorCode Run(const void *context, FgLog *log)
{
  const SimulateSettings *s    = context;
  FgImageSpec             spec = {.map = "dwi", .store = FG_STORE_FLOAT};
  FgSimulation            sim;
  FgResult                result, truth;
  double                  sigma;
  char                    folder[PETSC_MAX_PATH_LEN];
  PetscErrorCode          code = PETSC_SUCCESS;
  PetscMPIInt             rank;

  PetscFunctionBegin;
  if (s->eit.on) {
    PetscCall(FgRunSimulateEit(s, log));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(FgSimulationOpen(s, &sim));
  sigma = NoiseLevel(s, &sim);
  PetscCall(FgResultOpen(&sim.measurement, s->output, files, s->force, Provenance(s, &sim, sigma), &result));
  FgStopSetFolder(result.folder);
  PetscCall(PetscSNPrintf(folder, sizeof(folder), "%s/truth", s->output));
  PetscCall(FgResultOpen(&sim.measurement, folder, FgFitFiles, s->force, Provenance(s, &sim, sigma), &truth));
  PetscCall(WriteTruth(&sim, &truth));
  PetscCall(Synthesize(s, sigma, &sim));
  PetscCall(WriteMask(&sim, &result));
  if (!rank) code = WriteGradients(&sim, &result);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  spec.nvolumes = sim.measurement.ndata;
  PetscCall(
      FgResultWriteMap(&result, spec.map, &spec, "signal", "simulated diffusion-weighted signal", sim.measurement.data, 0.0f));

  FgLogResult(log, "truth    %s: %d of %d x %d x %d voxels", s->truth[0] ? s->truth : sim.measurement.mask_source,
              (int)sim.measurement.nmask, (int)sim.measurement.grid.dims[0], (int)sim.measurement.grid.dims[1],
              (int)sim.measurement.grid.dims[2]);
  FgLogResult(log, "model    dwi, closure %s, orientation %s; %d volumes, %d of them b0", sim.tissue.closure->name,
              FgOrientations[sim.tissue.orientation], (int)sim.measurement.ndata, (int)sim.measurement.gradients.nb0);
  FgLogResult(log, "noise    %s, sigma %.4g [signal], median S0 %.4g [signal], seed %d", s->noise, sigma, sim.s0_median,
              (int)s->seed);
  FgLogResult(log, "results  %s/dwi.nii.gz, %s", s->output, folder);
  if (!rank) code = FgRecordWrite(&FgCommandSimulate, s, result.folder, log);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscCall(FgResultDestroy(&truth));
  PetscCall(FgResultDestroy(&result));
  PetscCall(FgSimulationClose(&sim));
  PetscFunctionReturn(PETSC_SUCCESS);
}

const FgCommand FgCommandSimulate = {
    .name    = "simulate",
    .summary = "a diffusion MRI volume, or electrode voltages, whose truth is known",
    .usage   = "--truth FOLDER|--phantom NAME|--eit -o FOLDER|FILE [options]",
    .description =
        "Computes the diffusion-weighted signal of a truth, maps as fit writes them or a built-in phantom, with the "
        "forward model of fit, and adds noise. Writes the volume with its gradient table and mask, and the truth beside it. "
        "With --eit: voltages of a tank, a mesh or a mask with inclusions, through the complete electrode model, as an HDF5 file "
        "that fit takes "
        "(docs/eit.md).",
    .example       = "finegrain simulate --phantom mixed --snr 20 --seed 1 -o sim\n"
                     "finegrain simulate --phantom borders --size 48,48,32 --noise rician --snr 10 -o sim\n"
                     "finegrain simulate --truth out --bval dwi.bval --bvec dwi.bvec --snr 20 -o again\n"
                     "finegrain simulate --eit --inclusions disc=0.04,0.02,0.02,3 disc=-0.04,-0.01,0.025,0.2 --reference -o sim.h5",
    .options       = {FgSimulateTruthOptions, FgTissueOptions, FgSimulateOutputOptions, FgSimulateEitOptions, FgEitDomainOptions},
    .settings_size = sizeof(SimulateSettings),
    .check         = FgSimulateCheck,
    .run           = Run};
