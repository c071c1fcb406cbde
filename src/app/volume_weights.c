/* volume_weights.c: a robust fit gives every sample a weight of 0 to 1; a volume spoiled by motion shows in the mean of its weights.

   Under Gaussian noise the mean is known (robust.h: 0.960 at the usual threshold), a little more because the fit follows the data. Real
   data weigh less, and how much less depends on the b-value (fluid that pulsates is bright without weighting). So a volume is compared
   with those of its own shell: it is conspicuous if its mean weight is below that of Gaussian noise and lies more than four robust
   standard deviations (1.4826 times the median absolute deviation of the shell and of all volumes, but no less than chance gives) below
   the median of its shell. Shells of one or two volumes are compared with all weighted volumes; one or two b0 volumes with nothing. */
#include "volume_weights.h"
#include "record.h"

#include "finegrain/robust.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int CompareDoubles(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Number of the shell of each volume, 0: b0; weighted volumes are of one shell where no gap parts their b-values. sorted[n]: work. */
static void FindShells(const FgGradients *gradients, PetscInt n, double *sorted, PetscInt *shell)
{
  const double gap = 80.0; /* [s/mm^2] */

  memcpy(sorted, gradients->b, (size_t)n * sizeof(double));
  qsort(sorted, (size_t)n, sizeof(double), CompareDoubles);
  for (PetscInt k = 0; k < n; k++) {
    shell[k] = gradients->b[k] > gradients->b0_threshold ? 1 : 0;
    for (PetscInt j = 1; j < n && sorted[j] <= gradients->b[k]; j++) {
      if (sorted[j - 1] > gradients->b0_threshold && sorted[j] - sorted[j - 1] > gap) shell[k]++;
    }
  }
}

/* Median of the finite values among the volumes that volume k is compared with; k < 0: of all. NaN: none. work[n]. */
static double Median(PetscInt n, const double *values, const PetscInt *shell, PetscInt k, double *work)
{
  PetscInt own   = 0;
  size_t   found = 0;

  for (PetscInt j = 0; k >= 0 && j < n; j++) own += shell[j] == shell[k];
  for (PetscInt j = 0; j < n; j++) {
    const PetscBool same = k < 0 || shell[j] == shell[k] || (own < 3 && shell[k] && shell[j]) ? PETSC_TRUE : PETSC_FALSE;

    if (same && isfinite(values[j])) work[found++] = values[j];
  }
  if (!found || (k >= 0 && own < 3 && !shell[k])) return NAN;
  qsort(work, found, sizeof *work, CompareDoubles);
  return 0.5 * (work[(found - 1) / 2] + work[found / 2]);
}

