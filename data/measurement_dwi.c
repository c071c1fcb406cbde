/* measurement_dwi.c: reads a diffusion-weighted volume with its gradients and mask, and says of each voxel which samples
   can be used. */
#include "mask.h"
#include "measurement.h"

#include <math.h>
#include <string.h>

/* S0 and the six components of a tensor: fewer samples determine no voxel. */
#define FEWEST_SAMPLES 7

typedef struct {
  const FgGradients *gradients;
  PetscInt           nvoxels;
  float             *mean; /* [nvoxels] */
} MeanB0;

static PetscErrorCode AddB0(void *context, PetscInt v, const float *values)
{
  MeanB0 *b0 = context;

  PetscFunctionBegin;
  if (b0->gradients->b[v] <= b0->gradients->b0_threshold) {
    for (PetscInt i = 0; i < b0->nvoxels; i++) b0->mean[i] += values[i] / (float)b0->gradients->nb0;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MakeMask(FgMeasurement *m)
{
  MeanB0         b0 = {.gradients = &m->gradients, .nvoxels = FgGridVoxels(&m->grid)};
  unsigned char *mask;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCall(PetscCalloc2(b0.nvoxels, &b0.mean, b0.nvoxels, &mask));
  ierr = FgImageStream(&m->info, AddB0, &b0);
  if (!ierr) ierr = FgMaskFromImage(m->grid.dims, b0.mean, mask);
  if (!ierr) ierr = FgMeasurementSetMask(mask, "otsu", m);
  PetscCall(PetscFree2(b0.mean, mask));
  PetscCall(ierr);
  PetscCheck(m->nmask > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no object in the mean b0 volume to make a mask of (all voxels are alike); give --mask", m->info.path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0. */
static PetscErrorCode Prepare(const FgMeasurementFiles *files, double b0_threshold, FgMeasurement *m)
{
  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(files->dwi, &m->info));
  m->grid  = m->info.grid;
  m->ndata = m->info.nvolumes;
  PetscCheck(m->info.nvolumes > 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found one volume, expected the several volumes of a diffusion-weighted image", files->dwi);
  PetscCheck(files->bval[0], PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN,
             "%s: found no b-values beside it, expected the same name with .bval and .bvec; give --bval and --bvec", files->dwi);
  PetscCall(FgGradientsRead(files->bval, files->bvec[0] ? files->bvec : NULL, &m->grid, m->info.nvolumes, b0_threshold,
                            PETSC_FALSE, &m->gradients));
  if (files->mask[0]) PetscCall(FgMeasurementReadMask(files->mask, m));
  else PetscCall(MakeMask(m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Non-finite and exactly zero samples become NaN (left out); negative ones are kept: magnitude images have none, and
   real-valued ones have them rightly. */
static unsigned char JudgeSamples(const FgGradients *gradients, float *samples)
{
  unsigned char status = 0;
  PetscInt      nb0 = 0, nweighted = 0;

  for (PetscInt v = 0; v < gradients->n; v++) {
    if (!isfinite(samples[v]) || samples[v] <= 0.0f) status |= FG_STATUS_CLAMPED;
    if (!isfinite(samples[v]) || samples[v] == 0.0f) samples[v] = NAN;
    else if (gradients->b[v] <= gradients->b0_threshold) nb0++;
    else nweighted++;
  }
  return nb0 && nweighted && nb0 + nweighted >= FEWEST_SAMPLES ? status : status | FG_STATUS_NOT_FITTED;
}

PetscErrorCode FgMeasurementReadDwi(MPI_Comm comm, const FgMeasurementFiles *files, double b0_threshold, FgMeasurement *m)
{
  PetscBool      first;
  PetscErrorCode ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  PetscCall(FgMeasurementBegin(comm, m, &first));
  if (first) ierr = Prepare(files, b0_threshold, m);
  PetscCall(FgMeasurementEnd(ierr, PETSC_TRUE, m));
  for (PetscInt i = 0; i < m->nlocal; i++) m->status[i] = JudgeSamples(&m->gradients, m->data + (size_t)i * (size_t)m->ndata);
  PetscFunctionReturn(PETSC_SUCCESS);
}
