/* test_measurement_mpi.c: what is read from files reaches the right rank, odd samples are flagged, and a damaged file fails
   on all ranks at once. */
#include "agreed.h"

#include "finegrain/measurement.h"
#include "finegrain/result.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <sys/stat.h>

#define NX     5
#define NY     4
#define NZ     3
#define VOXELS (NX * NY * NZ)
#define NV     8 /* two b0, six weighted */

static const FgGrid grid = {
    .dims = {NX, NY, NZ}, .spacing = {2, 2, 2}, .affine = {{-2, 0, 0, 1}, {0, 2, 0, 2}, {0, 0, 2, 3}}, .sform_code = 1};

static float Signal(int v, int voxel)
{
  return (float)(1000 + 10 * voxel + v);
}

static int InMask(int voxel)
{
  return voxel % 3 != 1 && voxel != 12;
}

static void WriteTables(const char *stem)
{
  char path[512];

  snprintf(path, sizeof path, "%s.bval", stem);
  ScratchWriteText(path, "0 1000 1000 1000 5 1000 1000 1000\n");
  snprintf(path, sizeof path, "%s.bvec", stem);
  ScratchWriteText(path, "0 1 0 0 0 .6 .6 0\n0 0 1 0 0 .8 0 .6\n0 0 0 1 0 0 .8 .8\n");
}

/* Voxels 0, 2, 3, 5, 6 are in the mask and odd: a NaN, a zero, a negative sample, all zero, no usable b0. */
static void WriteFiles(void)
{
  const FgImageSpec dwi = {.map = "dwi", .nvolumes = NV}, mask = {.map = "mask", .nvolumes = 1, .store = FG_STORE_UINT8};
  float             values[NV * VOXELS], inside[VOXELS];

  if (Rank()) return;
  for (int v = 0; v < NV; v++) {
    for (int voxel = 0; voxel < VOXELS; voxel++) values[v * VOXELS + voxel] = Signal(v, voxel);
    values[v * VOXELS + 5] = 0;
  }
  values[2 * VOXELS + 0] = NAN;
  values[3 * VOXELS + 2] = 0;
  values[6 * VOXELS + 3] = -4;
  values[0 * VOXELS + 6] = INFINITY;
  values[4 * VOXELS + 6] = 0;
  for (int voxel = 0; voxel < VOXELS; voxel++) inside[voxel] = (float)InMask(voxel);
  if (FgImageWrite(ScratchPath("dwi.nii.gz"), &grid, &dwi, values) ||
      FgImageWrite(ScratchPath("dwi_mask.nii.gz"), &grid, &mask, inside))
    abort();
  WriteTables(ScratchPath("dwi"));
}

static FgMeasurementFiles Files(const char *name)
{
  FgMeasurementFiles files = {.dwi = ""};

  snprintf(files.dwi, sizeof files.dwi, "%s/%s", scratch_folder, name);
  return files;
}

