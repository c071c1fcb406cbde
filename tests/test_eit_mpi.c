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
      const double angle = gsl_ran_flat(random, 0.0, 6.28), c = cos(angle), s = sin(angle);
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
static const BoxElectrode five[]    = {{0, 0, 0.0, 0.5}, {0, 0, 0.5, 1.0}, {0, 1, 0.0, 0.5}, {0, 1, 0.5, 1.0}, {1, 1, 0.0, 0.7}};
static const PetscInt     cells2[3] = {8, 6, 1}, cells3[3] = {4, 4, 4};
static const double       size[3] = {0.2, 0.1, 0.15};

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

        if (order == 2) BoxCellsAreSites(mesh);
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
  /* Decades are those of orders from 1.9 to 2.1; a wrong derivative shows as a lower order at small steps, the largest steps may have any. */
  if (!(r.taylor_slope[0] > 1.9 && r.taylor_decades >= 3.0 && r.dot_product < 1e-12))
    print_error("%s: order %g .. %g over %g decades, dot product %g\n", label, r.taylor_slope[0], r.taylor_slope[1],
                r.taylor_decades, r.dot_product);
  AgreedTrue(r.taylor_slope[0] > 1.9 && r.taylor_decades >= 3.0);
  AgreedTrue(r.dot_product < 1e-12);
}

/* Summed over ranks, the dense Jacobian times a field is the tangent. */
static void CheckJacobian(Case *c, const char *label)
{
  const PetscInt     n = c->field->domain->nlocal * c->model->ncomponents, nd = c->model->ndata;
  const PetscScalar *array, *values;
  double            *jacobian, *product, difference = 0.0, largest = 0.0;
  PetscInt           first, last;
  Vec                v, d;

  ok(PetscMalloc2((size_t)n * nd, &jacobian, nd, &product));
  ok(FgModelCreateDataVec(c->model, &d));
  ok(FgFieldCreateVec(c->field, &v));
  ok(VecCopy(c->field->m, v));
  ok(FgModelApply(c->model, c->field->m, d));
  ok(FgModelJacobian(c->model, jacobian));
  ok(FgModelTangent(c->model, v, d));
  ok(PetscArrayzero(product, nd));
  ok(VecGetArrayRead(v, &array));
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt k = 0; k < nd; k++) product[k] += jacobian[(size_t)i * nd + k] * array[i];
  }
  ok(VecRestoreArrayRead(v, &array));
  MPI_Allreduce(MPI_IN_PLACE, product, (int)nd, MPI_DOUBLE, MPI_SUM, c->model->comm);
  ok(VecGetOwnershipRange(d, &first, &last));
  ok(VecGetArrayRead(d, &values));
  for (PetscInt k = first; k < last; k++) {
    difference = fmax(difference, fabs(values[k - first] - product[k]));
    largest    = fmax(largest, fabs(product[k]));
  }
  ok(VecRestoreArrayRead(d, &values));
  MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, c->model->comm);
  if (!(difference <= 1e-11 * largest)) print_error("%s: J v differs by %g of %g V\n", label, difference, largest);
  AgreedTrue(difference <= 1e-11 * largest);
  ok(VecDestroy(&d));
  ok(VecDestroy(&v));
  ok(PetscFree2(jacobian, product));
}

/* y = J^T W J v by reciprocity alone, sigma being the same everywhere. */
static void Product(Case *c, double sigma, Vec v, Vec d, Vec y)
{
  ok(FgModelTangent(c->model, v, d));
  ok(VecScale(d, 1.0 / (sigma * sigma)));
  ok(FgModelAdjoint(c->model, d, y));
}

