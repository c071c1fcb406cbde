/* test_macro_bidomain_mpi.c: cable length, input resistance, wave speed and invariants of the bidomain equations.
   Reference numbers: docs/physics/macroscopic.md. */
#include "macro.h"

static const double cable_inside = 0.3, cable_outside = 0.6, cable_area = 1.4e5, cable_conductance = 5.0;

/* A cable of 12 lambda: unit current density in at the left end inside, out of it outside. */
static void cable_length_and_input_resistance(void **state)
{
  const double series = cable_inside * cable_outside / (cable_inside + cable_outside);
  const double lambda = sqrt(series / (cable_area * cable_conductance)), length = 12.0 * lambda;
  double       error[2];

  AgreedTrue(Close(lambda, 0.53452248e-3, 1e-8));
  for (int level = 0; level < 2; level++) {
    const PetscInt     n        = 240 << level;
    FgBidomainSettings settings = {.intracellular = Isotropic(cable_inside),
                                   .extracellular = Isotropic(cable_outside),
                                   .membrane_area = Uniform(cable_area),
                                   .membrane      = {.capacitance = 0.01, .conductance = cable_conductance, .rest = -0.08}};
    FgBidomain         bidomain;
    FgBox              box;
    Vec                inside, outside;
    const PetscScalar *a, *b;
    double             sums[4] = {0}, slope, fitted, input, resistance, imbalance, across = 0.0, nsums = 0.0;

    settings.intracellular_faces[0].value = 1.0;
    settings.extracellular_faces[0].value = -1.0;
    AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 1, &n, &length, NULL, &box));
    AgreedSuccess(FgBoxVector(box, &inside));
    AgreedSuccess(FgBoxVector(box, &outside));
    AgreedSuccess(FgBidomainCreate(box, &settings, &bidomain));
    AgreedSuccess(FgBidomainSteady(bidomain, inside, outside));
    AgreedSuccess(VecGetArrayRead(inside, &a));
    AgreedSuccess(VecGetArrayRead(outside, &b));
    for (PetscInt i = 0; i < box->nlocal; i++) { /* least squares of log(V - V_r) over 0.5 to 6 lambda */
      double x[3], y = log(a[i] - b[i] + 0.08);

      FgBoxCenter(box, i, x);
      if (box->start[0] + i == 0) across = a[i] - b[i] + 0.08;
      if (x[0] < 0.5 * lambda || x[0] > 6.0 * lambda) continue;
      nsums += 1.0;
      sums[0] += x[0];
      sums[1] += y;
      sums[2] += x[0] * x[0];
      sums[3] += x[0] * y;
    }
    AgreedSuccess(VecRestoreArrayRead(outside, &b));
    AgreedSuccess(VecRestoreArrayRead(inside, &a));
    MPI_Allreduce(MPI_IN_PLACE, sums, 4, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &nsums, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &across, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
    slope      = (nsums * sums[3] - sums[0] * sums[1]) / (nsums * sums[2] - sums[0] * sums[0]);
    fitted     = -1.0 / slope;
    resistance = 1.0 / cable_inside + 1.0 / cable_outside;
    /* From the center of the first voxel to the face: the flux is given there. */
    input        = across + 0.5 * box->spacing[0] * resistance;
    error[level] = fabs(input / (lambda * resistance) - 1.0);
    if (!Rank())
      print_message("cable, %d voxels: lambda %.6e (exact %.6e), input %.8e (exact %.8e)\n", (int)n, fitted, lambda, input,
                    lambda * resistance);
    AgreedTrue(Close(fitted, lambda, 2e-4));
    AgreedSuccess(VecAXPY(inside, -1.0, outside));
    AgreedSuccess(FgBidomainImbalance(bidomain, inside, outside, &imbalance));
    AgreedTrue(imbalance < 1e-6);
    AgreedSuccess(FgBidomainDestroy(&bidomain));
    /* The steady state is one of the steps in time too, of any length. */
    for (int scheme = 0; scheme < 2; scheme++) {
      Vec    V;
      double difference = NAN;

      settings.scheme = scheme ? FG_BIDOMAIN_COUPLED : FG_BIDOMAIN_PARABOLIC_ELLIPTIC;
      AgreedSuccess(VecDuplicate(inside, &V));
      AgreedSuccess(VecCopy(inside, V));
      AgreedSuccess(FgBidomainCreate(box, &settings, &bidomain));
      AgreedSuccess(FgBidomainStep(bidomain, 1e-3, 3, V, outside, NULL));
      AgreedSuccess(FgBidomainStep(bidomain, 4e-4, 3, V, outside, NULL));
      AgreedSuccess(Difference(V, inside, &difference));
      AgreedTrue(difference < 1e-7);
      AgreedSuccess(FgBidomainDestroy(&bidomain));
      AgreedSuccess(VecDestroy(&V));
    }
    AgreedSuccess(VecDestroy(&inside));
    AgreedSuccess(VecDestroy(&outside));
    AgreedSuccess(FgBoxDestroy(&box));
  }
  AgreedTrue(error[0] < 1e-3 && error[0] / error[1] > 3.5);
}

