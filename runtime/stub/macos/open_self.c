#include "message.h"
#include "own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <mach-o/dyld.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAMS "/Contents/MacOS"

/* In an app, the program that starts is the launcher alone, and the solofile lies among the
 * resources: Contents/MacOS/NAME belongs to Contents/Resources/NAME.solofile. */
static void find_in_app(char path[PATH_BYTES])
{
    char solofile[PATH_BYTES];
    const char *name = strrchr(path, '/');
    size_t before = (size_t)(name - path);
    size_t programs = sizeof PROGRAMS - 1;
    if (before < programs || memcmp(name - programs, PROGRAMS, programs))
        return;
    int size = snprintf(solofile, sizeof solofile, "%.*s/Contents/Resources%s.solofile",
                        (int)(before - programs), path, name);
    if (size > 0 && (size_t)size < sizeof solofile && access(solofile, F_OK) == 0)
        strcpy(path, solofile);
}

int open_self(char path[PATH_BYTES])
{
    char executed[PATH_BYTES];
    uint32_t size = sizeof executed;
    bool is_known = _NSGetExecutablePath(executed, &size) == 0 && realpath(executed, path);
    if (is_known)
        find_in_app(path);
    int file = is_known ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        fail(EXIT_UNSUPPORTED, "The file cannot read itself, %s; make it readable with chmod +r.",
             strerror(errno));
    return file;
}
