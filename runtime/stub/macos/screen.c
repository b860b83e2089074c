#include "posix/screen.h"

#include <stddef.h>
#include <unistd.h>

bool has_screen(void)
{
    return true;
}

/* The texts are arguments, so nothing in them is run. */
void become_window(const char *title, const char *text)
{
    execl("/usr/bin/osascript", "osascript", "-e", "on run texts", "-e",
          "display alert (item 1 of texts) message (item 2 of texts) as critical", "-e", "end run",
          title, text, NULL);
}
