/* cell_write_xdmf.c: labels and fields of a cell for ParaView: an XDMF text that describes datasets of an HDF5 file beside it.

   The grid is a regular one with values in its voxels (Center="Cell"); XDMF counts axes from the slowest, z y x, as the
   datasets do. Fields of one or three components are scalars or vectors; of others each component is a scalar of its own.
   The dataset of labels carries its voxel size, so that NAME.h5:/labels is a cell image again. */
#include "partial.h"
#include "xdmf.h"

#include "finegrain/cell_file.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

/* --- HDF5 --------------------------------------------------------------------------------------------------------------- */

/* Writes planes start .. start + count - 1 of a dataset [n2][n1][n0] or [n2][n1][n0][ncomp]. */
static herr_t WritePlanes(hid_t dataset, FgCell cell, PetscInt start, PetscInt count, PetscInt ncomp, hid_t type,
                          const void *values)
{
  const hsize_t first[4] = {(hsize_t)start, 0, 0, 0};
  const hsize_t block[4] = {(hsize_t)count, (hsize_t)cell->n[1], (hsize_t)cell->n[0], (hsize_t)ncomp};
  const int     rank     = ncomp > 1 ? 4 : 3;
  hid_t         file = H5Dget_space(dataset), memory = H5Screate_simple(rank, block, NULL);
  herr_t        status = -1;

  if (count == 0) status = 0;
  else if (file >= 0 && memory >= 0 && H5Sselect_hyperslab(file, H5S_SELECT_SET, first, NULL, block, NULL) >= 0)
    status = H5Dwrite(dataset, type, memory, file, H5P_DEFAULT, values);
  if (memory >= 0) (void)H5Sclose(memory);
  if (file >= 0) (void)H5Sclose(file);
  return status;
}

/* A dataset from what all ranks hold, local[nlocal][ncomp] of `size` bytes each. The first rank goes on receiving when a
   write has failed, so that no rank waits; *failed tells it. `file` counts on the first rank. */
