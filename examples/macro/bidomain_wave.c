/* bidomain_wave.c: from an image of tissue to the speed of its excitation.

   1. A block of heart muscle as voxels: one myocyte along z in extracellular fluid, joined to its neighbors by resistive
      voxels: a plane across its end, and bridges at its sides. Without them no current could pass from cell to cell.
   2. The cell problems: effective conductivities Sigma_i and Sigma_e, and membrane area a volume beta.
   3. Plane waves in tissue with these coefficients, running at an angle to the myocytes: bidomain equations with a
      Nagumo membrane, followed in time. In a direction q a plane wave sees the conductivities q.Sigma q, so that
        speed = sqrt(2 D k) (1/2 - a),   D = S_i S_e/((S_i + S_e) beta C_m),   S = q.Sigma q.

     cmake --build --preset release && build/release/examples/macro/bidomain_wave

   Fails where a speed is more than 1 % off. The equations: docs/physics/macroscopic.md. */
#include "finegrain/cell.h"
#include "finegrain/macro.h"

#include <math.h>

enum { FLUID, MYOCYTE, END, SIDE, NPHASES };

static const FgMembrane membrane = {.capacitance = 0.01, .excitation = 1000.0, .threshold = 0.1}; /* F/m^2, 1/s, 1 */

/* The myocyte fills the middle of the block's section; its end is the last plane; bridges cross the fluid at mid-length. */
static int PhaseAt(PetscInt x, PetscInt y, PetscInt z, const PetscInt n[3])
{
  const double u = fabs((x + 0.5) / n[0] - 0.5), v = fabs((y + 0.5) / n[1] - 0.5), w = fabs((z + 0.5) / n[2] - 0.5);

  if (u < 0.42 && v < 0.42) return z == n[2] - 1 ? END : MYOCYTE;
  return w < 0.2 && (u < 0.15 || v < 0.15) ? SIDE : FLUID;
}

static PetscErrorCode Block(FgCell *cell)
{
  const PetscInt    n[3]             = {24, 24, 24};
  const double      edge[3]          = {25e-6, 25e-6, 100e-6};
  const char *const names[NPHASES]   = {"fluid", "myocyte", "end", "side"};
  const double      inside[NPHASES]  = {0.0, 0.45, 0.05, 0.02}; /* S/m */
  const double      outside[NPHASES] = {1.5, 0.0, 0.0, 0.0};
  FgPhaseTable      table            = {.nphases = 0};

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(table.source, "bidomain_wave", sizeof table.source));
  for (int p = 0; p < NPHASES; p++) {
    PetscCall(FgPhaseTableAdd(&table, names[p], p));
    PetscCall(FgPhaseTableSet(&table, p, "intracellular-conductivity", 1, &inside[p]));
    PetscCall(FgPhaseTableSet(&table, p, "extracellular-conductivity", 1, &outside[p]));
  }
  PetscCall(FgCellCreate(PETSC_COMM_WORLD, n, edge, &table, table.source, cell));
  for (PetscInt i = 0; i < (*cell)->nlocal; i++) {
    (*cell)->phase[i] = (uint16_t)PhaseAt(i % n[0], i / n[0] % n[1], (*cell)->start + i / (n[0] * n[1]), n);
  }
  PetscCall(FgCellComplete(*cell));
  PetscCall(FgPhaseTableDestroy(&table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sigma seen along a first axis at `angle` to z in the plane of x and z: R Sigma R^T. */
static void Turn(const double sigma[9], double angle, double turned[9])
{
  const double R[3][3] = {{sin(angle), 0.0, cos(angle)}, {0.0, 1.0, 0.0}, {-cos(angle), 0.0, sin(angle)}};

  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      turned[3 * i + j] = 0.0;
      for (int k = 0; k < 9; k++) turned[3 * i + j] += R[i][k / 3] * sigma[k] * R[j][k % 3];
    }
  }
}

