/* homogenization_table_write.c: tables of effective tensors into HDF5 files, in the format whose metadata carry checksums. Layout:
   docs/formats.md. */
#include "homogenization_table.h"

#include "partial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

  WriteText(file, "format", FG_TABLE_FORMAT, status);
  WriteInteger(file, "format_version", FG_TABLE_FORMAT_VERSION, status);
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

/* FALSE where HDF5 failed. The driver keeps the file in memory until it is closed. */
static PetscBool WriteFile(const char *path, const FgHomogenizationTable *table)
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
  hid_t       file;
  herr_t      status = 0;
  FgReports   reports;

  FgHush(&reports);
  if (H5Pset_fapl_core(access, 65536, 1) < 0 || H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0) status = -1;
  if (H5Pset_obj_track_times(creation, 0) < 0) status = -1;
  file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  WriteAll(file, table, &status);
  if (H5Fclose(file) < 0) status = -1;
  (void)H5Pclose(creation);
  (void)H5Pclose(access);
  FgUnhush(&reports);
  return status < 0 ? PETSC_FALSE : PETSC_TRUE;
}

PetscErrorCode FgHomogenizationTableWrite(const char *path, const FgHomogenizationTable *table)
{
  char  partial[PETSC_MAX_PATH_LEN];
  FILE *file;

  PetscFunctionBegin;
  PetscCall(FgHomogenizationTableCheck(table, PETSC_ERR_ARG_WRONG, path));
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
