#include "posix/environment.h"

#include <stdlib.h>

/* Libraries on macOS name the folder they are in themselves, so no path is set for them. */
bool prepare_environment(const char *solofile, const char *folder, const char *archive)
{
    (void)folder, (void)archive;
    return setenv("SOLOFILE_PATH", solofile, 1) == 0;
}
