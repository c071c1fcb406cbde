/* homogenize.c: `finegrain homogenize`: from a periodic cell of voxels to the coefficients of the macroscopic equation, for any
   of the physics in forward/cell/; a single cell here, a sweep over many in homogenize_sweep.c. */
#include "homogenize.h"

#include <string.h>

/* Fields are kept, and a given velocity used, of the cell `itself`, not of a coarser one. */
static PetscErrorCode SolveAll(const HomogenizeSettings *s, FgCell cell, PetscBool itself, FgCellReport *reports, double *seconds,
                               FgLog *log)
{
  FgCellSettings   settings = FgHomogenizeSolver(s);
  const FgPhysics *physics;
  double          *velocity = NULL;

  PetscFunctionBegin;
  settings.keep_fields = settings.keep_fields && itself ? PETSC_TRUE : PETSC_FALSE;
  if (itself) PetscCall(FgHomogenizeVelocity(s, cell, &velocity));
  settings.velocity = velocity;
  PetscCall(FgCellCacheCreate(&settings.cache));
  for (PetscInt k = 0; (physics = FgHomogenizePhysics(s, k)); k++) {
    const double start = FgWallSeconds();

    (log->terminal ? FgLogLine : FgLogDetail)(log, "solving %s on %d x %d x %d voxels", physics->name, (int)cell->n[0],
                                              (int)cell->n[1], (int)cell->n[2]);
    reports[k].physics = physics->name;
    PetscCall(physics->solve(cell, &settings, &reports[k]));
    if (seconds) seconds[k] = FgWallSeconds() - start;
  }
  PetscCall(FgCellCacheDestroy(&settings.cache));
  PetscCall(PetscFree(velocity));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveCoarse(const HomogenizeSettings *s, FgCell cell, FgHomogenized *found, FgLog *log)
{
  FgCell coarse = NULL;

  PetscFunctionBegin;
  PetscCall(FgHomogenizeCoarse(s, cell, &coarse));
  if (!coarse) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscCalloc1(found->n, &found->coarse));
  PetscCall(SolveAll(s, coarse, PETSC_FALSE, found->coarse, NULL, log));
  PetscCall(PetscMalloc1(coarse->table.nphases, &found->coarse_fraction));
  PetscCall(PetscArraycpy(found->coarse_fraction, coarse->fraction, coarse->table.nphases));
  PetscCall(FgCellDestroy(&coarse));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* At half the resolution. Coarse voxels may close a pore or spoil convergence: then there is no estimate, but there is a result. */
static PetscErrorCode Estimate(const HomogenizeSettings *s, FgCell cell, FgHomogenized *found, FgLog *log)
{
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  code = FgAgree(cell->comm, SolveCoarse(s, cell, found, log));
  PetscCall(PetscPopErrorHandler());
  if (!code) PetscFunctionReturn(PETSC_SUCCESS);
  FgLogWarning(log, "no estimate of the discretization error: the cell at half the resolution cannot be solved");
  for (PetscInt k = 0; found->coarse && k < found->n; k++) PetscCall(FgReportDestroy(&found->coarse[k]));
  PetscCall(PetscFree(found->coarse));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(const HomogenizeSettings *s, FgCell cell, FgHomogenized *found, FgLog *log)
{
  PetscFunctionBegin;
  while (FgHomogenizePhysics(s, found->n)) found->n++;
  PetscCall(PetscMalloc1(found->n, &found->physics));
  PetscCall(PetscCalloc1(found->n, &found->reports));
  PetscCall(PetscCalloc1(found->n, &found->seconds));
  for (PetscInt k = 0; k < found->n; k++) found->physics[k] = FgHomogenizePhysics(s, k);
  PetscCall(SolveAll(s, cell, PETSC_TRUE, found->reports, found->seconds, log));
  if (!s->no_estimate && !s->velocity[0]) PetscCall(Estimate(s, cell, found, log));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(FgHomogenized *found)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < found->n; k++) {
    PetscCall(FgReportDestroy(&found->reports[k]));
    if (found->coarse) PetscCall(FgReportDestroy(&found->coarse[k]));
  }
  PetscCall(PetscFree(found->physics));
  PetscCall(PetscFree(found->reports));
  PetscCall(PetscFree(found->coarse));
  PetscCall(PetscFree(found->seconds));
  PetscCall(PetscFree(found->coarse_fraction));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Cells with several samples a voxel are small, and are solved by every rank for itself, so that the numbers are those of one rank. */
static PetscErrorCode Single(const HomogenizeSettings *s, FgLog *log)
{
  const MPI_Comm comm  = s->geometry[0] && FgHomogenizeSubsample(s) > 1 ? PETSC_COMM_SELF : PETSC_COMM_WORLD;
  FgHomogenized  found = {0};
  PetscErrorCode code  = PETSC_SUCCESS;
  FgPhaseTable   table;
  FgCell         cell;
  json_t        *root;
  PetscMPIInt    rank, size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(FgHomogenizePhases(s, &table));
  PetscCall(FgHomogenizeFits(s, comm, &table, comm == PETSC_COMM_SELF ? size : 1, log));
  if (s->dry_run) {
    PetscCall(FgPhaseTableDestroy(&table));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FgHomogenizeRefuse(s));
  PetscCall(FgHomogenizeProvenance(s, &root));
  PetscCall(FgHomogenizeCell(s, comm, &table, &cell));
  PetscCall(Solve(s, cell, &found, log));
  FgHomogenizePrintCell(cell, log);
  FgHomogenizePrint(s, cell, &found, log);
  json_object_update_missing_new(root, FgHomogenizeJson(s, cell, &found));
  if (comm == PETSC_COMM_WORLD || !rank) code = FgHomogenizeWriteFields(s, cell, &found);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscCall(FgHomogenizeWriteJson(s, root));
  json_decref(root);
  PetscCall(Destroy(&found));
  PetscCall(FgCellDestroy(&cell));
  PetscCall(FgPhaseTableDestroy(&table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(const void *context, FgLog *log)
{
  const HomogenizeSettings *s = context;

  PetscFunctionBegin;
  if (s->sweep[0]) PetscCall(FgHomogenizeSweep(s, log));
  else PetscCall(Single(s, log));
  PetscFunctionReturn(PETSC_SUCCESS);
}

const FgCommand FgCommandHomogenize = {
    .name    = "homogenize",
    .summary = "effective coefficients of a periodic voxel cell, for one or several physics",
    .usage   = "CELL --phases FILE|--geometry NAME [options]",
    .description =
        "Solves the periodic cell problems of the chosen physics on an image of labels or a generated geometry, and prints the "
        "effective coefficients with units, bounds, and an estimate of the discretization error. All lengths are in meters; a "
        "cell "
        "with one voxel along an axis is two-dimensional. A solve that does not converge is an error, never a number.",
    .example =
        "finegrain homogenize cell.nii.gz --phases phases.yaml --physics conduction\n"
        "finegrain homogenize --geometry hex-cylinders --fraction 0.6 --resolution 128 --contrast 10\n"
        "finegrain homogenize cell.raw --size 64,64,64 --voxel-size 1e-6 --phases phases.yaml -o cell.json --fields cell.xdmf\n"
        "finegrain homogenize --geometry square-cylinders --sweep fraction=0.02:0.78:20 contrast=0,1e-3:1e3:13 -o table.h5",
    .options       = {FgHomogenizeCellOptions, FgHomogenizeSolveOptions, FgHomogenizeOutputOptions},
    .lists         = FgHomogenizeLists,
    .settings_size = sizeof(HomogenizeSettings),
    .check         = FgHomogenizeCheck,
    .run           = Run};
