#include "system.h"

#include "message.h"

#include <windows.h>

/* The frozen Python needs it, and so do the libraries. */
enum { WINDOWS_MAJOR = 10 };

void check_system(const struct package *package)
{
    (void)package;
    /* GetVersionEx says what a program's manifest asks for; this one says what there is. */
    typedef LONG WINAPI get_version(OSVERSIONINFOW *);
    OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof version};
    HMODULE library = GetModuleHandleW(L"ntdll.dll");
    get_version *get = (get_version *)(void *)GetProcAddress(library, "RtlGetVersion");
    if (get && get(&version) == 0 && version.dwMajorVersion < WINDOWS_MAJOR)
        fail(EXIT_UNSUPPORTED,
             "This system is Windows NT %lu.%lu, and the runtime needs Windows %d or newer; start "
             "it on a newer system.",
             version.dwMajorVersion, version.dwMinorVersion, WINDOWS_MAJOR);
}
