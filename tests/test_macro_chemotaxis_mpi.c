/* test_macro_chemotaxis_mpi.c: fluxes, totals and signs of the Keller-Segel equations, and the approach of fine-scale
   fluxes to those with homogenized coefficients. Reference numbers: docs/physics/macroscopic.md. */
#include "macro.h"

#include "finegrain/closure.h"
#include "forward/macro/transport.h"

static const double full[9] = {2.0, 0.7, 0, 0.7, 1.0, 0, 0, 0, 1};

/* Both factors positive for any drift, Bernoulli's function for equal halves, harmonic means without drift, and no
   overflow. */
static void fluxes_are_exponentially_fitted(void **state)
{
  const double h = 0.1, equal[2] = {2.0, 2.0}, unlike[2] = {1.0, 4.0};
  double       forward, backward;

  for (double v = -1e6; v <= 1e6; v += 1e5) {
    const double both[2] = {v, -0.3 * v};

    TransportBetween(h, unlike, both, &forward, &backward);
    AgreedTrue(forward >= 0.0 && backward >= 0.0 && isfinite(forward) && isfinite(backward));
    AgreedTrue(v < 0.0 || forward + backward > 0.0); /* halves that drift apart let nothing pass */
    TransportHalf(h, 1.0, v, &forward, &backward);
    AgreedTrue(forward >= 0.0 && backward >= 0.0 && isfinite(forward) && isfinite(backward) && forward + backward > 0.0);
  }
  for (int k = -6; k <= 6; k++) {
    const double P = 0.7 * k, v[2] = {P * 2.0 / h, P * 2.0 / h};

    TransportBetween(h, equal, v, &forward, &backward);
    AgreedTrue(Close(backward, 2.0 / h * (k ? P / expm1(P) : 1.0), 1e-12) &&
               Close(forward, 2.0 / h * (k ? P / -expm1(-P) : 1.0), 1e-12));
  }
  TransportBetween(h, unlike, (const double[]){0.0, 0.0}, &forward, &backward);
  AgreedTrue(Close(forward, 1.6 / h, 1e-14) && Close(backward, 1.6 / h, 1e-14));
}

/* Flux along x with n from 1 to 2 and c from 0 to 1; the cells' coefficients by a function of the place in the cell, cell
   edge 1/cells. */
typedef int (*PhaseAt)(double x, double y);

static double SteadyFlux(PetscInt dim, PetscInt cells, PetscInt resolution, PhaseAt phase, const double *M, const double *D,
                         const double *S)
{
  const PetscInt       n[2]     = {cells * resolution, resolution};
  const double         edge[2]  = {1.0, 1.0 / (double)cells};
  FgChemotaxisSettings settings = {.tolerance = 1e-12};
  FgChemotaxis         chemotaxis;
  FgBox                box;
  Vec                  density, attractant;
  double              *tensors[3], flux[FG_FACES];
  const double *const  values[3] = {M, D, S};

  settings.density_faces[0]    = (FgFace){FG_FACE_VALUE, 1.0, NULL, NULL};
  settings.density_faces[1]    = (FgFace){FG_FACE_VALUE, 2.0, NULL, NULL};
  settings.attractant_faces[0] = (FgFace){FG_FACE_VALUE, 0.0, NULL, NULL};
  settings.attractant_faces[1] = (FgFace){FG_FACE_VALUE, 1.0, NULL, NULL};
  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, dim, n, edge, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &density));
  AgreedSuccess(FgBoxVector(box, &attractant));
  for (int q = 0; q < 3; q++) {
    AgreedSuccess(PetscCalloc1(9 * box->nlocal, &tensors[q]));
    for (PetscInt i = 0; i < box->nlocal; i++) {
      double x[3];

      FgBoxCenter(box, i, x);
      for (int k = 0; k < 3; k++) tensors[q][9 * i + 4 * k] = values[q][phase(fmod(x[0] * cells, 1.0), fmod(x[1] * cells, 1.0))];
    }
  }
  settings.motility    = (FgCoefficient){tensors[0], PETSC_TRUE};
  settings.diffusion   = (FgCoefficient){tensors[1], PETSC_TRUE};
  settings.sensitivity = (FgCoefficient){tensors[2], PETSC_TRUE};
  AgreedSuccess(FgChemotaxisCreate(box, &settings, &chemotaxis));
  AgreedSuccess(FgChemotaxisSteady(chemotaxis, density, attractant));
  AgreedSuccess(FgChemotaxisFaceFlux(chemotaxis, density, attractant, flux));
  AgreedTrue(Close(flux[1], -flux[0], 1e-7));
  AgreedSuccess(FgChemotaxisDestroy(&chemotaxis));
  for (int q = 0; q < 3; q++) AgreedSuccess(PetscFree(tensors[q]));
  AgreedSuccess(VecDestroy(&density));
  AgreedSuccess(VecDestroy(&attractant));
  AgreedSuccess(FgBoxDestroy(&box));
  return flux[1] / edge[1 % dim] * (dim > 1 ? 1.0 : edge[0]);
}

