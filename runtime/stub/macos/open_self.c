#include "message.h"
#include "own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <mach-o/dyld.h>
#include <stdlib.h>
#include <string.h>

int open_self(char path[PATH_BYTES])
{
    char executed[PATH_BYTES];
    uint32_t size = sizeof executed;
    bool is_known = _NSGetExecutablePath(executed, &size) == 0 && realpath(executed, path);
    int file = is_known ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        fail(EXIT_UNSUPPORTED, "The file cannot read itself, %s; make it readable with chmod +r.",
             strerror(errno));
    return file;
}
