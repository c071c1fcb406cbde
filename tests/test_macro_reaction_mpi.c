/* test_macro_reaction_mpi.c: reaction with diffusion: the first-order approach of fine-scale solutions to the homogenized
   one, orders in time, closed forms of saturating reactions, and what is refused. Reference numbers:
   docs/physics/macroscopic.md. */
#include "macro.h"

#include <gsl/gsl_sf_lambert.h>

enum { FINE = 128 }; /* voxels in a cell of the fine-scale solution */

/* -(D u')' + k u = 1, u = 0 at both ends; D = (1, 0.1) in halves, k = 40 in the first quarter and 2 elsewhere. */
static double Homogenized(const double x[3], void *context)
{
  const double k = 11.5, a = sqrt(k / (2.0 / 11.0));

  return (1.0 - cosh(a * (x[0] - 0.5)) / cosh(0.5 * a)) / k;
}

static void FineScale(PetscInt cells, double *deviation, double *weighted, double *identity)
{
  FgReactionDiffusionSettings settings = {.source = Uniform(1.0)};
  FgReactionDiffusion         equation;
  FgBox                       box;
  Vec                         u;
  double                     *D, *k, total, reaction, flux[FG_FACES];

  settings.faces[0].kind = settings.faces[1].kind = FG_FACE_VALUE;
  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 1, (const PetscInt[]){FINE * cells}, (const double[]){1.0}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &u));
  AgreedSuccess(PetscCalloc1(9 * box->nlocal, &D));
  AgreedSuccess(PetscMalloc1(box->nlocal, &k));
  for (PetscInt i = 0; i < box->nlocal; i++) {
    const PetscInt at = (box->start[0] + i) % FINE;

    D[9 * i] = at < FINE / 2 ? 1.0 : 0.1;
    k[i]     = at < FINE / 4 ? 40.0 : 2.0;
  }
  settings.diffusion = (FgCoefficient){D, PETSC_TRUE};
  settings.rate      = (FgCoefficient){k, PETSC_TRUE};
  AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
  AgreedSuccess(FgReactionDiffusionSteady(equation, u));
  AgreedSuccess(Deviation(box, u, Homogenized, NULL, deviation));
  AgreedSuccess(FgBoxWeightedMean(box, settings.rate, u, weighted));
  AgreedSuccess(FgBoxIntegral(box, nothing, u, &total));
  AgreedSuccess(FgBoxIntegral(box, settings.rate, u, &reaction));
  *identity = *weighted * total / reaction - 1.0;
  /* Source = reaction + what leaves. */
  AgreedSuccess(FgReactionDiffusionFaceFlux(equation, u, flux));
  AgreedTrue(Close(reaction + flux[0] + flux[1], 1.0, 1e-7));
  AgreedSuccess(PetscFree(D));
  AgreedSuccess(PetscFree(k));
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  AgreedSuccess(VecDestroy(&u));
  AgreedSuccess(FgBoxDestroy(&box));
}

static void fine_scale_converges_to_the_homogenized_solution(void **state)
{
  const double expected[5] = {0.1894, 0.1014, 0.0520, 0.0262, 0.0131}, mean[5] = {10.321, 11.198, 11.424, 11.481, 11.495};

  for (int level = 0; level < 5; level++) {
    double deviation = NAN, weighted = NAN, identity = NAN;

    FineScale(4 << level, &deviation, &weighted, &identity);
    if (!Rank())
      print_message("reaction, %d cells: deviation %.5f, u-weighted mean %.4f, identity %.1e\n", 4 << level, deviation, weighted,
                    identity);
    AgreedTrue(fabs(deviation - expected[level]) < 1e-4);
    AgreedTrue(fabs(weighted - mean[level]) < 1e-3);
    AgreedTrue(fabs(identity) < 1e-14);
  }
}

/* The macroscopic solver against the same closed form: second order. */
static void the_macroscopic_solution_is_second_order(void **state)
{
  double deviation[2];

  for (int level = 0; level < 2; level++) {
    FgReactionDiffusionSettings settings = {.diffusion = Isotropic(2.0 / 11.0), .rate = Uniform(11.5), .source = Uniform(1.0)};
    FgReactionDiffusion         equation;
    FgBox                       box;
    Vec                         u;

    settings.faces[0].kind = settings.faces[1].kind = FG_FACE_VALUE;
    AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 1, (const PetscInt[]){50 << level}, (const double[]){1.0}, NULL, &box));
    AgreedSuccess(FgBoxVector(box, &u));
    AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
    AgreedSuccess(FgReactionDiffusionSteady(equation, u));
    AgreedSuccess(Deviation(box, u, Homogenized, NULL, &deviation[level]));
    AgreedSuccess(FgReactionDiffusionDestroy(&equation));
    AgreedSuccess(VecDestroy(&u));
    AgreedSuccess(FgBoxDestroy(&box));
  }
  AgreedTrue(deviation[0] < 2e-3 && Close(deviation[0] / deviation[1], 4.0, 0.1));
}

