/* model_check.c: is J the derivative of F, and J^T its transpose? Taylor test and dot-product test of any model.

   Taylor: e(t) = |F(m + t v) - F(m) - t J v| falls as t^2 while truncation rules; a wrong J makes it fall as t. Its observed
   order is taken over half decades of t, leaving out the part that rounding of F reaches. v has the size of each component's
   range (box, start, or one radian), so that t is relative, and points into the box. */
#include "finegrain/model.h"
#include "finegrain/taylor.h"

#include <gsl/gsl_randist.h>
#include <math.h>

enum { STEPS = 13 }; /* t = 10^-1.5 ... 10^-7.5 in half decades */

/* The size of a useful change of a component. */
static double Extent(const FgComponent *c)
{
  if (isfinite(c->lower) && isfinite(c->upper)) return c->upper - c->lower;
  return c->kind == FG_KIND_SCALAR && c->start != 0.0 ? fabs(c->start) : 1.0;
}

static PetscErrorCode RandomChange(FgModel model, Vec m, gsl_rng *random, Vec v)
{
  const PetscInt     n = model->ncomponents;
  const PetscScalar *marray;
  PetscScalar       *array;
  PetscInt           local;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(v, &local));
  PetscCall(VecGetArrayRead(m, &marray));
  PetscCall(VecGetArrayWrite(v, &array));
  for (PetscInt i = 0; i < local; i++) {
    const FgComponent *c      = &model->components[i % n];
    const double       extent = Extent(c), change = extent * gsl_ran_flat(random, 0.2, 1.0);
    const double       sign = gsl_ran_flat(random, -1.0, 1.0) < 0.0 ? -1.0 : 1.0;

    array[i] = sign * change;
    if (marray[i] > c->upper - 0.05 * extent) array[i] = -change;
    if (marray[i] < c->lower + 0.05 * extent) array[i] = change;
  }
  PetscCall(VecRestoreArrayWrite(v, &array));
  PetscCall(VecRestoreArrayRead(m, &marray));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RandomNormal(gsl_rng *random, Vec w)
{
  PetscScalar *array;
  PetscInt     local;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(w, &local));
  PetscCall(VecGetArrayWrite(w, &array));
  for (PetscInt i = 0; i < local; i++) array[i] = gsl_ran_gaussian(random, 1.0);
  PetscCall(VecRestoreArrayWrite(w, &array));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgModelCheck(FgModel model, Vec m, unsigned long seed, FgModelCheckResult *result)
{
  Vec         v, x, Jtw, F, Jv, w, d;
  PetscReal   size, normJv, normw;
  PetscScalar left, right;
  double      e[STEPS];
  PetscMPIInt rank;
  gsl_rng    *random = gsl_rng_alloc(gsl_rng_mt19937);

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(model->comm, &rank));
  gsl_rng_set(random, seed + 7919UL * (unsigned long)rank);
  PetscCall(VecDuplicate(m, &v));
  PetscCall(VecDuplicate(m, &x));
  PetscCall(VecDuplicate(m, &Jtw));
  PetscCall(FgModelCreateDataVec(model, &F));
  PetscCall(VecDuplicate(F, &Jv));
  PetscCall(VecDuplicate(F, &w));
  PetscCall(VecDuplicate(F, &d));

  PetscCall(RandomChange(model, m, random, v));
  PetscCall(RandomNormal(random, w));
  PetscCall(FgModelApply(model, m, F));
  PetscCall(FgModelTangent(model, v, Jv));
  PetscCall(FgModelAdjoint(model, w, Jtw));
  PetscCall(VecDot(Jv, w, &left));
  PetscCall(VecDot(v, Jtw, &right));
  PetscCall(VecNorm(Jv, NORM_2, &normJv));
  PetscCall(VecNorm(w, NORM_2, &normw));
  result->dot_product = normJv > 0.0 ? fabs(left - right) / (normJv * normw) : fabs(left - right);

  for (int k = 0; k < STEPS; k++) {
    const double t = pow(10.0, -1.5 - 0.5 * k);

    PetscCall(VecWAXPY(x, t, v, m));
    PetscCall(FgModelApply(model, x, d));
    PetscCall(VecAXPY(d, -1.0, F));
    PetscCall(VecAXPY(d, -t, Jv));
    PetscCall(VecNorm(d, NORM_2, &e[k]));
  }
  PetscCall(VecNorm(F, NORM_2, &size));
  /* 100 units of rounding of F, or of what its solver leaves: where the remainder is that large, they change an order by less than some
     0.01. */
  FgTaylorOrders(STEPS, e, 100.0 * PetscMax(PETSC_MACHINE_EPSILON, model->accuracy) * size, 2.0, result->taylor_slope,
                 &result->taylor_decades);
  PetscCall(FgModelApply(model, m, F)); /* leaves the model's state at m */

  gsl_rng_free(random);
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&Jtw));
  PetscCall(VecDestroy(&F));
  PetscCall(VecDestroy(&Jv));
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&d));
  PetscFunctionReturn(PETSC_SUCCESS);
}
