/* test_cell_files_mpi.c: phases files, cell images in and out on any number of ranks, and what is refused, one line each. */
#include "agreed.h"

#include "finegrain/cell_file.h"
#include "finegrain/geometry.h"
#include "finegrain/image.h"

#include <hdf5.h>
#include <math.h>
#include <nifti2_io.h>
#include <sys/stat.h>
#include <zlib.h>

/* --- Phases files --------------------------------------------------------------------------------------------------------- */

static const char *const good_phases = "# a cell\n"
                                       "phases:\n"
                                       "  - {label: 0, name: matrix, conductivity: 1.0}\n"
                                       "  - {label: 1, name: fiber, conductivity: [2, 0.5, 0.25], youngs-modulus: 1e4}\n"
                                       "  - label: -3\n"
                                       "    conductivity: [[2, 1, 0], [1, 2, 0], [0, 0, 4]]\n"
                                       "    fixed-charge: -20\n"
                                       "cell: {temperature: 298.15, viscosity: 1e-3, mean-velocity: [1, 0, -2]}\n"
                                       "ions:\n"
                                       "  - {name: Na, valence: 1, diffusivity: 1.334e-9, bath: 150}\n"
                                       "  - {name: Cl, valence: -1, diffusivity: 2.032e-9, bath: 150}\n";

static const char *WritePhases(const char *text)
{
  if (!Rank()) ScratchWriteText(ScratchPath("phases.yaml"), text);
  MPI_Barrier(PETSC_COMM_WORLD);
  return ScratchPath("phases.yaml");
}

static void ReadsPhases(void **state)
{
  FgPhaseTable  table;
  const double *tensor;

  AgreedSuccess(FgPhaseTableRead(WritePhases(good_phases), &table));
  AgreedTrue(table.nphases == 3 && table.nproperties == 3 && table.nions == 2 && strstr(table.source, "phases.yaml"));
  AgreedTrue(!strcmp(table.phases[0].name, "matrix") && !strcmp(table.phases[2].name, "phase -3") && table.phases[2].label == -3);
  AgreedTrue(table.phases[1].nproperties == 2 && table.phases[1].properties[1].value[0] == 1e4);
  tensor = table.phases[1].properties[0].value;
  AgreedTrue(tensor[0] == 2 && tensor[1] == 0.5 && tensor[2] == 0.25 && tensor[3] == 0);
  tensor = table.phases[2].properties[0].value;
  AgreedTrue(tensor[0] == 2 && tensor[1] == 2 && tensor[2] == 4 && tensor[3] == 0 && tensor[4] == 0 && tensor[5] == 1);
  AgreedTrue(table.ions[1].valence == -1 && table.ions[0].diffusivity == 1.334e-9 && !strcmp(table.ions[1].name, "Cl"));
  AgreedTrue(table.properties[2].value[2] == -2);
  AgreedSuccess(FgPhaseTableDestroy(&table));
}

