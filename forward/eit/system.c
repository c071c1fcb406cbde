/* system.c: the matrix of the complete electrode model.

     a(u, U; v, V) = int grad u . C grad v + sum_l 1/z_l int_{e_l} (u - U_l)(v - V_l) = sum_l I_l V_l

   Unknown are the potential u and those of the electrodes U_l, but the last, which is at zero: symmetric and positive definite.
   Source: E. Somersalo, M. Cheney, D. Isaacson, SIAM J. Appl. Math. 52 (1992) 1023.

   The pattern is found once; the entries that are summed up stand in a fixed order: elements, then electrode faces. */
#include "eit.h"

#include <string.h>

/* Entries of the element and the face loops. */
static size_t CountEntries(const FgEitSpace *space, const FgEitSystem *system)
{
  const size_t nb = (size_t)space->nbasis, nf = (size_t)space->nfacebasis;
  size_t       count = (size_t)space->nelements * nb * nb;

  for (PetscInt f = 0; f < space->nfaces; f++) {
    count += nf * nf;
    if (space->face[f].electrode < system->nelectrodes - 1) count += 2 * nf + 1;
  }
  return count;
}

static PetscErrorCode Pattern(const FgEitSpace *space, FgEitSystem *system)
{
  const PetscInt nb = space->nbasis, nf = space->nfacebasis;
  const size_t   count = CountEntries(space, system);
  PetscInt      *row, *column;
  size_t         k = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(count, &row, count, &column));
  for (PetscInt e = 0; e < space->nelements; e++) {
    const PetscInt *dof = &space->dof[(size_t)e * nb];

    for (PetscInt i = 0; i < nb; i++) {
      for (PetscInt j = 0; j < nb; j++, k++) {
        row[k]    = FgEitRow(space, dof[i]);
        column[k] = FgEitRow(space, dof[j]);
      }
    }
  }
  for (PetscInt f = 0; f < space->nfaces; f++) {
    const FgEitFace *face      = &space->face[f];
    const PetscInt   electrode = space->ndof + face->electrode;

    for (PetscInt i = 0; i < nf; i++) {
      for (PetscInt j = 0; j < nf; j++, k++) {
        row[k]    = FgEitRow(space, face->dof[i]);
        column[k] = FgEitRow(space, face->dof[j]);
      }
    }
    if (face->electrode == system->nelectrodes - 1) continue;
    for (PetscInt i = 0; i < nf; i++, k += 2) {
      row[k] = column[k + 1] = FgEitRow(space, face->dof[i]);
      column[k] = row[k + 1] = electrode;
    }
    row[k] = column[k] = electrode;
    k++;
  }
  PetscCall(MatSetPreallocationCOO(system->matrix, (PetscCount)count, row, column));
  PetscCall(PetscFree2(row, column));
  PetscCall(PetscMalloc1(count, &system->values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitSystemCreate(const FgEitSpace *space, const FgEitOptions *options, FgEitSystem *system)
{
  const PetscInt total = space->ndof + space->mesh->nelectrodes - 1;
  PetscMPIInt    rank, size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(space->comm, &rank));
  PetscCallMPI(MPI_Comm_size(space->comm, &size));
  memset(system, 0, sizeof *system);
  system->nelectrodes = space->mesh->nelectrodes;
  system->nlocal      = space->nowned + (rank == size - 1 ? system->nelectrodes - 1 : 0);
  PetscCall(MatCreate(space->comm, &system->matrix));
  PetscCall(MatSetSizes(system->matrix, system->nlocal, system->nlocal, total, total));
  PetscCall(MatSetType(system->matrix, MATAIJ));
  PetscCall(Pattern(space, system));
  PetscCall(MatSetOption(system->matrix, MAT_SYMMETRIC, PETSC_TRUE));
  PetscCall(MatSetOption(system->matrix, MAT_SYMMETRY_ETERNAL, PETSC_TRUE));
  PetscCall(MatSetOption(system->matrix, MAT_SPD, PETSC_TRUE));
  PetscCall(MatSetOption(system->matrix, MAT_SPD_ETERNAL, PETSC_TRUE));
  PetscCall(FgEitSolverCreate(space, options, system));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgEitSystemDestroy(FgEitSystem *system)
{
  PetscFunctionBegin;
  PetscCall(FgEitSolverDestroy(system));
  PetscCall(MatDestroy(&system->matrix));
  PetscCall(PetscFree(system->values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgEitElementStiffness(const FgEitSpace *space, PetscInt element, const double C[6], double *values)
{
  static const int at[3][3] = {{0, 3, 4}, {3, 1, 5}, {4, 5, 2}};
  const PetscInt   dim = space->mesh->dim, nb = space->nbasis;
  FgEitGradient    gradient;

  FgEitElementGradients(space, element, gradient);
  memset(values, 0, (size_t)(nb * nb) * sizeof *values);
  for (PetscInt q = 0; q < space->nquadrature; q++) {
    for (PetscInt a = 0; a < dim; a++) {
      double flux[FG_EIT_BASIS] = {0};

      for (PetscInt b = 0; b < dim; b++) {
        for (PetscInt j = 0; j < nb; j++) flux[j] += C[at[a][b]] * gradient[q][b][j];
      }
      for (PetscInt i = 0; i < nb; i++) {
        for (PetscInt j = 0; j < nb; j++) values[i * nb + j] += gradient[q][a][i] * flux[j];
      }
    }
  }
}

PetscErrorCode FgEitAssemble(const FgEitSpace *space, FgEitSystem *system, const double *tensor, const double *impedance)
{
  const PetscInt nb = space->nbasis, nf = space->nfacebasis;
  double        *value = system->values;
  double         integral[FG_EIT_FACE_BASIS], mass[FG_EIT_FACE_BASIS][FG_EIT_FACE_BASIS];

  PetscFunctionBegin;
  for (PetscInt e = 0; e < space->nelements; e++, value += nb * nb) {
    FgEitElementStiffness(space, e, &tensor[6 * (size_t)FgEitSite(space, e)], value);
  }
  FgEitFaceIntegrals(space, integral, mass);
  for (PetscInt f = 0; f < space->nfaces; f++) {
    const FgEitFace *face  = &space->face[f];
    const double     scale = face->area / impedance[face->electrode];

    for (PetscInt i = 0; i < nf; i++) {
      for (PetscInt j = 0; j < nf; j++) *value++ = scale * mass[i][j];
    }
    if (face->electrode == system->nelectrodes - 1) continue;
    for (PetscInt i = 0; i < nf; i++, value += 2) value[0] = value[1] = -scale * integral[i];
    *value++ = scale;
  }
  PetscCall(MatSetValuesCOO(system->matrix, system->values, INSERT_VALUES));
  PetscFunctionReturn(PETSC_SUCCESS);
}
