/* test_nifti.c: NIfTI images are read whatever their type and byte order, refused with one line where they are damaged, and
   written whole or not at all. */
#include "recorder.h"
#include "scratch.h"

#include "finegrain/image.h"

#include <math.h>
#include <nifti2_io.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>

#define NX     3
#define NY     4
#define NZ     2
#define NV     5
#define VOXELS (NX * NY * NZ)
#define VALUES (VOXELS * NV)

typedef union {
  nifti_1_header one;
  nifti_2_header two;
  unsigned char  bytes[544];
} Header;

static nifti_1_header GoodHeader(void)
{
  const nifti_1_header h = {.sizeof_hdr = 348,
                            .dim        = {4, NX, NY, NZ, NV, 1, 1, 1},
                            .datatype   = NIFTI_TYPE_INT16,
                            .bitpix     = 16,
                            .pixdim     = {1, 2, 2, 3, 1, 0, 0, 0},
                            .vox_offset = 352,
                            .scl_slope  = 0.5f,
                            .scl_inter  = 10,
                            .xyzt_units = 10,
                            .sform_code = 1,
                            .srow_x     = {-2, 0, 0, 10},
                            .srow_y     = {0, 2, 0, -20},
                            .srow_z     = {0, 0, 3, 5},
                            .magic      = "n+1"};

  return h;
}

static nifti_2_header GoodHeader2(void)
{
  const nifti_2_header h = {.sizeof_hdr = 540,
                            .dim        = {4, NX, NY, NZ, NV, 1, 1, 1},
                            .datatype   = NIFTI_TYPE_INT16,
                            .bitpix     = 16,
                            .pixdim     = {1, 2, 2, 3, 1, 0, 0, 0},
                            .vox_offset = 544,
                            .scl_slope  = 0.5,
                            .scl_inter  = 10,
                            .xyzt_units = 10,
                            .sform_code = 1,
                            .srow_x     = {-2, 0, 0, 10},
                            .srow_y     = {0, 2, 0, -20},
                            .srow_z     = {0, 0, 3, 5},
                            .magic      = {'n', '+', '2', 0, '\r', '\n', '\032', '\n'}};

  return h;
}

/* The header, four bytes of extension flag, then 16-bit numbers 0, 1, 2 ...; returns the size of the file. */
static size_t Assemble(const void *header, size_t size, unsigned char *bytes)
{
  memset(bytes, 0, 4096);
  memcpy(bytes, header, size);
  for (int16_t i = 0; i < VALUES; i++) memcpy(bytes + size + 4 + 2 * i, &i, 2);
  return size + 4 + 2 * VALUES;
}

static void WriteGz(const char *path, const void *bytes, size_t n)
{
  gzFile file = gzopen(path, "wb");

  assert_int_equal(gzwrite(file, bytes, (unsigned)n), n);
  assert_int_equal(gzclose(file), Z_OK);
}

/* Reads header and data; the message must name the file and contain `text`. */
static void ExpectRefusal(const char *path, PetscErrorCode code, const char *text)
{
  FgImageInfo info;
  float      *values;

  ExpectFailure(FgImageRead(path, &info, &values), code, path);
  if (!strstr(recorded_message, text)) fail_msg("\"%s\" does not say \"%s\"", recorded_message, text);
}

/* The same damage to a plain and to a compressed file. */
static void ExpectHeaderRefusal(const void *header, size_t size, PetscErrorCode code, const char *text)
{
  unsigned char bytes[4096];
  const size_t  n     = Assemble(header, size, bytes);
  const char   *plain = ScratchPath("bad.nii"), *packed = ScratchPath("bad.nii.gz");

  ScratchWrite(plain, bytes, n);
  ExpectRefusal(plain, code, text);
  WriteGz(packed, bytes, n);
  ExpectRefusal(packed, code, text);
}

#define REFUSED(change, text) \
  do { \
    nifti_1_header h = GoodHeader(); \
    change; \
    ExpectHeaderRefusal(&h, sizeof h, PETSC_ERR_FILE_UNEXPECTED, text); \
  } while (0)

