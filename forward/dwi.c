/* dwi.c: the diffusion-weighted signal of a tissue, S_k = S0 exp(-B_k . C(m)): components the tissue's, then S0 [signal].
   Source: Basser, Mattiello and LeBihan, Biophys. J. 66 (1994) 259; C(m) in tissue.c. */
#include "pointwise.h"
#include "signal.h"

#include <math.h>

typedef struct {
  FgTissue       tissue;
  PetscInt       ntissue; /* its components; S0 follows */
  FgSignalDesign design;
} Context;

static void Site(const void *context, const double *m, const double frame[9], double *prediction, double *jacobian,
                 PetscInt stride)
{
  const Context *c = context;
  double         C[6], dC[6][6];

  FgTissueTensor(&c->tissue, m, frame, C, jacobian ? dC : NULL);
  FgSignalEvaluate(&c->design, m[c->ntissue], C, c->ntissue, dC, prediction, jacobian, stride);
}

static PetscErrorCode Setup(FgModel model)
{
  Context *c;

  PetscFunctionBegin;
  PetscCall(PetscNew(&c));
  model->context = c;
  c->tissue      = model->tissue;
  c->ntissue     = FgTissueComponents(&c->tissue, model->components);
  PetscCall(FgSignalDesignCreate(model->gradients, &c->design));
  model->components[c->ntissue] = (FgComponent){"S0", "signal", FG_KIND_SCALAR, 0.0, INFINITY, model->signal_scale};
  model->ncomponents            = c->ntissue + 1;
  model->ndata                  = c->design.n;
  model->site                   = Site;
  PetscCall(PetscStrncpy(model->data_unit, "signal", sizeof model->data_unit));
  PetscCall(FgPointwiseSetup(model));
  PetscCall(FgPointwiseTissueSetup(model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(FgModel model)
{
  Context *c = model->context;

  PetscFunctionBegin;
  if (c) PetscCall(FgSignalDesignDestroy(&c->design));
  PetscCall(PetscFree(model->context));
  PetscCall(FgPointwiseDestroy(model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

const FgModelOps FgModelDwi = {.name         = "dwi",
                               .summary      = "diffusion-weighted signal of a homogenised tissue",
                               .magnitude    = PETSC_TRUE,
                               .setup        = Setup,
                               .apply        = FgPointwiseApply,
                               .tangent      = FgPointwiseTangent,
                               .adjoint      = FgPointwiseAdjoint,
                               .misfit       = FgPointwiseMisfit,
                               .gauss_newton = FgPointwiseGaussNewton,
                               .destroy      = Destroy,
                               .site_tensor  = FgPointwiseTissueTensor,
                               .exponential  = PETSC_TRUE,
                               .lanes_tensor = FgPointwiseTissueLanes,
                               .lanes_start  = FgPointwiseTissueStart};
