/* elasticity.c: physics `elasticity`: effective stiffness of phases of any anisotropy.

     div( C(y) : (E_J + eps(u_J)) ) = 0,   C*_IJ = < (E_I + eps(u_I)) : C : (E_J + eps(u_J)) >
   for the six macroscopic strains E_J, u_J periodic. For any cell <C^-1>^-1 <= C* <= <C> in the sense of energies (Reuss,
   Voigt); the elements keep both bounds exactly, because their strains average to E_J. For an isotropic mixture of isotropic
   phases, with bulk moduli K_i and shear moduli G_i,
     bulk  between (sum f_i/(K_i + 4/3 G))^-1 - 4/3 G for the least and the greatest G_i,
     shear between (sum f_i/(G_i + z))^-1 - z, z = G (9 K + 8 G)/(6 (K + 2 G)) for the least and the greatest K_i, G_i
   (Hashin and Shtrikman 1963; Walpole 1966). Source: docs/physics/elasticity.md. */
#include "elastic.h"
#include "cache.h"

#include <math.h>
#include <string.h>

enum { PHASES_WITH_DERIVATIVES = 8 };

const double *FgPhaseGiven(FgCell cell, PetscInt phase, const char *property)
{
  const FgPhase *given = &cell->table.phases[phase];

  for (PetscInt i = 0; i < given->nproperties; i++) {
    if (!strcmp(given->properties[i].info->name, property)) return given->properties[i].value;
  }
  return NULL;
}

/* Stiffness of every phase that occurs, [nphases][36]. */
static PetscErrorCode ReadStiffness(FgCell cell, double **stiffness)
{
  static const char *const names[2] = {"youngs-modulus", "poissons-ratio"};
  PetscBool                stiff    = PETSC_FALSE;

  PetscFunctionBegin;
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const FgPhase *phase = &cell->table.phases[p];
    const double  *full  = FgPhaseGiven(cell, p, "stiffness"), *moduli[2];

    for (int i = 0; i < 2; i++) {
      moduli[i] = FgPhaseGiven(cell, p, names[i]);
      PetscCheck(!full || !moduli[i], PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: phase '%s' (label %d) has both 'stiffness' and '%s'; expected one of them", cell->table.source, phase->name,
                 phase->label, names[i]);
    }
    for (int i = 0; i < 2; i++)
      PetscCheck(full || moduli[i] || cell->fraction[p] == 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: phase '%s' (label %d) has no '%s' [%s]; expected 'youngs-modulus' and 'poissons-ratio', or 'stiffness'",
                 cell->table.source, phase->name, phase->label, names[i], FgPropertyFind(names[i])->unit);
  }
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const double *E = FgPhaseGiven(cell, p, names[0]);

    if (cell->fraction[p] > 0 && (!E || *E > 0)) stiff = PETSC_TRUE;
  }
  PetscCheck(stiff, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: every phase is void: 'youngs-modulus' is 0 throughout [Pa]",
             cell->table.source);
  PetscCall(PetscCalloc1(cell->table.nphases * 36, stiffness));
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    const double *full = FgPhaseGiven(cell, p, "stiffness"), *E = FgPhaseGiven(cell, p, names[0]),
                 *nu = FgPhaseGiven(cell, p, names[1]);

    if (full) PetscCall(PetscArraycpy(*stiffness + 36 * p, full, 36));
    else if (E && nu) FgStiffnessIsotropic(*E, *nu, *stiffness + 36 * p);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Solved cells that the cache keeps ---------------------------------------------------------------------------------- */

struct FgElasticKept_ {
  uint64_t         key;
  PetscInt         nphases, nsolves;
  FgElementsResult result;
  FgCellSolve      solves[6];
  double           bytes;
};

PetscErrorCode FgElasticKeptDestroy(struct FgElasticKept_ **kept)
{
  PetscFunctionBegin;
  if (!*kept) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgElementsResultDestroy(&(*kept)->result));
  PetscCall(PetscFree(*kept));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Fowler-Noll-Vo, 64 bits. */
static uint64_t Hash(uint64_t hash, const void *data, size_t size)
{
  const unsigned char *byte = data;

  for (size_t i = 0; i < size; i++) hash = (hash ^ byte[i]) * 1099511628211ULL;
  return hash;
}

