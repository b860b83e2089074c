/* The solofile itself: opened by the running program, and read. */
#ifndef OWN_FILE_H
#define OWN_FILE_H

#include "path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open the file this process was started from, and write down its absolute path.
 * Does not return when it cannot be read. */
int open_self(char path[PATH_BYTES]);

/* Its size in bytes. Does not return when the system does not tell it. */
uint64_t own_file_size(int file);

/* Read exactly `size` bytes at `offset`; false when the file does not have them. */
bool read_at(int file, void *buffer, size_t size, uint64_t offset);

#endif
