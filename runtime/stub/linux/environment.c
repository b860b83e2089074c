#include "posix/environment.h"

#include "path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Put the folder first on the library path. The runtime gives the programs it starts the path
 * that was there before, which it finds in LD_LIBRARY_PATH_ORIG. */
static bool set_library_path(const char *folder)
{
    const char *before = getenv("LD_LIBRARY_PATH");
    if (!before || !*before)
        return unsetenv("LD_LIBRARY_PATH_ORIG") == 0 && setenv("LD_LIBRARY_PATH", folder, 1) == 0;
    size_t size = strlen(folder) + 1 + strlen(before) + 1;
    char *path = malloc(size);
    if (!path)
        return false;
    snprintf(path, size, "%s:%s", folder, before);
    bool is_set = setenv("LD_LIBRARY_PATH_ORIG", before, 1) == 0 &&
                  setenv("LD_LIBRARY_PATH", path, 1) == 0;
    free(path);
    return is_set;
}

/* What PyInstaller's program would set before it starts itself a second time, for the library path
 * to count. With it set, it goes on at once, and needs no library of the system but glibc. Should a
 * later version ask for more, it starts itself a second time as it always did. */
static bool set_program_state(const char *solofile, const char *folder, const char *archive)
{
    char path[PATH_BYTES + NAME_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, archive);
    return setenv("_PYI_ARCHIVE_FILE", path, 1) == 0 &&
           setenv("_PYI_PARENT_PROCESS_LEVEL", "-1", 1) == 0 &&
           setenv("_PYI_LINUX_PROCESS_NAME", strrchr(solofile, '/') + 1, 1) == 0;
}

bool prepare_environment(const char *solofile, const char *folder, const char *archive)
{
    return setenv("SOLOFILE_PATH", solofile, 1) == 0 && set_library_path(folder) &&
           set_program_state(solofile, folder, archive);
}
