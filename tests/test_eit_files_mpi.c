/* test_eit_files_mpi.c: impedance measurements in memory and on disk: what was written is read again bit for bit and reaches every rank;
   electrodes drop out; whatever is missing, inconsistent or damaged is refused in one line that names it; MATLAB files of the Kuopio
   challenge; electrodes.tsv; results for ParaView. */
#include "agreed.h"
#include "eit_by_others.h"

#include "finegrain/eit.h"
#include "finegrain/mesh_file.h"

#include <hdf5.h>
#include <math.h>
#include <matio.h>

enum { ELECTRODES = 4, PATTERNS = 3, MEASUREMENTS = 4, VOLTAGES = PATTERNS * MEASUREMENTS };

/* Adjacent currents and voltages of four electrodes on a square of two triangles around its middle node; everything that a file can hold. */
static FgEit Whole(void)
{
  static const double   corner[5][2]  = {{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0.5, 0.5}};
  static const PetscInt element[4][3] = {{0, 1, 4}, {1, 2, 4}, {2, 3, 4}, {3, 0, 4}};
  FgEit                 eit;

  assert_false(FgEitCreate(ELECTRODES, PATTERNS, MEASUREMENTS, &eit));
  strcpy(eit->source, "whole");
  assert_false(PetscMalloc1(VOLTAGES, &eit->noise));
  assert_false(PetscMalloc1(VOLTAGES, &eit->reference));
  assert_false(PetscMalloc1(ELECTRODES, &eit->angle));
  assert_false(PetscMalloc1(ELECTRODES, &eit->width));
  assert_false(PetscMalloc1(ELECTRODES, &eit->z));
  assert_false(PetscMalloc1(ELECTRODES, &eit->tall));
  assert_false(PetscMalloc1(3 * ELECTRODES, &eit->position));
  assert_false(PetscMalloc1(ELECTRODES, &eit->electrode_radius));
  for (int l = 0; l < ELECTRODES; l++) {
    snprintf(eit->name[l], sizeof eit->name[l], "E%d", l + 1);
    eit->impedance[l]                                   = 0.01 * (l + 1);
    eit->angle[l]                                       = 0.5 * PETSC_PI * l;
    eit->width[l]                                       = 0.02;
    eit->z[l]                                           = 0.05;
    eit->tall[l]                                        = 0.03;
    eit->position[3 * l]                                = cos(eit->angle[l]);
    eit->position[3 * l + 1]                            = sin(eit->angle[l]);
    eit->position[3 * l + 2]                            = 0.125;
    eit->electrode_radius[l]                            = 0.01;
    eit->pattern[l * ELECTRODES + l]                    = 1.0;
    eit->pattern[l * ELECTRODES + (l + 1) % ELECTRODES] = -1.0;
  }
  for (int p = 0; p < PATTERNS; p++) {
    eit->current[p * ELECTRODES + p]     = 1e-3;
    eit->current[p * ELECTRODES + p + 1] = -1e-3;
  }
  for (int i = 0; i < VOLTAGES; i++) {
    eit->voltage[i]   = 0.1 + i / 7.0;
    eit->noise[i]     = 1e-4 * (i + 1);
    eit->reference[i] = 0.1 + i / 8.0;
  }
  eit->voltage[5]         = NAN;
  eit->depth              = 0.25;
  eit->background         = 0.2;
  eit->radius             = 0.1;
  eit->height             = 0.1;
  eit->simulated_elements = 1000;
  eit->simulated_nodes    = 600;
  assert_false(FgMeshCreate(2, 5, 4, ELECTRODES, 4, &eit->mesh));
  for (int i = 0; i < 5; i++) {
    eit->mesh->node[3 * i]     = corner[i][0];
    eit->mesh->node[3 * i + 1] = corner[i][1];
  }
  memcpy(eit->mesh->element, element, sizeof element);
  for (PetscInt l = 0; l < ELECTRODES; l++) {
    strcpy(eit->mesh->electrode[l], eit->name[l]);
    eit->mesh->face_start[l + 1] = l + 1;
    eit->mesh->face[2 * l]       = l;
    eit->mesh->face[2 * l + 1]   = (l + 1) % 4;
  }
  assert_false(FgMeshFinish(eit->mesh, "whole"));
  assert_false(FgEitCheck(eit));
  return eit;
}