#define REFUSED2(change, text) \
  do { \
    nifti_2_header h = GoodHeader2(); \
    change; \
    ExpectHeaderRefusal(&h, sizeof h, PETSC_ERR_FILE_UNEXPECTED, text); \
  } while (0)

static void RefusesDamagedHeaders(void **state)
{
  REFUSED(h.dim[0] = 0, "dim[0] = 0");
  REFUSED(h.dim[0] = 8, "dim[0] = 8");
  REFUSED2(h.dim[0] = 200, "dim[0] = 200");
  REFUSED2(h.dim[0] = INT64_MIN, "dim[0] = -9223372036854775808");
  REFUSED(h.dim[2] = 0, "dim[2] = 0");
  REFUSED(h.dim[4] = -3, "dim[4] = -3");
  REFUSED(h.vox_offset = INFINITY, "vox_offset");
  REFUSED(h.vox_offset = NAN, "vox_offset");
  REFUSED(h.vox_offset = -1, "vox_offset");
  REFUSED(h.vox_offset = 0, "vox_offset");
  REFUSED(h.vox_offset = 352.5f, "vox_offset");
  REFUSED(h.vox_offset = 1e9f, "truncated");
  REFUSED2(h.vox_offset = INT64_MAX, "truncated");
  REFUSED(h.pixdim[1] = NAN, "pixdim[1]");
  REFUSED(h.pixdim[2] = 0, "pixdim[2] = 0");
  REFUSED(h.pixdim[3] = -3, "pixdim[3] = -3");
  REFUSED(h.pixdim[3] = INFINITY, "pixdim[3]");
  REFUSED(h.scl_slope = NAN, "scl_slope");
  REFUSED(h.scl_inter = INFINITY, "scl_inter");
  REFUSED(h.srow_y[1] = NAN, "sform row 2");
  REFUSED(h.srow_y[1] = 0, "singular sform");
  REFUSED((h.qform_code = 1, h.quatern_c = NAN), "qform");
  REFUSED((h.qform_code = 1, h.qoffset_z = INFINITY), "qform");
  REFUSED((h.qform_code = 1, h.quatern_b = 1, h.quatern_c = 1), "quaternion");
  REFUSED(h.bitpix = 32, "bitpix = 32, expected 16");
  REFUSED(h.datatype = 1792, "datatype 1792");
  REFUSED(h.magic[1] = 'x', "magic");
  REFUSED(memcpy(h.magic, "ni1", 4), ".hdr/.img");
  REFUSED(h.sizeof_hdr = 347, "347");
  REFUSED((h.dim[1] = h.dim[2] = h.dim[3] = h.dim[4] = 32767), "at most");
  REFUSED2((h.dim[1] = h.dim[2] = h.dim[3] = INT64_MAX), "at most");
  REFUSED((h.dim[1] = h.dim[2] = 32767, h.dim[3] = 1), "truncated"); /* 10 GB in less than 1 kB */
}

static void RefusesDamagedExtensions(void **state)
{
  static const int32_t sizes[] = {0, 8, 15, 17, -16, 4096};

  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    nifti_1_header h = GoodHeader();
    unsigned char  bytes[4096];
    const char    *path = ScratchPath("extension.nii.gz");

    h.vox_offset = 384;
    (void)Assemble(&h, sizeof h, bytes);
    bytes[348] = 1;
    memcpy(bytes + 352, &sizes[k], 4);
    WriteGz(path, bytes, 384 + 2 * VALUES);
    ExpectRefusal(path, PETSC_ERR_FILE_UNEXPECTED, "header extension");
  }
}

static void ReadsPastExtensions(void **state)
{
  nifti_1_header h    = GoodHeader();
  const int32_t  size = 32;
  const char    *path = ScratchPath("extended.nii");
  unsigned char  bytes[4096];
  FgImageInfo    info;
  float         *values;

  h.vox_offset = 384;
  (void)Assemble(&h, sizeof h, bytes);
  memmove(bytes + 384, bytes + 352, 2 * VALUES);
  bytes[348] = 1;
  memcpy(bytes + 352, &size, 4);
  ScratchWrite(path, bytes, 384 + 2 * VALUES);
  ExpectSuccess(FgImageRead(path, &info, &values));
  for (int i = 0; i < VALUES; i++) assert_true(values[i] == 0.5f * (float)i + 10.0f);
  ExpectSuccess(PetscFree(values));
}

