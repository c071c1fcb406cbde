/* field_maps.c: from a parameter field to NIfTI files (names, frames and units: docs/formats.md). */
#include "field_maps.h"

#include <math.h>
#include <string.h>

void FgTensorAxes(gsl_eigen_symmv_workspace *space, const double C[6], double values[3], double vectors[9])
{
  double          A[9]   = {C[0], C[3], C[4], C[3], C[1], C[5], C[4], C[5], C[2]};
  gsl_matrix_view matrix = gsl_matrix_view_array(A, 3, 3), eigenvectors = gsl_matrix_view_array(vectors, 3, 3);
  gsl_vector_view eigenvalues = gsl_vector_view_array(values, 3);

  gsl_eigen_symmv(&matrix.matrix, &eigenvalues.vector, &eigenvectors.matrix, space);
  gsl_eigen_symmv_sort(&eigenvalues.vector, &eigenvectors.matrix, GSL_EIGEN_SORT_VAL_DESC);
}

/* sqrt(3/2) |C - tr(C)/3 I| / |C|, Basser and Pierpaoli, J. Magn. Reson. B 111 (1996). */
double FgFractionalAnisotropy(const double C[6])
{
  const double mean = (C[0] + C[1] + C[2]) / 3.0, off = 2.0 * (C[3] * C[3] + C[4] * C[4] + C[5] * C[5]);
  double       deviation = off, square = off;

  for (int k = 0; k < 3; k++) {
    deviation += (C[k] - mean) * (C[k] - mean);
    square += C[k] * C[k];
  }
  return square > 0.0 ? sqrt(1.5 * deviation / square) : 0.0;
}

