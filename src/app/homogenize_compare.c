/* homogenize_compare.c: what belongs to an effective quantity beside its value: other forms and bounds under related names, and the same
   quantity at half the resolution. */
#include "homogenize.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const FgEffective *FgHomogenizeCompanion(const FgCellReport *report, const FgEffective *item, const char *ending)
{
  char               name[2 * FG_CELL_NAME];
  const FgEffective *found;

  snprintf(name, sizeof(name), "%s_%s", item->name, ending);
  found = FgReportFind(report, name);
  return found && found->rows == item->rows && found->columns == item->columns ? found : NULL;
}

PetscBool FgHomogenizeAccompanies(const FgCellReport *report, const FgEffective *item)
{
  static const char *const endings[] = {"_flux", "_voigt", "_reuss", "_self_check", "_hashin_shtrikman"};

  for (size_t k = 0; k < sizeof(endings) / sizeof(endings[0]); k++) {
    const size_t length = strlen(item->name), ending = strlen(endings[k]);
    char         name[FG_CELL_NAME];

    if (length <= ending || strcmp(item->name + length - ending, endings[k])) continue;
    snprintf(name, sizeof(name), "%.*s", (int)(length - ending), item->name);
    if (FgReportFind(report, name)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

double FgHomogenizeDiscretization(const FgEffective *fine, const FgCellReport *coarse_report)
{
  const FgEffective *coarse     = coarse_report ? FgReportFind(coarse_report, fine->name) : NULL;
  double             difference = 0.0, norm = 0.0;

  if (!coarse || coarse->rows != fine->rows || coarse->columns != fine->columns) return NAN;
  for (PetscInt i = 0; i < fine->rows * fine->columns; i++) {
    difference += (fine->value[i] - coarse->value[i]) * (fine->value[i] - coarse->value[i]);
    norm += fine->value[i] * fine->value[i];
  }
  if (difference == 0.0) return 0.0;
  return norm > 0.0 ? sqrt(difference / norm) : NAN;
}

/* How much of the change from the coarse to the fine value is believed: all up to a tenth, half at a fifth, less beyond. There the voxels do
   not resolve the shape (gaps of less than a voxel), and the error is not in proportion to them. */
static double Trust(const FgEffective *fine, const FgEffective *coarse)
{
  const double enough = 0.1;
  const int    square = fine->rows == fine->columns;
  double       change = 0.0, largest = 0.0;

  for (PetscInt i = 0; i < fine->rows * fine->columns; i++) largest = PetscMax(largest, fabs(fine->value[i]));
  for (PetscInt i = 0; i < fine->rows * fine->columns; i++) {
    const double difference = fabs(fine->value[i] - coarse->value[i]), size = square ? fabs(fine->value[i]) : largest;

    if (difference == 0.0 || (square && i % (fine->columns + 1))) continue; /* off the diagonal */
    change = PetscMax(change, size > 0.0 ? difference / size : INFINITY);
  }
  return 1.0 / (1.0 + pow(PetscMax(0.0, change / enough - 1.0), 4.0));
}

void FgHomogenizeExtrapolateQuantity(const FgEffective *fine, const FgEffective *coarse, double value[FG_PROPERTY_VALUES])
{
  const double trust = Trust(fine, coarse);

  for (PetscInt i = 0; i < fine->rows * fine->columns; i++) value[i] = (1.0 + trust) * fine->value[i] - trust * coarse->value[i];
}

PetscBool FgHomogenizeExtrapolate(const HomogenizeSettings *s, const FgEffective *fine, const FgCellReport *coarse_report,
                                  double value[FG_PROPERTY_VALUES])
{
  const FgEffective *coarse = FgHomogenizeSubsample(s) > 1 && coarse_report ? FgReportFind(coarse_report, fine->name) : NULL;

  if (!coarse || coarse->rows != fine->rows || coarse->columns != fine->columns) return PETSC_FALSE;
  FgHomogenizeExtrapolateQuantity(fine, coarse, value);
  return PETSC_TRUE;
}
