/* What a package's members become in a folder; each function sets errno where it fails. */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A folder that members are made in, by paths relative to it; each system has its own kind. */
struct open_folder;

bool make_folder(const struct open_folder *folder, const char *path);
bool make_link(const struct open_folder *folder, const char *path, const char *target);

/* Make a file with these permission bits; -1 where that fails. */
int make_file(const struct open_folder *folder, const char *path, int mode);

bool write_all(int file, const uint8_t *bytes, size_t size);
bool close_file(int file);

#endif
