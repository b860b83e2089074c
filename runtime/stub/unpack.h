/* From the compressed package to files in a folder. */
#ifndef UNPACK_H
#define UNPACK_H

#include "archive.h"
#include "tar.h"

#include <stdbool.h>

/* Whether the compressed stream has the digest its header says. */
bool is_package_whole(int solofile, const struct package *package);

/* Write the package's files below an open, empty folder. */
enum unpacked unpack_package(int solofile, const struct package *package,
                             const struct open_folder *folder);

#endif
