/* The places as folders. */
#ifndef PLACE_FOLDER_H
#define PLACE_FOLDER_H

#include "message.h"
#include "place.h"
#include "wide.h"

#include <stdbool.h>

/* Make the folder `runtime` of a place where it is missing, and write down its path.
 * Returns: false, with the reason, when the place cannot be used. */
bool open_place(const struct place *place, wchar_t path[WIDE_PATH], struct reason *why);

#endif
