/* tissue_lanes.h: the effective tensor of FG_LANES sites side by side (tissue.c has the equations). Private to forward/. */
#ifndef FINEGRAIN_FORWARD_TISSUE_LANES_H
#define FINEGRAIN_FORWARD_TISSUE_LANES_H

#include "finegrain/closure.h"
#include "finegrain/lanes.h"

/* C [mm^2/s] in the scanner frame at centered charts, and with derivatives dC[component][6]. */
PETSC_INTERN void FgTissueTensorLanes(const FgTissue *tissue, const FgLanes m[], const FgLanes frame[9], FgLanes C[6],
                                      FgLanes dC[][6], PetscBool derivatives);

/* The closure on a uniform grid of porosities, for start values: c_par and c_perp with their derivatives times the step. */
enum { FG_TABLE_INTERVALS = 64 };
typedef struct FgTissueTable_ {
  double node[FG_TABLE_INTERVALS + 1][4];
  double lower, upper, step; /* of porosity [1] */
} FgTissueTable;
PETSC_INTERN void FgTissueTabulate(const FgTissue *tissue, FgTissueTable *table);
/* As FgTissueFromTensor, in lanes. Porosity is refined `rounds` times: 2 are enough to start a fit from, 4 give it to 1e-5 of its range.
   Other components of m are left alone. */
PETSC_INTERN void FgTissueFromTensorLanes(const FgTissue *tissue, const FgTissueTable *table, const FgLanes C[6], int rounds,
                                          FgLanes m[], FgLanes frame[9]);

#endif
