#include "arguments.h"

#include "message.h"

#include <stddef.h>
#include <string.h>

static const char UNPACK_DIR[] = "--unpack-dir";

const char *find_unpack_dir(char **arguments)
{
    const size_t size = sizeof UNPACK_DIR - 1;
    const char *folder = NULL;
    while (*arguments && *++arguments && strcmp(*arguments, "--") != 0) {
        if (strncmp(*arguments, UNPACK_DIR, size) != 0)
            continue;
        if ((*arguments)[size] == '=')
            folder = *arguments + size + 1;
        else if (!(*arguments)[size])
            folder = arguments[1] ? *++arguments : "";
        else
            continue;
        if (!*folder)
            fail(EXIT_USAGE, "%s names no folder; write %s FOLDER.", UNPACK_DIR, UNPACK_DIR);
    }
    return folder;
}
