/* domain_links.c: what domains of voxels and of meshes share; see domain_links.h. */
#include "domain_links.h"

PetscInt FgDomainSearch(const PetscInt *array, PetscInt n, PetscInt value)
{
  PetscInt low = 0, high = n;

  while (low < high) {
    const PetscInt middle = low + (high - low) / 2;

    if (array[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low < n && array[low] == value ? low : -1;
}

PetscInt FgDomainLocal(FgDomain d, PetscInt site)
{
  return FgDomainOwns(d, site) ? site - d->first : d->nlocal + FgDomainSearch(d->ghosts, d->nghost, site);
}

PetscErrorCode FgDomainLinkSites(FgDomain d)
{
  const PetscInt npairs = d->group_start[d->ngroups];
  PetscInt      *filled;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(d->nlocal + 1, &d->site_start));
  for (PetscInt p = 0; p < npairs; p++) {
    if (d->pair_i[p] < d->nlocal) d->site_start[d->pair_i[p] + 1]++;
    if (d->pair_j[p] < d->nlocal) d->site_start[d->pair_j[p] + 1]++;
  }
  for (PetscInt i = 0; i < d->nlocal; i++) d->site_start[i + 1] += d->site_start[i];
  PetscCall(PetscMalloc1(d->site_start[d->nlocal], &d->site_link));
  PetscCall(PetscMalloc1(d->nlocal + 1, &filled));
  PetscCall(PetscArraycpy(filled, d->site_start, d->nlocal + 1));
  for (PetscInt p = 0; p < npairs; p++) {
    const PetscInt i = d->pair_i[p], j = d->pair_j[p], g = d->pair_group[p];

    if (i < d->nlocal) d->site_link[filled[i]++] = (FgDomainLink){j, g, d->pair_coupling[p]};
    if (j < d->nlocal) d->site_link[filled[j]++] = (FgDomainLink){i, g, d->pair_coupling[p]};
  }
  PetscCall(PetscFree(filled));
  PetscFunctionReturn(PETSC_SUCCESS);
}
