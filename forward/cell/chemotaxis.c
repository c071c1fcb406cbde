/* chemotaxis.c: physics `chemotaxis`: effective coefficients of the Keller-Segel equations.

     micro  dn/dt + div J = 0,   J = -M(y) grad n + n S(y) grad c,   dc/dt - div( D(y) grad c ) + k c = a n
     macro  J = -M* grad n + n S* grad c,   M* = P(M),  D* = P(D),
            S*_ij = < (e_i + grad chi^M_i) . S (e_j + grad chi^D_j) >

   with the correctors chi^M and chi^D of the two cell problems; S* need not be symmetric. The shorter formula
   < S (I + grad chi^D) > leaves out the left corrector and is right only where M is uniform: it is reported beside, for
   comparison. The conductance of S between two voxels is M_face D_face mean(S/(M D)), with which layers are exact: there
   M (e + grad chi^M) and D (e + grad chi^D) are constant across the face. Source: docs/physics/chemotaxis.md. */
#include "effective.h"

#include <math.h>

static const char *const properties[3] = {"motility", "diffusivity", "sensitivity"};

/* Conductances of S on faces. Where a phase does not move (M or D 0) its faces are closed. */
static void Faces(FgCell cell, double *const tensors[3], FgScalar motility, FgScalar diffusivity, double *const tables[3])
{
  const PetscInt n = cell->table.nphases;

  for (int a = 0; a < 3; a++) {
    for (PetscInt p = 0; p < n; p++) {
      for (PetscInt q = 0; q < n; q++) {
        const double below = tensors[0][6 * p + a] * tensors[1][6 * p + a], above = tensors[0][6 * q + a] * tensors[1][6 * q + a];

        tables[a][p * n + q] = 0;
        if (below > 0 && above > 0)
          tables[a][p * n + q] = FgScalarFace(motility, a, p, q) * FgScalarFace(diffusivity, a, p, q) * 0.5 *
                                 (tensors[2][6 * p + a] / below + tensors[2][6 * q + a] / above);
      }
    }
  }
}

/* < S (I + grad chi^D) >: the local flux of the attractant's gradient is D_face (e + grad chi^D), half a voxel of each phase. */
static void ChapterFaces(FgCell cell, double *const tensors[3], FgScalar diffusivity, double *const tables[3])
{
  const PetscInt n = cell->table.nphases;

  for (int a = 0; a < 3; a++) {
    for (PetscInt p = 0; p < n; p++) {
      for (PetscInt q = 0; q < n; q++) {
        const double below = tensors[1][6 * p + a], above = tensors[1][6 * q + a];

        tables[a][p * n + q] = 0;
        if (below > 0 && above > 0)
          tables[a][p * n + q] = FgScalarFace(diffusivity, a, p, q) * 0.5 *
                                 (tensors[2][6 * p + a] / below + tensors[2][6 * q + a] / above);
      }
    }
  }
}

/* What Solve frees, also where a solve fails. */
typedef struct {
  FgConduction motility, diffusivity;
  double      *tensors[3], *tables[3];
} Chemotaxis;

static PetscErrorCode SolveCoefficients(FgCell cell, const FgCellSettings *settings, Chemotaxis *c, FgCellReport *report)
{
  const PetscInt n        = cell->table.nphases;
  FgConduction  *motility = &c->motility, *diffusivity = &c->diffusivity;
  double       **tensors = c->tensors, **tables = c->tables, full[9], chapter[9], plain[9] = {0};
  FgEffective   *item;

  PetscFunctionBegin;
  for (int i = 0; i < 3; i++) {
    PetscCall(FgCellProperty(cell, properties[i], &tensors[i], NULL));
    PetscCheck(FgTensorsAreDiagonal(cell, tensors[i]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: '%s' has off-diagonal values, which chemotaxis does not take: give the cell in the axes of its tensors",
               cell->table.source, properties[i]);
  }
  for (int a = 0; a < 3; a++) PetscCall(PetscMalloc1(n * n, &tables[a]));
  PetscCall(FgConductionSolve(cell, settings, tensors[0], "M", motility, report));
  PetscCall(FgConductionSolve(cell, settings, tensors[1], "D", diffusivity, report));
  Faces(cell, tensors, motility->op, diffusivity->op, tables);
  PetscCall(FgScalarFaceForm(motility->op, tables, motility->chi, diffusivity->chi, full));
  ChapterFaces(cell, tensors, diffusivity->op, tables);
  PetscCall(FgScalarFaceForm(diffusivity->op, tables, NULL, diffusivity->chi, chapter));
  for (int a = 0; a < 3; a++) plain[4 * a] = FgCellMean(cell, tensors[2] + a, 6);
  PetscCall(FgConductionReport(cell, motility, tensors[0], "M", "m^2/s", "effective motility", report));
  PetscCall(FgConductionReport(cell, diffusivity, tensors[1], "D", "m^2/s", "effective diffusivity of the attractant", report));
  PetscCall(FgReportEffective(report, "S", "m^2/s", 3, 3, full, "effective sensitivity, per unit of the attractant", NULL));
  PetscCall(FgReportEffective(report, "S_one_corrector", "m^2/s", 3, 3, chapter,
                              "for comparison: < S (I + grad chi^D) >, right only for uniform motility", &item));
  PetscCall(FgReportEffective(report, "S_mean", "m^2/s", 3, 3, plain, "for comparison: volume average <S>", &item));
  item->detail = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  Chemotaxis     c = {.motility = {.keep = PETSC_TRUE}, .diffusivity = {.keep = PETSC_TRUE}};
  PetscErrorCode code;

  PetscFunctionBegin;
  code = SolveCoefficients(cell, settings, &c, report);
  for (int i = 0; i < 3; i++) {
    PetscCall(PetscFree(c.tables[i]));
    PetscCall(PetscFree(c.tensors[i]));
  }
  PetscCall(FgConductionDestroy(&c.motility));
  PetscCall(FgConductionDestroy(&c.diffusivity));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  return 2.0 + 4.0 + 96.0 + 16.0 * (1.0 + 2.0 / (double)cell->n[0]);
}

const FgPhysics FgPhysicsChemotaxis = {"chemotaxis", "effective motility, diffusivity and sensitivity of Keller-Segel equations",
                                       Solve, BytesPerVoxel, PETSC_FALSE};
