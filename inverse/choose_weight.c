/* choose_weight.c: the regularization weight alpha from the data, by effective degrees of freedom.

   With N samples, chi2(alpha) and p(alpha) = p_eff (freedom.c), two criteria:

   gcv          minimise  G(alpha) = (chi2/N) / (1 - p/N)^2, generalized cross-validation: an estimate of the error in predicting new data,
                up to a constant. It needs no noise level, so an error in sigma does not move it.
   discrepancy  the largest alpha with  v(alpha) = chi2/(N - p) <= v_0, the discrepancy principle with degrees of freedom counted.
                The plain principle chi2 = N over-smooths, because even the pointwise fit has chi2 = N - p_0; and v_0 is that of the
                pointwise fit, chi2_0/(N - p_0), so that an error in sigma or of the model cancels here too.

   Of a robust misfit (robust.h) chi2 = sum 2 rho holds what outliers leave, which no weight can change and which would pass for a noise to
   be smoothed away. What a degree of freedom takes from it is not chi2/N then but eta = sum psi^2/sum psi' (E. Ronchetti, Stat. Probab.
   Lett. 3 (1985), robust model selection), equal to it for squares; p_eff is that of the weighted Hessian:

       G = chi2/N - eta + eta/(1 - p/N)^2,   v = chi2/N - eta + eta/(1 - p/N)

   The discrepancy principle still over-smooths: it stops where bias has used up what smoothing gained, not where the error is least.
   docs/weights.md has measurements of both. Each solve starts from the one before.
   Source: G. H. Golub, M. Heath, G. Wahba, Technometrics 21 (1979); V. A. Morozov, Soviet Math. Dokl. 7 (1966); P. Hall,
   D. M. Titterington, J. R. Stat. Soc. B 49 (1987), on equivalent degrees of freedom. */
#include "finegrain/problem.h"

#include <math.h>

const char *const FgCriteria[] = {"gcv", "discrepancy", NULL};

/* The field at the best point so far: the final solve starts there, not where the search happened to end. */
typedef struct {
  Vec      m;
  double  *frames;
  PetscInt point;
} Snapshot;

