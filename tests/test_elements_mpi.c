/* test_elements_mpi.c: the operator of trilinear elements against elements integrated by Gauss quadrature as in a textbook,
   its preconditioner against the operator it inverts, and anisotropic conduction against closed forms; on one and on two
   ranks. */
#include "agreed.h"

#include "forward/cell/elements.h"

#include <gsl/gsl_rng.h>
#include <math.h>

static const int voigt[3][3] = {{0, 5, 4}, {5, 1, 3}, {4, 3, 2}};

/* A cell whose phases are given by a function of the global voxel. */
static PetscErrorCode MakeCell(const PetscInt n[3], const double edge[3], PetscInt nphases,
                               PetscInt (*phase)(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k), FgCell *cell)
{
  FgPhaseTable table = {.source = "test"};

  PetscFunctionBegin;
  for (PetscInt p = 0; p < nphases; p++) {
    char name[16];

    PetscCall(PetscSNPrintf(name, sizeof(name), "phase%d", (int)p));
    PetscCall(FgPhaseTableAdd(&table, name, (int)p));
  }
  PetscCall(FgCellCreate(PETSC_COMM_WORLD, n, edge, &table, "test cell", cell));
  PetscCall(FgPhaseTableDestroy(&table));
  for (PetscInt k = 0, at = 0; k < (*cell)->count; k++) {
    for (PetscInt j = 0; j < n[1]; j++) {
      for (PetscInt i = 0; i < n[0]; i++) (*cell)->phase[at++] = (uint16_t)phase(n, i, j, k + (*cell)->start);
    }
  }
  PetscCall(FgCellComplete(*cell));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscInt Mixed(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return (i * 7 + j * 3 + k * 5 + i * j * k) % 4;
}

/* A random symmetric positive definite matrix. */
static void RandomMatrix(gsl_rng *random, int n, double *matrix)
{
  double factor[36];

  for (int i = 0; i < n * n; i++) factor[i] = gsl_rng_uniform(random) - 0.5;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      matrix[n * i + j] = i == j ? 0.3 : 0.0;
      for (int k = 0; k < n; k++) matrix[n * i + j] += factor[n * i + k] * factor[n * j + k];
    }
  }
}

static void IsotropicStiffness(double E, double nu, double C[36])
{
  const double l = E * nu / ((1 + nu) * (1 - 2 * nu)), mu = E / (2 * (1 + nu));

  memset(C, 0, 36 * sizeof *C);
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) C[6 * i + j] = l + (i == j ? 2 * mu : 0);
    C[7 * (i + 3)] = mu;
  }
}

/* Strain (engineering shear) or gradient rows of node a at a point of the brick: B[6 or 3][ncomp], with the volumetric part
   replaced by its mean over the element for three components. */
static void StrainRows(int ncomp, const double h[3], const int corner[3], const double at[3], double *B)
{
  double g[3], mean[3] = {0};

  for (int d = 0; d < 3; d++) {
    g[d] = 2.0 / h[d] * 0.5 * corner[d];
    for (int e = 0; e < 3; e++) g[d] *= e == d ? 1.0 : 0.5 * (1.0 + corner[e] * at[e]);
    mean[d] = 2.0 / h[d] * 0.5 * corner[d] * 0.25;
  }
  if (ncomp == 1) {
    memcpy(B, g, sizeof g);
    return;
  }
  memset(B, 0, 18 * sizeof *B);
  for (int d = 0; d < 3; d++) B[3 * d + d] = g[d];
  B[3 * 3 + 1] = g[2], B[3 * 3 + 2] = g[1];
  B[3 * 4 + 0] = g[2], B[3 * 4 + 2] = g[0];
  B[3 * 5 + 0] = g[1], B[3 * 5 + 1] = g[0];
  for (int c = 0; c < 3; c++) {
    for (int i = 0; i < 3; i++) B[3 * i + c] += (mean[c] - g[c]) / 3.0;
  }
}