/* Numbers that are equal or both NaN, or arrays that are both missing. */
static int SameReals(const double *a, const double *b, size_t n)
{
  if (!a || !b) return !a && !b;
  for (size_t i = 0; i < n; i++) {
    if (!(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])))) return 0;
  }
  return 1;
}

static int SameMeshes(FgMesh a, FgMesh b)
{
  if (!a || !b) return !a && !b;
  return a->dim == b->dim && a->nnodes == b->nnodes && a->nelements == b->nelements && a->nsites == b->nsites &&
         a->nelectrodes == b->nelectrodes && SameReals(a->node, b->node, 3 * (size_t)a->nnodes) &&
         !memcmp(a->element, b->element, sizeof(PetscInt) * (size_t)(a->dim + 1) * (size_t)a->nelements) &&
         !memcmp(a->site, b->site, sizeof(PetscInt) * (size_t)a->nelements) &&
         SameReals(a->electrode_area, b->electrode_area, (size_t)a->nelectrodes) &&
         !memcmp(a->face_start, b->face_start, sizeof(PetscInt) * (size_t)(a->nelectrodes + 1)) &&
         !memcmp(a->face, b->face, sizeof(PetscInt) * (size_t)a->dim * (size_t)a->face_start[a->nelectrodes]);
}

static int Same(FgEit a, FgEit b)
{
  const size_t l = (size_t)a->nelectrodes, p = (size_t)a->npatterns, m = (size_t)a->nmeasurements;

  return a->nelectrodes == b->nelectrodes && a->npatterns == b->npatterns && a->nmeasurements == b->nmeasurements &&
         !memcmp(a->name, b->name, sizeof *a->name * l) && SameReals(a->impedance, b->impedance, l) &&
         SameReals(a->current, b->current, p * l) && SameReals(a->pattern, b->pattern, m * l) &&
         SameReals(a->voltage, b->voltage, p * m) && SameReals(a->noise, b->noise, p * m) &&
         SameReals(a->reference, b->reference, p * m) && a->depth == b->depth && a->background == b->background &&
         a->radius == b->radius && a->height == b->height && SameReals(a->angle, b->angle, l) && SameReals(a->z, b->z, l) &&
         SameReals(a->width, b->width, l) && SameReals(a->tall, b->tall, l) && SameReals(a->position, b->position, 3 * l) &&
         SameReals(a->electrode_radius, b->electrode_radius, l) && a->simulated_elements == b->simulated_elements &&
         a->simulated_nodes == b->simulated_nodes && a->ndropped == b->ndropped && a->nsilent == b->nsilent &&
         SameMeshes(a->mesh, b->mesh);
}

static void written_read_and_broadcast(void **state)
{
  FgEit     eit = Whole(), found = NULL;
  PetscBool is;

  (void)state;
  if (!Rank()) {
    static char bytes[2][65536];
    size_t      n;

    ExpectSuccess(FgEitWrite(ScratchPath("a.h5"), eit));
    ExpectSuccess(FgEitWrite(ScratchPath("b.h5"), eit));
    n = ScratchRead(ScratchPath("a.h5"), bytes[0], sizeof bytes[0]);
    assert_true(n < sizeof bytes[0] && n == ScratchRead(ScratchPath("b.h5"), bytes[1], sizeof bytes[1]));
    assert_memory_equal(bytes[0], bytes[1], n);
    assert_true(access(ScratchPath("a.h5.partial"), F_OK) != 0);
    ExpectSuccess(FgEitRecognize(ScratchPath("a.h5"), &is));
    assert_true(is);
    ExpectSuccess(FgEitRead(ScratchPath("a.h5"), &found));
    assert_string_equal(found->source, ScratchPath("a.h5"));
  }
  AgreedSuccess(FgEitBroadcast(PETSC_COMM_WORLD, &found));
  AgreedTrue(Same(eit, found) && found->ndropped == 1 && found->nsilent == 0);
  AgreedSuccess(FgEitDestroy(&found));
  AgreedTrue(!found);
  AgreedSuccess(FgEitDestroy(&eit));
}

