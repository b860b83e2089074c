#include "members.h"

#include "open_folder.h"
#include "wide.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

/* Write down where a member goes. Backslashes and colons lead out of the folder. */
static bool find_path(const struct open_folder *folder, const char *path, wchar_t wide[WIDE_PATH])
{
    wchar_t name[MAX_PATH];
    if (strpbrk(path, "\\:") || !widen(path, name, MAX_PATH)) {
        errno = EINVAL;
        return false;
    }
    for (wchar_t *slash = name; (slash = wcschr(slash, L'/'));)
        *slash = L'\\';
    wcscpy(wide, folder->path);
    return append_name(wide, name);
}

bool make_folder(const struct open_folder *folder, const char *path)
{
    wchar_t wide[WIDE_PATH];
    return find_path(folder, path, wide) && (CreateDirectoryW(wide, NULL) || set_errno());
}

/* The runtimes of Windows have none. */
bool make_link(const struct open_folder *folder, const char *path, const char *target)
{
    (void)folder, (void)path, (void)target;
    errno = EINVAL;
    return false;
}

int make_file(const struct open_folder *folder, const char *path, int mode)
{
    wchar_t wide[WIDE_PATH];
    (void)mode;
    if (!find_path(folder, path, wide))
        return -1;
    HANDLE handle = CreateFileW(wide, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_NEW,
                                FILE_ATTRIBUTE_NORMAL, NULL);
    if (handle == INVALID_HANDLE_VALUE) {
        set_errno();
        return -1;
    }
    return _open_osfhandle((intptr_t)handle, _O_WRONLY | _O_BINARY);
}

bool write_all(int file, const uint8_t *bytes, size_t size)
{
    while (size) {
        DWORD wanted = size < (1u << 30) ? (DWORD)size : 1u << 30, written;
        if (!WriteFile((HANDLE)_get_osfhandle(file), bytes, wanted, &written, NULL))
            return set_errno();
        bytes += written, size -= written;
    }
    return true;
}

bool close_file(int file)
{
    return _close(file) == 0;
}
