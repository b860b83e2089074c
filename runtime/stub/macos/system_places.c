#include "posix/system_places.h"

#include <stddef.h>
#include <sys/mount.h>
#include <sys/param.h>

const char HOME_CACHE[] = "/Library/Caches/solofile";
const char *const SHARED_FOLDERS[] = {"/var/tmp", "/tmp", NULL};

bool find_noexec(int folder, bool *is_noexec)
{
    struct statfs file_system;
    if (fstatfs(folder, &file_system) != 0)
        return false;
    *is_noexec = file_system.f_flags & MNT_NOEXEC;
    return true;
}
