/* problem.h: the inverse problem and its solvers.

     minimise  Phi(m) = 1/2 sum_k ((F_k(m) - d_k)/sigma_k)^2 + alpha R(m)   over  lower <= m <= upper

   Solvers see models and regularizers only through their interfaces. They work in whitened variables x_c = m_c / scale_c,
   scale_c the median pointwise standard deviation of component c, so that one tolerance and one alpha suit all components. */
#ifndef FINEGRAIN_PROBLEM_H
#define FINEGRAIN_PROBLEM_H

#include "model.h"
#include "regularizer.h"

typedef struct FgProblem_ *FgProblem;
struct FgProblem_ {
  FgModel        model; /* borrowed, as all below */
  FgField        field;
  FgData         data;
  unsigned char *status;      /* [nlocal] FgStatus bits, updated by the solvers */
  FgRegularizer  regularizer; /* NULL: none */
  double         alpha;       /* [1] */
  double         solved;      /* alpha and its damping with which `newton` has last left the field; 0: none yet */
  double         scale[8];    /* whitening [component unit], per component */
  Vec            x, g, work;  /* whitened variables, gradient and work space, laid out as the field */
  PetscInt       objectives, gradients, hessians, sweeps, iterations; /* counts */
};

PETSC_EXTERN PetscErrorCode FgProblemCreate(FgModel model, FgField field, const FgData *data, unsigned char *status,
                                            FgProblem *problem);
PETSC_EXTERN PetscErrorCode FgProblemDestroy(FgProblem *problem);
/* Phi, its parts (misfit = 1/2 chi2, regularizer without alpha; may be NULL) and, if gradient != NULL, dPhi/dx (whitened) at
   field->m. Freezes the linearisation for FgProblemHessian. Collective. */
PETSC_EXTERN PetscErrorCode FgProblemEvaluate(FgProblem problem, PetscReal *phi, PetscReal *misfit, PetscReal *roughness,
                                              Vec gradient);
/* The same where the misfit and, if gradient != NULL, its gradient (not whitened) at field->m are known already. Collective. */
PETSC_EXTERN PetscErrorCode FgProblemComplete(FgProblem problem, PetscReal misfit, PetscReal *phi, PetscReal *roughness,
                                              Vec gradient);
/* What a degree of freedom takes from twice the misfit at field->m: its mean over the samples; of a robust misfit sum psi^2/sum psi'
   (robust.h). Collective. */
PETSC_EXTERN PetscErrorCode FgProblemPrice(FgProblem problem, PetscReal misfit, double samples, PetscReal *price);
/* Multiplies the owned part of v, a whitened step or a gradient, by the whitening scales. */
PETSC_EXTERN PetscErrorCode FgProblemScale(FgProblem problem, Vec v);
/* y = (J^T W J + alpha H_R) v in whitened variables, at the last FgProblemEvaluate; with data_only: J^T W J v. */
PETSC_EXTERN PetscErrorCode FgProblemHessian(FgProblem problem, PetscBool data_only, Vec v, Vec y);
/* Root mean square over all variables of P(x - g) - x, the whitened gradient projected on the box: 0 at a minimiser. As the
   data alone give a curvature of about 1, it is about the distance to the minimiser in pointwise standard deviations. */
PETSC_EXTERN PetscErrorCode FgProblemProjectedNorm(FgProblem problem, Vec gradient, PetscReal *norm);

/* Pointwise Levenberg-Marquardt from the model's start values; fills field->m, frames and status.
   deviation[nlocal][ncomponents], if not NULL: standard deviations from the Fisher information [component unit]; tangent: radian.
   chi2[nlocal]: sum of squared whitened residuals; samples[nlocal]: how many were used. Not collective but for the final exchange. */
typedef struct {
  PetscInt max_iterations;                                 /* 50 */
  double   tolerance;                                      /* on the step, in standard deviations: 1e-4 */
  PetscErrorCode (*monitor)(void *context, PetscInt done); /* now and then, with the sites of this rank done; may be NULL */
  void *monitor_context;
} FgPointwiseOptions;
PETSC_EXTERN PetscErrorCode FgSolvePointwise(FgProblem problem, const FgPointwiseOptions *options, PetscBool keep_start,
                                             float *deviation, float *chi2, short *samples);

/* How a field solve ended. */
typedef struct {
  char      solver[32], reason[64];
  PetscInt  sweeps, iterations; /* of sweeps; of TAO or Newton */
  PetscInt  products;           /* of the Gauss-Newton matrix, in Newton's linear solves */
  PetscReal objective, misfit, roughness;
  PetscReal projected_gradient, projected_gradient_start; /* whitened; of Newton sqrt(-g.s/N), g gradient, s step, N data [1] */
  PetscBool converged;
} FgSolveReport;

