/* eit_by_others.h: an impedance measurement as other programs write it with libhdf5: two electrodes, one voltage, types of many kinds. */
#ifndef FINEGRAIN_TESTS_EIT_BY_OTHERS_H
#define FINEGRAIN_TESTS_EIT_BY_OTHERS_H

#include <hdf5.h>
#include <stdio.h>

typedef enum {
  BY_OTHERS_NEW,   /* superblock 3 */
  BY_OTHERS_OLD,   /* superblock 0, which libhdf5 writes unless asked */
  BY_OTHERS_CHUNKS /* superblock 1: another size of the index of chunks */
} ByOthers;

typedef struct {
  hid_t file;
  int   failed;
} OthersFile;

static inline void OthersAttribute(OthersFile *out, hid_t object, const char *name, hid_t stored, hid_t type, const void *value)
{
  const hid_t space = H5Screate(H5S_SCALAR), attribute = H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);

  if (H5Awrite(attribute, type, value) < 0 || H5Aclose(attribute) < 0 || H5Sclose(space) < 0) out->failed = 1;
}

/* Rank 0: one value. */
static inline void OthersDataset(OthersFile *out, const char *name, int rank, const hsize_t *dims, hid_t stored, hid_t type,
                                 const void *values)
{
  const hid_t space   = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
  const hid_t dataset = H5Dcreate2(out->file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

  if (values && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) out->failed = 1;
  if (H5Dclose(dataset) < 0 || H5Sclose(space) < 0) out->failed = 1;
}

/* Texts of fixed length without a closing zero, as numpy has them, or (length 0) of variable length. */
static inline hid_t OthersText(size_t length)
{
  const hid_t type = H5Tcopy(H5T_C_S1);

  (void)H5Tset_size(type, length ? length : H5T_VARIABLE);
  (void)H5Tset_strpad(type, H5T_STR_NULLPAD);
  (void)H5Tset_cset(type, length ? H5T_CSET_ASCII : H5T_CSET_UTF8);
  return type;
}

/* A tank, names of electrodes, an attribute of a dataset; and what finegrain does not ask for: a number in chunks, an array of compound
   numbers, a dataset that nobody wrote, a link to nowhere. */
static inline void OthersMore(OthersFile *out)
{
  static const char *const names[] = {"left", "right"};
  const hsize_t            two = 2, many[2] = {3, 40};
  const double             numbers[] = {0.0, 3.0, 0.1};
  const hid_t              text = OthersText(0), volt = OthersText(1), pair = H5Tcreate(H5T_COMPOUND, 16);
  const hid_t              group    = H5Gcreate2(out->file, "tank", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t              settings = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &two, NULL);
  hid_t                    object;

  if (H5Gclose(group) < 0 || H5Tinsert(pair, "r", 0, H5T_IEEE_F64LE) < 0) out->failed = 1;
  OthersDataset(out, "tank/radius", 0, NULL, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &numbers[2]);
  OthersDataset(out, "tank/angle", 1, &two, H5T_IEEE_F32BE, H5T_NATIVE_DOUBLE, numbers);
  OthersDataset(out, "tank/width", 0, NULL, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &numbers[2]);
  OthersDataset(out, "electrode_name", 1, &two, text, text, names);
  OthersDataset(out, "pair", 2, many, pair, pair, NULL);
  OthersDataset(out, "unwritten", 2, many, H5T_STD_U16BE, H5T_NATIVE_DOUBLE, NULL);
  object = H5Dopen2(out->file, "voltage", H5P_DEFAULT);
  OthersAttribute(out, object, "unit", volt, volt, "V");
  if (H5Dclose(object) < 0 || H5Pset_chunk(settings, 1, &two) < 0) out->failed = 1;
  object = H5Dcreate2(out->file, "chunks", H5T_IEEE_F64LE, space, H5P_DEFAULT, settings, H5P_DEFAULT);
  if (H5Dwrite(object, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) < 0 || H5Dclose(object) < 0) out->failed = 1;
  if (H5Lcreate_soft("/nowhere", out->file, "depth", H5P_DEFAULT, H5P_DEFAULT) < 0) out->failed = 1;
  if (H5Sclose(space) < 0 || H5Pclose(settings) < 0 || H5Tclose(pair) < 0 || H5Tclose(volt) < 0 || H5Tclose(text) < 0)
    out->failed = 1;
}

/* `more`: with all of the above, and the format a text of variable length. 0 where libhdf5 wrote it. */
static inline int EitByOthers(const char *path, ByOthers kind, int more)
{
  const hsize_t     current[] = {1, 2}, voltage[] = {1, 1};
  const double      amperes[] = {1, -1}, impedance = 0.5, volts = 2.0, relative = 0.01;
  const char *const format   = "finegrain-eit";
  const int         version  = 1;
  const hid_t       creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS), text = OthersText(more ? 0 : 13);
  OthersFile        out = {.file = -1};

  if (kind == BY_OTHERS_NEW && H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) < 0) out.failed = 1;
  if (kind == BY_OTHERS_CHUNKS && H5Pset_istore_k(creation, 64) < 0) out.failed = 1;
  out.file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  OthersAttribute(&out, out.file, "format", text, text, more ? (const void *)&format : (const void *)format);
  OthersAttribute(&out, out.file, "version", H5T_STD_I64LE, H5T_NATIVE_INT, &version);
  OthersAttribute(&out, out.file, "relative_noise", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &relative);
  OthersDataset(&out, "contact_impedance", 0, NULL, H5T_IEEE_F32LE, H5T_NATIVE_DOUBLE, &impedance);
  OthersDataset(&out, "current", 2, current, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, amperes);
  OthersDataset(&out, "measurement_pattern", 2, current, H5T_STD_I8LE, H5T_NATIVE_DOUBLE, amperes);
  OthersDataset(&out, "voltage", 2, voltage, H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, &volts);
  if (more) OthersMore(&out);
  if (H5Tclose(text) < 0 || H5Pclose(access) < 0 || H5Pclose(creation) < 0 || H5Fclose(out.file) < 0) out.failed = 1;
  return out.failed;
}

#endif
