/* domain.c: masked voxels as a domain: a contiguous run of sites a rank, ghosts, neighbour groups and colors.

   Every rank knows the mask, so that it finds owners and ghosts by itself, without communication. A site's group holds its
   differences to the +x, +y and +z neighbours that are in the mask; the groups of a rank are those of its own sites. */
#include "domain_links.h"

#include <petscbt.h>

void FgDomainRun(PetscInt n, int rank, int size, PetscInt *first, PetscInt *nlocal)
{
  const PetscInt share = n / size, rest = n % size;

  *nlocal = share + (rank < rest ? 1 : 0);
  *first  = share * rank + (rank < rest ? rank : rest);
}

/* Global site number of the neighbour of site `s` one step along `axis` (+1 or -1), -1 where it is not in the mask. */
static PetscInt Neighbor(const PetscInt dims[3], PetscInt nglobal, const PetscInt *voxel, PetscInt s, int axis, int step)
{
  const PetscInt v = voxel[s], stride = axis == 0 ? 1 : axis == 1 ? dims[0] : dims[0] * dims[1];
  const PetscInt position = (v / stride) % dims[axis];

  if (position + step < 0 || position + step >= dims[axis]) return -1;
  if (axis == 0) { /* next in the list or absent */
    const PetscInt other = s + step;

    return other >= 0 && other < nglobal && voxel[other] == v + step ? other : -1;
  }
  return FgDomainSearch(voxel, nglobal, v + step * stride);
}

/* A group is named by its first site. Marks the groups that touch this rank's sites, lists the sites they need from others. */
static PetscErrorCode FindGhosts(FgDomain d, const PetscInt dims[3], const PetscInt *voxel, PetscBT grouped)
{
  PetscBT needed;

  PetscFunctionBegin;
  PetscCall(PetscBTCreate(d->nglobal, &needed));
  for (PetscInt s = d->first; s < d->first + d->nlocal; s++) {
    PetscCall(PetscBTSet(grouped, s));
    for (int axis = 0; axis < 3; axis++) {
      const PetscInt before = Neighbor(dims, d->nglobal, voxel, s, axis, -1);

      if (before >= 0) PetscCall(PetscBTSet(grouped, before));
    }
  }
  for (PetscInt s = 0; s < d->nglobal; s++) {
    if (!PetscBTLookup(grouped, s)) continue;
    PetscCall(PetscBTSet(needed, s));
    for (int axis = 0; axis < 3; axis++) {
      const PetscInt after = Neighbor(dims, d->nglobal, voxel, s, axis, 1);

      if (after >= 0) PetscCall(PetscBTSet(needed, after));
    }
  }
  d->nghost = -d->nlocal;
  for (PetscInt s = 0; s < d->nglobal; s++) d->nghost += PetscBTLookup(needed, s) ? 1 : 0;
  PetscCall(PetscMalloc1(d->nghost, &d->ghosts));
  for (PetscInt s = 0, k = 0; s < d->nglobal; s++) {
    if (PetscBTLookup(needed, s) && !FgDomainOwns(d, s)) d->ghosts[k++] = s;
  }
  PetscCall(PetscBTDestroy(&needed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Appends the group of site `s`: its pairs with the neighbours behind it along +x, +y, +z. */
static void AppendGroup(FgDomain d, const PetscInt dims[3], const double spacing[3], const PetscInt *voxel, PetscInt s)
{
  PetscInt pair = d->group_start[d->ngroups];

  for (int axis = 0; axis < 3; axis++) {
    const PetscInt after = Neighbor(dims, d->nglobal, voxel, s, axis, 1);
    const double   ratio = d->reference_length / spacing[axis];

    if (after < 0) continue;
    d->pair_i[pair]          = FgDomainLocal(d, s);
    d->pair_j[pair]          = FgDomainLocal(d, after);
    d->pair_group[pair]      = d->ngroups;
    d->pair_coupling[pair++] = ratio * ratio;
  }
  d->group_measure[d->ngroups] = 1.0; /* all voxels are of one size */
  d->group_start[++d->ngroups] = pair;
}

static PetscErrorCode ListGroups(FgDomain d, const PetscInt dims[3], const double spacing[3], const PetscInt *voxel,
                                 PetscBT grouped)
{
  PetscInt capacity = 0;

  PetscFunctionBegin;
  for (PetscInt s = 0; s < d->nglobal; s++) capacity += PetscBTLookup(grouped, s) ? 1 : 0;
  PetscCall(PetscMalloc2(capacity + 1, &d->group_start, capacity, &d->group_measure));
  PetscCall(PetscMalloc4(3 * capacity, &d->pair_i, 3 * capacity, &d->pair_j, 3 * capacity, &d->pair_group, 3 * capacity,
                         &d->pair_coupling));
  d->group_start[0] = 0;
  for (PetscInt s = d->first; s < d->first + d->nlocal; s++) AppendGroup(d, dims, spacing, voxel, s);
  d->nowned = d->ngroups;
  for (PetscInt s = 0; s < d->nglobal; s++) {
    if (PetscBTLookup(grouped, s) && !FgDomainOwns(d, s)) AppendGroup(d, dims, spacing, voxel, s);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDomainCreateVoxels(MPI_Comm comm, const PetscInt dims[3], const double spacing[3], PetscInt nglobal,
                                    const PetscInt voxel[], FgDomain *domain)
{
  FgDomain    d;
  PetscBT     grouped;
  PetscMPIInt rank, size;

  PetscFunctionBegin;
  PetscCheck(nglobal > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "the mask is empty: no voxel to fit");
  PetscCall(PetscNew(&d));
  d->comm    = comm;
  d->nglobal = nglobal;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  FgDomainRun(nglobal, rank, size, &d->first, &d->nlocal);
  d->reference_length = PetscPowReal(spacing[0] * spacing[1] * spacing[2], 1.0 / 3.0);

  PetscCall(PetscBTCreate(nglobal, &grouped));
  PetscCall(FindGhosts(d, dims, voxel, grouped));
  PetscCall(ListGroups(d, dims, spacing, voxel, grouped));
  PetscCall(PetscBTDestroy(&grouped));
  PetscCall(FgDomainLinkSites(d));

  /* Neighbours along an axis differ in the parity of x + y + z. */
  d->ncolors = 2;
  PetscCall(PetscMalloc1(d->nlocal, &d->color));
  for (PetscInt i = 0; i < d->nlocal; i++) {
    const PetscInt v = voxel[d->first + i];

    d->color[i] = (unsigned char)((v % dims[0] + v / dims[0] % dims[1] + v / dims[0] / dims[1]) % 2);
  }
  *domain = d;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDomainDestroy(FgDomain *domain)
{
  FgDomain d = *domain;

  PetscFunctionBegin;
  if (!d) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree(d->ghosts));
  PetscCall(PetscFree2(d->group_start, d->group_measure));
  PetscCall(PetscFree4(d->pair_i, d->pair_j, d->pair_group, d->pair_coupling));
  PetscCall(PetscFree(d->site_start));
  PetscCall(PetscFree(d->site_link));
  PetscCall(PetscFree(d->color));
  PetscCall(PetscFree(d));
  *domain = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}