PetscErrorCode FgFieldMapsCreate(const FgMeasurement *measurement, FgModel model, FgField field, FgFieldMaps *maps)
{
  const PetscInt             n = measurement->nlocal, nc = field->ncomponents;
  const PetscScalar         *m;
  gsl_eigen_symmv_workspace *space = gsl_eigen_symmv_alloc(3);

  PetscFunctionBegin;
  PetscCheck(space, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory for an eigenvalue work space");
  *maps = (FgFieldMaps){.measurement = measurement, .model = model, .field = field};
  PetscCall(PetscCalloc4(6 * (size_t)n, &maps->tensor, n, &maps->fa, n, &maps->md, 3 * (size_t)n, &maps->direction));
  PetscCall(VecGetArrayRead(field->m, &m));
  for (PetscInt i = 0; i < n; i++) {
    const double *frame = field->frames ? &field->frames[9 * i] : NULL;
    double        C[6], axis[3];

    if (measurement->status[i] & FG_STATUS_NOT_FITTED) continue;
    model->ops->site_tensor(model, &m[i * nc], frame, C);
    for (int k = 0; k < 6; k++) maps->tensor[6 * i + k] = (float)C[k];
    maps->md[i] = (float)((C[0] + C[1] + C[2]) / 3.0);
    maps->fa[i] = (float)PetscMin(FgFractionalAnisotropy(C), 1.0);
    if (frame) { /* charts are centered on the solution, but ask the chart all the same */
      double R[9];

      if (field->ntangent == 2) FgChartDirection(frame, &m[i * nc + field->tangent], axis, NULL);
      else FgChartRotation(frame, &m[i * nc + field->tangent], R, NULL);
      for (int k = 0; field->ntangent == 3 && k < 3; k++) axis[k] = R[3 * k];
    } else {
      double values[3], vectors[9];

      FgTensorAxes(space, C, values, vectors);
      for (int k = 0; k < 3; k++) axis[k] = vectors[3 * k];
    }
    for (int k = 0; k < 3; k++) maps->direction[3 * i + k] = (float)axis[k];
  }
  PetscCall(VecRestoreArrayRead(field->m, &m));
  gsl_eigen_symmv_free(space);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFieldMapsDestroy(FgFieldMaps *maps)
{
  PetscFunctionBegin;
  PetscCall(PetscFree4(maps->tensor, maps->fa, maps->md, maps->direction));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFieldMapWrite(const FgFieldMaps *maps, FgResult *result, FgImageSpec spec, const char *unit,
                               const char *description, FgFieldMapFill fill, const void *context)
{
  float *values;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1((size_t)maps->measurement->nlocal * spec.nvolumes, &values));
  for (PetscInt i = 0; i < maps->measurement->nlocal; i++) fill(maps, i, context, &values[i * (size_t)spec.nvolumes]);
  PetscCall(FgResultWriteMap(result, spec.map, &spec, unit, description, values, 0.0f));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFieldMapGather(const FgFieldMaps *maps, PetscInt n, FgFieldMapFill fill, const void *context, float **grid)
{
  float *values;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1((size_t)maps->measurement->nlocal * n, &values));
  for (PetscInt i = 0; i < maps->measurement->nlocal; i++) fill(maps, i, context, &values[i * (size_t)n]);
  PetscCall(FgMeasurementGather(maps->measurement, n, values, NAN, grid));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgFillComponent(const FgFieldMaps *maps, PetscInt i, const void *component, float *values)
{
  const PetscInt     nc = maps->field->ncomponents;
  const PetscScalar *m;

  (void)VecGetArrayRead(maps->field->m, &m);
  values[0] = maps->measurement->status[i] & FG_STATUS_NOT_FITTED ? 0.0f : (float)m[i * nc + *(const PetscInt *)component];
  (void)VecRestoreArrayRead(maps->field->m, &m);
}

void FgFillColor(const FgFieldMaps *maps, PetscInt i, const void *full, float *values)
{
  for (int k = 0; k < 3; k++) values[k] = *(const float *)full * fabsf(maps->direction[3 * i + k]) * maps->fa[i];
}

void FgFillMeanDiffusivity(const FgFieldMaps *maps, PetscInt i, const void *unused, float *values)
{
  values[0] = maps->md[i];
}

static void FillScanner(const FgFieldMaps *maps, PetscInt i, const void *context, float *values)
{
  for (int k = 0; k < 3; k++) values[k] = maps->direction[3 * i + k];
}

static void FillFsl(const FgFieldMaps *maps, PetscInt i, const void *context, float *values)
{
  const double *R = context; /* row-major, columns the image axes in the scanner frame */

  for (int k = 0; k < 3; k++) {
    values[k] = (float)(R[k] * maps->direction[3 * i] + R[3 + k] * maps->direction[3 * i + 1] +
                        R[6 + k] * maps->direction[3 * i + 2]);
  }
}

static void FillAnisotropy(const FgFieldMaps *maps, PetscInt i, const void *context, float *values)
{
  values[0] = maps->fa[i];
}

static void FillMask(const FgFieldMaps *maps, PetscInt i, const void *context, float *values)
{
  values[0] = 1.0f;
}

static void FillTensor(const FgFieldMaps *maps, PetscInt i, const void *context, float *values)
{
  const double *R       = context; /* row-major, columns the image axes in the scanner frame */
  const float  *t       = &maps->tensor[6 * i];
  const double  C[3][3] = {{t[0], t[3], t[4]}, {t[3], t[1], t[5]}, {t[4], t[5], t[2]}};

  for (int a = 0, k = 0; a < 3; a++) { /* xx xy yy xz yz zz: the lower triangle by rows */
    for (int b = 0; b <= a; b++, k++) {
      double sum = 0.0;

      for (int r = 0; r < 3; r++) {
        for (int c = 0; c < 3; c++) sum += R[3 * r + a] * C[r][c] * R[3 * c + b];
      }
      values[k] = (float)sum;
    }
  }
}

static const char *ComponentMeaning(const char *name)
{
  if (!strcmp(name, "porosity")) return "volume fraction of the matrix (fluid) phase";
  if (!strcmp(name, "kappa")) return "alignment of the fibers: 1 all along the direction, 0 without preferred direction";
  if (!strcmp(name, "planarity")) return "share of the alignment that is spread over a plane";
  if (!strcmp(name, "S0")) return "signal without diffusion weighting";
  return "parameter of the model";
}

PetscBool FgFieldMapsHas(const FgComponent *component)
{
  if (component->kind == FG_KIND_TANGENT) return PETSC_FALSE;
  return strlen(component->name) != 2 || !strcmp(component->name, "S0") ? PETSC_TRUE : PETSC_FALSE;
}

static PetscErrorCode WriteComponents(const FgFieldMaps *maps, FgResult *result)
{
  PetscFunctionBegin;
  for (PetscInt c = 0; c < maps->field->ncomponents; c++) {
    const FgComponent *component = &maps->field->components[c];
    const PetscBool    boxed     = isfinite(component->lower) && isfinite(component->upper) ? PETSC_TRUE : PETSC_FALSE;
    FgImageSpec        spec      = {.map = component->name, .store = FG_STORE_FLOAT, .nvolumes = 1};

    if (!FgFieldMapsHas(component)) continue;
    if (boxed) spec.cal_max = 1.0;
    PetscCall(FgFieldMapWrite(maps, result, spec, component->unit, ComponentMeaning(component->name), FgFillComponent, &c));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFieldMapsWrite(const FgFieldMaps *maps, FgResult *result)
{
  const FgGrid *grid = &maps->measurement->grid;
  const float   one = 1.0f, byte = 255.0f;
  double        R[9], image[9];

  PetscFunctionBegin;
  FgGridRotation(grid, image);
  FgGridRotation(grid, R);
  if (FgGridDeterminant(grid) > 0.0) {
    for (int k = 0; k < 3; k++) R[3 * k] = -R[3 * k]; /* the FSL rule: x negated */
  }
  PetscCall(WriteComponents(maps, result));
  PetscCall(FgFieldMapWrite(
      maps, result,
      (FgImageSpec){.map            = "direction_fsl",
                    .store          = FG_STORE_FLOAT,
                    .nvolumes       = 3,
                    .intent_code    = 2003,
                    .intent_name    = "V1",
                    .cal_min        = -1.0,
                    .cal_max        = 1.0,
                    .reference_axes = "bvec"},
      "1", "fiber direction, unit vector up to sign, FSL frame: image axes, x negated where det(affine) > 0", FillFsl, R));
  PetscCall(FgFieldMapWrite(maps, result,
                            (FgImageSpec){.map            = "direction_scanner",
                                          .store          = FG_STORE_FLOAT,
                                          .nvolumes       = 3,
                                          .cal_min        = -1.0,
                                          .cal_max        = 1.0,
                                          .reference_axes = "xyz"},
                            "1", "fiber direction, unit vector up to sign, scanner frame (RAS)", FillScanner, NULL));
  PetscCall(FgFieldMapWrite(maps, result, (FgImageSpec){.map = "FA", .store = FG_STORE_FLOAT, .nvolumes = 1, .cal_max = 1.0}, "1",
                            "fractional anisotropy of the fitted tensor", FillAnisotropy, NULL));
  PetscCall(FgFieldMapWrite(maps, result, (FgImageSpec){.map = "MD", .store = FG_STORE_FLOAT, .nvolumes = 1, .cal_max = 3e-3},
                            "mm^2/s", "mean diffusivity of the fitted tensor", FgFillMeanDiffusivity, NULL));
  PetscCall(FgFieldMapWrite(
      maps, result, (FgImageSpec){.map = "dec", .store = FG_STORE_RGB24, .nvolumes = 3, .cal_max = 255.0}, "1",
      "direction-encoded color, FA times |direction| in the scanner frame: red left-right, green anterior-posterior, "
      "blue superior-inferior; 0 to 255",
      FgFillColor, &byte));
  PetscCall(FgFieldMapWrite(maps, result,
                            (FgImageSpec){.map = "dec_float", .store = FG_STORE_FLOAT, .nvolumes = 3, .cal_max = 1.0}, "1",
                            "direction-encoded color as dec, 0 to 1", FgFillColor, &one));
  PetscCall(FgFieldMapWrite(maps, result,
                            (FgImageSpec){.map            = "tensor",
                                          .store          = FG_STORE_FLOAT,
                                          .nvolumes       = 6,
                                          .intent_code    = 1005,
                                          .intent_name    = "tensor",
                                          .reference_axes = "ijk"},
                            "mm^2/s", "fitted effective diffusion tensor, image axes, xx xy yy xz yz zz (NIfTI symmetric matrix)",
                            FillTensor, image));
  PetscCall(FgFieldMapWrite(maps, result, (FgImageSpec){.map = "mask", .store = FG_STORE_UINT8, .nvolumes = 1, .cal_max = 1.0},
                            "1", "voxels that hold a value", FillMask, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}
