#include "console.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

static void print_wide(HANDLE console, const char *text)
{
    int size = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *wide = size > 0 ? malloc((size_t)size * sizeof *wide) : NULL;
    DWORD written;
    if (!wide)
        return;
    MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, size);
    WriteConsoleW(console, wide, (DWORD)size - 1, &written, NULL);
    free(wide);
}

void print_error(const char *text)
{
    HANDLE error = GetStdHandle(STD_ERROR_HANDLE);
    DWORD mode, written;
    if (GetConsoleMode(error, &mode))
        print_wide(error, text);
    else
        WriteFile(error, text, (DWORD)strlen(text), &written, NULL);
}