/* The whole operator with a macroscopic load by 2 x 2 x 2 Gauss points, of all voxels, on every rank. */
static void Textbook(FgCell cell, const uint16_t *phase, int ncomp, const double *tensors, const double *u, const double *macro,
                     double *r)
{
  const PetscInt *n = cell->n;
  const int       m = ncomp == 1 ? 3 : 6, size = ncomp == 1 ? 6 : 36;

  memset(r, 0, (size_t)(n[0] * n[1] * n[2] * ncomp) * sizeof *r);
  for (PetscInt e = 0; e < n[0] * n[1] * n[2]; e++) {
    const PetscInt place[3] = {e % n[0], e / n[0] % n[1], e / n[0] / n[1]};
    const double  *tensor   = tensors + phase[e] * size;

    for (int q = 0; q < 8; q++) {
      const double at[3] = {(q & 1 ? 1 : -1) / sqrt(3.0), (q & 2 ? 1 : -1) / sqrt(3.0), (q & 4 ? 1 : -1) / sqrt(3.0)};
      double       strain[6], stress[6] = {0}, B[8][18];
      PetscInt     node[8];

      memcpy(strain, macro, (size_t)m * sizeof *strain);
      for (int a = 0; a < 8; a++) {
        const int corner[3] = {a & 1 ? 1 : -1, a & 2 ? 1 : -1, a & 4 ? 1 : -1};

        node[a] = ((place[2] + (a >> 2 & 1)) % n[2] * n[1] + (place[1] + (a >> 1 & 1)) % n[1]) * n[0] +
                  (place[0] + (a & 1)) % n[0];
        StrainRows(ncomp, cell->spacing, corner, at, B[a]);
        for (int i = 0; i < m; i++) {
          for (int c = 0; c < ncomp; c++) strain[i] += B[a][ncomp * i + c] * u[node[a] * ncomp + c];
        }
      }
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < m; j++) stress[i] += (ncomp == 1 ? tensor[voigt[i][j]] : tensor[6 * i + j]) * strain[j];
      }
      for (int a = 0; a < 8; a++) {
        for (int i = 0; i < m; i++) {
          for (int c = 0; c < ncomp; c++) r[node[a] * ncomp + c] += 0.125 * B[a][ncomp * i + c] * stress[i];
        }
      }
    }
  }
}

/* Largest difference from the textbook, relative to its largest value, over random u, load and tensors. */
static double AgainstTextbook(const PetscInt n[3], int ncomp, PetscBool isotropic)
{
  const double   edge[3] = {1.0 * (double)n[0], 0.7 * (double)n[1], 1.6 * (double)n[2]};
  const PetscInt nvoxels = n[0] * n[1] * n[2], size = ncomp == 1 ? 6 : 36;
  gsl_rng       *random = gsl_rng_alloc(gsl_rng_mt19937);
  double         tensors[4 * 36], macro[6], *u, *r, *mine, worst = 0, largest = 0;
  uint16_t      *phase;
  FgCell         cell;
  FgElements     op;

  AgreedSuccess(MakeCell(n, edge, 4, Mixed, &cell));
  u     = malloc((size_t)(nvoxels * ncomp) * sizeof *u);
  r     = malloc((size_t)(nvoxels * ncomp) * sizeof *r);
  mine  = malloc((size_t)(nvoxels * ncomp) * sizeof *mine);
  phase = malloc((size_t)nvoxels * sizeof *phase);
  for (PetscInt p = 0; p < 4; p++) {
    double matrix[36];

    RandomMatrix(random, ncomp == 1 ? 3 : 6, matrix);
    if (isotropic) IsotropicStiffness(1 + (double)p, 0.1 * (double)p, matrix);
    if (ncomp == 3) memcpy(tensors + size * p, matrix, sizeof matrix);
    else
      for (int i = 0; i < 9; i++) tensors[size * p + voigt[i / 3][i % 3]] = matrix[i];
  }
  for (PetscInt i = 0; i < nvoxels * ncomp; i++) u[i] = gsl_rng_uniform(random) - 0.5;
  for (int i = 0; i < 6; i++) macro[i] = gsl_rng_uniform(random) - 0.5;
  for (PetscInt i = 0; i < nvoxels; i++) phase[i] = (uint16_t)Mixed(n, i % n[0], i / n[0] % n[1], i / n[0] / n[1]);
  Textbook(cell, phase, ncomp, tensors, u, macro, r);
  AgreedSuccess(FgElementsCreate(cell, &FgCellDefaults, ncomp, tensors, &op));
  AgreedTrue((op->bricks.lame != NULL) == isotropic);
  AgreedSuccess(FgElementsApply(op, u + cell->start * n[0] * n[1] * ncomp, macro, mine));
  for (PetscInt i = 0; i < nvoxels * ncomp; i++) largest = PetscMax(largest, fabs(r[i]));
  for (PetscInt i = 0; i < cell->nlocal * ncomp; i++)
    worst = PetscMax(worst, fabs(mine[i] - r[cell->start * n[0] * n[1] * ncomp + i]));
  MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD);
  AgreedSuccess(FgElementsDestroy(&op));
  AgreedSuccess(FgCellDestroy(&cell));
  gsl_rng_free(random);
  free(u), free(r), free(mine), free(phase);
  return worst / largest;
}

