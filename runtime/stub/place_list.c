#include "place_list.h"

#include <stdio.h>
#include <string.h>

static bool is_listed(const struct place_list *list, const char *path)
{
    for (int i = 0; i < list->num_places; i++)
        if (!strcmp(list->places[i].path, path))
            return true;
    return false;
}

struct place *add_place(struct place_list *list, const char *base, const char *rest)
{
    struct place *place = &list->places[list->num_places];
    int size = snprintf(place->path, sizeof place->path, "%s%s", base, rest);
    if (size < 0 || (size_t)size >= sizeof place->path || is_listed(list, place->path))
        return NULL;
    place->max_new_folders = PATH_BYTES;
    place->is_chosen = place->is_shared = false;
    list->num_places++;
    return place;
}
