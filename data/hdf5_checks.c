/* hdf5_checks.c: what is asked of the parts of an HDF5 file before they are read; see hdf5_checks.h. */
#include "hdf5_checks.h"

#include <stdio.h>
#include <string.h>

#define NAME_LIMIT 64

static const char signature[] = "\211HDF\r\n\032\n";

PetscBool FgIsHdf5Bytes(const void *bytes, size_t n)
{
  return n >= 8 && !memcmp(bytes, signature, 8) ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool FgIsHdf5(const char *path)
{
  char   head[8];
  size_t n;
  FILE  *file = fopen(path, "rb");

  if (!file) return PETSC_FALSE;
  n = fread(head, 1, sizeof head, file);
  (void)fclose(file);
  return FgIsHdf5Bytes(head, n);
}

/* --- Types ------------------------------------------------------------------------------------------------------------------- */

PetscBool FgHdf5IsDouble(hid_t type)
{
  return H5Tequal(type, H5T_IEEE_F64LE) > 0 || H5Tequal(type, H5T_IEEE_F64BE) > 0 ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool FgHdf5IsReal(hid_t type)
{
  return FgHdf5IsDouble(type) || H5Tequal(type, H5T_IEEE_F32LE) > 0 || H5Tequal(type, H5T_IEEE_F32BE) > 0 ? PETSC_TRUE
                                                                                                          : PETSC_FALSE;
}

PetscBool FgHdf5IsInteger(hid_t type)
{
  return H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) <= 8 && H5Tget_precision(type) == 8 * H5Tget_size(type)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

PetscBool FgHdf5IsText(hid_t type, size_t size)
{
  return H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && H5Tget_size(type) <= size ? PETSC_TRUE
                                                                                                        : PETSC_FALSE;
}

PetscBool FgHdf5IsLine(const char *text)
{
  for (const char *at = text; *at; at++) {
    if ((unsigned char)*at < 0x20 || *at == 0x7f) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* --- Parts ------------------------------------------------------------------------------------------------------------------- */

PetscBool FgHdf5Line(hid_t object, const char *name, size_t size, char *text)
{
  hid_t     attribute, type, space, memory;
  PetscBool good;

  memset(text, 0, size);
  if (H5Aexists(object, name) <= 0) return PETSC_FALSE;
  attribute      = H5Aopen(object, name, H5P_DEFAULT);
  type           = H5Aget_type(attribute);
  space          = H5Aget_space(attribute);
  memory         = H5Tcopy(H5T_C_S1);
  good           = FgHdf5IsText(type, size) && H5Sget_simple_extent_npoints(space) == 1 && H5Tset_size(memory, size) >= 0 &&
                 H5Tset_cset(memory, H5Tget_cset(type)) >= 0 && H5Aread(attribute, memory, text) >= 0
                       ? PETSC_TRUE
                       : PETSC_FALSE;
  text[size - 1] = 0;
  (void)H5Tclose(memory);
  (void)H5Sclose(space);
  (void)H5Tclose(type);
  (void)H5Aclose(attribute);
  return good && FgHdf5IsLine(text) ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool FgHdf5IsPiece(hid_t dataset)
{
  const hid_t        settings = H5Dget_create_plist(dataset);
  const H5D_layout_t layout   = H5Pget_layout(settings);
  const PetscBool    piece    = (layout == H5D_CONTIGUOUS || layout == H5D_COMPACT) && H5Pget_external_count(settings) == 0 &&
                                  H5Pget_nfilters(settings) == 0
                                    ? PETSC_TRUE
                                    : PETSC_FALSE;

  (void)H5Pclose(settings);
  return piece;
}

PetscBool FgHdf5IsWithin(hid_t file, const char *name)
{
  char         part[NAME_LIMIT];
  H5L_info_t   link;
  const size_t n = strlen(name);

  if (n >= sizeof part) return PETSC_FALSE;
  for (size_t end = 1; end <= n; end++) { /* NAME, then NAME/NAME */
    if (end < n && name[end] != '/') continue;
    memcpy(part, name, end);
    part[end] = 0;
    if (H5Lexists(file, part, H5P_DEFAULT) <= 0 || H5Lget_info(file, part, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
      return PETSC_FALSE;
  }
  return PETSC_TRUE;
}
