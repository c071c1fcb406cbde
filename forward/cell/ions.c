/* ions.c: physics `ions`: conductivity and transference of dissolved ions in a charged porous medium.

   Equilibrium of each phase with the bath (Donnan, all lengths well above the Debye length): with psi = F Psi/(RT),
     c_k = c_k^bath exp(-z_k psi),   sum_k z_k c_k + X = 0                         X: fixed charge [mol/m^3]
   Linearised about it, ion k conducts with sigma_k = z_k^2 F^2 D_k c_k/(RT) [S/m].
     steady      div N_k = 0 for each ion by itself: sigma_k* = P(sigma_k), sigma = sum_k sigma_k*, t_k = sigma_k* sigma^-1
     migration   concentrations frozen: one problem for sigma(y) = sum_k sigma_k, and t_k averaged with the local current
                 density, T_k = < t_k sigma (I + grad chi) > sigma_mig^-1
   `migration` is the value shortly after a change, before concentrations polarise; `steady` the one in the end, never
   larger across layers. Both are reported. Source: docs/physics/ions.md. */
#include "effective.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_roots.h>
#include <math.h>

/* Exact since 2019: N_A e [C/mol] and N_A k_B [J/(mol K)]. GSL's are those of 2006. */
static const double faraday = 6.02214076e23 * 1.602176634e-19, gas = 6.02214076e23 * 1.380649e-23;

typedef struct {
  const FgPhaseTable *table;
  double              charge;
} Neutrality;

static double Charge(double psi, void *context)
{
  const Neutrality *neutrality = context;
  double            sum        = neutrality->charge;

  for (PetscInt k = 0; k < neutrality->table->nions; k++) {
    const FgIon *ion = &neutrality->table->ions[k];

    sum += ion->valence * ion->bath * exp(-ion->valence * psi);
  }
  return sum;
}