static void RefusesWhatIsNoImage(void **state)
{
  const char *path = ScratchPath("folder.nii");

  ExpectRefusal(ScratchPath("missing.nii.gz"), PETSC_ERR_FILE_OPEN, "No such file");
  assert_int_equal(mkdir(path, 0777), 0);
  ExpectRefusal(path, PETSC_ERR_FILE_OPEN, "directory");
  path = ScratchPath("empty.nii");
  ScratchWrite(path, "", 0);
  ExpectRefusal(path, PETSC_ERR_FILE_UNEXPECTED, "empty");
  path = ScratchPath("short.nii");
  ScratchWrite(path, "n+1", 3);
  ExpectRefusal(path, PETSC_ERR_FILE_UNEXPECTED, "found 3 bytes");
}

/* Every length but the whole one is refused, plain and compressed; one wrong bit in the data or the check sum too. */
static void RefusesTruncatedAndDamagedFiles(void **state)
{
  const nifti_1_header h = GoodHeader();
  unsigned char        bytes[4096], packed[4096];
  const size_t         n     = Assemble(&h, sizeof h, bytes);
  const char          *plain = ScratchPath("cut.nii"), *gz = ScratchPath("cut.nii.gz");
  size_t               npacked;
  FgImageInfo          info;
  float               *values;

  for (size_t cut = 1; cut < n; cut += 7) {
    ScratchWrite(plain, bytes, cut);
    ExpectRefusal(plain, PETSC_ERR_FILE_UNEXPECTED, "found");
  }
  ScratchWrite(plain, bytes, n - 1);
  ExpectRefusal(plain, PETSC_ERR_FILE_UNEXPECTED, "truncated: found 591 bytes, expected 592");
  WriteGz(gz, bytes, n);
  npacked = ScratchRead(gz, packed, sizeof packed);
  for (size_t cut = 20; cut < npacked; cut++) {
    ScratchWrite(gz, packed, cut);
    ExpectRefusal(gz, PETSC_ERR_FILE_UNEXPECTED, "");
  }
  for (size_t place = npacked - 8; place < npacked; place++) { /* CRC-32 and length */
    packed[place] ^= 1;
    ScratchWrite(gz, packed, npacked);
    ExpectRefusal(gz, PETSC_ERR_FILE_UNEXPECTED, "incorrect");
    packed[place] ^= 1;
  }
  ScratchWrite(plain, bytes, n + 100); /* bytes after the data harm nobody */
  ExpectSuccess(FgImageRead(plain, &info, &values));
  ExpectSuccess(PetscFree(values));
}

/* ---- reading ---- */

static size_t StoreAs(int datatype, int i, unsigned char *out)
{
#define STORE(code, type) \
  case code: { \
    const type value = (type)(i); \
    memcpy(out, &value, sizeof value); \
    return sizeof value; \
  }
  switch (datatype) {
    STORE(NIFTI_TYPE_UINT8, uint8_t)
    STORE(NIFTI_TYPE_INT8, int8_t)
    STORE(NIFTI_TYPE_INT16, int16_t)
    STORE(NIFTI_TYPE_UINT16, uint16_t)
    STORE(NIFTI_TYPE_INT32, int32_t)
    STORE(NIFTI_TYPE_UINT32, uint32_t)
    STORE(NIFTI_TYPE_INT64, int64_t)
    STORE(NIFTI_TYPE_UINT64, uint64_t)
    STORE(NIFTI_TYPE_FLOAT32, float)
    STORE(NIFTI_TYPE_FLOAT64, double)
  }
  abort();
}

static int Signed(int datatype)
{
  return datatype == NIFTI_TYPE_INT8 || datatype == NIFTI_TYPE_INT16 || datatype == NIFTI_TYPE_INT32 ||
         datatype == NIFTI_TYPE_INT64 || datatype == NIFTI_TYPE_FLOAT32 || datatype == NIFTI_TYPE_FLOAT64;
}

