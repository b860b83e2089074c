/* The one value that is asked for comes from a variable, so that tests choose it. */
#ifndef SHIM_SYSCTL_H
#define SHIM_SYSCTL_H

#include <stdlib.h>
#include <string.h>

static inline int sysctlbyname(const char *name, void *value, size_t *size, void *new_value,
                               size_t new_size)
{
    const char *version = getenv("SHIM_MACOS");
    (void)new_value, (void)new_size;
    if (strcmp(name, "kern.osproductversion") || !version || strlen(version) >= *size)
        return -1;
    strcpy(value, version);
    *size = strlen(version) + 1;
    return 0;
}

#endif
