#include "wide.h"

#include <errno.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

/* Paths behind these may have 32,767 characters and are taken literally. */
static const wchar_t LONG_MARK[] = L"\\\\?\\", SHARE_MARK[] = L"\\\\?\\UNC\\";
static const wchar_t SHARE_START[] = L"\\\\";

bool widen(const char *text, wchar_t *wide, int size)
{
    return MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, size) > 0;
}

bool widen_path(const char *path, wchar_t wide[WIDE_PATH])
{
    bool is_share = path[0] == '\\' && path[1] == '\\';
    const wchar_t *mark = is_share ? SHARE_MARK : LONG_MARK;
    size_t size = wcslen(mark);
    wmemcpy(wide, mark, size);
    if (widen(is_share ? path + 2 : path, wide + size, (int)(WIDE_PATH - size)))
        return true;
    errno = ENAMETOOLONG;
    return false;
}

bool narrow_path(const wchar_t *wide, char path[PATH_BYTES])
{
    static wchar_t share[WIDE_PATH];
    if (!wcsncmp(wide, SHARE_MARK, wcslen(SHARE_MARK))) {
        wcscpy(share, SHARE_START);
        wcscat(share, wide + wcslen(SHARE_MARK));
        wide = share;
    } else if (!wcsncmp(wide, LONG_MARK, wcslen(LONG_MARK))) {
        wide += wcslen(LONG_MARK);
    }
    return WideCharToMultiByte(CP_UTF8, 0, wide, -1, path, PATH_BYTES, NULL, NULL) > 0;
}

bool append_name(wchar_t path[WIDE_PATH], const wchar_t *name)
{
    if (wcslen(path) + 1 + wcslen(name) >= WIDE_PATH) {
        errno = ENAMETOOLONG;
        return false;
    }
    wcscat(path, L"\\");
    wcscat(path, name);
    return true;
}

bool set_errno(void)
{
    switch (GetLastError()) {
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
        errno = EACCES;
        break;
    case ERROR_WRITE_PROTECT:
        errno = EROFS;
        break;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_DISK_QUOTA_EXCEEDED:
        errno = ENOSPC;
        break;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
    case ERROR_BAD_NETPATH:
        errno = ENOENT;
        break;
    case ERROR_DIRECTORY:
        errno = ENOTDIR;
        break;
    case ERROR_ALREADY_EXISTS:
    case ERROR_FILE_EXISTS:
        errno = EEXIST;
        break;
    case ERROR_FILENAME_EXCED_RANGE:
        errno = ENAMETOOLONG;
        break;
    default:
        errno = EIO;
    }
    return false;
}
