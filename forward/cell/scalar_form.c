/* scalar_form.c: what is computed from correctors: effective tensors in energy and flux form, and their derivatives.

     K*_ij = < (e_i + grad chi_i) . K (e_j + grad chi_j) >   (energy form: error of second order in the residual)
           = < e_i . K (e_j + grad chi_j) >                  (flux form: of first order)
   as sums over faces, left and right correctors of any two solves, with any conductances: chemotaxis and transference numbers need
   others than those that were solved for. Source: docs/physics/conduction.md. */
#include "scalar.h"

#include <math.h>

/* Adds over all faces of the axis: form[i][j] += weight K (delta_ai + D left_i)(delta_aj + D right_j), phase by phase where
   `sensitivity` is given. */
static PetscErrorCode Form(FgScalar op, double *const tables[3], double *const left[3], double *const right[3], double form[9],
                           double *sensitivity)
{
  const FgCell   cell = op->cell;
  const PetscInt n0 = cell->n[0], n1 = cell->n[1], nphases = cell->table.nphases;
  const size_t   plane  = FgScalarPlane(op);
  const double   voxels = (double)n0 * (double)n1 * (double)cell->n[2];
  const double  *above[6], *below;
  double *const *fields[2] = {left, right};
  FgHalo         halo[6];

  PetscFunctionBegin;
  PetscCheck(!op->stored[0] || (tables == op->face && !sensitivity), PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: sub-sampled cells are for effective tensors of conduction alone", cell->source);
  PetscCall(PetscMemzero(halo, sizeof(halo)));
  PetscCall(PetscArrayzero(form, 9));
  if (sensitivity) PetscCall(PetscArrayzero(sensitivity, nphases * 9));
  for (int f = 0; f < 6; f++) {
    const double *field = fields[f / 3] ? fields[f / 3][f % 3] : NULL;

    if (field) PetscCall(FgHaloUpdate(cell, &halo[f], field, 1, &below, &above[f]));
  }
  for (PetscInt k = 0; k < cell->count; k++) {
    const size_t    offset = plane * (size_t)k;
    const uint16_t *here = cell->phase + offset, *up = k + 1 < cell->count ? here + plane : op->phase_above;

    for (PetscInt a = 0; a < 3; a++) {
      const double inverse = 1.0 / cell->spacing[a], *table = tables[a], *stored = op->stored[a];
      double       sum[9] = {0};

      for (PetscInt j = 0; j < n1; j++) {
        for (PetscInt i = 0; i < n0; i++) {
          const size_t   at   = (size_t)(j * n0 + i);
          const size_t   next = a == 0   ? (size_t)(j * n0 + (i + 1 < n0 ? i + 1 : 0))
                                : a == 1 ? (size_t)((j + 1 < n1 ? j + 1 : 0) * n0 + i)
                                         : at;
          const PetscInt p = here[at], q = a == 2 ? up[at] : here[next];
          const double   conductance = stored ? stored[offset + at] * PetscSqr(cell->spacing[a]) : table[p * nphases + q];
          double         gradient[6];

          if (conductance == 0) continue;
          for (int f = 0; f < 6; f++) {
            const double *field = fields[f / 3] ? fields[f / 3][f % 3] : NULL;
            double        value = f % 3 == a ? 1.0 : 0.0;

            if (field) {
              const double there = a < 2 ? field[offset + next] : k + 1 < cell->count ? field[offset + plane + at] : above[f][at];

              value += inverse * (there - field[offset + at]);
            }
            gradient[f] = value;
          }
          for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 3; c++) {
              const double product = gradient[r] * gradient[3 + c];

              sum[3 * r + c] += conductance * product;
              if (sensitivity) { /* d/dk_p of 2/(1/k_p + 1/k_q) is (conductance/k_p)^2/2 */
                sensitivity[9 * p + 3 * r + c] += 0.5 * PetscSqr(conductance / op->conductivity[p * 3 + a]) * product;
                sensitivity[9 * q + 3 * r + c] += 0.5 * PetscSqr(conductance / op->conductivity[q * 3 + a]) * product;
              }
            }
          }
        }
      }
      for (int i = 0; i < 9; i++) form[i] += sum[i];
    }
  }
  for (int f = 0; f < 6; f++) PetscCall(FgHaloDestroy(&halo[f]));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, form, 9, MPI_DOUBLE, MPI_SUM, cell->comm));
  for (int i = 0; i < 9; i++) form[i] /= voxels;
  if (sensitivity) {
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sensitivity, (PetscMPIInt)(9 * nphases), MPI_DOUBLE, MPI_SUM, cell->comm));
    for (PetscInt i = 0; i < 9 * nphases; i++) sensitivity[i] /= voxels;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarForm(FgScalar op, double *const left[3], double *const right[3], double form[9])
{
  PetscFunctionBegin;
  PetscCall(Form(op, op->face, left, right, form, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarFlux(FgScalar op, double *const chi[3], double flux[9])
{
  PetscFunctionBegin;
  PetscCall(Form(op, op->face, NULL, chi, flux, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarSensitivity(FgScalar op, double *const left[3], double *const right[3], double *sensitivity)
{
  double form[9];

  PetscFunctionBegin;
  PetscCall(Form(op, op->face, left, right, form, sensitivity));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgScalarFaceForm(FgScalar op, double *const tables[3], double *const left[3], double *const right[3],
                                double form[9])
{
  PetscFunctionBegin;
  PetscCall(Form(op, tables, left, right, form, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}
