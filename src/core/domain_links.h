/* domain_links.h: what domains of voxels and of meshes share: who owns a site, and the links of sites that follow from the pairs. */
#ifndef FINEGRAIN_CORE_DOMAIN_LINKS_H
#define FINEGRAIN_CORE_DOMAIN_LINKS_H

#include "finegrain/domain.h"

static inline PetscBool FgDomainOwns(FgDomain d, PetscInt site)
{
  return site >= d->first && site < d->first + d->nlocal ? PETSC_TRUE : PETSC_FALSE;
}

/* Position of `value` in an ascending array, -1 where it is absent. */
PETSC_INTERN PetscInt FgDomainSearch(const PetscInt *array, PetscInt n, PetscInt value);
/* Local number of a global site that is owned or a ghost: the ghosts come behind. */
PETSC_INTERN PetscInt FgDomainLocal(FgDomain d, PetscInt site);
/* The neighbors of owned sites: by pairs of their own groups and of groups of ghosts that touch them. */
PETSC_INTERN PetscErrorCode FgDomainLinkSites(FgDomain d);

#endif
