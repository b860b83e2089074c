#include "window.h"

#include "screen.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static bool was_double_clicked(int num_arguments)
{
    bool has_terminal =
        isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO);
    return num_arguments == 1 && !has_terminal && has_screen() && !getenv("SSH_CONNECTION");
}

/* Does not wait for the window. */
void show_in_window(int num_arguments, const char *title, const char *text)
{
    if (!was_double_clicked(num_arguments) || fork() != 0)
        return;
    setsid();
    become_window(title, text);
    _exit(EXIT_FAILURE);
}
