/* test_eit_disc_mpi.c: the complete electrode model on a disc with a concentric inclusion, against semi-analytic potentials; its observed
   orders; the affine image of the disc, an anisotropic ellipse; the same disc as an upright cylinder, and a box against a finer one. */
#include "finegrain/model.h"

#include "forward/eit/eit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "agreed.h"
#include "eit_box.h"

#define ok(call) assert_int_equal((call), 0)

enum { L = 16 };

/* Potential of electrode 0 under unit currents from electrode k to k + 1, k = 0..7 (k = 15..8: their negatives): unit disc, conductivity 1,
   inclusion of radius 1/2, 16 electrodes pi/16 wide, contact impedance z. Fourier series of the Neumann-to-Dirichlet map, graded
   boundary elements, Richardson extrapolation: error about 1e-6 at z = 0.1, 1e-5 below. */
static const struct {
  double z, inclusion, potential[8];
} disc[] = {{0.001, 2.0, {0.638209232, 0.1914715, 0.098257691, 0.058038264, 0.036159178, 0.022297065, 0.01223377, 0.00390919}},
            {0.01, 2.0, {0.699262227, 0.193654895, 0.098467495, 0.057962577, 0.036057062, 0.02222054, 0.012189389, 0.003894838}},
            {0.1, 0.2, {1.203199092, 0.254474985, 0.168318075, 0.12589125, 0.093638451, 0.065145492, 0.03848184, 0.012732899}},
            {0.1, 1.0, {1.188133849, 0.215691819, 0.118894208, 0.076852737, 0.051606416, 0.033563621, 0.019034585, 0.00617834}},
            {0.1, 2.0, {1.181789087, 0.199622626, 0.098996243, 0.057785845, 0.03581835, 0.022042995, 0.012087015, 0.003861833}}};

static double Potential(int k, PetscInt electrode, PetscInt pattern)
{
  const PetscInt d = (pattern - electrode + L) % L;

  return d < 8 ? disc[k].potential[d] : -disc[k].potential[15 - d];
}

static FgMesh Disc(PetscInt nelements)
{
  char   name[L][32];
  double angle[L], width[L];
  FgTank tank = {.radius = 1.0, .nelectrodes = L, .name = (const char(*)[32])name, .angle = angle, .width = width};
  FgMesh mesh;

  for (int l = 0; l < L; l++) {
    snprintf(name[l], sizeof name[l], "electrode%d", l + 1);
    angle[l] = 2.0 * PETSC_PI * l / L;
    width[l] = PETSC_PI / L;
  }
  ok(FgMeshCreateDisc(&tank, nelements, &mesh));
  return mesh;
}

static FgEit Adjacent(double z)
{
  FgEit eit = BoxEit(L, L, z, 1.0);

  for (int l = 0; l < L; l++) eit->impedance[l] = z;
  for (int i = 0; i < L * L; i++) eit->current[i] *= 1e3; /* 1 A */
  return eit;
}

/* Share of a triangle inside the inclusion, by many points where it may be cut. */
static double Inside(const double *const x[3])
{
  double   least = INFINITY, most = 0.0;
  PetscInt n, inside = 0, all = 0;

  for (int v = 0; v < 3; v++) {
    least = fmin(least, hypot(x[v][0], x[v][1]));
    most  = fmax(most, hypot(x[v][0], x[v][1]));
  }
  n = least > 0.501 || most < 0.499 ? 1 : 100;
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt j = 0; i + j < n; j++) {
      const double a = (i + 1.0 / 3.0) / n, b = (j + 1.0 / 3.0) / n, c = 1.0 - a - b;

      all++;
      inside += hypot(a * x[0][0] + b * x[1][0] + c * x[2][0], a * x[0][1] + b * x[1][1] + c * x[2][1]) < 0.5;
    }
  }
  return (double)inside / all;
}

