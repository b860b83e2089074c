/* A system's screen, and windows on it. */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>

/* Whether windows can be opened, as far as this process's own environment tells. */
bool has_screen(void);

/* Become a program that shows a message in a window; returns where there is none. */
void become_window(const char *title, const char *text);

#endif
