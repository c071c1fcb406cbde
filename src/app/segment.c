/* segment.c: `finegrain segment`: a map of conductivity becomes a map of labels, 0 background, 1 less and 2 more conductive. */
#include "command.h"

#include "finegrain/image.h"
#include "finegrain/result.h"
#include "finegrain/segment.h"

#include <string.h>

typedef struct {
  FgCommonSettings common;
  FgText           map, output;
  double           background, contrast, level, share;
  PetscBool        force;
} SegmentSettings;

#define MEMBER(member) .offset = offsetof(SegmentSettings, member)

/* clang-format off */
static const FgOption options[] = {
  {.section = "Input", .name = "map", .type = FG_OPTION_PATH, MEMBER(map), .value = "MAP", .positional = PETSC_TRUE,
   .summary = "NIfTI map of a positive quantity: conductivity.nii.gz; zero, negative and not finite is outside"},
  {.name = "background", .type = FG_OPTION_REAL, MEMBER(background), .value = "VALUE", .word = "median", .lower = FG_POSITIVE,
   .upper = 1e30, .summary = "value of the background, in units of the map; median: that of the map"},
  {.section = "Regions", .name = "contrast", .type = FG_OPTION_REAL, MEMBER(contrast), .unit = "1", .fallback = "0.2",
   .lower = 1e-6, .upper = 100, .summary = "least |log(value/background)| at the peak of a region"},
  {.name = "level", .type = FG_OPTION_REAL, MEMBER(level), .unit = "1", .fallback = "0.5", .lower = 0.01, .upper = 0.99,
   .summary = "fraction of its peak down to which a region reaches, in the logarithm"},
  {.name = "share", .type = FG_OPTION_REAL, MEMBER(share), .unit = "1", .fallback = "0.1", .lower = 0, .upper = 0.99,
   .summary = "least mass (sum of |log(value/background)|) of a region over that of the heaviest; less is an artifact"},
  {.section = "Output", .name = "output", .letter = 'o', .type = FG_OPTION_PATH, MEMBER(output), .value = "FILE",
   .fallback = "labels.nii.gz", .summary = "NIfTI of labels on the grid of the map: 0 background, 1 less and 2 more conductive; its sidecar "
                                           "lists the regions"},
  {.name = "force", .type = FG_OPTION_FLAG, MEMBER(force), .summary = "overwrite the output"},
  {0}};
/* clang-format on */

