/* nifti_header.c: the gate before nifticlib. Headers come from anywhere; Debian's libnifti2 3.0.1 accepts infinite offsets,
   NaN spacings, singular transforms and, in NIfTI-2, writes past its arrays for dim[0] > 7. So every field that is used is
   checked here first, and only then does nifticlib turn the header into a grid.
   Source: https://nifti.nimh.nih.gov, nifti1.h and nifti2.h. */
#include "nifti.h"

#include <errno.h>
#include <math.h>
#include <nifti2_io.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The fields that are checked, whatever the version and byte order of the file. */
typedef struct {
  int     version;
  int     swapped;
  int64_t dim[8];
  int     datatype, bitpix;
  double  pixdim[8], vox_offset, slope, intercept;
  int     qform_code, sform_code;
  double  quatern[3], qoffset[3], srow[3][4];
} Fields;

typedef union {
  nifti_1_header one;
  nifti_2_header two;
} Header;

/* Deflate cannot pack tighter than 1032:1 (zlib's technical notes). */
#define GZIP_LIMIT 1032

static int BitsOf(int datatype)
{
  switch (datatype) {
  case NIFTI_TYPE_UINT8:
  case NIFTI_TYPE_INT8: return 8;
  case NIFTI_TYPE_INT16:
  case NIFTI_TYPE_UINT16: return 16;
  case NIFTI_TYPE_RGB24: return 24;
  case NIFTI_TYPE_INT32:
  case NIFTI_TYPE_UINT32:
  case NIFTI_TYPE_FLOAT32: return 32;
  case NIFTI_TYPE_INT64:
  case NIFTI_TYPE_UINT64:
  case NIFTI_TYPE_FLOAT64: return 64;
  default: return 0;
  }
}

#define COPY_FIELDS(f, h) \
  do { \
    for (int k = 0; k < 8; k++) (f)->dim[k] = (h)->dim[k]; \
    for (int k = 0; k < 8; k++) (f)->pixdim[k] = (h)->pixdim[k]; \
    (f)->datatype   = (h)->datatype; \
    (f)->bitpix     = (h)->bitpix; \
    (f)->vox_offset = (double)(h)->vox_offset; \
    (f)->slope      = (h)->scl_slope; \
    (f)->intercept  = (h)->scl_inter; \
    (f)->qform_code = (h)->qform_code; \
    (f)->sform_code = (h)->sform_code; \
    (f)->quatern[0] = (h)->quatern_b; \
    (f)->quatern[1] = (h)->quatern_c; \
    (f)->quatern[2] = (h)->quatern_d; \
    (f)->qoffset[0] = (h)->qoffset_x; \
    (f)->qoffset[1] = (h)->qoffset_y; \
    (f)->qoffset[2] = (h)->qoffset_z; \
    for (int k = 0; k < 4; k++) { \
      (f)->srow[0][k] = (h)->srow_x[k]; \
      (f)->srow[1][k] = (h)->srow_y[k]; \
      (f)->srow[2][k] = (h)->srow_z[k]; \
    } \
  } while (0)

