/* test_tissue.c: the tensor of one voxel: exact derivatives, rotation, sign of n, positive definiteness, and the way back. */
#include "finegrain/closure.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static gsl_rng *generator;

static FgTissue Tissue(int closure, int orientation)
{
  return (FgTissue){.closure        = FgClosures[closure],
                    .phases         = {2.8e-3, 1.2e-3, 0.1e-3, 0.7, PETSC_TRUE},
                    .orientation    = (FgOrientation)orientation,
                    .porosity_lower = 0.05,
                    .porosity_upper = 0.95};
}

static void Frame(double frame[9])
{
  double n[3];

  gsl_ran_dir_3d(generator, &n[0], &n[1], &n[2]);
  FgChartFrameFromDirection(n, frame);
}

/* Parameters in the middle half of their boxes. */
static PetscInt Parameters(const FgTissue *tissue, double *m)
{
  FgComponent    components[8];
  const PetscInt n = FgTissueComponents(tissue, components);

  for (PetscInt i = 0; i < n; i++) {
    const FgComponent *c = &components[i];

    m[i] = isfinite(c->lower) ? c->lower + gsl_ran_flat(generator, 0.25, 0.75) * (c->upper - c->lower)
                              : gsl_ran_flat(generator, -0.6, 0.6);
  }
  return n;
}

static double Distance(const double A[6], const double B[6])
{
  double sum = 0.0;

  for (int i = 0; i < 6; i++) sum += (i < 3 ? 1.0 : 2.0) * (A[i] - B[i]) * (A[i] - B[i]);
  return sqrt(sum);
}

static void EachTissue(void (*test)(const FgTissue *))
{
  for (int i = 0; FgClosures[i]; i++) {
    for (int o = 0; FgOrientations[o]; o++) {
      const FgTissue tissue = Tissue(i, o);

      for (int repeat = 0; repeat < 20; repeat++) test(&tissue);
    }
  }
}

static void components(void **state)
{
  static const PetscInt count[] = {3, 4, 6};

  (void)state;
  for (int o = 0; o < 3; o++) {
    FgTissue    tissue = Tissue(3, o); /* rayleigh-square */
    FgComponent c[8];

    tissue.porosity_lower = 0.0;
    assert_int_equal(FgTissueComponents(&tissue, c), count[o]);
    assert_string_equal(c[0].name, "porosity");
    assert_true(fabs(c[0].lower - (1.0 - M_PI / 4.0)) < 1e-15 && c[0].upper == 0.95); /* cylinders touch */
    for (int i = 1; i < count[o]; i++)
      assert_int_equal(c[i].kind, i >= count[o] - (o == 2 ? 3 : 2) ? FG_KIND_TANGENT : FG_KIND_SCALAR);
  }
}

static void CheckDerivatives(const FgTissue *tissue)
{
  const double h = 1e-3;
  double       m[8], frame[9], C[6], dC[6][6], unused[6][6];
  PetscInt     n = Parameters(tissue, m);

  Frame(frame);
  FgTissueTensor(tissue, m, frame, C, dC);
  for (PetscInt k = 0; k < n; k++) {
    double at[5][6], error = 0.0;

    for (int j = 0; j < 5; j++) {
      const double keep = m[k];

      m[k] += (j - 2) * h;
      FgTissueTensor(tissue, m, frame, at[j], unused);
      m[k] = keep;
    }
    for (int i = 0; i < 6; i++)
      error = fmax(error, fabs(dC[k][i] - (at[0][i] - 8.0 * at[1][i] + 8.0 * at[3][i] - at[4][i]) / (12.0 * h)));
    assert_true(error < 1e-12); /* C is of order 1e-3 */
  }
}

static void derivatives_are_exact(void **state)
{
  (void)state;
  EachTissue(CheckDerivatives);
}

/* Rotating the frame rotates the tensor: C(Q frame) = Q C Q^T. */
static void CheckRotation(const FgTissue *tissue)
{
  double           m[8], frame[9], turned[9], Q[9], C[6], D[6], R[6] = {0};
  static const int row[6] = {0, 1, 2, 0, 0, 1}, column[6] = {0, 1, 2, 1, 2, 2};

  Parameters(tissue, m);
  Frame(frame);
  Frame(Q);
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++)
      turned[3 * i + j] = Q[3 * i] * frame[j] + Q[3 * i + 1] * frame[3 + j] + Q[3 * i + 2] * frame[6 + j];
  }
  FgTissueTensor(tissue, m, frame, C, NULL);
  FgTissueTensor(tissue, m, turned, D, NULL);
  const double full[9] = {C[0], C[3], C[4], C[3], C[1], C[5], C[4], C[5], C[2]};

  for (int e = 0; e < 6; e++) {
    for (int k = 0; k < 3; k++)
      for (int l = 0; l < 3; l++) R[e] += Q[3 * row[e] + k] * full[3 * k + l] * Q[3 * column[e] + l];
  }
  assert_true(Distance(R, D) < 1e-17);
}

static void tensor_turns_with_the_frame(void **state)
{
  (void)state;
  EachTissue(CheckRotation);
}

static void CheckSign(const FgTissue *tissue)
{
  double m[8], frame[9], C[6], D[6];

  Parameters(tissue, m);
  Frame(frame);
  FgTissueTensor(tissue, m, frame, C, NULL);
  for (int i = 0; i < 9; i++) frame[i] = -frame[i]; /* n becomes -n at the same coordinates */
  FgTissueTensor(tissue, m, frame, D, NULL);
  assert_true(Distance(C, D) < 1e-18);
}

