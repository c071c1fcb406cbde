/* tissue.c: one voxel's effective tensor from its parameters, exact derivatives, and the way back from a tensor.

     C = c_perp I + (c_par - c_perp) T,   T = R diag(t) R^T,   t >= 0,  sum t = 1
     aligned      t = (1, 0, 0)
     dispersed    t = kappa (1, 0, 0) + (1 - kappa)/3 (1, 1, 1)
     orthotropic  t = kappa [(1 - planarity) (1, 0, 0) + planarity (1/2, 1/2, 0)] + (1 - kappa)/3 (1, 1, 1)

   T is the second moment of the fiber directions: C is the orientation average of the aligned tensor, the small-dispersion
   mean-field step that stands beside the closure, not a cell problem of its own (docs/theory.md).
   trace(C) = 2 c_perp + c_par does not depend on t: porosity follows from the trace, t from the anisotropy. */
#include "finegrain/closure.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <string.h>

const char *const FgOrientations[] = {"aligned", "dispersed", "orthotropic", NULL};

static FgComponent Component(const char *name, const char *unit, FgKind kind, double lower, double upper, double start)
{
  FgComponent c = {.kind = kind, .lower = lower, .upper = upper, .start = start};

  snprintf(c.name, sizeof c.name, "%s", name);
  snprintf(c.unit, sizeof c.unit, "%s", unit);
  return c;
}

static double PorosityLower(const FgTissue *tissue)
{
  return fmax(tissue->porosity_lower, 1.0 - tissue->closure->fiber_fraction_max);
}

PetscInt FgTissueComponents(const FgTissue *tissue, FgComponent components[])
{
  static const char *const tangents[] = {"tangent_u", "tangent_v", "tangent_w"};
  const double             lower = PorosityLower(tissue), upper = tissue->porosity_upper;
  const int                ntangents = tissue->orientation == FG_ORTHOTROPIC ? 3 : 2;
  PetscInt                 n         = 0;

  components[n++] = Component("porosity", "1", FG_KIND_SCALAR, lower, upper, 0.5 * (lower + upper));
  if (tissue->orientation != FG_ALIGNED) components[n++] = Component("kappa", "1", FG_KIND_SCALAR, 0.0, 1.0, 0.5);
  if (tissue->orientation == FG_ORTHOTROPIC) components[n++] = Component("planarity", "1", FG_KIND_SCALAR, 0.0, 1.0, 0.5);
  for (int i = 0; i < ntangents; i++) components[n++] = Component(tangents[i], "1", FG_KIND_TANGENT, -INFINITY, INFINITY, 0.0);
  return n;
}

/* Symmetric tensors as (xx, yy, zz, xy, xz, yz): sum += scale (a b^T + b a^T)/2. */
static void AddDyad(double scale, const double a[3], const double b[3], double sum[6])
{
  for (int i = 0; i < 3; i++) sum[i] += scale * a[i] * b[i];
  sum[3] += 0.5 * scale * (a[0] * b[1] + a[1] * b[0]);
  sum[4] += 0.5 * scale * (a[0] * b[2] + a[2] * b[0]);
  sum[5] += 0.5 * scale * (a[1] * b[2] + a[2] * b[1]);
}

static void AddIdentity(double scale, double sum[6])
{
  for (int i = 0; i < 3; i++) sum[i] += scale;
}

/* t = kappa e1 + (1 - kappa)/3, the aligned model being kappa = 1 held fixed. dT in the order kappa, u, v. */
static void Uniaxial(double kappa, const double *uv, const double frame[9], double T[6], double dT[][6])
{
  double n[3], dn[2][3];

  FgChartDirection(frame, uv, n, dn);
  memset(T, 0, 6 * sizeof *T);
  AddIdentity((1.0 - kappa) / 3.0, T);
  AddDyad(kappa, n, n, T);
  memset(dT, 0, 3 * sizeof *dT);
  AddIdentity(-1.0 / 3.0, dT[0]);
  AddDyad(1.0, n, n, dT[0]);
  for (int k = 0; k < 2; k++) AddDyad(2.0 * kappa, n, dn[k], dT[1 + k]);
}