static void currents_must_cancel(void **state)
{
  FgBidomainSettings settings = {.intracellular        = Isotropic(0.3),
                                 .extracellular        = Isotropic(0.6),
                                 .membrane_area        = Uniform(1e5),
                                 .intracellular_source = Uniform(2.0),
                                 .membrane             = {.conductance = 5.0, .capacitance = 0.01}};
  FgBidomain         bidomain;
  FgBox              box;
  Vec                inside, outside;

  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 3, (const PetscInt[]){4, 4, 4}, (const double[]){1, 2, 1}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &inside));
  AgreedSuccess(FgBoxVector(box, &outside));
  AgreedSuccess(FgBidomainCreate(box, &settings, &bidomain));
  AgreedFailure(FgBidomainSteady(bidomain, inside, outside), PETSC_ERR_USER, "their sum is 4");
  AgreedFailure(FgBidomainStep(bidomain, 1e-4, 1, inside, outside, NULL), PETSC_ERR_USER, "their sum is 4");
  AgreedSuccess(FgBidomainSetSources(bidomain, Uniform(2.0), Uniform(-2.0)));
  AgreedSuccess(FgBidomainSteady(bidomain, inside, outside));
  AgreedSuccess(FgBidomainDestroy(&bidomain));
  AgreedSuccess(VecDestroy(&inside));
  AgreedSuccess(VecDestroy(&outside));
  AgreedSuccess(FgBoxDestroy(&box));
}

/* Unit ramp of Nagumo's front at x = 0. */
static double Front(const double x[3], void *context)
{
  return 1.0 / (1.0 + exp((x[0] - *(const double *)context) / (sqrt(2.0 * (0.2 / 1400.0) / 1000.0))));
}

/* Where V falls through 1/2, between voxel centers [m]. */
static double FrontPlace(FgBox box, Vec V)
{
  Vec                ghosted;
  const PetscScalar *v;
  double             place = 0.0;
  PetscInt           first, count;

  AgreedSuccess(DMGetLocalVector(box->dm, &ghosted));
  AgreedSuccess(DMGlobalToLocalBegin(box->dm, V, INSERT_VALUES, ghosted));
  AgreedSuccess(DMGlobalToLocalEnd(box->dm, V, INSERT_VALUES, ghosted));
  AgreedSuccess(VecGetArrayRead(ghosted, &v));
  first = box->start[0] > 0 ? 1 : 0; /* ghosts below */
  count = box->nlocal;
  for (PetscInt i = 0; i < count && box->start[0] + i + 1 < box->n[0]; i++) {
    const double a = v[first + i], b = v[first + i + 1];

    if (a >= 0.5 && b < 0.5) place = ((double)(box->start[0] + i) + 0.5 + (a - 0.5) / (a - b)) * box->spacing[0];
  }
  AgreedSuccess(VecRestoreArrayRead(ghosted, &v));
  AgreedSuccess(DMRestoreLocalVector(box->dm, &ghosted));
  MPI_Allreduce(MPI_IN_PLACE, &place, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD);
  return place;
}

