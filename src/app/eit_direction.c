/* eit_direction.c: the fiber directions that a run of impedance tomography holds or starts from, from --direction: one vector, or a map
   sampled at the centroids of the sites. In a plane directions lie in it. */
#include "eit_model.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The voxel that holds a point [m]; FALSE outside the grid. */
static PetscBool VoxelOfPoint(const FgGrid *grid, const double inverse[9], const double x[3], PetscInt *voxel)
{
  double index[3];

  FgGridIndex(grid, inverse, x, index);
  *voxel = 0;
  for (int c = 2; c >= 0; c--) {
    if (grid->dims[c] == 1) continue; /* the thickness of a slice does not matter */
    if (!(index[c] > -0.5 && index[c] < (double)grid->dims[c] - 0.5)) return PETSC_FALSE;
    *voxel = *voxel * grid->dims[c] + (PetscInt)floor(index[c] + 0.5);
  }
  return PETSC_TRUE;
}

/* "scanner" where the map's sidecar says so, else FSL's frame, in which FSL's own dtifit writes V1. */
static PetscBool IsScannerFrame(const FgEitDomainSettings *s)
{
  char        path[PETSC_MAX_PATH_LEN + 8], *ending;
  json_t     *sidecar;
  const char *axes;
  PetscBool   scanner;

  if (s->direction_frame[0]) return strcmp(s->direction_frame, "scanner") ? PETSC_FALSE : PETSC_TRUE;
  snprintf(path, sizeof(path), "%s", s->direction);
  ending = strstr(path, ".nii");
  if (!ending) return PETSC_FALSE;
  strcpy(ending, ".json");
  sidecar = json_load_file(path, 0, NULL);
  axes    = json_string_value(json_object_get(sidecar, "ReferenceAxes"));
  scanner = axes && !strcmp(axes, "xyz") ? PETSC_TRUE : PETSC_FALSE;
  json_decref(sidecar);
  return scanner;
}

/* The vector of the nearest voxel that has one, up to two voxels away: sites at the rim of a mesh may lie in voxels outside of a mask. */
static PetscBool DirectionNear(const FgGrid *grid, const float *values, PetscInt voxel, double v[3])
{
  const size_t   n       = (size_t)FgGridVoxels(grid);
  const PetscInt at[3]   = {voxel % grid->dims[0], voxel / grid->dims[0] % grid->dims[1], voxel / grid->dims[0] / grid->dims[1]};
  PetscInt       nearest = PETSC_MAX_INT, d[3];

  for (d[2] = -2; d[2] <= 2; d[2]++) {
    for (d[1] = -2; d[1] <= 2; d[1]++) {
      for (d[0] = -2; d[0] <= 2; d[0]++) {
        const PetscInt distance = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
        double         norm     = 0.0, found[3];
        size_t         there;
        PetscBool      inside = PETSC_TRUE;

        for (int k = 0; k < 3; k++)
          inside = inside && at[k] + d[k] >= 0 && at[k] + d[k] < grid->dims[k] ? PETSC_TRUE : PETSC_FALSE;
        if (!inside || distance >= nearest) continue;
        there = (size_t)(((at[2] + d[2]) * grid->dims[1] + at[1] + d[1]) * grid->dims[0] + at[0] + d[0]);
        for (size_t k = 0; k < 3; k++) {
          found[k] = values[k * n + there];
          norm += found[k] * found[k];
        }
        if (!(norm > 1e-6 && isfinite(norm))) continue;
        nearest = distance;
        for (int k = 0; k < 3; k++) v[k] = found[k];
      }
    }
  }
  return nearest < PETSC_MAX_INT ? PETSC_TRUE : PETSC_FALSE;
}

