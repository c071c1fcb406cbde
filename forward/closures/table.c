/* table.c: the closure that interpolates solved cell problems: K*(f, k) over the matrix's value, k the contrast fiber/matrix.

   Not K* itself is interpolated but how much more the fibers count than thinly spread cylinders would,

     K* = (1 + x)/(1 - x),   x = f beta g,   beta = (k - 1)/(k + 1)

   g = 1 gives the coated cylinders of hs2d.c; g is smooth, nearly even in beta (Keller's duality), and stays bounded where K* is large.
   Three things hold exactly whatever g is: K* = 1 at f = 0 and at k = 1, and K* is the solved value at the table's points. g = 1 at
   k = 1 for every geometry: K* = 1 + f (k - 1) to first order (G. W. Milton, The Theory of Composites (2002), section 14.2).

   For given phases k is one number: cubic splines in beta reduce each row of the table to it, and a cubic spline in u, twice
   differentiable, is what is left for every evaluation; the derivative is the derivative of that spline. u is f, or where the table says
   at which fraction F the inclusions touch, 1 - sqrt(1 - f/F): near touching g has a term in sqrt(F - f) (J. B. Keller, J. Appl. Phys. 34
   (1963) 991), of which a spline in f knows nothing.

     c_perp: mean of the two values across the fiber axis
     c_par:  columnar geometries: f D_a + (1 - f) D_e, exact; others: the value along the axis, where D_a = D_r */
#include "closures.h"
#include "spline.h"

#include <math.h>
#include <string.h>

typedef struct {
  FgClosure closure;                     /* first: what callers hold is its address */
  double    matrix, axial, radial, beta; /* weighted by storage, as FgClosureEvaluate gives them [mm^2/s]; [1] */
  double    limit;                       /* F [1]; 0: u = f */
  PetscBool columnar;
  PetscInt  npieces, nbins;
  double   *knot;                   /* [npieces + 1] where pieces begin, and where the last ends, in u [1] */
  double (*across)[4], (*along)[4]; /* [npieces] beta g as a cubic in u - knot; along: NULL for columnar geometries */
  int   *bin;                       /* [nbins] the piece in which a bin begins; bins divide u evenly */
  double bins;                      /* bins per u */
  char   name[PETSC_MAX_PATH_LEN + 8], file[PETSC_MAX_PATH_LEN], summary[256], hash[65];
} Interpolant;

/* u and du/df. */
static inline double Coordinate(const Interpolant *p, double f, double *slope)
{
  double root;

  *slope = 1.0;
  if (p->limit == 0.0) return f;
  root   = sqrt(fmax(1.0 - f / p->limit, 1e-12)); /* the last row lies below the limit */
  *slope = 0.5 / (p->limit * root);
  return 1.0 - root;
}

static inline PetscInt Find(const Interpolant *p, double u)
{
  const double position = u * p->bins;
  PetscInt     piece    = position > 0.0 ? p->bin[position < p->nbins ? (PetscInt)position : p->nbins - 1] : 0;

  while (piece + 1 < p->npieces && u >= p->knot[piece + 1]) piece++;
  return piece;
}

/* x and its derivative with respect to f. */
static inline double Contribution(const double c[4], double t, double f, double slope, double *derivative)
{
  const double q = c[0] + t * (c[1] + t * (c[2] + t * c[3])), dq = c[1] + t * (2.0 * c[2] + t * 3.0 * c[3]);

  *derivative = q + f * dq * slope;
  return f * q;
}

static void Value(const Interpolant *p, const double (*pieces)[4], double f, double *c, double *dc)
{
  double         slope, dx;
  const double   u = Coordinate(p, f, &slope);
  const PetscInt i = Find(p, u);
  const double   x = Contribution(pieces[i], u - p->knot[i], f, slope, &dx), below = 1.0 / (1.0 - x);

  *c  = p->matrix * (1.0 + x) * below;
  *dc = p->matrix * 2.0 * dx * below * below;
}

static void Evaluate(const FgClosure *closure, const FgPhases *phases, double f, double c[2], double dc[2])
{
  const Interpolant *p = (const Interpolant *)closure;

  if (phases->matrix != p->matrix || phases->fiber_axial != p->axial || phases->fiber_radial != p->radial) {
    c[0] = c[1] = dc[0] = dc[1] = NAN; /* a caller's defect must not pass for a value */
    return;
  }
  Value(p, p->across, f, &c[1], &dc[1]);
  if (p->columnar) ArithmeticMean(p->matrix, p->axial, f, &c[0], &dc[0]);
  else Value(p, p->along, f, &c[0], &dc[0]);
}

