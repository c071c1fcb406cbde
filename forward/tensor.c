/* tensor.c: an effective tensor that somebody has already estimated as data: (xx, yy, zz, sqrt2 xy, sqrt2 xz, sqrt2 yz) [mm^2/s]
   in the scanner frame, so that sums of squares are Frobenius norms. Components: the tissue's. See tissue.c. */
#include "pointwise.h"

#include <math.h>

typedef struct {
  FgTissue tissue;
  PetscInt n; /* its components */
} Context;

static void Pack(const double C[6], double *row, PetscInt stride)
{
  for (PetscInt i = 0; i < stride; i++) row[i] = i < 3 ? C[i] : i < 6 ? M_SQRT2 * C[i] : 0.0;
}

static void Site(const void *context, const double *m, const double frame[9], double *prediction, double *jacobian,
                 PetscInt stride)
{
  const Context *c = context;
  double         C[6], dC[6][6];

  FgTissueTensor(&c->tissue, m, frame, C, jacobian ? dC : NULL);
  Pack(C, prediction, stride);
  for (PetscInt k = 0; jacobian && k < c->n; k++) Pack(dC[k], &jacobian[k * stride], stride);
}

static PetscErrorCode Setup(FgModel model)
{
  Context *c;

  PetscFunctionBegin;
  PetscCall(PetscNew(&c));
  model->context     = c;
  c->tissue          = model->tissue;
  c->n               = FgTissueComponents(&c->tissue, model->components);
  model->ncomponents = c->n;
  model->ndata       = 6;
  model->site        = Site;
  PetscCall(PetscStrncpy(model->data_unit, "mm^2/s", sizeof model->data_unit));
  PetscCall(FgPointwiseSetup(model));
  PetscCall(FgPointwiseTissueSetup(model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(FgModel model)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(model->context));
  PetscCall(FgPointwiseDestroy(model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

const FgModelOps FgModelTensor = {.name         = "tensor",
                                  .summary      = "elements of an effective tensor that is already known",
                                  .magnitude    = PETSC_FALSE,
                                  .setup        = Setup,
                                  .apply        = FgPointwiseApply,
                                  .tangent      = FgPointwiseTangent,
                                  .adjoint      = FgPointwiseAdjoint,
                                  .misfit       = FgPointwiseMisfit,
                                  .gauss_newton = FgPointwiseGaussNewton,
                                  .destroy      = Destroy,
                                  .site_tensor  = FgPointwiseTissueTensor,
                                  .lanes_tensor = FgPointwiseTissueLanes,
                                  .lanes_start  = FgPointwiseTissueStart};
