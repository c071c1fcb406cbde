/* model.c: the forward model "eit": electrode voltages of the complete electrode model, from conductivities, or from microstructure by
   way of a closure whose phases are conductivities [S/m]. Voltages belong to no site: data are the V_pq pattern by pattern, each rank
   with its run of them; the matrices between electrodes are small and every rank has them whole. */
#include "eit.h"

#include <math.h>
#include <string.h>

static const double *Frame(FgModel model, PetscInt site)
{
  return model->field->frames ? &model->field->frames[9 * (size_t)site] : NULL;
}

/* Conductivity tensor [S/m] of a site, and its derivatives dC[component][6] unless NULL. */
void FgEitSiteTensor(FgModel model, const double *m, const double *frame, double C[6], double dC[][6])
{
  double aligned[3] = {m[0], 0.0, 0.0}, slopes[3][6];

  switch (model->eit_options.unknowns) {
  case FG_EIT_ISOTROPIC:
    memset(C, 0, 6 * sizeof *C);
    C[0] = C[1] = C[2] = exp(m[0]);
    if (dC) memcpy(dC[0], C, 6 * sizeof *C);
    break;
  case FG_EIT_POROSITY:
    FgTissueTensor(&model->tissue, aligned, frame, C, dC ? slopes : NULL);
    if (dC) memcpy(dC[0], slopes[0], 6 * sizeof *C);
    break;
  case FG_EIT_POROSITY_DIRECTION: FgTissueTensor(&model->tissue, m, frame, C, dC); break;
  }
}

static void EffectiveTensor(FgModel model, const double *m, const double frame[9], double C[6])
{
  FgEitSiteTensor(model, m, frame, C, NULL);
}

