/* dti.c: the free diffusion tensor, S_k = S0 exp(-B_k . D): the same data as dwi.c without a microstructure, the baseline that
   a tissue model is compared with. Components xx, yy, zz, xy, xz, yz [um^2/ms] (of order one), then S0 [signal]; no bounds on
   D, so that noise may make it indefinite.
   Source: Basser, Mattiello and LeBihan, Biophys. J. 66 (1994) 259. */
#include "pointwise.h"
#include "signal.h"

#include <math.h>

static const double unit = 1e-3; /* 1 um^2/ms [mm^2/s] */

static void Site(const void *context, const double *m, const double frame[9], double *prediction, double *jacobian,
                 PetscInt stride)
{
  double C[6], dC[6][6] = {{0.0}};

  for (int i = 0; i < 6; i++) {
    C[i]     = unit * m[i];
    dC[i][i] = unit;
  }
  FgSignalEvaluate(context, m[6], C, 6, dC, prediction, jacobian, stride);
}

static PetscErrorCode Setup(FgModel model)
{
  static const char *const names[] = {"xx", "yy", "zz", "xy", "xz", "yz"};
  FgSignalDesign          *design;

  PetscFunctionBegin;
  PetscCall(PetscNew(&design));
  model->context = design;
  PetscCall(FgSignalDesignCreate(model->gradients, design));
  for (int i = 0; i < 6; i++) {
    FgComponent *c = &model->components[i];

    *c = (FgComponent){
        .unit = "um^2/ms", .kind = FG_KIND_SCALAR, .lower = -INFINITY, .upper = INFINITY, .start = i < 3 ? 1.0 : 0.0};
    PetscCall(PetscStrncpy(c->name, names[i], sizeof c->name));
  }
  model->components[6] = (FgComponent){"S0", "signal", FG_KIND_SCALAR, 0.0, INFINITY, model->signal_scale};
  model->ncomponents   = 7;
  model->ndata         = design->n;
  model->site          = Site;
  PetscCall(PetscStrncpy(model->data_unit, "signal", sizeof model->data_unit));
  PetscCall(FgPointwiseSetup(model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(FgModel model)
{
  PetscFunctionBegin;
  if (model->context) PetscCall(FgSignalDesignDestroy(model->context));
  PetscCall(PetscFree(model->context));
  PetscCall(FgPointwiseDestroy(model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void LanesTensor(FgModel model, const FgLanes m[], const FgLanes frame[9], FgLanes C[6], FgLanes dC[][6],
                        PetscBool derivatives)
{
  for (int i = 0; i < 6; i++) {
    FG_EACH_LANE C[i][l] = unit * m[i][l];
    for (int k = 0; derivatives && k < 6; k++) {
      FG_EACH_LANE dC[i][k][l] = i == k ? unit : 0.0;
    }
  }
}

static void LanesStart(FgModel model, const FgLanes C[6], FgLanes m[], FgLanes frame[9])
{
  for (int i = 0; i < 6; i++) {
    FG_EACH_LANE m[i][l] = C[i][l] / unit;
  }
}

static void SiteTensor(FgModel model, const double *m, const double frame[9], double C[6])
{
  for (int i = 0; i < 6; i++) C[i] = unit * m[i];
}

const FgModelOps FgModelDti = {.name         = "dti",
                               .summary      = "diffusion-weighted signal of a free tensor, the baseline without microstructure",
                               .magnitude    = PETSC_TRUE,
                               .setup        = Setup,
                               .apply        = FgPointwiseApply,
                               .tangent      = FgPointwiseTangent,
                               .adjoint      = FgPointwiseAdjoint,
                               .misfit       = FgPointwiseMisfit,
                               .gauss_newton = FgPointwiseGaussNewton,
                               .destroy      = Destroy,
                               .site_tensor  = SiteTensor,
                               .exponential  = PETSC_TRUE,
                               .lanes_tensor = LanesTensor,
                               .lanes_start  = LanesStart};
