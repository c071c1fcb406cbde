/* test_macro_diffusion_mpi.c: the diffusion operator for full tensors: exact solutions, order, symmetry, faces. */
#include "macro.h"

#include "forward/macro/macro.h"

static double Linear(const double x[3], void *context)
{
  return 0.7 + 1.3 * x[0] - 0.4 * x[1] + 2.1 * x[2];
}

/* Linear functions are exact for full tensors, in 1, 2 and 3 dimensions, and the flux through each face is that of the
   tensor. */
static void linear_functions_are_exact(void **state)
{
  const double K[9] = {2.0, 0.5, -0.3, 0.5, 1.0, 0.2, -0.3, 0.2, 0.7}, edge[3] = {1.0, 0.8, 1.3}, gradient[3] = {1.3, -0.4, 2.1};
  const PetscInt n[3] = {7, 5, 6};

  for (PetscInt dim = 1; dim <= 3; dim++) {
    FgReactionDiffusionSettings settings = {.diffusion = {K, PETSC_FALSE}, .tolerance = 1e-12};
    FgReactionDiffusion         equation;
    FgBox                       box;
    Vec                         u;
    double                      flux[FG_FACES], deviation = NAN;

    for (int f = 0; f < FG_FACES; f++) settings.faces[f] = (FgFace){FG_FACE_VALUE, 0.0, Linear, NULL};
    AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, dim, n, edge, NULL, &box));
    AgreedSuccess(FgBoxVector(box, &u));
    AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
    AgreedSuccess(FgReactionDiffusionSteady(equation, u));
    AgreedSuccess(FgReactionDiffusionFaceFlux(equation, u, flux));
    /* Axes that do not exist have their center at 1/2 of an edge of 1, the same in both. */
    if (dim < 3) {
      Vec shift;

      AgreedSuccess(FgBoxVector(box, &shift));
      AgreedSuccess(VecSet(shift, (dim < 2 ? -0.4 * 0.5 : 0.0) + 2.1 * 0.5));
      AgreedSuccess(VecAXPY(u, 1.0, shift));
      AgreedSuccess(VecDestroy(&shift));
    }
    AgreedSuccess(Deviation(box, u, Linear, NULL, &deviation));
    AgreedTrue(deviation < 1e-10);
    for (PetscInt k = 0; k < dim; k++) {
      double out = 0.0;

      for (PetscInt l = 0; l < dim; l++) out -= K[3 * k + l] * gradient[l];
      for (PetscInt l = 0; l < dim; l++) out *= l == k ? 1.0 : edge[l];
      AgreedTrue(Close(flux[2 * k + 1], out, 1e-8) && Close(flux[2 * k], -out, 1e-8));
    }
    AgreedSuccess(FgReactionDiffusionDestroy(&equation));
    AgreedSuccess(VecDestroy(&u));
    AgreedSuccess(FgBoxDestroy(&box));
  }
}

/* Two layers of unlike full tensors across x: u is linear in each, with continuous u and normal flux. Exact as well. */
static const double layer[2][9] = {{2.0, 0.8, 0, 0.8, 1.0, 0, 0, 0, 1}, {0.3, -0.2, 0, -0.2, 3.0, 0, 0, 0, 1}};

static double Layered(const double x[3], void *context)
{
  const double along = 0.6, flux = 1.1; /* d_y u; K_xx d_x u + K_xy d_y u */
  const double first = (flux - layer[0][1] * along) / layer[0][0], second = (flux - layer[1][1] * along) / layer[1][0];

  return along * x[1] + (x[0] < 0.5 ? first * x[0] : 0.5 * first + second * (x[0] - 0.5));
}

static void layers_of_full_tensors_are_exact(void **state)
{
  FgReactionDiffusionSettings settings = {.tolerance = 1e-12};
  FgReactionDiffusion         equation;
  FgBox                       box;
  Vec                         u;
  double                     *K, deviation = NAN;

  for (int f = 0; f < FG_FACES; f++) settings.faces[f] = (FgFace){FG_FACE_VALUE, 0.0, Layered, NULL};
  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){8, 6}, (const double[]){1.0, 1.0}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &u));
  AgreedSuccess(PetscMalloc1(9 * box->nlocal, &K));
  for (PetscInt i = 0; i < box->nlocal; i++) {
    double x[3];

    FgBoxCenter(box, i, x);
    memcpy(&K[9 * i], layer[x[0] > 0.5], sizeof layer[0]);
  }
  settings.diffusion = (FgCoefficient){K, PETSC_TRUE};
  AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
  AgreedSuccess(FgReactionDiffusionSteady(equation, u));
  AgreedSuccess(Deviation(box, u, Layered, NULL, &deviation));
  AgreedTrue(deviation < 1e-10);
  AgreedSuccess(PetscFree(K));
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  AgreedSuccess(VecDestroy(&u));
  AgreedSuccess(FgBoxDestroy(&box));
}

/* u = sin(2 pi x + y) + x y, K full: second order, with values on two faces and fluxes through two. */
static const double full[9] = {2.0, 0.7, 0, 0.7, 1.0, 0, 0, 0, 1};

