/* A reader of the plain tar (ustar) inside a package, fed in pieces of any size. */
#ifndef TAR_H
#define TAR_H

#include "members.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAR_BLOCK_BYTES = 512 };

enum unpacked {
    UNPACKED,
    NOT_WRITABLE, /* errno says why */
    NOT_A_PACKAGE,
};

struct tar {
    const struct open_folder *folder; /* where the members are written */
    int file;                         /* the open member, or -1 */
    uint64_t file_left;               /* bytes of the member still to come */
    size_t padding_left;              /* bytes up to the next block */
    size_t num_held;                  /* bytes of the next header already here */
    uint8_t header[TAR_BLOCK_BYTES];
};

void tar_begin(struct tar *tar, const struct open_folder *folder);

/* Take the next bytes of the stream and write what they complete. */
enum unpacked tar_add(struct tar *tar, const uint8_t *bytes, size_t size);

/* Release what is open; false when the stream ended inside a member. */
bool tar_end(struct tar *tar);

#endif
