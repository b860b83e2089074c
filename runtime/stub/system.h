/* Whether this system can run the runtime at all. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "archive.h"

/* Does not return where the system lacks something that the package says the runtime needs. Where
 * it cannot be told, the system itself has the last word. */
void check_system(const struct package *package);

#endif