static int FirstPhase(double x, double y)
{
  return 0;
}

static int Laminate(double x, double y)
{
  return x > 0.5;
}

static int Cylinder(double x, double y)
{
  return (x - 0.5) * (x - 0.5) + (y - 0.5) * (y - 0.5) < 0.4 / M_PI;
}

/* Layers across: S* = M_h D_h <S/(M D)>. The fine scale is exact with a few voxels a layer. */
static void laminate_flux_converges_to_the_macroscopic(void **state)
{
  const double M[2] = {1.0, 4.0}, D[2] = {1.0, 5.0}, S[2] = {2.0, 3.0}, expected[4] = {2.5106, 2.4157, 2.3575, 2.3261};
  const double effective_M[2] = {1.6, 1.6}, effective_D[2] = {5.0 / 3.0, 5.0 / 3.0};
  const double effective_S[2] = {1.6 * 5.0 / 3.0 * 0.5 * (2.0 + 3.0 / 20.0), 0.0};
  const double macroscopic    = SteadyFlux(1, 1, 32, FirstPhase, effective_M, effective_D, effective_S);

  AgreedTrue(Close(effective_S[0], 2.8666667, 1e-7));
  AgreedTrue(Close(macroscopic, 2.2933, 3e-5));
  for (int level = 0; level < 4; level++) {
    const double flux = SteadyFlux(1, 1 << level, 4, Laminate, M, D, S);

    if (!Rank()) print_message("chemotaxis, laminate of %d cells: %.5f, macroscopic %.5f\n", 1 << level, flux, macroscopic);
    AgreedTrue(fabs(flux - expected[level]) < 1e-4);
  }
}

/* Square array of cylinders, f = 0.4: S* of the two-corrector formula; M* from Rayleigh's closed form, which does not see
   the voxels. */
static void cylinder_flux_converges_to_the_macroscopic(void **state)
{
  const double     M[2] = {1.0, 0.1}, D[2] = {1.0, 5.0}, S[2] = {2.0, 0.3}, expected[4] = {0.96224, 0.90167, 0.88643, 0.88263};
  const FgClosure *closure = FgClosureFind("rayleigh-square");
  double           effective_M[2], effective_D[2], derivative[2], macroscopic, chapter;

  closure->evaluate(closure, &(FgPhases){.matrix = 1.0, .fiber_axial = 0.1, .fiber_radial = 0.1}, 0.4, effective_M, derivative);
  closure->evaluate(closure, &(FgPhases){.matrix = 1.0, .fiber_axial = 5.0, .fiber_radial = 5.0}, 0.4, effective_D, derivative);
  macroscopic = SteadyFlux(1, 1, 32, FirstPhase, &effective_M[1], &effective_D[1], (const double[]){1.034475});
  chapter     = SteadyFlux(1, 1, 32, FirstPhase, &effective_M[1], &effective_D[1], (const double[]){1.637379});
  if (!Rank())
    print_message("chemotaxis, cylinders: macroscopic %.5f, by the one-corrector formula %.5f; M* %.6f D* %.6f\n", macroscopic,
                  chapter, effective_M[1], effective_D[1]);
  AgreedTrue(Close(macroscopic, 0.88136, 2e-3) && Close(chapter, 1.5708, 2e-3));
  for (int level = 0; level < Levels(4, 2); level++) {
    const double flux = SteadyFlux(2, 1 << level, 32, Cylinder, M, D, S);

    if (!Rank()) print_message("chemotaxis, %d cells of cylinders: %.5f\n", 1 << level, flux);
    AgreedTrue(fabs(flux - expected[level]) < 1e-3);
  }
}

/* S full and not symmetric, M and D full: n = exp(q . x) with q = M^-1 S grad c carries no flux where c is linear. */
static const double drift_M[9] = {1.0, 0.3, 0, 0.3, 0.6, 0, 0, 0, 1}, drift_S[9] = {1.5, 0.9, 0, -0.4, 1.1, 0, 0, 0, 1};

