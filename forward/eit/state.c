/* state.c: the solved state of a complete electrode model: potentials of the basis of currents at one conductivity. The driven currents
   are solved for at once, the rest and the fields only when a derivative is asked for; nothing is done where nothing has changed. */
#include "eit.h"

#include <string.h>

static PetscErrorCode CreateColumns(FgEitState *s, int part, PetscInt n)
{
  const PetscInt total = s->space.ndof + s->currents.nelectrodes - 1;

  PetscFunctionBegin;
  if (!n) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MatCreateDense(s->space.comm, s->system.nlocal, PETSC_DECIDE, total, n, NULL, &s->B[part]));
  PetscCall(MatCreateDense(s->space.comm, s->system.nlocal, PETSC_DECIDE, total, n, NULL, &s->X[part]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whole rows of the fields from the ranks that own them. */
static PetscErrorCode CreateGhosts(FgEitState *s)
{
  PetscLayout layout;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Type_contiguous((int)s->currents.n, MPI_DOUBLE, &s->row));
  PetscCallMPI(MPI_Type_commit(&s->row));
  PetscCall(PetscLayoutCreate(s->space.comm, &layout));
  PetscCall(PetscLayoutSetLocalSize(layout, s->space.nowned));
  PetscCall(PetscLayoutSetUp(layout));
  PetscCall(PetscSFCreate(s->space.comm, &s->ghosts));
  PetscCall(PetscSFSetGraphLayout(s->ghosts, layout, s->space.nghost, NULL, PETSC_COPY_VALUES, s->space.ghosts));
  PetscCall(PetscLayoutDestroy(&layout));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitStateCreate(MPI_Comm comm, FgEit eit, FgMesh mesh, const FgEitOptions *options, FgEitState **state)
{
  FgEitState *s;
  PetscInt    n, nd;

  PetscFunctionBegin;
  PetscCall(PetscNew(state));
  s = *state;
  PetscCall(FgEitSpaceCreate(comm, mesh, options->order, &s->space));
  PetscCall(FgEitSystemCreate(&s->space, options, &s->system));
  PetscCall(FgEitCurrentsCreate(eit, mesh->dim, &s->currents));
  n  = s->currents.n;
  nd = s->currents.driven;
  PetscCall(CreateColumns(s, 0, nd));
  PetscCall(CreateColumns(s, 1, n - nd));
  PetscCall(CreateGhosts(s));
  PetscCall(PetscMalloc1((size_t)(s->space.nowned + s->space.nghost) * n, &s->fields));
  PetscCall(PetscMalloc1((size_t)n * eit->nelectrodes, &s->potential));
  PetscCall(PetscMalloc1((size_t)eit->npatterns * eit->nmeasurements, &s->voltage));
  PetscCall(PetscCalloc1(6 * (size_t)s->space.nsites, &s->tensor));
  PetscCall(PetscCalloc1(6 * (size_t)s->space.nsites, &s->trial));
  PetscCall(PetscCalloc1(eit->nelectrodes, &s->impedance));
  PetscCall(PetscMalloc1((size_t)FG_EIT_BLOCK_ROWS * n, &s->rows));
  PetscCall(PetscMalloc1((size_t)(s->space.nowned + s->space.nghost) * n, &s->image));
  for (int i = 0; i < 3; i++) PetscCall(PetscMalloc1((size_t)nd * PetscMax(n, eit->nmeasurements), &s->small[i]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitStateDestroy(FgEitState **state)
{
  FgEitState *s = *state;

  PetscFunctionBegin;
  if (!s) PetscFunctionReturn(PETSC_SUCCESS);
  for (int part = 0; part < 2; part++) {
    PetscCall(MatDestroy(&s->B[part]));
    PetscCall(MatDestroy(&s->X[part]));
  }
  PetscCall(PetscSFDestroy(&s->ghosts));
  if (s->row != MPI_DATATYPE_NULL && s->row) PetscCallMPI(MPI_Type_free(&s->row));
  PetscCall(PetscFree(s->fields));
  PetscCall(PetscFree(s->potential));
  PetscCall(PetscFree(s->voltage));
  PetscCall(PetscFree(s->tensor));
  PetscCall(PetscFree(s->trial));
  PetscCall(PetscFree(s->impedance));
  PetscCall(PetscFree(s->rows));
  PetscCall(PetscFree(s->image));
  PetscCall(PetscFree(s->residual));
  PetscCall(FgEitPairsDestroy(s));
  for (int i = 0; i < 3; i++) PetscCall(PetscFree(s->small[i]));
  PetscCall(FgEitCurrentsDestroy(&s->currents));
  PetscCall(FgEitSystemDestroy(&s->system));
  PetscCall(FgEitSpaceDestroy(&s->space));
  PetscCall(PetscFree(*state));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Solves for the currents [first, first + n) and tells everybody the electrodes' potentials. */
static PetscErrorCode SolvePart(FgEitState *s, int part, PetscInt first, PetscInt n, FgModelCounts *counts)
{
  const PetscInt L = s->currents.nelectrodes;
  PetscMPIInt    size;
  const double  *x;
  PetscInt       lead;

  PetscFunctionBegin;
  if (!n) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgEitSolve(&s->space, &s->system, n, &s->currents.current[(size_t)first * L], s->B[part], s->X[part]));
  counts->iterations = PetscMax(counts->iterations, s->system.iterations);
  counts->solves += n;
  if (s->system.nlocal > s->space.nowned) {
    PetscCall(MatDenseGetLDA(s->X[part], &lead));
    PetscCall(MatDenseGetArrayRead(s->X[part], &x));
    for (PetscInt k = 0; k < n; k++) {
      double *potential = &s->potential[(size_t)(first + k) * L], mean = 0.0;

      for (PetscInt l = 0; l < L; l++) potential[l] = l < L - 1 ? x[(size_t)k * lead + s->space.nowned + l] : 0.0;
      for (PetscInt l = 0; l < L; l++) mean += potential[l] / L;
      for (PetscInt l = 0; l < L; l++) potential[l] -= mean;
    }
    PetscCall(MatDenseRestoreArrayRead(s->X[part], &x));
  }
  PetscCallMPI(MPI_Comm_size(s->space.comm, &size));
  PetscCallMPI(MPI_Bcast(&s->potential[(size_t)first * L], (int)(n * L), MPI_DOUBLE, size - 1, s->space.comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* V_pq = sum_k drive_pk pattern_q . U_k over the driven currents. */
static void Voltages(FgEitState *s, FgEit eit)
{
  const PetscInt nd = s->currents.driven, nm = eit->nmeasurements, L = eit->nelectrodes;
  double        *sensed = s->small[0]; /* [driven][nmeasurements] */

  for (PetscInt k = 0; k < nd; k++) {
    for (PetscInt q = 0; q < nm; q++) {
      double sum = 0.0;

      for (PetscInt l = 0; l < L; l++) sum += eit->pattern[q * L + l] * s->potential[k * L + l];
      sensed[k * nm + q] = sum;
    }
  }
  for (PetscInt p = 0; p < eit->npatterns; p++) {
    double *voltage = &s->voltage[(size_t)p * nm];

    memset(voltage, 0, (size_t)nm * sizeof *voltage);
    for (PetscInt k = 0; k < nd; k++) {
      const double drive = s->currents.drive[(size_t)p * nd + k];

      for (PetscInt q = 0; q < nm; q++) voltage[q] += drive * sensed[k * nm + q];
    }
  }
}

PetscErrorCode FgEitStateSolve(FgEitState *s, FgEit eit, FgModelCounts *counts)
{
  const size_t bytes = 6 * (size_t)s->space.nsites * sizeof(double);
  int          same  = s->solved && !memcmp(s->tensor, s->trial, bytes) &&
             !memcmp(s->impedance, eit->impedance, (size_t)eit->nelectrodes * sizeof(double));
  double *tensor;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &same, 1, MPI_INT, MPI_LAND, s->space.comm));
  if (same) PetscFunctionReturn(PETSC_SUCCESS);
  s->solved = s->complete = PETSC_FALSE;
  FgEitPairsForget(s);
  tensor    = s->tensor;
  s->tensor = s->trial;
  s->trial  = tensor;
  memcpy(s->impedance, eit->impedance, (size_t)eit->nelectrodes * sizeof(double));
  PetscCall(FgEitAssemble(&s->space, &s->system, s->tensor, s->impedance));
  PetscCall(FgEitFactor(&s->system));
  counts->factorizations++;
  PetscCall(SolvePart(s, 0, 0, s->currents.driven, counts));
  Voltages(s, eit);
  s->solved = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Columns of a solution into the rows of the fields. */
static PetscErrorCode Transpose(FgEitState *s, int part, PetscInt first, PetscInt n)
{
  const PetscInt stride = s->currents.n;
  const double  *x;
  PetscInt       lead;

  PetscFunctionBegin;
  if (!n) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MatDenseGetLDA(s->X[part], &lead));
  PetscCall(MatDenseGetArrayRead(s->X[part], &x));
  for (PetscInt block = 0; block < s->space.nowned; block += 64) {
    const PetscInt end = PetscMin(block + 64, s->space.nowned);

    for (PetscInt k = 0; k < n; k++) {
      for (PetscInt i = block; i < end; i++) s->fields[(size_t)i * stride + first + k] = x[(size_t)k * lead + i];
    }
  }
  PetscCall(MatDenseRestoreArrayRead(s->X[part], &x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitStateComplete(FgEitState *s, FgModelCounts *counts)
{
  const PetscInt nd = s->currents.driven, rest = s->currents.n - nd;
  double        *ghosts = &s->fields[(size_t)s->space.nowned * s->currents.n];

  PetscFunctionBegin;
  if (s->complete) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(s->solved, s->space.comm, PETSC_ERR_ORDER, "model eit: a derivative before the first prediction");
  PetscCall(SolvePart(s, 1, nd, rest, counts));
  PetscCall(Transpose(s, 0, 0, nd));
  PetscCall(Transpose(s, 1, nd, rest));
  PetscCall(PetscSFBcastBegin(s->ghosts, s->row, s->fields, ghosts, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(s->ghosts, s->row, s->fields, ghosts, MPI_REPLACE));
  s->complete = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}
