/* macro.h: macroscopic equations with homogenized coefficients on a box of voxels in 1, 2 or 3 dimensions.

   A box is cut into equal voxels and spread over ranks; unknowns are the voxels' means. Three equations stand on it:
     reaction-diffusion   <rho> u_t - div(D grad u) + k u + R(u) = s
     bidomain             the two potentials of an excitable tissue, steady and in time
     chemotaxis           Keller and Segel's densities and attractant, steady and in time
   Coefficients are uniform or given for every voxel. Tensors are full 3 x 3 matrices by rows (9 values), in the form in
   which cell problems report them (cell.h); all but the chemotactic sensitivity must be symmetric and positive
   semidefinite.

   Of a box with less than three dimensions only the leading rows and columns of tensors count, and totals over it are per
   unit of the missing lengths: a flux through a face of a 1-D box is per area. SI units where nothing else is said; [u]
   stands for the unit of the unknown. All functions are collective.

   Errors: PETSC_ERR_USER for coefficients and faces that make no sense, PETSC_ERR_NOT_CONVERGED with the history of
   residuals for a solve that ends short of its tolerance. Source: docs/physics/macroscopic.md. */
#ifndef FINEGRAIN_MACRO_H
#define FINEGRAIN_MACRO_H

#include "base.h"

#include <petscdm.h>

/* --- The box ------------------------------------------------------------------------------------------------------ */

typedef struct FgBox_ *FgBox;
struct FgBox_ {
  MPI_Comm  comm;
  PetscInt  dim;                /* 1, 2 or 3; axes beyond have one voxel */
  PetscInt  n[3];               /* voxels along each axis */
  double    edge[3];            /* of the box [m]; 1 beyond dim */
  double    spacing[3];         /* edge/n [m] */
  double    volume;             /* of a voxel [m^dim] */
  PetscBool periodic[3];        /* opposite faces are one */
  PetscInt  start[3], count[3]; /* this rank's box of voxels */
  PetscInt  nlocal;             /* its voxels, x fastest: the order of all arrays and of Vecs' local parts */
  DM        dm;                 /* one value a voxel, with ghosts of one voxel all around */
};

/* dims voxels and edges [m] for `dim` axes; periodic may be NULL (none). Errors: dim, n < 1, edges not positive and finite,
   a periodic axis of less than three voxels, fewer voxels along an axis than ranks. */
PETSC_EXTERN PetscErrorCode FgBoxCreate(MPI_Comm comm, PetscInt dim, const PetscInt n[], const double edge[],
                                        const PetscBool periodic[], FgBox *box);
PETSC_EXTERN PetscErrorCode FgBoxDestroy(FgBox *box);
/* A Vec of one value a voxel, zero. */
PETSC_EXTERN PetscErrorCode FgBoxVector(FgBox box, Vec *vector);
/* Center of the local voxel `index` [m]; the box begins at the origin. */
PETSC_EXTERN void FgBoxCenter(FgBox box, PetscInt index, double x[3]);

/* A coefficient over the box: `value` holds 1 (scalars) or 9 (tensors) numbers, or [nlocal] times as many where it varies.
   Equations take copies. NULL stands for zero. */
typedef struct {
  const double *value;
  PetscBool     varies;
} FgCoefficient;

/* Integral of coefficient x u over the box [unit m^dim]; a NULL value or a NULL u stands for 1. */
PETSC_EXTERN PetscErrorCode FgBoxIntegral(FgBox box, FgCoefficient scalar, Vec u, double *integral);
/* Integral of rate x u over integral of u: the rate that keeps the total reaction [unit of the rate] (docs: flux-volume
   weighting). Error: u has no positive total. */
PETSC_EXTERN PetscErrorCode FgBoxWeightedMean(FgBox box, FgCoefficient rate, Vec u, double *mean);

/* --- Faces of the box --------------------------------------------------------------------------------------------- */

typedef enum {
  FG_FACE_FLUX,  /* `value` enters through the face: n . K grad u with n outward [unit of K x [u]/m]; 0 insulates */
  FG_FACE_VALUE, /* u = value on the face [u] */
} FgFaceKind;

