/* test_components_mpi.c: connected components of a periodic cell, their windings and where they percolate; against shapes
   whose answer is known, and against a flood that carries positions. */
#include "agreed.h"

#include "finegrain/geometry.h"
#include "forward/cell/solver.h"

#include <math.h>

typedef PetscBool (*Inside)(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k);

static FgCell MakeCell(MPI_Comm comm, PetscInt nx, PetscInt ny, PetscInt nz, Inside inside)
{
  const PetscInt n[3]    = {nx, ny, nz};
  const double   edge[3] = {1e-6 * (double)nx, 1e-6 * (double)ny, 1e-6 * (double)nz};
  FgPhaseTable   table   = {.source = "test"};
  FgCell         cell;

  AgreedSuccess(FgPhaseTableAdd(&table, "wall", 0));
  AgreedSuccess(FgPhaseTableAdd(&table, "fluid", 1));
  AgreedSuccess(FgCellCreate(comm, n, edge, &table, "test", &cell));
  for (PetscInt v = 0; v < cell->nlocal; v++) cell->phase[v] = inside(n, v % nx, v / nx % ny, cell->start + v / nx / ny);
  AgreedSuccess(FgCellComplete(cell));
  AgreedSuccess(FgPhaseTableDestroy(&table));
  return cell;
}

static const PetscBool fluid[2] = {PETSC_FALSE, PETSC_TRUE};

static FgComponents Find(FgCell cell)
{
  FgComponents components;

  AgreedSuccess(FgComponentsFind(cell, fluid, &components));
  return components;
}

static PetscBool Everywhere(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return PETSC_TRUE;
}

static PetscBool Nowhere(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return PETSC_FALSE;
}

static PetscBool InPocket(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return i % 4 < 2 && j % 4 < 2 && k % 4 < 2;
}

/* A staircase along the diagonal of x and y, in the plane k = 1. */
static PetscBool InDiagonal(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return k == 1 && (i == j || (i + 1) % n[0] == j);
}

/* Staircases along (1, 1, 0) below and (1, -1, 0) above. */
static PetscBool InBothDiagonals(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return InDiagonal(n, i, j, k) || (k == n[2] - 2 && InDiagonal(n, i, n[1] - 1 - j, 1));
}

/* Goes up one voxel in z for each in x, and crosses y nowhere. */
static PetscBool InRamp(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return j == 2 && (i == k || (i + 1) % n[0] == k);
}

/* Twice around z in x before it closes: winding (2, 0, 1). */
static PetscBool InCoil(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  const PetscInt ahead = (i - 2 * k + 2 * n[0]) % n[0];

  return ahead < 3;
}

static PetscBool InColumn(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return i == 1 && j == 1;
}

static PetscBool InSheet(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return i == 3;
}

