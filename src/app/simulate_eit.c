/* simulate_eit.c: `finegrain simulate --eit`: voltages of a domain with inclusions, through the model `eit` that `fit` uses too, and noise.

   A fit on the same mesh with the same elements would profit from errors that cancel (J. Kaipio, E. Somersalo, J. Comput. Appl. Math. 198
   (2007) 493, the inverse crime): the file records its mesh's size, and `fit` refuses it. Elements are of degree 2 unless told otherwise. */
#include "eit_domain.h"
#include "eit_model.h"
#include "eit_patterns.h"
#include "record.h"
#include "simulate.h"

#include "finegrain/model.h"
#include "finegrain/result.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

static const PetscInt elements[2] = {20000, 150000};

enum { MOST_ELECTRODES = 256 };

typedef struct {
  const SimulateSettings *settings;
  FgLog                  *log;
  FgInclusion             inclusions[FG_MAX_INCLUSIONS];
  PetscInt                ninclusions;
  PetscBool               isotropic;
  FgTissue                tissue;
  FgEit                   eit;
  FgMesh                  mesh;
  char                    mesh_source[PETSC_MAX_PATH_LEN + 64];
  FgModel                 model;
  FgDomain                domain;
  FgField                 field;
} Simulation;

/* Rank 0: how many electrodes the domain has, and their names; a Gmsh mesh is read for them. */
static PetscErrorCode NameElectrodes(const SimulateSettings *s, FgMesh *mesh, PetscInt *n, char (*name)[32])
{
  PetscFunctionBegin;
  if (s->domain.mesh[0]) {
    PetscCall(FgMeshReadGmsh(s->domain.mesh, s->domain.mesh_unit, mesh));
    *n = PetscMin((*mesh)->nelectrodes, MOST_ELECTRODES);
    for (PetscInt l = 0; l < *n; l++) memcpy(name[l], (*mesh)->electrode[l], sizeof(*name));
    PetscCheck(*n >= 2, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found %" PetscInt_FMT " electrodes, expected at least two physical groups of faces electrode1, electrode2",
               s->domain.mesh, *n);
  } else if (s->eit.mask[0]) PetscCall(FgEitReadNames(s->domain.electrodes, MOST_ELECTRODES, n, name));
  else {
    *n = PetscMin(s->eit.electrodes * s->eit.rings, MOST_ELECTRODES);
    for (PetscInt l = 0; l < *n; l++) snprintf(name[l], sizeof(*name), "%d", (int)l + 1);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SetTank(const FgEitSimulateSettings *s, FgEit eit)
{
  const double around = 2.0 * M_PI / (double)s->electrodes, width = s->width * around * s->radius;

  PetscFunctionBegin;
  eit->radius = s->radius;
  eit->height = s->height;
  PetscCall(PetscCalloc1(eit->nelectrodes, &eit->angle));
  PetscCall(PetscCalloc1(eit->nelectrodes, &eit->width));
  if (s->height > 0.0) {
    PetscCall(PetscCalloc1(eit->nelectrodes, &eit->z));
    PetscCall(PetscCalloc1(eit->nelectrodes, &eit->tall));
  }
  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    eit->angle[l] = around * (double)(l % s->electrodes);
    eit->width[l] = width;
    if (s->height > 0.0) {
      eit->z[l]    = s->height * ((double)(l / s->electrodes) + 0.5) / (double)s->rings;
      eit->tall[l] = isnan(s->tall) ? fmin(width, 0.5 * s->height / (double)s->rings) : s->tall;
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0: electrodes and patterns; voltages of 0 until they are computed. The mesh where it was read. */
static PetscErrorCode MakeEit(const SimulateSettings *s, FgMesh *mesh, FgEit *eit)
{
  char     name[MOST_ELECTRODES][32];
  PetscInt n = 0, patterns, measurements;

  PetscFunctionBegin;
  PetscCall(NameElectrodes(s, mesh, &n, name));
  patterns     = FgEitPatternRows(s->eit.pattern, n);
  measurements = FgEitPatternRows(s->eit.measure, n);
  PetscCall(FgEitCreate(n, patterns, measurements, eit));
  PetscCall(PetscStrncpy((*eit)->source, s->output, sizeof((*eit)->source)));
  memcpy((*eit)->name, name, (size_t)n * sizeof(*name));
  for (PetscInt l = 0; l < n; l++) (*eit)->impedance[l] = s->eit.impedance;
  FgEitPatternFill(s->eit.pattern, n, (*eit)->current);
  for (PetscInt k = 0; k < patterns * n; k++) (*eit)->current[k] *= s->eit.amplitude;
  FgEitPatternFill(s->eit.measure, n, (*eit)->pattern);
  for (PetscInt k = 0; k < patterns * measurements; k++) (*eit)->voltage[k] = 0.0;
  (*eit)->depth = 1.0;
  if (!s->domain.mesh[0] && !s->eit.mask[0]) PetscCall(SetTank(&s->eit, *eit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode OpenModel(Simulation *sim)
{
  const SimulateSettings *s       = sim->settings;
  const FgEitOptions      options = {.unknowns           = sim->isotropic ? FG_EIT_ISOTROPIC : FG_EIT_POROSITY,
                                     .order              = s->domain.order ? s->domain.order : 2,
                                     .tolerance          = 1e-12,
                                     .conductivity       = s->eit.conductivity,
                                     .conductivity_lower = 1e-12,
                                     .conductivity_upper = 1e12};

  double        *direction = NULL;
  FgEitParts     parts;
  PetscErrorCode code;

  PetscFunctionBegin;
  if (!sim->isotropic) PetscCall(FgEitDirections(&s->domain, sim->mesh, &direction));
  PetscCall(FgDomainCreateMesh(PETSC_COMM_WORLD, sim->mesh, &sim->domain));
  parts = (FgEitParts){&s->domain, sim->eit, sim->mesh, &sim->tissue, sim->domain, direction};
  code  = FgEitModelOpen(&parts, &options, &sim->model, &sim->field);
  PetscCall(PetscFree(direction));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double TruthAt(const Simulation *sim, const double x[3], PetscBool background)
{
  double value = sim->isotropic ? sim->settings->eit.conductivity : sim->settings->eit.porosity;

  for (PetscInt k = 0; k < sim->ninclusions && !background; k++) {
    if (FgInclusionHolds(&sim->inclusions[k], x)) value = sim->inclusions[k].value;
  }
  return value;
}

/* Says so where an inclusion misses the domain. */
static PetscErrorCode WarnOfInclusions(const Simulation *sim)
{
  double *centroid;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(3 * (size_t)sim->mesh->nsites, &centroid));
  PetscCall(FgMeshMeasures(sim->mesh, NULL, centroid));
  for (PetscInt k = 0; k < sim->ninclusions; k++) {
    PetscInt i = 0;

    while (i < sim->mesh->nsites && !FgInclusionHolds(&sim->inclusions[k], &centroid[3 * (size_t)i])) i++;
    if (i == sim->mesh->nsites) {
      FgLogWarning(sim->log, "--inclusions: the one about %g, %g, %g m holds no element of the domain and changes nothing",
                   sim->inclusions[k].center[0], sim->inclusions[k].center[1], sim->inclusions[k].center[2]);
    }
  }
  PetscCall(PetscFree(centroid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillField(Simulation *sim, PetscBool background)
{
  const FgComponent *component = &sim->field->components[0];
  const PetscInt     nc        = sim->field->ncomponents;
  double            *centroid;
  PetscScalar       *m;
  PetscInt           bad = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(3 * (size_t)sim->mesh->nsites, &centroid));
  PetscCall(FgMeshMeasures(sim->mesh, NULL, centroid));
  PetscCall(VecSet(sim->field->m, 0.0));
  PetscCall(VecGetArray(sim->field->m, &m));
  for (PetscInt i = 0; i < sim->domain->nlocal; i++) {
    const double value = TruthAt(sim, &centroid[3 * (size_t)(sim->domain->first + i)], background);

    m[i * nc] = sim->isotropic ? log(value) : value;
    bad += m[i * nc] < component->lower || m[i * nc] > component->upper;
  }
  PetscCall(VecRestoreArray(sim->field->m, &m));
  PetscCall(PetscFree(centroid));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bad, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD));
  PetscCheck(!bad, PETSC_COMM_SELF, PETSC_ERR_USER,
             "--inclusions, --porosity: found %" PetscInt_FMT " sites outside of %g to %g, what the closure allows", bad,
             component->lower, component->upper);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Adds noise to both sets and records its deviation, that of the voltages of the body. The same on all ranks. */
static PetscErrorCode AddNoise(Simulation *sim, double *median)
{
  const SimulateSettings *s       = sim->settings;
  const FgEit             eit     = sim->eit;
  const PetscInt          n       = eit->npatterns * eit->nmeasurements;
  gsl_rng                *random  = gsl_rng_alloc(gsl_rng_mt19937);
  double                  largest = 0.0, absolute;

  PetscFunctionBegin;
  PetscCheck(random, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory for a random number generator");
  gsl_rng_set(random, (unsigned long)s->seed + 1);
  for (PetscInt i = 0; i < n; i++) largest = fmax(largest, fabs(eit->voltage[i]));
  absolute = isnan(s->eit.noise_absolute) ? 1e-4 * largest : s->eit.noise_absolute;
  *median  = absolute;
  if (strcmp(s->noise, "none") && (s->eit.noise_relative > 0.0 || absolute > 0.0)) {
    PetscCall(PetscMalloc1(n, &eit->noise));
    for (PetscInt i = 0; i < n; i++) {
      eit->noise[i] = hypot(s->eit.noise_relative * eit->voltage[i], absolute);
      eit->noise[i] = fmax(eit->noise[i], 1e-15 * largest); /* a voltage of 0 without absolute noise */
      eit->voltage[i] += gsl_ran_gaussian_ziggurat(random, eit->noise[i]);
    }
    for (PetscInt i = 0; i < n && eit->reference; i++) {
      eit->reference[i] += gsl_ran_gaussian_ziggurat(random, hypot(s->eit.noise_relative * eit->reference[i], absolute));
    }
  }
  gsl_rng_free(random);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0: NAME_truth.nii.gz and its sidecar. */
static PetscErrorCode WriteTruth(Simulation *sim, const char *base)
{
  const FgImageSpec spec = {.map = "truth", .store = FG_STORE_FLOAT, .nvolumes = 1};
  char              path[PETSC_MAX_PATH_LEN + 32];
  float            *values;
  PetscInt         *where, n;
  double           *centroid;
  FgGrid            grid;
  json_t           *sidecar;
  PetscErrorCode    code;

  PetscFunctionBegin;
  PetscCall(FgEitGrid(sim->mesh->dim == 2 ? "256x256" : "64x64x64", sim->mesh, &grid));
  if (sim->mesh->voxel) grid = sim->mesh->grid;
  n = FgGridVoxels(&grid);
  PetscCall(PetscMalloc3(n, &values, n, &where, 3 * (size_t)sim->mesh->nsites, &centroid));
  PetscCall(FgMeshSample(sim->mesh, &grid, where));
  PetscCall(FgMeshMeasures(sim->mesh, NULL, centroid));
  for (PetscInt v = 0; v < n; v++)
    values[v] = where[v] < 0 ? 0.0f : (float)TruthAt(sim, &centroid[3 * (size_t)where[v]], PETSC_FALSE);
  sidecar = json_pack("{s:s, s:s, s:s, s:s}", "Description",
                      sim->isotropic ? "conductivity that was simulated" : "porosity that was simulated", "Units",
                      sim->isotropic ? "S/m" : "1", "GeneratedBy", "finegrain", "Version", FG_VERSION);
  snprintf(path, sizeof(path), "%s_truth.json", base);
  code = FgWriteJson(path, sidecar);
  json_decref(sidecar);
  snprintf(path, sizeof(path), "%s_truth.nii.gz", base);
  if (!code) code = FgImageWrite(path, &grid, &spec, values);
  PetscCall(PetscFree3(values, where, centroid));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteFiles(Simulation *sim)
{
  const char *output = sim->settings->output;
  char        base[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  snprintf(base, sizeof(base), "%.*s", (int)(strlen(output) - 3), output);
  PetscCall(FgEitWrite(output, sim->eit));
  PetscCall(WriteTruth(sim, base));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Simulate(Simulation *sim)
{
  const SimulateSettings *s   = sim->settings;
  const FgEit             eit = sim->eit;

  PetscFunctionBegin;
  if (s->eit.reference) {
    PetscCall(PetscMalloc1(eit->npatterns * eit->nmeasurements, &eit->reference));
    PetscCall(FillField(sim, PETSC_TRUE));
    PetscCall(FgEitPredict(sim->model, sim->field->m, eit->reference));
    if (sim->isotropic) eit->background = s->eit.conductivity;
  }
  PetscCall(FillField(sim, PETSC_FALSE));
  PetscCall(FgEitPredict(sim->model, sim->field->m, eit->voltage));
  eit->simulated_elements = sim->mesh->nelements;
  eit->simulated_nodes    = sim->mesh->nnodes;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgRunSimulateEit(const SimulateSettings *s, FgLog *log)
{
  Simulation     sim = {.settings = s, .log = log};
  double         noise;
  char           message[FG_MESSAGE_LENGTH];
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(FgRecordMayWrite(s->output, s->force));
  PetscCheck(FgInclusionsRead(s->eit.inclusions, sim.inclusions, &sim.ninclusions, message), PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s", message);
  PetscCall(FgEitTissue(&s->tissue, &s->domain, &sim.tissue, &sim.isotropic));
  if (!rank) code = MakeEit(s, &sim.mesh, &sim.eit);
  code = FgAgree(PETSC_COMM_WORLD, code);
  if (code) {
    PetscCall(FgEitDestroy(&sim.eit));
    PetscCall(FgMeshDestroy(&sim.mesh));
  }
  PetscCall(code);
  PetscCall(FgEitBroadcast(PETSC_COMM_WORLD, &sim.eit));
  PetscCall(FgEitMeshOpen(&s->domain, s->eit.mask, elements, sim.eit, &sim.mesh, sim.mesh_source, log));
  FgLogLine(log, "domain   %s: %d %s", sim.mesh_source, (int)sim.mesh->nelements,
            sim.mesh->dim == 2 ? "triangles" : "tetrahedra");
  PetscCall(WarnOfInclusions(&sim));
  PetscCall(OpenModel(&sim));
  PetscCall(Simulate(&sim));
  PetscCall(AddNoise(&sim, &noise));
  if (!rank) code = WriteFiles(&sim);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  FgLogResult(log, "truth    %s, %d inclusions in %s", sim.isotropic ? "conductivity" : sim.tissue.closure->name,
              (int)sim.ninclusions, sim.mesh_source);
  FgLogResult(log, "data     %d electrodes, %d %s patterns of up to %g A, %d measurements each%s", (int)sim.eit->nelectrodes,
              (int)sim.eit->npatterns, s->eit.pattern, s->eit.amplitude, (int)sim.eit->nmeasurements,
              sim.eit->reference ? ", and a reference" : "");
  FgLogResult(log, "noise    %s, relative %g, absolute %.3g V, seed %d", sim.eit->noise ? "gaussian" : "none",
              s->eit.noise_relative, noise, (int)s->seed);
  FgLogResult(log, "results  %s, %.*s_truth.nii.gz", s->output, (int)(strlen(s->output) - 3), s->output);
  PetscCall(FgFieldDestroy(&sim.field));
  PetscCall(FgDomainDestroy(&sim.domain));
  PetscCall(FgModelDestroy(&sim.model));
  PetscCall(FgMeshDestroy(&sim.mesh));
  PetscCall(FgEitDestroy(&sim.eit));
  PetscCall(FgTissueClose(&sim.tissue));
  PetscFunctionReturn(PETSC_SUCCESS);
}
