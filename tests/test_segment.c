/* test_segment.c: regions around peaks, each with its own threshold; masses; voxels outside. */
#include "recorder.h"

#include "finegrain/segment.h"

#include <math.h>
#include <stdlib.h>

#define N 40
static const PetscInt         plane[3] = {N, N, 1};
static const FgSegmentOptions usual    = {.contrast = 0.2, .level = 0.5, .share = 0.1};

/* Adds a bump of height `peak` with a flank that falls to zero over `radius` to log(values). */
static void AddBump(float *x, double at_x, double at_y, double peak, double radius)
{
  for (int v = 0; v < N * N; v++) {
    const double r = hypot(v % N - at_x, v / N - at_y);

    x[v] += (float)(peak * fmax(0.0, 1 - r / radius));
  }
}

static void Exponentials(float *x, double background)
{
  for (int v = 0; v < N * N; v++) x[v] = (float)(background * exp(x[v]));
}

/* A cone ends at half its radius; a weaker one of the other sign keeps its own threshold; a small one is dropped as an artifact. */
static void EveryRegionHasItsOwnThreshold(void **state)
{
  float            x[N * N] = {0};
  unsigned char    labels[N * N];
  FgSegmentRegion *regions;
  PetscInt         nregions;

  AddBump(x, 10, 10, 3.0, 9);
  AddBump(x, 29, 28, -0.8, 9);
  AddBump(x, 31, 8, -2.5, 2);
  Exponentials(x, 0.7);
  ExpectSuccess(FgSegment(plane, x, 0.7, &usual, labels, &nregions, &regions));
  assert_int_equal(nregions, 2);
  assert_int_equal(regions[0].label, FG_SEGMENT_CONDUCTIVE);
  assert_int_equal(regions[0].peak_voxel, 10 * N + 10);
  assert_true(fabs(regions[0].peak - 3) < 1e-5);
  assert_int_equal(regions[1].label, FG_SEGMENT_RESISTIVE);
  assert_true(fabs(regions[1].peak + 0.8) < 1e-5);
  assert_true(regions[1].mass > 0.1 * regions[0].mass && regions[1].mass < regions[0].mass);
  for (int v = 0; v < N * N; v++) {
    const int expected = hypot(v % N - 10, v / N - 10) < 4.5 ? 2 : hypot(v % N - 29, v / N - 28) < 4.5 ? 1 : 0;

    assert_int_equal(labels[v], expected);
  }
  assert_int_equal(regions[0].nvoxels, regions[1].nvoxels);
  assert_int_equal(PetscFree(regions), 0);
}

/* Two peaks: one region where the saddle is above half of the lower peak; two where it is below. On the flank of a much higher peak,
   above half of the lower one, the lower one is no region: it cannot be told from the flank. */
static void PeaksMergeAboveHalfOfTheLower(void **state)
{
  const double  saddle[3] = {0.7, 0.3, 0.7}, low[3] = {1.0, 1.0, 1.2};
  const double  high[3]     = {1.2, 1.2, 3.0};
  const int     expected[3] = {1, 2, 1};
  unsigned char labels[9];

  for (int k = 0; k < 3; k++) {
    const PetscInt dims[3]   = {1, 1, 9};
    const double   height[9] = {0, high[k] * 0.9, high[k], high[k] * 0.9, saddle[k], low[k] * 0.9, low[k], 0.9 * low[k], 0};
    float          values[9];
    PetscInt       nregions;

    for (int i = 0; i < 9; i++) values[i] = (float)exp(-height[i]);
    ExpectSuccess(FgSegment(dims, values, 1.0, &usual, labels, &nregions, NULL));
    assert_int_equal(nregions, expected[k]);
    assert_int_equal(labels[2], FG_SEGMENT_RESISTIVE);
    assert_int_equal(labels[4], k == 0 ? FG_SEGMENT_RESISTIVE : FG_SEGMENT_BACKGROUND);
    assert_int_equal(labels[6], k == 2 ? FG_SEGMENT_BACKGROUND : FG_SEGMENT_RESISTIVE);
  }
}

