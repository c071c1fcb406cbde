/* simulate_truth.c: the parameter field that a simulation starts from: a phantom on a grid, or maps under the names that fit writes. */
#include "phantom.h"
#include "simulate.h"

#include "finegrain/statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Image axes -x, y, z of the scanner, the origin at the box's center: the usual frame of FSL, determinant negative. */
static void PhantomGrid(const SimulateSettings *s, FgGrid *grid)
{
  memset(grid, 0, sizeof(*grid));
  for (int k = 0; k < 3; k++) {
    grid->dims[k]      = (PetscInt)s->size.value[k];
    grid->spacing[k]   = s->spacing.value[k];
    grid->affine[k][k] = k ? grid->spacing[k] : -grid->spacing[k];
    grid->affine[k][3] = -0.5 * (double)(grid->dims[k] - 1) * grid->affine[k][k];
  }
  grid->sform_code = grid->qform_code = 1;
}

static void PhantomPosition(const FgGrid *grid, PetscInt voxel, double x[3])
{
  for (int k = 0; k < 3; k++) {
    x[k] = 2.0 * ((double)(voxel % grid->dims[k]) + 0.5) / (double)grid->dims[k] - 1.0;
    voxel /= grid->dims[k];
  }
}

static void MapPath(const SimulateSettings *s, const char *name, char path[PETSC_MAX_PATH_LEN])
{
  (void)PetscSNPrintf(path, PETSC_MAX_PATH_LEN, "%s/%s.nii.gz", s->truth, name);
}