static double Slope(const double x[3], void *context)
{
  return 1.2 * x[0] - 0.7 * x[1];
}

static double Balanced(const double x[3], void *context)
{
  const double v[2]        = {drift_S[0] * 1.2 - drift_S[1] * 0.7, drift_S[3] * 1.2 - drift_S[4] * 0.7};
  const double determinant = drift_M[0] * drift_M[4] - drift_M[1] * drift_M[3];

  return exp(((drift_M[4] * v[0] - drift_M[1] * v[1]) * x[0] + (drift_M[0] * v[1] - drift_M[3] * v[0]) * x[1]) / determinant);
}

static void full_tensors_balance_drift(void **state)
{
  const int nlevels = Levels(3, 1);
  double    deviation[3];

  for (int given = 0; given < 2; given++) { /* n on the faces, or its total */
    for (int level = 0; level < nlevels; level++) {
      const PetscInt       n[2]     = {6 << level, 6 << level};
      FgChemotaxisSettings settings = {
          .motility = {drift_M, PETSC_FALSE}, .sensitivity = {drift_S, PETSC_FALSE}, .diffusion = {full, PETSC_FALSE}};
      FgChemotaxis chemotaxis;
      FgBox        box;
      Vec          density, attractant;
      double       before, after;

      for (int f = 0; f < 4; f++) {
        settings.attractant_faces[f] = (FgFace){FG_FACE_VALUE, 0.0, Slope, NULL};
        if (given) settings.density_faces[f] = (FgFace){FG_FACE_VALUE, 0.0, Balanced, NULL};
      }
      AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, n, (const double[]){1.0, 1.0}, NULL, &box));
      AgreedSuccess(FgBoxVector(box, &density));
      AgreedSuccess(FgBoxVector(box, &attractant));
      AgreedSuccess(Fill(box, Balanced, NULL, density));
      AgreedSuccess(FgBoxIntegral(box, nothing, density, &before));
      AgreedSuccess(VecSet(density, before));
      AgreedSuccess(FgChemotaxisCreate(box, &settings, &chemotaxis));
      AgreedSuccess(FgChemotaxisSteady(chemotaxis, density, attractant));
      AgreedSuccess(FgBoxIntegral(box, nothing, density, &after));
      AgreedTrue(given || Close(after, before, 1e-13));
      AgreedSuccess(Deviation(box, density, Balanced, NULL, &deviation[level]));
      AgreedSuccess(FgChemotaxisDestroy(&chemotaxis));
      AgreedSuccess(VecDestroy(&density));
      AgreedSuccess(VecDestroy(&attractant));
      AgreedSuccess(FgBoxDestroy(&box));
    }
    for (int level = 1; level < nlevels; level++) AgreedTrue(deviation[level] < 0.4 * deviation[level - 1]);
    AgreedTrue(deviation[nlevels - 1] < (nlevels > 1 ? 5e-3 : 3e-2));
  }
}

/* S = s M: n is e^(s c) times a constant in every steady state without flux, at any resolution, for any c: the fluxes are
   exact. */
static double Rough(const double x[3], void *context)
{
  return sin(9.0 * x[0]) + 2.0 * x[1] * x[1];
}

static void an_exact_equilibrium(void **state)
{
  FgChemotaxisSettings settings = {.motility = Isotropic(0.5), .sensitivity = Isotropic(1.5), .diffusion = Isotropic(2.0)};
  FgChemotaxis         chemotaxis;
  FgBox                box;
  Vec                  density, attractant, expected;
  const PetscScalar   *c;
  PetscScalar         *n, sum;
  double               difference = 0;

  for (int f = 0; f < 4; f++) settings.attractant_faces[f] = (FgFace){FG_FACE_VALUE, 0.0, Rough, NULL};
  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){9, 8}, (const double[]){1.0, 1.0}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &density));
  AgreedSuccess(FgBoxVector(box, &attractant));
  AgreedSuccess(FgBoxVector(box, &expected));
  AgreedSuccess(VecSet(density, 1.0));
  AgreedSuccess(FgChemotaxisCreate(box, &settings, &chemotaxis));
  AgreedSuccess(FgChemotaxisSteady(chemotaxis, density, attractant));
  AgreedSuccess(VecGetArrayRead(attractant, &c));
  AgreedSuccess(VecGetArray(expected, &n));
  for (PetscInt i = 0; i < box->nlocal; i++) n[i] = exp(3.0 * c[i]);
  AgreedSuccess(VecRestoreArray(expected, &n));
  AgreedSuccess(VecRestoreArrayRead(attractant, &c));
  AgreedSuccess(VecSum(expected, &sum));
  AgreedSuccess(VecScale(expected, 72.0 / sum));
  AgreedSuccess(Difference(density, expected, &difference));
  AgreedTrue(difference < 1e-8);
  AgreedSuccess(FgChemotaxisDestroy(&chemotaxis));
  AgreedSuccess(VecDestroy(&density));
  AgreedSuccess(VecDestroy(&attractant));
  AgreedSuccess(VecDestroy(&expected));
  AgreedSuccess(FgBoxDestroy(&box));
}