static PetscErrorCode Components(FgModel model)
{
  const FgEitOptions *options = &model->eit_options;
  FgComponent         tissue[FG_MAX_COMPONENTS];

  PetscFunctionBegin;
  if (options->unknowns == FG_EIT_ISOTROPIC) {
    PetscCheck(options->conductivity_lower > 0.0 && options->conductivity_lower <= options->conductivity &&
                   options->conductivity <= options->conductivity_upper,
               PETSC_COMM_SELF, PETSC_ERR_USER,
               "conductivity from %g to %g S/m, start %g S/m; expected 0 < lower <= start <= upper", options->conductivity_lower,
               options->conductivity_upper, options->conductivity);
    model->ncomponents   = 1;
    model->components[0] = (FgComponent){.name  = "log_conductivity",
                                         .unit  = "log S/m",
                                         .kind  = FG_KIND_SCALAR,
                                         .lower = log(options->conductivity_lower),
                                         .upper = log(options->conductivity_upper),
                                         .start = log(options->conductivity)};
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCheck(model->tissue.closure, PETSC_COMM_SELF, PETSC_ERR_USER, "model eit: porosity needs a closure");
  PetscCheck(model->tissue.orientation == FG_ALIGNED, PETSC_COMM_SELF, PETSC_ERR_USER,
             "model eit: orientation %s, expected aligned: voltages cannot tell dispersion; take --orientation aligned",
             FgOrientations[model->tissue.orientation]);
  model->ncomponents = FgTissueComponents(&model->tissue, tissue);
  if (options->unknowns == FG_EIT_POROSITY) model->ncomponents = 1;
  PetscCall(PetscArraycpy(model->components, tissue, model->ncomponents));
  if (options->unknowns == FG_EIT_POROSITY_DIRECTION && model->mesh->dim == 2) {
    model->components[2].lower = model->components[2].upper = 0.0; /* fibers stay in the plane */
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Setup(FgModel model)
{
  FgEitState    *s = NULL;
  PetscErrorCode code;
  PetscMPIInt    rank, size;
  PetscInt       first;

  PetscFunctionBegin;
  PetscCheck(model->eit && model->mesh, PETSC_COMM_SELF, PETSC_ERR_ORDER,
             "model %s: needs a measurement and a mesh; call FgModelSetEit first", model->ops->name);
  PetscCall(Components(model));
  PetscCallMPI(MPI_Comm_rank(model->comm, &rank));
  PetscCallMPI(MPI_Comm_size(model->comm, &size));
  model->ndata = model->eit->npatterns * model->eit->nmeasurements;
  FgDomainRun(model->ndata, rank, size, &first, &model->ndatalocal);
  PetscCall(PetscStrncpy(model->data_unit, "V", sizeof model->data_unit));
  code           = FgEitStateCreate(model->comm, model->eit, model->mesh, &model->eit_options, &s);
  model->context = s; /* for Destroy, whole or not */
  PetscCall(code);
  /* Some 1e-14 is what factorizations of meshes of thousands of elements leave. */
  model->accuracy = s->system.direct ? 64.0 * PETSC_MACHINE_EPSILON : model->eit_options.tolerance;
  PetscCall(PetscCalloc1(model->ndatalocal, &s->residual));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(FgModel model)
{
  FgEitState *s = model->context;

  PetscFunctionBegin;
  PetscCall(FgEitStateDestroy(&s));
  model->context = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt FgEitFirstDatum(FgModel model)
{
  PetscMPIInt rank, size;
  PetscInt    first, n;

  MPI_Comm_rank(model->comm, &rank);
  MPI_Comm_size(model->comm, &size);
  FgDomainRun(model->ndata, rank, size, &first, &n);
  return first;
}

/* Whether a tensor is positive definite, by its leading minors, in the dimensions of the mesh. */
static PetscBool Positive(PetscInt dim, const double C[6])
{
  const double minor = C[0] * C[1] - C[3] * C[3];
  const double whole = C[2] * minor + 2.0 * C[3] * C[4] * C[5] - C[0] * C[5] * C[5] - C[1] * C[4] * C[4];

  return C[0] > 0.0 && minor > 0.0 && isfinite(minor) && (dim == 2 || (whole > 0.0 && isfinite(whole))) ? PETSC_TRUE
                                                                                                        : PETSC_FALSE;
}

static PetscErrorCode CheckTensors(FgModel model)
{
  const FgEitState *s = model->context;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < s->space.nsites; i++) {
    const double *C = &s->trial[6 * (size_t)i];

    PetscCheck(Positive(s->space.mesh->dim, C), PETSC_COMM_SELF, PETSC_ERR_USER,
               "site %" PetscInt_FMT ": conductivity (%g, %g, %g, %g, %g, %g) S/m, expected a positive definite tensor; %s",
               s->space.first_site + i, C[0], C[1], C[2], C[3], C[4], C[5],
               model->eit_options.unknowns == FG_EIT_ISOTROPIC ? "narrow the range of conductivity"
                                                               : "give phases that conduct, or a porosity above 0");
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The state at m: tensors of this rank's sites, and the driven potentials. */
static PetscErrorCode Evaluate(FgModel model, Vec m)
{
  FgEitState        *s = model->context;
  const PetscScalar *array;
  PetscBool          same;

  PetscFunctionBegin;
  PetscCheck(model->eit_options.unknowns != FG_EIT_POROSITY || model->field->frames, PETSC_COMM_SELF, PETSC_ERR_ORDER,
             "model eit: porosity alone needs the fiber directions in the frames of the field");
  PetscCheck(model->field->domain->nlocal == s->space.nsites, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
             "model eit: domain of %" PetscInt_FMT " sites, expected the %" PetscInt_FMT " of the mesh",
             model->field->domain->nlocal, s->space.nsites);
  PetscCall(VecGetArrayRead(m, &array));
  for (PetscInt i = 0; i < s->space.nsites; i++) {
    FgEitSiteTensor(model, &array[(size_t)i * model->ncomponents], Frame(model, i), &s->trial[6 * (size_t)i], NULL);
  }
  PetscCall(VecRestoreArrayRead(m, &array));
  PetscCall(FgAgree(model->comm, CheckTensors(model)));
  PetscCall(FgEitStateSolve(s, model->eit, &model->counts));
  PetscCall(VecEqual(m, model->state, &same));
  if (!same) FgEitPairsForget(s); /* other charts of the same tensors, other derivatives */
  PetscCall(VecCopy(m, model->state));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* d[ndatalocal] = this rank's part of drive products sense^T. */
static void Measure(FgModel model, const double *products, double *d)
{
  FgEitState          *s     = model->context;
  const FgEitCurrents *c     = &s->currents;
  const PetscInt       first = FgEitFirstDatum(model), nm = c->nmeasurements;
  double              *sensed = s->small[2];

  for (PetscInt k = 0; k < c->driven; k++) {
    for (PetscInt q = 0; q < nm; q++) {
      double sum = 0.0;

      for (PetscInt l = 0; l < c->n; l++) sum += products[k * c->n + l] * c->sense[(size_t)q * c->n + l];
      sensed[k * nm + q] = sum;
    }
  }
  for (PetscInt i = 0; i < model->ndatalocal; i++) {
    const PetscInt p = (first + i) / nm, q = (first + i) % nm;
    double         sum = 0.0;

    for (PetscInt k = 0; k < c->driven; k++) sum += c->drive[(size_t)p * c->driven + k] * sensed[k * nm + q];
    d[i] = sum;
  }
}

/* weight[driven][n] = drive^T w sense of all ranks' data w. */
static PetscErrorCode Weigh(FgModel model, const double *w, double *weight)
{
  FgEitState          *s     = model->context;
  const FgEitCurrents *c     = &s->currents;
  const PetscInt       first = FgEitFirstDatum(model), nm = c->nmeasurements;
  double              *driven = s->small[2]; /* [driven][nmeasurements] */

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(driven, c->driven * nm));
  for (PetscInt i = 0; i < model->ndatalocal; i++) {
    const PetscInt p = (first + i) / nm, q = (first + i) % nm;

    for (PetscInt k = 0; k < c->driven; k++) driven[k * nm + q] += c->drive[(size_t)p * c->driven + k] * w[i];
  }
  for (PetscInt k = 0; k < c->driven; k++) {
    double *row = &weight[k * c->n];

    PetscCall(PetscArrayzero(row, c->n));
    for (PetscInt q = 0; q < nm; q++) {
      for (PetscInt l = 0; l < c->n; l++) row[l] += driven[k * nm + q] * c->sense[(size_t)q * c->n + l];
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, weight, (int)(c->driven * c->n), MPI_DOUBLE, MPI_SUM, model->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Apply(FgModel model, Vec m, Vec d)
{
  FgEitState  *s = model->context;
  PetscScalar *array;

  PetscFunctionBegin;
  PetscCall(Evaluate(model, m));
  PetscCall(VecGetArrayWrite(d, &array));
  PetscCall(PetscArraycpy(array, &s->voltage[FgEitFirstDatum(model)], model->ndatalocal));
  PetscCall(VecRestoreArrayWrite(d, &array));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* d[ndatalocal] = J v. */
static PetscErrorCode TangentArray(FgModel model, Vec v, double *d)
{
  FgEitState        *s = model->context;
  const PetscInt     n = model->ncomponents;
  const PetscScalar *state, *array;

  PetscFunctionBegin;
  PetscCall(FgEitStateComplete(s, &model->counts));
  PetscCall(VecGetArrayRead(model->state, &state));
  PetscCall(VecGetArrayRead(v, &array));
  for (PetscInt i = 0; i < s->space.nsites; i++) {
    double  C[6], dC[FG_MAX_COMPONENTS][6];
    double *change = &s->trial[6 * (size_t)i];

    FgEitSiteTensor(model, &state[(size_t)i * n], Frame(model, i), C, dC);
    for (int c = 0; c < 6; c++) {
      change[c] = 0.0;
      for (PetscInt a = 0; a < n; a++) change[c] += dC[a][c] * array[(size_t)i * n + a];
    }
  }
  PetscCall(VecRestoreArrayRead(v, &array));
  PetscCall(VecRestoreArrayRead(model->state, &state));
  PetscCall(FgEitProducts(s, s->trial, s->small[0]));
  Measure(model, s->small[0], d);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Jtw = J^T w, of this rank's w[ndatalocal]. */
static PetscErrorCode AdjointArray(FgModel model, const double *w, Vec Jtw)
{
  FgEitState        *s = model->context;
  const PetscInt     n = model->ncomponents;
  const PetscScalar *state;
  PetscScalar       *array;

  PetscFunctionBegin;
  PetscCall(FgEitStateComplete(s, &model->counts));
  PetscCall(Weigh(model, w, s->small[1]));
  PetscCall(FgEitSlopes(s, s->small[1], s->trial));
  PetscCall(VecGetArrayRead(model->state, &state));
  PetscCall(VecGetArrayWrite(Jtw, &array));
  for (PetscInt i = 0; i < s->space.nsites; i++) {
    double        C[6], dC[FG_MAX_COMPONENTS][6];
    const double *slope = &s->trial[6 * (size_t)i];

    FgEitSiteTensor(model, &state[(size_t)i * n], Frame(model, i), C, dC);
    for (PetscInt a = 0; a < n; a++) {
      double sum = 0.0;

      for (int c = 0; c < 6; c++) sum += dC[a][c] * slope[c];
      array[(size_t)i * n + a] = sum;
    }
  }
  PetscCall(VecRestoreArrayWrite(Jtw, &array));
  PetscCall(VecRestoreArrayRead(model->state, &state));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(FgModel model, Vec v, Vec Jv)
{
  PetscScalar *array;

  PetscFunctionBegin;
  PetscCall(VecGetArrayWrite(Jv, &array));
  PetscCall(TangentArray(model, v, array));
  PetscCall(VecRestoreArrayWrite(Jv, &array));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Adjoint(FgModel model, Vec w, Vec Jtw)
{
  const PetscScalar *array;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(w, &array));
  PetscCall(AdjointArray(model, array, Jtw));
  PetscCall(VecRestoreArrayRead(w, &array));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckData(FgModel model, const FgData *data)
{
  PetscFunctionBegin;
  PetscCheck(data->nlocal == model->ndatalocal && data->ndata == 1, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
             "model %s: data of %" PetscInt_FMT " x %" PetscInt_FMT " voltages, expected this rank's %" PetscInt_FMT " x 1",
             model->ops->name, data->nlocal, data->ndata, model->ndatalocal);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Misfit(FgModel model, const FgData *data, Vec m, PetscReal *f, Vec gradient)
{
  FgEitState    *s     = model->context;
  const PetscInt first = FgEitFirstDatum(model);
  double         sum   = 0.0;

  PetscFunctionBegin;
  PetscCall(CheckData(model, data));
  PetscCall(Evaluate(model, m));
  for (PetscInt i = 0; i < model->ndatalocal; i++) {
    const double value = data->values[i], r = (s->voltage[first + i] - value) / data->sigma[i];
    const double bounded = data->huber > 0.0 ? FgHuberBound(r, data->huber) : r;

    s->residual[i] = value == value ? bounded / data->sigma[i] : 0.0;
    sum += value == value ? 0.5 * FgHuberSquare(r, bounded) : 0.0;
  }
  PetscCallMPI(MPI_Allreduce(&sum, f, 1, MPI_DOUBLE, MPI_SUM, model->comm));
  if (!gradient) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(AdjointArray(model, s->residual, gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* J v and J^T w from the pairs. */
static PetscErrorCode TangentPairs(FgModel model, Vec v, double *d)
{
  FgEitState        *s = model->context;
  const PetscScalar *array;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(v, &array));
  PetscCall(FgEitPairsProducts(s, s->space.nsites * model->ncomponents, array, s->small[0]));
  PetscCall(VecRestoreArrayRead(v, &array));
  Measure(model, s->small[0], d);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointPairs(FgModel model, const double *w, Vec y)
{
  FgEitState  *s = model->context;
  PetscScalar *array;

  PetscFunctionBegin;
  PetscCall(Weigh(model, w, s->small[1]));
  PetscCall(VecGetArrayWrite(y, &array));
  FgEitPairsSlopes(s, s->space.nsites * model->ncomponents, s->small[1], array);
  PetscCall(VecRestoreArrayWrite(y, &array));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GaussNewton(FgModel model, const FgData *data, Vec v, Vec y)
{
  FgEitState    *s     = model->context;
  const PetscInt first = FgEitFirstDatum(model);

  PetscFunctionBegin;
  PetscCall(CheckData(model, data));
  PetscCall(FgEitPairsPrepare(model, PETSC_FALSE));
  PetscCall(s->pairs_kept ? TangentPairs(model, v, s->residual) : TangentArray(model, v, s->residual));
  for (PetscInt i = 0; i < model->ndatalocal; i++) {
    s->residual[i] *= FgEitWeight(data, i, s->voltage[first + i]);
  }
  PetscCall(s->pairs_kept ? AdjointPairs(model, s->residual, y) : AdjointArray(model, s->residual, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

const FgModelOps FgModelEit = {.name         = "eit",
                               .summary      = "electrode voltages of impedance tomography (complete electrode model)",
                               .setup        = Setup,
                               .apply        = Apply,
                               .tangent      = Tangent,
                               .adjoint      = Adjoint,
                               .destroy      = Destroy,
                               .global       = PETSC_TRUE,
                               .misfit       = Misfit,
                               .gauss_newton = GaussNewton,
                               .jacobian     = FgEitJacobian,
                               .low_rank     = FgEitLowRank,
                               .site_tensor  = EffectiveTensor};