static PetscErrorCode WaveSpeed(const double inside[9], const double outside[9], double beta, double *expected, double *speed)
{
  const double       D     = inside[0] * outside[0] / ((inside[0] + outside[0]) * beta * membrane.capacitance);
  const double       width = sqrt(2.0 * D / membrane.excitation), edge = 32.0 * width, dt = 0.02 / membrane.excitation;
  const PetscInt     n        = 128;
  FgBidomainSettings settings = {.intracellular = {inside, PETSC_FALSE},
                                 .extracellular = {outside, PETSC_FALSE},
                                 .membrane_area = {&beta, PETSC_FALSE},
                                 .membrane      = membrane};
  FgBidomain         bidomain;
  FgBox              box;
  Vec                V, phi_e;
  PetscScalar       *v;
  double             begin, end;
  PetscInt           nsteps[2];

  PetscFunctionBegin;
  *expected = sqrt(2.0 * D * membrane.excitation) * (0.5 - membrane.threshold);
  /* The integral of V is the length that is excited; the front keeps its shape, so that it grows with its speed. */
  nsteps[0] = (PetscInt)ceil(6.0 * width / (*expected * dt)); /* until the front has its shape */
  nsteps[1] = (PetscInt)ceil(4.0 * width / (*expected * dt));
  PetscCall(FgBoxCreate(PETSC_COMM_WORLD, 1, &n, &edge, NULL, &box));
  PetscCall(FgBoxVector(box, &V));
  PetscCall(FgBoxVector(box, &phi_e));
  PetscCall(VecGetArray(V, &v));
  for (PetscInt i = 0; i < box->nlocal; i++) {
    double x[3];

    FgBoxCenter(box, i, x);
    v[i] = x[0] < 0.3 * edge ? 1.0 : 0.0;
  }
  PetscCall(VecRestoreArray(V, &v));
  PetscCall(FgBidomainCreate(box, &settings, &bidomain));
  PetscCall(FgBidomainStep(bidomain, dt, nsteps[0], V, phi_e, NULL));
  PetscCall(FgBoxIntegral(box, (FgCoefficient){NULL, PETSC_FALSE}, V, &begin));
  PetscCall(FgBidomainStep(bidomain, dt, nsteps[1], V, phi_e, NULL));
  PetscCall(FgBoxIntegral(box, (FgCoefficient){NULL, PETSC_FALSE}, V, &end));
  *speed = (end - begin) / (nsteps[1] * dt);
  PetscCall(FgBidomainDestroy(&bidomain));
  PetscCall(VecDestroy(&V));
  PetscCall(VecDestroy(&phi_e));
  PetscCall(FgBoxDestroy(&box));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(PetscBool *good)
{
  FgCellSettings settings = FgCellDefaults;
  FgCellReport   report   = {.physics = "bidomain"};
  FgCell         cell;
  double         inside[9], outside[9], beta;

  PetscFunctionBegin;
  PetscCall(Block(&cell));
  PetscCall(FgPhysicsFind("bidomain")->solve(cell, &settings, &report));
  for (int k = 0; k < 9; k++) {
    inside[k]  = FgReportFind(&report, "Sigma_i")->value[k];
    outside[k] = FgReportFind(&report, "Sigma_e")->value[k];
  }
  beta = FgReportFind(&report, "beta")->value[0];
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "Sigma_i across, along %.4f %.4f S/m; Sigma_e %.4f %.4f S/m; beta %.0f 1/m\n",
                        inside[0], inside[8], outside[0], outside[8], beta));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "angle [degree]  speed [m/s]  expected [m/s]  ratio\n"));
  for (int angle = 0; angle <= 90; angle += 30) {
    double turned_inside[9], turned_outside[9], speed = NAN, expected = NAN;

    Turn(inside, angle * M_PI / 180.0, turned_inside);
    Turn(outside, angle * M_PI / 180.0, turned_outside);
    PetscCall(WaveSpeed(turned_inside, turned_outside, beta, &expected, &speed));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%14d  %11.4f  %14.4f  %.4f\n", angle, speed, expected, speed / expected));
    if (!(fabs(speed / expected - 1.0) < 0.01)) *good = PETSC_FALSE;
  }
  PetscCall(FgReportDestroy(&report));
  PetscCall(FgCellDestroy(&cell));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscBool      good = PETSC_TRUE;
  PetscErrorCode code;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  code = Run(&good);
  return PetscFinalize() || code || !good;
}