static void KnowsPlainShapes(void **state)
{
  static const double diagonal[9] = {0.5, 0.5, 0, 0.5, 0.5, 0, 0, 0, 0}, plane[9] = {1, 0, 0, 0, 1, 0, 0, 0, 0},
                      ramp[9] = {0.5, 0, 0.5, 0, 0, 0, 0.5, 0, 0.5}, all[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, none[9] = {0},
                      column[9] = {0, 0, 0, 0, 0, 0, 0, 0, 1}, sheet[9] = {0, 0, 0, 0, 1, 0, 0, 0, 1};
  const struct {
    Inside        inside;
    PetscInt      n[3], count;
    int           rank;
    PetscBool     percolates[3];
    const double *projector;
  } cases[] = {
      {Everywhere, {5, 4, 6}, 1, 3, {PETSC_TRUE, PETSC_TRUE, PETSC_TRUE}, all},
      {Nowhere, {5, 4, 6}, 0, 0, {PETSC_FALSE, PETSC_FALSE, PETSC_FALSE}, none},
      {InPocket, {8, 4, 12}, 6, 0, {PETSC_FALSE, PETSC_FALSE, PETSC_FALSE}, none},
      {InDiagonal, {6, 6, 5}, 1, 1, {PETSC_TRUE, PETSC_TRUE, PETSC_FALSE}, diagonal},
      {InBothDiagonals, {6, 6, 7}, 2, 1, {PETSC_TRUE, PETSC_TRUE, PETSC_FALSE}, plane},
      {InRamp, {6, 4, 6}, 1, 1, {PETSC_TRUE, PETSC_FALSE, PETSC_TRUE}, ramp},
      {InColumn, {3, 3, 7}, 1, 1, {PETSC_FALSE, PETSC_FALSE, PETSC_TRUE}, column},
      {InSheet, {5, 4, 6}, 1, 2, {PETSC_FALSE, PETSC_TRUE, PETSC_TRUE}, sheet},
      {InColumn, {3, 3, 1}, 1, 1, {PETSC_FALSE, PETSC_FALSE, PETSC_TRUE}, column}, /* one voxel along z meets itself */
      {Everywhere, {1, 1, 2}, 1, 3, {PETSC_TRUE, PETSC_TRUE, PETSC_TRUE}, all},
  };

  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    FgCell       cell  = MakeCell(PETSC_COMM_WORLD, cases[k].n[0], cases[k].n[1], cases[k].n[2], cases[k].inside);
    FgComponents found = Find(cell);
    double       sum   = 0;
    int          good  = found.ncomponents == cases[k].count;

    for (PetscInt i = 0; i < found.ncomponents && good; i++) {
      good = good && found.rank[i] == cases[k].rank;
      sum += found.fraction[i];
    }
    good = good && fabs(sum - cell->fraction[1]) < 1e-14;
    for (int i = 0; i < 3; i++) good = good && found.percolates[i] == cases[k].percolates[i];
    for (int i = 0; i < 9; i++) good = good && fabs(found.projector[i] - cases[k].projector[i]) < 1e-14;
    if (!good) print_error("case %d\n", (int)k);
    AgreedTrue(good);
    AgreedSuccess(FgComponentsDestroy(&found));
    AgreedSuccess(FgCellDestroy(&cell));
  }
}

/* The projector knows the edges: a diagonal of a box that is twice as long in x. */
static PetscBool InSteep(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return i / 2 == j || (i / 2 + 1) % n[1] == j;
}

static void ProjectsInSpace(void **state)
{
  static const double expected[9] = {0.8, 0.4, 0, 0.4, 0.2, 0, 0, 0, 1}; /* spanned by (2, 1, 0) and z */
  FgCell              cell        = MakeCell(PETSC_COMM_WORLD, 8, 4, 3, InSteep);
  FgComponents        found       = Find(cell);
  int                 good        = found.ncomponents == 1 && found.rank[0] == 2;

  for (int i = 0; i < 9; i++) good = good && fabs(found.projector[i] - expected[i]) < 1e-14;
  AgreedTrue(good);
  AgreedSuccess(FgComponentsDestroy(&found));
  AgreedSuccess(FgCellDestroy(&cell));
}

/* A path that goes round in x twice while it goes round in z once: winding (2, 0, 1), never closer to itself. */
static void WindsTwice(void **state)
{
  FgCell       cell  = MakeCell(PETSC_COMM_WORLD, 12, 1, 12, InCoil);
  FgComponents found = Find(cell);
  const double p     = 0.2;

  /* x = 2 k: slope two in a square cell; n[1] = 1 adds y. */
  AgreedTrue(found.ncomponents == 1 && found.rank[0] == 2);
  AgreedTrue(fabs(found.projector[0] - 4 * p) < 1e-14 && fabs(found.projector[2] - 2 * p) < 1e-14 &&
             fabs(found.projector[8] - p) < 1e-14 && fabs(found.projector[4] - 1) < 1e-14);
  AgreedSuccess(FgComponentsDestroy(&found));
  AgreedSuccess(FgCellDestroy(&cell));
}