/* Speed over sqrt(2 D k) (1/2 - a), at h = fraction sqrt(2 D/k) and dt k = step. */
static double WaveSpeed(FgBidomainScheme scheme, double fraction, double step)
{
  const double   D = 0.2 / 1400.0, k = 1000.0, a = 0.1, speed = sqrt(2.0 * D * k) * (0.5 - a), h = fraction * sqrt(2.0 * D / k);
  const PetscInt n      = (PetscInt)lround(32.0 / fraction); /* 32 widths of the front */
  const double   length = n * h, dt = step / k, width = h / fraction;
  FgBidomainSettings settings = {.intracellular = Isotropic(cable_inside),
                                 .extracellular = Isotropic(cable_outside),
                                 .membrane_area = Uniform(cable_area),
                                 .scheme        = scheme,
                                 .membrane      = {.capacitance = 0.01, .excitation = k, .threshold = a}};
  FgBidomain         bidomain;
  FgBox              box;
  Vec                V, outside;
  double             begin     = 0.3 * length, place[2], imbalance;
  PetscInt           nsteps[2] = {(PetscInt)ceil(6.0 * width / (speed * dt)), (PetscInt)ceil(4.0 * width / (speed * dt))};

  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 1, &n, &length, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &V));
  AgreedSuccess(FgBoxVector(box, &outside));
  AgreedSuccess(Fill(box, Front, &begin, V));
  AgreedSuccess(FgBidomainCreate(box, &settings, &bidomain));
  for (int part = 0; part < 2; part++) {
    AgreedSuccess(FgBidomainStep(bidomain, dt, nsteps[part], V, outside, NULL));
    place[part] = FrontPlace(box, V);
  }
  AgreedSuccess(FgBidomainImbalance(bidomain, V, outside, &imbalance));
  AgreedTrue(imbalance < 1e-6);
  AgreedSuccess(FgBidomainDestroy(&bidomain));
  AgreedSuccess(VecDestroy(&V));
  AgreedSuccess(VecDestroy(&outside));
  AgreedSuccess(FgBoxDestroy(&box));
  return (place[1] - place[0]) / (nsteps[1] * dt) / speed;
}

/* The step in time is halved with the voxel, from 0.04/k: the error is one of first order in time and second in space. */
static void nagumo_wave_speed(void **state)
{
  const double expected[3] = {0.9931, 0.9974, 0.9989};

  for (int scheme = 0; scheme < 2; scheme++) {
    const int nlevels = Levels(3 - scheme, 1 - scheme);
    double    ratio[3];

    for (int level = 0; level < nlevels; level++) {
      ratio[level] = WaveSpeed(scheme ? FG_BIDOMAIN_COUPLED : FG_BIDOMAIN_PARABOLIC_ELLIPTIC, 0.5 / (1 << level),
                               0.04 / (1 << level));
      if (!Rank()) print_message("wave, scheme %d, level %d: %.4f\n", scheme, level, ratio[level]);
      AgreedTrue(fabs(ratio[level] - expected[level]) < 3e-4);
      AgreedTrue(level == 0 || (1.0 - ratio[level - 1]) / (1.0 - ratio[level]) > 2.0);
    }
  }
}

/* Both tensors of one shape that varies, with off-diagonal entries. */
static void FillShape(FgBox box, double factor, double *K)
{
  for (PetscInt i = 0; i < box->nlocal; i++) {
    double x[3], angle, along, c, s;

    FgBoxCenter(box, i, x);
    angle = 0.4 + 0.8 * x[0] / box->edge[0] + 0.5 * x[1] / box->edge[1];
    along = 1.0 + x[1] / box->edge[1];
    c     = cos(angle);
    s     = sin(angle);
    memset(&K[9 * i], 0, 9 * sizeof *K);
    K[9 * i]     = factor * (along * c * c + 0.2 * s * s);
    K[9 * i + 1] = K[9 * i + 3] = factor * (along - 0.2) * c * s;
    K[9 * i + 4]                = factor * (along * s * s + 0.2 * c * c);
    K[9 * i + 8]                = factor * 0.2;
  }
}

static double Bump(const double x[3], void *context)
{
  const double *p = context; /* height, center, width */

  return p[0] * exp(-(pow(x[0] - p[1], 2) + pow(x[1] - p[2], 2)) / (p[3] * p[3]));
}

/* Sigma_e = 2 Sigma_i, nothing enters at the faces: V follows the monodomain equation with Sigma_i 2/3, steadily and in
   every coupled step; the parabolic-elliptic steps come to it as dt goes to 0. */
