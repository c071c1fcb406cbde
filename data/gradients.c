/* gradients.c: gradient tables in the scanner frame.

   FSL: .bvec holds directions along the image axes, with x negated where the affine's determinant is positive. With R the
   normalised columns of the affine:  g_scanner = R g,  g = bvec,  g_x = -g_x if det > 0.
   MRtrix: rows x y z b, in the scanner frame already.
   Source: FSL FDT user guide; MRtrix3 documentation "Diffusion gradient scheme", with whose mrinfo -dwgrad this agrees. */
#include "table.h"

#include "finegrain/measurement.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

/* Singular values of the design below this fraction of the largest count as 0: directions within a tenth of a degree or so of
   a plane determine no tensor in the presence of noise. */
#define RANK_TOLERANCE 2e-3

static PetscErrorCode ReadBValues(const char *path, PetscInt nvolumes, double *b)
{
  FgTable table;

  PetscFunctionBegin;
  PetscCall(FgTableRead(path, &table));
  if (table.nvalues == nvolumes) PetscCall(PetscArraycpy(b, table.values, nvolumes));
  else {
    const PetscInt found = table.nvalues;

    PetscCall(FgTableDestroy(&table));
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
            "%s: found %lld b-values, expected %lld, one for each volume of the image", path, (long long)found,
            (long long)nvolumes);
  }
  PetscCall(FgTableDestroy(&table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Directions as x y z rows from 3xN or Nx3; three volumes are read as FSL writes them, 3xN. */
static PetscErrorCode ReadDirections(const char *path, PetscInt nvolumes, double *g)
{
  FgTable table;

  PetscFunctionBegin;
  PetscCall(FgTableRead(path, &table));
  if (table.nrows == 3 && table.ncolumns == nvolumes) {
    for (PetscInt v = 0; v < nvolumes; v++) {
      for (int k = 0; k < 3; k++) g[3 * v + k] = table.values[k * nvolumes + v];
    }
  } else if (table.nrows == nvolumes && table.ncolumns == 3) PetscCall(PetscArraycpy(g, table.values, 3 * nvolumes));
  else {
    const long long rows = table.nrows, columns = table.ncolumns;

    PetscCall(FgTableDestroy(&table));
    PetscCheck(columns, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found %lld rows of different lengths, expected 3 rows of %lld numbers", path, rows, (long long)nvolumes);
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
            "%s: found %lld rows of %lld numbers, expected 3 rows of %lld (or %lld rows of 3), one direction for each volume of "
            "the image",
            path, rows, columns, (long long)nvolumes, (long long)nvolumes);
  }
  PetscCall(FgTableDestroy(&table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadMrtrix(const char *path, PetscInt nvolumes, double *b, double *g)
{
  FgTable table;

  PetscFunctionBegin;
  PetscCall(FgTableRead(path, &table));
  if (table.ncolumns != 4 || table.nrows != nvolumes) {
    const long long rows = table.nrows, columns = table.ncolumns;

    PetscCall(FgTableDestroy(&table));
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
            "%s: found %lld rows of %lld numbers, expected %lld rows x y z b, one for each volume of the image; for FSL files "
            "give both "
            "--bval and --bvec",
            path, rows, columns, (long long)nvolumes);
  }
  for (PetscInt v = 0; v < nvolumes; v++) {
    for (int k = 0; k < 3; k++) g[3 * v + k] = table.values[4 * v + k];
    b[v] = table.values[4 * v + 3];
  }
  PetscCall(FgTableDestroy(&table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckBValues(const char *path, FgGradients *gradients)
{
  double largest = 0.0;

  PetscFunctionBegin;
  gradients->nb0 = 0;
  for (PetscInt v = 0; v < gradients->n; v++) {
    PetscCheck(isfinite(gradients->b[v]) && gradients->b[v] >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found b-value %.6g of volume %lld, expected a finite number of at least 0 [s/mm^2]", path, gradients->b[v],
               (long long)v + 1);
    if (gradients->b[v] <= gradients->b0_threshold) gradients->nb0++;
    largest = fmax(largest, gradients->b[v]);
  }
  PetscCheck(gradients->nb0 < gradients->n, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no b-value above the b0 threshold of %.6g s/mm^2 (largest %.6g), expected diffusion-weighted volumes; "
             "check the unit "
             "[s/mm^2] or lower --b0-threshold",
             path, gradients->b0_threshold, largest);
  PetscCheck(
      gradients->nb0 > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
      "%s: found no b-value at or below the b0 threshold of %.6g s/mm^2, expected at least one b0 volume; raise --b0-threshold",
      path, gradients->b0_threshold);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Directions of weighted volumes to unit length in the scanner frame; frame[9] row-major turns them. */
static PetscErrorCode TurnDirections(const char *path, const double frame[9], FgGradients *gradients)
{
  PetscFunctionBegin;
  gradients->nrescaled = 0;
  for (PetscInt v = 0; v < gradients->n; v++) {
    double *g = gradients->g + 3 * v, turned[3], norm = hypot(hypot(g[0], g[1]), g[2]), length;

    if (gradients->b[v] <= gradients->b0_threshold) {
      g[0] = g[1] = g[2] = 0.0; /* whatever was there, NaN included, says nothing */
      continue;
    }
    PetscCheck(
        isfinite(norm) && norm > 1e-6, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
        "%s: found direction (%.6g, %.6g, %.6g) of volume %lld with b = %.6g s/mm^2, expected a finite vector other than 0", path,
        g[0], g[1], g[2], (long long)v + 1, gradients->b[v]);
    if (fabs(norm - 1.0) > 1e-3) gradients->nrescaled++;
    for (int i = 0; i < 3; i++) turned[i] = (frame[3 * i] * g[0] + frame[3 * i + 1] * g[1] + frame[3 * i + 2] * g[2]) / norm;
    length = hypot(hypot(turned[0], turned[1]), turned[2]);
    for (int i = 0; i < 3; i++) g[i] = turned[i] / length;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank of the rows (gx^2, gy^2, gz^2, 2 gx gy, 2 gx gz, 2 gy gz) of the weighted volumes, by singular values. */
static PetscErrorCode DesignRank(FgGradients *gradients)
{
  const PetscInt  rows = PetscMax(gradients->n - gradients->nb0, 6);
  gsl_matrix     *A = gsl_matrix_calloc((size_t)rows, 6), *V = gsl_matrix_alloc(6, 6);
  gsl_vector     *s = gsl_vector_alloc(6), *work = gsl_vector_alloc(6);
  const PetscBool allocated = A && V && s && work ? PETSC_TRUE : PETSC_FALSE;
  int             failed    = 0;

  PetscFunctionBegin;
  if (allocated) {
    size_t row = 0;

    for (PetscInt v = 0; v < gradients->n; v++) {
      const double *g = gradients->g + 3 * v;

      if (gradients->b[v] <= gradients->b0_threshold) continue;
      for (size_t k = 0; k < 3; k++) gsl_matrix_set(A, row, k, g[k] * g[k]);
      gsl_matrix_set(A, row, 3, 2 * g[0] * g[1]);
      gsl_matrix_set(A, row, 4, 2 * g[0] * g[2]);
      gsl_matrix_set(A, row++, 5, 2 * g[1] * g[2]);
    }
    failed          = gsl_linalg_SV_decomp(A, V, s, work);
    gradients->rank = 0;
    for (size_t k = 0; k < 6; k++) gradients->rank += gsl_vector_get(s, k) > RANK_TOLERANCE * gsl_vector_get(s, 0) ? 1 : 0;
  }
  gsl_matrix_free(A);
  gsl_matrix_free(V);
  gsl_vector_free(s);
  gsl_vector_free(work);
  PetscCheck(allocated, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for the design of %lld directions", (long long)gradients->n);
  PetscCheck(!failed, PETSC_COMM_SELF, PETSC_ERR_LIB, "the singular values of the design of %lld directions were not found",
             (long long)gradients->n);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* R diag(-1 or 1, 1, 1): from FSL's frame to the scanner's. */
static void FslFrame(const FgGrid *grid, double frame[9])
{
  FgGridRotation(grid, frame);
  if (FgGridDeterminant(grid) > 0) {
    for (int i = 0; i < 3; i++) frame[3 * i] = -frame[3 * i];
  }
}

/* As many as the b-value file, or the MRtrix table, lists. */
static PetscErrorCode CountVolumes(const char *bval, PetscBool mrtrix, PetscInt *nvolumes)
{
  FgTable table;

  PetscFunctionBegin;
  PetscCall(FgTableRead(bval, &table));
  *nvolumes = mrtrix ? table.nrows : table.nvalues;
  PetscCall(FgTableDestroy(&table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadInto(const char *bval, const char *bvec, const FgGrid *grid, PetscBool allow_deficient,
                               FgGradients *gradients)
{
  double      frame[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const char *path     = bvec ? bvec : bval;

  PetscFunctionBegin;
  if (gradients->n < 0) PetscCall(CountVolumes(bval, bvec ? PETSC_FALSE : PETSC_TRUE, &gradients->n));
  PetscCall(PetscMalloc2(gradients->n, &gradients->b, 3 * gradients->n, &gradients->g));
  if (bvec) {
    PetscCall(ReadBValues(bval, gradients->n, gradients->b));
    PetscCall(ReadDirections(bvec, gradients->n, gradients->g));
    FslFrame(grid, frame);
  } else PetscCall(ReadMrtrix(bval, gradients->n, gradients->b, gradients->g));
  PetscCall(CheckBValues(bval, gradients));
  PetscCall(TurnDirections(path, frame, gradients));
  PetscCall(DesignRank(gradients));
  PetscCheck(gradients->rank == 6 || allow_deficient, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %lld diffusion-weighted directions that determine %lld of the 6 components of a tensor, expected 6 or "
             "more directions "
             "that are not all in one plane",
             path, (long long)(gradients->n - gradients->nb0), (long long)gradients->rank);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGradientsRead(const char *bval, const char *bvec, const FgGrid *grid, PetscInt nvolumes, double b0_threshold,
                               PetscBool allow_deficient, FgGradients *gradients)
{
  PetscErrorCode ierr;

  PetscFunctionBegin;
  memset(gradients, 0, sizeof *gradients);
  gradients->n            = nvolumes;
  gradients->b0_threshold = b0_threshold;
  ierr                    = ReadInto(bval, bvec, grid, allow_deficient, gradients);
  if (ierr) PetscCall(FgGradientsDestroy(gradients));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgGradientsDestroy(FgGradients *gradients)
{
  PetscFunctionBegin;
  PetscCall(PetscFree2(gradients->b, gradients->g));
  memset(gradients, 0, sizeof *gradients);
  PetscFunctionReturn(PETSC_SUCCESS);
}
