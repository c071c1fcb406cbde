/* fit_eit_memory.c: how much memory a fit of voltages will take, before it begins.

   Counted are the arrays that grow with the measurement: of E elements with b degrees of freedom each, N in all, S sites, n independent
   currents, d of them driven,

     16 b^2 E + 32 n N + (4 + 24) p S,  p = d n - d(d - 1)/2

   for the entries of the matrix with their places, the potentials, the derivatives by the p pairs of currents, and three matrices of the
   Gauss-Newton system of rank p, in space with work of the solver 32 in place of 24. The last two fall away where they would be too large. What the rest takes was measured
   (docs/eit.md): bytes a site (domain, regularizer, its factor) and a degree of freedom (matrix, its factor); the factor of a mesh of
   tetrahedra goes as N^(4/3) (A. George, SIAM J. Numer. Anal. 10 (1973) 345, in space: R. Lipton et al., 16 (1979) 346). */
#include "fit_eit.h"

#include <math.h>
#include <string.h>

/* Measured [bytes]. */
#define PROGRAM      (46.0 * 1048576.0) /* a rank, whatever it does */
#define COPY         100.0              /* an element, of the mesh that every rank holds */
#define VOXEL        32.0               /* of the maps */
#define FACTOR_ENTRY (5.2 * 8.0)        /* times N^(4/3), in three dimensions */

/* Up to which pairs are kept, on a rank or for an element (forward/eit/pairs.c), and the matrices of the low rank (inverse/low_rank.c) [bytes];
   up to which tetrahedra are solved by a factorization (forward/eit/solve.c) [degrees of freedom]. */
#define MOST_PAIRS            256e6
#define MOST_PAIRS_OF_ELEMENT 1000.0
#define MOST_LOW_RANK         2147483648.0
#define MOST_FACTORED         120000.0

typedef struct {
  double site, element, freedom, pair;
} Share;

static const Share shares[2] = {{680.0, 0.0, 1080.0, 24.0}, {1300.0, 120.0, 3150.0, 32.0}}; /* of two, of three dimensions */

/* Degrees of freedom: nodes, and for degree 2 edges, by Euler's formula with some 2 E^(2/3) edges for the surface of a body. */
static double CountFreedoms(FgMesh mesh, PetscInt order)
{
  const double nodes = mesh->nnodes, elements = mesh->nelements;

  if (order == 1) return nodes;
  return nodes + (mesh->dim == 2 ? nodes + elements : nodes + elements + 2.0 * pow(elements, 2.0 / 3.0));
}

PetscErrorCode FgEitFitMemory(const FgEitFit *fit, PetscMPIInt ranks, double *bytes)
{
  const FgMesh   mesh  = fit->mesh;
  const PetscInt order = FgEitOrder(fit), basis = mesh->dim == 2 ? 3 * order : order == 1 ? 4 : 10;
  const double   elements = mesh->nelements, N = CountFreedoms(mesh, order);
  const double   sites    = (double)mesh->nsites * (fit->direction ? 3.0 : 1.0);
  const double   currents = PetscMax(fit->eit->nelectrodes - fit->eit->nsilent - 1, 1);
  const char    *solver   = fit->settings->domain.solver;
  const Share   *share    = &shares[mesh->dim - 2];
  PetscInt       driven;
  double         unknown_pairs;

  PetscFunctionBegin;
  PetscCall(FgEitIndependent(fit->eit, &driven));
  unknown_pairs = sites * driven * (currents - 0.5 * (driven - 1.0));
  *bytes        = 16.0 * basis * basis * elements + 32.0 * currents * N;
  if (4.0 * unknown_pairs <= PetscMax(MOST_PAIRS * ranks, MOST_PAIRS_OF_ELEMENT * elements)) {
    *bytes += 4.0 * unknown_pairs;
    if (24.0 * unknown_pairs <= MOST_LOW_RANK) *bytes += share->pair * unknown_pairs;
  }
  *bytes += share->site * sites + share->element * elements + share->freedom * N;
  if (mesh->dim == 3 && strcmp(solver, "cg") && (solver[0] || N <= MOST_FACTORED)) {
    *bytes += FACTOR_ENTRY * pow(N, 4.0 / 3.0);
  }
  *bytes += ranks * PROGRAM + (ranks - 1.0) * COPY * elements + VOXEL * (double)FgGridVoxels(&fit->grid);
  PetscFunctionReturn(PETSC_SUCCESS);
}