/* Conductivity tensors of the disc with its inclusion; a triangle that the circle cuts is a laminate. */
static double *Tensors(FgMesh mesh, double inclusion)
{
  double *tensor = calloc((size_t)mesh->nelements, 6 * sizeof(double));

  for (PetscInt e = 0; e < mesh->nelements; e++) {
    const PetscInt     *node = &mesh->element[3 * e];
    const double *const x[3] = {&mesh->node[3 * node[0]], &mesh->node[3 * node[1]], &mesh->node[3 * node[2]]};
    const double cx = (x[0][0] + x[1][0] + x[2][0]) / 3.0, cy = (x[0][1] + x[1][1] + x[2][1]) / 3.0, r2 = cx * cx + cy * cy;
    const double f = Inside(x), along = f * inclusion + 1.0 - f, across = 1.0 / (f / inclusion + 1.0 - f);
    double      *C = &tensor[6 * e];

    C[0] = along + (across - along) * cx * cx / r2;
    C[1] = along + (across - along) * cy * cy / r2;
    C[2] = along;
    C[3] = (across - along) * cx * cy / r2;
  }
  return tensor;
}

static FgEitState *Solved(FgMesh mesh, FgEit eit, PetscInt order, const double *tensor)
{
  const FgEitOptions options = {.order = order, .solver = "auto", .tolerance = 1e-10};
  FgModelCounts      counts  = {0};
  FgEitState        *s;

  ok(FgEitStateCreate(PETSC_COMM_WORLD, eit, mesh, &options, &s));
  memcpy(s->trial, &tensor[6 * (size_t)s->space.first_site], 6 * (size_t)s->space.nsites * sizeof(double));
  ok(FgEitStateSolve(s, eit, &counts));
  return s;
}

/* The largest relative error of all adjacent voltages, and the error relative to their norm. */
static void Errors(const FgEitState *s, int k, double *each, double *norm)
{
  double error = 0.0, size = 0.0;

  *each = 0.0;
  for (PetscInt p = 0; p < L; p++) {
    for (PetscInt q = 0; q < L - 1; q++) {
      const double exact = Potential(k, q, p) - Potential(k, q + 1, p), difference = s->voltage[p * (L - 1) + q] - exact;

      *each = fmax(*each, fabs(difference / exact));
      error += difference * difference;
      size += exact * exact;
    }
  }
  *norm = sqrt(error / size);
}

/* Every adjacent voltage to 0.1 % with less than 10,000 elements, in all five cases. */
static void adjacent_voltages_of_the_disc(void **state)
{
  FgMesh mesh = Disc(9000);

  (void)state;
  assert_true(mesh->nelements <= 10000);
  for (int k = 0; k < 5; k++) {
    FgEit   eit    = Adjacent(disc[k].z);
    double *tensor = Tensors(mesh, disc[k].inclusion), each, norm;

    for (int order = 1; order <= 2; order++) {
      FgEitState *s = Solved(mesh, eit, order, tensor);

      Errors(s, k, &each, &norm);
      if (!Rank())
        print_message("degree %d, %d elements, z %g, inclusion %g: each within %.4f %%, norm %.4f %%\n", order,
                      (int)mesh->nelements, disc[k].z, disc[k].inclusion, 100.0 * each, 100.0 * norm);
      AgreedTrue(each < (order == 1 ? 1e-2 : 1e-3));
      ok(FgEitStateDestroy(&s));
    }
    free(tensor);
    BoxEitFree(eit);
  }
  ok(FgMeshDestroy(&mesh));
}

/* In terms of elements^(1/2): 2 for degree 1; for degree 2 too in the end, where chords in place of the circle matter. */
static void orders_on_the_disc(void **state)
{
  (void)state;
  for (int order = 1; order <= 2; order++) {
    double norm[3], count[3];

    for (int k = 0; k < 3; k++) {
      FgMesh      mesh   = Disc(1200 << (2 * k));
      FgEit       eit    = Adjacent(disc[3].z);
      double     *tensor = Tensors(mesh, 1.0), each;
      FgEitState *s      = Solved(mesh, eit, order, tensor);

      Errors(s, 3, &each, &norm[k]);
      count[k] = (double)mesh->nelements;
      ok(FgEitStateDestroy(&s));
      ok(FgMeshDestroy(&mesh));
      free(tensor);
      BoxEitFree(eit);
    }
    if (!Rank())
      print_message("degree %d: %.4f, %.4f, %.4f %% with %g, %g, %g elements, orders %.2f and %.2f\n", order, 100.0 * norm[0],
                    100.0 * norm[1], 100.0 * norm[2], count[0], count[1], count[2],
                    2.0 * log(norm[0] / norm[1]) / log(count[1] / count[0]),
                    2.0 * log(norm[1] / norm[2]) / log(count[2] / count[1]));
    for (int k = 0; k < 2; k++) AgreedTrue(2.0 * log(norm[k] / norm[k + 1]) / log(count[k + 1] / count[k]) > 1.8);
  }
}