/* FILE.json for FILE.nii or FILE.nii.gz; FALSE where it has neither ending. */
static PetscBool SidecarName(const char *path, FgText sidecar)
{
  static const char *const endings[] = {".nii.gz", ".nii"};
  const size_t             n         = strlen(path);

  for (int i = 0; i < 2; i++) {
    const size_t k = strlen(endings[i]);

    if (n <= k || n - k + 6 > sizeof(FgText) || strcmp(path + n - k, endings[i])) continue;
    memcpy(sidecar, path, n - k);
    strcpy(sidecar + n - k, ".json");
    return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static PetscBool Check(const void *context, char message[FG_MESSAGE_LENGTH])
{
  const SegmentSettings *settings = context;
  FgText                 sidecar;

  if (SidecarName(settings->output, sidecar)) return PETSC_TRUE;
  snprintf(message, FG_MESSAGE_LENGTH, "--output: '%.500s' does not end in .nii or .nii.gz", settings->output);
  return PETSC_FALSE;
}

static PetscErrorCode Report(const SegmentSettings *settings, const FgImageInfo *info, double background, PetscInt nregions,
                             const FgSegmentRegion regions[], FgLog *log)
{
  const FgGrid *grid   = &info->grid;
  const double  volume = grid->spacing[0] * grid->spacing[1] * grid->spacing[2];
  json_t       *list   = json_array(), *object;
  FgText        sidecar;

  PetscFunctionBegin;
  FgLogResult(log, "%s: background %.4g, %" PetscInt_FMT " region%s", settings->map, background, nregions,
              nregions == 1 ? "" : "s");
  for (PetscInt i = 0; i < nregions; i++) {
    const FgSegmentRegion *region = &regions[i];
    const char            *kind   = region->label == FG_SEGMENT_CONDUCTIVE ? "conductive" : "resistive";

    FgLogResult(log, "  %-10s  peak %.3g times the background, %" PetscInt_FMT " voxels, %.4g of the largest mass", kind,
                exp(region->peak), region->nvoxels, region->mass / regions[0].mass);
    json_array_append_new(list, json_pack("{s:i,s:s,s:I,s:f,s:f,s:f}", "Label", region->label, "Kind", kind, "Voxels",
                                          (json_int_t)region->nvoxels, "Volume_mm3", volume * (double)region->nvoxels,
                                          "PeakRatio", exp(region->peak), "Mass", region->mass));
  }
  object = json_pack("{s:s,s:s,s:s,s:f,s:f,s:f,s:f,s:o}", "Description",
                     "labels: 0 background, 1 less conductive, 2 more conductive", "GeneratedBy",
                     "finegrain " FG_VERSION " segment", "Source", settings->map, "Background", background, "Contrast",
                     settings->contrast, "Level", settings->level, "Share", settings->share, "Regions", list);
  (void)SidecarName(settings->output, sidecar);
  PetscCall(FgWriteJson(sidecar, object));
  json_decref(object);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* `values` become the labels. */
static PetscErrorCode SegmentValues(const SegmentSettings *settings, const FgImageInfo *info, float values[], FgLog *log)
{
  const FgSegmentOptions how        = {.contrast = settings->contrast, .level = settings->level, .share = settings->share};
  const FgImageSpec      spec       = {.map = "labels", .store = FG_STORE_UINT8, .nvolumes = 1, .cal_min = 0, .cal_max = 2};
  const PetscInt         nvoxels    = FgGridVoxels(&info->grid);
  double                 background = settings->background;
  unsigned char         *labels;
  PetscInt               nregions;
  FgSegmentRegion       *regions;
  PetscErrorCode         code;

  PetscFunctionBegin;
  if (isnan(background)) PetscCall(FgSegmentMedian(nvoxels, values, &background));
  PetscCheck(!isnan(background), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no positive value, expected a map of conductivity", settings->map);
  PetscCall(PetscMalloc1(nvoxels, &labels));
  PetscCall(FgSegment(info->grid.dims, values, background, &how, labels, &nregions, &regions));
  for (PetscInt v = 0; v < nvoxels; v++) values[v] = labels[v];
  PetscCall(PetscFree(labels));
  code = FgImageWrite(settings->output, &info->grid, &spec, values);
  if (!code) code = Report(settings, info, background, nregions, regions, log);
  PetscCall(PetscFree(regions));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Segment(const SegmentSettings *settings, FgLog *log)
{
  FgImageInfo    info;
  float         *values;
  PetscBool      exists;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(PetscTestFile(settings->output, 'r', &exists));
  PetscCheck(!exists || settings->force, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: exists already; choose another --output or give --force", settings->output);
  PetscCall(FgImageReadInfo(settings->map, &info));
  PetscCheck(info.nvolumes == 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " volumes, expected 1; give a map", settings->map, info.nvolumes);
  PetscCall(FgImageRead(settings->map, &info, &values));
  code = SegmentValues(settings, &info, values, log);
  PetscCall(PetscFree(values));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(const void *context, FgLog *log)
{
  PetscMPIInt    rank;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) code = Segment(context, log);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

const FgCommand FgCommandSegment = {
    .name    = "segment",
    .summary = "label what is less and more conductive than the background",
    .usage   = "MAP [-o FILE] [options]",
    .description =
        "Finds the regions of a map of conductivity around its peaks, each down to half of its own peak in the logarithm, drops "
        "those "
        "that have little mass, and writes labels: 0 background, 1 less conductive, 2 more conductive (docs/segmentation.md).",
    .example       = "finegrain segment out/conductivity.nii.gz -o out/labels.nii.gz\n"
                     "finegrain segment conductivity.nii.gz --background 0.6 --share 0.05 -o labels.nii.gz",
    .options       = {options},
    .settings_size = sizeof(SegmentSettings),
    .check         = Check,
    .run           = Run};
