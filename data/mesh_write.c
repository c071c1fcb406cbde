/* mesh_write.c: a mesh and maps of its sites for ParaView: an XDMF text that describes datasets of an HDF5 file beside it. Two grids: the
   elements with one value of each map, and the faces under the electrodes with the electrodes' numbers, from 1. */
#include "hdf5_write.h"
#include "xdmf.h"

#include "finegrain/mesh_file.h"

#include <stdio.h>
#include <string.h>

enum { NAME_LIMIT = 64 };

typedef struct {
  FgMesh           mesh;
  PetscInt         nmaps;
  const FgMeshMap *maps;
} Result;

/* maps/NAME, of letters that neither a path nor XML minds. */
static void NameOf(const FgMeshMap *map, char name[NAME_LIMIT])
{
  snprintf(name, NAME_LIMIT, "maps/%.47s", map->name);
  FgXdmfPlain(name, name + strlen("maps"));
}

/* --- HDF5 -------------------------------------------------------------------------------------------------------------------- */

/* Values of elements from those of their sites. */
static PetscErrorCode WriteMap(FgHdf5Out *out, FgMesh mesh, const FgMeshMap *map)
{
  const size_t  ncomp  = (size_t)map->ncomp;
  const hsize_t dims[] = {(hsize_t)mesh->nelements, (hsize_t)ncomp};
  double       *value;
  char          name[NAME_LIMIT];

  PetscFunctionBegin;
  PetscCall(PetscMalloc1((size_t)mesh->nelements * ncomp, &value));
  for (PetscInt e = 0; e < mesh->nelements; e++) {
    const size_t site = (size_t)(mesh->site ? mesh->site[e] : e);

    for (size_t c = 0; c < ncomp; c++) value[(size_t)e * ncomp + c] = map->value[site * ncomp + c];
  }
  NameOf(map, name);
  FgHdf5PutReals(out, name, map->unit, NULL, ncomp > 1 ? 2 : 1, dims, value);
  PetscCall(PetscFree(value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteData(FgHdf5Out *out, FgMesh mesh, PetscInt nmaps, const FgMeshMap maps[])
{
  const PetscInt nfaces    = mesh->face_start[mesh->nelectrodes];
  const hsize_t  node[]    = {(hsize_t)mesh->nnodes, 3};
  const hsize_t  element[] = {(hsize_t)mesh->nelements, (hsize_t)mesh->dim + 1};
  const hsize_t  face[]    = {(hsize_t)nfaces, (hsize_t)mesh->dim};
  PetscInt      *electrode;

  PetscFunctionBegin;
  FgHdf5PutText(out, "format", "finegrain-mesh-result");
  FgHdf5PutInteger(out, "version", 1);
  FgHdf5PutText(out, "generator", "finegrain " FG_VERSION);
  FgHdf5PutReals(out, "mesh/node", "m", "coordinates", 2, node, mesh->node);
  FgHdf5PutIntegers(out, "mesh/element", "nodes of each triangle or tetrahedron, from 0", 2, element, mesh->element);
  if (nfaces > 0) {
    PetscCall(PetscMalloc1(nfaces, &electrode));
    for (PetscInt l = 0; l < mesh->nelectrodes; l++) {
      for (PetscInt f = mesh->face_start[l]; f < mesh->face_start[l + 1]; f++) electrode[f] = l + 1;
    }
    FgHdf5PutIntegers(out, "mesh/electrode_face", "nodes of the boundary faces of the electrodes, from 0", 2, face, mesh->face);
    FgHdf5PutIntegers(out, "mesh/electrode", "electrode of each of these faces, from 1", 1, face, electrode);
    PetscCall(PetscFree(electrode));
    FgHdf5PutNames(out, "mesh/electrode_name", NULL, (hsize_t)mesh->nelectrodes, (const char(*)[32])mesh->electrode);
  }
  for (PetscInt m = 0; m < nmaps; m++) PetscCall(WriteMap(out, mesh, &maps[m]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- XDMF -------------------------------------------------------------------------------------------------------------------- */

/* Nodes and what joins them; the grid stays open. */
static void DescribeGrid(FILE *text, FgMesh mesh, const char *name, const char *topology, PetscInt n, PetscInt corners,
                         const char *data, const char *dataset)
{
  fprintf(text,
          "    <Grid Name=\"%s\" GridType=\"Uniform\">\n"
          "      <Topology TopologyType=\"%s\" NumberOfElements=\"%d\"%s>\n"
          "        <DataItem Format=\"HDF\" NumberType=\"Int\" Precision=\"%d\" Dimensions=\"%d %d\">%s:/mesh/%s</DataItem>\n"
          "      </Topology>\n"
          "      <Geometry GeometryType=\"XYZ\">\n"
          "        <DataItem Format=\"HDF\" NumberType=\"Float\" Precision=\"8\" Dimensions=\"%d 3\">%s:/mesh/node</DataItem>\n"
          "      </Geometry>\n",
          name, topology, (int)n, corners == 2 ? " NodesPerElement=\"2\"" : "", (int)sizeof(PetscInt), (int)n, (int)corners, data,
          dataset, (int)mesh->nnodes, data);
}

static void DescribeMap(FILE *text, FgMesh mesh, const FgMeshMap *map, const char *data)
{
  char name[NAME_LIMIT], components[16] = "", unit[32] = "";

  NameOf(map, name);
  if (map->ncomp > 1) snprintf(components, sizeof components, " %d", (int)map->ncomp);
  if (map->unit && strcmp(map->unit, "1")) snprintf(unit, sizeof unit, " [%.24s]", map->unit);
  fprintf(text,
          "      <Attribute Name=\"%s%s\" AttributeType=\"%s\" Center=\"Cell\">\n"
          "        <DataItem Format=\"HDF\" NumberType=\"Float\" Precision=\"8\" Dimensions=\"%d%s\">%s:/%s</DataItem>\n"
          "      </Attribute>\n",
          name + strlen("maps/"), unit,
          map->ncomp == 6   ? "Tensor6"
          : map->ncomp == 3 ? "Vector"
                            : "Scalar",
          (int)mesh->nelements, components, data, name);
}

static void Describe(FILE *text, const char *data, const void *context)
{
  const Result  *result = context;
  const FgMesh   mesh   = result->mesh;
  const PetscInt nfaces = mesh->face_start[mesh->nelectrodes];

  DescribeGrid(text, mesh, "result", mesh->dim == 3 ? "Tetrahedron" : "Triangle", mesh->nelements, mesh->dim + 1, data,
               "element");
  for (PetscInt m = 0; m < result->nmaps; m++) DescribeMap(text, mesh, &result->maps[m], data);
  fprintf(text, "    </Grid>\n");
  if (nfaces > 0) {
    DescribeGrid(text, mesh, "electrodes", mesh->dim == 3 ? "Triangle" : "Polyline", nfaces, mesh->dim, data, "electrode_face");
    fprintf(
        text,
        "      <Attribute Name=\"electrode\" AttributeType=\"Scalar\" Center=\"Cell\">\n"
        "        <DataItem Format=\"HDF\" NumberType=\"Int\" Precision=\"%d\" Dimensions=\"%d\">%s:/mesh/electrode</DataItem>\n"
        "      </Attribute>\n    </Grid>\n",
        (int)sizeof(PetscInt), (int)nfaces, data);
  }
}

PetscErrorCode FgMeshWriteXdmf(const char *path, FgMesh mesh, PetscInt nmaps, const FgMeshMap maps[])
{
  const Result   result = {mesh, nmaps, maps};
  char           data[PETSC_MAX_PATH_LEN];
  FgHdf5Out      out;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(FgXdmfData(path, data));
  PetscCall(FgHdf5Create(data, &out));
  code = WriteData(&out, mesh, nmaps, maps);
  if (code) (void)FgHdf5Finish(&out, PETSC_TRUE);
  PetscCall(code);
  PetscCall(FgHdf5Finish(&out, PETSC_FALSE));
  PetscCall(FgXdmfWrite(path, Describe, &result));
  PetscFunctionReturn(PETSC_SUCCESS);
}