/* function, where given, replaces value: of the place x on the face [m]. Faces across a periodic axis are not looked at. */
typedef struct {
  FgFaceKind kind;
  double     value;
  double (*function)(const double x[3], void *context);
  void *context;
} FgFace;

enum { FG_FACE_X_LOWER, FG_FACE_X_UPPER, FG_FACE_Y_LOWER, FG_FACE_Y_UPPER, FG_FACE_Z_LOWER, FG_FACE_Z_UPPER, FG_FACES };

/* --- Reaction and diffusion --------------------------------------------------------------------------------------- */

/* A Michaelis-Menten term V u/(K_m + u). Reactions average at fixed u: a mixture has one term for each phase, V times
   its volume fraction. For u < 0 the term goes on along its tangent V u/K_m. */
typedef struct {
  FgCoefficient maximum; /* V [[u]/s] */
  FgCoefficient half;    /* K_m [[u]], positive */
} FgSaturation;

typedef struct {
  FgCoefficient       storage;   /* <rho> [1]; NULL: 1 */
  FgCoefficient       diffusion; /* D, 9 values [m^2/s] */
  FgCoefficient       rate;      /* k = <k> (+ beta k_s of surfaces) [1/s], not negative */
  FgCoefficient       source;    /* s [[u]/s] */
  PetscInt            nsaturations;
  const FgSaturation *saturations;
  FgFace              faces[FG_FACES];
  double              implicitness; /* share of the new level in a time step [1], at least 1/2; 0: 1, backward Euler */
  double              tolerance;    /* relative residual of every solve [1]; 0: 1e-10 */
} FgReactionDiffusionSettings;

typedef struct FgReactionDiffusion_ *FgReactionDiffusion;

PETSC_EXTERN PetscErrorCode FgReactionDiffusionCreate(FgBox box, const FgReactionDiffusionSettings *settings,
                                                      FgReactionDiffusion *equation);
PETSC_EXTERN PetscErrorCode FgReactionDiffusionDestroy(FgReactionDiffusion *equation);
/* u is the start of the iteration and the solution. With nothing but fluxes at the faces and no reaction, sources and
   fluxes must cancel (error with both numbers), and the solution keeps the mean that u came with. */
PETSC_EXTERN PetscErrorCode FgReactionDiffusionSteady(FgReactionDiffusion equation, Vec u);
/* nsteps steps of dt [s] from u. */
PETSC_EXTERN PetscErrorCode FgReactionDiffusionStep(FgReactionDiffusion equation, double dt, PetscInt nsteps, Vec u);
/* Diffusive flux out of the box through every face [m^2/s x [u] m^(dim-2)]; 0 across periodic axes. */
PETSC_EXTERN PetscErrorCode FgReactionDiffusionFaceFlux(FgReactionDiffusion equation, Vec u, double flux[FG_FACES]);

/* --- Bidomain ----------------------------------------------------------------------------------------------------- */

/* Current through a unit of membrane, from inside to outside: C_m dV/dt + g (V - V_r) + I_cubic, with FitzHugh and Nagumo's
   I_cubic = C_m [-k V (1 - V)(V - a) + w],  dw/dt = e (b V - w),  where V is the potential scaled to 0 at rest and 1 when
   excited. Zero-initialized parts are absent: a passive membrane has k = 0, Nagumo's e = 0 and w = 0. */
typedef struct {
  double capacitance;   /* C_m [F/m^2] */
  double conductance;   /* g [S/m^2] */
  double rest;          /* V_r [V] */
  double excitation;    /* k [1/s] */
  double threshold;     /* a [1] */
  double recovery;      /* e [1/s] */
  double recovery_gain; /* b [1/s] */
} FgMembrane;

typedef enum {
  FG_BIDOMAIN_PARABOLIC_ELLIPTIC, /* V with the last extracellular potential, then the extracellular potential */
  FG_BIDOMAIN_COUPLED,            /* both potentials at once: without the error of that splitting, for a larger solve */
} FgBidomainScheme;

