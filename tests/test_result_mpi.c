/* test_result_mpi.c: the output folder: maps and sidecars whole, nothing overwritten unasked, nothing left of what failed. */
#include "agreed.h"

#include "data/colormap.h"
#include "finegrain/domain.h"
#include "finegrain/result.h"

#include <cairo.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define NX     6
#define NY     5
#define NZ     4
#define VOXELS (NX * NY * NZ)

/* A measurement as reading leaves it, without files: every second voxel is in the mask. */
static void MakeMeasurement(FgMeasurement *m, PetscInt *voxel)
{
  const FgGrid grid = {
      .dims = {NX, NY, NZ}, .spacing = {2, 2, 3}, .affine = {{-2, 0, 0, 1}, {0, 2, 0, 2}, {0, 0, 3, 3}}, .sform_code = 2};
  PetscMPIInt rank, size;

  memset(m, 0, sizeof *m);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  m->comm  = PETSC_COMM_WORLD;
  m->grid  = grid;
  m->nmask = VOXELS / 2;
  m->voxel = voxel;
  for (PetscInt k = 0; k < m->nmask; k++) voxel[k] = 2 * k;
  FgDomainRun(m->nmask, rank, size, &m->first, &m->nlocal);
}

static void Folder(const char *name, char path[512])
{
  snprintf(path, 512, "%s/%s", scratch_folder, name);
}

static void MapsHaveSidecars(void **state)
{
  const FgImageSpec spec = {.map = "direction", .nvolumes = 3, .intent_code = 2003, .reference_axes = "xyz"};
  PetscInt          voxel[VOXELS];
  FgMeasurement     m;
  FgResult          result;
  char              folder[512], path[600];
  float             local[3 * VOXELS], *values;
  int               good = 1;

  MakeMeasurement(&m, voxel);
  Folder("deep/er/out", folder);
  AgreedSuccess(FgResultOpen(&m, folder, NULL, PETSC_FALSE, json_pack("{s:{s:s}}", "GeneratedBy", "Name", "finegrain"), &result));
  for (PetscInt i = 0; i < m.nlocal; i++) {
    for (int c = 0; c < 3; c++) local[3 * i + c] = (float)(10 * (m.first + i) + c);
  }
  AgreedSuccess(FgResultWriteMap(&result, "direction", &spec, "1", "Fiber direction", local, -1.0f));
  if (!Rank()) {
    FgImageInfo info;
    json_t     *sidecar;

    snprintf(path, sizeof path, "%s/direction.nii.gz", folder);
    ExpectSuccess(FgImageRead(path, &info, &values));
    assert_int_equal(info.grid.sform_code, 2);
    for (int c = 0; c < 3; c++) {
      for (int v = 0; v < VOXELS; v++) good = good && values[c * VOXELS + v] == (v % 2 ? -1.0f : (float)(10 * (v / 2) + c));
    }
    ExpectSuccess(PetscFree(values));
    snprintf(path, sizeof path, "%s/direction.json", folder);
    sidecar = json_load_file(path, 0, NULL);
    good    = good && sidecar && !strcmp(json_string_value(json_object_get(sidecar, "Units")), "1") &&
           !strcmp(json_string_value(json_object_get(sidecar, "Description")), "Fiber direction") &&
           !strcmp(json_string_value(json_object_get(sidecar, "ReferenceAxes")), "xyz") &&
           json_number_value(json_array_get(json_object_get(sidecar, "Range"), 0)) == 0.0 &&
           json_number_value(json_array_get(json_object_get(sidecar, "Range"), 1)) == 10.0 * (VOXELS / 2 - 1) + 2.0 &&
           json_is_object(json_object_get(sidecar, "GeneratedBy"));
    json_decref(sidecar);
  }
  AgreedTrue(good);
  AgreedSuccess(FgResultDestroy(&result));
}

