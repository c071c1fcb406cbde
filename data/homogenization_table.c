/* homogenization_table.c: tables of effective tensors as HDF5 files. Layout: docs/formats.md.

   A file is read as an image in memory, and taken only in the format whose metadata carry checksums (superblock 2 or 3),
   with texts of fixed length and datasets that lie in one piece within it: damage is found before HDF5 follows it, nothing is read that is
   not named here, and nothing is allocated that was not checked against a limit. */
#include "finegrain/homogenization_table.h"

#include "finegrain/result.h"
#include "partial.h"
#include "table.h"

#include <errno.h>
#include <hdf5.h>
#include <math.h>
#include <string.h>

enum { FORMAT_VERSION = 1, FILE_LIMIT = 64 * 1024 * 1024 };
static const char format[] = "finegrain homogenization table", expected[] = "a table of `finegrain homogenize --sweep` (HDF5)";

/* What readers rely on; `code` and `name` are of the error. */
static PetscErrorCode CheckValues(const FgHomogenizationTable *table, PetscErrorCode code, const char *name)
{
  PetscFunctionBegin;
  for (PetscInt a = 0; a < table->naxes; a++) {
    const FgSweepAxis *axis = &table->axes[a];

    PetscCheck(axis->name[0] && FgHomogenizationTableAxis(table, axis->name) == a, PETSC_COMM_SELF, code,
               "%s: found an axis called '%s', expected names of which none is empty or twice there", name, axis->name);
    for (PetscInt i = 0; i < axis->n; i++) {
      PetscCheck(isfinite(axis->value[i]) && (i == 0 || axis->value[i] > axis->value[i - 1]), PETSC_COMM_SELF, code,
                 "%s: value %" PetscInt_FMT " of axis %s is %g, expected finite numbers that increase", name, i, axis->name,
                 axis->value[i]);
    }
  }
  for (PetscInt i = 0; i < table->npoints; i++) {
    const double *K = &table->tensor[9 * i], exact = table->fraction_exact[i], voxels = table->fraction_voxels[i];
    double        size = 0.0, skew = 0.0;

    PetscCheck(exact >= 0.0 && exact <= 1.0 && voxels >= 0.0 && voxels <= 1.0, PETSC_COMM_SELF, code,
               "%s: point %" PetscInt_FMT " has the fractions %g exactly and %g in voxels, expected 0 to 1", name, i, exact,
               voxels);
    for (int k = 0; k < 9; k++) {
      PetscCheck(isfinite(K[k]), PETSC_COMM_SELF, code, "%s: point %" PetscInt_FMT " has a tensor that is not finite", name, i);
      size = fmax(size, fabs(K[k]));
      skew = fmax(skew, fabs(K[k] - K[3 * (k % 3) + k / 3]));
    }
    PetscCheck(skew <= 1e-6 * size && K[0] >= 0.0 && K[4] >= 0.0 && K[8] >= 0.0, PETSC_COMM_SELF, code,
               "%s: point %" PetscInt_FMT " has a tensor that is not symmetric or has a negative diagonal", name, i);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Writing -------------------------------------------------------------------------------------------------------- */

/* Every writer adds what failed to `status`, which is negative from then on; ids that are not valid fail on their own. */
static void WriteText(hid_t object, const char *name, const char *text, herr_t *status)
{
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  hid_t       attribute;

  if (H5Tset_size(type, strlen(text) + 1) < 0) *status = -1;
  attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (H5Awrite(attribute, type, text) < 0 || H5Aclose(attribute) < 0) *status = -1;
  (void)H5Sclose(space);
  (void)H5Tclose(type);
}

static void WriteNumbers(hid_t object, const char *name, hid_t stored, hid_t type, hsize_t n, const void *values, herr_t *status)
{
  const hid_t space     = n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL);
  const hid_t attribute = H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);

  if (H5Awrite(attribute, type, values) < 0 || H5Aclose(attribute) < 0) *status = -1;
  (void)H5Sclose(space);
}

static void WriteInteger(hid_t object, const char *name, PetscInt value, herr_t *status)
{
  const long long number = value;

  WriteNumbers(object, name, H5T_STD_I64LE, H5T_NATIVE_LLONG, 1, &number, status);
}

static void WriteReals(hid_t file, const char *name, const char *axis, const char *unit, int rank, const hsize_t *dims,
                       const double *values, herr_t *status)
{
  const hid_t space = H5Screate_simple(rank, dims, NULL), settings = H5Pcreate(H5P_DATASET_CREATE);
  hid_t       dataset;

  if (H5Pset_obj_track_times(settings, 0) < 0) *status = -1; /* equal tables, equal files */
  dataset = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, settings, H5P_DEFAULT);
  if (H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) *status = -1;
  if (axis) WriteText(dataset, "name", axis, status);
  WriteText(dataset, "unit", unit, status);
  if (H5Dclose(dataset) < 0) *status = -1;
  (void)H5Pclose(settings);
  (void)H5Sclose(space);
}