static PetscErrorCode Exchange(FgProblem problem, const Snapshot *snapshot, PetscBool restore)
{
  const FgField  field = problem->field;
  const PetscInt n     = 9 * field->domain->nlocal;

  PetscFunctionBegin;
  PetscCall(VecCopy(restore ? snapshot->m : field->m, restore ? field->m : snapshot->m));
  if (field->frames)
    PetscCall(PetscArraycpy(restore ? field->frames : snapshot->frames, restore ? snapshot->frames : field->frames, n));
  if (restore) PetscCall(FgFieldUpdateFrames(field));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Solves at alpha from the present field and appends the point. */
static PetscErrorCode Visit(FgProblem problem, const FgSolveOptions *options, double alpha, unsigned long seed,
                            FgWeightSearch *search, FgSolveReport *report)
{
  FgWeightPoint *point = &search->points[search->npoints++];
  PetscReal      freedom, eta;
  double         remaining;

  PetscFunctionBegin;
  problem->alpha = alpha;
  PetscCall(FgSolveField(problem, options, report));
  PetscCall(FgProblemFreedom(problem, seed, &freedom));
  PetscCall(FgProblemPrice(problem, report->misfit, search->samples, &eta));
  remaining        = 1.0 - freedom / search->samples;
  point->alpha     = alpha;
  point->chi2      = 2.0 * report->misfit;
  point->freedom   = freedom;
  point->variance  = point->chi2 / search->samples - eta + eta / remaining;
  point->gcv       = point->chi2 / search->samples - eta + eta / (remaining * remaining);
  point->roughness = report->roughness;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A visit that remembers the field where G is the least so far. */
static PetscErrorCode VisitBest(FgProblem problem, const FgSolveOptions *options, double alpha, unsigned long seed,
                                Snapshot *snapshot, FgWeightSearch *search, FgSolveReport *report)
{
  const PetscInt now = search->npoints;

  PetscFunctionBegin;
  PetscCall(Visit(problem, options, alpha, seed, search, report));
  if (snapshot->point < 0 || search->points[now].gcv < search->points[snapshot->point].gcv) {
    snapshot->point = now;
    PetscCall(Exchange(problem, snapshot, PETSC_FALSE));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Minimum of G: downhill in steps of a factor until it rises on both sides, then the vertex of the parabola in log alpha. Looks down
   first: smaller weights are cheaper to solve for. */
static PetscErrorCode SearchGcv(FgProblem problem, const FgSolveOptions *options, double alpha_start, unsigned long seed,
                                Snapshot *snapshot, FgWeightSearch *search, FgSolveReport *report)
{
  enum { MAX_STEPS = 8 };
  const double step        = log(2.0);
  double       position[3] = {log(alpha_start) - step, log(alpha_start), log(alpha_start) + step}; /* left, middle, right */
  double       value[3];
  PetscBool    down;

  PetscFunctionBegin;
  for (int k = 1; k >= 0; k--) {
    PetscCall(VisitBest(problem, options, exp(position[k]), seed, snapshot, search, report));
    value[k] = search->points[search->npoints - 1].gcv;
  }
  down = value[0] < value[1] ? PETSC_TRUE : PETSC_FALSE;
  if (down) { /* the start is the right one of three */
    for (int k = 2; k > 0; k--) {
      position[k] = position[k - 1];
      value[k]    = value[k - 1];
    }
    position[0] -= step;
  }
  while (search->npoints < MAX_STEPS) {
    const int next = down ? 0 : 2;

    PetscCall(VisitBest(problem, options, exp(position[next]), seed, snapshot, search, report));
    value[next] = search->points[search->npoints - 1].gcv;
    if (value[next] >= value[1]) {
      search->reached = PETSC_TRUE;
      break;
    }
    for (int k = 2 - next; k != next; k += down ? -1 : 1) { /* move the three on by one */
      position[k] = position[k + (down ? -1 : 1)];
      value[k]    = value[k + (down ? -1 : 1)];
    }
    position[next] += down ? -step : step;
  }
  search->alpha = exp(position[1]);
  if (search->reached) {
    const double curvature = value[0] - 2.0 * value[1] + value[2];

    if (curvature > 0.0) search->alpha *= exp(0.5 * step * (value[0] - value[2]) / curvature);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Largest alpha with v <= v_0: bracketed by steps of a factor, then regula falsi with the Illinois rule on log alpha. */
static PetscErrorCode SearchDiscrepancy(FgProblem problem, const FgSolveOptions *options, double alpha_start, unsigned long seed,
                                        FgWeightSearch *search, FgSolveReport *report)
{
  enum { MAX_BRACKET = 8, MAX_REFINE = 6 };
  const double step = log(3.0), width = 0.2;
  double       low = 0.0, high = 0.0, at_low = -1.0, at_high = 1.0, position = log(alpha_start);
  PetscBool    have_low = PETSC_FALSE, have_high = PETSC_FALSE;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < MAX_BRACKET + MAX_REFINE; k++) {
    double excess;

    if (have_low && have_high) {
      if (high - low <= width) break;
      position = low + (high - low) * PetscMin(PetscMax(-at_low / (at_high - at_low), 0.1), 0.9);
    } else if (k >= MAX_BRACKET) break;
    PetscCall(Visit(problem, options, exp(position), seed, search, report));
    excess = search->points[search->npoints - 1].variance / search->pointwise_variance - 1.0;
    if (excess <= 0.0) {
      if (have_low && have_high) at_high *= 0.5;
      low      = position;
      at_low   = excess;
      have_low = PETSC_TRUE;
      if (!have_high) position += step;
    } else {
      if (have_low && have_high) at_low *= 0.5;
      high      = position;
      at_high   = excess;
      have_high = PETSC_TRUE;
      if (!have_low) position -= step;
    }
    if (fabs(excess) < 1e-3) {
      low = high = position;
      have_low = have_high = PETSC_TRUE;
    }
  }
  search->reached = have_low && have_high ? PETSC_TRUE : PETSC_FALSE;
  search->alpha   = exp(search->reached ? low : position);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSolveChooseWeight(FgProblem problem, const FgSolveOptions *options, const char *criterion, double alpha_start,
                                   unsigned long seed, FgWeightSearch *search, FgSolveReport *report)
{
  FgSolveOptions rough    = *options;
  Snapshot       snapshot = {NULL, NULL, -1};
  PetscReal      eta;
  PetscBool      gcv;

  PetscFunctionBegin;
  PetscCall(FgProblemPrice(problem, 0.5 * search->pointwise_chi2, search->samples, &eta));
  search->pointwise_variance = search->pointwise_chi2 / search->samples - eta +
                               eta / (1.0 - search->pointwise_freedom / search->samples);
  search->npoints = 0;
  search->reached = PETSC_FALSE;
  /* The criteria need less than the maps do, and the next solve goes on where this one stops. */
  rough.tolerance      = 2.0 * options->tolerance;
  rough.max_iterations = PetscMin(options->max_iterations, 15);
  rough.finish         = PETSC_FALSE;
  PetscCall(VecDuplicate(problem->field->m, &snapshot.m));
  PetscCall(PetscMalloc1(9 * (size_t)problem->field->domain->nlocal, &snapshot.frames));
  PetscCall(PetscStrcmp(criterion, "gcv", &gcv));
  if (gcv) PetscCall(SearchGcv(problem, &rough, alpha_start, seed, &snapshot, search, report));
  else PetscCall(SearchDiscrepancy(problem, &rough, alpha_start, seed, search, report));
  if (snapshot.point >= 0) PetscCall(Exchange(problem, &snapshot, PETSC_TRUE));
  PetscCall(VecDestroy(&snapshot.m));
  PetscCall(PetscFree(snapshot.frames));
  problem->alpha = search->alpha;
  PetscCall(FgSolveField(problem, options, report));
  PetscFunctionReturn(PETSC_SUCCESS);
}
