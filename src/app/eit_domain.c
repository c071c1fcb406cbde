/* eit_domain.c: measurement and mesh of impedance tomography, read on rank 0 and given to all. */
#include "eit_domain.h"

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
  if (info.nvolumes != 1) {
    PetscCall(PetscFree(values));
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found %" PetscInt_FMT " volumes, expected a mask of one", mask,
            info.nvolumes);
  }
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
    if (!*mesh) PetscCall(FgMeshReadGmsh(s->mesh, s->mesh_unit, mesh));
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
            "%s: found no domain (tank or mesh), expected one; give --mesh FILE.msh, or --mask FILE.nii.gz%s", eit->source,
            eit->position ? ", for the positions of the electrodes are in the file" : " with --electrodes FILE.tsv");
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
  PetscCheck(!s->electrodes[0] || mask[0], PETSC_COMM_SELF, PETSC_ERR_USER,
             "--electrodes: found without --mask, on whose surface the positions are; give a mask, or leave it out");
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