static void operator_is_the_textbooks(void **state)
{
  static const PetscInt sizes[][3] = {{5, 4, 6}, {3, 2, 2}, {6, 5, 1}, {1, 4, 3}, {7, 1, 4}, {2, 1, 1}, {1, 1, 5}, {70, 2, 3}};

  (void)state;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(sizes); i++) {
    AgreedTrue(AgainstTextbook(sizes[i], 1, PETSC_FALSE) < 1e-13);
    AgreedTrue(AgainstTextbook(sizes[i], 3, PETSC_FALSE) < 1e-13);
    AgreedTrue(AgainstTextbook(sizes[i], 3, PETSC_TRUE) < 1e-13);
  }
}

static PetscInt Uniform(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return 0;
}

/* For one material the preconditioner is the inverse: M^-1 A u = u less its mean. */
static void preconditioner_inverts_one_material(void **state)
{
  static const PetscInt sizes[][3] = {{6, 5, 4}, {8, 8, 8}, {9, 6, 1}, {1, 7, 4}};

  (void)state;
  for (size_t s = 0; s < PETSC_STATIC_ARRAY_LENGTH(sizes); s++) {
    const PetscInt *n       = sizes[s];
    const double    edge[3] = {1e-6 * (double)n[0], 0.7e-6 * (double)n[1], 1.6e-6 * (double)n[2]};

    for (int ncomp = 1; ncomp <= 3; ncomp += 2) {
      double     conductivity[6] = {2.0, 3.0, 4.0, 0.5, -0.7, 0.9}, C[36], macro[6] = {0}, rz, worst = 0, mean[3] = {0};
      gsl_rng   *random = gsl_rng_alloc(gsl_rng_mt19937);
      double    *u, *r;
      FgCell     cell;
      FgElements op;
      FgSpectral spectral;

      IsotropicStiffness(7e9, 0.45, C);
      AgreedSuccess(MakeCell(n, edge, 1, Uniform, &cell));
      AgreedSuccess(FgElementsCreate(cell, &FgCellDefaults, ncomp, ncomp == 1 ? conductivity : C, &op));
      AgreedSuccess(FgSpectralGet(cell, &FgCellDefaults, ncomp, &spectral));
      AgreedSuccess(FgElementsSymbolCreate(cell, &op->all, op->tensors, &op->symbol));
      u = malloc((size_t)(cell->nlocal * ncomp + 1) * sizeof *u);
      r = malloc((size_t)(cell->nlocal * ncomp + 1) * sizeof *r);
      for (PetscInt i = 0; i < n[0] * n[1] * n[2] * ncomp; i++) {
        const double   value = gsl_rng_uniform(random);
        const PetscInt local = i - cell->start * n[0] * n[1] * ncomp;

        mean[i % ncomp] += value / (double)(n[0] * n[1] * n[2]);
        if (local >= 0 && local < cell->nlocal * ncomp) u[local] = value;
      }
      AgreedSuccess(FgElementsApply(op, u, macro, r));
      AgreedSuccess(FgSpectralApply(spectral, FgElementsSymbolRow, &op->symbol, r, r, &rz));
      for (PetscInt i = 0; i < cell->nlocal * ncomp; i++) worst = PetscMax(worst, fabs(r[i] - u[i] + mean[i % ncomp]));
      AgreedTrue(worst < 1e-11);
      AgreedTrue(rz > 0);
      AgreedSuccess(FgSpectralRelease(&FgCellDefaults, &spectral));
      AgreedSuccess(FgElementsDestroy(&op));
      AgreedSuccess(FgCellDestroy(&cell));
      gsl_rng_free(random);
      free(u), free(r);
    }
  }
}

