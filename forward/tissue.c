/* tissue.c: one voxel's effective tensor from its parameters, exact derivatives, and the way back from a tensor.

     C = c_perp I + (c_par - c_perp) T,   T = R diag(t) R^T,   t >= 0,  sum t = 1
     aligned      t = (1, 0, 0)
     dispersed    t = kappa (1, 0, 0) + (1 - kappa)/3 (1, 1, 1)
     orthotropic  t = kappa [(1 - planarity) (1, 0, 0) + planarity (1/2, 1/2, 0)] + (1 - kappa)/3 (1, 1, 1)

   T is the second moment of the fiber directions: C is the orientation average of the aligned tensor, the small-dispersion
   mean-field step that stands beside the closure, not a cell problem of its own (docs/theory.md).
   trace(C) = 2 c_perp + c_par does not depend on t: porosity follows from the trace, t from the anisotropy. */
#include "tissue_lanes.h"

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

void FgTissueFromTensor(const FgTissue *tissue, const double C[6], double *m, double frame[9])
{
  const PetscInt first = tissue->orientation == FG_ORTHOTROPIC ? 3 : tissue->orientation == FG_DISPERSED ? 2 : 1;
  FgTissueTable  table;
  FgLanes        tensor[6], lanes[3], frames[9];

  for (int i = 0; i < 6; i++) {
    for (int l = 0; l < FG_LANES; l++) tensor[i][l] = C[i];
  }
  FgTissueTabulate(tissue, &table);
  FgTissueFromTensorLanes(tissue, &table, tensor, 4, lanes, frames);
  for (PetscInt c = 0; c < first; c++) m[c] = lanes[c][0];
  for (PetscInt c = first; c < first + (tissue->orientation == FG_ORTHOTROPIC ? 3 : 2); c++) m[c] = 0.0;
  for (int k = 0; k < 9; k++) frame[k] = frames[k][0];
}
