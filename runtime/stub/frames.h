/* The package's stream: zstd frames, each of whole members of the tar that they are together. */
#ifndef FRAMES_H
#define FRAMES_H

#include "archive.h"

#include <stdbool.h>
#include <stdint.h>

/* A package has some dozen; one with more is not ours. */
enum { MAX_FRAMES = 1024 };

struct frame {
    uint64_t offset; /* from the solofile's first byte */
    uint64_t size;   /* compressed, in bytes */
};

struct frames {
    struct frame list[MAX_FRAMES];
    int num_frames; /* at least one: the first has the folders and links, the others the files */
};

/* Find the frames by the index before them; false where it does not fit the stream's size. */
bool find_frames(int solofile, const struct package *package, struct frames *frames);

#endif