static void RefusesMistakesInPhases(void **state)
{
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"", "phases.yaml: found no phases"},
      {"phases: []\n", "phases.yaml: found no phases"},
      {"cell: {temperature: 300}\n", "phases.yaml: found no phases"},
      {"- a\n", "phases.yaml: line 1: expected 'phases'"},
      {"phases: 3\n", "phases.yaml: line 1: 'phases': expected a list"},
      {"phases:\n- 3\n", "phases.yaml: line 2: expected a phase"},
      {"phase:\n- {label: 0}\n", "phases.yaml: line 1: found \"phase\", expected 'phases'"},
      {"phases:\n- {name: a}\n", "phases.yaml: line 2: found a phase without 'label'"},
      {"phases:\n- {label: 1.5}\n", "phases.yaml: line 2: 'label': found \"1.5\", expected a whole number"},
      {"phases:\n- {label: 99999999999}\n", "phases.yaml: line 2: 'label': found"},
      {"phases:\n- {label: 0}\n- {label: 0, name: b}\n", "phases.yaml: line 3: phases 'phase 0' and 'b' have the same label 0"},
      {"phases:\n- {label: 0, name: b}\n- {label: 1, name: b}\n", "phases.yaml: line 3: found a second phase 'b'"},
      {"phases:\n- {label: 0, name: \"b\\nc\"}\n", "phases.yaml: line 2: 'name': found a control character"},
      {"phases:\n- {label: 0, name: ''}\n", "phases.yaml: line 2: 'name': expected a text"},
      {"phases:\n- {label: 0, label: 1}\n", "phases.yaml: line 2: found \"label\" again, first on line 2"},
      {"phases:\n- {label: 0, name: a, conductivty: 1}\n", "phases.yaml: line 2: phase 'a': no property is called 'conductivty'"},
      {"phases:\n- label: 0\n  conductivity: -1\n", "phases.yaml: line 3: phase 'phase 0': 'conductivity' is -1"},
      {"phases:\n- label: 0\n  conductivity: nan\n", "phases.yaml: line 3: phase 'phase 0': 'conductivity' is nan"},
      {"phases:\n- label: 0\n  conductivity: .inf\n", "phases.yaml: line 3: 'conductivity': found \".inf\", expected a number"},
      {"phases:\n- label: 0\n  conductivity: 1 S/m\n", "phases.yaml: line 3: 'conductivity': found \"1 S/m\", expected a number"},
      {"phases:\n- label: 0\n  conductivity:\n", "phases.yaml: line 3: 'conductivity': found \"\", expected a number"},
      {"phases:\n- label: 0\n  conductivity: []\n", "phases.yaml: line 3: 'conductivity': found an empty list"},
      {"phases:\n- label: 0\n  conductivity: {x: 1}\n", "phases.yaml: line 3: 'conductivity': found \"something else\""},
      {"phases:\n- label: 0\n  conductivity: [1, 2]\n", "phases.yaml: line 3: phase 'phase 0': 'conductivity' has 2 numbers"},
      {"phases:\n- label: 0\n  conductivity: [1, 1, 1, 0, 0, 2]\n", "has a negative eigenvalue"},
      {"phases:\n- label: 0\n  conductivity: [[1, 2, 0], [0, 9, 0], [0, 0, 1]]\n", "'conductivity' is not symmetric: xy is 2"},
      {"phases:\n- label: 0\n  conductivity: [[1, 0], [0, 1], [0, 1]]\n", "line 3: 'conductivity': found a row of 2 numbers"},
      {"phases:\n- label: 0\n  poissons-ratio: 0.5\n", "'poissons-ratio' is 0.5, expected a number from"},
      {"phases:\n- label: 0\n  temperature: 300\n", "line 3: phase 'phase 0': 'temperature' belongs to the whole cell"},
      {"phases:\n- label: 0\ncell: {conductivity: 1}\n", "line 3: 'conductivity' belongs to a phase"},
      {"phases:\n- label: 0\ncell: [3]\n", "line 3: expected values of the whole cell"},
      {"phases:\n- label: 0\nions: [{name: Na}]\n", "line 3: found an ion without 'valence'"},
      {"phases:\n- label: 0\nions: [{name: Na, valence: 1, diffusivity: 0, bath: 1}]\n",
       "line 3: 'diffusivity' of ion 'Na' is 0"},
      {"phases:\n- label: 0\nions: [{name: Na, valence: nan, diffusivity: 1, bath: 1}]\n",
       "line 3: 'valence' of ion 'Na' is nan"},
      {"phases:\n- label: 0\nions: [{name: Na, valence: 1, diffusivity: 1, bath: -1}]\n", "line 3: 'bath' of ion 'Na' is -1"},
      {"phases:\n- label: 0\nions: [{name: Na, charge: 1}]\n", "line 3: found \"charge\", expected an ion"},
      {"phases:\n- label: 0\nions:\n- {name: K, valence: 1, diffusivity: 1, bath: 1}\n- {name: K, valence: 1, diffusivity: 1, "
       "bath: 1}\n",
       "line 5: found a second ion 'K'"},
      {"phases:\n- {label: 0\n", "phases.yaml: line 3: did not find"},
      {"phases:\n- {label: 0}\n---\na: 1\n", "phases.yaml: line 4: found a second document"},
  };
  FgPhaseTable table;

  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    AgreedFailure(FgPhaseTableRead(WritePhases(cases[k].text), &table), PETSC_ERR_FILE_UNEXPECTED, cases[k].message);
  AgreedFailure(FgPhaseTableRead(ScratchPath("missing.yaml"), &table), PETSC_ERR_FILE_OPEN, "missing.yaml: cannot be opened");
}

/* --- Images ---------------------------------------------------------------------------------------------------------------- */

enum { NX = 5, NY = 4, NZ = 7, N = NX * NY * NZ };

static int LabelAt(PetscInt v)
{
  return v % 7 % 3 == 1 ? 300 : v % 5 == 0 ? 2 : 0;
}

