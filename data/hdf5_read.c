/* hdf5_read.c: the few things that are read of an HDF5 file, each checked first; see hdf5_read.h. */
#include "hdf5_read.h"

#include "hdf5_checks.h"
#include "hdf5_old.h"
#include "table.h"

#include <math.h>
#include <string.h>

/* libhdf5 alone, from a copy in memory; -1 where it fails. */
static hid_t OpenImage(const FgHdf5 *hdf5)
{
  const hid_t settings = H5Pcreate(H5P_FILE_ACCESS);
  hid_t       file     = -1;

  if (H5Pset_fapl_core(settings, 65536, 0) >= 0 && H5Pset_file_image(settings, hdf5->bytes, hdf5->length) >= 0)
    file = H5Fopen("/dev/null/image", H5F_ACC_RDONLY, settings); /* HDF5 wants the name of a file that does not exist */
  (void)H5Pclose(settings);
  return file;
}

PetscErrorCode FgHdf5Open(const char *path, size_t limit, const char *expected, FgHdf5 *hdf5)
{
  PetscErrorCode code = PETSC_SUCCESS;
  PetscBool      is;
  int            version;

  PetscFunctionBegin;
  memset(hdf5, 0, sizeof *hdf5);
  hdf5->path = path;
  hdf5->file = -1;
  PetscCall(FgTextRead(path, limit, expected, &hdf5->bytes, &hdf5->length));
  is      = hdf5->length > 8 && FgIsHdf5Bytes(hdf5->bytes, hdf5->length) ? PETSC_TRUE : PETSC_FALSE;
  version = is ? (unsigned char)hdf5->bytes[8] : 4;
  if (version <= 3) FgHush(&hdf5->reports);
  if (version <= 1) code = FgHdf5OldOpen(path, hdf5->bytes, hdf5->length, &hdf5->file);
  else if (version <= 3) hdf5->file = OpenImage(hdf5);
  if (code) FgUnhush(&hdf5->reports);
  PetscCall(PetscFree(hdf5->bytes)); /* HDF5 has a copy */
  PetscCall(code);
  PetscCheck(is, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: is no HDF5 file, expected %s", path, expected);
  PetscCheck(version <= 3, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: HDF5 file with a superblock of version %d, expected 0 to 3", path, version);
  PetscCheck(hdf5->file >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: HDF5 cannot open it: damaged or cut off", path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHdf5Close(FgHdf5 *hdf5, PetscBool damaged)
{
  PetscFunctionBegin;
  if (hdf5->file >= 0) (void)H5Fclose(hdf5->file);
  if (hdf5->file >= 0 && !damaged) FgUnhush(&hdf5->reports);
  hdf5->file = -1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool FgHdf5Has(const FgHdf5 *hdf5, const char *name)
{
  return FgHdf5IsWithin(hdf5->file, name);
}

/* --- Attributes -------------------------------------------------------------------------------------------------------------- */

PetscBool FgHdf5MayBe(const char *path, const char *format)
{
  char      head[9] = {0}, text[64];
  FILE     *stream  = fopen(path, "rb");
  PetscBool may     = PETSC_FALSE;
  FgReports reports;

  if (!stream) return PETSC_FALSE;
  if (fread(head, 1, sizeof head, stream) == sizeof head && FgIsHdf5Bytes(head, sizeof head)) may = PETSC_TRUE;
  (void)fclose(stream);
  if (may && (head[8] == 2 || head[8] == 3)) {
    hid_t file;

    FgHush(&reports);
    file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file >= 0 && FgHdf5Line(file, "format", sizeof text, text) && strcmp(text, format)) may = PETSC_FALSE;
    if (file >= 0) (void)H5Fclose(file);
    FgUnhush(&reports);
  }
  return may;
}

PetscErrorCode FgHdf5Text(const FgHdf5 *hdf5, const char *name, size_t size, char *text, PetscBool *found)
{
  PetscFunctionBegin;
  memset(text, 0, size);
  *found = H5Aexists(hdf5->file, name) > 0 ? PETSC_TRUE : PETSC_FALSE;
  if (*found)
    PetscCheck(FgHdf5Line(hdf5->file, name, size, text), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: attribute %s is something else, expected a text of fixed length of less than %d bytes (numpy.bytes_)",
               hdf5->path, name, (int)size);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHdf5Number(const FgHdf5 *hdf5, const char *name, double *value, PetscBool *found)
{
  PetscFunctionBegin;
  *found = H5Aexists(hdf5->file, name) > 0 ? PETSC_TRUE : PETSC_FALSE;
  if (*found) {
    const hid_t attribute = H5Aopen(hdf5->file, name, H5P_DEFAULT), type = H5Aget_type(attribute),
                space    = H5Aget_space(attribute);
    const PetscBool good = (FgHdf5IsReal(type) || FgHdf5IsInteger(type)) && H5Sget_simple_extent_npoints(space) == 1 &&
                                   H5Aread(attribute, H5T_NATIVE_DOUBLE, value) >= 0 && isfinite(*value)
                               ? PETSC_TRUE
                               : PETSC_FALSE;

    (void)H5Sclose(space);
    (void)H5Tclose(type);
    (void)H5Aclose(attribute);
    PetscCheck(good, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: attribute %s is something else, expected a finite number",
               hdf5->path, name);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Datasets ---------------------------------------------------------------------------------------------------------------- */

typedef struct {
  hid_t   dataset, type, space;
  int     rank;
  hsize_t dims[FG_HDF5_AXES];
} Dataset;

static void CloseDataset(Dataset *data)
{
  (void)H5Sclose(data->space);
  (void)H5Tclose(data->type);
  (void)H5Dclose(data->dataset);
}

/* A dataset in one piece within the file, with no more values than the file has bytes for. Nothing is open where it fails. */
static PetscErrorCode OpenDataset(const FgHdf5 *hdf5, const char *name, Dataset *data)
{
  PetscBool piece, sized = PETSC_FALSE;
  double    bytes;

  PetscFunctionBegin;
  PetscCheck(FgHdf5Has(hdf5, name), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: dataset %s is missing", hdf5->path, name);
  data->dataset = H5Dopen2(hdf5->file, name, H5P_DEFAULT);
  PetscCheck(data->dataset >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: %s is damaged, or no dataset", hdf5->path,
             name);
  data->type  = H5Dget_type(data->dataset);
  data->space = H5Dget_space(data->dataset);
  piece       = FgHdf5IsPiece(data->dataset);
  bytes       = (double)H5Tget_size(data->type);
  data->rank  = H5Sget_simple_extent_ndims(data->space);
  if (data->rank >= 0 && data->rank <= FG_HDF5_AXES && H5Sget_simple_extent_type(data->space) != H5S_NULL &&
      H5Sget_simple_extent_dims(data->space, data->dims, NULL) == data->rank) {
    sized = PETSC_TRUE;
    for (int k = 0; k < data->rank; k++) {
      if (data->dims[k] < 1 || data->dims[k] > (hsize_t)PETSC_MAX_INT) sized = PETSC_FALSE;
      bytes *= (double)data->dims[k];
    }
  }
  if (!piece || !sized || !(bytes <= (double)hdf5->length)) CloseDataset(data);
  PetscCheck(piece, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: dataset %s is compressed, chunked or in another file, expected it in one piece", hdf5->path, name);
  PetscCheck(sized, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: dataset %s is empty, or has more than %d dimensions",
             hdf5->path, name, FG_HDF5_AXES);
  PetscCheck(bytes <= (double)hdf5->length, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: dataset %s should have %.0f bytes, which is more than the file has; damaged or never written", hdf5->path, name,
             bytes);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHdf5Sizes(const FgHdf5 *hdf5, const char *name, int *rank, hsize_t dims[FG_HDF5_AXES])
{
  Dataset data;

  PetscFunctionBegin;
  PetscCall(OpenDataset(hdf5, name, &data));
  *rank = data.rank;
  for (int k = 0; k < data.rank; k++) dims[k] = data.dims[k];
  CloseDataset(&data);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* "76 x 31", or "one number". */
static void Describe(int rank, const hsize_t dims[], char text[64])
{
  size_t at = 0;

  if (!rank) strcpy(text, "one number");
  for (int k = 0; k < rank; k++)
    at += (size_t)snprintf(text + at, 64 - at, "%s%llu", k ? " x " : "", (unsigned long long)dims[k]);
}

static PetscErrorCode CheckSizes(const FgHdf5 *hdf5, const char *name, const Dataset *data, int rank, const hsize_t dims[])
{
  PetscBool same = data->rank == rank ? PETSC_TRUE : PETSC_FALSE;
  char      found[64], expected[64];

  PetscFunctionBegin;
  for (int k = 0; same && k < rank; k++) same = data->dims[k] == dims[k] ? PETSC_TRUE : PETSC_FALSE;
  Describe(data->rank, data->dims, found);
  Describe(rank, dims, expected);
  PetscCheck(same, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: dataset %s: found %s values, expected %s", hdf5->path, name,
             found, expected);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckUnit(const FgHdf5 *hdf5, const char *name, const Dataset *data, const char *unit)
{
  char text[32];

  PetscFunctionBegin;
  if (!unit || H5Aexists(data->dataset, "unit") <= 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(FgHdf5Line(data->dataset, "unit", sizeof text, text), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: attribute unit of dataset %s is something else, expected the text %s of fixed length (numpy.bytes_)",
             hdf5->path, name, unit);
  PetscCheck(!strcmp(text, unit), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: dataset %s: found the unit %s, expected %s",
             hdf5->path, name, text, unit);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHdf5Reals(const FgHdf5 *hdf5, const char *name, const char *unit, int rank, const hsize_t dims[], double *values)
{
  Dataset        data;
  PetscErrorCode code;
  PetscBool      number, read = PETSC_TRUE;

  PetscFunctionBegin;
  PetscCall(OpenDataset(hdf5, name, &data));
  number = FgHdf5IsReal(data.type) || FgHdf5IsInteger(data.type) ? PETSC_TRUE : PETSC_FALSE;
  code   = CheckSizes(hdf5, name, &data, rank, dims);
  if (!code) code = CheckUnit(hdf5, name, &data, unit);
  if (!code && number && values)
    read = H5Dread(data.dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0 ? PETSC_TRUE : PETSC_FALSE;
  CloseDataset(&data);
  PetscCall(code);
  PetscCheck(number, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: dataset %s is something else, expected numbers", hdf5->path,
             name);
  PetscCheck(read, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: dataset %s cannot be read: damaged", hdf5->path, name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* HDF5 takes what does not fit to the nearest PetscInt: whoever uses these numbers checks their range, which is narrower. */
PetscErrorCode FgHdf5Integers(const FgHdf5 *hdf5, const char *name, int rank, const hsize_t dims[], PetscInt *values)
{
  Dataset        data;
  PetscErrorCode code;
  PetscBool      number, read = PETSC_TRUE;

  PetscFunctionBegin;
  PetscCall(OpenDataset(hdf5, name, &data));
  number = FgHdf5IsInteger(data.type);
  code   = CheckSizes(hdf5, name, &data, rank, dims);
  if (!code && number && values)
    read = H5Dread(data.dataset, sizeof(PetscInt) == 8 ? H5T_NATIVE_LLONG : H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                   values) >= 0
               ? PETSC_TRUE
               : PETSC_FALSE;
  CloseDataset(&data);
  PetscCall(code);
  PetscCheck(number, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: dataset %s is something else, expected whole numbers",
             hdf5->path, name);
  PetscCheck(read, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: dataset %s cannot be read: damaged", hdf5->path, name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHdf5Names(const FgHdf5 *hdf5, const char *name, hsize_t n, char (*names)[32])
{
  const hid_t    memory = H5Tcopy(H5T_C_S1);
  Dataset        data;
  PetscErrorCode code;
  PetscBool      good = PETSC_FALSE;

  PetscFunctionBegin;
  code = OpenDataset(hdf5, name, &data);
  if (!code) {
    code = CheckSizes(hdf5, name, &data, 1, &n);
    if (!code && FgHdf5IsText(data.type, sizeof *names) && H5Tset_size(memory, 32) >= 0 &&
        H5Tset_cset(memory, H5Tget_cset(data.type)) >= 0 &&
        H5Dread(data.dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, names) >= 0)
      good = PETSC_TRUE;
    CloseDataset(&data);
  }
  (void)H5Tclose(memory);
  PetscCall(code);
  for (hsize_t i = 0; good && i < n; i++) {
    names[i][31] = 0;
    good         = FgHdf5IsLine(names[i]);
  }
  PetscCheck(good, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: dataset %s is something else, expected texts of fixed length of at most 31 characters (numpy 'S31')",
             hdf5->path, name);
  PetscFunctionReturn(PETSC_SUCCESS);
}
