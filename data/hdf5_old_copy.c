/* hdf5_old_copy.c: attributes and datasets of old HDF5 files into new ones; see hdf5_old.h. Types are whole numbers of 1 to 8 bytes, IEEE
   numbers of 4 and 8, texts of fixed length; texts of variable length, which stand in heaps (GCOL), get the length of the longest.
   Source: The HDF Group, HDF5 File Format Specification Version 3.0, III.E, IV.A.2.b, d, i and m,
   https://support.hdfgroup.org/archive/support/HDF5/doc/H5.format.html */
#include "hdf5_old.h"

#include <string.h>

enum { INTEGER, FLOATING, TEXT = 3, VARIABLE = 9 };
enum { COMPACT, CONTIGUOUS, RANK_LIMIT = 32, TEXT_LIMIT = 256, REFERENCE = 16, NAME_LIMIT = 64 };

static const char damaged[] = "damaged or cut off";

/* --- Types and sizes ----------------------------------------------------------------------------------------------------------- */

typedef struct {
  hid_t     id;       /* -1: of a kind that is not read */
  size_t    size;     /* bytes of a value */
  PetscBool variable; /* texts of variable length */
} Type;

static hid_t TextType(size_t size, int padding, int characters)
{
  const hid_t id = H5Tcopy(H5T_C_S1);

  if (H5Tset_size(id, size) >= 0 && H5Tset_strpad(id, (H5T_str_t)padding) >= 0 && H5Tset_cset(id, (H5T_cset_t)characters) >= 0)
    return id;
  (void)H5Tclose(id);
  return -1;
}

static hid_t IntegerType(const uint8_t *at, size_t n, size_t size)
{
  static const int letters[]    = {0, 1, 2, 0, 3, 0, 0, 0, 4};
  const hid_t      little[2][5] = {{-1, H5T_STD_U8LE, H5T_STD_U16LE, H5T_STD_U32LE, H5T_STD_U64LE},
                                   {-1, H5T_STD_I8LE, H5T_STD_I16LE, H5T_STD_I32LE, H5T_STD_I64LE}};
  const hid_t      big[2][5]    = {{-1, H5T_STD_U8BE, H5T_STD_U16BE, H5T_STD_U32BE, H5T_STD_U64BE},
                                   {-1, H5T_STD_I8BE, H5T_STD_I16BE, H5T_STD_I32BE, H5T_STD_I64BE}};
  const int        sign         = at[1] >> 3 & 1;

  if (size > 8 || n < 12 || FgOldNumber(at + 8, 2) != 0 || FgOldNumber(at + 10, 2) != 8 * size) return -1;
  return at[1] & 1 ? big[sign][letters[size]] : little[sign][letters[size]];
}

static hid_t RealType(const uint8_t *at, size_t n, size_t size)
{
  /* Bit fields behind size: offset, precision; place and size of exponent and fraction; bias. */
  static const uint8_t single[12] = {0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0},
                       twice[12]  = {0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0};
  const int implied = at[1] >> 4 & 3, sign = at[2];

  if (n < 20 || at[1] & 0x40 || implied != 2) return -1;
  if (size == 4 && sign == 31 && !memcmp(at + 8, single, sizeof single)) return at[1] & 1 ? H5T_IEEE_F32BE : H5T_IEEE_F32LE;
  if (size == 8 && sign == 63 && !memcmp(at + 8, twice, sizeof twice)) return at[1] & 1 ? H5T_IEEE_F64BE : H5T_IEEE_F64LE;
  return -1;
}

/* To be closed, unless its id is -1. */
static Type ReadType(FgOldFile *old, const uint8_t *at, size_t n)
{
  Type type = {.id = -1};
  int  kind;

  if (n < 8) {
    old->wrong = damaged;
    return type;
  }
  kind      = at[0] & 15;
  type.size = FgOldNumber(at + 4, 4);
  if (kind == INTEGER) type.id = IntegerType(at, n, type.size);
  if (kind == FLOATING) type.id = RealType(at, n, type.size);
  if (type.id >= 0) type.id = H5Tcopy(type.id);
  if (kind == TEXT && type.size >= 1 && type.size <= TEXT_LIMIT) type.id = TextType(type.size, at[1] & 15, at[1] >> 4);
  if (kind == VARIABLE && (at[1] & 15) == 1 && type.size == REFERENCE) {
    type.id       = TextType(TEXT_LIMIT, H5T_STR_NULLTERM, at[2] & 15);
    type.variable = PETSC_TRUE;
  }
  return type;
}

typedef struct {
  int     rank; /* -1: null */
  hsize_t dims[RANK_LIMIT];
  double  count;
} Space;

static Space ReadSpace(FgOldFile *old, const uint8_t *at, size_t n)
{
  Space  space = {.count = 1};
  size_t head;

  if (n < 4 || (at[0] != 1 && at[0] != 2) || at[1] > RANK_LIMIT) old->wrong = damaged;
  head = old->wrong ? 0 : at[0] == 1 ? 8 : 4;
  if (!old->wrong && n < head + 8 * (size_t)at[1]) old->wrong = damaged;
  if (old->wrong) return space;
  space.rank = at[0] == 2 && at[3] == 2 ? -1 : at[1];
  for (int k = 0; k < space.rank; k++) {
    space.dims[k] = FgOldNumber(at + head + 8 * k, 8);
    space.count *= (double)space.dims[k];
  }
  if (space.rank < 0) space.count = 0;
  return space;
}

