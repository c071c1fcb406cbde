/* closures.h: the closures by name, for the list in closures.c, and the two means that they share. Private to forward/. */
#ifndef FINEGRAIN_FORWARD_CLOSURES_H
#define FINEGRAIN_FORWARD_CLOSURES_H

#include "finegrain/closure.h"

extern const FgClosure FgClosureSeries, FgClosureLaminate, FgClosureHs2d, FgClosureRayleighSquare, FgClosureRayleighHex;

/* f fiber + (1 - f) matrix and its derivative with respect to f. */
static inline void ArithmeticMean(double matrix, double fiber, double f, double *c, double *dc)
{
  *c  = f * fiber + (1.0 - f) * matrix;
  *dc = fiber - matrix;
}

/* 1/(f/fiber + (1 - f)/matrix) in the form without divisions by a phase: an insulating phase gives 0 unless it is absent. */
static inline void HarmonicMean(double matrix, double fiber, double f, double *c, double *dc)
{
  const double below = f * matrix + (1.0 - f) * fiber;

  if (below > 0.0) {
    *c  = fiber * matrix / below;
    *dc = -fiber * matrix * (matrix - fiber) / (below * below);
  } else {
    *c  = f > 0.5 ? fiber : matrix; /* the insulating phase is absent, or both insulate */
    *dc = 0.0;
  }
}

#endif
