/* properties.c: every property that a phase or a whole cell can have, and the tables of phases built from them.

   A physics names the properties it needs; readers of phases files accept these names and no others. Units are SI: the
   effective tensor carries the unit of its property. */
#include "finegrain/cell.h"

#include <math.h>
#include <string.h>

/* clang-format off */
const FgPropertyInfo FgProperties[] = {
  {"conductivity", "S/m", "electric (or any other) conductivity; 0: impermeable", FG_PROPERTY_TENSOR,
   .lower = 0, .upper = 1e300},
  {"diffusivity", "m^2/s", "diffusion coefficient; 0: impermeable", FG_PROPERTY_TENSOR, .lower = 0, .upper = 1e300},
  {"storage", "1", "concentration relative to the potential (partition coefficient); 0: holds nothing", FG_PROPERTY_SCALAR,
   .has_fallback = PETSC_TRUE, .fallback = 1, .lower = 0, .upper = 1e300},
  {"reaction-rate", "1/s", "rate of a first-order reaction in the volume", FG_PROPERTY_SCALAR,
   .has_fallback = PETSC_TRUE, .fallback = 0, .lower = 0, .upper = 1e300},
  {"surface-rate", "m/s", "rate of a first-order reaction on this phase's surface", FG_PROPERTY_SCALAR,
   .has_fallback = PETSC_TRUE, .fallback = 0, .lower = 0, .upper = 1e300},
  {"fluid", "1", "1: the fluid flows here, 0: a wall", FG_PROPERTY_SCALAR, .lower = 0, .upper = 1},
  {"viscosity", "Pa s", "viscosity of the fluid", FG_PROPERTY_SCALAR, .of_cell = PETSC_TRUE,
   .has_fallback = PETSC_TRUE, .fallback = 1e-3, .lower = 1e-300, .upper = 1e300},
  {"mean-velocity", "m/s", "velocity averaged over the whole cell (Darcy velocity)", FG_PROPERTY_VECTOR, .of_cell = PETSC_TRUE,
   .lower = -1e300, .upper = 1e300},
  {"intracellular-conductivity", "S/m", "conductivity inside of cells; 0: not intracellular", FG_PROPERTY_TENSOR,
   .has_fallback = PETSC_TRUE, .fallback = 0, .lower = 0, .upper = 1e300},
  {"extracellular-conductivity", "S/m", "conductivity outside of cells; 0: not extracellular", FG_PROPERTY_TENSOR,
   .has_fallback = PETSC_TRUE, .fallback = 0, .lower = 0, .upper = 1e300},
  {"fixed-charge", "mol/m^3", "fixed charge, in moles of elementary charges, signed", FG_PROPERTY_SCALAR,
   .has_fallback = PETSC_TRUE, .fallback = 0, .lower = -1e300, .upper = 1e300},
  {"ion-mobility-factor", "1", "diffusivity of all ions relative to free solution; 0: impermeable", FG_PROPERTY_SCALAR,
   .has_fallback = PETSC_TRUE, .fallback = 1, .lower = 0, .upper = 1e300},
  {"temperature", "K", "absolute temperature", FG_PROPERTY_SCALAR, .of_cell = PETSC_TRUE,
   .has_fallback = PETSC_TRUE, .fallback = 310.15, .lower = 1e-3, .upper = 1e6},
  {"youngs-modulus", "Pa", "Young's modulus of an isotropic phase; 0: void", FG_PROPERTY_SCALAR, .lower = 0, .upper = 1e300},
  {"poissons-ratio", "1", "Poisson's ratio of an isotropic phase", FG_PROPERTY_SCALAR, .lower = -0.999999, .upper = 0.499999},
  {"stiffness", "Pa", "full stiffness, order xx yy zz yz xz xy, instead of Young's modulus and Poisson's ratio",
   FG_PROPERTY_STIFFNESS, .lower = 0, .upper = 1e300},
  {"active-stress", "Pa", "active tension along the fiber direction", FG_PROPERTY_SCALAR,
   .has_fallback = PETSC_TRUE, .fallback = 0, .lower = -1e300, .upper = 1e300},
  {"fiber-direction", "1", "mean direction of the contracting fibers (of any length but 0)", FG_PROPERTY_VECTOR,
   .lower = -1e300, .upper = 1e300},
  {"fiber-dispersion", "1", "dispersion kappa of the fibers: 0 aligned, 1/3 isotropic", FG_PROPERTY_SCALAR,
   .has_fallback = PETSC_TRUE, .fallback = 0, .lower = 0, .upper = 1.0 / 3.0},
  {"fiber-concentration", "1", "instead of fiber-dispersion: b of a density exp(b (cos 2T + 1)) at the angle T to the mean",
   FG_PROPERTY_SCALAR, .has_fallback = PETSC_TRUE, .fallback = 0, .lower = 0, .upper = 1e6},
  {"myofibril-fraction", "1", "part of the phase that contracts", FG_PROPERTY_SCALAR,
   .has_fallback = PETSC_TRUE, .fallback = 1, .lower = 0, .upper = 1},
  {"motility", "m^2/s", "random motility of the moving cells", FG_PROPERTY_TENSOR, .lower = 0, .upper = 1e300},
  {"sensitivity", "m^2/s", "chemotactic sensitivity, per unit of the attractant's concentration", FG_PROPERTY_TENSOR,
   .lower = 0, .upper = 1e300},
  {NULL}};