static hid_t MakeSpace(const Space *space)
{
  if (space->rank <= 0) return H5Screate(space->rank < 0 ? H5S_NULL : H5S_SCALAR);
  return H5Screate_simple(space->rank, space->dims, NULL);
}

/* --- Values ---------------------------------------------------------------------------------------------------------------------- */

/* The text that a reference (length, address of a heap, index within it) is about; its length is at most TEXT_LIMIT - 1, else -1. */
static int FindText(FgOldFile *old, const uint8_t *reference, const uint8_t **text)
{
  const uint64_t length = FgOldNumber(reference, 4), address = FgOldNumber(reference + 4, 8),
                 index = FgOldNumber(reference + 12, 4);
  const uint8_t *heap;
  uint64_t       size;

  if (!length || !address) return 0;
  if (length >= TEXT_LIMIT) return -1;
  heap = FgOldBytes(old, address, 16);
  if (!heap) return -1;
  size = FgOldNumber(heap + 8, 8);
  if (memcmp(heap, "GCOL", 4)) old->wrong = damaged;
  for (uint64_t at = 16; at + 16 <= size && !old->wrong;) {
    const uint8_t *object = FgOldBytes(old, address + at, 16);
    const uint64_t bytes  = object ? FgOldNumber(object + 8, 8) : 0;

    if (!object || FgOldNumber(object, 2) == 0) break;
    if (FgOldNumber(object, 2) == index && bytes >= length) {
      *text = FgOldBytes(old, address + at + 16, length);
      return *text ? (int)length : -1;
    }
    if (bytes > size - at) break;
    at += 16 + (bytes + 7) / 8 * 8;
  }
  if (!old->wrong) old->wrong = damaged;
  return -1;
}

/* Texts of variable length as texts of fixed length; NULL where one is too long or nothing could be found. PetscFree. */
static char *FixTexts(FgOldFile *old, size_t n, const uint8_t *references)
{
  char *texts = NULL;

  if (n * TEXT_LIMIT > old->left + 65536 || PetscCalloc1(n * TEXT_LIMIT, &texts)) return NULL;
  for (size_t i = 0; i < n; i++) {
    const uint8_t *text   = NULL;
    const int      length = FindText(old, references + REFERENCE * i, &text);

    if (length > 0) memcpy(texts + TEXT_LIMIT * i, text, (size_t)length);
    if (length < 0) {
      (void)PetscFree(texts);
      return NULL;
    }
  }
  return texts;
}

/* As many texts as there are, shortened to the longest of them; *size is what one takes. */
static void Shorten(size_t n, char *texts, size_t *size)
{
  size_t longest = 0;

  for (size_t i = 0; i < n; i++) longest = PetscMax(longest, strlen(texts + TEXT_LIMIT * i));
  *size = longest + 1;
  for (size_t i = 0; i < n; i++) memmove(texts + *size * i, texts + TEXT_LIMIT * i, *size);
}

