#include "frames.h"

#include "own_file.h"

/* A skippable frame (RFC 8878, section 3.1.2), which decoders pass over, holds the index: the
 * compressed size of each frame behind it, little-endian. */
#define INDEX_MAGIC 0x184d2a50u
enum { INDEX_HEADER_BYTES = 8, SIZE_BYTES = 4 };

static uint32_t u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

bool find_frames(int solofile, const struct package *package, struct frames *frames)
{
    uint8_t header[INDEX_HEADER_BYTES], sizes[MAX_FRAMES * SIZE_BYTES];
    if (package->compressed_bytes < sizeof header ||
        !read_at(solofile, header, sizeof header, package->offset) || u32(header) != INDEX_MAGIC)
        return false;
    uint32_t index_bytes = u32(header + SIZE_BYTES);
    if (!index_bytes || index_bytes > sizeof sizes || index_bytes % SIZE_BYTES ||
        !read_at(solofile, sizes, index_bytes, package->offset + sizeof header))
        return false;
    uint64_t begin = package->offset + sizeof header + index_bytes;
    frames->num_frames = (int)(index_bytes / SIZE_BYTES);
    for (int i = 0; i < frames->num_frames; i++) {
        frames->list[i] = (struct frame){begin, u32(sizes + i * SIZE_BYTES)};
        begin += frames->list[i].size;
    }
    return begin == package->offset + package->compressed_bytes;
}
