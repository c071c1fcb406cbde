/* transport.h: the flux of a diffusing and drifting density between two voxels. */
#ifndef FINEGRAIN_FORWARD_TRANSPORT_H
#define FINEGRAIN_FORWARD_TRANSPORT_H

/* J = forward n_0 - backward n_1 for the flux from center to center over the distance h: motilities M [m^2/s] and drift
   velocities v [m/s] of the two halves. Both factors are positive [m/s]. */
void TransportBetween(double h, const double M[2], const double v[2], double *forward, double *backward);
/* The same over one half, from a center to a face with given density (M[0], v[0] over h/2). */
void TransportHalf(double h, double M, double v, double *forward, double *backward);

#endif
