/* weights.c: error of the map against the weight, for bench/eit/weights.sh.

   usage: bench_eit_weights isotropic|porosity tikhonov|tv|joint NOISE SEED ELEMENTS [CRITERION]
     A disc of radius 0.1 m with 16 electrodes, adjacent currents and voltages, two inclusions; voltages from elements of degree 2 on a mesh four
     times as fine as the one of degree 1 that is inverted on, with Gaussian noise of NOISE relative to each voltage and a tenth of that of the
     largest. Prints a row for each weight of a scan, and of the one that CRITERION chooses. Errors are root mean squares over the area,
     of the difference to the truth at the elements' centers. */
#include "finegrain/problem.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ELECTRODES = 16 };

typedef struct {
  FgEit          eit;
  FgMesh         mesh;
  FgDomain       domain;
  FgModel        model;
  FgField        field;
  FgProblem      problem;
  FgRegularizer  regularizer;
  float         *values, *sigma;
  unsigned char *status;
  double        *truth, *volume, *center;
} Case;

static FgEitUnknowns unknowns;

/* Value of the unknown at a place. */
static double Truth(const double x[3])
{
  const PetscBool porosity = unknowns == FG_EIT_POROSITY ? PETSC_TRUE : PETSC_FALSE;

  if (hypot(x[0] + 0.04, x[1] - 0.02) < 0.025) return porosity ? 0.7 : log(2.0);
  if (hypot(x[0] - 0.04, x[1] + 0.02) < 0.03) return porosity ? 0.25 : log(0.5);
  return porosity ? 0.45 : 0.0;
}

