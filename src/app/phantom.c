/* phantom.c: the geometry of the built-in phantoms. Porosity, orientation and signal lie in the ranges of brain tissue: an extracellular
   share of 0.1 to 0.3 (E. Sykova and C. Nicholson, Physiol. Rev. 88 (2008)), and nearly all fluid in an inclusion. */
#include "phantom.h"

#include <math.h>
#include <string.h>

static void SetDirection(FgTruth *truth, double x, double y, double z)
{
  const double norm = sqrt(x * x + y * y + z * z);

  truth->direction[0] = x / norm;
  truth->direction[1] = y / norm;
  truth->direction[2] = z / norm;
}

/* Fibers along circles about an axis outside the box, rising and falling with z; everything varies smoothly. */
static void Bundles(const double x[3], const double voxel[3], FgTruth *truth)
{
  const double from[2] = {x[0] + 1.4, x[1] + 1.4}; /* the circles' axis */

  truth->porosity  = 0.2 + 0.08 * sin(2.0 * x[0] + 0.5) * cos(1.5 * x[1]) + 0.02 * x[2];
  truth->kappa     = 0.6 + 0.2 * cos(1.8 * x[1] - 0.6 * x[2]);
  truth->planarity = 0.2 + 0.1 * sin(1.5 * x[0]);
  truth->S0        = 1.0 + 0.1 * sin(1.3 * x[0] + 0.9 * x[1] - 0.7 * x[2]);
  SetDirection(truth, -from[1], from[0], 0.6 * hypot(from[0], from[1]) * sin(1.5 * x[2]));
}

/* Piecewise constant: two halves, a floor, and a core along z. */
static void Borders(const double x[3], const double voxel[3], FgTruth *truth)
{
  if (hypot(x[0], x[1]) < 0.5) {
    *truth = (FgTruth){.porosity = 0.29, .kappa = 0.85, .planarity = 0.1, .S0 = 1.0};
    SetDirection(truth, 0.0, 0.0, 1.0);
  } else if (x[2] < -0.3) {
    *truth = (FgTruth){.porosity = 0.16, .kappa = 0.6, .planarity = 0.2, .S0 = 0.95};
    SetDirection(truth, 1.0, 0.0, 0.3);
  } else if (x[0] < 0.0) {
    *truth = (FgTruth){.porosity = 0.11, .kappa = 0.7, .planarity = 0.15, .S0 = 1.1};
    SetDirection(truth, 1.0, 1.0, 0.0);
  } else {
    *truth = (FgTruth){.porosity = 0.21, .kappa = 0.45, .planarity = 0.3, .S0 = 0.9};
    SetDirection(truth, -0.3, 1.0, 0.5);
  }
}

/* A uniform tissue with a ball of fluid, and a sheet of one voxel across z in which fibers run the other way. */
static void Sheet(const double x[3], const double voxel[3], FgTruth *truth)
{
  const double ball[3] = {x[0] - 0.2, x[1] - 0.1, x[2] - 0.35};

  *truth = (FgTruth){.porosity = 0.2, .kappa = 0.65, .planarity = 0.2, .S0 = 1.0};
  SetDirection(truth, 1.0, 0.2, 0.0);
  if (x[2] + 0.4 > -0.5 * voxel[2] && x[2] + 0.4 <= 0.5 * voxel[2]) {
    *truth = (FgTruth){.porosity = 0.12, .kappa = 0.85, .planarity = 0.1, .S0 = 0.92};
    SetDirection(truth, 0.0, 1.0, 0.0);
  } else if (ball[0] * ball[0] + ball[1] * ball[1] + ball[2] * ball[2] < 0.45 * 0.45) {
    truth->porosity = 0.9;
    truth->kappa    = 0.3;
    truth->S0       = 1.1;
  }
}

/* Bundles in one half of the box, borders and the sheet in the quarters of the other. */
static void Mixed(const double x[3], const double voxel[3], FgTruth *truth)
{
  const double narrow[3] = {2.0 * voxel[0], 2.0 * voxel[1], voxel[2]},
               place[3]  = {2.0 * x[0] - 1.0, 2.0 * x[1] + (x[1] < 0.0 ? 1.0 : -1.0), x[2]};

  if (x[0] < 0.0) Bundles(x, voxel, truth);
  else if (x[1] < 0.0) Borders(place, narrow, truth);
  else Sheet(place, narrow, truth);
}

const FgPhantom FgPhantoms[] = {{"mixed", "bundles, borders and sheet in one volume", Mixed},
                                {"bundles", "curved fiber bundles, everything smooth", Bundles},
                                {"borders", "piecewise constant regions with sharp borders", Borders},
                                {"sheet", "a sheet of one voxel and a ball of fluid", Sheet},
                                {NULL, NULL, NULL}};

const FgPhantom *FgPhantomFind(const char *name)
{
  for (const FgPhantom *phantom = FgPhantoms; phantom->name; phantom++) {
    if (!strcmp(phantom->name, name)) return phantom;
  }
  return NULL;
}

PetscBool FgPhantomInside(const double x[3])
{
  double sum = 0.0;

  for (int k = 0; k < 3; k++) sum += x[k] * x[k] * x[k] * x[k];
  return sum <= 1.0 ? PETSC_TRUE : PETSC_FALSE;
}