static uint32_t random_state;
static double   random_fraction;

static PetscBool AtRandom(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  uint32_t x = (uint32_t)((k * n[1] + j) * n[0] + i) * 2654435761u + random_state * 40503u + 12345u;

  x ^= x >> 15;
  x *= 2246822519u;
  x ^= x >> 13;
  x *= 3266489917u;
  x ^= x >> 16;
  return (double)x / 4294967296.0 < random_fraction;
}

/* Floods the whole cell from each voxel in order, carrying the copy in which a voxel was met; windings are differences. */
static void Flood(FgCell cell, int32_t *component, PetscInt *count, int *ranks, PetscBool percolates[3])
{
  const PetscInt *n = cell->n;
  PetscInt       *queue;
  int(*copy)[3];

  AgreedSuccess(PetscMalloc2(cell->nlocal, &queue, cell->nlocal, &copy));
  for (PetscInt v = 0; v < cell->nlocal; v++) component[v] = -1;
  *count = 0;
  for (int a = 0; a < 3; a++) percolates[a] = PETSC_FALSE;
  for (PetscInt seed = 0; seed < cell->nlocal; seed++) {
    PetscInt head = 0, tail = 0;
    double   G[3][3] = {{0}}, d2, d3; /* sum of w w^T: its rank is that of the windings */

    if (component[seed] >= 0 || !cell->phase[seed]) continue;
    component[seed] = (int32_t)*count;
    memset(copy[seed], 0, sizeof copy[seed]);
    queue[tail++] = seed;
    while (head < tail) {
      const PetscInt v     = queue[head++];
      const PetscInt at[3] = {v % n[0], v / n[0] % n[1], v / n[0] / n[1]};

      for (int face = 0; face < 6; face++) {
        const int a = face / 2, up = face % 2 ? 1 : -1;
        PetscInt  next[3] = {at[0], at[1], at[2]}, other;
        int       w[3]    = {copy[v][0], copy[v][1], copy[v][2]};

        next[a] += up;
        if (next[a] < 0 || next[a] == n[a]) {
          next[a] -= up * n[a];
          w[a] += up;
        }
        other = (next[2] * n[1] + next[1]) * n[0] + next[0];
        if (!cell->phase[other]) continue;
        if (component[other] < 0) {
          component[other] = (int32_t)*count;
          memcpy(copy[other], w, sizeof w);
          queue[tail++] = other;
        }
        for (int i = 0; i < 3; i++) {
          w[i] -= copy[other][i];
          if (w[i]) percolates[i] = PETSC_TRUE;
        }
        for (int i = 0; i < 9; i++) G[i / 3][i % 3] += w[i / 3] * w[i % 3];
      }
    }
    d2 = G[0][0] * G[1][1] - G[0][1] * G[0][1] + G[0][0] * G[2][2] - G[0][2] * G[0][2] + G[1][1] * G[2][2] - G[1][2] * G[1][2];
    d3 = G[0][0] * (G[1][1] * G[2][2] - G[1][2] * G[1][2]) - G[0][1] * (G[0][1] * G[2][2] - G[1][2] * G[0][2]) +
         G[0][2] * (G[0][1] * G[1][2] - G[1][1] * G[0][2]);
    ranks[(*count)++] = d3 > 0.5 ? 3 : d2 > 0.5 ? 2 : G[0][0] + G[1][1] + G[2][2] > 0.5 ? 1 : 0;
  }
  AgreedSuccess(PetscFree2(queue, copy));
}

