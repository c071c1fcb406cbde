/* compare_maps.c: how far two maps are apart inside a mask, for the command-line cases.

   usage: compare_maps rmse|angle|correlation|relative|bitwise A.nii.gz B.nii.gz [MASK.nii.gz]
     rmse         root mean square of the difference
     angle        median angle between two 3-vectors up to sign [degree]
     correlation  Pearson's correlation coefficient [1]
     relative     largest difference over the largest value of B
     bitwise      number of values whose bits differ
   usage: compare_maps coverage MAP.nii.gz TRUTH.nii.gz DEVIATION.nii.gz STATUS.nii.gz [MASK.nii.gz]
     share of voxels, fitted and without a parameter on its bound, whose 95 % interval holds the truth: 1.96 standard deviations to
     either side, or of a direction the cone whose half angle [degree] DEVIATION is
   Prints one number. Exit code 1 where the maps cannot be compared: voxels are matched as they are stored, so the grids must
   agree in their axes too. */
#include "finegrain/measurement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int CompareDoubles(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double Angle(const float *a, const float *b, size_t n, size_t v)
{
  double dot = 0.0, aa = 0.0, bb = 0.0;

  for (size_t k = 0; k < 3; k++) {
    dot += (double)a[k * n + v] * b[k * n + v];
    aa += (double)a[k * n + v] * a[k * n + v];
    bb += (double)b[k * n + v] * b[k * n + v];
  }
  return aa > 0.0 && bb > 0.0 ? acos(fmin(1.0, fabs(dot) / sqrt(aa * bb))) * 180.0 / M_PI : 90.0;
}

static double Correlation(size_t n, double x, double y, double xx, double yy, double xy)
{
  return (n * xy - x * y) / sqrt((n * xx - x * x) * (n * yy - y * y));
}

static double Compare(const char *mode, const FgImageInfo *info, const float *a, const float *b, const float *mask)
{
  const size_t n      = (size_t)FgGridVoxels(&info->grid);
  double      *angles = malloc(n * sizeof(double)), sum = 0.0, largest = 0.0, size = 0.0, different = 0.0, median;
  double       sa = 0.0, sb = 0.0, saa = 0.0, sbb = 0.0, sab = 0.0;
  size_t       count = 0, values = 0;

  for (size_t v = 0; v < n; v++) {
    if (mask && mask[v] == 0.0f) continue;
    if (info->nvolumes == 3) angles[count] = Angle(a, b, n, v);
    count++;
    for (PetscInt k = 0; k < info->nvolumes; k++) {
      const float x = a[(size_t)k * n + v], y = b[(size_t)k * n + v];

      different += memcmp(&x, &y, sizeof x) ? 1.0 : 0.0;
      sum += (double)(x - y) * (x - y);
      largest = fmax(largest, fabs((double)x - y));
      size    = fmax(size, fabs((double)y));
      sa += x;
      sb += y;
      saa += (double)x * x;
      sbb += (double)y * y;
      sab += (double)x * y;
      values++;
    }
  }
  if (info->nvolumes == 3) qsort(angles, count, sizeof(double), CompareDoubles);
  median = count && info->nvolumes == 3 ? angles[count / 2] : NAN;
  free(angles);
  if (!strcmp(mode, "rmse")) return sqrt(sum / (double)values);
  if (!strcmp(mode, "angle")) return median;
  if (!strcmp(mode, "correlation")) return Correlation(values, sa, sb, saa, sbb, sab);
  if (!strcmp(mode, "relative")) return size > 0.0 ? largest / size : largest;
  return different;
}

static double Coverage(const FgImageInfo *info, float *const values[])
{
  const int    skipped = FG_STATUS_NOT_FITTED | FG_STATUS_AT_BOUND;
  const size_t n       = (size_t)FgGridVoxels(&info->grid);
  double       held = 0.0, count = 0.0;

  for (size_t v = 0; v < n; v++) {
    if (!(values[2][v] > 0.0f) || (int)values[3][v] & skipped || (values[4] && values[4][v] == 0.0f)) continue;
    count += 1.0;
    if (info->nvolumes == 3) held += Angle(values[0], values[1], n, v) <= values[2][v];
    else held += fabs((double)values[0][v] - values[1][v]) <= 1.959964 * values[2][v];
  }
  return held / count;
}

int main(int argc, char *argv[])
{
  const int   coverage = argc > 1 && !strcmp(argv[1], "coverage");
  FgImageInfo info[5];
  float      *values[5] = {NULL, NULL, NULL, NULL, NULL};
  double      distance;

  if (argc < (coverage ? 6 : 4) || argc > (coverage ? 7 : 5)) return 1;
  if (PetscInitializeNoArguments()) return 1;
  for (int k = 2; k < argc; k++) {
    if (FgImageRead(argv[k], &info[k - 2], &values[k - 2])) return 1;
    distance = FgGridDistance(&info[0].grid, &info[k - 2].grid);
    if (distance < 0.0 || distance > 1e-2 || (k == 3 && info[1].nvolumes != info[0].nvolumes)) {
      fprintf(stderr, "compare_maps: %s has another grid than %s (voxels apart: %g; -1: other sizes)\n", argv[k], argv[2],
              distance);
      return 1;
    }
  }
  printf("%.9g\n", coverage ? Coverage(&info[0], values) : Compare(argv[1], &info[0], values[0], values[1], values[2]));
  for (int k = 0; k < 5; k++) (void)PetscFree(values[k]);
  return PetscFinalize() ? 1 : 0;
}
