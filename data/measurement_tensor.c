/* measurement_tensor.c: reads a tensor volume, whatever the order of its components and their frame:

     nifti   intent 1005, x,y,z,1,6: xx xy yy xz yz zz
     fsl     x,y,z,6:                xx xy xz yy yz zz
     mrtrix  x,y,z,6:                xx yy zz xy xz yz

   D_scanner = Q D Q^T with Q = R for image axes, R diag(-1,1,1) or R for FSL's frame, 1 for the scanner's. */
#include "measurement.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define INTENT_SYMMATRIX 1005

typedef struct {
  const char *name, *frame; /* frame that programs of this order write */
  int         component[6]; /* place in the file of xx, yy, zz, xy, xz, yz */
} Order;

static const Order orders[] = {
    {"nifti", "image", {0, 2, 5, 1, 3, 4}},
    {"fsl", "fsl", {0, 3, 5, 1, 2, 4}},
    {"mrtrix", "scanner", {0, 1, 2, 3, 4, 5}},
};

static PetscErrorCode ChooseOrder(const FgImageInfo *info, const char *wanted, const Order **order)
{
  PetscFunctionBegin;
  *order = NULL;
  PetscCheck(info->nvolumes == 6, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %lld volumes, expected the 6 components of a tensor", info->path, (long long)info->nvolumes);
  if (!strcmp(wanted, "auto")) {
    PetscCheck(info->intent_code == INTENT_SYMMATRIX, PETSC_COMM_SELF, PETSC_ERR_USER,
               "%s: found 6 volumes that do not say their order (intent %d, not 1005); give --tensor-order nifti, fsl or mrtrix",
               info->path, info->intent_code);
    wanted = "nifti";
  }
  for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
    if (!strcmp(wanted, orders[k].name)) *order = &orders[k];
  }
  PetscCheck(*order, PETSC_COMM_SELF, PETSC_ERR_USER, "tensor order \"%s\" is unknown, expected auto, nifti, fsl or mrtrix",
             wanted);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The frame that the sidecar names (BEP016's ReferenceAxes), or NULL. */
static const char *SidecarFrame(const char *path)
{
  static const char *const names[][2] = {{"ijk", "image"}, {"bvec", "fsl"}, {"xyz", "scanner"}};
  char                     sidecar[PETSC_MAX_PATH_LEN + 8];
  const char              *frame = NULL;
  char                    *ending;
  json_t                  *object;

  strcpy(sidecar, path);
  ending = strstr(strrchr(sidecar, '/') ? strrchr(sidecar, '/') : sidecar, ".nii");
  if (!ending) return NULL;
  strcpy(ending, ".json");
  object = json_load_file(sidecar, 0, NULL);
  for (size_t k = 0; k < 3; k++) {
    const char *axes = json_string_value(json_object_get(object, "ReferenceAxes"));

    if (axes && !strcmp(axes, names[k][0])) frame = names[k][1];
  }
  json_decref(object);
  return frame;
}

/* Q, row-major. */
static PetscErrorCode ChooseFrame(const FgImageInfo *info, const char *wanted, const Order *order, double Q[9])
{
  static const double identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const char         *frame       = strcmp(wanted, "auto") ? wanted : SidecarFrame(info->path);

  PetscFunctionBegin;
  if (!frame) frame = order->frame;
  PetscCheck(!strcmp(frame, "image") || !strcmp(frame, "fsl") || !strcmp(frame, "scanner"), PETSC_COMM_SELF, PETSC_ERR_USER,
             "tensor frame \"%s\" is unknown, expected auto, image, fsl or scanner", frame);
  if (!strcmp(frame, "scanner")) PetscCall(PetscArraycpy(Q, identity, 9));
  else FgGridRotation(&info->grid, Q);
  if (!strcmp(frame, "fsl") && FgGridDeterminant(&info->grid) > 0) {
    for (int i = 0; i < 3; i++) Q[3 * i] = -Q[3 * i];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

typedef struct {
  PetscInt       nvoxels;
  unsigned char *nonzero, *bad;
} Usable;

static PetscErrorCode FindUsable(void *context, PetscInt v, const float *values)
{
  Usable *usable = context;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < usable->nvoxels; i++) {
    if (!isfinite(values[i])) usable->bad[i] = 1;
    else if (values[i] != 0.0f) usable->nonzero[i] = 1;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MakeMask(FgMeasurement *m)
{
  Usable         usable = {.nvoxels = FgGridVoxels(&m->grid)};
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCall(PetscCalloc2(usable.nvoxels, &usable.nonzero, usable.nvoxels, &usable.bad));
  ierr = FgImageStream(&m->info, FindUsable, &usable);
  for (PetscInt i = 0; i < usable.nvoxels; i++) usable.nonzero[i] = usable.nonzero[i] && !usable.bad[i];
  if (!ierr) ierr = FgMeasurementSetMask(usable.nonzero, "nonzero tensors", m);
  PetscCall(PetscFree2(usable.nonzero, usable.bad));
  PetscCall(ierr);
  PetscCheck(m->nmask > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found no voxel with a finite tensor other than 0",
             m->info.path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0. */
static PetscErrorCode Prepare(const FgMeasurementFiles *files, const char *wanted, const char *frame, FgMeasurement *m,
                              const Order **order, double Q[9])
{
  PetscFunctionBegin;
  PetscCall(FgImageReadInfo(files->dwi, &m->info));
  m->grid  = m->info.grid;
  m->ndata = 6;
  PetscCall(ChooseOrder(&m->info, wanted, order));
  PetscCall(ChooseFrame(&m->info, frame, *order, Q));
  if (files->mask[0]) PetscCall(FgMeasurementReadMask(files->mask, m));
  else PetscCall(MakeMask(m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Six numbers of the file -> (xx, yy, zz, sqrt2 xy, sqrt2 xz, sqrt2 yz) in the scanner frame; all NaN where one is. */
static void TurnTensor(const int component[6], const double Q[9], float *d)
{
  static const int row[6] = {0, 1, 2, 0, 0, 1}, column[6] = {0, 1, 2, 1, 2, 2};
  double           D[9];
  PetscBool        finite = PETSC_TRUE;

  for (int k = 0; k < 6; k++) {
    D[3 * row[k] + column[k]] = D[3 * column[k] + row[k]] = d[component[k]];
    finite                                                = finite && isfinite(d[component[k]]) ? PETSC_TRUE : PETSC_FALSE;
  }
  for (int k = 0; k < 6; k++) {
    double value = 0.0;

    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) value += Q[3 * row[k] + i] * D[3 * i + j] * Q[3 * column[k] + j];
    }
    d[k] = finite ? (float)(k < 3 ? value : sqrt(2.0) * value) : NAN;
  }
}

PetscErrorCode FgMeasurementReadTensor(MPI_Comm comm, const FgMeasurementFiles *files, const char *order, const char *frame,
                                       FgMeasurement *m)
{
  const Order   *chosen = orders;
  int            component[6];
  double         Q[9] = {0};
  PetscBool      first;
  PetscErrorCode ierr = PETSC_SUCCESS;

  PetscFunctionBegin;
  PetscCall(FgMeasurementBegin(comm, m, &first));
  if (first) ierr = Prepare(files, order, frame, m, &chosen, Q);
  PetscCall(FgMeasurementEnd(ierr, PETSC_TRUE, m));
  PetscCall(PetscArraycpy(component, chosen->component, 6));
  PetscCallMPI(MPI_Bcast(component, 6, MPI_INT, 0, comm));
  PetscCallMPI(MPI_Bcast(Q, 9, MPI_DOUBLE, 0, comm));
  for (PetscInt i = 0; i < m->nlocal; i++) {
    float    *d       = m->data + 6 * (size_t)i;
    PetscBool nonzero = PETSC_FALSE;

    TurnTensor(component, Q, d);
    for (int k = 0; k < 6; k++) nonzero = nonzero || d[k] != 0.0f ? PETSC_TRUE : PETSC_FALSE;
    if (isnan(d[0]) || !nonzero) m->status[i] |= FG_STATUS_CLAMPED | FG_STATUS_NOT_FITTED;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
