/* eit.h: what an impedance tomograph measured: electrodes, current patterns, measurement patterns, voltages, their noise.

     V_pq = sum_l pattern_ql U_l(p),  U(p) the electrode potentials under the currents current_p.

   The layout on disk: docs/formats.md, "EIT measurements". A two-dimensional domain stands for a slice of height `depth`: currents
   in the slice are current/depth per metre. */
#ifndef FINEGRAIN_EIT_H
#define FINEGRAIN_EIT_H

#include "mesh.h"

typedef struct FgEit_ *FgEit;
struct FgEit_ {
  char     source[PETSC_MAX_PATH_LEN]; /* file, or what made it */
  PetscInt nelectrodes, npatterns, nmeasurements;
  char (*name)[32];   /* [nelectrodes] */
  double *impedance;  /* [nelectrodes] contact impedance [ohm m^2], > 0 */
  double *current;    /* [npatterns][nelectrodes] [A], each row sums to 0 */
  double *pattern;    /* [nmeasurements][nelectrodes] [1], each row sums to 0 */
  double *voltage;    /* [npatterns][nmeasurements] [V]; NAN: not measured or dropped */
  double *noise;      /* likewise: standard deviation [V], > 0 where voltage is finite; NULL: not known */
  double *reference;  /* likewise: voltages [V] of a reference state; NULL: none */
  double  depth;      /* [m] of a two-dimensional domain; 1 where currents are per metre */
  double  background; /* conductivity of the reference state [S/m]; 0: not known */
  /* The domain that comes with the measurement; any of these, else zero and NULL: */
  double   radius, height;                      /* of a tank [m]; height 0: a disc */
  double  *angle, *z, *width, *tall;            /* [nelectrodes] as in FgTank */
  double  *position, *electrode_radius;         /* [nelectrodes][3] [m, scanner frame], [nelectrodes] [m]: for voxel domains */
  FgMesh   mesh;                                /* owned */
  PetscInt simulated_elements, simulated_nodes; /* of the mesh that simulated the voltages; 0: they were measured */
  /* What was found odd on reading: */
  PetscInt ndropped; /* voltages that are NAN */
  PetscInt nsilent;  /* electrodes without current and measurement */
};

/* Arrays of the sizes given, zero (voltage NAN), depth 1; noise, reference and the domain NULL. Not collective. */
PETSC_EXTERN PetscErrorCode FgEitCreate(PetscInt nelectrodes, PetscInt npatterns, PetscInt nmeasurements, FgEit *eit);
PETSC_EXTERN PetscErrorCode FgEitDestroy(FgEit *eit);
/* Everything that must hold (PETSC_ERR_FILE_UNEXPECTED names source, what was found, what was expected): sums of currents and patterns
   (1e-6 of the largest), distinct electrode names and places, impedances, finite numbers, at least one voltage, noise > 0, depth > 0.
   Sets ndropped and nsilent. Not collective. */
PETSC_EXTERN PetscErrorCode FgEitCheck(FgEit eit);
/* Collective: rank 0's (others NULL) to all ranks, with its mesh. */
PETSC_EXTERN PetscErrorCode FgEitBroadcast(MPI_Comm comm, FgEit *eit);
/* Drops electrodes as if they had not been connected: patterns that drive one of `electrode` [n] go, voltages that use one become NAN. */
PETSC_EXTERN PetscErrorCode FgEitDrop(FgEit eit, PetscInt n, const PetscInt electrode[]);

/* How many of the current patterns are linearly independent. Not collective. */
PETSC_EXTERN PetscErrorCode FgEitIndependent(FgEit eit, PetscInt *rank);

/* deviation[nmeasurements] [V]: standard deviation of values[npatterns][nmeasurements] (voltages, or their differences from the reference; NAN
   left out) by measurement, from what current patterns that depend on each other linearly contradict; pooled over measurements where one
   has fewer than 10 degrees of freedom, NAN where all together have. *freedom (may be NULL): of all together. Not collective. */
PETSC_EXTERN PetscErrorCode FgEitContradiction(FgEit eit, const double values[], double deviation[], PetscInt *freedom);

/* Files, rank 0 only (data/). Whether a file is an EIT measurement by content; read; write, whole or not at all. */
PETSC_EXTERN PetscErrorCode FgEitRecognize(const char *path, PetscBool *is);
PETSC_EXTERN PetscErrorCode FgEitRead(const char *path, FgEit *eit);
PETSC_EXTERN PetscErrorCode FgEitWrite(const char *path, FgEit eit);
/* MATLAB files of the Kuopio Tomography Challenge 2023: data and reference (data/ktc.c). */
PETSC_EXTERN PetscErrorCode FgEitReadKtc(const char *data, const char *reference, FgEit *eit);
/* BIDS electrodes.tsv: name x y z [unit of `unit` m]: fills position of the electrodes by name. */
PETSC_EXTERN PetscErrorCode FgEitReadPositions(const char *path, double unit, FgEit eit);
/* name[*n], at most `most`: the electrodes of such a file that have a position, x other than "n/a". */
PETSC_EXTERN PetscErrorCode FgEitReadNames(const char *path, PetscInt most, PetscInt *n, char (*name)[32]);

/* Unknowns of the forward model of impedance tomography (forward/eit/). */
typedef enum {
  FG_EIT_ISOTROPIC,         /* log_conductivity [log S/m] */
  FG_EIT_POROSITY,          /* porosity [1] of a closure; the fiber direction is given by the field's frames */
  FG_EIT_POROSITY_DIRECTION /* porosity and the direction's tangent coordinates (in a plane the second is held at 0) */
} FgEitUnknowns;
typedef struct {
  FgEitUnknowns unknowns;
  PetscInt      order;                                  /* elements of degree 1 or 2 */
  char          solver[16];                             /* "auto", "cholmod" (one rank), "mumps", "cg" (algebraic multigrid) */
  double        tolerance;                              /* of cg, relative to the right-hand side [1]: 1e-10 */
  double        conductivity;                           /* start value [S/m] of isotropic */
  double        conductivity_lower, conductivity_upper; /* [S/m] box of isotropic */
} FgEitOptions;

#endif