static void n_and_minus_n_are_one_fiber(void **state)
{
  (void)state;
  EachTissue(CheckSign);
}

/* Sylvester's minors, and the trace that does not depend on the shape. */
static void CheckPositive(const FgTissue *tissue)
{
  double m[8], frame[9], C[6], c[2], dc[2];

  Parameters(tissue, m);
  Frame(frame);
  FgTissueTensor(tissue, m, frame, C, NULL);
  FgClosureEvaluate(tissue->closure, &tissue->phases, m[0], c, dc);
  assert_true(C[0] > 0.0);
  assert_true(C[0] * C[1] - C[3] * C[3] > 0.0);
  assert_true(C[0] * (C[1] * C[2] - C[5] * C[5]) - C[3] * (C[3] * C[2] - C[5] * C[4]) + C[4] * (C[3] * C[5] - C[1] * C[4]) > 0.0);
  assert_true(fabs(C[0] + C[1] + C[2] - c[0] - 2.0 * c[1]) < 1e-17);
}

static void tensor_is_positive_definite(void **state)
{
  (void)state;
  EachTissue(CheckPositive);
}

/* The aligned tensor in words: c_par along n, c_perp across; and full dispersion is isotropic. */
static void principal_values(void **state)
{
  FgTissue tissue = Tissue(2, FG_ALIGNED);
  double   m[4]   = {0.4, 0.0, 0.0}, C[6], c[2], dc[2];

  (void)state;
  const double frame[9] = {0, 1, 0, 0, 0, 1, 1, 0, 0}; /* n = z */

  FgClosureEvaluate(tissue.closure, &tissue.phases, 0.4, c, dc);
  FgTissueTensor(&tissue, m, frame, C, NULL);
  const double aligned[6] = {c[1], c[1], c[0], 0, 0, 0};
  assert_true(Distance(C, aligned) < 1e-18);

  tissue.orientation   = FG_DISPERSED;
  const double mean    = (c[0] + 2.0 * c[1]) / 3.0;
  const double none[4] = {0.4, 0.0, 0.1, 0.2}, isotropic[6] = {mean, mean, mean, 0, 0, 0};
  FgTissueTensor(&tissue, none, frame, C, NULL);
  assert_true(Distance(C, isotropic) < 1e-18);
}

/* Parameters -> tensor -> parameters -> the same tensor; the laminate's axis is the slow direction. */
static void CheckRoundTrip(const FgTissue *tissue)
{
  double m[8], back[8], frame[9], other[9], C[6], D[6];

  Parameters(tissue, m);
  Frame(frame);
  FgTissueTensor(tissue, m, frame, C, NULL);
  FgTissueFromTensor(tissue, C, back, other);
  FgTissueTensor(tissue, back, other, D, NULL);
  if (Distance(C, D) > 2e-7)
    print_error("%s %s: %g %g -> %g %g\n", tissue->closure->name, FgOrientations[tissue->orientation], m[0], m[1], back[0],
                back[1]);
  assert_true(Distance(C, D) < 2e-7); /* the search stops at 3e-5 of the porosity's range; C is of order 1e-3 */
  const double det = other[0] * (other[4] * other[8] - other[5] * other[7]) -
                     other[1] * (other[3] * other[8] - other[5] * other[6]) +
                     other[2] * (other[3] * other[7] - other[4] * other[6]);
  assert_true(fabs(det - 1.0) < 1e-12);
}

static void round_trip(void **state)
{
  (void)state;
  EachTissue(CheckRoundTrip);
}

/* Any symmetric tensor, however noisy, gives parameters inside the box, and no others in a fine grid come nearer. */
static void CheckNearest(const FgTissue *tissue)
{
  FgComponent    c[8];
  const PetscInt n = FgTissueComponents(tissue, c);
  double         C[6], D[6], m[8], frame[9], best, trial[8];

  for (int i = 0; i < 6; i++) C[i] = gsl_ran_gaussian(generator, 1e-3) + (i < 3 ? 1e-3 : 0.0);
  FgTissueFromTensor(tissue, C, m, frame);
  for (PetscInt i = 0; i < n; i++) assert_true(m[i] >= c[i].lower && m[i] <= c[i].upper);
  FgTissueTensor(tissue, m, frame, D, NULL);
  best = Distance(C, D);
  memcpy(trial, m, sizeof m);
  for (int i = 0; i <= 40; i++) {
    trial[0] = c[0].lower + (c[0].upper - c[0].lower) * i / 40.0;
    for (int k = 0; k <= (tissue->orientation == FG_ALIGNED ? 0 : 20); k++) {
      if (tissue->orientation != FG_ALIGNED) trial[1] = k / 20.0;
      FgTissueTensor(tissue, trial, frame, D, NULL);
      assert_true(Distance(C, D) > best - 3e-5); /* kappa is kept off 0 */
    }
  }
}

static void nearest_in_the_box(void **state)
{
  (void)state;
  EachTissue(CheckNearest);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(components),
      cmocka_unit_test(derivatives_are_exact),
      cmocka_unit_test(tensor_turns_with_the_frame),
      cmocka_unit_test(n_and_minus_n_are_one_fiber),
      cmocka_unit_test(tensor_is_positive_definite),
      cmocka_unit_test(principal_values),
      cmocka_unit_test(round_trip),
      cmocka_unit_test(nearest_in_the_box),
  };
  int failed;

  generator = gsl_rng_alloc(gsl_rng_mt19937);
  failed    = cmocka_run_group_tests(tests, NULL, NULL);
  gsl_rng_free(generator);
  return failed;
}
