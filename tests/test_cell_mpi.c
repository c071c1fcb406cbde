/* test_cell_mpi.c: the periodic cell itself: slabs, fractions, neighboring planes, properties of phases and their refusal. */
#include "agreed.h"

#include "finegrain/cell.h"

#include <math.h>

static FgCell MakeCell(PetscInt nx, PetscInt ny, PetscInt nz)
{
  const PetscInt n[3]    = {nx, ny, nz};
  const double   edge[3] = {1, 2, 3};
  FgPhaseTable   table   = {.source = "phases.yaml"};
  FgCell         cell;

  AgreedSuccess(FgPhaseTableAdd(&table, "a", 5));
  AgreedSuccess(FgPhaseTableAdd(&table, "b", -1));
  AgreedSuccess(FgPhaseTableAdd(&table, "absent", 7));
  AgreedSuccess(FgCellCreate(PETSC_COMM_WORLD, n, edge, &table, "cell.nii", &cell));
  AgreedSuccess(FgPhaseTableDestroy(&table));
  for (PetscInt v = 0; v < cell->nlocal; v++) cell->phase[v] = (uint16_t)((cell->start * nx * ny + v) % 3 == 0);
  AgreedSuccess(FgCellComplete(cell));
  return cell;
}

static void SlabsCoverTheCell(void **state)
{
  for (PetscInt nz = 1; nz < 9; nz++) {
    FgCell         cell  = MakeCell(2, 3, nz);
    const PetscInt ones  = (6 * nz + 2) / 3;
    PetscInt       total = cell->nlocal, before = 0;

    MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD);
    MPI_Exscan(&cell->count, &before, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD);
    AgreedTrue(total == 6 * nz && (!Rank() || before == cell->start) && cell->nlocal == 6 * cell->count);
    AgreedTrue(fabs(cell->fraction[1] - (double)ones / (double)(6 * nz)) < 1e-15 &&
               fabs(cell->fraction[0] + cell->fraction[1] - 1) < 1e-15);
    AgreedTrue(cell->fraction[2] == 0 && isnan(cell->exact[0]));
    for (PetscInt a = 0; a < 3; a++) AgreedTrue(fabs(cell->spacing[a] * (double)cell->n[a] - cell->edge[a]) < 1e-15);
    AgreedSuccess(FgCellDestroy(&cell));
  }
}

/* Values tell plane and component; planes next to a slab are those of the neighbors, around the cell. */
static void HalosGoAround(void **state)
{
  for (PetscInt nz = 1; nz < 9; nz++) {
    for (PetscInt ncomp = 1; ncomp < 4; ncomp += 2) {
      FgCell         cell  = MakeCell(2, 2, nz);
      const PetscInt plane = 4 * ncomp;
      FgHalo         halo  = {0};
      const double  *below, *above;
      double        *x;
      int            good = 1;

      AgreedSuccess(PetscMalloc1(cell->nlocal * ncomp, &x));
      for (PetscInt i = 0; i < cell->nlocal * ncomp; i++) x[i] = (double)(cell->start * plane + i);
      for (int again = 0; again < 2; again++) { /* buffers are used again */
        AgreedSuccess(FgHaloUpdate(cell, &halo, x, ncomp, &below, &above));
        for (PetscInt i = 0; i < plane && cell->count; i++) {
          good = good && below[i] == (double)((cell->start + nz - 1) % nz * plane + i);
          good = good && above[i] == (double)((cell->start + cell->count) % nz * plane + i);
        }
      }
      AgreedTrue(good);
      AgreedSuccess(FgHaloDestroy(&halo));
      AgreedSuccess(PetscFree(x));
      AgreedSuccess(FgCellDestroy(&cell));
    }
  }
}

static void RefusesCells(void **state)
{
  static const struct {
    PetscInt    n[3];
    double      edge[3];
    const char *message;
  } cases[] = {
      {{0, 4, 4}, {1, 1, 1}, "x.nii: the cell is empty: 0 x 4 x 4 voxels"},
      {{4, -1, 4}, {1, 1, 1}, "x.nii: the cell is empty"},
      {{1, 1, 1}, {1, 1, 1}, "x.nii: the cell is one voxel"},
      {{4, 4, 4}, {1, 0, 1}, "x.nii: edge 1 of the cell is 0"},
      {{4, 4, 4}, {1, 1, NAN}, "x.nii: edge 2 of the cell is nan"},
      {{4, 4, 4}, {INFINITY, 1, 1}, "x.nii: edge 0 of the cell is inf"},
  };
  const PetscInt n[3]    = {2, 2, 2};
  const double   edge[3] = {1, 1, 1};
  FgPhaseTable   table   = {.source = "phases.yaml"};
  FgCell         cell;

  AgreedFailure(FgCellCreate(PETSC_COMM_WORLD, n, edge, &table, "x.nii", &cell), PETSC_ERR_FILE_UNEXPECTED,
                "phases.yaml: no phases");
  AgreedSuccess(FgPhaseTableAdd(&table, "a", 0));
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    AgreedFailure(FgCellCreate(PETSC_COMM_WORLD, cases[k].n, cases[k].edge, &table, "x.nii", &cell), PETSC_ERR_FILE_UNEXPECTED,
                  cases[k].message);
  AgreedSuccess(FgCellCreate(PETSC_COMM_WORLD, n, edge, &table, "x.nii", &cell));
  if (!Rank()) cell->phase[0] = 1;
  AgreedFailure(FgCellComplete(cell), PETSC_ERR_FILE_UNEXPECTED, "x.nii: 1 voxels have no phase");
  AgreedSuccess(FgCellDestroy(&cell));
  AgreedSuccess(FgPhaseTableDestroy(&table));
}

