/* How the folder of an unpacked runtime is called, and those that are not finished. */
#ifndef FOLDER_NAME_H
#define FOLDER_NAME_H

#include "archive.h"

#include <stdbool.h>

enum { FOLDER_NAME_BYTES = 32 }; /* half of the package's SHA-256, in hex */

/* A folder being made, or being removed, is called NAME.part.PID.NUMBER. It is held for as long as
 * a process works on it: whatever cuts that process short leaves a folder that nobody holds, and
 * the next start sweeps it. */
#define PART ".part."
enum { PART_NAME_BYTES = FOLDER_NAME_BYTES + 64, MAX_TRIES = 16 };

void write_folder_name(const struct package *package, char name[FOLDER_NAME_BYTES + 1]);

/* Whether a name is that of a runtime's folder, finished or not. */
bool is_folder_name(const char *name);
bool is_part_name(const char *name);

#endif
