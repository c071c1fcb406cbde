/* eit.h: the parts of the complete electrode model, private to the forward room: space.c (degrees of freedom), element.c (integrals),
   system.c (matrix), solve.c and wide*.c (its solution), currents.c (independent currents), reciprocity.c and pairs.c (derivatives),
   jacobian.c, low_rank.c, model.c (the model "eit"), background.c. */
#ifndef FINEGRAIN_FORWARD_EIT_H
#define FINEGRAIN_FORWARD_EIT_H

#include "finegrain/model.h"
#include "finegrain/robust.h"

#include <petscmat.h>
#include <petscsf.h>

enum { FG_EIT_BASIS = 10, FG_EIT_QUADRATURE = 4, FG_EIT_FACE_BASIS = 6, FG_EIT_BLOCK_ROWS = 240 };

/* A face of an electrode at an element of this rank: its degrees of freedom (vertices, then edges), its area scaled to the nominal one. */
typedef struct {
  PetscInt electrode, dof[FG_EIT_FACE_BASIS];
  double   area;
} FgEitFace;

/* Continuous elements of degree 1 or 2 on straight-sided simplices. Degrees of freedom (nodes, then midpoints of edges, as elements name
   them first) are numbered in the order in which elements first use them, so that those of a rank's elements are contiguous but for those
   that earlier ranks own. Locally: the owned, then the ghosts. */
typedef struct {
  MPI_Comm   comm;
  FgMesh     mesh; /* borrowed */
  PetscInt   order, nbasis, nquadrature, nfacebasis;
  PetscInt   first_element, nelements, first_site, nsites; /* of this rank */
  PetscInt   ndof, first, nowned, nghost;
  PetscInt  *ghosts; /* [nghost] global numbers, ascending */
  PetscInt  *dof;    /* [nelements][nbasis] local */
  PetscInt   nfaces;
  FgEitFace *face;
} FgEitSpace;

PetscErrorCode FgEitSpaceCreate(MPI_Comm comm, FgMesh mesh, PetscInt order, FgEitSpace *space);
PetscErrorCode FgEitSpaceDestroy(FgEitSpace *space);
/* Local degree of freedom -> row of the matrix. */
static inline PetscInt FgEitRow(const FgEitSpace *space, PetscInt local)
{
  return local < space->nowned ? space->first + local : space->ghosts[local - space->nowned];
}
/* Site of a local element, counted from the first of this rank. */
static inline PetscInt FgEitSite(const FgEitSpace *space, PetscInt element)
{
  return (space->mesh->site ? space->mesh->site[space->first_element + element] : space->first_element + element) -
         space->first_site;
}

/* Gradients of the basis at the quadrature points, times the square root of their weights: gradient[point][axis][basis], so that the
   stiffness of a conductivity C is sum over points of gradient^T C gradient, exactly. */
typedef double FgEitGradient[FG_EIT_QUADRATURE][3][FG_EIT_BASIS];
void           FgEitElementGradients(const FgEitSpace *space, PetscInt element, FgEitGradient gradient);
/* Of the reference face of area 1: integrals of the basis and of its products. */
void FgEitFaceIntegrals(const FgEitSpace *space, double integral[FG_EIT_FACE_BASIS],
                        double mass[FG_EIT_FACE_BASIS][FG_EIT_FACE_BASIS]);

/* The symmetric positive definite matrix of potentials at degrees of freedom and electrodes; the last electrode is at zero and left out,
   the others are the last rows, of the last rank. */
typedef struct {
  PetscInt           nlocal; /* rows of this rank */
  PetscInt           nelectrodes;
  Mat                matrix;
  double            *values; /* of the entries as they are summed up */
  PetscBool          direct;
  char               package[16];
  Mat                factor;
  void              *ksp; /* KSP of cg, which sets its multigrid up */
  PetscReal          tolerance;
  struct FgEitWide_ *wide; /* which solves with it */
  PetscBool          symbolic;
  PetscInt           iterations; /* of the last solves, the most */
} FgEitSystem;

PetscErrorCode FgEitSystemCreate(const FgEitSpace *space, const FgEitOptions *options, FgEitSystem *system);
PetscErrorCode FgEitSystemDestroy(FgEitSystem *system);
/* tensor[nsites][6] (xx, yy, zz, xy, xz, yz) [S/m], impedance[nelectrodes] [ohm m^2]. */
PetscErrorCode FgEitAssemble(const FgEitSpace *space, FgEitSystem *system, const double *tensor, const double *impedance);
/* values[nbasis][nbasis] of one element. */
void FgEitElementStiffness(const FgEitSpace *space, PetscInt element, const double C[6], double *values);
/* solve.c: the solver's choice and life; factors or prepares; solves for columns of unit currents current[n][nelectrodes] into X. */
PetscErrorCode FgEitSolverCreate(const FgEitSpace *space, const FgEitOptions *options, FgEitSystem *system);
PetscErrorCode FgEitSolverDestroy(FgEitSystem *system);
PetscErrorCode FgEitFactor(FgEitSystem *system);
PetscErrorCode FgEitSolve(const FgEitSpace *space, FgEitSystem *system, PetscInt n, const double *current, Mat B, Mat X);

