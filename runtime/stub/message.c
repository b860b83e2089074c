#include "message.h"

#include "console.h"
#include "window.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 16 * 1024, NAME_CHARACTERS = 255 };

static const char *program_name = "solofile";
static int num_program_arguments;

void name_program(int num_arguments, const char *invoked_as)
{
    num_program_arguments = num_arguments;
    if (!invoked_as || !*invoked_as)
        return;
    const char *slash = strrchr(invoked_as, '/');
    program_name = slash ? slash + 1 : invoked_as;
}

static void print_line(const char *format, va_list arguments)
{
    static char line[NAME_CHARACTERS + TEXT_BYTES + sizeof ": \n"];
    int size = snprintf(line, sizeof line, "%.*s: ", NAME_CHARACTERS, program_name);
    vsnprintf(line + size, TEXT_BYTES, format, arguments);
    strcat(line, "\n");
    print_error(line);
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
}

void fail(enum exit_code code, const char *format, ...)
{
    static char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say("%s", text);
    show_in_window(num_program_arguments, program_name, text);
    exit(code);
}

bool refuse(struct reason *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    return false;
}

static const char *meaning_of(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return "is not writable";
    case EROFS:
        return "is on a read-only file system";
    case ENOSPC:
#ifdef EDQUOT
    case EDQUOT:
#endif
        return "is on a disk that is full";
    case ENOENT:
        return "does not exist";
    case ENOTDIR:
    case ELOOP:
        return "is not a folder";
    case EEXIST:
    case ENOTEMPTY:
        return "holds a runtime that belongs to another user";
    default:
        return NULL;
    }
}

bool refuse_errno(struct reason *why, const char *path)
{
    const char *meaning = meaning_of(errno);
    if (meaning)
        return refuse(why, "%s %s", path, meaning);
    return refuse(why, "%s cannot be used (%s)", path, strerror(errno));
}
