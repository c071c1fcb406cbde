/* effective.c: the effective tensor of a cell from the tensors of its phases, with bounds.

   Phases with diagonal tensors go to the finite volumes of scalar.c, others to the trilinear elements of elements.c. Where
   phases do not conduct, directions in which nothing percolates have an effective conductivity of exactly 0: the connected
   components say so, and the tensor is projected onto the span of the directions that percolate.

   Bounds in the sense of matrices: <K^-1>^-1 <= K* <= <K> (Reuss, Voigt), and for isotropic K* of two isotropic phases
   k1 < k2 in d dimensions (Hashin and Shtrikman 1962)
     k1 + f2/(1/(k2 - k1) + f1/(d k1)) <= K* <= k2 + f1/(1/(k1 - k2) + f2/(d k2)). */
#include "effective.h"
#include "elements.h"

#include <math.h>

void FgTensorsScale(FgCell cell, const double *factor, double *tensors)
{
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    for (int i = 0; i < 6; i++) tensors[6 * p + i] *= factor[p];
  }
}

double FgConductionBytes(FgCell cell, const FgCellSettings *settings, const double *tensors, PetscInt correctors)
{
  const double buffer    = 8.0 * (1.0 + 2.0 / (double)cell->n[0]);
  const double multigrid = settings->solver == FG_CELL_SOLVER_ALGEBRAIC ? 450.0 : 0.0; /* algebraic.c */

  if (!FgTensorsAreDiagonal(cell, tensors)) return FgElementsBytesPerVoxel(cell, 1);
  return 2.0 + 8.0 * (double)correctors + 24.0 + buffer + multigrid;
}

/* K <- P K P, exact zeros in rows and columns that the projector leaves out. */
static void Project(const double P[9], double K[9])
{
  double PK[9] = {0}, result[9] = {0};

  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 3; k++) PK[3 * i + j] += P[3 * i + k] * K[3 * k + j];
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 3; k++) result[3 * i + j] += PK[3 * i + k] * P[3 * k + j];
  for (int i = 0; i < 9; i++) K[i] = result[i];
}