/* --- Anisotropic conduction ------------------------------------------------------------------------------------------------ */

static PetscInt LayersX(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return 4 * i < n[0] ? 0 : 1;
}

static PetscInt LayersY(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return 4 * j < n[1] ? 0 : 1;
}

static PetscInt LayersZ(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return 4 * k < n[2] ? 0 : 1;
}

typedef struct {
  double energy[9], flux[9], sensitivity[4 * 9];
} Conduction;

static PetscErrorCode Conduct(const PetscInt n[3], const double edge[3], PetscInt nphases,
                              PetscInt (*phase)(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k), const double *tensors,
                              double tolerance, Conduction *found)
{
  FgCellSettings settings = FgCellDefaults;
  FgCellReport   report   = {0};
  FgCell         cell;

  PetscFunctionBegin;
  settings.tolerance = tolerance;
  PetscCall(MakeCell(n, edge, nphases, phase, &cell));
  PetscCall(FgElementsConduction(cell, &settings, tensors, "K", found->energy, found->flux, found->sensitivity, &report));
  PetscCall(FgReportDestroy(&report));
  PetscCall(FgCellDestroy(&cell));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Layers normal to axis a of tensors K_1, K_2, fractions 1/4 and 3/4: the normal current and the gradient in the layers are
   continuous. K_aa* = <1/K_aa>^-1, K_at* = K_aa* <K_at/K_aa>,
   K_st* = <K_st - K_sa K_at/K_aa> + K_aa* <K_sa/K_aa> <K_at/K_aa>. */
static void tilted_layers_are_exact(void **state)
{
  static const double tensors[12] = {3.0, 2.0, 1.5, 0.4, -0.8, 1.1, 20.0, 45.0, 8.0, -6.0, 3.0, 9.0};
  PetscInt (*const layers[3])(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k) = {LayersX, LayersY, LayersZ};
  static const PetscInt n[3]                                                           = {8, 12, 4};
  static const double   edge[3] = {1e-3, 2e-3, 1.5e-3}, fraction[2] = {0.25, 0.75};

  (void)state;
  for (int a = 0; a < 3; a++) {
    double     normal = 0, cross[3] = {0}, expected[9] = {0}, worst = 0, euler = 0;
    Conduction found;

    for (int p = 0; p < 2; p++) {
      const double *K = tensors + 6 * p, aa = K[a];

      normal += fraction[p] / aa;
      for (int s = 0; s < 3; s++) {
        cross[s] += fraction[p] * K[voigt[s][a]] / aa;
        for (int t = 0; t < 3; t++) expected[3 * s + t] += fraction[p] * (K[voigt[s][t]] - K[voigt[s][a]] * K[voigt[a][t]] / aa);
      }
    }
    for (int s = 0; s < 3; s++)
      for (int t = 0; t < 3; t++) expected[3 * s + t] += cross[s] * cross[t] / normal;
    AgreedSuccess(Conduct(n, edge, 2, layers[a], tensors, 1e-12, &found));
    for (int i = 0; i < 9; i++) {
      worst = PetscMax(worst, fabs(found.energy[i] - expected[i]));
      worst = PetscMax(worst, fabs(found.flux[i] - expected[i]));
      euler = PetscMax(euler, fabs(found.sensitivity[i] + found.sensitivity[9 + i] - expected[i]));
    }
    AgreedTrue(worst < 1e-10);
    AgreedTrue(euler < 1e-5); /* correctors kept as float */
  }
}

static PetscInt Blocks(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return (2 * i < n[0]) ? (3 * j < n[1] && 2 * k < n[2] ? 1 : 0) : (4 * k < 3 * n[2] && 2 * j < n[1] ? 2 : 0);
}

/* The same cell seen along other axes: x -> y -> z -> x. */
static PetscInt BlocksTurned(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  const PetscInt before[3] = {n[1], n[2], n[0]};

  return Blocks(before, j, k, i);
}

/* Turning a cell and its tensors turns K*, to rounding; shifting it changes nothing. */
static PetscInt BlocksShifted(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  return Blocks(n, (i + 3) % n[0], (j + 1) % n[1], (k + 2) % n[2]);
}

/* ... and so does a rotation by 90 degrees about z: x' = -y, y' = x. */
static PetscInt BlocksRotated(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  const PetscInt before[3] = {n[1], n[0], n[2]};

  return Blocks(before, j, n[0] - 1 - i, k);
}

static PetscInt BlocksTiled(const PetscInt n[3], PetscInt i, PetscInt j, PetscInt k)
{
  const PetscInt before[3] = {n[0] / 2, n[1], n[2] / 2};

  return Blocks(before, i % before[0], j, k % before[2]);
}

static double Difference(const double *a, const double *b, int n)
{
  double worst = 0, largest = 0;

  for (int i = 0; i < n; i++) {
    worst   = PetscMax(worst, fabs(a[i] - b[i]));
    largest = PetscMax(largest, fabs(b[i]));
  }
  return worst / largest;
}

static void conduction_turns_with_the_cell(void **state)
{
  static const double   tensors[18] = {1.0,  2.0, 1.5, 0.4, -0.5, 0.3, 10.0, 7.0,  8.0,
                                       -3.0, 2.0, 1.0, 0.1, 0.3,  0.2, 0.05, 0.02, -0.04};
  static const PetscInt n[3] = {8, 6, 4}, turned_n[3] = {4, 8, 6}, rotated_n[3] = {6, 8, 4}, tiled_n[3] = {16, 6, 8};
  static const double   edge[3] = {8, 9, 5}, turned_edge[3] = {5, 8, 9}, rotated_edge[3] = {9, 8, 5}, tiled_edge[3] = {16, 9, 10};
  double                turned[18], rotated[18], expected[9], scaled[18];
  Conduction            plain, other;

  (void)state;
  AgreedSuccess(Conduct(n, edge, 3, Blocks, tensors, 1e-11, &plain));
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < i; j++) AgreedTrue(plain.energy[3 * i + j] == plain.energy[3 * j + i]);
  AgreedTrue(Difference(plain.flux, plain.energy, 9) < 1e-9);

  AgreedSuccess(Conduct(n, edge, 3, BlocksShifted, tensors, 1e-11, &other));
  AgreedTrue(Difference(other.energy, plain.energy, 9) < 1e-10);

  for (int p = 0; p < 3; p++) {
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) {
        static const double sign[3] = {-1, 1, 1};
        static const int    from[3] = {1, 0, 2}; /* new axis x is -y, new y is x */

        turned[6 * p + voigt[i][j]]  = tensors[6 * p + voigt[(i + 2) % 3][(j + 2) % 3]];
        rotated[6 * p + voigt[i][j]] = sign[i] * sign[j] * tensors[6 * p + voigt[from[i]][from[j]]];
      }
    }
  }
  AgreedSuccess(Conduct(turned_n, turned_edge, 3, BlocksTurned, turned, 1e-11, &other));
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) expected[3 * i + j] = plain.energy[3 * ((i + 2) % 3) + (j + 2) % 3];
  AgreedTrue(Difference(other.energy, expected, 9) < 1e-10);

  AgreedSuccess(Conduct(rotated_n, rotated_edge, 3, BlocksRotated, rotated, 1e-11, &other));
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      static const double sign[3] = {-1, 1, 1};
      static const int    from[3] = {1, 0, 2};

      expected[3 * i + j] = sign[i] * sign[j] * plain.energy[3 * from[i] + from[j]];
    }
  }
  AgreedTrue(Difference(other.energy, expected, 9) < 1e-10);

  AgreedSuccess(Conduct(tiled_n, tiled_edge, 3, BlocksTiled, tensors, 1e-11, &other));
  AgreedTrue(Difference(other.energy, plain.energy, 9) < 1e-10);

  /* Euler, and the derivative to one phase's tensor by a difference. */
  for (int i = 0; i < 9; i++) expected[i] = plain.sensitivity[i] + plain.sensitivity[9 + i] + plain.sensitivity[18 + i];
  AgreedTrue(Difference(expected, plain.energy, 9) < 1e-7);
  for (int i = 0; i < 18; i++) scaled[i] = tensors[i] * (i / 6 == 1 ? 1.0 + 1e-4 : 1.0);
  AgreedSuccess(Conduct(n, edge, 3, Blocks, scaled, 1e-11, &other));
  for (int i = 0; i < 18; i++) scaled[i] = tensors[i] * (i / 6 == 1 ? 1.0 - 1e-4 : 1.0);
  for (int i = 0; i < 9; i++) expected[i] = other.energy[i];
  AgreedSuccess(Conduct(n, edge, 3, Blocks, scaled, 1e-11, &other));
  for (int i = 0; i < 9; i++) expected[i] = (expected[i] - other.energy[i]) / 2e-4;
  AgreedTrue(Difference(plain.sensitivity + 9, expected, 9) < 1e-6);
}

