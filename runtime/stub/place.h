/* The folders in which a runtime may be unpacked, on Linux. */
#ifndef PLACE_H
#define PLACE_H

#include "message.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { MAX_PLACES = 8 };

struct place {
    char path[PATH_MAX];
    int max_new_folders; /* how many missing folders of the path are made */
    bool is_chosen;      /* the user named it: whose it is does not matter */
    bool is_shared;      /* it lies where everybody may write: it must be ours alone */
};

/* List the places in the order in which they are tried.
 * Args:
 *   places: Where they are written.
 *   solofile: The absolute path of the running file; the last place lies beside it.
 * Returns: How many there are. */
int list_places(struct place places[MAX_PLACES], const char *solofile);

/* Open the folder `runtime` of a place, made where it is missing.
 * Returns: A descriptor, or -1 with the reason why the place cannot be used. */
int open_place(const struct place *place, struct reason *why);

/* Whether we may run what lies in a folder with this owner and mode. */
bool is_trusted(uid_t owner, mode_t mode);

#endif
