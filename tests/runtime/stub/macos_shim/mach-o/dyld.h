/* What the launcher takes from macOS, in terms of Linux, so that its part for macOS runs here. */
#ifndef SHIM_DYLD_H
#define SHIM_DYLD_H

#include <stdint.h>
#include <unistd.h>

static inline int _NSGetExecutablePath(char *path, uint32_t *size)
{
    ssize_t got = readlink("/proc/self/exe", path, *size - 1);
    if (got < 0)
        return -1;
    path[got] = '\0';
    return 0;
}

#endif
