/* homogenization_table.c: tables of effective tensors out of HDF5 files. Layout: docs/formats.md.

   A file is read as an image in memory, and taken only in the format whose metadata carry checksums (superblock 2 or 3),
   with texts of fixed length and datasets that lie in one piece within it: damage is found before HDF5 follows it, nothing is read that is
   not named here, and nothing is allocated that was not checked against a limit. */
#include "homogenization_table.h"

#include "finegrain/result.h"
#include "table.h"

#include <math.h>
#include <string.h>

enum { FILE_LIMIT = 64 * 1024 * 1024 };
static const char expected[] = "a table of `finegrain homogenize --sweep` (HDF5)";

/* An attribute that is there, or -1. */
static hid_t OpenAttribute(hid_t object, const char *name)
{
  return H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
}

/* A line of printable text of fixed length, shorter than FG_SWEEP_TEXT. */
static PetscErrorCode ReadText(const char *path, hid_t object, const char *name, char text[FG_SWEEP_TEXT])
{
  const hid_t attribute = OpenAttribute(object, name);
  PetscBool   good      = PETSC_FALSE;

  PetscFunctionBegin;
  memset(text, 0, FG_SWEEP_TEXT);
  if (attribute >= 0) {
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute), memory = H5Tcopy(H5T_C_S1);

    good = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && H5Tget_size(type) <= FG_SWEEP_TEXT &&
                   H5Sget_simple_extent_npoints(space) == 1 && H5Tset_size(memory, FG_SWEEP_TEXT) >= 0 &&
                   H5Tset_cset(memory, H5Tget_cset(type)) >= 0 && H5Aread(attribute, memory, text) >= 0
               ? PETSC_TRUE
               : PETSC_FALSE;
    text[FG_SWEEP_TEXT - 1] = 0;
    for (const char *at = text; *at; at++) {
      if ((unsigned char)*at < 0x20 || *at == 0x7f) good = PETSC_FALSE;
    }
    (void)H5Tclose(memory);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    (void)H5Aclose(attribute);
  }
  PetscCheck(good, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: attribute %s is %s, expected a text of fixed length of less than %d bytes", path, name,
             attribute < 0 ? "missing" : "something else", FG_SWEEP_TEXT);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* IEEE doubles, or whole numbers of up to 8 bytes. */
static PetscBool IsNumber(hid_t type, H5T_class_t class)
{
  if (class == H5T_FLOAT)
    return H5Tequal(type, H5T_IEEE_F64LE) > 0 || H5Tequal(type, H5T_IEEE_F64BE) > 0 ? PETSC_TRUE : PETSC_FALSE;
  return H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) <= 8 && H5Tget_precision(type) == 8 * H5Tget_size(type)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/* `class` H5T_INTEGER: long long values[n]; H5T_FLOAT: double. */
