#include "system.h"

#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The loader that programs linked with glibc name, and so does the runtime. glibc's own library
 * lies in the same folder. */
#if defined(__x86_64__)
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#define PROCESSOR "x86_64"
#elif defined(__aarch64__)
#define LOADER "/lib/ld-linux-aarch64.so.1"
#define PROCESSOR "aarch64"
#endif
#define LIBRARY "libc.so.6"

/* What glibc says of itself, "stable release version 2.36"; its symbols' versions would tell less:
 * not every release has new symbols. */
static const char RELEASE[] = " release version ";

/* glibc 2.26 and later run on this kernel or a newer one, as its INSTALL says. */
enum { KERNEL_MAJOR = 3, KERNEL_MINOR = 2 };

static bool is_older(unsigned major, unsigned minor, unsigned than_major, unsigned than_minor)
{
    return major < than_major || (major == than_major && minor < than_minor);
}

static bool read_release(const char *library, size_t size, unsigned *major, unsigned *minor)
{
    char version[32] = "";
    /* It lies behind the code, near the end; that is looked at first, since it is quicker. */
    size_t most = size / 4 * 3;
    const char *found = memmem(library + most, size - most, RELEASE, sizeof RELEASE - 1);
    if (!found)
        found = memmem(library, size, RELEASE, sizeof RELEASE - 1);
    if (!found)
        return false;
    found += sizeof RELEASE - 1;
    size_t left = size - (size_t)(found - library);
    memcpy(version, found, left < sizeof version ? left : sizeof version - 1);
    return sscanf(version, "%u.%u", major, minor) == 2;
}

/* Find out the version of the glibc that belongs to the loader. */
static bool find_glibc(unsigned *major, unsigned *minor)
{
    char path[PATH_MAX + sizeof LIBRARY];
    struct stat status;
    if (!realpath(LOADER, path))
        return false;
    strcpy(strrchr(path, '/') + 1, LIBRARY);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool is_known = false;
    void *library = MAP_FAILED;
    if (fstat(file, &status) == 0 && status.st_size > 0)
        library = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (library != MAP_FAILED) {
        is_known = read_release(library, (size_t)status.st_size, major, minor);
        munmap(library, (size_t)status.st_size);
    }
    return is_known;
}

static void check_kernel(void)
{
    struct utsname name;
    unsigned major, minor;
    if (uname(&name) != 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
        return;
    if (is_older(major, minor, KERNEL_MAJOR, KERNEL_MINOR))
        fail(EXIT_UNSUPPORTED, "The kernel of this system is Linux %s, and the runtime needs %d.%d "
                               "or newer; start it on a newer system.",
             name.release, KERNEL_MAJOR, KERNEL_MINOR);
}

void check_system(const struct package *package)
{
    unsigned major, minor;
    if (!package->system_major)
        return;
    if (access(LOADER, F_OK) != 0 && errno == ENOENT)
        fail(EXIT_UNSUPPORTED, "This system has no glibc for " PROCESSOR ", which the runtime needs; "
                               "start it on a Linux with glibc, or in a container of one.");
    check_kernel();
    if (find_glibc(&major, &minor) &&
        is_older(major, minor, package->system_major, package->system_minor))
        fail(EXIT_UNSUPPORTED,
             "This system has glibc %u.%u, and the runtime in the file needs %u.%u or newer; start "
             "it on a newer system or in a container of one, or build it again with a kit made on "
             "an older system.",
             major, minor, package->system_major, package->system_minor);
}
