/* hdf5_write.c: datasets and attributes into an HDF5 file; see hdf5_write.h. Ids that are not valid fail on their own. */
#include "hdf5_write.h"

#include "partial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

PetscErrorCode FgHdf5Create(const char *path, FgHdf5Out *out)
{
  char  partial[PETSC_MAX_PATH_LEN];
  hid_t access, creation;
  FILE *file;

  PetscFunctionBegin;
  memset(out, 0, sizeof *out);
  out->path = path;
  PetscCall(FgPartialName(path, partial));
  file = fopen(partial, "wb"); /* HDF5 would not say why it cannot */
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written: %s", path, strerror(errno));
  (void)fclose(file);
  FgHush(&out->reports);
  access   = H5Pcreate(H5P_FILE_ACCESS);
  creation = H5Pcreate(H5P_FILE_CREATE);
  if (H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0 || H5Pset_obj_track_times(creation, 0) < 0)
    out->status = -1;
  out->file = H5Fcreate(partial, H5F_ACC_TRUNC, creation, access);
  (void)H5Pclose(creation);
  (void)H5Pclose(access);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHdf5Finish(FgHdf5Out *out, PetscBool failed)
{
  PetscFunctionBegin;
  if (H5Fclose(out->file) < 0) out->status = -1;
  FgUnhush(&out->reports);
  if (out->status < 0 || failed) FgPartialDrop(out->path);
  if (failed) PetscFunctionReturn(PETSC_SUCCESS); /* whoever failed has said why */
  PetscCheck(out->status >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written by HDF5; is the disk full?",
             out->path);
  PetscCall(FgPartialKeep(out->path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void PutText(FgHdf5Out *out, hid_t object, const char *name, const char *text)
{
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  hid_t       attribute;

  if (H5Tset_size(type, strlen(text) + 1) < 0) out->status = -1;
  attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (H5Awrite(attribute, type, text) < 0 || H5Aclose(attribute) < 0) out->status = -1;
  (void)H5Sclose(space);
  (void)H5Tclose(type);
}

void FgHdf5PutText(FgHdf5Out *out, const char *name, const char *text)
{
  PutText(out, out->file, name, text);
}

void FgHdf5PutTextOf(FgHdf5Out *out, const char *dataset, const char *name, const char *text)
{
  const hid_t object = H5Dopen2(out->file, dataset, H5P_DEFAULT);

  PutText(out, object, name, text);
  if (H5Dclose(object) < 0) out->status = -1;
}

/* One value as one number, more as an array. */
static void PutValues(FgHdf5Out *out, const char *name, hid_t stored, hid_t type, hsize_t n, const void *values)
{
  const hid_t space     = n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL);
  const hid_t attribute = H5Acreate2(out->file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);

  if (H5Awrite(attribute, type, values) < 0 || H5Aclose(attribute) < 0) out->status = -1;
  (void)H5Sclose(space);
}

void FgHdf5PutNumbers(FgHdf5Out *out, const char *name, hsize_t n, const double *values)
{
  PutValues(out, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, n, values);
}

void FgHdf5PutCounts(FgHdf5Out *out, const char *name, hsize_t n, const PetscInt *values)
{
  PutValues(out, name, H5T_STD_I64LE, sizeof(PetscInt) == 8 ? H5T_NATIVE_LLONG : H5T_NATIVE_INT, n, values);
}

void FgHdf5PutInteger(FgHdf5Out *out, const char *name, PetscInt value)
{
  FgHdf5PutCounts(out, name, 1, &value);
}

/* The group of GROUP/NAME; HDF5 would note the time of one that it makes itself. */
static void MakeGroup(FgHdf5Out *out, const char *name)
{
  const char *slash = strchr(name, '/');
  char        group[64];

  if (!slash || (size_t)(slash - name) >= sizeof group) return;
  memcpy(group, name, (size_t)(slash - name));
  group[slash - name] = 0;
  if (H5Lexists(out->file, group, H5P_DEFAULT) == 0) {
    const hid_t settings = H5Pcreate(H5P_GROUP_CREATE);

    if (H5Pset_obj_track_times(settings, 0) < 0 || H5Gclose(H5Gcreate2(out->file, group, H5P_DEFAULT, settings, H5P_DEFAULT)) < 0)
      out->status = -1;
    (void)H5Pclose(settings);
  }
}

static void Put(FgHdf5Out *out, const char *name, const char *unit, const char *meaning, int rank, const hsize_t dims[],
                hid_t stored, hid_t type, const void *values)
{
  const hid_t space    = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
  const hid_t settings = H5Pcreate(H5P_DATASET_CREATE);
  hid_t       dataset;

  MakeGroup(out, name);
  if (H5Pset_obj_track_times(settings, 0) < 0) out->status = -1;
  dataset = H5Dcreate2(out->file, name, stored, space, H5P_DEFAULT, settings, H5P_DEFAULT);
  if (H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) out->status = -1;
  if (unit) PutText(out, dataset, "unit", unit);
  if (meaning) PutText(out, dataset, "meaning", meaning);
  if (H5Dclose(dataset) < 0) out->status = -1;
  (void)H5Pclose(settings);
  (void)H5Sclose(space);
}

void FgHdf5PutReals(FgHdf5Out *out, const char *name, const char *unit, const char *meaning, int rank, const hsize_t dims[],
                    const double *values)
{
  Put(out, name, unit, meaning, rank, dims, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values);
}

void FgHdf5PutIntegers(FgHdf5Out *out, const char *name, const char *meaning, int rank, const hsize_t dims[],
                       const PetscInt *values)
{
  Put(out, name, NULL, meaning, rank, dims, sizeof(PetscInt) == 8 ? H5T_STD_I64LE : H5T_STD_I32LE,
      sizeof(PetscInt) == 8 ? H5T_NATIVE_LLONG : H5T_NATIVE_INT, values);
}

void FgHdf5PutNames(FgHdf5Out *out, const char *name, const char *meaning, hsize_t n, const char (*names)[32])
{
  const hid_t type = H5Tcopy(H5T_C_S1);

  if (H5Tset_size(type, sizeof *names) < 0) out->status = -1;
  Put(out, name, NULL, meaning, 1, &n, type, type, names);
  (void)H5Tclose(type);
}
