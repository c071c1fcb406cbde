/* eit_write.c: an impedance measurement into HDF5. Layout: docs/formats.md, "EIT measurements". */
#include "eit_file.h"
#include "hdf5_write.h"

#include "finegrain/eit.h"

static void WriteMesh(FgHdf5Out *out, FgMesh mesh)
{
  const hsize_t node[]    = {(hsize_t)mesh->nnodes, 3};
  const hsize_t element[] = {(hsize_t)mesh->nelements, (hsize_t)mesh->dim + 1};
  const hsize_t face[]    = {(hsize_t)mesh->face_start[mesh->nelectrodes], (hsize_t)mesh->dim};
  const hsize_t starts = (hsize_t)mesh->nelectrodes + 1, electrodes = (hsize_t)mesh->nelectrodes;

  FgHdf5PutReals(out, "mesh/node", "m", "coordinates", 2, node, mesh->node);
  FgHdf5PutIntegers(out, "mesh/element", "nodes of each triangle or tetrahedron, from 0", 2, element, mesh->element);
  if (mesh->site && mesh->nsites != mesh->nelements)
    FgHdf5PutIntegers(out, "mesh/site", "elements of the same number share one value, from 0", 1, element, mesh->site);
  FgHdf5PutIntegers(out, "mesh/electrode_face", "nodes of the boundary faces of the electrodes, from 0", 2, face, mesh->face);
  FgHdf5PutIntegers(out, "mesh/electrode_face_start", "first face of each electrode, and the number of all", 1, &starts,
                    mesh->face_start);
  if (mesh->electrode_area)
    FgHdf5PutReals(out, "mesh/electrode_area", mesh->dim == 3 ? "m^2" : "m", "of each electrode; 0: that of its faces", 1,
                   &electrodes, mesh->electrode_area);
}

static void WriteDomains(FgHdf5Out *out, FgEit eit)
{
  const hsize_t n = (hsize_t)eit->nelectrodes, position[] = {n, 3};

  if (eit->radius > 0.0) {
    FgHdf5PutReals(out, "tank/radius", "m", "a disc or upright cylinder about the origin", 0, NULL, &eit->radius);
    FgHdf5PutReals(out, "tank/height", "m", "0: a disc", 0, NULL, &eit->height);
    if (eit->angle)
      FgHdf5PutReals(out, "tank/angle", "rad", "centers of the electrodes, counter-clockwise from +x", 1, &n, eit->angle);
    if (eit->width) FgHdf5PutReals(out, "tank/width", "m", "of the electrodes along the wall", 1, &n, eit->width);
    if (eit->z) FgHdf5PutReals(out, "tank/z", "m", "centers of the electrodes above the bottom", 1, &n, eit->z);
    if (eit->tall) FgHdf5PutReals(out, "tank/tall", "m", "upright extent of the electrodes", 1, &n, eit->tall);
  }
  if (eit->position) {
    FgHdf5PutReals(out, "positions/position", "m", "x y z of the electrodes, scanner frame", 2, position, eit->position);
    if (eit->electrode_radius) FgHdf5PutReals(out, "positions/radius", "m", "of the electrodes", 1, &n, eit->electrode_radius);
  }
  if (eit->mesh) WriteMesh(out, eit->mesh);
}

static void WriteAll(FgHdf5Out *out, FgEit eit)
{
  const hsize_t n         = (hsize_t)eit->nelectrodes;
  const hsize_t current[] = {(hsize_t)eit->npatterns, n}, pattern[] = {(hsize_t)eit->nmeasurements, n};
  const hsize_t voltage[] = {(hsize_t)eit->npatterns, (hsize_t)eit->nmeasurements};

  FgHdf5PutText(out, "format", FG_EIT_FORMAT);
  FgHdf5PutInteger(out, "version", FG_EIT_FORMAT_VERSION);
  FgHdf5PutText(out, "generator", "finegrain " FG_VERSION);
  if (eit->simulated_elements) FgHdf5PutInteger(out, "simulated_elements", eit->simulated_elements);
  if (eit->simulated_nodes) FgHdf5PutInteger(out, "simulated_nodes", eit->simulated_nodes);
  FgHdf5PutNames(out, "electrode_name", NULL, n, (const char(*)[32])eit->name);
  FgHdf5PutReals(out, "contact_impedance", "ohm m^2", "of each electrode", 1, &n, eit->impedance);
  FgHdf5PutReals(out, "current", "A", "into each electrode, a row a current pattern", 2, current, eit->current);
  FgHdf5PutReals(out, "measurement_pattern", "1", "weights of the electrode potentials, a row a voltage", 2, pattern,
                 eit->pattern);
  FgHdf5PutReals(out, "voltage", "V", "a row a current pattern; NaN: not measured", 2, voltage, eit->voltage);
  if (eit->noise) FgHdf5PutReals(out, "noise", "V", "standard deviation of the voltages", 2, voltage, eit->noise);
  if (eit->reference) FgHdf5PutReals(out, "reference_voltage", "V", "voltages of a reference state", 2, voltage, eit->reference);
  FgHdf5PutReals(out, "depth", "m", "of a two-dimensional domain; 1: currents are per metre", 0, NULL, &eit->depth);
  if (eit->background > 0.0)
    FgHdf5PutReals(out, "background_conductivity", "S/m", "of the reference state", 0, NULL, &eit->background);
  WriteDomains(out, eit);
}

PetscErrorCode FgEitWrite(const char *path, FgEit eit)
{
  FgHdf5Out out;

  PetscFunctionBegin;
  PetscCall(FgHdf5Create(path, &out));
  WriteAll(&out, eit);
  PetscCall(FgHdf5Finish(&out, PETSC_FALSE));
  PetscFunctionReturn(PETSC_SUCCESS);
}