/* A spot that makes its own attractant, with full tensors and strong drift: the total stays to round-off, nothing turns
   negative, with long and short steps; what enters through a face is found again. */
static double Spot(const double x[3], void *context)
{
  return pow(x[0] - 0.3, 2) + pow(x[1] - 0.6, 2) < 0.03 ? 5.0 : 0.0;
}

static void densities_stay_positive_and_totals_stay(void **state)
{
  const PetscBool periodic[2] = {PETSC_FALSE, PETSC_TRUE};

  for (int k = 0; k < 4; k++) {
    FgChemotaxisSettings settings = {.motility    = {drift_M, PETSC_FALSE},
                                     .sensitivity = {drift_S, PETSC_FALSE},
                                     .diffusion   = {full, PETSC_FALSE},
                                     .decay       = Uniform(1.0),
                                     .production  = Uniform(k % 2 ? 20.0 : 2.0)};
    FgChemotaxis         chemotaxis;
    FgBox                box;
    Vec                  density, attractant;
    PetscReal            least, most;
    double               before, after;
    const double         dt = k % 2 ? 0.05 : 1e-3;

    if (k > 1) settings.density_faces[0].value = 0.4;
    AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){20, 16}, (const double[]){1.0, 0.8}, periodic, &box));
    AgreedSuccess(FgBoxVector(box, &density));
    AgreedSuccess(FgBoxVector(box, &attractant));
    AgreedSuccess(Fill(box, Spot, NULL, density));
    AgreedSuccess(FgBoxIntegral(box, nothing, density, &before));
    AgreedSuccess(FgChemotaxisCreate(box, &settings, &chemotaxis));
    for (int step = 0; step < 6; step++) {
      AgreedSuccess(FgChemotaxisStep(chemotaxis, dt, 1, density, attractant));
      AgreedSuccess(VecMin(density, NULL, &least));
      AgreedTrue(least >= 0.0);
    }
    AgreedSuccess(VecMax(density, NULL, &most));
    AgreedSuccess(FgBoxIntegral(box, nothing, density, &after));
    AgreedTrue(most < 1e3 && Close(after, before + (k > 1 ? 0.4 * 0.8 * 6 * dt : 0.0), 1e-13));
    AgreedSuccess(FgChemotaxisDestroy(&chemotaxis));
    AgreedSuccess(VecDestroy(&density));
    AgreedSuccess(VecDestroy(&attractant));
    AgreedSuccess(FgBoxDestroy(&box));
  }
}

/* A drift that gathers everything in a voxel or two, by long steps: no negative density, no overflow, the total kept. */
static void concentration_without_end_stays_sound(void **state)
{
  const double         S[9]     = {1500.0, 900.0, 0, -400.0, 1100.0, 0, 0, 0, 1};
  FgChemotaxisSettings settings = {.motility    = {drift_M, PETSC_FALSE},
                                   .sensitivity = {S, PETSC_FALSE},
                                   .diffusion   = Isotropic(1.0),
                                   .decay       = Uniform(1.0),
                                   .production  = Uniform(1.0)};
  FgChemotaxis         chemotaxis;
  FgBox                box;
  Vec                  density, attractant;
  PetscReal            least, most;
  double               before = NAN, after = NAN;

  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){20, 20}, (const double[]){1.0, 1.0}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &density));
  AgreedSuccess(FgBoxVector(box, &attractant));
  AgreedSuccess(Fill(box, Spot, NULL, density));
  AgreedSuccess(FgBoxIntegral(box, nothing, density, &before));
  AgreedSuccess(FgChemotaxisCreate(box, &settings, &chemotaxis));
  AgreedSuccess(FgChemotaxisStep(chemotaxis, 0.1, 5, density, attractant));
  AgreedSuccess(VecMin(density, NULL, &least));
  AgreedSuccess(VecMax(density, NULL, &most));
  AgreedSuccess(FgBoxIntegral(box, nothing, density, &after));
  AgreedTrue(least >= 0.0 && Close(after, before, 1e-13));
  AgreedTrue(most > 0.2 * before / box->volume && most <= before / box->volume * (1.0 + 1e-12));
  AgreedSuccess(FgChemotaxisDestroy(&chemotaxis));
  AgreedSuccess(VecDestroy(&density));
  AgreedSuccess(VecDestroy(&attractant));
  AgreedSuccess(FgBoxDestroy(&box));
}

