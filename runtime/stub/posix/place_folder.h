/* The places as open folders, and whom they may belong to. */
#ifndef PLACE_FOLDER_H
#define PLACE_FOLDER_H

#include "message.h"
#include "place.h"

#include <stdbool.h>
#include <sys/types.h>

/* Open the folder `runtime` of a place, made where it is missing.
 * Returns: A descriptor, or -1 with the reason why the place cannot be used. */
int open_place(const struct place *place, struct reason *why);

/* Whether we may run what lies in a folder with this owner and mode. */
bool is_trusted(uid_t owner, mode_t mode);

#endif
