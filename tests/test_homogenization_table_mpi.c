/* test_homogenization_table_mpi.c: tables of effective tensors as files: what was written is read again on every rank, bit for bit; equal
   tables make equal files; files that are damaged, of another kind, or made by somebody else with other types, are refused in one line. */
#include "agreed.h"
#include "square_array.h"

#include "finegrain/closure.h"
#include "finegrain/result.h"

#include <hdf5.h>

static int EqualTables(const FgHomogenizationTable *a, const FgHomogenizationTable *b)
{
  int equal = !strcmp(a->geometry, b->geometry) && !strcmp(a->physics, b->physics) && a->columnar == b->columnar &&
              a->fiber_axis == b->fiber_axis && a->resolution[0] == b->resolution[0] && a->resolution[2] == b->resolution[2] &&
              (a->packing == b->packing || (isnan(a->packing) && isnan(b->packing))) && a->tolerance == b->tolerance &&
              a->naxes == b->naxes && a->npoints == b->npoints;

  for (PetscInt i = 0; equal && i < a->naxes; i++) {
    equal = a->axes[i].n == b->axes[i].n && !strcmp(a->axes[i].name, b->axes[i].name) &&
            !strcmp(a->axes[i].unit, b->axes[i].unit) &&
            !memcmp(a->axes[i].value, b->axes[i].value, sizeof(double) * (size_t)a->axes[i].n);
  }
  return equal && !memcmp(a->tensor, b->tensor, 9 * sizeof(double) * (size_t)a->npoints) &&
         !memcmp(a->fraction_exact, b->fraction_exact, sizeof(double) * (size_t)a->npoints) &&
         !memcmp(a->fraction_voxels, b->fraction_voxels, sizeof(double) * (size_t)a->npoints);
}

/* Rank 0 writes, the others wait for it. */
static PetscErrorCode Write(const char *path, const FgHomogenizationTable *table)
{
  return FgAgree(PETSC_COMM_WORLD, Rank() ? PETSC_SUCCESS : FgHomogenizationTableWrite(path, table));
}

static void Small(FgHomogenizationTable *table)
{
  static const double contrasts[] = {0.0, 0.5, 2.0, 8.0};

  TableFill(table, 5, 0.1, 0.6, 4, contrasts, TableMean, TableMean);
}

static void written_and_read(void **state)
{
  FgHomogenizationTable table, found;
  char                  hash[65];

  (void)state;
  Small(&table);
  table.packing    = NAN;
  table.fiber_axis = 1;
  AgreedSuccess(Write(ScratchPath("a.h5"), &table));
  AgreedSuccess(FgHomogenizationTableRead(PETSC_COMM_WORLD, ScratchPath("a.h5"), &found));
  AgreedTrue(EqualTables(&table, &found));
  AgreedTrue(!strncmp(found.generator, "finegrain ", 10) && !strcmp(found.file, ScratchPath("a.h5")));
  AgreedSuccess(FgFileHash(found.file, hash));
  AgreedTrue(!strcmp(found.hash, hash));
  AgreedSuccess(FgHomogenizationTableDestroy(&found));
  AgreedTrue(access(ScratchPath("a.h5.partial"), F_OK) != 0);
  if (!Rank()) {
    static char bytes[2][65536];

    ExpectSuccess(FgHomogenizationTableWrite(ScratchPath("b.h5"), &table));
    {
      const size_t n = ScratchRead(ScratchPath("a.h5"), bytes[0], sizeof bytes[0]);

      assert_true(n < sizeof bytes[0] && n == ScratchRead(ScratchPath("b.h5"), bytes[1], sizeof bytes[1]));
      assert_memory_equal(bytes[0], bytes[1], n);
    }
  }
  AgreedSuccess(FgHomogenizationTableDestroy(&table));
}

