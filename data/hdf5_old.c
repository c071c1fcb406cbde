/* hdf5_old.c: superblock, groups and object headers of old HDF5 files; see hdf5_old.h.

   A group is a B-tree (TREE) over symbol nodes (SNOD), whose entries give an object's header and where its name stands in a heap (HEAP). A
   header is a run of messages, continued in further runs. Addresses and lengths have 8 bytes.
   Source: The HDF Group, HDF5 File Format Specification Version 3.0, II.A, III.A.1, III.B-D, IV.A.1.a,
   https://support.hdfgroup.org/archive/support/HDF5/doc/H5.format.html */
#include "hdf5_old.h"

#include <string.h>

enum { STEPS = 10000000, MESSAGES = 1024, LEVELS = 8, DEPTH = 1, NAME_LIMIT = 64 };
enum { LINK_INFO = 2, LINK = 6, CONTINUATION = 16, SYMBOL_TABLE = 17 };
enum { PREFIX = 16, MESSAGE_PREFIX = 8, NODE_PREFIX = 24, ENTRY = 40, SOFT_LINK = 2 };

static const char damaged[] = "damaged or cut off";

uint64_t FgOldNumber(const uint8_t *at, size_t n)
{
  uint64_t number = 0;

  while (n--) number = number << 8 | at[n];
  return number;
}

const uint8_t *FgOldBytes(FgOldFile *old, uint64_t address, uint64_t n)
{
  if (old->wrong) return NULL;
  if (!old->steps) old->wrong = "damaged: goes round, or holds more parts than a measurement has";
  else if (address > old->length || n > old->length - address) old->wrong = damaged;
  if (old->wrong) return NULL;
  old->steps--;
  return old->bytes + address;
}

/* Likewise, opening with four letters. */
static const uint8_t *Block(FgOldFile *old, uint64_t address, uint64_t n, const char letters[5])
{
  const uint8_t *at = FgOldBytes(old, address, n);

  if (at && memcmp(at, letters, 4)) old->wrong = damaged;
  return old->wrong ? NULL : at;
}

const FgOldMessage *FgOldFind(const FgOldMessage *messages, int n, int type)
{
  for (int m = 0; m < n; m++) {
    if (messages[m].type == type) return &messages[m];
  }
  return NULL;
}

/* --- Headers ----------------------------------------------------------------------------------------------------------------- */

/* Messages from `address` on, behind the n that there are; no more than `expected` in all. */
static int ReadRun(FgOldFile *old, uint64_t address, uint64_t size, int expected, int n, FgOldMessage messages[MESSAGES])
{
  const uint8_t *at = FgOldBytes(old, address, size), *const end = at ? at + size : NULL;

  while (at && n < expected && end - at >= MESSAGE_PREFIX) {
    FgOldMessage *message = &messages[n++];

    message->type   = (uint16_t)FgOldNumber(at, 2);
    message->size   = FgOldNumber(at + 2, 2);
    message->shared = at[4] & 2 ? PETSC_TRUE : PETSC_FALSE;
    message->data   = at + MESSAGE_PREFIX;
    if (message->size > (size_t)(end - message->data)) old->wrong = damaged;
    if (old->wrong) break;
    at = message->data + message->size;
  }
  return n;
}

/* The messages of an object: how many. */
static int ReadHeader(FgOldFile *old, uint64_t address, FgOldMessage messages[MESSAGES])
{
  const uint8_t *prefix = FgOldBytes(old, address, PREFIX);
  int            n      = 0, expected;

  if (!prefix) return 0;
  expected = (int)FgOldNumber(prefix + 2, 2);
  if (!memcmp(prefix, "OHDR", 4)) old->wrong = "an object header of version 2, expected version 1, which goes with it";
  else if (prefix[0] != 1) old->wrong = damaged;
  else if (expected > MESSAGES) old->wrong = "more than 900 attributes of an object";
  else n = ReadRun(old, address + PREFIX, FgOldNumber(prefix + 8, 4), expected, 0, messages);
  for (int m = 0; m < n && !old->wrong; m++) {
    const FgOldMessage *message = &messages[m];

    if (message->type != CONTINUATION) continue;
    if (message->size < 16) old->wrong = damaged;
    else n = ReadRun(old, FgOldNumber(message->data, 8), FgOldNumber(message->data + 8, 8), expected, n, messages);
  }
  if (n < expected && !old->wrong) old->wrong = damaged;
  return old->wrong ? 0 : n;
}

/* --- Groups ------------------------------------------------------------------------------------------------------------------ */

typedef struct {
  const uint8_t *names; /* the heap's */
  uint64_t       nnames;
  hid_t          to;
  int            depth;
} Group;

static void CopyGroup(FgOldFile *old, const FgOldMessage *table, hid_t to, int depth);

