/* homogenize_cell.c: the cell of `finegrain homogenize`: its phases, the memory it will take, its voxels, and the same cell in
   voxels twice as wide, from which the discretization error is estimated. */
#include "homogenize.h"

#include "finegrain/image.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Phases under the generator's names; the matrix conducts 1, all others `contrast`. */
static PetscErrorCode PhasesOfContrast(const HomogenizeSettings *s, FgPhaseTable *table)
{
  const double contrast = isnan(s->contrast) ? 10.0 : s->contrast, one = 1.0;
  const char  *names = FgGeometryFind(s->geometry)->phases;

  PetscFunctionBegin;
  snprintf(table->source, sizeof(table->source), "--contrast %g", contrast);
  for (int label = 0; *names; label++) {
    const int length = (int)strcspn(names, " ");
    char      name[FG_CELL_NAME];

    PetscCall(PetscSNPrintf(name, sizeof(name), "%.*s", length, names));
    PetscCall(FgPhaseTableAdd(table, name, label));
    PetscCall(FgPhaseTableSet(table, label, "conductivity", 1, label ? &contrast : &one));
    PetscCall(FgPhaseTableSet(table, label, "diffusivity", 1, label ? &contrast : &one));
    names += length;
    names += strspn(names, " ");
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizePhases(const HomogenizeSettings *s, FgPhaseTable *table)
{
  PetscFunctionBegin;
  PetscCall(PetscMemzero(table, sizeof(*table)));
  if (s->phases[0]) PetscCall(FgPhaseTableRead(s->phases, table));
  else PetscCall(PhasesOfContrast(s, table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static FgCellImageSettings ImageSettings(const HomogenizeSettings *s)
{
  FgCellImageSettings image = FgCellImageDefaults;

  for (int k = 0; k < s->size.n; k++) image.size[k] = (PetscInt)s->size.value[k];
  for (int k = 0; k < 3 && s->voxel_size.n; k++) image.voxel_size[k] = s->voxel_size.value[s->voxel_size.n == 1 ? 0 : k];
  return image;
}

void FgHomogenizeSayPlan(const HomogenizeSettings *s, FgLog *log, const char *format, ...)
{
  char    line[1024];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  if (s->dry_run) FgLogResult(log, "%s", line);
  else FgLogDetail(log, "%s", line);
}

/* Bytes a voxel at the peak of the most demanding physics, labels included. Phases that do not occur need no properties, which the
   plan cannot know: where they are missing, it asks again as if no phase occurred. */
static PetscErrorCode BytesPerVoxel(const HomogenizeSettings *s, FgCell plan, double *bytes)
{
  const FgCellSettings settings = FgHomogenizeSolver(s);
  const FgPhysics     *physics;

  PetscFunctionBegin;
  *bytes = 0;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  for (PetscInt i = 0; (physics = FgHomogenizePhysics(s, i)); i++) {
    double needed = 0;

    for (int attempt = 0; attempt < 2 && needed <= 0; attempt++) {
      for (PetscInt p = 0; p < plan->table.nphases; p++) plan->fraction[p] = attempt ? 0.0 : 1.0 / (double)plan->table.nphases;
      needed = physics->bytes_per_voxel(plan, &settings);
    }
    *bytes = PetscMax(*bytes, needed);
  }
  PetscCall(PetscPopErrorHandler());
  *bytes += 2.0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizeFits(const HomogenizeSettings *s, MPI_Comm comm, const FgPhaseTable *table, PetscInt copies,
                                FgLog *log)
{
  const double       gib   = 1024.0 * 1024.0 * 1024.0;
  const double       limit = isnan(s->memory_limit) ? (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE)
                                                    : s->memory_limit * gib;
  const char        *what  = s->image[0] ? s->image : s->geometry;
  FgCellImageInfo    info;
  FgGeometrySettings geometry = FgHomogenizeGeometry(s), resolved;
  FgCell             plan;
  double             voxels, bytes;

  PetscFunctionBegin;
  if (s->image[0]) {
    const FgCellImageSettings image = ImageSettings(s);

    PetscCall(FgCellImageLook(s->image, &image, &info));
  } else PetscCall(FgGeometryResolve(FgGeometryFind(s->geometry), &geometry, &resolved, info.n, info.edge));
  voxels = (double)info.n[0] * (double)info.n[1] * (double)info.n[2];
  PetscCheck(voxels * 2.0 <= limit, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "%s: the labels of %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT
             " voxels alone need %.2f GiB, the limit is %.2f GiB",
             what, info.n[0], info.n[1], info.n[2], voxels * 2.0 / gib, limit / gib);
  PetscCall(FgCellPlan(comm, info.n, info.edge, table, what, &plan));
  PetscCall(BytesPerVoxel(s, plan, &bytes));
  PetscCall(FgCellDestroy(&plan));
  if (resolved.subsample > 1 && s->geometry[0]) { /* labels of the samples, and conductances of faces */
    double samples = 1.0;

    for (int a = 0; a < 3; a++) samples *= info.n[a] > 1 ? (double)resolved.subsample : 1.0;
    bytes += 2.0 * samples + 24.0;
  }
  bytes *= voxels * (double)copies;
  if (log)
    FgHomogenizeSayPlan(s, log,
                        "plan     %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT " voxels, %s: %.3g MiB will be needed",
                        info.n[0], info.n[1], info.n[2], s->physics, bytes / 1048576.0);
  PetscCheck(bytes <= limit, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "%s: %s on %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT
             " voxels needs %.2f GiB, the limit is %.2f GiB; use fewer voxels, more machines, or raise --memory-limit",
             what, s->physics, info.n[0], info.n[1], info.n[2], bytes / gib, limit / gib);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizeCell(const HomogenizeSettings *s, MPI_Comm comm, const FgPhaseTable *table, FgCell *cell)
{
  PetscFunctionBegin;
  if (s->image[0]) {
    const FgCellImageSettings image = ImageSettings(s);

    PetscCall(FgCellReadImage(comm, s->image, &image, table, cell));
  } else {
    const FgGeometrySettings geometry = FgHomogenizeGeometry(s);

    PetscCall(FgGeometryCreate(comm, FgGeometryFind(s->geometry), &geometry, table, cell));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank that owns plane z of a cell of nz planes (cell.c). */
static PetscMPIInt Owner(PetscInt nz, PetscMPIInt size, PetscInt z)
{
  return (PetscMPIInt)(z / ((nz + size - 1) / size));
}

/* Every second voxel along every axis that has more than one. Planes go to the rank that owns them in the coarse cell. */
static PetscErrorCode EverySecond(FgCell cell, FgCell coarse)
{
  const PetscInt step[3] = {cell->n[0] / coarse->n[0], cell->n[1] / coarse->n[1], cell->n[2] / coarse->n[2]};
  const PetscInt plane   = coarse->n[0] * coarse->n[1];
  PetscMPIInt    rank, size;
  MPI_Request   *requests;
  uint16_t      *sent;
  PetscInt       n = 0, nsent = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  PetscCallMPI(MPI_Comm_size(cell->comm, &size));
  PetscCall(PetscMalloc1(cell->count + coarse->count, &requests));
  PetscCall(PetscMalloc1((cell->count / step[2] + 1) * plane, &sent));
  for (PetscInt z = 0; z < coarse->count; z++) {
    const PetscInt from = (coarse->start + z) * step[2];

    PetscCallMPI(MPI_Irecv(coarse->phase + z * plane, (PetscMPIInt)plane, MPI_UINT16_T, Owner(cell->n[2], size, from), 0,
                           cell->comm, &requests[n++]));
  }
  for (PetscInt z = 0; z < cell->count; z++) {
    uint16_t *to = sent + nsent * plane;

    if ((cell->start + z) % step[2]) continue;
    for (PetscInt y = 0; y < coarse->n[1]; y++) {
      for (PetscInt x = 0; x < coarse->n[0]; x++)
        to[y * coarse->n[0] + x] = cell->phase[(z * cell->n[1] + y * step[1]) * cell->n[0] + x * step[0]];
    }
    nsent++;
    PetscCallMPI(MPI_Isend(to, (PetscMPIInt)plane, MPI_UINT16_T, Owner(coarse->n[2], size, (cell->start + z) / step[2]), 0,
                           cell->comm, &requests[n++]));
  }
  PetscCallMPI(MPI_Waitall((PetscMPIInt)n, requests, MPI_STATUSES_IGNORE));
  PetscCall(PetscFree(sent));
  PetscCall(PetscFree(requests));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizeCoarse(const HomogenizeSettings *s, FgCell cell, FgCell *coarse)
{
  enum { LEAST = 8 }; /* voxels along an axis; coarser cells say nothing */
  PetscInt n[3];
  char     source[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  *coarse = NULL;
  for (int a = 0; a < 3; a++) {
    n[a] = cell->n[a] == 1 ? 1 : cell->n[a] / 2;
    if (cell->n[a] > 1 && (cell->n[a] < 2 * LEAST || cell->n[a] % 2)) PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (s->geometry[0]) {
    HomogenizeSettings half = *s;

    half.resolution = s->resolution / 2;
    PetscCall(FgHomogenizeCell(&half, cell->comm, &cell->table, coarse));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscSNPrintf(source, sizeof(source), "%.*s (every second voxel)", (int)sizeof(source) - 32, cell->source));
  PetscCall(FgCellCreate(cell->comm, n, cell->edge, &cell->table, source, coarse));
  PetscCall(EverySecond(cell, *coarse));
  PetscCall(FgCellComplete(*coarse));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0: all of the file, [3][voxels]. */
static PetscErrorCode ReadVelocity(const char *path, FgCell cell, float **values)
{
  FgImageInfo info;

  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(path, &info));
  PetscCheck(info.grid.dims[0] == cell->n[0] && info.grid.dims[1] == cell->n[1] && info.grid.dims[2] == cell->n[2] &&
                 info.nvolumes == 3,
             PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT " voxels in %" PetscInt_FMT
             " volumes, expected those of the cell, %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT
             ", and 3 volumes: the velocity along x, y and z [m/s]",
             path, info.grid.dims[0], info.grid.dims[1], info.grid.dims[2], info.nvolumes, cell->n[0], cell->n[1], cell->n[2]);
  PetscCall(FgImageRead(path, &info, values));
  for (PetscInt i = 0; i < 3 * cell->n[0] * cell->n[1] * cell->n[2]; i++)
    PetscCheck(isfinite((*values)[i]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found a velocity that is not finite",
               path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgHomogenizeVelocity(const HomogenizeSettings *s, FgCell cell, double **velocity)
{
  const PetscInt voxels = cell->n[0] * cell->n[1] * cell->n[2], plane = cell->n[0] * cell->n[1];
  float         *values = NULL, *local;
  PetscMPIInt    rank, size, *counts, *starts;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscFunctionBegin;
  *velocity = NULL;
  if (!s->velocity[0]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Comm_rank(cell->comm, &rank));
  PetscCallMPI(MPI_Comm_size(cell->comm, &size));
  if (!rank) code = ReadVelocity(s->velocity, cell, &values);
  PetscCall(FgAgree(cell->comm, code));
  PetscCall(PetscMalloc2(size, &counts, size, &starts));
  {
    PetscMPIInt count = (PetscMPIInt)cell->nlocal, start = (PetscMPIInt)(cell->start * plane);

    PetscCallMPI(MPI_Gather(&count, 1, MPI_INT, counts, 1, MPI_INT, 0, cell->comm));
    PetscCallMPI(MPI_Gather(&start, 1, MPI_INT, starts, 1, MPI_INT, 0, cell->comm));
  }
  PetscCall(PetscMalloc1(cell->nlocal, &local));
  PetscCall(PetscMalloc1(3 * (size_t)cell->nlocal, velocity));
  for (int a = 0; a < 3; a++) {
    PetscCallMPI(MPI_Scatterv(rank ? NULL : values + (size_t)a * (size_t)voxels, counts, starts, MPI_FLOAT, local,
                              (PetscMPIInt)cell->nlocal, MPI_FLOAT, 0, cell->comm));
    for (PetscInt i = 0; i < cell->nlocal; i++) (*velocity)[3 * i + a] = (double)local[i];
  }
  PetscCall(PetscFree(local));
  PetscCall(PetscFree2(counts, starts));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}