static PetscErrorCode WriteDataset(FgCell cell, hid_t file, const char *name, PetscInt ncomp, hid_t type, hid_t stored,
                                   size_t size, const void *local, PetscBool *failed)
{
  const PetscInt plane   = cell->n[0] * cell->n[1];
  const hsize_t  dims[4] = {(hsize_t)cell->n[2], (hsize_t)cell->n[1], (hsize_t)cell->n[0], (hsize_t)ncomp};
  hid_t          space = -1, links = -1, dataset = -1;
  PetscMPIInt    rank, ranks;
  char          *planes = NULL;
  MPI_Datatype   row;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  PetscCallMPI(MPI_Comm_size(cell->comm, &ranks));
  PetscCallMPI(MPI_Type_contiguous((int)((size_t)(cell->n[0] * ncomp) * size), MPI_BYTE, &row)); /* counts fit into an int */
  PetscCallMPI(MPI_Type_commit(&row));
  if (rank == 0) {
    space = H5Screate_simple(ncomp > 1 ? 4 : 3, dims, NULL);
    links = H5Pcreate(H5P_LINK_CREATE);
    (void)H5Pset_create_intermediate_group(links, 1);
    dataset = H5Dcreate2(file, name, stored, space, links, H5P_DEFAULT, H5P_DEFAULT);
    if (dataset < 0 || WritePlanes(dataset, cell, 0, cell->count, ncomp, type, local) < 0) *failed = PETSC_TRUE;
    if (ranks > 1) PetscCall(PetscMalloc1((size_t)(cell->count * plane * ncomp) * size, &planes));
    for (PetscMPIInt r = 1; r < ranks; r++) {
      PetscInt start, count;

      FgCellSlab(cell, r, &start, &count);
      if (count == 0) continue;
      PetscCallMPI(MPI_Recv(planes, (PetscMPIInt)(count * cell->n[1]), row, r, 0, cell->comm, MPI_STATUS_IGNORE));
      if (!*failed && WritePlanes(dataset, cell, start, count, ncomp, type, planes) < 0) *failed = PETSC_TRUE;
    }
    PetscCall(PetscFree(planes));
    if (dataset >= 0 && H5Dclose(dataset) < 0) *failed = PETSC_TRUE;
    if (links >= 0) (void)H5Pclose(links);
    if (space >= 0) (void)H5Sclose(space);
  } else if (cell->count) PetscCallMPI(MPI_Send(local, (PetscMPIInt)(cell->count * cell->n[1]), row, 0, 0, cell->comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static herr_t WriteSpacing(hid_t file, FgCell cell)
{
  const hsize_t three      = 3;
  const double  spacing[3] = {cell->spacing[2], cell->spacing[1], cell->spacing[0]};
  hid_t         dataset = H5Dopen2(file, "labels", H5P_DEFAULT), space = H5Screate_simple(1, &three, NULL);
  hid_t         attribute = H5Acreate2(dataset, "voxel_size", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
  herr_t        status    = attribute >= 0 ? H5Awrite(attribute, H5T_NATIVE_DOUBLE, spacing) : -1;

  if (attribute >= 0) (void)H5Aclose(attribute);
  if (space >= 0) (void)H5Sclose(space);
  if (dataset >= 0) (void)H5Dclose(dataset);
  return status;
}

/* --- Names ----------------------------------------------------------------------------------------------------------------- */

/* PHYSICS/FIELD, or PHYSICS/FIELD_k of a component, of letters that neither a path nor XML minds. */
static void NameOf(const FgCellReport *report, const FgCellField *field, PetscInt component, char name[3 * FG_CELL_NAME])
{
  if (component < 0) snprintf(name, 3 * FG_CELL_NAME, "%.60s/%s", report->physics ? report->physics : "fields", field->name);
  else snprintf(name, 3 * FG_CELL_NAME, "%.60s/%s_%d", report->physics ? report->physics : "fields", field->name, (int)component);
  FgXdmfPlain(name, strchr(name, '/'));
}

/* --- XDMF ---------------------------------------------------------------------------------------------------------------- */

static void DescribeAttribute(FILE *text, FgCell cell, const char *name, PetscInt ncomp, PetscBool labels, const char *data)
{
  char components[16] = "";

  if (ncomp > 1) snprintf(components, sizeof components, " %d", (int)ncomp);
  fprintf(text,
          "      <Attribute Name=\"%s\" AttributeType=\"%s\" Center=\"Cell\">\n"
          "        <DataItem Format=\"HDF\" NumberType=\"%s\" Precision=\"4\" Dimensions=\"%d %d %d%s\">%s:/%s</DataItem>\n"
          "      </Attribute>\n",
          name, ncomp == 3 ? "Vector" : "Scalar", labels ? "Int" : "Float", (int)cell->n[2], (int)cell->n[1], (int)cell->n[0],
          components, data, name);
}

typedef struct {
  FgCell              cell;
  PetscInt            nreports;
  const FgCellReport *reports;
} Result;

static void Describe(FILE *text, const char *data, const void *context)
{
  const Result       *result  = context;
  const FgCell        cell    = result->cell;
  const FgCellReport *reports = result->reports;
  char                name[3 * FG_CELL_NAME];

  fprintf(text,
          "    <Grid Name=\"cell\" GridType=\"Uniform\">\n"
          "      <Topology TopologyType=\"3DCoRectMesh\" Dimensions=\"%d %d %d\"/>\n"
          "      <Geometry GeometryType=\"ORIGIN_DXDYDZ\">\n"
          "        <DataItem Format=\"XML\" NumberType=\"Float\" Precision=\"8\" Dimensions=\"3\">0 0 0</DataItem>\n"
          "        <DataItem Format=\"XML\" NumberType=\"Float\" Precision=\"8\" Dimensions=\"3\">%.17g %.17g %.17g</DataItem>\n"
          "      </Geometry>\n",
          (int)cell->n[2] + 1, (int)cell->n[1] + 1, (int)cell->n[0] + 1, cell->spacing[2], cell->spacing[1], cell->spacing[0]);
  DescribeAttribute(text, cell, "labels", 1, PETSC_TRUE, data);
  for (PetscInt r = 0; r < result->nreports; r++) {
    for (PetscInt f = 0; f < reports[r].nfields; f++) {
      const FgCellField *field = &reports[r].fields[f];
      const PetscBool    whole = field->ncomp == 1 || field->ncomp == 3 ? PETSC_TRUE : PETSC_FALSE;

      for (PetscInt c = 0; c < (whole ? 1 : field->ncomp); c++) {
        NameOf(&reports[r], field, whole ? -1 : c, name);
        DescribeAttribute(text, cell, name, whole ? field->ncomp : 1, PETSC_FALSE, data);
      }
    }
  }
  fprintf(text, "    </Grid>\n");
}

/* --- Both ----------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode WriteData(FgCell cell, PetscInt nreports, const FgCellReport reports[], hid_t file, PetscBool *failed)
{
  int32_t *labels;
  char     name[3 * FG_CELL_NAME];

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(cell->nlocal, &labels));
  for (PetscInt v = 0; v < cell->nlocal; v++) labels[v] = (int32_t)cell->table.phases[cell->phase[v]].label;
  PetscCall(WriteDataset(cell, file, "labels", 1, H5T_NATIVE_INT32, H5T_STD_I32LE, sizeof *labels, labels, failed));
  PetscCall(PetscFree(labels));
  for (PetscInt r = 0; r < nreports; r++) {
    for (PetscInt f = 0; f < reports[r].nfields; f++) {
      const FgCellField *field = &reports[r].fields[f];
      float             *component;

      if (field->ncomp == 1 || field->ncomp == 3) {
        NameOf(&reports[r], field, -1, name);
        PetscCall(
            WriteDataset(cell, file, name, field->ncomp, H5T_NATIVE_FLOAT, H5T_IEEE_F32LE, sizeof(float), field->value, failed));
        continue;
      }
      PetscCall(PetscMalloc1(cell->nlocal, &component));
      for (PetscInt c = 0; c < field->ncomp; c++) {
        for (PetscInt v = 0; v < cell->nlocal; v++) component[v] = field->value[v * field->ncomp + c];
        NameOf(&reports[r], field, c, name);
        PetscCall(WriteDataset(cell, file, name, 1, H5T_NATIVE_FLOAT, H5T_IEEE_F32LE, sizeof(float), component, failed));
      }
      PetscCall(PetscFree(component));
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KeepData(const char *data, PetscBool failed)
{
  PetscFunctionBegin;
  if (failed) FgPartialDrop(data);
  PetscCheck(!failed, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written; is the folder there, and the disk not full?",
             data);
  PetscCall(FgPartialKeep(data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellWriteXdmf(const char *path, FgCell cell, PetscInt nreports, const FgCellReport reports[])
{
  const Result   result = {cell, nreports, reports};
  char           data[PETSC_MAX_PATH_LEN], partial[PETSC_MAX_PATH_LEN] = "";
  hid_t          file   = -1;
  PetscBool      failed = PETSC_FALSE;
  PetscMPIInt    rank;
  PetscErrorCode ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  PetscCall(FgXdmfData(path, data));
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  if (rank == 0) {
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    ierr = FgPartialName(data, partial);
    if (!ierr) file = H5Fcreate(partial, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (!ierr && file < 0) failed = PETSC_TRUE;
  }
  PetscCall(FgAgree(cell->comm, ierr));
  PetscCall(WriteData(cell, nreports, reports, file, &failed));
  if (rank == 0) {
    if (file >= 0 && WriteSpacing(file, cell) < 0) failed = PETSC_TRUE;
    if (file >= 0 && H5Fclose(file) < 0) failed = PETSC_TRUE;
    ierr = KeepData(data, failed);
    if (!ierr) ierr = FgXdmfWrite(path, Describe, &result);
  }
  PetscCall(FgAgree(cell->comm, ierr));
  PetscFunctionReturn(PETSC_SUCCESS);
}
