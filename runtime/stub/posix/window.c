#include "window.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static bool was_double_clicked(int num_arguments)
{
    bool has_terminal =
        isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO);
    bool has_screen = is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    return num_arguments == 1 && !has_terminal && has_screen && !getenv("SSH_CONNECTION");
}

/* Become the first of these programs that is installed; they are the desktops' own. */
static void become_window(const char *title, const char *text)
{
    execlp("zenity", "zenity", "--error", "--no-markup", "--title", title, "--text", text, NULL);
    execlp("kdialog", "kdialog", "--title", title, "--error", text, NULL);
    execlp("xmessage", "xmessage", "-center", text, NULL);
    execlp("notify-send", "notify-send", title, text, NULL);
}

void show_in_window(int num_arguments, const char *title, const char *text)
{
    if (!was_double_clicked(num_arguments) || fork() != 0)
        return;
    setsid();
    become_window(title, text);
    _exit(EXIT_FAILURE);
}
