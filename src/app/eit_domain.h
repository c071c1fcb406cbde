/* eit_domain.h: what `fit` and `simulate` of impedance tomography work on: measurement, mesh, the grid of the maps. */
#ifndef FINEGRAIN_APP_EIT_DOMAIN_H
#define FINEGRAIN_APP_EIT_DOMAIN_H

#include "eit_options.h"

#include "finegrain/measurement.h"
#include "finegrain/mesh.h"

/* Reads a measurement and drops the electrodes that the list names ("": none). Collective, as all below. */
PetscErrorCode FgEitOpen(const char *path, const char *drop, FgEit *eit);
/* The mesh: --mesh, else a mask ("": none) with electrodes at their positions, else the measurement's own mesh (taken over), else that of its
   tank with about `elements` elements [of two, of three dimensions] where the settings leave it open. Its electrodes are those of the
   measurement, in its order. `source` says what it is. On entry *mesh is NULL, or on rank 0 the mesh of --mesh, read already. */
PetscErrorCode FgEitMeshOpen(const FgEitDomainSettings *settings, const char *mask, const PetscInt elements[2], FgEit eit,
                             FgMesh *mesh, char source[PETSC_MAX_PATH_LEN + 64], FgLog *log);
/* The box around a mesh [m]. Not collective. */
void FgEitBox(FgMesh mesh, double low[3], double high[3]);
/* The grid of the maps from its text ("": see FgEitFitSettings); image axes x to the right, y up, z towards the viewer, the affine in mm. */
PetscErrorCode FgEitGrid(const char *text, FgMesh mesh, FgGrid *grid);
/* A measurement without data whose voxels are those of the grid that lie in the mesh, for FgResult; site[nlocal] of this rank's voxels.
   `text` gave the grid. Errors, PETSC_ERR_FILE_UNEXPECTED: none lies in it. */
PetscErrorCode FgEitVoxels(FgMesh mesh, const char *text, const FgGrid *grid, FgMeasurement *measurement, PetscInt **site);

#endif
