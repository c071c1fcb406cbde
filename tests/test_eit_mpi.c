/* test_eit_mpi.c: the complete electrode model: closed forms, derivatives, reciprocity, solvers and ranks against each other. */
#include "finegrain/model.h"

#include "forward/eit/eit.h"

#include <gsl/gsl_randist.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "agreed.h"
#include "eit_box.h"

#define ok(call) assert_int_equal((call), 0)

static const char *const unknowns_names[] = {"isotropic", "porosity", "porosity and direction"};

typedef struct {
  FgMesh   mesh;
  FgEit    eit;
  FgDomain domain;
  FgModel  model;
  FgField  field;
} Case;

static FgEitOptions Options(FgEitUnknowns unknowns, PetscInt order, const char *solver)
{
  FgEitOptions options = {.unknowns           = unknowns,
                          .order              = order,
                          .tolerance          = 1e-13,
                          .conductivity       = 0.3,
                          .conductivity_lower = 0.1,
                          .conductivity_upper = 1.0};

  strcpy(options.solver, solver);
  return options;
}

/* Values inside the box and directions, the same on any number of ranks. */
static void Fill(FgField field, PetscInt dim)
{
  PetscScalar *m;
  gsl_rng     *random = gsl_rng_alloc(gsl_rng_mt19937);

  ok(VecGetArray(field->m, &m));
  for (PetscInt i = 0; i < field->domain->nlocal; i++) {
    gsl_rng_set(random, 1 + (unsigned long)(field->domain->first + i));
    for (PetscInt k = 0; k < field->ncomponents; k++) {
      const FgComponent *c = &field->components[k];
      const double       u = gsl_ran_flat(random, 0.25, 0.75);

      m[i * field->ncomponents + k] = isfinite(c->lower) ? c->lower + u * (c->upper - c->lower) : u - 0.5;
    }
    if (dim == 2) {
      const double angle    = gsl_ran_flat(random, 0.0, 6.28), c = cos(angle), s = sin(angle);
      const double frame[9] = {c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0};

      memcpy(&field->frames[9 * i], frame, sizeof frame);
    } else {
      double n[3];

      gsl_ran_dir_3d(random, &n[0], &n[1], &n[2]);
      FgChartFrameFromDirection(n, &field->frames[9 * i]);
    }
  }
  ok(VecRestoreArray(field->m, &m));
  gsl_rng_free(random);
}

static void CaseCreate(MPI_Comm comm, FgMesh mesh, FgEit eit, const FgEitOptions *options, Case *c)
{
  const FgTissue tissue     = {.closure        = FgClosureFind("hs2d"),
                               .phases         = {1.0, 0.2, 0.1, 1.0, PETSC_FALSE},
                               .orientation    = FG_ALIGNED,
                               .porosity_lower = 0.0,
                               .porosity_upper = 1.0};
  const PetscInt dims[3]    = {mesh->nsites, 1, 1};
  const double   spacing[3] = {1.0, 1.0, 1.0};
  PetscInt      *voxel      = malloc((size_t)mesh->nsites * sizeof *voxel);

  for (PetscInt i = 0; i < mesh->nsites; i++) voxel[i] = i;
  memset(c, 0, sizeof *c);
  c->mesh = mesh;
  c->eit  = eit;
  ok(FgDomainCreateVoxels(comm, dims, spacing, mesh->nsites, voxel, &c->domain));
  ok(FgModelCreate(comm, "eit", &tissue, &c->model));
  ok(FgModelSetEit(c->model, eit, mesh, options));
  ok(FgModelSetup(c->model));
  ok(FgFieldCreate(c->domain, c->model->ncomponents, c->model->components, &c->field));
  if (!c->field->frames) ok(PetscCalloc1(9 * (size_t)(c->domain->nlocal + c->domain->nghost), &c->field->frames));
  ok(FgModelSetField(c->model, c->field));
  Fill(c->field, mesh->dim);
  free(voxel);
}

static void CaseDestroy(Case *c)
{
  ok(FgModelDestroy(&c->model));
  ok(FgFieldDestroy(&c->field));
  ok(FgDomainDestroy(&c->domain));
}

/* A box with two electrodes on each of two sides and one at the top. */
static const BoxElectrode five[] = {{0, 0, 0.0, 0.5}, {0, 0, 0.5, 1.0}, {0, 1, 0.0, 0.5}, {0, 1, 0.5, 1.0}, {1, 1, 0.0, 0.7}};
static const PetscInt     cells2[3] = {8, 6, 1}, cells3[3] = {4, 4, 4};
static const double       size[3]   = {0.2, 0.1, 0.15};