/* Tensors with off-diagonal values. Where some phase does not conduct at all, exact zeros come from the components. */
static PetscErrorCode SolveElements(FgCell cell, const FgCellSettings *settings, const double *tensors, const char *name,
                                    FgConduction *conduction, FgCellReport *report)
{
  const PetscInt nphases = cell->table.nphases;
  PetscBool     *permeable, impermeable = PETSC_FALSE;
  FgComponents   components = {0};

  PetscFunctionBegin;
  PetscCheck(
      !cell->fine, PETSC_COMM_SELF, PETSC_ERR_USER,
      "%s: tensors with off-diagonal values need trilinear elements, which do not take sub-sampled cells; leave --subsample away",
      cell->source);
  PetscCall(PetscMalloc1(nphases, &permeable));
  for (PetscInt p = 0; p < nphases; p++) {
    permeable[p] = tensors[6 * p] > 0 || tensors[6 * p + 1] > 0 || tensors[6 * p + 2] > 0 ? PETSC_TRUE : PETSC_FALSE;
    if (!permeable[p] && cell->fraction[p] > 0) impermeable = PETSC_TRUE;
  }
  if (conduction->keep) PetscCall(PetscMalloc1(9 * nphases, &conduction->sensitivity));
  PetscCall(
      FgElementsConduction(cell, settings, tensors, name, conduction->energy, conduction->flux, conduction->sensitivity, report));
  if (impermeable) {
    PetscCall(FgComponentsFind(cell, permeable, &components));
    PetscCall(PetscArraycpy(conduction->percolates, components.percolates, 3));
    Project(components.projector, conduction->energy);
    Project(components.projector, conduction->flux);
    PetscCall(FgComponentsDestroy(&components));
  }
  PetscCall(PetscFree(permeable));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveVolumes(FgCell cell, const FgCellSettings *settings, const double *tensors, const char *name,
                                   FgConduction *conduction, FgCellReport *report)
{
  static const char axes[] = "xyz";
  FgScalar          op;
  double            bytes;

  PetscFunctionBegin;
  for (int a = 0; a < 3; a++) PetscCall(PetscMalloc1(cell->nlocal, &conduction->chi[a]));
  PetscCall(FgScalarCreate(cell, settings, tensors, 6, &conduction->op));
  op = conduction->op;
  PetscCall(FgScalarCorrectors(op, name, conduction->chi, report));
  PetscCall(FgScalarForm(op, conduction->chi, conduction->chi, conduction->energy));
  PetscCall(FgScalarFlux(op, conduction->chi, conduction->flux));
  if (FgScalarHasImpermeable(op)) {
    const FgComponents *components = NULL;

    PetscCall(FgScalarComponents(op, &components));
    PetscCall(PetscArraycpy(conduction->percolates, components->percolates, 3));
    Project(components->projector, conduction->energy);
    Project(components->projector, conduction->flux);
  }
  bytes = FgScalarBytes(op) + 3.0 * 8.0 * (double)cell->nlocal;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_DOUBLE, MPI_SUM, cell->comm));
  report->bytes = PetscMax(report->bytes, bytes);
  for (int a = 0; settings->keep_fields && a < 3; a++) {
    char field[FG_CELL_NAME];

    if (cell->n[a] == 1) continue;
    PetscCall(PetscSNPrintf(field, sizeof(field), "%s_corrector_%c", name, axes[a]));
    PetscCall(FgReportField(report, cell, field, "m", 1, conduction->chi[a]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgConductionSolve(FgCell cell, const FgCellSettings *settings, const double *tensors, const char *name,
                                 FgConduction *conduction, FgCellReport *report)
{
  PetscErrorCode code;

  PetscFunctionBegin;
  for (int a = 0; a < 3; a++) conduction->percolates[a] = PETSC_TRUE;
  code = FgTensorsAreDiagonal(cell, tensors) ? SolveVolumes(cell, settings, tensors, name, conduction, report)
                                             : SolveElements(cell, settings, tensors, name, conduction, report);
  if (code || !conduction->keep) PetscCall(FgConductionDestroy(conduction));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgConductionDestroy(FgConduction *conduction)
{
  PetscFunctionBegin;
  for (int a = 0; a < 3; a++) PetscCall(PetscFree(conduction->chi[a]));
  PetscCall(FgScalarDestroy(&conduction->op));
  PetscCall(PetscFree(conduction->sensitivity));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgConductionReport(FgCell cell, const FgConduction *conduction, const double *tensors, const char *name,
                                  const char *unit, const char *what, FgCellReport *report)
{
  static const char axes[]  = "xyz";
  double            largest = 0, difference = 0;
  char              text[256], other[FG_CELL_NAME];
  FgEffective      *item;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s, energy form", what));
  PetscCall(FgReportEffective(report, name, unit, 3, 3, conduction->energy, text, NULL));
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s, flux form", what));
  PetscCall(PetscSNPrintf(other, sizeof(other), "%s_flux", name));
  PetscCall(FgReportEffective(report, other, unit, 3, 3, conduction->flux, text, &item));
  item->detail = PETSC_TRUE;
  for (int i = 0; i < 9; i++) {
    largest    = PetscMax(largest, PetscAbsReal(conduction->energy[i]));
    difference = PetscMax(difference, PetscAbsReal(conduction->energy[i] - conduction->flux[i]));
  }
  difference = largest > 0 ? difference / largest : 0;
  PetscCall(PetscSNPrintf(other, sizeof(other), "%s_self_check", name));
  PetscCall(FgReportEffective(report, other, "1", 1, 1, &difference, "largest difference of the two forms, relative", &item));
  item->detail = PETSC_TRUE;
  for (int a = 0; a < 3; a++) {
    if (!conduction->percolates[a])
      PetscCall(FgReportNote(report, "%s is singular: nothing that conducts crosses the cell along %c", name, axes[a]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Inverse of a symmetric positive 3 x 3 matrix given by six values; zeros where it is singular. */
static void Invert(const double t[6], double inverse[6])
{
  const double a = t[0], b = t[1], c = t[2], yz = t[3], xz = t[4], xy = t[5];
  const double det         = a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz);
  const double cofactor[6] = {b * c - yz * yz,  a * c - xz * xz,  a * b - xy * xy,
                              xz * xy - a * yz, xy * yz - b * xz, xz * yz - c * xy};

  for (int i = 0; i < 6; i++) inverse[i] = det != 0 ? cofactor[i] / det : 0;
}

static void Matrix(const double t[6], double m[9])
{
  const double full[9] = {t[0], t[5], t[4], t[5], t[1], t[3], t[4], t[3], t[2]};

  for (int i = 0; i < 9; i++) m[i] = full[i];
}

PetscErrorCode FgConductionBounds(FgCell cell, const double *tensors, const char *name, const char *unit, FgCellReport *report)
{
  double       voigt[6] = {0}, resistance[6] = {0}, reuss[6] = {0}, matrix[9], k[2] = {0}, f[2] = {0};
  PetscBool    insulates = PETSC_FALSE, isotropic = PETSC_TRUE;
  PetscInt     present = 0, d = 0;
  char         text[FG_CELL_NAME];
  FgEffective *item;

  PetscFunctionBegin;
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const double *t = tensors + 6 * p;
    double        inverse[6];

    if (cell->fraction[p] == 0) continue;
    if (t[0] != t[1] || t[1] != t[2] || t[3] != 0 || t[4] != 0 || t[5] != 0) isotropic = PETSC_FALSE;
    if (present < 2) {
      k[present] = t[0];
      f[present] = cell->fraction[p];
    }
    present++;
    Invert(t, inverse);
    if (inverse[0] == 0) insulates = PETSC_TRUE;
    for (int i = 0; i < 6; i++) {
      voigt[i] += cell->fraction[p] * t[i];
      resistance[i] += cell->fraction[p] * inverse[i];
    }
  }
  if (!insulates) Invert(resistance, reuss);
  Matrix(voigt, matrix);
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s_voigt", name));
  PetscCall(FgReportEffective(report, text, unit, 3, 3, matrix, "upper bound: arithmetic mean of the phases", NULL));
  Matrix(reuss, matrix);
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s_reuss", name));
  PetscCall(FgReportEffective(report, text, unit, 3, 3, matrix, "lower bound: harmonic mean of the phases", NULL));
  if (present != 2 || !isotropic || k[0] == k[1]) PetscFunctionReturn(PETSC_SUCCESS);
  for (int a = 0; a < 3; a++) d += cell->n[a] > 1;
  if (d < 2) PetscFunctionReturn(PETSC_SUCCESS);
  {
    const int    low = k[0] < k[1] ? 0 : 1, high = 1 - low;
    const double gap      = k[high] - k[low];
    const double bound[2] = {k[low] > 0 ? k[low] + f[high] / (1.0 / gap + f[low] / ((double)d * k[low])) : 0.0,
                             k[high] + f[low] / (-1.0 / gap + f[high] / ((double)d * k[high]))};

    PetscCall(PetscSNPrintf(text, sizeof(text), "%s_hashin_shtrikman", name));
    PetscCall(FgReportEffective(report, text, unit, 2, 1, bound, "lower and upper bound of an isotropic mixture", &item));
    item->detail = PETSC_TRUE;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