static void CopyObject(FgOldFile *old, uint64_t address, const char *name, const Group *group)
{
  FgOldMessage        messages[MESSAGES];
  const int           n     = ReadHeader(old, address, messages);
  const FgOldMessage *table = FgOldFind(messages, n, SYMBOL_TABLE);

  if (table && group->depth < DEPTH) {
    const hid_t to = H5Gcreate2(group->to, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

    if (to < 0) old->wrong = damaged; /* two of one name */
    CopyGroup(old, table, to, group->depth + 1);
    (void)H5Gclose(to);
  } else if (FgOldFind(messages, n, FG_OLD_LAYOUT)) FgOldCopyDataset(old, messages, n, group->to, name);
}

static void CopyEntry(FgOldFile *old, const uint8_t *entry, const Group *group)
{
  const uint64_t name = entry ? FgOldNumber(entry, 8) : 0;
  const char    *text;
  size_t         n;

  if (!entry) return;
  text = (const char *)group->names + PetscMin(name, group->nnames);
  if (name >= group->nnames || !memchr(text, 0, group->nnames - name)) {
    old->wrong = damaged;
    return;
  }
  n = strlen(text);
  if (!n || n >= NAME_LIMIT || strchr(text, '/') || !strcmp(text, ".") || FgOldNumber(entry + 16, 4) == SOFT_LINK) return;
  CopyObject(old, FgOldNumber(entry + 8, 8), text, group);
}

/* A node of the tree: the symbol nodes below it, or further nodes. */
static void CopyNode(FgOldFile *old, uint64_t address, int level, const Group *group)
{
  const uint8_t *node = Block(old, address, NODE_PREFIX, "TREE"), *children;
  uint64_t       n;

  if (!node) return;
  n        = FgOldNumber(node + 6, 2);
  children = FgOldBytes(old, address + NODE_PREFIX, 16 * n + 8); /* key, child, key, child, ..., key */
  if (node[4] != 0 || node[5] > LEVELS || (level >= 0 && node[5] != level)) old->wrong = damaged;
  for (uint64_t k = 0; k < n && !old->wrong; k++) {
    const uint64_t child = FgOldNumber(children + 16 * k + 8, 8);
    const uint8_t *symbols;

    if (node[5] > 0) {
      CopyNode(old, child, node[5] - 1, group);
      continue;
    }
    symbols = Block(old, child, 8, "SNOD");
    for (uint64_t e = 0; symbols && e < FgOldNumber(symbols + 6, 2) && !old->wrong; e++)
      CopyEntry(old, FgOldBytes(old, child + 8 + ENTRY * e, ENTRY), group);
  }
}

static void CopyGroup(FgOldFile *old, const FgOldMessage *table, hid_t to, int depth)
{
  Group          group = {.to = to, .depth = depth};
  const uint8_t *heap;

  if (table->size < 16) old->wrong = damaged;
  heap = old->wrong ? NULL : Block(old, FgOldNumber(table->data + 8, 8), 32, "HEAP");
  if (!heap) return;
  group.nnames = FgOldNumber(heap + 8, 8);
  group.names  = FgOldBytes(old, FgOldNumber(heap + 24, 8), group.nnames);
  if (group.names) CopyNode(old, FgOldNumber(table->data, 8), -1, &group);
}

/* --- File -------------------------------------------------------------------------------------------------------------------- */

static void CopyFile(FgOldFile *old, hid_t to)
{
  const size_t        extra      = old->length > 8 && old->bytes[8] == 1 ? 4 : 0; /* version 1 says how chunks are indexed */
  const uint8_t      *superblock = FgOldBytes(old, 0, 96 + extra), *at;
  FgOldMessage        messages[MESSAGES];
  const FgOldMessage *table;
  int                 n;

  if (!superblock) return;
  at = superblock + 24 + extra; /* addresses: base, free space, end of file, driver; then the root's entry */
  if (superblock[13] != 8 || superblock[14] != 8) old->wrong = "addresses or lengths of other than 8 bytes";
  else if (FgOldNumber(at, 8) != 0 || FgOldNumber(at + 16, 8) > old->length) old->wrong = damaged;
  n     = old->wrong ? 0 : ReadHeader(old, FgOldNumber(at + 40, 8), messages);
  table = FgOldFind(messages, n, SYMBOL_TABLE);
  if (!old->wrong && !table)
    old->wrong = FgOldFind(messages, n, LINK_INFO) || FgOldFind(messages, n, LINK)
                     ? "a root group of a newer kind, expected the one that goes with it"
                     : damaged;
  for (int m = 0; m < n && !old->wrong; m++) {
    if (messages[m].type == FG_OLD_ATTRIBUTE) FgOldCopyAttribute(old, &messages[m], to);
  }
  if (!old->wrong) CopyGroup(old, table, to, 0);
}

PetscErrorCode FgHdf5OldOpen(const char *path, const void *bytes, size_t length, hid_t *file)
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  FgOldFile   old    = {.bytes = bytes, .length = length, .steps = STEPS, .left = length};

  PetscFunctionBegin;
  *file = H5Pset_fapl_core(access, 65536, 0) >= 0 ? H5Fcreate("/dev/null/image", H5F_ACC_TRUNC, H5P_DEFAULT, access) : -1;
  (void)H5Pclose(access);
  PetscCheck(*file >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: HDF5 cannot hold it in memory", path);
  CopyFile(&old, *file);
  if (old.wrong) {
    (void)H5Fclose(*file);
    *file = -1;
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
            "%s: HDF5 file with a superblock of version %d: %s; if it is whole, "
            "write it with libver='latest'",
            path, ((const uint8_t *)bytes)[8], old.wrong);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
