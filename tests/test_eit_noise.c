/* test_eit_noise.c: noise found again from current patterns that depend on each other. */
#include "recorder.h"

#include "finegrain/eit.h"

#include <math.h>
#include <stdlib.h>

enum { ELECTRODES = 8, PATTERNS = ELECTRODES * (ELECTRODES - 1) / 2, MEASUREMENTS = 5 };

/* Close to normal: variance 1. */
static double Random(void)
{
  double sum = -6;

  for (int i = 0; i < 12; i++) sum += rand() / (RAND_MAX + 1.0);
  return sum;
}

/* Every pair of electrodes drives: 28 patterns of rank 7. Voltages of a random linear map, noise of `deviation[q]`. */
static FgEit Measure(const double deviation[MEASUREMENTS])
{
  double map[MEASUREMENTS][ELECTRODES];
  FgEit  eit;
  int    p = 0;

  ExpectSuccess(FgEitCreate(ELECTRODES, PATTERNS, MEASUREMENTS, &eit));
  for (int q = 0; q < MEASUREMENTS; q++) {
    for (int l = 0; l < ELECTRODES; l++) map[q][l] = Random();
  }
  for (int a = 0; a < ELECTRODES; a++) {
    for (int b = a + 1; b < ELECTRODES; b++, p++) {
      eit->current[p * ELECTRODES + a] = 1e-3 * (1 + 0.02 * a);
      eit->current[p * ELECTRODES + b] = -eit->current[p * ELECTRODES + a];
      for (int q = 0; q < MEASUREMENTS; q++)
        eit->voltage[p * MEASUREMENTS + q] = eit->current[p * ELECTRODES + a] * (map[q][a] - map[q][b]) + deviation[q] * Random();
    }
  }
  return eit;
}

/* Mean of the estimated variance over many measurements: unbiased; 21 degrees of freedom each. */
static void NoiseIsFoundAgain(void **state)
{
  const double given[MEASUREMENTS]    = {1e-5, 2e-5, 1e-4, 0, 5e-6};
  double       variance[MEASUREMENTS] = {0}, deviation[MEASUREMENTS];
  PetscInt     freedom;

  srand(3);
  for (int trial = 0; trial < 400; trial++) {
    FgEit    eit = Measure(given);
    PetscInt rank;

    ExpectSuccess(FgEitIndependent(eit, &rank));
    assert_int_equal(rank, 7);
    ExpectSuccess(FgEitContradiction(eit, eit->voltage, deviation, &freedom));
    assert_int_equal(freedom, MEASUREMENTS * 21);
    for (int q = 0; q < MEASUREMENTS; q++) variance[q] += deviation[q] * deviation[q] / 400;
    ExpectSuccess(FgEitDestroy(&eit));
  }
  for (int q = 0; q < MEASUREMENTS; q++) /* its standard deviation: sqrt(2/(21*400)) = 1.5 % */
    assert_true(fabs(variance[q] - given[q] * given[q]) < 0.06 * given[q] * given[q] + 1e-24);
}

/* Dropped voltages count for nothing; a measurement with few degrees of freedom gets what all have together; none left: NAN. */
static void FewAreMadeUpForByAll(void **state)
{
  const double given[MEASUREMENTS] = {1e-5, 1e-5, 1e-5, 1e-5, 1e-5};
  double       deviation[MEASUREMENTS], pooled = 0;
  PetscInt     freedom;
  FgEit        eit;

  srand(4);
  eit = Measure(given);
  for (int p = 12; p < PATTERNS; p++) eit->voltage[p * MEASUREMENTS + 2] = NAN;
  ExpectSuccess(FgEitContradiction(eit, eit->voltage, deviation, &freedom));
  assert_int_equal(freedom, 4 * 21 + 12 - 7);
  for (int q = 0; q < MEASUREMENTS; q++) {
    assert_true(deviation[q] > 0.5e-5 && deviation[q] < 2e-5);
    if (q != 2) pooled += 21 * deviation[q] * deviation[q];
  }
  assert_true(5 * deviation[2] * deviation[2] < pooled); /* its own part of the pooled sum is positive: (pooled + own)/89 */
  assert_true(89 * deviation[2] * deviation[2] > pooled);
  for (int p = 7; p < PATTERNS; p++) { /* electrode 1 against all others: nothing depends on anything */
    for (int q = 0; q < MEASUREMENTS; q++) eit->voltage[p * MEASUREMENTS + q] = NAN;
  }
  ExpectSuccess(FgEitContradiction(eit, eit->voltage, deviation, &freedom));
  assert_int_equal(freedom, 0);
  for (int q = 0; q < MEASUREMENTS; q++) assert_true(isnan(deviation[q]));
  ExpectSuccess(FgEitDestroy(&eit));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(NoiseIsFoundAgain), cmocka_unit_test(FewAreMadeUpForByAll)};
  int                     failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
