/* hdf5_reports.h: HDF5 reports failures to standard error unless told not to. Private to data/. */
#ifndef FINEGRAIN_DATA_HDF5_REPORTS_H
#define FINEGRAIN_DATA_HDF5_REPORTS_H

#include <hdf5.h>

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
