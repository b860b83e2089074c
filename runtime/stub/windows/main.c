#include "launch.h"
#include "message.h"
#include "wide.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

static char *narrow(const wchar_t *wide)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = size > 0 ? malloc((size_t)size) : NULL;
    if (!text)
        fail(EXIT_RESOURCE, "There is not enough memory to start; close other programs.");
    WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
    return text;
}

/* The runtime gets the command line as it is, and not what is made of it here. */
int wmain(int num_arguments, wchar_t **wide)
{
    static wchar_t path[WIDE_PATH];
    char **arguments = calloc((size_t)num_arguments + 2, sizeof *arguments);
    if (!arguments)
        fail(EXIT_RESOURCE, "There is not enough memory to start; close other programs.");
    for (int i = 0; i < num_arguments; i++)
        arguments[i] = narrow(wide[i]);
    /* Windows lets people leave out the suffix; the file's own name is told. */
    if (GetModuleFileNameW(NULL, path, WIDE_PATH)) {
        arguments[0] = narrow(path);
        char *slash = strrchr(arguments[0], '\\');
        arguments[0] = slash ? slash + 1 : arguments[0];
    }
    launch(num_arguments, arguments);
}