/* Orthonormal currents [A]: the first `driven` span the current patterns, all `n` those and the measurement patterns. */
typedef struct {
  PetscInt driven, n, nelectrodes, npatterns, nmeasurements;
  double  *current; /* [n][nelectrodes] */
  double  *drive;   /* [npatterns][driven]: current patterns, over depth [A/m] in two dimensions */
  double  *sense;   /* [nmeasurements][n] */
} FgEitCurrents;

PetscErrorCode FgEitCurrentsCreate(FgEit eit, PetscInt dim, FgEitCurrents *currents);
PetscErrorCode FgEitCurrentsDestroy(FgEitCurrents *currents);

/* Everything of a model. fields[local dof][n] are the potentials of each current of the basis. */
typedef struct {
  FgEitSpace    space;
  FgEitSystem   system;
  FgEitCurrents currents;
  Mat           B[2], X[2]; /* driven currents, the rest */
  PetscSF       ghosts;
  MPI_Datatype  row;
  double       *fields;
  double       *potential;        /* [n][nelectrodes] */
  double       *voltage;          /* [npatterns][nmeasurements] */
  double       *tensor, *trial;   /* [nsites][6] */
  double       *impedance;        /* [nelectrodes] at which the system was factored */
  PetscBool     solved, complete; /* driven currents; all of them, with fields */
  double       *rows;             /* of a block of elements */
  double       *image;            /* as fields: their image under a stiffness, or weighted */
  double       *small[3];         /* [driven][n] or [driven][nmeasurements] */
  double       *residual;         /* [ndatalocal] */
  float        *pairs;            /* [nsites][ncomponents][pairs], pairs.c; NULL until there is a use for them */
  double       *pair;             /* [pairs] */
  PetscBool     pairs_kept;       /* they are of the present m */
  PetscInt      products;         /* with J^T W J at the present m */
  PetscBool     many_products;    /* at one m there have been enough to be worth the pairs */
} FgEitState;

PetscErrorCode FgEitStateCreate(MPI_Comm comm, FgEit eit, FgMesh mesh, const FgEitOptions *options, FgEitState **state);
PetscErrorCode FgEitStateDestroy(FgEitState **state);
/* Factors the system at state->trial and solves for the driven currents, unless state->tensor is the same. Collective. */
PetscErrorCode FgEitStateSolve(FgEitState *state, FgEit eit, FgModelCounts *counts);
/* Solves for the rest of the currents and gathers the fields, once. Collective. */
PetscErrorCode FgEitStateComplete(FgEitState *state, FgModelCounts *counts);

/* Gradients of all fields over this rank's elements [first, first + count) to state->rows [element][point][axis][n]; at most
   FG_EIT_BLOCK_ROWS rows. */
void FgEitGradients(FgEitState *state, PetscInt first, PetscInt count);
/* changed[per][n] = dC rows[per][n], axis by axis at each point of an element. */
void FgEitChange(PetscInt dim, PetscInt n, PetscInt per, const double dC[6], const double *rows, double *changed);
/* Conductivity tensor [S/m] of a site, and its derivatives dC[component][6] unless NULL. */
void           FgEitSiteTensor(FgModel model, const double *m, const double *frame, double C[6], double dC[][6]);
PetscErrorCode FgEitJacobian(FgModel model, double *jacobian);
/* First of this rank's data. */
PetscInt FgEitFirstDatum(FgModel model);
/* W of this rank's datum [1/V^2]: 0 where it is left out. */
static inline double FgEitWeight(const FgData *data, PetscInt i, double predicted)
{
  const double value = data->values[i], sigma = data->sigma[i];

  if (!(value == value)) return 0.0;
  return (data->huber > 0.0 ? FgHuberWeight((predicted - value) / sigma, data->huber) : 1.0) / (sigma * sigma);
}
/* See FgModelLowRank. */
PetscErrorCode FgEitLowRank(FgModel model, const FgData *data, PetscInt *rank, double *rows, double *root);
/* products[driven][n] of the change of the tensors change[nsites][6]: -int grad u_k . change grad u_l. Collective. */
PetscErrorCode FgEitProducts(FgEitState *state, const double *change, double *products);
/* slope[nsites][6]: derivative of sum weight[driven][n] products with respect to each tensor. */
PetscErrorCode FgEitSlopes(FgEitState *state, const double *weight, double *slope);
/* pairs.c: what derivatives are, kept at one m, if they fit into memory: forgotten where m or the state changes; made now, or before the first
   product at an m where there were many before, collective. Then, with v and y over this rank's rows = nsites*ncomponents: products[driven][n]
   of the change v, collective, and the slopes y of sum weight[driven][n] products. */
void           FgEitPairsForget(FgEitState *state);
PetscErrorCode FgEitPairsDestroy(FgEitState *state);
PetscErrorCode FgEitPairsPrepare(FgModel model, PetscBool now);
PetscBool      FgEitPairsFit(FgModel model);
size_t         FgEitPairsCount(const FgEitCurrents *currents);
PetscErrorCode FgEitPairsProducts(FgEitState *state, PetscInt rows, const double *v, double *products);
void           FgEitPairsSlopes(FgEitState *state, PetscInt rows, const double *weight, double *y);
/* products[driven][n] of electrode `electrode`: its contact term int (u_k - U_k)(u_l - U_l)/z, all ranks. Collective. */
PetscErrorCode FgEitContact(FgEitState *state, PetscInt electrode, double *products);

#endif
