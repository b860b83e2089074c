#include "window.h"

#include "wide.h"

#include <stdbool.h>
#include <windows.h>

enum { WIDE_TEXT = 16 * 1024 };

/* Whether the console was opened for this program alone: it closes with it, unread. */
static bool was_double_clicked(int num_arguments)
{
    DWORD processes[2];
    return num_arguments == 1 && GetConsoleProcessList(processes, 2) == 1;
}

/* Waits until the window is closed. */
void show_in_window(int num_arguments, const char *title, const char *text)
{
    static wchar_t wide_title[MAX_PATH], wide_text[WIDE_TEXT];
    typedef int WINAPI show(HWND, LPCWSTR, LPCWSTR, UINT);
    if (!was_double_clicked(num_arguments))
        return;
    /* It is not linked: every start would wait for it to be loaded. */
    HMODULE library = LoadLibraryExW(L"user32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    show *message_box = library ? (show *)(void *)GetProcAddress(library, "MessageBoxW") : NULL;
    if (message_box && widen(title, wide_title, MAX_PATH) && widen(text, wide_text, WIDE_TEXT))
        message_box(NULL, wide_text, wide_title, MB_OK | MB_ICONERROR | MB_SETFOREGROUND);
}
