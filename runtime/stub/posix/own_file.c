#include "own_file.h"

#include "message.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t own_file_size(int file)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        fail(EXIT_UNSUPPORTED, "The file cannot be read, %s; copy it elsewhere.", strerror(errno));
    return (uint64_t)status.st_size;
}

bool read_at(int file, void *buffer, size_t size, uint64_t offset)
{
    uint8_t *next = buffer;
    while (size) {
        ssize_t got = pread(file, next, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        next += got, size -= (size_t)got, offset += (uint64_t)got;
    }
    return true;
}