/* Version and byte order from the first number, then the magic string. */
static PetscErrorCode IdentifyHeader(const char *path, const unsigned char *bytes, size_t nbytes, Header *header, Fields *f)
{
  const size_t one = sizeof(nifti_1_header), two = sizeof(nifti_2_header);
  uint32_t     size;
  const char  *magic;

  PetscFunctionBegin;
  PetscCheck(nbytes > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: the file is empty, expected a NIfTI image", path);
  PetscCheck(nbytes >= one, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %d bytes, expected at least the 348 bytes of a NIfTI header; the file is truncated or no NIfTI image",
             path, (int)nbytes);
  memcpy(&size, bytes, 4);
  f->swapped = size == __builtin_bswap32(348) || size == __builtin_bswap32(540);
  if (f->swapped) size = __builtin_bswap32(size);
  PetscCheck(size == 348 || size == 540, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: no NIfTI image: found header size %d, expected 348 (NIfTI-1) or 540 (NIfTI-2)", path, (int)size);
  f->version = size == 348 ? 1 : 2;
  PetscCheck(f->version == 1 || nbytes >= two, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %d bytes, expected at least the 540 bytes of a NIfTI-2 header; the file is truncated", path, (int)nbytes);
  memset(header, 0, sizeof *header);
  memcpy(header, bytes, f->version == 1 ? one : two);
  magic = f->version == 1 ? header->one.magic : header->two.magic;
  PetscCheck(memcmp(magic, f->version == 1 ? "ni1" : "ni2", 4) != 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a header of an .hdr/.img pair, expected one .nii or .nii.gz file; convert it first", path);
  PetscCheck(f->version == 1 ? memcmp(magic, "n+1", 4) == 0 : memcmp(magic, "n+2\0\r\n\032\n", 8) == 0, PETSC_COMM_SELF,
             PETSC_ERR_FILE_UNEXPECTED,
             "%s: found a wrong magic string, expected \"n+%d\"; the file is damaged or in ANALYZE format", path, f->version);
  if (f->swapped) swap_nifti_header(header, f->version);
  if (f->version == 1) COPY_FIELDS(f, &header->one);
  else COPY_FIELDS(f, &header->two);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sizes: 1 to 7 dimensions of at least 1, voxels countable by PetscInt, data that the file can hold and one volume that
   memory can. */
static PetscErrorCode CheckSizes(const char *path, const Fields *f, PetscBool compressed, PetscInt64 file_size)
{
  const double memory   = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  const int    bits     = BitsOf(f->datatype);
  const double capacity = compressed ? (double)GZIP_LIMIT * (double)file_size : (double)file_size;
  double       voxels = 1.0, volumes = 1.0, needed;

  PetscFunctionBegin;
  PetscCheck(f->dim[0] >= 1 && f->dim[0] <= 7, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found dim[0] = %lld dimensions, expected 1 to 7; the header is damaged", path, (long long)f->dim[0]);
  for (int k = 1; k <= f->dim[0]; k++) {
    PetscCheck(f->dim[k] >= 1, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found dim[%d] = %lld, expected at least 1; the header is damaged", path, k, (long long)f->dim[k]);
    if (k <= 3) voxels *= (double)f->dim[k];
    else volumes *= (double)f->dim[k];
  }
  PetscCheck(bits, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found datatype %d, expected integers or floating-point numbers of 8 to 64 bits; convert the image", path,
             f->datatype);
  PetscCheck(f->bitpix == bits, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found bitpix = %d, expected %d bits a voxel for datatype %d; the header is damaged", path, f->bitpix, bits,
             f->datatype);
  needed = voxels * volumes * (bits / 8);
  PetscCheck(voxels <= (double)PETSC_MAX_INT && volumes <= (double)PETSC_MAX_INT, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found %.0f voxels and %.0f volumes, expected at most %lld of each; the header is damaged", path, voxels,
             volumes, (long long)PETSC_MAX_INT);
  PetscCheck(isfinite(f->vox_offset) && f->vox_offset == floor(f->vox_offset) && f->vox_offset >= (f->version == 1 ? 352 : 544),
             PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found vox_offset = %.10g bytes, expected a whole number of at least %d; the header is damaged", path,
             f->vox_offset, f->version == 1 ? 352 : 544);
  PetscCheck(f->vox_offset + needed <= capacity, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: truncated: found %lld bytes%s, expected %.0f for the header and %.0f voxels x %.0f volumes of %d bits; copy or "
             "convert "
             "the file again",
             path, (long long)file_size, compressed ? " (compressed)" : "", f->vox_offset + needed, voxels, volumes, bits);
  PetscCheck(voxels * (bits / 8 + sizeof(float)) <= memory, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "%s: one volume of %.0f voxels needs %.1f GB, found %.1f GB of memory; crop the image", path, voxels,
             voxels * (bits / 8 + sizeof(float)) * 1e-9, memory * 1e-9);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Spacings, scaling and the transforms that are in use: finite and regular. */
static PetscErrorCode CheckGeometry(const char *path, const Fields *f)
{
  PetscFunctionBegin;
  for (int k = 1; k <= 3 && k <= f->dim[0]; k++) {
    PetscCheck(isfinite(f->pixdim[k]) && f->pixdim[k] > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found pixdim[%d] = %.6g mm, expected a finite spacing above 0; repair the header", path, k, f->pixdim[k]);
  }
  PetscCheck(isfinite(f->slope) && isfinite(f->intercept), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found scl_slope = %.6g and scl_inter = %.6g, expected finite numbers; repair the header", path, f->slope,
             f->intercept);
  if (f->sform_code > 0) {
    FgGrid grid;
    double lengths = 1.0;

    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 4; j++) {
        PetscCheck(isfinite(f->srow[i][j]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                   "%s: found sform row %d with entry %.6g, expected finite numbers; repair the header", path, i + 1,
                   f->srow[i][j]);
        grid.affine[i][j] = f->srow[i][j];
      }
    }
    for (int j = 0; j < 3; j++) lengths *= hypot(hypot(grid.affine[0][j], grid.affine[1][j]), grid.affine[2][j]);
    PetscCheck(isfinite(lengths) && lengths > 0 && fabs(FgGridDeterminant(&grid)) > 1e-4 * lengths, PETSC_COMM_SELF,
               PETSC_ERR_FILE_UNEXPECTED,
               "%s: found a singular sform (determinant %.6g mm^3), expected three independent axes; repair the header", path,
               FgGridDeterminant(&grid));
  }
  if (f->qform_code > 0) {
    double square = 0.0;

    for (int i = 0; i < 3; i++) {
      PetscCheck(isfinite(f->quatern[i]) && isfinite(f->qoffset[i]), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: found a qform with entries %.6g and %.6g, expected finite numbers; repair the header", path, f->quatern[i],
                 f->qoffset[i]);
      square += f->quatern[i] * f->quatern[i];
    }
    PetscCheck(square <= 1.001, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: found a qform quaternion of squared norm %.6g, expected at most 1; repair the header", path, square);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Factor from the file's unit of length to mm; unknown units are mm by habit of the field. */
static double Millimeters(int units)
{
  return units == NIFTI_UNITS_METER ? 1e3 : units == NIFTI_UNITS_MICRON ? 1e-3 : 1.0;
}

static void GridFromNifti(const nifti_image *nim, FgGrid *grid)
{
  const double        scale     = Millimeters(nim->xyz_units);
  const nifti_dmat44 *affine    = nim->sform_code > 0 ? &nim->sto_xyz : &nim->qto_xyz;
  const double        pixdim[3] = {nim->dx, nim->dy, nim->dz};

  grid->dims[0]    = (PetscInt)nim->nx;
  grid->dims[1]    = (PetscInt)nim->ny;
  grid->dims[2]    = (PetscInt)nim->nz;
  grid->sform_code = PetscMax(nim->sform_code, 0);
  grid->qform_code = PetscMax(nim->qform_code, 0);
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 4; j++) grid->affine[i][j] = scale * affine->m[i][j];
  }
  for (int j = 0; j < 3; j++) {
    const double length = hypot(hypot(grid->affine[0][j], grid->affine[1][j]), grid->affine[2][j]);

    /* pixdim has no rounding of sines and cosines in it, but an edited sform is the truth about where voxels lie. */
    grid->spacing[j] = fabs(scale * pixdim[j] - length) <= 1e-3 * length ? scale * pixdim[j] : length;
  }
  if (nim->sform_code > 0 && nim->qform_code > 0) {
    FgGrid other = *grid;

    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 4; j++) other.affine[i][j] = scale * nim->qto_xyz.m[i][j];
    }
    if (FgGridDistance(grid, &other) > 0.1) grid->qform_code = 0;
  }
}

PetscErrorCode FgNiftiHeaderParse(const char *path, const unsigned char *bytes, size_t nbytes, PetscBool compressed,
                                  PetscInt64 file_size, FgImageInfo *info)
{
  Header       header;
  Fields       f;
  nifti_image *nim;

  PetscFunctionBegin;
  PetscCall(IdentifyHeader(path, bytes, nbytes, &header, &f));
  PetscCall(CheckSizes(path, &f, compressed, file_size));
  PetscCall(CheckGeometry(path, &f));
  /* nifticlib looks at the dimensions beyond dim[0] too, and at a code that says nothing it might compute with. */
  for (int k = (int)f.dim[0] + 1; k < 8; k++) {
    if (f.version == 1) header.one.dim[k] = 1, header.one.pixdim[k] = 1;
    else header.two.dim[k] = 1, header.two.pixdim[k] = 1;
  }
  nifti_set_debug_level(0);
  nim = f.version == 1 ? nifti_convert_n1hdr2nim(header.one, NULL) : nifti_convert_n2hdr2nim(header.two, NULL);
  PetscCheck(nim, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: nifticlib refuses the header, expected a NIfTI-%d image; repair it", path, f.version);
  GridFromNifti(nim, &info->grid);
  info->ndims    = (int)f.dim[0];
  info->nvolumes = 1;
  for (int k = 0; k < 7; k++) {
    info->dims[k] = k < info->ndims ? (PetscInt)f.dim[k + 1] : 1;
    if (k >= 3) info->nvolumes *= info->dims[k];
  }
  info->datatype        = f.datatype;
  info->bytes_per_value = f.bitpix / 8;
  info->slope           = f.slope == 0.0 ? 1.0 : f.slope;
  info->intercept       = f.slope == 0.0 ? 0.0 : f.intercept;
  info->intent_code     = nim->intent_code;
  info->intent_p1       = nim->intent_p1;
  info->byte_swapped    = f.swapped;
  info->nifti_version   = f.version;
  info->data_offset     = (PetscInt64)f.vox_offset;
  memcpy(info->descrip, nim->descrip, 80);
  info->descrip[80] = 0;
  nifti_image_free(nim);
  for (int k = 0; info->descrip[k]; k++) {
    if (info->descrip[k] < 32 || info->descrip[k] > 126) info->descrip[k] = '?';
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt64 FgNiftiDataBytes(const FgImageInfo *info)
{
  return (PetscInt64)FgGridVoxels(&info->grid) * info->nvolumes * info->bytes_per_value;
}

const char *FgNiftiStreamError(gzFile stream)
{
  int         code;
  const char *text = gzerror(stream, &code);

  if (code == Z_ERRNO) return strerror(errno);
  if (code == Z_BUF_ERROR || code == Z_OK) return "the stream ends early";
  return text && strchr(text, ':') && code == Z_DATA_ERROR ? strrchr(text, ':') + 2 : text;
}

/* Follows the chain of extensions from the header's end to the data: sizes are multiples of 16 and end at the data. */
static PetscErrorCode SkipExtensions(const char *path, const FgImageInfo *info, gzFile stream)
{
  const PetscInt64 start    = info->nifti_version == 1 ? 348 : 540;
  PetscInt64       position = start + 4;
  unsigned char    flag[4], head[8];

  PetscFunctionBegin;
  PetscCheck(gzseek(stream, (z_off_t)start, SEEK_SET) >= 0 && gzread(stream, flag, 4) == 4, PETSC_COMM_SELF,
             PETSC_ERR_FILE_UNEXPECTED, "%s: truncated after the header (%s); copy or convert the file again", path,
             FgNiftiStreamError(stream));
  while (flag[0] && position + 16 <= info->data_offset) {
    uint32_t size;

    PetscCheck(gzread(stream, head, 8) == 8, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: truncated among the header extensions (%s); copy or convert the file again", path,
               FgNiftiStreamError(stream));
    memcpy(&size, head, 4);
    if (info->byte_swapped) size = __builtin_bswap32(size);
    PetscCheck(size >= 16 && size % 16 == 0 && position + (PetscInt64)size <= info->data_offset, PETSC_COMM_SELF,
               PETSC_ERR_FILE_UNEXPECTED,
               "%s: found a header extension of %u bytes at byte %lld, expected a multiple of 16 that ends before the data at "
               "byte %lld; "
               "the header is damaged",
               path, (unsigned)size, (long long)position, (long long)info->data_offset);
    position += size;
    PetscCheck(gzseek(stream, (z_off_t)position, SEEK_SET) >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: truncated among the header extensions (%s); copy or convert the file again", path,
               FgNiftiStreamError(stream));
  }
  PetscCheck(gzseek(stream, (z_off_t)info->data_offset, SEEK_SET) >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: truncated before the data at byte %lld (%s); copy or convert the file again", path,
             (long long)info->data_offset, FgNiftiStreamError(stream));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadHeader(const char *path, PetscInt64 file_size, FgImageInfo *info, gzFile stream)
{
  unsigned char bytes[sizeof(nifti_2_header)];
  int           found;

  PetscFunctionBegin;
  found = gzread(stream, bytes, sizeof bytes);
  PetscCheck(found >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: cannot be read: %s; copy the file again", path,
             FgNiftiStreamError(stream));
  PetscCall(FgNiftiHeaderParse(path, bytes, (size_t)found, gzdirect(stream) ? PETSC_FALSE : PETSC_TRUE, file_size, info));
  PetscCall(SkipExtensions(path, info, stream));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgNiftiOpen(const char *path, FgImageInfo *info, gzFile *stream)
{
  struct stat    status;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  *stream = NULL;
  PetscCheck(stat(path, &status) == 0, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN,
             "%s: cannot be opened: %s; expected a .nii or .nii.gz file", path, strerror(errno));
  PetscCheck(S_ISREG(status.st_mode), PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: found a %s, expected a .nii or .nii.gz file",
             path, S_ISDIR(status.st_mode) ? "directory" : "special file");
  PetscCheck(strlen(path) < sizeof info->path, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: the path is longer than %d bytes", path,
             (int)sizeof info->path - 1);
  *stream = gzopen(path, "rb");
  PetscCheck(*stream, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s: cannot be opened: %s", path, strerror(errno));
  gzbuffer(*stream, 1 << 17);
  memset(info, 0, sizeof *info);
  strcpy(info->path, path);
  ierr = ReadHeader(path, (PetscInt64)status.st_size, info, *stream);
  if (ierr) {
    gzclose_r(*stream);
    *stream = NULL;
  }
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgImageReadInfo(const char *path, FgImageInfo *info)
{
  gzFile stream;

  PetscFunctionBegin;
  PetscCall(FgNiftiOpen(path, info, &stream));
  gzclose_r(stream);
  PetscFunctionReturn(PETSC_SUCCESS);
}