static void NothingIsOverwrittenUnasked(void **state)
{
  static const char *const names[] = {"a.nii.gz", "b.json", NULL};
  PetscInt                 voxel[VOXELS];
  FgMeasurement            m;
  FgResult                 result;
  char                     folder[512], path[600];

  MakeMeasurement(&m, voxel);
  Folder("taken", folder);
  if (!Rank()) {
    assert_int_equal(mkdir(folder, 0777), 0);
    snprintf(path, sizeof path, "%s/other.txt", folder);
    ScratchWriteText(path, "not in the way");
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  AgreedSuccess(FgResultOpen(&m, folder, names, PETSC_FALSE, NULL, &result));
  AgreedSuccess(FgResultDestroy(&result));
  snprintf(path, sizeof path, "%s/b.json", folder);
  if (!Rank()) ScratchWriteText(path, "{}");
  MPI_Barrier(PETSC_COMM_WORLD);
  AgreedFailure(FgResultOpen(&m, folder, names, PETSC_FALSE, json_object(), &result), PETSC_ERR_USER, "b.json exists already");
  AgreedSuccess(FgResultOpen(&m, folder, names, PETSC_TRUE, json_object(), &result));
  AgreedSuccess(FgResultDestroy(&result));
  AgreedFailure(FgResultOpen(&m, path, names, PETSC_TRUE, json_object(), &result), PETSC_ERR_FILE_WRITE, "expected a folder");
  AgreedFailure(FgResultOpen(&m, "", names, PETSC_TRUE, json_object(), &result), PETSC_ERR_USER, "output folder");
}

static void FullDiskFailsOnAllRanksAndLeavesNothing(void **state)
{
  const FgImageSpec spec = {.map = "map", .nvolumes = 1};
  PetscInt          voxel[VOXELS];
  FgMeasurement     m;
  FgResult          result;
  char              folder[512], path[600];
  float             local[VOXELS] = {0};
  struct rlimit     before, small;
  int               good = 1;

  MakeMeasurement(&m, voxel);
  Folder("full", folder);
  AgreedSuccess(FgResultOpen(&m, folder, NULL, PETSC_FALSE, NULL, &result));
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  small          = before;
  small.rlim_cur = 10;
  if (!Rank()) good = setrlimit(RLIMIT_FSIZE, &small) == 0;
  AgreedTrue(good);
  AgreedFailure(FgResultWriteMap(&result, "map", &spec, "1", "A map", local, 0.0f), PETSC_ERR_FILE_WRITE, "cannot be written");
  if (!Rank()) good = setrlimit(RLIMIT_FSIZE, &before) == 0;
  AgreedTrue(good);
  snprintf(path, sizeof path, "%s", folder);
  AgreedTrue(Rank() || rmdir(path) == 0); /* empty */
  AgreedSuccess(FgResultDestroy(&result));
}

/* The picture takes the same path to the disk; read back, it is a PNG of some size, also for a flat map and an empty mask. */
static void PictureIsDrawn(void **state)
{
  PetscInt      voxel[VOXELS];
  FgMeasurement m;
  float         values[3 * VOXELS];
  unsigned char mask[VOXELS], bytes[64];

  if (Rank()) return;
  MakeMeasurement(&m, voxel);
  for (int v = 0; v < 3 * VOXELS; v++) values[v] = v % 7 ? (float)v / (3 * VOXELS) : NAN;
  for (int empty = 0; empty <= 1; empty++) {
    const FgPanel panels[] = {{.title = "gray", .unit = "1", .values = values, .colormap = "gray"},
                              {.title = "flat", .unit = "mm²/s", .values = values, .low = 1, .high = 1, .colormap = "viridis"},
                              {.title = "color", .values = values, .rgb = PETSC_TRUE}};

    for (int v = 0; v < VOXELS; v++) mask[v] = !empty && v % 2 == 0;
    ExpectSuccess(FgPictureWrite(ScratchPath("picture.png"), &m.grid, mask, 3, panels));
    assert_true(ScratchRead(ScratchPath("picture.png"), bytes, sizeof bytes) == sizeof bytes);
    assert_memory_equal(bytes, "\x89PNG\r\n\x1a\n", 8);
    assert_true(bytes[18] * 256 + bytes[19] > 300 && bytes[22] * 256 + bytes[23] > 300);
  }
  ExpectFailure(FgPictureWrite(ScratchPath("no/such/picture.png"), &m.grid, mask, 0, NULL), PETSC_ERR_FILE_WRITE,
                "picture.png: cannot be written");
}

/* The picture of the whole box with one electrode of radius 1 mm at x, y, z [mm] on its side; white[y][x] of its pixels. */
static void DrawElectrode(double x, double y, double z, int *width, int *height, unsigned char **white)
{
  const double     position[3] = {1e-3 * x, 1e-3 * y, 1e-3 * z}, radius = 1e-3;
  const char       name[1][32] = {"E"};
  PetscInt         voxel[VOXELS];
  float            values[VOXELS] = {0};
  unsigned char    mask[VOXELS];
  FgMeasurement    m;
  FgMesh           mesh;
  cairo_surface_t *surface;

  MakeMeasurement(&m, voxel);
  for (int v = 0; v < VOXELS; v++) voxel[v] = v, mask[v] = 1;
  ExpectSuccess(FgMeshCreateVoxels(&m.grid, VOXELS, voxel, 1, name, position, &radius, &mesh, NULL));
  ExpectSuccess(FgPictureWrite(ScratchPath("electrode.png"), &m.grid, mask, 1,
                               &(FgPanel){.title = "flat", .unit = "1", .values = values, .colormap = "viridis", .mesh = mesh}));
  ExpectSuccess(FgMeshDestroy(&mesh));
  surface = cairo_image_surface_create_from_png(ScratchPath("electrode.png"));
  assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
  *width  = cairo_image_surface_get_width(surface);
  *height = cairo_image_surface_get_height(surface);
  *white  = malloc((size_t)*width * (size_t)*height);
  assert_non_null(*white);
  for (int i = 0; i < *width * *height; i++) {
    const unsigned char *pixel = cairo_image_surface_get_data(surface) + i / *width * cairo_image_surface_get_stride(surface) +
                                 4 * (i % *width);

    (*white)[i] = pixel[0] > 200 && pixel[1] > 200 && pixel[2] > 200;
  }
  cairo_surface_destroy(surface);
}

/* Electrodes at the right and at the left are strokes at that side of the axial and the coronal slice, and none in the sagittal one; one
   that no slice goes through is not there. */
static void ElectrodesAreDrawnInTheirSlices(void **state)
{
  unsigned char *right, *left, *away;
  int            width, height, columns[2] = {0}, middle;

  (void)state;
  if (Rank()) return;
  DrawElectrode(2, 6, 9, &width, &height, &right);
  DrawElectrode(-10, 6, 9, &width, &height, &left);
  DrawElectrode(-3, 11, 3, &width, &height, &away); /* back, at the bottom: only the sagittal slice might meet it, in x = -4 */
  middle = width / 3;
  for (int x = 0; x < width; x++) {
    int only[2] = {0}, third = 0;

    for (int i = x; i < width * height; i += width) {
      only[0] += right[i] && !left[i] && !away[i];
      only[1] += left[i] && !right[i] && !away[i];
      third += away[i] && !right[i] && !left[i];
    }
    for (int k = 0; k < 2; k++) columns[k] += only[k] >= 20; /* a stroke as tall as a voxel and more, not a letter */
    if (x < middle) assert_true(third < 20);                 /* not in the axial slice */
    if (x > 2 * middle) assert_true(only[0] + only[1] == 0); /* not in the sagittal slice */
  }
  assert_in_range(columns[0], 6, 12); /* in two slices, 4 pixels wide */
  assert_in_range(columns[1], 6, 12);
  free(right);
  free(left);
  free(away);
}

/* Ends and middle of matplotlib's tables. */
static void ColorsAreThoseOfTheirMaps(void **state)
{
  double rgb[3];

  FgColormap("viridis", -1, rgb);
  assert_true(fabs(rgb[0] - 0.267) < 1e-3 && fabs(rgb[1] - 0.005) < 2e-3 && fabs(rgb[2] - 0.329) < 1e-3);
  FgColormap("viridis", 0.5, rgb);
  assert_true(fabs(rgb[0] - 0.128) < 0.02 && fabs(rgb[1] - 0.567) < 0.02 && fabs(rgb[2] - 0.551) < 0.02);
  FgColormap("inferno", 2, rgb);
  assert_true(fabs(rgb[0] - 0.988) < 1e-2 && fabs(rgb[1] - 0.998) < 1e-2 && fabs(rgb[2] - 0.645) < 1e-2);
  FgColormap("gray", 0.25, rgb);
  assert_true(fabs(rgb[0] - 0.25) < 1e-12 && rgb[1] == rgb[0] && rgb[2] == rgb[0]);
}

/* FIPS 180-2, appendix B. */
static void HashIsSha256(void **state)
{
  char hex[65];

  if (Rank()) return;
  ScratchWriteText(ScratchPath("abc"), "abc");
  ExpectSuccess(FgFileHash(ScratchPath("abc"), hex));
  assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  ExpectFailure(FgFileHash(ScratchPath("nothing"), hex), PETSC_ERR_FILE_OPEN, "nothing: cannot be opened");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(MapsHaveSidecars),
      cmocka_unit_test(NothingIsOverwrittenUnasked),
      cmocka_unit_test(FullDiskFailsOnAllRanksAndLeavesNothing),
      cmocka_unit_test(PictureIsDrawn),
      cmocka_unit_test(ElectrodesAreDrawnInTheirSlices),
      cmocka_unit_test(ColorsAreThoseOfTheirMaps),
      cmocka_unit_test(HashIsSha256),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  AgreedScratchOpen();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  AgreedScratchClose();
  FgRecorderStop();
  return PetscFinalize() || failed;
}
