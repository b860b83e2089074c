#include "system.h"

#include "message.h"

#include <stdio.h>
#include <sys/sysctl.h>

static bool find_version(char *name, size_t size, unsigned *major, unsigned *minor)
{
    *minor = 0;
    if (sysctlbyname("kern.osproductversion", name, &size, NULL, 0) != 0)
        return false;
    return sscanf(name, "%u.%u", major, minor) >= 1;
}

void check_system(const struct package *package)
{
    char name[32] = "";
    unsigned major, minor;
    if (!package->system_major || !find_version(name, sizeof name - 1, &major, &minor))
        return;
    if (major < package->system_major ||
        (major == package->system_major && minor < package->system_minor))
        fail(EXIT_UNSUPPORTED,
             "This Mac has macOS %s, and the runtime in the file needs %u.%u or newer; update "
             "macOS, or build it again with a kit made on an older one.",
             name, package->system_major, package->system_minor);
}
