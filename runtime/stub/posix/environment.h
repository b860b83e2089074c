/* What the runtime finds in its environment. */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stdbool.h>

/* Tell the runtime where the solofile is, and prepare it to load libraries from its folder.
 * Args:
 *   solofile: The absolute path of the running file.
 *   folder: The runtime's folder, resolved.
 *   archive: The name of the frozen program's archive in it.
 * Returns: false where memory is short. */
bool prepare_environment(const char *solofile, const char *folder, const char *archive);

#endif
