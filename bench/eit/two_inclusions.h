/* two_inclusions.h: a simulated tank with its truth: a case for the bench and for tests of inversion.

   A disc of radius 0.1 m with 16 electrodes, or a cylinder of height 0.08 m with two rings of 8, adjacent currents and voltages, two inclusions; voltages of elements of degree 2 on another mesh,
   four times as fine as that of degree 1 that is inverted on, with Gaussian noise relative to each voltage and to a tenth of the largest.
   Porosity: closure hs2d in known curved fiber directions. Errors are root mean squares over the area, of the difference to the truth at
   the elements' centers. */
#ifndef FINEGRAIN_BENCH_EIT_TWO_INCLUSIONS_H
#define FINEGRAIN_BENCH_EIT_TWO_INCLUSIONS_H

#include "finegrain/problem.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

enum { TWO_INCLUSIONS_ELECTRODES = 16 };

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
  FgEitUnknowns  unknowns;
} TwoInclusions;

/* Value of the unknown at a place. */
static inline double TwoInclusionsTruth(FgEitUnknowns unknowns, double height, const double x[3])
{
  const double    up[2]    = {height > 0.0 ? x[2] - 0.6 * height : 0.0, height > 0.0 ? x[2] - 0.4 * height : 0.0};
  const PetscBool porosity = unknowns == FG_EIT_POROSITY ? PETSC_TRUE : PETSC_FALSE;

  if (hypot(hypot(x[0] + 0.04, x[1] - 0.02), up[0]) < 0.025) return porosity ? 0.7 : log(2.0);
  if (hypot(hypot(x[0] - 0.04, x[1] + 0.02), up[1]) < 0.03) return porosity ? 0.25 : log(0.5);
  return porosity ? 0.45 : 0.0;
}

static inline PetscErrorCode TwoInclusionsEit(double height, FgEit *out)
{
  FgEit eit;

  PetscFunctionBegin;
  PetscCall(FgEitCreate(TWO_INCLUSIONS_ELECTRODES, TWO_INCLUSIONS_ELECTRODES, TWO_INCLUSIONS_ELECTRODES, &eit));
  PetscCall(PetscStrncpy(eit->source, "two inclusions", sizeof(eit->source)));
  eit->radius = 0.1;
  eit->height = height;
  eit->depth  = 1.0;
  PetscCall(PetscCalloc1(TWO_INCLUSIONS_ELECTRODES, &eit->angle));
  PetscCall(PetscCalloc1(TWO_INCLUSIONS_ELECTRODES, &eit->width));
  if (height > 0.0) {
    PetscCall(PetscCalloc1(TWO_INCLUSIONS_ELECTRODES, &eit->z));
    PetscCall(PetscCalloc1(TWO_INCLUSIONS_ELECTRODES, &eit->tall));
  }
  for (PetscInt l = 0; l < TWO_INCLUSIONS_ELECTRODES; l++) {
    const PetscInt next = (l + 1) % TWO_INCLUSIONS_ELECTRODES;

    PetscCall(PetscSNPrintf(eit->name[l], sizeof(eit->name[l]), "E%" PetscInt_FMT, l + 1));
    eit->impedance[l]                                  = 1e-3;
    eit->angle[l]                                      = 2.0 * PETSC_PI * (double)l / TWO_INCLUSIONS_ELECTRODES;
    eit->width[l]                                      = 0.1 * PETSC_PI / TWO_INCLUSIONS_ELECTRODES;
    eit->current[l * TWO_INCLUSIONS_ELECTRODES + l]    = -1e-3;
    eit->current[l * TWO_INCLUSIONS_ELECTRODES + next] = 1e-3;
    eit->pattern[l * TWO_INCLUSIONS_ELECTRODES + l]    = -1.0;
    eit->pattern[l * TWO_INCLUSIONS_ELECTRODES + next] = 1.0;
    if (height > 0.0) {
      eit->z[l]    = height * (l % 2 ? 0.7 : 0.3);
      eit->tall[l] = 0.25 * height;
    }
    for (PetscInt q = 0; q < TWO_INCLUSIONS_ELECTRODES; q++) eit->voltage[l * TWO_INCLUSIONS_ELECTRODES + q] = 0.0;
  }
  *out = eit;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode TwoInclusionsOpen(FgEitUnknowns unknowns, double height, PetscInt elements, PetscInt order,
                                               TwoInclusions *c)
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
  c->unknowns = unknowns;
  PetscCall(TwoInclusionsEit(height, &c->eit));
  tank = (FgTank){.radius      = 0.1,
                  .height      = height,
                  .z           = c->eit->z,
                  .tall        = c->eit->tall,
                  .nelectrodes = TWO_INCLUSIONS_ELECTRODES,
                  .name        = (const char(*)[32])c->eit->name,
                  .angle       = c->eit->angle,
                  .width       = c->eit->width};
  if (height > 0.0) PetscCall(FgMeshCreateCylinder(&tank, elements, &c->mesh));
  else PetscCall(FgMeshCreateDisc(&tank, elements, &c->mesh));
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

    m[i] = c->truth[i] = TwoInclusionsTruth(unknowns, height, x);
    memcpy(&c->field->frames[9 * i], frame, sizeof frame);
  }
  PetscCall(VecRestoreArray(c->field->m, &m));
  PetscCall(FgModelSetField(c->model, c->field));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode TwoInclusionsDestroy(TwoInclusions *c)
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

static inline PetscErrorCode TwoInclusionsSimulate(PetscInt elements, double noise, unsigned long seed, TwoInclusions *c)
{
  TwoInclusions      fine;
  Vec                d;
  const PetscScalar *clean;
  PetscReal          largest;
  PetscInt           first, n;
  gsl_rng           *random = gsl_rng_alloc(gsl_rng_mt19937);

  PetscFunctionBegin;
  PetscCall(TwoInclusionsOpen(c->unknowns, c->eit->height, elements, 2, &fine));
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
  PetscCall(TwoInclusionsDestroy(&fine));
  gsl_rng_free(random);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode TwoInclusionsError(TwoInclusions *c, double *error)
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

/* Homogeneous, as the surroundings of the inclusions. */
static inline PetscErrorCode TwoInclusionsStart(TwoInclusions *c)
{
  PetscFunctionBegin;
  PetscCall(VecSet(c->field->m, c->unknowns == FG_EIT_ISOTROPIC ? 0.0 : 0.45));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The problem with its data, at the start. */
static inline PetscErrorCode TwoInclusionsCreate(FgEitUnknowns unknowns, double height, const char *regularizer,
                                                 PetscInt elements, double noise, unsigned long seed, TwoInclusions *c)
{
  const FgRegularizerTerm term = {0, FG_KIND_SCALAR, 0, 0.1, 1.0, 0.1};
  FgData                  data;

  PetscFunctionBegin;
  PetscCall(TwoInclusionsOpen(unknowns, height, elements, 1, c));
  PetscCall(TwoInclusionsSimulate(4 * elements, noise, seed, c));
  data = (FgData){.nlocal = c->model->ndatalocal, .ndata = 1, .values = c->values, .sigma = c->sigma};
  PetscCall(FgProblemCreate(c->model, c->field, &data, c->status, &c->problem));
  c->problem->scale[0] = term.scale;
  PetscCall(FgRegularizerCreate(FgRegularizerFind(regularizer), c->field, 1, &term, &c->regularizer));
  c->problem->regularizer = c->regularizer;
  PetscCall(TwoInclusionsStart(c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

#endif