/* Rank 0: direction[nsites][3] in the scanner frame from a map. */
static PetscErrorCode SampleDirections(const FgEitDomainSettings *s, FgMesh mesh, double *direction)
{
  FgImageInfo info;
  float      *values;
  double     *centroid, R[9], inverse[9], flip;
  PetscInt    bad     = 0;
  PetscBool   scanner = IsScannerFrame(s);

  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(s->direction, &info));
  PetscCheck(info.nvolumes == 3, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " volumes, expected the 3 of a direction", s->direction, info.nvolumes);
  PetscCall(FgImageRead(s->direction, &info, &values));
  PetscCall(PetscMalloc1(3 * (size_t)mesh->nsites, &centroid));
  PetscCall(FgMeshMeasures(mesh, NULL, centroid));
  FgGridRotation(&info.grid, R);
  FgGridInverse(&info.grid, inverse);
  flip = FgGridDeterminant(&info.grid) > 0.0 ? -1.0 : 1.0;
  for (PetscInt i = 0; i < mesh->nsites; i++) {
    double    v[3] = {1.0, 0.0, 0.0}, *to = &direction[3 * (size_t)i];
    PetscInt  voxel;
    PetscBool found = VoxelOfPoint(&info.grid, inverse, &centroid[3 * (size_t)i], &voxel);

    if (found) found = DirectionNear(&info.grid, values, voxel, v);
    bad += !found;
    if (!scanner) v[0] *= flip;
    for (int k = 0; k < 3; k++) to[k] = scanner ? v[k] : R[3 * k] * v[0] + R[3 * k + 1] * v[1] + R[3 * k + 2] * v[2];
  }
  PetscCall(PetscFree(centroid));
  PetscCall(PetscFree(values));
  PetscCheck(!bad, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " of %" PetscInt_FMT
             " sites of the domain without a direction, expected one in every site",
             s->direction, bad, mesh->nsites);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Unit vectors, in a plane without their part across it; FALSE where nothing is left. */
static PetscBool Normalize(FgMesh mesh, double *direction)
{
  for (size_t i = 0; i < (size_t)mesh->nsites; i++) {
    double *n = &direction[3 * i], norm;

    if (mesh->dim == 2) n[2] = 0.0;
    norm = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    if (!(norm > 1e-6)) return PETSC_FALSE;
    for (int k = 0; k < 3; k++) n[k] /= norm;
  }
  return PETSC_TRUE;
}

PetscErrorCode FgEitDirections(const FgEitDomainSettings *s, FgMesh mesh, double **direction)
{
  const size_t   n    = 3 * (size_t)mesh->nsites;
  PetscErrorCode code = PETSC_SUCCESS;
  PetscBool      kept = PETSC_TRUE;
  PetscMPIInt    rank;
  double         constant[3];

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscMalloc1(n, direction));
  if (FgEitDirectionConstant(s->direction, constant)) {
    for (size_t i = 0; i < n; i++) (*direction)[i] = constant[i % 3];
  } else {
    if (!rank) code = SampleDirections(s, mesh, *direction);
    code = FgAgree(PETSC_COMM_WORLD, code);
    if (!code) PetscCallMPI(MPI_Bcast(*direction, 3 * mesh->nsites, MPI_DOUBLE, 0, PETSC_COMM_WORLD));
  }
  if (!code) kept = Normalize(mesh, *direction);
  if (code || !kept) PetscCall(PetscFree(*direction));
  PetscCall(code);
  PetscCheck(kept, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "--direction %s: found a direction across the plane of a two-dimensional domain, expected one in it", s->direction);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* In a plane the second axis is its normal, so that the first tangent coordinate turns within it. */
PetscErrorCode FgEitFrames(FgMesh mesh, const double *direction, FgField field)
{
  const FgDomain domain = field->domain;

  PetscFunctionBegin;
  if (!field->frames)
    PetscCall(PetscCalloc1(9 * ((size_t)domain->nlocal + (size_t)domain->nghost), &field->frames)); /* no component turns it */
  for (PetscInt i = 0; i < domain->nlocal; i++) {
    const double *n     = &direction[3 * (size_t)(domain->first + i)];
    double       *frame = &field->frames[9 * (size_t)i];

    if (mesh->dim == 3) FgChartFrameFromDirection(n, frame);
    else {
      const double R[9] = {n[0], -n[1], 0.0, n[1], n[0], 0.0, 0.0, 0.0, 1.0};

      PetscCall(PetscArraycpy(frame, R, 9));
    }
  }
  PetscCall(FgFieldUpdateFrames(field));
  PetscFunctionReturn(PETSC_SUCCESS);
}
