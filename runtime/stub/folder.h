/* The unpacked runtimes of one place: found, made, and swept. */
#ifndef FOLDER_H
#define FOLDER_H

#include "archive.h"
#include "message.h"
#include "place.h"

struct runtime {
    char path[PATH_BYTES];
    bool is_new;
};

/* Find the package's folder in a place, or unpack the package there.
 *
 * It stays held by this process, past exec, and so is not swept while it is in use.
 * Returns: false, with the reason, when the place cannot be used. */
bool settle(const struct place *place, int solofile, const struct package *package,
            struct runtime *runtime, struct reason *why);

#endif
