/* elements_cases.c: all load cases of one operator, and the effective tensor from them.

     E_IJ = F_IJ - (u_I, r_J) / voxels                       energy form, for I <= J; F_IJ = sum_p C_p : < 1_p e_J >, flux form
     dC*_IJ / d(ln C_p) = < (e_I + e(u_I)) : 1_p C_p : (e_J + e(u_J)) >,   sum over p = C* (Euler)
   No adjoint solve is needed for the derivative: the problem is its own adjoint. Source: docs/physics/elasticity.md. */
#include "elements.h"

static const char *const case_names[2][6] = {{"x", "y", "z"}, {"xx", "yy", "zz", "yz", "xz", "xy"}};

/* (u, r) over all ranks. */
static PetscErrorCode Dot(FgCell cell, size_t n, const float *u, const double *r, double *dot)
{
  double sum = 0;

  PetscFunctionBegin;
#pragma omp simd reduction(+ : sum)
  for (size_t i = 0; i < n; i++) sum += (double)u[i] * r[i];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, cell->comm));
  *dot = sum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sum over p of (C_p mean_pJ)_I, from the means of one phase or of all (p < 0). */
static void Flux(FgElements op, PetscInt only, const double *mean, double *flux)
{
  static const int tensor[3][3] = {{0, 5, 4}, {5, 1, 3}, {4, 3, 2}};
  const int        m            = op->nmacro;

  for (int i = 0; i < m * m; i++) flux[i] = 0;
  for (PetscInt p = 0; p < op->cell->table.nphases; p++) {
    if (only >= 0 && only != p) continue;
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < m; j++) {
        for (int k = 0; k < m; k++) {
          const double C = op->ncomp == 1 ? op->tensors[6 * p + tensor[i][k]] : op->tensors[36 * p + 6 * i + k];

          flux[i * m + j] += C * mean[(p * m + k) * m + j];
        }
      }
    }
  }
}

