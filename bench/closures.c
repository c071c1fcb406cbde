/* closures.c (bench): which closure, orientation model and constants describe real volumes? Fits every combination pointwise
   and prints a Markdown table, best first: docs/closures.md comes from bench/closures.sh, which calls this.

     closures EVERY DWI[:MASK]...      EVERY: take every EVERY-th masked voxel

   The noise level of each volume is estimated from the residuals of its free tensor fit, whose median reduced chi-squared is
   therefore near 1 by construction: the others are to be read against it. */
#include "finegrain/measurement.h"
#include "finegrain/noise.h"
#include "finegrain/problem.h"
#include "finegrain/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOLUMES = 4, ROWS = 2048 };

typedef struct {
  FgMeasurement  m;
  FgDomain       domain;
  PetscInt       n;
  float         *values, *sigma;
  unsigned char *white; /* free tensor: FA > 0.35 and not implausible */
  double         signal, free_chi2, free_white_chi2;
} Volume;

typedef struct {
  FgPhases    phases;
  const char *closure, *orientation;
  double      chi2[VOLUMES], white_chi2[VOLUMES], bound[VOLUMES], porosity[VOLUMES], kappa[VOLUMES], score;
} Row;

static int CompareFloats(const void *a, const void *b)
{
  const float x = *(const float *)a, y = *(const float *)b;

  return (x > y) - (x < y);
}

static double Median(float *values, PetscInt n)
{
  qsort(values, (size_t)n, sizeof *values, CompareFloats);
  return n ? values[n / 2] : NAN;
}

/* Pointwise fit of one model; m[n][ncomponents] and chi2, samples of each voxel. */
static PetscErrorCode Fit(Volume *v, const char *name, const FgTissue *tissue, PetscInt *ncomponents, double **m, float *chi2,
                          short *samples)
{
  const FgPointwiseOptions options = {.max_iterations = 50, .tolerance = 1e-4};
  FgData                   data    = {.nlocal = v->n, .ndata = v->m.ndata, .values = v->values, .sigma = v->sigma};
  FgModel                  model;
  FgField                  field;
  FgProblem                problem;
  unsigned char           *status;
  const PetscScalar       *array;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(v->n, &status));
  PetscCall(FgModelCreate(PETSC_COMM_SELF, name, tissue, &model));
  PetscCall(FgModelSetGradients(model, &v->m.gradients, v->signal));
  PetscCall(FgModelSetup(model));
  PetscCall(FgFieldCreate(v->domain, model->ncomponents, model->components, &field));
  PetscCall(FgModelSetField(model, field));
  PetscCall(FgProblemCreate(model, field, &data, status, &problem));
  PetscCall(FgSolvePointwise(problem, &options, PETSC_FALSE, NULL, chi2, samples));
  *ncomponents = model->ncomponents;
  PetscCall(PetscMalloc1((size_t)v->n * model->ncomponents, m));
  PetscCall(VecGetArrayRead(field->m, &array));
  PetscCall(PetscArraycpy(*m, array, (size_t)v->n * model->ncomponents));
  PetscCall(VecRestoreArrayRead(field->m, &array));
  PetscCall(FgProblemDestroy(&problem));
  PetscCall(FgFieldDestroy(&field));
  PetscCall(FgModelDestroy(&model));
  PetscCall(PetscFree(status));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Fractional anisotropy from the invariants of (xx, yy, zz, xy, xz, yz). */
static double Anisotropy(const double D[6])
{
  const double mean = (D[0] + D[1] + D[2]) / 3.0, cross = 2.0 * (D[3] * D[3] + D[4] * D[4] + D[5] * D[5]);
  double       deviation = cross, square = cross;

  for (int i = 0; i < 3; i++) {
    deviation += (D[i] - mean) * (D[i] - mean);
    square += D[i] * D[i];
  }
  return sqrt(1.5 * deviation / square);
}