/* An ellipse, the disc drawn out in x and pressed in y, with the image of the uniform conductivity, which is anisotropic: the voltages of
   the disc, from another mesh. Contacts are good, as the image of a contact impedance would vary along the electrode. */
static void an_anisotropic_ellipse_is_a_disc(void **state)
{
  const double stretch[2] = {1.5, 0.6};
  double       difference[3];

  (void)state;
  for (int k = 0; k < 3; k++) {
    FgMesh      mesh = Disc(1200 << (2 * k)), ellipse = Disc(800 << (2 * k));
    FgEit       eit    = Adjacent(1e-5);
    double     *tensor = Tensors(mesh, 1.0), *image = Tensors(ellipse, 1.0), error = 0.0, size = 0.0;
    FgEitState *a = Solved(mesh, eit, 2, tensor), *b;

    for (PetscInt i = 0; i < ellipse->nnodes; i++) {
      for (int c = 0; c < 2; c++) ellipse->node[3 * i + c] *= stretch[c];
    }
    for (int l = 0; l < L; l++) ellipse->electrode_area[l] = 0.0; /* that of its faces */
    for (PetscInt e = 0; e < ellipse->nelements; e++) {
      image[6 * e] *= stretch[0] / stretch[1];
      image[6 * e + 1] *= stretch[1] / stretch[0];
    }
    b = Solved(ellipse, eit, 2, image);
    for (int i = 0; i < L * (L - 1); i++) {
      error += PetscSqr(a->voltage[i] - b->voltage[i]);
      size += PetscSqr(a->voltage[i]);
    }
    difference[k] = sqrt(error / size);
    ok(FgEitStateDestroy(&a));
    ok(FgEitStateDestroy(&b));
    ok(FgMeshDestroy(&mesh));
    ok(FgMeshDestroy(&ellipse));
    free(tensor);
    free(image);
    BoxEitFree(eit);
  }
  if (!Rank()) print_message("difference %.1e, %.1e, %.1e\n", difference[0], difference[1], difference[2]);
  AgreedTrue(difference[1] < 0.5 * difference[0] && difference[2] < 0.5 * difference[1]);
}

/* A disc drawn up to a cylinder of one layer, electrodes of its full height: prisms of three tetrahedra each, split by their nodes' order. */
static FgMesh Extruded(FgMesh disc2, double height)
{
  const PetscInt n = disc2->nnodes, nfaces = disc2->face_start[L];
  FgMesh         mesh;

  ok(FgMeshCreate(3, 2 * n, 3 * disc2->nelements, L, 2 * nfaces, &mesh));
  for (PetscInt i = 0; i < 2 * n; i++) {
    memcpy(&mesh->node[3 * i], &disc2->node[3 * (i % n)], 2 * sizeof(double));
    mesh->node[3 * i + 2] = i < n ? 0.0 : height;
  }
  for (PetscInt e = 0; e < disc2->nelements; e++) {
    PetscInt a[3];

    memcpy(a, &disc2->element[3 * e], sizeof a);
    for (int pass = 0; pass < 2; pass++) {
      for (int i = 0; i < 2; i++) {
        const PetscInt low = PetscMin(a[i], a[i + 1]), high = PetscMax(a[i], a[i + 1]);

        a[i]     = low;
        a[i + 1] = high;
      }
    }
    for (int t = 0; t < 3; t++) { /* the lower nodes up to the t-th, the upper ones from it */
      for (int v = 0; v < 4; v++) mesh->element[4 * (3 * e + t) + v] = v <= t ? a[v] : a[v - 1] + n;
    }
  }
  for (PetscInt l = 0; l < L; l++) {
    snprintf(mesh->electrode[l], 32, "%s", disc2->electrode[l]);
    mesh->face_start[l + 1] = 2 * disc2->face_start[l + 1];
    mesh->electrode_area[l] = disc2->electrode_area[l] * height;
  }
  for (PetscInt f = 0; f < nfaces; f++) {
    const PetscInt low      = PetscMin(disc2->face[2 * f], disc2->face[2 * f + 1]),
                   high     = PetscMax(disc2->face[2 * f], disc2->face[2 * f + 1]);
    const PetscInt faces[6] = {low, low + n, high + n, low, high, high + n};

    memcpy(&mesh->face[6 * f], faces, sizeof faces);
  }
  ok(FgMeshFinish(mesh, "cylinder"));
  return mesh;
}

