#include "members.h"

#include "open_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

bool make_folder(const struct open_folder *folder, const char *path)
{
    return mkdirat(folder->descriptor, path, 0755) == 0;
}

bool make_link(const struct open_folder *folder, const char *path, const char *target)
{
    return symlinkat(target, folder->descriptor, path) == 0;
}

int make_file(const struct open_folder *folder, const char *path, int mode)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    return openat(folder->descriptor, path, flags, (mode_t)mode);
}

bool write_all(int file, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t num_written = write(file, bytes, size);
        if (num_written < 0 && errno == EINTR)
            continue;
        if (num_written < 0)
            return false;
        bytes += num_written, size -= (size_t)num_written;
    }
    return true;
}

bool close_file(int file)
{
    return close(file) == 0;
}