static void ExpectSpread(const char *name, PetscInt count, const double *given, const double *expected, PetscInt size)
{
  double full[FG_PROPERTY_VALUES];

  AgreedSuccess(FgPropertySpread(FgPropertyFind(name), "here", count, given, full));
  for (PetscInt i = 0; i < size; i++) AgreedTrue(full[i] == expected[i]);
}

static void SpreadsProperties(void **state)
{
  static const double one[1] = {3}, isotropic[6] = {3, 3, 3, 0, 0, 0}, diagonal[3] = {1, 2, 3}, spread[6] = {1, 2, 3, 0, 0, 0},
                      six[6] = {2, 3, 4, 0.5, 0.25, 0.125}, nine[9] = {2, 0.125, 0.25, 0.125, 3, 0.5, 0.25, 0.5, 4};
  double stiffness[36] = {0}, triangle[21];

  ExpectSpread("conductivity", 1, one, isotropic, 6);
  ExpectSpread("conductivity", 3, diagonal, spread, 6);
  ExpectSpread("conductivity", 6, six, six, 6);
  ExpectSpread("conductivity", 9, nine, six, 6);
  ExpectSpread("storage", 1, one, one, 1);
  ExpectSpread("fiber-direction", 3, diagonal, diagonal, 3);
  for (int i = 0, k = 0; i < 6; i++) {
    for (int j = i; j < 6; j++) triangle[k++] = stiffness[6 * i + j] = stiffness[6 * j + i] = i == j ? 10 : 0.1 * (i + j);
  }
  ExpectSpread("stiffness", 21, triangle, stiffness, 36);
  ExpectSpread("stiffness", 36, stiffness, stiffness, 36);
}

static void RefusesProperties(void **state)
{
  static const struct {
    const char *name;
    PetscInt    count;
    double      given[9];
    const char *message;
  } cases[] = {
      {"conductivity", 2, {1, 1}, "here: 'conductivity' has 2 numbers, expected 1 (isotropic), 3 (xx yy zz)"},
      {"conductivity", 1, {-1}, "here: 'conductivity' is -1 along xx, expected 0 or more [S/m]"},
      {"conductivity", 1, {NAN}, "here: 'conductivity' is nan, expected a finite number [S/m]"},
      {"conductivity", 1, {INFINITY}, "is inf"},
      {"conductivity", 6, {1, 1, 1, 0, 0, 1.001}, "has a negative eigenvalue"},
      {"conductivity", 6, {0, 1, 1, 0, 0, 0.1}, "has a negative eigenvalue"},
      {"conductivity", 9, {1, 0.1, 0, 0.2, 1, 0, 0, 0, 1}, "'conductivity' is not symmetric: xy is 0.1, the other way round 0.2"},
      {"storage", 2, {1, 1}, "'storage' has 2 numbers, expected 1"},
      {"storage", 1, {-1e-9}, "'storage' is -1e-09, expected a number from 0"},
      {"poissons-ratio", 1, {0.5}, "'poissons-ratio' is 0.5"},
      {"youngs-modulus", 1, {-1}, "'youngs-modulus' is -1"},
      {"stiffness", 6, {1, 1, 1, 1, 1, 1}, "'stiffness' has 6 numbers, expected 21"},
      {"fiber-direction", 1, {1}, "'fiber-direction' has 1 numbers, expected 3"},
  };
  double full[FG_PROPERTY_VALUES], stiffness[36] = {0};

  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    AgreedFailure(FgPropertySpread(FgPropertyFind(cases[k].name), "here", cases[k].count, cases[k].given, full),
                  PETSC_ERR_FILE_UNEXPECTED, cases[k].message);
  for (int i = 0; i < 6; i++) stiffness[7 * i] = 1;
  stiffness[1] = 0.5;
  AgreedFailure(FgPropertySpread(FgPropertyFind("stiffness"), "here", 36, stiffness, full), PETSC_ERR_FILE_UNEXPECTED,
                "'stiffness' is not symmetric");
  stiffness[6] = stiffness[1] = 1;
  AgreedFailure(FgPropertySpread(FgPropertyFind("stiffness"), "here", 36, stiffness, full), PETSC_ERR_FILE_UNEXPECTED,
                "'stiffness' is not positive definite");
}