/* Donnan potential psi = F Psi/(RT): the charge falls with psi, so a bracket is found by doubling. */
static PetscErrorCode Donnan(const FgPhaseTable *table, const char *phase, double charge, double *psi)
{
  Neutrality        neutrality = {table, charge};
  gsl_function      function   = {Charge, &neutrality};
  double            low = -1, high = 1;
  gsl_root_fsolver *solver;
  int               status = GSL_CONTINUE;

  PetscFunctionBegin;
  while (Charge(low, &neutrality) < 0 && low > -512) low *= 2;
  while (Charge(high, &neutrality) > 0 && high < 512) high *= 2;
  PetscCheck(Charge(low, &neutrality) >= 0 && Charge(high, &neutrality) <= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: phase '%s': no ion of the other sign balances the fixed charge of %g mol/m^3", table->source, phase, charge);
  solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
  gsl_root_fsolver_set(solver, &function, low, high);
  for (int i = 0; i < 200 && status == GSL_CONTINUE; i++) {
    gsl_root_fsolver_iterate(solver);
    status = gsl_root_test_interval(gsl_root_fsolver_x_lower(solver), gsl_root_fsolver_x_upper(solver), 1e-15, 1e-15);
  }
  *psi = gsl_root_fsolver_root(solver);
  gsl_root_fsolver_free(solver);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sigma_k of every phase, [nions][nphases] [S/m], and the Donnan potentials into the report. */
static PetscErrorCode Conductivities(FgCell cell, double **sigma, FgCellReport *report)
{
  const FgPhaseTable *table = &cell->table;
  double             *charge, *factor, temperature, neutral = 0, scale = 0;

  PetscFunctionBegin;
  PetscCheck(table->nions > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: no ions; physics ions needs a list `ions:` with name, valence, diffusivity [m^2/s] and bath [mol/m^3] of each",
             table->source);
  for (PetscInt k = 0; k < table->nions; k++) {
    neutral += table->ions[k].valence * table->ions[k].bath;
    scale += fabs(table->ions[k].valence) * table->ions[k].bath;
  }
  PetscCheck(scale > 0 && fabs(neutral) <= 1e-6 * scale, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: the ions of the bath carry a charge of %g mol/m^3 together, expected 0", table->source, neutral);
  PetscCall(FgCellValue(cell, "temperature", &temperature));
  PetscCall(FgCellProperty(cell, "fixed-charge", &charge, NULL));
  PetscCall(FgCellProperty(cell, "ion-mobility-factor", &factor, NULL));
  PetscCall(PetscCalloc1(table->nions * table->nphases, sigma));
  for (PetscInt p = 0; p < table->nphases; p++) {
    char   name[FG_CELL_NAME], text[256];
    double psi, potential;

    if (cell->fraction[p] == 0 || factor[p] == 0) continue;
    PetscCall(Donnan(table, table->phases[p].name, charge[p], &psi));
    potential = psi * gas * temperature / faraday;
    PetscCall(PetscSNPrintf(name, sizeof(name), "donnan_%s", table->phases[p].name));
    PetscCall(PetscSNPrintf(text, sizeof(text), "Donnan potential of %s against the bath", table->phases[p].name));
    PetscCall(FgReportEffective(report, name, "V", 1, 1, &potential, text, NULL));
    for (PetscInt k = 0; k < table->nions; k++) {
      const FgIon *ion = &table->ions[k];
      const double c   = ion->bath * exp(-ion->valence * psi);

      (*sigma)[k * table->nphases + p] = PetscSqr(ion->valence * faraday) * ion->diffusivity * factor[p] * c /
                                         (gas * temperature);
      PetscCall(PetscSNPrintf(name, sizeof(name), "c_%s_%s", ion->name, table->phases[p].name));
      PetscCall(PetscSNPrintf(text, sizeof(text), "equilibrium concentration of %s in %s", ion->name, table->phases[p].name));
      PetscCall(FgReportEffective(report, name, "mol/m^3", 1, 1, &c, text, NULL));
      report->effective[report->neffective - 1].detail = PETSC_TRUE;
    }
  }
  PetscCall(PetscFree(charge));
  PetscCall(PetscFree(factor));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* part whole^-1 on the axes that percolate, 0 on the others. */
static void Ratio(const double part[9], const double whole[9], const PetscBool percolates[3], double ratio[9])
{
  double a[9], inverse[9], det;

  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) a[3 * i + j] = percolates[i] && percolates[j] ? whole[3 * i + j] : i == j ? 1.0 : 0.0;
  }
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      const int p = (j + 1) % 3, q = (j + 2) % 3, r = (i + 1) % 3, s = (i + 2) % 3;

      inverse[3 * i + j] = a[3 * p + r] * a[3 * q + s] - a[3 * p + s] * a[3 * q + r];
    }
  }
  det = a[0] * inverse[0] + a[1] * inverse[3] + a[2] * inverse[6];
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      ratio[3 * i + j] = 0;
      for (int k = 0; percolates[i] && percolates[j] && k < 3; k++)
        ratio[3 * i + j] += part[3 * i + k] * inverse[3 * k + j] / det;
    }
  }
}

/* The same tensor for every ion, [nphases][6], from scalars. */
static void Spread(FgCell cell, const double *scalar, double *tensors)
{
  for (PetscInt p = 0; p < cell->table.nphases; p++) {
    for (int i = 0; i < 6; i++) tensors[6 * p + i] = i < 3 ? scalar[p] : 0.0;
  }
}

