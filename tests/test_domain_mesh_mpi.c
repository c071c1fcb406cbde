/* test_domain_mesh_mpi.c: the domain of a mesh's elements: the same sums on any number of ranks, and the integral they stand for. */
#include "finegrain/regularizer.h"
#include "meshes.h"

typedef struct {
  PetscReal energy, *gradient; /* of all sites, on rank 0 */
} Roughness;

/* On the communicator; m is a function of the centroid. */
static Roughness Measure(MPI_Comm comm, FgMesh mesh, const char *name, double (*m)(const double x[3]))
{
  const FgComponent  component = {"m", "1", FG_KIND_SCALAR, -INFINITY, INFINITY, 0.0};
  FgRegularizerTerm  term      = {0, FG_KIND_SCALAR, 0, 1.0, 1.0, 1e-3};
  FgDomain           domain;
  FgField            field;
  FgRegularizer      r;
  Roughness          found = {0.0, NULL};
  Vec                gradient;
  double            *centroid;
  PetscScalar       *values;
  const PetscScalar *read;
  PetscMPIInt        rank, size, counts[8], starts[8];

  AgreedSuccess(FgDomainCreateMesh(comm, mesh, &domain));
  AgreedSuccess(FgFieldCreate(domain, 1, &component, &field));
  AgreedSuccess(FgRegularizerCreate(FgRegularizerFind(name), field, 1, &term, &r));
  AgreedSuccess(PetscMalloc1(3 * mesh->nsites, &centroid));
  AgreedSuccess(FgMeshMeasures(mesh, NULL, centroid));
  AgreedSuccess(VecGetArray(field->m, &values));
  for (PetscInt i = 0; i < domain->nlocal; i++) values[i] = m(centroid + 3 * (domain->first + i));
  AgreedSuccess(VecRestoreArray(field->m, &values));
  AgreedSuccess(FgRegularizerFreeze(r, field->m, &found.energy));
  AgreedSuccess(FgFieldCreateVec(field, &gradient));
  AgreedSuccess(VecSet(gradient, 0.0));
  AgreedSuccess(FgRegularizerGradient(r, field->m, 1.0, gradient));
  AgreedSuccess(PetscMalloc1(mesh->nsites, &found.gradient));
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  for (int k = 0; k < size; k++) {
    PetscInt first, nlocal;

    FgDomainRun(mesh->nsites, k, size, &first, &nlocal);
    counts[k] = (PetscMPIInt)nlocal, starts[k] = (PetscMPIInt)first;
  }
  AgreedSuccess(VecGetArrayRead(gradient, &read));
  MPI_Gatherv(read, counts[rank], MPI_DOUBLE, found.gradient, counts, starts, MPI_DOUBLE, 0, comm);
  AgreedSuccess(VecRestoreArrayRead(gradient, &read));
  AgreedSuccess(VecDestroy(&gradient));
  AgreedSuccess(PetscFree(centroid));
  AgreedSuccess(FgRegularizerDestroy(&r));
  AgreedSuccess(FgFieldDestroy(&field));
  AgreedSuccess(FgDomainDestroy(&domain));
  return found;
}

static double Linear(const double x[3])
{
  return 3.0 * x[0] + 4.0 * x[1];
}

static double Bump(const double x[3])
{
  return exp(-4.0 * (x[0] * x[0] + x[1] * x[1] + x[2] * x[2])) + (x[0] > 0.2 ? 1.0 : 0.0);
}

static FgMesh Disc(int elements)
{
  static TankStore store;
  FgMesh           mesh;

  AgreedSuccess(FgMeshCreateDisc(MakeTank(&store, 1.0, 0.0, 1, 8, 0.5), elements, &mesh));
  return mesh;
}

static FgMesh Cylinder(int elements)
{
  static TankStore store;
  FgMesh           mesh;

  AgreedSuccess(FgMeshCreateCylinder(MakeTank(&store, 1.0, 1.0, 1, 8, 0.5), elements, &mesh));
  return mesh;
}

