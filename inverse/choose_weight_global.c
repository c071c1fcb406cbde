/* choose_weight_global.c: the regularization weight from data that belong to no site.

   With N data, chi2 and p = p_eff (freedom_global.c) of a fit, v = chi2/(N - p):

   discrepancy  the largest alpha with v <= 1: the noise is known here, with the measurement. v does not fall to 0 with alpha but levels
                off, at 1 but for chance, whose standard deviation is sqrt(2/(N - p)), if the model describes the data. So where v stays above 1
                the level is that of the end instead, raised by a few percent: the largest alpha that costs the data next to nothing. Where
                it stays above 1 by more than three such deviations the model does not describe the data, which is said. (gcv is no way
                out there: what a model cannot describe is not white, and gcv lowers alpha to fit it.)
   gcv          alpha that minimises (chi2/N)/(1 - p/N)^2.

   log v is followed along log alpha from the start of the search, by its slope where that is known, then by regula falsi between a weight that
   is too large and one that is not. Every solve starts from the one of the next larger weight.
   Source: V. A. Morozov, Soviet Math. Dokl. 7 (1966); P. Hall, D. M. Titterington, J. R. Stat. Soc. B 49 (1987), on equivalent degrees of
   freedom; G. H. Golub, M. Heath, G. Wahba, Technometrics 21 (1979). */
#include "choose_weight.h"
#include "global.h"

#include <math.h>

enum { MAX_SOLVES = 8, PROBES = 4 };

typedef struct {
  FgProblem             problem;
  const FgSolveOptions *options; /* of the rough solves */
  unsigned long         seed;
  FgWeightSearch       *search;
  FgSolveReport        *report;
  Vec                   field[MAX_SOLVES]; /* of the solves so far */
  double                position[MAX_SOLVES], solved[MAX_SOLVES];
  PetscInt              nfields;
} Search;

/* By ascending alpha: log alpha, log v and log of the gcv function at what was visited. */
typedef struct {
  double   position[32], excess[32], gcv[32];
  PetscInt n;
} Curve;

/* Solves from the field of the next larger weight that was visited. From that of a smaller one the solver would come back to what noise and
   model error have left in it, where the objective has many minima. Charts that move with the field are not kept. */
