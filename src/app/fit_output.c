/* fit_output.c: the maps of a fit, from the parameter field to NIfTI files (names, frames and units: docs/formats.md). */
#include "fit_output.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <string.h>

const char *const FgFitFiles[] = {
  "porosity.nii.gz",  "kappa.nii.gz",  "planarity.nii.gz", "direction_fsl.nii.gz", "direction_scanner.nii.gz", "S0.nii.gz",
  "FA.nii.gz",        "MD.nii.gz",     "dec.nii.gz",       "dec_float.nii.gz",     "chi2.nii.gz",              "status.nii.gz",
  "tensor.nii.gz",    "mask.nii.gz",   "porosity.json",    "kappa.json",           "planarity.json",           "direction_fsl.json",
  "direction_scanner.json", "S0.json", "FA.json",          "MD.json",              "dec.json",                 "dec_float.json",
  "chi2.json",        "status.json",   "tensor.json",      "mask.json",            "summary.json",             "config.yaml",
  "picture.png",      "log.txt",       NULL};

static PetscErrorCode Source(const char *path, json_t *sources)
{
  char hash[65];

  PetscFunctionBegin;
  if (!path[0]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgFileHash(path, hash));
  json_array_append_new(sources, json_pack("{s:s, s:s}", "File", path, "SHA256", hash));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFitProvenance(const FitSettings *s, const FgPipeline *p, json_t **provenance)
{
  const FgTissue *tissue = &p->tissue;
  PetscErrorCode  code   = PETSC_SUCCESS;
  json_t         *sources = json_array();
  PetscMPIInt     rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) {
    code = Source(p->files.dwi, sources);
    if (!code) code = Source(p->files.bval, sources);
    if (!code) code = Source(p->files.bvec, sources);
    if (!code) code = Source(p->files.mask, sources);
  }
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  *provenance = json_pack("{s:s, s:s, s:s, s:o}", "GeneratedBy", "finegrain", "Version", FG_VERSION, "Model", p->model_name, "Sources",
                          sources);
  if (strcmp(p->model_name, "dti")) {
    json_object_set_new(*provenance, "Tissue",
                        json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f}", "Closure", tissue->closure->name, "Orientation",
                                  FgOrientations[tissue->orientation], "Normalization",
                                  tissue->phases.apparent ? "apparent" : "effective", "MatrixDiffusivity_mm2_s", tissue->phases.matrix,
                                  "FiberDiffusivityAxial_mm2_s", tissue->phases.fiber_axial, "FiberDiffusivityRadial_mm2_s",
                                  tissue->phases.fiber_radial, "FiberStorage", tissue->phases.fiber_storage));
  }
  json_object_set_new(*provenance, "Noise",
                      json_pack("{s:s, s:f, s:s}", "Model", s->noise, "Sigma", p->sigma_median, "SigmaSource", p->sigma_source));
  json_object_set_new(*provenance, "Regularizer", s->pointwise ? json_string("none") : json_string(s->regularizer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Per-voxel values that several maps share; voxel-major. */
typedef struct {
  float *tensor;    /* [nlocal][6] mm^2/s, scanner frame */
  float *fa, *md;   /* [nlocal] */
  float *direction; /* [nlocal][3] principal axis, scanner frame */
} Derived;

/* Eigenvector of the largest eigenvalue. */
static void PrincipalAxis(gsl_eigen_symmv_workspace *space, const double C[6], double axis[3])
{
  double          A[9] = {C[0], C[3], C[4], C[3], C[1], C[5], C[4], C[5], C[2]}, values[3], vectors[9];
  gsl_matrix_view matrix = gsl_matrix_view_array(A, 3, 3), eigenvectors = gsl_matrix_view_array(vectors, 3, 3);
  gsl_vector_view eigenvalues = gsl_vector_view_array(values, 3);

  gsl_eigen_symmv(&matrix.matrix, &eigenvalues.vector, &eigenvectors.matrix, space);
  gsl_eigen_symmv_sort(&eigenvalues.vector, &eigenvectors.matrix, GSL_EIGEN_SORT_VAL_DESC);
  for (int k = 0; k < 3; k++) axis[k] = vectors[3 * k];
}

/* Fractional anisotropy: sqrt(3/2) |C - tr(C)/3 I| / |C|, Basser and Pierpaoli, J. Magn. Reson. B 111 (1996). */
static double FractionalAnisotropy(const double C[6])
{
  const double mean = (C[0] + C[1] + C[2]) / 3.0, off = 2.0 * (C[3] * C[3] + C[4] * C[4] + C[5] * C[5]);
  double       deviation = off, square = off;

  for (int k = 0; k < 3; k++) {
    deviation += (C[k] - mean) * (C[k] - mean);
    square += C[k] * C[k];
  }
  return square > 0.0 ? sqrt(1.5 * deviation / square) : 0.0;
}

static PetscErrorCode Derive(const FgPipeline *p, Derived *d)
{
  const PetscInt             n = p->domain->nlocal, nc = p->field->ncomponents;
  const PetscScalar         *m;
  gsl_eigen_symmv_workspace *space = gsl_eigen_symmv_alloc(3);

  PetscFunctionBegin;
  PetscCheck(space, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory for an eigenvalue work space");
  PetscCall(PetscCalloc4(6 * (size_t)n, &d->tensor, n, &d->fa, n, &d->md, 3 * (size_t)n, &d->direction));
  PetscCall(VecGetArrayRead(p->field->m, &m));
  for (PetscInt i = 0; i < n; i++) {
    const double *frame = p->field->frames ? &p->field->frames[9 * i] : NULL;
    double        C[6], axis[3];

    if (p->measurement.status[i] & FG_STATUS_NOT_FITTED) continue;
    p->model->ops->site_tensor(p->model, &m[i * nc], frame, C);
    for (int k = 0; k < 6; k++) d->tensor[6 * i + k] = (float)C[k];
    d->md[i] = (float)((C[0] + C[1] + C[2]) / 3.0);
    d->fa[i] = (float)PetscMin(FractionalAnisotropy(C), 1.0);
    if (frame) { /* charts are centered on the solution, but ask the chart all the same */
      double R[9];

      if (p->field->ntangent == 2) FgChartDirection(frame, &m[i * nc + p->field->tangent], axis, NULL);
      else FgChartRotation(frame, &m[i * nc + p->field->tangent], R, NULL);
      for (int k = 0; p->field->ntangent == 3 && k < 3; k++) axis[k] = R[3 * k];
    } else {
      PrincipalAxis(space, C, axis);
    }
    for (int k = 0; k < 3; k++) d->direction[3 * i + k] = (float)axis[k];
  }
  PetscCall(VecRestoreArrayRead(p->field->m, &m));
  gsl_eigen_symmv_free(space);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One map of n values a voxel, made by `fill` voxel by voxel into `values`. */
typedef void (*Fill)(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values);

static PetscErrorCode WriteMap(const FgPipeline *p, FgResult *result, const Derived *d, FgImageSpec spec, const char *unit,
                               const char *description, Fill fill, const void *context)
{
  float *values;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1((size_t)p->domain->nlocal * spec.nvolumes, &values));
  for (PetscInt i = 0; i < p->domain->nlocal; i++) fill(p, d, i, context, &values[i * (size_t)spec.nvolumes]);
  PetscCall(FgResultWriteMap(result, spec.map, &spec, unit, description, values, 0.0f));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

typedef struct {
  const PetscScalar *m;
  PetscInt           component;
} ComponentOf;

static void FillComponent(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values)
{
  const ComponentOf *of = context;

  values[0] = p->measurement.status[i] & FG_STATUS_NOT_FITTED ? 0.0f : (float)of->m[i * p->field->ncomponents + of->component];
}

static void FillScanner(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values)
{
  for (int k = 0; k < 3; k++) values[k] = d->direction[3 * i + k];
}

static void FillFsl(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values)
{
  const double *R = context; /* row-major, columns the image axes in the scanner frame */

  for (int k = 0; k < 3; k++) {
    values[k] = (float)(R[k] * d->direction[3 * i] + R[3 + k] * d->direction[3 * i + 1] + R[6 + k] * d->direction[3 * i + 2]);
  }
}

static void FillColor(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values)
{
  const float full = *(const float *)context;

  for (int k = 0; k < 3; k++) values[k] = full * fabsf(d->direction[3 * i + k]) * d->fa[i];
}

static void FillAnisotropy(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values)
{
  values[0] = d->fa[i];
}

static void FillMeanDiffusivity(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values)
{
  values[0] = d->md[i];
}

static void FillChi2(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values)
{
  const double degrees = p->samples[i] - *(const double *)context;

  values[0] = p->measurement.status[i] & FG_STATUS_NOT_FITTED || degrees <= 0.0 ? 0.0f : (float)(p->chi2[i] / degrees);
}

static void FillStatus(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values)
{
  values[0] = p->measurement.status[i];
}

static void FillMask(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values)
{
  values[0] = 1.0f;
}

static void FillTensor(const FgPipeline *p, const Derived *d, PetscInt i, const void *context, float *values)
{
  const double *R = context; /* row-major, columns the image axes in the scanner frame */
  const float  *t = &d->tensor[6 * i];
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

static PetscErrorCode WriteComponents(const FgPipeline *p, FgResult *result, const Derived *d)
{
  const PetscScalar *m;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(p->field->m, &m));
  for (PetscInt c = 0; c < p->field->ncomponents; c++) {
    const FgComponent *component = &p->field->components[c];
    const ComponentOf  of        = {m, c};
    const PetscBool    boxed     = isfinite(component->lower) && isfinite(component->upper) ? PETSC_TRUE : PETSC_FALSE;
    FgImageSpec        spec      = {.map = component->name, .store = FG_STORE_FLOAT, .nvolumes = 1};

    if (component->kind == FG_KIND_TANGENT || strlen(component->name) == 2) {
      if (strcmp(component->name, "S0")) continue; /* tangent coordinates become directions, tensor elements the tensor */
    }
    if (boxed) spec.cal_max = 1.0;
    PetscCall(WriteMap(p, result, d, spec, component->unit, ComponentMeaning(component->name), FillComponent, &of));
  }
  PetscCall(VecRestoreArrayRead(p->field->m, &m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Gathers one map on rank 0 for the picture; NaN outside the mask. */
static PetscErrorCode GatherPanel(const FgPipeline *p, const Derived *d, PetscInt n, Fill fill, const void *context, float **grid)
{
  float *values;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1((size_t)p->domain->nlocal * n, &values));
  for (PetscInt i = 0; i < p->domain->nlocal; i++) fill(p, d, i, context, &values[i * (size_t)n]);
  PetscCall(FgMeasurementGather(&p->measurement, n, values, NAN, grid));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WritePicture(const FgPipeline *p, const FgResult *result, const Derived *d, double per_voxel)
{
  const float        full = 1.0f;
  const PetscInt     porosity = FgFieldFind(p->field, "porosity"), S0 = FgFieldFind(p->field, "S0");
  const PetscScalar *m;
  float             *signal = NULL, *fraction = NULL, *color, *fit;
  unsigned char     *mask = NULL;
  char               path[PETSC_MAX_PATH_LEN];
  FgPanel            panels[4];
  PetscInt           n    = 0;
  PetscErrorCode     code = PETSC_SUCCESS;
  PetscMPIInt        rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(VecGetArrayRead(p->field->m, &m));
  if (S0 >= 0) PetscCall(GatherPanel(p, d, 1, FillComponent, &(ComponentOf){m, S0}, &signal));
  else PetscCall(GatherPanel(p, d, 1, FillMeanDiffusivity, NULL, &signal));
  if (porosity >= 0) PetscCall(GatherPanel(p, d, 1, FillComponent, &(ComponentOf){m, porosity}, &fraction));
  PetscCall(VecRestoreArrayRead(p->field->m, &m));
  PetscCall(GatherPanel(p, d, 3, FillColor, &full, &color));
  PetscCall(GatherPanel(p, d, 1, FillChi2, &per_voxel, &fit));
  if (!rank) {
    PetscCall(PetscCalloc1(FgGridVoxels(&p->measurement.grid), &mask));
    for (PetscInt i = 0; i < p->measurement.nmask; i++) mask[p->measurement.voxel[i]] = 1;
    panels[n++] = (FgPanel){.title = S0 >= 0 ? "b0" : "mean diffusivity", .unit = S0 >= 0 ? "signal" : "mm^2/s", .values = signal, .colormap = "gray"};
    if (fraction) {
      panels[n++] = (FgPanel){.title = "porosity", .unit = "1", .values = fraction, .low = 0.0, .high = 1.0, .colormap = "viridis"};
    }
    panels[n++] = (FgPanel){.title = "direction-encoded color", .unit = "FA", .values = color, .rgb = PETSC_TRUE};
    panels[n++] = (FgPanel){.title = "goodness of fit (reduced chi-squared)", .unit = "1", .values = fit, .low = 0.0, .high = 4.0,
                            .colormap = "inferno"};
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/picture.png", result->folder));
    code = FgPictureWrite(path, &p->measurement.grid, mask, n, panels);
  }
  PetscCall(PetscFree(mask));
  PetscCall(PetscFree(signal));
  PetscCall(PetscFree(fraction));
  PetscCall(PetscFree(color));
  PetscCall(PetscFree(fit));
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgFitWriteMaps(const FgPipeline *p, FgResult *result, double freedom, PetscBool picture)
{
  const double   per_voxel = freedom / p->fitted;
  const float    one = 1.0f, byte = 255.0f;
  double         R[9], image[9];
  Derived        d;

  PetscFunctionBegin;
  FgGridRotation(&p->measurement.grid, image);
  FgGridRotation(&p->measurement.grid, R);
  if (FgGridDeterminant(&p->measurement.grid) > 0.0) {
    for (int k = 0; k < 3; k++) R[3 * k] = -R[3 * k]; /* the FSL rule: x negated */
  }
  PetscCall(Derive(p, &d));
  PetscCall(WriteComponents(p, result, &d));
  PetscCall(WriteMap(p, result, &d, (FgImageSpec){.map = "direction_fsl", .store = FG_STORE_FLOAT, .nvolumes = 3, .intent_code = 2003,
                     .intent_name = "V1", .cal_min = -1.0, .cal_max = 1.0}, "1",
                     "fiber direction, unit vector up to sign, FSL frame: image axes, x negated where det(affine) > 0", FillFsl, R));
  PetscCall(WriteMap(p, result, &d, (FgImageSpec){.map = "direction_scanner", .store = FG_STORE_FLOAT, .nvolumes = 3, .cal_min = -1.0,
                     .cal_max = 1.0}, "1", "fiber direction, unit vector up to sign, scanner frame (RAS)", FillScanner, NULL));
  PetscCall(WriteMap(p, result, &d, (FgImageSpec){.map = "FA", .store = FG_STORE_FLOAT, .nvolumes = 1, .cal_max = 1.0}, "1",
                     "fractional anisotropy of the fitted tensor", FillAnisotropy, NULL));
  PetscCall(WriteMap(p, result, &d, (FgImageSpec){.map = "MD", .store = FG_STORE_FLOAT, .nvolumes = 1, .cal_max = 3e-3}, "mm^2/s",
                     "mean diffusivity of the fitted tensor", FillMeanDiffusivity, NULL));
  PetscCall(WriteMap(p, result, &d, (FgImageSpec){.map = "dec", .store = FG_STORE_RGB24, .nvolumes = 3, .cal_max = 255.0}, "1",
                     "direction-encoded color, FA times |direction| in the scanner frame: red left-right, green anterior-posterior, "
                     "blue superior-inferior; 0 to 255", FillColor, &byte));
  PetscCall(WriteMap(p, result, &d, (FgImageSpec){.map = "dec_float", .store = FG_STORE_FLOAT, .nvolumes = 3, .cal_max = 1.0}, "1",
                     "direction-encoded color as dec, 0 to 1", FillColor, &one));
  PetscCall(WriteMap(p, result, &d, (FgImageSpec){.map = "chi2", .store = FG_STORE_FLOAT, .nvolumes = 1, .cal_max = 4.0}, "1",
                     "reduced chi-squared: squared residuals in noise variances per degree of freedom; 1 where the model fits to the noise",
                     FillChi2, &per_voxel));
  PetscCall(WriteMap(p, result, &d, (FgImageSpec){.map = "status", .store = FG_STORE_UINT8, .nvolumes = 1, .cal_max = 63.0}, "bits",
                     "1 sample left out or negative, 2 not fitted, 4 at a bound, 8 not converged, 16 not identifiable, 32 outside the model",
                     FillStatus, NULL));
  PetscCall(WriteMap(p, result, &d, (FgImageSpec){.map = "tensor", .store = FG_STORE_FLOAT, .nvolumes = 6, .intent_code = 1005,
                     .intent_name = "tensor"}, "mm^2/s",
                     "fitted effective diffusion tensor, image axes, xx xy yy xz yz zz (NIfTI symmetric matrix)", FillTensor, image));
  PetscCall(WriteMap(p, result, &d, (FgImageSpec){.map = "mask", .store = FG_STORE_UINT8, .nvolumes = 1, .cal_max = 1.0}, "1",
                     "voxels that were fitted", FillMask, NULL));
  if (picture) PetscCall(WritePicture(p, result, &d, per_voxel));
  PetscCall(PetscFree4(d.tensor, d.fa, d.md, d.direction));
  PetscFunctionReturn(PETSC_SUCCESS);
}