static PetscErrorCode Steady(FgCell cell, const FgCellSettings *settings, const double *sigma, double *tensors,
                             FgCellReport *report)
{
  const PetscInt nions = cell->table.nions, nphases = cell->table.nphases;
  FgConduction  *ion;
  PetscErrorCode code     = PETSC_SUCCESS;
  double         total[9] = {0};

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(nions, &ion));
  for (PetscInt k = 0; k < nions && !code; k++) {
    char name[FG_CELL_NAME];

    PetscCall(PetscSNPrintf(name, sizeof(name), "sigma_%s", cell->table.ions[k].name));
    Spread(cell, sigma + k * nphases, tensors);
    code = FgConductionSolve(cell, settings, tensors, name, &ion[k], report);
    for (int i = 0; i < 9; i++) total[i] += ion[k].energy[i];
  }
  if (code) PetscCall(PetscFree(ion));
  PetscCall(code);
  PetscCall(FgReportEffective(report, "sigma_steady", "S/m", 3, 3, total, "conductivity in the steady state, each ion by itself",
                              NULL));
  for (PetscInt k = 0; k < nions; k++) {
    char   name[FG_CELL_NAME], text[256];
    double t[9];

    Ratio(ion[k].energy, total, ion[k].percolates, t);
    PetscCall(PetscSNPrintf(name, sizeof(name), "t_steady_%s", cell->table.ions[k].name));
    PetscCall(PetscSNPrintf(text, sizeof(text), "transference of %s in the steady state", cell->table.ions[k].name));
    PetscCall(FgReportEffective(report, name, "1", 3, 3, t, text, NULL));
  }
  PetscCall(PetscFree(ion));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Migration(FgCell cell, const FgCellSettings *settings, const double *sigma, double *tensors,
                                FgCellReport *report)
{
  const PetscInt nions = cell->table.nions, n = cell->table.nphases;
  FgConduction   all = {.keep = PETSC_TRUE};
  PetscErrorCode code;
  double        *total, *tables[3];

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(n, &total));
  for (PetscInt k = 0; k < nions; k++) {
    for (PetscInt p = 0; p < n; p++) total[p] += sigma[k * n + p];
  }
  Spread(cell, total, tensors);
  code = FgConductionSolve(cell, settings, tensors, "sigma_migration", &all, report);
  if (code) PetscCall(PetscFree(total));
  PetscCall(code);
  PetscCall(FgConductionReport(cell, &all, tensors, "sigma_migration", "S/m", "conductivity by migration, concentrations frozen",
                               report));
  for (int a = 0; a < 3; a++) PetscCall(PetscMalloc1(n * n, &tables[a]));
  for (PetscInt k = 0; k < nions; k++) {
    char   name[FG_CELL_NAME], text[256];
    double part[9], t[9];

    /* The current through a face crosses half a voxel of each phase. */
    for (PetscInt p = 0; p < n; p++) {
      for (PetscInt q = 0; q < n; q++) {
        const double below = total[p] > 0 ? sigma[k * n + p] / total[p] : 0,
                     above = total[q] > 0 ? sigma[k * n + q] / total[q] : 0;

        for (int a = 0; a < 3; a++) tables[a][p * n + q] = 0.5 * (below + above) * FgScalarFace(all.op, a, p, q);
      }
    }
    PetscCall(FgScalarFaceForm(all.op, tables, NULL, all.chi, part));
    Ratio(part, all.flux, all.percolates, t);
    PetscCall(PetscSNPrintf(name, sizeof(name), "t_migration_%s", cell->table.ions[k].name));
    PetscCall(PetscSNPrintf(text, sizeof(text), "transference of %s by migration", cell->table.ions[k].name));
    PetscCall(FgReportEffective(report, name, "1", 3, 3, t, text, NULL));
  }
  for (int a = 0; a < 3; a++) PetscCall(PetscFree(tables[a]));
  PetscCall(PetscFree(total));
  PetscCall(FgConductionDestroy(&all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(FgCell cell, const FgCellSettings *settings, FgCellReport *report)
{
  PetscErrorCode code;
  double        *sigma, *tensors;

  PetscFunctionBegin;
  PetscCall(Conductivities(cell, &sigma, report));
  PetscCall(PetscCalloc1(6 * cell->table.nphases, &tensors));
  code = Steady(cell, settings, sigma, tensors, report);
  if (!code) code = Migration(cell, settings, sigma, tensors, report);
  PetscCall(PetscFree(tensors));
  PetscCall(PetscFree(sigma));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double BytesPerVoxel(FgCell cell, const FgCellSettings *settings)
{
  return 2.0 + 4.0 + 48.0 + 8.0 * (1.0 + 2.0 / (double)cell->n[0]);
}

const FgPhysics FgPhysicsIons = {"ions", "Donnan equilibrium, conductivity and transference of ions, by migration and steady",
                                 Solve, BytesPerVoxel, PETSC_FALSE};
