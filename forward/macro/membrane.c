/* membrane.c: the current through a membrane that is treated explicitly in time, and its recovery variable: pure functions
   of one voxel.
     I_cubic/C_m = -k V (1 - V)(V - a) + w,   dw/dt = e (b V - w)
   with V scaled to 0 at rest and 1 when excited. Source: FitzHugh, Biophys. J. 1 (1961) 445; Nagumo, Arimoto and Yoshizawa,
   Proc. IRE 50 (1962) 2061; docs/physics/macroscopic.md. */
#include "membrane.h"

double MembraneCubic(const FgMembrane *membrane, double V, double w)
{
  return membrane->capacitance * (w - membrane->excitation * V * (1.0 - V) * (V - membrane->threshold));
}

double MembraneRecover(const FgMembrane *membrane, double dt, double V, double w)
{
  return (w + dt * membrane->recovery * membrane->recovery_gain * V) / (1.0 + dt * membrane->recovery);
}