static FgPhaseTable Table(void)
{
  FgPhaseTable table = {.source = "phases.yaml"};

  AgreedSuccess(FgPhaseTableAdd(&table, "b", 2));
  AgreedSuccess(FgPhaseTableAdd(&table, "c", 300));
  AgreedSuccess(FgPhaseTableAdd(&table, "a", 0));
  AgreedSuccess(FgPhaseTableAdd(&table, "unused", 17));
  return table;
}

/* A slab of the reference labels, and edges of 1, 2, 3 um a voxel. */
static int IsReference(FgCell cell)
{
  int good = cell->n[0] == NX && cell->n[1] == NY && cell->n[2] == NZ && cell->fraction[3] == 0;

  for (PetscInt a = 0; a < 3; a++) good = good && fabs(cell->spacing[a] / (1e-6 * (double)(a + 1)) - 1) < 1e-6;
  for (PetscInt v = 0; v < cell->nlocal; v++)
    good = good && cell->table.phases[cell->phase[v]].label == LabelAt(cell->start * NX * NY + v);
  return good;
}

static void WriteRaw(const char *path, int width, PetscBool packed, size_t extra)
{
  unsigned char bytes[2 * N + 16] = {0};
  gzFile        stream;

  for (PetscInt v = 0; v < N; v++) {
    bytes[v * width] = (unsigned char)(LabelAt(v) & 255);
    if (width == 2) bytes[2 * v + 1] = (unsigned char)(LabelAt(v) >> 8);
  }
  if (!packed) {
    ScratchWrite(path, bytes, (size_t)(N * width) + extra);
    return;
  }
  stream = gzopen(path, "wb");
  if (!stream || gzwrite(stream, bytes, (unsigned)((size_t)(N * width) + extra)) <= 0 || gzclose_w(stream)) abort();
}

static void WriteNifti(const char *path, FgStore store, double spoiled)
{
  const FgGrid grid = {
      .dims = {NX, NY, NZ}, .spacing = {1e-3, 2e-3, 3e-3}, .affine = {{1e-3, 0, 0, 0}, {0, 2e-3, 0, 0}, {0, 0, 3e-3, 0}}};
  const FgImageSpec spec = {.map = "labels", .store = store, .nvolumes = 1};
  float             values[N];

  for (PetscInt v = 0; v < N; v++) values[v] = (float)LabelAt(v);
  if (spoiled != 0) values[NX * NY + NX + 1] = (float)spoiled;
  if (FgImageWrite(path, &grid, &spec, values)) abort();
}