/* clang-format on */

static const char *const tensor_names[6] = {"xx", "yy", "zz", "yz", "xz", "xy"};

const FgPropertyInfo *FgPropertyFind(const char *name)
{
  for (const FgPropertyInfo *info = FgProperties; info->name; info++) {
    if (!strcmp(name, info->name)) return info;
  }
  return NULL;
}

static PetscInt Size(FgPropertyKind kind)
{
  static const PetscInt sizes[] = {1, 3, 6, 36};

  return sizes[kind];
}

/* Smallest pivot of the n x n symmetric matrix (by rows), relative to its largest diagonal entry: negative where it is
   not positive semidefinite. Symmetric elimination without square roots; a zero pivot must have a zero row. */
static double SmallestPivot(PetscInt n, const double *matrix)
{
  double a[36], largest = 0, smallest = PETSC_MAX_REAL;

  for (PetscInt i = 0; i < n * n; i++) a[i] = matrix[i];
  for (PetscInt i = 0; i < n; i++) largest = PetscMax(largest, fabs(a[i * n + i]));
  if (largest == 0) {
    for (PetscInt i = 0; i < n * n; i++) {
      if (a[i] != 0) return -1.0;
    }
    return 0.0;
  }
  for (PetscInt k = 0; k < n; k++) {
    const double pivot = a[k * n + k];

    smallest = PetscMin(smallest, pivot / largest);
    for (PetscInt i = k + 1; i < n; i++) {
      if (fabs(pivot) <= 1e-14 * largest) {
        if (fabs(a[i * n + k]) > 1e-7 * largest) return -1.0;
        continue;
      }
      for (PetscInt j = k + 1; j < n; j++) a[i * n + j] -= a[i * n + k] * a[k * n + j] / pivot;
    }
  }
  return smallest;
}