/* Meshes in space: of tetrahedra, and of voxels, whose sites have six of them each. */
static void meshes_in_space(void **state)
{
  const PetscInt n  = 6;
  FgGrid       grid = {.dims = {n, n, n}, .spacing = {10, 10, 10}, .affine = {{10, 0, 0, -25}, {0, 10, 0, -25}, {0, 0, 10, -25}}};
  PetscInt     voxel[216];
  double       position[3 * ELECTRODES], radius[ELECTRODES];
  FgEit        eit  = Whole(), found;
  const FgTank tank = {.radius      = 0.1,
                       .height      = 0.1,
                       .nelectrodes = ELECTRODES,
                       .name        = (const char(*)[32])eit->name,
                       .angle       = eit->angle,
                       .width       = eit->width,
                       .tall        = eit->tall};

  (void)state;
  for (PetscInt v = 0; v < n * n * n; v++) voxel[v] = v;
  for (PetscInt l = 0; l < ELECTRODES; l++) {
    radius[l]           = 0.012;
    position[3 * l]     = 0.03 * cos(eit->angle[l]);
    position[3 * l + 1] = 0.03 * sin(eit->angle[l]);
    position[3 * l + 2] = 0.0;
  }
  for (int voxels = 0; voxels < 2 && !Rank(); voxels++) {
    ExpectSuccess(FgMeshDestroy(&eit->mesh));
    if (voxels)
      ExpectSuccess(FgMeshCreateVoxels(&grid, n * n * n, voxel, ELECTRODES, (const char(*)[32])eit->name, position, radius,
                                       &eit->mesh, NULL));
    else ExpectSuccess(FgMeshCreateCylinder(&tank, 500, &eit->mesh));
    assert_true(eit->mesh->nsites == (voxels ? n * n * n : eit->mesh->nelements));
    ExpectSuccess(FgEitWrite(ScratchPath("space.h5"), eit));
    ExpectSuccess(FgEitRead(ScratchPath("space.h5"), &found));
    assert_true(Same(eit, found));
    ExpectSuccess(FgEitDestroy(&found));
  }
  ExpectSuccess(FgEitDestroy(&eit));
}

/* Only what is required: three datasets and the impedance. */
static void written_by_others(void **state)
{
  FgEit eit;

  (void)state;
  if (Rank()) return;
  for (ByOthers kind = BY_OTHERS_NEW; kind <= BY_OTHERS_CHUNKS; kind++) {
    assert_false(EitByOthers(ScratchPath("c.h5"), kind, 0));
    ExpectSuccess(FgEitRead(ScratchPath("c.h5"), &eit));
    assert_true(eit->nelectrodes == 2 && eit->npatterns == 1 && eit->nmeasurements == 1 && !strcmp(eit->name[1], "2"));
    assert_true(eit->impedance[0] == 0.5 && eit->impedance[1] == 0.5 && eit->voltage[0] == 2.0 && eit->depth == 1.0);
    assert_true(eit->current[0] == 1.0 && eit->current[1] == -1.0 && eit->pattern[0] == 1.0 && eit->pattern[1] == -1.0);
    assert_true(fabs(eit->noise[0] - 0.02) < 1e-15 && !eit->reference && !eit->mesh && eit->radius == 0.0);
    ExpectSuccess(FgEitDestroy(&eit));
  }
}

