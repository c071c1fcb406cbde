/* deviations.c: from the covariance of every voxel's parameters (inverse/uncertainty.c) to maps; docs/uncertainty.md says what they mean.

   Components have the square root of their variance, never more than their range. FA and MD are functions f of the parameters and have
   sqrt(f' cov f'^T). The direction has the half angle of the cone that holds the true axis with probability 0.95: the radius r of a
   circle about the mean of a two-dimensional Gaussian with variances l1 >= l2, for which
       P(R > r) = mean over a of exp(-r^2/(2 (l1 cos^2 a + l2 sin^2 a))) = 0.05.
   A model without direction has that of its tensor's first eigenvector, d e1 = sum_k e_k (e_k . dC e1)/(lambda_1 - lambda_k). */
#include "deviations.h"

#include "finegrain/statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RATIOS = 32 };

/* r^2/l1 at l2/l1 = i/RATIOS. */
typedef struct {
  double square[RATIOS + 1];
} Circles;

static double BeyondCircle(double square, double ratio)
{
  enum { ANGLES = 64 };
  double sum = 0.0;

  for (int k = 0; k < ANGLES; k++) {
    const double a = 0.5 * M_PI * (k + 0.5) / ANGLES, c = cos(a), s = sin(a);

    sum += exp(-0.5 * square / (c * c + ratio * s * s));
  }
  return sum / ANGLES;
}

static void FillCircles(Circles *circles)
{
  for (int i = 0; i <= RATIOS; i++) {
    double low = 3.0, high = 7.0; /* chi-squared's 95 % quantiles are 3.84 for one and 5.99 for two degrees of freedom */

    while (high - low > 1e-9) {
      const double middle = 0.5 * (low + high);

      if (BeyondCircle(middle, (double)i / RATIOS) > 0.05) low = middle;
      else high = middle;
    }
    circles->square[i] = low;
  }
}

/* Half angle [degree] for the covariance (xx, xy, yy) [radian^2]. */
static double Cone(const Circles *circles, double xx, double xy, double yy)
{
  const double mean = 0.5 * (xx + yy), difference = hypot(0.5 * (xx - yy), xy), largest = mean + difference;
  double       place, square;
  int          i;

  if (!isfinite(largest)) return 90.0;
  if (!(largest > 0.0)) return 0.0;
  place  = RATIOS * PetscMax(mean - difference, 0.0) / largest;
  i      = PetscMin((int)place, RATIOS - 1);
  square = circles->square[i] + (place - i) * (circles->square[i + 1] - circles->square[i]);
  return PetscMin(sqrt(square * largest) * 180.0 / M_PI, 90.0);
}

/* Lower triangle by rows. */
static double Element(const float *covariance, PetscInt a, PetscInt b)
{
  return covariance[a >= b ? a * (a + 1) / 2 + b : b * (b + 1) / 2 + a];
}

/* g^T covariance h over nc components. */
static double Form(const float *covariance, PetscInt nc, const double *g, const double *h)
{
  double sum = 0.0;

  for (PetscInt a = 0; a < nc; a++) {
    for (PetscInt b = 0; b < nc; b++) {
      if (g[a] != 0.0 && h[b] != 0.0) sum += g[a] * Element(covariance, a, b) * h[b];
    }
  }
  return sum;
}

/* Derivatives of FA, MD and the first eigenvector towards the other two with respect to the scalar components, by differences towards the
   inside of the box. */
static void Differentiate(const FgPipeline *p, gsl_eigen_symmv_workspace *space, const double *m, const double *frame, double *fa,
                          double *md, double axis[2][FG_MAX_COMPONENTS])
{
  double at[FG_MAX_COMPONENTS], C[6], values[3], e[9], anisotropy;

  for (PetscInt c = 0; c < p->field->ncomponents; c++) at[c] = m[c];
  p->model->ops->site_tensor(p->model, m, frame, C);
  anisotropy = FgFractionalAnisotropy(C);
  if (!frame) FgTensorAxes(space, C, values, e);
  for (PetscInt c = 0; c < p->field->ncomponents; c++) {
    const FgComponent *component = &p->field->components[c];
    const double       range     = component->upper - component->lower;
    double             step      = 1e-5 * (isfinite(range) ? range : PetscMax(fabs(m[c]), 1.0)), change[6];

    fa[c] = md[c] = axis[0][c] = axis[1][c] = 0.0;
    if (component->kind == FG_KIND_TANGENT || !strcmp(component->name, "S0")) continue; /* neither turns up in FA and MD */
    if (m[c] + step > component->upper) step = -step;
    at[c] = m[c] + step;
    p->model->ops->site_tensor(p->model, at, frame, change);
    at[c] = m[c];
    fa[c] = (FgFractionalAnisotropy(change) - anisotropy) / step;
    for (int k = 0; k < 6; k++) change[k] = (change[k] - C[k]) / step;
    md[c] = (change[0] + change[1] + change[2]) / 3.0;
    for (int k = 1; !frame && k < 3; k++) {
      const double x = e[0], y = e[3], z = e[6];
      const double turned = e[k] * (change[0] * x + change[3] * y + change[4] * z) +
                            e[3 + k] * (change[3] * x + change[1] * y + change[5] * z) +
                            e[6 + k] * (change[4] * x + change[5] * y + change[2] * z);

      axis[k - 1][c] = turned / PetscMax(values[0] - values[k], 1e-12);
    }
  }
}

