/* make_table.c: a table of effective tensors for the command-line cases: cylinders on a square lattice, 20 fractions and 13 contrasts, and
   the contrast 0 if asked for: make_table FILE [zero] */
#include "square_array.h"

#include <string.h>

int main(int argc, char **argv)
{
  FgHomogenizationTable table;

  if (argc < 2 || PetscInitializeNoArguments()) return 2;
  TableOfSquareArray(&table, argc > 2 && !strcmp(argv[2], "zero") ? PETSC_TRUE : PETSC_FALSE);
  if (FgHomogenizationTableWrite(argv[1], &table) || FgHomogenizationTableDestroy(&table)) return 1;
  return PetscFinalize() ? 1 : 0;
}
