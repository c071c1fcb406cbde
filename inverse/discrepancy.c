/* discrepancy.c: the regularisation weight by the discrepancy principle with effective degrees of freedom.

   The plain principle asks chi2(alpha) = N and over-smooths, because even the unregularised fit has chi2 = N - p_0. Here the residual
   variance with degrees of freedom counted,
       v(alpha) = chi2(alpha) / (N - p_eff(alpha)),
   is compared with that of the pointwise fit, v_0 = chi2_0 / (N - p_0), and the largest alpha with v(alpha) <= v_0 is taken.
   For data that obey the model both estimate the noise; smoothing first lowers v slightly (fewer directions fit noise) and bias
   then raises it. As v_0 is measured on the same data, an error in sigma or a misfit of the model cancels: the answer depends on
   neither. Where v_0 exceeds 1 the model, not the weight, is to blame, and the caller says so.
   Source: V. A. Morozov, Soviet Math. Dokl. 7 (1966); degrees of freedom: G. Wahba, Ann. Stat. 13 (1985), P. Hall and D. M. Titterington,
   J. R. Stat. Soc. B 49 (1987), the "equivalent degrees of freedom" choice. */
#include "finegrain/problem.h"

#include <math.h>

/* Solves at alpha from the present field and appends the point; excess = v/v_0 - 1. */
static PetscErrorCode Visit(FgProblem problem, const FgSolveOptions *options, double alpha, unsigned long seed,
                            FgDiscrepancyReport *search, FgSolveReport *report, double *excess)
{
  FgDiscrepancyPoint *point = &search->points[search->npoints++];
  PetscReal           freedom;

  PetscFunctionBegin;
  problem->alpha = alpha;
  PetscCall(FgSolveField(problem, options, report));
  PetscCall(FgProblemFreedom(problem, seed, &freedom));
  point->alpha     = alpha;
  point->chi2      = 2.0 * report->misfit;
  point->freedom   = freedom;
  point->variance  = point->chi2 / (search->samples - freedom);
  point->roughness = report->roughness;
  *excess          = point->variance / search->level - 1.0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSolveDiscrepancy(FgProblem problem, const FgSolveOptions *options, double alpha_start, double tolerance,
                                  unsigned long seed, FgDiscrepancyReport *search, FgSolveReport *report)
{
  enum { MAX_BRACKET = 8, MAX_REFINE = 6 };
  const double   step  = log(3.0);
  FgSolveOptions rough = *options;
  double         low = 0.0, high = 0.0, at_low = -1.0, at_high = 1.0, excess = 0.0, position = log(alpha_start);
  PetscBool      have_low = PETSC_FALSE, have_high = PETSC_FALSE;

  PetscFunctionBegin;
  search->level   = search->pointwise_chi2 / (search->samples - search->pointwise_freedom);
  search->npoints = 0;
  rough.tolerance = 2.0 * options->tolerance; /* v needs less than the maps do */
  for (PetscInt k = 0; k < MAX_BRACKET && !(have_low && have_high); k++) {
    PetscCall(Visit(problem, &rough, exp(position), seed, search, report, &excess));
    if (excess <= 0.0) {
      low      = position;
      at_low   = excess;
      have_low = PETSC_TRUE;
      position += step;
    } else {
      high      = position;
      at_high   = excess;
      have_high = PETSC_TRUE;
      if (!have_low) position -= step;
    }
  }
  search->reached = have_low && have_high ? PETSC_TRUE : PETSC_FALSE;
  /* Regula falsi with the Illinois rule on log alpha. */
  for (PetscInt k = 0; search->reached && k < MAX_REFINE && high - low > tolerance; k++) {
    double width = high - low;

    position = low + width * PetscMin(PetscMax(-at_low / (at_high - at_low), 0.1), 0.9);
    PetscCall(Visit(problem, &rough, exp(position), seed, search, report, &excess));
    if (fabs(excess) < 1e-3) {
      low = high = position;
    } else if (excess <= 0.0) {
      low    = position;
      at_low = excess;
      at_high *= 0.5;
    } else {
      high    = position;
      at_high = excess;
      at_low *= 0.5;
    }
  }
  problem->alpha = search->reached ? exp(low) : exp(position);
  PetscCall(FgSolveField(problem, options, report));
  PetscFunctionReturn(PETSC_SUCCESS);
}