/* Something of this name that says: neither numbers nor texts. */
static void PutOther(hid_t to, const char *name, PetscBool attribute, PetscBool chunked)
{
  const hsize_t one  = 1;
  const hid_t   type = H5Tcreate(H5T_OPAQUE, 1), space = chunked ? H5Screate_simple(1, &one, NULL) : H5Screate(H5S_SCALAR);
  const hid_t   settings = H5Pcreate(H5P_DATASET_CREATE);

  if (chunked) (void)H5Pset_chunk(settings, 1, &one);
  if (attribute) (void)H5Aclose(H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
  else (void)H5Dclose(H5Dcreate2(to, name, type, space, H5P_DEFAULT, settings, H5P_DEFAULT));
  (void)H5Pclose(settings);
  (void)H5Sclose(space);
  (void)H5Tclose(type);
}

/* An attribute or a dataset; NULL `values`: none were stored. */
static hid_t Put(FgOldFile *old, hid_t to, const char *name, PetscBool attribute, const Space *space, const Type *type,
                 const uint8_t *values)
{
  const hid_t extent = MakeSpace(space);
  hid_t       id = -1, stored = type->id;
  char       *texts  = NULL;
  herr_t      status = 0;

  if (type->variable && values) {
    size_t size;

    texts = FixTexts(old, (size_t)space->count, values);
    if (texts) {
      Shorten((size_t)space->count, texts, &size);
      status = H5Tset_size(stored, size);
      values = (const uint8_t *)texts;
    } else stored = -1;
  }
  if (stored >= 0 && status >= 0 && !old->wrong) {
    id = attribute ? H5Acreate2(to, name, stored, extent, H5P_DEFAULT, H5P_DEFAULT)
                   : H5Dcreate2(to, name, stored, extent, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (id >= 0 && values && space->rank >= 0)
      status = attribute ? H5Awrite(id, stored, values) : H5Dwrite(id, stored, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    if (id < 0 || status < 0) old->wrong = damaged; /* two of one name */
  } else if (!old->wrong) PutOther(to, name, attribute, PETSC_FALSE);
  (void)PetscFree(texts);
  (void)H5Sclose(extent);
  return id;
}

/* --- Attributes and datasets ------------------------------------------------------------------------------------------------------- */

void FgOldCopyAttribute(FgOldFile *old, const FgOldMessage *message, hid_t to)
{
  const uint8_t *at = message->data, *const end = at + message->size;
  const int version = message->size >= 9 ? at[0] : 0;
  size_t    part[3], padded[3];
  char      name[NAME_LIMIT];
  Type      type;
  Space     space;

  if (message->shared) return;
  if (version < 1 || version > 3) old->wrong = damaged;
  if (old->wrong) return;
  for (int k = 0; k < 3; k++) { /* name, type, sizes */
    part[k]   = FgOldNumber(at + 2 + 2 * k, 2);
    padded[k] = version == 1 ? (part[k] + 7) / 8 * 8 : part[k];
  }
  at += version == 3 ? 9 : 8;
  if (padded[0] + padded[1] + padded[2] > (size_t)(end - at) || !part[0] || at[part[0] - 1]) {
    old->wrong = damaged;
    return;
  }
  if (part[0] > sizeof name || (version > 1 && message->data[1] & 3))
    return; /* none that is read; or its type stands elsewhere */
  memcpy(name, at, part[0]);
  at += padded[0];
  type = ReadType(old, at, part[1]);
  at += padded[1];
  space = old->wrong ? (Space){.rank = 0} : ReadSpace(old, at, part[2]);
  at += padded[2];
  if (!old->wrong && type.id >= 0 && space.count * (double)type.size > (double)(end - at)) old->wrong = damaged;
  if (!old->wrong) {
    if (type.id < 0) PutOther(to, name, PETSC_TRUE, PETSC_FALSE);
    else (void)H5Aclose(Put(old, to, name, PETSC_TRUE, &space, &type, at));
  }
  if (type.id >= 0) (void)H5Tclose(type.id);
}

/* Where the values are: NULL with `chunked`, or NULL where none were stored. */
static const uint8_t *FindValues(FgOldFile *old, const FgOldMessage *layout, double bytes, PetscBool *chunked)
{
  const uint8_t *at      = layout->data, *values;
  const int      version = layout->size >= 4 ? at[0] : 0, kind = layout->size >= 4 ? at[1] : 0;
  uint64_t       address, size;

  *chunked = (version != 3 && version != 4) || kind > CONTIGUOUS ? PETSC_TRUE : PETSC_FALSE;
  if (*chunked) return NULL;
  if (kind == COMPACT) {
    size = FgOldNumber(at + 2, 2);
    if ((double)size < bytes || size > layout->size - 4) old->wrong = damaged;
    return old->wrong ? NULL : at + 4;
  }
  if (layout->size < 18) old->wrong = damaged;
  if (old->wrong) return NULL;
  address = FgOldNumber(at + 2, 8);
  size    = FgOldNumber(at + 10, 8);
  if (address == UINT64_MAX) return NULL; /* never written: as the new file has it */
  values = FgOldBytes(old, address, size);
  if (values && ((double)size < bytes || size > old->left)) old->wrong = damaged;
  if (old->wrong) return NULL;
  old->left -= size;
  return values;
}

void FgOldCopyDataset(FgOldFile *old, const FgOldMessage *messages, int n, hid_t to, const char *name)
{
  const FgOldMessage *layout = FgOldFind(messages, n, FG_OLD_LAYOUT), *kind = FgOldFind(messages, n, FG_OLD_DATATYPE),
                     *extent = FgOldFind(messages, n, FG_OLD_DATASPACE);
  const uint8_t *values      = NULL;
  PetscBool      chunked;
  hid_t          dataset = -1;
  Type           type    = {.id = -1};
  Space          space   = {.rank = 0};

  if (!kind || !extent) old->wrong = damaged;
  if (!old->wrong && !kind->shared && !extent->shared) type = ReadType(old, kind->data, kind->size);
  if (!old->wrong && !extent->shared) space = ReadSpace(old, extent->data, extent->size);
  if (!old->wrong) values = FindValues(old, layout, type.id < 0 ? 0.0 : space.count * (double)type.size, &chunked);
  if (!old->wrong) {
    if (chunked || FgOldFind(messages, n, FG_OLD_EXTERNAL)) PutOther(to, name, PETSC_FALSE, PETSC_TRUE);
    else if (type.id < 0) PutOther(to, name, PETSC_FALSE, PETSC_FALSE);
    else dataset = Put(old, to, name, PETSC_FALSE, &space, &type, values);
  }
  for (int m = 0; m < n && !old->wrong && dataset >= 0; m++) {
    if (messages[m].type == FG_OLD_ATTRIBUTE) FgOldCopyAttribute(old, &messages[m], dataset);
  }
  if (dataset >= 0) (void)H5Dclose(dataset);
  if (type.id >= 0) (void)H5Tclose(type.id);
}
