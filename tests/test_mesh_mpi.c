/* test_mesh_mpi.c: meshes of tanks against closed forms; what FgMeshFinish refuses; a mesh on every rank. */
#include "meshes.h"

static void DiscIsRoundAndGraded(void **state)
{
  static const struct {
    int    n, elements;
    double share;
  } cases[] = {{16, 10000, 0.5}, {2, 800, 0.3}, {256, 20000, 0.5}, {16, 6000, 1.0}, {32, 6000, 0.999}, {24, 3000, 0.02}};
  static TankStore store;

  (void)state;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const FgTank *tank = MakeTank(&store, 0.115, 0.0, 1, cases[k].n, cases[k].share);
    FgMesh        mesh;
    double        angle, inside = 0.0, shortest = INFINITY, *volume, *centroid;

    AgreedSuccess(FgMeshCreateDisc(tank, cases[k].elements, &mesh));
    angle = SmallestAngle(mesh);
    if (!Rank()) print_message("disc: %d elements, smallest angle %.1f degrees\n", (int)mesh->nelements, angle);
    AgreedTrue(mesh->dim == 2 && mesh->nsites == mesh->nelements && mesh->nelectrodes == cases[k].n);
    AgreedTrue(fabs(mesh->nelements / (double)cases[k].elements - 1.0) < 0.2);
    AgreedTrue(fabs(TotalVolume(mesh) / (M_PI * 0.115 * 0.115) - 1.0) < 1.5 * M_PI * M_PI / mesh->nelements);
    AgreedTrue(angle > 24.0);
    for (PetscInt i = 0; i < mesh->nelectrodes; i++) {
      AgreedTrue(fabs(FacesArea(mesh, i) / store.width[i] - 1.0) < 2e-3 && mesh->electrode_area[i] == store.width[i]);
      AgreedTrue(!strcmp(mesh->electrode[i], store.name[i]));
      for (PetscInt f = 2 * mesh->face_start[i]; f < 2 * mesh->face_start[i + 1]; f++) {
        const double *x = mesh->node + 3 * mesh->face[f];

        AgreedTrue(fabs(hypot(x[0], x[1]) / 0.115 - 1.0) < 1e-12);
      }
      for (PetscInt f = mesh->face_start[i]; f < mesh->face_start[i + 1]; f++) {
        const double *a = mesh->node + 3 * mesh->face[2 * f], *b = mesh->node + 3 * mesh->face[2 * f + 1];

        shortest = fmin(shortest, hypot(a[0] - b[0], a[1] - b[1]));
      }
    }
    AgreedTrue(shortest < 0.3 * sqrt(2.0 * M_PI * 0.115 * 0.115 / mesh->nelements)); /* than edges of a mesh of even size */
    /* No element crosses the polygon of the circle of half the radius, which has the circle's area. */
    AgreedSuccess(PetscMalloc2(mesh->nsites, &volume, 3 * mesh->nsites, &centroid));
    AgreedSuccess(FgMeshMeasures(mesh, volume, centroid));
    for (PetscInt e = 0; e < mesh->nelements; e++) {
      const double rho = hypot(centroid[3 * e], centroid[3 * e + 1]);

      if (rho < 0.5 * 0.115) inside += volume[e];
    }
    AgreedTrue(fabs(inside / (M_PI * 0.25 * 0.115 * 0.115) - 1.0) < 1e-12);
    AgreedSuccess(PetscFree2(volume, centroid));
    AgreedSuccess(FgMeshDestroy(&mesh));
  }
}

static void DiscRefusesWhatDoesNotFit(void **state)
{
  static TankStore store;
  FgMesh           mesh;

  (void)state;
  AgreedFailure(FgMeshCreateDisc(MakeTank(&store, 0.1, 0.0, 1, 8, 1.01), 1000, &mesh), PETSC_ERR_FILE_UNEXPECTED,
                "E2 and E1 overlap");
  AgreedFailure(FgMeshCreateDisc(MakeTank(&store, -0.1, 0.0, 1, 8, 0.5), 1000, &mesh), PETSC_ERR_FILE_UNEXPECTED, "radius -0.1");
  MakeTank(&store, 0.1, 0.0, 1, 8, 0.5);
  store.angle[3] = NAN;
  AgreedFailure(FgMeshCreateDisc(&store.tank, 1000, &mesh), PETSC_ERR_FILE_UNEXPECTED, "electrode E4");
  store.angle[3] = store.angle[2] + 2.0 * M_PI; /* the same place, a turn on */
  AgreedFailure(FgMeshCreateDisc(&store.tank, 1000, &mesh), PETSC_ERR_FILE_UNEXPECTED, "E4 and E3 overlap");
}

