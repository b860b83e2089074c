/* SHA-256 as FIPS 180-4 defines it. */
#ifndef SHA256_H
#define SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_BLOCK_BYTES = 64 };

struct sha256 {
    uint32_t state[8];
    uint64_t num_bytes;
    uint8_t block[SHA256_BLOCK_BYTES];
    bool has_instructions; /* the processor's own */
};

void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const uint8_t *bytes, size_t size);
void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_BYTES]);

#endif