static void CheckRead(const char *path, int datatype, int version, int swapped)
{
  FgImageInfo info;
  float      *values;

  ExpectSuccess(FgImageRead(path, &info, &values));
  assert_int_equal(info.nifti_version, version);
  assert_int_equal(info.byte_swapped, swapped);
  assert_int_equal(info.nvolumes, NV);
  assert_int_equal(info.ndims, 4);
  assert_int_equal(info.grid.dims[1], NY);
  assert_true(info.grid.spacing[2] == 3.0 && info.grid.affine[0][0] == -2.0 && info.grid.affine[1][3] == -20.0);
  assert_true(fabs(FgGridDeterminant(&info.grid) + 12.0) < 1e-9);
  for (int i = 0; i < VALUES; i++) assert_true(values[i] == 0.5f * (float)(Signed(datatype) ? i - 60 : i) + 10.0f);
  ExpectSuccess(PetscFree(values));
}

static void ReadsEveryTypeVersionAndByteOrder(void **state)
{
  static const int types[] = {NIFTI_TYPE_UINT8,  NIFTI_TYPE_INT8,  NIFTI_TYPE_INT16,  NIFTI_TYPE_UINT16,  NIFTI_TYPE_INT32,
                              NIFTI_TYPE_UINT32, NIFTI_TYPE_INT64, NIFTI_TYPE_UINT64, NIFTI_TYPE_FLOAT32, NIFTI_TYPE_FLOAT64};

  for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
    for (int version = 1; version <= 2; version++) {
      for (int swapped = 0; swapped <= 1; swapped++) {
        unsigned char bytes[4096] = {0};
        const size_t  start       = version == 1 ? 352 : 544;
        Header        header      = {.bytes = {0}};
        size_t        width       = 0;
        const char   *plain = ScratchPath("typed.nii"), *packed = ScratchPath("typed.nii.gz");

        for (int i = 0; i < VALUES; i++) {
          unsigned char one[8];

          width = StoreAs(types[k], Signed(types[k]) ? i - 60 : i, one);
          for (size_t b = 0; b < width; b++) bytes[start + (size_t)i * width + b] = one[swapped ? width - 1 - b : b];
        }
        if (version == 1) {
          header.one          = GoodHeader();
          header.one.datatype = (short)types[k];
          header.one.bitpix   = (short)(8 * width);
        } else {
          header.two          = GoodHeader2();
          header.two.datatype = (int16_t)types[k];
          header.two.bitpix   = (int16_t)(8 * width);
        }
        if (swapped) swap_nifti_header(&header, version);
        memcpy(bytes, header.bytes, start - 4);
        ScratchWrite(plain, bytes, start + VALUES * width);
        CheckRead(plain, types[k], version, swapped);
        WriteGz(packed, bytes, start + VALUES * width);
        CheckRead(packed, types[k], version, swapped);
      }
    }
  }
}

/* A quarter turn about z and an offset, given as a quaternion; micrometers; slope 0 means stored values. */
static void UnderstandsQformUnitsAndSlope(void **state)
{
  nifti_1_header h    = GoodHeader();
  const char    *path = ScratchPath("qform.nii");
  unsigned char  bytes[4096];
  FgImageInfo    info;
  float         *values;

  h.sform_code = 0;
  h.qform_code = 2;
  h.quatern_d  = (float)sqrt(0.5);
  h.qoffset_x  = 1000;
  h.xyzt_units = NIFTI_UNITS_MICRON;
  for (int k = 1; k <= 3; k++) h.pixdim[k] *= 1000;
  h.scl_slope = 0;
  ScratchWrite(path, bytes, Assemble(&h, sizeof h, bytes));
  ExpectSuccess(FgImageRead(path, &info, &values));
  assert_true(info.slope == 1.0 && info.intercept == 0.0 && values[7] == 7.0f);
  assert_int_equal(info.grid.qform_code, 2);
  assert_int_equal(info.grid.sform_code, 0);
  assert_true(fabs(info.grid.spacing[0] - 2.0) < 1e-6 && fabs(info.grid.spacing[2] - 3.0) < 1e-6);
  assert_true(fabs(info.grid.affine[1][0] - 2.0) < 1e-5 && fabs(info.grid.affine[0][1] + 2.0) < 1e-5);
  assert_true(fabs(info.grid.affine[0][0]) < 1e-5 && fabs(info.grid.affine[0][3] - 1.0) < 1e-6);
  ExpectSuccess(PetscFree(values));
}