static void WriteAll(hid_t file, const FgHomogenizationTable *table, herr_t *status)
{
  const long long resolution[3] = {table->resolution[0], table->resolution[1], table->resolution[2]};
  hsize_t         dims[FG_SWEEP_AXES + 2];
  char            name[16];

  WriteText(file, "format", format, status);
  WriteInteger(file, "format_version", FORMAT_VERSION, status);
  WriteText(file, "generator", table->generator[0] ? table->generator : "finegrain " FG_VERSION, status);
  WriteText(file, "geometry", table->geometry, status);
  WriteText(file, "physics", table->physics, status);
  WriteNumbers(file, "resolution", H5T_STD_I64LE, H5T_NATIVE_LLONG, 3, resolution, status);
  WriteInteger(file, "fiber_axis", table->fiber_axis, status);
  WriteInteger(file, "columnar", table->columnar ? 1 : 0, status);
  WriteNumbers(file, "packing", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &table->packing, status);
  WriteNumbers(file, "tolerance", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &table->tolerance, status);
  WriteInteger(file, "axes", table->naxes, status);
  for (PetscInt a = 0; a < table->naxes; a++) {
    const FgSweepAxis *axis = &table->axes[a];

    dims[a] = (hsize_t)axis->n;
    snprintf(name, sizeof name, "axis_%d", (int)a);
    WriteReals(file, name, axis->name, axis->unit, 1, &dims[a], axis->value, status);
  }
  dims[table->naxes] = dims[table->naxes + 1] = 3;
  WriteReals(file, "effective_tensor", NULL, "coefficient of the matrix", (int)table->naxes + 2, dims, table->tensor, status);
  WriteReals(file, "fraction_exact", NULL, "1", (int)table->naxes, dims, table->fraction_exact, status);
  WriteReals(file, "fraction_voxels", NULL, "1", (int)table->naxes, dims, table->fraction_voxels, status);
}

/* HDF5 reports failures to standard error unless told not to. */
typedef struct {
  H5E_auto2_t function;
  void       *context;
} Reports;

static void Hush(Reports *reports)
{
  (void)H5Eget_auto2(H5E_DEFAULT, &reports->function, &reports->context);
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void Unhush(const Reports *reports)
{
  (void)H5Eset_auto2(H5E_DEFAULT, reports->function, reports->context);
}

/* FALSE where HDF5 failed. The driver keeps the file in memory until it is closed. */
static PetscBool WriteFile(const char *path, const FgHomogenizationTable *table)
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
  hid_t       file;
  herr_t      status = 0;
  Reports     reports;

  Hush(&reports);
  if (H5Pset_fapl_core(access, 65536, 1) < 0 || H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0) status = -1;
  if (H5Pset_obj_track_times(creation, 0) < 0) status = -1;
  file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  WriteAll(file, table, &status);
  if (H5Fclose(file) < 0) status = -1;
  (void)H5Pclose(creation);
  (void)H5Pclose(access);
  Unhush(&reports);
  return status < 0 ? PETSC_FALSE : PETSC_TRUE;
}

PetscErrorCode FgHomogenizationTableWrite(const char *path, const FgHomogenizationTable *table)
{
  char  partial[PETSC_MAX_PATH_LEN];
  FILE *file;

  PetscFunctionBegin;
  PetscCall(CheckValues(table, PETSC_ERR_ARG_WRONG, path));
  PetscCall(FgPartialName(path, partial));
  file = fopen(partial, "wb"); /* HDF5 would not say why it cannot */
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written: %s", path, strerror(errno));
  (void)fclose(file);
  if (!WriteFile(partial, table)) {
    FgPartialDrop(path);
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written by HDF5; is the disk full?", path);
  }
  PetscCall(FgPartialKeep(path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Reading -------------------------------------------------------------------------------------------------------- */

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
  PetscCheck(!strcmp(text, format), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found the format '%s', expected %s", path,
             text, expected);
  PetscCall(ReadInteger(path, file, "format_version", 1, PETSC_MAX_INT, &number));
  PetscCheck(number == FORMAT_VERSION, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found version %" PetscInt_FMT " of the format, expected %d; is it of a newer finegrain?", path, number,
             FORMAT_VERSION);
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
  PetscCall(CheckValues(table, PETSC_ERR_FILE_UNEXPECTED, path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadImage(const char *path, char *bytes, size_t length, FgHomogenizationTable *table)
{
  static const char signature[] = "\211HDF\r\n\032\n";
  const hid_t       settings    = H5Pcreate(H5P_FILE_ACCESS);
  hid_t             file        = -1;
  PetscErrorCode    code        = PETSC_SUCCESS;
  Reports           reports;

  PetscFunctionBegin;
  PetscCheck(length > 8 && !memcmp(bytes, signature, 8), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: is no HDF5 file, expected %s", path, expected);
  PetscCheck(bytes[8] == 2 || bytes[8] == 3, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: superblock of version %d, expected 2 or 3, whose metadata have checksums; write it with libver='latest'", path,
             bytes[8]);
  Hush(&reports);
  if (H5Pset_fapl_core(settings, 65536, 0) >= 0 && H5Pset_file_image(settings, bytes, length) >= 0) {
    file = H5Fopen("/dev/null/image", H5F_ACC_RDONLY, settings); /* HDF5 wants the name of a file that does not exist */
  }
  if (file >= 0) code = ReadAll(path, file, table);
  if (file >= 0) (void)H5Fclose(file);
  (void)H5Pclose(settings);
  /* Refusing a damaged file, HDF5 1.10 loses some memory and would complain about that when the program ends. */
  if (file >= 0 && !code) Unhush(&reports);
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
