/* cell_report.c: what a physics found on a cell: effective quantities, solves, notes, fields. */
#include "finegrain/cell.h"

#include <stdarg.h>
#include <string.h>

PetscErrorCode FgReportEffective(FgCellReport *report, const char *name, const char *unit, PetscInt rows, PetscInt columns,
                                 const double *value, const char *summary, FgEffective **added)
{
  FgEffective *item;

  PetscFunctionBegin;
  PetscCall(PetscRealloc(sizeof(*report->effective) * (size_t)(report->neffective + 1), &report->effective));
  item = &report->effective[report->neffective++];
  PetscCall(PetscMemzero(item, sizeof(*item)));
  PetscCall(PetscStrncpy(item->name, name, sizeof(item->name)));
  PetscCall(PetscStrncpy(item->unit, unit, sizeof(item->unit)));
  PetscCall(PetscStrncpy(item->summary, summary, sizeof(item->summary)));
  item->rows    = rows;
  item->columns = columns;
  if (value) PetscCall(PetscArraycpy(item->value, value, rows * columns));
  if (added) *added = item;
  PetscFunctionReturn(PETSC_SUCCESS);
}

const FgEffective *FgReportFind(const FgCellReport *report, const char *name)
{
  for (PetscInt i = 0; i < report->neffective; i++) {
    if (!strcmp(report->effective[i].name, name)) return &report->effective[i];
  }
  return NULL;
}

PetscErrorCode FgReportSolve(FgCellReport *report, const FgCellSolve *solve)
{
  PetscFunctionBegin;
  PetscCall(PetscRealloc(sizeof(*report->solves) * (size_t)(report->nsolves + 1), &report->solves));
  report->solves[report->nsolves++] = *solve;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgReportNote(FgCellReport *report, const char *format, ...)
{
  va_list arguments;

  PetscFunctionBegin;
  PetscCall(PetscRealloc(sizeof(*report->notes) * (size_t)(report->nnotes + 1), &report->notes));
  va_start(arguments, format);
  vsnprintf(report->notes[report->nnotes++], sizeof(*report->notes), format, arguments);
  va_end(arguments);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgReportField(FgCellReport *report, FgCell cell, const char *name, const char *unit, PetscInt ncomp,
                             const double *value)
{
  FgCellField *field;

  PetscFunctionBegin;
  PetscCall(PetscRealloc(sizeof(*report->fields) * (size_t)(report->nfields + 1), &report->fields));
  field = &report->fields[report->nfields++];
  PetscCall(PetscStrncpy(field->name, name, sizeof(field->name)));
  PetscCall(PetscStrncpy(field->unit, unit, sizeof(field->unit)));
  field->ncomp = ncomp;
  PetscCall(PetscMalloc1(cell->nlocal * ncomp, &field->value));
  for (PetscInt i = 0; i < cell->nlocal * ncomp; i++) field->value[i] = (float)value[i];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgReportDestroy(FgCellReport *report)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < report->nfields; i++) PetscCall(PetscFree(report->fields[i].value));
  PetscCall(PetscFree(report->fields));
  PetscCall(PetscFree(report->effective));
  PetscCall(PetscFree(report->solves));
  PetscCall(PetscFree(report->notes));
  PetscCall(PetscMemzero(report, sizeof(*report)));
  PetscFunctionReturn(PETSC_SUCCESS);
}
