/* The places in which a runtime may be unpacked, as they are listed. */
#ifndef PLACE_LIST_H
#define PLACE_LIST_H

#include "place.h"

struct place_list {
    struct place *places;
    int num_places;
};

/* Append the path `base` followed by `rest`.
 * Returns: The place, of which any missing folder is made; NULL where the path is too long or listed. */
struct place *add_place(struct place_list *list, const char *base, const char *rest);

#endif
