/* weights.c: error of the map against the weight, and solvers at equal objective, for bench/eit/weights.sh.

   usage: bench_eit_weights isotropic|porosity[-3d] REGULARIZER NOISE SEED ELEMENTS scan CRITERION|solvers ALPHA|coverage DRAWS
     The case of two_inclusions.h.
     scan: a row for each weight of a scan, and for the one that CRITERION chooses. solvers: a row for each at three tolerances.
     coverage: share of the area whose truth lies within 1.96 standard deviations of the fit. */
#include "two_inclusions.h"

#include "finegrain/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PetscErrorCode Start(TwoInclusions *c)
{
  PetscFunctionBegin;
  PetscCall(TwoInclusionsStart(c));
  c->model->counts.factorizations = 0;
  c->problem->hessians            = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A row of the scan: alpha, chi2/N, p, chi2/(N - p), error, factorizations, CPU seconds. */
static PetscErrorCode Row(TwoInclusions *c, const char *what, const FgSolveReport *report, double seconds)
{
  const double samples = (double)c->model->ndata;
  PetscReal    freedom = 0.0;
  double       error   = NAN;

  PetscFunctionBegin;
  PetscCall(TwoInclusionsError(c, &error));
  PetscCall(FgProblemFreedom(c->problem, 1, &freedom));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "| %.3g%s | %.3f | %.1f | %.3f | %.4f | %d | %.2f |\n", c->problem->alpha, what,
                        2.0 * report->misfit / samples, freedom, 2.0 * report->misfit / (samples - freedom), error,
                        (int)c->model->counts.factorizations, seconds));
  c->model->counts.factorizations = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* From large weights to small ones, each solve from the one before; then the search. */
static PetscErrorCode Scan(TwoInclusions *c, const char *criterion)
{
  const FgSolveOptions options = {.solver = "newton", .tolerance = 0.01, .max_iterations = 50};
  FgWeightSearch       search  = {.nparts = 1, .parts = {{.name = "all", .ratio = 1.0}}};
  FgSolveReport        report;
  double               start;

  PetscFunctionBegin;
  PetscCall(Start(c));
  for (double alpha = 30.0; alpha > 2e-2; alpha /= PetscSqrtReal(10.0)) {
    start             = FgCpuSeconds();
    c->problem->alpha = alpha;
    PetscCall(FgSolveField(c->problem, &options, &report));
    PetscCall(Row(c, "", &report, FgCpuSeconds() - start));
  }
  PetscCall(Start(c));
  start = FgCpuSeconds();
  PetscCall(FgSolveChooseWeight(c->problem, &options, criterion, c->regularizer->ops->alpha, 1, &search, &report));
  PetscCall(Row(c, " (chosen)", &report, FgCpuSeconds() - start));
  if (search.note[0]) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s\n", search.note));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Every solver from the start, at tolerances that end at like objectives. */
static PetscErrorCode Compare(TwoInclusions *c, double alpha)
{
  static const struct {
    const char *name;
    double      tolerance[3];
    PetscInt    limit;
  } solvers[] = {{"newton", {0.04, 0.01, 0.0025}, 50},
                 {"bntr", {0.1, 0.01, 0.001}, 200},
                 {"bnls", {0.1, 0.01, 0.001}, 200},
                 {"blmvm", {0.1, 0.01, 0.001}, 500}};

  PetscFunctionBegin;
  c->problem->alpha = alpha;
  for (size_t k = 0; k < sizeof(solvers) / sizeof(solvers[0]); k++) {
    for (int t = 0; t < 3; t++) {
      FgSolveOptions options = {.tolerance = solvers[k].tolerance[t], .max_iterations = solvers[k].limit};
      FgSolveReport  report;
      double         start = FgCpuSeconds(), error = NAN;

      PetscCall(PetscStrncpy(options.solver, solvers[k].name, sizeof(options.solver)));
      PetscCall(Start(c));
      PetscCall(FgSolveField(c->problem, &options, &report));
      start = FgCpuSeconds() - start;
      PetscCall(TwoInclusionsError(c, &error));
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "| %s | %g | %.2f | %.4f | %d | %d | %.2f | %s |\n", report.solver,
                            options.tolerance, report.objective, error, (int)c->model->counts.factorizations,
                            (int)c->problem->hessians, start, report.reason));
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether a neighbor's truth differs. */
static PetscBool AtBorder(const TwoInclusions *c, PetscInt site)
{
  const FgDomain d = c->domain;

  for (PetscInt k = d->site_start[site]; k < d->site_start[site + 1]; k++) {
    const PetscInt other = d->site_link[k].site;

    if (other < d->nlocal && c->truth[other] != c->truth[site]) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* One rank. */
static PetscErrorCode Coverage(TwoInclusions *c, PetscInt draws)
{
  const FgSolveOptions options = {.solver = "newton", .tolerance = 0.01, .max_iterations = 50};
  FgWeightSearch       search  = {.nparts = 1, .parts = {{.name = "all", .ratio = 1.0}}};
  FgSolveReport        report;
  const PetscScalar   *m;
  float               *deviation;
  PetscBool            found;
  double               error, median, inside[2] = {0.0, 0.0}, area[2] = {0.0, 0.0};

  PetscFunctionBegin;
  PetscCall(Start(c));
  PetscCall(FgSolveChooseWeight(c->problem, &options, "discrepancy", c->regularizer->ops->alpha, 1, &search, &report));
  PetscCall(TwoInclusionsError(c, &error));
  PetscCall(PetscMalloc1(c->domain->nlocal, &deviation));
  PetscCall(FgProblemDeviations(c->problem, 1, draws, deviation, &found));
  PetscCall(FgQuantile(PETSC_COMM_WORLD, c->domain->nlocal, deviation, 1, 0.5, &median));
  PetscCall(VecGetArrayRead(c->field->m, &m));
  for (PetscInt i = 0; i < c->domain->nlocal; i++) {
    const int border = AtBorder(c, i);

    area[border] += c->volume[i];
    if (fabs(m[i] - c->truth[i]) <= 1.96 * deviation[i]) inside[border] += c->volume[i];
  }
  PetscCall(VecRestoreArrayRead(c->field->m, &m));
  PetscCall(PetscFree(deviation));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "| %.3g | %.1f | %.1f | %.4f | %.4f |\n", c->problem->alpha,
                        100.0 * inside[0] / area[0], 100.0 * inside[1] / area[1], median, error));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(char *argv[])
{
  TwoInclusions c;

  PetscFunctionBegin;
  PetscCall(TwoInclusionsCreate(strncmp(argv[1], "porosity", 8) ? FG_EIT_ISOTROPIC : FG_EIT_POROSITY,
                                strstr(argv[1], "-3d") ? 0.08 : 0.0, argv[2], atoi(argv[5]), atof(argv[3]),
                                strtoul(argv[4], NULL, 10), &c));
  if (!strcmp(argv[6], "solvers")) PetscCall(Compare(&c, atof(argv[7])));
  else if (!strcmp(argv[6], "coverage")) PetscCall(Coverage(&c, atoi(argv[7])));
  else PetscCall(Scan(&c, argv[7]));
  PetscCall(TwoInclusionsDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char *argv[])
{
  if (argc < 8) {
    fprintf(
        stderr,
        "usage: bench_eit_weights isotropic|porosity[-3d] REGULARIZER NOISE SEED ELEMENTS scan CRITERION|solvers ALPHA|coverage "
        "DRAWS\n");
    return 2;
  }
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(Run(argv));
  PetscCall(PetscFinalize());
  return 0;
}