/* Four axes, and a sweep of one point. */
static void any_number_of_axes(void **state)
{
  (void)state;
  for (int naxes = 1; naxes <= FG_SWEEP_AXES; naxes++) {
    FgHomogenizationTable table = {
        .geometry   = "spheres",
        .physics    = "stokes",
        .resolution = {8, 8, 8},
        .packing    = 0.5,
        .naxes      = naxes,
        .axes       = {{.name = "p", .n = naxes}, {.name = "q", .n = 2}, {.name = "r", .n = 3}, {.name = "s", .n = 1}}};
    FgHomogenizationTable found;

    AgreedSuccess(FgHomogenizationTableAllocate(&table));
    for (PetscInt a = 0; a < naxes; a++) {
      for (PetscInt i = 0; i < table.axes[a].n; i++) table.axes[a].value[i] = (double)i - 1.0;
    }
    for (PetscInt i = 0; i < table.npoints; i++) {
      for (int c = 0; c < 9; c++) table.tensor[9 * i + c] = (double)(i + c % 3 + c / 3);
      table.fraction_exact[i] = table.fraction_voxels[i] = 0.25;
    }
    AgreedSuccess(Write(ScratchPath("axes.h5"), &table));
    AgreedSuccess(FgHomogenizationTableRead(PETSC_COMM_WORLD, ScratchPath("axes.h5"), &found));
    AgreedTrue(EqualTables(&table, &found));
    AgreedSuccess(FgHomogenizationTableDestroy(&found));
    AgreedSuccess(FgHomogenizationTableDestroy(&table));
  }
}

static void what_is_not_written(void **state)
{
  FgHomogenizationTable table, large = {.naxes = 2, .axes = {{.name = "a", .n = 4096}, {.name = "b", .n = 4096}}};

  (void)state;
  Small(&table);
  table.tensor[10] = NAN;
  AgreedFailure(Write(ScratchPath("never.h5"), &table), PETSC_ERR_ARG_WRONG, "not finite");
  table.tensor[10] = 7.0;
  AgreedFailure(Write(ScratchPath("never.h5"), &table), PETSC_ERR_ARG_WRONG, "symmetric");
  AgreedTrue(access(ScratchPath("never.h5"), F_OK) != 0);
  AgreedSuccess(FgHomogenizationTableDestroy(&table));
  Small(&table);
  AgreedFailure(Write(ScratchPath("no/such/folder.h5"), &table), PETSC_ERR_FILE_WRITE, "cannot be written");
  AgreedSuccess(FgHomogenizationTableDestroy(&table));
  AgreedFailure(FgAgree(PETSC_COMM_WORLD, FgHomogenizationTableAllocate(&large)), PETSC_ERR_USER, "at most 262144 points");
}

/* Other files: bytes. */
static void no_tables(void **state)
{
  static char           bytes[65536];
  FgHomogenizationTable table;
  size_t                n;

  (void)state;
  Small(&table);
  AgreedSuccess(Write(ScratchPath("good.h5"), &table));
  AgreedSuccess(FgHomogenizationTableDestroy(&table));
  AgreedFailure(FgHomogenizationTableRead(PETSC_COMM_WORLD, ScratchPath("none.h5"), &table), PETSC_ERR_FILE_OPEN, "none.h5");
  AgreedFailure(FgHomogenizationTableRead(PETSC_COMM_WORLD, scratch_folder, &table), PETSC_ERR_FILE_OPEN, "directory");
  if (!Rank()) ScratchWriteText(ScratchPath("text.h5"), "fraction contrast value\n");
  AgreedFailure(FgHomogenizationTableRead(PETSC_COMM_WORLD, ScratchPath("text.h5"), &table), PETSC_ERR_FILE_UNEXPECTED,
                "no HDF5 file");
  n = ScratchRead(ScratchPath("good.h5"), bytes, sizeof bytes);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (!Rank()) ScratchWrite(ScratchPath("short.h5"), bytes, n - 100);
  AgreedFailure(FgHomogenizationTableRead(PETSC_COMM_WORLD, ScratchPath("short.h5"), &table), PETSC_ERR_FILE_UNEXPECTED,
                "cut off");
  bytes[8] = 0;
  if (!Rank()) ScratchWrite(ScratchPath("old.h5"), bytes, n);
  AgreedFailure(FgHomogenizationTableRead(PETSC_COMM_WORLD, ScratchPath("old.h5"), &table), PETSC_ERR_FILE_UNEXPECTED,
                "superblock");
}