static void equal_anisotropy_reduces_to_monodomain(void **state)
{
  const double                area = 1e5, g = 4.0, capacitance = 0.01, alpha = 2.0, dt = 2e-4;
  FgBidomainSettings          settings = {.membrane_area = Uniform(area),
                                          .membrane      = {.conductance = g, .capacitance = capacitance, .rest = -0.05},
                                          .tolerance     = 1e-13};
  FgReactionDiffusionSettings mono     = {.rate = Uniform(area * g), .storage = Uniform(area * capacitance), .tolerance = 1e-13};
  FgReactionDiffusion         monodomain;
  FgBidomain                  bidomain;
  FgBox                       box;
  Vec                         inside, outside, V, u, start;
  double                     *K[3], *source[3], difference = 0, split[2], imbalance;

  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){14, 12}, (const double[]){6e-3, 5e-3}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &inside));
  AgreedSuccess(FgBoxVector(box, &outside));
  AgreedSuccess(FgBoxVector(box, &V));
  AgreedSuccess(FgBoxVector(box, &u));
  AgreedSuccess(FgBoxVector(box, &start));
  for (int k = 0; k < 3; k++) {
    AgreedSuccess(PetscMalloc2(9 * box->nlocal, &K[k], box->nlocal, &source[k]));
    FillShape(box, k == 0 ? 0.3 : k == 1 ? 0.3 * alpha : 0.3 * alpha / (1.0 + alpha), K[k]);
  }
  for (PetscInt i = 0; i < box->nlocal; i++) {
    double x[3];

    FgBoxCenter(box, i, x);
    source[0][i] = 1e4 * sin(900.0 * x[0]) * cos(500.0 * x[1]);
    source[1][i] = -source[0][i];
    source[2][i] = source[0][i] + area * g * -0.05;
  }
  settings.intracellular        = (FgCoefficient){K[0], PETSC_TRUE};
  settings.extracellular        = (FgCoefficient){K[1], PETSC_TRUE};
  settings.intracellular_source = (FgCoefficient){source[0], PETSC_TRUE};
  settings.extracellular_source = (FgCoefficient){source[1], PETSC_TRUE};
  mono.diffusion                = (FgCoefficient){K[2], PETSC_TRUE};
  mono.source                   = (FgCoefficient){source[2], PETSC_TRUE};
  AgreedSuccess(FgReactionDiffusionCreate(box, &mono, &monodomain));
  for (int scheme = 0; scheme < 2; scheme++) {
    double bump[4] = {0.1, 2e-3, 3e-3, 1e-3};

    settings.scheme = scheme ? FG_BIDOMAIN_PARABOLIC_ELLIPTIC : FG_BIDOMAIN_COUPLED;
    AgreedSuccess(FgBidomainCreate(box, &settings, &bidomain));
    AgreedSuccess(FgBidomainSteady(bidomain, inside, outside));
    AgreedSuccess(FgReactionDiffusionSteady(monodomain, u));
    AgreedSuccess(VecWAXPY(V, -1.0, outside, inside));
    AgreedSuccess(Difference(V, u, &difference));
    if (!Rank()) print_message("monodomain, steady: %.2e\n", difference);
    AgreedTrue(difference < 1e-9);
    AgreedSuccess(Fill(box, Bump, bump, start));
    for (int level = 0; level < 2; level++) {
      AgreedSuccess(VecCopy(start, V));
      AgreedSuccess(VecCopy(start, u));
      AgreedSuccess(FgBidomainStep(bidomain, dt / (1 << level), 10 << level, V, outside, NULL));
      AgreedSuccess(FgReactionDiffusionStep(monodomain, dt / (1 << level), 10 << level, u));
      AgreedSuccess(Difference(V, u, &split[level]));
      AgreedSuccess(FgBidomainImbalance(bidomain, V, outside, &imbalance));
      AgreedTrue(imbalance < 1e-8);
    }
    if (!Rank()) print_message("monodomain, steps of scheme %d: %.2e %.2e\n", scheme, split[0], split[1]);
    if (scheme) {
      AgreedTrue(split[0] < 0.05 && split[0] / split[1] > 1.7);
    } else {
      AgreedTrue(split[0] < 1e-9 && split[1] < 1e-9);
    }
    AgreedSuccess(FgBidomainDestroy(&bidomain));
  }
  for (int k = 0; k < 3; k++) AgreedSuccess(PetscFree2(K[k], source[k]));
  AgreedSuccess(FgReactionDiffusionDestroy(&monodomain));
  AgreedSuccess(VecDestroy(&inside));
  AgreedSuccess(VecDestroy(&outside));
  AgreedSuccess(VecDestroy(&V));
  AgreedSuccess(VecDestroy(&u));
  AgreedSuccess(VecDestroy(&start));
  AgreedSuccess(FgBoxDestroy(&box));
}

/* Adding a constant to both potentials changes neither V nor anything that follows: given on faces, or in the start of
   phi_e. */
