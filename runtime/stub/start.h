/* From the launcher to the runtime. */
#ifndef START_H
#define START_H

#include "folder.h"

/* Start the runtime in this process's place, or say why that cannot be done.
 * Args:
 *   runtime: The unpacked runtime.
 *   solofile: The absolute path of the running file.
 *   arguments: Those of this process, passed on as they are. */
_Noreturn void start_runtime(const struct runtime *runtime, const char *solofile,
                             char **arguments);

#endif