static PetscErrorCode SpreadTensor(const FgPropertyInfo *info, const char *where, PetscInt count, const double *given,
                                   double *full)
{
  static const PetscInt rows[6] = {0, 1, 2, 1, 0, 0}, columns[6] = {0, 1, 2, 2, 2, 1};
  double                matrix[9];

  PetscFunctionBegin;
  PetscCheck(count == 1 || count == 3 || count == 6 || count == 9, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: '%s' has %" PetscInt_FMT
             " numbers, expected 1 (isotropic), 3 (xx yy zz), 6 (xx yy zz yz xz xy) or 9 (matrix by rows) [%s]",
             where, info->name, count, info->unit);
  for (PetscInt i = 0; i < 6; i++) {
    const PetscInt row = rows[i], column = columns[i];

    if (count == 9) {
      full[i] = given[3 * row + column];
      PetscCheck(fabs(full[i] - given[3 * column + row]) <= 1e-9 * (fabs(full[i]) + fabs(given[3 * column + row])),
                 PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: '%s' is not symmetric: %s is %.6g, the other way round %.6g [%s]", where, info->name, tensor_names[i],
                 full[i], given[3 * column + row], info->unit);
    } else full[i] = i < 3 ? given[count == 1 ? 0 : i] : count == 6 ? given[i] : 0.0;
  }
  for (PetscInt i = 0; i < 3; i++)
    PetscCheck(full[i] >= info->lower && full[i] <= info->upper, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: '%s' is %.6g along %s, expected %s [%s]", where, info->name, full[i], tensor_names[i], "0 or more",
               info->unit);
  matrix[0] = full[0], matrix[4] = full[1], matrix[8] = full[2];
  matrix[5] = matrix[7] = full[3], matrix[2] = matrix[6] = full[4], matrix[1] = matrix[3] = full[5];
  PetscCheck(SmallestPivot(3, matrix) >= -1e-12, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: '%s' is not positive: a tensor with these six numbers has a negative eigenvalue [%s]", where, info->name,
             info->unit);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SpreadStiffness(const FgPropertyInfo *info, const char *where, PetscInt count, const double *given,
                                      double *full)
{
  PetscFunctionBegin;
  PetscCheck(count == 21 || count == 36, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: '%s' has %" PetscInt_FMT
             " numbers, expected 21 (upper triangle by rows) or 36 of the 6 x 6 matrix, order xx yy zz yz xz xy [%s]",
             where, info->name, count, info->unit);
  for (PetscInt i = 0, k = 0; i < 6; i++) {
    for (PetscInt j = i; j < 6; j++) full[i * 6 + j] = full[j * 6 + i] = count == 36 ? given[i * 6 + j] : given[k++];
  }
  for (PetscInt i = 0; count == 36 && i < 6; i++) {
    for (PetscInt j = 0; j < i; j++)
      PetscCheck(fabs(given[i * 6 + j] - given[j * 6 + i]) <= 1e-9 * (fabs(given[i * 6 + j]) + fabs(given[j * 6 + i])),
                 PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: '%s' is not symmetric: row %s, column %s is %.6g, the other way round %.6g [%s]", where, info->name,
                 tensor_names[i], tensor_names[j], given[i * 6 + j], given[j * 6 + i], info->unit);
  }
  PetscCheck(SmallestPivot(6, full) > 1e-14, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: '%s' is not positive definite: some strain would cost no energy [%s]", where, info->name, info->unit);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPropertySpread(const FgPropertyInfo *info, const char *where, PetscInt count, const double *given, double *full)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < count; i++)
    PetscCheck(isfinite(given[i]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: '%s' is %.6g, expected a finite number [%s]",
               where, info->name, given[i], info->unit);
  switch (info->kind) {
  case FG_PROPERTY_TENSOR: PetscCall(SpreadTensor(info, where, count, given, full)); break;
  case FG_PROPERTY_STIFFNESS: PetscCall(SpreadStiffness(info, where, count, given, full)); break;
  default:
    PetscCheck(count == Size(info->kind), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: '%s' has %" PetscInt_FMT " numbers, expected %" PetscInt_FMT " [%s]", where, info->name, count,
               Size(info->kind), info->unit);
    for (PetscInt i = 0; i < count; i++) {
      PetscCheck(given[i] >= info->lower && given[i] <= info->upper, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: '%s' is %.6g, expected a number from %.6g to %.6g [%s]", where, info->name, given[i], info->lower,
                 info->upper, info->unit);
      full[i] = given[i];
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The values of a property of phase `index` (-1: of the cell), NULL where it is not given. */
static FgProperty *Given(const FgPhaseTable *table, PetscInt index, const FgPropertyInfo *info)
{
  FgProperty    *properties = index < 0 ? table->properties : table->phases[index].properties;
  const PetscInt n          = index < 0 ? table->nproperties : table->phases[index].nproperties;

  for (PetscInt i = 0; i < n; i++) {
    if (properties[i].info == info) return &properties[i];
  }
  return NULL;
}

PetscErrorCode FgPhaseTableAdd(FgPhaseTable *table, const char *name, int label)
{
  FgPhase *phase;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < table->nphases; i++)
    PetscCheck(table->phases[i].label != label, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: phases '%s' and '%s' have the same label %d", table->source, table->phases[i].name, name, label);
  PetscCheck(table->nphases < FG_MAX_PHASES, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: more than %d phases", table->source,
             FG_MAX_PHASES);
  PetscCall(PetscRealloc(sizeof(*table->phases) * (size_t)(table->nphases + 1), &table->phases));
  phase = &table->phases[table->nphases++];
  PetscCall(PetscMemzero(phase, sizeof(*phase)));
  PetscCall(PetscStrncpy(phase->name, name, sizeof(phase->name)));
  phase->label = label;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPhaseTableSet(FgPhaseTable *table, PetscInt index, const char *property, PetscInt count, const double *given)
{
  const FgPropertyInfo *info = FgPropertyFind(property);
  char                  where[PETSC_MAX_PATH_LEN + FG_CELL_NAME + 16];
  FgProperty           *slot;

  PetscFunctionBegin;
  if (index < 0) PetscCall(PetscSNPrintf(where, sizeof(where), "%s", table->source));
  else PetscCall(PetscSNPrintf(where, sizeof(where), "%s: phase '%s'", table->source, table->phases[index].name));
  PetscCheck(info, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: no property is called '%s'; `finegrain help homogenize` lists them", where, property);
  PetscCheck(info->of_cell == (index < 0), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: '%s' belongs to %s", where, property,
             info->of_cell ? "the whole cell, not to a phase" : "a phase, not to the whole cell");
  slot = Given(table, index, info);
  if (!slot) {
    FgProperty **properties = index < 0 ? &table->properties : &table->phases[index].properties;
    PetscInt    *n          = index < 0 ? &table->nproperties : &table->phases[index].nproperties;

    PetscCall(PetscRealloc(sizeof(**properties) * (size_t)(*n + 1), properties));
    slot = &(*properties)[(*n)++];
    PetscCall(PetscMemzero(slot, sizeof(*slot)));
    slot->info = info;
  }
  PetscCall(FgPropertySpread(info, where, count, given, slot->value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPhaseTableCopy(const FgPhaseTable *table, FgPhaseTable *copy)
{
  PetscFunctionBegin;
  *copy = *table;
  PetscCall(PetscMalloc1(table->nphases, &copy->phases));
  PetscCall(PetscArraycpy(copy->phases, table->phases, table->nphases));
  for (PetscInt i = 0; i < table->nphases; i++) {
    PetscCall(PetscMalloc1(table->phases[i].nproperties, &copy->phases[i].properties));
    PetscCall(PetscArraycpy(copy->phases[i].properties, table->phases[i].properties, table->phases[i].nproperties));
  }
  PetscCall(PetscMalloc1(table->nproperties, &copy->properties));
  PetscCall(PetscArraycpy(copy->properties, table->properties, table->nproperties));
  PetscCall(PetscMalloc1(table->nions, &copy->ions));
  PetscCall(PetscArraycpy(copy->ions, table->ions, table->nions));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPhaseTableDestroy(FgPhaseTable *table)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < table->nphases; i++) PetscCall(PetscFree(table->phases[i].properties));
  PetscCall(PetscFree(table->phases));
  PetscCall(PetscFree(table->properties));
  PetscCall(PetscFree(table->ions));
  table->nphases = table->nproperties = table->nions = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgCellProperty(FgCell cell, const char *name, double **values, PetscBool *given)
{
  const FgPropertyInfo *info = FgPropertyFind(name);
  const PetscInt        size = Size(info->kind);

  PetscFunctionBegin;
  if (given) *given = PETSC_FALSE;
  *values = NULL;
  for (PetscInt i = 0; i < cell->table.nphases; i++)
    PetscCheck(Given(&cell->table, i, info) || info->has_fallback || cell->fraction[i] == 0, PETSC_COMM_SELF,
               PETSC_ERR_FILE_UNEXPECTED, "%s: phase '%s' (label %d) has no '%s' [%s], which is %s", cell->table.source,
               cell->table.phases[i].name, cell->table.phases[i].label, name, info->unit, info->summary);
  PetscCall(PetscCalloc1(cell->table.nphases * size, values));
  for (PetscInt i = 0; i < cell->table.nphases; i++) {
    const FgProperty *property = Given(&cell->table, i, info);

    if (property) {
      PetscCall(PetscArraycpy(*values + i * size, property->value, size));
      if (given) *given = PETSC_TRUE;
    } else {
      for (PetscInt k = 0; k < PetscMin(size, 3); k++) (*values)[i * size + k] = info->fallback;
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool FgCellHasValue(FgCell cell, const char *name)
{
  return Given(&cell->table, -1, FgPropertyFind(name)) ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode FgCellValue(FgCell cell, const char *name, double *value)
{
  const FgPropertyInfo *info     = FgPropertyFind(name);
  const FgProperty     *property = Given(&cell->table, -1, info);

  PetscFunctionBegin;
  PetscCheck(property || info->has_fallback, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: '%s' [%s] is missing: %s",
             cell->table.source, name, info->unit, info->summary);
  for (PetscInt i = 0; i < Size(info->kind); i++) value[i] = property ? property->value[i] : info->fallback;
  PetscFunctionReturn(PETSC_SUCCESS);
}