/* Other files: whole, but not what they should be. `spoil` changes a good one. */
static void Spoiled(void (*spoil)(hid_t file), const char *text)
{
  const char           *path = ScratchPath("spoiled.h5");
  FgHomogenizationTable table;

  Small(&table);
  AgreedSuccess(Write(path, &table));
  AgreedSuccess(FgHomogenizationTableDestroy(&table));
  if (!Rank()) {
    const hid_t settings = H5Pcreate(H5P_FILE_ACCESS);
    hid_t       file;

    assert_true(H5Pset_libver_bounds(settings, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0);
    file = H5Fopen(path, H5F_ACC_RDWR, settings);
    assert_true(file >= 0);
    spoil(file);
    assert_true(H5Fclose(file) >= 0 && H5Pclose(settings) >= 0);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  AgreedFailure(FgHomogenizationTableRead(PETSC_COMM_WORLD, path, &table), PETSC_ERR_FILE_UNEXPECTED, text);
}

static void ReplaceText(hid_t file, const char *name, const char *text, int variable)
{
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  hid_t       attribute;

  assert_true(H5Tset_size(type, variable ? H5T_VARIABLE : strlen(text)) >= 0 && H5Adelete(file, name) >= 0);
  attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, type, variable ? (const void *)&text : (const void *)text) >= 0);
  assert_true(H5Aclose(attribute) >= 0 && H5Sclose(space) >= 0 && H5Tclose(type) >= 0);
}

static void ReplaceInteger(hid_t file, const char *name, int value)
{
  const hid_t space = H5Screate(H5S_SCALAR);
  hid_t       attribute;

  assert_true(H5Adelete(file, name) >= 0);
  attribute = H5Acreate2(file, name, H5T_STD_I32BE, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, H5T_NATIVE_INT, &value) >= 0 && H5Aclose(attribute) >= 0 && H5Sclose(space) >= 0);
}

static void ReplaceDataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims, int compressed)
{
  const hid_t space = H5Screate_simple(rank, dims, NULL), settings = H5Pcreate(H5P_DATASET_CREATE);
  hid_t       dataset;

  if (compressed) assert_true(H5Pset_chunk(settings, rank, dims) >= 0 && H5Pset_deflate(settings, 1) >= 0);
  assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
  dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, settings, H5P_DEFAULT);
  assert_true(H5Dclose(dataset) >= 0 && H5Sclose(space) >= 0 && H5Pclose(settings) >= 0);
}

static void OtherFormat(hid_t file)
{
  ReplaceText(file, "format", "EIT measurements", 0);
}
static void NewerFormat(hid_t file)
{
  ReplaceInteger(file, "format_version", 2);
}
static void VariableText(hid_t file)
{
  ReplaceText(file, "geometry", "spheres", 1);
}
static void TwoLines(hid_t file)
{
  ReplaceText(file, "geometry", "a\nb", 0);
}
static void NoPhysics(hid_t file)
{
  assert_true(H5Adelete(file, "physics") >= 0);
}
static void ManyAxes(hid_t file)
{
  ReplaceInteger(file, "axes", 1000000);
}
static void NegativeAxis(hid_t file)
{
  ReplaceInteger(file, "fiber_axis", -1);
}
static void LostTensor(hid_t file)
{
  assert_true(H5Ldelete(file, "effective_tensor", H5P_DEFAULT) >= 0);
}