/* < (e_I + e(u_I)) : 1_p C_p : (e_J + e(u_J)) > = F^p_IJ + (u_I, A_p u_J + B^T C_p e_J) / voxels for every phase. */
static PetscErrorCode Sensitivities(FgElements op, float *const *kept, FgElementsResult *result)
{
  const FgCell   cell    = op->cell;
  const int      m       = op->nmacro;
  const size_t   n       = (size_t)(cell->nlocal * op->ncomp);
  const double   voxels  = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  const PetscInt nphases = cell->table.nphases;
  double        *u = op->work.p, *force = op->work.w;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(nphases * m * m, &result->sensitivity));
  for (PetscInt p = 0; p < nphases; p++) {
    double *W = result->sensitivity + p * m * m;

    if (cell->fraction[p] == 0) continue;
    Flux(op, p, result->mean, W);
    PetscCall(FgElementsSelect(op, p));
    for (int j = 0; j < m; j++) {
      double macro[6] = {0};

      macro[j] = 1;
      for (size_t i = 0; i < n; i++) u[i] = (double)kept[j][i];
      PetscCall(FgElementsApply(op, u, macro, force));
      for (int i = 0; i <= j; i++) {
        double dot;

        PetscCall(Dot(cell, n, kept[i], force, &dot));
        W[i * m + j] += dot / voxels;
        W[j * m + i] = W[i * m + j];
      }
    }
  }
  PetscCall(FgElementsSelect(op, -1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the load cases work on. */
typedef struct {
  double *u, *mean;
  float  *kept[6]; /* solutions, for the energy form and the derivatives */
} Work;

static PetscErrorCode Cases(FgElements op, const char *name, PetscBool sensitivity, Work *work, FgElementsResult *result,
                            FgCellReport *report)
{
  const FgCell   cell           = op->cell;
  const int      m              = op->nmacro;
  const size_t   n              = (size_t)(cell->nlocal * op->ncomp);
  const double   voxels         = (double)cell->n[0] * (double)cell->n[1] * (double)cell->n[2];
  const PetscInt nphases        = cell->table.nphases;
  double         correction[36] = {0};

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &work->u));
  PetscCall(PetscMalloc1(nphases * m, &work->mean));
  PetscCall(PetscCalloc1(nphases * m * m, &result->mean));
  for (int j = 0; j < m; j++) {
    double macro[6] = {0};
    char   text[FG_CELL_NAME];

    macro[j] = 1;
    PetscCall(PetscSNPrintf(text, sizeof(text), "%s %s", name, case_names[op->ncomp > 1][j]));
    PetscCall(PetscArrayzero(work->u, n));
    PetscCall(FgElementsSolve(op, text, macro, work->u, report));
    PetscCall(FgElementsMeans(op, work->u, macro, work->mean));
    for (PetscInt p = 0; p < nphases; p++) {
      for (int i = 0; i < m; i++) result->mean[(p * m + i) * m + j] = work->mean[p * m + i];
    }
    PetscCall(PetscMalloc1(n, &work->kept[j]));
    for (size_t i = 0; i < n; i++) work->kept[j][i] = (float)work->u[i];
    for (int i = 0; i <= j; i++) {
      double dot;

      PetscCall(Dot(cell, n, work->kept[i], op->work.r, &dot));
      correction[i * m + j] = dot / voxels;
    }
    if (op->settings.keep_fields) {
      PetscCall(PetscSNPrintf(text, sizeof(text), "%s_corrector_%s", name, case_names[op->ncomp > 1][j]));
      PetscCall(FgElementsField(op, text, work->u, report));
    }
  }
  Flux(op, -1, result->mean, result->flux);
  for (int i = 0; i < m; i++) {
    for (int j = i; j < m; j++)
      result->energy[i * m + j] = result->energy[j * m + i] = result->flux[i * m + j] - correction[i * m + j];
  }
  if (sensitivity) PetscCall(Sensitivities(op, work->kept, result));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElementsCases(FgElements op, const char *name, PetscBool sensitivity, FgElementsResult *result,
                               FgCellReport *report)
{
  Work           work  = {0};
  double         bytes = (8.0 + 4.0 * op->nmacro) * (double)(op->cell->nlocal * op->ncomp);
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(result, sizeof(*result)));
  code = Cases(op, name, sensitivity, &work, result, report);
  PetscCall(PetscFree(work.u));
  PetscCall(PetscFree(work.mean));
  for (int j = 0; j < op->nmacro; j++) PetscCall(PetscFree(work.kept[j]));
  if (code) PetscCall(FgElementsResultDestroy(result));
  PetscCall(code);
  bytes += FgElementsBytes(op);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_DOUBLE, MPI_SUM, op->cell->comm));
  report->bytes = PetscMax(report->bytes, bytes);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElementsResultDestroy(FgElementsResult *result)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(result->mean));
  PetscCall(PetscFree(result->sensitivity));
  PetscFunctionReturn(PETSC_SUCCESS);
}

double FgElementsBytesPerVoxel(FgCell cell, int ncomp)
{
  const double cases = ncomp == 1 ? 3 : 6;

  return 2.0 + ncomp * (4.0 * 8.0 + 4.0 * cases + 8.0 * (1.0 + 2.0 / (double)cell->n[0]));
}

PetscErrorCode FgElementsConduction(FgCell cell, const FgCellSettings *settings, const double *tensors, const char *name,
                                    double energy[9], double flux[9], double *sensitivity, FgCellReport *report)
{
  FgElementsResult result;
  FgElements       op;
  PetscErrorCode   code;

  PetscFunctionBegin;
  PetscCall(FgElementsCreate(cell, settings, 1, tensors, &op));
  code = FgElementsCases(op, name, sensitivity ? PETSC_TRUE : PETSC_FALSE, &result, report);
  PetscCall(FgElementsDestroy(&op));
  PetscCall(code);
  PetscCall(PetscArraycpy(energy, result.energy, 9));
  PetscCall(PetscArraycpy(flux, result.flux, 9));
  if (sensitivity) PetscCall(PetscArraycpy(sensitivity, result.sensitivity, cell->table.nphases * 9));
  PetscCall(FgElementsResultDestroy(&result));
  PetscFunctionReturn(PETSC_SUCCESS);
}
