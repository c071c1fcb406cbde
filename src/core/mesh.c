/* mesh.c: a mesh's memory, its way to other ranks, and how large its sites are. */
#include "finegrain/mesh.h"

#include "mesh_connect.h"

PetscErrorCode FgMeshCreate(PetscInt dim, PetscInt nnodes, PetscInt nelements, PetscInt nelectrodes, PetscInt nfaces,
                            FgMesh *mesh)
{
  FgMesh m;

  PetscFunctionBegin;
  PetscCall(PetscNew(&m));
  m->dim         = dim;
  m->nnodes      = nnodes;
  m->nelements   = nelements;
  m->nelectrodes = nelectrodes;
  PetscCall(PetscCalloc1(3 * (size_t)nnodes, &m->node));
  PetscCall(PetscCalloc1((dim + 1) * (size_t)nelements, &m->element));
  PetscCall(PetscCalloc1(nelectrodes, &m->electrode));
  PetscCall(PetscCalloc1(nelectrodes + 1, &m->face_start));
  PetscCall(PetscCalloc1(dim * (size_t)nfaces, &m->face));
  PetscCall(PetscCalloc1(nelectrodes, &m->electrode_area));
  *mesh = m;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeshDestroy(FgMesh *mesh)
{
  FgMesh m = *mesh;

  PetscFunctionBegin;
  if (!m) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree(m->node));
  PetscCall(PetscFree(m->element));
  PetscCall(PetscFree(m->site));
  PetscCall(PetscFree(m->electrode));
  PetscCall(PetscFree(m->face_start));
  PetscCall(PetscFree(m->face));
  PetscCall(PetscFree(m->electrode_area));
  PetscCall(PetscFree(m->voxel));
  PetscCall(PetscFree(m));
  *mesh = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* From rank 0, in pieces that MPI's counts can say. */
static PetscErrorCode Send(MPI_Comm comm, void *bytes, size_t n)
{
  const size_t piece = (size_t)1 << 30;

  PetscFunctionBegin;
  for (size_t done = 0; done < n; done += piece) {
    PetscCallMPI(MPI_Bcast((char *)bytes + done, (int)PetscMin(piece, n - done), MPI_BYTE, 0, comm));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgMeshBroadcast(MPI_Comm comm, FgMesh *mesh)
{
  PetscInt    size[8] = {0};
  PetscMPIInt rank;
  FgMesh      m = *mesh;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    const PetscInt mine[] = {m->dim,          m->nnodes,       m->nelements,
                             m->nsites,       m->nelectrodes,  m->face_start[m->nelectrodes],
                             m->site ? 1 : 0, m->voxel ? 1 : 0};

    PetscCall(PetscArraycpy(size, mine, 8));
  }
  PetscCallMPI(MPI_Bcast(size, 8, MPIU_INT, 0, comm));
  if (rank != 0) {
    PetscCall(FgMeshCreate(size[0], size[1], size[2], size[4], size[5], &m));
    m->nsites = size[3];
    if (size[6]) PetscCall(PetscMalloc1(size[2], &m->site));
    if (size[7]) PetscCall(PetscMalloc1(size[3], &m->voxel));
    *mesh = m;
  }
  PetscCall(Send(comm, m->node, 3 * (size_t)size[1] * sizeof(*m->node)));
  PetscCall(Send(comm, m->element, (size[0] + 1) * (size_t)size[2] * sizeof(*m->element)));
  if (size[6]) PetscCall(Send(comm, m->site, (size_t)size[2] * sizeof(*m->site)));
  PetscCall(Send(comm, m->electrode, (size_t)size[4] * sizeof(*m->electrode)));
  PetscCall(Send(comm, m->face_start, (size_t)(size[4] + 1) * sizeof(*m->face_start)));
  PetscCall(Send(comm, m->face, size[0] * (size_t)size[5] * sizeof(*m->face)));
  PetscCall(Send(comm, m->electrode_area, (size_t)size[4] * sizeof(*m->electrode_area)));
  PetscCall(Send(comm, &m->grid, sizeof(m->grid)));
  if (size[7]) PetscCall(Send(comm, m->voxel, (size_t)size[3] * sizeof(*m->voxel)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FgMeshVolume(FgMesh mesh, PetscInt element)
{
  const PetscInt *corner = mesh->element + (size_t)(mesh->dim + 1) * element;
  const double   *o      = mesh->node + 3 * (size_t)corner[0];
  double          edge[3][3];

  for (PetscInt k = 0; k < mesh->dim; k++) {
    for (int x = 0; x < 3; x++) edge[k][x] = mesh->node[3 * (size_t)corner[k + 1] + x] - o[x];
  }
  if (mesh->dim == 2) return 0.5 * (edge[0][0] * edge[1][1] - edge[0][1] * edge[1][0]);
  return (edge[0][0] * (edge[1][1] * edge[2][2] - edge[1][2] * edge[2][1]) -
          edge[0][1] * (edge[1][0] * edge[2][2] - edge[1][2] * edge[2][0]) +
          edge[0][2] * (edge[1][0] * edge[2][1] - edge[1][1] * edge[2][0])) /
         6.0;
}

PetscErrorCode FgMeshMeasures(FgMesh mesh, double *volume, double *centroid)
{
  const PetscInt corners = mesh->dim + 1;
  double        *size    = volume;

  PetscFunctionBegin;
  if (!size) PetscCall(PetscMalloc1(mesh->nsites, &size));
  PetscCall(PetscArrayzero(size, mesh->nsites));
  if (centroid) PetscCall(PetscArrayzero(centroid, 3 * (size_t)mesh->nsites));
  for (PetscInt e = 0; e < mesh->nelements; e++) {
    const PetscInt s = mesh->site ? mesh->site[e] : e;
    const double   v = FgMeshVolume(mesh, e);

    size[s] += v;
    for (PetscInt k = 0; centroid && k < corners; k++) {
      const double *x = mesh->node + 3 * (size_t)mesh->element[(size_t)corners * e + k];

      for (int axis = 0; axis < 3; axis++) centroid[3 * (size_t)s + axis] += v / corners * x[axis];
    }
  }
  for (PetscInt s = 0; centroid && s < mesh->nsites; s++) {
    for (int axis = 0; axis < 3; axis++) centroid[3 * (size_t)s + axis] /= size[s];
  }
  if (!volume) PetscCall(PetscFree(size));
  PetscFunctionReturn(PETSC_SUCCESS);
}
