/* site_step.c: projected Newton step of one site on its box. Source: D. P. Bertsekas, SIAM J. Control Optim. 20 (1982). */
#include "site_step.h"

#include "finegrain/statistics.h"

PetscBool FgSiteStep(const FgComponent components[], PetscInt nc, const double *m, const double *gradient, const double *hessian,
                     double damping, double relaxation, double *trial)
{
  double    step[FG_MAX_COMPONENTS] = {0};
  PetscBool held[FG_MAX_COMPONENTS];

  for (PetscInt c = 0; c < nc; c++) {
    held[c] = (m[c] <= components[c].lower && gradient[c] > 0.0) || (m[c] >= components[c].upper && gradient[c] < 0.0)
                  ? PETSC_TRUE
                  : PETSC_FALSE;
  }
  /* At most one round a component: each round holds at least one more. */
  for (PetscInt round = 0; round <= nc; round++) {
    PetscInt  index[FG_MAX_COMPONENTS], n = 0;
    double    A[FG_MAX_COMPONENTS * FG_MAX_COMPONENTS], b[FG_MAX_COMPONENTS];
    PetscBool crossed = PETSC_FALSE;

    for (PetscInt c = 0; c < nc; c++) {
      if (!held[c]) index[n++] = c;
    }
    if (!n) break;
    for (PetscInt i = 0; i < n; i++) {
      b[i] = -gradient[index[i]];
      for (PetscInt c = 0; c < nc; c++) { /* components moved onto a bound act on the rest */
        if (held[c]) b[i] -= hessian[index[i] * nc + c] * step[c];
      }
      for (PetscInt j = 0; j <= i; j++) A[i * n + j] = hessian[index[i] * nc + index[j]];
      A[i * n + i] *= 1.0 + damping;
    }
    if (!FgCholeskySolve(n, n, A, b)) return PETSC_FALSE;
    for (PetscInt i = 0; i < n; i++) {
      const PetscInt c = index[i];
      const double   x = m[c] + b[i];

      step[c] = b[i];
      if (x >= components[c].lower && x <= components[c].upper) continue;
      step[c] = (x < components[c].lower ? components[c].lower : components[c].upper) - m[c];
      held[c] = PETSC_TRUE;
      crossed = PETSC_TRUE;
    }
    if (!crossed) break;
  }
  for (PetscInt c = 0; c < nc; c++) {
    const double x = m[c] + relaxation * step[c];

    trial[c] = x < components[c].lower ? components[c].lower : x > components[c].upper ? components[c].upper : x;
  }
  return PETSC_TRUE;
}
