/* eit.c: what an impedance tomograph measured, in memory: made, freed, handed to all ranks, electrodes dropped. What must hold:
   eit_check.c; as files: data/eit_read.c, data/eit_write.c. */
#include "finegrain/eit.h"

#include <math.h>
#include <string.h>

PetscErrorCode FgEitCreate(PetscInt nelectrodes, PetscInt npatterns, PetscInt nmeasurements, FgEit *out)
{
  const size_t nvoltages = (size_t)npatterns * (size_t)nmeasurements;
  FgEit        eit;

  PetscFunctionBegin;
  PetscCheck(nelectrodes >= 1 && npatterns >= 1 && nmeasurements >= 1, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
             "EIT: found %" PetscInt_FMT " electrodes, %" PetscInt_FMT " current and %" PetscInt_FMT " measurement patterns",
             nelectrodes, npatterns, nmeasurements);
  PetscCheck((double)npatterns * (double)PetscMax(nmeasurements, nelectrodes) <= (double)PETSC_MAX_INT &&
                 (double)nmeasurements * (double)nelectrodes <= (double)PETSC_MAX_INT &&
                 3.0 * nelectrodes <= (double)PETSC_MAX_INT,
             PETSC_COMM_SELF, PETSC_ERR_MEM,
             "EIT: %" PetscInt_FMT " current and %" PetscInt_FMT " measurement patterns of %" PetscInt_FMT
             " electrodes are more than can be counted",
             npatterns, nmeasurements, nelectrodes);
  PetscCall(PetscNew(&eit));
  *out               = eit;
  eit->nelectrodes   = nelectrodes;
  eit->npatterns     = npatterns;
  eit->nmeasurements = nmeasurements;
  eit->depth         = 1.0;
  PetscCall(PetscCalloc1(nelectrodes, &eit->name));
  PetscCall(PetscCalloc1(nelectrodes, &eit->impedance));
  PetscCall(PetscCalloc1((size_t)npatterns * (size_t)nelectrodes, &eit->current));
  PetscCall(PetscCalloc1((size_t)nmeasurements * (size_t)nelectrodes, &eit->pattern));
  PetscCall(PetscMalloc1(nvoltages, &eit->voltage));
  for (size_t i = 0; i < nvoltages; i++) eit->voltage[i] = NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitDestroy(FgEit *eit)
{
  PetscFunctionBegin;
  if (!*eit) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree((*eit)->name));
  PetscCall(PetscFree((*eit)->impedance));
  PetscCall(PetscFree((*eit)->current));
  PetscCall(PetscFree((*eit)->pattern));
  PetscCall(PetscFree((*eit)->voltage));
  PetscCall(PetscFree((*eit)->noise));
  PetscCall(PetscFree((*eit)->reference));
  PetscCall(PetscFree((*eit)->angle));
  PetscCall(PetscFree((*eit)->z));
  PetscCall(PetscFree((*eit)->width));
  PetscCall(PetscFree((*eit)->tall));
  PetscCall(PetscFree((*eit)->position));
  PetscCall(PetscFree((*eit)->electrode_radius));
  if ((*eit)->mesh) PetscCall(FgMeshDestroy(&(*eit)->mesh));
  PetscCall(PetscFree(*eit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- All ranks ------------------------------------------------------------------------------------------------------------- */

/* An array that rank 0 may have or not. */
static PetscErrorCode BroadcastArray(MPI_Comm comm, size_t n, PetscBool there, double **values)
{
  PetscFunctionBegin;
  if (!there) PetscFunctionReturn(PETSC_SUCCESS);
  if (!*values) PetscCall(PetscMalloc1(n, values));
  PetscCallMPI(MPI_Bcast(*values, (PetscMPIInt)n, MPI_DOUBLE, 0, comm)); /* at most PETSC_MAX_INT: FgEitCreate */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitBroadcast(MPI_Comm comm, FgEit *out)
{
  struct FgEit_  head;
  FgEit          eit;
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  memset(&head, 0, sizeof head);
  if (!rank) head = **out;
  PetscCallMPI(
      MPI_Bcast(&head, (PetscMPIInt)sizeof head, MPI_BYTE, 0, comm)); /* of its pointers only whether they are NULL counts */
  if (rank) {
    *out = NULL;
    code = FgEitCreate(head.nelectrodes, head.npatterns, head.nmeasurements, out);
  }
  PetscCall(FgAgree(comm, code));
  eit = *out;
  if (rank) {
    PetscCall(PetscStrncpy(eit->source, head.source, sizeof eit->source));
    eit->depth              = head.depth;
    eit->background         = head.background;
    eit->radius             = head.radius;
    eit->height             = head.height;
    eit->simulated_elements = head.simulated_elements;
    eit->simulated_nodes    = head.simulated_nodes;
    eit->ndropped           = head.ndropped;
    eit->nsilent            = head.nsilent;
  }
  {
    const size_t n = (size_t)eit->nelectrodes, p = (size_t)eit->npatterns, m = (size_t)eit->nmeasurements;

    PetscCallMPI(MPI_Bcast(eit->name, (PetscMPIInt)(n * sizeof *eit->name), MPI_CHAR, 0, comm));
    PetscCall(BroadcastArray(comm, n, PETSC_TRUE, &eit->impedance));
    PetscCall(BroadcastArray(comm, p * n, PETSC_TRUE, &eit->current));
    PetscCall(BroadcastArray(comm, m * n, PETSC_TRUE, &eit->pattern));
    PetscCall(BroadcastArray(comm, p * m, PETSC_TRUE, &eit->voltage));
    PetscCall(BroadcastArray(comm, p * m, head.noise ? PETSC_TRUE : PETSC_FALSE, &eit->noise));
    PetscCall(BroadcastArray(comm, p * m, head.reference ? PETSC_TRUE : PETSC_FALSE, &eit->reference));
    PetscCall(BroadcastArray(comm, n, head.angle ? PETSC_TRUE : PETSC_FALSE, &eit->angle));
    PetscCall(BroadcastArray(comm, n, head.z ? PETSC_TRUE : PETSC_FALSE, &eit->z));
    PetscCall(BroadcastArray(comm, n, head.width ? PETSC_TRUE : PETSC_FALSE, &eit->width));
    PetscCall(BroadcastArray(comm, n, head.tall ? PETSC_TRUE : PETSC_FALSE, &eit->tall));
    PetscCall(BroadcastArray(comm, 3 * n, head.position ? PETSC_TRUE : PETSC_FALSE, &eit->position));
    PetscCall(BroadcastArray(comm, n, head.electrode_radius ? PETSC_TRUE : PETSC_FALSE, &eit->electrode_radius));
  }
  if (head.mesh) PetscCall(FgMeshBroadcast(comm, &eit->mesh));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Dropped electrodes ---------------------------------------------------------------------------------------------------- */

static PetscBool UsesAny(const double *row, PetscInt n, const PetscInt electrode[])
{
  for (PetscInt i = 0; i < n; i++) {
    if (row[electrode[i]] != 0.0) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

PetscErrorCode FgEitDrop(FgEit eit, PetscInt n, const PetscInt electrode[])
{
  const PetscInt nm = eit->nmeasurements, nl = eit->nelectrodes;
  PetscInt       kept = 0, finite = 0;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    PetscCheck(electrode[i] >= 0 && electrode[i] < nl, PETSC_COMM_SELF, PETSC_ERR_USER,
               "%s: found no electrode %" PetscInt_FMT " to drop, expected 1 to %" PetscInt_FMT, eit->source, electrode[i] + 1,
               nl);
  }
  for (PetscInt p = 0; p < eit->npatterns; p++) {
    if (!UsesAny(eit->current + (size_t)p * (size_t)nl, n, electrode)) kept++;
  }
  PetscCheck(kept > 0, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: each of the %" PetscInt_FMT " current patterns drives a dropped electrode; drop fewer", eit->source,
             eit->npatterns);
  kept = 0;
  for (PetscInt p = 0; p < eit->npatterns; p++) {
    const size_t from = (size_t)p * (size_t)nm, to = (size_t)kept * (size_t)nm;

    if (UsesAny(eit->current + (size_t)p * (size_t)nl, n, electrode)) continue;
    if (kept < p) {
      PetscCall(PetscArraymove(eit->current + (size_t)kept * (size_t)nl, eit->current + (size_t)p * (size_t)nl, nl));
      PetscCall(PetscArraymove(eit->voltage + to, eit->voltage + from, nm));
      if (eit->noise) PetscCall(PetscArraymove(eit->noise + to, eit->noise + from, nm));
      if (eit->reference) PetscCall(PetscArraymove(eit->reference + to, eit->reference + from, nm));
    }
    kept++;
  }
  eit->npatterns = kept;
  for (PetscInt m = 0; m < nm; m++) {
    const PetscBool gone = UsesAny(eit->pattern + (size_t)m * (size_t)nl, n, electrode);

    for (PetscInt p = 0; p < kept; p++) {
      double *voltage = &eit->voltage[(size_t)p * (size_t)nm + (size_t)m];

      if (gone) *voltage = NAN;
      if (isfinite(*voltage)) finite++;
    }
  }
  PetscCheck(finite > 0, PETSC_COMM_SELF, PETSC_ERR_USER, "%s: without the dropped electrodes no voltage is left; drop fewer",
             eit->source);
  PetscCall(FgEitCheck(eit)); /* counts what is dropped and silent now */
  PetscFunctionReturn(PETSC_SUCCESS);
}