/* Mean weight and number of samples of each volume over all ranks. */
static PetscErrorCode SumWeights(const FgPipeline *p, PetscInt n, double *mean, double *count)
{
  const FgProblem    problem = p->problem;
  const PetscScalar *m;
  double            *residuals;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, &residuals));
  PetscCall(VecGetArrayRead(p->field->m, &m));
  for (PetscInt i = 0; i < p->domain->nlocal; i++) {
    if (p->measurement.status[i] & FG_STATUS_NOT_FITTED) continue;
    FgModelSiteResiduals(p->model, &problem->data, i, &m[i * (size_t)p->field->ncomponents],
                         p->field->frames ? &p->field->frames[9 * (size_t)i] : NULL, residuals);
    for (PetscInt k = 0; k < n; k++) {
      if (isnan(residuals[k])) continue;
      mean[k] += FgHuberWeight(residuals[k], problem->data.huber);
      count[k] += 1.0;
    }
  }
  PetscCall(VecRestoreArrayRead(p->field->m, &m));
  PetscCall(PetscFree(residuals));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, mean, (int)n, MPI_DOUBLE, MPI_SUM, p->measurement.comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, count, (int)n, MPI_DOUBLE, MPI_SUM, p->measurement.comm));
  for (PetscInt k = 0; k < n; k++) mean[k] = count[k] > 0.0 ? mean[k] / count[k] : NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgVolumeWeightsCreate(const FgPipeline *p, FgVolumeWeights *w)
{
  const double   conspicuous = -4.0, sigmas = 1.4826; /* standard deviations in a median absolute deviation */
  const PetscInt n = p->measurement.ndata;
  FgHuberMoments moments;
  double        *count, *work, *distance, common;
  PetscInt      *shell;

  PetscFunctionBegin;
  memset(w, 0, sizeof(*w));
  if (!(p->problem->data.huber > 0.0) || !p->measurement.gradients.n) PetscFunctionReturn(PETSC_SUCCESS);
  moments     = FgHuberExpect(p->problem->data.huber);
  w->n        = n;
  w->expected = moments.weight;
  PetscCall(PetscCalloc3(n, &w->weight, n, &w->z, n, &w->low));
  PetscCall(PetscCalloc4(n, &count, n, &work, n, &distance, n, &shell));
  PetscCall(SumWeights(p, n, w->weight, count));
  FindShells(&p->measurement.gradients, n, work, shell);
  for (PetscInt k = 0; k < n; k++) {
    w->z[k]     = w->weight[k] - Median(n, w->weight, shell, k, work);
    distance[k] = fabs(w->z[k]);
  }
  common = Median(n, distance, shell, -1, work);
  for (PetscInt k = 0; k < n; k++) {
    const double chance = sqrt(moments.weight_variance / PetscMax(1.0, count[k]));

    w->z[k] /= PetscMax(sigmas * PetscMax(common, Median(n, distance, shell, k, work)), PetscMax(chance, 1e-6));
    if (w->z[k] < conspicuous && w->weight[k] < w->expected) w->low[w->nlow++] = k;
  }
  PetscCall(PetscFree4(count, work, distance, shell));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgVolumeWeightsDestroy(FgVolumeWeights *w)
{
  PetscFunctionBegin;
  PetscCall(PetscFree3(w->weight, w->z, w->low));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FgVolumeWeightsPrint(const FgVolumeWeights *w, const FgPipeline *p, FgLog *log)
{
  enum { SHOWN = 6 };
  char   list[512] = "";
  size_t used      = 0;

  if (!w->n) return;
  for (PetscInt k = 0; k < PetscMin(w->nlow, SHOWN); k++) {
    const PetscInt v       = w->low[k];
    const int      written = snprintf(list + used, sizeof(list) - used, "%s %d (b %.0f, %.2f)", k ? "," : "", (int)v,
                                      p->measurement.gradients.b[v], w->weight[v]);

    used = PetscMin(used + (size_t)PetscMax(0, written), sizeof(list) - 1);
  }
  FgLogResult(log, "robust   %d of %d volumes weigh conspicuously less than others of their shell (noise: %.2f)%s%s%s",
              (int)w->nlow, (int)w->n, w->expected, w->nlow ? ", counted from 0:" : "", list, w->nlow > SHOWN ? ", ..." : "");
}

void FgVolumeWeightsJson(const FgVolumeWeights *w, const FgPipeline *p, json_t *root)
{
  json_t *all, *low;

  if (!w->n) return;
  all = json_array();
  low = json_array();
  for (PetscInt k = 0; k < w->n; k++) json_array_append_new(all, FgJsonNumber(w->weight[k]));
  for (PetscInt k = 0; k < w->nlow; k++) {
    const PetscInt v = w->low[k];

    json_array_append_new(low, json_pack("{s:i, s:f, s:f, s:f}", "index", (int)v, "b", p->measurement.gradients.b[v],
                                         "mean_weight", w->weight[v], "z", w->z[v]));
  }
  json_object_set_new(root, "robust",
                      json_pack("{s:s, s:f, s:f, s:o}", "estimator", "huber", "threshold", p->problem->data.huber,
                                "expected_mean_weight", w->expected, "mean_weights", all));
  json_object_set_new(root, "downweighted_volumes", low);
}