/* dT in the order kappa, planarity, u, v, w. */
static void Orthotropic(double kappa, double planarity, const double *uvw, const double frame[9], double T[6], double dT[][6])
{
  const double rest     = (1.0 - kappa) / 3.0;
  const double t[3]     = {kappa * (1.0 - 0.5 * planarity) + rest, 0.5 * kappa * planarity + rest, rest};
  const double dt[2][3] = {{1.0 - 0.5 * planarity - 1.0 / 3.0, 0.5 * planarity - 1.0 / 3.0, -1.0 / 3.0},
                           {-0.5 * kappa, 0.5 * kappa, 0.0}};
  double       R[9], dR[3][9];

  FgChartRotation(frame, uvw, R, dR);
  memset(T, 0, 6 * sizeof *T);
  memset(dT, 0, 5 * sizeof *dT);
  for (int j = 0; j < 3; j++) {
    const double r[3] = {R[j], R[3 + j], R[6 + j]};

    AddDyad(t[j], r, r, T);
    for (int k = 0; k < 2; k++) AddDyad(dt[k][j], r, r, dT[k]);
    for (int k = 0; k < 3; k++) {
      const double dr[3] = {dR[k][j], dR[k][3 + j], dR[k][6 + j]};

      AddDyad(2.0 * t[j], r, dr, dT[2 + k]);
    }
  }
}

void FgTissueTensor(const FgTissue *tissue, const double *m, const double frame[9], double C[6], double dC[][6])
{
  double c[2], dc[2], T[6], dT[5][6];
  int    first = 0, end; /* the derivatives in dT that belong to components 1, 2, ... */

  FgClosureEvaluate(tissue->closure, &tissue->phases, m[0], c, dc);
  const double difference = c[0] - c[1], ddifference = dc[0] - dc[1];

  if (tissue->orientation == FG_ORTHOTROPIC) {
    Orthotropic(m[1], m[2], &m[3], frame, T, dT);
    end = 5;
  } else if (tissue->orientation == FG_DISPERSED) {
    Uniaxial(m[1], &m[2], frame, T, dT);
    end = 3;
  } else {
    Uniaxial(1.0, &m[1], frame, T, dT);
    first = 1;
    end   = 3;
  }
  for (int i = 0; i < 6; i++) C[i] = difference * T[i];
  AddIdentity(c[1], C);
  if (!dC) return;
  for (int i = 0; i < 6; i++) dC[0][i] = ddifference * T[i];
  AddIdentity(dc[1], dC[0]);
  for (int k = first; k < end; k++)
    for (int i = 0; i < 6; i++) dC[1 + k - first][i] = difference * dT[k][i];
}

/* Eigenvalues in descending order, eigenvectors as the columns of a rotation (row-major). The work space stands on the stack:
   this runs once a voxel. */
static void Eigen(const double C[6], double lambda[3], double axes[9])
{
  double                    A[9]   = {C[0], C[3], C[4], C[3], C[1], C[5], C[4], C[5], C[2]}, d[3], sd[3], gc[3], gs[3];
  gsl_eigen_symmv_workspace work   = {.size = 3, .d = d, .sd = sd, .gc = gc, .gs = gs};
  gsl_matrix_view           matrix = gsl_matrix_view_array(A, 3, 3), vectors = gsl_matrix_view_array(axes, 3, 3);
  gsl_vector_view           values = gsl_vector_view_array(lambda, 3);

  gsl_eigen_symmv(&matrix.matrix, &values.vector, &vectors.matrix, &work);
  gsl_eigen_symmv_sort(&values.vector, &vectors.matrix, GSL_EIGEN_SORT_VAL_DESC);
  for (int i = 0; i < 3; i++) { /* right-handed */
    const int j = (i + 1) % 3, k = (i + 2) % 3;

    axes[3 * i + 2] = axes[3 * j] * axes[3 * k + 1] - axes[3 * k] * axes[3 * j + 1];
  }
}

/* Euclidean projection of x, descending, on {t >= 0, sum t = 1}. Duchi et al., Proc. ICML 2008, algorithm 1. */
static void ProjectOnSimplex(const double x[3], double t[3])
{
  double sum = 0.0, shift = 0.0;

  for (int i = 0; i < 3; i++) {
    sum += x[i];
    if (x[i] - (sum - 1.0) / (i + 1) > 0.0) shift = (sum - 1.0) / (i + 1);
  }
  for (int i = 0; i < 3; i++) t[i] = fmax(x[i] - shift, 0.0);
}

/* The best t of the tissue's orientation model at this porosity for eigenvalues lambda (descending), its squared Frobenius
   misfit, and whether the fiber axis is the fast (1) or the slow (0) direction. */
