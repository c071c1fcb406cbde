/* active_stress.c: physics `active-stress`: the macroscopic active stress of contracting fibers in an elastic cell.

     sigma = C : eps + sigma_a,   sigma_a = T f (kappa I + (1 - 3 kappa) a a^T) in each phase
   with active tension T, myofibril fraction f, mean fiber direction a and dispersion kappa. At macroscopic strain 0
     S = < A^T : sigma_a >,   S_J = < (E_J + eps(u_J)) : sigma_a >
   with the strains u_J of the six load cases of the effective stiffness: no further solve (Levin 1967; Hill 1967). The plain
   average <sigma_a> is exact where C is uniform or the active direction is one of uniform strain; both are reported.
   Dispersion (Gasser, Ogden and Holzapfel 2006): kappa = (1/4) integral of rho(T) sin^3 T dT over 0..pi with the integral of
   rho sin T equal to 2. Source: docs/physics/active_stress.md. */
#include "elastic.h"

#include <gsl/gsl_integration.h>
#include <math.h>

/* With t = cos T: kappa = integral of (1 - t^2) w / (2 integral of w) over 0..1, w = exp(2 b (t^2 - 1)). */
static double Weight(double t, void *context)
{
  return exp(2.0 * *(const double *)context * (t * t - 1.0));
}

static double WeightAcross(double t, void *context)
{
  return (1.0 - t * t) * Weight(t, context);
}

PetscErrorCode FgFiberDispersion(double b, double *kappa)
{
  enum { INTERVALS = 200 };
  gsl_integration_workspace *work     = gsl_integration_workspace_alloc(INTERVALS);
  gsl_function               function = {Weight, &b};
  double                     sums[2], error;

  PetscFunctionBegin;
  PetscCheck(work, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for a quadrature");
  for (int i = 0; i < 2; i++) {
    function.function = i ? WeightAcross : Weight;
    gsl_integration_qag(&function, 0.0, 1.0, 0.0, 1e-12, INTERVALS, GSL_INTEG_GAUSS31, work, &sums[i], &error);
  }
  gsl_integration_workspace_free(work);
  *kappa = sums[1] / (2.0 * sums[0]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sigma_a of every phase, [nphases][6]. */
static PetscErrorCode ReadActive(FgCell cell, double *active)
{
  PetscFunctionBegin;
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const FgPhase *phase   = &cell->table.phases[p];
    const double  *tension = FgPhaseGiven(cell, p, "active-stress"), *a = FgPhaseGiven(cell, p, "fiber-direction");
    const double  *given = FgPhaseGiven(cell, p, "fiber-dispersion"), *b = FgPhaseGiven(cell, p, "fiber-concentration");
    const double  *fraction = FgPhaseGiven(cell, p, "myofibril-fraction");
    double         kappa    = given ? *given : 0.0, square;

    PetscCall(PetscArrayzero(active + 6 * p, 6));
    PetscCheck(!given || !b, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: phase '%s' (label %d) has both 'fiber-dispersion' and 'fiber-concentration'; expected one of them",
               cell->table.source, phase->name, phase->label);
    if (!tension || *tension == 0) continue;
    if (b) PetscCall(FgFiberDispersion(*b, &kappa));
    square = a ? a[0] * a[0] + a[1] * a[1] + a[2] * a[2] : 0.0;
    PetscCheck(square > 0 || kappa == 1.0 / 3.0 || cell->fraction[p] == 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: phase '%s' (label %d) has 'active-stress' but %s; expected a mean direction of its fibers",
               cell->table.source, phase->name, phase->label, a ? "a 'fiber-direction' of length 0" : "no 'fiber-direction'");
    for (int i = 0; i < 6; i++) {
      static const int pair[6][2] = {{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}};
      const double     dyad       = square > 0 ? a[pair[i][0]] * a[pair[i][1]] / square : 0.0;

      active[6 * p + i] = *tension * (fraction ? *fraction : 1.0) * ((i < 3 ? kappa : 0.0) + (1.0 - 3.0 * kappa) * dyad);
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  FgElastic      elastic = {0};
  PetscErrorCode code;
  double        *active, localised[6] = {0}, average[6] = {0}, largest = 0, difference = 0;
  FgEffective   *item;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(cell->table.nphases * 6, &active));
  code = ReadActive(cell, active);
  if (!code) code = FgElasticSolve(cell, settings, &elastic, report);
  if (code) PetscCall(PetscFree(active));
  PetscCall(code);
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    for (int i = 0; i < 6; i++) {
      if (cell->fraction[p] > 0) average[i] += cell->fraction[p] * active[6 * p + i];
      for (int j = 0; j < 6; j++) localised[j] += elastic.result.mean[36 * p + 6 * i + j] * active[6 * p + i];
    }
  }
  for (int i = 0; i < 6; i++) {
    largest    = PetscMax(largest, fabs(average[i]));
    difference = PetscMax(difference, fabs(localised[i] - average[i]));
  }
  PetscCall(
      FgReportEffective(report, "S", "Pa", 6, 1, localised, "active stress at zero strain, localised; xx yy zz yz xz xy", NULL));
  PetscCall(FgReportEffective(report, "S_average", "Pa", 6, 1, average, "plain volume average of the active stress", NULL));
  if (largest == 0) PetscCall(FgReportNote(report, "no phase has an 'active-stress': S is 0"));
  else if (difference > 1e-3 * largest)
    PetscCall(FgReportNote(report,
                           "the plain average of the active stress is off by %.2g of its largest value: strain is not uniform "
                           "where the fibers pull",
                           difference / largest));
  PetscCall(FgReportEffective(report, "C", "Pa", 6, 6, elastic.result.energy,
                              "effective stiffness, energy form; order xx yy zz yz xz xy, engineering shear", &item));
  item->detail = PETSC_TRUE;
  PetscCall(FgElasticDestroy(&elastic));
  PetscCall(PetscFree(active));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  return FgElementsBytesPerVoxel(cell, 3);
}

const FgPhysics FgPhysicsActiveStress = {"active-stress", "macroscopic active stress of contracting fibers", Solve, BytesPerVoxel,
                                         PETSC_FALSE};
