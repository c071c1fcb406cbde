/* test_gradients.c: gradient tables in every shape found in the wild, MRtrix's answer for both signs of the determinant, and
   refusals that name both counts. */
#include "recorder.h"
#include "scratch.h"

#include "data/table.h"
#include "finegrain/measurement.h"

#include <math.h>

static const FgGrid identity = {.dims = {2, 2, 2}, .spacing = {1, 1, 1}, .affine = {{-1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};

/* Seven volumes: one b0 and six directions that determine a tensor; det < 0, R = diag(-1, 1, 1): x changes its sign. */
#define BVAL  "0 1000 1000 1000 1000 1000 1000\n"
#define ROW_X "0 1 0 0 0.6 0.6 0"
#define ROW_Y "0 0 1 0 0.8 0 0.6"
#define ROW_Z "0 0 0 1 0 0.8 0.8"

static const double expected_directions[7][3] = {{0, 0, 0},      {-1, 0, 0},     {0, 1, 0},    {0, 0, 1},
                                                 {-0.6, 0.8, 0}, {-0.6, 0, 0.8}, {0, 0.6, 0.8}};

static PetscErrorCode Read(const char *bval, const char *bvec, PetscInt nvolumes, FgGradients *gradients)
{
  ScratchWrite(ScratchPath("t.bval"), bval, strlen(bval));
  if (bvec) ScratchWrite(ScratchPath("t.bvec"), bvec, strlen(bvec));
  return FgGradientsRead(ScratchPath("t.bval"), bvec ? ScratchPath("t.bvec") : NULL, &identity, nvolumes, 50.0, PETSC_FALSE,
                         gradients);
}

static void ExpectDirections(const char *bval, const char *bvec, double sign_x)
{
  FgGradients gradients;

  ExpectSuccess(Read(bval, bvec, 7, &gradients));
  assert_int_equal(gradients.nb0, 1);
  assert_int_equal(gradients.rank, 6);
  for (int v = 0; v < 7; v++) {
    assert_true(v == 0 || gradients.b[v] == 1000.0);
    for (int k = 0; k < 3; k++) assert_true(fabs(gradients.g[3 * v + k] - (k ? 1 : sign_x) * expected_directions[v][k]) < 1e-12);
  }
  ExpectSuccess(FgGradientsDestroy(&gradients));
}

static void ReadsEveryShape(void **state)
{
  const char *rows = ROW_X "\n" ROW_Y "\n" ROW_Z "\n", *columns = "0 0 0\n1 0 0\n0 1 0\n0 0 1\n0.6 0.8 0\n0.6 0 0.8\n0 0.6 0.8";

  ExpectDirections(BVAL, rows, 1);
  ExpectDirections("0\n1000\n1000\n1000\n1000\n1000\n1000", columns, 1);
  ExpectDirections("0\t1000\t1000\t1000\t1000\t1000\t1000\t\r\n",
                   "0\t1\t0\t0\t.6\t.6\t0\r\n0\t0\t1\t0\t.8\t0\t.6\r\n0\t0\t0\t1\t0\t.8\t.8\r\n\r\n", 1);
  ExpectDirections("0,1000,1000,1000,1000,1000,1000", ROW_X "\r" ROW_Y "\r" ROW_Z, 1);
  ExpectDirections("\xEF\xBB\xBF" BVAL, rows, 1);
  for (int k = 0; k < 4; k++) { /* b0 as machines write it */
    static const char *const zeros[] = {"0.001", "1.25", "5", "5e0"};
    char                     bval[128];

    snprintf(bval, sizeof bval, "%s 1000 1000 1000 1000 1000 1000", zeros[k]);
    ExpectDirections(bval, rows, 1);
    ExpectDirections(bval, "nan 1 0 0 0.6 0.6 0\nNaN 0 1 0 0.8 0 0.6\nnan 0 0 1 0 0.8 0.8", 1);
    ExpectDirections(bval, "0.577 1 0 0 0.6 0.6 0\n0.577 0 1 0 0.8 0 0.6\n0.577 0 0 1 0 0.8 0.8", 1);
  }
  /* MRtrix: in the scanner frame already */
  ExpectDirections(
      "# command_history: mrinfo\n0 0 0 0\n1 0 0 1000\n0 1 0 1000\n0 0 1 1000\n.6 .8 0 1000\n.6 0 .8 1000\n0 .6 .8 1000\n", NULL,
      -1);
}

static void NormalizesDirectionsAndCountsThem(void **state)
{
  FgGradients gradients;

  ExpectSuccess(Read(BVAL, "0 2 0 0 0.6 0.6 0\n0 0 1 0 0.8 0 0.6\n0 0 0 1.0005 0 0.8 0.8", 7, &gradients));
  assert_int_equal(gradients.nrescaled, 1); /* 2 is counted, 1.0005 is rounding */
  assert_true(gradients.g[3] == -1.0 && gradients.b[1] == 1000.0);
  assert_true(fabs(gradients.g[11] - 1.0) < 1e-15);
  ExpectSuccess(FgGradientsDestroy(&gradients));
}

static void ReadAffine(const char *name, FgGrid *grid)
{
  char    path[512];
  FgTable table;

  snprintf(path, sizeof path, "%s/gradients/%s.affine", getenv("FIXTURES"), name);
  ExpectSuccess(FgTableRead(path, &table));
  assert_int_equal(table.nvalues, 12);
  memset(grid, 0, sizeof *grid);
  for (int i = 0; i < 12; i++) grid->affine[i / 4][i % 4] = table.values[i];
  ExpectSuccess(FgTableDestroy(&table));
}

static void AgreesWithMrtrixForBothDeterminants(void **state)
{
  static const char *const names[] = {"oblique", "detpos", "detneg"};
  static const int         signs[] = {-1, 1, -1};

  if (!getenv("FIXTURES")) skip();
  for (int k = 0; k < 3; k++) {
    char        bval[512], bvec[512], dwgrad[512];
    FgGrid      grid;
    FgTable     table;
    FgGradients gradients, again;

    snprintf(bval, sizeof bval, "%s/gradients/%s.bval", getenv("FIXTURES"), names[k]);
    snprintf(bvec, sizeof bvec, "%s/gradients/%s.bvec", getenv("FIXTURES"), names[k]);
    snprintf(dwgrad, sizeof dwgrad, "%s/gradients/%s.dwgrad", getenv("FIXTURES"), names[k]);
    ReadAffine(names[k], &grid);
    assert_true(FgGridDeterminant(&grid) * signs[k] > 0);
    ExpectSuccess(FgTableRead(dwgrad, &table));
    assert_int_equal(table.ncolumns, 4);
    ExpectSuccess(FgGradientsRead(bval, bvec, &grid, table.nrows, 50.0, PETSC_FALSE, &gradients));
    for (PetscInt v = 0; v < table.nrows; v++) {
      if (gradients.b[v] <= 50.0) continue;
      for (int i = 0; i < 3; i++) assert_true(fabs(gradients.g[3 * v + i] - table.values[4 * v + i]) < 2e-6);
    }
    ExpectSuccess(FgTableDestroy(&table));
    /* and back through our own files */
    ExpectSuccess(FgGradientsWrite(&gradients, &grid, ScratchPath("w.bval"), ScratchPath("w.bvec")));
    ExpectSuccess(FgGradientsRead(ScratchPath("w.bval"), ScratchPath("w.bvec"), &grid, gradients.n, 50.0, PETSC_FALSE, &again));
    for (PetscInt i = 0; i < 3 * gradients.n; i++) assert_true(fabs(gradients.g[i] - again.g[i]) < 1e-9);
    for (PetscInt v = 0; v < gradients.n; v++) assert_true(gradients.b[v] == again.b[v]);
    ExpectSuccess(FgGradientsDestroy(&gradients));
    ExpectSuccess(FgGradientsDestroy(&again));
  }
}

static void ExpectRefusal(const char *bval, const char *bvec, PetscInt nvolumes, const char *text)
{
  FgGradients gradients;

  ExpectFailure(Read(bval, bvec, nvolumes, &gradients), PETSC_ERR_FILE_UNEXPECTED, text);
  if (!strstr(recorded_message, "/t.bv")) fail_msg("\"%s\" names no file", recorded_message);
}

static void RefusesWhatCannotBe(void **state)
{
  const char *rows = ROW_X "\n" ROW_Y "\n" ROW_Z "\n";

  ExpectRefusal(BVAL, rows, 8, "found 7 b-values, expected 8");
  ExpectRefusal("0 1000 1000 1000 1000 1000 1000 1000", rows, 8, "found 3 rows of 7 numbers, expected 3 rows of 8");
  ExpectRefusal(BVAL, "0 1 0\n0 0 1 0\n", 7, "rows of different lengths");
  ExpectRefusal(BVAL, NULL, 7, "expected 7 rows x y z b");
  ExpectRefusal("0 1000 1000 nan 1000 1000 1000", rows, 7, "of volume 4");
  ExpectRefusal("0 1000 1000 -1000 1000 1000 1000", rows, 7, "of volume 4");
  ExpectRefusal("0 1000 1000 inf 1000 1000 1000", rows, 7, "of volume 4");
  ExpectRefusal("0 1000 1000 x1 1000 1000 1000", rows, 7, "line 1: found \"x1\"");
  ExpectRefusal("0 1 1 1 1 1 1", rows, 7, "no b-value above the b0 threshold");
  ExpectRefusal("1000 1000 1000 1000 1000 1000 1000", "1 1 0 0 .6 .6 0\n0 0 1 0 .8 0 .6\n0 0 0 1 0 .8 .8", 7,
                "no b-value at or below");
  ExpectRefusal(BVAL, "0 1 0 nan .6 .6 0\n0 0 1 0 .8 0 .6\n0 0 0 1 0 .8 .8", 7, "of volume 4");
  ExpectRefusal(BVAL, "0 1 0 0 .6 .6 0\n0 0 1 0 .8 0 .6\n0 0 0 0 0 .8 .8", 7, "of volume 4");
  ExpectRefusal(BVAL, "0 1 1 1 1 1 1\n0 0 0 0 0 0 0\n0 0 0 0 0 0 0", 7, "determine 1 of the 6");
  ExpectRefusal(BVAL, "0 1 0 .6 .8 .28 .96\n0 0 1 .8 .6 .96 .28\n0 0 0 0 0 0 0", 7,
                "determine 3 of the 6"); /* all in one plane */
  ExpectRefusal("", rows, 7, "no numbers");
  ExpectRefusal("# nothing\n\n", rows, 7, "no numbers");
}

static void RefusesWhatIsNoTable(void **state)
{
  static const char binary[] = {'0', ' ', 0, '1'};
  FgGradients       gradients;

  ScratchWrite(ScratchPath("binary.bval"), binary, sizeof binary);
  ExpectFailure(FgGradientsRead(ScratchPath("binary.bval"), NULL, &identity, 7, 50, PETSC_FALSE, &gradients),
                PETSC_ERR_FILE_UNEXPECTED, "binary data");
  ExpectFailure(FgGradientsRead(ScratchPath("missing.bval"), NULL, &identity, 7, 50, PETSC_FALSE, &gradients),
                PETSC_ERR_FILE_OPEN, "missing.bval: cannot be opened");
  ExpectFailure(FgGradientsRead(scratch_folder, NULL, &identity, 7, 50, PETSC_FALSE, &gradients), PETSC_ERR_FILE_OPEN,
                "directory");
}

static void AllowsDeficientDesignsWhereAsked(void **state)
{
  FgGradients gradients;

  ScratchWrite(ScratchPath("d.bval"), "0 1000", 6);
  ScratchWrite(ScratchPath("d.bvec"), "0 1\n0 0\n0 0", 11);
  ExpectSuccess(FgGradientsRead(ScratchPath("d.bval"), ScratchPath("d.bvec"), &identity, 2, 50, PETSC_TRUE, &gradients));
  assert_int_equal(gradients.rank, 1);
  ExpectSuccess(FgGradientsDestroy(&gradients));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ReadsEveryShape),
      cmocka_unit_test(NormalizesDirectionsAndCountsThem),
      cmocka_unit_test(AgreesWithMrtrixForBothDeterminants),
      cmocka_unit_test(RefusesWhatCannotBe),
      cmocka_unit_test(RefusesWhatIsNoTable),
      cmocka_unit_test(AllowsDeficientDesignsWhereAsked),
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
