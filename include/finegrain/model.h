/* model.h: the forward-model promise: predicted data d = F(m), and the actions J v and J^T w at that m.

   A new physics is one file in forward/ and one line in forward/models.c. Where data belong to single sites (voxels), the
   author writes only a pure function of one site and the pointwise adapter (forward/pointwise.c) does the rest, with
   fused sums that never store J. */
#ifndef FINEGRAIN_MODEL_H
#define FINEGRAIN_MODEL_H

#include "field.h"
#include "closure.h"
#include "eit.h"
#include "lanes.h"
#include "measurement.h"

typedef struct FgModel_ *FgModel;
typedef struct FgBatch_ *FgBatch;

/* The data of a misfit: values[nlocal*ndata] (NaN: left out) and the noise level. Where data belong to no site (eit), nlocal counts this
   rank's data and ndata is 1. */
typedef struct {
  PetscInt     nlocal, ndata;
  const float *values;
  const float *sigma; /* [nlocal] noise standard deviation of the samples of each site, [data unit], > 0 */
  double       huber; /* threshold of Huber's function on residuals/sigma [1] (robust.h); 0: least squares */
} FgData;

/* One site: its prediction[ndata] and, if jacobian != NULL, jacobian[component*stride + sample]. Pure. */
typedef void (*FgSiteFunction)(const void *context, const double *m, const double frame[9], double *prediction, double *jacobian,
                               PetscInt stride);

typedef struct {
  const char *name, *summary;
  PetscBool   magnitude;                          /* data are magnitudes of complex signals: Rician noise has a meaning */
  PetscErrorCode (*setup)(FgModel);               /* declares components, allocates */
  PetscErrorCode (*apply)(FgModel, Vec m, Vec d); /* d = F(m); J and J^T are then taken at this m */
  PetscErrorCode (*tangent)(FgModel, Vec v, Vec Jv);
  PetscErrorCode (*adjoint)(FgModel, Vec w, Vec Jtw);
  PetscErrorCode (*destroy)(FgModel);
  PetscErrorCode (*misfit)(FgModel, const FgData *, Vec m, PetscReal *f, Vec gradient);
  PetscErrorCode (*gauss_newton)(FgModel, const FgData *, Vec v, Vec y);
  /* Models whose data belong to no site: */
  PetscBool global;
  PetscErrorCode (*jacobian)(FgModel, double *jacobian);
  PetscErrorCode (*low_rank)(FgModel, const FgData *, PetscInt *rank, double *rows, double *root);
  /* Pointwise models only, else NULL: */
  PetscBool exponential; /* data are S0 exp(-B . C), S0 the last component; else the elements of C themselves */
  /* C [mm^2/s] of FG_LANES sites at centered charts, and with derivatives dC[component][6], without S0; the start values nearest to C */
  void (*lanes_tensor)(FgModel, const FgLanes m[], const FgLanes frame[9], FgLanes C[6], FgLanes dC[][6], PetscBool derivatives);
  void (*lanes_start)(FgModel, const FgLanes C[6], FgLanes m[], FgLanes frame[9]);
  /* the effective tensor (xx, yy, zz, xy, xz, yz) [mm^2/s, scanner frame] of a site, for maps; NULL where a model has none */
  void (*site_tensor)(FgModel, const double *m, const double frame[9], double C[6]);
} FgModelOps;

typedef struct {
  PetscInt apply, tangent, adjoint; /* evaluations of F, J v, J^T w; a fused misfit gradient counts as one F and one J^T */
  PetscInt solves;                  /* linear PDE solves */
  PetscInt factorizations;          /* of their systems, or preconditioners made */
  PetscInt iterations;              /* of an iterative solve, the most */
} FgModelCounts;

struct FgModel_ {
  const FgModelOps      *ops;
  MPI_Comm               comm;
  FgTissue               tissue;
  FgComponent            components[8];
  PetscInt               ncomponents;
  PetscInt               ndata;      /* samples a site (pointwise) or in all */
  PetscInt               ndatalocal; /* samples of this rank where data belong to no site: its FgDomainRun of ndata */
  char                   data_unit[32];
  double                 accuracy; /* of a prediction, relative, where the solution of equations limits it [1]; 0: rounding */
  FgField                field;    /* borrowed; set by FgModelSetField */
  FgEit                  eit;      /* borrowed; eit */
  FgMesh                 mesh;     /* borrowed; eit */
  FgEitOptions           eit_options;
  const FgGradients     *gradients;    /* borrowed; dwi */
  double                 signal_scale; /* [data unit]: typical S0, for bounds and starts */
  PetscBool              rician;       /* prediction = mean of the magnitude of S with noise instead of S */
  double                 coils;        /* of the magnitude, effective [1]; 0 or 1: one, Rician noise; more: noncentral chi */
  struct FgMagnitude_   *mean;         /* pointwise models: table of the magnitude's mean (forward/magnitude.h); owned */
  struct FgTissueTable_ *table;   /* pointwise models of tissue: its closure, for start values (forward/tissue_lanes.h); owned */
  const float           *sigma;   /* [nlocal] noise level of each site, for that mean; borrowed */
  FgSiteFunction         site;    /* pointwise models */
  void                  *context; /* of the site function; owned by the model */
  PetscInt               stride;  /* pointwise models: ndata rounded up to whole vectors */
  double                *work;    /* pointwise models: the adapter's rows of `stride` doubles (forward/pointwise.h) */
  FgBatch                batch;   /* pointwise models: for solvers and sums (batch.h) */
  Vec                    state;   /* m at which J is taken */
  FgModelCounts          counts;
};