/* rho u_t = div(D grad u) - k u in an insulated square, u = cos(pi x) cos(2 pi y): decays by one exponential. */
static double Mode(const double x[3], void *context)
{
  return *(const double *)context * cos(M_PI * x[0]) * cos(2.0 * M_PI * x[1]);
}

static void DecayDeviation(double implicitness, PetscInt nsteps, double *deviation)
{
  const PetscInt              n[2]     = {24, 32};
  FgReactionDiffusionSettings settings = {.storage      = Uniform(0.5),
                                          .diffusion    = Uniform(0.02, 0, 0, 0, 0.01, 0, 0, 0, 0),
                                          .rate         = Uniform(0.3),
                                          .implicitness = implicitness};
  FgReactionDiffusion         equation;
  FgBox                       box;
  Vec                         u;
  double                      one = 1.0, left, rate = 0.3;

  /* The grid's own rate, so that the error in time stands alone. */
  for (int k = 0; k < 2; k++) {
    const double h = 1.0 / (double)n[k], s = 2.0 / h * sin(0.5 * (k + 1) * M_PI * h);

    rate += (k ? 0.01 : 0.02) * s * s;
  }
  left = exp(-rate / 0.5);
  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, n, (const double[]){1.0, 1.0}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &u));
  AgreedSuccess(Fill(box, Mode, &one, u));
  AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
  AgreedSuccess(FgReactionDiffusionStep(equation, 1.0 / (double)nsteps, nsteps, u));
  AgreedSuccess(Deviation(box, u, Mode, &left, deviation));
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  AgreedSuccess(VecDestroy(&u));
  AgreedSuccess(FgBoxDestroy(&box));
}

static void time_steps_have_their_order(void **state)
{
  double backward[2], middle[2];

  for (int level = 0; level < 2; level++) {
    DecayDeviation(0.0, 20 << level, &backward[level]);
    DecayDeviation(0.5, 10 << level, &middle[level]);
  }
  AgreedTrue(Close(backward[0] / backward[1], 2.0, 0.05) && backward[1] < 0.06);
  AgreedTrue(Close(middle[0] / middle[1], 4.0, 0.05) && middle[1] < 4e-3);
}

/* u_t = -V u/(K_m + u), uniform: u/K_m e^(u/K_m) = w0 e^(w0 - V t/K_m), Lambert's function. */
static void saturation_follows_its_closed_form(void **state)
{
  const double V = 2.0, half = 0.5, u0 = 3.0, w0 = u0 / half, expected = half * gsl_sf_lambert_W0(w0 * exp(w0 - V * 1.5 / half));
  const FgSaturation terms[2] = {{Uniform(0.5 * V), Uniform(half)}, {Uniform(0.5 * V), Uniform(half)}};
  double             deviation[2];

  for (int level = 0; level < 2; level++) {
    FgReactionDiffusionSettings settings = {
        .diffusion = Isotropic(1.0), .nsaturations = 2, .saturations = terms, .implicitness = 0.5};
    FgReactionDiffusion equation;
    FgBox               box;
    Vec                 u;
    PetscReal           least, most;

    AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){6, 5}, (const double[]){1.0, 1.0}, NULL, &box));
    AgreedSuccess(FgBoxVector(box, &u));
    AgreedSuccess(VecSet(u, u0));
    AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
    AgreedSuccess(FgReactionDiffusionStep(equation, 1.5 / (20 << level), 20 << level, u));
    AgreedSuccess(VecMin(u, NULL, &least));
    AgreedSuccess(VecMax(u, NULL, &most));
    AgreedTrue(most - least < 1e-9);
    deviation[level] = fabs(most - expected);
    AgreedSuccess(FgReactionDiffusionDestroy(&equation));
    AgreedSuccess(VecDestroy(&u));
    AgreedSuccess(FgBoxDestroy(&box));
  }
  AgreedTrue(deviation[1] < 1e-3 && Close(deviation[0] / deviation[1], 4.0, 0.1));
}

/* Steady and far above K_m: D u'' = V between equal ends, so that V/2 comes in at each. */
static void saturated_steady_state(void **state)
{
  const FgSaturation          term     = {Uniform(3.0), Uniform(1e-3)};
  FgReactionDiffusionSettings settings = {.diffusion = Isotropic(1.0), .nsaturations = 1, .saturations = &term};
  FgReactionDiffusion         equation;
  FgBox                       box;
  Vec                         u;
  double                      flux[FG_FACES];

  settings.faces[0] = settings.faces[1] = (FgFace){FG_FACE_VALUE, 1e3, NULL, NULL};
  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 1, (const PetscInt[]){40}, (const double[]){1.0}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &u));
  AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
  AgreedSuccess(FgReactionDiffusionSteady(equation, u));
  AgreedSuccess(FgReactionDiffusionFaceFlux(equation, u, flux));
  AgreedTrue(Close(flux[0], -1.5, 1e-5) && Close(flux[1], -1.5, 1e-5));
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  AgreedSuccess(VecDestroy(&u));
  AgreedSuccess(FgBoxDestroy(&box));
}

