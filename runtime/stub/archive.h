/* The solofile as a zip archive: where in it the package with the runtime lies. */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include "sha256.h"

#include <stdint.h>

/* Layout of runtime.pkg, little-endian, as runtime/package.py defines it:
 *   8 bytes  magic
 *  32 bytes  SHA-256 of the compressed stream
 *   8 bytes  size of the compressed stream
 *   8 bytes  sum of the unpacked files' sizes
 *   2 bytes  major version of the lowest glibc, or macOS, the runtime needs, 0 for any
 *   2 bytes  its minor version
 *   then the compressed stream: an index of frames (frames.c), and a tar in zstd frames */
#define PACKAGE_MAGIC "SOLOPKG3"
enum { PACKAGE_HEADER_BYTES = 60 };

struct package {
    uint64_t offset; /* of the compressed stream, from the solofile's first byte */
    uint64_t compressed_bytes;
    uint64_t unpacked_bytes;
    uint16_t system_major;
    uint16_t system_minor;
    uint8_t sha256[SHA256_BYTES];
};

/* Find the package by the zip directory. Does not return when the file is damaged; its path, in
 * UTF-8, is for saying why. */
void find_package(int file, const char *path, struct package *package);

#endif