static PetscErrorCode MakeEit(FgEit *out)
{
  FgEit eit;

  PetscFunctionBegin;
  PetscCall(FgEitCreate(ELECTRODES, ELECTRODES, ELECTRODES, &eit));
  PetscCall(PetscStrncpy(eit->source, "bench", sizeof(eit->source)));
  eit->radius = 0.1;
  eit->depth  = 1.0;
  PetscCall(PetscCalloc1(ELECTRODES, &eit->angle));
  PetscCall(PetscCalloc1(ELECTRODES, &eit->width));
  for (PetscInt l = 0; l < ELECTRODES; l++) {
    const PetscInt next = (l + 1) % ELECTRODES;

    PetscCall(PetscSNPrintf(eit->name[l], sizeof(eit->name[l]), "E%" PetscInt_FMT, l + 1));
    eit->impedance[l]                   = 1e-3;
    eit->angle[l]                       = 2.0 * PETSC_PI * (double)l / ELECTRODES;
    eit->width[l]                       = 0.1 * PETSC_PI / ELECTRODES;
    eit->current[l * ELECTRODES + l]    = -1e-3;
    eit->current[l * ELECTRODES + next] = 1e-3;
    eit->pattern[l * ELECTRODES + l]    = -1.0;
    eit->pattern[l * ELECTRODES + next] = 1.0;
    for (PetscInt q = 0; q < ELECTRODES; q++) eit->voltage[l * ELECTRODES + q] = 0.0;
  }
  *out = eit;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Open(PetscInt elements, PetscInt order, Case *c)
{
  const FgTissue tissue  = {.closure        = FgClosureFind("hs2d"),
                            .phases         = {1.5, 0.1, 0.05, 1.0, PETSC_FALSE},
                            .orientation    = FG_ALIGNED,
                            .porosity_lower = 0.0,
                            .porosity_upper = 1.0};
  FgEitOptions   options = {.unknowns           = unknowns,
                            .order              = order,
                            .solver             = "auto",
                            .tolerance          = 1e-10,
                            .conductivity       = 1.0,
                            .conductivity_lower = 0.01,
                            .conductivity_upper = 100.0};
  FgTank         tank;
  PetscScalar   *m;

  PetscFunctionBegin;
  memset(c, 0, sizeof *c);
  PetscCall(MakeEit(&c->eit));
  tank = (FgTank){.radius      = 0.1,
                  .nelectrodes = ELECTRODES,
                  .name        = (const char(*)[32])c->eit->name,
                  .angle       = c->eit->angle,
                  .width       = c->eit->width};
  PetscCall(FgMeshCreateDisc(&tank, elements, &c->mesh));
  PetscCall(FgDomainCreateMesh(PETSC_COMM_WORLD, c->mesh, &c->domain));
  PetscCall(FgModelCreate(PETSC_COMM_WORLD, "eit", &tissue, &c->model));
  PetscCall(FgModelSetEit(c->model, c->eit, c->mesh, &options));
  PetscCall(FgModelSetup(c->model));
  PetscCall(FgFieldCreate(c->domain, 1, c->model->components, &c->field));
  if (!c->field->frames) PetscCall(PetscCalloc1(9 * (size_t)(c->domain->nlocal + c->domain->nghost), &c->field->frames));
  PetscCall(PetscMalloc3(c->domain->nlocal, &c->truth, c->domain->nglobal, &c->volume, 3 * c->domain->nglobal, &c->center));
  PetscCall(FgMeshMeasures(c->mesh, c->volume, c->center));
  PetscCall(VecGetArray(c->field->m, &m));
  for (PetscInt i = 0; i < c->domain->nlocal; i++) {
    const double *x = &c->center[3 * (c->domain->first + i)], angle = 0.5 + 8.0 * x[0];
    const double  frame[9] = {cos(angle), -sin(angle), 0.0, sin(angle), cos(angle), 0.0, 0.0, 0.0, 1.0};

    m[i] = c->truth[i] = Truth(x);
    memcpy(&c->field->frames[9 * i], frame, sizeof frame);
  }
  PetscCall(VecRestoreArray(c->field->m, &m));
  PetscCall(FgModelSetField(c->model, c->field));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Close(Case *c)
{
  PetscFunctionBegin;
  PetscCall(FgProblemDestroy(&c->problem));
  PetscCall(FgRegularizerDestroy(&c->regularizer));
  PetscCall(FgModelDestroy(&c->model));
  PetscCall(FgFieldDestroy(&c->field));
  PetscCall(FgDomainDestroy(&c->domain));
  PetscCall(FgMeshDestroy(&c->mesh));
  PetscCall(FgEitDestroy(&c->eit));
  PetscCall(PetscFree3(c->truth, c->volume, c->center));
  PetscCall(PetscFree(c->values));
  PetscCall(PetscFree(c->sigma));
  PetscCall(PetscFree(c->status));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Simulate(PetscInt elements, double noise, unsigned long seed, Case *c)
{
  Case               fine;
  Vec                d;
  const PetscScalar *clean;
  PetscReal          largest;
  PetscInt           first, n;
  gsl_rng           *random = gsl_rng_alloc(gsl_rng_mt19937);

  PetscFunctionBegin;
  PetscCall(Open(elements, 2, &fine));
  PetscCall(FgModelCreateDataVec(fine.model, &d));
  PetscCall(FgModelApply(fine.model, fine.field->m, d));
  PetscCall(VecNorm(d, NORM_INFINITY, &largest));
  PetscCall(VecGetOwnershipRange(d, &first, &n));
  n -= first;
  PetscCall(PetscMalloc1(n, &c->values));
  PetscCall(PetscMalloc1(n, &c->sigma));
  PetscCall(PetscCalloc1(n, &c->status));
  PetscCall(VecGetArrayRead(d, &clean));
  for (PetscInt k = 0; k < n; k++) {
    const double sd = noise * hypot(clean[k], 0.1 * largest);

    gsl_rng_set(random, seed * 100003UL + (unsigned long)(first + k));
    c->values[k] = (float)(clean[k] + gsl_ran_gaussian(random, sd));
    c->sigma[k]  = (float)sd;
  }
  PetscCall(VecRestoreArrayRead(d, &clean));
  PetscCall(VecDestroy(&d));
  PetscCall(Close(&fine));
  gsl_rng_free(random);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Error(Case *c, double *error)
{
  const PetscScalar *m;
  double             sums[2] = {0.0, 0.0};

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(c->field->m, &m));
  for (PetscInt i = 0; i < c->domain->nlocal; i++) {
    const double volume = c->volume[c->domain->first + i];

    sums[0] += volume * PetscSqr(m[i] - c->truth[i]);
    sums[1] += volume;
  }
  PetscCall(VecRestoreArrayRead(c->field->m, &m));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  *error = sqrt(sums[0] / sums[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Row(Case *c, const char *what, const FgSolveReport *report, double seconds)
{
  PetscReal freedom;
  double    samples = (double)c->model->ndata, error = NAN;

  PetscFunctionBegin;
  PetscCall(Error(c, &error));
  PetscCall(FgProblemFreedom(c->problem, 1, &freedom));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "| %-12s | %9.3g | %8.3f | %6.1f | %8.3f | %8.4f | %7.4f | %3d | %4d | %3d | %6.2f |\n",
                        what, c->problem->alpha, 2.0 * report->misfit / samples, freedom,
                        2.0 * report->misfit / (samples - freedom),
                        2.0 * report->misfit / samples / PetscSqr(1.0 - freedom / samples), error, (int)report->iterations,
                        (int)report->products, (int)c->model->counts.factorizations, seconds));
  c->model->counts.factorizations = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(int argc, char *argv[])
{
  const FgRegularizerOps *ops      = FgRegularizerFind(argv[2]);
  const double            noise    = atof(argv[3]);
  const unsigned long     seed     = strtoul(argv[4], NULL, 10);
  const PetscInt          elements = atoi(argv[5]);
  FgSolveOptions          options  = {.solver = "newton", .tolerance = 0.02, .max_iterations = 50};
  FgRegularizerTerm       term     = {0, FG_KIND_SCALAR, 0, 0.1, 1.0, 0.1};
  FgSolveReport           report;
  FgData                  data;
  Case                    c;

  PetscFunctionBegin;
  unknowns = strcmp(argv[1], "porosity") ? FG_EIT_ISOTROPIC : FG_EIT_POROSITY;
  PetscCall(Open(elements, 1, &c));
  PetscCall(Simulate(4 * elements, noise, seed, &c));
  data = (FgData){.nlocal = c.model->ndatalocal, .ndata = 1, .values = c.values, .sigma = c.sigma};
  PetscCall(FgProblemCreate(c.model, c.field, &data, c.status, &c.problem));
  c.problem->scale[0] = 0.1;
  PetscCall(FgRegularizerCreate(ops, c.field, 1, &term, &c.regularizer));
  c.problem->regularizer = c.regularizer;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%d elements, %d data\n", (int)c.mesh->nelements, (int)c.model->ndata));
  if (argc > 6) {
    const double   start  = FgCpuSeconds();
    FgWeightSearch search = {.nparts = 1, .parts = {{.name = "all", .ratio = 1.0}}};

    PetscCall(VecSet(c.field->m, unknowns == FG_EIT_ISOTROPIC ? 0.0 : 0.45));
    PetscCall(FgSolveChooseWeight(c.problem, &options, argv[6], ops->alpha, 1, &search, &report));
    for (PetscInt k = 0; k < search.npoints; k++) {
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  alpha %.3g v %.3f its %d\n", search.points[k].alpha, search.points[k].variance,
                            (int)search.points[k].sweeps));
    }
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s\n", search.note));
    PetscCall(Row(&c, "chosen", &report, FgCpuSeconds() - start));
  }
  PetscCall(VecSet(c.field->m, unknowns == FG_EIT_ISOTROPIC ? 0.0 : 0.45));
  for (double alpha = 30.0; alpha > 2e-3; alpha /= sqrt(10.0)) {
    const double start = FgCpuSeconds();

    c.problem->alpha = alpha;
    PetscCall(FgSolveField(c.problem, &options, &report));
    PetscCall(Row(&c, report.reason, &report, FgCpuSeconds() - start));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char *argv[])
{
  if (argc < 6) {
    fprintf(stderr, "usage: bench_eit_weights isotropic|porosity tikhonov|tv|joint NOISE SEED ELEMENTS [CRITERION]\n");
    return 2;
  }
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(Run(argc, argv));
  PetscCall(PetscFinalize());
  return 0;
}
