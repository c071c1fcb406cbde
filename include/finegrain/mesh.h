/* mesh.h: a mesh of simplices, triangles in two dimensions, tetrahedra in three, whose electrodes are sets of boundary faces.

   A site is what has one value of the parameters: an element, or a voxel that several elements fill. Elements are ordered by
   site, and sites of elements along a space-filling curve, so that a contiguous run of sites (FgDomainRun) is a compact piece:
   that is the distribution over ranks. Every rank holds the whole mesh, some 100 bytes a tetrahedron; fields, matrices and
   solutions are distributed. A mesh is filled in any order and FgMeshFinish puts it in order. */
#ifndef FINEGRAIN_MESH_H
#define FINEGRAIN_MESH_H

#include "domain.h"
#include "image.h"

typedef struct FgMesh_ *FgMesh;
struct FgMesh_ {
  PetscInt  dim; /* 2 or 3 */
  PetscInt  nnodes, nelements, nsites;
  double   *node;    /* [nnodes][3] [m]; z = 0 in two dimensions */
  PetscInt *element; /* [nelements][dim + 1] nodes, of positive volume after FgMeshFinish */
  PetscInt *site;    /* [nelements], ascending after FgMeshFinish; NULL before it: an element is a site */
  PetscInt  nelectrodes;
  char (*electrode)[32];    /* [nelectrodes] names */
  PetscInt *face_start;     /* [nelectrodes + 1] into face */
  PetscInt *face;           /* [face_start[nelectrodes]][dim] nodes of the boundary faces of the electrodes */
  double   *electrode_area; /* [nelectrodes] nominal area [m^2], in two dimensions length [m]; 0: that of its faces. The
                                            faces' areas are scaled to it: a staircase of voxels has more than the skin under it */
  /* Of a mesh over voxels, else 0 and NULL: */
  FgGrid    grid;
  PetscInt *voxel; /* [nsites] linear index in the grid of each site, ascending */
};

/* Arrays for so many nodes, elements, electrodes and electrode faces (all zero); site stays NULL. Not collective. */
PETSC_EXTERN PetscErrorCode FgMeshCreate(PetscInt dim, PetscInt nnodes, PetscInt nelements, PetscInt nelectrodes, PetscInt nfaces,
                                         FgMesh *mesh);
/* Checks, orients and orders what was filled in; leaves out nodes of no element. `source` (file or generator) opens messages. Errors,
   PETSC_ERR_FILE_UNEXPECTED: an index outside, an element without volume, an electrode without faces, a face that is not on the
   boundary or belongs to two electrodes, a mesh in several pieces, coordinates that are not finite. Not collective. */
PETSC_EXTERN PetscErrorCode FgMeshFinish(FgMesh mesh, const char *source);
PETSC_EXTERN PetscErrorCode FgMeshDestroy(FgMesh *mesh);
/* Collective: rank 0's mesh (others NULL) to all ranks. */
PETSC_EXTERN PetscErrorCode FgMeshBroadcast(MPI_Comm comm, FgMesh *mesh);

/* Electrodes of a built-in tank, a disc or an upright cylinder about the origin (z from 0 to height): rectangles on the wall. */
typedef struct {
  double   radius, height; /* [m]; height 0: a disc */
  PetscInt nelectrodes;
  const char (*name)[32];
  const double *angle, *z;    /* [nelectrodes] center [rad] counter-clockwise from +x, [m] (z NULL: half the height) */
  const double *width, *tall; /* [nelectrodes] along the wall and upright [m] (tall NULL: of a disc) */
} FgTank;
/* Meshes of about `nelements` elements, finer at the ends of electrodes, where the current density is singular. `finish`: FgMeshFinish is
   called. Errors, PETSC_ERR_FILE_UNEXPECTED: electrodes that overlap or leave the wall. */
PETSC_EXTERN PetscErrorCode FgMeshCreateDisc(const FgTank *tank, PetscInt nelements, FgMesh *mesh);
PETSC_EXTERN PetscErrorCode FgMeshCreateCylinder(const FgTank *tank, PetscInt nelements, FgMesh *mesh);
/* Voxels of a mask, each six tetrahedra (a grid with one slice: two triangles in its plane); sites are voxels. Electrodes at positions
   [nelectrodes][3] [m, scanner frame] are projected to the surface: its faces within radius[i] [m] of the nearest one, nominal area
   pi radius^2 (in two dimensions 2 radius). Largest 6-connected piece only; ndropped (may be NULL) says how many voxels were left. */
PETSC_EXTERN PetscErrorCode FgMeshCreateVoxels(const FgGrid *grid, PetscInt nvoxels, const PetscInt voxel[], PetscInt nelectrodes,
                                               const char (*name)[32], const double position[], const double radius[],
                                               FgMesh *mesh, PetscInt *ndropped);
/* Gmsh 2.2 and 4.1, ASCII or binary: triangles (z = 0) or tetrahedra; the physical groups of faces called electrode* (or all physical
   groups of faces but "boundary", where none is) are the electrodes, in the order of their trailing numbers. `unit` of the
   coordinates in m (0.001: mm). data/gmsh.c. Rank 0 only. */
PETSC_EXTERN PetscErrorCode FgMeshReadGmsh(const char *path, double unit, FgMesh *mesh);

/* Domain of the mesh's sites. For elements: a group a face between two of them, measure (V_a + V_b)/((dim + 1) V0), coupling
   dim (h0/h)^2, h between centroids, V0 the mean volume, h0 = V0^(1/dim), so that R is the integral of psi(h0^2 |grad m|^2) over the
   domain in units of V0. Collective. */
PETSC_EXTERN PetscErrorCode FgDomainCreateMesh(MPI_Comm comm, FgMesh mesh, FgDomain *domain);
/* Site at each voxel center of a grid (its affine in mm), -1 outside: where[voxels of the grid]. Not collective. */
PETSC_EXTERN PetscErrorCode FgMeshSample(FgMesh mesh, const FgGrid *grid, PetscInt *where);
/* Volume [m^3], area [m^2] in two dimensions, of each site; centroid [nsites][3] [m]; either may be NULL. */
PETSC_EXTERN PetscErrorCode FgMeshMeasures(FgMesh mesh, double *volume, double *centroid);

#endif