/* Many products at one m, then at another, are those of reciprocity to the digits that are kept, and symmetric to all digits. */
static void CheckManyProducts(Case *c, const char *label)
{
  const FgEitState *s    = c->model->context;
  FgData            data = {.nlocal = c->model->ndatalocal, .ndata = 1};
  float            *values, *sigma;
  PetscReal         f, norm, difference;
  PetscScalar       vw, wv;
  Vec               v, w, d, y, exact;

  ok(PetscMalloc2(data.nlocal, &values, data.nlocal, &sigma));
  for (PetscInt i = 0; i < data.nlocal; i++) values[i] = 0.0f, sigma[i] = 0.5f;
  data.values = values;
  data.sigma  = sigma;
  ok(FgModelCreateDataVec(c->model, &d));
  ok(FgFieldCreateVec(c->field, &v));
  ok(VecDuplicate(v, &w));
  ok(VecDuplicate(v, &y));
  ok(VecDuplicate(v, &exact));
  ok(VecCopy(c->field->m, v));
  ok(VecCopy(v, w));
  ok(VecPointwiseMult(w, w, v));
  for (int point = 0; point < 2; point++) {
    ok(FgModelMisfit(c->model, &data, c->field->m, &f, NULL));
    assert_false(s->pairs_kept);
    for (int k = 0; k < (point ? 1 : 5); k++) ok(FgModelGaussNewton(c->model, &data, v, y));
    assert_int_equal(s->pairs_kept, point); /* all products at one m are of one kind */
    Product(c, 0.5, v, d, exact);
    ok(VecNorm(exact, NORM_2, &norm));
    ok(VecDot(w, y, &wv));
    ok(VecAXPY(exact, -1.0, y));
    ok(VecNorm(exact, NORM_2, &difference));
    if (!(difference < 3e-7 * norm)) print_error("%s: products differ by %g of %g\n", label, difference, norm);
    AgreedTrue(difference < 3e-7 * norm);
    ok(FgModelGaussNewton(c->model, &data, w, y));
    ok(VecDot(v, y, &vw));
    AgreedTrue(fabs(vw - wv) < 1e-12 * fabs(vw));
    ok(VecScale(c->field->m, 0.95));
  }
  ok(FgModelMisfit(c->model, &data, c->field->m, &f, NULL));
  assert_false(s->pairs_kept);
  ok(VecDestroy(&v));
  ok(VecDestroy(&w));
  ok(VecDestroy(&d));
  ok(VecDestroy(&y));
  ok(VecDestroy(&exact));
  ok(PetscFree2(values, sigma));
}

static void many_products_are_those_of_reciprocity(void **state)
{
  (void)state;
  EachModel(CheckManyProducts);
}