static double Shape(const FgTissue *tissue, double porosity, const double lambda[3], double t[3], int *fast)
{
  double c[2], dc[2], x[3], misfit = 0.0;

  FgClosureEvaluate(tissue->closure, &tissue->phases, porosity, c, dc);
  const double difference = c[0] - c[1];
  *fast                   = difference >= 0.0;
  const double l[3]       = {lambda[*fast ? 0 : 2], lambda[1], lambda[*fast ? 2 : 0]};
  const int    regular    = fabs(difference) > 1e-12 * fabs(c[0] + c[1]);

  if (tissue->orientation == FG_ALIGNED) {
    t[0] = 1.0;
    t[1] = t[2] = 0.0;
  } else if (!regular) {
    t[0] = t[1] = t[2] = 1.0 / 3.0;
  } else if (tissue->orientation == FG_DISPERSED) {
    const double kappa = fmin(fmax((l[0] - 0.5 * (l[1] + l[2])) / difference, 0.0), 1.0);

    t[0] = (1.0 + 2.0 * kappa) / 3.0;
    t[1] = t[2] = (1.0 - kappa) / 3.0;
  } else {
    for (int i = 0; i < 3; i++) x[i] = (l[i] - c[1]) / difference;
    ProjectOnSimplex(x, t);
  }
  for (int i = 0; i < 3; i++) misfit += PetscSqr(c[1] + difference * t[i] - l[i]);
  return misfit;
}

/* Scan, because the misfit may have several minima where the eigenvalues cross, then golden section. */
static double NearestPorosity(const FgTissue *tissue, const double lambda[3])
{
  enum { SCAN = 12, SECTIONS = 18 }; /* porosity to 3e-5 of its range */
  const double golden = 0.61803398874989485, lower = PorosityLower(tissue), upper = tissue->porosity_upper;
  double       t[3], best = INFINITY, a, b;
  int          fast, at   = 0;

  for (int i = 0; i <= SCAN; i++) {
    const double misfit = Shape(tissue, lower + (upper - lower) * i / SCAN, lambda, t, &fast);

    if (misfit < best) {
      best = misfit;
      at   = i;
    }
  }
  a        = lower + (upper - lower) * fmax(at - 1, 0) / SCAN;
  b        = lower + (upper - lower) * fmin(at + 1, SCAN) / SCAN;
  double p = b - golden * (b - a), q = a + golden * (b - a);
  double fp = Shape(tissue, p, lambda, t, &fast), fq = Shape(tissue, q, lambda, t, &fast);

  for (int i = 0; i < SECTIONS; i++) {
    if (fp < fq) {
      b  = q;
      q  = p;
      fq = fp;
      p  = b - golden * (b - a);
      fp = Shape(tissue, p, lambda, t, &fast);
    } else {
      a  = p;
      p  = q;
      fp = fq;
      q  = a + golden * (b - a);
      fq = Shape(tissue, q, lambda, t, &fast);
    }
  }
  return 0.5 * (a + b);
}

void FgTissueFromTensor(const FgTissue *tissue, const double C[6], double *m, double frame[9])
{
  /* Where kappa is 0 the data do not see the direction, and a descent method started there never would. */
  const double kappa_least = 0.02;
  double       lambda[3], axes[9], t[3], axis[3];
  int          fast;

  Eigen(C, lambda, axes);
  m[0] = NearestPorosity(tissue, lambda);
  Shape(tissue, m[0], lambda, t, &fast);
  const int first = fast ? 0 : 2, last = 2 - first;

  if (tissue->orientation == FG_ORTHOTROPIC) {
    const double kappa = fmin(fmax(1.0 - 3.0 * t[2], kappa_least), 1.0), sign = fast ? 1.0 : -1.0;

    m[1] = kappa;
    m[2] = fmin(fmax(2.0 * (t[1] - t[2]) / kappa, 0.0), 1.0);
    m[3] = m[4] = m[5] = 0.0;
    for (int i = 0; i < 3; i++) { /* exchanging two columns mirrors the frame: the sign keeps it a rotation */
      frame[3 * i]     = axes[3 * i + first];
      frame[3 * i + 1] = sign * axes[3 * i + 1];
      frame[3 * i + 2] = axes[3 * i + last];
    }
    return;
  }
  for (int i = 0; i < 3; i++) axis[i] = axes[3 * i + first];
  FgChartFrameFromDirection(axis, frame);
  if (tissue->orientation == FG_DISPERSED) m[1] = fmin(fmax(t[0] - t[2], kappa_least), 1.0);
  m[tissue->orientation == FG_DISPERSED ? 2 : 1] = m[tissue->orientation == FG_DISPERSED ? 3 : 2] = 0.0;
}
