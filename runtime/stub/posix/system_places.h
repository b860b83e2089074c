/* Where a system keeps what can be made again. */
#ifndef SYSTEM_PLACES_H
#define SYSTEM_PLACES_H

#include <stdbool.h>

/* Below the home folder; it and the folder it lies in are made where they are missing. */
extern const char HOME_CACHE[];

/* Folders in which everybody may write; the last one is NULL. */
extern const char *const SHARED_FOLDERS[];

/* Find out whether the file system of an open folder starts no programs; false sets errno. */
bool find_noexec(int folder, bool *is_noexec);

#endif
