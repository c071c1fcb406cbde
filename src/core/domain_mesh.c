/* domain_mesh.c: the elements of a mesh as a domain: a group of one pair for every face between two of them.

     R(m) = sum over faces of (V_a + V_b)/((dim + 1) V0) psi( dim |m_b - m_a|^2 (h0/h)^2 )

   h is the distance of the centroids, V0 the mean volume, h0 = V0^(1/dim). A face and the two centroids span (V_a + V_b)/(dim + 1),
   so that the measures add up to the domain; a difference along one direction sees 1/dim of the squared gradient in the mean over
   directions, which the coupling makes good. Where edges point all ways, R is the integral of psi(|grad m|^2 h0^2)/V0, as it is for
   voxels. Faces at a right angle to the line of the centroids, which make two-point differences exact, are not needed for that mean.

   Every rank knows the whole mesh, so that it finds owners and ghosts by itself. */
#include "domain_links.h"
#include "mesh_connect.h"

#include "finegrain/mesh.h"

static PetscErrorCode FindGhosts(FgDomain d, FgMesh mesh, const PetscInt *neighbor)
{
  const PetscInt corners = mesh->dim + 1;
  PetscInt       n       = 0;

  PetscFunctionBegin;
  for (PetscInt k = corners * d->first; k < corners * (d->first + d->nlocal); k++) {
    n += neighbor[k] >= 0 && !FgDomainOwns(d, neighbor[k]) ? 1 : 0;
  }
  PetscCall(PetscMalloc1(n, &d->ghosts));
  for (PetscInt k = corners * d->first; k < corners * (d->first + d->nlocal); k++) {
    if (neighbor[k] >= 0 && !FgDomainOwns(d, neighbor[k])) d->ghosts[d->nghost++] = neighbor[k];
  }
  PetscCall(PetscSortRemoveDupsInt(&d->nghost, d->ghosts));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The groups of faces from owned sites to later ones, then those from earlier sites of other ranks to owned ones. */
static PetscErrorCode ListGroups(FgDomain d, FgMesh mesh, const PetscInt *neighbor, const double *volume, const double *centroid)
{
  const PetscInt corners = mesh->dim + 1, last = d->first + d->nlocal;
  const double   mean = PetscPowReal(d->reference_length / 1000.0, mesh->dim);
  PetscInt       n    = 0;

  PetscFunctionBegin;
  for (PetscInt s = d->first; s < last; s++) {
    for (PetscInt k = corners * s; k < corners * (s + 1); k++)
      n += neighbor[k] > s || (neighbor[k] >= 0 && neighbor[k] < d->first);
  }
  PetscCall(PetscMalloc2(n + 1, &d->group_start, n, &d->group_measure));
  PetscCall(PetscMalloc4(n, &d->pair_i, n, &d->pair_j, n, &d->pair_group, n, &d->pair_coupling));
  for (int others = 0; others < 2; others++) {
    for (PetscInt s = d->first; s < last; s++) {
      for (PetscInt k = corners * s; k < corners * (s + 1); k++) {
        const PetscInt other = neighbor[k], g = d->ngroups;
        double         square = 0.0;

        if (other < 0 || (others ? other >= d->first : other < s)) continue;
        for (int axis = 0; axis < 3; axis++)
          square += PetscSqr(1000.0 * (centroid[3 * (size_t)other + axis] - centroid[3 * (size_t)s + axis]));
        d->pair_i[g]        = FgDomainLocal(d, PetscMin(s, other));
        d->pair_j[g]        = FgDomainLocal(d, PetscMax(s, other));
        d->pair_group[g]    = g;
        d->pair_coupling[g] = mesh->dim * PetscSqr(d->reference_length) / square;
        d->group_measure[g] = (volume[s] + volume[other]) / (corners * mean);
        d->group_start[g]   = g;
        d->ngroups++;
      }
    }
    if (!others) d->nowned = d->ngroups;
  }
  d->group_start[n] = n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Each site takes the smallest color that no earlier neighbor has: of the whole mesh, so that colors do not depend on the ranks. */
static PetscErrorCode ColorSites(FgDomain d, FgMesh mesh, const PetscInt *neighbor)
{
  const PetscInt corners = mesh->dim + 1;
  unsigned char *color;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(d->nglobal, &color));
  for (PetscInt s = 0; s < d->nglobal; s++) {
    unsigned int taken = 0;

    for (PetscInt k = 0; k < corners; k++) {
      const PetscInt other = neighbor[(size_t)corners * s + k];

      if (other >= 0 && other < s) taken |= 1u << color[other];
    }
    for (color[s] = 0; taken >> color[s] & 1; color[s]++) {
    }
    d->ncolors = PetscMax(d->ncolors, color[s] + 1);
  }
  PetscCall(PetscMalloc1(d->nlocal, &d->color));
  PetscCall(PetscArraycpy(d->color, color + d->first, d->nlocal));
  PetscCall(PetscFree(color));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDomainCreateMesh(MPI_Comm comm, FgMesh mesh, FgDomain *domain)
{
  FgDomain    d;
  PetscMPIInt rank, size;
  PetscInt   *neighbor, crowded;
  double     *volume, *centroid, total = 0.0;

  PetscFunctionBegin;
  if (mesh->voxel) {
    PetscCall(FgDomainCreateVoxels(comm, mesh->grid.dims, mesh->grid.spacing, mesh->nsites, mesh->voxel, domain));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCheck(mesh->site && mesh->nsites == mesh->nelements, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONGSTATE,
             "mesh: found %" PetscInt_FMT " sites of %" PetscInt_FMT
             " elements, expected a finished mesh whose sites are elements",
             mesh->nsites, mesh->nelements);
  PetscCall(PetscNew(&d));
  d->comm    = comm;
  d->nglobal = mesh->nsites;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  FgDomainRun(d->nglobal, rank, size, &d->first, &d->nlocal);

  PetscCall(FgMeshConnect(mesh, &neighbor, &crowded));
  PetscCall(PetscMalloc2(mesh->nsites, &volume, 3 * (size_t)mesh->nsites, &centroid));
  PetscCall(FgMeshMeasures(mesh, volume, centroid));
  for (PetscInt s = 0; s < mesh->nsites; s++) total += volume[s];
  d->reference_length = 1000.0 * PetscPowReal(total / mesh->nsites, 1.0 / mesh->dim);
  PetscCall(FindGhosts(d, mesh, neighbor));
  PetscCall(ListGroups(d, mesh, neighbor, volume, centroid));
  PetscCall(FgDomainLinkSites(d));
  PetscCall(ColorSites(d, mesh, neighbor));
  PetscCall(PetscFree2(volume, centroid));
  PetscCall(PetscFree(neighbor));
  *domain = d;
  PetscFunctionReturn(PETSC_SUCCESS);
}
