/* weights.c: error of the map against the weight, and solvers at equal objective, for bench/eit/weights.sh.

   usage: bench_eit_weights isotropic|porosity[-3d] REGULARIZER NOISE SEED ELEMENTS scan CRITERION|solvers ALPHA
     The case of two_inclusions.h.
     scan: a row for each weight of a scan, and for the one that CRITERION chooses. solvers: a row for each at three tolerances. */
#include "two_inclusions.h"

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

static PetscErrorCode Run(char *argv[])
{
  TwoInclusions c;

  PetscFunctionBegin;
  PetscCall(TwoInclusionsCreate(strncmp(argv[1], "porosity", 8) ? FG_EIT_ISOTROPIC : FG_EIT_POROSITY,
                                strstr(argv[1], "-3d") ? 0.08 : 0.0, argv[2], atoi(argv[5]), atof(argv[3]),
                                strtoul(argv[4], NULL, 10), &c));
  if (!strcmp(argv[6], "solvers")) PetscCall(Compare(&c, atof(argv[7])));
  else PetscCall(Scan(&c, argv[7]));
  PetscCall(TwoInclusionsDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char *argv[])
{
  if (argc < 8) {
    fprintf(stderr,
            "usage: bench_eit_weights isotropic|porosity[-3d] REGULARIZER NOISE SEED ELEMENTS scan CRITERION|solvers ALPHA\n");
    return 2;
  }
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(Run(argv));
  PetscCall(PetscFinalize());
  return 0;
}