typedef struct {
  char solver
      [32]; /* "sweep"; a TAO type that keeps bounds, blmvm, bqnls, bncg, bnls, bntr, bntl; "tao" is blmvm; "newton", also what
                           "sweep" is where data belong to no site */
  double    tolerance; /* on the projected gradient (FgProblemProjectedNorm) [1]: 1e-4; see FgSolveReport */
  PetscInt  max_iterations;
  double    relaxation; /* over-relaxation of sweeps, 1 .. 2 */
  PetscBool finish;     /* let a quasi-Newton method finish where sweeps reach their limit */
  PetscErrorCode (*monitor)(void *context, const char *what, PetscInt iteration, PetscReal objective, PetscReal gradient);
  void *monitor_context;
} FgSolveOptions;

/* Minimises over the whole field from field->m: by the solver's name; by sweeps; by TAO; by damped Gauss-Newton steps. Collective. */
PETSC_EXTERN PetscErrorCode FgSolveField(FgProblem problem, const FgSolveOptions *options, FgSolveReport *report);
PETSC_EXTERN PetscErrorCode FgSolveSweep(FgProblem problem, const FgSolveOptions *options, FgSolveReport *report);
PETSC_EXTERN PetscErrorCode FgSolveTao(FgProblem problem, const FgSolveOptions *options, FgSolveReport *report);
PETSC_EXTERN PetscErrorCode FgSolveNewton(FgProblem problem, const FgSolveOptions *options, FgSolveReport *report);

/* Effective degrees of freedom p_eff = trace of (J^T W J + alpha H_R)^-1 J^T W J over the variables not on a bound, H_R the
   regularizer's curvature: by Hutchinson's estimator with a fixed seed, or, where the low rank of the data is at hand, itself. Collective. */
PETSC_EXTERN PetscErrorCode FgProblemFreedom(FgProblem problem, unsigned long seed, PetscReal *freedom);

/* Of models whose data belong to no site: standard deviations deviation[nlocal*ncomponents] [component unit] of the field, a minimizer that
   the model was last evaluated at, from ndraws draws with a relative error of sqrt(1/(2 ndraws)). found: false where the problem is too
   large, or has a direction among its unknowns. Collective. */
PETSC_EXTERN PetscErrorCode FgProblemDeviations(FgProblem problem, unsigned long seed, PetscInt ndraws, float *deviation,
                                                PetscBool *found);

/* The choice of the weights (inverse/choose_weight.c). A part is what shares one weight: porosity, shape of the orientation
   distribution, direction, S0. A term of part p weighs alpha * ratio_p. */
#define FG_MAX_PARTS 8
typedef struct {
  char      name[16];
  double    ratio;     /* [1]; where automatic: in, where the search starts; out, what it found */
  PetscBool automatic; /* its ratio is found from the data, if the criterion can */
} FgWeightPart;
typedef struct {
  double   alpha, ratio[FG_MAX_PARTS], chi2, freedom, roughness;
  double   variance;           /* chi2/(samples - freedom) [1] */
  double   gcv;                /* (chi2/samples)/(1 - freedom/samples)^2 [1] */
  double   risk[FG_MAX_PARTS]; /* estimated mean squared error of each part, in variances of the pointwise fit [1] */
  PetscInt sweeps;             /* spent on this solve */
} FgWeightPoint;
typedef struct {
  /* given */
  PetscInt     nparts, term_part[8], component_part[8]; /* part of each regularizer term and of each component */
  FgWeightPart parts[FG_MAX_PARTS];
  double       samples, pointwise_chi2, pointwise_freedom; /* of all voxels together; where data belong to no site, found */
  /* found */
  FgWeightPoint points[32]; /* in the order of the search; the last is where the weights were chosen */
  PetscInt      npoints;
  double        pointwise_variance; /* pointwise_chi2/(samples - pointwise_freedom) [1] */
  PetscBool     reached;            /* the criterion decided, not the end of the search */
  char          note[240];          /* where data belong to no site: why it was not reached, else "" */
} FgWeightSearch;
PETSC_EXTERN const char *const FgCriteria[]; /* "risk", "gcv", "discrepancy", NULL */
/* Writes alpha * ratio into the terms of the problem's regularizer: alpha to the problem, ratios to the terms. */
PETSC_EXTERN PetscErrorCode FgProblemSetWeights(FgProblem problem, const FgWeightSearch *search, double alpha);
/* From the pointwise fit, or where data belong to no site from any start: searches the weights by the criterion and solves there. Of such
   data only alpha is searched, by "discrepancy" or "gcv"; "risk" is refused (PETSC_ERR_USER). Collective. */
PETSC_EXTERN PetscErrorCode FgSolveChooseWeight(FgProblem problem, const FgSolveOptions *options, const char *criterion,
                                                double alpha_start, unsigned long seed, FgWeightSearch *search,
                                                FgSolveReport *report);

/* Covariance of the present solution, site by site (inverse/uncertainty.c): covariance[nlocal][nc (nc + 1)/2], lower triangles by rows,
   [component units], tangent coordinates in radian. Without a regularizer or with alpha = 0 the inverse Fisher information, else the
   posterior's. A variable on its bound is known there: it has no part in the rest, and its own variance is that of a step inwards.
   Infinite where nothing tells. Moves every chart's center to the present direction. Collective. */
PETSC_EXTERN PetscErrorCode FgProblemCovariance(FgProblem problem, float *covariance);

#endif