static void EnergiesAndGradientsAreThoseOfOneRank(void **state)
{
  static const char *const names[] = {"tikhonov", "tv"};

  (void)state;
  for (int k = 0; k < 4; k++) {
    FgMesh    mesh = k < 2 ? Disc(900) : Cylinder(4000);
    Roughness one = Measure(PETSC_COMM_SELF, mesh, names[k % 2], Bump), all = Measure(PETSC_COMM_WORLD, mesh, names[k % 2], Bump);
    double    worst = 0.0, largest = 0.0;

    AgreedTrue(one.energy > 0.0 && fabs(all.energy / one.energy - 1.0) < 1e-12);
    for (PetscInt s = 0; s < mesh->nsites; s++) {
      worst   = fmax(worst, fabs(all.gradient[s] - one.gradient[s]));
      largest = fmax(largest, fabs(one.gradient[s]));
    }
    AgreedTrue(Rank() || worst < 1e-12 * largest);
    AgreedSuccess(PetscFree(one.gradient));
    AgreedSuccess(PetscFree(all.gradient));
    AgreedSuccess(FgMeshDestroy(&mesh));
  }
}

/* R = integral of psi(h0^2 |grad m|^2) / V0 with psi(t) = t/2 and |grad m| = 5: in two dimensions h0^2 = V0, R = 12.5 pi. */
static void LinearFunctionHasItsIntegral(void **state)
{
  double error[2];

  (void)state;
  for (int k = 0; k < 2; k++) {
    FgMesh    mesh  = Disc(k ? 16000 : 1000);
    Roughness found = Measure(PETSC_COMM_WORLD, mesh, "tikhonov", Linear);

    error[k] = fabs(found.energy / (12.5 * M_PI) - 1.0);
    AgreedSuccess(PetscFree(found.gradient));
    AgreedSuccess(FgMeshDestroy(&mesh));
  }
  if (!Rank()) print_message("integral: error %.4f with 1000 elements, %.4f with 16000\n", error[0], error[1]);
  AgreedTrue(error[0] < 0.1 && error[1] < 0.03 && error[1] < 0.6 * error[0]);
}

/* In space R = 12.5 h0^2 V/V0. Edges of layers do not point all ways: what is left of that stays. */
static void SoItHasInSpace(void **state)
{
  FgMesh    mesh   = Cylinder(30000);
  Roughness found  = Measure(PETSC_COMM_WORLD, mesh, "tikhonov", Linear);
  double    volume = TotalVolume(mesh), mean = volume / mesh->nsites, error;

  (void)state;
  error = found.energy / (12.5 * pow(mean, 2.0 / 3.0) * volume / mean) - 1.0;
  if (!Rank()) print_message("integral in space: error %.3f\n", error);
  AgreedTrue(fabs(error) < 0.15);
  AgreedSuccess(PetscFree(found.gradient));
  AgreedSuccess(FgMeshDestroy(&mesh));
}

static void ColorsDifferAndGhostsAscend(void **state)
{
  FgMesh   mesh = Disc(900);
  FgDomain domain;
  PetscInt nowned, total;

  (void)state;
  AgreedSuccess(FgDomainCreateMesh(PETSC_COMM_WORLD, mesh, &domain));
  AgreedTrue(domain->ncolors >= 2 && domain->ncolors <= 4);
  for (PetscInt k = 1; k < domain->nghost; k++) assert_true(domain->ghosts[k] > domain->ghosts[k - 1]);
  for (PetscInt i = 0; i < domain->nlocal; i++) {
    assert_true(domain->site_start[i + 1] > domain->site_start[i] && domain->site_start[i + 1] <= domain->site_start[i] + 3);
    for (PetscInt l = domain->site_start[i]; l < domain->site_start[i + 1]; l++) {
      const PetscInt other = domain->site_link[l].site;

      assert_true(other >= 0 && other < domain->nlocal + domain->nghost);
      if (other < domain->nlocal) assert_true(domain->color[i] != domain->color[other]);
    }
  }
  /* Faces: three a triangle, but the boundary's, counted once over the ranks; Euler: 3 F = 2 E_inner + E_boundary. */
  nowned = domain->nowned;
  MPI_Allreduce(&nowned, &total, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD);
  AgreedTrue(mesh->nnodes - (3 * mesh->nelements - total) + mesh->nelements == 1);
  AgreedSuccess(FgDomainDestroy(&domain));
  AgreedSuccess(FgMeshDestroy(&mesh));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(EnergiesAndGradientsAreThoseOfOneRank),
      cmocka_unit_test(LinearFunctionHasItsIntegral),
      cmocka_unit_test(SoItHasInSpace),
      cmocka_unit_test(ColorsDifferAndGhostsAscend),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
