/* uncertainty.c: how good the standard deviations of regularized fits are, for bench/uncertainty.sh.

   usage: bench_uncertainty exact TRUTH_FOLDER DWI.nii.gz --alpha ALPHA [options of finegrain fit]
     Fits, and compares the reported standard deviations of 200 voxels spread over the mask with columns of the inverse of the posterior
     Hessian A, solved for by conjugate gradients to 1e-4. One table row a component: the reported one over the exact one, median and
     5 to 95 %; that of the estimate under repeated noise, (A^-1 J^T W J A^-1)^1/2 without bias, over the exact one; the
     reported one over the voxel's own by itself, (B^-1)^1/2; and of scalar components the share of the voxels whose 95 % intervals hold
     the truth, with the reported, the exact and the repeated-noise ones.
   usage: bench_uncertainty borders TRUTH_FOLDER MASK.nii.gz
     Writes the mask of voxels that have a neighbor whose true porosity differs by more than 0.03 or whose fiber by more than 15 degrees. */
#include "finegrain/image.h"
#include "inverse/influence.h"
#include "inverse/uncertainty.h"
#include "src/app/command.h"
#include "src/app/pipeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOXELS = 200 };

static int Compare(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double Quantile(PetscInt n, double *values, double q)
{
  qsort(values, (size_t)n, sizeof(*values), Compare);
  return n ? values[(PetscInt)(q * (double)(n - 1) + 0.5)] : NAN;
}

static PetscErrorCode Fit(FitSettings *s, FgLog *log, FgPipeline *p)
{
  FgSolveOptions options = {
      .tolerance = s->tolerance, .max_iterations = s->max_iterations, .relaxation = 1.3, .finish = PETSC_TRUE};
  FgSolveReport report;

  PetscFunctionBegin;
  PetscCheck(isfinite(s->alpha), PETSC_COMM_SELF, PETSC_ERR_USER, "give --alpha");
  PetscCall(PetscStrncpy(options.solver, s->solver, sizeof(options.solver)));
  PetscCall(FgPipelineOpen(s, log, p));
  PetscCall(FgPipelinePointwise(s, p));
  PetscCall(FgPipelineRegularize(s, p));
  p->problem->alpha = s->alpha;
  PetscCall(FgSolveField(p->problem, &options, &report));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Truth of a scalar component at this rank's voxels; NULL for the others. */
static PetscErrorCode ReadTruth(const FgPipeline *p, const char *folder, PetscInt c, float **truth)
{
  FgImageInfo info;
  float      *map;
  char        path[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  *truth = NULL;
  if (p->field->components[c].kind == FG_KIND_TANGENT) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s.nii.gz", folder, p->field->components[c].name));
  PetscCall(FgImageRead(path, &info, &map));
  PetscCall(PetscMalloc1(p->domain->nlocal, truth));
  PetscCall(FgMeasurementScatter(&p->measurement, map, *truth));
  PetscCall(PetscFree(map));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Exact(FitSettings *s, const char *folder, FgLog *log)
{
  FgPipeline  p;
  FgInfluence influence;
  Vec         e, x, y;
  float      *covariance, *fisher;
  double     *ratio[3];
  PetscInt    nc, size;

  PetscFunctionBegin;
  PetscCall(Fit(s, log, &p));
  nc   = p.field->ncomponents;
  size = nc * (nc + 1) / 2;
  PetscCall(PetscMalloc2((size_t)p.domain->nlocal * size, &covariance, (size_t)p.domain->nlocal * size, &fisher));
  PetscCall(FgProblemCovariance(p.problem, covariance));
  PetscCall(FgInfluenceCreate(p.problem, &influence));
  PetscCall(KSPSetTolerances(influence->ksp, 1e-4, 0.0, 1e6, 2000));
  PetscCall(FgUncertaintyFreeze(p.problem, fisher)); /* the weights whose covariance is reported */
  p.problem->regularizer = NULL;
  PetscCall(FgProblemCovariance(p.problem, fisher));
  p.problem->regularizer = p.regularizer;
  PetscCall(PetscMalloc3(VOXELS, &ratio[0], VOXELS, &ratio[1], VOXELS, &ratio[2]));
  PetscCall(VecDuplicate(influence->free, &e));
  PetscCall(VecDuplicate(e, &x));
  PetscCall(VecDuplicate(e, &y));
  for (PetscInt c = 0; c < nc; c++) {
    PetscInt n = 0, held[3] = {0, 0, 0};
    float   *truth;

    PetscCall(ReadTruth(&p, folder, c, &truth));

    for (PetscInt k = 0; k < VOXELS; k++) {
      const PetscInt i = (PetscInt)((k + 0.5) * p.domain->nlocal / VOXELS), row = i * nc + c, diagonal = c * (c + 1) / 2 + c;
      PetscReal      available, exact, repeated, value;

      PetscCall(VecGetValues(influence->free, 1, &row, &available));
      if (available == 0.0) continue;
      PetscCall(VecZeroEntries(e));
      PetscCall(VecSetValue(e, row, 1.0, INSERT_VALUES));
      PetscCall(VecAssemblyBegin(e));
      PetscCall(VecAssemblyEnd(e));
      PetscCall(KSPSolve(influence->ksp, e, x));
      PetscCall(VecDot(e, x, &exact));
      PetscCall(FgInfluenceApply(influence, PETSC_TRUE, x, y));
      PetscCall(VecDot(x, y, &repeated));
      if (truth) {
        PetscCall(VecGetValues(p.field->m, 1, &row, &value));
        held[0] += fabs(value - truth[i]) <= 1.96 * sqrt(covariance[i * size + diagonal]) ? 1 : 0;
        held[1] += fabs(value - truth[i]) <= 1.96 * sqrt(exact) * p.problem->scale[c] ? 1 : 0;
        held[2] += fabs(value - truth[i]) <= 1.96 * sqrt(repeated) * p.problem->scale[c] ? 1 : 0;
      }
      ratio[0][n]   = sqrt(covariance[i * size + diagonal] / exact) / p.problem->scale[c];
      ratio[1][n]   = sqrt(repeated / exact);
      ratio[2][n++] = sqrt(covariance[i * size + diagonal] / fisher[i * size + diagonal]);
    }
    printf("| %s | %.3f (%.3f to %.3f) | %.2f | %.2f |", p.field->components[c].name, Quantile(n, ratio[0], 0.5),
           Quantile(n, ratio[0], 0.05), Quantile(n, ratio[0], 0.95), Quantile(n, ratio[1], 0.5), Quantile(n, ratio[2], 0.5));
    for (int k = 0; k < 3; k++) {
      if (truth) printf(" %.1f |", 100.0 * held[k] / n);
      else printf(" |");
    }
    printf("\n");
    PetscCall(PetscFree(truth));
  }
  PetscCall(VecDestroy(&e));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&y));
  PetscCall(PetscFree3(ratio[0], ratio[1], ratio[2]));
  PetscCall(PetscFree2(covariance, fisher));
  PetscCall(FgInfluenceDestroy(&influence));
  PetscCall(FgPipelineClose(&p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Borders(const char *folder, const char *path)
{
  static const char *const names[3] = {"mask", "porosity", "direction_scanner"};
  FgImageInfo              info;
  float                   *map[3], *border;
  PetscInt                 n, stride = 1;

  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) {
    char from[PETSC_MAX_PATH_LEN];

    PetscCall(PetscSNPrintf(from, sizeof(from), "%s/%s.nii.gz", folder, names[k]));
    PetscCall(FgImageRead(from, &info, &map[k]));
  }
  n = FgGridVoxels(&info.grid);
  PetscCall(PetscCalloc1(n, &border));
  for (int axis = 0; axis < 3; stride *= info.grid.dims[axis++]) {
    for (PetscInt v = 0; v + stride < n; v++) {
      const PetscInt w   = v + stride;
      double         dot = 0.0;

      if (v / stride % info.grid.dims[axis] == info.grid.dims[axis] - 1 || map[0][v] == 0.0f || map[0][w] == 0.0f) continue;
      for (PetscInt k = 0; k < 3; k++) dot += (double)map[2][k * n + v] * map[2][k * n + w];
      if (fabsf(map[1][v] - map[1][w]) > 0.03f || fabs(dot) < cos(M_PI / 12.0)) border[v] = border[w] = 1.0f;
    }
  }
  PetscCall(FgImageWrite(path, &info.grid,
                         &(FgImageSpec){.map = "border", .store = FG_STORE_UINT8, .nvolumes = 1, .cal_max = 1.0}, border));
  PetscCall(PetscFree(border));
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(map[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char *argv[])
{
  FitSettings   *settings = calloc(1, sizeof(*settings));
  FgLog          log;
  PetscErrorCode code;
  char           message[FG_MESSAGE_LENGTH];

  if (argc < 4 || !settings || PetscInitializeNoArguments()) return 1;
  FgLogCreate(&log, PETSC_TRUE, PETSC_TRUE, PETSC_FALSE);
  FgOptionsDefaults(&FgCommandFit, settings);
  if (!strcmp(argv[1], "borders")) {
    code = Borders(argv[2], argv[3]);
  } else if (FgOptionsParse(&FgCommandFit, argc - 3, argv + 3, settings, message)) {
    code = Exact(settings, argv[2], &log);
  } else {
    fprintf(stderr, "bench_uncertainty: %s\n", message);
    return 1;
  }
  FgLogDestroy(&log);
  free(settings);
  return PetscFinalize() || code ? 1 : 0;
}
