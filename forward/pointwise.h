/* pointwise.h: the adapter that makes a model out of a pure function of one site. Private to forward/. */
#ifndef FINEGRAIN_FORWARD_POINTWISE_H
#define FINEGRAIN_FORWARD_POINTWISE_H

#include "finegrain/model.h"

/* Rows of model->work, each of model->stride doubles. */
enum { FG_ROW_PREDICTION, FG_ROW_RESIDUAL, FG_ROW_MASK, FG_ROW_SLOPE, FG_ROW_JACOBIAN, FG_ROWS = FG_ROW_JACOBIAN + 8 };

/* Call in the model's setup, with ndata known: sets stride, allocates work; and in its destroy. */
PETSC_INTERN PetscErrorCode FgPointwiseSetup(FgModel model);
PETSC_INTERN PetscErrorCode FgPointwiseDestroy(FgModel model);
/* For the model's FgModelOps. */
PETSC_INTERN PetscErrorCode FgPointwiseApply(FgModel model, Vec m, Vec d);
PETSC_INTERN PetscErrorCode FgPointwiseTangent(FgModel model, Vec v, Vec Jv);
PETSC_INTERN PetscErrorCode FgPointwiseAdjoint(FgModel model, Vec w, Vec Jtw);
PETSC_INTERN PetscErrorCode FgPointwiseMisfit(FgModel model, const FgData *data, Vec m, PetscReal *f, Vec gradient);
PETSC_INTERN PetscErrorCode FgPointwiseGaussNewton(FgModel model, const FgData *data, Vec v, Vec y);
/* Likewise, of models whose sites are tissue: the effective tensor of the tissue's parameters, which stand first in m. */
PETSC_INTERN void FgPointwiseTissueTensor(FgModel model, const double *m, const double frame[9], double C[6]);

/* Of the same, in the setup after FgPointwiseSetup; then for their FgModelOps: the tensor and the start values in lanes. */
PETSC_INTERN PetscErrorCode FgPointwiseTissueSetup(FgModel model);
PETSC_INTERN void FgPointwiseTissueLanes(FgModel model, const FgLanes m[], const FgLanes frame[9], FgLanes C[6], FgLanes dC[][6],
                                         PetscBool derivatives);
PETSC_INTERN void FgPointwiseTissueStart(FgModel model, const FgLanes C[6], FgLanes m[], FgLanes frame[9]);

#endif
