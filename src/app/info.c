/* info.c: `finegrain info`: what a file is, which files belong to it, and what `fit` would do with it. */
#include "command.h"
#include "info_eit.h"
#include "pipeline.h"

#include "finegrain/result.h"
#include "finegrain/statistics.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <nifti2_io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SYMMETRIC_MATRIX = 1005 }; /* NIfTI intent code */

typedef struct {
  FgCommonSettings common;
  FgText           file, bval, bvec, grad, mask, json;
  double           b0_threshold; /* [s/mm^2] */
} InfoSettings;

#define MEMBER(member) .offset = offsetof(InfoSettings, member)

/* clang-format off */
static const FgOption options[] = {
  {.section = "Input", .name = "file", .type = FG_OPTION_PATH, MEMBER(file), .value = "FILE", .positional = PETSC_TRUE,
   .summary = "NIfTI volume, FSL .bval or .bvec, MRtrix gradient table, impedance measurement (.h5) or Gmsh mesh (.msh)"},
  {.name = "bval", .type = FG_OPTION_PATH, MEMBER(bval), .word = "auto",
   .summary = "b-values of the volume, FSL format [s/mm^2]"},
  {.name = "bvec", .type = FG_OPTION_PATH, MEMBER(bvec), .word = "auto",
   .summary = "gradient directions of the volume, FSL format"},
  {.name = "grad", .type = FG_OPTION_PATH, MEMBER(grad),
   .summary = "gradient table, MRtrix format, instead of --bval and --bvec"},
  {.name = "mask", .type = FG_OPTION_PATH, MEMBER(mask), .word = "auto", .summary = "voxels to count: non-zero"},
  {.name = "b0-threshold", .type = FG_OPTION_REAL, MEMBER(b0_threshold), .unit = "s/mm^2", .fallback = "50", .lower = 0,
   .upper = 1000,
   .summary = "volumes with a b-value up to this count as not weighted"},
  {.section = "Output", .name = "json", .type = FG_OPTION_PATH, MEMBER(json), .summary = "write what was found to this file"},
  {0}};
/* clang-format on */

static PetscBool EndsWith(const char *text, const char *ending)
{
  const size_t n = strlen(text), k = strlen(ending);

  return n >= k && !strcmp(text + n - k, ending) ? PETSC_TRUE : PETSC_FALSE;
}

/* "RAS", "LAS", ...: the scanner direction that each image axis comes nearest to. */
static void AxisCodes(const FgGrid *grid, char codes[4])
{
  static const char names[3][2] = {{'L', 'R'}, {'P', 'A'}, {'I', 'S'}};

  for (int axis = 0; axis < 3; axis++) {
    int nearest = 0;

    for (int row = 1; row < 3; row++) {
      if (fabs(grid->affine[row][axis]) > fabs(grid->affine[nearest][axis])) nearest = row;
    }
    codes[axis] = names[nearest][grid->affine[nearest][axis] > 0];
  }
  codes[3] = '\0';
}

static const char *TransformName(int code)
{
  static const char *const names[] = {"unknown", "scanner", "aligned", "Talairach", "MNI 152", "template"};

  return code >= 0 && code <= 5 ? names[code] : "undefined code";
}

static void DescribeImage(const FgImageInfo *info, FgLog *log, json_t *found)
{
  const FgGrid *grid = &info->grid;
  const double  det  = FgGridDeterminant(grid);
  char          axes[4];

  AxisCodes(grid, axes);
  FgLogResult(log, "%s: NIfTI-%d, %s%s", info->path, info->nifti_version, nifti_datatype_string(info->datatype),
              info->byte_swapped ? ", other byte order" : "");
  FgLogResult(log,
              "  grid         %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT
              " voxels of %.4g x %.4g x %.4g mm, %" PetscInt_FMT " volume%s",
              grid->dims[0], grid->dims[1], grid->dims[2], grid->spacing[0], grid->spacing[1], grid->spacing[2], info->nvolumes,
              info->nvolumes == 1 ? "" : "s");
  FgLogResult(log, "  frame        axes %s, determinant %s: FSL directions have x %s", axes, det > 0 ? "positive" : "negative",
              det > 0 ? "negated" : "as the image axis");
  FgLogResult(log, "  transforms   sform %d (%s), qform %d (%s)", grid->sform_code, TransformName(grid->sform_code),
              grid->qform_code, TransformName(grid->qform_code));
  if (info->slope != 1 || info->intercept != 0)
    FgLogResult(log, "  scaling      value = %g * stored + %g", info->slope, info->intercept);
  if (info->intent_code) FgLogResult(log, "  intent       %d (%s)", info->intent_code, nifti_intent_string(info->intent_code));
  json_object_set_new(found, "Format", json_sprintf("NIfTI-%d", info->nifti_version));
  json_object_set_new(found, "DataType", json_string(nifti_datatype_string(info->datatype)));
  json_object_set_new(found, "Dimensions",
                      json_pack("[I,I,I,I]", (json_int_t)grid->dims[0], (json_int_t)grid->dims[1], (json_int_t)grid->dims[2],
                                (json_int_t)info->nvolumes));
  json_object_set_new(found, "VoxelSize_mm", json_pack("[f,f,f]", grid->spacing[0], grid->spacing[1], grid->spacing[2]));
  json_object_set_new(found, "Axes", json_string(axes));
  json_object_set_new(found, "Determinant", json_real(det));
  json_object_set_new(found, "SformCode", json_integer(grid->sform_code));
  json_object_set_new(found, "QformCode", json_integer(grid->qform_code));
  json_object_set_new(found, "IntentCode", json_integer(info->intent_code));
}