static void VoxelsReachTheirRank(void **state)
{
  FgMeasurementFiles files = Files("dwi.nii.gz");
  FgMeasurement      m;
  PetscInt           nmask = 0, good = 1, total = 0, sum;

  for (int voxel = 0; voxel < VOXELS; voxel++) nmask += InMask(voxel);
  AgreedSuccess(FgMeasurementFind(&files));
  AgreedSuccess(FgMeasurementReadDwi(PETSC_COMM_WORLD, &files, 50.0, &m));
  AgreedTrue(m.nmask == nmask && m.ndata == NV && m.gradients.n == NV && m.gradients.nb0 == 2 && m.gradients.rank == 6);
  AgreedTrue(strstr(m.mask_source, "dwi_mask.nii.gz") && m.grid.dims[1] == NY && m.gradients.b[1] == 1000 &&
             m.gradients.g[3] == -1);
  for (PetscInt k = 0, voxel = 0; voxel < VOXELS; voxel++) good = good && (!InMask((int)voxel) || m.voxel[k++] == voxel);
  AgreedTrue(good);
  for (PetscInt i = 0; i < m.nlocal; i++) {
    const int voxel  = (int)m.voxel[m.first + i];
    const int status = voxel == 5 || voxel == 6                 ? FG_STATUS_CLAMPED | FG_STATUS_NOT_FITTED
                       : voxel == 0 || voxel == 2 || voxel == 3 ? FG_STATUS_CLAMPED
                                                                : 0;

    good = good && m.status[i] == status;
    for (int v = 0; v < NV; v++) {
      const float found = m.data[i * NV + v];
      const int   out   = voxel == 5 || (voxel == 0 && v == 2) || (voxel == 2 && v == 3) || (voxel == 6 && (v == 0 || v == 4));

      good = good && (out ? isnan(found) : found == (voxel == 3 && v == 6 ? -4 : Signal(v, voxel)));
    }
  }
  AgreedTrue(good);
  sum = m.nlocal;
  MPI_Allreduce(&sum, &total, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD);
  AgreedTrue(total == nmask);
  AgreedSuccess(FgMeasurementDestroy(&m));
}

static void ScatterAndGatherAreInverse(void **state)
{
  FgMeasurementFiles files = Files("dwi.nii.gz");
  FgMeasurement      m;
  float              map[VOXELS], local[VOXELS], *back, pairs[2 * VOXELS];
  int                good = 1;

  AgreedSuccess(FgMeasurementFind(&files));
  AgreedSuccess(FgMeasurementReadDwi(PETSC_COMM_WORLD, &files, 50.0, &m));
  for (int voxel = 0; voxel < VOXELS; voxel++) map[voxel] = (float)voxel * 0.5f;
  AgreedSuccess(FgMeasurementScatter(&m, Rank() ? NULL : map, local));
  for (PetscInt i = 0; i < m.nlocal; i++) {
    good             = good && local[i] == 0.5f * (float)m.voxel[m.first + i];
    pairs[2 * i]     = local[i];
    pairs[2 * i + 1] = -local[i];
  }
  AgreedTrue(good);
  AgreedSuccess(FgMeasurementGather(&m, 2, pairs, 99.0f, &back));
  AgreedTrue(Rank() ? back == NULL : back != NULL);
  for (int voxel = 0; voxel < VOXELS && back; voxel++) {
    good = good && back[voxel] == (InMask(voxel) ? map[voxel] : 99.0f) &&
           back[VOXELS + voxel] == (InMask(voxel) ? -map[voxel] : 99.0f);
  }
  AgreedTrue(good);
  AgreedSuccess(PetscFree(back));
  AgreedSuccess(FgMeasurementDestroy(&m));
}

