/* test_gmsh.c: Gmsh files of both formats, written and binary, say the same mesh; what is wrong with one is said. */
#include "finegrain/mesh.h"
#include "recorder.h"
#include "scratch.h"

#include <math.h>

static const char *const flavors[] = {"22", "22b", "41", "41b"};

static const char *Fixture(const char *shape, const char *flavor)
{
  static char path[4096];
  const char *folder = getenv("FIXTURES");

  snprintf(path, sizeof path, "%s/gmsh/%s%s.msh", folder ? folder : "../../../tests/fixtures", shape, flavor);
  return path;
}

static double Volume(FgMesh mesh)
{
  double *volume, total = 0.0;

  ExpectSuccess(PetscMalloc1(mesh->nsites, &volume));
  ExpectSuccess(FgMeshMeasures(mesh, volume, NULL));
  for (PetscInt s = 0; s < mesh->nsites; s++) total += volume[s];
  ExpectSuccess(PetscFree(volume));
  return total;
}

static void SquareIsTheSameInEveryFlavor(void **state)
{
  static const char *const names[] = {"Electrode_1", "Electrode_2", "Electrode_3", "Electrode_10"};

  (void)state;
  for (int k = 0; k < 4; k++) {
    FgMesh mesh;

    ExpectSuccess(FgMeshReadGmsh(Fixture("square", flavors[k]), 0.001, &mesh));
    assert_true(mesh->dim == 2 && mesh->nnodes == 25 && mesh->nelements == 32 && mesh->nelectrodes == 4);
    assert_true(fabs(Volume(mesh) - 1e-4) < 1e-18);
    for (int i = 0; i < 4; i++) { /* by number, not by name; in the middle of the lower, right, upper and left side */
      const double at = i == 0 || i == 3 ? 0.0 : 0.01;

      assert_string_equal(mesh->electrode[i], names[i]);
      assert_true(mesh->face_start[i + 1] - mesh->face_start[i] == 2 && mesh->electrode_area[i] == 0.0);
      for (PetscInt f = 2 * mesh->face_start[i]; f < 2 * mesh->face_start[i + 1]; f++) {
        const double *x = mesh->node + 3 * mesh->face[f];

        assert_true(fabs(x[i % 2 ? 0 : 1] - at) < 1e-15 && x[i % 2 ? 1 : 0] > 0.002 && x[i % 2 ? 1 : 0] < 0.008);
      }
    }
    ExpectSuccess(FgMeshDestroy(&mesh));
  }
}

static void CubeTakesAllGroupsButTheBoundary(void **state)
{
  (void)state;
  for (int k = 0; k < 4; k++) {
    FgMesh mesh;

    ExpectSuccess(FgMeshReadGmsh(Fixture("cube", flavors[k]), 0.01, &mesh));
    assert_true(mesh->dim == 3 && mesh->nnodes == 27 && mesh->nelements == 48 && mesh->nelectrodes == 2);
    assert_true(fabs(Volume(mesh) - 64e-6) < 1e-18);
    assert_string_equal(mesh->electrode[0], "Oz");
    assert_string_equal(mesh->electrode[1], "Cz");
    for (PetscInt f = 0; f < 12; f++) assert_true(fabs(mesh->node[3 * mesh->face[f] + 2] - (f < 6 ? 0.0 : 0.04)) < 1e-15);
    ExpectSuccess(FgMeshDestroy(&mesh));
  }
}

/* Bytes of the square as 2.2 with the first `old` replaced. */
static const char *Changed(const char *old, const char *with)
{
  static char  path[4096], text[65536], changed[65536];
  FILE        *file = fopen(Fixture("square", "22"), "rb");
  const size_t n    = file ? fread(text, 1, sizeof text - 1, file) : 0;
  char        *place;

  assert_true(n > 0);
  fclose(file);
  text[n] = 0;
  place   = strstr(text, old);
  assert_non_null(place);
  snprintf(changed, sizeof changed, "%.*s%s%s", (int)(place - text), text, with, place + strlen(old));
  snprintf(path, sizeof path, "%s/changed.msh", scratch_folder);
  file = fopen(path, "wb");
  assert_true(file && fwrite(changed, 1, strlen(changed), file) == strlen(changed));
  fclose(file);
  return path;
}

static void WhatIsWrongIsSaid(void **state)
{
  static const struct {
    const char *old, *with, *text;
  } cases[] = {
      {"2.2 0 8", "2.0 0 8", "found Gmsh format 2.0, expected 2.2 or 4.1"},
      {"$MeshFormat", "$Nodes", "found $Nodes first, expected $MeshFormat"},
      {"\n25\n", "\n26\n", "found \"$EndNodes\" in $Nodes"},
      {"\n25\n", "\n99999999\n", "found 99999999 nodes announced in $Nodes, more than"},
      {"\n25\n", "\n24\n", "after $Nodes"},
      {"\n41\n", "\n-1\n", "found the number -1 in $Elements"},
      {"1 1 2 1 1 13 16", "1 8 2 1 1 13 16 19", "found elements of Gmsh type 8 (second order)"},
      {"1 1 2 1 1 13 16", "1 3 2 1 1 13 16 19 22", "found elements of Gmsh type 3 (not a simplex)"},
      {"1 1 2 1 1 13 16", "1 1 2 1 1 13 14", "found node 14 in an element, expected one that $Nodes lists"},
      {"1 1 2 1 1 13 16", "1 1 2 1 1 13 43", "a face of electrode Electrode_1, at"},
      {"1 1 2 1 1 13 16", "1 1 2 1 1 16 19", "electrodes Electrode_1 and Electrode_1 share a face"},
      {"\n13 2.5 0 0\n", "\n10 2.5 0 0\n", "found node 10 twice"},
      {"\n13 2.5 0 0\n", "\n13 2.5 x 0\n", "found \"x\" in $Nodes"},
      {"\n13 2.5 0 0\n", "\n13 nan 0 0\n", "found node 13 at (nan., 0., 0.) m, expected a finite coordinate"},
      {"\n13 2.5 0 0\n", "\n13 2.5 0 1\n", "found node 13 at z = 1. m in a mesh of triangles, expected 0 in two dimensions"},
      {"$EndElements", "", "found the end of the file"},
      {"\"Electrode_3\"", "\"Electrode_3", "found no end of the name of physical group 3"},
      {"1 10 \"Electrode_10\"", "1 3 \"Electrode_10\"", "found two names of physical group 3"},
      {"1 10 \"Electrode_10\"", "1 11 \"Electrode_10\"", "electrode Electrode_10 has no faces"},
  };
  FgMesh mesh;

  (void)state;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    ExpectFailure(FgMeshReadGmsh(Changed(cases[k].old, cases[k].with), 1.0, &mesh), PETSC_ERR_FILE_UNEXPECTED, cases[k].text);
    assert_null(mesh);
  }
  ExpectFailure(FgMeshReadGmsh("/nowhere.msh", 1.0, &mesh), PETSC_ERR_FILE_OPEN, "/nowhere.msh: cannot be opened");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(SquareIsTheSameInEveryFlavor),
      cmocka_unit_test(CubeTakesAllGroupsButTheBoundary),
      cmocka_unit_test(WhatIsWrongIsSaid),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  ScratchOpen();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  ScratchClose();
  FgRecorderStop();
  return PetscFinalize() || failed;
}