static PetscErrorCode Solve(Search *s, double position, const FgSolveOptions *options)
{
  const FgProblem problem = s->problem;
  PetscInt        larger = -1, largest = -1, start;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < s->nfields; k++) {
    if (s->position[k] >= position && (larger < 0 || s->position[k] < s->position[larger])) larger = k;
    if (largest < 0 || s->position[k] > s->position[largest]) largest = k;
  }
  start = larger >= 0 ? larger : largest;
  if (start >= 0) {
    PetscCall(VecCopy(s->field[start], problem->field->m));
    problem->solved = s->solved[start];
  }
  PetscCall(FgProblemSetWeights(problem, s->search, exp(position)));
  PetscCall(FgSolveField(problem, options, s->report));
  if (problem->field->ntangent || s->nfields == MAX_SOLVES) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecDuplicate(problem->field->m, &s->field[s->nfields]));
  PetscCall(VecCopy(problem->field->m, s->field[s->nfields]));
  s->position[s->nfields] = position;
  s->solved[s->nfields++] = problem->solved;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Append(Search *s)
{
  FgWeightSearch *search = s->search;
  FgWeightPoint  *point  = &search->points[search->npoints++];
  PetscReal       freedom;
  double          remaining;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(point, sizeof(*point)));
  PetscCall(FgGlobalFreedom(s->problem, s->seed, PROBES, &freedom));
  remaining        = PetscMax(1.0 - freedom / search->samples, 1.0 / search->samples);
  point->alpha     = s->problem->alpha;
  point->chi2      = 2.0 * s->report->misfit;
  point->freedom   = freedom;
  point->variance  = point->chi2 / search->samples / remaining;
  point->gcv       = point->variance / remaining;
  point->roughness = s->report->roughness;
  point->sweeps    = s->report->iterations;
  for (PetscInt p = 0; p < search->nparts; p++) point->ratio[p] = search->parts[p].ratio;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Visit(Search *s, double position, Curve *curve)
{
  const FgWeightPoint *point;
  PetscInt             k = curve->n++;

  PetscFunctionBegin;
  PetscCall(Solve(s, position, s->options));
  PetscCall(Append(s));
  point = &s->search->points[s->search->npoints - 1];
  for (; k > 0 && curve->position[k - 1] > position; k--) {
    curve->position[k] = curve->position[k - 1];
    curve->excess[k]   = curve->excess[k - 1];
    curve->gcv[k]      = curve->gcv[k - 1];
  }
  curve->position[k] = position;
  curve->excess[k]   = log(PetscMax(point->variance, PETSC_MACHINE_EPSILON));
  curve->gcv[k]      = log(PetscMax(point->gcv, PETSC_MACHINE_EPSILON));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The minimum of gcv along the curve by a parabola; side: -1 or 1 where it is at that end and falls beyond. */
static double Minimum(const Curve *curve, PetscInt *side)
{
  const double *x = curve->position, *y = curve->gcv;
  PetscInt      least = 0;
  double        left, right, curvature;

  for (PetscInt k = 1; k < curve->n; k++) {
    if (y[k] < y[least]) least = k;
  }
  *side = least == 0 ? -1 : least == curve->n - 1 ? 1 : 0;
  if (*side) return x[least];
  left      = (y[least] - y[least - 1]) / (x[least] - x[least - 1]);
  right     = (y[least + 1] - y[least]) / (x[least + 1] - x[least]);
  curvature = (right - left) / (x[least + 1] - x[least - 1]);
  return curvature > 0.0 ? 0.5 * (x[least - 1] + x[least]) - 0.5 * left / curvature : x[least];
}

static PetscErrorCode SearchGcv(Search *s, double start, double *chosen)
{
  const double step = log(4.0);
  double       next = start;
  Curve        curve;
  PetscInt     side = 0;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(&curve, sizeof(curve)));
  for (PetscInt k = 0; k < MAX_SOLVES - 1; k++) {
    PetscCall(Visit(s, next, &curve));
    *chosen = Minimum(&curve, &side);
    if (!side) break;
    next = *chosen + step * (curve.n == 1 ? -1.0 : (double)side);
  }
  s->search->reached = side ? PETSC_FALSE : PETSC_TRUE;
  if (side) {
    PetscCall(PetscSNPrintf(s->search->note, sizeof(s->search->note), "gcv still falls at weight %.3g, where the search ended",
                            exp(*chosen)));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where to go while all visited weights are too large (toward = -1) or none is (1): as the slope says, by a factor of 2 to 10. */
static double Extrapolate(const Curve *curve, double level, int toward)
{
  const PetscInt end  = toward < 0 ? 0 : curve->n - 1;
  double         step = log(5.0);

  if (curve->n > 1) {
    const PetscInt inner = end - toward;
    const double   slope = (curve->excess[end] - curve->excess[inner]) / (curve->position[end] - curve->position[inner]);

    step = slope > 0.0 ? fabs(curve->excess[end] - level) / slope : log(10.0);
  }
  return curve->position[end] + toward * PetscMin(PetscMax(step, log(2.0)), log(10.0));
}

/* Whether v has come to its end: a factor of 10 in alpha would change it by less than 7 percent. */
static PetscBool IsFlat(const Curve *curve)
{
  return curve->n > 1 && curve->excess[1] - curve->excess[0] < 0.03 * (curve->position[1] - curve->position[0]) ? PETSC_TRUE
                                                                                                                : PETSC_FALSE;
}

static PetscErrorCode SearchDiscrepancy(Search *s, double start, double *chosen)
{
  const double    close  = 0.04;
  FgWeightSearch *search = s->search;
  double          level = 0.0, next = start, misfit = 0.0;
  PetscBool       ended = PETSC_FALSE;
  Curve           curve;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(&curve, sizeof(curve)));
  search->reached = PETSC_FALSE;
  for (PetscInt solve = 0; solve < MAX_SOLVES; solve++) {
    PetscInt    low   = -1;
    PetscBool   near  = PETSC_FALSE;
    const char *words = NULL;

    PetscCall(Visit(s, next, &curve));
    if (!ended && curve.excess[0] > 0.0 && IsFlat(&curve)) {
      const FgWeightPoint *point  = &search->points[search->npoints - 1];
      const double         chance = sqrt(2.0 / PetscMax(search->samples - point->freedom, 1.0));
      double               least  = PetscMin(curve.excess[0], curve.excess[1]);

      ended  = PETSC_TRUE;
      misfit = least > log(1.0 + 3.0 * chance) ? exp(least) : 0.0;
      level  = least + close;
    }
    for (PetscInt k = 0; k < curve.n; k++) {
      if (curve.excess[k] <= level) low = k;
    }
    *chosen = low < 0 ? curve.position[0] : curve.position[low];
    /* Where v is flat many weights are close: then it must be known that a larger one would be too large. */
    for (PetscInt k = curve.n - 2; k >= 0 && !near; k--) {
      near = fabs(curve.excess[k] - level) <= close && curve.excess[k + 1] > level + close ? PETSC_TRUE : PETSC_FALSE;
      if (near) *chosen = curve.position[k];
    }
    search->reached = near;
    if (near) break;
    if (low < 0) {
      next  = Extrapolate(&curve, level, -1);
      words = "the search ended at a weight that is too large";
    } else if (low == curve.n - 1) {
      next  = Extrapolate(&curve, level, 1);
      words = "however large the weight, the data are described to their noise: they say no more than the prior";
    } else {
      const double width = curve.position[low + 1] - curve.position[low];
      const double part  = (level - curve.excess[low]) / (curve.excess[low + 1] - curve.excess[low]);

      next            = curve.position[low] + width * PetscMin(PetscMax(part, 0.1), 0.9);
      *chosen         = next;
      search->reached = PETSC_TRUE;
      if (width < 0.2) break;
    }
    if (!search->reached) PetscCall(PetscStrncpy(search->note, words, sizeof(search->note)));
  }
  if (misfit > 0.0) {
    search->reached = PETSC_FALSE;
    PetscCall(
        PetscSNPrintf(search->note, sizeof(search->note),
                      "however small the weight, chi2/(N - p) stays at %.3g, expected 1: the model does not describe the data "
                      "to their noise; give a larger noise or a model error. Largest weight that comes near it",
                      misfit));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgChooseWeightGlobal(FgProblem problem, const FgSolveOptions *options, const char *criterion, double alpha_start,
                                    unsigned long seed, FgWeightSearch *search, FgSolveReport *report)
{
  FgSolveOptions rough = *options;
  Search         s     = {.problem = problem, .options = &rough, .seed = seed, .search = search, .report = report};
  PetscErrorCode code;
  double         chosen = 0.0;
  PetscBool      gcv, discrepancy;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(criterion, "gcv", &gcv));
  PetscCall(PetscStrcmp(criterion, "discrepancy", &discrepancy));
  PetscCheck(gcv || discrepancy, PETSC_COMM_SELF, PETSC_ERR_USER,
             "criterion %s needs data of single voxels, which model %s has not; take discrepancy or gcv", criterion,
             problem->model->ops->name);
  PetscCheck(problem->regularizer, PETSC_COMM_SELF, PETSC_ERR_ARG_NULL, "a weight is chosen for a regularizer");
  PetscCall(FgProblemSamples(problem, &search->samples));
  search->npoints            = 0;
  search->reached            = PETSC_FALSE;
  search->note[0]            = 0;
  search->pointwise_variance = 1.0;
  problem->solved            = 0.0;                      /* the field may have been set anew */
  rough.tolerance            = 3.0 * options->tolerance; /* the criteria need less than the map does */
  rough.max_iterations       = PetscMin(options->max_iterations, 7);
  code                       = gcv ? SearchGcv(&s, log(alpha_start), &chosen) : SearchDiscrepancy(&s, log(alpha_start), &chosen);
  if (search->reached) search->note[0] = 0;
  if (!code) code = Solve(&s, chosen, options);
  if (!code) code = Append(&s);
  for (PetscInt k = 0; k < s.nfields; k++) PetscCall(VecDestroy(&s.field[k]));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}