static void CylinderIsFilled(void **state)
{
  static const struct {
    int    n, rings, elements;
    double height;
  } cases[] = {{16, 1, 20000, 0.1}, {8, 3, 60000, 0.3}, {32, 1, 40000, 0.05}};
  static TankStore store;

  (void)state;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const FgTank *tank   = MakeTank(&store, 0.115, cases[k].height, cases[k].rings, cases[k].n, 0.5);
    const double  volume = M_PI * 0.115 * 0.115 * cases[k].height;
    FgMesh        mesh;
    double        angle;

    AgreedSuccess(FgMeshCreateCylinder(tank, cases[k].elements, &mesh));
    angle = SmallestAngle(mesh);
    if (!Rank()) print_message("cylinder: %d elements, smallest angle %.1f degrees\n", (int)mesh->nelements, angle);
    AgreedTrue(mesh->dim == 3 && fabs(mesh->nelements / (double)cases[k].elements - 1.0) < 0.2);
    AgreedTrue(angle > 5.0 && fabs(TotalVolume(mesh) / volume - 1.0) < 0.02);
    for (PetscInt i = 0; i < mesh->nelectrodes; i++) {
      AgreedTrue(fabs(mesh->electrode_area[i] / (store.width[i] * store.tall[i]) - 1.0) < 1e-12);
      AgreedTrue(fabs(FacesArea(mesh, i) / mesh->electrode_area[i] - 1.0) < 5e-3);
      for (PetscInt f = 3 * mesh->face_start[i]; f < 3 * mesh->face_start[i + 1]; f++) {
        const double *x = mesh->node + 3 * mesh->face[f];

        AgreedTrue(fabs(x[2] - store.z[i]) < store.tall[i] / 2.0 + 1e-9);
      }
    }
    AgreedSuccess(FgMeshDestroy(&mesh));
  }
  AgreedFailure(FgMeshCreateCylinder(MakeTank(&store, 0.1, 0.0, 1, 8, 0.5), 1000, &(FgMesh){NULL}), PETSC_ERR_FILE_UNEXPECTED,
                "height 0");
  MakeTank(&store, 0.1, 0.2, 1, 8, 0.5);
  store.z[2] = 0.19;
  AgreedFailure(FgMeshCreateCylinder(&store.tank, 1000, &(FgMesh){NULL}), PETSC_ERR_FILE_UNEXPECTED,
                "electrode E3 is 0.08 m tall at z = 0.19");
}

/* Two triangles on a square, the second upside down, one node too many; electrodes left and right. */
static FgMesh Square(void)
{
  static const double   node[]    = {0, 0, 0, 1, 0, 0, 7, 7, 0, 1, 1, 0, 0, 1, 0};
  static const PetscInt element[] = {0, 1, 3, 4, 3, 0}, face[] = {0, 4, 3, 1};
  FgMesh                mesh;

  AgreedSuccess(FgMeshCreate(2, 5, 2, 2, 2, &mesh));
  memcpy(mesh->node, node, sizeof node);
  memcpy(mesh->element, element, sizeof element);
  memcpy(mesh->face, face, sizeof face);
  for (int i = 0; i < 2; i++) {
    mesh->face_start[i + 1] = i + 1;
    snprintf(mesh->electrode[i], 32, "%s", i ? "right" : "left");
  }
  return mesh;
}

static void FinishPutsInOrder(void **state)
{
  FgMesh mesh = Square();

  (void)state;
  AgreedSuccess(FgMeshFinish(mesh, "square"));
  AgreedTrue(mesh->nnodes == 4 && mesh->nsites == 2 && mesh->site[0] == 0 && mesh->site[1] == 1);
  AgreedTrue(fabs(TotalVolume(mesh) - 1.0) < 1e-15);
  for (int i = 0; i < 2; i++) {
    for (int k = 0; k < 2; k++) AgreedTrue(mesh->node[3 * mesh->face[2 * i + k]] == i);
  }
  for (PetscInt k = 0, highest = -1; k < 6; k++) { /* nodes are numbered as elements meet them */
    AgreedTrue(mesh->element[k] <= highest + 1);
    highest = PetscMax(highest, mesh->element[k]);
  }
  AgreedSuccess(FgMeshDestroy(&mesh));
}

