#include "folder_name.h"

#include <stdio.h>
#include <string.h>

void write_folder_name(const struct package *package, char name[FOLDER_NAME_BYTES + 1])
{
    for (int i = 0; i < FOLDER_NAME_BYTES / 2; i++)
        snprintf(name + 2 * i, 3, "%02x", package->sha256[i]);
}

bool is_folder_name(const char *name)
{
    size_t size = strspn(name, "0123456789abcdef");
    return size == FOLDER_NAME_BYTES && (!name[size] || is_part_name(name));
}

bool is_part_name(const char *name)
{
    return strlen(name) > FOLDER_NAME_BYTES &&
           !strncmp(name + FOLDER_NAME_BYTES, PART, sizeof PART - 1);
}