typedef struct {
  FgCoefficient    intracellular, extracellular;               /* Sigma_i, Sigma_e, 9 values [S/m] of total tissue */
  FgCoefficient    intracellular_source, extracellular_source; /* s_i, s_e [A/m^3] */
  FgCoefficient    membrane_area;                              /* beta [1/m], positive */
  FgMembrane       membrane;
  FgFace           intracellular_faces[FG_FACES], extracellular_faces[FG_FACES]; /* values [V], currents [A/m^2] */
  FgBidomainScheme scheme;
  double           tolerance; /* relative residual of every solve [1]; 0: 1e-10 */
} FgBidomainSettings;

typedef struct FgBidomain_ *FgBidomain;

/* Errors: Sigma_i + Sigma_e singular somewhere: the potential would be free along a direction. */
PETSC_EXTERN PetscErrorCode FgBidomainCreate(FgBox box, const FgBidomainSettings *settings, FgBidomain *bidomain);
PETSC_EXTERN PetscErrorCode FgBidomainDestroy(FgBidomain *bidomain);
/* Other sources from here on (a stimulus that begins or ends). */
PETSC_EXTERN PetscErrorCode FgBidomainSetSources(FgBidomain bidomain, FgCoefficient intracellular, FgCoefficient extracellular);
/* The steady state of a passive membrane: phi_i and phi_e [V]. Where no face gives a potential both are known up to one
   constant, and phi_e has mean zero; currents put in and taken out must then cancel (error with their sum).
   Error: no conductance, or an excitable membrane. */
PETSC_EXTERN PetscErrorCode FgBidomainSteady(FgBidomain bidomain, Vec phi_i, Vec phi_e);
/* nsteps semi-implicit steps of dt [s]: V = phi_i - phi_e [V, or scaled] and w [1/s] go from their values at the start to
   those at the end; phi_e is found from V. w may be NULL where e = 0. Explicit are I_cubic and w, so that dt k must be
   small. */
PETSC_EXTERN PetscErrorCode FgBidomainStep(FgBidomain bidomain, double dt, PetscInt nsteps, Vec V, Vec phi_e, Vec w);
/* Largest |div(Sigma_i grad phi_i + Sigma_e grad phi_e) + s_i + s_e| of all voxels over the largest |div(Sigma_i grad
   phi_i)| [1]. */
PETSC_EXTERN PetscErrorCode FgBidomainImbalance(FgBidomain bidomain, Vec V, Vec phi_e, double *imbalance);

/* --- Chemotaxis --------------------------------------------------------------------------------------------------- */

typedef struct {
  FgCoefficient motility;                   /* M, 9 values [m^2/s], positive definite */
  FgCoefficient sensitivity;                /* S, 9 values [m^2/s per [c]]; need not be symmetric */
  FgCoefficient diffusion;                  /* D of the attractant, 9 values [m^2/s] */
  FgCoefficient decay;                      /* k [1/s], not negative */
  FgCoefficient production;                 /* a [[c]/s per [n]] */
  FgFace        density_faces[FG_FACES];    /* values [n], fluxes: all of the flux, not only the diffusive part */
  FgFace        attractant_faces[FG_FACES]; /* values [c], fluxes */
  double        tolerance;                  /* relative residual of every solve [1]; 0: 1e-12 */
} FgChemotaxisSettings;

typedef struct FgChemotaxis_ *FgChemotaxis;

PETSC_EXTERN PetscErrorCode FgChemotaxisCreate(FgBox box, const FgChemotaxisSettings *settings, FgChemotaxis *chemotaxis);
PETSC_EXTERN PetscErrorCode FgChemotaxisDestroy(FgChemotaxis *chemotaxis);
/* nsteps steps of dt [s] from density n >= 0 and attractant c: n stays non-negative for every dt, and its total changes by
   what enters through the faces alone. */
PETSC_EXTERN PetscErrorCode FgChemotaxisStep(FgChemotaxis chemotaxis, double dt, PetscInt nsteps, Vec n, Vec c);
/* n and c are the start of the iteration and the solution; where no face gives n, its total is that of the start. */
PETSC_EXTERN PetscErrorCode FgChemotaxisSteady(FgChemotaxis chemotaxis, Vec n, Vec c);
/* Flux of n out of the box through every face [m^2/s x [n] m^(dim-2)]; 0 across periodic axes. */
PETSC_EXTERN PetscErrorCode FgChemotaxisFaceFlux(FgChemotaxis chemotaxis, Vec n, Vec c, double flux[FG_FACES]);

#endif
