/* Paths, in UTF-8 on every system. */
#ifndef PATH_H
#define PATH_H

#include <limits.h>

enum { PATH_BYTES = PATH_MAX };

#endif