static void a_common_constant_changes_nothing(void **state)
{
  const double       K[2][9] = {{0.3, 0.1, 0, 0.1, 0.1, 0, 0, 0, 1}, {0.5, -0.1, 0, -0.1, 0.4, 0, 0, 0, 1}}, constant = 3.0;
  double             bump[4]  = {0.8, 2e-3, 3e-3, 1e-3};
  FgBidomainSettings settings = {.intracellular = {K[0], PETSC_FALSE},
                                 .extracellular = {K[1], PETSC_FALSE},
                                 .membrane_area = Uniform(1e5),
                                 .tolerance     = 1e-13,
                                 .membrane      = {.conductance = 4.0, .capacitance = 0.01}};
  FgBidomain         bidomain;
  FgBox              box;
  Vec                x[2][2], V[2], w[2];
  double             difference = 0, imbalance;

  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){12, 10}, (const double[]){6e-3, 5e-3}, NULL, &box));
  for (int k = 0; k < 2; k++) {
    AgreedSuccess(FgBoxVector(box, &x[k][0]));
    AgreedSuccess(FgBoxVector(box, &x[k][1]));
    AgreedSuccess(FgBoxVector(box, &V[k]));
    AgreedSuccess(FgBoxVector(box, &w[k]));
    settings.intracellular_faces[0] = (FgFace){FG_FACE_VALUE, 0.1 + k * constant, NULL, NULL};
    settings.extracellular_faces[0] = (FgFace){FG_FACE_VALUE, 0.02 + k * constant, NULL, NULL};
    settings.extracellular_faces[3] = (FgFace){FG_FACE_VALUE, -0.03 + k * constant, NULL, NULL};
    AgreedSuccess(FgBidomainCreate(box, &settings, &bidomain));
    AgreedSuccess(FgBidomainSteady(bidomain, x[k][0], x[k][1]));
    AgreedSuccess(FgBidomainDestroy(&bidomain));
    AgreedSuccess(VecWAXPY(V[k], -1.0, x[k][1], x[k][0]));
  }
  AgreedSuccess(Difference(V[1], V[0], &difference));
  AgreedTrue(difference < 1e-9);
  AgreedSuccess(VecShift(x[1][1], -constant));
  AgreedSuccess(Difference(x[1][1], x[0][1], &difference));
  AgreedTrue(difference < 1e-9);
  memset(settings.intracellular_faces, 0, sizeof settings.intracellular_faces);
  memset(settings.extracellular_faces, 0, sizeof settings.extracellular_faces);
  settings.membrane = (FgMembrane){
      .capacitance = 0.01, .excitation = 1000.0, .threshold = 0.1, .recovery = 10.0, .recovery_gain = 50.0};
  AgreedSuccess(FgBidomainCreate(box, &settings, &bidomain));
  for (int k = 0; k < 2; k++) {
    AgreedSuccess(VecSet(x[k][1], k * constant));
    AgreedSuccess(Fill(box, Bump, bump, V[k]));
    AgreedSuccess(FgBidomainStep(bidomain, 2e-4, 10, V[k], x[k][1], w[k]));
    AgreedSuccess(FgBidomainImbalance(bidomain, V[k], x[k][1], &imbalance));
    AgreedTrue(imbalance < 1e-8);
  }
  AgreedSuccess(Difference(V[1], V[0], &difference));
  AgreedTrue(difference < 1e-9);
  AgreedSuccess(Difference(w[1], w[0], &difference));
  AgreedTrue(difference < 1e-9);
  AgreedSuccess(FgBidomainDestroy(&bidomain));
  for (int k = 0; k < 2; k++) {
    AgreedSuccess(VecDestroy(&x[k][0]));
    AgreedSuccess(VecDestroy(&x[k][1]));
    AgreedSuccess(VecDestroy(&V[k]));
    AgreedSuccess(VecDestroy(&w[k]));
  }
  AgreedSuccess(FgBoxDestroy(&box));
}

/* A uniform tissue is FitzHugh and Nagumo's pair of ordinary equations: first order against Runge and Kutta's fine steps.
   */