/* Rank 0: grid, mask[voxels] (PetscFree) and gradient table. */
static PetscErrorCode Prepare(const SimulateSettings *s, FgGrid *grid, unsigned char **mask, char *source, FgGradients *gradients)
{
  FgImageInfo info;
  float      *values = NULL;
  PetscInt    n;

  PetscFunctionBegin;
  if (s->truth[0]) {
    MapPath(s, "mask", source);
    PetscCall(FgImageRead(source, &info, &values));
    *grid = info.grid;
  } else {
    PetscCall(PetscSNPrintf(source, PETSC_MAX_PATH_LEN, "phantom %s", s->phantom));
    PhantomGrid(s, grid);
  }
  n = FgGridVoxels(grid);
  PetscCall(PetscMalloc1(n, mask));
  for (PetscInt v = 0; v < n; v++) {
    double x[3];

    PhantomPosition(grid, v, x);
    (*mask)[v] = values ? values[v] != 0.0f && isfinite(values[v]) : FgPhantomInside(x);
  }
  PetscCall(PetscFree(values));
  if (!s->bval[0]) PetscCall(FgGradientsSpread(s->b0, s->directions, s->shell, gradients));
  else PetscCall(FgGradientsRead(s->bval, s->bvec, grid, -1, s->b0_threshold, PETSC_FALSE, gradients));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Every rank learns whether the folder holds a map. */
static PetscErrorCode HasMap(const SimulateSettings *s, const char *name, PetscBool *has)
{
  char path[PETSC_MAX_PATH_LEN];
  int  found;

  PetscFunctionBegin;
  MapPath(s, name, path);
  found = !access(path, F_OK); /* rank 0 decides */
  PetscCallMPI(MPI_Bcast(&found, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  *has = found ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadWholeMap(const char *path, const FgGrid *grid, PetscInt nvolumes, FgImageInfo *info, float **values)
{
  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(path, info));
  PetscCheck(info->nvolumes == nvolumes, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " volumes, expected %" PetscInt_FMT, path, info->nvolumes, nvolumes);
  PetscCheck(FgGridDistance(grid, &info->grid) >= 0.0 && FgGridDistance(grid, &info->grid) <= 1e-3, PETSC_COMM_SELF,
             PETSC_ERR_FILE_UNEXPECTED, "%s: found another grid than that of mask.nii.gz beside it; resample the map", path);
  PetscCall(FgImageRead(path, info, values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A map's values at this rank's voxels, [volume][nlocal] (PetscFree). Collective. */
static PetscErrorCode ReadMap(const SimulateSettings *s, const FgSimulation *sim, const char *name, PetscInt nvolumes,
                              float **local)
{
  const FgMeasurement *m      = &sim->measurement;
  const size_t         n      = (size_t)FgGridVoxels(&m->grid);
  float               *values = NULL;
  FgImageInfo          info;
  PetscErrorCode       code = PETSC_SUCCESS;
  PetscMPIInt          rank;
  char                 path[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  MapPath(s, name, path);
  if (!rank) code = ReadWholeMap(path, &m->grid, nvolumes, &info, &values);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscCall(PetscMalloc1((size_t)m->nlocal * nvolumes, local));
  for (PetscInt v = 0; v < nvolumes; v++)
    PetscCall(FgMeasurementScatter(m, rank ? NULL : values + v * n, *local + v * m->nlocal));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RefuseBad(const SimulateSettings *s, const char *name, PetscInt bad, const char *expected)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bad, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD));
  PetscCheck(!bad, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s/%s.nii.gz: found %" PetscInt_FMT " masked voxels without a usable value, expected %s", s->truth, name, bad,
             expected);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillComponent(const SimulateSettings *s, FgSimulation *sim, PetscInt c)
{
  const FgComponent *component = &sim->field->components[c];
  const PetscInt     nc        = sim->field->ncomponents;
  PetscScalar       *m;
  float             *values;
  PetscInt           bad = 0;
  char               expected[96];

  PetscFunctionBegin;
  PetscCall(ReadMap(s, sim, component->name, 1, &values));
  PetscCall(VecGetArray(sim->field->m, &m));
  for (PetscInt i = 0; i < sim->domain->nlocal; i++) {
    /* Float maps may miss a bound by their rounding. */
    const double low = component->lower - 1e-6, high = component->upper + 1e-6;

    bad += !(isfinite(values[i]) && values[i] >= low && values[i] <= high);
    m[i * nc + c] = PetscMin(PetscMax(values[i], component->lower), component->upper);
  }
  PetscCall(VecRestoreArray(sim->field->m, &m));
  PetscCall(PetscFree(values));
  snprintf(expected, sizeof(expected), "%g to %g [%s]", component->lower, component->upper, component->unit);
  PetscCall(RefuseBad(s, component->name, bad, expected));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillDirections(const SimulateSettings *s, FgSimulation *sim)
{
  const PetscInt n = sim->domain->nlocal;
  PetscBool      scanner;
  const char    *name;
  float         *values;
  double         R[9];
  PetscInt       bad = 0;

  PetscFunctionBegin;
  PetscCall(HasMap(s, "direction_scanner", &scanner));
  name = scanner ? "direction_scanner" : "direction_fsl";
  PetscCall(ReadMap(s, sim, name, 3, &values));
  FgGridRotation(&sim->measurement.grid, R);
  for (PetscInt i = 0; i < n; i++) {
    const double flip = FgGridDeterminant(&sim->measurement.grid) > 0.0 ? -1.0 : 1.0;
    const double v[3] = {values[i] * (scanner ? 1.0 : flip), values[n + i], values[2 * n + i]};
    double       direction[3], norm = 0.0;

    for (int k = 0; k < 3; k++) {
      direction[k] = scanner ? v[k] : R[3 * k] * v[0] + R[3 * k + 1] * v[1] + R[3 * k + 2] * v[2];
      norm += direction[k] * direction[k];
    }
    norm = sqrt(norm);
    if (!(norm > 1e-3 && isfinite(norm))) {
      bad++;
      continue;
    }
    for (int k = 0; k < 3; k++) direction[k] /= norm;
    FgChartFrameFromDirection(direction, &sim->field->frames[9 * i]);
  }
  PetscCall(PetscFree(values));
  PetscCall(RefuseBad(s, name, bad, "a direction in every one"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* An orthotropic frame needs more than the fiber direction: it is that of the tensor's principal axes. */
static PetscErrorCode FillFrames(const SimulateSettings *s, FgSimulation *sim)
{
  static const int row[6] = {0, 1, 1, 2, 2, 2}, column[6] = {0, 0, 1, 0, 1, 2}; /* NIfTI: the lower triangle by rows */
  const PetscInt   n = sim->domain->nlocal;
  float           *values;
  double           R[9], unused[8];

  PetscFunctionBegin;
  PetscCall(ReadMap(s, sim, "tensor", 6, &values));
  FgGridRotation(&sim->measurement.grid, R);
  for (PetscInt i = 0; i < n; i++) {
    double T[3][3], C[3][3] = {{0.0}};

    for (int k = 0; k < 6; k++) T[row[k]][column[k]] = T[column[k]][row[k]] = values[k * n + i];
    for (int a = 0; a < 9; a++) {
      for (int b = 0; b < 9; b++) C[a / 3][b / 3] += R[3 * (a / 3) + a % 3] * T[a % 3][b % 3] * R[3 * (b / 3) + b % 3];
    }
    FgTissueFromTensor(&sim->tissue, (double[6]){C[0][0], C[1][1], C[2][2], C[0][1], C[0][2], C[1][2]}, unused,
                       &sim->field->frames[9 * i]);
  }
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillFromMaps(const SimulateSettings *s, FgSimulation *sim)
{
  PetscFunctionBegin;
  for (PetscInt c = 0; c < sim->field->ncomponents; c++) {
    const FgComponent *component = &sim->field->components[c];
    PetscBool          has;

    if (component->kind == FG_KIND_TANGENT) continue; /* 0: the frames hold the directions */
    PetscCall(HasMap(s, component->name, &has));
    if (has || strcmp(component->name, "S0")) PetscCall(FillComponent(s, sim, c));
    else PetscCall(VecStrideSet(sim->field->m, c, s->s0));
  }
  if (sim->field->ntangent == 3) PetscCall(FillFrames(s, sim));
  else PetscCall(FillDirections(s, sim));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillFromPhantom(const SimulateSettings *s, FgSimulation *sim)
{
  const FgGrid    *grid    = &sim->measurement.grid;
  const FgPhantom *phantom = FgPhantomFind(s->phantom);
  const double     size[3] = {2.0 / (double)grid->dims[0], 2.0 / (double)grid->dims[1], 2.0 / (double)grid->dims[2]};
  const PetscInt   nc      = sim->field->ncomponents;
  PetscScalar     *m;
  double           R[9];

  PetscFunctionBegin;
  FgGridRotation(grid, R);
  PetscCall(VecGetArray(sim->field->m, &m));
  for (PetscInt i = 0; i < sim->domain->nlocal; i++) {
    FgTruth truth;
    double  x[3], direction[3];

    PhantomPosition(grid, sim->measurement.voxel[sim->domain->first + i], x);
    phantom->truth(x, size, &truth);
    for (PetscInt c = 0; c < nc; c++) {
      const FgComponent *component = &sim->field->components[c];
      double             value     = 0.0;

      if (!strcmp(component->name, "porosity")) value = PetscMin(PetscMax(truth.porosity, component->lower), component->upper);
      else if (!strcmp(component->name, "kappa")) value = truth.kappa;
      else if (!strcmp(component->name, "planarity")) value = truth.planarity;
      else if (!strcmp(component->name, "S0")) value = s->s0 * truth.S0;
      m[i * nc + c] = value;
    }
    for (int k = 0; k < 3; k++) {
      direction[k] = R[3 * k] * truth.direction[0] + R[3 * k + 1] * truth.direction[1] + R[3 * k + 2] * truth.direction[2];
    }
    FgChartFrameFromDirection(direction, &sim->field->frames[9 * i]);
  }
  PetscCall(VecRestoreArray(sim->field->m, &m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where the command does not say, the maps that are there decide on the orientation model. */
static PetscErrorCode ChooseOrientation(const SimulateSettings *s, FgTissue *tissue)
{
  PetscBool kappa, planarity;

  PetscFunctionBegin;
  if (!s->truth[0] || s->tissue.orientation[0]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(HasMap(s, "kappa", &kappa));
  PetscCall(HasMap(s, "planarity", &planarity));
  tissue->orientation = !kappa ? FG_ALIGNED : planarity ? FG_ORTHOTROPIC : FG_DISPERSED;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MedianS0(FgSimulation *sim)
{
  const PetscInt     nc = sim->field->ncomponents, S0 = FgFieldFind(sim->field, "S0");
  const PetscScalar *m;
  float             *values;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(sim->domain->nlocal, &values));
  PetscCall(VecGetArrayRead(sim->field->m, &m));
  for (PetscInt i = 0; i < sim->domain->nlocal; i++) values[i] = (float)m[i * nc + S0];
  PetscCall(VecRestoreArrayRead(sim->field->m, &m));
  PetscCall(FgQuantile(PETSC_COMM_WORLD, sim->domain->nlocal, values, 1, 0.5, &sim->s0_median));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSimulationOpen(const SimulateSettings *s, FgSimulation *sim)
{
  FgGrid         grid;
  FgGradients    gradients;
  unsigned char *mask                       = NULL;
  char           source[PETSC_MAX_PATH_LEN] = "";
  PetscErrorCode code                       = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  memset(sim, 0, sizeof(*sim));
  memset(&grid, 0, sizeof(grid));
  memset(&gradients, 0, sizeof(gradients));
  PetscCall(FgTissueChoose(&s->tissue, &sim->tissue));
  PetscCall(ChooseOrientation(s, &sim->tissue));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) code = Prepare(s, &grid, &mask, source, &gradients);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscCall(FgMeasurementCreate(PETSC_COMM_WORLD, &grid, mask, source, &gradients, &sim->measurement));
  PetscCall(PetscFree(mask));

  PetscCall(FgModelCreate(PETSC_COMM_WORLD, "dwi", &sim->tissue, &sim->model));
  PetscCall(FgModelSetGradients(sim->model, &sim->measurement.gradients, s->s0));
  PetscCall(FgModelSetup(sim->model));
  PetscCall(FgDomainCreateVoxels(PETSC_COMM_WORLD, sim->measurement.grid.dims, sim->measurement.grid.spacing,
                                 sim->measurement.nmask, sim->measurement.voxel, &sim->domain));
  PetscCall(FgFieldCreate(sim->domain, sim->model->ncomponents, sim->model->components, &sim->field));
  PetscCall(FgModelSetField(sim->model, sim->field));
  if (s->truth[0]) PetscCall(FillFromMaps(s, sim));
  else PetscCall(FillFromPhantom(s, sim));
  PetscCall(FgFieldUpdateFrames(sim->field));
  PetscCall(MedianS0(sim));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSimulationClose(FgSimulation *sim)
{
  PetscFunctionBegin;
  PetscCall(FgFieldDestroy(&sim->field));
  PetscCall(FgDomainDestroy(&sim->domain));
  PetscCall(FgModelDestroy(&sim->model));
  PetscCall(FgMeasurementDestroy(&sim->measurement));
  PetscCall(FgTissueClose(&sim->tissue));
  PetscFunctionReturn(PETSC_SUCCESS);
}