static PetscErrorCode Destroy(FgClosure *closure)
{
  Interpolant *p = (Interpolant *)closure;

  PetscFunctionBegin;
  PetscCall(PetscFree(p->knot));
  PetscCall(PetscFree(p->across));
  PetscCall(PetscFree(p->along));
  PetscCall(PetscFree(p->bin));
  PetscCall(PetscFree(p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- From the table ------------------------------------------------------------------------------------------------- */

/* Strides of the two axes among the points. */
typedef struct {
  const FgHomogenizationTable *table;
  const FgSweepAxis           *fractions, *contrasts;
  PetscInt                     row, column; /* point = i row + j column */
} View;

/* Tensor of a point in the frame of the fiber axis: its value along the axis, mean across it, and how far the two values across it are
   from their mean. */
static void PointValues(const View *view, PetscInt i, PetscInt j, double *along, double *mean, double *spread)
{
  const int     z = (int)view->table->fiber_axis, x = (z + 1) % 3, y = (z + 2) % 3;
  const double *K = &view->table->tensor[9 * (i * view->row + j * view->column)];

  *along  = K[4 * z];
  *mean   = 0.5 * (K[4 * x] + K[4 * y]);
  *spread = hypot(0.5 * (K[4 * x] - K[4 * y]), K[3 * x + y]);
}

static PetscErrorCode CheckPoint(const View *view, PetscInt i, PetscInt j)
{
  const double f = view->fractions->value[i], k = view->contrasts->value[j], least = 0.999 * fmin(1.0, k);
  const double most = 1.001 * fmax(1.0, k);
  double       along, mean, spread;

  PetscFunctionBegin;
  PointValues(view, i, j, &along, &mean, &spread);
  PetscCheck(spread <= 0.1 * mean, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: at fraction %g, contrast %g the values across the fiber axis are %g +- %g, expected one value to 10 %%",
             view->table->file, f, k, mean, spread);
  PetscCheck(along >= least && along <= most && mean >= least && mean <= most, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: at fraction %g, contrast %g the tensor has %g along and %g across the fiber axis, which is beyond both phases",
             view->table->file, f, k, along, mean);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Open(const FgHomogenizationTable *table, View *view)
{
  const PetscInt fraction = FgHomogenizationTableAxis(table, "fraction"), contrast = FgHomogenizationTableAxis(table, "contrast");

  PetscFunctionBegin;
  PetscCheck(!strcmp(table->physics, "conduction"), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: a table of %s, expected one of conduction", table->file, table->physics);
  PetscCheck(table->naxes == 2 && fraction >= 0 && contrast >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: a sweep of %" PetscInt_FMT " parameters, expected the two fraction and contrast", table->file, table->naxes);
  *view = (View){.table     = table,
                 .fractions = &table->axes[fraction],
                 .contrasts = &table->axes[contrast],
                 .row       = fraction < contrast ? table->axes[contrast].n : 1,
                 .column    = fraction < contrast ? 1 : table->axes[fraction].n};
  for (PetscInt i = 0; i < view->fractions->n; i++) {
    const double here = table->fraction_voxels[i * view->row];

    for (PetscInt j = 0; j < view->contrasts->n; j++) {
      PetscCheck(fabs(table->fraction_voxels[i * view->row + j * view->column] - here) <= 1e-12, PETSC_COMM_SELF,
                 PETSC_ERR_FILE_UNEXPECTED,
                 "%s: the fraction of row %" PetscInt_FMT " changes with the contrast, expected one geometry", table->file, i);
    }
    PetscCheck(i == 0 || here > table->fraction_voxels[(i - 1) * view->row], PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: fractions %g and %g have voxels of the fractions %g and %g, expected more; sweep with a finer resolution",
               table->file, view->fractions->value[i - 1], view->fractions->value[i], table->fraction_voxels[(i - 1) * view->row],
               here);
  }
  PetscCheck(view->contrasts->value[0] >= 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found the contrast %g, expected 0 or more", table->file, view->contrasts->value[0]);
  for (PetscInt i = 0; i < view->fractions->n; i++) {
    for (PetscInt j = 0; j < view->contrasts->n; j++) PetscCall(CheckPoint(view, i, j));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ChooseContrast(const View *view, const FgPhases *phases, Interpolant *p)
{
  const FgSweepAxis *axis  = view->contrasts;
  const double       least = axis->value[0], most = axis->value[axis->n - 1], k = p->radial / p->matrix;
  char               found[256], sweep[96];

  PetscFunctionBegin;
  snprintf(found, sizeof found, "%g along and %g across [mm^2/s]", phases->fiber_axial, phases->fiber_radial);
  PetscCheck(
      p->columnar || p->axial == p->radial, PETSC_COMM_SELF, PETSC_ERR_USER,
      "%s: %s are no columns and their phase must be isotropic, found diffusivities of %s; give --fiber-diffusivity one number",
      view->table->file, view->table->geometry, found);
  /* The range that this run needs: a contrast of 0 stands before it, for it has no logarithm. */
  snprintf(sweep, sizeof sweep, "contrast=%s%g:%g:%d", k == 0.0 ? "0," : "",
           k > 0.0 && k < least ? k : (least > 0.0 ? least : fmin(1e-3, 0.1 * most)), fmax(k, most), (int)axis->n);
  snprintf(found, sizeof found, "%g to %g, found %g (fiber %g radially times storage %g over matrix %g [mm^2/s])", least, most, k,
           phases->fiber_radial, phases->fiber_storage, phases->matrix);
  PetscCheck(k >= least * (1.0 - 1e-9) && k <= most * (1.0 + 1e-9), PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: has the contrasts %s; change --fiber-diffusivity or --matrix-diffusivity, or make a table with --sweep %s",
             view->table->file, found, sweep);
  p->beta = (k - 1.0) / (k + 1.0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One row's g at this contrast. */
static PetscErrorCode ReduceRow(const View *view, const Interpolant *p, PetscInt i, PetscBool along, double *work, double *g)
{
  const PetscInt nk   = view->contrasts->n;
  const double   f    = view->table->fraction_voxels[i * view->row];
  double        *beta = work, *value = work + nk + 1, *slope = work + 2 * (nk + 1), c[4];
  PetscInt       n = 0, at = 0;

  PetscFunctionBegin;
  for (PetscInt j = 0; j < nk; j++) {
    const double b = (view->contrasts->value[j] - 1.0) / (view->contrasts->value[j] + 1.0);
    double       K, across, spread;

    if (j > 0 && b > -1e-4 &&
        beta[n - 1] < -1e-4) { /* passes equal phases: g is known there, and near it could not be told from K* */
      beta[n]    = 0.0;
      value[n++] = 1.0;
    }
    PointValues(view, i, j, &K, &across, &spread);
    if (!along) K = across;
    if (fabs(b) <= 1e-4) {
      if (j == 0) {
        beta[n]    = 0.0;
        value[n++] = 1.0;
      }
      continue;
    }
    beta[n]    = b;
    value[n++] = (K - 1.0) / ((K + 1.0) * f * b);
  }
  if (n == 1) {
    *g = value[0];
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FgSplineSlopes(n, beta, value, slope));
  while (at + 2 < n && p->beta >= beta[at + 1]) at++;
  FgSplinePiece(beta[at + 1] - beta[at], &value[at], &slope[at], c);
  {
    const double t = p->beta - beta[at];

    *g = c[0] + t * (c[1] + t * (c[2] + t * c[3]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Pieces of beta g over the rows from `first` on; p->knot is set already. */
static PetscErrorCode MakePieces(const View *view, const Interpolant *p, PetscInt first, PetscBool along, double (*pieces)[4])
{
  const PetscInt n = p->npieces + 1, nk = view->contrasts->n;
  double        *work, *q, *slope;

  PetscFunctionBegin;
  PetscCall(PetscMalloc3(3 * (nk + 1), &work, n, &q, n, &slope));
  for (PetscInt i = 0; i < n; i++) {
    PetscCall(ReduceRow(view, p, first + i, along, work, &q[i]));
    q[i] *= p->beta;
  }
  PetscCall(FgSplineSlopes(n, p->knot, q, slope));
  for (PetscInt i = 0; i < p->npieces; i++) FgSplinePiece(p->knot[i + 1] - p->knot[i], &q[i], &slope[i], pieces[i]);
  PetscCall(PetscFree3(work, q, slope));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Between its points the spline must give what a conductivity can be. */
static PetscErrorCode CheckPieces(const View *view, const Interpolant *p, const double (*pieces)[4])
{
  const PetscInt n = 16 * (p->npieces + 1);

  PetscFunctionBegin;
  for (PetscInt i = 0; i <= n; i++) {
    const double f = p->closure.fiber_fraction_max * (double)i / (double)n;
    double       c, dc;

    Value(p, pieces, f, &c, &dc);
    PetscCheck(c >= 0.99 * fmin(p->matrix, p->radial) && c <= 1.01 * fmax(p->matrix, p->radial), PETSC_COMM_SELF,
               PETSC_ERR_FILE_UNEXPECTED,
               "%s: between its points, at fraction %g, it interpolates to %g [mm^2/s], beyond both phases; sweep more fractions",
               view->table->file, f, c);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MakeBins(Interpolant *p)
{
  PetscInt piece = 0;

  PetscFunctionBegin;
  p->nbins = 4 * p->npieces;
  p->bins  = (double)p->nbins / p->knot[p->npieces];
  PetscCall(PetscMalloc1(p->nbins, &p->bin));
  for (PetscInt b = 0; b < p->nbins; b++) {
    while (piece + 1 < p->npieces && p->knot[piece + 1] <= (double)b / p->bins) piece++;
    p->bin[b] = (int)piece;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Fill(const View *view, const FgPhases *phases, Interpolant *p)
{
  const FgHomogenizationTable *table = view->table;
  PetscInt                     first = 0, n = view->fractions->n;
  double                       slope;

  PetscFunctionBegin;
  while (first < n && table->fraction_voxels[first * view->row] <= 0.0) first++; /* no fibers: K* = 1 is known */
  n -= first;
  PetscCheck(n >= 2, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " fractions above 0, expected 2 or more", table->file, n);
  p->closure.fiber_fraction_max = table->fraction_voxels[(first + n - 1) * view->row];
  p->npieces                    = n - 1;
  if (table->packing > 0.0) { /* voxels may touch a little later than their shapes */
    const double last = p->closure.fiber_fraction_max, step = last - table->fraction_voxels[(first + n - 2) * view->row];

    p->limit = fmax(table->packing, last + 0.05 * step);
  }
  PetscCall(ChooseContrast(view, phases, p));
  PetscCall(PetscMalloc1(n, &p->knot));
  PetscCall(PetscMalloc1(n, &p->across));
  for (PetscInt i = 0; i < n; i++) p->knot[i] = Coordinate(p, table->fraction_voxels[(first + i) * view->row], &slope);
  PetscCall(MakeBins(p));
  PetscCall(MakePieces(view, p, first, PETSC_FALSE, p->across));
  PetscCall(CheckPieces(view, p, p->across));
  if (!p->columnar) {
    PetscCall(PetscMalloc1(n, &p->along));
    PetscCall(MakePieces(view, p, first, PETSC_TRUE, p->along));
    PetscCall(CheckPieces(view, p, p->along));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgClosureFromTable(const FgHomogenizationTable *table, const FgPhases *phases, const FgClosure **closure)
{
  View           view;
  Interpolant   *p;
  PetscErrorCode code;

  PetscFunctionBegin;
  *closure = NULL;
  PetscCall(Open(table, &view));
  PetscCall(PetscNew(&p));
  p->columnar = table->columnar;
  p->matrix   = phases->matrix;
  p->axial    = phases->fiber_axial * phases->fiber_storage;
  p->radial   = phases->fiber_radial * phases->fiber_storage;
  (void)PetscStrncpy(p->file, table->file, sizeof p->file);
  (void)PetscStrncpy(p->hash, table->hash, sizeof p->hash);
  snprintf(p->name, sizeof p->name, "table:%s", table->file);
  snprintf(p->summary, sizeof p->summary, "interpolated cell problems: %s, %d x %d x %d voxels", table->geometry,
           (int)table->resolution[0], (int)table->resolution[1], (int)table->resolution[2]);
  p->closure = (FgClosure){
      .name = p->name, .summary = p->summary, .evaluate = Evaluate, .destroy = Destroy, .file = p->file, .hash = p->hash};
  code = Fill(&view, phases, p);
  if (code) PetscCall(Destroy(&p->closure));
  PetscCall(code);
  *closure = &p->closure;
  PetscFunctionReturn(PETSC_SUCCESS);
}