/* Electrodes of full height: the voltages of the disc over the height. */
static void a_cylinder_is_a_disc(void **state)
{
  const double height = 0.3;
  FgMesh       plane = Disc(1500), mesh = Extruded(plane, height);
  FgEit        eit    = Adjacent(disc[3].z);
  double      *tensor = calloc((size_t)mesh->nelements, 6 * sizeof(double)), each, norm;
  FgEitState  *s;

  (void)state;
  for (PetscInt e = 0; e < mesh->nelements; e++) tensor[6 * e] = tensor[6 * e + 1] = tensor[6 * e + 2] = 1.0;
  s = Solved(mesh, eit, 2, tensor);
  for (int i = 0; i < L * (L - 1); i++) s->voltage[i] *= height;
  Errors(s, 3, &each, &norm);
  if (!Rank())
    print_message("%d tetrahedra: each within %.4f %%, norm %.4f %%\n", (int)mesh->nelements, 100.0 * each, 100.0 * norm);
  AgreedTrue(each < 1e-3);
  ok(FgEitStateDestroy(&s));
  ok(FgMeshDestroy(&mesh));
  ok(FgMeshDestroy(&plane));
  free(tensor);
  BoxEitFree(eit);
}

/* Electrodes on parts of the sides of a box: errors against a finer mesh fall with h, faster for degree 2. */
static void a_box_converges(void **state)
{
  static const BoxElectrode sides[]     = {{0, 0, 0.25, 0.75}, {0, 1, 0.25, 0.75}, {1, 0, 0.25, 0.75}, {1, 1, 0.25, 0.75}};
  static const PetscInt     cells[]     = {16, 4, 8, 4, 8};
  static const PetscInt     degree[]    = {2, 1, 1, 2, 2};
  const double              lengths[3]  = {1.0, 1.2, 0.8};
  double                    voltage[12] = {0.0}, error[5];

  (void)state;
  for (int k = 0; k < 5; k++) {
    const PetscInt n[3]   = {cells[k], cells[k], cells[k]};
    FgMesh         mesh   = BoxMesh(3, n, lengths, 4, sides);
    FgEit          eit    = BoxEit(4, 4, 0.1, 1.0);
    double        *tensor = calloc((size_t)mesh->nelements, 6 * sizeof(double)), most = 0.0;
    FgEitState    *s;

    for (PetscInt e = 0; e < mesh->nelements; e++) tensor[6 * e] = tensor[6 * e + 1] = tensor[6 * e + 2] = 1.0;
    s        = Solved(mesh, eit, degree[k], tensor);
    error[k] = 0.0;
    for (int i = 0; i < 12; i++) {
      if (k == 0) voltage[i] = s->voltage[i];
      error[k] = fmax(error[k], fabs(s->voltage[i] - voltage[i]));
      most     = fmax(most, fabs(voltage[i]));
    }
    error[k] /= most;
    ok(FgEitStateDestroy(&s));
    free(tensor);
    BoxMeshFree(mesh);
    BoxEitFree(eit);
  }
  if (!Rank()) print_message("degree 1: %.1e, %.1e; degree 2: %.1e, %.1e\n", error[1], error[2], error[3], error[4]);
  AgreedTrue(error[2] < 0.5 * error[1] && error[4] < 0.5 * error[3] && error[4] < 0.2 * error[2]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(adjacent_voltages_of_the_disc),
      cmocka_unit_test(orders_on_the_disc),
      cmocka_unit_test(an_anisotropic_ellipse_is_a_disc),
      cmocka_unit_test(a_cylinder_is_a_disc),
      cmocka_unit_test(a_box_converges),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
