/* The folders in which a runtime may be unpacked. */
#ifndef PLACE_H
#define PLACE_H

#include "path.h"

#include <stdbool.h>

enum { MAX_PLACES = 8 };

/* What to do where none of them can be used. */
#define CHOOSE_PLACE \
    "give --unpack-dir or SOLOFILE_CACHE a writable folder on a disk that programs may be " \
    "started from"

struct place {
    char path[PATH_BYTES];
    int max_new_folders; /* how many missing folders of the path are made */
    bool is_chosen;      /* the user named it: whose it is does not matter */
    bool is_shared;      /* it lies where everybody may write: it must be ours alone */
};

/* List the places in the order in which they are tried.
 * Args:
 *   places: Where they are written.
 *   solofile: The absolute path of the running file; the last place lies beside it.
 *   unpack_dir: The only place, where the command line names it, else NULL.
 * Returns: How many there are. */
int list_places(struct place places[MAX_PLACES], const char *solofile, const char *unpack_dir);

#endif