static int CompareDoubles(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* b-values that lie within 5 % or 25 s/mm^2 of the lowest of their shell are one shell. */
static PetscErrorCode DescribeGradients(const FgGradients *gradients, FgLog *log, json_t *found)
{
  double *b, deviation = 0;
  char    line[512] = "";
  json_t *shells    = json_array();

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(gradients->n, &b));
  PetscCall(PetscArraycpy(b, gradients->b, gradients->n));
  qsort(b, (size_t)gradients->n, sizeof(*b), CompareDoubles);
  for (PetscInt i = 0, end; i < gradients->n; i = end) {
    const size_t used  = strlen(line);
    const double limit = b[i] <= gradients->b0_threshold ? gradients->b0_threshold : b[i] + PetscMax(25.0, 0.05 * b[i]);
    double       mean  = 0;

    for (end = i; end < gradients->n && b[end] <= limit; end++) mean += b[end];
    mean /= (double)(end - i);
    deviation = PetscMax(deviation, b[end - 1] - b[i]);
    snprintf(line + used, sizeof(line) - used, "%s%" PetscInt_FMT " at b = %.0f", i ? ", " : "", end - i, mean);
    json_array_append_new(shells, json_pack("{s:f,s:I}", "BValue_s_per_mm2", mean, "Volumes", (json_int_t)(end - i)));
  }
  PetscCall(PetscFree(b));
  FgLogResult(log, "  weighting    %s s/mm^2", line);
  if (gradients->nb0 < gradients->n)
    FgLogResult(log, "  design       rank %" PetscInt_FMT " of 6%s", gradients->rank,
                gradients->rank < 6 ? ": the directions do not determine a tensor" : "");
  if (gradients->nrescaled)
    FgLogResult(log, "  directions   %" PetscInt_FMT " were not of unit length: normalized, b-values kept", gradients->nrescaled);
  json_object_set_new(found, "Shells", shells);
  json_object_set_new(found, "DesignRank", json_integer(gradients->rank));
  json_object_set_new(found, "RescaledDirections", json_integer(gradients->nrescaled));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Median over the mask of mean b0 / sigma, sigma from the repeats. */
static PetscErrorCode EstimateSnr(const FgMeasurement *m, double *sigma, double *snr)
{
  float *mean;

  PetscFunctionBegin;
  PetscCall(FgMeasurementSigmaFromB0(m, sigma));
  PetscCall(PetscMalloc1(m->nlocal, &mean));
  for (PetscInt i = 0; i < m->nlocal; i++) {
    double   sum = 0;
    PetscInt n   = 0;

    for (PetscInt k = 0; k < m->ndata; k++) {
      const float value = m->data[i * m->ndata + k];

      if (m->gradients.b[k] > m->gradients.b0_threshold || !isfinite(value)) continue;
      sum += value;
      n++;
    }
    mean[i] = n ? (float)PetscMax(0.0, sum / (double)n) : NAN;
  }
  PetscCall(FgQuantile(m->comm, m->nlocal, mean, 1, 0.5, snr));
  PetscCall(PetscFree(mean));
  *snr = *sigma > 0 ? *snr / *sigma : INFINITY;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Memory and the plan of `finegrain fit` for this measurement; porosity, kappa, two tangent coordinates and S0. */
static void DescribePlan(const FgMeasurement *m, const char *what, FgLog *log, json_t *found)
{
  const double memory = FgPipelineMemory(&m->info, m->nmask, m->ndata, 5, PETSC_TRUE);

  FgLogResult(log, "  mask         %s: %" PetscInt_FMT " voxels (%.1f %%)",
              strcmp(m->mask_source, "otsu") ? m->mask_source : "none found; one made by Otsu's threshold of the b0 volumes",
              m->nmask, 100.0 * (double)m->nmask / (double)FgGridVoxels(&m->grid));
  FgLogResult(log,
              "  fit would    %s of %" PetscInt_FMT " samples in each of %" PetscInt_FMT " voxels, with about %.0f MiB of memory",
              what, m->ndata, m->nmask, memory / 1048576.0);
  json_object_set_new(found, "Mask", json_string(m->mask_source));
  json_object_set_new(found, "MaskVoxels", json_integer(m->nmask));
  json_object_set_new(found, "FitMemory_bytes", json_real(memory));
}

static PetscErrorCode DescribeDwi(const InfoSettings *settings, FgMeasurementFiles *files, FgLog *log, json_t *found)
{
  FgMeasurement m;

  PetscFunctionBegin;
  FgLogResult(log, "  b-values     %s", files->bval);
  if (files->bvec[0]) FgLogResult(log, "  directions   %s", files->bvec);
  json_object_set_new(found, "BValueFile", json_string(files->bval));
  json_object_set_new(found, "BVectorFile", json_string(files->bvec));
  PetscCall(FgMeasurementReadDwi(PETSC_COMM_WORLD, files, settings->b0_threshold, &m));
  PetscCall(DescribeGradients(&m.gradients, log, found));
  if (m.gradients.nb0 >= 2) {
    double sigma, snr;

    PetscCall(EstimateSnr(&m, &sigma, &snr));
    FgLogResult(log,
                "  noise        standard deviation %.4g (signal units) from %" PetscInt_FMT " b0 volumes; median SNR of b0 %.1f",
                sigma, m.gradients.nb0, snr);
    json_object_set_new(found, "NoiseSigma", json_real(sigma));
    if (isfinite(snr)) json_object_set_new(found, "SNR", json_real(snr));
  } else
    FgLogResult(log, "  noise        not known before the fit: there is %s",
                m.gradients.nb0 ? "one b0 volume, no repeats" : "no b0 volume");
  DescribePlan(&m, "fit the signal", log, found);
  PetscCall(FgMeasurementDestroy(&m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DescribeVolume(const InfoSettings *settings, FgLog *log, json_t *found)
{
  FgImageInfo        info;
  FgMeasurementFiles files = {0};

  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(settings->file, &info));
  DescribeImage(&info, log, found);
  strcpy(files.dwi, settings->file);
  strcpy(files.bval, settings->grad[0] ? settings->grad : settings->bval);
  strcpy(files.bvec, settings->bvec);
  strcpy(files.mask, settings->mask);
  if (info.nvolumes > 1 && !settings->grad[0]) PetscCall(FgMeasurementFind(&files));
  if (info.nvolumes == 6 && (info.intent_code == SYMMETRIC_MATRIX || !files.bval[0])) {
    FgLogResult(log, "  fit would    take it as a tensor volume, order %s",
                info.intent_code == SYMMETRIC_MATRIX ? "of the NIfTI standard (xx xy yy xz yz zz)"
                                                     : "to be told by --tensor-order");
  } else if (files.bval[0]) PetscCall(DescribeDwi(settings, &files, log, found));
  else if (info.nvolumes > 1)
    FgLogResult(log, "  fit would    need b-values: none found beside it, give --bval and --bvec or --grad");
  else FgLogResult(log, "  fit would    not take it: one volume is a map or a mask, not a measurement");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* How many numbers, and how many lines with any, a text file holds. */
static PetscErrorCode CountNumbers(const char *path, PetscInt *numbers, PetscInt *lines)
{
  FILE     *file      = fopen(path, "r");
  PetscBool in_number = PETSC_FALSE, in_line = PETSC_FALSE, comment = PETSC_FALSE;
  int       c;

  PetscFunctionBegin;
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: cannot be opened: %s", path, strerror(errno));
  *numbers = *lines = 0;
  while ((c = fgetc(file)) != EOF) {
    if (c == '\n') comment = in_line = PETSC_FALSE;
    if (c == '#') comment = PETSC_TRUE;
    if (isspace(c) || comment) {
      in_number = PETSC_FALSE;
      continue;
    }
    *numbers += !in_number;
    *lines += !in_line;
    in_number = in_line = PETSC_TRUE;
  }
  fclose(file);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A gradient table without its volume: the frame is not known, but shells and rank do not depend on it. */
static PetscErrorCode DescribeTable(const char *file, const char *bval, const char *bvec, double b0_threshold, FgLog *log,
                                    json_t *found)
{
  const FgGrid grid = {.dims = {1, 1, 1}, .spacing = {1, 1, 1}, .affine = {{-1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
  FgGradients  gradients;
  PetscInt     numbers, lines;

  PetscFunctionBegin;
  PetscCall(CountNumbers(bval, &numbers, &lines));
  FgLogResult(log, "%s: gradient table, %s", file, bvec ? "FSL format" : "MRtrix format");
  if (bvec) FgLogResult(log, "  read with    %s", !strcmp(file, bval) ? bvec : bval);
  json_object_set_new(found, "Format", json_string(bvec ? "FSL gradients" : "MRtrix gradients"));
  PetscCall(FgGradientsRead(bval, bvec, &grid, bvec ? numbers : lines, b0_threshold, PETSC_TRUE, &gradients));
  PetscCall(DescribeGradients(&gradients, log, found));
  PetscCall(FgGradientsDestroy(&gradients));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The other file of a .bval/.bvec pair. */
static PetscErrorCode DescribePair(const InfoSettings *settings, FgLog *log, json_t *found)
{
  const PetscBool is_bval = EndsWith(settings->file, ".bval");
  FgText          other;
  FILE           *file;

  PetscFunctionBegin;
  strcpy(other, is_bval ? settings->bvec : settings->bval);
  if (!other[0]) {
    strcpy(other, settings->file);
    strcpy(other + strlen(other) - 5, is_bval ? ".bvec" : ".bval");
  }
  file = fopen(other, "r");
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN,
             "%s: cannot be opened: %s; a .bval and its .bvec stand side by side, or give --%s", other, strerror(errno),
             is_bval ? "bvec" : "bval");
  fclose(file);
  PetscCall(DescribeTable(settings->file, is_bval ? settings->file : other, is_bval ? other : settings->file,
                          settings->b0_threshold, log, found));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(const void *context, FgLog *log)
{
  const InfoSettings *settings = context;
  json_t             *found    = json_object();

  PetscFunctionBegin;
  json_object_set_new(found, "File", json_string(settings->file));
  if (EndsWith(settings->file, ".nii") || EndsWith(settings->file, ".nii.gz")) PetscCall(DescribeVolume(settings, log, found));
  else if (EndsWith(settings->file, ".bval") || EndsWith(settings->file, ".bvec")) PetscCall(DescribePair(settings, log, found));
  else if (EndsWith(settings->file, ".b") || EndsWith(settings->file, ".grad") || EndsWith(settings->file, ".txt")) {
    PetscCall(DescribeTable(settings->file, settings->file, NULL, settings->b0_threshold, log, found));
  } else if (EndsWith(settings->file, ".h5")) PetscCall(FgDescribeEit(settings->file, log, found));
  else if (EndsWith(settings->file, ".msh")) PetscCall(FgDescribeMesh(settings->file, log, found));
  else {
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
            "%s: unknown ending, expected .h5 of an impedance measurement, .msh of a Gmsh mesh, .nii, .nii.gz, .bval, .bvec, or "
            ".b, .grad, .txt for an MRtrix gradient table",
            settings->file);
  }
  if (settings->json[0] && log->speaks) PetscCall(FgWriteJson(settings->json, found));
  json_decref(found);
  PetscFunctionReturn(PETSC_SUCCESS);
}

const FgCommand FgCommandInfo = {
    .name        = "info",
    .summary     = "what a file is, and what fit would do with it",
    .usage       = "FILE [options]",
    .description = "Prints grid, frame, transforms, data type, b-values, rank of the gradient directions and noise of a volume "
                   "or gradient table, "
                   "the files found to belong to it, and the memory that a fit would take.",
    .example = "finegrain info dwi.nii.gz\nfinegrain info dwi.nii.gz --json dwi.json\nfinegrain info dwi.bval\nfinegrain info "
               "tank.h5\nfinegrain info mesh.msh",
    .options = {options},
    .settings_size = sizeof(InfoSettings),
    .run           = Run};
