/* reaction.c: physics `reaction`: effective reaction rates beside the effective diffusivity.

     micro  du/dt - div( D grad u ) + k(y) u = s;   k_s u on the surface of a reacting phase
     macro  du/dt - div( D* grad u ) + k_eff u = <s>,   k_eff = <k> + beta k_s

   exact as the cell's Damkoehler number k l^2/D goes to 0: u is then uniform in the cell. Where it is not small the
   consistent rate is the u-weighted one, <k u>/<u>; `reaction` reports it for a uniform supply: the periodic solution of
     -div( D grad u ) + k u = s,  s = 1 everywhere,   k_weighted = <k u>/<u> = 1/<u>
   on the cell as it is, so that the difference to <k> is the error of homogenisation. Surface reactions are spread over the
   cell by their area beta, found by the Crofton formula. Source: docs/physics/reaction.md. */
#include "effective.h"
#include "interface.h"

#include <math.h>

/* beta k_s of all reacting surfaces [1/s]: each phase's boundary with all others. */
static PetscErrorCode Surfaces(FgCell cell, double *rate, FgCellReport *report)
{
  const PetscInt n = cell->table.nphases;
  PetscBool     *first, *second, given;
  double        *surface, area;

  PetscFunctionBegin;
  *rate = 0;
  PetscCall(FgCellProperty(cell, "surface-rate", &surface, &given));
  PetscCall(PetscMalloc2(n, &first, n, &second));
  for (PetscInt p = 0; given && p < n; p++) {
    char name[FG_CELL_NAME], text[256];

    if (surface[p] == 0 || cell->fraction[p] == 0) continue;
    for (PetscInt q = 0; q < n; q++) {
      first[q]  = q == p ? PETSC_TRUE : PETSC_FALSE;
      second[q] = q != p ? PETSC_TRUE : PETSC_FALSE;
    }
    PetscCall(FgInterfaceArea(cell, first, second, &area));
    *rate += area * surface[p];
    PetscCall(PetscSNPrintf(name, sizeof(name), "beta_%s", cell->table.phases[p].name));
    PetscCall(PetscSNPrintf(text, sizeof(text), "surface of %s per volume of the cell", cell->table.phases[p].name));
    PetscCall(FgReportEffective(report, name, "1/m", 1, 1, &area, text, NULL));
  }
  PetscCall(PetscFree2(first, second));
  PetscCall(PetscFree(surface));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether every connected component of what conducts reacts somewhere: elsewhere a supply has nowhere to go. */
static PetscErrorCode Consumes(FgCell cell, FgScalar op, const double *rate, PetscBool *consumes)
{
  const FgComponents *components = NULL;
  double             *sum;

  PetscFunctionBegin;
  *consumes = PETSC_TRUE;
  if (!FgScalarHasImpermeable(op)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgScalarComponents(op, &components));
  PetscCall(PetscCalloc1(components->ncomponents, &sum));
  for (PetscInt i = 0; i < cell->nlocal; i++) {
    if (components->component[i] >= 0) sum[components->component[i]] += rate[cell->phase[i]];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, (PetscMPIInt)components->ncomponents, MPI_DOUBLE, MPI_SUM, cell->comm));
  for (PetscInt c = 0; c < components->ncomponents; c++) {
    if (sum[c] == 0) *consumes = PETSC_FALSE;
  }
  PetscCall(PetscFree(sum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The rate weighted by u, -div(D grad u) + k u = 1 in phases that conduct; no item where some part cannot react. */
static PetscErrorCode Weighted(FgCell cell, const FgCellSettings *settings, const double *tensors, const double *rate,
                               double surface, double mean, FgCellReport *report)
{
  FgScalar       op;
  PetscBool      consumes;
  PetscErrorCode code;
  double         sums[2] = {0}, *b, *u, weighted;

  PetscFunctionBegin;
  PetscCall(FgScalarCreate(cell, settings, tensors, 6, &op));
  PetscCall(Consumes(cell, op, rate, &consumes));
  if (!consumes) {
    PetscCall(FgReportNote(report, "no weighted rate: a part that nothing leaves has no reaction, a supply to it never ends"));
    PetscCall(FgScalarDestroy(&op));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FgScalarReaction(op, rate));
  PetscCall(PetscMalloc2(cell->nlocal, &b, cell->nlocal, &u));
  for (PetscInt i = 0; i < cell->nlocal; i++) {
    const double *t = tensors + 6 * cell->phase[i];

    b[i] = t[0] > 0 || t[1] > 0 || t[2] > 0 ? 1.0 : 0.0;
  }
  code = FgScalarSolve(op, "u", b, 0, u, report);
  if (code) {
    PetscCall(PetscFree2(b, u));
    PetscCall(FgScalarDestroy(&op));
  }
  PetscCall(code);
  for (PetscInt i = 0; i < cell->nlocal; i++) {
    sums[0] += rate[cell->phase[i]] * u[i];
    sums[1] += u[i];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, cell->comm));
  weighted = sums[0] / sums[1] + surface;
  PetscCall(FgReportEffective(report, "k_weighted", "1/s", 1, 1, &weighted, "rate weighted by the local u under a uniform supply",
                              NULL));
  if (settings->keep_fields) PetscCall(FgReportField(report, cell, "u", "s", 1, u));
  if (fabs(weighted - mean) > 0.01 * mean)
    PetscCall(
        FgReportNote(report,
                     "the reaction is not slow on the scale of the cell: k_eff and k_weighted differ by %.1f %%; the weighted "
                     "one keeps the rate of reaction",
                     100.0 * fabs(weighted - mean) / mean));
  PetscCall(PetscFree2(b, u));
  PetscCall(FgScalarDestroy(&op));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveRates(FgCell cell, const FgCellSettings *settings, const double *tensors, const double *rate,
                                 FgCellReport *report)
{
  FgConduction conduction = {0};
  double       surface, mean, damkoehler, edge = 0, slowest = PETSC_MAX_REAL;

  PetscFunctionBegin;
  PetscCall(FgConductionSolve(cell, settings, tensors, "D", &conduction, report));
  PetscCall(FgConductionReport(cell, &conduction, tensors, "D", "m^2/s", "effective diffusivity", report));
  mean = FgCellMean(cell, rate, 1);
  PetscCall(Surfaces(cell, &surface, report));
  if (surface > 0)
    PetscCall(FgReportEffective(report, "k_surface", "1/s", 1, 1, &surface, "rate of the reactions on surfaces, beta k_s", NULL));
  mean += surface;
  PetscCall(FgReportEffective(report, "k_eff", "1/s", 1, 1, &mean, "effective reaction rate, volume average", NULL));
  for (int a = 0; a < 3; a++) {
    if (cell->n[a] == 1) continue;
    edge = PetscMax(edge, cell->edge[a]);
    if (conduction.energy[4 * a] > 0) slowest = PetscMin(slowest, conduction.energy[4 * a]);
  }
  damkoehler = mean * edge * edge / slowest;
  PetscCall(FgReportEffective(report, "damkoehler", "1", 1, 1, &damkoehler,
                              "k_eff L^2/D, L the longest edge, D the least effective one", NULL));
  if (FgTensorsAreDiagonal(cell, tensors) && FgCellMean(cell, rate, 1) > 0)
    PetscCall(Weighted(cell, settings, tensors, rate, surface, mean, report));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  double        *tensors = NULL, *rate = NULL;
  PetscErrorCode code;

  PetscFunctionBegin;
  code = FgCellProperty(cell, "diffusivity", &tensors, NULL);
  if (!code) code = FgCellProperty(cell, "reaction-rate", &rate, NULL);
  if (!code) code = SolveRates(cell, settings, tensors, rate, report);
  PetscCall(PetscFree(tensors));
  PetscCall(PetscFree(rate));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  double *tensors, bytes;

  if (FgCellProperty(cell, "diffusivity", &tensors, NULL)) return 0;
  bytes = FgConductionBytes(cell, settings, tensors, 3);
  PetscFree(tensors);
  return bytes;
}

const FgPhysics FgPhysicsReaction = {"reaction", "effective diffusivity and reaction rates, in the volume and on surfaces", Solve,
                                     BytesPerVoxel, PETSC_FALSE};
