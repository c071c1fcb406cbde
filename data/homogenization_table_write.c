/* homogenization_table_write.c: tables of effective tensors into HDF5 files. Layout: docs/formats.md. */
#include "homogenization_table.h"

#include "hdf5_write.h"

#include <stdio.h>

static void WriteAll(FgHdf5Out *out, const FgHomogenizationTable *table)
{
  hsize_t dims[FG_SWEEP_AXES + 2];
  char    name[16];

  FgHdf5PutText(out, "format", FG_TABLE_FORMAT);
  FgHdf5PutInteger(out, "format_version", FG_TABLE_FORMAT_VERSION);
  FgHdf5PutText(out, "generator", table->generator[0] ? table->generator : "finegrain " FG_VERSION);
  FgHdf5PutText(out, "geometry", table->geometry);
  FgHdf5PutText(out, "physics", table->physics);
  FgHdf5PutCounts(out, "resolution", 3, table->resolution);
  FgHdf5PutInteger(out, "fiber_axis", table->fiber_axis);
  FgHdf5PutInteger(out, "columnar", table->columnar ? 1 : 0);
  FgHdf5PutNumbers(out, "packing", 1, &table->packing);
  FgHdf5PutNumbers(out, "tolerance", 1, &table->tolerance);
  FgHdf5PutInteger(out, "axes", table->naxes);
  for (PetscInt a = 0; a < table->naxes; a++) {
    const FgSweepAxis *axis = &table->axes[a];

    dims[a] = (hsize_t)axis->n;
    snprintf(name, sizeof name, "axis_%d", (int)a);
    FgHdf5PutReals(out, name, axis->unit, NULL, 1, &dims[a], axis->value);
    FgHdf5PutTextOf(out, name, "name", axis->name);
  }
  dims[table->naxes] = dims[table->naxes + 1] = 3;
  FgHdf5PutReals(out, "effective_tensor", "coefficient of the matrix", NULL, (int)table->naxes + 2, dims, table->tensor);
  FgHdf5PutReals(out, "fraction_exact", "1", NULL, (int)table->naxes, dims, table->fraction_exact);
  FgHdf5PutReals(out, "fraction_voxels", "1", NULL, (int)table->naxes, dims, table->fraction_voxels);
}

PetscErrorCode FgHomogenizationTableWrite(const char *path, const FgHomogenizationTable *table)
{
  FgHdf5Out out;

  PetscFunctionBegin;
  PetscCall(FgHomogenizationTableCheck(table, PETSC_ERR_ARG_WRONG, path));
  PetscCall(FgHdf5Create(path, &out));
  WriteAll(&out, table);
  PetscCall(FgHdf5Finish(&out, PETSC_FALSE));
  PetscFunctionReturn(PETSC_SUCCESS);
}