/* The definition: a peak's region is the connected set above half of it, if no voxel of that set is higher. Random values, all voxels. */
static void AgreesWithTheDefinition(void **state)
{
  enum { M = 6, ALL = M * M * M };
  const PetscInt         dims[3] = {M, M, M};
  const FgSegmentOptions all     = {.contrast = 0.3, .level = 0.5, .share = 0};
  float                  values[ALL];
  unsigned char          labels[ALL], expected[ALL];

  srand(5);
  for (int trial = 0; trial < 20; trial++) {
    for (int v = 0; v < ALL; v++) {
      values[v]   = (float)exp(4 * pow(rand() / (double)RAND_MAX - 0.5, 3) * 8);
      expected[v] = 0;
    }
    for (int sign = -1; sign <= 1; sign += 2) {
      for (int p = 0; p < ALL; p++) {
        const double peak    = sign * (double)(float)log(values[p]);
        char         in[ALL] = {0};
        int          stack[ALL], n = 1, highest = 1;

        if (peak < all.contrast) continue;
        stack[0] = p, in[p] = 1;
        while (n) {
          const int v = stack[--n], at[3] = {v % M, v / M % M, v / (M * M)}, stride[3] = {1, M, M * M};

          highest = highest && sign * (double)(float)log(values[v]) <= peak;
          for (int k = 0; k < 6; k++) {
            const int to = at[k / 2] + (k % 2 ? 1 : -1), w = v + (k % 2 ? 1 : -1) * stride[k / 2];

            if (to < 0 || to >= M || in[w] || sign * (double)(float)log(values[w]) <= 0.5 * peak) continue;
            in[w] = 1, stack[n++] = w;
          }
        }
        for (int v = 0; v < ALL && highest; v++) {
          if (in[v]) expected[v] = sign < 0 ? FG_SEGMENT_RESISTIVE : FG_SEGMENT_CONDUCTIVE;
        }
      }
    }
    ExpectSuccess(FgSegment(dims, values, 1.0, &all, labels, NULL, NULL));
    assert_memory_equal(labels, expected, ALL);
  }
}

/* Voxels without a value are background, and separate; a flat map has no regions. */
static void OutsideIsBackground(void **state)
{
  const PetscInt dims[3]   = {5, 1, 1};
  float          values[5] = {9, NAN, 9, 0, -3};
  unsigned char  labels[5];
  PetscInt       nregions;
  double         median;

  ExpectSuccess(FgSegment(dims, values, 1.0, &usual, labels, &nregions, NULL));
  assert_int_equal(nregions, 2);
  assert_int_equal(labels[0], FG_SEGMENT_CONDUCTIVE);
  for (int i = 1; i < 5; i++) assert_int_equal(labels[i], i == 2 ? FG_SEGMENT_CONDUCTIVE : FG_SEGMENT_BACKGROUND);
  ExpectSuccess(FgSegmentMedian(5, values, &median));
  assert_true(median == 9);
  values[0] = 4;
  ExpectSuccess(FgSegmentMedian(5, values, &median));
  assert_true(median == 6.5);
  ExpectSuccess(FgSegmentMedian(1, &values[1], &median));
  assert_true(isnan(median));
  for (int i = 0; i < 5; i++) values[i] = 1.1f;
  ExpectSuccess(FgSegment(dims, values, 1.0, &usual, labels, &nregions, NULL));
  assert_int_equal(nregions, 0);
  ExpectFailure(FgSegment(dims, values, 0.0, &usual, labels, NULL, NULL), PETSC_ERR_ARG_OUTOFRANGE, "background");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(EveryRegionHasItsOwnThreshold),
                                     cmocka_unit_test(PeaksMergeAboveHalfOfTheLower), cmocka_unit_test(AgreesWithTheDefinition),
                                     cmocka_unit_test(OutsideIsBackground)};
  int                     failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
