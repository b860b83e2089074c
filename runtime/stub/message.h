/* What the launcher says: one sentence on stderr, and an exit code. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>

/* The same numbers as the error classes in runtime/errors.py. */
enum exit_code { EXIT_USAGE = 2, EXIT_DAMAGED = 3, EXIT_UNSUPPORTED = 4, EXIT_RESOURCE = 5 };

/* Why something could not be done, as half a sentence. */
struct reason {
    char text[1024];
};

/* Take the name messages begin with from argv[0], and how many arguments there are with it. */
void name_program(int num_arguments, const char *invoked_as);

/* Print one line to stderr. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print one line to stderr, show it in a window where nobody reads that, and exit. */
_Noreturn void fail(enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Note a reason; always false, so that a check can end with `return refuse(...)`. */
bool refuse(struct reason *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Note what errno means for a path: "PATH is not writable". Always false. */
bool refuse_errno(struct reason *why, const char *path);

#endif
