/* homogenization_table.h: what reading and writing a table of effective tensors share. Private to data/. */
#ifndef FINEGRAIN_DATA_HOMOGENIZATION_TABLE_H
#define FINEGRAIN_DATA_HOMOGENIZATION_TABLE_H

#include "finegrain/homogenization_table.h"

#include <hdf5.h>

#define FG_TABLE_FORMAT "finegrain homogenization table"
enum { FG_TABLE_FORMAT_VERSION = 1 };

/* HDF5 reports failures to standard error unless told not to. */
typedef struct {
  H5E_auto2_t function;
  void       *context;
} FgReports;

static inline void FgHush(FgReports *reports)
{
  (void)H5Eget_auto2(H5E_DEFAULT, &reports->function, &reports->context);
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static inline void FgUnhush(const FgReports *reports)
{
  (void)H5Eset_auto2(H5E_DEFAULT, reports->function, reports->context);
}

#endif