static void MeasuresDistanceBetweenGrids(void **state)
{
  FgGrid a = {.dims = {10, 20, 30}, .affine = {{2, 0, 0, 1}, {0, 2, 0, 2}, {0, 0, 3, 3}}}, b = a;

  assert_true(FgGridDistance(&a, &b) == 0.0);
  b.affine[2][3] += 0.3; /* a tenth of a voxel along z */
  assert_true(fabs(FgGridDistance(&a, &b) - 0.1) < 1e-12);
  b              = a;
  b.affine[0][0] = 2.02; /* 9 x 0.02 mm at the far corner */
  assert_true(fabs(FgGridDistance(&a, &b) - 0.09) < 1e-12);
  b.dims[2] = 31;
  assert_true(FgGridDistance(&a, &b) == -1.0);
}

/* ---- writing, read back by nifticlib alone ---- */

static FgGrid ObliqueGrid(void)
{
  const double c = cos(0.3), s = sin(0.3);
  const FgGrid grid = {.dims       = {NX, NY, NZ},
                       .spacing    = {2, 2, 3},
                       .affine     = {{-2 * c, 2 * s, 0, 7}, {2 * s, 2 * c, 0, 8}, {0, 0, 3, 9}},
                       .sform_code = 1};

  return grid;
}

static void WritesHeadersThatOthersRead(void **state)
{
  const FgGrid      grid    = ObliqueGrid();
  const FgImageSpec specs[] = {
      {.map = "porosity", .nvolumes = 1},
      {.map = "direction", .nvolumes = 3, .intent_code = 2003, .intent_name = "V1", .cal_min = -1, .cal_max = 1},
      {.map = "tensor", .nvolumes = 6, .intent_code = 1005},
      {.map = "status", .nvolumes = 1, .store = FG_STORE_UINT8},
      {.map = "counts", .nvolumes = 1, .store = FG_STORE_INT16},
      {.map = "dec", .nvolumes = 3, .store = FG_STORE_RGB24},
  };
  const int types[] = {NIFTI_TYPE_FLOAT32, NIFTI_TYPE_FLOAT32, NIFTI_TYPE_FLOAT32,
                       NIFTI_TYPE_UINT8,   NIFTI_TYPE_INT16,   NIFTI_TYPE_RGB24};
  float     values[6 * VOXELS];

  for (int i = 0; i < 6 * VOXELS; i++) values[i] = (float)i;
  for (size_t k = 0; k < sizeof specs / sizeof *specs; k++) {
    const char     *path = ScratchPath(k % 2 ? "plain.nii" : "packed.nii.gz");
    nifti_image    *nim;
    nifti_1_header *header;
    int             swapped;
    nifti_dmat44    qform;

    ExpectSuccess(FgImageWrite(path, &grid, &specs[k], values));
    nim    = nifti_image_read(path, 1);
    header = nifti_read_n1_hdr(path, &swapped, 1);
    assert_non_null(nim);
    assert_non_null(header);
    assert_int_equal(nim->datatype, types[k]);
    assert_int_equal(nim->sform_code, 1);
    assert_int_equal(nim->qform_code, 1);
    assert_int_equal(nim->xyz_units, NIFTI_UNITS_MM);
    assert_true(nim->scl_slope == 1.0 && nim->qfac == -1.0);
    qform = nim->qto_xyz;
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 4; j++) {
        assert_true(fabs(nim->sto_xyz.m[i][j] - grid.affine[i][j]) < 1e-6);
        assert_true(fabs(qform.m[i][j] - grid.affine[i][j]) < 1e-5);
      }
    }
    assert_memory_equal(header->descrip, "finegrain " FG_VERSION " ", strlen("finegrain " FG_VERSION " "));
    assert_non_null(strstr(header->descrip, specs[k].map));
    if (k == 0) assert_true(header->dim[0] == 3 && nim->cal_max == VOXELS - 1);
    if (k == 1)
      assert_true(header->dim[0] == 4 && nim->cal_min == -1 && nim->intent_code == 2003 && !strcmp(nim->intent_name, "V1"));
    if (k == 2) {
      assert_true(header->dim[0] == 5 && header->dim[4] == 1 && header->dim[5] == 6);
      assert_true(nim->intent_code == 1005 && nim->intent_p1 == 3.0);
    }
    if (types[k] == NIFTI_TYPE_FLOAT32)
      assert_memory_equal(nim->data, values, sizeof(float) * (size_t)(VOXELS * specs[k].nvolumes));
    if (types[k] == NIFTI_TYPE_UINT8) assert_int_equal(((unsigned char *)nim->data)[5], 5);
    if (types[k] == NIFTI_TYPE_INT16) assert_int_equal(((int16_t *)nim->data)[5], 5);
    if (types[k] == NIFTI_TYPE_RGB24) {
      const unsigned char expected[] = {1, VOXELS + 1, 2 * VOXELS + 1};

      assert_memory_equal((unsigned char *)nim->data + 3, expected, 3);
    }
    nifti_image_free(nim);
    free(header);
  }
}

