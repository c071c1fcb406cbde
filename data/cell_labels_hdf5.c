/* cell_labels_hdf5.c: labels out of an HDF5 dataset, some planes at a time. Files come from anywhere: only the named dataset
   and its attribute are touched, sizes are checked before anything is allocated, and data that lie in other files are refused.
   Source: https://docs.hdfgroup.org/hdf5/v1_10/ */
#include "cell_labels.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_LIMIT 16777216.0  /* labels in the buffer */
#define CACHE_LIMIT  268435456.0 /* [bytes] of unpacked chunks, so that none is unpacked for every plane */

typedef struct {
  hid_t    file, dataset, space;
  int      rank;
  hsize_t  dims[3];       /* as in the file: slowest first */
  PetscInt planes;        /* in the buffer at once */
  PetscInt first, filled; /* labels in the buffer: index of the first, how many */
  int32_t *buffer;
} Hdf5;

static PetscErrorCode ReadPlanes(FgLabels labels, Hdf5 *hdf5)
{
  const PetscInt plane = labels->info.n[0] * labels->info.n[1], z = labels->done / plane;
  const PetscInt nz       = PetscMin(hdf5->planes, labels->info.n[2] - z);
  const hsize_t  start[3] = {(hsize_t)z, 0, 0}, count[3] = {(hsize_t)nz, hdf5->dims[1], hdf5->dims[2]};
  const hsize_t  flat   = (hsize_t)(nz * plane);
  hid_t          memory = H5Screate_simple(1, &flat, NULL);
  herr_t         status = -1;

  PetscFunctionBegin;
  if (memory >= 0) {
    status = hdf5->rank == 2 ? H5Sselect_all(hdf5->space)
                             : H5Sselect_hyperslab(hdf5->space, H5S_SELECT_SET, start, NULL, count, NULL);
    if (status >= 0) status = H5Dread(hdf5->dataset, H5T_NATIVE_INT32, memory, hdf5->space, H5P_DEFAULT, hdf5->buffer);
    (void)H5Sclose(memory);
  }
  PetscCheck(status >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_READ,
             "%s: damaged: planes %" PetscInt_FMT " to %" PetscInt_FMT " of the dataset cannot be read", labels->path, z,
             z + nz - 1);
  hdf5->first  = z * plane;
  hdf5->filled = nz * plane;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadHdf5(FgLabels labels, PetscInt n, int32_t *values)
{
  Hdf5 *hdf5 = labels->own;

  PetscFunctionBegin;
  while (n > 0) {
    PetscInt from, now;

    if (labels->done >= hdf5->first + hdf5->filled) PetscCall(ReadPlanes(labels, hdf5));
    from = labels->done - hdf5->first;
    now  = PetscMin(n, hdf5->filled - from);
    PetscCall(PetscArraycpy(values, hdf5->buffer + from, now));
    labels->done += now;
    values += now;
    n -= now;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CloseHdf5(FgLabels labels)
{
  Hdf5 *hdf5 = labels->own;

  PetscFunctionBegin;
  if (hdf5->space >= 0) (void)H5Sclose(hdf5->space);
  if (hdf5->dataset >= 0) (void)H5Dclose(hdf5->dataset);
  if (hdf5->file >= 0) (void)H5Fclose(hdf5->file);
  PetscCall(PetscFree(hdf5->buffer));
  PetscCall(PetscFree(labels->own));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Counts datasets of the root group and keeps the name of the last. */
typedef struct {
  int  count;
  char name[256];
} Search;

static herr_t CountDataset(hid_t group, const char *name, const H5L_info_t *link, void *context)
{
  Search    *search = context;
  H5O_info_t info;

  if (link->type != H5L_TYPE_HARD || H5Oget_info_by_name(group, name, &info, H5P_DEFAULT) < 0 || info.type != H5O_TYPE_DATASET)
    return 0;
  search->count++;
  snprintf(search->name, sizeof search->name, "%.255s", name);
  return search->count > 1; /* ends the search */
}

static PetscErrorCode OpenDataset(const char *path, const char *name, hid_t access, Hdf5 *hdf5)
{
  Search search = {0};

  PetscFunctionBegin;
  if (!name || !name[0]) {
    hsize_t position = 0;

    (void)H5Literate(hdf5->file, H5_INDEX_NAME, H5_ITER_INC, &position, CountDataset, &search);
    PetscCheck(search.count == 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found %s in the root group, expected one; name it as %s:/PATH", path,
               search.count ? "several datasets" : "no dataset", path);
    name = search.name;
  }
  hdf5->dataset = H5Dopen2(hdf5->file, name, access);
  PetscCheck(hdf5->dataset >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found no dataset of that name in the HDF5 file",
             path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Integers in two or three dimensions, in this file, in chunks that are no larger than they can be of use. */
static PetscErrorCode CheckDataset(FgLabels labels, Hdf5 *hdf5, double *layer)
{
  const char *const path = labels->path;
  hid_t             type = H5Dget_type(hdf5->dataset), creation;
  const H5T_class_t kind = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  const size_t      size = type >= 0 ? H5Tget_size(type) : 0;
  H5D_layout_t      layout;
  hsize_t           chunk[3] = {1, 1, 1};
  double            voxels   = 1.0;
  int               external, ndims = 0;

  PetscFunctionBegin;
  if (type >= 0) (void)H5Tclose(type);
  PetscCheck(kind == H5T_INTEGER && size >= 1 && size <= 8, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a dataset of something else, expected integers", path);
  hdf5->space = H5Dget_space(hdf5->dataset);
  hdf5->rank  = hdf5->space >= 0 ? H5Sget_simple_extent_ndims(hdf5->space) : -1;
  PetscCheck(hdf5->rank == 2 || hdf5->rank == 3, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a dataset of %d dimensions, expected two or three", path, hdf5->rank);
  hdf5->dims[0] = 1;
  (void)H5Sget_simple_extent_dims(hdf5->space, hdf5->dims + 3 - hdf5->rank, NULL);
  for (int k = 0; k < 3; k++) {
    PetscCheck(hdf5->dims[k] >= 1 && hdf5->dims[k] <= (hsize_t)PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found a dataset of %llu x %llu x %llu voxels, expected 1 to %lld along each axis", path,
               (unsigned long long)hdf5->dims[2], (unsigned long long)hdf5->dims[1], (unsigned long long)hdf5->dims[0],
               (long long)PETSC_MAX_INT);
    labels->info.n[2 - k] = (PetscInt)hdf5->dims[k];
    voxels *= (double)hdf5->dims[k];
  }
  creation = H5Dget_create_plist(hdf5->dataset);
  layout   = creation >= 0 ? H5Pget_layout(creation) : H5D_LAYOUT_ERROR;
  external = creation >= 0 ? H5Pget_external_count(creation) : -1;
  if (layout == H5D_CHUNKED) ndims = H5Pget_chunk(creation, hdf5->rank, chunk + 3 - hdf5->rank);
  if (creation >= 0) (void)H5Pclose(creation);
  PetscCheck((layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || (layout == H5D_CHUNKED && ndims == hdf5->rank)) &&
                 external == 0,
             PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a dataset whose values lie in other files, expected them in this one", path);
  PetscCheck((double)chunk[0] * (double)chunk[1] * (double)chunk[2] <= 8.0 * voxels + 1e6, PETSC_COMM_SELF,
             PETSC_ERR_FILE_UNEXPECTED,
             "%s: found chunks of %llu x %llu x %llu voxels, far more than the dataset has; the file is damaged", path,
             (unsigned long long)chunk[2], (unsigned long long)chunk[1], (unsigned long long)chunk[0]);
  labels->info.bytes_per_value = (int)size;
  hdf5->planes = (PetscInt)PetscMin((double)chunk[0], BUFFER_LIMIT / ((double)hdf5->dims[1] * (double)hdf5->dims[2]));
  hdf5->planes = PetscMax(1, PetscMin(hdf5->planes, labels->info.n[2]));
  *layer       = layout == H5D_CHUNKED ? (double)size * (double)chunk[0] * ((double)hdf5->dims[1] + (double)chunk[1]) *
                                       ((double)hdf5->dims[2] + (double)chunk[2])
                                       : 0.0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* An attribute of one number or as many as the dataset has dimensions, slowest first, times `unit` [m]: edges of a voxel. */
static void ReadSpacing(FgLabels labels, Hdf5 *hdf5, const char *name, double unit)
{
  const hid_t attribute = H5Aexists(hdf5->dataset, name) > 0 ? H5Aopen(hdf5->dataset, name, H5P_DEFAULT) : -1;
  const hid_t space     = attribute >= 0 ? H5Aget_space(attribute) : -1;
  const hid_t type      = attribute >= 0 ? H5Aget_type(attribute) : -1;
  hssize_t    count     = space >= 0 ? H5Sget_simple_extent_npoints(space) : 0;
  double      values[3];

  if (count >= 1 && count <= 3 && type >= 0 && (H5Tget_class(type) == H5T_FLOAT || H5Tget_class(type) == H5T_INTEGER) &&
      H5Aread(attribute, H5T_NATIVE_DOUBLE, values) >= 0) {
    for (PetscInt a = 0; a < 3; a++)
      labels->info.edge[a] = unit * values[count == 1 ? 0 : PetscMax(0, (PetscInt)count - 1 - a)] * (double)labels->info.n[a];
  }
  if (type >= 0) (void)H5Tclose(type);
  if (space >= 0) (void)H5Sclose(space);
  if (attribute >= 0) (void)H5Aclose(attribute);
}

PetscErrorCode FgLabelsOpenHdf5(const char *path, const char *dataset, FgLabels labels)
{
  Hdf5  *hdf5;
  hid_t  access;
  double layer;

  PetscFunctionBegin;
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  PetscCall(PetscNew(&hdf5));
  hdf5->file = hdf5->dataset = hdf5->space = -1;
  labels->own                              = hdf5;
  labels->read                             = ReadHdf5;
  labels->close                            = CloseHdf5;
  labels->info.format                      = "HDF5";
  hdf5->file                               = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  PetscCheck(hdf5->file >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: cannot be opened as HDF5; the file is damaged or in use",
             path);
  PetscCall(OpenDataset(labels->path, dataset, H5P_DEFAULT, hdf5));
  PetscCall(CheckDataset(labels, hdf5, &layer));
  ReadSpacing(labels, hdf5, "element_size_um", 1e-6);
  ReadSpacing(labels, hdf5, "voxel_size", 1.0);
  if (layer > 0) { /* a second time, with room for a layer of chunks */
    access = H5Pcreate(H5P_DATASET_ACCESS);
    (void)H5Pset_chunk_cache(access, 10007, (size_t)PetscMin(layer, CACHE_LIMIT), 1.0);
    (void)H5Dclose(hdf5->dataset);
    PetscCall(OpenDataset(labels->path, dataset, access, hdf5));
    (void)H5Pclose(access);
  }
  PetscCall(PetscMalloc1(hdf5->planes * labels->info.n[0] * labels->info.n[1], &hdf5->buffer));
  PetscFunctionReturn(PETSC_SUCCESS);
}