/* y = rows root root^T rows^T v. */
static void CheckLowRank(Case *c, const char *label)
{
  float             *values, *sigma;
  double            *rows, *root, *t, *u;
  const PetscScalar *in;
  PetscScalar       *out;
  PetscReal          norm, difference, f;
  PetscInt           rank, n;
  FgData             data;
  Vec                v, y, z;

  ok(PetscMalloc2(c->model->ndatalocal, &values, c->model->ndatalocal, &sigma));
  for (PetscInt k = 0; k < c->model->ndatalocal; k++) {
    values[k] = k == 1 ? NAN : 0.0f;
    sigma[k]  = 0.01f * (float)(1 + k % 3);
  }
  data = (FgData){.nlocal = c->model->ndatalocal, .ndata = 1, .values = values, .sigma = sigma};
  ok(FgModelMisfit(c->model, &data, c->field->m, &f, NULL));
  ok(FgModelLowRank(c->model, &data, &rank, NULL, NULL));
  assert_true(rank > 0);
  ok(VecDuplicate(c->field->m, &v));
  ok(VecDuplicate(v, &y));
  ok(VecDuplicate(v, &z));
  ok(VecCopy(c->field->m, v));
  ok(VecGetLocalSize(v, &n));
  ok(PetscMalloc4((size_t)n * rank, &rows, (size_t)rank * rank, &root, rank, &t, rank, &u));
  ok(FgModelLowRank(c->model, &data, &rank, rows, root));
  ok(VecGetArrayRead(v, &in));
  for (PetscInt k = 0; k < rank; k++) {
    t[k] = 0.0;
    for (PetscInt i = 0; i < n; i++) t[k] += rows[i * rank + k] * in[i];
  }
  ok(VecRestoreArrayRead(v, &in));
  MPI_Allreduce(MPI_IN_PLACE, t, (int)rank, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
  for (PetscInt k = 0; k < rank; k++) { /* u = root^T t, t = root u */
    u[k] = 0.0;
    for (PetscInt j = 0; j < rank; j++) u[k] += root[k * rank + j] * t[j];
  }
  for (PetscInt j = 0; j < rank; j++) {
    t[j] = 0.0;
    for (PetscInt k = 0; k <= j; k++) t[j] += root[k * rank + j] * u[k];
  }
  ok(VecGetArray(y, &out));
  for (PetscInt i = 0; i < n; i++) {
    out[i] = 0.0;
    for (PetscInt k = 0; k < rank; k++) out[i] += rows[i * rank + k] * t[k];
  }
  ok(VecRestoreArray(y, &out));
  ok(FgModelGaussNewton(c->model, &data, v, z));
  ok(VecNorm(z, NORM_2, &norm));
  ok(VecAXPY(y, -1.0, z));
  ok(VecNorm(y, NORM_2, &difference));
  if (!(difference < 1e-9 * norm)) print_error("%s: products differ by %g of %g\n", label, difference, norm);
  AgreedTrue(difference < 1e-9 * norm);
  ok(VecDestroy(&v));
  ok(VecDestroy(&y));
  ok(VecDestroy(&z));
  ok(PetscFree4(rows, root, t, u));
  ok(PetscFree2(values, sigma));
}

static void the_low_rank_is_the_whole_matrix(void **state)
{
  (void)state;
  EachModel(CheckLowRank);
}

static void dense_jacobian_is_the_tangent(void **state)
{
  (void)state;
  EachModel(CheckJacobian);
}

static void derivatives_and_transposes(void **state)
{
  (void)state;
  EachModel(CheckDerivatives);
}

/* The state at given tensors[nsites of this rank][6]. */
static FgEitState *Solved(FgMesh mesh, FgEit eit, PetscInt order, const double *tensor)
{
  const FgEitOptions options = Options(FG_EIT_ISOTROPIC, order, "auto");
  FgModelCounts      counts  = {0};
  FgEitState        *s;

  ok(FgEitStateCreate(PETSC_COMM_WORLD, eit, mesh, &options, &s));
  memcpy(s->trial, &tensor[6 * (size_t)s->space.first_site], 6 * (size_t)s->space.nsites * sizeof(double));
  ok(FgEitStateSolve(s, eit, &counts));
  ok(FgEitStateComplete(s, &counts));
  return s;
}

/* Tensors of all sites, by a function of their centroid. */
static double *Tensors(FgMesh mesh, void (*function)(const double x[3], double C[6]))
{
  double *tensor = calloc((size_t)mesh->nelements, 6 * sizeof(double));

  for (PetscInt e = 0; e < mesh->nelements; e++) {
    double center[3] = {0.0, 0.0, 0.0};

    for (PetscInt v = 0; v <= mesh->dim; v++) {
      for (int a = 0; a < 3; a++)
        center[a] += mesh->node[3 * mesh->element[e * (mesh->dim + 1) + v] + a] / (double)(mesh->dim + 1);
    }
    function(center, &tensor[6 * e]);
  }
  return tensor;
}

static void Waves(const double x[3], double C[6])
{
  const double s = 0.3 + 0.2 * sin(30.0 * x[0] + 20.0 * x[1]) * cos(10.0 * x[2]);

  memset(C, 0, 6 * sizeof *C);
  C[0] = 1.3 * s;
  C[1] = s;
  C[2] = 0.8 * s;
  C[3] = 0.4 * s;
}

/* Exchanging current and measurement changes nothing; what enters by a contact is the current, also at the electrode that is not an unknown;
   and what the sources give is dissipated in the volume and the contacts. */
static void currents_are_conserved_and_reciprocal(void **state)
{
  (void)state;
  for (PetscInt dim = 2; dim <= 3; dim++) {
    for (PetscInt order = 1; order <= 2; order++) {
      FgMesh         mesh   = BoxMesh(dim, dim == 2 ? cells2 : cells3, size, 5, five);
      FgEit          eit    = BoxEit(5, 4, 0.01, 1.0);
      double        *tensor = Tensors(mesh, Waves), error = 0.0, most = 0.0, energy[64], product[64], contact[64];
      FgEitState    *s = Solved(mesh, eit, order, tensor);
      const PetscInt n = s->currents.n;
      double         integral[FG_EIT_FACE_BASIS], mass[FG_EIT_FACE_BASIS][FG_EIT_FACE_BASIS], entering[20] = {0.0};

      assert_int_equal(n, 4);
      assert_int_equal(s->currents.driven, 4);
      for (int p = 0; p < 4; p++) {
        for (int q = 0; q < 4; q++) {
          error = fmax(error, fabs(s->voltage[p * 4 + q] - s->voltage[q * 4 + p]));
          most  = fmax(most, fabs(s->voltage[p * 4 + q]));
        }
      }
      AgreedTrue(error < 1e-12 * most);

      FgEitFaceIntegrals(&s->space, integral, mass);
      for (PetscInt f = 0; f < s->space.nfaces; f++) {
        const FgEitFace *face = &s->space.face[f];
        const PetscInt   l    = face->electrode;

        for (PetscInt k = 0; k < n; k++) {
          for (PetscInt i = 0; i < s->space.nfacebasis; i++) {
            entering[k * 5 + l] += face->area * integral[i] / eit->impedance[l] *
                                   (s->potential[k * 5 + l] - s->potential[k * 5 + 4] - s->fields[face->dof[i] * n + k]);
          }
        }
      }
      MPI_Allreduce(MPI_IN_PLACE, entering, 20, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
      error = 0.0;
      for (int i = 0; i < 20; i++) error = fmax(error, fabs(entering[i] - s->currents.current[i]));
      AgreedTrue(error < 1e-10);

      ok(FgEitProducts(s, s->tensor, product));
      for (PetscInt k = 0; k < n * n; k++) {
        energy[k] = 0.0;
        for (int l = 0; l < 5; l++) energy[k] += s->currents.current[k / n * 5 + l] * s->potential[k % n * 5 + l];
        most = fmax(most, fabs(energy[k]));
      }
      for (PetscInt l = 0; l < 5; l++) {
        ok(FgEitContact(s, l, contact));
        for (PetscInt k = 0; k < n * n; k++) product[k] -= contact[k];
      }
      error = 0.0;
      for (PetscInt k = 0; k < n * n; k++) error = fmax(error, fabs(energy[k] + product[k]));
      AgreedTrue(error < 1e-11 * most);
      ok(FgEitStateDestroy(&s));
      free(tensor);
      BoxMeshFree(mesh);
      BoxEitFree(eit);
    }
  }
}

/* The image of a conductivity under a map of slope A: A C A^T/det A (plane part). */
static void Push(const double A[2][2], const double C[6], double out[6])
{
  const double det = A[0][0] * A[1][1] - A[0][1] * A[1][0], xx = C[0], yy = C[1], xy = C[3];

  memset(out, 0, 6 * sizeof *out);
  out[0] = (A[0][0] * A[0][0] * xx + 2.0 * A[0][0] * A[0][1] * xy + A[0][1] * A[0][1] * yy) / det;
  out[1] = (A[1][0] * A[1][0] * xx + 2.0 * A[1][0] * A[1][1] * xy + A[1][1] * A[1][1] * yy) / det;
  out[3] = (A[0][0] * A[1][0] * xx + (A[0][0] * A[1][1] + A[0][1] * A[1][0]) * xy + A[0][1] * A[1][1] * yy) / det;
  out[2] = out[0];
}

static double Difference(const FgEitState *a, const FgEitState *b)
{
  const PetscInt n     = a->currents.npatterns * a->currents.nmeasurements;
  double         error = 0.0, most = 0.0;

  for (PetscInt i = 0; i < n; i++) {
    error = fmax(error, fabs(a->voltage[i] - b->voltage[i]));
    most  = fmax(most, fabs(a->voltage[i]));
  }
  return error / most;
}

/* A sheared and stretched box with the image of the conductivity, and contacts that carry the same, has the voltages of the box. */
static void an_affine_image_has_the_same_voltages(void **state)
{
  static const double A[2][2] = {{1.7, 0.3}, {0.4, 0.8}};

  (void)state;
  for (PetscInt order = 1; order <= 2; order++) {
    FgMesh      mesh   = BoxMesh(2, cells2, size, 5, five);
    FgEit       eit    = BoxEit(5, 4, 0.01, 1.0);
    double     *tensor = Tensors(mesh, Waves), error;
    FgEitState *box    = Solved(mesh, eit, order, tensor), *image;

    for (PetscInt i = 0; i < mesh->nnodes; i++) {
      double *x = &mesh->node[3 * i], y = A[1][0] * x[0] + A[1][1] * x[1];

      x[0] = A[0][0] * x[0] + A[0][1] * x[1];
      x[1] = y;
    }
    for (PetscInt e = 0; e < mesh->nelements; e++) {
      double C[6];

      memcpy(C, &tensor[6 * e], sizeof C);
      Push(A, C, &tensor[6 * e]);
    }
    for (int l = 0; l < 5; l++) eit->impedance[l] *= five[l].axis == 0 ? hypot(A[0][1], A[1][1]) : hypot(A[0][0], A[1][0]);
    image = Solved(mesh, eit, order, tensor);
    error = Difference(box, image);
    AgreedTrue(error < 1e-12);
    ok(FgEitStateDestroy(&box));
    ok(FgEitStateDestroy(&image));
    free(tensor);
    BoxMeshFree(mesh);
    BoxEitFree(eit);
  }
}

/* phi(x, y) = (x + s, y - s/2), s = a sin^2(pi x/w) sin^2(pi y/h): the identity near the boundary of the box. Its inverse by iteration. */
static const double shift = 0.025;
static double       Bump(const double x[2])
{
  return shift * PetscSqr(sin(PETSC_PI * x[0] / size[0]) * sin(PETSC_PI * x[1] / size[1]));
}

static void Uniform(const double x[3], double C[6])
{
  (void)x;
  memset(C, 0, 6 * sizeof *C);
  C[0] = C[1] = C[2] = 0.3;
}

/* The image of the uniform conductivity under phi, at a point of the image. */
static void Image(const double x[3], double C[6])
{
  double from[2] = {x[0], x[1]}, slope[2], A[2][2], uniform[6];

  for (int k = 0; k < 200; k++) {
    const double s = Bump(from);

    from[0] = x[0] - s;
    from[1] = x[1] + 0.5 * s;
  }
  slope[0] = shift * PETSC_PI / size[0] * sin(2.0 * PETSC_PI * from[0] / size[0]) * PetscSqr(sin(PETSC_PI * from[1] / size[1]));
  slope[1] = shift * PETSC_PI / size[1] * PetscSqr(sin(PETSC_PI * from[0] / size[0])) * sin(2.0 * PETSC_PI * from[1] / size[1]);
  A[0][0]  = 1.0 + slope[0];
  A[0][1]  = slope[1];
  A[1][0]  = -0.5 * slope[0];
  A[1][1]  = 1.0 - 0.5 * slope[1];
  Uniform(x, uniform);
  Push(A, uniform, C);
}

/* Two conductivities, one uniform and one that differs from it by more than half, related by a map that leaves the boundary alone: no
   voltage tells them apart, up to an error of discretization that falls with h. */
static void conductivities_that_no_voltage_tells_apart(void **state)
{
  double difference[3], order;

  (void)state;
  for (int k = 0; k < 3; k++) {
    const PetscInt cells[3] = {16 << k, 8 << k, 1};
    FgMesh         mesh     = BoxMesh(2, cells, size, 5, five);
    FgEit          eit      = BoxEit(5, 4, 0.01, 1.0);
    double        *uniform = Tensors(mesh, Uniform), *image = Tensors(mesh, Image), contrast = 1.0;
    FgEitState    *a = Solved(mesh, eit, 2, uniform), *b = Solved(mesh, eit, 2, image);

    for (PetscInt e = 0; e < mesh->nelements; e++) contrast = fmax(contrast, image[6 * e] / 0.3);
    AgreedTrue(contrast > 1.5);
    difference[k] = Difference(a, b);
    ok(FgEitStateDestroy(&a));
    ok(FgEitStateDestroy(&b));
    free(uniform);
    free(image);
    BoxMeshFree(mesh);
    BoxEitFree(eit);
  }
  order = log2(difference[0] / difference[2]) / 2.0;
  print_message("difference %.1e, %.1e, %.1e: order %.2f\n", difference[0], difference[1], difference[2], order);
  AgreedTrue(difference[2] < 1e-3 && order > 1.7);
}

/* From noiseless voltages of a homogeneous box the background comes back, in all three ways; impedances differ from the start by a common
   factor, or by one each. A missing voltage does no harm. */
static void the_background_comes_back(void **state)
{
  (void)state;
  for (int way = 0; way < 3; way++) {
    const FgEitOptions options    = Options(FG_EIT_ISOTROPIC, 1, "auto");
    FgMesh             mesh       = BoxMesh(2, cells2, size, 5, five);
    FgEit              eit        = BoxEit(5, 5, 0.01, 0.5);
    FgEitBackground    background = {.impedance = way > 0, .each = way > 1};
    double             start[5], *v, sigma[20];
    Case               c;

    memcpy(start, eit->impedance, sizeof start);
    CaseCreate(PETSC_COMM_WORLD, mesh, eit, &options, &c);
    for (int l = 0; l < 5; l++) eit->impedance[l] *= way == 0 ? 1.0 : way == 1 ? 1.7 : 1.0 + 0.2 * l;
    ok(VecSet(c.field->m, log(0.45)));
    v = Voltages(&c);
    memcpy(eit->impedance, start, sizeof start);
    for (int i = 0; i < 20; i++) sigma[i] = 1e-3 * fabs(v[i]) + 1e-6;
    v[7] = NAN;
    ok(FgModelFitBackground(c.model, v, sigma, &background));
    AgreedTrue(fabs(background.conductivity - 0.45) < 1e-7 && background.chi2 < 1e-10);
    AgreedTrue(c.model->eit_options.conductivity == background.conductivity && background.iterations < 12);
    for (int l = 0; l < 5; l++) {
      const double factor = way == 0 ? 1.0 : way == 1 ? 1.7 : 1.0 + 0.2 * l;

      AgreedTrue(fabs(eit->impedance[l] / (start[l] * factor) - 1.0) < 1e-6);
    }
    free(v);
    CaseDestroy(&c);
    BoxMeshFree(mesh);
    BoxEitFree(eit);
  }
}

/* The model on one rank and another: the same voltages and derivatives. */
static void CheckAgainst(Case *c, Case *other, double tolerance)
{
  double *v = Voltages(c), *w = Voltages(other), error = 0.0, scale = 0.0;

  for (PetscInt i = 0; i < c->model->ndata; i++) {
    error = fmax(error, fabs(v[i] - w[i]));
    scale = fmax(scale, fabs(v[i]));
  }
  if (error > tolerance * scale) print_error("voltages differ by %g of %g\n", error, scale);
  AgreedTrue(error <= tolerance * scale);
  free(v);
  free(w);
}

/* Every solver, on all ranks, gives what CHOLMOD gives on one. */
static void solvers_and_ranks_agree(void **state)
{
  static const char *const solvers[] = {"auto", "mumps", "cg"};

  (void)state;
  for (PetscInt dim = 2; dim <= 3; dim++) {
    for (int k = 0; k < 6; k++) {
      const FgEitOptions reference = Options(FG_EIT_POROSITY, 1 + k / 3, "cholmod"),
                         options   = Options(FG_EIT_POROSITY, 1 + k / 3, solvers[k % 3]);
      FgMesh mesh                  = BoxMesh(dim, dim == 2 ? cells2 : cells3, size, 5, five);
      FgEit  eit                   = BoxEit(5, 3, 0.01, 0.5);
      Case   one, all;

      CaseCreate(PETSC_COMM_SELF, mesh, eit, &reference, &one);
      CaseCreate(PETSC_COMM_WORLD, mesh, eit, &options, &all);
      CheckAgainst(&all, &one, k % 3 == 2 ? 1e-9 : 1e-12);
      CaseDestroy(&one);
      CaseDestroy(&all);
      BoxMeshFree(mesh);
      BoxEitFree(eit);
    }
  }
}

/* Multigrid of several levels, right-hand sides in one whole block and a part of one, another conductivity from the solution before. */
static void conjugate_gradients_agree_on_a_larger_box(void **state)
{
  static const BoxElectrode ten[]    = {{0, 0, 0.0, 0.5}, {0, 0, 0.5, 1.0}, {0, 1, 0.0, 0.5}, {0, 1, 0.5, 1.0}, {1, 0, 0.0, 0.5},
                                        {1, 0, 0.5, 1.0}, {1, 1, 0.0, 0.5}, {1, 1, 0.5, 1.0}, {2, 0, 0.2, 0.8}, {2, 1, 0.2, 0.8}};
  static const PetscInt     cells[3] = {12, 10, 8};

  (void)state;
  for (PetscInt order = 1; order <= 2; order++) {
    const FgEitOptions reference = Options(FG_EIT_POROSITY, order, "cholmod"), options = Options(FG_EIT_POROSITY, order, "cg");
    FgMesh             mesh = BoxMesh(3, cells, size, 10, ten);
    FgEit              eit  = BoxEit(10, 9, 0.01, 1.0);
    Case               one, all;

    CaseCreate(PETSC_COMM_SELF, mesh, eit, &reference, &one);
    CaseCreate(PETSC_COMM_WORLD, mesh, eit, &options, &all);
    assert_int_equal(((FgEitState *)all.model->context)->currents.driven, 9);
    for (int k = 0; k < 2; k++) {
      CheckAgainst(&all, &one, 1e-9);
      assert_in_range(all.model->counts.iterations, 2, 60);
      ok(VecScale(one.field->m, 0.9));
      ok(VecScale(all.field->m, 0.9));
    }
    CaseDestroy(&one);
    CaseDestroy(&all);
    BoxMeshFree(mesh);
    BoxEitFree(eit);
  }
}

/* One line for whoever asks for what cannot be; nothing stays behind. */
static void misuse_is_named(void **state)
{
  FgMesh       mesh    = BoxMesh(2, cells2, size, 5, five);
  FgEit        eit     = BoxEit(5, 2, 0.01, 1.0);
  FgEitOptions options = Options(FG_EIT_ISOTROPIC, 1, "auto");
  FgTissue     tissue  = {.closure = FgClosureFind("hs2d"), .phases = {1.0, 0.0, 0.0, 1.0, PETSC_FALSE}, .porosity_upper = 1.0};
  FgModel      model;
  Case         c;
  Vec          d;

  (void)state;
  FgRecorderStart();
  ok(FgModelCreate(PETSC_COMM_WORLD, "eit", &tissue, &model));
  AgreedFailure(FgModelSetup(model), PETSC_ERR_ORDER, "FgModelSetEit");
  options.order = 3;
  ok(FgModelSetEit(model, eit, mesh, &options));
  AgreedFailure(FgModelSetup(model), PETSC_ERR_USER, "degree 3");
  ok(FgModelDestroy(&model));

  options = Options(FG_EIT_ISOTROPIC, 1, "gauss");
  ok(FgModelCreate(PETSC_COMM_WORLD, "eit", &tissue, &model));
  ok(FgModelSetEit(model, eit, mesh, &options));
  AgreedFailure(FgModelSetup(model), PETSC_ERR_USER, "'gauss'");
  ok(FgModelDestroy(&model));

  options                    = Options(FG_EIT_ISOTROPIC, 1, "auto");
  options.conductivity_lower = 0.5;
  ok(FgModelCreate(PETSC_COMM_WORLD, "eit", &tissue, &model));
  ok(FgModelSetEit(model, eit, mesh, &options));
  AgreedFailure(FgModelSetup(model), PETSC_ERR_USER, "start 0.3 S/m");
  ok(FgModelDestroy(&model));

  options            = Options(FG_EIT_POROSITY, 1, "auto");
  tissue.orientation = FG_DISPERSED;
  ok(FgModelCreate(PETSC_COMM_WORLD, "eit", &tissue, &model));
  ok(FgModelSetEit(model, eit, mesh, &options));
  AgreedFailure(FgModelSetup(model), PETSC_ERR_USER, "orientation dispersed");
  ok(FgModelDestroy(&model));

  CaseCreate(PETSC_COMM_WORLD, mesh, eit, &options, &c);
  c.model->tissue.phases = tissue.phases; /* fibers that insulate, and nothing else */
  ok(VecSet(c.field->m, 0.0));
  ok(FgModelCreateDataVec(c.model, &d));
  AgreedFailure(FgModelApply(c.model, c.field->m, d), PETSC_ERR_USER, "porosity above 0");
  ok(VecDestroy(&d));
  CaseDestroy(&c);
  FgRecorderStop();
  BoxMeshFree(mesh);
  BoxEitFree(eit);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_bar_has_its_resistance),
      cmocka_unit_test(dense_jacobian_is_the_tangent),
      cmocka_unit_test(many_products_are_those_of_reciprocity),
      cmocka_unit_test(the_low_rank_is_the_whole_matrix),
      cmocka_unit_test(derivatives_and_transposes),
      cmocka_unit_test(currents_are_conserved_and_reciprocal),
      cmocka_unit_test(an_affine_image_has_the_same_voltages),
      cmocka_unit_test(conductivities_that_no_voltage_tells_apart),
      cmocka_unit_test(the_background_comes_back),
      cmocka_unit_test(solvers_and_ranks_agree),
      cmocka_unit_test(conjugate_gradients_agree_on_a_larger_box),
      cmocka_unit_test(misuse_is_named),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
