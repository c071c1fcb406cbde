/* choose_weight.c: the regularization weights from the data.

   With N samples, chi2 and p = p_eff (freedom.c) of a fit, three criteria:

   risk         for each part of the parameters (porosity, shape, direction, S0) the weight that makes its own estimated mean squared error
                least (risk.h). All parts are searched at once: one solve and one trace give a point on the curve of every part.
   gcv          one alpha, ratios held: minimise  G = (chi2/N) / (1 - p/N)^2, generalized cross-validation: an estimate of the error in
                predicting new data, up to a constant.
   discrepancy  one alpha, ratios held: the largest with  v = chi2/(N - p) <= v_0, the discrepancy principle with degrees of freedom
                counted; v_0 is that of the pointwise fit, chi2_0/(N - p_0). The plain principle chi2 = N over-smooths, because even the
                pointwise fit has chi2 = N - p_0.

   Of a robust misfit (robust.h) chi2 = sum 2 rho holds what outliers leave, which no weight can change and which would pass for a noise to
   be smoothed away. What a degree of freedom takes from it is not chi2/N then but eta = sum psi^2/sum psi' (E. Ronchetti, Stat. Probab.
   Lett. 3 (1985), robust model selection), equal to it for squares; p_eff is that of the weighted Hessian:

       G = chi2/N - eta + eta/(1 - p/N)^2,   v = chi2/N - eta + eta/(1 - p/N)

   None needs the noise level: gcv by itself, the others because they measure in residual variances of the pointwise fit.
   docs/weights.md has measurements of all. Each solve starts from the one before, the last from the best.
   Source: G. H. Golub, M. Heath, G. Wahba, Technometrics 21 (1979); V. A. Morozov, Soviet Math. Dokl. 7 (1966); P. Hall,
   D. M. Titterington, J. R. Stat. Soc. B 49 (1987), on equivalent degrees of freedom; for risk see risk.h. */
#include "choose_weight.h"
#include "risk.h"

#include <math.h>

const char *const FgCriteria[] = {"risk", "gcv", "discrepancy", NULL};

/* The field at the best point so far: the last solve starts there, not where the search happened to end. A weight that was tried and is
   far too large wipes out what is thin, and a regularizer that is not convex would not bring it back. */
typedef struct {
  Vec     m;
  double *frames, value; /* of the criterion; infinite: none yet */
} Snapshot;

/* What all solves of a search have in common. */
typedef struct {
  FgProblem             problem;
  double                variance; /* of the noise over the assumed one [1] */
  const FgSolveOptions *options;  /* of the rough solves */
  unsigned long         seed;
  FgWeightSearch       *search;
  FgSolveReport        *report;
  Snapshot              best;
} Search;

/* What a criterion says along log alpha, in the order of positions: of one part, or of all that share alpha. */
typedef struct {
  PetscInt part; /* -1: all whose ratio is held; -2: all */
  double   position[32], value[32];
  PetscInt n;
} Curve;

