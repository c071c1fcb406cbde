/* eit_file.h: names that reading and writing an impedance measurement share. Layout: docs/formats.md, "EIT measurements". */
#ifndef FINEGRAIN_DATA_EIT_FILE_H
#define FINEGRAIN_DATA_EIT_FILE_H

#define FG_EIT_FORMAT "finegrain-eit"
enum { FG_EIT_FORMAT_VERSION = 1 };

#endif