/* What is written for a grid is read as the same grid. */
static void GridSurvivesWriting(void **state)
{
  const FgGrid      grid           = ObliqueGrid();
  const FgImageSpec spec           = {.map = "map", .nvolumes = 1};
  float             values[VOXELS] = {1, NAN, INFINITY};
  FgImageInfo       info;
  float            *found;

  ExpectSuccess(FgImageWrite(ScratchPath("grid.nii.gz"), &grid, &spec, values));
  ExpectSuccess(FgImageRead(ScratchPath("grid.nii.gz"), &info, &found));
  assert_true(FgGridDistance(&grid, &info.grid) >= 0 && FgGridDistance(&grid, &info.grid) < 1e-6);
  assert_true(found[0] == 1 && isnan(found[1]) && isinf(found[2]));
  ExpectSuccess(PetscFree(found));
}

static void FullDiskLeavesNothing(void **state)
{
  const FgGrid      grid = {.dims = {64, 64, 64}, .spacing = {1, 1, 1}, .affine = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
  const FgImageSpec spec = {.map = "map", .nvolumes = 1};
  const char *path = ScratchPath("full.nii.gz"), *plain = ScratchPath("full.nii"), *partial = ScratchPath("full.nii.gz.partial");
  struct rlimit before, small;
  float        *values;
  uint32_t      random = 1;

  ExpectSuccess(PetscMalloc1(64 * 64 * 64, &values));
  for (int i = 0; i < 64 * 64 * 64; i++) values[i] = (float)(random = random * 1664525u + 1013904223u); /* does not compress */
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  small          = before;
  small.rlim_cur = 100000;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  ExpectFailure(FgImageWrite(path, &grid, &spec, values), PETSC_ERR_FILE_WRITE, path);
  ExpectFailure(FgImageWrite(plain, &grid, &spec, values), PETSC_ERR_FILE_WRITE, plain);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_true(access(path, F_OK) && access(partial, F_OK) && access(plain, F_OK));
  ExpectFailure(FgImageWrite(ScratchPath("no/such/folder.nii.gz"), &grid, &spec, values), PETSC_ERR_FILE_WRITE, "No such file");
  ExpectSuccess(PetscFree(values));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(RefusesDamagedHeaders),
      cmocka_unit_test(RefusesDamagedExtensions),
      cmocka_unit_test(ReadsPastExtensions),
      cmocka_unit_test(RefusesWhatIsNoImage),
      cmocka_unit_test(RefusesTruncatedAndDamagedFiles),
      cmocka_unit_test(ReadsEveryTypeVersionAndByteOrder),
      cmocka_unit_test(UnderstandsQformUnitsAndSlope),
      cmocka_unit_test(MeasuresDistanceBetweenGrids),
      cmocka_unit_test(WritesHeadersThatOthersRead),
      cmocka_unit_test(GridSurvivesWriting),
      cmocka_unit_test(FullDiskLeavesNothing),
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