/* Pointwise adapter (forward/pointwise.c), also used directly by solvers through the model, if it is not global: */
/* misfit = 1/2 sum ((prediction - value)/sigma)^2, or sum of Huber's rho of these, its gradient[ncomponents] and Gauss-Newton block
   hessian[ncomponents*ncomponents] (both may be NULL) for one local site at m, frame. Returns the number of samples used. */
PETSC_EXTERN PetscInt FgModelSite(FgModel model, const FgData *data, PetscInt site, const double *m, const double frame[9],
                                  double *misfit, double *gradient, double *hessian);
/* residuals[ndata] = (prediction - value)/sigma of each sample of one local site, NaN where it is left out; not bounded. */
PETSC_EXTERN void FgModelSiteResiduals(FgModel model, const FgData *data, PetscInt site, const double *m, const double frame[9],
                                       double *residuals);
/* variance[ndata] of the samples of one local site over sigma^2 [1]: of a magnitude E M^2 - (E M)^2 = S^2 + 2 coils sigma^2 - (E M)^2,
   which falls to 0.43 (one coil) to 0.5 (many) where the signal is lost; else 1. */
PETSC_EXTERN void FgModelSiteVariance(FgModel model, PetscInt site, const double *m, const double frame[9], double *variance);

PETSC_EXTERN const FgModelOps *const FgModels[]; /* NULL-terminated, forward/models.c */
PETSC_EXTERN PetscErrorCode          FgModelCreate(MPI_Comm comm, const char *name, const FgTissue *tissue, FgModel *model);
/* dwi: borrows the gradient table. Then FgModelSetup declares components and ndata. */
PETSC_EXTERN PetscErrorCode FgModelSetGradients(FgModel model, const FgGradients *gradients, double signal_scale);
/* eit: borrows the measurement and the mesh (whose electrodes are those of the measurement, in its order). Data are the voltages V_pq
   pattern by pattern [V], those not measured included. */
PETSC_EXTERN PetscErrorCode FgModelSetEit(FgModel model, FgEit eit, FgMesh mesh, const FgEitOptions *options);
/* eit: fits a homogeneous conductivity [S/m] and, where `impedance`, one common factor on all contact impedances (with `each`, every one) to
   voltages[npatterns*nmeasurements] with noise sigma[...] (NAN voltages left out), from the model's options and measurement, both of which
   it changes; chi2 is of the fit. Collective. */
typedef struct {
  PetscBool impedance, each;
  double    conductivity, chi2;
  PetscInt  iterations;
} FgEitBackground;
PETSC_EXTERN PetscErrorCode FgModelFitBackground(FgModel model, const double *voltages, const double *sigma,
                                                 FgEitBackground *background);
/* Coils whose squares the magnitude sums, 1 (Rician noise) or more (noncentral chi), an effective number; before FgModelSetup. */
PETSC_EXTERN PetscErrorCode FgModelSetCoils(FgModel model, double coils);
/* Compare with the mean of the magnitude, or with the signal itself. sigma[nlocal] is borrowed. */
PETSC_EXTERN PetscErrorCode FgModelSetRician(FgModel model, PetscBool rician, const float *sigma);
PETSC_EXTERN PetscErrorCode FgModelSetup(FgModel model);
PETSC_EXTERN PetscErrorCode FgModelSetField(FgModel model, FgField field);
PETSC_EXTERN PetscErrorCode FgModelDestroy(FgModel *model);
PETSC_EXTERN PetscErrorCode FgModelApply(FgModel model, Vec m, Vec d);
PETSC_EXTERN PetscErrorCode FgModelTangent(FgModel model, Vec v, Vec Jv);
PETSC_EXTERN PetscErrorCode FgModelAdjoint(FgModel model, Vec w, Vec Jtw);
PETSC_EXTERN PetscErrorCode FgModelCreateDataVec(FgModel model, Vec *d);
/* Fused over all local sites: f (summed over ranks) and gradient (may be NULL); then the Gauss-Newton action at that m. */
PETSC_EXTERN PetscErrorCode FgModelMisfit(FgModel model, const FgData *data, Vec m, PetscReal *f, Vec gradient);
/* The dense J at the last m: jacobian[nlocal sites * ncomponents][ndata], this rank's sites and all data [data unit/component unit]; only of
   models whose data belong to no site (PETSC_ERR_SUP else). Collective. */
PETSC_EXTERN PetscErrorCode FgModelJacobian(FgModel model, double *jacobian);
PETSC_EXTERN PetscErrorCode FgModelGaussNewton(FgModel model, const FgData *data, Vec v, Vec y);
/* The Gauss-Newton matrix at the last m whole, of models whose data say far less than there are unknowns:  J^T W J = rows root root^T rows^T,
   rows[nlocal sites * ncomponents][rank], root[rank][rank] by columns, lower triangular, the same on every rank. rows NULL: only *rank, 0 where
   the model has none. Collective. */
PETSC_EXTERN PetscErrorCode FgModelLowRank(FgModel model, const FgData *data, PetscInt *rank, double *rows, double *root);

/* Taylor and dot-product tests at m (used by `finegrain verify` and the table-driven test). */
typedef struct {
  double taylor_slope[2]; /* min and max of the observed order of |F(m+tv) - F(m) - tJv| over the usable t */
  double taylor_decades;  /* decades of t over which the order stayed within 1.9 .. 2.1 */
  double dot_product;     /* |<Jv,w> - <v,J^T w>| / (|Jv||w|) */
} FgModelCheckResult;
PETSC_EXTERN PetscErrorCode FgModelCheck(FgModel model, Vec m, unsigned long seed, FgModelCheckResult *result);

#endif