static double Wavy(const double x[3], void *context)
{
  return sin(2.0 * M_PI * x[0] + x[1]) + x[0] * x[1];
}

static void WavyGradient(const double x[3], double g[2])
{
  g[0] = 2.0 * M_PI * cos(2.0 * M_PI * x[0] + x[1]) + x[1];
  g[1] = cos(2.0 * M_PI * x[0] + x[1]) + x[0];
}

static double WavyFlux(const double x[3], void *context) /* into the box through the upper face of an axis */
{
  const int k = *(const int *)context;
  double    g[2];

  WavyGradient(x, g);
  return full[3 * k] * g[0] + full[3 * k + 1] * g[1];
}

static double WavySource(const double x[3])
{
  const double a = 2.0 * M_PI;

  return (full[0] * a * a + 2.0 * full[1] * a + full[4]) * sin(a * x[0] + x[1]) - 2.0 * full[1];
}

static void full_tensors_are_second_order(void **state)
{
  double deviation[3];
  int    axes[2] = {0, 1};

  for (int level = 0; level < 3; level++) {
    const PetscInt              n[2]     = {8 << level, 8 << level};
    FgReactionDiffusionSettings settings = {.diffusion = {full, PETSC_FALSE}};
    FgReactionDiffusion         equation;
    FgBox                       box;
    Vec                         u;
    double                     *source;

    settings.faces[FG_FACE_X_LOWER] = settings.faces[FG_FACE_Y_LOWER] = (FgFace){FG_FACE_VALUE, 0.0, Wavy, NULL};
    settings.faces[FG_FACE_X_UPPER]                                   = (FgFace){FG_FACE_FLUX, 0.0, WavyFlux, &axes[0]};
    settings.faces[FG_FACE_Y_UPPER]                                   = (FgFace){FG_FACE_FLUX, 0.0, WavyFlux, &axes[1]};
    AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, n, (const double[]){1.0, 1.0}, NULL, &box));
    AgreedSuccess(FgBoxVector(box, &u));
    AgreedSuccess(PetscMalloc1(box->nlocal, &source));
    for (PetscInt i = 0; i < box->nlocal; i++) {
      double x[3];

      FgBoxCenter(box, i, x);
      source[i] = WavySource(x);
    }
    settings.source = (FgCoefficient){source, PETSC_TRUE};
    AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
    AgreedSuccess(FgReactionDiffusionSteady(equation, u));
    AgreedSuccess(Deviation(box, u, Wavy, NULL, &deviation[level]));
    AgreedSuccess(PetscFree(source));
    AgreedSuccess(FgReactionDiffusionDestroy(&equation));
    AgreedSuccess(VecDestroy(&u));
    AgreedSuccess(FgBoxDestroy(&box));
  }
  if (!Rank()) print_message("full tensor: %.3e %.3e %.3e\n", deviation[0], deviation[1], deviation[2]);
  AgreedTrue(deviation[2] < 6e-3 && deviation[0] / deviation[1] > 3.4 && deviation[1] / deviation[2] > 3.4);
}

/* Random tensors, some of rank one, in a periodic box: symmetric, constants in the null space, nothing negative. */
static void the_operator_is_symmetric_and_semidefinite(void **state)
{
  const PetscBool periodic[3]     = {PETSC_TRUE, PETSC_FALSE, PETSC_TRUE};
  const FgFace    faces[FG_FACES] = {{FG_FACE_FLUX, 0.0, NULL, NULL}};
  FgBox           box;
  Diffusion       diffusion;
  double         *K;
  Vec             x, y;
  PetscReal       size, scale;
  PetscScalar     energy, *value;
  Mat             transpose;

  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 3, (const PetscInt[]){5, 4, 6}, (const double[]){1.0, 2.0, 1.5}, periodic, &box));
  AgreedSuccess(PetscMalloc1(9 * box->nlocal, &K));
  for (PetscInt i = 0; i < box->nlocal; i++) {
    double at[3], a[3], b[3];

    FgBoxCenter(box, i, at);
    for (int k = 0; k < 3; k++) {
      a[k] = sin(17.0 * at[0] + 5.0 * at[1] + (3.0 + k) * at[2] + k);
      b[k] = cos((11.0 - k) * at[0] + 7.0 * at[1] - 13.0 * at[2]);
    }
    for (int k = 0; k < 3; k++) {
      for (int l = 0; l < 3; l++)
        K[9 * i + 3 * k + l] = a[k] * a[l] + (at[1] > 1.0 ? b[k] * b[l] : 0.0) + (at[0] > 0.5 ? (k == l) * 0.1 : 0.0);
    }
  }
  AgreedSuccess(DiffusionCreate(box, (FgCoefficient){K, PETSC_TRUE}, TENSOR_SEMIDEFINITE, faces, "test", &diffusion));
  AgreedTrue(diffusion->free);
  AgreedSuccess(MatNorm(diffusion->matrix, NORM_INFINITY, &scale));
  AgreedSuccess(MatTranspose(diffusion->matrix, MAT_INITIAL_MATRIX, &transpose));
  AgreedSuccess(MatAXPY(transpose, -1.0, diffusion->matrix, DIFFERENT_NONZERO_PATTERN));
  AgreedSuccess(MatNorm(transpose, NORM_INFINITY, &size));
  AgreedSuccess(MatDestroy(&transpose));
  AgreedTrue(size < 1e-11 * scale);
  AgreedSuccess(FgBoxVector(box, &x));
  AgreedSuccess(FgBoxVector(box, &y));
  AgreedSuccess(VecSet(x, 1.0));
  AgreedSuccess(MatMult(diffusion->matrix, x, y));
  AgreedSuccess(VecNorm(y, NORM_INFINITY, &size));
  AgreedTrue(size < 1e-11 * scale);
  for (int trial = 0; trial < 20; trial++) {
    AgreedSuccess(VecGetArray(x, &value));
    for (PetscInt i = 0; i < box->nlocal; i++) {
      double at[3];

      FgBoxCenter(box, i, at);
      value[i] = sin((1.0 + trial) * (3.1 * at[0] + 7.7 * at[1] + 5.3 * at[2]) + trial);
    }
    AgreedSuccess(VecRestoreArray(x, &value));
    AgreedSuccess(MatMult(diffusion->matrix, x, y));
    AgreedSuccess(VecDot(x, y, &energy));
    AgreedTrue(energy > -1e-10 * scale);
  }
  AgreedSuccess(PetscFree(K));
  AgreedSuccess(VecDestroy(&x));
  AgreedSuccess(VecDestroy(&y));
  AgreedSuccess(DiffusionDestroy(&diffusion));
  AgreedSuccess(FgBoxDestroy(&box));
}

