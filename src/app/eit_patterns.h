/* eit_patterns.h: which electrodes drive and which are read: the usual schemes of impedance tomography. */
#ifndef FINEGRAIN_APP_EIT_PATTERNS_H
#define FINEGRAIN_APP_EIT_PATTERNS_H

#include "finegrain/base.h"

/* "adjacent", "opposite", "trigonometric", "all-against-first", NULL. */
extern const char *const FgEitPatterns[];
/* How many rows the scheme has for n electrodes (n >= 2); 0 where there is no such scheme. */
PetscInt FgEitPatternRows(const char *scheme, PetscInt n);
/* Fills row[rows][n], each of sum 0 and largest entry 1. */
void FgEitPatternFill(const char *scheme, PetscInt n, double *row);

#endif