static void FinishRefuses(void **state)
{
  FgMesh mesh;

  (void)state;
#define REFUSES(change, text) \
  do { \
    mesh = Square(); \
    change; \
    AgreedFailure(FgMeshFinish(mesh, "square"), PETSC_ERR_FILE_UNEXPECTED, text); \
    AgreedSuccess(FgMeshDestroy(&mesh)); \
  } while (0)
  REFUSES(mesh->element[4] = 5, "square: element 1 has node 5, expected 0 to 4");
  REFUSES(mesh->element[4] = -1, "element 1 has node -1");
  REFUSES(mesh->element[4] = 0, "element 1 has no area");
  REFUSES(mesh->node[4] = INFINITY, "node 1 is at inf");
  REFUSES(mesh->node[2] = 1.0, "node 0 has z = 1");
  REFUSES(mesh->face_start[2] = 1, "electrode right has no faces");
  REFUSES(mesh->face[3] = 9, "a face of electrode right has node 9");
  REFUSES(mesh->face[3] = 2, "a face of electrode right has node 2, which no element has");
  REFUSES(mesh->face[2] = 0; mesh->face[3] = 3, "a face of electrode right, at");
  REFUSES(mesh->face[2] = 4; mesh->face[3] = 0, "electrodes left and right share a face");
  REFUSES(mesh->nelements = 0, "found no elements");
#undef REFUSES
  AgreedSuccess(FgMeshCreate(2, 6, 2, 0, 0, &mesh));
  for (int k = 0; k < 6; k++) {
    mesh->node[3 * k]     = k == 1 || k == 4 ? 1.0 : 0.0;
    mesh->node[3 * k + 1] = (k == 2 || k == 5 ? 1.0 : 0.0) + (k > 2 ? 5.0 : 0.0);
    mesh->element[k]      = k;
  }
  AgreedFailure(FgMeshFinish(mesh, "two"), PETSC_ERR_FILE_UNEXPECTED,
                "two: found a mesh in several pieces (one has 1 of 2 elements)");
  AgreedSuccess(FgMeshDestroy(&mesh));
}

static void BroadcastsWhole(void **state)
{
  static TankStore store;
  FgMesh           mesh = NULL, mine;

  (void)state;
  MakeTank(&store, 1.0, 0.0, 1, 8, 0.5);
  AgreedSuccess(FgMeshCreateDisc(&store.tank, 700, &mine));
  if (!Rank()) AgreedTrue(!FgMeshCreateDisc(&store.tank, 700, &mesh));
  else AgreedTrue(1);
  AgreedSuccess(FgMeshBroadcast(PETSC_COMM_WORLD, &mesh));
  AgreedTrue(mesh->dim == 2 && mesh->nnodes == mine->nnodes && mesh->nelements == mine->nelements &&
             mesh->nsites == mine->nsites);
  AgreedTrue(SameBytes(mesh->node, mine->node, 3 * sizeof(double) * mine->nnodes));
  AgreedTrue(SameBytes(mesh->element, mine->element, 3 * sizeof(PetscInt) * mine->nelements));
  AgreedTrue(SameBytes(mesh->site, mine->site, sizeof(PetscInt) * mine->nelements) && !mesh->voxel);
  AgreedTrue(SameBytes(mesh->electrode, mine->electrode, sizeof(mine->electrode[0]) * 8));
  AgreedTrue(SameBytes(mesh->face_start, mine->face_start, sizeof(PetscInt) * 9));
  AgreedTrue(SameBytes(mesh->face, mine->face, 2 * sizeof(PetscInt) * mine->face_start[8]));
  AgreedTrue(SameBytes(mesh->electrode_area, mine->electrode_area, sizeof(double) * 8));
  AgreedSuccess(FgMeshDestroy(&mesh));
  AgreedSuccess(FgMeshDestroy(&mine));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(DiscIsRoundAndGraded), cmocka_unit_test(DiscRefusesWhatDoesNotFit), cmocka_unit_test(FinishPutsInOrder),
      cmocka_unit_test(FinishRefuses),        cmocka_unit_test(CylinderIsFilled),          cmocka_unit_test(BroadcastsWhole),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  FgRecorderStop();
  return PetscFinalize() || failed;
}
