/* info_eit.c: an impedance measurement described: electrodes, patterns, how many of them are independent, voltages, noise, domain; and a Gmsh
   mesh: its size and its electrodes. */
#include "info_eit.h"

#include "eit_domain.h"

#include "finegrain/eit.h"
#include "finegrain/mesh_file.h"

#include <math.h>
#include <string.h>

static void DescribeDomain(FgEit eit, FgLog *log, json_t *found)
{
  char text[256] = "none: give fit a --mesh, or a --mask with --electrodes";

  if (eit->mesh) {
    snprintf(text, sizeof(text), "mesh of %d %s and %d nodes", (int)eit->mesh->nelements,
             eit->mesh->dim == 2 ? "triangles" : "tetrahedra", (int)eit->mesh->nnodes);
  } else if (eit->radius > 0.0 && eit->height > 0.0) {
    snprintf(text, sizeof(text), "cylinder of radius %g m and height %g m", eit->radius, eit->height);
  } else if (eit->radius > 0.0) {
    snprintf(text, sizeof(text), "disc of radius %g m, depth %g m", eit->radius, eit->depth);
  } else if (eit->position) {
    snprintf(text, sizeof(text), "electrode positions: give fit a --mask");
  }
  FgLogResult(log, "  domain       %s", text);
  json_object_set_new(found, "Domain", json_string(text));
}

static PetscErrorCode Describe(const char *path, FgLog *log, json_t *found)
{
  FgEit    eit;
  PetscInt independent = 0, n, used = 0;
  double   largest = 0.0, noise = 0.0, low = INFINITY, high = 0.0;

  PetscFunctionBegin;
  PetscCall(FgEitRead(path, &eit));
  PetscCall(FgEitIndependent(eit, &independent));
  n = eit->npatterns * eit->nmeasurements;
  for (PetscInt i = 0; i < n; i++) {
    if (!isfinite(eit->voltage[i])) continue;
    largest = fmax(largest, fabs(eit->voltage[i]));
    if (eit->noise) noise += eit->noise[i] * eit->noise[i];
    used++;
  }
  for (PetscInt l = 0; l < eit->nelectrodes; l++) low = fmin(low, eit->impedance[l]), high = fmax(high, eit->impedance[l]);
  noise = sqrt(noise / PetscMax(used, 1));
  FgLogResult(log, "%s: electrode voltages (impedance tomography)", path);
  FgLogResult(log, "  electrodes   %d%s, contact impedance %g to %g ohm m^2", (int)eit->nelectrodes,
              eit->nsilent ? " (some neither drive nor measure)" : "", low, high);
  FgLogResult(log, "  patterns     %d of current, %d independent; %d measurements each", (int)eit->npatterns, (int)independent,
              (int)eit->nmeasurements);
  FgLogResult(log, "  voltages     %d, %d missing, up to %.4g V", (int)n, (int)eit->ndropped, largest);
  if (eit->noise) FgLogResult(log, "  noise        root mean square %.3g V", noise);
  else FgLogResult(log, "  noise        not known: fit takes --noise-relative and --noise-absolute");
  FgLogResult(log, "  reference    %s",
              eit->reference ? "yes: fit takes the calibrated difference" : "none: fit takes the voltages themselves");
  DescribeDomain(eit, log, found);
  if (eit->simulated_elements) FgLogResult(log, "  simulated    on a mesh of %d elements", (int)eit->simulated_elements);
  json_object_set_new(found, "Format", json_string("finegrain EIT"));
  json_object_set_new(found, "Electrodes", json_integer(eit->nelectrodes));
  json_object_set_new(found, "SilentElectrodes", json_integer(eit->nsilent));
  json_object_set_new(found, "Patterns", json_integer(eit->npatterns));
  json_object_set_new(found, "IndependentPatterns", json_integer(independent));
  json_object_set_new(found, "Measurements", json_integer(eit->nmeasurements));
  json_object_set_new(found, "MissingVoltages", json_integer(eit->ndropped));
  json_object_set_new(found, "LargestVoltage_V", json_real(largest));
  if (eit->noise) json_object_set_new(found, "Noise_V", json_real(noise));
  json_object_set_new(found, "Reference", json_boolean(eit->reference));
  PetscCall(FgEitDestroy(&eit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DescribeGmsh(const char *path, FgLog *log, json_t *found)
{
  FgMesh      mesh;
  const char *kind;
  json_t     *names = json_array();
  double      low[3], high[3];

  PetscFunctionBegin;
  json_object_set_new(found, "Electrodes", names);
  PetscCall(FgMeshReadGmsh(path, 1.0, &mesh));
  FgEitBox(mesh, low, high);
  kind = mesh->dim == 2 ? "triangles" : "tetrahedra";
  FgLogResult(log, "%s: Gmsh mesh", path);
  FgLogResult(log, "  elements     %d %s, %d nodes", (int)mesh->nelements, kind, (int)mesh->nnodes);
  FgLogResult(log,
              "  extent       x %.4g to %.4g, y %.4g to %.4g, z %.4g to %.4g, in units of the file: m, or what --mesh-unit says",
              low[0], high[0], low[1], high[1], low[2], high[2]);
  FgLogResult(log, "  electrodes   %d%s%s%s%s", (int)mesh->nelectrodes, mesh->nelectrodes ? ": " : "",
              mesh->nelectrodes ? mesh->electrode[0] : "", mesh->nelectrodes > 1 ? " to " : "",
              mesh->nelectrodes > 1 ? mesh->electrode[mesh->nelectrodes - 1] : "");
  for (PetscInt l = 0; l < mesh->nelectrodes; l++) json_array_append_new(names, json_string(mesh->electrode[l]));
  json_object_set_new(found, "Format", json_string("Gmsh"));
  json_object_set_new(found, "Dimension", json_integer(mesh->dim));
  json_object_set_new(found, "Elements", json_integer(mesh->nelements));
  json_object_set_new(found, "Nodes", json_integer(mesh->nnodes));
  json_object_set_new(found, "Low", json_pack("[f, f, f]", low[0], low[1], low[2]));
  json_object_set_new(found, "High", json_pack("[f, f, f]", high[0], high[1], high[2]));
  PetscCall(FgMeshDestroy(&mesh));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* On the rank that speaks, for all. */
static PetscErrorCode Speak(PetscErrorCode (*describe)(const char *, FgLog *, json_t *), const char *path, FgLog *log,
                            json_t *found)
{
  PetscErrorCode code = PETSC_SUCCESS;

  PetscFunctionBegin;
  if (log->speaks) code = describe(path, log, found);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDescribeEit(const char *path, FgLog *log, json_t *found)
{
  return Speak(Describe, path, log, found);
}

PetscErrorCode FgDescribeMesh(const char *path, FgLog *log, json_t *found)
{
  return Speak(DescribeGmsh, path, log, found);
}