static uint64_t Key(FgCell cell, const FgCellSettings *settings, const double *stiffness)
{
  uint64_t hash = 14695981039346656037ULL;

  hash = Hash(hash, cell->n, sizeof(cell->n));
  hash = Hash(hash, cell->edge, sizeof(cell->edge));
  hash = Hash(hash, stiffness, (size_t)cell->table.nphases * 36 * sizeof(*stiffness));
  hash = Hash(hash, &settings->tolerance, sizeof(settings->tolerance));
  return Hash(hash, cell->phase, (size_t)cell->nlocal * sizeof(*cell->phase));
}

static PetscErrorCode CopyResult(PetscInt nphases, const FgElementsResult *from, FgElementsResult *to)
{
  PetscFunctionBegin;
  *to = *from;
  PetscCall(PetscMalloc1(nphases * 36, &to->mean));
  PetscCall(PetscArraycpy(to->mean, from->mean, nphases * 36));
  if (from->sensitivity) {
    PetscCall(PetscMalloc1(nphases * 36, &to->sensitivity));
    PetscCall(PetscArraycpy(to->sensitivity, from->sensitivity, nphases * 36));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Takes the result from the cache where all ranks find it there. */
static PetscErrorCode Recall(FgCell cell, const FgCellSettings *settings, uint64_t key, FgElementsResult *result,
                             FgCellReport *report, PetscBool *found)
{
  const struct FgElasticKept_ *kept = settings->cache ? settings->cache->elastic : NULL;
  int                          all  = kept && kept->key == key && !settings->keep_fields;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, cell->comm));
  *found = all ? PETSC_TRUE : PETSC_FALSE;
  if (!all) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CopyResult(kept->nphases, &kept->result, result));
  for (PetscInt i = 0; i < kept->nsolves; i++) PetscCall(FgReportSolve(report, &kept->solves[i]));
  report->bytes = PetscMax(report->bytes, kept->bytes);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Keep(FgCell cell, const FgCellSettings *settings, uint64_t key, const FgElementsResult *result,
                           const FgCellReport *report)
{
  struct FgElasticKept_ *kept;

  PetscFunctionBegin;
  if (!settings->cache) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FgElasticKeptDestroy(&settings->cache->elastic));
  PetscCall(PetscNew(&kept));
  kept->key     = key;
  kept->nphases = cell->table.nphases;
  kept->nsolves = 6;
  kept->bytes   = report->bytes;
  PetscCall(CopyResult(cell->table.nphases, result, &kept->result));
  PetscCall(PetscArraycpy(kept->solves, report->solves + report->nsolves - 6, 6));
  settings->cache->elastic = kept;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElasticSolve(FgCell cell, const FgCellSettings *settings, FgElastic *elastic, FgCellReport *report)
{
  PetscInt       present = 0;
  PetscBool      found;
  uint64_t       key;
  FgElements     op;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCheck(settings->solver != FG_CELL_SOLVER_ALGEBRAIC, PETSC_COMM_SELF, PETSC_ERR_USER,
             "elasticity has no algebraic solver; expected --solver auto or spectral");
  PetscCall(ReadStiffness(cell, &elastic->stiffness));
  key = Key(cell, settings, elastic->stiffness);
  PetscCall(Recall(cell, settings, key, &elastic->result, report, &found));
  if (found) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt p = 0; p < cell->table.nphases; p++) present += cell->fraction[p] > 0;
  PetscCall(FgElementsCreate(cell, settings, 3, elastic->stiffness, &op));
  code = FgElementsCases(op, "C", present <= PHASES_WITH_DERIVATIVES ? PETSC_TRUE : PETSC_FALSE, &elastic->result, report);
  PetscCall(FgElementsDestroy(&op));
  if (code) PetscCall(FgElasticDestroy(elastic));
  PetscCall(code);
  PetscCall(Keep(cell, settings, key, &elastic->result, report));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElasticDestroy(FgElastic *elastic)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(elastic->stiffness));
  PetscCall(FgElementsResultDestroy(&elastic->result));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* --- Report --------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode Detail(FgCellReport *report, const char *name, const char *unit, PetscInt rows, PetscInt columns,
                             const double *value, const char *summary)
{
  FgEffective *item;

  PetscFunctionBegin;
  PetscCall(FgReportEffective(report, name, unit, rows, columns, value, summary, &item));
  item->detail = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double Largest(const double *C)
{
  double largest = 0;

  for (int i = 0; i < 36; i++) largest = PetscMax(largest, fabs(C[i]));
  return largest;
}

/* Voigt and Reuss, and a word where C is not between them: then the solve was too loose. */
static PetscErrorCode ReportBounds(FgCell cell, const FgElastic *elastic, FgCellReport *report)
{
  double    voigt[36] = {0}, compliance[36] = {0}, reuss[36] = {0}, gap[2], largest;
  PetscBool yields = PETSC_FALSE;

  PetscFunctionBegin;
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    double inverse[36];

    if (cell->fraction[p] == 0) continue;
    if (!FgStiffnessInvert(elastic->stiffness + 36 * p, inverse)) yields = PETSC_TRUE;
    for (int i = 0; i < 36; i++) {
      voigt[i] += cell->fraction[p] * elastic->stiffness[36 * p + i];
      compliance[i] += cell->fraction[p] * inverse[i];
    }
  }
  if (!yields) FgStiffnessInvert(compliance, reuss);
  PetscCall(Detail(report, "C_voigt", "Pa", 6, 6, voigt, "upper bound: arithmetic mean of the phases"));
  PetscCall(Detail(report, "C_reuss", "Pa", 6, 6, reuss, "lower bound: harmonic mean of the phases"));
  PetscCall(FgStiffnessGap(voigt, elastic->result.energy, &gap[0]));
  PetscCall(FgStiffnessGap(elastic->result.energy, reuss, &gap[1]));
  largest = Largest(voigt);
  if (PetscMin(gap[0], gap[1]) < -1e-6 * largest)
    PetscCall(FgReportNote(report, "C is outside of its Voigt and Reuss bounds by %.1e of the stiffest mean: lower --tolerance",
                           -PetscMin(gap[0], gap[1]) / largest));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Hashin and Shtrikman's bounds for isotropic mixtures in three dimensions. */
static PetscErrorCode ReportHashinShtrikman(FgCell cell, const FgElastic *elastic, FgCellReport *report)
{
  const PetscBool flat          = cell->n[0] == 1 || cell->n[1] == 1 || cell->n[2] == 1 ? PETSC_TRUE : PETSC_FALSE;
  double          extreme[2][2] = {{PETSC_MAX_REAL, PETSC_MAX_REAL}, {0, 0}}, bulk[2], shear[2], K, G;
  FgEffective    *item;
  PetscInt        present = 0;

  PetscFunctionBegin;
  FgStiffnessModuli(elastic->result.energy, &K, &G);
  PetscCall(FgReportEffective(report, "C_bulk", "Pa", 1, 1, &K, "bulk modulus of the isotropic stiffness nearest to C", &item));
  item->detail = flat;
  PetscCall(FgReportEffective(report, "C_shear", "Pa", 1, 1, &G, "shear modulus of the isotropic stiffness nearest to C", &item));
  item->detail = flat;
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    if (cell->fraction[p] == 0) continue;
    if (!FgStiffnessIsIsotropic(elastic->stiffness + 36 * p)) PetscFunctionReturn(PETSC_SUCCESS);
    FgStiffnessModuli(elastic->stiffness + 36 * p, &K, &G);
    extreme[0][0] = PetscMin(extreme[0][0], K);
    extreme[0][1] = PetscMin(extreme[0][1], G);
    extreme[1][0] = PetscMax(extreme[1][0], K);
    extreme[1][1] = PetscMax(extreme[1][1], G);
    present++;
  }
  if (present < 2 || flat) PetscFunctionReturn(PETSC_SUCCESS);
  for (int i = 0; i < 2; i++) {
    const double k = extreme[i][0], g = extreme[i][1], z = g > 0 ? g * (9.0 * k + 8.0 * g) / (6.0 * (k + 2.0 * g)) : 0.0;
    double       sums[2] = {0, 0};

    for (PetscInt p = 0; p < cell->table.nphases; p++) {
      if (cell->fraction[p] == 0) continue;
      FgStiffnessModuli(elastic->stiffness + 36 * p, &K, &G);
      sums[0] += cell->fraction[p] / (K + 4.0 / 3.0 * g);
      sums[1] += cell->fraction[p] / (G + z);
    }
    bulk[i]  = 1.0 / sums[0] - 4.0 / 3.0 * g;
    shear[i] = 1.0 / sums[1] - z;
  }
  PetscCall(Detail(report, "C_bulk_hashin_shtrikman", "Pa", 2, 1, bulk, "lower and upper bound of an isotropic mixture"));
  PetscCall(Detail(report, "C_shear_hashin_shtrikman", "Pa", 2, 1, shear, "lower and upper bound of an isotropic mixture"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* E, G and Poisson's ratios along the axes, where C is orthotropic in them. */
static PetscErrorCode ReportEngineering(const FgElastic *elastic, FgCellReport *report)
{
  static const int pulled[6] = {0, 0, 1, 1, 2, 2}, contracts[6] = {1, 2, 0, 2, 0, 1};
  const double    *C = elastic->result.energy;
  double           S[36], coupling = 0, E[3], G[3], nu[6];

  PetscFunctionBegin;
  for (int i = 0; i < 6; i++) {
    for (int j = 3; j < 6; j++) {
      if (i != j) coupling = PetscMax(coupling, fabs(C[6 * i + j]));
    }
  }
  if (coupling > 1e-6 * Largest(C)) {
    PetscCall(FgReportNote(report,
                           "C is not orthotropic along the axes (shear couples by %.1e of its largest value): "
                           "no engineering constants",
                           coupling / Largest(C)));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (!FgStiffnessInvert(C, S)) {
    PetscCall(FgReportNote(report, "C is singular: no engineering constants"));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  for (int i = 0; i < 3; i++) {
    E[i] = 1.0 / S[7 * i];
    G[i] = 1.0 / S[7 * (i + 3)];
  }
  for (int i = 0; i < 6; i++) nu[i] = -S[6 * pulled[i] + contracts[i]] / S[7 * pulled[i]];
  PetscCall(FgReportEffective(report, "E", "Pa", 3, 1, E, "Young's moduli along x, y, z", NULL));
  PetscCall(FgReportEffective(report, "G", "Pa", 3, 1, G, "shear moduli yz, xz, xy", NULL));
  PetscCall(FgReportEffective(report, "nu", "1", 6, 1, nu,
                              "Poisson's ratios xy, xz, yx, yz, zx, zy: pulled along the first, contracts along the second",
                              NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgElasticReport(FgCell cell, const FgCellSettings *settings, const FgElastic *elastic, FgCellReport *report)
{
  const double largest    = Largest(elastic->result.energy);
  double       difference = 0;

  PetscFunctionBegin;
  for (int i = 0; i < 36; i++) difference = PetscMax(difference, fabs(elastic->result.energy[i] - elastic->result.flux[i]));
  difference = largest > 0 ? difference / largest : 0;
  PetscCall(FgReportEffective(report, "C", "Pa", 6, 6, elastic->result.energy,
                              "effective stiffness, energy form; order xx yy zz yz xz xy, engineering shear", NULL));
  PetscCall(Detail(report, "C_flux", "Pa", 6, 6, elastic->result.flux, "effective stiffness, flux form"));
  PetscCall(Detail(report, "C_self_check", "1", 1, 1, &difference, "largest difference of the two forms, relative"));
  PetscCall(ReportEngineering(elastic, report));
  PetscCall(ReportBounds(cell, elastic, report));
  PetscCall(ReportHashinShtrikman(cell, elastic, report));
  for (PetscInt p = 0; elastic->result.sensitivity && p < cell->table.nphases; p++) {
    char name[FG_CELL_NAME], text[256];

    if (cell->fraction[p] == 0) continue;
    PetscCall(PetscSNPrintf(name, sizeof(name), "dC_dln_%s", cell->table.phases[p].name));
    PetscCall(PetscSNPrintf(text, sizeof(text), "derivative of C with respect to the logarithm of the stiffness of %s",
                            cell->table.phases[p].name));
    PetscCall(Detail(report, name, "Pa", 6, 6, elastic->result.sensitivity + 36 * p, text));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  FgElastic elastic = {0};

  PetscFunctionBegin;
  PetscCall(FgElasticSolve(cell, settings, &elastic, report));
  PetscCall(FgElasticReport(cell, settings, &elastic, report));
  PetscCall(FgElasticDestroy(&elastic));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  return FgElementsBytesPerVoxel(cell, 3);
}

const FgPhysics FgPhysicsElasticity = {"elasticity", "effective stiffness of phases of any anisotropy", Solve, BytesPerVoxel,
                                       PETSC_FALSE};