static PetscErrorCode ReadNumbers(const char *path, hid_t object, const char *name, H5T_class_t class, int n, void *values)
{
  const hid_t attribute = OpenAttribute(object, name);
  PetscBool   good      = PETSC_FALSE;

  PetscFunctionBegin;
  if (attribute >= 0) {
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);

    good = IsNumber(type, class) && H5Sget_simple_extent_npoints(space) == n &&
                   H5Aread(attribute, class == H5T_INTEGER ? H5T_NATIVE_LLONG : H5T_NATIVE_DOUBLE, values) >= 0
               ? PETSC_TRUE
               : PETSC_FALSE;
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    (void)H5Aclose(attribute);
  }
  PetscCheck(good, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: attribute %s is %s, expected %d %s", path, name,
             attribute < 0 ? "missing" : "something else", n,
             class == H5T_INTEGER ? "whole number of at most 8 bytes" : "number of double precision");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadInteger(const char *path, hid_t object, const char *name, long long least, long long most,
                                  PetscInt *value)
{
  long long number;

  PetscFunctionBegin;
  PetscCall(ReadNumbers(path, object, name, H5T_INTEGER, 1, &number));
  PetscCheck(number >= least && number <= most, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: attribute %s is %lld, expected %lld to %lld", path, name, number, least, most);
  *value = (PetscInt)number;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A dataset that lies in this file in one piece and holds doubles, or -1. */
static hid_t OpenDataset(hid_t file, const char *name)
{
  H5L_info_t link;
  hid_t      dataset, settings, type;
  PetscBool  good;

  if (H5Lexists(file, name, H5P_DEFAULT) <= 0 || H5Lget_info(file, name, &link, H5P_DEFAULT) < 0) return -1;
  if (link.type != H5L_TYPE_HARD) return -1;
  dataset = H5Dopen2(file, name, H5P_DEFAULT);
  if (dataset < 0) return -1;
  settings = H5Dget_create_plist(dataset);
  type     = H5Dget_type(dataset);
  good     = (H5Pget_layout(settings) == H5D_CONTIGUOUS || H5Pget_layout(settings) == H5D_COMPACT) &&
                 H5Pget_external_count(settings) == 0 && H5Pget_nfilters(settings) == 0 && IsNumber(type, H5T_FLOAT)
                 ? PETSC_TRUE
                 : PETSC_FALSE;
  (void)H5Tclose(type);
  (void)H5Pclose(settings);
  if (good) return dataset;
  (void)H5Dclose(dataset);
  return -1;
}

static PetscErrorCode CheckDataset(const char *path, const char *name, hid_t dataset)
{
  PetscFunctionBegin;
  PetscCheck(dataset >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: dataset %s is missing, or not one piece of numbers of double precision without compression", path, name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Values of a dataset of these sizes. */
static PetscErrorCode ReadReals(const char *path, hid_t file, const char *name, int rank, const hsize_t *dims, double *values)
{
  const hid_t dataset = OpenDataset(file, name);
  hsize_t     found[FG_SWEEP_AXES + 2];
  PetscBool   good = PETSC_FALSE, read = PETSC_FALSE;

  PetscFunctionBegin;
  PetscCall(CheckDataset(path, name, dataset));
  {
    const hid_t space = H5Dget_space(dataset);

    if (H5Sget_simple_extent_ndims(space) == rank && H5Sget_simple_extent_dims(space, found, NULL) == rank) {
      good = PETSC_TRUE;
      for (int k = 0; k < rank; k++) {
        if (found[k] != dims[k]) good = PETSC_FALSE;
      }
    }
    if (good && H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0) read = PETSC_TRUE;
    (void)H5Sclose(space);
    (void)H5Dclose(dataset);
  }
  PetscCheck(good, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: dataset %s has other sizes than the axes", path, name);
  PetscCheck(read, PETSC_COMM_SELF, PETSC_ERR_FILE_READ, "%s: dataset %s cannot be read", path, name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Name, unit and size of an axis; not yet its values. */
static PetscErrorCode ReadAxis(const char *path, hid_t file, PetscInt a, FgSweepAxis *axis)
{
  char           name[16];
  hid_t          dataset;
  hsize_t        n    = 0;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscFunctionBegin;
  snprintf(name, sizeof name, "axis_%d", (int)a);
  dataset = OpenDataset(file, name);
  PetscCall(CheckDataset(path, name, dataset));
  {
    const hid_t space = H5Dget_space(dataset);

    if (H5Sget_simple_extent_ndims(space) != 1 || H5Sget_simple_extent_dims(space, &n, NULL) != 1) n = 0;
    (void)H5Sclose(space);
  }
  code = ReadText(path, dataset, "name", axis->name);
  if (!code) code = ReadText(path, dataset, "unit", axis->unit);
  (void)H5Dclose(dataset);
  PetscCall(code);
  PetscCheck(n >= 1 && n <= FG_SWEEP_AXIS_SIZE, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: dataset %s: found %llu values, expected 1 to %d in one dimension", path, name, (unsigned long long)n,
             FG_SWEEP_AXIS_SIZE);
  axis->n = (PetscInt)n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadAttributes(const char *path, hid_t file, FgHomogenizationTable *table)
{
  char      text[FG_SWEEP_TEXT];
  long long resolution[3];
  PetscInt  number;

  PetscFunctionBegin;
  PetscCall(ReadText(path, file, "format", text));
  PetscCheck(!strcmp(text, FG_TABLE_FORMAT), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found the format '%s', expected %s",
             path, text, expected);
  PetscCall(ReadInteger(path, file, "format_version", 1, PETSC_MAX_INT, &number));
  PetscCheck(number == FG_TABLE_FORMAT_VERSION, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found version %" PetscInt_FMT " of the format, expected %d; is it of a newer finegrain?", path, number,
             FG_TABLE_FORMAT_VERSION);
  PetscCall(ReadText(path, file, "generator", table->generator));
  PetscCall(ReadText(path, file, "geometry", table->geometry));
  PetscCall(ReadText(path, file, "physics", table->physics));
  PetscCall(ReadNumbers(path, file, "resolution", H5T_INTEGER, 3, resolution));
  for (int k = 0; k < 3; k++) {
    PetscCheck(resolution[k] >= 1 && resolution[k] <= PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found a resolution of %lld voxels, expected 1 or more", path, resolution[k]);
    table->resolution[k] = (PetscInt)resolution[k];
  }
  PetscCall(ReadInteger(path, file, "fiber_axis", 0, 2, &table->fiber_axis));
  PetscCall(ReadInteger(path, file, "columnar", 0, 1, &number));
  table->columnar = number ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(ReadNumbers(path, file, "packing", H5T_FLOAT, 1, &table->packing));
  PetscCheck(isnan(table->packing) || (table->packing > 0.0 && table->packing <= 1.0), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: attribute packing is %g, expected a fraction or NaN", path, table->packing);
  PetscCall(ReadNumbers(path, file, "tolerance", H5T_FLOAT, 1, &table->tolerance));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadAll(const char *path, hid_t file, FgHomogenizationTable *table)
{
  hsize_t   dims[FG_SWEEP_AXES + 2];
  long long npoints = 1;
  int       rank;

  PetscFunctionBegin;
  PetscCall(ReadAttributes(path, file, table));
  PetscCall(ReadInteger(path, file, "axes", 1, FG_SWEEP_AXES, &table->naxes));
  rank = (int)table->naxes;
  for (PetscInt a = 0; a < table->naxes; a++) {
    PetscCall(ReadAxis(path, file, a, &table->axes[a]));
    dims[a] = (hsize_t)table->axes[a].n;
    npoints = PetscMin(npoints * table->axes[a].n, FG_SWEEP_POINTS + 1LL);
  }
  PetscCheck(npoints <= FG_SWEEP_POINTS, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found more than %d points", path,
             FG_SWEEP_POINTS);
  dims[rank] = dims[rank + 1] = 3;
  PetscCall(FgHomogenizationTableAllocate(table));
  for (PetscInt a = 0; a < table->naxes; a++) {
    char name[16];

    snprintf(name, sizeof name, "axis_%d", (int)a);
    PetscCall(ReadReals(path, file, name, 1, &dims[a], table->axes[a].value));
  }
  PetscCall(ReadReals(path, file, "effective_tensor", rank + 2, dims, table->tensor));
  PetscCall(ReadReals(path, file, "fraction_exact", rank, dims, table->fraction_exact));
  PetscCall(ReadReals(path, file, "fraction_voxels", rank, dims, table->fraction_voxels));
  PetscCall(FgHomogenizationTableCheck(table, PETSC_ERR_FILE_UNEXPECTED, path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadImage(const char *path, char *bytes, size_t length, FgHomogenizationTable *table)
{
  static const char signature[] = "\211HDF\r\n\032\n";
  const hid_t       settings    = H5Pcreate(H5P_FILE_ACCESS);
  hid_t             file        = -1;
  PetscErrorCode    code        = PETSC_SUCCESS;
  FgReports         reports;

  PetscFunctionBegin;
  PetscCheck(length > 8 && !memcmp(bytes, signature, 8), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: is no HDF5 file, expected %s", path, expected);
  PetscCheck(bytes[8] == 2 || bytes[8] == 3, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: superblock of version %d, expected 2 or 3, whose metadata have checksums; write it with libver='latest'", path,
             bytes[8]);
  FgHush(&reports);
  if (H5Pset_fapl_core(settings, 65536, 0) >= 0 && H5Pset_file_image(settings, bytes, length) >= 0) {
    file = H5Fopen("/dev/null/image", H5F_ACC_RDONLY, settings); /* HDF5 wants the name of a file that does not exist */
  }
  if (file >= 0) code = ReadAll(path, file, table);
  if (file >= 0) (void)H5Fclose(file);
  (void)H5Pclose(settings);
  /* Refusing a damaged file, HDF5 1.10 loses some memory and would complain about that when the program ends. */
  if (file >= 0 && !code) FgUnhush(&reports);
  PetscCheck(file >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: HDF5 cannot open it: damaged or cut off", path);
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One rank; the table is empty where it fails. */
static PetscErrorCode ReadFile(const char *path, FgHomogenizationTable *table)
{
  char          *bytes;
  size_t         length;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(FgTextRead(path, FILE_LIMIT, expected, &bytes, &length));
  code = ReadImage(path, bytes, length, table);
  PetscCall(PetscFree(bytes));
  if (!code) code = PetscStrncpy(table->file, path, sizeof table->file);
  if (!code) code = FgFileHash(path, table->hash);
  if (code) PetscCall(FgHomogenizationTableDestroy(table));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizationTableRead(MPI_Comm comm, const char *path, FgHomogenizationTable *table)
{
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  memset(table, 0, sizeof *table);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) code = ReadFile(path, table);
  PetscCall(FgAgree(comm, code));
  PetscCallMPI(MPI_Bcast(table, (PetscMPIInt)sizeof *table, MPI_BYTE, 0, comm));
  if (rank) PetscCall(FgHomogenizationTableAllocate(table)); /* in place of rank 0's pointers */
  for (PetscInt a = 0; a < table->naxes; a++) {
    PetscCallMPI(MPI_Bcast(table->axes[a].value, (PetscMPIInt)table->axes[a].n, MPI_DOUBLE, 0, comm));
  }
  PetscCallMPI(MPI_Bcast(table->tensor, 9 * (PetscMPIInt)table->npoints, MPI_DOUBLE, 0, comm));
  PetscCallMPI(MPI_Bcast(table->fraction_exact, (PetscMPIInt)table->npoints, MPI_DOUBLE, 0, comm));
  PetscCallMPI(MPI_Bcast(table->fraction_voxels, (PetscMPIInt)table->npoints, MPI_DOUBLE, 0, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}
