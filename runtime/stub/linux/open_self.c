#include "message.h"
#include "own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

int open_self(char path[PATH_BYTES])
{
    ssize_t size = readlink("/proc/self/exe", path, PATH_BYTES - 1);
    if (size > 0) {
        path[size] = '\0';
        int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (file >= 0)
            return file;
    }
    /* Where /proc is not mounted, the kernel's word on what it executed has to do. */
    const char *executed = (const char *)getauxval(AT_EXECFN);
    int file = executed && realpath(executed, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        fail(EXIT_UNSUPPORTED, "The file cannot read itself, %s; make it readable with chmod +r.",
             strerror(errno));
    return file;
}