/* Near the percolation threshold (0.31 in three dimensions, 0.59 in two) components wind in every way. */
static void AgreesWithAFlood(void **state)
{
  static const PetscInt sizes[][3] = {{8, 8, 8}, {7, 5, 9}, {16, 16, 1}, {1, 13, 11},
                                      {3, 2, 4}, {2, 2, 2}, {1, 1, 9},   {20, 3, 5}};
  int                   seen[4]    = {0};

  for (PetscInt k = 0; k < 400; k++) {
    const PetscInt *n    = sizes[k % 8];
    const int       thin = n[0] == 1 || n[2] == 1;
    FgCell          cell, whole;
    FgComponents    found;
    int32_t        *expected;
    int            *ranks, good;
    PetscInt        count;
    PetscBool       percolates[3];

    random_state    = (uint32_t)k;
    random_fraction = (thin ? 0.5 : 0.25) + 0.02 * (double)(k / 8 % 8);
    cell            = MakeCell(PETSC_COMM_WORLD, n[0], n[1], n[2], AtRandom);
    whole           = MakeCell(PETSC_COMM_SELF, n[0], n[1], n[2], AtRandom);
    found           = Find(cell);
    AgreedSuccess(PetscMalloc2(whole->nlocal, &expected, whole->nlocal, &ranks));
    Flood(whole, expected, &count, ranks, percolates);
    good = found.ncomponents == count &&
           SameBytes(found.component, expected + cell->start * n[0] * n[1], sizeof(int32_t) * (size_t)cell->nlocal) &&
           !memcmp(found.percolates, percolates, sizeof percolates);
    for (PetscInt i = 0; i < count && good; i++) {
      good = found.rank[i] == ranks[i];
      seen[ranks[i]]++;
    }
    if (!good) print_error("case %d: %d components, expected %d\n", (int)k, (int)found.ncomponents, (int)count);
    AgreedTrue(good);
    AgreedSuccess(PetscFree2(expected, ranks));
    AgreedSuccess(FgComponentsDestroy(&found));
    AgreedSuccess(FgCellDestroy(&cell));
    AgreedSuccess(FgCellDestroy(&whole));
  }
  AgreedTrue(seen[0] && seen[1] && seen[2] && seen[3]);
}

/* Isolated spheres do not percolate, the space around them does; a percolating plane channel does along two axes. */
static void KnowsGenerators(void **state)
{
  FgGeometrySettings settings = FgGeometryDefaults;
  const PetscBool    wall[2]  = {PETSC_TRUE, PETSC_FALSE};
  FgCell             cell;
  FgComponents       found;

  settings.resolution = 40;
  settings.count      = 20;
  settings.fraction   = 0.15;
  AgreedSuccess(FgGeometryCreate(PETSC_COMM_WORLD, FgGeometryFind("random-spheres"), &settings, NULL, &cell));
  found = Find(cell);
  AgreedTrue(found.ncomponents <= 20 && found.ncomponents >= 15 && !found.percolates[0] && !found.percolates[1] &&
             !found.percolates[2]); /* some may touch as voxels */
  AgreedSuccess(FgComponentsDestroy(&found));
  AgreedSuccess(FgComponentsFind(cell, wall, &found));
  AgreedTrue(found.rank[0] == 3 && found.fraction[0] > 0.845); /* beside a voxel or two between spheres that touch */
  for (PetscInt i = 1; i < found.ncomponents; i++) AgreedTrue(found.rank[i] == 0 && found.fraction[i] < 1e-4);
  AgreedSuccess(FgComponentsDestroy(&found));
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(FgGeometryCreate(PETSC_COMM_WORLD, FgGeometryFind("plane-channels"), &FgGeometryDefaults, NULL, &cell));
  found = Find(cell);
  AgreedTrue(found.ncomponents == 1 && found.rank[0] == 2 && !found.percolates[0] && found.percolates[1] && found.percolates[2]);
  AgreedSuccess(FgComponentsDestroy(&found));
  AgreedSuccess(FgCellDestroy(&cell));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(KnowsPlainShapes), cmocka_unit_test(ProjectsInSpace), cmocka_unit_test(WindsTwice),
      cmocka_unit_test(AgreesWithAFlood), cmocka_unit_test(KnowsGenerators),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
