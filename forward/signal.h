/* signal.h: the diffusion-weighted signal of a tensor, S = S0 exp(-B . C), over all samples of one site. Private to forward/. */
#ifndef FINEGRAIN_FORWARD_SIGNAL_H
#define FINEGRAIN_FORWARD_SIGNAL_H

#include "finegrain/model.h"

/* A row of ones, then the six of B = b (gx gx, gy gy, gz gz, 2 gx gy, 2 gx gz, 2 gy gz) [s/mm^2], g in the scanner frame:
   rows[row*stride + sample], zero in the padding. */
typedef struct {
  PetscInt n, stride;
  double  *rows;
} FgSignalDesign;

PETSC_INTERN PetscErrorCode FgSignalDesignCreate(const FgGradients *gradients, FgSignalDesign *design);
PETSC_INTERN PetscErrorCode FgSignalDesignDestroy(FgSignalDesign *design);

/* prediction[stride] [unit of S0] for C [mm^2/s]; jacobian, where not NULL, gets a row for each of the n parameters with the
   derivatives dC[n][6], and after them the row of S0. */
PETSC_INTERN void FgSignalEvaluate(const FgSignalDesign *design, double S0, const double C[6], PetscInt n, double dC[][6],
                                   double *prediction, double *jacobian, PetscInt stride);

#endif
