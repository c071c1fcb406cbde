/* box.c: a box of voxels over ranks, integrals over it, and checked copies of coefficients. */
#include "macro.h"

#include <math.h>
#include <petscdmda.h>

/* Number of ranks along each axis is PETSc's choice; it fails where there are fewer voxels than ranks. */
PetscErrorCode FgBoxCreate(MPI_Comm comm, PetscInt dim, const PetscInt n[], const double edge[], const PetscBool periodic[],
                           FgBox *box)
{
  DMBoundaryType ends[3] = {DM_BOUNDARY_NONE, DM_BOUNDARY_NONE, DM_BOUNDARY_NONE};
  PetscMPIInt    ranks;
  FgBox          b;

  PetscFunctionBegin;
  PetscCheck(dim >= 1 && dim <= 3, comm, PETSC_ERR_USER, "box: %d dimensions, expected 1, 2 or 3", (int)dim);
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  for (PetscInt k = 0; k < dim; k++) {
    PetscCheck(n[k] >= 1, comm, PETSC_ERR_USER, "box: %d voxels along axis %d, expected at least 1", (int)n[k], (int)k);
    PetscCheck(isfinite(edge[k]) && edge[k] > 0.0, comm, PETSC_ERR_USER,
               "box: edge %g m along axis %d, expected a positive length", edge[k], (int)k);
    PetscCheck(!periodic || !periodic[k] || n[k] >= 3, comm, PETSC_ERR_USER,
               "box: %d voxels along the periodic axis %d, expected at least 3", (int)n[k], (int)k);
    if (periodic && periodic[k]) ends[k] = DM_BOUNDARY_PERIODIC;
  }
  PetscCheck(dim > 1 || n[0] >= ranks, comm, PETSC_ERR_USER, "box: %d voxels for %d ranks: use fewer ranks", (int)n[0], ranks);
  PetscCall(PetscNew(&b));
  b->comm   = comm;
  b->dim    = dim;
  b->volume = 1.0;
  for (PetscInt k = 0; k < 3; k++) {
    b->n[k]        = k < dim ? n[k] : 1;
    b->edge[k]     = k < dim ? edge[k] : 1.0;
    b->spacing[k]  = b->edge[k] / (double)b->n[k];
    b->periodic[k] = ends[k] == DM_BOUNDARY_PERIODIC;
    b->volume *= b->spacing[k];
  }
  if (dim == 1) {
    PetscCall(DMDACreate1d(comm, ends[0], n[0], 1, 1, NULL, &b->dm));
  } else if (dim == 2) {
    PetscCall(
        DMDACreate2d(comm, ends[0], ends[1], DMDA_STENCIL_BOX, n[0], n[1], PETSC_DECIDE, PETSC_DECIDE, 1, 1, NULL, NULL, &b->dm));
  } else {
    PetscCall(DMDACreate3d(comm, ends[0], ends[1], ends[2], DMDA_STENCIL_BOX, n[0], n[1], n[2], PETSC_DECIDE, PETSC_DECIDE,
                           PETSC_DECIDE, 1, 1, NULL, NULL, NULL, &b->dm));
  }
  PetscCall(DMSetUp(b->dm));
  PetscCall(DMDAGetCorners(b->dm, &b->start[0], &b->start[1], &b->start[2], &b->count[0], &b->count[1], &b->count[2]));
  b->nlocal = b->count[0] * b->count[1] * b->count[2];
  *box      = b;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgBoxDestroy(FgBox *box)
{
  PetscFunctionBegin;
  if (!*box) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(DMDestroy(&(*box)->dm));
  PetscCall(PetscFree(*box));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgBoxVector(FgBox box, Vec *vector)
{
  PetscFunctionBegin;
  PetscCall(DMCreateGlobalVector(box->dm, vector));
  PetscCall(VecSet(*vector, 0.0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgBoxCenter(FgBox box, PetscInt index, double x[3])
{
  const PetscInt at[3] = {index % box->count[0], index / box->count[0] % box->count[1], index / (box->count[0] * box->count[1])};

  for (int k = 0; k < 3; k++) x[k] = ((double)(box->start[k] + at[k]) + 0.5) * box->spacing[k];
}

PetscErrorCode FgBoxIntegral(FgBox box, FgCoefficient scalar, Vec u, double *integral)
{
  const PetscScalar *value = NULL;
  double             sum   = 0.0;

  PetscFunctionBegin;
  if (u) PetscCall(VecGetArrayRead(u, &value));
  for (PetscInt i = 0; i < box->nlocal; i++) {
    sum += (scalar.value ? scalar.value[scalar.varies ? i : 0] : 1.0) * (value ? value[i] : 1.0);
  }
  if (u) PetscCall(VecRestoreArrayRead(u, &value));
  sum *= box->volume;
  PetscCallMPI(MPI_Allreduce(&sum, integral, 1, MPI_DOUBLE, MPI_SUM, box->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgBoxWeightedMean(FgBox box, FgCoefficient rate, Vec u, double *mean)
{
  double reaction, total;

  PetscFunctionBegin;
  PetscCall(FgBoxIntegral(box, rate, u, &reaction));
  PetscCall(FgBoxIntegral(box, (FgCoefficient){NULL, PETSC_FALSE}, u, &total));
  PetscCheck(total > 0.0, box->comm, PETSC_ERR_USER, "weighted mean: the weight's integral is %g, expected a positive one",
             total);
  *mean = reaction / total;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Coefficients --------------------------------------------------------------------------------------------------- */

PetscErrorCode CoefficientVector(FgBox box, FgCoefficient scalar, double fallback, CoefficientRange range, const char *name,
                                 Vec *vector)
{
  const char *const expected[] = {"a finite number", "a number that is not negative", "a positive number"};
  PetscScalar      *to;
  double            bad[2] = {0.0, 0.0}, worst[2]; /* found, and its value */

  PetscFunctionBegin;
  PetscCall(FgBoxVector(box, vector));
  PetscCall(VecGetArray(*vector, &to));
  for (PetscInt i = 0; i < box->nlocal; i++) {
    const double x = scalar.value ? scalar.value[scalar.varies ? i : 0] : fallback;

    to[i] = x;
    if (!isfinite(x) || (range == COEFFICIENT_NOT_NEGATIVE && x < 0.0) || (range == COEFFICIENT_POSITIVE && x <= 0.0)) {
      bad[0] = 1.0;
      bad[1] = isfinite(x) ? fabs(x) : 0.0;
    }
  }
  PetscCall(VecRestoreArray(*vector, &to));
  PetscCallMPI(MPI_Allreduce(bad, worst, 2, MPI_DOUBLE, MPI_MAX, box->comm));
  if (worst[0] > 0.0) {
    PetscCall(VecDestroy(vector));
    SETERRQ(box->comm, PETSC_ERR_USER, "%s: a value of absolute size %g, expected %s", name, worst[1], expected[range]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What is wrong with the leading dim x dim part of K, or NULL; makes it symmetric. Positive (semi)definite by Cholesky's
   pivots. */
static const char *TensorFault(PetscInt dim, TensorRange range, double K[9])
{
  double scale = 0.0, A[9];

  for (PetscInt i = 0; i < dim; i++) {
    for (PetscInt j = 0; j < dim; j++) {
      if (!isfinite(K[3 * i + j])) return "is not finite";
      scale = PetscMax(scale, fabs(K[3 * i + j]));
    }
  }
  if (range == TENSOR_ANY) return NULL;
  for (PetscInt i = 0; i < dim; i++) {
    for (PetscInt j = 0; j < i; j++) {
      if (fabs(K[3 * i + j] - K[3 * j + i]) > 1e-6 * scale) return "is not symmetric";
      K[3 * i + j] = K[3 * j + i] = 0.5 * (K[3 * i + j] + K[3 * j + i]);
    }
  }
  for (int k = 0; k < 9; k++) A[k] = K[k];
  for (PetscInt k = 0; k < dim; k++) {
    PetscInt pivot = -1;

    for (PetscInt i = 0; i < dim; i++) {
      if (!isnan(A[4 * i]) && (pivot < 0 || A[4 * i] > A[4 * pivot])) pivot = i;
      if (A[4 * i] < -1e-12 * scale) return "is not positive semidefinite";
    }
    if (A[4 * pivot] <= 1e-12 * scale) {
      if (range == TENSOR_DEFINITE) return "is not positive definite";
      for (PetscInt i = 0; i < dim; i++) {
        for (PetscInt j = 0; j < dim; j++) {
          if (!isnan(A[4 * i]) && !isnan(A[4 * j]) && fabs(A[3 * i + j]) > 1e-6 * scale) return "is not positive semidefinite";
        }
      }
      return NULL;
    }
    for (PetscInt i = 0; i < dim; i++) {
      for (PetscInt j = 0; j < dim; j++) {
        if (i != pivot && j != pivot && !isnan(A[4 * i]) && !isnan(A[4 * j])) {
          A[3 * i + j] -= A[3 * i + pivot] * A[3 * pivot + j] / A[4 * pivot];
        }
      }
    }
    A[4 * pivot] = NAN; /* done with */
  }
  return NULL;
}

PetscErrorCode CoefficientTensors(FgBox box, FgCoefficient tensor, TensorRange range, const char *name, DM *dm9, Vec *local)
{
  static const double zero[9] = {0};
  PetscErrorCode      code    = PETSC_SUCCESS;
  Vec                 global;
  PetscScalar        *to;

  PetscFunctionBegin;
  PetscCall(DMDACreateCompatibleDMDA(box->dm, 9, dm9));
  PetscCall(DMGetGlobalVector(*dm9, &global));
  PetscCall(VecGetArray(global, &to));
  for (PetscInt i = 0; i < box->nlocal && !code; i++) {
    const double *from = tensor.value ? &tensor.value[tensor.varies ? 9 * i : 0] : zero;
    const char   *fault;

    for (int k = 0; k < 9; k++) to[9 * i + k] = from[k];
    fault = TensorFault(box->dim, range, &to[9 * i]);
    if (fault) {
      double x[3];

      FgBoxCenter(box, i, x);
      code = PetscError(PETSC_COMM_SELF, __LINE__, PETSC_FUNCTION_NAME, __FILE__, PETSC_ERR_USER, PETSC_ERROR_INITIAL,
                        "%s: the tensor at (%g, %g, %g) m %s: [%g %g %g; %g %g %g; %g %g %g]", name, x[0], x[1], x[2], fault,
                        from[0], from[1], from[2], from[3], from[4], from[5], from[6], from[7], from[8]);
    }
  }
  PetscCall(VecRestoreArray(global, &to));
  code = FgAgree(box->comm, code);
  if (!code) {
    PetscCall(DMCreateLocalVector(*dm9, local));
    PetscCall(DMGlobalToLocalBegin(*dm9, global, INSERT_VALUES, *local));
    PetscCall(DMGlobalToLocalEnd(*dm9, global, INSERT_VALUES, *local));
  }
  PetscCall(DMRestoreGlobalVector(*dm9, &global));
  if (code) PetscCall(DMDestroy(dm9));
  PetscFunctionReturn(code);
}

PetscErrorCode CoefficientTensorsSum(FgBox box, FgCoefficient a, FgCoefficient b, double **sum, FgCoefficient *result)
{
  const PetscBool varies = (PetscBool)(a.varies || b.varies);
  const PetscInt  n      = varies ? box->nlocal : 1;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(9 * (size_t)n, sum));
  for (PetscInt i = 0; i < n; i++) {
    for (int k = 0; k < 9; k++) {
      (*sum)[9 * i + k] = (a.value ? a.value[(a.varies ? 9 * i : 0) + k] : 0.0) +
                          (b.value ? b.value[(b.varies ? 9 * i : 0) + k] : 0.0);
    }
  }
  *result = (FgCoefficient){*sum, varies};
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FaceValue(const FgFace *face, const double x[3])
{
  return face->function ? face->function(x, face->context) : face->value;
}
