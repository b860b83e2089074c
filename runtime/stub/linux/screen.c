#include "posix/screen.h"

#include <stdlib.h>
#include <unistd.h>

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

bool has_screen(void)
{
    return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

/* The first of these programs that is installed; they are the desktops' own. */
void become_window(const char *title, const char *text)
{
    execlp("zenity", "zenity", "--error", "--no-markup", "--title", title, "--text", text, NULL);
    execlp("kdialog", "kdialog", "--title", title, "--error", text, NULL);
    execlp("xmessage", "xmessage", "-center", text, NULL);
    execlp("notify-send", "notify-send", title, text, NULL);
}