/* Steps come to rest in the steady state, where density and attractant act on each other. */
static void steps_end_in_the_steady_state(void **state)
{
  FgChemotaxisSettings settings = {.motility    = Isotropic(1.0),
                                   .sensitivity = Isotropic(0.8),
                                   .diffusion   = Isotropic(0.5),
                                   .decay       = Uniform(1.0),
                                   .production  = Uniform(1.0)};
  FgChemotaxis         chemotaxis;
  FgBox                box;
  Vec                  n[2], c[2];
  double               difference = 0;

  settings.density_faces[0]    = (FgFace){FG_FACE_VALUE, 1.0, NULL, NULL};
  settings.density_faces[1]    = (FgFace){FG_FACE_VALUE, 0.2, NULL, NULL};
  settings.attractant_faces[1] = (FgFace){FG_FACE_VALUE, 2.0, NULL, NULL};
  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 1, (const PetscInt[]){40}, (const double[]){1.0}, NULL, &box));
  AgreedSuccess(FgChemotaxisCreate(box, &settings, &chemotaxis));
  for (int k = 0; k < 2; k++) {
    AgreedSuccess(FgBoxVector(box, &n[k]));
    AgreedSuccess(FgBoxVector(box, &c[k]));
  }
  AgreedSuccess(FgChemotaxisSteady(chemotaxis, n[0], c[0]));
  AgreedSuccess(FgChemotaxisStep(chemotaxis, 0.1, 200, n[1], c[1]));
  AgreedSuccess(Difference(n[1], n[0], &difference));
  AgreedTrue(difference < 1e-8);
  AgreedSuccess(Difference(c[1], c[0], &difference));
  AgreedTrue(difference < 1e-8);
  for (int k = 0; k < 2; k++) {
    AgreedSuccess(VecDestroy(&n[k]));
    AgreedSuccess(VecDestroy(&c[k]));
  }
  AgreedSuccess(FgChemotaxisDestroy(&chemotaxis));
  AgreedSuccess(FgBoxDestroy(&box));
}

static void senseless_input_is_refused(void **state)
{
  FgChemotaxisSettings s          = {.motility = Isotropic(0.0), .diffusion = Isotropic(1.0)};
  FgChemotaxis         chemotaxis = NULL;
  FgBox                box;
  Vec                  u;

  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){4, 4}, (const double[]){1, 1}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &u));
  AgreedFailure(FgChemotaxisCreate(box, &s, &chemotaxis), PETSC_ERR_USER, "not positive definite");
  AgreedSuccess(FgChemotaxisDestroy(&chemotaxis));
  s.motility = Isotropic(1.0);
  AgreedSuccess(FgChemotaxisCreate(box, &s, &chemotaxis));
  AgreedFailure(FgChemotaxisSteady(chemotaxis, u, u), PETSC_ERR_USER, "must decay");
  AgreedSuccess(VecSet(u, -1.0));
  AgreedFailure(FgChemotaxisStep(chemotaxis, 1.0, 1, u, u), PETSC_ERR_USER, "below zero");
  AgreedSuccess(FgChemotaxisDestroy(&chemotaxis));
  AgreedSuccess(VecDestroy(&u));
  AgreedSuccess(FgBoxDestroy(&box));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fluxes_are_exponentially_fitted),
      cmocka_unit_test(laminate_flux_converges_to_the_macroscopic),
      cmocka_unit_test(cylinder_flux_converges_to_the_macroscopic),
      cmocka_unit_test(full_tensors_balance_drift),
      cmocka_unit_test(an_exact_equilibrium),
      cmocka_unit_test(densities_stay_positive_and_totals_stay),
      cmocka_unit_test(concentration_without_end_stays_sound),
      cmocka_unit_test(steps_end_in_the_steady_state),
      cmocka_unit_test(senseless_input_is_refused),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
