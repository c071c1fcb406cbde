/* test_mask.c: each step of the mask on arrays whose answer is known, and all of it on a noisy ball. */
#include "recorder.h"

#include "data/mask.h"

#include <math.h>

static const PetscInt cube[3] = {11, 11, 11};
#define N 1331

static int At(int x, int y, int z)
{
  return (z * 11 + y) * 11 + x;
}

static double Radius(int v)
{
  return sqrt(pow(v % 11 - 5, 2) + pow(v / 11 % 11 - 5, 2) + pow(v / 121 - 5, 2));
}

/* Two classes of equal spread: the threshold lies between them; affine changes of the values move it along. */
static void OtsuSplitsTwoClasses(void **state)
{
  float  values[200], scaled[200];
  double threshold;

  for (int i = 0; i < 200; i++) {
    values[i] = i < 120 ? (float)(i % 10) : 100.0f + (float)(i % 10);
    scaled[i] = 1e-6f * values[i] + 3e-5f;
  }
  threshold = FgMaskOtsuThreshold(200, values);
  assert_true(threshold > 9 && threshold < 100);
  assert_true(fabs(threshold - 54.5) < 1.0); /* the middle of the gap */
  assert_true(fabs(FgMaskOtsuThreshold(200, scaled) - (1e-6 * threshold + 3e-5)) < 1e-8);
  values[0] = NAN;
  values[1] = INFINITY;
  assert_true(fabs(FgMaskOtsuThreshold(200, values) - 54.5) < 1.0);
  for (int i = 0; i < 200; i++) values[i] = 7;
  assert_true(isnan(FgMaskOtsuThreshold(200, values)));
}

/* Exhaustive search over all splits of the sorted values is the definition. */
static void OtsuMaximizesBetweenClassVariance(void **state)
{
  float  values[300];
  double best = -1, best_low = 0, best_high = 0, threshold;

  for (int i = 0; i < 300; i++) values[i] = (float)(i < 200 ? 20 + 15 * sin(i) : 70 + 25 * cos(3 * i));
  for (int k = 0; k < 300; k++) {
    double n[2] = {0}, sum[2] = {0}, between, above = INFINITY;

    for (int i = 0; i < 300; i++) {
      n[values[i] > values[k]]++;
      sum[values[i] > values[k]] += values[i];
      if (values[i] > values[k]) above = fmin(above, values[i]);
    }
    if (!n[1]) continue;
    between = n[0] * n[1] * pow(sum[0] / n[0] - sum[1] / n[1], 2);
    if (between > best) best = between, best_low = values[k], best_high = above;
  }
  threshold = FgMaskOtsuThreshold(300, values);
  assert_true(threshold > best_low - 0.5 && threshold < best_high + 0.5); /* a bin of the histogram is 0.2 wide */
}

static void MedianRemovesSpecksAndKeepsSteps(void **state)
{
  float image[N], filtered[N];

  for (int v = 0; v < N; v++) image[v] = v % 11 < 5 ? 1 : 3;
  image[At(2, 5, 5)] = 1000;
  image[At(8, 5, 5)] = NAN;
  FgMaskMedianFilter(cube, image, filtered);
  for (int v = 0; v < N; v++) assert_true(filtered[v] == (v % 11 < 5 ? 1 : 3));
}

/* A ball of 33 voxels beside a cube of 27 that touches it by an edge only: 6-connected, they are two. */
static void LargestComponentIsConnectedThroughFaces(void **state)
{
  unsigned char mask[N] = {0};
  int           count   = 0;

  for (int z = 0; z < 3; z++) {
    for (int y = 0; y < 3; y++) {
      for (int x = 0; x < 3; x++) mask[At(x, y, z)] = 1;
    }
  }
  for (int z = 0; z < 4; z++) {
    for (int y = 3; y < 6; y++) {
      for (int x = 3; x < 6; x++) mask[At(x, y, z)] = 9;
    }
  }
  ExpectSuccess(FgMaskLargestComponent(cube, mask));
  for (int v = 0; v < N; v++) count += mask[v];
  assert_int_equal(count, 36);
  assert_int_equal(mask[At(2, 2, 2)], 0);
  assert_int_equal(mask[At(3, 3, 2)], 1);
}

static void HolesAreFilledInSpaceAndInSlices(void **state)
{
  unsigned char mask[N] = {0};

  for (int v = 0; v < N; v++) mask[v] = Radius(v) <= 4 && Radius(v) > 2; /* closed shell */
  for (int z = 0; z < 5; z++) mask[At(5, 5, z)] = 0;                     /* a tunnel from below: closed within each slice */
  ExpectSuccess(FgMaskFillHoles(cube, mask));
  for (int v = 0; v < N; v++) {
    const int pole = v % 11 == 5 && v / 11 % 11 == 5 && v / 121 == 1; /* the only voxel of its slice: not enclosed */

    assert_int_equal(mask[v], Radius(v) <= 4 && !pole);
  }
  memset(mask, 0, sizeof mask);
  mask[At(0, 0, 0)] = mask[At(1, 1, 0)] = mask[At(0, 2, 0)] = 1; /* (0,1) lies on the border: open */
  ExpectSuccess(FgMaskFillHoles(cube, mask));
  assert_int_equal(mask[At(0, 1, 0)], 0);
}

/* A bright ball with a dark center and a bright speck far away, in noise. */
static void BallIsFound(void **state)
{
  float         image[N];
  unsigned char mask[N];
  uint32_t      random = 7;
  int           wrong  = 0;

  for (int v = 0; v < N; v++) {
    random   = random * 1664525u + 1013904223u;
    image[v] = (Radius(v) <= 4.2 && Radius(v) > 1 ? 1000.0f : 50.0f) + (float)(random >> 24) * 0.4f;
  }
  image[At(0, 0, 0)] = 5000;
  ExpectSuccess(FgMaskFromImage(cube, image, mask));
  for (int v = 0; v < N; v++) {
    if (Radius(v) <= 3.2) assert_int_equal(mask[v], 1);
    if (Radius(v) > 5.2) assert_int_equal(mask[v], 0);
    wrong += mask[v] != (Radius(v) <= 4.2);
  }
  assert_true(wrong < 60); /* the median rounds corners of the surface off */
}

static void FlatImageGivesEmptyMask(void **state)
{
  float         image[N] = {0};
  unsigned char mask[N];

  ExpectSuccess(FgMaskFromImage(cube, image, mask));
  for (int v = 0; v < N; v++) assert_int_equal(mask[v], 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(OtsuSplitsTwoClasses),
      cmocka_unit_test(OtsuMaximizesBetweenClassVariance),
      cmocka_unit_test(MedianRemovesSpecksAndKeepsSteps),
      cmocka_unit_test(LargestComponentIsConnectedThroughFaces),
      cmocka_unit_test(HolesAreFilledInSpaceAndInSlices),
      cmocka_unit_test(BallIsFound),
      cmocka_unit_test(FlatImageGivesEmptyMask),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