static void Add(FgDeviations *d, const char *map, const char *unit, double full, const char *description, const char *basis)
{
  FgDeviation *deviation = &d->maps[d->n++];

  snprintf(deviation->map, sizeof(deviation->map), "%s", map);
  snprintf(deviation->unit, sizeof(deviation->unit), "%s", unit);
  snprintf(deviation->description, sizeof(deviation->description), "%s, %s", description, basis);
  deviation->full = full;
}

/* What there is a map of: scalar components, then cone, FA, MD. component[n]: of the first ones. */
static PetscInt List(const FgPipeline *p, FgDeviations *d, PetscInt component[FG_MAX_COMPONENTS])
{
  const char *basis = p->problem->regularizer ? "from the posterior Hessian of the regularized fit"
                                              : "from the Fisher information";
  PetscInt    n     = 0;

  for (PetscInt c = 0; c < p->field->ncomponents; c++) {
    const FgComponent *of = &p->field->components[c];
    char               map[40], description[100];

    if (!FgFieldMapsHas(of)) continue;
    snprintf(map, sizeof(map), "%s_std", of->name);
    snprintf(description, sizeof(description), "standard deviation of %s", of->name);
    Add(d, map, of->unit, isfinite(of->upper - of->lower) ? 0.25 * (of->upper - of->lower) : 0.0, description, basis);
    component[n++] = c;
  }
  Add(d, "direction_cone", "degree", 45.0, "half angle of the 95 % cone of the fiber direction", basis);
  Add(d, "FA_std", "1", 0.25, "standard deviation of FA", basis);
  Add(d, "MD_std", "mm^2/s", 5e-4, "standard deviation of MD", basis);
  return n;
}

static PetscErrorCode Fill(const FgPipeline *p, const float *covariance, FgDeviations *d, PetscInt n, const PetscInt component[])
{
  const FgField              field = p->field;
  const PetscInt             nc = field->ncomponents, size = nc * (nc + 1) / 2, t = field->tangent;
  gsl_eigen_symmv_workspace *space = gsl_eigen_symmv_alloc(3);
  const PetscScalar         *m;
  Circles                    circles;

  PetscFunctionBegin;
  PetscCheck(space, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory for an eigenvalue work space");
  FillCircles(&circles);
  PetscCall(VecGetArrayRead(field->m, &m));
  for (PetscInt i = 0; i < p->domain->nlocal; i++) {
    const float *C      = &covariance[i * (size_t)size];
    float       *values = &d->values[i * (size_t)d->n];
    double       fa[FG_MAX_COMPONENTS], md[FG_MAX_COMPONENTS], axis[2][FG_MAX_COMPONENTS];

    if (p->measurement.status[i] & FG_STATUS_NOT_FITTED) {
      for (PetscInt k = 0; k < d->n; k++) values[k] = NAN;
      continue;
    }
    Differentiate(p, space, &m[i * nc], field->frames ? &field->frames[9 * i] : NULL, fa, md, axis);
    for (PetscInt k = 0; k < n; k++) {
      const FgComponent *of = &field->components[component[k]];

      values[k] = (float)PetscMin(sqrt(Element(C, component[k], component[k])), of->upper - of->lower);
    }
    values[n]     = (float)(t >= 0 ? Cone(&circles, Element(C, t, t), Element(C, t, t + 1), Element(C, t + 1, t + 1))
                                   : Cone(&circles, Form(C, nc, axis[0], axis[0]), Form(C, nc, axis[0], axis[1]),
                                          Form(C, nc, axis[1], axis[1])));
    values[n + 1] = (float)PetscMin(sqrt(Form(C, nc, fa, fa)), 1.0);
    values[n + 2] = (float)sqrt(Form(C, nc, md, md));
  }
  PetscCall(VecRestoreArrayRead(field->m, &m));
  gsl_eigen_symmv_free(space);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDeviationsCreate(FgPipeline *p, FgDeviations *d)
{
  const PetscInt nc = p->field->ncomponents, nlocal = p->domain->nlocal;
  PetscInt       component[FG_MAX_COMPONENTS], n;
  float         *covariance;

  PetscFunctionBegin;
  memset(d, 0, sizeof(*d));
  n = List(p, d, component);
  PetscCall(PetscMalloc1((size_t)nlocal * (nc * (nc + 1) / 2), &covariance));
  PetscCall(FgProblemCovariance(p->problem, covariance));
  PetscCall(PetscMalloc1((size_t)nlocal * d->n, &d->values));
  PetscCall(Fill(p, covariance, d, n, component));
  PetscCall(PetscFree(covariance));
  for (PetscInt k = 0; k < d->n; k++) {
    PetscCall(FgQuantile(p->measurement.comm, nlocal, d->values + k, d->n, 0.5, &d->maps[k].median));
  }
  for (size_t k = 0; k < (size_t)nlocal * d->n; k++) {
    if (!isfinite(d->values[k])) d->values[k] = 0.0f;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDeviationsDestroy(FgDeviations *d)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(d->values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Context of FillMap. */
typedef struct {
  const FgDeviations *deviations;
  PetscInt            map;
} Source;

static void FillMap(const FgFieldMaps *maps, PetscInt i, const void *context, float *values)
{
  const Source *source = context;

  values[0] = source->deviations->values[i * (size_t)source->deviations->n + source->map];
}

PetscErrorCode FgDeviationsWrite(const FgDeviations *d, const FgFieldMaps *maps, FgResult *result)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < d->n; k++) {
    const FgDeviation *map    = &d->maps[k];
    const Source       source = {d, k};

    PetscCall(FgFieldMapWrite(maps, result,
                              (FgImageSpec){.map = map->map, .store = FG_STORE_FLOAT, .nvolumes = 1, .cal_max = map->full},
                              map->unit, map->description, FillMap, &source));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
