/* From the compressed package to files in a folder. */
#ifndef UNPACK_H
#define UNPACK_H

#include "archive.h"
#include "message.h"
#include "tar.h"

#include <stdbool.h>

/* Write the package's files below an open, empty folder, and check its digest beside that: what
 * lies there may be used only where the result is UNPACKED. */
enum unpacked unpack_package(int solofile, const struct package *package,
                             const struct open_folder *folder);

/* Whether that many bytes of free space are enough for the package's files in the folder `path`. */
bool has_room(uint64_t free_bytes, const struct package *package, const char *path,
              struct reason *why);

_Noreturn void fail_damaged_package(void);

#endif
