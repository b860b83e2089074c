/* A window for messages, where there is no terminal to print them in. */
#ifndef WINDOW_H
#define WINDOW_H

/* Show a message if this program was double-clicked, as runtime/desktop/attendance.py tells that. */
void show_in_window(int num_arguments, const char *title, const char *text);

#endif
