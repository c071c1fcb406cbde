/* memory.c: an upper estimate of a fit's memory, term by term. */
#include "memory.h"

#include <unistd.h>

double FgFitMemory(PetscInt nvoxels, PetscInt nmask, PetscInt ndata, PetscInt ncomponents, int ranks)
{
  const double process = 64e6;   /* PETSc, MPI and the program itself, a rank */
  const double vectors = 16;     /* Vecs a solver holds at most: Newton with conjugate gradients, or 5 pairs of limited memory */
  const double terms   = 4;      /* regularizer terms, each with a frozen weight a pair */
  const double pairs   = 3;      /* neighbour pairs a voxel */
  const double sites   = (double)nmask;
  double       site    = 0, grid;

  site += 4.0 * (double)ndata;                               /* samples */
  site += 8.0 * (double)ncomponents * vectors;
  site += 72.0;                                              /* frame of the direction's chart */
  site += pairs * (2 * 4.0 + 8.0) + 12.0 + 2 * pairs * 4.0;  /* neighbour pairs, groups, and their index by voxel */
  site += pairs * terms * 8.0;
  site += 4.0 * (double)ncomponents + 4.0 + 4.0 + 2.0 + 2.0; /* deviations, sigma, chi-squared, samples used, status, color */
  site += 24.0;                                              /* maps derived for output, one at a time */
  /* Rank 0 gathers one map of up to six volumes and converts it; the picture holds four panels and the mask. */
  grid = (double)nvoxels * PetscMax(2 * 6 * 4.0, 7 * 4.0 + 1.0);
  return process * ranks + sites * site + sites * 4.0 * ranks + grid;
}

double FgMachineMemory(void)
{
  return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
}
