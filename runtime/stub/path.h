/* Paths, in UTF-8 on every system. */
#ifndef PATH_H
#define PATH_H

#include <limits.h>

/* Windows has 32,767 characters for a path, each up to three bytes. */
#ifdef _WIN32
enum { PATH_BYTES = 3 * 32768 };
#else
enum { PATH_BYTES = PATH_MAX };
#endif

#endif