static void ElsewhereTensor(hid_t file)
{
  LostTensor(file);
  assert_true(H5Lcreate_external("good.h5", "effective_tensor", file, "effective_tensor", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void TensorOfFloats(hid_t file)
{
  ReplaceDataset(file, "effective_tensor", H5T_IEEE_F32LE, 4, (const hsize_t[]){5, 4, 3, 3}, 0);
}

static void PackedTensor(hid_t file)
{
  ReplaceDataset(file, "effective_tensor", H5T_IEEE_F64LE, 4, (const hsize_t[]){5, 4, 3, 3}, 1);
}

static void OtherSizes(hid_t file)
{
  ReplaceDataset(file, "effective_tensor", H5T_IEEE_F64LE, 4, (const hsize_t[]){4, 5, 3, 3}, 0);
}

static void HugeSizes(hid_t file) /* claims 2^50 values, of which none is stored */
{
  ReplaceDataset(file, "effective_tensor", H5T_IEEE_F64LE, 2, (const hsize_t[]){1 << 25, 1 << 25}, 0);
}

static void NothingStored(hid_t file) /* zeros: equal fractions */
{
  ReplaceDataset(file, "effective_tensor", H5T_IEEE_F64LE, 4, (const hsize_t[]){5, 4, 3, 3}, 0);
  ReplaceDataset(file, "fraction_voxels", H5T_IEEE_F64LE, 2, (const hsize_t[]){5, 4}, 0);
  ReplaceInteger(file, "columnar", 2);
}

static void Backwards(hid_t file)
{
  const double values[4] = {8.0, 2.0, 0.5, 0.0};
  const hid_t  dataset   = H5Dopen2(file, "axis_1", H5P_DEFAULT);

  assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0 && H5Dclose(dataset) >= 0);
}

static void spoiled_files(void **state)
{
  (void)state;
  Spoiled(OtherFormat, "found the format 'EIT measurements'");
  Spoiled(NewerFormat, "version 2 of the format");
  Spoiled(VariableText, "attribute geometry is something else");
  Spoiled(TwoLines, "attribute geometry");
  Spoiled(NoPhysics, "attribute physics is missing");
  Spoiled(ManyAxes, "attribute axes is 1000000");
  Spoiled(NegativeAxis, "attribute fiber_axis is -1");
  Spoiled(LostTensor, "dataset effective_tensor is missing");
  Spoiled(ElsewhereTensor, "dataset effective_tensor is missing");
  Spoiled(TensorOfFloats, "dataset effective_tensor is missing, or not");
  Spoiled(PackedTensor, "without compression");
  Spoiled(OtherSizes, "dataset effective_tensor has other sizes");
  Spoiled(HugeSizes, "dataset effective_tensor has other sizes");
  Spoiled(NothingStored, "attribute columnar is 2");
  Spoiled(Backwards, "of axis contrast");
}

/* The whole way: a file, a closure that names it. */
static void closure_of_a_file(void **state)
{
  const FgPhases        phases = {3e-3, 1.25e-3, 0.0, 1.0, PETSC_FALSE};
  FgHomogenizationTable table;
  const FgClosure      *closure;
  double                c[2], dc[2];

  (void)state;
  TableOfSquareArray(&table, PETSC_TRUE);
  AgreedSuccess(Write(ScratchPath("square.h5"), &table));
  AgreedSuccess(FgHomogenizationTableDestroy(&table));
  AgreedSuccess(FgHomogenizationTableRead(PETSC_COMM_WORLD, ScratchPath("square.h5"), &table));
  AgreedSuccess(FgClosureFromTable(&table, &phases, &closure));
  AgreedTrue(!strncmp(closure->name, "table:", 6) && !strcmp(closure->name + 6, table.file) &&
             !strcmp(closure->hash, table.hash));
  AgreedSuccess(FgHomogenizationTableDestroy(&table));
  FgClosureEvaluate(closure, &phases, 0.4, c, dc);
  AgreedTrue(fabs(c[0] - 1.95e-3) < 1e-12 && fabs(c[1] - 3e-3 * 0.2303179) < 1e-8);
  AgreedSuccess(FgClosureDestroy(&closure));
}

/* Last: whatever was refused above, no file, dataset or attribute stays open. (What HDF5 itself loses over damaged files,
   tests/lsan.supp leaves out.) */
static void nothing_stays_open(void **state)
{
  (void)state;
  AgreedTrue(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_FILE | H5F_OBJ_DATASET | H5F_OBJ_GROUP | H5F_OBJ_ATTR) == 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(written_and_read),    cmocka_unit_test(any_number_of_axes),
                                     cmocka_unit_test(what_is_not_written), cmocka_unit_test(no_tables),
                                     cmocka_unit_test(spoiled_files),       cmocka_unit_test(closure_of_a_file),
                                     cmocka_unit_test(nothing_stays_open)};
  int                     failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  AgreedScratchOpen();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  AgreedScratchClose();
  FgRecorderStop();
  return PetscFinalize() || failed;
}
