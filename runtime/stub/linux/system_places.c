#include "posix/system_places.h"

#include <stddef.h>
#include <sys/statvfs.h>

const char HOME_CACHE[] = "/.cache/solofile";
const char *const SHARED_FOLDERS[] = {"/var/tmp", "/tmp", "/dev/shm", NULL};

bool find_noexec(int folder, bool *is_noexec)
{
    struct statvfs file_system;
    if (fstatvfs(folder, &file_system) != 0)
        return false;
    *is_noexec = file_system.f_flag & ST_NOEXEC;
    return true;
}
