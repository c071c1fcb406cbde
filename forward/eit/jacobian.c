/* jacobian.c: the dense Jacobian, for singular values and studies of identifiability; inversion needs only its actions (reciprocity.c).

     dV_pq/dm_i = - sum over the elements of site i of int grad u(current_p) . dC/dm_i grad u(pattern_q) */
#include "eit.h"

#include <petscblaslapack.h>

/* out[rows][count] = in[rows][n] coefficient[count][m]^T over the first m of n columns. */
static void Project(PetscInt rows, PetscInt n, PetscInt m, PetscInt count, const double *in, const double *coefficient,
                    double *out)
{
  const PetscScalar  one = 1.0, zero = 0.0;
  const PetscBLASInt r = (PetscBLASInt)rows, columns = (PetscBLASInt)n, inner = (PetscBLASInt)m, c = (PetscBLASInt)count;

  BLASgemm_("T", "N", &c, &r, &inner, &one, coefficient, &inner, in, &columns, &zero, out, &c);
}

PetscErrorCode FgEitJacobian(FgModel model, double *jacobian)
{
  FgEitState          *s = model->context;
  const FgEitCurrents *c = &s->currents;
  const PetscInt     dim = s->space.mesh->dim, points = s->space.nquadrature, per = points * dim, block = FG_EIT_BLOCK_ROWS / per;
  const PetscInt     np = c->npatterns, nm = c->nmeasurements, nc = model->ncomponents;
  const PetscBLASInt inner = (PetscBLASInt)per, drives = (PetscBLASInt)np, senses = (PetscBLASInt)nm;
  const PetscScalar *state;
  double            *drive, *sense, *changed;

  PetscFunctionBegin;
  PetscCall(FgEitStateComplete(s, &model->counts));
  PetscCall(PetscMalloc3((size_t)block * per * np, &drive, (size_t)block * per * nm, &sense, (size_t)per * nm, &changed));
  PetscCall(PetscArrayzero(jacobian, (size_t)s->space.nsites * nc * np * nm));
  PetscCall(VecGetArrayRead(model->state, &state));
  for (PetscInt first = 0; first < s->space.nelements; first += block) {
    const PetscInt count = PetscMin(block, s->space.nelements - first);

    FgEitGradients(s, first, count);
    Project(count * per, c->n, c->driven, np, s->rows, c->drive, drive);
    Project(count * per, c->n, c->n, nm, s->rows, c->sense, sense);
    for (PetscInt e = 0; e < count; e++) {
      const PetscInt site = FgEitSite(&s->space, first + e);
      const double  *p = &drive[(size_t)e * per * np], *q = &sense[(size_t)e * per * nm];
      double         C[6], dC[FG_MAX_COMPONENTS][6];

      FgEitSiteTensor(model, &state[(size_t)site * nc], model->field->frames ? &model->field->frames[9 * (size_t)site] : NULL, C,
                      dC);
      for (PetscInt a = 0; a < nc; a++) {
        const PetscScalar minus = -1.0, one = 1.0;

        FgEitChange(dim, nm, per, dC[a], q, changed);
        PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &senses, &drives, &inner, &minus, changed, &senses, p, &drives, &one,
                                            &jacobian[((size_t)site * nc + a) * np * nm], &senses));
      }
    }
  }
  PetscCall(VecRestoreArrayRead(model->state, &state));
  PetscCall(PetscFree3(drive, sense, changed));
  PetscFunctionReturn(PETSC_SUCCESS);
}
