/* eit_patterns.c: rows of the usual schemes. Trigonometric rows are cos(k t_l), sin(k t_l) of t_l = 2 pi l/n, k up to n/2: the patterns that
   tell most of a concentric inclusion (D. Isaacson, IEEE Trans. Med. Imaging 5 (1986) 91). */
#include "eit_patterns.h"

#include <math.h>
#include <string.h>

const char *const FgEitPatterns[] = {"adjacent", "opposite", "trigonometric", "all-against-first", NULL};

PetscInt FgEitPatternRows(const char *scheme, PetscInt n)
{
  if (!strcmp(scheme, "adjacent")) return n == 2 ? 1 : n;
  if (!strcmp(scheme, "opposite")) return n / 2;
  if (!strcmp(scheme, "trigonometric") || !strcmp(scheme, "all-against-first")) return n - 1;
  return 0;
}

static void Trigonometric(PetscInt n, PetscInt r, double *row)
{
  const PetscInt k    = r / 2 + 1;
  double         mean = 0.0, largest = 0.0;

  for (PetscInt l = 0; l < n; l++) {
    const double t = 2.0 * M_PI * (double)(k * l % n) / (double)n;

    row[l] = r % 2 ? sin(t) : cos(t);
    mean += row[l] / (double)n;
  }
  for (PetscInt l = 0; l < n; l++) {
    row[l] -= mean;
    largest = fmax(largest, fabs(row[l]));
  }
  for (PetscInt l = 0; l < n; l++) row[l] /= largest;
}

void FgEitPatternFill(const char *scheme, PetscInt n, double *row)
{
  const PetscInt rows = FgEitPatternRows(scheme, n);

  memset(row, 0, (size_t)rows * (size_t)n * sizeof(*row));
  for (PetscInt r = 0; r < rows; r++, row += n) {
    if (!strcmp(scheme, "trigonometric")) Trigonometric(n, r, row);
    else if (!strcmp(scheme, "all-against-first")) row[0] = -1.0, row[r + 1] = 1.0;
    else row[r] = 1.0, row[(r + (strcmp(scheme, "opposite") ? 1 : n / 2)) % n] = -1.0;
  }
}
