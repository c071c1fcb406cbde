/* membrane.h: the part of a membrane's current that is explicit in time. */
#ifndef FINEGRAIN_FORWARD_MEMBRANE_H
#define FINEGRAIN_FORWARD_MEMBRANE_H

#include "finegrain/macro.h"

/* I_cubic [A/m^2, for V in V]. */
double MembraneCubic(const FgMembrane *membrane, double V, double w);
/* w after dt [s] at fixed V: backward Euler, stable for every dt. */
double MembraneRecover(const FgMembrane *membrane, double dt, double V, double w);

#endif