static PetscErrorCode ReadVolume(const char *argument, PetscInt every, Volume *v)
{
  FgMeasurementFiles files = {.dwi = ""};
  const char        *colon = strchr(argument, ':');
  PetscInt          *voxel, ncomponents, nwhite = 0;
  float             *chi2, *white_chi2;
  short             *samples;
  double            *m, sigma;
  const FgTissue     none = {.closure = FgClosures[0]};

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(files.dwi, argument, colon ? (size_t)(colon - argument + 1) : sizeof files.dwi));
  if (colon) PetscCall(PetscStrncpy(files.mask, colon + 1, sizeof files.mask));
  PetscCall(FgMeasurementFind(&files));
  PetscCall(FgMeasurementReadDwi(PETSC_COMM_SELF, &files, 50.0, &v->m));
  v->n = v->m.nmask / every;
  PetscCall(PetscMalloc1(v->n, &voxel));
  PetscCall(PetscMalloc3(v->n, &v->sigma, v->n, &chi2, v->n, &samples));
  PetscCall(PetscMalloc2((size_t)v->n * v->m.ndata, &v->values, v->n, &v->white));
  for (PetscInt i = 0; i < v->n; i++) {
    voxel[i]    = v->m.voxel[i * every];
    v->sigma[i] = 1.0f;
    PetscCall(PetscArraycpy(&v->values[(size_t)i * v->m.ndata], &v->m.data[(size_t)i * every * v->m.ndata], v->m.ndata));
  }
  PetscCall(FgDomainCreateVoxels(PETSC_COMM_SELF, v->m.grid.dims, v->m.grid.spacing, v->n, voxel, &v->domain));
  PetscCall(PetscFree(voxel));
  v->signal = 1000.0;
  PetscCall(Fit(v, "dti", &none, &ncomponents, &m, chi2, samples));
  PetscCall(FgNoiseFromResiduals(PETSC_COMM_SELF, v->n, chi2, samples, ncomponents, &sigma));
  for (PetscInt i = 0; i < v->n; i++) {
    const double *D = &m[i * ncomponents], FA = Anisotropy(D), MD = (D[0] + D[1] + D[2]) / 3.0;

    v->sigma[i] = (float)sigma;
    chi2[i] /= (float)(sigma * sigma * PetscMax(samples[i] - ncomponents, 1));
    v->white[i] = samples[i] > ncomponents && FA > 0.35 && FA < 1.0 && MD > 0.4 && MD < 1.2;
  }
  PetscCall(PetscMalloc1(v->n, &white_chi2));
  for (PetscInt i = 0; i < v->n; i++)
    if (v->white[i]) white_chi2[nwhite++] = chi2[i];
  v->free_white_chi2 = Median(white_chi2, nwhite);
  v->free_chi2       = Median(chi2, v->n);
  PetscCall(PetscFree(white_chi2));
  fprintf(stderr, "%s: %d voxels, sigma %g\n", files.dwi, (int)v->n, sigma);
  PetscCall(PetscFree(m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Measure(Volume *v, const FgTissue *tissue, int volume, Row *row)
{
  double      *m;
  float       *chi2, *white_chi2, *porosity, *kappa;
  short       *samples;
  PetscInt     nc, n = 0, nwhite = 0, bound = 0;
  const double lower = fmax(tissue->porosity_lower, 1.0 - tissue->closure->fiber_fraction_max), upper = tissue->porosity_upper;

  PetscFunctionBegin;
  PetscCall(PetscMalloc5(v->n, &chi2, v->n, &white_chi2, v->n, &porosity, v->n, &kappa, v->n, &samples));
  PetscCall(Fit(v, "dwi", tissue, &nc, &m, chi2, samples));
  for (PetscInt i = 0; i < v->n; i++) {
    const double *p = &m[i * nc];

    if (!isfinite(chi2[i]) || samples[i] <= nc) continue;
    chi2[n] = chi2[i] / (float)(samples[i] - nc);
    if (p[0] < lower + 1e-4 || p[0] > upper - 1e-4) bound++;
    if (v->white[i]) {
      white_chi2[nwhite] = chi2[n];
      porosity[nwhite]   = (float)p[0];
      kappa[nwhite++]    = tissue->orientation == FG_ALIGNED ? 1.0f : (float)p[1];
    }
    n++;
  }
  row->bound[volume]      = 100.0 * (double)bound / (double)n;
  row->chi2[volume]       = Median(chi2, n);
  row->white_chi2[volume] = Median(white_chi2, nwhite);
  row->porosity[volume]   = Median(porosity, nwhite);
  row->kappa[volume]      = Median(kappa, nwhite);
  PetscCall(PetscFree(m));
  PetscCall(PetscFree5(chi2, white_chi2, porosity, kappa, samples));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static int CompareRows(const void *a, const void *b)
{
  const Row *x = a, *y = b;

  return (x->score > y->score) - (x->score < y->score);
}

/* Constants [mm^2/s]. Matrix: free water at body temperature (3.0e-3) or somewhat less. Fibers: permeable to water along their
   axis only, or nearly so, with axial diffusivities from 1.0e-3 to the 2.25e-3 measured inside axons; and, for comparison, the
   isotropic slow fibers that the chapter's idealisation needs. Fiber water: visible in full, by half, or not at all. */
static PetscInt Grid(FgPhases grid[])
{
  static const double fiber[][2] = {{0.1e-3, 0.1e-3}, {0.2e-3, 0.2e-3}, {1.0e-3, 0.0},    {1.25e-3, 0.0},  {1.5e-3, 0.0},
                                    {1.7e-3, 0.0},    {2.25e-3, 0.0},   {1.0e-3, 0.1e-3}, {1.5e-3, 0.1e-3}};
  static const double matrix[] = {2.5e-3, 3.0e-3}, alone[] = {1.0e-3, 1.5e-3, 2.0e-3, 3.0e-3};
  PetscInt            n = 0;

  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 9; j++) {
      grid[n++] = (FgPhases){matrix[i], fiber[j][0], fiber[j][1], 1.0, PETSC_FALSE}; /* effective and apparent are the same */
      grid[n++] = (FgPhases){matrix[i], fiber[j][0], fiber[j][1], 0.5, PETSC_TRUE};
    }
  for (int i = 0; i < 4; i++) grid[n++] = (FgPhases){alone[i], 0.0, 0.0, 0.0, PETSC_TRUE}; /* matrix water alone is visible */
  return n;
}

static void PrintHead(const char *title)
{
  printf("\n%s\n\n| closure | orientation | D_e | D_f axial, radial | storage | median reduced chi2 | in white matter | porosity "
         "at a "
         "bound [%%] | median porosity, white matter | median kappa, white matter |\n|---|---|---|---|---|---|---|---|---|---|\n",
         title);
}

static void PrintRow(const Row *row, int nvolumes)
{
  printf("| %s | %s | %g | %g, %g | %g", row->closure, row->orientation, 1e3 * row->phases.matrix, 1e3 * row->phases.fiber_axial,
         1e3 * row->phases.fiber_radial, row->phases.fiber_storage);
  for (int i = 0; i < nvolumes; i++) printf("%s%.3f", i ? " / " : " | ", row->chi2[i]);
  for (int i = 0; i < nvolumes; i++) printf("%s%.3f", i ? " / " : " | ", row->white_chi2[i]);
  for (int i = 0; i < nvolumes; i++) printf("%s%.1f", i ? " / " : " | ", row->bound[i]);
  for (int i = 0; i < nvolumes; i++) printf("%s%.2f", i ? " / " : " | ", row->porosity[i]);
  for (int i = 0; i < nvolumes; i++) printf("%s%.2f", i ? " / " : " | ", row->kappa[i]);
  printf(" |\n");
}

int main(int argc, char **argv)
{
  static Volume   volumes[VOLUMES];
  static Row      rows[ROWS];
  static FgPhases grid[256];
  PetscInt        nrows = 0, ngrid, every;
  int             nvolumes;

  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCheck(argc >= 3 && argc - 2 <= VOLUMES, PETSC_COMM_SELF, PETSC_ERR_USER,
             "usage: closures EVERY DWI[:MASK]... (at most %d)", VOLUMES);
  every    = atoi(argv[1]);
  nvolumes = argc - 2;
  PetscCheck(every > 0, PETSC_COMM_SELF, PETSC_ERR_USER, "EVERY is '%s', expected a positive number", argv[1]);
  for (int i = 0; i < nvolumes; i++) PetscCall(ReadVolume(argv[2 + i], every, &volumes[i]));
  ngrid = Grid(grid);
  for (int c = 0; FgClosures[c]; c++) {
    for (int o = 0; FgOrientations[o]; o++) {
      for (PetscInt g = 0; g < ngrid; g++) {
        const FgTissue tissue = {FgClosures[c], grid[g], (FgOrientation)o, 0.0, 1.0};
        Row           *row    = &rows[nrows++];

        *row = (Row){.phases = grid[g], .closure = FgClosures[c]->name, .orientation = FgOrientations[o]};
        for (int i = 0; i < nvolumes; i++) {
          PetscCall(Measure(&volumes[i], &tissue, i, row));
          row->score += log(row->chi2[i]) / nvolumes;
        }
      }
      fprintf(stderr, "%s %s\n", FgClosures[c]->name, FgOrientations[o]);
    }
  }
  qsort(rows, (size_t)nrows, sizeof *rows, CompareRows);
  printf("Free tensor: median reduced chi2");
  for (int i = 0; i < nvolumes; i++) printf("%s %.3f", i ? " /" : "", volumes[i].free_chi2);
  printf(", in white matter");
  for (int i = 0; i < nvolumes; i++) printf("%s %.3f", i ? " /" : "", volumes[i].free_white_chi2);
  printf(".\n");
  PrintHead("Best constants of each closure and orientation model:");
  for (int c = 0; FgClosures[c]; c++) {
    for (int o = 0; FgOrientations[o]; o++) {
      PetscInt r = 0;

      while (strcmp(rows[r].closure, FgClosures[c]->name) || strcmp(rows[r].orientation, FgOrientations[o])) r++;
      PrintRow(&rows[r], nvolumes);
    }
  }
  PrintHead("All combinations, best first:");
  for (PetscInt r = 0; r < nrows; r++) PrintRow(&rows[r], nvolumes);
  return PetscFinalize();
}
