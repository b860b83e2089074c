#include "unpack.h"

#include "own_file.h"

#include "zstd.h"

#include <errno.h>
#include <string.h>

enum { CHUNK_BYTES = 256 << 10 };

/* What the file system itself needs for a few hundred small files. */
#define SPARE_BYTES (8u << 20)

static uint8_t compressed_chunk[CHUNK_BYTES], plain_chunk[CHUNK_BYTES];

static size_t chunk_size(uint64_t left)
{
    return left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
}

bool is_package_whole(int solofile, const struct package *package)
{
    struct sha256 sha;
    sha256_begin(&sha);
    for (uint64_t done = 0; done < package->compressed_bytes;) {
        size_t size = chunk_size(package->compressed_bytes - done);
        if (!read_at(solofile, compressed_chunk, size, package->offset + done))
            return false;
        sha256_add(&sha, compressed_chunk, size);
        done += size;
    }
    uint8_t digest[SHA256_BYTES];
    sha256_end(&sha, digest);
    return !memcmp(digest, package->sha256, SHA256_BYTES);
}

/* Decompress one chunk into the tar reader; `hint` becomes 0 where the zstd frame is complete. */
static enum unpacked unpack_chunk(ZSTD_DStream *stream, struct tar *tar, size_t size, size_t *hint)
{
    ZSTD_inBuffer in = {compressed_chunk, size, 0};
    bool may_hold_more = true;
    while (in.pos < in.size || may_hold_more) {
        ZSTD_outBuffer out = {plain_chunk, CHUNK_BYTES, 0};
        *hint = ZSTD_decompressStream(stream, &out, &in);
        if (ZSTD_isError(*hint))
            return NOT_A_PACKAGE;
        enum unpacked result = tar_add(tar, plain_chunk, out.pos);
        if (result != UNPACKED)
            return result;
        may_hold_more = out.pos == out.size;
    }
    return UNPACKED;
}

static enum unpacked unpack_stream(int solofile, const struct package *package,
                                   ZSTD_DStream *stream, struct tar *tar)
{
    size_t hint = 1;
    for (uint64_t done = 0; done < package->compressed_bytes;) {
        size_t size = chunk_size(package->compressed_bytes - done);
        if (!read_at(solofile, compressed_chunk, size, package->offset + done))
            return NOT_A_PACKAGE;
        enum unpacked result = unpack_chunk(stream, tar, size, &hint);
        if (result != UNPACKED)
            return result;
        done += size;
    }
    return hint == 0 ? UNPACKED : NOT_A_PACKAGE;
}

enum unpacked unpack_package(int solofile, const struct package *package,
                             const struct open_folder *folder)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (!stream) {
        errno = ENOMEM;
        return NOT_WRITABLE;
    }
    struct tar tar;
    tar_begin(&tar, folder);
    enum unpacked result = unpack_stream(solofile, package, stream, &tar);
    int error = errno;
    bool is_whole = tar_end(&tar);
    ZSTD_freeDStream(stream);
    errno = error;
    if (result == UNPACKED && !is_whole)
        return NOT_A_PACKAGE;
    return result;
}

bool has_room(uint64_t free_bytes, const struct package *package, const char *path,
              struct reason *why)
{
    uint64_t needed_bytes = package->unpacked_bytes + SPARE_BYTES;
    if (free_bytes >= needed_bytes)
        return true;
    return refuse(why, "%s is on a disk that is full (%llu MB are needed, %llu MB are free)", path,
                  (unsigned long long)(needed_bytes / 1000000 + 1),
                  (unsigned long long)(free_bytes / 1000000));
}

void fail_damaged_package(void)
{
    fail(EXIT_DAMAGED, "The runtime inside the file is damaged; copy or download the file again.");
}
