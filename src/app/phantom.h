/* phantom.h: built-in truths for simulations: pure functions of position, so that they stand on any grid. */
#ifndef FINEGRAIN_APP_PHANTOM_H
#define FINEGRAIN_APP_PHANTOM_H

#include "finegrain/base.h"

/* Tissue at one position. */
typedef struct {
  double porosity;     /* [1] 0.1 to 0.3 in tissue, 0.8 to 0.95 in fluid */
  double kappa;        /* [1] 0.3 to 0.9 */
  double planarity;    /* [1] */
  double S0;           /* relative to --s0 [1], 0.9 to 1.1 */
  double direction[3]; /* unit vector, image axes; the second axis of an orthotropic tissue follows from it */
} FgTruth;

typedef struct {
  const char *name, *summary;
  /* x: position of a voxel's center in the box [-1, 1]^3; voxel: the size of a voxel in the same units. */
  void (*truth)(const double x[3], const double voxel[3], FgTruth *truth);
} FgPhantom;

extern const FgPhantom FgPhantoms[];                    /* closed by name == NULL */
const FgPhantom       *FgPhantomFind(const char *name); /* NULL where there is none */
/* Whether a position belongs to the object: a box with round edges, |x|^4 + |y|^4 + |z|^4 <= 1. */
PetscBool FgPhantomInside(const double x[3]);

#endif
