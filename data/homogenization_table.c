/* homogenization_table.c: tables of effective tensors out of HDF5 files, read as hdf5_read.h does it. Layout: docs/formats.md. Nothing is read
   that is not named here, and nothing is allocated that was not checked against a limit. */
#include "homogenization_table.h"

#include "hdf5_checks.h"
#include "hdf5_read.h"

#include "finegrain/result.h"

#include <math.h>
#include <string.h>

enum { FILE_LIMIT = 64 * 1024 * 1024 };
static const char expected[] = "a table of `finegrain homogenize --sweep` (HDF5)";

/* A line of printable text of fixed length, shorter than FG_SWEEP_TEXT. */
static PetscErrorCode ReadText(const char *path, hid_t object, const char *name, char text[FG_SWEEP_TEXT])
{
  PetscFunctionBegin;
  PetscCheck(FgHdf5Line(object, name, FG_SWEEP_TEXT, text), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: attribute %s is %s, expected a text of fixed length of less than %d bytes", path, name,
             H5Aexists(object, name) > 0 ? "something else" : "missing", FG_SWEEP_TEXT);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* `class` H5T_INTEGER: long long values[n]; H5T_FLOAT: double. */
static PetscErrorCode ReadNumbers(const char *path, hid_t object, const char *name, H5T_class_t class, int n, void *values)
{
  const hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
  PetscBool   good      = PETSC_FALSE;

  PetscFunctionBegin;
  if (attribute >= 0) {
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);

    good = (class == H5T_INTEGER ? FgHdf5IsInteger(type) : FgHdf5IsDouble(type)) && H5Sget_simple_extent_npoints(space) == n &&
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
  const hid_t dataset = FgHdf5IsWithin(file, name) ? H5Dopen2(file, name, H5P_DEFAULT) : -1;
  const hid_t type    = dataset >= 0 ? H5Dget_type(dataset) : -1;
  PetscBool   good;

  if (dataset < 0) return -1;
  good = FgHdf5IsPiece(dataset) && FgHdf5IsDouble(type) ? PETSC_TRUE : PETSC_FALSE;
  (void)H5Tclose(type);
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

/* One rank; the table is empty where it fails. */
static PetscErrorCode ReadFile(const char *path, FgHomogenizationTable *table)
{
  FgHdf5         hdf5;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(FgHdf5Open(path, FILE_LIMIT, expected, &hdf5));
  code = ReadAll(path, hdf5.file, table);
  PetscCall(FgHdf5Close(&hdf5, code ? PETSC_TRUE : PETSC_FALSE));
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