static void Replace(const char *name, void (*with)(hid_t file, const char *name))
{
  hid_t file;

  assert_false(EitByOthers(ScratchPath("c.h5"), BY_OTHERS_OLD, 1));
  file = H5Fopen(ScratchPath("c.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
  assert_true(file >= 0);
  if (name) assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
  with(file, name);
  assert_true(H5Fclose(file) >= 0);
}

static void Chunks(hid_t file, const char *name)
{
  assert_true(H5Lmove(file, "chunks", file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
}
static void Compound(hid_t file, const char *name)
{
  assert_true(H5Lmove(file, "pair", file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
}
static void Loop(hid_t file, const char *name)
{
  assert_true(H5Lcreate_hard(file, "/", file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

/* Enough of both that the tree has levels and the headers continue. */
static void Crowd(hid_t file, const char *name)
{
  OthersFile   out     = {.file = file};
  const hid_t  dataset = H5Dopen2(file, "voltage", H5P_DEFAULT);
  const double value   = 7.0;
  char         text[32];

  (void)name;
  for (int i = 0; i < 1500; i++) {
    snprintf(text, sizeof text, "a%d", i);
    OthersDataset(&out, text, 0, NULL, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
    if (i < 200) OthersAttribute(&out, i % 2 ? dataset : file, text, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
  }
  OthersDataset(&out, "depth", 0, NULL, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
  assert_true(!out.failed && H5Dclose(dataset) >= 0);
}

/* Files of the old format: what others put into them, and what none of it does harm to. */
static void of_the_old_format(void **state)
{
  static const double angle[] = {0.0, 3.0};
  static char         bytes[65536], spoiled[65536];
  size_t              n;
  unsigned            chance = 1, taken = 0, refused = 0;
  FgEit               eit;

  (void)state;
  if (Rank()) return;
  assert_false(EitByOthers(ScratchPath("c.h5"), BY_OTHERS_OLD, 1));
  ExpectSuccess(FgEitRead(ScratchPath("c.h5"), &eit));
  assert_true(!strcmp(eit->name[0], "left") && !strcmp(eit->name[1], "right") && eit->voltage[0] == 2.0 && eit->depth == 1.0);
  assert_true(eit->radius == 0.1 && eit->width[1] == 0.1 && eit->angle[0] == angle[0] && eit->angle[1] == angle[1]);
  ExpectSuccess(FgEitDestroy(&eit));
  Replace("depth", Crowd);
  ExpectSuccess(FgEitRead(ScratchPath("c.h5"), &eit));
  assert_true(eit->depth == 7.0 && eit->voltage[0] == 2.0);
  ExpectSuccess(FgEitDestroy(&eit));
  Replace("depth", Loop);
  ExpectFailure(FgEitRead(ScratchPath("c.h5"), &eit), PETSC_ERR_FILE_UNEXPECTED, "depth is damaged, or no dataset");
  Replace("voltage", Chunks);
  ExpectFailure(FgEitRead(ScratchPath("c.h5"), &eit), PETSC_ERR_FILE_UNEXPECTED, "dataset voltage is compressed, chunked or");
  Replace("voltage", Compound);
  ExpectFailure(FgEitRead(ScratchPath("c.h5"), &eit), PETSC_ERR_FILE_UNEXPECTED, "dataset voltage");
  assert_false(EitByOthers(ScratchPath("c.h5"), BY_OTHERS_OLD, 1));
  n = ScratchRead(ScratchPath("c.h5"), bytes, sizeof bytes);
  assert_true(n < sizeof bytes && bytes[8] == 0);
  for (size_t length = 9; length < n; length += 89) {
    ScratchWrite(ScratchPath("c.h5"), bytes, length);
    ExpectFailure(FgEitRead(ScratchPath("c.h5"), &eit), PETSC_ERR_FILE_UNEXPECTED, "superblock of version 0");
    assert_true(!eit && !strchr(recorded_message, '\n'));
  }
  for (size_t place = 9; place < n; place += 29) { /* a byte changed: refused, or read as something else */
    memcpy(spoiled, bytes, n);
    chance         = chance * 1103515245 + 12345;
    spoiled[place] = (char)(spoiled[place] + 1 + (int)(chance >> 16) % 255);
    ScratchWrite(ScratchPath("c.h5"), spoiled, n);
    if (FgEitRead(ScratchPath("c.h5"), &eit)) refused++;
    else taken++;
    ExpectSuccess(FgEitDestroy(&eit));
  }
  assert_true(refused > 20 && taken > 20);
}

/* One thing is spoiled in memory; the check says what. */
static void inconsistent(void **state)
{
  static const char *const said[] = {
      "current pattern 2 sums to 0.001 A",
      "measurement pattern 4 sums to 0.5",
      "current pattern 1 is zero at every electrode",
      "current pattern 1: found nan",
      "both called E1",
      "has no name",
      "electrode E3: found a contact impedance of 0 ohm m^2",
      "depth of -1 m",
      "noise of current pattern 1, measurement 3: found 0 V",
      "reference voltage of current pattern 1, measurement 1: found nan",
      "measurement 2: found inf",
      "found no voltage among 3 x 4",
      "electrodes E1 and E4 have the same place",
      "electrodes E2 and E3 have the same position",
      "electrode E2: found the angle",
      "background conductivity of -0.1 S/m",
      "electrode E1: found a radius of -1 m",
      "tank of radius nan",
      "expected both within the tank",
  };

  (void)state;
  if (Rank()) return;
  for (size_t k = 0; k < sizeof said / sizeof *said; k++) {
    FgEit eit = Whole();

    if (k == 0) eit->current[1 * ELECTRODES + 2] = 0.0;
    if (k == 1) eit->pattern[3 * ELECTRODES + 0] = -0.5;
    if (k == 2) eit->current[0] = eit->current[1] = 0.0;
    if (k == 3) eit->current[0] = NAN;
    if (k == 4) strcpy(eit->name[2], "E1");
    if (k == 5) eit->name[2][0] = 0;
    if (k == 6) eit->impedance[2] = 0.0;
    if (k == 7) eit->depth = -1.0;
    if (k == 8) eit->noise[2] = 0.0;
    if (k == 9) eit->reference[0] = NAN;
    if (k == 10) eit->voltage[1] = INFINITY;
    if (k == 11) {
      for (int i = 0; i < VOLTAGES; i++) eit->voltage[i] = NAN;
    }
    if (k == 12) eit->angle[3] = eit->angle[0] + 2.0 * PETSC_PI;
    if (k == 13) memcpy(eit->position + 3, eit->position + 6, 3 * sizeof(double));
    if (k == 14) eit->width[1] = 0.0;
    if (k == 15) eit->background = -0.1;
    if (k == 16) eit->electrode_radius[0] = -1.0;
    if (k == 17) eit->radius = NAN;
    if (k == 18) eit->tall[0] = 1.0;
    ExpectFailure(FgEitCheck(eit), PETSC_ERR_FILE_UNEXPECTED, said[k]);
    assert_true(!strncmp(recorded_message, "whole: ", 7));
    ExpectSuccess(FgEitDestroy(&eit));
  }
}

static void electrodes_drop(void **state)
{
  const PetscInt second = 1, none = 7, middle[] = {1, 2};
  FgEit          eit = Whole();

  (void)state;
  ExpectFailure(FgEitDrop(eit, 1, &none), PETSC_ERR_USER, "no electrode 8");
  ExpectFailure(FgEitDrop(eit, 2, middle), PETSC_ERR_USER, "drives a dropped electrode");
  assert_int_equal(eit->npatterns, PATTERNS);
  ExpectSuccess(FgEitDrop(eit, 1, &second)); /* of the patterns 1-2, 2-3, 3-4 the last stays, of the voltages 3-4 and 4-1 */
  assert_int_equal(eit->npatterns, 1);
  assert_true(eit->current[2] == 1e-3 && eit->current[3] == -1e-3 && eit->current[0] == 0.0 && eit->current[1] == 0.0);
  assert_true(isnan(eit->voltage[0]) && isnan(eit->voltage[1]));
  assert_true(eit->voltage[2] == 0.1 + 10 / 7.0 && eit->voltage[3] == 0.1 + 11 / 7.0);
  assert_true(eit->noise[3] == 1e-4 * 12 && eit->reference[3] == 0.1 + 11 / 8.0);
  assert_true(eit->ndropped == 2 && eit->nsilent == 1 && eit->nelectrodes == ELECTRODES);
  ExpectSuccess(FgEitDestroy(&eit));
}

/* A file without one of its datasets, or with another one in its place. */
static void Spoil(const char *name, int with, hsize_t n)
{
  const hid_t file = H5Fopen(ScratchPath("d.h5"), H5F_ACC_RDWR, H5P_DEFAULT);

  assert_true(file >= 0 && H5Ldelete(file, name, H5P_DEFAULT) >= 0);
  if (with) {
    const hid_t space   = H5Screate_simple(1, &n, NULL);
    const hid_t dataset = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

    assert_true(dataset >= 0 && H5Dclose(dataset) >= 0 && H5Sclose(space) >= 0);
  }
  assert_true(H5Fclose(file) >= 0);
}

static void missing_and_damaged(void **state)
{
  static const char *const parts[] = {
      "current",    "measurement_pattern", "voltage",   "contact_impedance", "tank/radius",
      "tank/angle", "positions/position",  "mesh/node", "mesh/element",      "mesh/electrode_face_start"};
  static char bytes[65536];
  size_t      n;
  FgEit       eit = NULL, whole = Whole();
  PetscBool   is;

  (void)state;
  if (!Rank()) {
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
      for (int with = 0; with < 2; with++) {
        ExpectSuccess(FgEitWrite(ScratchPath("d.h5"), whole));
        Spoil(parts[k], with, 77);
        ExpectFailure(FgEitRead(ScratchPath("d.h5"), &eit), PETSC_ERR_FILE_UNEXPECTED, parts[k]);
        assert_true(!eit && !strchr(recorded_message, '\n'));
      }
    }
    ExpectSuccess(FgEitWrite(ScratchPath("d.h5"), whole));
    Spoil("current", 1, (hsize_t)1 << 40);
    ExpectFailure(FgEitRead(ScratchPath("d.h5"), &eit), PETSC_ERR_FILE_UNEXPECTED, "current");
    ExpectSuccess(FgEitWrite(ScratchPath("d.h5"), whole));
    n = ScratchRead(ScratchPath("d.h5"), bytes, sizeof bytes);
    for (size_t length = 0; length < n; length += 97) {
      ScratchWrite(ScratchPath("d.h5"), bytes, length);
      ExpectFailure(FgEitRead(ScratchPath("d.h5"), &eit), PETSC_ERR_FILE_UNEXPECTED, "d.h5");
    }
    ExpectFailure(FgEitRead(ScratchPath("none.h5"), &eit), PETSC_ERR_FILE_OPEN, "none.h5");
    ScratchWriteText(ScratchPath("text.h5"), "a text");
    ExpectFailure(FgEitRead(ScratchPath("text.h5"), &eit), PETSC_ERR_FILE_UNEXPECTED, "no HDF5 file");
    ExpectSuccess(FgEitRecognize(ScratchPath("text.h5"), &is));
    assert_false(is);
    ExpectFailure(FgEitWrite(ScratchPath("none/a.h5"), whole), PETSC_ERR_FILE_WRITE, "none/a.h5");
  }
  AgreedSuccess(FgEitDestroy(&whole));
}

/* --- MATLAB ------------------------------------------------------------------------------------------------------------------ */

static void Put(mat_t *file, const char *name, size_t rows, size_t columns, double *values)
{
  size_t    dims[] = {rows, columns};
  matvar_t *matrix = Mat_VarCreate(name, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, values, 0);

  assert_non_null(matrix);
  assert_int_equal(Mat_VarWrite(file, matrix, MAT_COMPRESSION_ZLIB), 0);
  Mat_VarFree(matrix);
}

/* Three electrodes, two patterns, two voltages each. */
static void PutKtc(enum mat_ft version, int without, double factor)
{
  double current[] = {2, -2, 0, 0, 2, -2}, pattern[] = {1, -1, 0, 0, 1, -1}, voltage[] = {1.5, -0.5, -0.25, 3.0};
  double changed[] = {2 * factor, -2 * factor, 0, 0, 2 * factor, -2 * factor};
  mat_t *file;

  file = Mat_CreateVer(ScratchPath("ref.mat"), NULL, version);
  assert_non_null(file);
  if (without != 1) Put(file, "Injref", 3, 2, current);
  if (without != 2) Put(file, "Mpat", 3, 2, pattern);
  if (without != 3) Put(file, "Uelref", without == 5 ? 3 : 4, 1, voltage);
  (void)Mat_Close(file);
  for (int i = 0; i < 4; i++) voltage[i] *= 1.125;
  file = Mat_CreateVer(ScratchPath("data1.mat"), NULL, version);
  assert_non_null(file);
  Put(file, "Inj", 3, 2, changed);
  if (without != 4) Put(file, "Uel", 2, 2, voltage);
  (void)Mat_Close(file);
}

static void kuopio_challenge(void **state)
{
  static const char *const missing[] = {"Injref", "Mpat", "Uelref", "Uel"};
  FgEit                    eit;
  static char              bytes[4096];
  size_t                   n;

  (void)state;
  if (Rank()) return;
  for (int k = 0; k < 2; k++) { /* the second with the serial HDF5 that matio brings, besides ours */
    PutKtc(k ? MAT_FT_MAT73 : MAT_FT_MAT5, 0, 1.0);
    ExpectSuccess(FgEitReadKtc(ScratchPath("data1.mat"), ScratchPath("ref.mat"), &eit));
    assert_true(eit->nelectrodes == 3 && eit->npatterns == 2 && eit->nmeasurements == 2 && !strcmp(eit->name[2], "3"));
    assert_true(eit->current[0] == 2e-3 && eit->current[1] == -2e-3 && eit->current[4] == 2e-3 && eit->current[5] == -2e-3);
    assert_true(eit->pattern[1] == -1.0 && eit->pattern[4] == 1.0 && eit->pattern[0] == 1.0 && eit->pattern[3] == 0.0);
    assert_true(eit->voltage[1] == 1.125 * -0.5 && eit->voltage[2] == 1.125 * -0.25 && eit->reference[2] == -0.25);
    assert_true(fabs(eit->noise[0] - hypot(5e-4 * 1.5 * 1.125, 1e-4 * 3.0 * 1.125)) < 1e-15);
    assert_true(eit->radius == 0.115 && eit->height == 0.0 && fabs(eit->angle[0] - 0.5 * PETSC_PI) < 1e-15 &&
                fabs(eit->angle[1] - eit->angle[0] - 2.0 * PETSC_PI / 3.0) < 1e-14);
    assert_true(fabs(eit->width[0] - 0.115 * PETSC_PI / 32.0) < 1e-15 && eit->depth == 1.0 && eit->background == 0.0);
    ExpectSuccess(FgEitWrite(ScratchPath("ktc.h5"), eit));
    ExpectSuccess(FgEitDestroy(&eit));
    ExpectSuccess(FgEitRead(ScratchPath("ktc.h5"), &eit));
    ExpectSuccess(FgEitDestroy(&eit));
  }
  for (int k = 1; k <= 4; k++) {
    PutKtc(MAT_FT_MAT5, k, 1.0);
    ExpectFailure(FgEitReadKtc(ScratchPath("data1.mat"), ScratchPath("ref.mat"), &eit), PETSC_ERR_FILE_UNEXPECTED,
                  missing[k - 1]);
    assert_null(eit);
  }
  PutKtc(MAT_FT_MAT5, 5, 1.0);
  ExpectFailure(FgEitReadKtc(ScratchPath("data1.mat"), ScratchPath("ref.mat"), &eit), PETSC_ERR_FILE_UNEXPECTED,
                "found 3 voltages Uelref, expected 2 x 2");
  PutKtc(MAT_FT_MAT5, 0, 1.5);
  ExpectFailure(FgEitReadKtc(ScratchPath("data1.mat"), ScratchPath("ref.mat"), &eit), PETSC_ERR_FILE_UNEXPECTED,
                "other ones than Injref");
  ExpectFailure(FgEitReadKtc(ScratchPath("none.mat"), ScratchPath("ref.mat"), &eit), PETSC_ERR_FILE_OPEN, "none.mat");
  ScratchWriteText(ScratchPath("text.mat"), "a text");
  ExpectFailure(FgEitReadKtc(ScratchPath("data1.mat"), ScratchPath("text.mat"), &eit), PETSC_ERR_FILE_UNEXPECTED, "text.mat");
  n = ScratchRead(ScratchPath("ref.mat"), bytes, sizeof bytes);
  for (size_t length = 0; length < n - 8; length += 13) { /* cut off: refused, or whole but for the padding */
    ScratchWrite(ScratchPath("cut.mat"), bytes, length);
    ExpectFailure(FgEitReadKtc(ScratchPath("data1.mat"), ScratchPath("cut.mat"), &eit), PETSC_ERR_FILE_UNEXPECTED, "cut.mat");
  }
}

/* --- Positions ----------------------------------------------------------------------------------------------------------------- */

static void positions_of_electrodes(void **state)
{
  static const struct {
    const char *text, *said;
  } bad[] = {
      {"", "is empty"},
      {"name\tx\ty\nE1\t1\t2\n", "no column z"},
      {"name\tx\ty\tz\tx\n", "two columns x"},
      {"name\tx\ty\tz\nE1\t1\t2\n", "line 2: found no z"},
      {"name\tx\ty\tz\nE1\t1\tn/a\t2\n", "electrode E1 has no number for y"},
      {"name\tx\ty\tz\nE1\t1\t2\t3\nE1\t1\t2\t3\n", "line 3: found electrode E1 a second time"},
      {"name\tx\ty\tz\nE1\t1\t2\t3\nE2\t1\t2\t4\nE4\t1\t3\t4\n", "found no electrode E3"},
      {"name\tx\ty\tz\nE1\t1\t2\t3\nE2\t1\t2\t3\nE3\t1\t2\t4\nE4\t1\t2\t5\n", "E1 and E2 have the same position"},
  };
  FgEit    eit = Whole();
  PetscInt n;
  char     name[4][32];

  (void)state;
  if (!Rank()) {
    ScratchWriteText(ScratchPath("e.tsv"),
                     "size\tz\tname\tx\ty\r\n5\t3\tE2\t1\t2\r\n5\t0\tE1\t0\t0.5\r\n\r\nn/a\tn/a\tGND\tn/a\tn/a\r\n"
                     "5\t6\tE3\t4\t5\r\n5\t9\tE4 \t7\t-8e0");
    ExpectSuccess(FgEitReadPositions(ScratchPath("e.tsv"), 1e-3, eit));
    assert_true(eit->position[0] == 0.0 && eit->position[1] == 1e-3 * 0.5 && eit->position[3] == 1e-3 &&
                eit->position[5] == 1e-3 * 3.0);
    ExpectSuccess(FgEitReadNames(ScratchPath("e.tsv"), 4, &n, name)); /* without GND, which has no position */
    assert_int_equal(n, 4);
    assert_string_equal(name[0], "E2");
    assert_string_equal(name[3], "E4");
    ExpectFailure(FgEitReadNames(ScratchPath("e.tsv"), 3, &n, name), PETSC_ERR_FILE_UNEXPECTED, "line 7: found more electrodes");
    assert_true(eit->position[10] == 1e-3 * -8.0 && eit->position[11] == 1e-3 * 9.0);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
      ScratchWriteText(ScratchPath("e.tsv"), bad[k].text);
      ExpectFailure(FgEitReadPositions(ScratchPath("e.tsv"), 1.0, eit), PETSC_ERR_FILE_UNEXPECTED, bad[k].said);
    }
    ScratchWriteText(ScratchPath("e.tsv"), "name\tx\ty\tz\nE1\t1\t2\t3\n");
    ExpectFailure(FgEitReadNames(ScratchPath("e.tsv"), 4, &n, name), PETSC_ERR_FILE_UNEXPECTED, "found 1 electrodes");
    ExpectFailure(FgEitReadPositions(ScratchPath("none.tsv"), 1.0, eit), PETSC_ERR_FILE_OPEN, "none.tsv");
  }
  AgreedSuccess(FgEitDestroy(&eit));
}

/* --- Results ------------------------------------------------------------------------------------------------------------------- */

static void results_for_paraview(void **state)
{
  const double    scalar[] = {1, 2, 3, 4}, vector[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const FgMeshMap maps[] = {{"conductivity", "S/m", 1, scalar}, {"fiber direction", "1", 3, vector}};
  FgEit           eit    = Whole();

  (void)state;
  if (!Rank()) {
    static char text[16384];
    double      found[12];
    hid_t       file, dataset;
    size_t      n;

    ExpectSuccess(FgMeshWriteXdmf(ScratchPath("result.xdmf"), eit->mesh, 2, maps));
    n       = ScratchRead(ScratchPath("result.xdmf"), text, sizeof text - 1);
    text[n] = 0;
    assert_non_null(strstr(text, "NumberOfElements=\"4\""));
    assert_non_null(strstr(text, "Name=\"conductivity [S/m]\" AttributeType=\"Scalar\" Center=\"Cell\""));
    assert_non_null(strstr(text, "Dimensions=\"4 3\">result.h5:/maps/fiber_direction</DataItem>"));
    assert_non_null(strstr(text, "TopologyType=\"Polyline\" NumberOfElements=\"4\" NodesPerElement=\"2\""));
    file    = H5Fopen(ScratchPath("result.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    dataset = H5Dopen2(file, "maps/fiber_direction", H5P_DEFAULT);
    assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, found) >= 0);
    assert_memory_equal(found, vector, sizeof vector);
    (void)H5Dclose(dataset);
    (void)H5Fclose(file);
    ExpectFailure(FgMeshWriteXdmf(ScratchPath("result.vtk"), eit->mesh, 2, maps), PETSC_ERR_USER, "expected .xdmf");
    ExpectFailure(FgMeshWriteXdmf(ScratchPath("none/result.xdmf"), eit->mesh, 2, maps), PETSC_ERR_FILE_WRITE, "none/result.h5");
  }
  AgreedSuccess(FgEitDestroy(&eit));
}

/* Last: whatever was refused above, no file, dataset or attribute stays open. */
static void nothing_stays_open(void **state)
{
  (void)state;
  AgreedTrue(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_FILE | H5F_OBJ_DATASET | H5F_OBJ_GROUP | H5F_OBJ_ATTR) == 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(written_read_and_broadcast),
      cmocka_unit_test(meshes_in_space),
      cmocka_unit_test(written_by_others),
      cmocka_unit_test(of_the_old_format),
      cmocka_unit_test(inconsistent),
      cmocka_unit_test(electrodes_drop),
      cmocka_unit_test(missing_and_damaged),
      cmocka_unit_test(kuopio_challenge),
      cmocka_unit_test(positions_of_electrodes),
      cmocka_unit_test(results_for_paraview),
      cmocka_unit_test(nothing_stays_open),
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
