/* eit_domain.c: measurement, mesh, fiber directions and map grid of impedance tomography, read on rank 0 and given to all. */
#include "eit_domain.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ELECTRODE_RADIUS 5e-3 /* [m] */

/* Electrode by its name, else by its number from 1; -1 where there is none. */
static PetscInt FindElectrode(FgEit eit, const char *word, size_t length)
{
  char *end;
  long  number;

  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    if (strlen(eit->name[l]) == length && !strncmp(eit->name[l], word, length)) return l;
  }
  number = strtol(word, &end, 10);
  return end == word + length && length && number >= 1 && number <= eit->nelectrodes ? (PetscInt)number - 1 : -1;
}

static PetscErrorCode DropElectrodes(const char *list, FgEit eit)
{
  PetscInt      *electrode, n = 0;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(eit->nelectrodes, &electrode));
  for (const char *word = list;;) {
    const size_t   length = strcspn(word, ",");
    const PetscInt l      = FindElectrode(eit, word, length);

    if (l < 0 || n == eit->nelectrodes) {
      PetscCall(PetscFree(electrode));
      SETERRQ(PETSC_COMM_SELF, PETSC_ERR_USER,
              "--drop-electrodes: found '%.*s', expected names or numbers from 1 to %" PetscInt_FMT
              " of the electrodes of %s, each once",
              (int)length, word, eit->nelectrodes, eit->source);
    }
    electrode[n++] = l;
    if (!word[length]) break;
    word += length + 1;
  }
  code = FgEitDrop(eit, n, electrode);
  PetscCall(PetscFree(electrode));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadEit(const char *path, const char *drop, FgEit *eit)
{
  PetscFunctionBegin;
  PetscCall(FgEitRead(path, eit));
  if (drop[0]) PetscCall(DropElectrodes(drop, *eit));
  PetscCall(FgEitCheck(*eit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitOpen(const char *path, const char *drop, FgEit *eit)
{
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  *eit = NULL;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) code = ReadEit(path, drop, eit);
  code = FgAgree(PETSC_COMM_WORLD, code);
  if (code) PetscCall(FgEitDestroy(eit));
  PetscCall(code);
  PetscCall(FgEitBroadcast(PETSC_COMM_WORLD, eit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Brings the mesh's electrodes into the order of the measurement: by name where all names agree, else they stand in it already. */
static PetscErrorCode MatchElectrodes(FgEit eit, FgMesh mesh, const char *source)
{
  const PetscInt n = eit->nelectrodes;
  PetscInt      *from, *face, *start, total = 0;
  char(*name)[32];
  double *area;

  PetscFunctionBegin;
  PetscCheck(mesh->nelectrodes == n, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " electrodes in the mesh, expected the %" PetscInt_FMT
             " of %s; name the physical groups of faces electrode1, "
             "electrode2, ...",
             source, mesh->nelectrodes, n, eit->source);
  PetscCall(PetscMalloc5(n, &from, mesh->face_start[n] * mesh->dim, &face, n + 1, &start, n, &name, n, &area));
  for (PetscInt l = 0; l < n; l++) {
    from[l] = -1;
    for (PetscInt k = 0; k < n; k++) {
      if (!strcmp(eit->name[l], mesh->electrode[k])) from[l] = k;
    }
    total += from[l] >= 0;
  }
  start[0] = 0;
  for (PetscInt l = 0; l < n && total == n; l++) {
    const PetscInt k = from[l], count = mesh->face_start[k + 1] - mesh->face_start[k];

    start[l + 1] = start[l] + count;
    PetscCall(PetscArraycpy(&face[start[l] * mesh->dim], &mesh->face[mesh->face_start[k] * mesh->dim], count * mesh->dim));
    memcpy(name[l], mesh->electrode[k], sizeof(name[l]));
    area[l] = mesh->electrode_area[k];
  }
  if (total == n) {
    PetscCall(PetscArraycpy(mesh->face, face, start[n] * mesh->dim));
    PetscCall(PetscArraycpy(mesh->face_start, start, n + 1));
    PetscCall(PetscArraycpy(mesh->electrode_area, area, n));
    memcpy(mesh->electrode, name, (size_t)n * sizeof(*name));
  }
  PetscCall(PetscFree5(from, face, start, name, area));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Voxels of a mask that are not 0; electrodes at positions of the settings' file or of the measurement. */
static PetscErrorCode MeshFromMask(const FgEitDomainSettings *s, const char *mask, FgEit eit, FgMesh *mesh, PetscInt *ndropped)
{
  FgImageInfo    info;
  float         *values;
  double        *radius;
  PetscInt      *voxel, n = 0, total;
  PetscErrorCode code;

  PetscFunctionBegin;
  if (s->electrodes[0]) PetscCall(FgEitReadPositions(s->electrodes, s->electrodes_unit, eit));
  PetscCheck(eit->position, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: found no electrode positions, expected some for the mask %s; give --electrodes electrodes.tsv", eit->source,
             mask);
  PetscCall(FgImageRead(mask, &info, &values));
  total = FgGridVoxels(&info.grid);
  PetscCall(PetscMalloc2(total, &voxel, eit->nelectrodes, &radius));
  for (PetscInt v = 0; v < total; v++) {
    if (isfinite(values[v]) && values[v] != 0.0f) voxel[n++] = v;
  }
  for (PetscInt l = 0; l < eit->nelectrodes; l++) {
    radius[l] = !isnan(s->electrode_radius)                             ? s->electrode_radius
                : eit->electrode_radius && eit->electrode_radius[l] > 0 ? eit->electrode_radius[l]
                                                                        : DEFAULT_ELECTRODE_RADIUS;
  }
  code = n ? FgMeshCreateVoxels(&info.grid, n, voxel, eit->nelectrodes, (const char(*)[32])eit->name, eit->position, radius, mesh,
                                ndropped)
           : PETSC_SUCCESS;
  PetscCall(PetscFree2(voxel, radius));
  PetscCall(PetscFree(values));
  PetscCheck(n, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no voxel other than 0, expected a mask of at least one voxel", mask);
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0. */
static PetscErrorCode MakeMesh(const FgEitDomainSettings *s, const char *mask, const PetscInt elements[2], FgEit eit,
                               FgMesh *mesh, char source[PETSC_MAX_PATH_LEN + 64], PetscInt *ndropped)
{
  PetscFunctionBegin;
  if (s->mesh[0]) {
    PetscCall(PetscStrncpy(source, s->mesh, PETSC_MAX_PATH_LEN));
    PetscCall(FgMeshReadGmsh(s->mesh, s->mesh_unit, mesh));
    PetscCall(MatchElectrodes(eit, *mesh, s->mesh));
  } else if (mask[0]) {
    PetscCall(PetscStrncpy(source, mask, PETSC_MAX_PATH_LEN));
    PetscCall(MeshFromMask(s, mask, eit, mesh, ndropped));
  } else if (eit->mesh) {
    PetscCall(PetscSNPrintf(source, PETSC_MAX_PATH_LEN + 64, "the mesh in %s", eit->source));
    *mesh     = eit->mesh;
    eit->mesh = NULL;
    PetscCall(MatchElectrodes(eit, *mesh, source));
  } else if (eit->radius > 0.0) {
    const FgTank   tank = {.radius      = eit->radius,
                           .height      = eit->height,
                           .nelectrodes = eit->nelectrodes,
                           .name        = (const char(*)[32])eit->name,
                           .angle       = eit->angle,
                           .z           = eit->z,
                           .width       = eit->width,
                           .tall        = eit->tall};
    const PetscInt n    = s->elements ? s->elements : elements[eit->height > 0.0];

    PetscCall(PetscSNPrintf(source, PETSC_MAX_PATH_LEN + 64, "tank of radius %g m%s", eit->radius,
                            eit->height > 0.0 ? ", a cylinder" : ", a disc"));
    if (eit->height > 0.0) PetscCall(FgMeshCreateCylinder(&tank, n, mesh));
    else PetscCall(FgMeshCreateDisc(&tank, n, mesh));
  } else {
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
            "%s: found no domain (tank or mesh), expected one; give --mesh FILE.msh, or --mask FILE with --electrodes FILE",
            eit->source);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitMeshOpen(const FgEitDomainSettings *s, const char *mask, const PetscInt elements[2], FgEit eit, FgMesh *mesh,
                             char source[PETSC_MAX_PATH_LEN + 64], FgLog *log)
{
  PetscErrorCode code     = PETSC_SUCCESS;
  PetscInt       ndropped = 0;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  *mesh = NULL;
  PetscCheck(!s->mesh[0] || !mask[0], PETSC_COMM_SELF, PETSC_ERR_USER, "--mesh: excludes --mask, give one domain");
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  source[0] = '\0';
  if (!rank) code = MakeMesh(s, mask, elements, eit, mesh, source, &ndropped);
  code = FgAgree(PETSC_COMM_WORLD, code);
  if (code) PetscCall(FgMeshDestroy(mesh));
  PetscCall(code);
  PetscCall(FgMeshDestroy(&eit->mesh)); /* what is left of it on other ranks, or not used */
  PetscCall(FgMeshBroadcast(PETSC_COMM_WORLD, mesh));
  if (ndropped)
    FgLogWarning(log, "%s: %d voxels are not connected with the largest piece and were left out", mask, (int)ndropped);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Voxel index of a point [m] by the inverse of the affine [mm]; FALSE outside the grid. */
static PetscBool VoxelOfPoint(const FgGrid *grid, const double x[3], PetscInt *voxel)
{
  const double(*a)[4]      = grid->affine;
  const double determinant = FgGridDeterminant(grid);
  double       d[3], index[3];

  for (int k = 0; k < 3; k++) d[k] = 1000.0 * x[k] - a[k][3];
  for (int c = 0; c < 3; c++) { /* Cramer's rule */
    double M[3][3];

    for (int r = 0; r < 3; r++) {
      for (int k = 0; k < 3; k++) M[r][k] = k == c ? d[r] : a[r][k];
    }
    index[c] = (M[0][0] * (M[1][1] * M[2][2] - M[1][2] * M[2][1]) - M[0][1] * (M[1][0] * M[2][2] - M[1][2] * M[2][0]) +
                M[0][2] * (M[1][0] * M[2][1] - M[1][1] * M[2][0])) /
               determinant;
  }
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
  double     *centroid, R[9], flip;
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
  flip = FgGridDeterminant(&info.grid) > 0.0 ? -1.0 : 1.0;
  for (PetscInt i = 0; i < mesh->nsites; i++) {
    double    v[3] = {1.0, 0.0, 0.0}, *to = &direction[3 * (size_t)i];
    PetscInt  voxel;
    PetscBool found = VoxelOfPoint(&info.grid, &centroid[3 * (size_t)i], &voxel);

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

/* In a plane the second axis is its normal, so that the first tangent coordinate turns within it. */
static PetscErrorCode SetFrame(PetscInt dim, const double direction[3], double frame[9], PetscBool *flat)
{
  double n[3] = {direction[0], direction[1], dim == 2 ? 0.0 : direction[2]};
  double norm = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);

  PetscFunctionBegin;
  if (!(norm > 1e-6)) *flat = PETSC_FALSE, n[0] = norm = 1.0;
  for (int k = 0; k < 3; k++) n[k] /= norm;
  if (dim == 3) FgChartFrameFromDirection(n, frame);
  else {
    const double R[9] = {n[0], -n[1], 0.0, n[1], n[0], 0.0, 0.0, 0.0, 1.0};

    PetscCall(PetscArraycpy(frame, R, 9));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitFrames(const FgEitDomainSettings *s, FgMesh mesh, FgField field)
{
  const FgDomain domain = field->domain;
  double        *direction, constant[3];
  PetscBool      flat = PETSC_TRUE;
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  if (!field->frames)
    PetscCall(PetscCalloc1(9 * ((size_t)domain->nlocal + (size_t)domain->nghost), &field->frames)); /* no component turns it */
  PetscCallMPI(MPI_Comm_rank(domain->comm, &rank));
  PetscCall(PetscMalloc1(3 * (size_t)mesh->nsites, &direction));
  if (FgEitDirectionConstant(s->direction, constant)) {
    for (size_t i = 0; i < 3 * (size_t)mesh->nsites; i++) direction[i] = constant[i % 3];
  } else {
    if (!rank) code = SampleDirections(s, mesh, direction);
    code = FgAgree(domain->comm, code);
    if (!code) PetscCallMPI(MPI_Bcast(direction, 3 * mesh->nsites, MPI_DOUBLE, 0, domain->comm));
  }
  for (PetscInt i = 0; i < domain->nlocal && !code; i++) {
    PetscCall(SetFrame(mesh->dim, &direction[3 * (size_t)(domain->first + i)], &field->frames[9 * (size_t)i], &flat));
  }
  PetscCall(PetscFree(direction));
  PetscCall(code);
  PetscCheck(flat, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "--direction %s: found a direction across the plane of a two-dimensional domain, expected one in it", s->direction);
  PetscCall(FgFieldUpdateFrames(field));
  PetscFunctionReturn(PETSC_SUCCESS);
}