/* -u'' = sin(2 pi x) between periodic ends, uniform along an insulated axis: the grid's own wave, in each of two
   directions. */
static double Wave(const double x[3], void *context)
{
  const int *axis = context;

  return sin(2.0 * M_PI * x[*axis]);
}

static void periodic_axes_close(void **state)
{
  for (int axis = 0; axis < 2; axis++) {
    const PetscInt              n[2]        = {12, 10};
    const PetscBool             periodic[2] = {(PetscBool)(axis == 0), (PetscBool)(axis == 1)};
    FgReactionDiffusionSettings settings    = {.diffusion = Isotropic(2.0), .tolerance = 1e-13};
    FgReactionDiffusion         equation;
    FgBox                       box;
    Vec                         u;
    double                     *source, deviation = NAN, step = sin(M_PI / n[axis]) * 2.0 * n[axis];

    AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, n, (const double[]){1.0, 1.0}, periodic, &box));
    AgreedSuccess(FgBoxVector(box, &u));
    AgreedSuccess(PetscMalloc1(box->nlocal, &source));
    for (PetscInt i = 0; i < box->nlocal; i++) {
      double x[3];

      FgBoxCenter(box, i, x);
      source[i] = 2.0 * step * step * Wave(x, &axis);
    }
    settings.source = (FgCoefficient){source, PETSC_TRUE};
    AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
    AgreedSuccess(FgReactionDiffusionSteady(equation, u));
    AgreedSuccess(Deviation(box, u, Wave, &axis, &deviation));
    AgreedTrue(deviation < 1e-10);
    AgreedSuccess(PetscFree(source));
    AgreedSuccess(FgReactionDiffusionDestroy(&equation));
    AgreedSuccess(VecDestroy(&u));
    AgreedSuccess(FgBoxDestroy(&box));
  }
}

/* A direction without conductivity: what enters through a face across it stays in its voxels. */
static void nothing_is_lost_where_nothing_conducts(void **state)
{
  const double                K[2][9]  = {{1.0, 1.0, 0, 1.0, 1.0, 0, 0, 0, 0}, {1.0, 0, 0, 0, 0, 0, 0, 0, 0}};
  FgReactionDiffusionSettings settings = {.rate = Uniform(2.0)};
  FgReactionDiffusion         equation;
  FgBox                       box;
  Vec                         u;
  double                      total = NAN;

  for (int k = 0; k < 2; k++) {
    settings.diffusion                    = (FgCoefficient){K[k], PETSC_FALSE};
    settings.faces[FG_FACE_Y_LOWER].value = 3.0;
    AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){6, 5}, (const double[]){1.5, 1.0}, NULL, &box));
    AgreedSuccess(FgBoxVector(box, &u));
    AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
    AgreedSuccess(FgReactionDiffusionSteady(equation, u));
    AgreedSuccess(FgBoxIntegral(box, nothing, u, &total));
    AgreedTrue(Close(2.0 * total, 3.0 * 1.5, 1e-8));
    AgreedSuccess(FgReactionDiffusionDestroy(&equation));
    AgreedSuccess(VecDestroy(&u));
    AgreedSuccess(FgBoxDestroy(&box));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(linear_functions_are_exact),    cmocka_unit_test(layers_of_full_tensors_are_exact),
      cmocka_unit_test(full_tensors_are_second_order), cmocka_unit_test(the_operator_is_symmetric_and_semidefinite),
      cmocka_unit_test(periodic_axes_close),           cmocka_unit_test(nothing_is_lost_where_nothing_conducts),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
