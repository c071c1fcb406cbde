/* test_eit_inverse_mpi.c: from voltages to maps, on one and two ranks: the weight that is chosen against the best of a scan, and the number of
   factorizations; Gauss-Newton against TAO at equal objective. */
#include "agreed.h"
#include "bench/eit/two_inclusions.h"

enum { ELEMENTS = 500 };

static const FgSolveOptions newton = {.solver = "newton", .tolerance = 0.02, .max_iterations = 50};

/* The least error along a scan from large weights to small. */
static double LeastError(TwoInclusions *c)
{
  double least = INFINITY;

  AgreedSuccess(TwoInclusionsStart(c));
  for (c->problem->alpha = 30.0; c->problem->alpha > 0.02; c->problem->alpha /= 3.0) {
    FgSolveReport report;
    double        error = NAN;

    AgreedSuccess(FgSolveField(c->problem, &newton, &report));
    AgreedTrue(report.converged);
    AgreedSuccess(TwoInclusionsError(c, &error));
    least = fmin(least, error);
  }
  return least;
}

/* most: of the error that a homogeneous map has. */
static void CheckChoice(FgEitUnknowns unknowns, const char *regularizer, double most)
{
  FgWeightSearch search = {.nparts = 1, .parts = {{"all", 1.0, PETSC_FALSE}}};
  FgSolveReport  report;
  TwoInclusions  c;
  double         start = NAN, error = NAN, least;

  AgreedSuccess(TwoInclusionsCreate(unknowns, 0.0, regularizer, ELEMENTS, 1e-3, 1, &c));
  AgreedSuccess(TwoInclusionsError(&c, &start));
  least = LeastError(&c);
  AgreedSuccess(TwoInclusionsStart(&c));
  c.model->counts.factorizations = 0;
  AgreedSuccess(FgSolveChooseWeight(c.problem, &newton, "discrepancy", c.regularizer->ops->alpha, 1, &search, &report));
  AgreedSuccess(TwoInclusionsError(&c, &error));
  AgreedTrue(search.reached && report.converged);
  AgreedTrue(c.model->counts.factorizations <= 25);
  AgreedTrue(least < most * start && error < 1.2 * least);
  AgreedSuccess(TwoInclusionsDestroy(&c));
}

static void the_weight_is_near_the_best(void **state)
{
  (void)state;
  CheckChoice(FG_EIT_ISOTROPIC, "tikhonov", 0.8);
  CheckChoice(FG_EIT_POROSITY, "tv", 0.8);
}

static void solvers_agree(void **state)
{
  static const char *const solvers[] = {"newton", "bnls"};
  double                   least     = 0.0;
  TwoInclusions            c;

  (void)state;
  AgreedSuccess(TwoInclusionsCreate(FG_EIT_POROSITY, 0.0, "tikhonov", ELEMENTS, 1e-3, 1, &c));
  for (int k = 0; k < 2; k++) {
    FgSolveOptions options = {.tolerance = k ? 2e-3 : 5e-3, .max_iterations = 60};
    FgSolveReport  report;

    snprintf(options.solver, sizeof options.solver, "%s", solvers[k]);
    AgreedSuccess(TwoInclusionsStart(&c));
    c.problem->alpha               = 1.0;
    c.model->counts.factorizations = 0;
    AgreedSuccess(FgSolveField(c.problem, &options, &report));
    AgreedTrue(report.converged && c.model->counts.factorizations <= 25);
    if (!k) least = report.objective;
    AgreedTrue(fabs(report.objective - least) < 1e-3 * least);
  }
  AgreedSuccess(TwoInclusionsDestroy(&c));
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_weight_is_near_the_best),
      cmocka_unit_test(solvers_agree),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed ? 1 : 0;
}
