#include "own_file.h"

#include "message.h"
#include "wide.h"

#include <fcntl.h>
#include <io.h>
#include <windows.h>

int open_self(char path[PATH_BYTES])
{
    static wchar_t wide[WIDE_PATH];
    DWORD size = GetModuleFileNameW(NULL, wide, WIDE_PATH);
    if (size && size < WIDE_PATH && narrow_path(wide, path) && widen_path(path, wide)) {
        HANDLE handle = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
        if (handle != INVALID_HANDLE_VALUE)
            return _open_osfhandle((intptr_t)handle, _O_RDONLY | _O_BINARY);
    }
    fail(EXIT_UNSUPPORTED, "The file cannot read itself (Windows error %lu); copy it elsewhere.",
         GetLastError());
}

uint64_t own_file_size(int file)
{
    LARGE_INTEGER size;
    if (!GetFileSizeEx((HANDLE)_get_osfhandle(file), &size))
        fail(EXIT_UNSUPPORTED, "The file cannot be read (Windows error %lu); copy it elsewhere.",
             GetLastError());
    return (uint64_t)size.QuadPart;
}

bool read_at(int file, void *buffer, size_t size, uint64_t offset)
{
    HANDLE handle = (HANDLE)_get_osfhandle(file);
    uint8_t *next = buffer;
    while (size) {
        DWORD wanted = size < (1u << 30) ? (DWORD)size : 1u << 30, got = 0;
        OVERLAPPED at = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
        if (!ReadFile(handle, next, wanted, &got, &at) || !got)
            return false;
        next += got, size -= got, offset += got;
    }
    return true;
}
