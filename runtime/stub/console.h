/* Where messages are printed. */
#ifndef CONSOLE_H
#define CONSOLE_H

/* Write a text to stderr. */
void print_error(const char *text);

#endif
