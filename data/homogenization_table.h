/* homogenization_table.h: what reading and writing a table of effective tensors share. Private to data/. */
#ifndef FINEGRAIN_DATA_HOMOGENIZATION_TABLE_H
#define FINEGRAIN_DATA_HOMOGENIZATION_TABLE_H

#include "finegrain/homogenization_table.h"

#define FG_TABLE_FORMAT "finegrain homogenization table"
enum { FG_TABLE_FORMAT_VERSION = 1 };

#endif