/* A phase that does not conduct: layers of it leave <K - K_a K_a/K_aa> in the layers and nothing across. */
static void impermeable_layers(void **state)
{
  static const double   tensors[12] = {0, 0, 0, 0, 0, 0, 3.0, 2.0, 1.5, 0.4, -0.8, 1.1};
  static const PetscInt n[3]        = {8, 4, 4};
  static const double   edge[3]     = {1, 1, 1};
  Conduction            found;
  double                worst = 0;

  (void)state;
  AgreedSuccess(Conduct(n, edge, 2, LayersX, tensors, 1e-12, &found));
  for (int s = 0; s < 3; s++) {
    for (int t = 0; t < 3; t++) {
      const double expected = 0.75 *
                              (tensors[6 + voigt[s][t]] - tensors[6 + voigt[s][0]] * tensors[6 + voigt[t][0]] / tensors[6]);

      worst = PetscMax(worst, fabs(found.energy[3 * s + t] - expected));
    }
  }
  AgreedTrue(worst < 1e-10);
}

/* The physics sends tensors off the axes to the elements, and says exactly where nothing crosses. */
static void physics_takes_any_tensor(void **state)
{
  static const double   tensors[12] = {0, 0, 0, 0, 0, 0, 3.0, 2.0, 1.5, 0.4, -0.8, 1.1};
  static const PetscInt n[3]        = {8, 4, 4};
  static const double   edge[3]     = {1, 1, 1};
  FgCellReport          report      = {0};
  FgCell                cell;
  const double         *K;

  (void)state;
  AgreedSuccess(MakeCell(n, edge, 2, LayersX, &cell));
  for (PetscInt p = 0; p < 2; p++) AgreedSuccess(FgPhaseTableSet(&cell->table, p, "conductivity", 6, tensors + 6 * p));
  AgreedSuccess(FgPhysicsFind("conduction")->solve(cell, &FgCellDefaults, &report));
  K = FgReportFind(&report, "K")->value;
  for (int i = 0; i < 3; i++) AgreedTrue(K[i] == 0 && K[3 * i] == 0);
  AgreedTrue(fabs(K[4] - 0.75 * (2.0 - 1.1 * 1.1 / 3.0)) < 1e-7);
  AgreedTrue(fabs(K[5] - 0.75 * (0.4 + 0.8 * 1.1 / 3.0)) < 1e-7);
  AgreedTrue(fabs(FgReportFind(&report, "dK_dln_phase1")->value[4] - K[4]) < 1e-6);
  AgreedTrue(report.bytes <= FgPhysicsFind("conduction")->bytes_per_voxel(cell, &FgCellDefaults) * 8. * 4. * 4. + 20000.);
  AgreedSuccess(FgReportDestroy(&report));
  AgreedSuccess(FgCellDestroy(&cell));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(operator_is_the_textbooks), cmocka_unit_test(preconditioner_inverts_one_material),
      cmocka_unit_test(tilted_layers_are_exact),   cmocka_unit_test(conduction_turns_with_the_cell),
      cmocka_unit_test(impermeable_layers),        cmocka_unit_test(physics_takes_any_tensor),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed ? 1 : 0;
}
