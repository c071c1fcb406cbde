/* test_mesh_voxels_mpi.c: meshes of masks: volumes, surfaces, electrodes where they belong; sites at the voxels of a grid. */
#include "meshes.h"

/* A grid of n^3 voxels of 4 mm about the origin, turned about z and mirrored along x where asked for. */
static FgGrid Grid(PetscInt n, PetscInt nslices, double turn, double mirror)
{
  FgGrid       grid      = {.dims = {n, n, nslices}, .spacing = {4.0, 4.0, 4.0}, .sform_code = 1};
  const double middle[3] = {0.5 * (n - 1), 0.5 * (n - 1), 0.5 * (nslices - 1)};

  grid.affine[0][0] = mirror * 4.0 * cos(turn), grid.affine[0][1] = -4.0 * sin(turn);
  grid.affine[1][0] = mirror * 4.0 * sin(turn), grid.affine[1][1] = 4.0 * cos(turn);
  grid.affine[2][2] = 4.0;
  for (int x = 0; x < 3; x++) {
    for (int k = 0; k < 3; k++) grid.affine[x][3] -= grid.affine[x][k] * middle[k];
  }
  return grid;
}

static double Radius(const FgGrid *grid, PetscInt v)
{
  const PetscInt index[3] = {v % grid->dims[0], v / grid->dims[0] % grid->dims[1], v / grid->dims[0] / grid->dims[1]};
  double         square   = 0.0;

  for (int x = 0; x < (grid->dims[2] > 1 ? 3 : 2); x++) {
    double place = grid->affine[x][3];

    for (int k = 0; k < 3; k++) place += grid->affine[x][k] * (double)index[k];
    square += 1e-6 * place * place;
  }
  return sqrt(square);
}

/* A ball (disc) of radius 40 mm with a hole of 16 mm, and a lone voxel in the grid's corner. */
static PetscInt Ball(const FgGrid *grid, PetscInt *voxel)
{
  const PetscInt all = grid->dims[0] * grid->dims[1] * grid->dims[2];
  PetscInt       n   = 0;

  for (PetscInt v = 0; v < all; v++) {
    const double r = Radius(grid, v);

    if (v == 0 || (r < 0.04 && r > 0.016)) voxel[n++] = v;
  }
  return n;
}

static const char   names[3][32] = {"Fz", "Cz", "Oz"};
static const double places[9] = {0.042, 0, 0, 0, 0.045, 0, -0.03, -0.03, 0}, radii[3] = {0.012, 0.01, 0.001};

static void BallIsFilledOnce(void **state)
{
  static PetscInt voxel[25 * 25 * 25];

  (void)state;
  for (int k = 0; k < 4; k++) {
    const PetscInt nslices = k < 2 ? 25 : 1;
    const FgGrid   grid    = Grid(25, nslices, 0.3, k % 2 ? -1.0 : 1.0);
    const PetscInt n       = Ball(&grid, voxel);
    PetscInt       ndropped;
    FgMesh         mesh;

    AgreedSuccess(FgMeshCreateVoxels(&grid, n, voxel, 3, names, places, radii, &mesh, &ndropped));
    AgreedTrue(ndropped == 1 && mesh->nsites == n - 1 && mesh->nelements == (n - 1) * (k < 2 ? 6 : 2) &&
               mesh->dim == (k < 2 ? 3 : 2));
    AgreedTrue(fabs(TotalVolume(mesh) / ((n - 1) * (k < 2 ? 64e-9 : 16e-6)) - 1.0) < 1e-12);
    AgreedTrue(!memcmp(mesh->voxel, voxel + 1, (n - 1) * sizeof *voxel) && !memcmp(&mesh->grid, &grid, sizeof grid));
    for (int i = 0; i < 3; i++) {
      const double nominal = k < 2 ? M_PI * radii[i] * radii[i] : 2.0 * radii[i];

      AgreedTrue(!strcmp(mesh->electrode[i], names[i]) && fabs(mesh->electrode_area[i] / nominal - 1.0) < 1e-12);
      if (i < 2) AgreedTrue(FacesArea(mesh, i) > 0.6 * nominal && FacesArea(mesh, i) < 2.2 * nominal);
      else AgreedTrue(mesh->face_start[3] - mesh->face_start[2] == (k < 2 ? 2 : 1)); /* one voxel's face */
      for (PetscInt f = mesh->dim * mesh->face_start[i]; f < mesh->dim * mesh->face_start[i + 1]; f++) {
        const double *x = mesh->node + 3 * mesh->face[f];

        AgreedTrue(sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) > 0.033); /* not of the hole */
        AgreedTrue(sqrt(pow(x[0] - places[3 * i], 2) + pow(x[1] - places[3 * i + 1], 2) + x[2] * x[2]) < radii[i] + 0.01);
      }
    }
    AgreedSuccess(FgMeshDestroy(&mesh));
  }
}

