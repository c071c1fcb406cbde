/* mask.c: a mask from the mean b0 image: median filter, Otsu threshold, largest 6-connected component, holes filled.
   Source of the threshold: Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979) 62. */
#include "mask.h"

#include <math.h>
#include <string.h>

#define BINS 512

static void SortFew(float *values, int n)
{
  for (int i = 1; i < n; i++) {
    const float value = values[i];
    int         j     = i;

    for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
    values[j] = value;
  }
}

void FgMaskMedianFilter(const PetscInt dims[3], const float *image, float *filtered)
{
  for (PetscInt z = 0; z < dims[2]; z++) {
    for (PetscInt y = 0; y < dims[1]; y++) {
      for (PetscInt x = 0; x < dims[0]; x++) {
        float around[27];
        int   n = 0;

        for (PetscInt k = PetscMax(z - 1, 0); k <= PetscMin(z + 1, dims[2] - 1); k++) {
          for (PetscInt j = PetscMax(y - 1, 0); j <= PetscMin(y + 1, dims[1] - 1); j++) {
            for (PetscInt i = PetscMax(x - 1, 0); i <= PetscMin(x + 1, dims[0] - 1); i++) {
              const float value = image[(k * dims[1] + j) * dims[0] + i];

              if (isfinite(value)) around[n++] = value;
            }
          }
        }
        SortFew(around, n);
        filtered[(z * dims[1] + y) * dims[0] + x] = n ? 0.5f * (around[(n - 1) / 2] + around[n / 2]) : 0.0f;
      }
    }
  }
}

double FgMaskOtsuThreshold(PetscInt n, const float *values)
{
  double low = INFINITY, high = -INFINITY, count[BINS] = {0}, total = 0.0, moment = 0.0, below = 0.0, below_moment = 0.0,
         best = -1.0;
  int first = 0, last = 0;

  for (PetscInt i = 0; i < n; i++) {
    if (!isfinite(values[i])) continue;
    low  = fmin(low, values[i]);
    high = fmax(high, values[i]);
  }
  if (!(high > low)) return NAN;
  for (PetscInt i = 0; i < n; i++) {
    if (isfinite(values[i])) count[PetscMin(BINS - 1, (int)((values[i] - low) / (high - low) * BINS))]++;
  }
  for (int k = 0; k < BINS; k++) {
    total += count[k];
    moment += count[k] * k;
  }
  for (int k = 0; k < BINS - 1; k++) {
    double difference, between;

    below += count[k];
    below_moment += count[k] * k;
    if (below == 0.0 || below == total) continue;
    difference = below_moment / below - (moment - below_moment) / (total - below);
    between    = below * (total - below) * difference * difference;
    if (between > best * (1 + 1e-12)) first = k;
    if (between >= best * (1 - 1e-12)) last = k; /* empty bins between two classes: all as good, take the middle */
    best = fmax(best, between);
  }
  return low + (high - low) * (0.5 * (first + last) + 1.0) / BINS;
}

/* Marks with `label` every voxel of value `from` connected through faces with `seed`; returns how many. In-plane only where
   `planar`. queue[nvoxels]. */
static PetscInt Flood(const PetscInt dims[3], unsigned char *mask, PetscInt seed, unsigned char from, unsigned char label,
                      PetscBool planar, PetscInt *queue)
{
  const PetscInt stride[3] = {1, dims[0], dims[0] * dims[1]};
  PetscInt       head = 0, tail = 0;

  mask[seed]    = label;
  queue[tail++] = seed;
  while (head < tail) {
    const PetscInt v = queue[head++];

    for (int axis = 0; axis < (planar ? 2 : 3); axis++) {
      const PetscInt position = v / stride[axis] % dims[axis];

      for (int step = -1; step <= 1; step += 2) {
        const PetscInt other = v + step * stride[axis];

        if (position + step < 0 || position + step >= dims[axis] || mask[other] != from) continue;
        mask[other]   = label;
        queue[tail++] = other;
      }
    }
  }
  return tail;
}

PetscErrorCode FgMaskLargestComponent(const PetscInt dims[3], unsigned char *mask)
{
  enum { OUTSIDE, INSIDE, SEEN, KEPT };
  const PetscInt n = dims[0] * dims[1] * dims[2];
  PetscInt      *queue, largest = 0, seed = -1;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &queue));
  for (PetscInt v = 0; v < n; v++) mask[v] = mask[v] ? INSIDE : OUTSIDE;
  for (PetscInt v = 0; v < n; v++) {
    if (mask[v] == INSIDE) {
      const PetscInt size = Flood(dims, mask, v, INSIDE, SEEN, PETSC_FALSE, queue);

      if (size > largest) largest = size, seed = v;
    }
  }
  if (seed >= 0) (void)Flood(dims, mask, seed, SEEN, KEPT, PETSC_FALSE, queue);
  for (PetscInt v = 0; v < n; v++) mask[v] = mask[v] == KEPT;
  PetscCall(PetscFree(queue));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMaskFillHoles(const PetscInt dims[3], unsigned char *mask)
{
  enum { OUTSIDE, INSIDE, REACHED };
  const PetscInt n = dims[0] * dims[1] * dims[2];
  PetscInt      *queue;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &queue));
  for (PetscInt v = 0; v < n; v++) mask[v] = mask[v] ? INSIDE : OUTSIDE;
  for (int planar = 1; planar >= 0; planar--) {
    for (PetscInt v = 0; v < n; v++) {
      const PetscInt x = v % dims[0], y = v / dims[0] % dims[1], z = v / dims[0] / dims[1];
      PetscBool      border = x == 0 || y == 0 || x == dims[0] - 1 || y == dims[1] - 1 ? PETSC_TRUE : PETSC_FALSE;

      if (!planar && (z == 0 || z == dims[2] - 1)) border = PETSC_TRUE;
      if (border && mask[v] == OUTSIDE) (void)Flood(dims, mask, v, OUTSIDE, REACHED, planar ? PETSC_TRUE : PETSC_FALSE, queue);
    }
    for (PetscInt v = 0; v < n; v++) mask[v] = mask[v] == REACHED ? OUTSIDE : INSIDE;
  }
  PetscCall(PetscFree(queue));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMaskFromImage(const PetscInt dims[3], const float *image, unsigned char *mask)
{
  const PetscInt n = dims[0] * dims[1] * dims[2];
  float         *filtered;
  double         threshold;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &filtered));
  FgMaskMedianFilter(dims, image, filtered);
  threshold = FgMaskOtsuThreshold(n, filtered);
  for (PetscInt v = 0; v < n; v++) mask[v] = filtered[v] > threshold; /* nowhere where it is NaN */
  PetscCall(PetscFree(filtered));
  PetscCall(FgMaskLargestComponent(dims, mask));
  PetscCall(FgMaskFillHoles(dims, mask));
  PetscFunctionReturn(PETSC_SUCCESS);
}