PetscErrorCode FgProblemSetWeights(FgProblem problem, const FgWeightSearch *search, double alpha)
{
  PetscFunctionBegin;
  problem->alpha = alpha;
  for (PetscInt t = 0; t < problem->regularizer->nterms; t++) {
    problem->regularizer->terms[t].weight = search->parts[search->term_part[t]].ratio;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Appends what the present field, a minimizer, says. */
static PetscErrorCode Append(Search *s)
{
  FgWeightSearch *search = s->search;
  FgWeightPoint  *point  = &search->points[search->npoints++];
  PetscReal       freedom, eta;
  double          remaining;

  PetscFunctionBegin;
  PetscCall(FgProblemRisk(s->problem, search->component_part, search->nparts, s->variance, s->seed, point->risk, &freedom));
  PetscCall(FgProblemPrice(s->problem, s->report->misfit, search->samples, &eta));
  remaining        = 1.0 - freedom / search->samples;
  point->alpha     = s->problem->alpha;
  point->chi2      = 2.0 * s->report->misfit;
  point->freedom   = freedom;
  point->variance  = point->chi2 / search->samples - eta + eta / remaining;
  point->gcv       = point->chi2 / search->samples - eta + eta / (remaining * remaining);
  point->roughness = s->report->roughness;
  point->sweeps    = s->report->sweeps;
  for (PetscInt p = 0; p < search->nparts; p++) point->ratio[p] = search->parts[p].ratio;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Field to snapshot, or back. */
static PetscErrorCode Exchange(FgProblem problem, const Snapshot *snapshot, PetscBool restore)
{
  const FgField field = problem->field;
  const size_t  n     = 9 * (size_t)field->domain->nlocal;

  PetscFunctionBegin;
  PetscCall(VecCopy(restore ? snapshot->m : field->m, restore ? field->m : snapshot->m));
  if (field->frames) {
    PetscCall(PetscArraycpy(restore ? field->frames : snapshot->frames, restore ? snapshot->frames : field->frames, n));
    if (restore) PetscCall(FgFieldUpdateFrames(field));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Keeps the present field if its point has the least value of the criterion so far. */
static PetscErrorCode KeepBest(Search *s, double value)
{
  PetscFunctionBegin;
  if (!(value < s->best.value)) PetscFunctionReturn(PETSC_SUCCESS);
  s->best.value = value;
  PetscCall(Exchange(s->problem, &s->best, PETSC_FALSE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Solves roughly at alpha from the present field and appends the point. */
static PetscErrorCode Visit(Search *s, double alpha)
{
  PetscFunctionBegin;
  PetscCall(FgProblemSetWeights(s->problem, s->search, alpha));
  PetscCall(FgSolveField(s->problem, s->options, s->report));
  PetscCall(Append(s));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Adds a value to a curve; a point that is there already is measured anew. */
static void Insert(Curve *curve, double position, double value)
{
  PetscInt k = 0;

  while (k < curve->n && curve->position[k] < position - 0.01) k++;
  if (k == curve->n || curve->position[k] > position + 0.01) {
    for (PetscInt i = curve->n++; i > k; i--) {
      curve->position[i] = curve->position[i - 1];
      curve->value[i]    = curve->value[i - 1];
    }
    curve->position[k] = position;
  }
  curve->value[k] = value;
}

/* Where a curve has its minimum, by a parabola through the three points about the least. `side`: -1 or 1 where it still falls beyond
   that end of the curve by more than `worth` a step, else 0. A flat end counts as a minimum, at its smaller weight. */
static double Minimum(const Curve *curve, double worth, PetscInt *side)
{
  const double *x = curve->position, *y = curve->value;
  PetscInt      least = 0, last = curve->n - 1;
  double        left, right, curvature;

  for (PetscInt k = 1; k < curve->n; k++) {
    if (y[k] < y[least]) least = k;
  }
  *side = 0;
  if (last == 0) *side = 1;
  else if (least == 0) *side = y[1] - y[0] > worth ? -1 : 0;
  else if (least == last) *side = y[last - 1] - y[last] > worth ? 1 : 0;
  if (least == last && last > 0 && !*side) return x[last - 1];
  if (least == 0 || least == last) return x[least];
  left      = (y[least] - y[least - 1]) / (x[least] - x[least - 1]);
  right     = (y[least + 1] - y[least]) / (x[least + 1] - x[least]);
  curvature = (right - left) / (x[least + 1] - x[least - 1]);
  return curvature > 0.0 ? 0.5 * (x[least - 1] + x[least]) - 0.5 * left / curvature : x[least];
}

/* Value of a curve's criterion at the last point. */
static double Value(const FgWeightSearch *search, const Curve *curve, PetscBool gcv)
{
  const FgWeightPoint *point = &search->points[search->npoints - 1];
  double               sum   = 0.0;
  PetscInt             n     = 0;

  if (gcv) return point->gcv;
  for (PetscInt p = 0; p < search->nparts; p++) {
    if (curve->part < 0 ? curve->part == -2 || !search->parts[p].automatic : p == curve->part) {
      sum += point->risk[p];
      n++;
    }
  }
  return n ? sum / n : 0.0;
}

/* Mean of all parts' estimated errors at the last point. */
static double TotalRisk(const FgWeightSearch *search)
{
  double sum = 0.0;

  for (PetscInt p = 0; p < search->nparts; p++) sum += search->points[search->npoints - 1].risk[p];
  return sum / search->nparts;
}

/* Ratios of the parts with curves of their own, for positions along those curves. Under a joint root a term counts with the square of its
   ratio, and parts pull at each other: their curves hold near equal weights only. */
static PetscErrorCode SetRatios(Search *s, PetscInt ncurves, const Curve curves[], const double start[], const double position[])
{
  const PetscBool joint = s->problem->regularizer->ops->joint;

  PetscFunctionBegin;
  for (PetscInt k = 1; k < ncurves; k++) {
    const double apart = position[k] - position[0], most = log(2.0);

    s->search->parts[curves[k].part].ratio = start[curves[k].part] *
                                             exp(joint ? 0.5 * PetscMin(PetscMax(apart, -most), most) : apart);
  }
  PetscCall(FgProblemSetWeights(s->problem, s->search, exp(position[0])));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* All curves to their minima by the same solves: three along alpha with the ratios held, upward if the first curve falls there; then every
   curve goes on beyond its end or waits at its minimum. The first curve is that of alpha. */
static PetscErrorCode SearchMinima(Search *s, double alpha_start, PetscInt ncurves, Curve curves[], PetscBool gcv)
{
  enum { COMMON = 3, MAX_SOLVES = 5 };
  const double    step = log(1.7), worth = gcv ? 2e-4 : 5e-3;
  FgWeightSearch *search = s->search;
  double          next[FG_MAX_PARTS + 1], start[FG_MAX_PARTS];
  PetscBool       settled = PETSC_FALSE;

  PetscFunctionBegin;
  for (PetscInt p = 0; p < search->nparts; p++) start[p] = search->parts[p].ratio;
  for (PetscInt k = 0; k < ncurves; k++) next[k] = log(alpha_start);
  for (PetscInt solve = 1; solve <= MAX_SOLVES && !settled; solve++) {
    PetscCall(SetRatios(s, ncurves, curves, start, next));
    PetscCall(Visit(s, s->problem->alpha));
    PetscCall(KeepBest(s, gcv ? search->points[search->npoints - 1].gcv : TotalRisk(search)));
    settled = solve < COMMON ? PETSC_FALSE : PETSC_TRUE;
    for (PetscInt k = 0; k < ncurves; k++) {
      const double reach = step * PetscMin(PetscMax(1, solve - 1), 2);
      Curve       *curve = &curves[k];
      PetscInt     side;

      Insert(curve, next[k], Value(search, curve, gcv));
      next[k] = Minimum(curve, worth, &side);
      if (side) settled = PETSC_FALSE;
      if (solve < COMMON && k) next[k] = next[0];
      else if (side > 0 || (solve < COMMON && !side)) next[k] = curve->position[curve->n - 1] + reach;
      else if (side < 0) next[k] = curve->position[0] - reach;
    }
  }
  for (PetscInt k = ncurves - 1; k >= 0; k--) {
    PetscInt side;

    next[k]         = Minimum(&curves[k], worth, &side);
    search->reached = side ? PETSC_FALSE : PETSC_TRUE; /* the last asked is alpha's */
  }
  PetscCall(SetRatios(s, ncurves, curves, start, next));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* alpha is that of the parts that are held, else of the first part, whose ratio is then held as it is; under a joint root, of all. */
static PetscErrorCode SearchRisk(Search *s, double alpha_start)
{
  FgWeightSearch *search = s->search;
  Curve           curves[FG_MAX_PARTS + 1];
  PetscInt        ncurves = 1;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(curves, sizeof(curves)));
  for (PetscInt p = 0; p < search->nparts; p++) {
    if (!search->parts[p].automatic) curves[0].part = -1;
  }
  if (s->problem->regularizer->ops->joint) curves[0].part = -2;
  for (PetscInt p = 0; p < search->nparts; p++) {
    if (search->parts[p].automatic && p != curves[0].part) curves[ncurves++].part = p;
  }
  PetscCall(SearchMinima(s, alpha_start, ncurves, curves, PETSC_FALSE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SearchGcv(Search *s, double alpha_start)
{
  Curve curve;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(&curve, sizeof(curve)));
  curve.part = -2;
  PetscCall(SearchMinima(s, alpha_start, 1, &curve, PETSC_TRUE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Largest alpha with v <= v_0: bracketed by steps of a factor, then regula falsi with the Illinois rule on log alpha. */
static PetscErrorCode SearchDiscrepancy(Search *s, double alpha_start)
{
  enum { MAX_BRACKET = 8, MAX_REFINE = 6 };
  FgWeightSearch *search = s->search;
  const double    step = log(3.0), width = 0.2;
  double          low = 0.0, high = 0.0, at_low = -1.0, at_high = 1.0, position = log(alpha_start);
  PetscBool       have_low = PETSC_FALSE, have_high = PETSC_FALSE;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < MAX_BRACKET + MAX_REFINE; k++) {
    double excess;

    if (have_low && have_high) {
      if (high - low <= width) break;
      position = low + (high - low) * PetscMin(PetscMax(-at_low / (at_high - at_low), 0.1), 0.9);
    } else if (k >= MAX_BRACKET) break;
    PetscCall(Visit(s, exp(position)));
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
  PetscCall(FgProblemSetWeights(s->problem, search, exp(search->reached ? low : position)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSolveChooseWeight(FgProblem problem, const FgSolveOptions *options, const char *criterion, double alpha_start,
                                   unsigned long seed, FgWeightSearch *search, FgSolveReport *report)
{
  FgSolveOptions rough = *options;
  Search         s     = {problem, 1.0, &rough, seed, search, report, {NULL, NULL, INFINITY}};
  const double   left  = PetscMax(1.0 - search->pointwise_freedom / search->samples, 1.0 / search->samples);
  PetscReal      eta;
  PetscBool      risk, gcv;

  PetscFunctionBegin;
  if (problem->model->ops->global) {
    PetscFunctionReturn(FgChooseWeightGlobal(problem, options, criterion, alpha_start, seed, search, report));
  }
  PetscCall(FgProblemPrice(problem, 0.5 * search->pointwise_chi2, search->samples, &eta));
  search->pointwise_variance = search->pointwise_chi2 / search->samples - eta + eta / left;
  search->npoints            = 0;
  search->reached            = PETSC_FALSE;
  /* The criteria need less than the maps do, and the next solve goes on where this one stops. */
  rough.tolerance      = 2.0 * options->tolerance;
  rough.max_iterations = PetscMin(options->max_iterations, 15);
  rough.finish         = PETSC_FALSE;
  s.variance           = eta / left;
  PetscCall(PetscStrcmp(criterion, "risk", &risk));
  PetscCall(PetscStrcmp(criterion, "gcv", &gcv));
  PetscCall(VecDuplicate(problem->field->m, &s.best.m));
  if (problem->field->frames) PetscCall(PetscMalloc1(9 * (size_t)problem->field->domain->nlocal, &s.best.frames));
  if (risk) PetscCall(SearchRisk(&s, alpha_start));
  else if (gcv) PetscCall(SearchGcv(&s, alpha_start));
  else PetscCall(SearchDiscrepancy(&s, alpha_start));
  if (isfinite(s.best.value)) PetscCall(Exchange(problem, &s.best, PETSC_TRUE));
  PetscCall(VecDestroy(&s.best.m));
  PetscCall(PetscFree(s.best.frames));
  PetscCall(FgSolveField(problem, options, report));
  PetscCall(Append(&s));
  PetscFunctionReturn(PETSC_SUCCESS);
}
