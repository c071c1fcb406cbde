/* fit_eit_output.c: the maps of a fit of voltages, resampled from the mesh to the voxels of the grid, and the picture. */
#include "fit_eit.h"
#include "record.h"

#include "finegrain/eit_picture.h"
#include "finegrain/mesh_file.h"
#include "finegrain/statistics.h"

#include <math.h>
#include <string.h>

/* What one site has in the maps; channels of the array that all ranks hold. */
enum { CONDUCTIVITY, CHANGE, POROSITY, DEVIATION, DIRECTION, STATUS = DIRECTION + 3, NCHANNELS };

PetscErrorCode FgEitProvenance(const FgEitFit *fit, json_t **provenance)
{
  const FitSettings *s       = fit->settings;
  json_t            *sources = json_array();
  PetscErrorCode     code    = PETSC_SUCCESS;
  PetscMPIInt        rank;
  double             unused[3];

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) {
    code = FgRecordSource(s->dwi, sources);
    if (!code) code = FgRecordSource(s->domain.mesh, sources);
    if (!code) code = FgRecordSource(s->mask, sources);
    if (!code) code = FgRecordSource(s->domain.electrodes, sources);
    if (!code && !FgEitDirectionConstant(s->domain.direction, unused)) code = FgRecordSource(s->domain.direction, sources);
  }
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  *provenance = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "GeneratedBy", "finegrain", "Version", FG_VERSION, "Model",
                          "eit", "Closure", s->tissue.closure, "Data", FgEitModes[fit->mode], "Regularizer", s->regularizer,
                          "Sources", sources);
  json_object_set_new(*provenance, "BackgroundConductivity_S_per_m", json_real(fit->background.conductivity));
  if (!fit->isotropic) {
    const FgPhases *phases = &fit->tissue.phases;

    json_object_set_new(*provenance, "Tissue",
                        json_pack("{s:f, s:f, s:f, s:s}", "MatrixConductivity_S_per_m", phases->matrix,
                                  "FiberConductivityAxial_S_per_m", phases->fiber_axial, "FiberConductivityRadial_S_per_m",
                                  phases->fiber_radial, "Direction", s->domain.direction));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Values of this rank's sites, then of all sites on all ranks (PetscFree). */
static PetscErrorCode Gather(FgEitFit *fit, float **all)
{
  const FgField      field = fit->field;
  const PetscInt     nc = field->ncomponents, n = fit->domain->nlocal, ntangent = field->ntangent;
  const PetscScalar *m;
  PetscMPIInt        ranks, *count, *offset;
  float             *local;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  PetscCall(PetscMalloc2(ranks, &count, ranks, &offset));
  PetscCall(PetscCalloc1(NCHANNELS * (size_t)n, &local));
  PetscCall(PetscMalloc1(NCHANNELS * (size_t)fit->domain->nglobal, all));
  PetscCall(VecGetArrayRead(field->m, &m));
  for (PetscInt i = 0; i < n; i++) {
    float        *to           = &local[NCHANNELS * (size_t)i];
    const double *frame        = fit->isotropic ? NULL : &field->frames[9 * (size_t)i];
    const double  conductivity = FgEitMeanConductivity(fit->model, &m[i * nc], frame);

    if (!fit->isotropic) {
      double uv[2] = {0.0}, axis[3];

      if (ntangent) PetscCall(PetscArraycpy(uv, &m[i * nc + field->tangent], 2));
      FgChartDirection(frame, uv, axis, NULL);
      to[POROSITY] = (float)m[i * nc];
      for (int k = 0; k < 3; k++) to[DIRECTION + k] = (float)axis[k];
    }
    /* of the unknown: the logarithm of the conductivity, or porosity */
    if (fit->std) to[DEVIATION] = (float)(fit->std[i * nc] * (fit->isotropic ? conductivity : 1.0));
    to[CONDUCTIVITY] = (float)conductivity;
    to[CHANGE]       = (float)log(conductivity / fit->background.conductivity);
    to[STATUS]       = fit->status[i];
  }
  PetscCall(VecRestoreArrayRead(field->m, &m));
  for (PetscMPIInt r = 0; r < ranks; r++) {
    PetscInt first, nlocal;

    FgDomainRun(fit->domain->nglobal, r, ranks, &first, &nlocal);
    count[r]  = (PetscMPIInt)(NCHANNELS * nlocal);
    offset[r] = (PetscMPIInt)(NCHANNELS * first);
  }
  PetscCallMPI(MPI_Allgatherv(local, (PetscMPIInt)(NCHANNELS * n), MPI_FLOAT, *all, count, offset, MPI_FLOAT, PETSC_COMM_WORLD));
  PetscCall(PetscFree(local));
  PetscCall(PetscFree2(count, offset));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One map of spec.nvolumes channels from `channel` on. */
static PetscErrorCode WriteMap(const FgEitFit *fit, const float *all, int channel, FgImageSpec spec, const char *unit,
                               const char *description, FgResult *result)
{
  float *values;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1((size_t)fit->voxels.nlocal * (size_t)spec.nvolumes, &values));
  for (PetscInt i = 0; i < fit->voxels.nlocal; i++) {
    for (PetscInt v = 0; v < spec.nvolumes; v++) {
      values[i * spec.nvolumes + v] = channel < 0 ? 1.0f : all[NCHANNELS * (size_t)fit->site[i] + (size_t)channel + (size_t)v];
    }
  }
  PetscCall(FgResultWriteMap(result, spec.map, &spec, unit, description, values, 0.0f));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0. Triangles with electrodes in a plane; three slices of the maps in space. */
static PetscErrorCode WritePicture(const FgEitFit *fit, const float *all, const FgResult *result)
{
  const FgMesh   mesh    = fit->mesh;
  const PetscInt channel = fit->isotropic ? fit->mode == FG_EIT_ABSOLUTE ? CONDUCTIVITY : CHANGE : POROSITY;
  const char *titles[] = {"conductivity", "logarithm of conductivity over background", "porosity"}, *units[] = {"S/m", "1", "1"};
  const PetscInt nvoxels = FgGridVoxels(&fit->grid);
  char           path[PETSC_MAX_PATH_LEN + 16];
  float         *values;
  unsigned char *mask;
  PetscInt      *where;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/picture.png", result->folder));
  if (mesh->dim == 2) {
    PetscCall(PetscMalloc1(mesh->nsites, &values));
    for (PetscInt i = 0; i < mesh->nsites; i++) values[i] = all[NCHANNELS * (size_t)i + (size_t)channel];
    code = FgEitPictureWrite(
        path, mesh, NULL, 1,
        &(FgSitePanel){.title = titles[channel], .unit = units[channel], .values = values, .colormap = "viridis"});
  } else {
    PetscCall(PetscMalloc1(nvoxels, &values));
    PetscCall(PetscMalloc2(nvoxels, &mask, nvoxels, &where));
    PetscCall(FgMeshSample(mesh, &fit->grid, where));
    for (PetscInt v = 0; v < nvoxels; v++) {
      mask[v]   = where[v] >= 0;
      values[v] = mask[v] ? all[NCHANNELS * (size_t)where[v] + (size_t)channel] : NAN;
    }
    code = FgPictureWrite(
        path, &fit->grid, mask, 1,
        &(FgPanel){.title = titles[channel], .unit = units[channel], .values = values, .colormap = "viridis", .mesh = mesh});
    PetscCall(PetscFree2(mask, where));
  }
  PetscCall(PetscFree(values));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0: result.xdmf and result.h5, on the mesh itself. */
static PetscErrorCode WriteMesh(const FgEitFit *fit, const float *all, const FgResult *result)
{
  const size_t    n       = (size_t)fit->mesh->nsites;
  const PetscBool changes = fit->isotropic && fit->mode != FG_EIT_ABSOLUTE ? PETSC_TRUE : PETSC_FALSE;
  const struct {
    const char *name, *unit;
    int         channel, ncomp;
    PetscBool   written;
  } channels[] = {{"conductivity", "S/m", CONDUCTIVITY, 1, PETSC_TRUE},
                  {"conductivity_change", "1", CHANGE, 1, changes},
                  {"porosity", "1", POROSITY, 1, fit->isotropic ? PETSC_FALSE : PETSC_TRUE},
                  {FgEitStdMap(fit), FgEitStdUnit(fit), DEVIATION, 1, fit->std ? PETSC_TRUE : PETSC_FALSE},
                  {"direction", "1", DIRECTION, 3, fit->isotropic ? PETSC_FALSE : PETSC_TRUE},
                  {"status", "1", STATUS, 1, PETSC_TRUE}};
  char           path[PETSC_MAX_PATH_LEN + 16];
  FgMeshMap      maps[6];
  PetscInt       nmaps = 0;
  double        *values;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(NCHANNELS * n, &values));
  for (size_t c = 0, used = 0; c < sizeof(channels) / sizeof(*channels); c++) {
    const size_t ncomp = (size_t)channels[c].ncomp;
    double      *to    = &values[used];

    if (!channels[c].written) continue;
    for (size_t i = 0; i < n; i++) {
      for (size_t k = 0; k < ncomp; k++) to[i * ncomp + k] = all[NCHANNELS * i + (size_t)channels[c].channel + k];
    }
    maps[nmaps++] = (FgMeshMap){channels[c].name, channels[c].unit, channels[c].ncomp, to};
    used += ncomp * n;
  }
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/result.xdmf", result->folder));
  code = FgMeshWriteXdmf(path, fit->mesh, nmaps, maps);
  PetscCall(PetscFree(values));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitWriteMaps(FgEitFit *fit, FgResult *result)
{
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;
  float         *all;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(Gather(fit, &all));
  if (fit->std) {
    const PetscInt first = fit->domain->first, n = fit->domain->nlocal;

    PetscCall(FgQuantile(PETSC_COMM_WORLD, n, &all[NCHANNELS * (size_t)first + DEVIATION], NCHANNELS, 0.5, &fit->std_median));
  }
  PetscCall(WriteMap(fit, all, CONDUCTIVITY, (FgImageSpec){.map = "conductivity", .store = FG_STORE_FLOAT, .nvolumes = 1}, "S/m",
                     fit->isotropic ? "conductivity"
                                    : "mean of the conductivity tensor's eigenvalues, in two dimensions of those in the plane",
                     result));
  if (fit->isotropic && fit->mode != FG_EIT_ABSOLUTE) {
    PetscCall(WriteMap(fit, all, CHANGE, (FgImageSpec){.map = "conductivity_change", .store = FG_STORE_FLOAT, .nvolumes = 1}, "1",
                       "natural logarithm of the conductivity over that of the homogeneous reference state", result));
  }
  if (!fit->isotropic) {
    PetscCall(WriteMap(fit, all, POROSITY,
                       (FgImageSpec){.map = "porosity", .store = FG_STORE_FLOAT, .nvolumes = 1, .cal_max = 1.0}, "1",
                       "volume fraction of the matrix (fluid) phase", result));
    PetscCall(WriteMap(fit, all, DIRECTION,
                       (FgImageSpec){.map            = "direction_scanner",
                                     .store          = FG_STORE_FLOAT,
                                     .nvolumes       = 3,
                                     .cal_min        = -1.0,
                                     .cal_max        = 1.0,
                                     .reference_axes = "xyz"},
                       "1",
                       fit->direction
                           ? "fiber direction, unit vector up to sign, scanner frame (RAS); not unique, see docs/eit.md"
                           : "fiber direction as it was given, unit vector, scanner frame (RAS)",
                       result));
  }
  if (fit->std) {
    PetscCall(WriteMap(
        fit, all, DEVIATION, (FgImageSpec){.map = FgEitStdMap(fit), .store = FG_STORE_FLOAT, .nvolumes = 1}, FgEitStdUnit(fit),
        "standard deviation of the fit, for the noise and the weight that were used; see docs/uncertainty.md", result));
  }
  PetscCall(WriteMap(fit, all, STATUS, (FgImageSpec){.map = "status", .store = FG_STORE_UINT8, .nvolumes = 1, .cal_max = 63.0},
                     "bits", "4 at a bound, 8 not converged", result));
  PetscCall(WriteMap(fit, all, -1, (FgImageSpec){.map = "mask", .store = FG_STORE_UINT8, .nvolumes = 1, .cal_max = 1.0}, "1",
                     "voxels that hold a value", result));
  if (!rank) code = WriteMesh(fit, all, result);
  if (!rank && !code && !fit->settings->no_picture) code = WritePicture(fit, all, result);
  PetscCall(PetscFree(all));
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}
