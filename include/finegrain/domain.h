/* domain.h: where parameters live: sites with volumes, spread over ranks as contiguous runs, and groups of neighbour
   pairs, so that one sweep serves voxels and meshes:  R(m) = sum_g measure_g psi( sum_{pairs of g} |m_j - m_i|^2 / h^2 ).
   A voxel's +x, +y, +z differences are one group; a mesh face is a group of one pair. Every rank holds the groups of its own
   sites and those of other ranks that touch its own sites, so that gradients need no communication but ghost values. */
#ifndef FINEGRAIN_DOMAIN_H
#define FINEGRAIN_DOMAIN_H

#include "base.h"

enum { FG_GROUP_PAIRS = 3 }; /* in a group, at most */

/* A neighbor of a site: the other end of a pair, the pair's group and coupling. */
typedef struct {
  PetscInt site, group;
  double   coupling;
} FgDomainLink;

typedef struct FgDomain_ *FgDomain;
struct FgDomain_ {
  MPI_Comm  comm;
  PetscInt  nglobal, first, nlocal, nghost;
  PetscInt *ghosts;           /* [nghost] global site numbers, ascending; local index nlocal + k */
  PetscInt  ngroups, nowned;  /* the first nowned groups are this rank's own: energies sum over them */
  PetscInt *group_start;      /* [ngroups + 1] into the pair arrays */
  double   *group_measure;    /* [ngroups] site volume / mean site volume */
  PetscInt *pair_i, *pair_j;  /* local indices, either may be a ghost; the first nlocal + nghost are valid */
  PetscInt *pair_group;       /* the group of each pair */
  double   *pair_coupling;    /* (h0/h)^2, h the distance of the pair [mm], h0 the domain's reference length [mm] */
  double    reference_length; /* h0 = cube root of the mean site volume [mm] */
  /* The pairs that touch each owned site, for sweeps: */
  PetscInt      *site_start; /* [nlocal + 1] */
  FgDomainLink  *site_link;  /* of every pair that touches the site */
  unsigned char *color;      /* [nlocal]: no two neighbours share one */
  PetscInt       ncolors;
};

/* Masked voxels of a grid: voxel[nglobal] are linear indices (x fastest, ascending), known to every rank.
   dims voxels, spacing [mm]. Collective. */
PETSC_EXTERN PetscErrorCode FgDomainCreateVoxels(MPI_Comm comm, const PetscInt dims[3], const double spacing[3], PetscInt nglobal,
                                                 const PetscInt voxel[], FgDomain *domain);
PETSC_EXTERN PetscErrorCode FgDomainDestroy(FgDomain *domain);
/* Global number of a local site, owned or a ghost. */
static inline PetscInt FgDomainGlobal(FgDomain d, PetscInt site)
{
  return site < d->nlocal ? d->first + site : d->ghosts[site - d->nlocal];
}
/* Which run of n sites a rank owns; the one rule of distribution. */
PETSC_EXTERN void FgDomainRun(PetscInt n, int rank, int size, PetscInt *first, PetscInt *nlocal);

#endif
