/* regularizer_axis.h: axes of a site's chart; shared by regularizer.c and regularizer_site.c. */
#ifndef FINEGRAIN_CORE_REGULARIZER_AXIS_H
#define FINEGRAIN_CORE_REGULARIZER_AXIS_H

#include "finegrain/regularizer.h"

/* Axis 0 or 1 of a site's chart, and its derivatives with respect to the tangent coordinates. */
static inline void Axis(FgField field, PetscInt axis, const double *frame, const double *coordinates, double n[3],
                        double dn[3][3])
{
  if (axis == 0 && coordinates[0] == 0.0 && coordinates[1] == 0.0) { /* centered, as always during sweeps */
    for (int i = 0; i < 3; i++) {
      n[i] = frame[3 * i];
      if (!dn) continue;
      dn[0][i] = frame[3 * i + 1];
      dn[1][i] = frame[3 * i + 2];
      dn[2][i] = 0.0;
    }
  } else if (field->ntangent == 2) {
    FgChartDirection(frame, coordinates, n, dn);
  } else {
    double R[9], dR[3][9];

    FgChartRotation(frame, coordinates, R, dn ? dR : NULL);
    for (int i = 0; i < 3; i++) {
      n[i] = R[3 * i + axis];
      for (int c = 0; dn && c < 3; c++) dn[c][i] = dR[c][3 * i + axis];
    }
  }
}

static inline double Dot(const double a[3], const double b[3])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

#endif