/* The voltages on the whole comm, allocated. */
static double *Voltages(Case *c)
{
  double            *all = calloc((size_t)c->model->ndata, sizeof *all);
  const PetscScalar *array;
  PetscInt           first;
  Vec                d;

  ok(FgModelCreateDataVec(c->model, &d));
  ok(FgModelApply(c->model, c->field->m, d));
  ok(VecGetOwnershipRange(d, &first, NULL));
  ok(VecGetArrayRead(d, &array));
  for (PetscInt i = 0; i < c->model->ndatalocal; i++) all[first + i] = array[i];
  ok(VecRestoreArrayRead(d, &array));
  ok(VecDestroy(&d));
  MPI_Allreduce(MPI_IN_PLACE, all, (int)c->model->ndata, MPI_DOUBLE, MPI_SUM, c->model->comm);
  return all;
}

/* A bar between electrodes that cover its ends: V = I (length/(sigma A) + (z_0 + z_1)/A). */
static void a_bar_has_its_resistance(void **state)
{
  static const BoxElectrode ends[] = {{0, 0, 0.0, 1.0}, {0, 1, 0.0, 1.0}};

  (void)state;
  for (PetscInt dim = 2; dim <= 3; dim++) {
    for (PetscInt order = 1; order <= 2; order++) {
      const FgEitOptions options = Options(FG_EIT_ISOTROPIC, order, "auto");
      FgMesh             mesh    = BoxMesh(dim, dim == 2 ? cells2 : cells3, size, 2, ends);
      FgEit              eit     = BoxEit(2, 1, 0.01, dim == 2 ? size[2] : 1.0);
      const double       area    = size[1] * size[2];
      Case               c;
      double            *v;

      CaseCreate(PETSC_COMM_WORLD, mesh, eit, &options, &c);
      ok(VecSet(c.field->m, log(0.4)));
      v = Voltages(&c);
      AgreedTrue(fabs(v[0] / (1e-3 * (size[0] / (0.4 * area) + 0.021 / area)) - 1.0) < 1e-12);
      assert_int_equal(c.model->counts.solves, 1);
      free(v);
      CaseDestroy(&c);
      BoxMeshFree(mesh);
      BoxEitFree(eit);
    }
  }
}

static void EachModel(void (*test)(Case *, const char *label))
{
  for (PetscInt dim = 2; dim <= 3; dim++) {
    for (PetscInt order = 1; order <= 2; order++) {
      for (int unknowns = 0; unknowns < 3; unknowns++) {
        const FgEitOptions options = Options((FgEitUnknowns)unknowns, order, "auto");
        FgMesh             mesh    = BoxMesh(dim, dim == 2 ? cells2 : cells3, size, 5, five);
        FgEit              eit     = BoxEit(5, 2, 0.01, 1.0);
        char               label[64];
        Case               c;

        snprintf(label, sizeof label, "%s, dimension %d, degree %d", unknowns_names[unknowns], (int)dim, (int)order);
        CaseCreate(PETSC_COMM_WORLD, mesh, eit, &options, &c);
        test(&c, label);
        CaseDestroy(&c);
        BoxMeshFree(mesh);
        BoxEitFree(eit);
      }
    }
  }
}

static void CheckDerivatives(Case *c, const char *label)
{
  FgModelCheckResult r;

  ok(FgModelCheck(c->model, c->field->m, 17, &r));
  if (!(r.taylor_slope[0] > 1.9 && r.taylor_slope[1] < 2.1 && r.taylor_decades >= 3.0 && r.dot_product < 1e-12))
    print_error("%s: order %g .. %g over %g decades, dot product %g\n", label, r.taylor_slope[0], r.taylor_slope[1],
                r.taylor_decades, r.dot_product);
  AgreedTrue(r.taylor_slope[0] > 1.9 && r.taylor_slope[1] < 2.1 && r.taylor_decades >= 3.0);
  AgreedTrue(r.dot_product < 1e-12);
}

static void derivatives_and_transposes(void **state)
{
  (void)state;
  EachModel(CheckDerivatives);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_bar_has_its_resistance),
      cmocka_unit_test(derivatives_and_transposes),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
