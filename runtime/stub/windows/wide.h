/* Texts as Windows has them, and what its functions mean by errno. */
#ifndef WIDE_H
#define WIDE_H

#include "path.h"

#include <stdbool.h>
#include <stddef.h>

enum { WIDE_PATH = 32768 };

/* Turn an absolute path into one that Windows takes as it is, however long. */
bool widen_path(const char *path, wchar_t wide[WIDE_PATH]);

/* The other way round, without the mark of long paths. */
bool narrow_path(const wchar_t *wide, char path[PATH_BYTES]);

/* Append a separator and a name; false where that is too long. */
bool append_name(wchar_t path[WIDE_PATH], const wchar_t *name);

/* Write a text of any length; false where it does not fit. */
bool widen(const char *text, wchar_t *wide, int size);

/* Set errno to what the last function of Windows complained of. Always false. */
bool set_errno(void);

#endif