static void ElectrodesOutOfPlaceAreRefused(void **state)
{
  static PetscInt voxel[25 * 25 * 25];
  const FgGrid    grid = Grid(25, 25, 0.0, 1.0);
  const PetscInt  n    = Ball(&grid, voxel);
  double          position[9], radius[3];
  FgMesh          mesh;
  FgGrid          tilted = Grid(25, 1, 0.0, 1.0);

  (void)state;
#define REFUSES(change, text) \
  do { \
    memcpy(position, places, sizeof position); \
    memcpy(radius, radii, sizeof radius); \
    change; \
    AgreedFailure(FgMeshCreateVoxels(&grid, n, voxel, 3, names, position, radius, &mesh, NULL), PETSC_ERR_FILE_UNEXPECTED, \
                  text); \
    AgreedTrue(!mesh); \
  } while (0)
  REFUSES(position[4] = 45.0, "electrode Cz, at (0., 45., 0.) m, is");
  REFUSES(position[4] = NAN, "electrode Cz is at (0., nan");
  REFUSES(radius[0] = 0.0, "electrode Fz is at");
  REFUSES(position[3] = 0.045; position[4] = 0.0, "electrodes Fz and Cz fall on the same face");
  REFUSES(position[0] = position[1] = position[2] = 0.0,
          "electrode Fz, at (0., 0., 0.) m, is"); /* in the hole: far from the outside */
#undef REFUSES
  AgreedFailure(FgMeshCreateVoxels(&grid, 0, voxel, 3, names, places, radii, &mesh, NULL), PETSC_ERR_FILE_UNEXPECTED,
                "mask is empty");
  tilted.affine[2][0] = 1.0;
  AgreedFailure(FgMeshCreateVoxels(&tilted, 1, voxel, 3, names, places, radii, &mesh, NULL), PETSC_ERR_FILE_UNEXPECTED, "tilted");
}

static void SamplesWhatItWasMadeOf(void **state)
{
  static PetscInt  voxel[25 * 25 * 25], where[25 * 25 * 25];
  static TankStore store;

  (void)state;
  for (int k = 0; k < 4; k++) { /* its own grid gives back the voxels */
    const FgGrid   grid = Grid(25, k < 2 ? 25 : 1, 0.3, k % 2 ? -1.0 : 1.0);
    const PetscInt n = Ball(&grid, voxel), all = 25 * 25 * grid.dims[2];
    PetscInt       found = 0;
    FgMesh         mesh;

    AgreedSuccess(FgMeshCreateVoxels(&grid, n, voxel, 0, NULL, NULL, NULL, &mesh, NULL));
    AgreedSuccess(FgMeshSample(mesh, &grid, where));
    for (PetscInt v = 0; v < all; v++) {
      if (where[v] < 0) continue;
      AgreedTrue(mesh->voxel[where[v]] == v);
      found++;
    }
    AgreedTrue(found == mesh->nsites);
    AgreedSuccess(FgMeshDestroy(&mesh));
  }
  for (int k = 0; k < 2;
       k++) { /* a tank: the voxel's center is no farther from the element's than its corners, and the count is the volume */
    const FgGrid grid   = Grid(25, k ? 25 : 3, 0.3, -1.0);
    const int    slices = k ? 25 : 3;
    double      *centroid;
    PetscInt     found = 0;
    FgMesh       mesh;

    MakeTank(&store, 0.045, k ? 0.042 : 0.0, 1, 8, 0.5);
    AgreedSuccess(k ? FgMeshCreateCylinder(&store.tank, 20000, &mesh) : FgMeshCreateDisc(&store.tank, 3000, &mesh));
    AgreedSuccess(FgMeshSample(mesh, &grid, where));
    AgreedSuccess(PetscMalloc1(3 * mesh->nsites, &centroid));
    AgreedSuccess(FgMeshMeasures(mesh, NULL, centroid));
    for (PetscInt v = 0; v < 25 * 25 * slices; v++) {
      const PetscInt index[3] = {v % 25, v / 25 % 25, v / 625};
      double         square = 0.0, reach = 0.0;

      if (where[v] < 0) continue;
      for (int x = 0; x < (k ? 3 : 2); x++) {
        double place = grid.affine[x][3];

        for (int i = 0; i < 3; i++) place += grid.affine[x][i] * (double)index[i];
        square += pow(1e-3 * place - centroid[3 * where[v] + x], 2);
      }
      for (int c = 0; c <= mesh->dim; c++) {
        const double *x = mesh->node + 3 * mesh->element[(mesh->dim + 1) * where[v] + c], *o = centroid + 3 * where[v];

        reach = fmax(reach, hypot(hypot(x[0] - o[0], x[1] - o[1]), x[2] - o[2]));
      }
      AgreedTrue(sqrt(square) <= reach * (1.0 + 1e-9));
      found++;
    }
    AgreedTrue(fabs(found * (k ? 64e-9 : 16e-6 / slices) / TotalVolume(mesh) - 1.0) < (k ? 0.1 : 0.03));
    AgreedSuccess(PetscFree(centroid));
    AgreedSuccess(FgMeshDestroy(&mesh));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(BallIsFilledOnce),
      cmocka_unit_test(ElectrodesOutOfPlaceAreRefused),
      cmocka_unit_test(SamplesWhatItWasMadeOf),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