static void a_uniform_tissue_is_its_membrane(void **state)
{
  const FgMembrane   m = {.capacitance = 0.01, .excitation = 1000.0, .threshold = 0.1, .recovery = 20.0, .recovery_gain = 300.0};
  FgBidomainSettings settings = {
      .intracellular = Isotropic(0.3), .extracellular = Isotropic(0.6), .membrane_area = Uniform(1e5), .membrane = m};
  double y[2] = {0.3, 0.0}, deviation[2];

  for (int step = 0; step < 20000; step++) {
    const double dt = 0.02 / 20000;
    double       slope[4][2];

    for (int k = 0; k < 4; k++) {
      const double c = k == 0   ? 0.0
                       : k == 3 ? dt
                                : 0.5 * dt,
                   V = y[0] + (k ? c * slope[k - 1][0] : 0.0), w = y[1] + (k ? c * slope[k - 1][1] : 0.0);

      slope[k][0] = m.excitation * V * (1.0 - V) * (V - m.threshold) - w;
      slope[k][1] = m.recovery * (m.recovery_gain * V - w);
    }
    for (int k = 0; k < 2; k++) y[k] += dt / 6.0 * (slope[0][k] + 2.0 * slope[1][k] + 2.0 * slope[2][k] + slope[3][k]);
  }
  for (int level = 0; level < 2; level++) {
    FgBidomain  bidomain;
    FgBox       box;
    Vec         V, outside, w;
    PetscScalar sum[2];

    AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 1, (const PetscInt[]){4}, (const double[]){1e-3}, NULL, &box));
    AgreedSuccess(FgBoxVector(box, &V));
    AgreedSuccess(FgBoxVector(box, &outside));
    AgreedSuccess(FgBoxVector(box, &w));
    AgreedSuccess(VecSet(V, 0.3));
    AgreedSuccess(FgBidomainCreate(box, &settings, &bidomain));
    AgreedSuccess(FgBidomainStep(bidomain, 0.02 / (100 << level), 100 << level, V, outside, w));
    AgreedSuccess(VecSum(V, &sum[0]));
    AgreedSuccess(VecSum(w, &sum[1]));
    deviation[level] = fabs(sum[0] / 4.0 - y[0]) / fabs(y[0]) + fabs(sum[1] / 4.0 - y[1]) / fabs(y[1]);
    AgreedSuccess(FgBidomainDestroy(&bidomain));
    AgreedSuccess(VecDestroy(&V));
    AgreedSuccess(VecDestroy(&outside));
    AgreedSuccess(VecDestroy(&w));
    AgreedSuccess(FgBoxDestroy(&box));
  }
  if (!Rank()) print_message("membrane: %.2e %.2e\n", deviation[0], deviation[1]);
  AgreedTrue(deviation[1] < 1e-2 && Close(deviation[0] / deviation[1], 2.0, 0.1));
}

static void senseless_input_is_refused(void **state)
{
  FgBidomainSettings s = {
      .intracellular = Uniform(1, 0, 0, 0, 0, 0, 0, 0, 0), .membrane_area = Uniform(1.0), .membrane = {.excitation = 1.0}};
  FgBidomain bidomain = NULL;
  FgBox      box;
  Vec        u;

  AgreedSuccess(FgBoxCreate(PETSC_COMM_WORLD, 2, (const PetscInt[]){4, 4}, (const double[]){1, 1}, NULL, &box));
  AgreedSuccess(FgBoxVector(box, &u));
  s.extracellular = s.intracellular;
  AgreedFailure(FgBidomainCreate(box, &s, &bidomain), PETSC_ERR_USER, "not positive definite");
  AgreedSuccess(FgBidomainDestroy(&bidomain));
  s.extracellular = Isotropic(1.0);
  AgreedSuccess(FgBidomainCreate(box, &s, &bidomain));
  AgreedFailure(FgBidomainSteady(bidomain, u, u), PETSC_ERR_USER, "conductance");
  AgreedFailure(FgBidomainStep(bidomain, 1.0, 1, u, u, NULL), PETSC_ERR_USER, "capacitance");
  AgreedSuccess(FgBidomainDestroy(&bidomain));
  AgreedSuccess(VecDestroy(&u));
  AgreedSuccess(FgBoxDestroy(&box));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cable_length_and_input_resistance),
      cmocka_unit_test(currents_must_cancel),
      cmocka_unit_test(nagumo_wave_speed),
      cmocka_unit_test(equal_anisotropy_reduces_to_monodomain),
      cmocka_unit_test(a_common_constant_changes_nothing),
      cmocka_unit_test(a_uniform_tissue_is_its_membrane),
      cmocka_unit_test(senseless_input_is_refused),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