/* Every failure is rank 0's; the others must learn of it, also in the middle of the volumes. */
static void FailuresReachAllRanks(void **state)
{
  const FgImageSpec  spec  = {.map = "mask", .nvolumes = 1};
  FgMeasurementFiles files = Files("missing.nii.gz");
  FgMeasurement      m;
  unsigned char      bytes[16384];

  AgreedFailure(FgMeasurementReadDwi(PETSC_COMM_WORLD, &files, 50.0, &m), PETSC_ERR_FILE_OPEN,
                "missing.nii.gz: cannot be opened");
  files = Files("dwi.nii.gz");
  AgreedFailure(FgMeasurementReadDwi(PETSC_COMM_WORLD, &files, 50.0, &m), PETSC_ERR_FILE_OPEN, "found no b-values beside it");
  files = Files("dwi_mask.nii.gz");
  AgreedFailure(FgMeasurementReadDwi(PETSC_COMM_WORLD, &files, 50.0, &m), PETSC_ERR_FILE_UNEXPECTED, "found one volume");
  if (!Rank()) { /* half of a volume: the header is good, the stream is not */
    const size_t n = ScratchRead(ScratchPath("dwi.nii.gz"), bytes, sizeof bytes);

    ScratchWrite(ScratchPath("cut.nii.gz"), bytes, n - 60);
    WriteTables(ScratchPath("cut"));
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  files = Files("cut.nii.gz");
  snprintf(files.mask, sizeof files.mask, "%s/dwi_mask.nii.gz", scratch_folder);
  AgreedSuccess(FgMeasurementFind(&files));
  AgreedFailure(FgMeasurementReadDwi(PETSC_COMM_WORLD, &files, 50.0, &m), PETSC_ERR_FILE_UNEXPECTED, "cut.nii.gz: truncated");
  for (int k = 0; k < 4; k++) {
    static const char *const texts[] = {"expected the 5 x 4 x 3 of", "found voxels up to", "found no voxel other than 0",
                                        "expected a mask of one"};
    FgGrid                   other   = grid;
    float                    inside[2 * 2 * VOXELS];

    for (int i = 0; i < 4 * VOXELS; i++) inside[i] = k != 2;
    if (k == 0) other.dims[2]++;             /* larger than the data */
    if (k == 1) other.affine[1][3] += 0.003; /* 1.5e-3 of a voxel */
    if (!Rank() &&
        FgImageWrite(ScratchPath("other.nii"), &other, &(FgImageSpec){.map = "mask", .nvolumes = k == 3 ? 2 : 1}, inside))
      abort();
    MPI_Barrier(PETSC_COMM_WORLD);
    files = Files("dwi.nii.gz");
    snprintf(files.mask, sizeof files.mask, "%s/other.nii", scratch_folder);
    AgreedSuccess(FgMeasurementFind(&files));
    AgreedFailure(FgMeasurementReadDwi(PETSC_COMM_WORLD, &files, 50.0, &m), PETSC_ERR_FILE_UNEXPECTED, texts[k]);
  }
  if (!Rank()) { /* within the tolerance */
    FgGrid other          = grid;
    float  inside[VOXELS] = {1};

    other.affine[1][3] += 0.001;
    if (FgImageWrite(ScratchPath("other.nii"), &other, &spec, inside)) abort();
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  AgreedSuccess(FgMeasurementReadDwi(PETSC_COMM_WORLD, &files, 50.0, &m));
  AgreedTrue(m.nmask == 1); /* one voxel: on two ranks one of them has none */
  AgreedSuccess(FgMeasurementDestroy(&m));
}

/* Known Gaussian noise in five b0 volumes of a ball, 2 % of whose voxels jump; no mask is given. */
static void SigmaAndMaskAreFoundInNoise(void **state)
{
  enum { SIDE = 24, VOLUMES = 12, MANY = SIDE * SIDE * SIDE };
  const FgGrid large = {.dims = {SIDE, SIDE, SIDE}, .spacing = {1, 1, 1}, .affine = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
  FgMeasurementFiles files = Files("noisy.nii");
  FgMeasurement      m;
  double             sigma = 0;
  int                ball  = 0;

  for (int v = 0; v < MANY; v++)
    ball += pow(v % SIDE - 11.5, 2) + pow(v / SIDE % SIDE - 11.5, 2) + pow(v / SIDE / SIDE - 11.5, 2) <= 81;
  if (!Rank()) {
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    float   *values;

    if (PetscMalloc1(VOLUMES * MANY, &values)) abort();
    for (int v = 0; v < MANY; v++) {
      const int inside = pow(v % SIDE - 11.5, 2) + pow(v / SIDE % SIDE - 11.5, 2) + pow(v / SIDE / SIDE - 11.5, 2) <= 81;

      for (int k = 0; k < VOLUMES; k++) {
        values[k * MANY + v] = (float)((inside ? (k < 5 ? 500 : 250) : 20) + 7.0 * gsl_ran_gaussian(random, 1.0) +
                                       (v % 50 == 0 && k == 1 ? 400 : 0));
      }
    }
    if (FgImageWrite(ScratchPath("noisy.nii"), &large, &(FgImageSpec){.map = "dwi", .nvolumes = VOLUMES}, values)) abort();
    ScratchWriteText(ScratchPath("noisy.b"), "0 0 0 0\n0 0 0 0\n0 0 0 0\n0 0 0 0\n0 0 0 0\n1 0 0 1000\n0 1 0 1000\n0 0 1 "
                                             "1000\n.6 .8 0 1000\n.6 0 .8 1000\n0 .6 .8 1000\n1 1 1 1000\n");
    if (PetscFree(values)) abort();
    gsl_rng_free(random);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  AgreedSuccess(FgMeasurementFind(&files));
  AgreedTrue(strstr(files.bval, "noisy.b") && !files.bvec[0]);
  AgreedSuccess(FgMeasurementReadDwi(PETSC_COMM_WORLD, &files, 50.0, &m));
  AgreedTrue(!strcmp(m.mask_source, "otsu"));
  AgreedTrue(abs((int)m.nmask - ball) < 0.05 * ball);
  AgreedSuccess(FgMeasurementSigmaFromB0(&m, &sigma));
  AgreedTrue(fabs(sigma / 7.0 - 1.0) < 0.05); /* standard error of the median of 3000 variances: 1.6 % of sigma */
  m.gradients.nb0 = 1;
  AgreedFailure(FgMeasurementSigmaFromB0(&m, &sigma), PETSC_ERR_USER, "found 1 b0 volume, expected at least 2");
  AgreedSuccess(FgMeasurementDestroy(&m));
}

/* One tensor, stored by the rules of three programs on an oblique grid of either determinant, is one tensor again. */
static void TensorsComeInEveryOrderAndFrame(void **state)
{
  static const double      D[3][3]         = {{1.7e-3, 2e-4, -1e-4}, {2e-4, 6e-4, 3e-4}, {-1e-4, 3e-4, 4e-4}}; /* scanner frame */
  static const int         places[3][6][2] = {{{0, 0}, {0, 1}, {1, 1}, {0, 2}, {1, 2}, {2, 2}},
                                              {{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}},
                                              {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}}};
  static const char *const orders[]        = {"nifti", "fsl", "mrtrix"};
  const double             c = cos(0.4), s = sin(0.4);

  for (int sign = -1; sign <= 1; sign += 2) {
    const double R[3][3] = {{sign * c, -s, 0}, {sign * s, c, 0}, {0, 0, 1}}; /* determinant: sign */

    for (int k = 0; k < 3; k++) {
      FgGrid             oblique = {.dims = {2, 1, 1}, .spacing = {2, 2, 2}};
      const FgImageSpec  spec    = {.map = "tensor", .nvolumes = 6, .intent_code = k == 0 ? 1005 : 0};
      FgMeasurementFiles files   = Files("tensor.nii.gz");
      FgMeasurement      m;
      float              values[12];
      int                good = 1;

      for (int i = 0; i < 9; i++) oblique.affine[i / 3][i % 3] = 2 * R[i / 3][i % 3];
      for (int p = 0; p < 6; p++) {
        double value = 0;

        for (int i = 0; i < 9; i++) { /* R^T D R; FSL: x once more negated where det > 0 */
          value += R[i / 3][places[k][p][0]] * D[i / 3][i % 3] * R[i % 3][places[k][p][1]];
        }
        if (k == 1 && sign > 0 && (places[k][p][0] == 0) != (places[k][p][1] == 0)) value = -value;
        if (k == 2) value = D[places[k][p][0]][places[k][p][1]];
        values[2 * p]     = (float)value;
        values[2 * p + 1] = p == 3 ? NAN : 1;
      }
      if (!Rank() && FgImageWrite(ScratchPath("tensor.nii.gz"), &oblique, &spec, values)) abort();
      MPI_Barrier(PETSC_COMM_WORLD);
      if (k)
        AgreedFailure(FgMeasurementReadTensor(PETSC_COMM_WORLD, &files, "auto", "auto", &m), PETSC_ERR_USER,
                      "do not say their order");
      AgreedSuccess(FgMeasurementReadTensor(PETSC_COMM_WORLD, &files, k ? orders[k] : "auto", "auto", &m));
      AgreedTrue(m.nmask == 1 && m.ndata == 6 && m.gradients.n == 0); /* the voxel with the NaN is left out */
      for (PetscInt i = 0; i < m.nlocal; i++) {
        const double expected[6] = {D[0][0], D[1][1], D[2][2], sqrt(2) * D[0][1], sqrt(2) * D[0][2], sqrt(2) * D[1][2]};

        for (int p = 0; p < 6; p++) good = good && fabs(m.data[p] - expected[p]) < 1e-9;
      }
      AgreedTrue(good);
      AgreedSuccess(FgMeasurementDestroy(&m));
      AgreedFailure(FgMeasurementReadTensor(PETSC_COMM_WORLD, &files, "ants", "auto", &m), PETSC_ERR_USER, "\"ants\" is unknown");
      AgreedFailure(FgMeasurementReadTensor(PETSC_COMM_WORLD, &files, "fsl", "lps", &m), PETSC_ERR_USER, "\"lps\" is unknown");
      if (!Rank()) ScratchWriteText(ScratchPath("tensor.json"), "{\"ReferenceAxes\": \"xyz\"}"); /* the sidecar is believed */
      MPI_Barrier(PETSC_COMM_WORLD);
      AgreedSuccess(FgMeasurementReadTensor(PETSC_COMM_WORLD, &files, orders[k], "auto", &m));
      AgreedTrue(!m.nlocal || m.data[0] == values[0]); /* xx as stored: not turned */
      AgreedSuccess(FgMeasurementDestroy(&m));
      if (!Rank()) (void)remove(ScratchPath("tensor.json"));
      MPI_Barrier(PETSC_COMM_WORLD);
    }
  }
}

static void FilesAreFoundByName(void **state)
{
  static const struct {
    const char *dwi, *bval, *bvec, *mask;
  } cases[] = {
      {"data.nii.gz", "bvals", "bvecs", "nodif_brain_mask.nii.gz"},
      {"sub-01_dwi.nii.gz", "sub-01_dwi.bval", "sub-01_dwi.bvec", "sub-01_desc-brain_mask.nii.gz"},
      {"sub-02_dir-AP_dwi.nii", "sub-02_dir-AP_dwi.bval", "sub-02_dir-AP_dwi.bvec", "sub-02_space-T1w_desc-brain_mask.nii.gz"},
      {"x.nii.gz", "x.bval", "x.bvec", "x_brain_mask.nii.gz"},
  };

  if (Rank()) return;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const char *const  names[] = {cases[k].bval, cases[k].bvec, cases[k].mask};
    char               paths[3][600], folder[300];
    FgMeasurementFiles files = {.dwi = ""};

    snprintf(folder, sizeof folder, "%s/find-%d", scratch_folder, (int)k);
    assert_int_equal(mkdir(folder, 0777), 0);
    for (int i = 0; i < 3; i++) {
      snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]);
      ScratchWriteText(paths[i], "");
    }
    snprintf(files.dwi, sizeof files.dwi, "%s/%s", folder, cases[k].dwi);
    ExpectSuccess(FgMeasurementFind(&files));
    assert_string_equal(files.bval, paths[0]);
    assert_string_equal(files.bvec, paths[1]);
    assert_string_equal(files.mask, paths[2]);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(VoxelsReachTheirRank),
      cmocka_unit_test(ScatterAndGatherAreInverse),
      cmocka_unit_test(FailuresReachAllRanks),
      cmocka_unit_test(SigmaAndMaskAreFoundInNoise),
      cmocka_unit_test(TensorsComeInEveryOrderAndFrame),
      cmocka_unit_test(FilesAreFoundByName),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  AgreedScratchOpen();
  WriteFiles();
  MPI_Barrier(PETSC_COMM_WORLD);
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  AgreedScratchClose();
  FgRecorderStop();
  return PetscFinalize() || failed;
}
