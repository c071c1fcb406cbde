/* stream.h: what an iteration of the conjugate gradients reads, against reading the matrix once. */
#ifndef FINEGRAIN_BENCH_STREAM_H
#define FINEGRAIN_BENCH_STREAM_H

#include "finegrain/model.h"

typedef struct {
  double matrix, hierarchy; /* bytes of the matrix; of it, its coarser ones and all interpolations */
  double read;              /* bytes of matrices that an iteration for eight right-hand sides reads */
  double pass, multiply;    /* CPU seconds of reading the matrix's number of bytes once; of one product with the matrix */
  double iteration;         /* CPU seconds of an iteration for eight right-hand sides, preconditioner and vectors included */
} Traffic;

/* Of a model "eit" that has been evaluated, on one rank; all 0 with a direct solver. */
PetscErrorCode MeasureTraffic(FgModel model, Traffic *traffic);

#endif
