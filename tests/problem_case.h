/* problem_case.h: for tests of solvers: a problem gets its regularizer, and all that it stands on is closed. */
#ifndef FINEGRAIN_TESTS_PROBLEM_CASE_H
#define FINEGRAIN_TESTS_PROBLEM_CASE_H

#include "finegrain/problem.h"

/* n terms of a regularizer of this name, of weight 0.3. */
static inline PetscErrorCode ProblemRegularize(FgProblem problem, FgField field, const char *name, PetscInt n,
                                               const FgRegularizerTerm terms[], FgRegularizer *regularizer)
{
  PetscFunctionBegin;
  PetscCall(FgRegularizerCreate(FgRegularizerFind(name), field, n, terms, regularizer));
  problem->regularizer = *regularizer;
  problem->alpha       = 0.3;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode ProblemClose(FgProblem *problem, FgRegularizer *regularizer, FgField *field, FgDomain *domain,
                                          FgModel *model)
{
  PetscFunctionBegin;
  PetscCall(FgProblemDestroy(problem));
  PetscCall(FgRegularizerDestroy(regularizer));
  PetscCall(FgFieldDestroy(field));
  PetscCall(FgDomainDestroy(domain));
  PetscCall(FgModelDestroy(model));
  PetscFunctionReturn(PETSC_SUCCESS);
}

#endif