/* rank 1 to 4 dimensions of the reference; attribute of `count` numbers, in um where `micron`. */
static void WriteHdf5(const char *path, const char *name, int rank, PetscBool packed, hid_t type, int count, PetscBool micron)
{
  const hsize_t dims[4] = {NZ, NY, NX, 1}, flat[1] = {N}, chunk[4] = {3, 2, 4, 1}, n = (hsize_t)count;
  const double  spacing[3] = {micron ? 3 : 3e-6, micron ? 2 : 2e-6, micron ? 1 : 1e-6};
  int32_t       values[N];
  hid_t         file, space, create, dataset, attribute, scalar, links = H5Pcreate(H5P_LINK_CREATE);

  for (PetscInt v = 0; v < N; v++) values[v] = LabelAt(v);
  H5Pset_create_intermediate_group(links, 1);
  file = access(path, F_OK) ? H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT) : H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  space  = H5Screate_simple(rank, rank == 1 ? flat : dims, NULL);
  create = H5Pcreate(H5P_DATASET_CREATE);
  if (packed) {
    H5Pset_chunk(create, rank, chunk);
    H5Pset_deflate(create, 6);
  }
  dataset = H5Dcreate2(file, name, type, space, links, create, H5P_DEFAULT);
  if (H5Dwrite(dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) abort();
  if (count) {
    scalar    = H5Screate_simple(1, &n, NULL);
    attribute = H5Acreate2(dataset, micron ? "element_size_um" : "voxel_size", H5T_IEEE_F64LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
    if (H5Awrite(attribute, H5T_NATIVE_DOUBLE, spacing) < 0) abort();
    H5Aclose(attribute);
    H5Sclose(scalar);
  }
  H5Dclose(dataset);
  H5Pclose(create);
  H5Pclose(links);
  H5Sclose(space);
  if (H5Fclose(file) < 0) abort();
}

static const FgCellImageSettings raw_settings = {{NX, NY, NZ}, {1e-6, 2e-6, 3e-6}};

static void ReadsEveryFormat(void **state)
{
  static const struct {
    const char *path;
    PetscBool   raw;
  } cases[] = {{"a.raw", PETSC_TRUE},      {"a.bin.gz", PETSC_TRUE}, {"a.nii", PETSC_FALSE},           {"a.nii.gz", PETSC_FALSE},
               {"one.h5", PETSC_FALSE},    {"a.h5:/x", PETSC_FALSE}, {"a.h5:/deep/er/y", PETSC_FALSE}, {"a.h5:/u16", PETSC_FALSE},
               {"a.h5:plain", PETSC_TRUE}, {"a.nii.gz", PETSC_TRUE}};
  FgPhaseTable table = Table();
  FgCell       cell;

  if (!Rank()) {
    WriteRaw(ScratchPath("a.raw"), 2, PETSC_FALSE, 0);
    WriteRaw(ScratchPath("a.bin.gz"), 2, PETSC_TRUE, 0);
    WriteNifti(ScratchPath("a.nii"), FG_STORE_INT16, 0);
    WriteNifti(ScratchPath("a.nii.gz"), FG_STORE_FLOAT, 0);
    WriteHdf5(ScratchPath("one.h5"), "only", 3, PETSC_FALSE, H5T_STD_I64BE, 3, PETSC_FALSE);
    WriteHdf5(ScratchPath("a.h5"), "x", 3, PETSC_TRUE, H5T_STD_I32LE, 3, PETSC_FALSE);
    WriteHdf5(ScratchPath("a.h5"), "deep/er/y", 3, PETSC_TRUE, H5T_STD_I16LE, 3, PETSC_TRUE);
    WriteHdf5(ScratchPath("a.h5"), "u16", 3, PETSC_FALSE, H5T_STD_U16LE, 3, PETSC_FALSE);
    WriteHdf5(ScratchPath("a.h5"), "plain", 3, PETSC_FALSE, H5T_STD_U16LE, 0, PETSC_FALSE);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const FgCellImageSettings *settings = cases[k].raw ? &raw_settings : &FgCellImageDefaults;
    FgCellImageInfo            info;

    AgreedSuccess(FgCellImageLook(ScratchPath(cases[k].path), settings, &info));
    AgreedTrue(info.n[0] == NX && info.n[1] == NY && info.n[2] == NZ && fabs(info.edge[2] / (NZ * 3e-6) - 1) < 1e-6);
    AgreedSuccess(FgCellReadImage(PETSC_COMM_WORLD, ScratchPath(cases[k].path), settings, &table, &cell));
    if (!IsReference(cell)) print_error("%s\n", cases[k].path);
    AgreedTrue(IsReference(cell));
    AgreedSuccess(FgCellDestroy(&cell));
    AgreedSuccess(FgCellReadImage(PETSC_COMM_SELF, ScratchPath(cases[k].path), settings, &table, &cell));
    AgreedTrue(IsReference(cell) && cell->nlocal == N);
    AgreedSuccess(FgCellDestroy(&cell));
  }
  AgreedSuccess(FgPhaseTableDestroy(&table));
}

/* uint8, two dimensions, one number for the voxel size. */
static void ReadsPlanes(void **state)
{
  static const unsigned char bytes[6] = {0, 2, 2, 0, 0, 2};
  const FgCellImageSettings  flat     = {{3, 1, 2}, {1e-6, 1e-6, 1e-6}};
  FgPhaseTable               table    = Table();
  FgCell                     cell;

  if (!Rank()) {
    const nifti_1_header header         = {.sizeof_hdr = 348,
                                           .dim        = {2, 3, 2, 0, 0, 0, 0, 0},
                                           .datatype   = 2,
                                           .bitpix     = 8,
                                           .pixdim     = {1, 1e-3f, 2e-3f, 0, 0, 0, 0, 0},
                                           .vox_offset = 352,
                                           .xyzt_units = NIFTI_UNITS_MM,
                                           .magic      = "n+1"};
    unsigned char        image[352 + 6] = {0};
    const hsize_t        dims[2]        = {2, 3};
    hid_t                file           = H5Fcreate(ScratchPath("flat.hdf5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t                space = H5Screate_simple(2, dims, NULL), scalar = H5Screate(H5S_SCALAR);
    hid_t                set  = H5Dcreate2(file, "set", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t                size = H5Acreate2(set, "voxel_size", H5T_IEEE_F32LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
    const double         h    = 1e-6;

    ScratchWrite(ScratchPath("flat.raw"), bytes, sizeof bytes);
    memcpy(image, &header, sizeof header);
    memcpy(image + 352, bytes, sizeof bytes);
    ScratchWrite(ScratchPath("flat.nii"), image, sizeof image);
    if (H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0 || H5Awrite(size, H5T_NATIVE_DOUBLE, &h) < 0)
      abort();
    H5Aclose(size);
    H5Dclose(set);
    H5Sclose(scalar);
    H5Sclose(space);
    H5Fclose(file);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  AgreedSuccess(FgCellReadImage(PETSC_COMM_WORLD, ScratchPath("flat.raw"), &flat, &table, &cell));
  AgreedTrue(cell->n[1] == 1 && cell->n[2] == 2 && cell->fraction[0] == 0.5 && cell->fraction[2] == 0.5);
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(FgCellReadImage(PETSC_COMM_WORLD, ScratchPath("flat.nii"), &FgCellImageDefaults, &table, &cell));
  AgreedTrue(cell->n[0] == 3 && cell->n[1] == 2 && cell->n[2] == 1 && cell->fraction[0] == 0.5);
  AgreedTrue(fabs(cell->spacing[1] / 2e-6 - 1) < 1e-6 && fabs(cell->spacing[2] / 1e-6 - 1) < 1e-6);
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(FgCellReadImage(PETSC_COMM_WORLD, ScratchPath("flat.hdf5:set"), &FgCellImageDefaults, &table, &cell));
  AgreedTrue(cell->n[0] == 3 && cell->n[1] == 2 && cell->n[2] == 1 && cell->fraction[0] == 0.5 &&
             fabs(cell->edge[2] / 1e-6 - 1) < 1e-6);
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(FgPhaseTableDestroy(&table));
}

static void ExpectRefusal(const char *path, const FgCellImageSettings *settings, PetscErrorCode code, const char *message)
{
  FgPhaseTable table = {.source = "phases.yaml"};
  FgCell       cell  = NULL;

  AgreedSuccess(FgPhaseTableAdd(&table, "a", 0));
  AgreedSuccess(FgPhaseTableAdd(&table, "b", 2));
  AgreedFailure(FgCellReadImage(PETSC_COMM_WORLD, path, settings, &table, &cell), code, message);
  AgreedTrue(cell == NULL);
  AgreedSuccess(FgPhaseTableDestroy(&table));
}

static void RefusesBadImages(void **state)
{
  const FgCellImageSettings wrong = {{NX, NY, NZ + 1}, {0, 0, 0}}, bare = {{NX, NY, NZ}, {0, 0, 0}}, one = {{1, 1, 1}, {1, 1, 1}},
                            negative = {{0, 0, 0}, {-1e-6, 1e-6, 1e-6}}, huge = {{100000, 100000, 100000}, {1e-6, 1e-6, 1e-6}};

  if (!Rank()) {
    WriteRaw(ScratchPath("b.raw"), 2, PETSC_FALSE, 0);
    WriteRaw(ScratchPath("long.raw"), 2, PETSC_FALSE, 3);
    WriteRaw(ScratchPath("long.gz"), 2, PETSC_TRUE, 3);
    WriteNifti(ScratchPath("b.nii.gz"), FG_STORE_INT16, 0);
    WriteNifti(ScratchPath("half.nii.gz"), FG_STORE_FLOAT, 0.5);
    WriteNifti(ScratchPath("nan.nii"), FG_STORE_FLOAT, NAN);
    WriteNifti(ScratchPath("large.nii"), FG_STORE_FLOAT, 1e9);
    WriteHdf5(ScratchPath("b.h5"), "bare", 3, PETSC_FALSE, H5T_STD_U16LE, 0, PETSC_FALSE);
    WriteHdf5(ScratchPath("b.h5"), "flat", 1, PETSC_FALSE, H5T_STD_U16LE, 0, PETSC_FALSE);
    WriteHdf5(ScratchPath("b.h5"), "four", 4, PETSC_FALSE, H5T_STD_U16LE, 0, PETSC_FALSE);
    WriteHdf5(ScratchPath("b.h5"), "real", 3, PETSC_FALSE, H5T_IEEE_F32LE, 0, PETSC_FALSE);
    WriteHdf5(ScratchPath("cut.h5"), "x", 3, PETSC_FALSE, H5T_STD_U16LE, 3, PETSC_FALSE);
    if (truncate(ScratchPath("cut.h5"), 2000)) abort();
    ScratchWrite(ScratchPath("cut.nii.gz"), "\x1f\x8b\x08", 3);
    ScratchWrite(ScratchPath("one.raw"), "", 1);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  ExpectRefusal(ScratchPath("missing.raw"), &raw_settings, PETSC_ERR_FILE_OPEN, "missing.raw: cannot be opened");
  ExpectRefusal(scratch_folder, &raw_settings, PETSC_ERR_FILE_OPEN, "found a directory");
  ExpectRefusal(ScratchPath("b.raw"), &FgCellImageDefaults, PETSC_ERR_USER,
                "b.raw: found neither NIfTI nor HDF5; raw labels need --size");
  ExpectRefusal(ScratchPath("b.raw"), &bare, PETSC_ERR_USER, "b.raw: found neither NIfTI nor HDF5");
  ExpectRefusal(ScratchPath("long.raw"), &raw_settings, PETSC_ERR_FILE_UNEXPECTED,
                "found 283 bytes, expected 140 (uint8) or 280");
  ExpectRefusal(ScratchPath("long.gz"), &raw_settings, PETSC_ERR_FILE_UNEXPECTED, "found more than 283 bytes, expected 140");
  ExpectRefusal(ScratchPath("one.raw"), &one, PETSC_ERR_FILE_UNEXPECTED, "the cell is one voxel");
  ExpectRefusal(ScratchPath("b.raw"), &huge, PETSC_ERR_FILE_UNEXPECTED, "bytes, expected 1000000000000000 (uint8)");
  ExpectRefusal(ScratchPath("b.raw"), &raw_settings, PETSC_ERR_FILE_UNEXPECTED,
                "b.raw: found label 300 in 40 voxels, the first (1, 0, 0), but no phase with that label in phases.yaml");
  ExpectRefusal(ScratchPath("b.nii.gz"), &FgCellImageDefaults, PETSC_ERR_FILE_UNEXPECTED,
                "b.nii.gz: found label 300 in 40 voxels");
  ExpectRefusal(ScratchPath("b.nii.gz"), &wrong, PETSC_ERR_FILE_UNEXPECTED, "found 5 x 4 x 7 voxels, but --size says 5 x 4 x 8");
  ExpectRefusal(ScratchPath("b.nii.gz"), &negative, PETSC_ERR_FILE_UNEXPECTED, "found a voxel size of -1e-06 m");
  ExpectRefusal(ScratchPath("half.nii.gz"), &FgCellImageDefaults, PETSC_ERR_FILE_UNEXPECTED,
                "half.nii.gz: found the value 0.5 in voxel (1, 1, 1), expected whole numbers");
  ExpectRefusal(ScratchPath("nan.nii"), &FgCellImageDefaults, PETSC_ERR_FILE_UNEXPECTED, "found the value nan");
  ExpectRefusal(ScratchPath("large.nii"), &FgCellImageDefaults, PETSC_ERR_FILE_UNEXPECTED, "found the value 1");
  ExpectRefusal(ScratchPath("b.h5"), &FgCellImageDefaults, PETSC_ERR_FILE_UNEXPECTED, "found several datasets in the root group");
  ExpectRefusal(ScratchPath("b.h5:/nothing"), &FgCellImageDefaults, PETSC_ERR_FILE_UNEXPECTED, "found no dataset of that name");
  ExpectRefusal(ScratchPath("b.h5:/bare"), &FgCellImageDefaults, PETSC_ERR_FILE_UNEXPECTED, "found no voxel size in the file");
  ExpectRefusal(ScratchPath("b.h5:/flat"), &raw_settings, PETSC_ERR_FILE_UNEXPECTED, "found a dataset of 1 dimensions");
  ExpectRefusal(ScratchPath("b.h5:/four"), &raw_settings, PETSC_ERR_FILE_UNEXPECTED, "found a dataset of 4 dimensions");
  ExpectRefusal(ScratchPath("b.h5:/real"), &raw_settings, PETSC_ERR_FILE_UNEXPECTED, "expected integers");
  ExpectRefusal(ScratchPath("b.h5:/bare"), &wrong, PETSC_ERR_FILE_UNEXPECTED, "but --size says");
  ExpectRefusal(ScratchPath("cut.h5"), &FgCellImageDefaults, PETSC_ERR_FILE_OPEN, "cut.h5: cannot be opened as HDF5");
  ExpectRefusal(ScratchPath("cut.nii.gz"), &FgCellImageDefaults, PETSC_ERR_FILE_UNEXPECTED, "cut.nii.gz: ");
  ExpectRefusal(ScratchPath("b.raw:/x"), &FgCellImageDefaults, PETSC_ERR_FILE_UNEXPECTED, "is no HDF5 file");
}

/* --- Written ---------------------------------------------------------------------------------------------------------------- */

static FgCell SomeCell(const char *name, PetscInt resolution)
{
  FgGeometrySettings settings = FgGeometryDefaults;
  FgCell             cell;

  settings.resolution = resolution;
  AgreedSuccess(FgGeometryCreate(PETSC_COMM_WORLD, FgGeometryFind(name), &settings, NULL, &cell));
  return cell;
}

/* A report with fields of 1, 3 and 6 components whose values tell voxel and component. */
static FgCellReport SomeReport(FgCell cell)
{
  static const PetscInt ncomps[] = {1, 3, 6};
  static const char    *names[]  = {"phi", "chi x", "strain <6>"};
  FgCellReport          report   = {.physics = "test"};
  double               *values;

  AgreedSuccess(PetscMalloc1(cell->nlocal * 6, &values));
  for (int f = 0; f < 3; f++) {
    for (PetscInt v = 0; v < cell->nlocal; v++) {
      for (PetscInt c = 0; c < ncomps[f]; c++)
        values[v * ncomps[f] + c] = (double)(cell->start * cell->n[0] * cell->n[1] + v) + 0.125 * (double)c;
    }
    AgreedSuccess(FgReportField(&report, cell, names[f], "m", ncomps[f], values));
  }
  AgreedSuccess(PetscFree(values));
  return report;
}

static void LabelsSurviveWriting(void **state)
{
  static const char *const names[] = {"random-spheres", "hex-cylinders", "laminate"};

  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    for (int base = 0; base < 3; base++) {
      static const int labels[3][2] = {{0, 1}, {-2, 500}, {70000, 3}};
      FgCell           cell         = SomeCell(names[k], 20), found;
      int              same;

      for (int p = 0; p < 2; p++) cell->table.phases[p].label = labels[base][p];
      AgreedSuccess(FgCellWriteLabels(ScratchPath("labels.nii.gz"), cell));
      AgreedSuccess(FgCellReadImage(PETSC_COMM_WORLD, ScratchPath("labels.nii.gz"), &FgCellImageDefaults, &cell->table, &found));
      same = !memcmp(cell->n, found->n, sizeof cell->n) &&
             SameBytes(cell->phase, found->phase, sizeof(uint16_t) * (size_t)cell->nlocal);
      for (int a = 0; a < 3; a++) same = same && fabs(found->edge[a] / cell->edge[a] - 1) < 1e-6;
      AgreedTrue(same);
      AgreedSuccess(FgCellDestroy(&cell));
      AgreedSuccess(FgCellDestroy(&found));
    }
  }
}

static void FieldsAreWrittenWhole(void **state)
{
  FgCell       cell   = SomeCell("cubic-spheres", 7);
  FgCellReport report = SomeReport(cell);

  AgreedSuccess(FgCellWriteField(ScratchPath("field.nii.gz"), cell, &report.fields[2]));
  if (!Rank()) {
    FgImageInfo info;
    float      *values;
    int         good;

    ExpectSuccess(FgImageRead(ScratchPath("field.nii.gz"), &info, &values));
    good = info.nvolumes == 6 && info.grid.dims[0] == 7 && fabs(info.grid.spacing[0] - 1e-2 / 7) < 1e-9;
    good = good && strstr(info.descrip, "strain <6> [m]");
    for (int c = 0; c < 6; c++) {
      for (int v = 0; v < 343; v++) good = good && values[c * 343 + v] == (float)v + 0.125f * (float)c;
    }
    assert_true(good);
    ExpectSuccess(PetscFree(values));
  }
  AgreedFailure(FgCellWriteField(ScratchPath("no/folder.nii"), cell, &report.fields[0]), PETSC_ERR_FILE_WRITE, "No such file");
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
}

static void ReadDataset(hid_t file, const char *name, float *values)
{
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);

  if (dataset < 0 || H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) fail_msg("no %s", name);
  H5Dclose(dataset);
}

static void ParaViewFindsFields(void **state)
{
  FgCell       cell   = SomeCell("cubic-spheres", 7), found;
  FgCellReport report = SomeReport(cell);

  AgreedSuccess(FgCellWriteXdmf(ScratchPath("out.xdmf"), cell, 1, &report));
  if (!Rank()) {
    char  text[8192];
    float values[3 * 343];
    int   good = 1;
    hid_t file = H5Fopen(ScratchPath("out.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);

    text[ScratchRead(ScratchPath("out.xdmf"), text, sizeof text - 1)] = 0;
    assert_non_null(strstr(text, "Dimensions=\"8 8 8\""));
    assert_non_null(strstr(text, "Dimensions=\"7 7 7\">out.h5:/labels<"));
    assert_non_null(strstr(text, "AttributeType=\"Vector\""));
    assert_non_null(strstr(text, "Dimensions=\"7 7 7 3\">out.h5:/test/chi_x<"));
    assert_non_null(strstr(text, ">out.h5:/test/strain__6__5<"));
    assert_true(file >= 0);
    ReadDataset(file, "test/phi", values);
    for (int v = 0; v < 343; v++) good = good && values[v] == (float)v;
    ReadDataset(file, "test/chi_x", values);
    for (int v = 0; v < 3 * 343; v++) good = good && values[v] == (float)(v / 3) + 0.125f * (float)(v % 3);
    ReadDataset(file, "test/strain__6__4", values);
    for (int v = 0; v < 343; v++) good = good && values[v] == (float)v + 0.5f;
    assert_true(good && access(ScratchPath("out.h5.partial"), F_OK));
    H5Fclose(file);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  AgreedSuccess(FgCellReadImage(PETSC_COMM_WORLD, ScratchPath("out.h5:/labels"), &FgCellImageDefaults, &cell->table, &found));
  AgreedTrue(SameBytes(cell->phase, found->phase, sizeof(uint16_t) * (size_t)cell->nlocal) &&
             fabs(found->edge[0] / 1e-5 - 1) < 1e-12);
  AgreedSuccess(FgCellDestroy(&found));
  AgreedFailure(FgCellWriteXdmf(ScratchPath("out.vtk"), cell, 1, &report), PETSC_ERR_USER, "expected .xdmf");
  AgreedFailure(FgCellWriteXdmf(ScratchPath("no/out.xdmf"), cell, 1, &report), PETSC_ERR_FILE_WRITE,
                "no/out.h5: cannot be written");
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
}

/* Width and height from the header of a PNG. */
static void PictureSize(const char *path, unsigned size[2])
{
  unsigned char bytes[24] = {0};

  (void)ScratchRead(path, bytes, sizeof bytes);
  assert_memory_equal(bytes, "\x89PNG\r\n\x1a\n", 8);
  for (int k = 0; k < 2; k++)
    size[k] = (unsigned)bytes[16 + 4 * k] << 24 | (unsigned)bytes[17 + 4 * k] << 16 | (unsigned)bytes[18 + 4 * k] << 8 |
              bytes[19 + 4 * k];
}

static void PicturesAreDrawn(void **state)
{
  for (const FgGeometry *geometry = FgGeometries; geometry->name; geometry++) {
    FgCell       cell   = SomeCell(geometry->name, 16);
    FgCellReport report = SomeReport(cell);

    AgreedSuccess(FgCellWritePicture(ScratchPath("a.png"), cell, NULL));
    AgreedSuccess(FgCellWritePicture(ScratchPath("b.png"), cell, &report.fields[1]));
    if (!Rank()) {
      unsigned a[2], b[2];

      PictureSize(ScratchPath("a.png"), a);
      PictureSize(ScratchPath("b.png"), b);
      assert_true(a[0] == b[0] && b[1] > a[1] && a[0] < 3000 && a[1] > 100);
    }
    AgreedFailure(FgCellWritePicture(ScratchPath("no/a.png"), cell, NULL), PETSC_ERR_FILE_WRITE, "no/a.png: cannot be written");
    AgreedSuccess(FgReportDestroy(&report));
    AgreedSuccess(FgCellDestroy(&cell));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ReadsPhases),           cmocka_unit_test(RefusesMistakesInPhases), cmocka_unit_test(ReadsEveryFormat),
      cmocka_unit_test(ReadsPlanes),           cmocka_unit_test(RefusesBadImages),        cmocka_unit_test(LabelsSurviveWriting),
      cmocka_unit_test(FieldsAreWrittenWhole), cmocka_unit_test(ParaViewFindsFields),     cmocka_unit_test(PicturesAreDrawn),
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
