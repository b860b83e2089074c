/* A folder of our own where everybody may make folders. */
#ifndef PRIVATE_FOLDER_H
#define PRIVATE_FOLDER_H

#include "message.h"

#include <stddef.h>

/* Make a folder that only this user and the system's own may change, or check that it is one.
 * Args:
 *   wide: Its path, for Windows.
 *   path: The same for people.
 * Returns: false, with the reason, when it cannot be made or is somebody else's. */
bool make_private_folder(const wchar_t *wide, const char *path, struct reason *why);

#endif
