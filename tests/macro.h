/* macro.h: what the tests of the macroscopic equations share: coefficients, fields from functions, deviations. */
#ifndef FINEGRAIN_TESTS_MACRO_H
#define FINEGRAIN_TESTS_MACRO_H

#include "agreed.h"

#include "finegrain/macro.h"

#include <math.h>

#define Uniform(...) ((FgCoefficient){(const double[]){__VA_ARGS__}, PETSC_FALSE})
#define Isotropic(k) Uniform((k), 0, 0, 0, (k), 0, 0, 0, (k))

static const FgCoefficient nothing = {NULL, PETSC_FALSE};

static inline int Close(double found, double expected, double relative)
{
  const int good = fabs(found - expected) <= relative * fabs(expected);

  if (!good && !Rank()) print_error("%.12g, expected %.12g within %g of it\n", found, expected, relative);
  return good;
}

/* Convergence is looked at on one rank; more of them have to agree with its first levels. */
static inline int Levels(int alone, int together)
{
  PetscMPIInt ranks;

  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  return ranks > 1 ? together : alone;
}

typedef double (*Function)(const double x[3], void *context);

static inline PetscErrorCode Fill(FgBox box, Function function, void *context, Vec v)
{
  PetscScalar *value;

  PetscFunctionBegin;
  PetscCall(VecGetArray(v, &value));
  for (PetscInt i = 0; i < box->nlocal; i++) {
    double x[3];

    FgBoxCenter(box, i, x);
    value[i] = function(x, context);
  }
  PetscCall(VecRestoreArray(v, &value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||u - f||_2 / ||f||_2 */
static inline PetscErrorCode Deviation(FgBox box, Vec u, Function function, void *context, double *deviation)
{
  Vec       f;
  PetscReal size, difference;

  PetscFunctionBegin;
  PetscCall(FgBoxVector(box, &f));
  PetscCall(Fill(box, function, context, f));
  PetscCall(VecNorm(f, NORM_2, &size));
  PetscCall(VecAXPY(f, -1.0, u));
  PetscCall(VecNorm(f, NORM_2, &difference));
  PetscCall(VecDestroy(&f));
  *deviation = difference / size;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode Difference(Vec a, Vec b, double *difference)
{
  Vec       d;
  PetscReal x, size;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(a, &d));
  PetscCall(VecWAXPY(d, -1.0, a, b));
  PetscCall(VecNorm(d, NORM_INFINITY, &x));
  PetscCall(VecNorm(b, NORM_INFINITY, &size));
  PetscCall(VecDestroy(&d));
  *difference = x / size;
  PetscFunctionReturn(PETSC_SUCCESS);
}

#endif
