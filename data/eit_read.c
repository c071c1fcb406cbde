/* eit_read.c: an impedance measurement out of HDF5. Layout: docs/formats.md, "EIT measurements". The sizes follow from the currents; every
   other dataset must agree with them. */
#include "eit_file.h"
#include "hdf5_read.h"

#include "finegrain/eit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const size_t FILE_LIMIT = (size_t)1 << 30;
static const char   expected[] = "an EIT measurement (HDF5)";

PetscErrorCode FgEitRecognize(const char *path, PetscBool *is)
{
  PetscFunctionBegin;
  *is = FgHdf5MayBe(path, FG_EIT_FORMAT);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadFormat(const FgHdf5 *h)
{
  char      text[64];
  double    version;
  PetscBool found;

  PetscFunctionBegin;
  PetscCall(FgHdf5Text(h, "format", sizeof text, text, &found));
  PetscCheck(found && !strcmp(text, FG_EIT_FORMAT), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found the format '%s', expected %s, whose attribute format is '%s'", h->path, text, expected, FG_EIT_FORMAT);
  PetscCall(FgHdf5Number(h, "version", &version, &found));
  PetscCheck(found && version == FG_EIT_FORMAT_VERSION, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %s %.6g of the format %s, expected %d; is it of a newer finegrain?", h->path,
             found ? "version" : "no version, not", found ? version : 0.0, FG_EIT_FORMAT, FG_EIT_FORMAT_VERSION);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Parts ------------------------------------------------------------------------------------------------------------------- */

/* One number that may be missing. */
static PetscErrorCode ReadOptional(const FgHdf5 *h, const char *name, const char *unit, double *value)
{
  PetscFunctionBegin;
  if (FgHdf5Has(h, name)) PetscCall(FgHdf5Reals(h, name, unit, 0, NULL, value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* values[n] of an array that may be missing, or be one number for all; NULL where it is missing and `required` is not set. */
static PetscErrorCode ReadEach(const FgHdf5 *h, const char *name, const char *unit, PetscInt n, PetscBool required,
                               double **values)
{
  const hsize_t dims[] = {(hsize_t)n};
  hsize_t       found[FG_HDF5_AXES];
  int           rank;

  PetscFunctionBegin;
  if (!required && !FgHdf5Has(h, name)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgHdf5Sizes(h, name, &rank, found));
  if (!*values) PetscCall(PetscMalloc1(n, values));
  PetscCall(FgHdf5Reals(h, name, unit, rank ? 1 : 0, dims, *values));
  for (PetscInt i = 1; !rank && i < n; i++) (*values)[i] = (*values)[0];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Currents say how many patterns and electrodes there are, measurement patterns how many measurements. */
static PetscErrorCode ReadSizes(const FgHdf5 *h, FgEit *eit)
{
  hsize_t current[FG_HDF5_AXES], pattern[FG_HDF5_AXES];
  int     rank;

  PetscFunctionBegin;
  PetscCall(FgHdf5Sizes(h, "current", &rank, current));
  PetscCheck(rank == 2, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: dataset current has %d dimensions, expected two: patterns x electrodes", h->path, rank);
  PetscCall(FgHdf5Sizes(h, "measurement_pattern", &rank, pattern));
  PetscCheck(
      rank == 2 && pattern[1] == current[1], PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
      "%s: dataset measurement_pattern has %d dimensions%s, expected two: measurements x the %llu electrodes of the currents",
      h->path, rank, rank == 2 ? " and another number of electrodes" : "", (unsigned long long)current[1]);
  PetscCall(FgEitCreate((PetscInt)current[1], (PetscInt)current[0], (PetscInt)pattern[0], eit));
  PetscCall(PetscStrncpy((*eit)->source, h->path, sizeof(*eit)->source));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadElectrodes(const FgHdf5 *h, FgEit eit)
{
  PetscFunctionBegin;
  if (FgHdf5Has(h, "electrode_name")) PetscCall(FgHdf5Names(h, "electrode_name", (hsize_t)eit->nelectrodes, eit->name));
  else {
    for (PetscInt l = 0; l < eit->nelectrodes; l++) snprintf(eit->name[l], sizeof eit->name[l], "%" PetscInt_FMT, l + 1);
  }
  PetscCall(ReadEach(h, "contact_impedance", "ohm m^2", eit->nelectrodes, PETSC_TRUE, &eit->impedance));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sd^2 = (relative_noise |V|)^2 + absolute_noise^2, or a dataset. */
static PetscErrorCode ReadNoise(const FgHdf5 *h, const hsize_t dims[2], FgEit eit)
{
  const size_t n        = (size_t)dims[0] * (size_t)dims[1];
  double       relative = 0.0, absolute = 0.0;
  PetscBool    found[3];

  PetscFunctionBegin;
  PetscCall(FgHdf5Number(h, "relative_noise", &relative, &found[0]));
  PetscCall(FgHdf5Number(h, "absolute_noise", &absolute, &found[1]));
  found[2] = FgHdf5Has(h, "noise");
  PetscCheck(!found[2] || !(found[0] || found[1]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a dataset noise and an attribute %s, expected one or the other", h->path,
             found[0] ? "relative_noise" : "absolute_noise");
  PetscCheck(relative >= 0.0 && absolute >= 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a relative noise of %.6g and an absolute one of %.6g V, expected 0 or more", h->path, relative, absolute);
  if (!found[0] && !found[1] && !found[2]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(n, &eit->noise));
  if (found[2]) PetscCall(FgHdf5Reals(h, "noise", "V", 2, dims, eit->noise));
  else {
    for (size_t i = 0; i < n; i++) eit->noise[i] = hypot(relative * eit->voltage[i], absolute);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadVoltages(const FgHdf5 *h, FgEit eit)
{
  const hsize_t current[2] = {(hsize_t)eit->npatterns, (hsize_t)eit->nelectrodes};
  const hsize_t pattern[2] = {(hsize_t)eit->nmeasurements, (hsize_t)eit->nelectrodes};
  const hsize_t voltage[2] = {(hsize_t)eit->npatterns, (hsize_t)eit->nmeasurements};
  const size_t  n          = (size_t)eit->npatterns * (size_t)eit->nmeasurements;

  PetscFunctionBegin;
  PetscCall(FgHdf5Reals(h, "current", "A", 2, current, eit->current));
  PetscCall(FgHdf5Reals(h, "measurement_pattern", "1", 2, pattern, eit->pattern));
  PetscCall(FgHdf5Reals(h, "voltage", "V", 2, voltage, eit->voltage));
  PetscCall(ReadNoise(h, voltage, eit));
  if (!FgHdf5Has(h, "reference_voltage")) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(n, &eit->reference));
  PetscCall(FgHdf5Reals(h, "reference_voltage", "V", 2, voltage, eit->reference));
  for (size_t i = 0; i < n; i++) { /* a voltage counts only together with its reference */
    if (isnan(eit->reference[i])) eit->voltage[i] = NAN;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadSimulated(const FgHdf5 *h, const char *name, PetscInt *value)
{
  double    number;
  PetscBool found;

  PetscFunctionBegin;
  PetscCall(FgHdf5Number(h, name, &number, &found));
  if (!found) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(number >= 0.0 && number <= (double)PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: attribute %s is %.6g, expected a number of 0 or more", h->path, name, number);
  *value = (PetscInt)number;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Domains ----------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode ReadTank(const FgHdf5 *h, FgEit eit)
{
  PetscFunctionBegin;
  PetscCall(FgHdf5Reals(h, "tank/radius", "m", 0, NULL, &eit->radius));
  PetscCheck(eit->radius > 0.0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a tank of radius %.6g m, expected one above 0", h->path, eit->radius);
  PetscCall(ReadOptional(h, "tank/height", "m", &eit->height));
  PetscCall(ReadEach(h, "tank/angle", "rad", eit->nelectrodes, PETSC_TRUE, &eit->angle));
  PetscCall(ReadEach(h, "tank/width", "m", eit->nelectrodes, PETSC_TRUE, &eit->width));
  PetscCall(ReadEach(h, "tank/z", "m", eit->nelectrodes, PETSC_FALSE, &eit->z));
  PetscCall(ReadEach(h, "tank/tall", "m", eit->nelectrodes, PETSC_FALSE, &eit->tall));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadPositions(const FgHdf5 *h, FgEit eit)
{
  const hsize_t dims[2] = {(hsize_t)eit->nelectrodes, 3};

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(3 * (size_t)eit->nelectrodes, &eit->position));
  PetscCall(FgHdf5Reals(h, "positions/position", "m", 2, dims, eit->position));
  PetscCall(ReadEach(h, "positions/radius", "m", eit->nelectrodes, PETSC_FALSE, &eit->electrode_radius));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillMesh(const FgHdf5 *h, FgEit eit, const hsize_t node[2], const hsize_t element[2], const hsize_t face[2],
                               FgMesh mesh)
{
  const hsize_t starts = (hsize_t)eit->nelectrodes + 1, elements = element[0];

  PetscFunctionBegin;
  PetscCall(FgHdf5Reals(h, "mesh/node", "m", 2, node, mesh->node));
  for (PetscInt i = mesh->nnodes - 1; node[1] == 2 && i >= 0; i--) { /* two coordinates a node, spread from behind */
    mesh->node[3 * i + 1] = mesh->node[2 * i + 1];
    mesh->node[3 * i]     = mesh->node[2 * i];
    mesh->node[3 * i + 2] = 0.0;
  }
  PetscCall(FgHdf5Integers(h, "mesh/element", 2, element, mesh->element));
  PetscCall(FgHdf5Integers(h, "mesh/electrode_face", 2, face, mesh->face));
  PetscCall(FgHdf5Integers(h, "mesh/electrode_face_start", 1, &starts, mesh->face_start));
  for (PetscInt l = 0; l <= eit->nelectrodes; l++) {
    PetscCheck(mesh->face_start[l] >= (l ? mesh->face_start[l - 1] : 0) && mesh->face_start[l] <= (PetscInt)face[0] &&
                   (l || mesh->face_start[0] == 0) && (l < eit->nelectrodes || mesh->face_start[l] == (PetscInt)face[0]),
               PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: value %" PetscInt_FMT " of mesh/electrode_face_start is %" PetscInt_FMT
               ", expected numbers from 0 to %llu that do not decrease",
               h->path, l, mesh->face_start[l], (unsigned long long)face[0]);
  }
  if (FgHdf5Has(h, "mesh/electrode_area"))
    PetscCall(ReadEach(h, "mesh/electrode_area", NULL, eit->nelectrodes, PETSC_TRUE, &mesh->electrode_area));
  if (FgHdf5Has(h, "mesh/site")) {
    PetscCall(PetscMalloc1(elements, &mesh->site));
    PetscCall(FgHdf5Integers(h, "mesh/site", 1, &elements, mesh->site));
    for (hsize_t e = 0; e < elements; e++) {
      PetscCheck(mesh->site[e] >= 0 && mesh->site[e] < mesh->nelements, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: element %llu of the mesh has site %" PetscInt_FMT ", expected 0 to %" PetscInt_FMT, h->path,
                 (unsigned long long)e, mesh->site[e], mesh->nelements - 1);
      mesh->nsites = PetscMax(mesh->nsites, mesh->site[e] + 1);
    }
  }
  PetscCall(PetscArraycpy(mesh->electrode, eit->name, eit->nelectrodes));
  PetscCall(FgMeshFinish(mesh, h->path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadMesh(const FgHdf5 *h, FgEit eit)
{
  hsize_t node[FG_HDF5_AXES], element[FG_HDF5_AXES], face[FG_HDF5_AXES];
  int     rank[3];

  PetscFunctionBegin;
  PetscCall(FgHdf5Sizes(h, "mesh/node", &rank[0], node));
  PetscCall(FgHdf5Sizes(h, "mesh/element", &rank[1], element));
  PetscCall(FgHdf5Sizes(h, "mesh/electrode_face", &rank[2], face));
  PetscCheck(rank[0] == 2 && (node[1] == 2 || node[1] == 3), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: dataset mesh/node has other sizes than nodes x 3 (or 2 in two dimensions)", h->path);
  PetscCheck(rank[1] == 2 && (element[1] == 3 || (element[1] == 4 && node[1] == 3)), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: dataset mesh/element has other sizes than elements x 3 (triangles) or 4 (tetrahedra, nodes in space)", h->path);
  PetscCheck(rank[2] == 2 && face[1] == element[1] - 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: dataset mesh/electrode_face has other sizes than faces x %llu", h->path, (unsigned long long)element[1] - 1);
  PetscCheck(3.0 * (double)node[0] <= (double)PETSC_MAX_INT && 4.0 * (double)element[0] <= (double)PETSC_MAX_INT, PETSC_COMM_SELF,
             PETSC_ERR_FILE_UNEXPECTED, "%s: found more nodes or elements than can be counted", h->path);
  PetscCall(FgMeshCreate((PetscInt)element[1] - 1, (PetscInt)node[0], (PetscInt)element[0], eit->nelectrodes, (PetscInt)face[0],
                         &eit->mesh));
  PetscCall(FillMesh(h, eit, node, element, face, eit->mesh));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- All --------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode ReadAll(const FgHdf5 *h, FgEit *out)
{
  FgEit eit;

  PetscFunctionBegin;
  PetscCall(ReadFormat(h));
  PetscCall(ReadSizes(h, out));
  eit = *out;
  PetscCall(ReadElectrodes(h, eit));
  PetscCall(ReadVoltages(h, eit));
  PetscCall(ReadOptional(h, "depth", "m", &eit->depth));
  PetscCall(ReadOptional(h, "background_conductivity", "S/m", &eit->background));
  PetscCall(ReadSimulated(h, "simulated_elements", &eit->simulated_elements));
  PetscCall(ReadSimulated(h, "simulated_nodes", &eit->simulated_nodes));
  if (FgHdf5Has(h, "tank")) PetscCall(ReadTank(h, eit));
  if (FgHdf5Has(h, "positions")) PetscCall(ReadPositions(h, eit));
  PetscCall(FgEitCheck(eit)); /* before a mesh is put in order, which takes longer */
  if (FgHdf5Has(h, "mesh")) PetscCall(ReadMesh(h, eit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitRead(const char *path, FgEit *eit)
{
  FgHdf5         hdf5;
  PetscErrorCode code;

  PetscFunctionBegin;
  *eit = NULL;
  PetscCall(FgHdf5Open(path, FILE_LIMIT, expected, &hdf5));
  code = ReadAll(&hdf5, eit);
  PetscCall(FgHdf5Close(&hdf5, code ? PETSC_TRUE : PETSC_FALSE));
  if (code) PetscCall(FgEitDestroy(eit));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}