/* Fluxes alone at the faces: solvable up to a constant if they cancel, an error with the sum if not. */
static void fluxes_must_cancel(void **state)
{
  FgReactionDiffusionSettings settings = {.diffusion = Isotropic(2.0)};
  FgReactionDiffusion         equation;
  FgBox                       box;
  Vec                         u;
  PetscScalar                 sum;
  PetscReal                   least, most;

  settings.faces[0].value = 1.0;
  settings.faces[1].value = -1.0;
  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){10, 4}, (const double[]){1.0, 3.0}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &u));
  AgreedSuccess(VecSet(u, 7.0));
  AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
  AgreedSuccess(FgReactionDiffusionSteady(equation, u));
  AgreedSuccess(VecSum(u, &sum));
  AgreedSuccess(VecMin(u, NULL, &least));
  AgreedSuccess(VecMax(u, NULL, &most));
  AgreedTrue(Close(sum / 40.0, 7.0, 1e-12) && Close(most - least, 0.45, 1e-8));
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  settings.faces[1].value = -0.5;
  AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
  AgreedFailure(FgReactionDiffusionSteady(equation, u), PETSC_ERR_USER, "their sum is 1.5");
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  AgreedSuccess(VecDestroy(&u));
  AgreedSuccess(FgBoxDestroy(&box));
}

static void senseless_input_is_refused(void **state)
{
  FgReactionDiffusionSettings settings = {.diffusion = Uniform(1, 0.5, 0, 0.4, 1, 0, 0, 0, 1)};
  const FgSaturation          term     = {Uniform(1.0), nothing};
  FgReactionDiffusion         equation = NULL;
  FgBox                       box;
  Vec                         u;
  const PetscBool             periodic[2] = {PETSC_FALSE, PETSC_TRUE};

  AgreedFailure(FgBoxCreate(PETSC_COMM_WORLD, 4, NULL, NULL, NULL, &box), PETSC_ERR_USER, "4 dimensions");
  AgreedFailure(FgBoxCreate(PETSC_COMM_WORLD, 1, (const PetscInt[]){0}, (const double[]){1}, NULL, &box), PETSC_ERR_USER,
                "0 voxels");
  AgreedFailure(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){4, 4}, (const double[]){1, NAN}, NULL, &box), PETSC_ERR_USER,
                "edge");
  AgreedFailure(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){4, 2}, (const double[]){1, 1}, periodic, &box),
                PETSC_ERR_USER, "at least 3");
  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){4, 4}, (const double[]){1, 1}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &u));
  AgreedFailure(FgReactionDiffusionCreate(box, &settings, &equation), PETSC_ERR_USER, "not symmetric");
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  settings.diffusion = Uniform(1, 2, 0, 2, 1, 0, 0, 0, 1);
  AgreedFailure(FgReactionDiffusionCreate(box, &settings, &equation), PETSC_ERR_USER, "not positive semidefinite");
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  settings.diffusion = Isotropic(1.0);
  settings.rate      = Uniform(-1.0);
  AgreedFailure(FgReactionDiffusionCreate(box, &settings, &equation), PETSC_ERR_USER, "rate [1/s]");
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  settings.rate         = nothing;
  settings.nsaturations = 1;
  settings.saturations  = &term;
  AgreedFailure(FgReactionDiffusionCreate(box, &settings, &equation), PETSC_ERR_USER, "half");
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  settings.nsaturations = 0;
  AgreedSuccess(FgReactionDiffusionCreate(box, &settings, &equation));
  AgreedFailure(FgReactionDiffusionStep(equation, 0.0, 1, u), PETSC_ERR_USER, "time step");
  AgreedSuccess(FgReactionDiffusionDestroy(&equation));
  AgreedSuccess(VecDestroy(&u));
  AgreedSuccess(FgBoxDestroy(&box));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fine_scale_converges_to_the_homogenized_solution),
      cmocka_unit_test(the_macroscopic_solution_is_second_order),
      cmocka_unit_test(time_steps_have_their_order),
      cmocka_unit_test(saturation_follows_its_closed_form),
      cmocka_unit_test(saturated_steady_state),
      cmocka_unit_test(fluxes_must_cancel),
      cmocka_unit_test(senseless_input_is_refused),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