/* Every property can be set by its own rules, and every fallback is one of its values. */
static void EveryPropertyIsSound(void **state)
{
  for (const FgPropertyInfo *info = FgProperties; info->name; info++) {
    double       one[3] = {0.3, 0.3, 0.3}, full[FG_PROPERTY_VALUES];
    FgPhaseTable table  = {.source = "test"};
    PetscInt     count  = info->kind == FG_PROPERTY_VECTOR ? 3 : 1;

    AgreedTrue(FgPropertyFind(info->name) == info && info->unit && info->summary);
    if (info->kind == FG_PROPERTY_STIFFNESS) continue;
    AgreedSuccess(FgPhaseTableAdd(&table, "a", 0));
    AgreedSuccess(FgPhaseTableSet(&table, info->of_cell ? -1 : 0, info->name, count, one));
    AgreedSuccess(FgPhaseTableSet(&table, info->of_cell ? -1 : 0, info->name, count, one)); /* replaces */
    AgreedTrue(table.nproperties + table.phases[0].nproperties == 1);
    AgreedFailure(FgPhaseTableSet(&table, info->of_cell ? 0 : -1, info->name, count, one), PETSC_ERR_FILE_UNEXPECTED,
                  "belongs to");
    if (info->has_fallback) AgreedSuccess(FgPropertySpread(info, "here", 1, &info->fallback, full));
    AgreedSuccess(FgPhaseTableDestroy(&table));
  }
}

static void CellsAnswerForTheirPhases(void **state)
{
  static const double two[1] = {2}, tensor[6] = {1, 2, 3, 0.1, 0.2, 0.3}, kelvin[1] = {300};
  FgCell              cell = MakeCell(3, 4, 6);
  double             *values, value;
  PetscBool           given;

  AgreedSuccess(FgPhaseTableSet(&cell->table, 0, "conductivity", 1, two));
  AgreedFailure(FgCellProperty(cell, "conductivity", &values, &given), PETSC_ERR_FILE_UNEXPECTED,
                "phases.yaml: phase 'b' (label -1) has no 'conductivity' [S/m]");
  AgreedSuccess(PetscFree(values));
  AgreedSuccess(FgPhaseTableSet(&cell->table, 1, "conductivity", 6, tensor));
  AgreedSuccess(FgCellProperty(cell, "conductivity", &values, &given)); /* no voxel has the third phase */
  AgreedTrue(given && values[0] == 2 && values[2] == 2 && values[3] == 0 && values[6] == 1 && values[11] == 0.3);
  AgreedTrue(fabs(FgCellMean(cell, values + 1, 6) - 2) < 1e-15);
  AgreedSuccess(PetscFree(values));
  AgreedSuccess(FgCellProperty(cell, "storage", &values, &given));
  AgreedTrue(!given && values[0] == 1 && values[2] == 1);
  AgreedSuccess(PetscFree(values));
  AgreedTrue(!FgCellHasValue(cell, "temperature"));
  AgreedSuccess(FgCellValue(cell, "temperature", &value));
  AgreedTrue(value == 310.15);
  AgreedSuccess(FgPhaseTableSet(&cell->table, -1, "temperature", 1, kelvin));
  AgreedTrue(FgCellHasValue(cell, "temperature"));
  AgreedSuccess(FgCellValue(cell, "temperature", &value));
  AgreedTrue(value == 300);
  AgreedFailure(FgCellValue(cell, "mean-velocity", &value), PETSC_ERR_FILE_UNEXPECTED, "'mean-velocity' [m/s] is missing");
  AgreedSuccess(FgCellDestroy(&cell));
}

static void CopiesAreTheirOwn(void **state)
{
  static const double one[1] = {1}, two[1] = {2};
  FgPhaseTable        table = {.source = "test"}, copy;

  AgreedSuccess(FgPhaseTableAdd(&table, "a", 0));
  AgreedSuccess(FgPhaseTableSet(&table, 0, "storage", 1, one));
  AgreedSuccess(FgPhaseTableCopy(&table, &copy));
  AgreedSuccess(FgPhaseTableSet(&copy, 0, "storage", 1, two));
  AgreedSuccess(FgPhaseTableSet(&copy, 0, "fluid", 1, one));
  AgreedSuccess(FgPhaseTableAdd(&copy, "b", 1));
  AgreedTrue(table.nphases == 1 && table.phases[0].nproperties == 1 && table.phases[0].properties[0].value[0] == 1);
  AgreedFailure(FgPhaseTableAdd(&copy, "c", 1), PETSC_ERR_FILE_UNEXPECTED, "test: phases 'b' and 'c' have the same label 1");
  AgreedSuccess(FgPhaseTableDestroy(&table));
  AgreedTrue(copy.nphases == 2 && copy.phases[0].properties[0].value[0] == 2);
  AgreedSuccess(FgPhaseTableDestroy(&copy));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(SlabsCoverTheCell),         cmocka_unit_test(HalosGoAround),     cmocka_unit_test(RefusesCells),
      cmocka_unit_test(SpreadsProperties),         cmocka_unit_test(RefusesProperties), cmocka_unit_test(EveryPropertyIsSound),
      cmocka_unit_test(CellsAnswerForTheirPhases), cmocka_unit_test(CopiesAreTheirOwn),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
